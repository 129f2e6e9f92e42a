"""Points of confirmed orders follow credit notes, changes of the order and its cancellation.

In: orders with loyalty cards and their invoices and credit notes. Out: the difference in points,
booked on the card with a line in its history. Called when such a document is posted, reset,
cancelled or deleted, when lines of an order change, and when an order is cancelled.
"""

from odoo import fields, models
from odoo.tools import float_compare, float_is_zero, float_round

from ...tools.context import own, own_value
from .sale_order_points import DOCUMENTS


class AccountMove(models.Model):
    """Invoices and credit notes that take loyalty points back, or give them back."""

    _inherit = "account.move"

    # made by reversing an invoice and issuing it again
    lifecycle_reissue = fields.Boolean(readonly=True, copy=False)

    def _post(self, soft=True):
        posted = super()._post(soft)
        posted._lifecycle_settle_points()
        return posted

    def button_draft(self):
        result = super().button_draft()
        self._lifecycle_settle_points()
        return result

    def button_cancel(self):
        result = super().button_cancel()
        self._lifecycle_settle_points()
        return result

    def unlink(self):
        orders = self._lifecycle_orders()
        result = super().unlink()
        orders._lifecycle_settle_points(kind="credited")
        return result

    def _lifecycle_settle_points(self):
        self._lifecycle_orders()._lifecycle_settle_points(self[:1], kind="credited")

    def _lifecycle_orders(self):
        """Orders with points that the documents bill or credit."""
        if own_value(self.env, "lifecycle_settle_later"):
            return self.env["sale.order"].sudo()
        # sudo: accountants need not be allowed to see the order
        moves = self.sudo().filtered(lambda move: move.move_type in DOCUMENTS)
        lines = (moves | moves.reversed_entry_id).line_ids.sale_line_ids
        return lines.order_id.filtered(lambda order: order._lifecycle_loyalty_cards())


class SaleOrder(models.Model):
    """Points of orders that are cancelled or credited."""

    # each subject of quotations is in a file of its own
    _inherit = "sale.order"  # pylint: disable=consider-merging-classes-inherited

    # ----- CREDIT NOTES AND CHANGES -----

    def _lifecycle_settle_points(self, move=None, kind="changed"):
        """Let the points of confirmed orders follow what became of them.

        The points of what is left are worked out anew from the order's lines and all its
        documents, and only the difference to what was booked before is booked: doing it twice
        changes nothing. Points that were spent come back with the last of it, as when an order is
        cancelled.
        """
        if own_value(self.env, "lifecycle_settle_later"):
            return
        for order in self.sudo().exists().filtered(lambda one: one.state == "sale"):
            order._lifecycle_note_terms()
            for card in order._lifecycle_loyalty_cards():
                order._lifecycle_settle_card(card, move, kind)

    def _lifecycle_loyalty_cards(self):
        """Loyalty cards that a confirmed order has filled or spent from."""
        cards = self.coupon_point_ids.coupon_id | self.order_line.coupon_id
        return cards.filtered(
            lambda card: card.program_type == "loyalty" and card.program_id.is_nominative
        )

    def _lifecycle_settle_card(self, card, move, kind):
        lines = self._lifecycle_credit_lines(card)
        terms = self.coupon_point_ids.filtered(
            lambda entry: entry.coupon_id == card
        ).lifecycle_terms or {}
        left = self._lifecycle_left(terms.get("documents", ()))
        due = 0.0
        if self._lifecycle_is_gone(left):
            due = terms.get("given", 0.0) - self._lifecycle_spent(card)
        elif terms:
            due = terms["given"] - self._lifecycle_worth(card.program_id, terms, left)
        due = float_round(due, precision_digits=2)
        booked = sum(lines.mapped("lifecycle_taken"))
        change = due - booked
        if float_is_zero(change, precision_digits=2):
            return
        move = move.exists() if move else self.env["account.move"]
        if move.move_type == "out_invoice" and move.state == "posted" and change > 0:
            # less was delivered than ordered
            kind = "changed"
        values = {
            "lifecycle_kind": kind,
            "lifecycle_order_id": self.id,
            "lifecycle_move_id": move.id,
            "lifecycle_taken": change,
            "lifecycle_open": True,
        }
        if change > 0:
            short = change - max(card.points, 0)
            card._lifecycle_add_points(
                -change, lambda one: self._lifecycle_say_taken(one, move, kind, short), **values
            )
            return
        # of what was taken, no more than what the customer has really lost
        taken = sum(lines.mapped("used")) - sum(lines.mapped("issued"))
        # who comes back to a number of points has been told of it before
        card.with_context(loyalty_no_mail=booked > 0)._lifecycle_add_points(
            max(0.0, taken - due),
            lambda one: one.env._("Order %s: points given back", self.name)
            if kind == "credited"
            else one.env._("Order %s changed", self.name),
            **values,
        )

    def _lifecycle_say_taken(self, card, move, kind, short):
        if kind == "changed":
            text = card.env._("Order %s changed", self.name)
        elif move.state == "posted":
            text = card.env._(
                "Order %(order)s: credited with %(document)s",
                order=self.name,
                document=move.sudo().name,
            )
        else:
            text = card.env._("Order %s: credited", self.name)
        return self._lifecycle_say_short(card, text, short)

    def _lifecycle_say_short(self, card, text, short):
        """Add that points were spent already, and are not taken."""
        if float_compare(short, 0, precision_digits=2) <= 0:
            return text
        return card.env._(
            "%(text)s; %(points)s had been used before",
            text=text,
            points=card._format_points(float_round(short, precision_digits=2)).strip(),
        )

    def _lifecycle_credit_lines(self, card):
        return self.env["loyalty.history"].sudo().search(
            [
                ("lifecycle_order_id", "=", self.id),
                ("card_id", "=", card.id),
                ("lifecycle_open", "=", True),
            ]
        )

    def _lifecycle_spent(self, card):
        return sum(
            self.order_line.filtered(lambda line: line.coupon_id == card).mapped("points_cost")
        )

    def _compute_loyalty_data(self):
        """Show on the order the points that it gives now, not those of its first day."""
        super()._compute_loyalty_data()
        shown = self.filtered("loyalty_data")
        if not shown:
            return
        # sudo: as Odoo sums up the history
        booked = self.env["loyalty.history"].sudo()._read_group(
            [("lifecycle_order_id", "in", shown.ids), ("lifecycle_open", "=", True)],
            ["lifecycle_order_id"],
            ["issued:sum", "used:sum"],
        )
        for order, issued, used in booked:
            order = order.with_env(self.env)
            data = order.loyalty_data
            order.loyalty_data = {**data, "issued": max(0.0, data["issued"] + issued - used)}

    # ----- REWARDS OF CONFIRMED ORDERS -----

    def _update_programs_and_rewards(self):
        """Keep what a confirmed order has given: Odoo notes other points, which no card got."""
        self.ensure_one()
        orders = self._lifecycle_with_points()
        if not orders:
            return super()._update_programs_and_rewards()
        orders._lifecycle_note_terms()
        kept = [
            {"coupon_id": entry.coupon_id.id, "points": entry.points,
             "lifecycle_terms": entry.lifecycle_terms}
            for entry in self.sudo().coupon_point_ids
            if entry.lifecycle_terms
        ]
        result = super(
            SaleOrder, self.with_context(lifecycle_settle_later=own())
        )._update_programs_and_rewards()
        order = self.sudo()
        for values in kept:
            entry = order.coupon_point_ids.filtered(
                lambda one, values=values: one.coupon_id.id == values["coupon_id"]
            )
            if entry:
                entry.points = values["points"]
            else:
                entry.create({"order_id": order.id, **values})
        self._lifecycle_settle_points()
        return result

    # ----- CANCELLATION -----

    def _action_cancel(self):
        """Undo what was booked after the order was confirmed; Odoo takes back the rest.

        Odoo deletes the order's lines in the history of its cards and the points with them. What
        it was is said on the card. No card goes below nought.
        """
        undone = [
            (order, card, card.points)
            for order in self.sudo().filtered(lambda one: one.state == "sale")
            for card in order._lifecycle_loyalty_cards()
        ]
        # the orders are still confirmed when their draft invoices are cancelled
        later = self.with_context(lifecycle_settle_later=own())
        if undone:
            self.check_access("write")
            # sudo: Odoo deletes the order's points here, which it allows managers only
            later = later.sudo()
        for order, card, _points in undone:
            order._lifecycle_undo_booked(card)
        result = super(SaleOrder, later)._action_cancel()
        for order, card, points in undone:
            if order.state == "cancel":
                order._lifecycle_tell_cancelled(card, points)
            else:
                order._lifecycle_settle_points()
        return result

    def _lifecycle_undo_booked(self, card):
        """Take out the lines that followed the order, with their points."""
        lines = self._lifecycle_credit_lines(card)
        taken = sum(lines.mapped("used")) - sum(lines.mapped("issued"))
        if not float_is_zero(taken, precision_digits=2):
            # no news: the points are taken in the next moment
            card.with_context(loyalty_no_mail=True).points += taken
        lines.unlink()

    def _lifecycle_tell_cancelled(self, card, before):
        """Say on the card what the cancellation did, and let it not go below nought.

        :param before: points that were on the card before
        """
        missing = float_round(-card.points, precision_digits=2)
        if card.points < 0:
            card.with_context(loyalty_no_mail=True).points = 0.0
        spoken = card._lifecycle_spoken()
        if missing > 0:
            # were spent on other orders, and stay the customer's
            self.env["loyalty.history"].sudo().create(
                {
                    "card_id": card.id,
                    "description": self._lifecycle_say_short(
                        spoken, spoken.env._("Order %s cancelled", self.name), missing
                    ),
                    "issued": missing,
                    "lifecycle_kind": "cancelled",
                    "lifecycle_order_id": self.id,
                }
            )
        change = float_round(card.points - before, precision_digits=2)
        text = (
            self.env._("Order %(order)s cancelled: %(points)s given back")
            if change > 0
            else self.env._("Order %(order)s cancelled: %(points)s taken back")
        )
        note = text % {
            "order": self.name, "points": card._format_points(abs(change)).strip()
        }
        card._message_log(body=self._lifecycle_say_short(card, note, missing))
