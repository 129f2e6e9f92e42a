"""Cases of everyday books, each with its one right value on both bases.

Every case is written by Odoo's own methods and says what the customer has bought in the end:
(number of purchase days, net revenue) where orders count, and where invoices count.
"""

from odoo.fields import Command

from ..common_money import MoneyCase

NOBODY = (None, None)
NOTHING = (0, 0)


class MoneyCases(MoneyCase):
    def assertBought(self, orders, invoices, partner=None):
        for basis, (number, revenue) in (("orders", orders), ("invoices", invoices)):
            self.company.lifecycle_basis = basis
            with self.subTest(basis=basis):
                self.assertFigures(partner, order_count=number, revenue=revenue)

    def advance(self, order, amount, days_ago=25):
        """A posted down payment of a fixed amount, made by Odoo's wizard."""
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

    def discount(self, order, kind, amount):
        """Odoo's button "Discount" on an order."""
        name = "discount_amount" if kind == "amount" else "discount_percentage"
        self.env["sale.order.discount"].create(
            {"sale_order_id": order.id, "discount_type": kind, name: amount}
        ).action_apply_discount()

    def new_tax(self, rate, **values):
        return self.env["account.tax"].create(
            {"name": f"{rate} %", "amount": rate, "company_id": self.company.id, **values}
        )


class TestMoneyCases(MoneyCases):
    def test_discount_of_the_wizard(self):
        for kind, amount in (("sol_discount", 0.1), ("so_discount", 0.1), ("amount", 20)):
            with self.subTest(kind=kind):
                partner = self.new_customer(kind)
                order = self.order((2, 100), partner=partner)
                self.discount(order, kind, amount)
                invoice = self.invoice(order)
                self.assertBought((1, 180), (1, 180), partner)
                self.credit(invoice)
                self.assertBought(NOTHING, NOTHING, partner)

    def test_wholly_free(self):
        order = self.order((2, 100))
        self.discount(order, "so_discount", 1)
        self.invoice(order)
        self.assertBought(NOTHING, NOTHING)

    def test_fixed_down_payment(self):
        order = self.order((2, 100))
        advance = self.advance(order, 50)
        self.assertBought((1, 200), NOTHING)
        final = self.invoice(order, days_ago=5)
        self.assertBought((1, 200), (1, 200))
        self.credit(final)
        self.credit(advance)
        self.assertBought(NOTHING, NOTHING)

    def test_down_payment_given_back_before_the_final_invoice(self):
        order = self.order((2, 100))
        self.credit(self.down_payment(order, 50))
        self.assertBought((1, 200), NOTHING)
        self.invoice(order, days_ago=5)
        self.assertBought((1, 200), (1, 200))

    def test_foreign_down_payment_at_another_rate(self):
        self.set_rates("EUR", {400: 0.5, 10: 0.8})
        order = self.order((2, 100), currency="EUR")
        self.advance(order, 50)
        final = self.invoice(order, days_ago=5)
        self.assertBought((1, 400), (1, 250))
        self.credit(final, days_ago=1)
        self.assertBought(NOTHING, NOTHING)

    def test_combo(self):
        parts = self.env["product.product"].create(
            [{"name": name, "type": "consu", "taxes_id": False, "invoice_policy": "order"}
             for name in ("Dish", "Drink")]
        )
        choices = self.env["product.combo"].create(
            [{"name": one.name, "combo_item_ids": [Command.create({"product_id": one.id})]}
             for one in parts]
        )
        menu = self.env["product.product"].create(
            {"name": "Menu", "type": "combo", "list_price": 35, "taxes_id": False,
             "combo_ids": [Command.set(choices.ids)]}
        )
        order = self.env["sale.order"].create(
            {"partner_id": self.customer.id, "company_id": self.company.id}
        )
        lines = self.env["sale.order.line"]
        parent = lines.create(
            {"order_id": order.id, "product_id": menu.id, "product_uom_qty": 2}
        )
        lines.create(
            [
                {"order_id": order.id, "product_id": one.id, "product_uom_qty": 2,
                 "combo_item_id": choice.combo_item_ids.id, "linked_line_id": parent.id}
                for one, choice in zip(parts, choices, strict=True)
            ]
        )
        order.action_confirm()
        self.assertBought((1, 70), NOBODY)
        invoice = self.invoice(order)
        self.assertBought((1, 70), (1, 70))
        self.credit(invoice)
        self.assertBought(NOTHING, NOTHING)

    def test_documents_of_other_kinds(self):
        self.move("out_receipt", 50)
        for kind in ("in_invoice", "in_refund", "in_receipt"):
            self.move(kind, 70)
        self.assertBought(NOBODY, (1, 50))

    def test_sections_notes_empty_lines_and_locked_orders(self):
        words = {"product_id": False, "product_uom_qty": 0, "name": "Words"}
        order = self.order(
            {**words, "display_type": "line_section"}, (0, 100), (1, 40),
            {**words, "display_type": "line_note"},
        )
        order.action_lock()
        self.invoice(order)
        self.assertBought((1, 40), (1, 40))

    def test_line_emptied_after_the_confirmation(self):
        order = self.order((1, 100), (2, 20))
        order.order_line[1].product_uom_qty = 0
        self.invoice(order)
        self.assertBought((1, 100), (1, 100))

    def test_prices_with_tax(self):
        tax = self.new_tax(20, price_include_override="tax_included")
        order = self.order({"product_uom_qty": 3, "price_unit": 120, "tax_ids": tax.ids})
        self.credit(self.invoice(order), quantities={0: 1})
        self.assertBought((1, 200), (1, 200))

    def test_two_credit_notes_of_different_taxes(self):
        order = self.order(
            {"product_uom_qty": 3, "price_unit": 33.33, "tax_ids": self.new_tax(7).ids},
            {"product_uom_qty": 3, "price_unit": 66.67, "tax_ids": self.new_tax(19).ids},
        )
        invoice = self.invoice(order)
        self.credit(invoice, quantities={0: 1, 1: 0})
        self.assertBought((1, 266.67), (1, 266.67))
        self.credit(invoice, quantities={0: 2})
        self.assertBought(NOTHING, NOTHING)

    def test_one_of_two_invoices_credited(self):
        order = self.order((4, 50))
        first = self.invoice(order, quantities={0: 1})
        self.invoice(order, days_ago=15)
        self.credit(first)
        self.assertBought((1, 150), (1, 150))

    def test_credit_note_thrown_away(self):
        note = self.credit(self.invoice(self.order((4, 50))))
        note.button_draft()
        note.button_cancel()
        self.assertBought((1, 200), (1, 200))

    def test_invoice_turned_into_a_credit_note(self):
        self.invoice(self.order((4, 50)))
        move = self.env["account.move"].create(
            {
                "move_type": "out_invoice", "partner_id": self.customer.id,
                "invoice_date": self.day(3),
                "invoice_line_ids": [
                    Command.create(
                        {"name": "Goodwill", "quantity": 1, "price_unit": 30, "tax_ids": False}
                    )
                ],
            }
        )
        move.action_switch_move_type()
        move.action_post()
        self.assertBought((1, 170), (1, 170))

    def test_gift_card_sold_to_one_and_spent_by_another(self):
        program = self.payment_program()
        other = self.new_customer("Spender")
        self.invoice(self.order(self.fill(program, 50)))
        self.invoice(self.order(80, partner=other, pay_with=program.coupon_ids))
        self.assertBought(NOTHING, NOTHING)
        self.assertBought((1, 80), (1, 80), other)

    def test_top_up_given_back(self):
        program = self.payment_program("ewallet")
        self.credit(self.invoice(self.order(self.fill(program, 50))))
        self.assertBought(NOTHING, NOTHING)

    # ----- WHAT WAS WRONG ONCE -----

    def test_credit_note_larger_than_what_it_takes_back(self):
        invoice = self.invoice(self.order(100))
        note = self.credit(invoice, post=False)
        note.invoice_line_ids.price_unit = 150
        note.action_post()
        self.assertBought(NOTHING, NOTHING)

    def test_cash_that_is_rounded_is_no_revenue(self):
        account = self.env["account.account"].search(
            [("company_ids", "in", self.company.ids), ("account_type", "=", "expense")], limit=1
        )
        rounding = self.env["account.cash.rounding"].create(
            {
                "name": "To 0.05", "rounding": 0.05, "strategy": "add_invoice_line",
                "rounding_method": "HALF-UP", "profit_account_id": account.id,
                "loss_account_id": account.id,
            }
        )
        invoice = self.invoice(self.order(10.02), post=False)
        invoice.invoice_cash_rounding_id = rounding
        invoice.action_post()
        self.assertTrue(invoice.line_ids.filtered(lambda one: one.display_type == "rounding"))
        self.assertBought((1, 10.02), (1, 10.02))
        self.credit(invoice)
        self.assertBought(NOTHING, NOTHING)

    def test_parts_of_a_foreign_invoice_leave_no_cent(self):
        self.set_rates("EUR", {400: 0.3, 10: 0.41})
        invoice = self.invoice(self.order((3, 33.35), currency="EUR"))
        for _each in range(3):
            self.credit(invoice, quantities={0: 1}, days_ago=5)
        self.assertBought(NOTHING, NOTHING)
