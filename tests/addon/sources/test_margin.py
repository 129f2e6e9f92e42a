"""Margin as value: the margin where Odoo knows it, and for how much it does not."""

from datetime import datetime, time

from odoo.fields import Command

from ..common_money import MoneyCase


class MarginCase(MoneyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write({"lifecycle_value": "margin", "lifecycle_margin_percent": 30})

    def by_share(self, partner=None):
        return round(sum(self.purchases(partner).mapped("by_share")), 2)


class TestMarginOfImports(MarginCase):
    def test_imported_margin_counts_and_the_share_elsewhere(self):
        self.new_purchase(self.customer, 100, days_ago=5, company=self.company, margin=40)
        self.new_purchase(self.customer, 200, days_ago=4, company=self.company)
        # sold at cost is known, too
        self.new_purchase(self.customer, 50, days_ago=3, company=self.company, margin=0)
        self.assertFigures(revenue=350, clv_historical=100)
        self.assertEqual(self.by_share(), 200)

    def test_imported_margin_is_converted(self):
        self.set_rates("EUR", {400: 0.5})
        euro = self.currency("EUR")
        purchase = self.new_purchase(
            self.customer, 100, company=self.company, currency_id=euro.id, margin=25
        )
        self.assertEqual(purchase.margin_company, 50)
        self.assertFigures(revenue=200, clv_historical=50)
        purchase.margin = False
        self.assertIs(purchase.margin_company, False)
        self.assertFigures(clv_historical=60)

    def test_margin_comes_in_from_a_file(self):
        result = self.env["lifecycle.external.purchase"].load(
            ["partner_id/.id", "date", "amount", "margin"],
            [
                [str(self.customer.id), str(self.day(5)), "100", "12.5"],
                [str(self.customer.id), str(self.day(4)), "100", ""],
            ],
        )
        self.assertFalse(result["messages"])
        first, second = self.env["lifecycle.external.purchase"].browse(result["ids"])
        self.assertEqual(first.margin, 12.5)
        self.assertIs(second.margin, False)

    def test_screens_say_for_how_much_the_share_stands_in(self):
        self.new_purchase(self.customer, 100, days_ago=5, company=self.company, margin=40)
        self.new_purchase(self.customer, 300, days_ago=4, company=self.company)
        # nothing is known before the first computation
        self.assertIs(self.company.lifecycle_share_text, False)
        self.env.invalidate_all()
        self.env["lifecycle.run"]._request(self.company)
        self.run_nightly()
        overview = self.env["lifecycle.profile"].get_partner_overview(self.customer.id)
        for text in (overview["share_text"], self.company.lifecycle_share_text):
            self.assertRegex(text, "300.00 of the net revenue of .*400.00 is not known: 30 %")
        self.env.invalidate_all()
        ((known,),) = self.env["lifecycle.customer.revenue"]._read_group([], [], ["by_share:sum"])
        self.assertEqual(known, 300)
        self.company.lifecycle_value = "revenue"
        overview = self.env["lifecycle.profile"].get_partner_overview(self.customer.id)
        self.assertFalse(overview["share_text"])


class TestMarginOfInvoices(MarginCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.lifecycle_basis = "invoices"

    def test_without_any_cost_the_share_stands_in(self):
        self.move("out_invoice", 100)
        self.assertFigures(revenue=100, clv_historical=30)
        self.assertEqual(self.by_share(), 100)

    def test_cost_of_the_order_line_counts(self):
        if "purchase_price" not in self.env["sale.order.line"]._fields:
            self.skipTest("Needs the app Margins in Sales Orders (sale_margin).")
        order = self.order((10, 10), (1, 40))
        order.order_line[0].purchase_price = 6
        order.order_line[1].purchase_price = 10
        invoice = self.invoice(order, quantities={0: 4})
        self.assertFigures(revenue=80, clv_historical=4 * 4 + 30)
        self.assertEqual(self.by_share(), 0)
        self.credit(invoice, quantities={0: 1, 1: 0})
        self.assertFigures(revenue=70, clv_historical=3 * 4 + 30)
        self.move("out_invoice", 100)
        self.assertFigures(revenue=170, clv_historical=3 * 4 + 30 + 30)
        self.assertEqual(self.by_share(), 100)

    def test_foreign_cost_of_the_order_line_is_converted(self):
        if "purchase_price" not in self.env["sale.order.line"]._fields:
            self.skipTest("Needs the app Margins in Sales Orders (sale_margin).")
        self.set_rates("EUR", {400: 0.5})
        order = self.order((2, 50), currency="EUR")
        order.order_line.purchase_price = 30
        self.invoice(order)
        self.assertFigures(revenue=200, clv_historical=80)

    def test_booked_cost_of_goods_counts(self):
        if "cogs_origin_id" not in self.env["account.move.line"]._fields:
            self.skipTest("Needs the app Stock Accounting (stock_account).")
        stock, expense = self.env["account.account"].create(
            [
                {"name": name, "code": f"9LC{number}", "account_type": kind,
                 "company_ids": [Command.set(self.company.ids)]}
                for number, (name, kind) in enumerate(
                    (("Stock", "asset_current"), ("Cost of goods", "expense_direct_cost"))
                )
            ]
        )
        category = self.env["product.category"].create({"name": "Valued"})
        category.write(
            {
                "property_valuation": "real_time",
                "property_cost_method": "standard",
                "property_stock_valuation_account_id": stock.id,
                "property_account_expense_categ_id": expense.id,
            }
        )
        product = self.env["product.product"].create(
            {"name": "Valued", "type": "consu", "is_storable": True, "categ_id": category.id,
             "standard_price": 65, "taxes_id": False}
        )
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice", "partner_id": self.customer.id,
                "invoice_date": self.day(10),
                "invoice_line_ids": [
                    Command.create(
                        {"product_id": product.id, "quantity": 2, "price_unit": 100,
                         "tax_ids": False}
                    )
                ],
            }
        )
        invoice.action_post()
        booked = invoice.line_ids.filtered(lambda one: one.display_type == "cogs")
        self.assertEqual(sorted(booked.mapped("balance")), [-130, 130])
        # what it costs from now on says nothing about it
        product.standard_price = 90
        self.assertFigures(revenue=200, clv_historical=70)
        self.assertEqual(self.by_share(), 0)
        self.credit(invoice, quantities={0: 1}, days_ago=5)
        self.assertFigures(revenue=100, clv_historical=35)
        self.assertEqual(self.by_share(), 0)


class TestMarginAtTheTill(MarginCase):
    def test_computed_cost_counts_and_the_share_where_it_is_not(self):
        if "pos.order" not in self.env:
            self.skipTest("Needs the app Point of Sale (point_of_sale).")
        shop = self.env["pos.config"].create({"name": "Shop", "company_id": self.company.id})
        session = self.env["pos.session"].create({"config_id": shop.id})

        def line(quantity, price, cost, known=True, **values):
            return Command.create(
                {
                    "product_id": self.product.id, "qty": quantity, "price_unit": price,
                    "price_subtotal": quantity * price, "price_subtotal_incl": quantity * price,
                    "total_cost": cost, "is_total_cost_computed": known, **values,
                }
            )

        self.env["pos.order"].create(
            {
                "name": "Till 1", "session_id": session.id, "company_id": self.company.id,
                "partner_id": self.customer.id, "pricelist_id": False, "state": "paid",
                "date_order": datetime.combine(self.day(20), time(12)),
                "amount_tax": 0, "amount_total": 90, "amount_paid": 90, "amount_return": 0,
                "lines": [line(2, 30, 40), line(1, 30, 0, known=False)],
            }
        )
        for basis in ("orders", "invoices"):
            self.company.lifecycle_basis = basis
            self.assertFigures(revenue=90, clv_historical=20 + 9)
            self.assertEqual(self.by_share(), 30)
