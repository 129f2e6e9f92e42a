"""Why points changed besides an order's own: bonus, expiry, cancelled orders, credit notes.

In: changes of points that cards, credit notes, tills and the expiry write down. Out: the reason
and the document of each line, which a button opens. Read by the list on the card; quotations and
tills have the factor of a VIP tier explained here.
"""

from odoo import api, fields, models


class LoyaltyHistory(models.Model):
    """What happened to points outside of orders, and the document it happened by.

    The standard reference to an order is that of a living order's points: Odoo deletes and adds
    up by it. These lines have references of their own.
    """

    _inherit = "loyalty.history"

    lifecycle_kind = fields.Selection(
        [
            ("welcome", "Welcome bonus"),
            ("expired", "Expired"),
            ("cancelled", "Order cancelled"),
            ("credited", "Credit note"),
            ("changed", "Order changed"),
        ],
        string="Reason",
        readonly=True,
    )
    lifecycle_order_id = fields.Many2one(
        "sale.order", string="Sales Order", readonly=True, ondelete="set null",
        index="btree_not_null",
    )
    lifecycle_move_id = fields.Many2one(
        "account.move", string="Invoice or Credit Note", readonly=True, ondelete="set null",
        index="btree_not_null",
    )
    # points that should have been taken, also where the card had no more
    lifecycle_taken = fields.Float(readonly=True)
    # of a living order; a cancelled one starts anew
    lifecycle_open = fields.Boolean(readonly=True)
    lifecycle_document = fields.Char(string="Document", compute="_compute_lifecycle_document")

    @api.depends("order_id", "order_model", "lifecycle_order_id", "lifecycle_move_id")
    def _compute_lifecycle_document(self):
        for line in self:
            # sudo: the number only, which the description names as well
            record = line._lifecycle_record().sudo().exists()
            # the display name of a credit note tells its reason as well
            name = record.name if record._name == "account.move" else record.display_name
            line.lifecycle_document = name or False

    def _lifecycle_record(self):
        self.ensure_one()
        if self.lifecycle_move_id or self.lifecycle_order_id:
            return self.lifecycle_move_id or self.lifecycle_order_id
        if self.order_id and self.order_model in self.env:
            return self.env[self.order_model].browse(self.order_id)
        return self.env["sale.order"]

    def _lifecycle_explain(self, order, multiplier):
        """Say why these are more points than the rule gives.

        :param order: name of the order
        :param multiplier: ``lifecycle.loyalty.multiplier``
        """
        for line in self:
            env = line.card_id._lifecycle_spoken().env
            line.description = env._(
                "Order %(order)s: points × %(factor)s for %(level)s",
                order=order,
                factor=f"{multiplier.factor:g}",
                level=multiplier.tier_id.with_env(env).public_name or multiplier.tier_id.name,
            )

    def action_lifecycle_document(self):
        """Open the document that the points came or went by."""
        self.ensure_one()
        record = self._lifecycle_record()
        if not record:
            return False
        return {
            "type": "ir.actions.act_window",
            "res_model": record._name,
            "res_id": record.id,
            "views": [(False, "form")],
        }
