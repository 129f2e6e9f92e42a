from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.misc import formatLang

from . import lifecycle_rights as rights
from .lifecycle_rule import QUIET

#: buyers and days of history below which no tier is active: thresholds would be chance
MINIMUM_BUYERS = 50
MINIMUM_DAYS = 365
#: columns of the profile that hold a measure, with the number of orders they belong to; of
#: several windows any may meet a threshold
WINDOWS = {
    ("revenue", "rolling"): [("revenue_year", "orders_year")],
    ("revenue", "calendar"): [
        ("revenue_this_year", "orders_this_year"),
        ("revenue_last_year", "orders_last_year"),
    ],
    ("margin", "rolling"): [("value_year", "orders_year")],
    ("margin", "calendar"): [
        ("value_this_year", "orders_this_year"),
        ("value_last_year", "orders_last_year"),
    ],
    ("orders", "rolling"): [("orders_year", "orders_year")],
    ("orders", "calendar"): [
        ("orders_this_year", "orders_this_year"),
        ("orders_last_year", "orders_last_year"),
    ],
}
COLUMNS = {
    "earned": "clv_historical",
    "expected": "clv_predicted",
    "total": "clv_total",
    "potential": "potential",
}
IN_WINDOW = ("revenue", "margin", "orders")


class LifecycleVipTier(models.Model):
    """A VIP tier of one company: what it takes to reach and to keep it, and what it gives."""

    _name = "lifecycle.vip.tier"
    _inherit = "lifecycle.rule"
    _description = "VIP Tier"
    _order = "company_id, rank desc, id"

    _rule_kind = "tier"
    _rule_names = frozenset(
        {
            "active",
            "company_id",
            "drop_to",
            "entry",
            "entry_orders",
            "grace_days",
            "keep_percent",
            "measure",
            "min_orders",
            "rank",
            "term",
        }
    )

    name = fields.Char(required=True, translate=True)
    public_name = fields.Char(
        translate=True, help="What customers read in the portal. Empty: the name."
    )
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    rank = fields.Integer(default=1, help="The higher, the better.")
    color = fields.Integer(default=3)
    badge = fields.Selection(
        [
            ("fa-star-o", "Star, outlined"),
            ("fa-star", "Star"),
            ("fa-diamond", "Diamond"),
            ("fa-trophy", "Trophy"),
            ("fa-heart", "Heart"),
        ],
        default="fa-star",
        required=True,
    )
    measure = fields.Selection(
        "_selection_measure",
        default="revenue",
        required=True,
        help="What counts. Margin is what the company's settings say value is.",
    )
    term = fields.Selection(
        [
            ("rolling", "Last 12 months, from day to day"),
            ("calendar", "Calendar year, valid to the end of the next"),
        ],
        default="rolling",
        required=True,
    )
    in_window = fields.Boolean(compute="_compute_in_window")
    entry = fields.Monetary(string="From", help="Who reaches this amount enters at once.")
    entry_orders = fields.Integer(string="From Orders", default=10)
    min_orders = fields.Integer(
        string="Minimum Orders",
        default=2,
        help="So many orders it takes to enter, so that one lucky order makes nobody a VIP.",
    )
    keep_percent = fields.Float(
        string="Keep (%)",
        default=80,
        digits=(5, 1),
        help="Who falls below this share of the entry threshold is about to lose the tier.",
    )
    keep = fields.Monetary(compute="_compute_keep", string="Kept Above")
    grace_days = fields.Integer(
        default=60, help="Days between the announcement of a drop and the drop."
    )
    drop_to = fields.Selection(
        [("down", "One tier down"), ("met", "To the tier whose threshold is still kept")],
        string="A Drop Leads",
        default="down",
        required=True,
    )
    threshold_text = fields.Char(compute="_compute_threshold_text", string="Threshold")
    inactive_reason = fields.Char(compute="_compute_inactive_reason")
    member_count = fields.Integer(string="Members", compute="_compute_counts")
    review_count = fields.Integer(string="Under Review", compute="_compute_counts")
    problem_count = fields.Integer(string="Benefits Missing", compute="_compute_counts")
    proposal_of_id = fields.Many2one(
        "lifecycle.vip.tier", ondelete="cascade", index="btree_not_null", readonly=True
    )

    _rank_unique = models.UniqueIndex(
        "(company_id, rank) WHERE active AND proposal_of_id IS NULL",
        "Two tiers of a company cannot have the same rank.",
    )
    _numbers_range = models.Constraint(
        "CHECK (keep_percent BETWEEN 0 AND 100 AND grace_days >= 0 AND min_orders >= 0)",
        "Keep between 0 and 100 %, and give no negative number of days or orders.",
    )

    # ----- COMPUTE -----

    @api.model
    def _selection_measure(self):
        measures = [
            ("revenue", self.env._("Net revenue")),
            ("margin", self.env._("Margin")),
            ("orders", self.env._("Number of orders")),
            ("earned", self.env._("Earned so far")),
            ("expected", self.env._("Expected in the next 12 months")),
            ("total", self.env._("Customer lifetime value")),
        ]
        potential = self.env["lifecycle.profile"]._fields.get("potential")
        if potential is not None and potential.store:
            measures.append(("potential", self.env._("Potential per year")))
        return measures

    @api.depends("measure")
    def _compute_in_window(self):
        for tier in self:
            tier.in_window = tier.measure in IN_WINDOW

    @api.depends("entry", "entry_orders", "measure", "keep_percent")
    def _compute_keep(self):
        for tier in self:
            keep = tier._entry() * tier.keep_percent / 100
            tier.keep = tier.currency_id.round(keep) if tier.currency_id else keep

    @api.depends_context("lang")
    @api.depends("entry", "entry_orders", "measure", "keep_percent", "term", "min_orders")
    def _compute_threshold_text(self):
        measures = dict(self._selection_measure())
        for tier in self:
            period = ""
            if tier.in_window:
                period = (
                    self.env._("in the last 12 months")
                    if tier.term == "rolling"
                    else self.env._("in a calendar year")
                )
            tier.threshold_text = self.env._(
                "%(measure)s %(period)s: from %(entry)s, kept above %(keep)s",
                measure=measures.get(tier.measure, ""),
                period=period,
                entry=tier._shown(tier._entry()),
                keep=tier._shown(tier.keep),
            ).replace("  ", " ").replace(" :", ":")

    def _compute_inactive_reason(self):
        for company, tiers in self.grouped("company_id").items():
            tiers.inactive_reason = tiers._why_inactive(company)

    def _compute_counts(self):
        profiles = self.env["lifecycle.profile"]
        names = {
            "member_count": [],
            "review_count": [("vip_review_date", "!=", False)],
            "problem_count": [("vip_problem", "!=", False)],
        }
        for name, domain in names.items():
            counts = dict(
                profiles._read_group(
                    # a branch's customers have the tier from here, and are counted here
                    [
                        ("vip_tier_id", "in", self.ids),
                        ("company_id", "in", self.company_id.ids),
                        *domain,
                    ],
                    ["vip_tier_id"],
                    ["__count"],
                )
            )
            for tier in self:
                tier[name] = counts.get(tier, 0)

    # ----- RULE -----

    @api.constrains("company_id")
    def _check_stays_his(self):
        rights.check_stays_his(self)

    @api.constrains("entry", "entry_orders", "measure", "active")
    def _check_entry(self):
        for tier in self:
            if tier._entry() <= 0:
                raise ValidationError(
                    self.env._(
                        "Give “%s” a threshold above 0: with none, everybody would be a VIP.",
                        tier.name,
                    )
                )
        self._check_rule()

    def _try_rule(self):
        self.ensure_one()
        profiles = self.env["lifecycle.profile"]
        for names in self._windows():
            for name in names:
                if name not in profiles._fields:
                    raise KeyError(name)

    def _find_rule_moves(self, company, today):
        self.env["lifecycle.classifier"].sudo()._find_tier_moves(company, today)

    def _windows(self):
        """Pairs (column of the measure, column of its number of orders); any of them counts."""
        self.ensure_one()
        return WINDOWS.get((self.measure, self.term)) or [
            (COLUMNS.get(self.measure, self.measure), "order_count")
        ]

    def _entry(self):
        self.ensure_one()
        return self.entry_orders if self.measure == "orders" else self.entry

    def _enters_sql(self):
        """Condition on lifecycle_profile: the customer reaches the tier."""
        return self._any_window(
            lambda value, orders: SQL(
                "(COALESCE(%s, 0) >= %s AND COALESCE(%s, 0) >= %s)",
                value,
                self._entry(),
                orders,
                self.min_orders,
            )
        )

    def _keeps_sql(self):
        """Condition on lifecycle_profile: the customer keeps the tier, once he has it."""
        return self._any_window(
            lambda value, orders: SQL("COALESCE(%s, 0) >= %s", value, self.keep)
        )

    def _any_window(self, condition):
        return SQL(
            "(%s)",
            SQL(" OR ").join(
                condition(SQL.identifier("profile", value), SQL.identifier("profile", orders))
                for value, orders in self._windows()
            ),
        )

    @api.model
    def _of_company(self, company):
        """Tiers in force of a company, the lowest first."""
        return self._in_force(Domain("company_id", "=", company.id), order="rank, id")

    @api.model
    def _why_inactive(self, company, today=None):
        """Sentence why no tier of the company is active yet, or False."""
        today = today or company._lifecycle_today()
        buyers = SQL(
            "FROM lifecycle_profile WHERE company_id = %s AND active AND order_count > 0",
            company.id,
        )
        self.env["lifecycle.profile"].flush_model()
        self.env.cr.execute(
            SQL(
                """SELECT (SELECT COUNT(*) FROM (SELECT 1 %(buyers)s LIMIT %(least)s) enough),
                          EXISTS (SELECT %(buyers)s
                                     AND first_order_date <= %(today)s::date - %(days)s)""",
                buyers=buyers,
                least=MINIMUM_BUYERS,
                today=today,
                days=MINIMUM_DAYS,
            )
        )
        count, old = self.env.cr.fetchone()
        if count < MINIMUM_BUYERS and not self.env["lifecycle.profile"]._sees_whole_company():
            return self.env._(
                "No tier is active yet: %s customers must have bought for a threshold to mean "
                "something.",
                MINIMUM_BUYERS,
            )
        if count < MINIMUM_BUYERS:
            return self.env._(
                "No tier is active yet: %(count)s customers have bought, %(least)s it takes "
                "for a threshold to mean something.",
                count=count,
                least=MINIMUM_BUYERS,
            )
        if not old:
            return self.env._(
                "No tier is active yet: it takes 12 months of history to tell regular from "
                "chance."
            )
        return False

    @api.model
    def _rules_changed(self):
        """Tiers by calendar year need sums that only a complete run computes."""
        calendar = self._in_force(
            Domain("term", "=", "calendar") & Domain("measure", "in", IN_WINDOW)
        )
        if calendar and self.env.registry.ready and not self.env.context.get(QUIET):
            # sudo: who may edit tiers may have them computed
            self.env["lifecycle.run"].sudo()._request(calendar.company_id, kind="settings")
        return super()._rules_changed()

    def _needs_new_figures(self):
        """The sums of calendar years are kept only while a tier in force asks for them."""
        calendar = Domain("term", "=", "calendar") & Domain("measure", "in", IN_WINDOW)
        return bool(
            self.filtered_domain(calendar)
            and not self._in_force(calendar & Domain("company_id", "=", self.company_id.id))
        )

    # ----- WORDS -----

    def _shown(self, number):
        """A threshold or a measured value as people read it."""
        self.ensure_one()
        if self.measure == "orders":
            return self.env._("%s orders", int(number))
        currency = self.currency_id
        whole = currency.is_zero(number - round(number))
        return formatLang(
            self.env,
            number,
            currency_obj=currency,
            rounding_unit="units" if whole else "decimals",
        )

    def _measured_text(self, profile):
        """What the customer has of the tier's measure, with the period it was summed over."""
        self.ensure_one()
        shown = [self._shown(profile[value] or 0) for value, _orders in self._windows()]
        if not self.in_window:
            return f"{shown[0]} {dict(self._selection_measure())[self.measure].lower()}"
        if self.term == "rolling":
            return self.env._("%s in the last 12 months", shown[0])
        year = profile._lifecycle_today().year
        return self.env._(
            "%(this)s in %(year)s, %(last)s in %(before)s",
            this=shown[0],
            year=str(year),
            last=shown[1],
            before=str(year - 1),
        )

    # ----- ACTIONS -----

    def _action_profiles(self, domain, name):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_profile_action"
        )
        action.update(domain=domain, context={}, display_name=name)
        return action

    def _members(self):
        return [("vip_tier_id", "=", self.id), ("company_id", "=", self.company_id.id)]

    def action_view_members(self):
        self.ensure_one()
        return self._action_profiles(self._members(), self.name)

    def action_view_reviews(self):
        self.ensure_one()
        return self._action_profiles(
            [*self._members(), ("vip_review_date", "!=", False)],
            self.env._("About to lose %s", self.name),
        )

    def action_view_problems(self):
        self.ensure_one()
        return self._action_profiles(
            [*self._members(), ("vip_problem", "!=", False)],
            self.env._("Benefits missing: %s", self.name),
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_unless_used(self):
        if self.env["lifecycle.transition"].sudo().search_count(
            ["|", ("from_tier_id", "in", self.ids), ("to_tier_id", "in", self.ids)], limit=1
        ):
            raise UserError(self.env._("Customers have had this tier; archive it instead."))
