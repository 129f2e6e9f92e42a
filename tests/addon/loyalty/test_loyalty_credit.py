"""Points come back to the company when an order is cancelled or credited, with a trace."""

from odoo import Command
from odoo.tools import html2plaintext

from ..common_loyalty import CreditCase


class TestCredit(CreditCase):
    def card(self):
        return self.cards(self.ann)

    def spend(self, order):
        """Put the program's reward on a quotation."""
        order._update_programs_and_rewards()
        order._apply_program_reward(self.program.reward_ids, self.card())
        order._update_programs_and_rewards()

    def sell_and_spend(self):
        """An order that spends points of a former one; return it and the card."""
        self.sell(self.ann)
        order = self.quote(self.ann)
        self.spend(order)
        order.action_confirm()
        card = self.card()
        self.assertEqual(card.points, 100 + 100 - 50)
        return order, card

    def spend_with_another_order(self):
        """Spend 50 of the 100 points on the card, which gives 10; return the card."""
        other = self.quote(self.ann, 10)
        self.spend(other)
        other.action_confirm()
        card = self.card()
        self.assertEqual(card.points, 60)
        return card

    # ----- CANCELLATION -----

    def told(self, card):
        """The latest note on a card, as text."""
        return html2plaintext(card.message_ids.sorted("id")[-1:].body).strip()

    def test_cancelled_order_takes_its_points_and_is_told_on_the_card(self):
        order = self.sell(self.ann)
        card = self.card()
        self.assertEqual(card.points, 100)
        order._action_cancel()
        self.assertEqual(card.points, 0)
        self.assertFalse(card.history_ids, "Odoo deletes the order's lines")
        self.assertEqual(
            self.told(card), f"Order {order.name} cancelled: 100 Points taken back"
        )

    def test_cancelled_order_gives_spent_points_back(self):
        order, card = self.sell_and_spend()
        order._action_cancel()
        self.assertEqual(card.points, 100)
        self.assertEqual(
            self.told(card), f"Order {order.name} cancelled: 50 Points taken back"
        )
        self.assertBalanced(card)

    def test_cancelled_and_confirmed_again(self):
        order = self.sell(self.ann)
        order._action_cancel()
        order.action_draft()
        order.action_confirm()
        card = self.card()
        self.assertEqual(card.points, 100)
        self.assertEqual(order.loyalty_data["issued"], 100, "not those of its former life")
        order._action_cancel()
        self.assertEqual(card.points, 0)
        self.assertBalanced(card)

    def test_card_does_not_go_below_nought(self):
        order = self.sell(self.ann)
        card = self.spend_with_another_order()
        order._action_cancel()
        self.assertEqual(card.points, 0)
        self.assertEqual(
            self.history(card)[-1],
            ("cancelled", f"Order {order.name} cancelled; 40 Points had been used before", 40, 0),
        )
        # the next order is confirmed as ever
        self.sell(self.ann, 20)
        self.assertEqual(card.points, 20)
        self.assertBalanced(card)

    def test_salesperson_cancels(self):
        seller = self.new_user("loyalty_seller", "sales_team.group_sale_salesman", self.home)
        order = self.sell(self.ann, user_id=seller.id)
        order.with_user(seller)._action_cancel()
        self.assertEqual(self.card().points, 0)
        self.assertBalanced(self.card())

    # ----- CREDIT NOTES -----

    def test_full_credit_takes_all_points_once(self):
        order = self.sell(self.ann)
        refund = self.credit(self.invoice(order))
        card = self.card()
        self.assertEqual(card.points, 0)
        self.assertEqual(
            self.history(card)[-1],
            ("credited", f"Order {order.name}: credited with {refund.name}", 0, 100),
        )
        self.assertEqual(card.history_ids.lifecycle_move_id, refund)
        order._lifecycle_settle_points(refund)
        self.assertEqual(len(card.history_ids), 2, "asked again, nothing happens")

    def test_part_is_taken_in_proportion(self):
        order = self.sell(self.ann)
        invoice = self.invoice(order)
        self.credit(invoice, quantity=3)
        self.assertEqual(self.card().points, 70)
        self.credit(invoice, quantity=2)
        self.assertEqual(self.card().points, 50)
        self.assertEqual([line[3] for line in self.history(self.card())], [0, 30, 20])

    def test_multiplied_points_are_taken_in_proportion(self):
        self.new_profile(self.ann, vip_tier_id=self.gold.id)
        self.program.lifecycle_multiplier_ids = [
            Command.create({"tier_id": self.gold.id, "factor": 2})
        ]
        self.credit(self.invoice(self.sell(self.ann)), quantity=4)
        self.assertEqual(self.card().points, 120)

    def test_reverse_and_issue_again_leaves_the_points(self):
        order = self.sell(self.ann)
        invoice = self.invoice(order)
        again = self.reverse(invoice, modify=True)
        card = self.card()
        self.assertEqual((card.points, len(card.history_ids)), (100, 1))
        again.action_post()
        self.assertEqual((card.points, len(card.history_ids)), (100, 1))
        # issued again for less
        third = self.reverse(again, modify=True)
        third.invoice_line_ids[0].quantity = 6
        third.action_post()
        self.assertEqual(card.points, 60)

    def test_new_invoice_that_is_thrown_away_takes_the_points(self):
        order = self.sell(self.ann)
        again = self.reverse(self.invoice(order), modify=True)
        self.assertEqual(self.card().points, 100)
        again.unlink()
        self.assertEqual(self.card().points, 0)

    def test_credit_note_back_to_draft_gives_points_back(self):
        order = self.sell(self.ann)
        refund = self.credit(self.invoice(order), quantity=3)
        refund.button_draft()
        card = self.card()
        self.assertEqual(card.points, 100)
        self.assertEqual(
            self.history(card)[-1], ("credited", f"Order {order.name}: points given back", 30, 0)
        )
        refund.action_post()
        self.assertEqual(card.points, 70)
        self.assertBalanced(card)

    def test_credited_and_invoiced_again_from_the_order(self):
        order = self.sell(self.ann)
        self.credit(self.invoice(order))
        self.assertEqual(self.card().points, 0)
        self.invoice(order)
        self.assertEqual(self.card().points, 100)
        self.assertBalanced(self.card())

    def test_credit_of_a_part_invoice(self):
        order = self.sell(self.ann)
        first = self.invoice(order, post=False)
        first.invoice_line_ids[0].quantity = 4
        first.action_post()
        self.credit(first, quantity=1)
        self.assertEqual(self.card().points, 90)
        # the rest of the order: what came back stays credited
        rest = self.invoice(order, post=False)
        rest.invoice_line_ids[0].quantity = 6
        rest.action_post()
        self.assertEqual(self.card().points, 90)

    def test_sum_without_an_order_line_on_a_credit_note(self):
        order = self.sell(self.ann)
        refund = self.reverse(self.invoice(order))
        refund.invoice_line_ids = [
            Command.delete(refund.invoice_line_ids.id),
            Command.create({"name": "Goodwill", "quantity": 1, "price_unit": 25,
                            "tax_ids": False}),
        ]
        refund.action_post()
        self.assertEqual(self.card().points, 75)

    def test_only_lines_that_gave_points_count(self):
        self.program.rule_ids.product_ids = self.item
        order = self.quote(self.ann)
        order.order_line = [
            Command.create({"product_id": self.other.id, "product_uom_qty": 1, "price_unit": 300,
                            "tax_ids": False})
        ]
        order.action_confirm()
        self.assertEqual(self.card().points, 100)
        invoice = self.invoice(order)
        refund = self.reverse(invoice)
        refund.invoice_line_ids.filtered(lambda line: line.product_id == self.item).unlink()
        refund.action_post()
        self.assertEqual(self.card().points, 100, "the cups gave no points")

    def test_spent_points_come_back_with_the_last_of_the_order(self):
        order, card = self.sell_and_spend()
        self.credit(self.invoice(order))
        self.assertEqual(card.points, 100)
        self.assertBalanced(card)

    def test_points_that_were_used_are_not_taken_twice(self):
        order = self.sell(self.ann)
        card = self.spend_with_another_order()
        refund = self.credit(self.invoice(order))
        self.assertEqual(card.points, 0)
        self.assertEqual(
            self.history(card)[-1][1],
            f"Order {order.name}: credited with {refund.name}; 40 Points had been used before",
        )
        # only what was really taken comes back
        refund.button_draft()
        self.assertEqual(card.points, 60)
        self.assertBalanced(card)

    def test_credited_then_cancelled(self):
        order = self.sell(self.ann)
        self.sell(self.ann, 500)
        self.credit(self.invoice(order), quantity=3)
        card = self.card()
        self.assertEqual(card.points, 570)
        order._action_cancel()
        self.assertEqual(card.points, 500, "30 of 100 were taken before")
        self.assertBalanced(card)
        self.assertFalse(card.history_ids.filtered("lifecycle_open"))

    def test_history_speaks_the_customers_language(self):
        self.env["res.lang"]._activate_lang("de_DE")
        self.ann.lang = "de_DE"
        spoken = self.new_card(self.ann)._lifecycle_spoken()
        self.assertEqual(spoken.env.lang, "de_DE")

    def test_history_is_not_seen_from_another_company(self):
        order = self.sell(self.ann)
        invoice = self.invoice(order)
        other = self.new_company("Elsewhere")
        user = self.new_user("elsewhere", "sales_team.group_sale_salesman", other)
        self.credit(invoice, quantity=3)
        self.assertEqual(self.card().points, 70)
        history = self.env["loyalty.history"].with_user(user).with_context(
            allowed_company_ids=other.ids
        )
        self.assertFalse(history.search([("lifecycle_order_id", "=", order.id)]))
