"""One customer's workflows on his contact: shown as a chip, stopped and started by hand.

In: his enrollments, the workflow chosen in the dialog. Out: the chip with its buttons, an
enrollment by hand and a note on the contact. The workflow's work asks here whether a customer
still belongs: who was put in by hand does.
"""

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.misc import format_datetime

from .triggers import LAUNCH, TRIGGERS
from .workflow import STARTER


class LifecycleProfile(models.Model):
    """Workflows that a customer is in, on the contact: seen, stopped and started there."""

    # a file for each subject of this large model
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

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
        )

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


class LifecycleWorkflowEnrollment(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.workflow.enrollment"  # pylint: disable=consider-merging-classes-inherited

    def _where_it_stands(self):
        """One sentence: which workflow, what comes next and when, or why it waits."""
        self.ensure_one()
        if self.workflow_id.state == "paused":
            return self.env._("“%s” is paused.", self.workflow_id.name)
        if not self.step_id or not self.date_next:
            return self.env._("“%s” is about to end.", self.workflow_id.name)
        return self.env._(
            "“%(workflow)s”: next “%(step)s”, %(date)s.",
            workflow=self.workflow_id.name,
            step=self.step_id.title,
            date=format_datetime(self.env, self.date_next, dt_format="medium"),
        )


class LifecycleWorkflow(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.workflow"  # pylint: disable=consider-merging-classes-inherited

    def _enter_by_hand(self, profile):
        """Put one customer into a running workflow."""
        self.ensure_one()
        self._check_may_start()
        profile.check_access("read")
        # sudo: how often customers were entered by hand is counted by the system
        workflow = self.sudo()
        if self not in profile._workflows_to_start():
            raise UserError(
                self.env._(
                    "%(customer)s is on the way through “%(workflow)s” already, or it is not "
                    "running.",
                    customer=profile.partner_id.display_name,
                    workflow=self.name,
                )
            )
        workflow.launch_count += 1
        episode = f"{LAUNCH}{workflow.launch_count}"
        entered = workflow._enter(
            profile.company_id,
            SQL(
                "SELECT profile.id, %s AS episode FROM lifecycle_profile profile WHERE id = %s",
                episode,
                profile.id,
            ),
        )
        if not entered:
            raise UserError(
                self.env._(
                    "%(customer)s cannot enter “%(workflow)s”: its filter is not met, or it does "
                    "not let customers enter again so soon.",
                    customer=profile.partner_id.display_name,
                    workflow=self.name,
                )
            )
        if workflow.env["lifecycle.workflow.enrollment"].search_count(
            [
                ("workflow_id", "=", self.id),
                ("profile_id", "=", profile.id),
                ("episode", "=", episode),
                ("state", "=", "control"),
            ]
        ):
            raise UserError(
                self.env._(
                    "%(customer)s is in the control group of “%(workflow)s”, which gets nothing, "
                    "so that the effect can be measured.",
                    customer=profile.partner_id.display_name,
                    workflow=self.name,
                )
            )
        profile.partner_id.message_post(
            body=self.env._("Started the workflow “%s”.", self.name),
            subtype_xmlid="mail.mt_note",
        )
        self._wake()
