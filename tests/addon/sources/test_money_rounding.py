"""Cents of taxes and discounts: what rounding leaves is no purchase."""

from ..common_money import MoneyCase


class TestTaxes(MoneyCase):
    """Taxes are left out, whichever way they are rounded."""

    def _order(self, rounding, included, *lines, **values):
        self.company.tax_calculation_rounding_method = rounding
        taxes = self.env["account.tax"]
        tax = taxes.search([("name", "=", included), ("company_id", "=", self.company.id)])
        tax = tax or taxes.create(
            {
                "name": included,
                "amount": 21,
                "price_include_override": included,
                "type_tax_use": "sale",
                "company_id": self.company.id,
                "country_id": self.company.account_fiscal_country_id.id,
            }
        )
        order = self.order(*lines, **values)
        order.order_line.tax_ids = tax
        return order

    def test_order_fully_credited_leaves_no_cent(self):
        customers = self.env["res.partner"]
        differing = set()
        for rounding in ("round_globally", "round_per_line"):
            for included in ("tax_included", "tax_excluded"):
                for cents in range(4):
                    customer = self.new_customer(f"Buyer of {rounding}, {included}, {cents}")
                    customers += customer
                    lines = [(1 + n % 3, 3.13 * n + 0.01 * cents) for n in range(1, 6)]
                    order = self._order(rounding, included, *lines, partner=customer)
                    self.credit(self.invoice(order))
                    listed = sum(order.order_line.mapped("price_subtotal"))
                    differing.add(round(listed - order.amount_untaxed, 2))
        self.assertLessEqual({-0.01, 0.01}, differing, "shows nothing")
        for wanted in (None, customers):
            found = self.collected(partners=wanted)
            for customer in customers:
                sums = found[customer.id]
                with self.subTest(customer=customer.name, one=bool(wanted)):
                    self.assertEqual((sums["revenue"], sums["order_count"]), (0, 0))

    def test_credit_note_counts_with_its_own_total(self):
        lines = [(3, 7.77), (3, 1.11), (3, 3.33), (3, 9.99), (3, 5.55)]
        order = self._order("round_globally", "tax_included", *lines)
        invoice = self.invoice(order)
        credit_note = self.credit(invoice, quantities={0: 1, 1: 1, 2: 2, 4: 2})
        listed = sum(credit_note.invoice_line_ids.mapped("price_subtotal"))
        self.assertNotEqual(round(listed, 2), credit_note.amount_untaxed, "shows nothing")
        net = round(order.amount_untaxed - credit_note.amount_untaxed, 2)
        purchases = self.assertFigures(revenue=net, order_count=1)
        self.assertEqual(purchases.mapped("exchange_difference"), [0])

    def test_order_credited_part_by_part_leaves_no_cent(self):
        order = self.order((3, 1.01))
        order.order_line.discount = 7.5
        for _part in range(3):
            self.invoice(order, quantities={0: 1})
        self.assertEqual(len(order.invoice_ids), 3)
        parts = sum(order.invoice_ids.mapped("amount_untaxed"))
        self.assertNotEqual(round(parts, 2), order.amount_untaxed, "shows nothing")
        for invoice in order.invoice_ids:
            self.credit(invoice)
        self.assertFigures(revenue=0, order_count=0)

    def test_small_line_that_was_not_credited_stays(self):
        invoice = self.invoice(self.order(100, 0.03))
        self.credit(invoice, quantities={1: 0})
        self.assertFigures(revenue=0.03, order_count=1)
