"""One row per customer and company: the figures on orders, value and expectations.

In: what the pipeline and the forecast write. Out: day counts, the top tenth and the headline,
computed when read; words for days, dates and money that the profile's other parts use. Read by
lists, the contact form, and every rule of a stage, segment or workflow.
"""

from babel.dates import format_skeleton

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.misc import babel_locale_parse, format_date, formatLang, get_lang

from ...tools.fields import (
    OptionalFloat,
    OptionalInteger,
    OptionalMonetary,
    UncheckedMany2one,
)
from .preferences import PreferenceReader
from .signal import SignalReader


class LifecycleProfile(models.Model):
    """Everything known and computed about one customer in one company.

    Rows are written set-based by the pipeline; nothing here is entered by hand.
    """

    _name = "lifecycle.profile"
    _description = "Customer Profile"
    _inherit = ["lifecycle.branch.mixin"]
    _order = "clv_total desc nulls last, id"
    _rec_name = "partner_id"

    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(
        "res.company", required=True, ondelete="cascade", readonly=True
    )
    # the company's, which a foreign key of its own protects
    currency_id = UncheckedMany2one("res.currency", readonly=True)
    active = fields.Boolean(
        default=True, readonly=True, help="Off while the contact is no customer or prospect."
    )

    order_count = fields.Integer(string="Orders", readonly=True, aggregator="sum")
    first_order_date = fields.Date(string="First Order", readonly=True)
    last_order_date = fields.Date(string="Last Order", readonly=True)
    days_since_last_order = OptionalInteger(
        string="Days Since Last Order",
        compute="_compute_days_since_last_order",
        search="_search_days_since_last_order",
        aggregator="avg",
    )
    recent_order_count = fields.Integer(
        string="Orders in the Last Period",
        readonly=True,
        help="Orders within one prediction horizon before today.",
    )
    pace_date = fields.Date(
        string="Sixth Last Order",
        readonly=True,
        help="Of customers with fewer orders, the first. It tells how fast somebody orders lately.",
    )
    revenue = fields.Monetary(
        string="Net Revenue", readonly=True, help="Untaxed, less credit notes, to date."
    )
    revenue_year = fields.Monetary(
        string="Revenue in the Last 365 Days", readonly=True
    )
    average_order_value = OptionalMonetary(
        string="Average Order", readonly=True, aggregator="avg",
        help="Mean net value of a day with purchases.",
    )
    order_interval = OptionalFloat(
        string="Days Between Orders", readonly=True, aggregator="avg", digits=(12, 1),
        help="The customer's own mean number of days between two orders.",
    )
    clv_historical = fields.Monetary(
        string="Earned so Far", readonly=True,
        help="Historical customer lifetime value: net revenue, or margin, to date.",
    )
    clv_predicted = OptionalMonetary(
        string="Expected in the Next 12 Months", readonly=True,
        help="Predicted customer lifetime value over the company's horizon, discounted, "
        "rounded to about 1 %.",
    )
    clv_total = fields.Monetary(
        string="Customer Lifetime Value", readonly=True,
        help="Earned so far plus expected.",
    )
    p_alive = OptionalFloat(
        string="P(alive)", readonly=True, aggregator="avg", digits=(3, 2),
        groups="sales_team.group_sale_manager",
        help="Probability that the customer has not left for good.",
    )
    p_order = OptionalFloat(
        string="Will Order Again", readonly=True, aggregator="avg", digits=(3, 2),
        help="Probability of at least one order within the horizon.",
    )
    p_order_30 = OptionalFloat(
        string="Will Order in 30 Days", readonly=True, aggregator="avg", digits=(3, 2),
        help="Probability of at least one order within 30 days.",
    )
    expected_orders = OptionalFloat(
        string="Expected Orders", readonly=True, digits=(12, 1),
        help="Expected number of orders within the horizon.",
    )
    next_order_date = fields.Date(string="Next Order Around", readonly=True)
    next_order_from = fields.Date(readonly=True)
    next_order_to = fields.Date(string="Next Order Until", readonly=True)
    next_order_text = fields.Char(
        string="Next Order",
        compute="_compute_next_order_text",
        help="When it is due, since when it is overdue, or that there is no regular rhythm.",
    )
    predicted = fields.Boolean(
        readonly=True, help="Whether there were enough data for a prediction."
    )
    top_decile = fields.Boolean(
        string="Top 10 % by Value",
        compute="_compute_top_decile",
        search="_search_top_decile",
        help="Among the tenth of the company's buyers with the highest lifetime value.",
    )
    headline = fields.Char(compute="_compute_headline", string="In One Sentence")

    _partner_company_unique = models.Constraint(
        "UNIQUE (partner_id, company_id)", "A customer has one profile in each company."
    )
    _company_value_idx = models.Index("(company_id, clv_total DESC NULLS LAST)")
    _company_last_order_idx = models.Index("(company_id, last_order_date)")

    # ----- READERS -----

    @api.model
    def _readers(self):
        """Kinds of :class:`~.reader.Reader`: what is read into profiles besides purchases.

        In the order in which they are asked. Meant to be extended: each room or add-on appends its
        own to those of ``super()``.
        """
        # whose orders have changed is no longer known after the preferences
        return [SignalReader, PreferenceReader]

    # ----- COMPUTE -----

    @api.model
    def _lifecycle_today(self):
        """The day that day counts are for: today where the company is, not where the reader is.

        A day named in the context takes its place, to look at rules as of the past.
        """
        # sudo: the time zone of the company's contact is no secret, its contact may be
        return (
            self.env.context.get("lifecycle_today")
            or self.env.company.sudo()._lifecycle_today()
        )

    @api.depends("partner_id", "company_id")
    def _compute_display_name(self):
        for profile in self:
            profile.display_name = profile.partner_id.display_name

    @api.depends("last_order_date")
    def _compute_days_since_last_order(self):
        today = self._lifecycle_today()
        for profile in self:
            last = profile.last_order_date
            profile.days_since_last_order = (today - last).days if last else False

    def _search_days_since_last_order(self, operator, value):
        today = self._lifecycle_today()
        if isinstance(today, SQL):
            # a day of its own for each row, as when the past is replayed
            return self._search_number("days_since_last_order", operator, value)
        mirrored = {">": "<", "<": ">", ">=": "<=", "<=": ">="}
        if operator in mirrored:
            return Domain(
                "last_order_date", mirrored[operator], fields.Date.subtract(today, days=value)
            )
        if operator == "in":
            dates = [
                fields.Date.subtract(today, days=days) if days is not False else False
                for days in value
            ]
            return Domain("last_order_date", "in", dates)
        return NotImplemented

    def _field_to_sql(self, alias, field_expr, query=None):
        """Make the number of days sortable, groupable and summable."""
        if field_expr == "days_since_last_order":
            self._check_field_access(self._fields[field_expr], "read")
            if isinstance(self._lifecycle_today(), SQL):
                # the replay of the past has it as a column
                return SQL.identifier(alias, field_expr)
            return SQL(
                "(%s::date - %s)",
                self._lifecycle_today(),
                super()._field_to_sql(alias, "last_order_date", query),
            )
        return super()._field_to_sql(alias, field_expr, query)

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        field = self._fields.get(field_name)
        if not nulls and field is not None and field.falsy_value is None and not field.relational:
            # descending order would begin with everything that is unknown
            nulls = SQL("NULLS LAST")
        return super()._order_field_to_sql(alias, field_name, direction, nulls, query)

    @api.depends("clv_total", "order_count")
    def _compute_top_decile(self):
        for company, profiles in self.grouped("company_id").items():
            threshold = self._value_threshold(company)
            for profile in profiles:
                profile.top_decile = bool(
                    profile.order_count and profile.clv_total >= threshold
                )

    def _search_top_decile(self, operator, value):
        if operator != "in" or True not in value:
            return NotImplemented
        if False in value:
            return Domain.TRUE
        return Domain.OR(
            Domain("company_id", "=", company.id)
            & Domain("order_count", ">", 0)
            & Domain("clv_total", ">=", self._value_threshold(company))
            for company in self.env.companies
        )

    @api.model
    def _value_threshold(self, company):
        """Lifetime value that the best tenth of a company's buyers reach."""
        self.env["lifecycle.profile"].flush_model(["clv_total", "order_count", "company_id"])
        buyers = SQL(
            "FROM lifecycle_profile WHERE company_id = %s AND order_count > 0 AND active "
            "AND clv_total IS NOT NULL",
            company.id,
        )
        # down the index from the top: a percentile would sort everybody
        self.env.cr.execute(
            SQL(
                "SELECT clv_total %s ORDER BY clv_total DESC NULLS LAST "
                "OFFSET (SELECT COUNT(*) / 10 %s) LIMIT 1",
                buyers,
                buyers,
            )
        )
        return (self.env.cr.fetchone() or [0])[0]

    @api.depends_context("lang", "uid")
    @api.depends(
        *("order_count", "order_interval", "last_order_date", "next_order_date", "next_order_to"),
        *("predicted", "clv_historical"),
    )
    def _compute_headline(self):
        for profile in self:
            profile.headline = profile._headline()

    def _headline(self):
        """One sentence for the salesperson: the customer's rhythm and what is due."""
        self.ensure_one()
        if not self.order_count and self.clv_historical < 0:
            return self.env._(
                "No purchases known, but credit notes of %s.", self._money(-self.clv_historical)
            )
        if not self.order_count:
            return self.env._("No purchases yet; first figures after the first confirmed order.")
        days = self.days_since_last_order
        if self.order_count == 1:
            return self.env._(
                "One order so far, %(when)s, worth %(value)s.",
                when=self._ago(days),
                value=self._money(self.revenue),
            )
        sentence = self.env._(
            "Usually orders every %(rhythm)s days; last order %(when)s.",
            rhythm=max(1, round(self.order_interval)),
            when=self._ago(days),
        )
        if self.next_order_date:
            today = self._lifecycle_today()
            if self.next_order_to and self.next_order_to < today:
                due = self.env._(
                    "An order was expected by %(date)s: get in touch.",
                    date=self._date(self.next_order_to),
                )
            elif self.next_order_to and self.next_order_date < today:
                due = self.env._(
                    "The next order is due by %(date)s.", date=self._date(self.next_order_to)
                )
            else:
                due = self.env._(
                    "Next order around %(date)s (%(start)s – %(end)s).",
                    date=self._date(self.next_order_date),
                    start=self._date(self.next_order_from),
                    end=self._date(self.next_order_to),
                )
            sentence = f"{sentence} {due}"
        elif self.predicted:
            irregular = self.env._("There is no regular rhythm, and so no date for the next one.")
            sentence = f"{sentence} {irregular}"
        return sentence

    @api.depends_context("lang", "uid")
    @api.depends("order_count", "next_order_date", "next_order_to", "predicted")
    def _compute_next_order_text(self):
        for profile in self:
            profile.next_order_text = profile._next_order_text()

    def _next_order_text(self):
        """When the next order is due in a few words; nothing where nothing is predicted."""
        self.ensure_one()
        if not self.predicted or not self.order_count:
            return False
        if not self.next_order_date:
            return self.env._("no regular rhythm")
        today = self._lifecycle_today()
        if self.next_order_to and self.next_order_to < today:
            return self.env._("overdue since %s", self._short_date(self.next_order_to))
        if self.next_order_to and self.next_order_date < today:
            return self.env._("due by %s", self._short_date(self.next_order_to))
        return self.env._("around %s", self._short_date(self.next_order_date))

    def _ago(self, days):
        if days < 1:
            return self.env._("today")
        if days == 1:
            return self.env._("yesterday")
        return self.env._("%s days ago", days)

    def _date(self, date):
        """A date in words: 11/12 means two things."""
        text = format_date(self.env, date, date_format="medium")
        # isolated: the marks of right-to-left languages would scramble the sentence around
        return f"\u2068{text}\u2069" if "\u200f" in text else text

    def _short_date(self, date):
        """Like ``_date``, without the year where it is the present one."""
        if date.year != self._lifecycle_today().year:
            return self._date(date)
        return format_skeleton("MMMd", date, locale=babel_locale_parse(get_lang(self.env).code))

    def _money(self, amount):
        self.ensure_one()
        return formatLang(self.env, amount, currency_obj=self.currency_id)

    # ----- ACTIONS -----

    def action_view_partner(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "res.partner",
            "res_id": self.partner_id.id,
            "views": [(False, "form")],
        }

    def action_view_purchases(self):
        """Open the documents that the figures were summed from."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_purchase_action"
        )
        action["domain"] = [("profile_id", "=", self.id)]
        action["context"] = {
            "lifecycle_profile_id": self.id,
            "search_default_counted": 1,
            "search_default_group_year": 1,
        }
        action["display_name"] = self.env._("Purchases of %s", self.partner_id.display_name)
        return action
