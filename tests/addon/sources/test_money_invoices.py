"""Invoices as purchases: what only pays or accompanies is left out."""

from odoo.fields import Command

from .test_money_payment import PaymentCase


class TestInvoicedPurchases(PaymentCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.lifecycle_basis = "invoices"

    # ----- DOWN PAYMENTS -----

    def fixed_down_payment(self, order, amount, days_ago):
        wizard = self.env["sale.advance.payment.inv"].create(
            {
                "sale_order_ids": [Command.set(order.ids)],
                "advance_payment_method": "fixed",
                "fixed_amount": amount,
            }
        )
        before = order.invoice_ids
        wizard.create_invoices()
        invoice = order.invoice_ids - before
        invoice.invoice_date = self.day(days_ago)
        invoice.action_post()
        return invoice

    def test_down_payment_and_final_invoice_are_one_purchase_on_its_own_day(self):
        order = self.order(200)
        self.assertEqual(self.down_payment(order, 25).amount_untaxed, 50)
        self.assertFigures(revenue=0, order_count=0)
        final = self.invoice(order, days_ago=15)
        self.assertEqual(final.amount_untaxed, 150)
        purchases = self.assertFigures(
            revenue=200, order_count=1, first_order_date=self.day(15), average_order_value=200
        )
        self.assertEqual(sorted(purchases.mapped("amount")), [0, 200])

    def test_two_down_payments_and_taxes(self):
        order = self.order(self.taxed(100, 4))
        self.down_payment(order, 10, days_ago=28)
        self.fixed_down_payment(order, 115, days_ago=25)
        self.invoice(order, days_ago=15)
        self.assertFigures(revenue=400, order_count=1, first_order_date=self.day(15))

    def test_down_payment_of_the_whole_price(self):
        order = self.order(200)
        self.down_payment(order, 100)
        final = self.invoice(order, days_ago=15)
        self.assertEqual(final.amount_untaxed, 0)
        self.assertFigures(revenue=200, order_count=1, first_order_date=self.day(15))

    def test_final_invoice_below_the_down_payment(self):
        order = self.order((4, 50))
        self.down_payment(order, 75)
        order.order_line.filtered(lambda line: line.product_id == self.product).write(
            {"product_uom_qty": 2, "price_unit": 50}
        )
        final = self.invoice(order, days_ago=15)
        self.assertEqual((final.move_type, final.amount_untaxed), ("out_refund", 50))
        self.assertFigures(revenue=100, order_count=1, first_order_date=self.day(15))

    def test_foreign_down_payment(self):
        self.set_rates("EUR", {400: 0.5, 20: 0.8})
        order = self.order(200, currency="EUR")
        self.down_payment(order, 25)
        self.invoice(order, days_ago=15)
        self.assertFigures(revenue=250, order_count=1)

    def test_credited_down_payment_is_nothing(self):
        order = self.order(200)
        self.credit(self.down_payment(order, 25))
        self.assertFigures(revenue=0, order_count=0)

    def test_credited_final_invoice_is_no_purchase(self):
        order = self.order(200)
        self.down_payment(order, 25)
        self.credit(self.invoice(order, days_ago=15), days_ago=10)
        self.assertFigures(revenue=0, order_count=0)

    def test_partly_credited_final_invoice(self):
        order = self.order((4, 50))
        self.down_payment(order, 25)
        final = self.invoice(order, days_ago=15)
        lines = final.invoice_line_ids.filtered(lambda line: line.display_type == "product")
        wanted = {place: int(not line.is_downpayment) for place, line in enumerate(lines)}
        self.credit(final, quantities=wanted)
        self.assertFigures(revenue=150, order_count=1, average_order_value=200)

    # ----- WHAT WAS TAKEN BACK WHOLE -----

    def test_invoice_that_was_credited_whole_is_no_purchase(self):
        self.credit(self.move("out_invoice", 200, days_ago=20))
        self.move("out_invoice", 30, days_ago=40)
        self.assertFigures(revenue=30, order_count=1, last_order_date=self.day(40))

    def test_reversed_and_reissued_invoice_is_one_purchase(self):
        self.reissue(self.invoice(self.order((4, 50))), days_ago=10)
        self.assertFigures(revenue=200, order_count=1, last_order_date=self.day(10))

    def test_foreign_invoice_credited_at_another_rate_is_no_purchase(self):
        self.set_rates("EUR", {400: 0.5, 15: 1.25})
        invoice = self.move("out_invoice", 100, currency="EUR", days_ago=30)
        self.credit(invoice, days_ago=10)
        purchases = self.assertFigures(revenue=0, order_count=0)
        self.assertEqual(sorted(purchases.mapped("exchange_difference")), [0, 120])

    def test_credited_in_two_parts(self):
        invoice = self.invoice(self.order((4, 50)))
        self.credit(invoice, days_ago=12, quantities={0: 1})
        self.assertFigures(revenue=150, order_count=1, average_order_value=200)
        self.credit(invoice, days_ago=8, quantities={0: 3})
        self.assertFigures(revenue=0, order_count=0)

    # ----- GIFT CARDS -----

    def test_credit_notes_that_odoo_writes_from_the_order(self):
        """They name no invoice that they reverse."""
        order = self.order((4, 50), 30)
        invoice = self.invoice(order, days_ago=20)
        for quantity, days_ago in ((3, 15), (0, 10)):
            order.order_line[0].product_uom_qty = quantity
            refund = self.invoice(order, days_ago=days_ago)
            self.assertEqual(
                (refund.move_type, refund.reversed_entry_id.id), ("out_refund", False)
            )
            self.assertFigures(revenue=quantity * 50 + 30, order_count=1)
        self.credit(invoice, days_ago=8, quantities={0: 0})
        self.assertFigures(revenue=0, order_count=0)
        order.order_line[0].write({"product_uom_qty": 2, "price_unit": 50})
        self.invoice(order, days_ago=5)
        self.assertFigures(revenue=130, order_count=1, first_order_date=self.day(5))

    def test_credit_note_from_an_order_that_was_invoiced_in_parts(self):
        """It is not said which invoice is taken back: each counts on its own day."""
        order = self.order((4, 50))
        self.invoice(order, days_ago=20, quantities={0: 1})
        self.invoice(order, days_ago=15)
        order.order_line.product_uom_qty = 0
        self.invoice(order, days_ago=10)
        self.assertFigures(revenue=0)

    def test_invoice_paid_with_a_gift_card_counts_whole(self):
        self.invoice(self.order(self.taxed(100), pay_with=self.card(self.cards, 40)))
        self.assertFigures(revenue=100, order_count=1)

    def test_invoice_paid_wholly_with_a_gift_card_counts_whole(self):
        invoice = self.invoice(self.order(self.taxed(100), pay_with=self.card(self.cards, 400)))
        self.assertEqual(invoice.amount_total, 0)
        self.assertFigures(revenue=100, order_count=1)
        self.credit(invoice)
        self.assertFigures(revenue=0, order_count=0)

    def test_invoiced_gift_card_is_no_purchase(self):
        self.invoice(self.order(self.fill(self.cards)))
        self.assertFigures(revenue=0, order_count=0)

    def test_gift_card_and_goods_on_an_invoice_without_an_order(self):
        product = self.cards.trigger_product_ids
        invoice = self.move("out_invoice", 30, days_ago=15)
        invoice.button_draft()
        invoice.invoice_line_ids = [
            Command.create(
                {"product_id": product.id, "quantity": 2, "price_unit": 50, "tax_ids": False}
            )
        ]
        invoice.action_post()
        self.assertFigures(revenue=30, order_count=1)
