from odoo import api, fields, models


class LifecycleWorkflowEnter(models.TransientModel):
    """Asks which running workflow one customer is to enter."""

    _name = "lifecycle.workflow.enter"
    _description = "Start a Customer Workflow for One Customer"

    profile_id = fields.Many2one(
        "lifecycle.profile", string="Customer", required=True, ondelete="cascade", readonly=True
    )
    allowed_ids = fields.Many2many("lifecycle.workflow", compute="_compute_allowed_ids")
    workflow_id = fields.Many2one(
        "lifecycle.workflow",
        required=True,
        ondelete="cascade",
        domain="[('id', 'in', allowed_ids)]",
    )
    description = fields.Text(related="workflow_id.description")

    @api.depends("profile_id")
    def _compute_allowed_ids(self):
        for wizard in self:
            wizard.allowed_ids = wizard.profile_id._workflows_to_start()

    def action_enter(self):
        self.ensure_one()
        self.workflow_id._enter_by_hand(self.profile_id)
        return {"type": "ir.actions.act_window_close"}
