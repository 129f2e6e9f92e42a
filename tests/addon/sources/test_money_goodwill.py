"""What is given back without a purchase of its own: whose it is, and how much of it counts."""

from odoo.exceptions import ValidationError
from odoo.fields import Command

from ..common_money import MoneyCase


class TestGoodwill(MoneyCase):
    def goodwill(self, invoice, amount, days_ago=10, quantities=None):
        """A credit note of an invoice with a line of goodwill on it."""
        credit_note = self.credit(invoice, days_ago, quantities, post=False)
        credit_note.invoice_line_ids = [
            Command.create(
                {"name": "Goodwill", "quantity": 1, "price_unit": amount, "tax_ids": False}
            )
        ]
        credit_note.action_post()
        return credit_note

    def by_day(self, purchases):
        return {
            day: round(sum(each.mapped("amount")), 2)
            for day, each in purchases.grouped("date").items()
        }

    # ----- WHOSE -----

    def test_goodwill_belongs_to_who_ordered_not_to_who_was_billed(self):
        payer = self.new_customer("Payer Ltd", is_company=True)
        invoice = self.invoice(self.order((3, 25), partner_invoice_id=payer.id))
        self.goodwill(invoice, 10, quantities={0: 0})
        self.assertFigures(revenue=65, order_count=1)
        self.assertFigures(payer, revenue=None, order_count=None)
        self.assertNotIn(payer.id, self.collected())

    def test_goodwill_beside_returned_goods_belongs_to_who_ordered(self):
        payer = self.new_customer("Payer Ltd", is_company=True)
        invoice = self.invoice(self.order((4, 25), partner_invoice_id=payer.id))
        self.goodwill(invoice, 10, quantities={0: 1})
        purchases = self.assertFigures(revenue=65, order_count=1)
        self.assertEqual(self.by_day(purchases), {self.day(30): 75, self.day(10): -10})

    def test_goodwill_for_a_contacts_order_belongs_to_his_company(self):
        payer = self.new_customer("Payer Ltd", is_company=True)
        contact = self.new_customer("Ann", parent_id=self.customer.id)
        invoice = self.invoice(
            self.order((4, 25), partner=contact, partner_invoice_id=payer.id)
        )
        self.goodwill(invoice, 10, quantities={0: 1})
        self.assertFigures(revenue=65, order_count=1)

    def test_goodwill_on_the_invoice_of_two_customers_orders_is_shared(self):
        payer = self.new_customer("Payer Ltd", is_company=True)
        other = self.new_customer("Other Ltd", is_company=True)
        billed = {"partner_invoice_id": payer.id, "partner_shipping_id": payer.id}
        orders = self.order(100, **billed)
        orders += self.order(50, partner=other, **billed)
        invoice = self.invoice(orders)
        self.assertEqual(len(invoice), 1)
        self.goodwill(invoice, 10, quantities={0: 0, 1: 0})
        self.assertFigures(revenue=93.33, order_count=1)
        self.assertFigures(other, revenue=46.67, order_count=1)

    def test_goodwill_beside_one_customers_goods_is_his(self):
        payer = self.new_customer("Payer Ltd", is_company=True)
        other = self.new_customer("Other Ltd", is_company=True)
        billed = {"partner_invoice_id": payer.id, "partner_shipping_id": payer.id}
        orders = self.order((2, 50), **billed)
        orders += self.order((2, 25), partner=other, **billed)
        invoice = self.invoice(orders)
        self.assertEqual(len(invoice), 1)
        lines = invoice.invoice_line_ids.filtered(lambda line: line.display_type == "product")
        wanted = {place: int(line.price_unit == 25) for place, line in enumerate(lines)}
        self.goodwill(invoice, 10, quantities=wanted)
        self.assertFigures(revenue=100, order_count=1)
        self.assertFigures(other, revenue=15, order_count=1)

    def test_foreign_goodwill_counts_at_its_own_rate(self):
        self.set_rates("EUR", {400: 0.5, 15: 1.25})
        payer = self.new_customer("Payer Ltd", is_company=True)
        invoice = self.invoice(
            self.order((4, 25), currency="EUR", partner_invoice_id=payer.id)
        )
        self.goodwill(invoice, 10, quantities={0: 0})
        self.assertFigures(revenue=192, order_count=1)

    def test_goodwill_wakes_the_refresh_of_who_ordered(self):
        payer = self.new_customer("Payer Ltd", is_company=True)
        invoice = self.invoice(self.order((3, 25), partner_invoice_id=payer.id))
        self.empty_queue()
        self.goodwill(invoice, 10, quantities={0: 0})
        self.assertIn((self.customer.id, self.company.id), self.queued())

    # ----- HOW MUCH -----

    def test_credit_notes_of_sales_that_are_counted_nowhere_reduce_nothing(self):
        self.move("out_invoice", 50000, days_ago=20)
        self.move("out_refund", 82750, days_ago=10)
        self.assertFigures(revenue=None, order_count=None)
        self.assertNotIn(self.customer.id, self.collected())

    def test_nobody_goes_below_nought(self):
        self.order(100, days_ago=30)
        self.move("out_refund", 30, days_ago=20)
        self.move("out_refund", 500, days_ago=10)
        purchases = self.assertFigures(revenue=0, order_count=1)
        self.assertEqual(
            self.by_day(purchases), {self.day(30): 100, self.day(20): -30, self.day(10): -70}
        )

    def test_what_is_bought_later_does_not_bring_back_what_did_not_count(self):
        self.order(100, days_ago=30)
        self.move("out_refund", 500, days_ago=20)
        self.order(80, days_ago=10)
        self.move("out_refund", 15, days_ago=5)
        self.assertFigures(revenue=65, order_count=2)

    def test_credit_note_before_the_first_order_reduces_nothing(self):
        self.move("out_refund", 15, days_ago=40)
        self.order(80, days_ago=10)
        self.assertFigures(revenue=80, order_count=1)

    def test_goodwill_of_the_day_of_the_order_counts(self):
        self.order(80, days_ago=10)
        self.move("out_refund", 15, days_ago=10)
        self.assertFigures(revenue=65, order_count=1, average_order_value=65)

    def test_goodwill_to_whose_order_was_credited_counts_for_nothing(self):
        self.goodwill(self.invoice(self.order(100)), 5)
        self.assertFigures(revenue=0, order_count=0)

    def test_goodwill_counts_against_imported_history(self):
        self.new_purchase(self.customer, 40, days_ago=90, company=self.company)
        self.move("out_refund", 60, days_ago=20)
        self.assertFigures(revenue=0, order_count=1)

    def test_lines_of_one_credit_note_fill_up_what_is_left(self):
        self.order(100, days_ago=30)
        self.move("out_refund", 70, 20, 50, -10, days_ago=20)
        self.assertFigures(revenue=0, order_count=1)

    def test_fee_for_goods_that_come_back_is_no_purchase(self):
        invoice = self.invoice(self.order((2, 50)))
        self.goodwill(invoice, -15, quantities={0: 1})
        self.assertFigures(revenue=50, order_count=1, last_order_date=self.day(30))
        self.goodwill(invoice, -15, days_ago=5, quantities={0: 1})
        self.assertFigures(revenue=0, order_count=0)

    def test_value_follows_what_counts(self):
        self.company.write({"lifecycle_value": "percent", "lifecycle_margin_percent": 40})
        self.order(100, days_ago=30)
        self.move("out_refund", 150, days_ago=20)
        self.order(50, days_ago=10)
        self.assertFigures(revenue=50, clv_historical=20)

    def test_goodwill_is_of_invoice_lines_only(self):
        source = self.env.ref("customer_lifecycle.revenue_source_sale_order")
        with self.assertRaisesRegex(ValidationError, "account.move.line"):
            source.goodwill = True
