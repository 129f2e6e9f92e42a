"""Tiers that count some products only: net revenue, orders and pieces."""

from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import Command
from odoo.tools import mute_logger

from ..common_tiers import START, TierCase


class TestTierProducts(TierCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.drinks = cls.env["product.category"].create({"name": "Drinks"})
        cls.teas = cls.env["product.category"].create({"name": "Teas", "parent_id": cls.drinks.id})
        cls.tea, cls.cup = cls.env["product.product"].create(
            [
                {"name": "Tea", "categ_id": cls.teas.id},
                {"name": "Cup", "categ_id": cls.env["product.category"].create({"name": "C"}).id},
            ]
        )
        cls.drinker, cls.collector, cls.lapsed = cls.crowd[:3]
        for partner, product, days_ago, quantity in (
            (cls.drinker, cls.tea, 10, 6),
            (cls.drinker, cls.tea, 50, 4),
            # the last day that counts, and the first that does not
            (cls.drinker, cls.tea, 364, 5),
            (cls.lapsed, cls.tea, 365, 40),
            (cls.collector, cls.cup, 5, 90),
            (cls.collector, cls.tea, 5, 2),
        ):
            cls.take(partner, product, START - timedelta(days_ago), quantity)

    @classmethod
    def take(cls, partner, product, day, quantity):
        cls.env["lifecycle.external.purchase"].create(
            {
                "partner_id": partner.id,
                "date": day,
                "amount": 10 * quantity,
                "quantity": quantity,
                "product_id": product.id,
                "company_id": cls.company.id,
                "currency_id": cls.company.currency_id.id,
            }
        )

    def members(self):
        return self.crowd.filtered(lambda partner: self.tier(partner))

    def test_revenue_of_a_category_and_below(self):
        tier = self.new_tier(entry=150, category_ids=[Command.link(self.drinks.id)])
        self.begin()
        self.assertEqual(self.members(), self.drinker)
        self.assertIn("Net revenue of Drinks in the last 12 months", tier.threshold_text)
        with self.on(START):
            self.assertIn("150", self.profile(self.drinker).vip_why)
            self.assertEqual(self.profile(self.collector)._vip_missing(tier, 150), 130)

    def test_days_on_which_products_were_bought(self):
        self.new_tier(measure="orders", entry_orders=3, product_ids=[Command.link(self.tea.id)])
        self.begin()
        self.assertEqual(self.members(), self.drinker)

    def test_pieces_of_all_products_and_of_some(self):
        tier = self.new_tier(measure="quantity", entry_orders=15)
        self.begin()
        self.assertEqual(self.members(), self.drinker | self.collector)
        self.assertIn("15 pieces", tier.threshold_text)
        tier.product_ids = self.tea
        self.classify(START + timedelta(1))
        # the five of a year ago are gone: ten are left, 12 it takes to keep it
        self.assertTrue(self.profile(self.drinker).vip_review_date)
        self.assertTrue(self.profile(self.collector).vip_review_date)
        with self.on(START + timedelta(1)):
            self.assertIn("Less of the products", self.profile(self.drinker).vip_why)

    def test_calendar_years(self):
        self.new_tier(entry=100, term="calendar", product_ids=[Command.link(self.tea.id)])
        self.begin()
        # in 2024: 10 and 50 days before 10 March; in 2023: 40 pieces on 11 March
        self.assertEqual(self.members(), self.drinker | self.lapsed)

    def test_few_are_judged_like_all(self):
        self.new_tier(entry=150, category_ids=[Command.link(self.teas.id)])
        self.begin()
        self.take(self.collector, self.tea, START, 13)
        self.classify(START, partner_ids=self.collector.ids)
        self.assertEqual(self.members(), self.drinker | self.collector)

    def test_a_proposal_and_its_preview(self):
        tier = self.new_tier(entry=500)
        self.begin()
        self.assertEqual(self.members(), self.collector)
        with self.on(START):
            proposal = tier.browse(tier.action_propose()["res_id"])
            proposal.write({"category_ids": [Command.link(self.teas.id)], "entry": 150})
            preview = self.env["lifecycle.rule.preview"].browse(proposal.action_preview()["res_id"])
            self.assertEqual((preview.enter_count, preview.leave_count), (1, 0))
            proposal._apply_proposal()
        self.assertEqual(tier.category_ids, self.teas)

    def test_what_a_tier_counts_is_not_deleted(self):
        self.new_tier(entry=150, category_ids=[Command.link(self.teas.id)])
        self.env.flush_all()
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.cr.savepoint():
            (self.tea.product_tmpl_id | self.cup.product_tmpl_id).categ_id = self.drinks
            self.teas.unlink()
            self.env.flush_all()
