from odoo import api, fields, models


class LifecycleWorkflowStart(models.TransientModel):
    """Asks who is to enter when a workflow starts."""

    _name = "lifecycle.workflow.start"
    _description = "Start a Customer Workflow"

    workflow_id = fields.Many2one("lifecycle.workflow", required=True, ondelete="cascade")
    trigger = fields.Selection(related="workflow_id.trigger")
    who = fields.Selection(
        [("new", "Only from now on"), ("all", "Also those for whom it is true already")],
        string="Who Enters",
        default="new",
        required=True,
    )
    present_count = fields.Integer(
        string="There Already", compute="_compute_present_count", compute_sudo=True
    )

    @api.depends("workflow_id")
    def _compute_present_count(self):
        for wizard in self:
            # of the companies that the person at the screen may start it for
            workflow = wizard.workflow_id.sudo(False)._for_mine()
            wizard.present_count = len(workflow._looked_at()._present_ids())

    def action_start(self):
        self.ensure_one()
        self.workflow_id._start(everybody=self.who == "all")
        return {"type": "ir.actions.act_window_close"}
