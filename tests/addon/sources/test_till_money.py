"""Refunds, gift cards, tips and settled orders at the till: what a customer really bought."""

from odoo.tests import HttpCase, tagged

from ..common_till import TillCase


class TestTillRefunds(TillCase):
    def test_refund_in_the_till_lowers_value(self):
        sold = self.sell((3, 100))
        refund = self.give_back(sold, 1)
        self.assertEqual(
            (refund.lines.qty, refund.lines.price_subtotal), (-1, 100), "as the till stores it"
        )
        self.assertOnBothBases(revenue=200, order_count=1)

    def test_all_refunded_is_no_purchase(self):
        sold = self.sell((3, 100))
        self.give_back(sold, 1)
        self.give_back(sold, 2)
        self.assertOnBothBases(revenue=0, order_count=0)

    def test_refund_on_another_day_is_taken_off_the_sale(self):
        sold = self.sell((3, 100), days_ago=40)
        self.give_back(sold, 3, days_ago=2)
        purchases = self.assertOnBothBases(revenue=0, order_count=0, last_order_date=None)
        self.assertEqual([(one.gross, one.amount) for one in purchases], [(300, 0)])

    def test_refund_without_the_customer(self):
        sold = self.sell((3, 100), days_ago=40)
        self.give_back(sold, 1, partner=None)
        self.assertOnBothBases(revenue=200, order_count=1)

    def test_refund_to_somebody_else(self):
        other = self.new_customer("Other")
        sold = self.sell((3, 100), days_ago=40)
        self.give_back(sold, 1, partner=other)
        self.assertOnBothBases(revenue=200, order_count=1)
        self.assertOnBothBases(other, revenue=None)

    def test_refund_of_a_sale_of_nobody(self):
        sold = self.sell((3, 100), partner=None)
        self.give_back(sold, 1, partner=self.customer)
        self.assertOnBothBases(revenue=None)

    def test_refund_of_a_contact_of_the_company(self):
        firm = self.new_customer("Firm", is_company=True)
        ann = self.new_customer("Ann", parent_id=firm.id)
        sold = self.sell((3, 100), partner=ann)
        self.give_back(sold, 1, partner=firm)
        self.assertOnBothBases(firm, revenue=200, order_count=1)

    def test_refund_made_in_the_back_office(self):
        for days_ago in (0, 40):
            sold = self.sell((3, 100), days_ago=days_ago)
            refund = sold._refund()
            self.assertLess(refund.lines.price_subtotal, 0)
            self.pay_out(refund)
        self.assertOnBothBases(revenue=0, order_count=0)

    def test_refund_with_tax(self):
        sold = self.sell({"qty": 3, "price_unit": 100, "tax_ids": self.tax.ids})
        self.assertEqual(sold.amount_total, 345)
        self.give_back(sold, 1)
        self.assertOnBothBases(revenue=200, order_count=1)

    def test_refund_with_its_discount_line(self):
        discount = self.new_item("Discount")
        sold = self.sell(
            (3, 100), {"qty": 1, "price_unit": -30, "product_id": discount.id}
        )
        self.assertOnBothBases(revenue=270, order_count=1)
        self.give_back(sold, 1)
        self.assertOnBothBases(revenue=170)
        self.give_back(sold, 1, line=1)
        self.assertOnBothBases(revenue=200)
        self.give_back(sold, 2)
        self.assertOnBothBases(revenue=0, order_count=0)

    def test_exchange_in_one_order(self):
        sold = self.sell((3, 100), days_ago=40)
        line = sold.lines
        # a till without refund mode: quantities below and above nought in one order
        self.sell(
            {"qty": -1, "price_unit": 100, "refunded_orderline_id": line.id},
            (1, 130),
        )
        self.assertOnBothBases(revenue=330, order_count=2)

    def test_return_by_quantity_without_its_sale(self):
        self.sell((3, 100))
        self.sell((-1, 100))
        self.assertOnBothBases(revenue=200, order_count=1)

    def test_refund_at_another_rate(self):
        euro = self.set_rates("EUR", {60: 0.5, 10: 0.4})
        self.shop_in(euro)
        sold = self.sell((2, 100), days_ago=40)
        self.assertEqual(sold.currency_rate, 0.5)
        self.give_back(sold, 1, days_ago=2)
        purchases = self.assertOnBothBases(revenue=200, order_count=1)
        self.assertEqual(purchases.exchange_difference, 200 - 250)
        self.give_back(sold, 1, days_ago=2)
        self.assertOnBothBases(revenue=0, order_count=0)

    def test_draft_and_cancelled_refunds_do_not_count(self):
        sold = self.sell((3, 100))
        sold._refund()
        self.assertOnBothBases(revenue=300, order_count=1)
        sold.lines.refund_orderline_ids.order_id.action_pos_order_cancel()
        self.assertOnBothBases(revenue=300, order_count=1)

    def test_refund_sent_twice(self):
        sold = self.sell((3, 100))
        payload = self.payload(
            {"qty": -1, "price_unit": 100, "refunded_orderline_id": sold.lines.id}, refund=True
        )
        for _time in range(2):
            self.sync(payload)
        self.assertOnBothBases(revenue=200, order_count=1)

    def test_refund_sent_with_its_sale(self):
        """Both were made offline: the refund knows the sale by a name that it has not yet."""
        sale = self.payload((3, 100))
        refund = self.payload({"qty": -1, "price_unit": 100}, refund=True)
        sold, given = (one["lines"][0][2]["uuid"] for one in (sale, refund))
        refund["relations_uuid_mapping"] = {
            "pos.order.line": {given: {"refunded_orderline_id": sold}}
        }
        refund["partner_id"] = False
        self.env["pos.order"].sync_from_ui([sale, refund])
        self.assertOnBothBases(revenue=200, order_count=1)

    def test_refund_in_another_session(self):
        sold = self.sell((3, 100), days_ago=3)
        self.opened = self.open_till(self.shop)
        self.give_back(sold, 1)
        self.assertOnBothBases(revenue=200, order_count=1)

    def test_refreshed_when_the_refund_names_nobody(self):
        sold = self.sell((3, 100))
        self.empty_queue()
        self.give_back(sold, 1, partner=None)
        self.env.flush_all()
        self.env.cr.precommit.run()
        queued = self.env["lifecycle.queue"].search([]).mapped("partner_id")
        self.assertIn(self.customer.id, queued)

    def test_combo_refunded(self):
        parent = self.new_item("Menu")
        sold = self.sell(
            {"qty": 1, "price_unit": 0, "product_id": parent.id}, (1, 60), (1, 40)
        )
        self.assertOnBothBases(revenue=100, order_count=1)
        for line in range(3):
            self.give_back(sold, 1, line=line)
        self.assertOnBothBases(revenue=0, order_count=0)


class TestTillInvoices(TillCase):
    def test_invoiced_sale_and_invoiced_refund(self):
        sold = self.sell((3, 100), invoice=True, days_ago=5)
        refund = self.give_back(sold, 1, invoice=True)
        self.assertEqual(refund.account_move.move_type, "out_refund")
        self.assertOnBothBases(revenue=200, order_count=1)
        self.give_back(sold, 2, invoice=True)
        self.assertOnBothBases(revenue=0, order_count=0)

    def test_invoiced_sale_and_refund_without_invoice_or_customer(self):
        sold = self.sell((3, 100), invoice=True, days_ago=5)
        self.give_back(sold, 3, partner=None)
        self.assertOnBothBases(revenue=0, order_count=0)

    def test_credit_note_of_the_back_office(self):
        sold = self.sell((3, 100), invoice=True)
        self.credit(sold.account_move, quantities={0: 1}, days_ago=0)
        self.assertOnBothBases(revenue=200, order_count=1)
        self.credit(sold.account_move, quantities={0: 2}, days_ago=0)
        self.assertOnBothBases(revenue=0, order_count=0)

    def test_more_is_credited_than_was_sold(self):
        """Two people take the same sale back, or somebody adds a present to the credit note."""
        sold = self.sell((1, 100), invoice=True, days_ago=5)
        self.give_back(sold, 1)
        self.credit(sold.account_move, days_ago=0)
        self.assertOnBothBases(revenue=0, order_count=0)
        generous = self.new_customer("Generous")
        sold = self.sell((1, 100), invoice=True, partner=generous, days_ago=5)
        note = self.credit(sold.account_move, days_ago=0, post=False)
        note.invoice_line_ids.price_unit = 160
        note.action_post()
        self.assertOnBothBases(generous, revenue=0, order_count=0)
        # what he buys afterwards is his all the same
        self.sell((1, 40), partner=generous)
        self.assertOnBothBases(generous, revenue=40, order_count=1)

    def test_several_sales_on_one_invoice(self):
        for days_ago in (9, 5):
            self.sell((1, 100), days_ago=days_ago)
        orders = self.env["pos.order"].search([("partner_id", "=", self.customer.id)])
        orders.with_context(generate_pdf=False)._generate_pos_order_invoice()
        self.assertEqual(len(orders.account_move), 1)
        self.assertOnBothBases(revenue=200, order_count=2)


class TestTillMoney(TillCase):
    """Gift cards, eWallets and tips."""

    def test_order_paid_with_a_gift_card(self):
        for invoice in (False, True):
            with self.subTest(invoice=invoice):
                customer = self.new_customer("With a gift card")
                self.sell(
                    {"qty": 1, "price_unit": 100, "tax_ids": self.tax.ids},
                    self.paid_with(self.gift_reward, 115),
                    partner=customer,
                    invoice=invoice,
                )
                self.assertOnBothBases(customer, revenue=100, order_count=1)

    def test_order_paid_partly_with_an_ewallet(self):
        self.sell((1, 100), self.paid_with(self.wallet_reward, 30))
        self.assertOnBothBases(revenue=100, order_count=1)

    def test_selling_money_is_no_purchase(self):
        for product in (self.gift_product, self.wallet_product):
            for invoice in (False, True):
                self.sell({"qty": 1, "price_unit": 50, "product_id": product.id}, invoice=invoice)
        self.assertOnBothBases(revenue=None)
        self.sell((1, 20), {"qty": 1, "price_unit": 50, "product_id": self.gift_product.id})
        self.assertOnBothBases(revenue=20, order_count=1)

    def test_money_sold_in_a_former_program(self):
        self.sell({"qty": 1, "price_unit": 50, "product_id": self.gift_product.id})
        self.gift_reward.program_id.action_archive()
        self.assertOnBothBases(revenue=None)

    def test_reward_whose_product_was_changed(self):
        self.sell((1, 100), self.paid_with(self.gift_reward, 100))
        self.gift_reward.discount_line_product_id = self.new_item("New payment")
        self.assertOnBothBases(revenue=100, order_count=1)

    def test_refund_into_the_ewallet(self):
        """Odoo puts what is paid back on the wallet by a line in the refund."""
        sold = self.sell((1, 100), days_ago=5)
        self.sell(
            {"qty": -1, "price_unit": 100, "refunded_orderline_id": sold.lines.id},
            {"qty": 1, "price_unit": 100, "product_id": self.wallet_product.id},
            refund=True,
        )
        self.assertOnBothBases(revenue=0, order_count=0)

    def test_gift_card_taken_back(self):
        sold = self.sell({"qty": 1, "price_unit": 50, "product_id": self.gift_product.id})
        self.give_back(sold, 1)
        self.assertOnBothBases(revenue=None)

    def test_tip_is_no_purchase(self):
        self.shop.write({"iface_tipproduct": True, "tip_product_id": self.tip.id})
        for invoice in (False, True):
            customer = self.new_customer("Generous")
            self.sell(
                (1, 20),
                {"qty": 1, "price_unit": 4, "product_id": self.tip.id},
                invoice=invoice,
                partner=customer,
            )
            self.assertOnBothBases(customer, revenue=20, order_count=1)

    def test_discount_of_a_promotion_is_one(self):
        """Only what pays is left out: other rewards lower the price."""
        program = self.env["loyalty.program"].create(
            {
                "name": "Ten off",
                "program_type": "promotion",
                "reward_ids": [(0, 0, {"discount": 10, "discount_mode": "per_order"})],
            }
        )
        self.sell((1, 100), self.paid_with(program.reward_ids, 10))
        self.assertOnBothBases(revenue=90, order_count=1)

    def test_product_says_what_it_is(self):
        self.assertTrue(self.gift_product.lifecycle_is_money)
        self.assertFalse(self.product.lifecycle_is_money)
        found = self.env["product.product"].search([("lifecycle_is_money", "=", False)])
        self.assertIn(self.product, found)
        self.assertFalse((self.gift_product | self.wallet_product) & found)


class TestTillSettling(TillCase):
    """Sale orders that are paid in the shop."""

    def test_refund_of_a_settled_order(self):
        for invoice in (False, True):
            with self.subTest(invoice=invoice):
                customer = self.new_customer("Settling")
                order = self.order((4, 10), days_ago=30, partner=customer)
                sold = self.settle(order, invoice=invoice, days_ago=5)
                self.give_back(sold, 1, partner=customer)
                self.assertOnBothBases(customer, revenue=30, order_count=1)
                self.give_back(sold, 3, partner=None)
                self.assertOnBothBases(customer, revenue=0, order_count=0)

    def test_refund_in_the_back_office_of_a_settled_order(self):
        sold = self.settle(self.order((4, 10), days_ago=30), days_ago=5)
        self.pay_out(sold._refund())
        self.assertOnBothBases(revenue=0, order_count=0)

    def test_credited_invoice_of_a_settled_order(self):
        for quantity, revenue, count in ((4, 0, 0), (1, 30, 1)):
            with self.subTest(credited=quantity):
                customer = self.new_customer("Invoiced at the till")
                order = self.order((4, 10), days_ago=30, partner=customer)
                sold = self.settle(order, invoice=True, days_ago=5)
                self.credit(sold.account_move, quantities={0: quantity}, days_ago=3)
                self.assertOnBothBases(customer, revenue=revenue, order_count=count)

    def test_settled_in_parts(self):
        order = self.order((4, 10), days_ago=30)
        self.settle(order, quantity=1)
        sold = self.settle(order, quantity=3)
        self.assertOnBothBases(revenue=40, order_count=1)
        self.give_back(sold, 3)
        self.assertOnBothBases(revenue=10, order_count=1)

    def test_down_payment_at_the_till_is_part_of_its_order(self):
        order = self.order((4, 10), days_ago=30)
        self.pay_down(order, 15, days_ago=20)
        line = order.order_line.filtered(lambda one: one.is_downpayment and not one.display_type)
        self.assertTrue(line.pos_order_line_ids)
        self.assertFigures(revenue=40, order_count=1)
        self.settle(order, {"qty": -1, "price_unit": 15, "product_id": self.deposit.id,
                            "sale_order_line_id": line.id, "sale_order_origin_id": order.id})
        self.assertOnBothBases(revenue=40, order_count=1)

    def test_down_payment_given_back(self):
        order = self.order((4, 10), days_ago=30)
        paid = self.pay_down(order, 15)
        self.give_back(paid, 1)
        self.assertFigures(revenue=40, order_count=1)


@tagged("standard", "post_install", "-at_install")
class TestTillInTheBrowser(TillCase, HttpCase):
    """The till's own refund, clicked as the clerk does."""

    def click(self, tour):
        clerk = self.new_user(
            "till_clerk", "base.group_user,point_of_sale.group_pos_user", self.company,
            password="till_clerk",
        )
        self.opened.action_pos_session_closing_control()
        self.shop.with_user(clerk).open_ui()
        self.start_tour(f"/pos/ui/{self.shop.id}", tour, login="till_clerk", timeout=180)
        self.env.invalidate_all()
        return self.env["pos.order"].search([("company_id", "=", self.company.id)], order="id")

    def test_refund_with_the_customer(self):
        sold, refund = self.click("lifecycle_till_refund")
        self.assertEqual(refund.partner_id, self.customer)
        self.assertEqual((refund.lines.qty, refund.lines.price_subtotal), (-1, 100))
        self.assertEqual(refund.lines.refunded_orderline_id, sold.lines)
        self.assertOnBothBases(revenue=200, order_count=1)

    def test_refund_without_the_customer(self):
        """The till keeps the customer on a refund; who says afterwards who he is has none on it."""
        sold, refund = self.click("lifecycle_till_refund_of_nobody")
        self.assertOnBothBases(revenue=None)
        # in the back office, to have it invoiced
        sold.partner_id = self.customer
        self.assertFalse(refund.partner_id)
        self.assertEqual(refund.lines.refunded_orderline_id, sold.lines)
        self.assertOnBothBases(revenue=200, order_count=1)
