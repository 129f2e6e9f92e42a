"""Points of confirmed orders follow their invoices and credit notes.

In: documents of orders with loyalty cards. Out: the orders, which book the difference. Called when
such a document is posted, reset, cancelled or deleted.
"""

from odoo import fields, models

from ...tools.context import own_value
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
