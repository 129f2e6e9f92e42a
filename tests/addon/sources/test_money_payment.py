"""Payment is not price: gift cards, eWallets, down payments, and shipping of nothing."""

from odoo.fields import Command

from ..common_money import MoneyCase


class PaymentCase(MoneyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cards = cls.payment_program()
        cls.wallets = cls.payment_program("ewallet")

    def tax(self, percent=15, included="tax_excluded"):
        name = f"{percent} % {included}"
        taxes = self.env["account.tax"]
        known = taxes.search([("name", "=", name), ("company_id", "=", self.company.id)])
        return known or taxes.create(
            {
                "name": name,
                "amount": percent,
                "price_include_override": included,
                "type_tax_use": "sale",
                "company_id": self.company.id,
                "country_id": self.company.account_fiscal_country_id.id,
            }
        )

    def taxed(self, price, quantity=1, **values):
        """Values of a line of goods with tax."""
        return {"price_unit": price, "product_uom_qty": quantity, "tax_ids": self.tax().ids,
                **values}


class TestGiftCards(PaymentCase):
    """Orders that sell cards, and orders that are paid with them."""

    def test_order_paid_wholly_with_a_gift_card_counts_whole(self):
        card = self.card(self.cards, 200)
        order = self.order(self.taxed(100), pay_with=card)
        self.assertEqual((order.amount_untaxed, order.amount_total), (-15, 0))
        purchases = self.assertFigures(
            revenue=100, order_count=1, average_order_value=100, last_order_date=self.day(30)
        )
        self.assertEqual(purchases.gross, 100)

    def test_order_paid_partly_with_a_gift_card_counts_whole(self):
        order = self.order(self.taxed(100), pay_with=self.card(self.cards, 40))
        self.assertEqual(order.amount_total, 75)
        self.assertFigures(revenue=100, order_count=1)

    def test_order_paid_with_several_cards_and_a_wallet_counts_whole(self):
        cards = self.card(self.cards, 20) + self.card(self.cards, 30)
        cards += self.card(self.wallets, 25)
        order = self.order(self.taxed(100), pay_with=cards)
        self.assertEqual(order.amount_total, 40)
        self.assertFigures(revenue=100, order_count=1)

    def test_tax_included_price_is_paid_with_a_card(self):
        tax = self.tax(included="tax_included")
        order = self.order(
            {"price_unit": 115, "tax_ids": tax.ids}, pay_with=self.card(self.cards, 500)
        )
        self.assertEqual(order.amount_total, 0)
        self.assertFigures(revenue=100, order_count=1)

    def test_card_with_a_taxed_discount_product_pays(self):
        self.cards.reward_ids.discount_line_product_id.taxes_id = self.tax()
        order = self.order(self.taxed(100), pay_with=self.card(self.cards, 500))
        self.assertEqual(order.amount_total, 0)
        self.assertFigures(revenue=100, order_count=1)

    def test_discount_of_the_line_is_a_discount(self):
        self.order(self.taxed(50, 2, discount=10), pay_with=self.card(self.cards, 500))
        self.assertFigures(revenue=90, order_count=1)

    def test_loyalty_discount_beside_a_card_is_a_discount(self):
        program = self.env["loyalty.program"].create(
            {
                "name": "Ten percent",
                "program_type": "promotion",
                "trigger": "auto",
                "applies_on": "current",
                "company_id": self.company.id,
                "rule_ids": [Command.create({"minimum_amount": 50})],
                "reward_ids": [
                    Command.create(
                        {"reward_type": "discount", "discount": 10, "discount_mode": "percent",
                         "discount_applicability": "order"}
                    )
                ],
            }
        )
        order = self.env["sale.order"].create(
            {
                "partner_id": self.customer.id,
                "order_line": [Command.create(self._line_values(self.taxed(100)))],
            }
        )
        order._update_programs_and_rewards()
        for coupon, rewards in order._get_claimable_rewards().items():
            order._apply_program_reward(rewards, coupon)
        self.assertEqual(order.order_line.reward_id.program_id, program)
        self.redeem(order, self.card(self.cards, 500))
        order.action_confirm()
        self.assertEqual(order.amount_total, 0)
        self.assertFigures(revenue=90, order_count=1)

    def test_foreign_order_paid_with_a_card_counts_at_its_rate(self):
        self.set_rates("EUR", {400: 0.5})
        self.order(100, currency="EUR", pay_with=self.card(self.cards, 60))
        self.assertFigures(revenue=200, order_count=1)

    def test_selling_a_gift_card_is_no_purchase(self):
        order = self.order(self.fill(self.cards, quantity=2))
        self.assertEqual(order.amount_total, 100)
        self.assertEqual(len(order.coupon_point_ids.coupon_id), 2)
        self.assertFigures(revenue=0, order_count=0, first_order_date=None)

    def test_topping_up_a_wallet_is_no_purchase_and_spending_it_is(self):
        top_up = self.order(self.fill(self.wallets, 80), days_ago=40)
        wallet = top_up.coupon_point_ids.coupon_id
        self.assertEqual(wallet.points, 80)
        self.assertFigures(revenue=0, order_count=0)
        self.order(self.taxed(60), days_ago=10, pay_with=wallet)
        self.assertFigures(revenue=60, order_count=1, first_order_date=self.day(10))

    def test_gift_card_and_goods_in_one_order(self):
        self.order(70, self.fill(self.cards))
        self.assertFigures(revenue=70, order_count=1)

    def test_gift_card_bought_with_a_wallet_is_no_purchase(self):
        wallet = self.card(self.wallets, 500)
        order = self.order(self.fill(self.cards), pay_with=wallet)
        self.assertEqual(order.amount_total, 0)
        self.assertFigures(revenue=0, order_count=0)

    def test_archived_program_has_sold_cards_too(self):
        self.order(self.fill(self.cards), 30)
        self.cards.active = False
        self.assertFigures(revenue=30, order_count=1)

    def test_discounted_gift_card_leaves_nobody_below_nought(self):
        self.order(self.fill(self.cards), -5)
        self.assertFigures(revenue=0, order_count=0)

    def test_goods_that_give_a_little_back_into_the_wallet_are_goods(self):
        self.payment_program(
            "ewallet",
            rule_ids=[
                Command.create(
                    {"product_ids": self.product.ids, "reward_point_amount": 0.05,
                     "reward_point_mode": "money"}
                )
            ],
        )
        self.order(100)
        self.assertFigures(revenue=100, order_count=1)

    def test_credit_of_an_order_paid_partly_with_a_card(self):
        order = self.order(self.taxed(50, 4), pay_with=self.card(self.cards, 30))
        invoice = self.invoice(order)
        self.assertFigures(revenue=200, order_count=1)
        places = invoice.invoice_line_ids.filtered(lambda line: line.display_type == "product")
        wanted = {place: int(line.price_unit > 0) for place, line in enumerate(places)}
        self.credit(invoice, quantities=wanted)
        self.assertFigures(revenue=150, order_count=1)

    def test_order_paid_with_a_card_and_credited_whole_is_nothing(self):
        order = self.order(self.taxed(50, 4), pay_with=self.card(self.cards, 30))
        self.credit(self.invoice(order))
        self.assertFigures(revenue=0, order_count=0)

    def test_order_paid_wholly_with_a_card_and_reversed_is_nothing(self):
        order = self.order(self.taxed(100), pay_with=self.card(self.cards, 115))
        invoice = self.invoice(order)
        self.assertEqual(invoice.amount_total, 0)
        self.credit(invoice)
        self.assertFigures(revenue=0, order_count=0)

    def test_credited_gift_card_changes_nothing(self):
        invoice = self.invoice(self.order(70, self.fill(self.cards)))
        self.assertFigures(revenue=70, order_count=1)
        self.credit(invoice, quantities={0: 0})
        self.assertFigures(revenue=70, order_count=1)

    def test_value_as_margin_leaves_payments_out(self):
        if "margin" not in self.env["sale.order"]._fields:
            self.skipTest("Needs the app Margins (sale_margin).")
        self.product.standard_price = 30
        self.company.lifecycle_value = "margin"
        self.order(100, self.fill(self.cards), pay_with=self.card(self.wallets, 90))
        self.assertFigures(revenue=100, clv_historical=70)

    def test_sums_of_the_line_are_those_of_the_order_where_taxes_are_rounded_globally(self):
        self.company.tax_calculation_rounding_method = "round_globally"
        tax = self.tax(21, "tax_included")
        for number in range(1, 6):
            customer = self.new_customer(f"Rounded {number}")
            self.order(
                {"price_unit": 3.13 * number, "tax_ids": tax.ids,
                 "product_id": self.cards.trigger_product_ids.id},
                {"price_unit": 1.11 * number, "tax_ids": tax.ids,
                 "product_id": self.cards.trigger_product_ids.id},
                partner=customer,
            )
            self.assertFigures(customer, revenue=0, order_count=0)


class TestQuantities(PaymentCase):
    """What was ordered, delivered and invoiced may differ."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.delivered = cls.env["product.product"].create(
            {"name": "By delivery", "type": "service", "invoice_policy": "delivery",
             "taxes_id": False}
        )

    def by_delivery(self, quantity=10, price=10, **values):
        return {"product_id": self.delivered.id, "product_uom_qty": quantity,
                "price_unit": price, **values}

    def deliver(self, order, *quantities):
        for line, quantity in zip(order.order_line, quantities, strict=False):
            line.qty_delivered = quantity

    def test_fresh_order_counts_as_ordered(self):
        self.order(self.by_delivery())
        self.assertFigures(revenue=100, order_count=1)

    def test_six_of_ten_delivered_and_invoiced(self):
        order = self.order(self.by_delivery())
        self.deliver(order, 6)
        self.assertFigures(revenue=100, order_count=1)
        invoice = self.invoice(order)
        self.assertEqual((invoice.amount_untaxed, order.invoice_status), (60, "no"))
        purchases = self.assertFigures(revenue=60, order_count=1, average_order_value=60)
        self.assertEqual(purchases.gross, 60)

    def test_what_is_delivered_later_counts_again(self):
        order = self.order(self.by_delivery())
        self.deliver(order, 6)
        self.invoice(order)
        self.deliver(order, 10)
        self.assertFigures(revenue=100)
        self.invoice(order, days_ago=5)
        self.assertFigures(revenue=100, order_count=1)

    def test_twelve_of_ten_delivered_and_invoiced(self):
        order = self.order(self.by_delivery())
        self.deliver(order, 12)
        self.assertEqual(self.invoice(order).amount_untaxed, 120)
        self.assertFigures(revenue=120, order_count=1)

    def test_twelve_delivered_and_invoiced_of_ten_invoiced_as_ordered(self):
        order = self.order((10, 10))
        self.deliver(order, 12)
        self.assertEqual(order.invoice_status, "to invoice")
        self.assertFigures(revenue=100)
        self.invoice(order, quantities={0: 12})
        self.assertFigures(revenue=120, order_count=1)

    def test_six_delivered_of_ten_invoiced_as_ordered_counts_as_ordered(self):
        order = self.order((10, 10))
        self.deliver(order, 6)
        self.assertFigures(revenue=100)
        self.invoice(order)
        self.assertFigures(revenue=100, order_count=1)

    def test_quantity_lowered_before_the_invoice(self):
        order = self.order((10, 10))
        order.order_line.write({"product_uom_qty": 6, "price_unit": 10})
        self.invoice(order)
        self.assertFigures(revenue=60, order_count=1)

    def test_each_line_has_its_own_quantity(self):
        order = self.order(
            self.by_delivery(), self.by_delivery(4, 5), (2, 7), self.by_delivery(1, 3)
        )
        self.deliver(order, 6, 5, 0, 0)
        self.invoice(order)
        self.assertFigures(revenue=60 + 25 + 14 + 3, order_count=1)

    def test_short_delivery_with_discount_and_included_tax(self):
        tax = self.tax(21, "tax_included")
        order = self.order(self.by_delivery(10, 12.1, discount=10, tax_ids=tax.ids))
        self.assertFigures(revenue=90)
        self.deliver(order, 6)
        self.assertEqual(self.invoice(order).amount_untaxed, 54)
        self.assertFigures(revenue=54, order_count=1)

    def test_short_delivery_credited_in_part_and_whole(self):
        order = self.order(self.by_delivery())
        self.deliver(order, 6)
        invoice = self.invoice(order)
        self.credit(invoice, quantities={0: 2})
        self.assertFigures(revenue=40, order_count=1)
        self.credit(invoice, quantities={0: 4})
        self.assertFigures(revenue=0, order_count=0)

    def test_short_delivery_reissued_stays(self):
        order = self.order(self.by_delivery())
        self.deliver(order, 6)
        self.reissue(self.invoice(order))
        self.assertFigures(revenue=60, order_count=1)

    def test_returned_after_the_invoice_and_credited_is_taken_once(self):
        order = self.order(self.by_delivery())
        self.deliver(order, 10)
        self.invoice(order)
        self.deliver(order, 6)
        self.assertFigures(revenue=100)
        credit_note = self.invoice(order, days_ago=5)
        self.assertEqual(credit_note.move_type, "out_refund")
        self.assertFigures(revenue=60, order_count=1)

    def test_more_delivered_and_partly_credited(self):
        order = self.order(self.by_delivery())
        self.deliver(order, 12)
        self.credit(self.invoice(order), quantities={0: 5})
        self.assertFigures(revenue=70, order_count=1)

    def test_draft_credit_note_changes_nothing(self):
        order = self.order(self.by_delivery())
        self.deliver(order, 6)
        invoice = self.invoice(order)
        credit_note = self.credit(invoice, post=False)
        self.assertFigures(revenue=60)
        credit_note.action_post()
        self.assertFigures(revenue=0, order_count=0)

    def test_foreign_short_delivery(self):
        self.set_rates("EUR", {400: 0.5})
        order = self.order(self.by_delivery(), currency="EUR")
        self.deliver(order, 6)
        self.invoice(order)
        self.assertFigures(revenue=120, order_count=1)

    def test_delivered_without_having_been_ordered_counts_when_it_can_be_invoiced(self):
        order = self.order((1, 30), self.by_delivery(0, 10))
        self.deliver(order, 1, 3)
        self.assertFigures(revenue=60, order_count=1)
        self.credit(self.invoice(order), quantities={0: 0})
        self.assertFigures(revenue=30, order_count=1)

    def test_delivery_wakes_the_refresh(self):
        order = self.order(self.by_delivery())
        self.empty_queue()
        self.deliver(order, 6)
        self.assertIn((self.customer.id, self.company.id), self.queued())

    def test_value_as_margin_follows_the_quantity(self):
        if "margin" not in self.env["sale.order"]._fields:
            self.skipTest("Needs the app Margins (sale_margin).")
        self.delivered.standard_price = 4
        self.company.lifecycle_value = "margin"
        order = self.order(self.by_delivery())
        self.deliver(order, 6)
        self.invoice(order)
        self.assertFigures(revenue=60, clv_historical=36)
