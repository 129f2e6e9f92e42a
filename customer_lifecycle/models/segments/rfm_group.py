"""Named RFM groups with their ranges, such that every buyer is in one of them.

In: ranges that people enter. Out: an SQL expression of a buyer's group, for the classifier;
members, value and whether a group is in use, for its list. Ranges that leave a buyer out are
refused; a change asks for a run.
"""

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

#: buyers from which on a company's customers are compared with each other, by fifths
SCORED_BUYERS = 200
MEASURES = ("recency", "frequency", "monetary")
SCORES = range(1, 6)


class LifecycleRfmGroup(models.Model):
    """A named group of buyers by recency, frequency and monetary value.

    A buyer is in the first group, by sequence, whose ranges he is in. Groups of the method
    "scores" look at his scores, those of the method "plain" at his orders and days themselves.
    """

    _name = "lifecycle.rfm.group"
    _description = "RFM Group"
    _order = "method desc, sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(
        default=10, help="The first group wins whose ranges a buyer is in."
    )
    color = fields.Integer()
    active = fields.Boolean(default=True)
    description = fields.Char(translate=True, help="Who is in this group, in plain words.")
    playbook = fields.Html(string="What to Do", translate=True)
    method = fields.Selection(
        [("scores", "Scores from 1 to 5"), ("plain", "Fixed thresholds")],
        default="scores",
        required=True,
        help="Scores compare a company's buyers with each other, from 200 buyers on. Below, fifths "
        "would mean nothing: there the groups with fixed thresholds are used.",
    )
    recency_from = fields.Integer(string="Recency from", default=1)
    recency_to = fields.Integer(string="Recency to", default=5)
    frequency_from = fields.Integer(string="Frequency from", default=1)
    frequency_to = fields.Integer(string="Frequency to", default=5)
    monetary_from = fields.Integer(string="Monetary Value from", default=1)
    monetary_to = fields.Integer(string="Monetary Value to", default=5)
    min_orders = fields.Integer(string="Orders from", help="0: any number.")
    max_orders = fields.Integer(string="Orders up to", help="0: any number.")
    max_days = fields.Integer(
        string="Last Order Within (days)", help="0: however long ago."
    )
    profile_count = fields.Integer(string="Members", compute="_compute_members")
    value = fields.Monetary(
        string="Earned so Far", compute="_compute_members", currency_field="currency_id"
    )
    currency_id = fields.Many2one("res.currency", compute="_compute_members")
    in_use = fields.Boolean(compute="_compute_use_note")
    use_note = fields.Char(string="In Use Now", compute="_compute_use_note")

    _scores_range = models.Constraint(
        "CHECK (1 <= recency_from AND recency_from <= recency_to AND recency_to <= 5 "
        "AND 1 <= frequency_from AND frequency_from <= frequency_to AND frequency_to <= 5 "
        "AND 1 <= monetary_from AND monetary_from <= monetary_to AND monetary_to <= 5)",
        "Scores go from 1 to 5, and each range from its lower to its higher score.",
    )
    _limits_range = models.Constraint(
        "CHECK (min_orders >= 0 AND max_days >= 0 "
        "AND (max_orders = 0 OR max_orders >= GREATEST(min_orders, 1)))",
        "Numbers of orders and days are not negative, and go from the lower to the higher.",
    )

    # ----- SHOWN -----

    @api.depends_context("company", "uid")
    def _compute_members(self):
        found = {
            group: (count, value)
            for group, count, value in self.env["lifecycle.profile"]._read_group(
                [("rfm_group_id", "in", self.ids), ("company_id", "=", self.env.company.id)],
                ["rfm_group_id"],
                ["__count", "clv_historical:sum"],
            )
        }
        for group in self:
            group.profile_count, group.value = found.get(group, (0, 0))
            group.currency_id = self.env.company.currency_id

    @api.depends_context("company", "lang")
    @api.depends("method")
    def _compute_use_note(self):
        scale = self.env["lifecycle.rfm.scale"].sudo()._current(self.env.company)
        # how many customers there are is not for who sees his own only
        counts = self.env["lifecycle.profile"]._sees_whole_company()
        for group in self:
            group.in_use = group.method == scale.method
            if scale and not counts:
                group.use_note = self.env._("yes") if group.in_use else self.env._("no")
            elif not scale:
                group.use_note = self.env._("from the next run on")
            elif group.method == scale.method:
                group.use_note = self.env._("yes: %s buyers", scale.buyer_count)
            elif group.method == "scores":
                group.use_note = self.env._(
                    "no: %(count)s buyers, scores need %(needed)s",
                    count=scale.buyer_count,
                    needed=SCORED_BUYERS,
                )
            else:
                group.use_note = self.env._(
                    "no: %s buyers are enough for scores", scale.buyer_count
                )

    def action_view_members(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_profile_action"
        )
        action["domain"] = [("rfm_group_id", "=", self.id)]
        action["context"] = {}
        action["display_name"] = self.name
        return action

    # ----- RULES -----

    def _takes(self, orders, days=0, scores=(1, 1, 1)):
        """Whether a buyer is within the group's ranges.

        :param orders: number of orders
        :param days: days since the last order, for plain groups
        :param scores: recency, frequency and monetary score, for scored groups
        """
        self.ensure_one()
        if orders < self.min_orders or 0 < self.max_orders < orders:
            return False
        if self.method == "plain":
            return not self.max_days or days <= self.max_days
        return all(
            self[f"{name}_from"] <= score <= self[f"{name}_to"]
            for name, score in zip(MEASURES, scores, strict=True)
        )

    def _first_taking(self, orders, **buyer):
        """The first of these groups that a buyer is in; empty if there is none."""
        return next((group for group in self if group._takes(orders, **buyer)), self.browse())

    @api.model
    def _of_method(self, method):
        """Groups in the order in which their ranges are tried."""
        return self.sudo().search(Domain("method", "=", method), order="sequence, id")

    @api.model
    def _group_sql(self, method, scores, orders, days):
        """SQL expression of the id of the group that a buyer is in.

        :param scores: recency, frequency and monetary score, as SQL
        :param orders, days: number of orders and days since the last one, as SQL
        """
        branches = []
        for group in self._of_method(method):
            conditions = []
            if method == "scores":
                for name, score in zip(MEASURES, scores, strict=True):
                    low, high = group[f"{name}_from"], group[f"{name}_to"]
                    if (low, high) != (1, 5):
                        conditions.append(SQL("%s BETWEEN %s AND %s", score, low, high))
            elif group.max_days:
                conditions.append(SQL("%s <= %s", days, group.max_days))
            if group.min_orders > 1:
                conditions.append(SQL("%s >= %s", orders, group.min_orders))
            if group.max_orders:
                conditions.append(SQL("%s <= %s", orders, group.max_orders))
            condition = SQL(" AND ").join(conditions or [SQL("TRUE")])
            branches.append(SQL("WHEN %s THEN %s", condition, group.id))
        if not branches:
            return SQL("NULL::integer")
        return SQL("CASE %s END", SQL(" ").join(branches))

    @api.constrains(
        "active", "frequency_from", "frequency_to", "max_days", "max_orders", "method",
        "min_orders", "monetary_from", "monetary_to", "recency_from", "recency_to",
    )
    def _check_everybody_is_taken(self):
        # delivered groups are loaded one after the other
        if not self.env.context.get("install_mode"):
            self._ensure_everybody_is_taken()

    @api.model
    def _ensure_everybody_is_taken(self, without=()):
        """Refuse ranges that leave a buyer without a group.

        :param without: groups that are about to go
        """
        scored, plain = (
            self._of_method(method).filtered(lambda group: group not in without)
            for method in ("scores", "plain")
        )
        for orders in self._breaks(scored, "orders"):
            for scores in self._all_scores():
                if not scored._first_taking(orders, scores=scores):
                    raise ValidationError(
                        self.env._(
                            "No group takes a buyer with the scores %(scores)s and %(orders)s "
                            "orders. Widen the ranges of one.",
                            scores="".join(map(str, scores)),
                            orders=orders,
                        )
                    )
        for orders in self._breaks(plain, "orders"):
            for days in self._breaks(plain, "days"):
                if not plain._first_taking(orders, days=days):
                    raise ValidationError(
                        self.env._(
                            "No group with fixed thresholds takes a buyer with %(orders)s orders, "
                            "the last one %(days)s days ago. Give one group neither a number of "
                            "orders nor of days.",
                            orders=orders,
                            days=days,
                        )
                    )

    @api.model
    def _all_scores(self):
        """All 125 triples of scores."""
        return [(r, f, m) for r in SCORES for f in SCORES for m in SCORES]

    @api.model
    def _breaks(self, groups, what):
        """Numbers of orders or days at which membership may change: they stand for all others."""
        highs = {group[f"max_{what}"] + 1 for group in groups if group[f"max_{what}"]}
        lows = {group.min_orders for group in groups} if what == "orders" else {0}
        return sorted({max(number, int(what == "orders")) for number in highs | lows | {0}})

    # ----- CHANGES -----

    @api.model_create_multi
    def create(self, vals_list):
        groups = super().create(vals_list)
        # Odoo checks no rights where there is no record
        if groups:
            self.env["lifecycle.rule"]._rules_changed()
        return groups

    def write(self, vals):
        result = super().write(vals)
        if self and vals.keys() - {"name", "color", "description", "playbook"}:
            self.env["lifecycle.rule"]._rules_changed()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_if_others_take_over(self):
        self._ensure_everybody_is_taken(without=self)
        self.env["lifecycle.rule"]._rules_changed()
