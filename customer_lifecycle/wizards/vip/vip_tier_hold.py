from odoo import fields, models

from ...models.rules.profile import HOLD_DAYS


class LifecycleVipTierHold(models.TransientModel):
    """Set customers' tier by hand, or hold the one they have."""

    _name = "lifecycle.vip.tier.hold"
    _description = "Set VIP Tier"

    profile_ids = fields.Many2many("lifecycle.profile", required=True)
    company_id = fields.Many2one("res.company", compute="_compute_company_id")
    tier_id = fields.Many2one(
        "lifecycle.vip.tier",
        string="VIP Tier",
        compute="_compute_tier_id",
        store=True,
        readonly=False,
        domain="[('company_id', '=', company_id), ('proposal_of_id', '=', False)]",
        help="Empty: no VIP.",
    )
    reason = fields.Char(required=True)
    until = fields.Date(string="Hold Until", default=lambda self: self._default_until())

    def _default_until(self):
        return fields.Date.add(fields.Date.context_today(self), days=HOLD_DAYS)

    def _compute_company_id(self):
        for wizard in self:
            wizard.company_id = wizard.profile_ids.company_id[:1]

    def _compute_tier_id(self):
        for wizard in self:
            wizard.tier_id = wizard.profile_ids.vip_tier_id[:1]

    def action_apply(self):
        self.ensure_one()
        self.profile_ids.write(
            {
                "vip_tier_id": self.tier_id.id,
                "vip_reason": self.reason,
                "vip_hold_until": self.until,
            }
        )
        return {"type": "ir.actions.client", "tag": "soft_reload"}
