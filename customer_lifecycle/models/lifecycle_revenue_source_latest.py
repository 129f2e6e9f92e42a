from odoo import api, fields, models
from odoo.exceptions import UserError


class LifecycleRevenueSource(models.Model):
    _inherit = "lifecycle.revenue.source"

    set_aside_count = fields.Integer(
        string="Documents Set Aside", compute="_compute_set_aside_count"
    )

    @api.depends_context("allowed_company_ids")
    @api.depends("state")
    def _compute_set_aside_count(self):
        """Only of those that can be looked at: the list of sources must not read all documents."""
        found = self.env["lifecycle.set.aside"]
        for source in self:
            source.set_aside_count = (
                found._count(self.env.company.sudo(), source) if source.state == "ready" else 0
            )

    def action_view_set_aside(self):
        """List the documents of this source that are not counted."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_set_aside_action"
        )
        return {**action, "domain": [("source_id", "=", self.id)]}

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
