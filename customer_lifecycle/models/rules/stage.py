"""Stages as people define them: rules, their order, and limits on coming and going.

In: domains over profiles, days, and stages that one may come from. Out: the rules by priority,
for the classifier, its replay of the past and its look ahead. Exactly one stage, tried last,
takes whom no rule matches; a stage that customers have been in is not deleted.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...tools.domains import read_domain
from .stage_rule import StageRules


class LifecycleStage(models.Model):
    """A stage of the customer life cycle: a rule over the profile, and what to do in it."""

    _name = "lifecycle.stage"
    _inherit = "lifecycle.rule"
    _description = "Life-Cycle Stage"
    _order = "sequence, id"

    _rule_kind = "stage"
    _rule_names = frozenset(
        {
            "active",
            "after_order",
            "domain",
            "enter_from_ids",
            "keep_domain",
            "max_days",
            "min_days",
            "priority",
        }
    )

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10, help="Order of the columns.")
    priority = fields.Integer(
        default=10,
        help="The first stage whose rule matches wins; lower numbers are tried first.",
    )
    color = fields.Integer()
    active = fields.Boolean(default=True)
    tone = fields.Selection(
        [
            ("muted", "Neutral"),
            ("info", "Interested"),
            ("success", "Good"),
            ("warning", "Needs attention"),
            ("danger", "Serious"),
        ],
        default="info",
        required=True,
        help="Colour of the stage's badge. What needs attention is said at the top of the "
        "customer's form.",
    )
    description = fields.Char(translate=True, help="Who is in this stage, in plain words.")
    playbook = fields.Html(
        string="What to Do", translate=True, help="For the salesperson, shown on the customer."
    )
    domain = fields.Char(
        string="Rule",
        default="[]",
        help="Empty only for the last stage, which takes everybody whom no rule matches.",
    )
    keep_domain = fields.Char(
        string="Stays While",
        help="Rule for those who are in the stage already. Empty: the same rule. A laxer one "
        "prevents moving to and fro.",
    )
    enter_from_ids = fields.Many2many(
        "lifecycle.stage",
        "lifecycle_stage_enter_from_rel",
        "stage_id",
        "from_stage_id",
        string="Enter Only From",
        help="Empty: from anywhere. Limits entering, not staying.",
    )
    after_order = fields.Boolean(
        string="Enter Only After an Order",
        help="Only who has ordered since he entered the stage that he comes from. Whom a changed "
        "rule, an import or a person has put there by mistake does not count as come back.",
    )
    min_days = fields.Integer(
        string="Minimum Days", help="Nobody leaves by rule before so many days in the stage."
    )
    max_days = fields.Integer(
        string="Maximum Days", help="After so many days the rule no longer matches. 0: no limit."
    )
    is_customer = fields.Boolean(string="Counts as Customer", default=True)
    is_lost = fields.Boolean(string="Counts as Lost")
    proposal_of_id = fields.Many2one(
        "lifecycle.stage", ondelete="cascade", index="btree_not_null", readonly=True
    )

    statistic_ids = fields.One2many(
        "lifecycle.stage.statistic", "stage_id", string="What It Has Meant",
        groups="sales_team.group_sale_salesman_all_leads",
    )
    profile_count = fields.Integer(string="Members", compute="_compute_profile_count")

    _days_not_negative = models.Constraint(
        "CHECK (min_days >= 0 AND max_days >= 0)", "Days cannot be negative."
    )
    _days_in_order = models.Constraint(
        "CHECK (max_days = 0 OR max_days >= min_days)",
        "The maximum number of days must not be below the minimum.",
    )

    def _compute_profile_count(self):
        counts = dict(
            self.env["lifecycle.profile"]._read_group(
                [("stage_id", "in", self.ids), ("company_id", "=", self.env.company.id)],
                ["stage_id"],
                ["__count"],
            )
        )
        for stage in self:
            stage.profile_count = counts.get(stage, 0)

    def action_view_members(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_profile_action"
        )
        action["domain"] = [("stage_id", "=", self.id)]
        action["display_name"] = self.name
        return action

    # ----- RULES -----

    def _rule(self, keep=False):
        """Domain over lifecycle.profile; TRUE for the stage that catches the rest.

        :param keep: the rule for those who are in the stage already
        :raise ValueError: the text is not a domain
        """
        self.ensure_one()
        # what the editor of filters makes of an emptied one counts as empty, too
        for text in (self.keep_domain, self.domain) if keep else (self.domain,):
            try:
                rule = read_domain(self.env, text)
            except ValueError as error:
                raise ValueError(
                    self.env._("The rule of stage “%s” is not a filter.", self.name)
                ) from error
            if not rule.is_true():
                break
        return rule

    def _is_catch_all(self):
        self.ensure_one()
        return self._rule().is_true()

    @api.model
    def _in_priority(self):
        """Stages in force, in the order in which their rules are tried."""
        return self._in_force(order="priority, id")

    @api.model
    def _rules(self):
        """The rules of the stages in force: whoever decides about stages asks these."""
        return StageRules(self._in_priority(), self._switched_off())

    def _try_rule(self):
        profiles = self.env["lifecycle.profile"].sudo()
        for keep in (False, True):
            profiles._probe_rule(self._rule(keep))

    def _find_rule_moves(self, company, today):
        self.env["lifecycle.classifier"]._find_settled_moves(company, today)

    @api.constrains("domain", "keep_domain", "active", "priority")
    def _check_rules(self):
        self._check_rule()
        stages = self._in_priority()
        catching = stages.filtered(lambda stage: stage._is_catch_all())
        if len(catching) != 1 or catching != stages[-1:]:
            raise ValidationError(
                self.env._(
                    "Exactly one stage has no rule, and it is tried last: it takes everybody "
                    "whom no rule matches. Give the other stages a rule, and this one the "
                    "highest priority number."
                )
            )

    @api.constrains("domain", "keep_domain")
    def _check_rules_author(self):
        # constraints run in the order of their names: what is no filter was refused before
        for stage in self:
            for keep in (False, True):
                stage.env["lifecycle.profile"]._check_author_may_search(
                    stage.display_name, stage._rule(keep)
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_unless_used(self):
        if self.env["lifecycle.transition"].sudo().search_count(
            ["|", ("from_stage_id", "in", self.ids), ("to_stage_id", "in", self.ids)], limit=1
        ):
            raise UserError(
                self.env._("Customers have been in this stage; archive it instead.")
            )
