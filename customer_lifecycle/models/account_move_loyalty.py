from odoo import fields, models
from odoo.tools import float_compare, float_is_zero, float_round

DOCUMENTS = ("out_invoice", "out_refund")


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
        orders._lifecycle_settle_points()
        return result

    def _lifecycle_settle_points(self):
        self._lifecycle_orders()._lifecycle_settle_points(self[:1])

    def _lifecycle_orders(self):
        """Orders with points that the documents bill or credit."""
        if self.env.context.get("lifecycle_settle_later"):
            return self.env["sale.order"].sudo()
        # sudo: accountants need not be allowed to see the order
        moves = self.sudo().filtered(lambda move: move.move_type in DOCUMENTS)
        lines = (moves | moves.reversed_entry_id).line_ids.sale_line_ids
        return lines.order_id.filtered(lambda order: order._lifecycle_loyalty_cards())


class SaleOrder(models.Model):
    """Points of orders that are cancelled or credited."""

    # each subject of quotations is in a file of its own
    _inherit = "sale.order"  # pylint: disable=consider-merging-classes-inherited

    # ----- CREDIT NOTES -----

    def _lifecycle_settle_points(self, move=None):
        """Take the points of what was credited, give back those of what is invoiced again.

        The points that should be taken are worked out anew from all documents of the order, and
        only the difference to what was taken before is booked: doing it twice changes nothing.
        Points are taken in proportion. Points that were spent come back with the last of it, as
        when an order is cancelled.
        """
        for order in self.sudo().filtered(lambda one: one.state == "sale"):
            for card in order._lifecycle_loyalty_cards():
                order._lifecycle_settle_card(card, move)

    def _lifecycle_loyalty_cards(self):
        """Loyalty cards that a confirmed order has filled or spent from."""
        cards = self.coupon_point_ids.coupon_id | self.order_line.coupon_id
        return cards.filtered(
            lambda card: card.program_type == "loyalty" and card.program_id.is_nominative
        )

    def _lifecycle_earned(self, card):
        return sum(
            self.coupon_point_ids.filtered(lambda entry: entry.coupon_id == card).mapped("points")
        )

    def _lifecycle_settle_card(self, card, move):
        lines = self._lifecycle_credit_lines(card)
        share = self._lifecycle_credited_share(card.program_id)
        if not share and not lines:
            return
        due = float_round(self._lifecycle_earned(card) * share, precision_digits=2)
        if share == 1:
            due -= self._lifecycle_spent(card)
        booked = sum(lines.mapped("lifecycle_taken"))
        change = due - booked
        if float_is_zero(change, precision_digits=2):
            return
        move = move.exists() if move else self.env["account.move"]
        values = {
            "lifecycle_kind": "credited",
            "lifecycle_order_id": self.id,
            "lifecycle_move_id": move.id,
            "lifecycle_taken": change,
            "lifecycle_open": True,
        }
        if change > 0:
            document = move.sudo().name if move.state == "posted" else False
            short = change - max(card.points, 0)
            card._lifecycle_add_points(
                -change, lambda one: self._lifecycle_say_taken(one, document, short), **values
            )
            return
        # no more than what the customer has really lost
        taken = sum(lines.mapped("used")) - sum(lines.mapped("issued"))
        card._lifecycle_add_points(
            max(0.0, taken - due),
            lambda one: one.env._("Order %s: points given back", self.name),
            **values,
        )

    def _lifecycle_say_taken(self, card, document, short):
        if document:
            text = card.env._(
                "Order %(order)s: credited with %(document)s", order=self.name, document=document
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

    def _lifecycle_credited_share(self, program):
        """Share of an order that was credited and not invoiced again, between 0 and 1.

        Of the lines that the program gives points for. An invoice counts as new first; one that
        replaces a credit note, or that is larger than what was never invoiced, as invoicing again
        what was credited. Invoices that are still a draft count as well.
        """
        lines = self._lifecycle_earning_lines(program)
        total = sum(lines.mapped("price_total"))
        if self.currency_id.compare_amounts(total, 0) <= 0:
            return 0.0
        fresh, credited = total, 0.0
        for move, amount in self._lifecycle_billed(lines):
            if move.move_type == "out_refund":
                credited += amount
                continue
            again = 0.0
            if move.lifecycle_reissue or self.currency_id.compare_amounts(amount, fresh) > 0:
                again = min(amount, credited)
            credited -= again
            fresh = max(0.0, fresh - (amount - again))
        share = credited / total
        if float_compare(share, 1, precision_digits=4) >= 0:
            return 1.0
        return 0.0 if self.currency_id.compare_amounts(credited, 0) <= 0 else share

    def _lifecycle_earning_lines(self, program):
        lines = self.order_line.filtered(
            lambda line: not line.display_type and not line.is_downpayment
        )
        products = self.env["product.product"].union(
            *(
                products
                for _rule, products in program._get_valid_products(lines.product_id).items()
            )
        )
        return lines.filtered(lambda line: line.product_id in products) or lines

    def _lifecycle_billed(self, lines):
        """List of (invoice or credit note, its amount of some order lines), oldest first."""
        invoices = self.order_line.invoice_lines.move_id
        refunds = self.env["account.move"].sudo().search(
            [("reversed_entry_id", "in", invoices.ids), ("move_type", "=", "out_refund")]
        )
        billed = []
        for move in (invoices | refunds).sorted("id"):
            if move.move_type not in DOCUMENTS or not (
                move.state == "posted"
                or (move.state == "draft" and move.move_type == "out_invoice")
            ):
                continue
            theirs = move.invoice_line_ids.filtered(lambda line: line.display_type == "product")
            amount = sum(
                theirs.filtered(lambda line: line.sale_line_ids & lines).mapped("price_total")
            )
            if move in refunds and move.reversed_entry_id.line_ids.sale_line_ids.order_id == self:
                # a sum without an order line, on the credit note of an invoice of this order
                amount += sum(
                    theirs.filtered(lambda line: not line.sale_line_ids).mapped("price_total")
                )
            if move.currency_id != self.currency_id:
                amount = move.currency_id._convert(
                    amount, self.currency_id, self.company_id, move.invoice_date or move.date
                )
            billed.append((move, amount))
        return billed

    # ----- CANCELLATION -----

    def _action_cancel(self):
        """Keep the lines of the points' history, which Odoo deletes, and add one that takes them.

        Points that a credit note has taken before are not taken again, and no card goes below
        nought.
        """
        taken_back = [
            (order, card, order._lifecycle_earned(card), order._lifecycle_spent(card))
            for order in self.sudo().filtered(lambda one: one.state == "sale")
            for card in order._lifecycle_loyalty_cards()
        ]
        for order, card, _points, _spent in taken_back:
            order._lifecycle_own_lines(card)
        # the orders are still confirmed when their draft invoices are cancelled
        later = self.with_context(lifecycle_settle_later=True)
        if taken_back:
            self.check_access("write")
            # sudo: Odoo deletes the order's points here, which it allows managers only
            later = later.sudo()
        result = super(SaleOrder, later)._action_cancel()
        for order, card, points, spent in taken_back:
            if order.state == "cancel":
                order._lifecycle_book_cancelled(card, points, spent)
        return result

    def _lifecycle_own_lines(self, card):
        """Take the order's lines out of the reach of Odoo, which would delete them."""
        self.env["loyalty.history"].sudo().search(
            [
                ("card_id", "=", card.id),
                ("order_model", "=", self._name),
                ("order_id", "=", self.id),
            ]
        ).write({"order_model": False, "order_id": False, "lifecycle_order_id": self.id})

    def _lifecycle_book_cancelled(self, card, points, spent):
        lines = self._lifecycle_credit_lines(card)
        before = sum(lines.mapped("used")) - sum(lines.mapped("issued"))
        lines.lifecycle_open = False
        balance = card.points + before
        card.points = max(balance, 0.0)
        # what is missing was spent on other orders
        taken = points - spent - before + min(balance, 0.0)
        spoken = card._lifecycle_spoken()
        self.env["loyalty.history"].sudo().create(
            {
                "card_id": card.id,
                "description": self._lifecycle_say_short(
                    spoken, spoken.env._("Order %s cancelled", self.name), -balance
                ),
                "issued": max(-taken, 0.0),
                "used": max(taken, 0.0),
                "lifecycle_kind": "cancelled",
                "lifecycle_order_id": self.id,
            }
        )
