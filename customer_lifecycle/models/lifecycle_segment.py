from odoo import fields, models


class LifecycleSegment(models.Model):
    """A group of customers that a rule over their profiles and contacts keeps up to date."""

    _name = "lifecycle.segment"
    _inherit = "lifecycle.rule"
    _description = "Customer Segment"
    _order = "sequence, name, id"

    _rule_kind = "segment"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    proposal_of_id = fields.Many2one(
        "lifecycle.segment", ondelete="cascade", index="btree_not_null", readonly=True
    )

    def _try_rule(self):
        """Nothing to evaluate yet."""
