"""Real documents decide how long a customer keeps his tier, and a credit note is named."""

from datetime import timedelta

from ..common_money import MoneyCase


class TestCreditNote(MoneyCase):
    def test_what_is_said_of_the_tier_names_the_credit_note_and_what_keeps_it(self):
        """Beside the tier, where only who may see it reads it, and not in the activity."""
        tier = self.env["lifecycle.vip.tier"].create(
            {"name": "Gold", "entry": 1000, "min_orders": 1, "company_id": self.company.id}
        )
        self.order(900, days_ago=40)
        order = self.order((4, 100), days_ago=30)
        credit_note = self.credit(self.invoice(order), quantities={0: 3})
        self.customer.user_id = self.env.user
        self.store()
        profile = self.env["lifecycle.profile"].search(
            [("partner_id", "=", self.customer.id), ("company_id", "=", self.company.id)]
        )
        # 900 + 400 - 300 are left
        self.assertEqual(profile.revenue_year, 1000)
        tier.entry = 1500
        profile.write({"vip_tier_id": tier.id, "vip_review_date": self.today})
        self.env["lifecycle.vip.benefit"]._process(profile.ids)
        said = profile.vip_why
        self.assertIn(credit_note.name, said)
        self.assertIn("300", said)
        # kept above 1,200
        self.assertIn("200", said)
        note = self.customer.activity_ids.note
        self.assertTrue(note)
        for hidden in (credit_note.name, "300", "200"):
            self.assertNotIn(hidden, note)


class TestUntil(MoneyCase):
    def test_until_when_a_tier_lasts_follows_documents_and_sources_at_once(self):
        tier = self.env["lifecycle.vip.tier"].create(
            {"name": "Gold", "entry": 1000, "min_orders": 1, "company_id": self.company.id}
        )

        def profile():
            self.store()
            profile = self.env["lifecycle.profile"].search(
                [("partner_id", "=", self.customer.id), ("company_id", "=", self.company.id)]
            )
            profile.write({"vip_tier_id": tier.id, "vip_review_date": False})
            return profile

        self.order(600, days_ago=40)
        self.order(600, days_ago=10)
        # kept above 800: once the older one is a year old it is lost
        self.assertEqual(profile()._vip_until(), self.today - timedelta(40) + timedelta(364))
        self.order(300, days_ago=5)
        self.assertEqual(profile()._vip_until(), self.today - timedelta(10) + timedelta(364))
        sources = self.env["lifecycle.revenue.source"].search([("model", "=", "sale.order")])
        known = profile()
        sources.active = False
        # nothing counts any more that could leave
        self.assertIsNone(known._vip_until())

    def test_who_asks_first_decides_nothing_for_others(self):
        """What is compiled once counts for everybody, whatever list it was first opened from."""
        tier = self.env["lifecycle.vip.tier"].create(
            {"name": "Gold", "entry": 1000, "min_orders": 1, "company_id": self.company.id}
        )
        source = self.env["lifecycle.revenue.source"].search([("model", "=", "sale.order")])
        source[0].copy({"active": False})
        self.order(600, days_ago=40)
        self.order(450, days_ago=10)
        self.store()
        profile = self.env["lifecycle.profile"].search(
            [("partner_id", "=", self.customer.id), ("company_id", "=", self.company.id)]
        )
        profile.write({"vip_tier_id": tier.id, "vip_review_date": False})
        lost = self.today - timedelta(40) + timedelta(364)
        self.assertEqual(profile.with_context(active_test=False)._vip_until(), lost)
        self.assertEqual(profile._vip_until(), lost)
