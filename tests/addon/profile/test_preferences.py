"""What customers like, what they usually buy, and the budget they have."""

from collections import defaultdict
from datetime import datetime, timedelta
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError

from odoo.addons.customer_lifecycle.models.profile.chosen import Chosen
from odoo.addons.customer_lifecycle.models.profile.preferences import PreferenceReader

from ..common import LifecycleCase


class TestPreferences(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("Tastes Ltd")
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": cls.company.ids})
        cls.categories = cls.env["product.category"].create(
            [{"name": "Coffee"}, {"name": "Cups"}, {"name": "Rare"}]
        )
        cls.coffee, cls.cups, cls.rare = cls.env["product.product"].create(
            [
                {"name": category.name, "type": "service", "categ_id": category.id}
                for category in cls.categories
            ]
        )
        cls.today = cls.company._lifecycle_today()

    def order(self, partner, days_ago, *lines):
        order = self.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "company_id": self.company.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "product_uom_qty": 2,
                            "price_unit": price,
                            "tax_ids": False,
                        }
                    )
                    for product, price in lines
                ],
            }
        )
        order.action_confirm()
        order.date_order = datetime.combine(
            self.today - timedelta(days_ago), datetime.min.time()
        ) + timedelta(hours=12)
        return order

    def refresh(self, partner):
        self.env["lifecycle.pipeline"]._refresh(self.company, partner.ids)
        return self.env["lifecycle.profile"].search([("partner_id", "=", partner.id)])

    def test_usual_products_go_missing_at_their_own_rhythm(self):
        partner = self.new_customer("Regular", email="r@example.com")
        for days in (100, 80, 60, 40, 20, 0):
            lines = [(self.coffee, 50)]
            if days >= 60:
                lines.append((self.cups, 10))
            if days == 100:
                lines.append((self.rare, 5))
            self.order(partner, days, *lines)
        profile = self.refresh(partner)
        usual = {item.product_id: item for item in profile.usual_product_ids}
        self.assertEqual(set(usual), {self.coffee, self.cups})
        self.assertEqual(usual[self.cups].day_count, 3)
        self.assertEqual(usual[self.cups].gap, 20)
        self.assertEqual(usual[self.cups].quantity, 2)
        self.assertEqual(usual[self.coffee].amount, 600)
        # last bought 60 days ago every 20 days: missing from day 30 to day 80
        self.assertEqual(profile._missing_products(), usual[self.cups])
        found = self.env["lifecycle.profile"].search(
            [("company_id", "=", self.company.id), ("usual_product_ids.is_missing", "=", True)]
        )
        self.assertEqual(found, profile)
        tired = profile.with_context(lifecycle_today=self.today + timedelta(21))
        self.assertNotIn(self.cups, tired._missing_products().product_id)

    def test_categories_weekday_and_channel(self):
        partner = self.new_customer("Tuesday", email="t@example.com")
        team = self.env["crm.team"].create(
            {"name": "Counter", "company_id": self.company.id}
        )
        offset = (self.today.weekday() - 1) % 7
        for week in range(5):
            order = self.order(
                partner, offset + 7 * week, (self.coffee, 80), (self.cups, 19), (self.rare, 1)
            )
            order.team_id = team
        profile = self.refresh(partner)
        self.assertEqual(profile.favorite_category_ids, self.categories[:2])
        self.assertEqual(profile.usual_weekday, "2")
        self.assertEqual(profile.usual_team_id, team)

    def test_preferences_equal_a_count_by_hand_and_are_written_once(self):
        partners = self.env["res.partner"].create(
            [{"name": f"P{i}", "email": f"p{i}@example.com"} for i in range(8)]
        )
        bought = defaultdict(set)
        for index, partner in enumerate(partners):
            for visit in range(index):
                product = (self.coffee, self.cups, self.rare)[(index + visit) % 3]
                self.order(partner, visit * 11, (product, 10 + index))
                bought[partner, product].add(visit)
        self.env["lifecycle.pipeline"]._refresh(self.company, partners.ids)
        usual = self.env["lifecycle.usual.product"].search(
            [("profile_id.company_id", "=", self.company.id)]
        )
        self.assertEqual(
            {(item.profile_id.partner_id, item.product_id): item.day_count for item in usual},
            {key: len(days) for key, days in bought.items() if len(days) >= 3},
        )
        before = usual.ids
        night = self.env, self.company, self.today
        with Chosen(*night) as chosen:
            self.assertEqual(chosen.choose([PreferenceReader(*night).is_due()]), 0)
        self.order(partners[7], 0, (self.coffee, 1))
        self.env["lifecycle.pipeline"]._refresh(self.company, partners[7].ids)
        after = usual.search([("profile_id.company_id", "=", self.company.id)])
        # what stays usual keeps its row
        self.assertLessEqual(set(before), set(after.ids))
        coffee = after.filtered(
            lambda item: item.product_id == self.coffee
            and item.profile_id.partner_id == partners[7]
        )
        self.assertEqual(coffee.last_date, self.today)

    def test_cancelled_orders_leave_no_taste(self):
        partner = self.new_customer("Gone", email="g@example.com")
        orders = [self.order(partner, days, (self.coffee, 9)) for days in (30, 20, 10, 0)]
        self.assertTrue(self.refresh(partner).usual_product_ids)
        for order in orders[:2]:
            order._action_cancel()
        self.assertFalse(self.refresh(partner).usual_product_ids)

    def test_a_budget_can_be_entered_for_whom_nothing_is_known_of(self):
        salesman = self.new_user(
            "budget_seller", "sales_team.group_sale_salesman_all_leads", self.company
        )
        contact = self.new_customer("Fair", is_company=True)
        person = self.new_customer("Fay", parent_id=contact.id)
        seen = person.with_user(salesman).with_company(self.company)
        self.assertFalse(seen.lifecycle_profile_id)
        seen.lifecycle_potential = 5000
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual((seen.lifecycle_potential, seen.is_vip), (5000, False))
        # neither a refresh nor the night takes it away
        profile = self.refresh(contact)
        self.assertEqual((profile.potential, profile.active), (5000, True))
        # an empty budget makes no profile
        other = self.new_customer("Nobody").with_user(salesman).with_company(self.company)
        other.lifecycle_potential = False
        self.assertFalse(other.lifecycle_profile_id)

    def test_budget_share_and_gap(self):
        partner = self.new_customer("Budget", email="b@example.com")
        self.order(partner, 10, (self.coffee, 125))
        profile = self.refresh(partner)
        self.assertIs(profile.potential_share, False)
        salesman = self.new_user(
            "budget_sales", "sales_team.group_sale_salesman_all_leads", self.company
        )
        partner.with_user(salesman).with_company(self.company).lifecycle_potential = 1000
        self.assertEqual(profile.potential, 1000)
        self.assertEqual(profile.potential_share, 0.25)
        self.assertEqual(profile.potential_gap, 750)
        profiles = self.env["lifecycle.profile"]
        inside = [("company_id", "=", self.company.id)]
        self.assertEqual(profiles.search([*inside, ("potential_share", "<", 0.3)]), profile)
        self.assertEqual(profiles.search([*inside, ("potential_gap", ">=", 750)]), profile)
        self.assertEqual(
            profiles._read_group(inside, aggregates=["potential_gap:sum"]), [(750,)]
        )
        with self.assertRaises(AccessError):
            profile.with_user(salesman).revenue = 1

    def test_a_budget_survives_the_next_computation(self):
        partner = self.new_customer("Kept", email="k@example.com")
        self.order(partner, 10, (self.coffee, 10))
        profile = self.refresh(partner)
        profile.potential = 500
        with patch.object(
            type(self.env["res.company"]),
            "_lifecycle_today",
            lambda company: self.today + timedelta(30),
        ):
            self.refresh(partner)
        self.assertEqual(profile.potential, 500)
