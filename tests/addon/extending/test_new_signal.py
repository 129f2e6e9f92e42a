"""A new signal with a field of its own: when we last met the customer at a fair."""

from odoo import fields, models

from ..common_extending import ExtendingCase


class Profile(models.Model):
    _inherit = "lifecycle.profile"
    _module = None

    fair_date = fields.Date(string="Last Met at a Fair", readonly=True)


class Signal(models.Model):
    _inherit = "lifecycle.signal"
    _module = None

    target = fields.Selection(
        selection_add=[("fair_date", "Last fair")], ondelete={"fair_date": "cascade"}
    )


class TestNewSignal(ExtendingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.extend(Profile, Signal)

    def test_profiles_and_rules_know_the_last_fair(self):
        met, other = (self.new_customer(name, email=f"{name}@example.com") for name in "ab")
        for customer in (met, other):
            self.new_purchase(customer, 100, days_ago=40)
        self.env["crm.lead"].create({"name": "At the fair", "partner_id": met.id})
        self.env["lifecycle.signal"].create(
            {
                "name": "Fairs",
                "target": "fair_date",
                "model": "crm.lead",
                "domain": "[('name', 'like', 'fair')]",
            }
        )
        self.env["lifecycle.pipeline"]._refresh(self.env.company, (met | other).ids)
        found = self.env["lifecycle.profile"].search([("fair_date", ">=", "-1w")])
        self.assertEqual(found.partner_id, met)
        self.assertEqual(found.fair_date, self.env.company._lifecycle_today())
