"""Who changes firm leaves the firm's purchases with it; merged opportunities keep their start."""

from datetime import timedelta

from odoo import fields
from odoo.tools import SQL

from ..common import LifecycleCase


class TestFormerFirms(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("Firms Ltd")
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": cls.company.ids})
        cls.old, cls.new = (
            cls.new_customer(name, is_company=True, email=f"{name}@example.com")
            for name in ("old", "new")
        )
        cls.buyer = cls.new_customer("Buyer", parent_id=cls.old.id, email="buyer@example.com")

    def look(self, *partners):
        self.env.flush_all()
        ids = [partner.id for partner in partners or (self.old, self.new, self.buyer)]
        self.env["lifecycle.pipeline"]._refresh(self.company, ids)
        self.env.invalidate_all()

    def figures_of(self, partner):
        profile = self.profile(partner, self.company)
        return (profile.order_count, profile.revenue) if profile.active else (0, 0)

    def test_orders_stay_and_new_ones_go_along(self):
        self.new_order(self.buyer, 100, days_ago=40, company=self.company)
        self.new_purchase(self.buyer, 30, days_ago=80, company=self.company)
        self.new_order(self.buyer, 7, company=self.company)
        self.look()
        self.assertEqual(self.figures_of(self.old), (3, 137))
        self.buyer.parent_id = self.new
        self.assertLessEqual({(self.old.id, 0), (self.new.id, 0)}, self.queued())
        self.look()
        self.assertEqual(self.figures_of(self.old), (3, 137))
        self.assertEqual(self.figures_of(self.new), (0, 0))
        self.new_order(self.buyer, 50, company=self.company)
        self.look()
        self.assertEqual(self.figures_of(self.old), (3, 137))
        self.assertEqual(self.figures_of(self.new), (1, 50))
        # one customer and all of them are the same, and the screen's list is too
        rows = self.env["lifecycle.revenue.source"]._rows_sql(self.company)
        sums = self.env.execute_query(
            SQL("SELECT partner_id, SUM(amount)::float FROM (%s) bought GROUP BY 1", rows)
        )
        self.assertEqual(dict(sums), {self.old.id: 137, self.new.id: 50})
        purchases = self.env["lifecycle.purchase"].with_context(
            lifecycle_profile_id=self.profile(self.old, self.company).id
        )
        self.assertEqual(sum(purchases.search([]).mapped("amount")), 137)

    def test_his_own_purchases_go_with_a_person(self):
        person = self.new_customer("Person", email="person@example.com")
        self.new_purchase(person, 20, days_ago=100, company=self.company)
        person.parent_id = self.old
        self.look(person, self.old)
        self.assertEqual(self.figures_of(self.old), (1, 20))
        self.new_order(person, 60, company=self.company)
        person.parent_id = False
        self.look(person, self.old)
        self.assertEqual(self.figures_of(person), (1, 20))
        self.assertEqual(self.figures_of(self.old), (1, 60))

    def test_from_firm_to_firm_to_firm(self):
        third = self.new_customer("third", is_company=True)
        for firm, amount in ((self.old, 10), (self.new, 20), (third, 40)):
            self.buyer.parent_id = firm
            self.new_order(self.buyer, amount, company=self.company)
        self.buyer.parent_id = self.old
        self.look(self.old, self.new, third)
        self.assertEqual(self.figures_of(self.old), (1, 10))
        self.assertEqual(self.figures_of(self.new), (1, 20))
        self.assertEqual(self.figures_of(third), (1, 40))

    def test_a_firm_that_becomes_part_of_a_group_takes_all_along(self):
        self.new_order(self.buyer, 100, company=self.company)
        self.old.is_company = False
        self.old.parent_id = self.new
        self.look()
        self.assertEqual(self.figures_of(self.new), (1, 100))

    def test_merging_contacts_keeps_what_was_left(self):
        self.new_order(self.buyer, 100, company=self.company)
        self.buyer.parent_id = self.new
        twin = self.new_customer("Twin", parent_id=self.new.id, email="buyer@example.com")
        self.new_order(twin, 5, company=self.company)
        self.env["base.partner.merge.automatic.wizard"]._merge((self.buyer | twin).ids, twin)
        self.look(self.old, self.new, twin)
        self.assertEqual(self.figures_of(self.old), (1, 100))
        self.assertEqual(self.figures_of(self.new), (1, 5))

    def test_merging_firms_keeps_what_was_left(self):
        self.new_order(self.buyer, 100, company=self.company)
        self.buyer.parent_id = self.new
        heir = self.new_customer("Heir", is_company=True)
        self.env["base.partner.merge.automatic.wizard"]._merge((self.old | heir).ids, heir)
        self.look(heir, self.new)
        self.assertEqual(self.figures_of(heir), (1, 100))
        self.assertEqual(self.figures_of(self.new), (0, 0))

    def test_an_order_given_to_somebody_else_leaves_the_firm(self):
        order = self.new_order(self.buyer, 100, company=self.company)
        self.buyer.parent_id = self.new
        other = self.new_customer("Other")
        order.partner_id = other
        self.look(self.old, self.new, other)
        self.assertEqual(self.figures_of(self.old), (0, 0))
        self.assertEqual(self.figures_of(other), (1, 100))

    def test_what_the_firm_usually_buys_stays_and_the_person_keeps_his_journey(self):
        for days in (90, 60, 30):
            self.new_order(self.buyer, 100, days_ago=days, company=self.company)
        self.buyer.message_post(
            body="Hello", author_id=self.buyer.id, message_type="email",
            subtype_xmlid="mail.mt_comment",
        )
        self.buyer.parent_id = self.new
        self.new_order(self.buyer, 1, company=self.company)
        self.look()
        self.assertTrue(self.profile(self.old, self.company).usual_product_ids)
        self.assertFalse(self.profile(self.new, self.company).usual_product_ids)
        journey = self.env["lifecycle.journey"].get_journey(self.new.id, {"overview": True})
        self.assertIn(self.buyer.id, [person["id"] for person in journey["people"]])
        titles = [item["title"] for item in journey["items"]]
        self.assertTrue(any("Hello" in title for title in titles), titles)


class TestMergedOpportunities(LifecycleCase):
    def test_the_earliest_touch_stays(self):
        company = self.new_company("Leads Ltd")
        partner = self.new_customer("Talks", email="talks@example.com")
        first_source, last_source = self.env["utm.source"].create(
            [{"name": "Fair"}, {"name": "Search"}]
        )
        medium = self.env["utm.medium"].create({"name": "Stand"})
        now = fields.Datetime.now()
        leads = self.env["crm.lead"].create(
            [
                {
                    "name": name,
                    "type": "opportunity",
                    "partner_id": partner.id,
                    "company_id": company.id,
                    "source_id": source.id,
                    "probability": probability,
                }
                for name, source, probability in (
                    ("At the fair", first_source, 10), ("Ready to buy", last_source, 90)
                )
            ]
        )
        leads[1].medium_id = medium
        self.env.flush_all()
        for lead, days in zip(leads, (400, 5), strict=True):
            self.env.cr.execute(
                "UPDATE crm_lead SET create_date = %s WHERE id = %s",
                [now - timedelta(days), lead.id],
            )
        self.env.cr.execute(
            "UPDATE res_partner SET create_date = %s WHERE id = %s",
            [now - timedelta(3), partner.id],
        )
        self.env.invalidate_all()

        def first_touch():
            self.env.flush_all()
            self.env["lifecycle.pipeline"]._refresh(company, partner.ids)
            self.env.invalidate_all()
            profile = self.profile(partner, company)
            return (
                profile.first_touch_date,
                profile.first_source_id,
                profile.first_medium_id,
            )

        before = first_touch()
        self.assertEqual(before[1], first_source)
        kept = leads.merge_opportunity()
        self.assertEqual(len(leads.exists()), 1)
        self.assertEqual(first_touch(), before)
        # and again, with one that is later
        later = kept.copy({"source_id": last_source.id})
        (kept | later).merge_opportunity()
        self.assertEqual(first_touch(), before)
