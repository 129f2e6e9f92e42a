"""Points of an order whose rest will not be delivered.

Comes in: transfers of confirmed orders that are cancelled, as a backorder is after what came was
invoiced. Goes out: the order's points, worked out anew. Called by the inventory app's moves, which
cannot be inherited from while they may not be there.
"""

from odoo import api, models


class LifecycleDeliveryPoints(models.AbstractModel):
    """What becomes of the points when a transfer is cancelled."""

    _name = "lifecycle.delivery.points"
    _description = "Points of Cancelled Deliveries"

    def _register_hook(self):
        super()._register_hook()
        model_class = self.env.registry.get("stock.move")
        if model_class is None or "sale_line_id" not in self.env["stock.move"]._fields:
            return
        if getattr(model_class.__dict__.get("_action_cancel"), "lifecycle_points", False):
            return

        def _action_cancel(self):
            result = _action_cancel.origin(self)
            self.env["lifecycle.delivery.points"]._settle(self)
            return result

        _action_cancel.origin = model_class._action_cancel
        _action_cancel.lifecycle_points = True
        model_class._action_cancel = _action_cancel

    def _unregister_hook(self):
        result = super()._unregister_hook()
        model_class = self.env.registry.get("stock.move")
        method = model_class is not None and model_class.__dict__.get("_action_cancel")
        if getattr(method, "lifecycle_points", False):
            del model_class._action_cancel
        return result

    @api.model
    def _settle(self, moves):
        """Let the points of the orders of some moves follow.

        :param moves: stock.move records
        """
        # sudo: who works in the warehouse need not be allowed to see the order
        orders = moves.sudo().sale_line_id.order_id
        if orders:
            orders._lifecycle_with_points()._lifecycle_settle_points()
