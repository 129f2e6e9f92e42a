"""The history of stages, VIP tiers and segments, which nobody can edit or delete.

In: changes that the classifier records, and those that people make on the profile. Out: a line
for each, with its reason in the reader's language. Read by the history lists, the journey,
statistics and cohorts; the workflows' triggers wait for new ones, automation rules may too.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.orm.models import NO_ACCESS
from odoo.tools.misc import format_date, formatLang

from ...tools.fields import UncheckedMany2one
from .stage_rule import StageRule


class LifecycleTransition(models.Model):
    """A change of a membership, kept for good: what, from, to, when, by whom and why."""

    _name = "lifecycle.transition"
    _description = "Life-Cycle Transition"
    _inherit = ["lifecycle.branch.mixin"]
    _company_path = "profile_id.company_id"
    _order = "date desc, id desc"
    # day, cause and person are fields of their own
    _log_access = False

    profile_id = fields.Many2one(
        "lifecycle.profile", required=True, ondelete="cascade", readonly=True
    )
    partner_id = fields.Many2one(related="profile_id.partner_id", string="Customer")
    company_id = fields.Many2one(related="profile_id.company_id")
    kind = fields.Selection(
        [("stage", "Stage"), ("tier", "VIP tier"), ("segment", "Segment")],
        required=True,
        readonly=True,
    )
    number = fields.Integer(required=True, readonly=True, aggregator=None)
    # a stage with a history cannot be deleted, see lifecycle.stage
    from_stage_id = UncheckedMany2one("lifecycle.stage", readonly=True)
    to_stage_id = UncheckedMany2one(
        "lifecycle.stage", readonly=True, index="btree_not_null"
    )
    # neither can a tier
    from_tier_id = UncheckedMany2one(
        "lifecycle.vip.tier", readonly=True, index="btree_not_null"
    )
    to_tier_id = UncheckedMany2one(
        "lifecycle.vip.tier", readonly=True, index="btree_not_null"
    )
    # a segment takes its history along, see lifecycle.segment
    segment_id = UncheckedMany2one(
        "lifecycle.segment", readonly=True, index="btree_not_null"
    )
    joined = fields.Boolean(
        string="Joined the Segment", readonly=True, help="Off: left the segment."
    )
    date = fields.Date(required=True, readonly=True)
    cause = fields.Selection(
        [
            ("rule", "Rule"),
            ("person", "By hand"),
            ("initial", "First classification"),
            ("edit", "Changed rule"),
            ("reconstructed", "Reconstructed from history"),
        ],
        string="By",
        required=True,
        readonly=True,
    )
    # emptied when a user is deleted, see res.users
    user_id = UncheckedMany2one("res.users", string="Person", readonly=True)
    reason = fields.Char(readonly=True)
    # the rule may look at what the reader may not: people read ``why_text``
    why = fields.Json(
        string="Values", readonly=True, help="The values that met the rule.", groups=NO_ACCESS
    )
    why_text = fields.Char(string="Why", compute="_compute_why_text")
    from_name = fields.Char(string="Before", compute="_compute_display_name")
    to_name = fields.Char(string="After", compute="_compute_display_name")
    days_before = fields.Integer(
        string="Days in the Former State", readonly=True, aggregator="avg"
    )

    # who changed stage in a period
    _stage_date_idx = models.Index("(date) WHERE kind = 'stage'")
    _number_unique = models.UniqueIndex(
        "(profile_id, kind, COALESCE(segment_id, 0), number)",
        "That change has been recorded already."
    )

    @api.depends_context("lang")
    @api.depends("kind", "from_stage_id", "to_stage_id", "from_tier_id", "to_tier_id", "joined")
    def _compute_display_name(self):
        for transition in self:
            before, after = transition._states()
            transition.from_name, transition.to_name = before, after
            transition.display_name = " → ".join(name for name in (before, after) if name)

    def _states(self):
        """Names of the state before and after, False where there is none."""
        self.ensure_one()
        if self.kind == "segment":
            name = self.segment_id.name
            return (False, name) if self.joined else (name, False)
        return self[f"from_{self.kind}_id"].name, self[f"to_{self.kind}_id"].name

    @api.depends_context("lang", "uid")
    @api.depends("why", "to_stage_id", "reason")
    def _compute_why_text(self):
        labels = self.env["lifecycle.profile"].fields_get(attributes=["string", "type"])
        for transition in self:
            if transition.reason:
                transition.why_text = transition.reason
                continue
            transition.why_text = ", ".join(
                f"{labels[name]['string']}: {transition._shown(value, labels[name]['type'])}"
                # sudo: of the values only those of fields that the reader may read, see labels
                for name, value in sorted((transition.sudo().why or {}).items())
                if name in labels and value is not None and name in transition._rule_fields()
            )

    def _rule_fields(self):
        """Names of the fields in the rule of the stage that was entered."""
        if self.kind != "stage":
            return set(self.sudo().why or {})
        return StageRule(self.to_stage_id).names

    def _shown(self, value, kind):
        """A recorded value as the reader's language writes it."""
        if kind == "boolean":
            return self.env._("yes") if value else self.env._("no")
        if kind == "date" and value:
            return format_date(self.env, value, date_format="medium")
        if kind == "monetary":
            return self.profile_id._money(value)
        if kind == "float":
            digits = 0 if float(value).is_integer() else 2
            return formatLang(self.env, value, digits=digits)
        return value

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("The history of changes cannot be edited."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("The history of changes cannot be deleted."))
