"""A real credit note that costs a customer his tier is named to the salesperson."""

from .common_money import MoneyCase


class TestCreditNote(MoneyCase):
    def test_the_announcement_names_the_credit_note_and_what_keeps_the_tier(self):
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
        note = self.customer.activity_ids.note
        self.assertIn(credit_note.name, note)
        self.assertIn("300", note)
        # kept above 1,200
        self.assertIn("200", note)
