"""One customer's workflows on his contact: shown as a chip, stopped and started by hand.

In: his enrollments, the workflow chosen in the dialog. Out: the chip with its buttons, an
enrollment by hand and a note on the contact. The workflow's work asks here whether a customer
still belongs: who was put in by hand does.
"""

from odoo import models

from .triggers import TRIGGERS
from .workflow import STARTER


class LifecycleProfile(models.Model):
    """Workflows that a customer is in, on the contact: seen, stopped and started there."""

    # a file for each subject of this large model
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    def _chips(self):
        return [*super()._chips(), self._chip_workflows()]

    def _chip_workflows(self):
        ways = self.env["lifecycle.workflow.enrollment"].search(
            [("profile_id", "=", self.id), ("state", "=", "active")]
        )
        actions = [
            {
                "label": self.env._("Stop “%s”", way.workflow_id.name),
                "model": way._name,
                "method": "action_stop",
                "ids": way.ids,
                "confirm": self.env._("Stop this workflow for this customer?"),
            }
            for way in ways
        ]
        if self._workflows_to_start():
            actions.append(
                {
                    "label": self.env._("Start a workflow…"),
                    "model": self._name,
                    "method": "action_enter_workflow",
                    "ids": self.ids,
                }
            )
        if not actions:
            return None
        return self._chip(
            "workflows",
            self.env._("Workflows"),
            ", ".join(ways.mapped("workflow_id.name")) or self.env._("none"),
            why=[way._where_it_stands() for way in ways],
            tone="info" if ways else "secondary",
            actions=actions,
            sequence=120,
        )

    def _workflows_to_start(self):
        """Running workflows that the user may put this customer into."""
        self.ensure_one()
        workflows = self.env["lifecycle.workflow"]
        if not self.env.user.has_group(STARTER):
            return workflows
        refused = [trigger.kind for trigger in TRIGGERS.values() if trigger.needs_occasion]
        return workflows.search(
            [
                ("state", "=", "running"),
                ("trigger", "not in", refused),
                ("company_id", "in", [self.company_id.id, False]),
                ("enrollment_ids", "not any",
                 [("profile_id", "=", self.id), ("state", "=", "active")]),
            ]
        ).filtered(lambda workflow: workflow._runs_in(self.company_id))

    def action_enter_workflow(self):
        """Ask which workflow this customer is to enter."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Start a Workflow for %s", self.partner_id.display_name),
            "res_model": "lifecycle.workflow.enter",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_profile_id": self.id},
        }
