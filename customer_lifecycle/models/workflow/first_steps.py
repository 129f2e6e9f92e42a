"""What a sales manager sets up once the figures are right.

In: the tiers, segments, workflows and calls that there are, and whether consent is asked for.
Out: the further steps of the checklist. Called by the checklist.
"""

from odoo import api, models


class LifecycleFirstSteps(models.AbstractModel):
    """The steps from trusted figures to work with customers."""

    _inherit = "lifecycle.first.steps"

    @api.model
    def _steps(self, customers):
        def any_of(model, *domain):
            return self.env[model].search_count(list(domain), limit=1)

        company = self.env.company
        return [
            *super()._steps(customers),
            {
                "id": "tiers",
                "title": self.env._("Set up VIP tiers"),
                "text": self.env._("Amounts are suggested from your own sales."),
                "action": "customer_lifecycle.lifecycle_vip_tier_action",
                "done": any_of("lifecycle.vip.tier", ("company_id", "=", company.id)),
            },
            {
                "id": "segments",
                "title": self.env._("Make a segment"),
                "text": self.env._("Customers whom you want to treat alike, found by a rule."),
                "action": "customer_lifecycle.lifecycle_segment_action",
                "done": any_of("lifecycle.segment"),
            },
            {
                "id": "calls",
                "title": self.env._("Call the first customer"),
                "text": self.env._("Whom to contact this week, why, and what to say."),
                "action": "customer_lifecycle.lifecycle_profile_action_contact",
                "done": any_of("lifecycle.contact.outcome", ("company_id", "=", company.id)),
            },
            {
                "id": "consent",
                "title": self.env._("Say who may get marketing"),
                "text": self.env._(
                    "Where the law asks for it, only contacts who have agreed are written to."
                ),
                # Odoo keeps settings to its administrators
                "action": "customer_lifecycle.res_config_settings_action"
                if self.env.user.has_group("base.group_system")
                else False,
                "done": company.sudo().lifecycle_consent_required,
            },
            {
                "id": "workflow",
                "title": self.env._("Start a first workflow"),
                "text": self.env._("Drafts are there; nothing is sent before you start one."),
                "action": "customer_lifecycle.lifecycle_workflow_action",
                "done": any_of("lifecycle.workflow", ("state", "=", "running")),
            },
        ]
