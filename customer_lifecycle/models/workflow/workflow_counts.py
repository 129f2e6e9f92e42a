"""What a workflow's form says in short: who enters when, and how many are where.

In: the workflow's enrolments and deliveries. Out: the sentence on the trigger, the numbers on the
buttons, and the list that each button opens. Called by the form and the list of workflows.
"""

from odoo import api, models
from odoo.fields import Domain

from .triggers import trigger_of

#: what a customer did not get although he was meant to
NOT_SENT = (
    Domain("state", "=", "skipped") & Domain("reason", "!=", "condition")
    | Domain("state", "=", "failed") & Domain("kind", "=", "email")
)


class LifecycleWorkflow(models.Model):
    """Numbers on the form, each of which opens its list."""

    # a file for each subject of this large model
    _inherit = "lifecycle.workflow"  # pylint: disable=consider-merging-classes-inherited

    @api.depends("step_ids.sequence")
    def _compute_next_sequence(self):
        for workflow in self:
            workflow.next_sequence = max(workflow.step_ids.mapped("sequence"), default=0) + 10

    @api.depends("trigger", "trigger_kind", "stage_ids", "tier_ids", "segment_ids", "date_field",
                 "offset_days", "cart_hours")
    @api.depends_context("lang")
    def _compute_entry_text(self):
        for workflow in self:
            workflow.entry_text = trigger_of(workflow).text()

    def _compute_enrollment_counts(self):
        rows = self.env["lifecycle.workflow.enrollment"]._read_group(
            [("workflow_id", "in", self.ids)], ["workflow_id", "state", "exit_reason"], ["__count"]
        )
        for workflow in self:
            mine = [row[1:] for row in rows if row[0] == workflow._origin]
            workflow.active_count = sum(row[2] for row in mine if row[0] == "active")
            workflow.failed_count = sum(row[2] for row in mine if row[0] == "failed")
            workflow.goal_count = sum(row[2] for row in mine if row[1] == "goal")
            workflow.entered_count = sum(row[2] for row in mine)
            workflow.control_count = sum(row[2] for row in mine if row[0] == "control")

    def _compute_skipped_count(self):
        counts = dict(
            self.env["lifecycle.workflow.delivery"]._read_group(
                NOT_SENT & Domain("workflow_id", "in", self.ids),
                ["workflow_id"],
                ["__count"],
            )
        )
        for workflow in self:
            workflow.skipped_count = counts.get(workflow._origin, 0)

    def _open_list(self, xml_id, domain, name):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(f"customer_lifecycle.{xml_id}")
        return {
            **action,
            "display_name": f"{self.name}: {name}",
            "domain": list(Domain("workflow_id", "=", self.id) & Domain(domain)),
            "context": {"lifecycle_one_workflow": True},
        }

    def action_view_active(self):
        return self._open_list(
            "lifecycle_workflow_enrollment_action",
            [("state", "=", "active")],
            self.env._("On the Way"),
        )

    def action_view_entered(self):
        return self._open_list(
            "lifecycle_workflow_enrollment_action", [], self.env._("Entered")
        )

    def action_view_control(self):
        return self._open_list(
            "lifecycle_workflow_enrollment_action",
            [("state", "=", "control")],
            self.env._("Control Group"),
        )

    def action_view_goal(self):
        return self._open_list(
            "lifecycle_workflow_enrollment_action",
            [("exit_reason", "=", "goal")],
            self.env._("Goal Reached"),
        )

    def action_view_failed(self):
        return self._open_list(
            "lifecycle_workflow_enrollment_action",
            [("state", "=", "failed")],
            self.env._("Errors"),
        )

    def action_view_skipped(self):
        return self._open_list(
            "lifecycle_workflow_delivery_action",
            NOT_SENT,
            self.env._("Not Sent"),
        )
