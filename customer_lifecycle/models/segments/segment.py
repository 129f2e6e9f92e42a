"""Segments as people define them: the rule, its members in figures, and its checks.

In: a domain over profiles. Out: the rule for the classifier, who meets it as it stands on the
screen, and ways to members, months, changes and the export of an audience. The classifier lets
customers in and out.
"""

import json

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.misc import format_date

from ...tools import rights
from ...tools.domains import read_domain

#: fields that lead from a profile or a contact to segments, which a rule must not look at
CIRCULAR = {"segment_ids", "segment_member_ids", "lifecycle_segment_ids"}


class LifecycleSegment(models.Model):
    """A group of customers that a rule over their profiles and contacts keeps up to date."""

    _name = "lifecycle.segment"
    _inherit = "lifecycle.rule"
    _description = "Customer Segment"
    _order = "sequence, name, id"

    _rule_kind = "segment"
    _rule_names = frozenset({"active", "company_id", "domain", "mode"})

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(
        default=True, help="An archived segment keeps its members as they are."
    )
    sequence = fields.Integer(default=10)
    color = fields.Integer()
    description = fields.Char(translate=True, help="Who is in this segment, in plain words.")
    company_id = fields.Many2one(
        "res.company", index="btree_not_null", help="Empty: customers of all companies."
    )
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id")
    domain = fields.Char(
        string="Rule",
        default="[]",
        help="Who belongs to it. Conditions on the contact begin with “Customer”: its tags, "
        "its country, its salesperson.",
    )
    mode = fields.Selection(
        [
            ("both", "Add and remove"),
            ("add", "Add only: who once met the rule stays"),
        ],
        default="both",
        required=True,
    )
    campaign_id = fields.Many2one(
        "utm.campaign", help="What audiences and messages for this segment belong to."
    )
    proposal_of_id = fields.Many2one(
        "lifecycle.segment", ondelete="cascade", index="btree_not_null", readonly=True
    )
    member_ids = fields.One2many("lifecycle.segment.member", "segment_id", string="Members")
    member_count = fields.Integer(compute="_compute_members", string="Members Now")
    member_value = fields.Monetary(compute="_compute_members", string="Lifetime Value")
    match_count = fields.Integer(
        compute="_compute_matches",
        string="Meet the Rule",
        help="Customers and prospects of this company who meet the rule as it stands here.",
    )
    match_share = fields.Float(compute="_compute_matches", string="Share of All")
    match_value = fields.Monetary(compute="_compute_matches", string="Their Lifetime Value")
    match_problem = fields.Char(compute="_compute_matches")

    month_graph = fields.Text(compute="_compute_month_graph")

    # ----- SHOWN -----

    @api.depends_context("company")
    @api.depends("company_id")
    def _compute_currency_id(self):
        for segment in self:
            segment.currency_id = (segment.company_id or self.env.company).currency_id

    @api.depends_context("company", "uid")
    def _compute_members(self):
        """As the last run counted; live for whom rules keep from seeing some of the customers."""
        profiles = self.env["lifecycle.profile"]
        if profiles._sees_whole_company():
            # sudo: totals of customers all of whom he may read
            figures = self.env["lifecycle.segment.figure"].sudo().search(
                [("segment_id", "in", self.ids), ("company_id", "=", self.env.company.id)]
            )
            by_segment = {figure.segment_id.id: figure for figure in figures}
            for segment in self:
                figure = by_segment.get(segment._origin.id)
                segment.member_count = figure.member_count if figure else 0
                segment.member_value = figure.member_value if figure else 0
            return
        found = {
            segment: (count, value)
            for segment, count, value in profiles._read_group(
                [("segment_ids", "in", self.ids), ("company_id", "=", self.env.company.id)],
                ["segment_ids"],
                ["__count", "clv_total:sum"],
            )
        }
        for segment in self:
            count, value = found.get(segment._origin, (0, 0))
            segment.member_count, segment.member_value = count, value

    @api.depends_context("company", "uid", "lang")
    @api.depends("domain", "company_id")
    def _compute_matches(self):
        """Count who meets the rule as it is on the screen, saved or not."""
        for segment in self:
            company = segment.company_id or self.env.company
            # the reader's own rights: nobody learns the value of customers he may not see
            profiles = self.env["lifecycle.profile"].with_company(company)
            mine = Domain("company_id", "=", company.id)
            count, value, problem = 0, 0, False
            try:
                with self.env.cr.savepoint(flush=False):
                    count, value = profiles._read_group(
                        mine & rights.within_company(segment._rule(), profiles, company),
                        aggregates=["__count", "clv_total:sum"],
                    )[0]
            except (ValueError, KeyError, TypeError, UserError, psycopg2.Error) as error:
                problem = str(error)
            everybody = count and profiles.search_count(mine)
            segment.match_count = count
            segment.match_value = value
            segment.match_share = count / everybody if everybody else 0
            segment.match_problem = problem

    @api.depends_context("company", "uid", "lang")
    def _compute_month_graph(self):
        """Members at the ends of the last twelve months, for the small chart on the card."""
        today = fields.Date.context_today(self)
        months = [
            fields.Date.start_of(fields.Date.subtract(today, months=ago), "month")
            for ago in range(11, -1, -1)
        ]
        figures = self.env["lifecycle.segment.month"]
        if not figures.has_access("read"):
            # numbers of all customers are not for who sees his own only
            self.month_graph = False
            return
        rows = figures.search(
            [
                ("segment_id", "in", self.ids),
                ("company_id", "=", self.env.company.id),
                ("month", ">=", months[0]),
            ]
        )
        counts = {(row.segment_id.id, row.month): row.member_count for row in rows}
        for segment in self:
            values = [
                {"x": format_date(self.env, month, date_format="MMM yyyy"), "y": count}
                for month in months
                # months before the first member are no decline to zero
                if (count := counts.get((segment._origin.id, month))) is not None
            ]
            segment.month_graph = len(values) > 1 and json.dumps(
                [{"key": self.env._("Members"), "values": values, "is_sample_data": False}]
            )

    def unlink(self):
        """Take members and history along.

        Their links have no foreign key, which would be checked for every member. A run that
        lets somebody in or out at the same time writes to ``lifecycle.segment.flow``, whose
        link has one: either the run or the deletion is done again.
        """
        # first whether it may be deleted at all
        result = super().unlink()
        if not self:
            return result
        for table in ("lifecycle_segment_member", "lifecycle_transition"):
            self.env.cr.execute(
                SQL("DELETE FROM %s WHERE segment_id = ANY(%s)", SQL.identifier(table), self.ids)
            )
        self.env.invalidate_all()
        return result

    def action_view_members(self):
        """Open the members, each with his value."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_profile_action"
        )
        action["domain"] = [("segment_ids", "in", self.ids)]
        action["context"] = {}
        action["display_name"] = self.name
        return action

    def action_view_months(self):
        """Open the number of members by month."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_segment_month_action"
        )
        action["domain"] = [("segment_id", "=", self.id)]
        action["display_name"] = self.env._("Members of %s", self.name)
        return action

    def action_view_changes(self):
        """Open who joined and who left, and when."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_segment_change_action"
        )
        action["domain"] = [("segment_id", "=", self.id)]
        action["display_name"] = self.env._("Who joined and left %s", self.name)
        return action

    def action_export_audience(self):
        """Ask where the audience goes."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Export Audience"),
            "res_model": "lifecycle.audience.export.wizard",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_segment_id": self.id,
                "default_campaign_id": self.campaign_id.id,
            },
        }

    # ----- RULES -----

    def _rule(self):
        """Domain over lifecycle.profile.

        :raise ValueError: the text is not a domain, or one that looks at segments
        """
        self.ensure_one()
        try:
            rule = read_domain(self.env, self.domain)
        except ValueError as error:
            raise ValueError(
                self.env._("The rule of segment “%s” is not a filter.", self.name)
            ) from error
        if self._is_circular(rule):
            raise ValueError(
                self.env._(
                    "The rule of segment “%s” looks at segments, which are decided at the same "
                    "time. Repeat the other segment's conditions instead.",
                    self.name,
                )
            )
        return rule

    @api.model
    def _is_circular(self, rule):
        for condition in rule.iter_conditions():
            if CIRCULAR & set(condition.field_expr.split(".")):
                return True
            value = condition.value
            if isinstance(value, list | tuple | Domain) and "any" in condition.operator:
                if self._is_circular(Domain(value)):
                    return True
        return False

    def _try_rule(self):
        rule = self._rule()
        company = self.company_id or self.env.company
        profiles = self.env["lifecycle.profile"].sudo().with_company(company)
        profiles._probe_rule(rule)

    def _find_rule_moves(self, company, today):
        self.env["lifecycle.classifier"]._find_segment_moves(
            self._in_force(), company, today
        )

    @api.constrains("company_id")
    def _check_stays_his(self):
        rights.check_stays_his(self)

    @api.constrains("domain", "active")
    def _check_rules(self):
        self._check_rule()

    @api.constrains("domain")
    def _check_rules_author(self):
        # constraints run in the order of their names: what is no filter was refused before
        for segment in self:
            segment.env["lifecycle.profile"]._check_author_may_search(
                segment.display_name, segment._rule()
            )
