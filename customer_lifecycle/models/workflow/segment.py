"""From a segment to a workflow: what is done for who enters it.

In: the button on a segment. Out: the form of a new workflow that begins when somebody enters it.
"""

from odoo import models


class LifecycleSegment(models.Model):
    """A segment that something is done for."""

    # a feature of its own: what a segment is good for
    _inherit = "lifecycle.segment"  # pylint: disable=consider-merging-classes-inherited

    def action_new_workflow(self):
        """Open a new workflow that begins when a customer enters the segment."""
        self.ensure_one()
        self.env["lifecycle.workflow"].check_access("create")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Workflow"),
            "res_model": "lifecycle.workflow",
            "views": [(False, "form")],
            "target": "current",
            "context": {
                "default_name": self.name,
                "default_trigger": "enter",
                "default_trigger_kind": "segment",
                "default_segment_ids": self.ids,
                "default_company_id": self.company_id.id,
            },
        }
