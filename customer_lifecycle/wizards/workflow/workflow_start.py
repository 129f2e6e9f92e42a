from odoo import api, fields, models
from odoo.tools import SQL


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


class LifecycleWorkflow(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.workflow"  # pylint: disable=consider-merging-classes-inherited

    def _present_ids(self, since_weeks=None):
        """Profile ids of those who would enter now, the trigger being true for them already."""
        self.ensure_one()
        self.env.flush_all()
        ids = []
        for company in self._companies():
            self.env.cr.execute(
                SQL(
                    "SELECT entering.id FROM (%s) entering",
                    self._candidates_sql(company, self._present_sql(company)),
                )
            )
            ids += [row[0] for row in self.env.cr.fetchall()]
        return ids
