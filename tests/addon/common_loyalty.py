from odoo import Command, fields

from .common import LifecycleCase

LOYALTY = "customer_lifecycle.ir_cron_lifecycle_loyalty"


class LoyaltyCase(LifecycleCase):
    """A company with a VIP tier and a program that gives one point for each unit of money."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = cls.new_company("Loyalty home", lifecycle_tz="UTC", email="home@example.com")
        cls.env["loyalty.program"].search([]).action_archive()
        cls.env["lifecycle.workflow"].search([]).action_archive()
        cls.env = cls.env["base"].with_company(cls.home).env
        cls.active_stage = cls.env.ref("customer_lifecycle.stage_active")
        cls.lost = cls.env.ref("customer_lifecycle.stage_lost")
        cls.gold = cls.env["lifecycle.vip.tier"].create(
            {"name": "Gold", "public_name": "Gold Customer", "rank": 20, "entry": 1000,
             "company_id": cls.home.id}
        )
        cls.segment = cls.env["lifecycle.segment"].create(
            {"name": "Bean lovers", "company_id": cls.home.id}
        )
        cls.item, cls.other = cls.env["product.product"].create(
            [{"name": name, "type": "service", "invoice_policy": "order", "taxes_id": False}
             for name in ("Beans", "Cups")]
        )
        cls.program = cls.new_program()

    @classmethod
    def new_program(cls, name="Club", **values):
        return cls.env["loyalty.program"].create(
            {
                "name": name,
                "program_type": "loyalty",
                "applies_on": "both",
                "trigger": "auto",
                "portal_visible": True,
                "portal_point_name": "Points",
                "company_id": cls.home.id,
                "rule_ids": [
                    Command.create({"reward_point_mode": "money", "reward_point_amount": 1})
                ],
                "reward_ids": [
                    Command.create(
                        {"reward_type": "discount", "discount_mode": "per_order", "discount": 5,
                         "required_points": 50}
                    )
                ],
                **values,
            }
        )

    @classmethod
    def new_promotion(cls, **values):
        """A discount code for whoever meets the conditions."""
        return cls.env["loyalty.program"].create(
            {
                "name": "Spring offer",
                "program_type": "promo_code",
                "applies_on": "current",
                "trigger": "with_code",
                "company_id": cls.home.id,
                "rule_ids": [
                    Command.create({"mode": "with_code", "code": "SPRING", "minimum_amount": 1})
                ],
                "reward_ids": [
                    Command.create(
                        {"reward_type": "discount", "discount_mode": "percent", "discount": 10}
                    )
                ],
                **values,
            }
        )

    @classmethod
    def new_profile(cls, partner, **values):
        return cls.env["lifecycle.profile"].create(
            {
                "partner_id": partner.id,
                "company_id": cls.home.id,
                "currency_id": cls.home.currency_id.id,
                "stage_id": cls.active_stage.id,
                **values,
            }
        )

    @classmethod
    def new_card(cls, partner, points=0, program=None):
        return cls.env["loyalty.card"].create(
            {"program_id": (program or cls.program).id, "partner_id": partner.id,
             "points": points}
        )

    def join_segment(self, profile):
        self.env["lifecycle.segment.member"].create(
            {"profile_id": profile.id, "segment_id": self.segment.id,
             "since": fields.Date.today()}
        )

    def quote(self, partner, amount=100, product=None, **values):
        return self.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "company_id": self.home.id,
                "order_line": [
                    Command.create(
                        {"product_id": (product or self.item).id, "product_uom_qty": 10,
                         "price_unit": amount / 10, "tax_ids": False}
                    )
                ],
                **values,
            }
        )

    def sell(self, partner, amount=100, **values):
        order = self.quote(partner, amount, **values)
        order.action_confirm()
        return order

    def cards(self, partner=None, program=None):
        domain = [("program_id", "=", (program or self.program).id)]
        if partner:
            domain.append(("partner_id", "=", partner.id))
        return self.env["loyalty.card"].with_context(active_test=False).search(domain)

    def history(self, card):
        """(reason, description, issued, used) of a card's lines, oldest first."""
        return [
            (line.lifecycle_kind or None, line.description, line.issued, line.used)
            for line in card.history_ids.sorted("id")
        ]

    def assertBalanced(self, card):
        """The lines of the history add up to the points on the card."""
        lines = card.history_ids
        self.assertAlmostEqual(
            sum(lines.mapped("issued")) - sum(lines.mapped("used")), card.points, 2
        )

    def run_loyalty(self):
        self.empty_queue()
        self.run_cron(LOYALTY)


class CreditCase(LoyaltyCase):
    """The same company with a chart of accounts, a customer and an accountant."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # a chart of accounts, as a company has that invoices
        cls.env["account.chart.template"].try_loading(
            "generic_coa", company=cls.home, install_demo=False
        )
        cls.ann = cls.new_customer("Ann")
        cls.accountant = cls.new_user(
            "loyalty_accountant", "account.group_account_invoice", cls.home
        )

    def invoice(self, order, post=True):
        invoice = order._create_invoices(final=True)
        if post:
            invoice.action_post()
        return invoice

    def reverse(self, invoice, modify=False):
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"journal_id": invoice.journal_id.id})
        )
        if modify:
            wizard.modify_moves()
        else:
            wizard.refund_moves()
        return wizard.new_move_ids

    def credit(self, invoice, quantity=None):
        """Post a credit note of an invoice, of some pieces of its first line if told so."""
        refund = self.reverse(invoice)
        if quantity is not None:
            refund.invoice_line_ids[0].quantity = quantity
        # who posts knows nothing of loyalty
        refund.with_user(self.accountant).action_post()
        return refund
