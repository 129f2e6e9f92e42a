"""Buttons that open the comparison of a program, tier, segment, stage or workflow.

In: the record whose form shows the button. Out: the action that opens its comparison, a list of
them where there are several, or a form for a new one.
"""

from odoo import api, models

from .comparison import SUBJECTS


class LifecycleComparison(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.comparison"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _open_for(self, event, subject):
        """Open what was computed for a record, or a new comparison of it."""
        subject.ensure_one()
        name = SUBJECTS[event]
        # records of another company can only be compared there
        company = ("company_id" in subject._fields and subject.company_id) or self.env.company
        known = self.search([(name, "=", subject.id), ("company_id", "=", company.id)])
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_comparison_action"
        )
        defaults = {
            "default_event": event,
            f"default_{name}": subject.id,
            "default_company_id": company.id,
        }
        if len(known) > 1:
            return {**action, "domain": [("id", "in", known.ids)], "context": defaults}
        return {
            **action,
            "view_mode": "form",
            "views": [(False, "form")],
            "res_id": known.id,
            "context": defaults,
        }


class LoyaltyProgram(models.Model):
    _inherit = "loyalty.program"  # pylint: disable=consider-merging-classes-inherited

    def action_lifecycle_compare(self):
        return self.env["lifecycle.comparison"]._open_for("loyalty", self)


class LifecycleVipTier(models.Model):
    _inherit = "lifecycle.vip.tier"  # pylint: disable=consider-merging-classes-inherited

    def action_compare(self):
        return self.env["lifecycle.comparison"]._open_for("tier", self)


class LifecycleSegment(models.Model):
    _inherit = "lifecycle.segment"  # pylint: disable=consider-merging-classes-inherited

    def action_compare(self):
        return self.env["lifecycle.comparison"]._open_for("segment", self)


class LifecycleStage(models.Model):
    _inherit = "lifecycle.stage"  # pylint: disable=consider-merging-classes-inherited

    def action_compare(self):
        return self.env["lifecycle.comparison"]._open_for("stage", self)


class LifecycleWorkflow(models.Model):
    _inherit = "lifecycle.workflow"  # pylint: disable=consider-merging-classes-inherited

    def action_compare(self):
        return self.env["lifecycle.comparison"]._open_for("workflow", self)
