"""Lines of orders: points of confirmed orders follow them.

In: lines that are created, changed or deleted. Out: the points of their orders, settled once
afterwards; how much of a line was bought. Called by whoever saves an order; the points of the order
ask for the quantity.
"""

from odoo import api, models
from odoo.tools import float_compare

#: of a line of a confirmed order; writing one of them changes what was bought
BOUGHT = {
    "product_id", "product_uom_id", "product_uom_qty", "price_unit", "discount", "tax_ids"
}


class SaleOrderLine(models.Model):
    """Lines of confirmed orders: the points follow what becomes of them."""

    # each subject of quotations is in a file of its own
    _inherit = "sale.order.line"  # pylint: disable=consider-merging-classes-inherited

    # reward lines are few among many: the cost of a programme is read from them alone
    _lifecycle_reward_idx = models.Index("(reward_id) WHERE reward_id IS NOT NULL")

    @api.model_create_multi
    def create(self, vals_list):
        orders = self.env["sale.order"].browse(
            list({vals["order_id"] for vals in vals_list if vals.get("order_id")})
        )
        settle = orders._lifecycle_before_change()
        lines = super().create(vals_list)
        settle()
        return lines

    def write(self, vals):
        if not BOUGHT & vals.keys():
            return super().write(vals)
        settle = self.order_id._lifecycle_before_change()
        result = super().write(vals)
        settle()
        return result

    def unlink(self):
        settle = self.order_id._lifecycle_before_change()
        result = super().unlink()
        settle()
        return result

    def _lifecycle_is_discount_of(self, program):
        """Whether a reward does not count for the minimum of a program, as the loyalty app says."""
        reward = self.reward_id
        return reward.reward_type == "discount" and (
            reward.program_id.trigger == "auto" or reward.program_id == program
        )

    def _lifecycle_bought_quantity(self, invoiced):
        """Pieces that were bought: those ordered, until goods that are billed by delivery are done.

        Where nothing is on its way any more and all that was delivered was invoiced, what was
        delivered was bought: less than ordered, or more.

        :param invoiced: pieces on invoices, whatever of them was credited later
        """
        self.ensure_one()
        if "move_ids" not in self._fields or self.product_id.invoice_policy != "delivery":
            return self.product_uom_qty
        moves = self.move_ids
        if not moves or any(move.state not in ("done", "cancel") for move in moves):
            return self.product_uom_qty
        if float_compare(invoiced, self.qty_delivered, precision_digits=3) < 0:
            return self.product_uom_qty
        return self.qty_delivered
