"""The customer's stage: how long, how that compares, and how people set or release it.

In: what the classifier writes, and cards that salespeople drag. Out: day counts and pace when
read, moves by hand with their hold, and domains over computed numbers, also for the profile's
other parts. What people may not write on a profile is refused here.
"""

import operator as py_operator

from psycopg2 import errors

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools import rights
from ...tools.context import own_value
from ...tools.fields import OptionalFloat, OptionalInteger
from ...tools.probe import PATIENCE, check_size, limited, too_long

#: days that a stage set by a person holds unless he says otherwise
HOLD_DAYS = 90
#: what people may write on a profile; everything else is computed
BY_HAND = {"stage_id", "stage_hold_until", "stage_reason", "potential"}
OPERATORS = {
    "<": py_operator.lt,
    "<=": py_operator.le,
    ">": py_operator.gt,
    ">=": py_operator.ge,
}


class LifecycleProfile(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    stage_id = fields.Many2one(
        "lifecycle.stage",
        ondelete="restrict",
        index=True,
        group_expand="_read_group_expand_full",
    )
    stage_date = fields.Date(string="In Stage Since", readonly=True)
    stage_order_date = fields.Date(
        string="Last Order When the Stage Began",
        readonly=True,
        help="A later one tells that the customer has ordered since.",
    )
    days_in_stage = OptionalInteger(
        compute="_compute_days", search="_search_days_in_stage", aggregator="avg"
    )
    history_until = fields.Date(
        readonly=True,
        index="btree_not_null",
        help="Purchases up to this day have come in late: labels that they change are history.",
    )
    history_day = fields.Date(
        string="Last Purchase That Came in Late",
        readonly=True,
        help="Messages about a purchase of this day or before are not sent any more.",
    )
    stage_stay = fields.Char(string="Stay", compute="_compute_stage_stay")
    stage_manual = fields.Boolean(string="Set by Hand", readonly=True)
    stage_hold_until = fields.Date(
        string="Held Until", help="Until this day no rule changes the stage."
    )
    stage_reason = fields.Char(string="Reason")
    rhythm = OptionalFloat(
        string="Rhythm (days)",
        readonly=True,
        digits=(12, 1),
        aggregator="avg",
        help="After how many days the customer usually orders again: his own mean from four "
        "orders on, blended with all customers' before.",
    )
    lateness = OptionalFloat(
        compute="_compute_days",
        search="_search_lateness",
        digits=(12, 2),
        aggregator="avg",
        help="Days since the last order divided by the rhythm: 2 is twice as long as usual.",
    )
    order_span = OptionalInteger(
        string="Days from First to Last Order",
        compute="_compute_days",
        search="_search_order_span",
        aggregator="avg",
    )
    stage_tone = fields.Selection(related="stage_id.tone")
    stage_playbook = fields.Html(related="stage_id.playbook")
    open_opportunity_count = fields.Integer(string="Open Opportunities", readonly=True)
    open_quotation_count = fields.Integer(string="Open Quotations", readonly=True)
    advocacy_date = fields.Date(
        string="Last Spoke for Us",
        readonly=True,
        help="Last top rating or successful recommendation.",
    )
    stage_pace = fields.Selection(
        [("on_track", "On track"), ("behind", "Behind"), ("stuck", "Stuck")],
        string="Pace",
        compute="_compute_stage_pace",
        help="Behind: longer in the stage than three quarters of all stays. Stuck: longer than "
        "nine of ten.",
    )
    stage_usual = fields.Char(string="Usual Stay", compute="_compute_stage_pace")
    transition_ids = fields.One2many("lifecycle.transition", "profile_id", string="History")
    preview_line_ids = fields.Many2many(
        "lifecycle.rule.preview.line",
        "lifecycle_rule_preview_profile_rel",
        "profile_id",
        "line_id",
        string="Previews",
        groups="sales_team.group_sale_manager",
    )

    # ----- COMPUTED WHEN READ -----

    @api.depends("stage_date", "first_order_date", "last_order_date", "rhythm")
    def _compute_days(self):
        today = self._lifecycle_today()
        for profile in self:
            profile.days_in_stage = (
                (today - profile.stage_date).days if profile.stage_date else False
            )
            last = profile.last_order_date
            profile.lateness = (
                (today - last).days / profile.rhythm if last and profile.rhythm else False
            )
            profile.order_span = (last - profile.first_order_date).days if last else False

    @api.depends("stage_id", "stage_date")
    def _compute_stage_pace(self):
        # sudo: how many days are usual, and not of how many customers
        statistics = self.env["lifecycle.stage.statistic"].sudo().search(
            [("company_id", "in", self.company_id.ids), ("stage_id", "in", self.stage_id.ids)]
        )
        by_key = {(row.stage_id.id, row.company_id.id): row for row in statistics}
        for profile in self:
            usual = by_key.get((profile.stage_id.id, profile.company_id.id))
            profile.stage_usual = usual.usual if usual else False
            days = profile.days_in_stage
            if not usual or not usual.three_quarter_days:
                profile.stage_pace = False
            elif usual.slow_days and days > usual.slow_days:
                profile.stage_pace = "stuck"
            elif days > usual.three_quarter_days:
                profile.stage_pace = "behind"
            else:
                profile.stage_pace = "on_track"

    def _field_to_sql(self, alias, field_expr, query=None):
        def column(name):
            return super(LifecycleProfile, self)._field_to_sql(alias, name, query)

        if field_expr == "days_in_stage":
            return SQL("(%s::date - %s)", self._lifecycle_today(), column("stage_date"))
        if field_expr == "lateness":
            if isinstance(self._lifecycle_today(), SQL):
                # the replay of the past has it as a column
                return SQL.identifier(alias, field_expr)
            return SQL(
                "((%s::date - %s)::numeric / NULLIF(%s, 0))",
                self._lifecycle_today(),
                column("last_order_date"),
                column("rhythm"),
            )
        if field_expr == "order_span":
            return SQL(
                "(%s - %s)", column("last_order_date"), column("first_order_date")
            )
        return super()._field_to_sql(alias, field_expr, query)

    @api.model
    def _search_number(self, name, operator, value):
        """Domain comparing a number that is computed in SQL; unknown matches only ``False``."""
        if operator == "in":
            numbers = [number for number in value if number is not False]
            unknown = len(numbers) < len(value)

            def condition(number):
                known = SQL("COALESCE(%s = ANY(%s::numeric[]), FALSE)", number, numbers)
                return SQL("(%s OR %s IS NULL)", known, number) if unknown else known

            def matches(number):
                return unknown if number is False else number in numbers

        elif operator in OPERATORS:

            def condition(number):
                return SQL("COALESCE(%s %s %s, FALSE)", number, SQL(operator), value)

            def matches(number):
                return number is not False and OPERATORS[operator](number, value)

        else:
            return NotImplemented
        return Domain.custom(
            to_sql=lambda model, alias, query: condition(
                model._field_to_sql(alias, name, query)
            ),
            predicate=lambda profile: matches(profile[name]),
        )

    def _search_days_in_stage(self, operator, value):
        return self._search_number("days_in_stage", operator, value)

    def _search_lateness(self, operator, value):
        return self._search_number("lateness", operator, value)

    def _search_order_span(self, operator, value):
        return self._search_number("order_span", operator, value)

    @api.depends_context("lang")
    @api.depends("days_in_stage")
    def _compute_stage_stay(self):
        for profile in self:
            days = profile.days_in_stage
            if days is False:
                profile.stage_stay = False
            elif days < 1:
                profile.stage_stay = self.env._("since today")
            elif days == 1:
                profile.stage_stay = self.env._("for 1 day")
            else:
                profile.stage_stay = self.env._("for %s days", days)

    # ----- WHY -----

    def _headline(self):
        """Begin with the stage where it needs attention."""
        sentence = super()._headline()
        if self.stage_tone in ("warning", "danger"):
            return f"{self.stage_id.name}: {sentence}"
        return sentence

    def action_view_transitions(self):
        """Open the customer's history of stages, each with its reason."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_transition_action"
        )
        action["domain"] = [("profile_id", "=", self.id)]
        action["context"] = {}
        action["display_name"] = self.env._("Stages of %s", self.partner_id.display_name)
        return action

    # ----- BY HAND -----

    def write(self, vals):
        """Let salespeople set a stage, and nothing else.

        Their access rights allow to write on profiles, so that dragging cards works; this is
        the check that those rights stand for.
        """
        if self.env.su:
            return super().write(vals)
        if set(vals) - BY_HAND:
            raise AccessError(self.env._("Figures of customers are computed, not entered."))
        self.check_access("write")
        if "stage_id" in vals:
            stage = self.env["lifecycle.stage"].browse(vals["stage_id"])
            if not stage.exists():
                raise UserError(self.env._("Choose a stage: every customer is in one."))
            # checked above: the caller may change these customers' stage
            self.sudo()._set_stage_by_hand(
                stage, vals.get("stage_reason"), vals.get("stage_hold_until")
            )
            vals = {name: value for name, value in vals.items() if not name.startswith("stage_")}
        # what is left needs no more than the check above
        return super(LifecycleProfile, self.sudo()).write(vals)

    def _hold_rows(self):
        """Hold the profiles before their history is written, as computations do.

        A computation that moves the same customers is waited for. What it has moved meanwhile is
        a conflict of transactions, for which Odoo does the user's request again; recorded first,
        his move would have met the computation's as a duplicate, and been refused.
        """
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "SELECT id FROM lifecycle_profile WHERE id = ANY(%s) ORDER BY id "
                "FOR NO KEY UPDATE",
                self.ids,
            )
        )

    def _set_stage_by_hand(self, stage, reason=None, until=None):
        """Move customers to a stage and hold them there.

        :param until: last day of the hold, by default in 90 days
        """
        self._hold_rows()
        reason = reason or self.env._("Moved by hand")
        for company, profiles in self.grouped("company_id").items():
            today = company._lifecycle_today()
            until = until or fields.Date.add(today, days=HOLD_DAYS)
            moved = profiles.filtered(lambda profile: profile.stage_id != stage)
            moved._record_by_hand("stage", "stage_id", stage, "stage_date", reason)
            moved.write({"stage_id": stage.id, "stage_date": today})
            for profile in moved:
                profile.stage_order_date = profile.last_order_date
            profiles.write(
                {
                    "stage_manual": True,
                    "stage_hold_until": until,
                    "stage_reason": reason,
                }
            )

    def action_set_stage(self, stage_id=False):
        """Ask for the reason and for how long before a customer is moved by hand."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Set Stage: %s", self.partner_id.display_name),
            "res_model": "lifecycle.stage.hold",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_profile_id": self.id,
                "default_stage_id": stage_id or self.stage_id.id,
            },
        }

    def _record_by_hand(self, kind, former, state, since, reason):
        """Write moves of customers of one company into the history, before they are made.

        :param kind: "stage" or "tier"
        :param former: field with the stage or tier that they leave
        :param state: the one that they come to; may be empty
        :param since: field with the day on which they came to the former
        """
        today = self.company_id._lifecycle_today() if self else None
        self.env["lifecycle.transition"].create(
            [
                {
                    "profile_id": profile.id,
                    "kind": kind,
                    "number": 1 + profile._last_number(kind),
                    f"from_{kind}_id": profile[former].id,
                    f"to_{kind}_id": state.id,
                    "date": today,
                    "cause": "person",
                    "user_id": self.env.uid,
                    "reason": reason,
                    "days_before": (today - profile[since]).days if profile[since] else 0,
                }
                for profile in self
            ]
        )

    def _last_number(self, kind):
        """Running number of the last transition of a kind."""
        self.ensure_one()
        changes = self.transition_ids.filtered(lambda change: change.kind == kind)
        return max(changes.mapped("number"), default=0)

    def _restore_stage(self, stage, values):
        """Put a customer back to where he was before somebody set his stage by mistake.

        The history keeps both moves, as it keeps everything.

        :param values: the former values of the fields that setting a stage changes
        """
        self._hold_rows()
        if self.stage_id != stage:
            self._record_by_hand(
                "stage", "stage_id", stage, "stage_date", self.env._("Taken back")
            )
        self.write({"stage_id": stage.id, **values})

    def action_release_stage(self):
        """End the hold: the rules decide again, at once."""
        self.check_access("write")
        released = self.sudo()
        released.write({"stage_hold_until": False, "stage_manual": False})
        for company, profiles in released.grouped("company_id").items():
            self.env["lifecycle.classifier"].sudo()._classify(
                company, company._lifecycle_today(), partner_ids=profiles.partner_id.ids
            )

    # ----- RULES -----

    @api.model
    def _probe_rule(self, rule):
        """Try out a rule without reading anybody, as one that nobody meets would read all.

        :raise ValueError, KeyError, UserError, psycopg2.Error: it cannot be evaluated
        """
        check_size(self.env, self.env._("The filter"), rule)
        query = self._search(rule)
        if query.is_empty():
            return
        try:
            with limited(self.env, own_value(self.env, "lifecycle_patience", PATIENCE)):
                # looks up tables, columns and types
                self.env.execute_query(SQL("EXPLAIN %s", query.select()))
        except errors.QueryCanceled as error:
            raise UserError(too_long(self.env)) from error

    @api.model
    def _sees_whole_company(self):
        """Whether the user may read all profiles of the companies that he works in."""
        if self.env.su:
            return True
        if not self.has_access("read"):
            return False
        rules = self.env["ir.rule"]._compute_domain(self._name, "read")
        return all(
            condition.field_expr == "company_id"
            for condition in rules.optimize_full(self.sudo()).iter_conditions()
        )

    @api.model
    def _check_author_may_search(self, name, rule):
        """Refuse a rule over what the present user may not read.

        Rules are evaluated as superuser: who is a member would tell their author the rest.
        """
        # constraints run as superuser, also those of a user's own changes
        profiles = self.sudo(False)
        try:
            with self.env.cr.savepoint():
                profiles._search(rule)
        except AccessError as error:
            raise ValidationError(
                self.env._(
                    "The rule of “%(rule)s” looks at something that you may not read; ask "
                    "somebody who may to change it. %(error)s",
                    rule=name,
                    error=error,
                )
            ) from error
        # what it looks at by way of relations
        rights.check_domain(self.env, name, self._name, rule)
