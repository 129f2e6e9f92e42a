from odoo import fields, models


class LifecycleVipTier(models.Model):
    """A VIP level of one company: what it takes to reach and to keep it, and what it gives."""

    _name = "lifecycle.vip.tier"
    _inherit = "lifecycle.rule"
    _description = "VIP Tier"
    _order = "company_id, rank desc, id"

    _rule_kind = "tier"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    rank = fields.Integer(default=1, help="The higher, the better.")
    proposal_of_id = fields.Many2one(
        "lifecycle.vip.tier", ondelete="cascade", index="btree_not_null", readonly=True
    )

    def _try_rule(self):
        """Nothing to evaluate yet."""
