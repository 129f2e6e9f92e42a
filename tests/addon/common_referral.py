from datetime import timedelta

from odoo import Command, fields
from odoo.tests import tagged

from .common_money import MoneyCase

CRON = "customer_lifecycle.ir_cron_lifecycle_referral"


@tagged("standard", "post_install", "-at_install")
class ReferralCase(MoneyCase):
    """A company with a referral programme: 50 points, and a tenth off the friend's first order."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # demo programmes that apply by themselves would add rewards of their own
        cls.env["loyalty.program"].search([("company_id", "=", False)]).active = False
        cls.points = cls.loyalty("Points", "loyalty", applies_on="both", trigger="auto")
        cls.coupons = cls.loyalty("Coupons", "coupons", applies_on="current", trigger="with_code")
        cls.program = cls.env["lifecycle.referral.program"].create(
            {
                "name": "Bring a friend",
                "company_id": cls.company.id,
                "advocate_program_id": cls.points.id,
                "advocate_points": 50,
                "friend_program_id": cls.coupons.id,
                "waiting_days": 14,
            }
        )
        cls.ann = cls.new_customer(
            "Ann Advocate", email="ann@example.com", phone="+46 8 123 456 01",
            street="One Street 1", zip="11111", city="Stockholm",
        )

    @classmethod
    def loyalty(cls, name, program_type, company=None, **values):
        company = company or cls.company
        return cls.env["loyalty.program"].create(
            {
                "name": name,
                "program_type": program_type,
                "company_id": company.id,
                "currency_id": company.currency_id.id,
                "rule_ids": [
                    Command.create({"reward_point_amount": 1, "minimum_amount": 1e9})
                ] if program_type == "loyalty" else [],
                "reward_ids": [
                    Command.create(
                        {"required_points": 1, "reward_type": "discount", "discount": 10,
                         "discount_mode": "percent"}
                    )
                ],
                **values,
            }
        )

    @classmethod
    def friend(cls, name="Frida Friend", advocate=None, days_ago=40, **values):
        """A new customer who names who recommended us, so and so many days ago."""
        friend = cls.new_customer(
            name, lifecycle_referred_by_id=(advocate or cls.ann).id,
            **{"email": f"{name.split()[0].lower()}@friends.example.com", **values},
        )
        cls.referral(friend).date = fields.Datetime.now() - timedelta(days=days_ago)
        return friend

    @classmethod
    def referral(cls, friend):
        """The latest recommendation of a customer."""
        return cls.env["lifecycle.referral"].search(
            [("friend_id", "=", friend.commercial_partner_id.id)], limit=1
        )

    @classmethod
    def pay(cls, invoice, **values):
        """Register a payment by Odoo's wizard."""
        wizard = (
            cls.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"payment_date": invoice.invoice_date, **values})
        )
        wizard.action_create_payments()

    def paid_order(self, friend, amount=100, days_ago=30):
        order = self.order(amount, partner=friend, days_ago=days_ago)
        self.pay(self.invoice(order, days_ago=days_ago - 1))
        return order

    def wait(self, referral, days=14):
        """Let days pass since the payment was noticed."""
        referral.invalidate_recordset()
        referral.date_paid -= timedelta(days=days)

    def follow(self):
        self.run_cron(CRON)

    def rewards(self, partner=None):
        """(points, number of history lines) of each card of somebody."""
        cards = self.env["loyalty.card"].search([("partner_id", "=", (partner or self.ann).id)])
        return [(card.points, len(card.history_ids)) for card in cards]
