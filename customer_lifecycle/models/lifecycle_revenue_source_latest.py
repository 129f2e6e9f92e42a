from odoo import models
from odoo.exceptions import UserError


class LifecycleRevenueSource(models.Model):
    _inherit = "lifecycle.revenue.source"

    def action_view_latest(self):
        """List the latest purchases that this source finds, to see whether they are right."""
        self.ensure_one()
        if self.state != "ready":
            raise UserError(self.state_message)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_purchase_action"
        )
        return {
            **action,
            "display_name": self.env._("Latest purchases: %s", self.name),
            "domain": [],
            "context": {"lifecycle_source_id": self.id},
        }
