from datetime import datetime, time, timedelta

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.customer_lifecycle.models.runs.collect import Collect
from odoo.addons.customer_lifecycle.tools.step import Scope

from .common import LifecycleCase

#: figures that are sums of documents
SUMS = (
    "order_count",
    "first_order_date",
    "last_order_date",
    "revenue",
    "average_order_value",
    "clv_historical",
)


@tagged("standard", "post_install", "-at_install")
class MoneyCase(LifecycleCase):
    """Companies that keep books, and short ways to write documents in them.

    Every document is made by Odoo's own methods; days are days before today.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_ledger_company("Ledger Works", "USD")
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": cls.company.ids}
        )
        cls.company = cls.company.with_env(cls.env)
        # Odoo dates some documents by the day of who writes them
        cls.env.user.tz = "UTC"
        cls.today = cls.company._lifecycle_today()
        cls.product = cls.env["product.product"].create(
            {
                "name": "Ledger item",
                "type": "service",
                "invoice_policy": "order",
                "list_price": 100,
                "taxes_id": False,
            }
        )
        cls.customer = cls.new_customer("Buyer Ltd", is_company=True)

    # ----- COMPANIES AND CURRENCIES -----

    @classmethod
    def new_ledger_company(cls, name, currency, **values):
        """A company with a chart of accounts, in a currency, in UTC unless told otherwise."""
        currency = cls.currency(currency)
        company = cls.new_company(
            name, currency_id=currency.id, **{"lifecycle_tz": "UTC", **values}
        )
        cls.env["account.chart.template"].try_loading(
            "generic_coa", company=company, install_demo=False
        )
        company.currency_id = currency
        return company

    @classmethod
    def currency(cls, name):
        currency = (
            cls.env["res.currency"].with_context(active_test=False).search([("name", "=", name)])
        )
        currency.active = True
        return currency

    @classmethod
    def set_rates(cls, name, rates, company=None):
        """Rates of a currency by days ago; the earliest holds before it too."""
        company = company or cls.company
        currency = cls.currency(name)
        currency.rate_ids.filtered(lambda rate: rate.company_id == company).unlink()
        cls.env["res.currency.rate"].create(
            [
                {
                    "currency_id": currency.id,
                    "company_id": company.id,
                    "name": cls.day(days_ago),
                    "rate": rate,
                }
                for days_ago, rate in rates.items()
            ]
        )
        return currency

    @classmethod
    def day(cls, days_ago):
        return cls.today - timedelta(days=days_ago)

    # ----- DOCUMENTS -----

    @classmethod
    def order(cls, *lines, days_ago=30, partner=None, company=None, currency=None, moment=None,
              pay_with=None, **values):
        """A confirmed order; each line is an amount, (quantity, unit price), or its values.

        :param moment: datetime in UTC instead of noon so and so many days ago
        :param pay_with: gift cards, eWallets or coupons that are redeemed before the confirmation
        """
        company = company or cls.company
        if currency:
            pricelist = cls.env["product.pricelist"].create(
                {"name": f"In {currency}", "currency_id": cls.currency(currency).id,
                 "company_id": company.id}
            )
            values["pricelist_id"] = pricelist.id
        order = (
            cls.env["sale.order"]
            .with_company(company)
            .create(
                {
                    "partner_id": (partner or cls.customer).id,
                    "company_id": company.id,
                    "order_line": [Command.create(cls._line_values(line)) for line in lines],
                    **values,
                }
            )
        )
        order._update_programs_and_rewards()
        for card in pay_with or ():
            cls.redeem(order, card)
        order.action_confirm()
        order.date_order = moment or datetime.combine(cls.day(days_ago), time(12))
        return order

    @classmethod
    def _line_values(cls, line):
        if not isinstance(line, dict):
            quantity, price = line if isinstance(line, tuple) else (1, line)
            line = {"product_uom_qty": quantity, "price_unit": price}
        return {"product_id": cls.product.id, "product_uom_qty": 1, "tax_ids": False, **line}

    # ----- GIFT CARDS AND EWALLETS -----

    @classmethod
    def payment_program(cls, kind="gift_card", **values):
        """A program of gift cards or eWallets, with the product that fills them."""
        product = cls.env["product.product"].create(
            {"name": f"Fills {kind}", "type": "service", "list_price": 50, "taxes_id": False,
             "invoice_policy": "order"}
        )
        return cls.env["loyalty.program"].create(
            {
                "name": f"Money on {kind}",
                "program_type": kind,
                "applies_on": "future",
                "trigger": "auto",
                "company_id": cls.company.id,
                "rule_ids": [
                    Command.create(
                        {"product_ids": product.ids, "reward_point_amount": 1,
                         "reward_point_mode": "money", "reward_point_split": kind == "gift_card"}
                    )
                ],
                "reward_ids": [
                    Command.create(
                        {"reward_type": "discount", "discount": 1, "discount_mode": "per_point",
                         "discount_applicability": "order", "required_points": 1}
                    )
                ],
                **values,
            }
        )

    @classmethod
    def card(cls, program, amount, partner=None):
        return cls.env["loyalty.card"].create(
            {
                "program_id": program.id,
                "points": amount,
                "partner_id": (
                    (partner or cls.customer).id if program.program_type == "ewallet" else False
                ),
            }
        )

    @classmethod
    def redeem(cls, order, card):
        """Redeem a card as the button of a quotation does."""
        if card.program_id.is_nominative:
            found = order._get_claimable_rewards(forced_coupons=card)
        else:
            found = order._try_apply_code(card.code)
        assert "error" not in found, found
        for coupon, rewards in found.items():
            for reward in rewards:
                error = order._apply_program_reward(reward, coupon)
                assert not error, error
        order._update_programs_and_rewards()

    @classmethod
    def fill(cls, program, price=50, quantity=1):
        """Values of an order line that buys a gift card or fills an eWallet."""
        return {"product_id": program.trigger_product_ids.id, "product_uom_qty": quantity,
                "price_unit": price}

    # ----- INVOICES -----

    @classmethod
    def invoice(cls, order, days_ago=20, quantities=None, post=True):
        """Invoice what an order allows; quantities by place replace those of the lines."""
        invoice = order._create_invoices(final=True)
        invoice.invoice_date = cls.day(days_ago)
        cls._set_quantities(invoice, quantities)
        if post:
            invoice.action_post()
        return invoice

    @classmethod
    def _set_quantities(cls, move, quantities):
        """Quantity 0 removes the line."""
        lines = move.invoice_line_ids.filtered(lambda line: line.display_type == "product")
        move.invoice_line_ids = [
            Command.update(lines[place].id, {"quantity": quantity})
            if quantity
            else Command.delete(lines[place].id)
            for place, quantity in (quantities or {}).items()
        ]

    @classmethod
    def reversal(cls, invoice, days_ago=10):
        return (
            cls.env["account.move.reversal"]
            .with_company(invoice.company_id)
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"date": cls.day(days_ago), "journal_id": invoice.journal_id[:1].id})
        )

    @classmethod
    def credit(cls, invoice, days_ago=10, quantities=None, post=True):
        """A credit note of an invoice, made by Odoo's wizard."""
        wizard = cls.reversal(invoice, days_ago)
        wizard.refund_moves()
        cls._set_quantities(wizard.new_move_ids, quantities)
        if post:
            wizard.new_move_ids.action_post()
        return wizard.new_move_ids

    @classmethod
    def reissue(cls, invoice, days_ago=10):
        """Reverse an invoice and issue it again, made by Odoo's wizard; the new invoice."""
        wizard = cls.reversal(invoice, days_ago)
        wizard.modify_moves()
        wizard.new_move_ids.invoice_date = cls.day(days_ago)
        wizard.new_move_ids.action_post()
        return wizard.new_move_ids

    @classmethod
    def move(cls, move_type, *amounts, days_ago=10, partner=None, company=None, currency=None,
             **values):
        """A posted invoice or credit note that belongs to no order."""
        company = company or cls.company
        if currency:
            values["currency_id"] = cls.currency(currency).id
        move = (
            cls.env["account.move"]
            .with_company(company)
            .create(
                {
                    "move_type": move_type,
                    "partner_id": (partner or cls.customer).id,
                    "invoice_date": cls.day(days_ago),
                    "invoice_line_ids": [
                        Command.create(
                            {"name": "By hand", "quantity": 1, "price_unit": amount,
                             "tax_ids": False}
                        )
                        for amount in amounts
                    ],
                    **values,
                }
            )
        )
        move.action_post()
        return move

    @classmethod
    def down_payment(cls, order, percent, days_ago=25):
        """A posted down payment invoice, made by Odoo's wizard."""
        wizard = cls.env["sale.advance.payment.inv"].create(
            {
                "sale_order_ids": [Command.set(order.ids)],
                "advance_payment_method": "percentage",
                "amount": percent,
            }
        )
        before = order.invoice_ids
        wizard.create_invoices()
        invoice = order.invoice_ids - before
        invoice.invoice_date = cls.day(days_ago)
        invoice.action_post()
        return invoice

    # ----- FIGURES -----

    def collected(self, company=None, partners=None):
        """What the pipeline sums up for each customer.

        :param partners: look only these up, as the refresh of changed customers does
        :return: dict commercial partner id → dict of ``SUMS``
        """
        company = company or self.company
        self.keep_purchases(company, company._lifecycle_today(), partners)
        self.assert_store_holds(company)
        scope = Scope(partners and partners.ids)
        with Collect(self.env, company, company._lifecycle_today(), scope) as facts:
            facts.collect()
            rows = self.env.execute_query(
                SQL(
                    "SELECT partner_id, %s FROM lifecycle_sums",
                    SQL(", ").join(map(SQL.identifier, SUMS)),
                )
            )
        return {row[0]: dict(zip(SUMS, row[1:], strict=True)) for row in rows}

    def assert_store_holds(self, company):
        """Products on purchases add up to what the purchases are worth, to the cent."""
        by_document = """SELECT partner_id, day, source_id, res_id, SUM(amount) FROM (%s) rows
                          GROUP BY 1, 2, 3, 4 HAVING SUM(amount) <> 0 ORDER BY 1, 2, 3, 4"""
        facts, items = (
            self.env.execute_query(SQL(by_document, rows))
            for rows in (
                self.env["lifecycle.purchase.fact"]._kept_sql(company),
                SQL("SELECT * FROM lifecycle_purchase_item WHERE company_id = %s", company.id),
            )
        )
        self.assertEqual(facts, items)

    def store(self, company=None):
        """Write the figures of all customers of a company to their profiles."""
        company = company or self.company
        self.store_figures(company, company._lifecycle_today())

    def purchases(self, partner=None, company=None):
        """Documents behind a customer's figures."""
        self.store(company)
        profile = self.profile(partner or self.customer, company or self.company)
        self.env["lifecycle.purchase"].invalidate_model()
        return (
            self.env["lifecycle.purchase"]
            .with_context(lifecycle_profile_id=profile.id)
            .search([("profile_id", "=", profile.id)])
        )

    def assertFigures(self, partner=None, company=None, **expected):
        """Assert a customer's sums, whichever way they are computed or listed.

        The pass over all customers, the look-up of one and the list of documents must agree.
        """
        partner = partner or self.customer
        company = company or self.company
        nothing = dict.fromkeys(SUMS)
        alone = self.collected(company, partner).get(partner.id, nothing)
        purchases = self.purchases(partner, company)
        everybody = self.collected(company).get(partner.id, nothing)
        self.assertEqual(alone, everybody, "one customer's look-up differs from the full pass")
        self.assertEqual({name: everybody[name] for name in expected}, expected)
        counted = purchases.filtered("counted")
        self.assertEqual(
            round(sum(counted.mapped("amount")), 2), everybody["revenue"] or 0
        )
        self.assertEqual(
            round(sum(counted.mapped("value")), 2), everybody["clv_historical"] or 0
        )
        return purchases
