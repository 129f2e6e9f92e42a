"""Sales in the shop count once, whatever else Odoo writes about them."""

from ..common_till import TillCase


class TestPointOfSale(TillCase):
    def test_sale_in_the_shop_counts(self):
        self.sell(30, 12)
        self.assertOnBothBases(revenue=42, order_count=1)

    def test_invoiced_sale_in_the_shop_counts_once(self):
        sold = self.sell(30, 12, invoice=True)
        self.assertEqual(sold.account_move.state, "posted")
        self.assertOnBothBases(revenue=42, order_count=1)

    def test_sale_invoiced_later_counts_once(self):
        sold = self.sell(30, 12)
        sold.with_context(generate_pdf=False).action_pos_order_invoice()
        self.assertEqual(sold.account_move.state, "posted")
        self.assertOnBothBases(revenue=42, order_count=1)

    def test_refund_in_the_shop_lowers_value(self):
        self.give_back(self.sell({"price_unit": 10, "qty": 4}), 1)
        self.assertOnBothBases(revenue=30)

    def test_invoiced_refund_in_the_shop_lowers_value_once(self):
        sold = self.sell({"price_unit": 10, "qty": 4}, invoice=True)
        refund = self.give_back(sold, 1, invoice=True)
        self.assertEqual(refund.account_move.move_type, "out_refund")
        self.assertOnBothBases(revenue=30)

    def test_order_settled_in_the_shop_counts_once(self):
        self.settle(self.order((4, 10), 2, days_ago=0))
        self.assertOnBothBases(revenue=42, order_count=1)

    def test_order_settled_and_invoiced_in_the_shop_counts_once(self):
        sold = self.settle(self.order((4, 10), 2, days_ago=0), invoice=True)
        self.assertEqual(sold.account_move.state, "posted")
        self.assertOnBothBases(revenue=42, order_count=1)

    def test_refund_of_a_settled_order_lowers_value_once(self):
        for invoice in (False, True):
            with self.subTest(invoice=invoice):
                sold = self.settle(self.order((4, 10), days_ago=0), invoice=invoice)
                self.give_back(sold, 1, invoice=invoice)
        self.assertOnBothBases(revenue=60)

    def test_return_made_in_the_back_office_lowers_value_once(self):
        for sold in (
            self.sell({"price_unit": 10, "qty": 4}),
            self.settle(self.order((4, 10), 60, days_ago=0)),
        ):
            refund = sold._refund()
            refund.lines[0].qty = -1
            refund.lines[0]._onchange_amount_line_all()
            refund.lines[1:].unlink()
            refund._compute_prices()
            self.env["pos.make.payment"].with_context(
                active_id=refund.id, active_ids=refund.ids
            ).create({"amount": refund.amount_total, "payment_method_id": self.method.id}).check()
            self.assertEqual(refund.state, "paid")
            self.assertEqual(refund.amount_total, -10)
        self.assertOnBothBases(revenue=120)

    def test_down_payment_in_the_shop_is_part_of_its_order(self):
        order = self.order((4, 10), days_ago=0)
        self.pay_down(order, 15)
        self.assertFigures(revenue=40, order_count=1)

    def test_walk_in_sale_belongs_to_nobody(self):
        sold = self.sell(30)
        self.env.cr.execute("UPDATE pos_order SET partner_id = NULL WHERE id = %s", [sold.id])
        self.env.invalidate_all()
        self.assertOnBothBases(revenue=None)

    def test_who_bought_last_gets_the_messages(self):
        """At a company whose people buy in the shop, on either basis."""
        firm = self.customer
        firm.is_company = True
        first, second = (
            self.new_customer(name, parent_id=firm.id, email=f"{name}@example.com")
            for name in ("first", "second")
        )
        sold = []
        for buyer, days in ((first, 9), (second, 5), (first, 3)):
            sold.append(self.sell(30, partner=buyer, days_ago=days))
        # what is brought back is no purchase
        self.give_back(sold[1], 1)
        for basis in ("orders", "invoices"):
            self.company.lifecycle_basis = basis
            last = self.env["lifecycle.consent"]._last_ordering(firm, self.company)
            self.assertEqual(last, {firm.id: [first.id]}, basis)
