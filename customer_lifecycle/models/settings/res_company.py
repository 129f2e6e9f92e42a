"""A company's settings: what a purchase and its value are, days, limits, and head office.

In: what is entered in the settings; branches begin with those of their head office. Out: today's
date, the days and amounts that can be believed, the family of branches, and whose tiers hold; a
refusal to change the currency under amounts that are kept in it. Asked by nearly every part; a
changed definition has all figures computed anew.
"""

from datetime import date, timedelta

from odoo import api, fields, models, tools
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools.misc import format_date, formatLang

from odoo.addons.base.models.res_partner import _tz_get

from ...tools.fields import preset_in_database

#: former systems write "no date" as the first day that they know: in 1753, 1899, 1900, 1904, 1970
#: and on the first of January 1980
FIRST_DAY = date(1980, 1, 2)
#: how far ahead documents may be dated; they count when their day has come
DAYS_AHEAD = 366
#: what is larger is a slip, unless the company says otherwise
LARGEST_AMOUNT = 1e12
#: settings that a new branch takes over from its head office
SETTLED = (
    "lifecycle_tz",
    "lifecycle_basis",
    "lifecycle_value",
    "lifecycle_margin_percent",
    "lifecycle_horizon",
    "lifecycle_discount_rate",
    "lifecycle_tiers_portal",
    "lifecycle_next_portal",
    "lifecycle_referral_portal",
    "lifecycle_consent_required",
    "lifecycle_cap_week",
    "lifecycle_cap_month",
    "lifecycle_wait_days",
    "lifecycle_complaint_days",
    "lifecycle_measure",
)


class ResCompany(models.Model):
    _inherit = "res.company"

    lifecycle_tz = fields.Selection(
        _tz_get,
        string="Customer Lifecycle Time Zone",
        help="Days in purchase histories are days in this time zone. Empty: the time zone of "
        "the company's contact, then of its working hours, then UTC.",
    )
    # stored: every form of a customer asks for today's date
    lifecycle_tz_used = fields.Char(
        string="Time Zone in Use",
        compute="_compute_lifecycle_tz_used",
        compute_sudo=True,
        store=True,
    )
    lifecycle_basis = fields.Selection(
        [("orders", "Confirmed orders"), ("invoices", "Posted invoices")],
        string="Purchases Are",
        default="orders",
        required=True,
        help="Confirmed orders are net of credit notes and known at once; posted invoices are "
        "what accounting says. Imported history counts in both.",
    )
    lifecycle_value = fields.Selection(
        [
            ("revenue", "Net revenue"),
            ("margin", "Margin of the documents"),
            ("percent", "Share of net revenue"),
        ],
        string="Value Is",
        default="revenue",
        required=True,
        help="What counts as a customer's value: revenue, the margin stored on the documents "
        "(needs the app Margins in Sales Orders; documents without one use the share), or a "
        "fixed share of revenue.",
    )
    # customers read their own company: what it earns is for colleagues
    lifecycle_margin_percent = fields.Float(
        string="Margin Share (%)", default=30.0, groups="base.group_user"
    )
    lifecycle_horizon = fields.Integer(
        string="Prediction Horizon (days)", default=365, help="How far predictions look ahead."
    )
    lifecycle_discount_rate = fields.Float(
        string="Discount Rate per Year (%)",
        default=10.0,
        groups="base.group_user",
        help="Money expected later counts for less: an amount expected in a year is divided "
        "by 1 plus this rate.",
    )
    lifecycle_first_day = fields.Date(
        string="No Purchases Before",
        help="What is dated before is a mistake, for example a former system's way to say that "
        "there is no date: imports are refused, documents are set aside. Empty: "
        "2 January 1980.",
    )
    lifecycle_largest_amount = fields.Float(
        string="No Purchases Above",
        groups="base.group_user",
        help="A larger amount is a mistake: imports are refused, documents are set aside. "
        "Nothing: a million millions.",
    )
    lifecycle_tiers_date = fields.Date(
        string="VIP Tiers Evaluated Since", readonly=True, copy=False
    )
    lifecycle_tiers_portal = fields.Boolean(
        string="Show Customers Their VIP Tier",
        help="In the portal: the customer's own tier by its public name and the amount to the "
        "next one.",
    )
    lifecycle_next_portal = fields.Boolean(
        string="Show Customers What to Order Next",
        help="In the portal: up to four products that the customer probably buys next; with a "
        "shop, each leads there.",
    )
    lifecycle_referral_portal = fields.Boolean(
        string="Show Customers Their Referral Link",
        help="In the portal: the customer's own code and link to recommend you.",
    )
    lifecycle_first_steps_done = fields.Boolean(
        help="The figures were checked in the first steps of the customer lifecycle app."
    )
    lifecycle_first_steps_closed = fields.Boolean(
        help="The first steps of the customer lifecycle app were put away."
    )
    lifecycle_first_steps_ticked = fields.Char(
        help="First steps of the customer lifecycle app that were ticked off by hand."
    )

    _lifecycle_horizon_range = models.Constraint(
        "CHECK (lifecycle_horizon BETWEEN 30 AND 1825)",
        "Choose a prediction horizon between 30 and 1825 days.",
    )
    _lifecycle_rates_range = models.Constraint(
        "CHECK (lifecycle_discount_rate BETWEEN 0 AND 100 AND lifecycle_margin_percent "
        "BETWEEN 0 AND 100)",
        "Choose a discount rate and a margin share between 0 and 100 %.",
    )
    _lifecycle_largest_amount_positive = models.Constraint(
        "CHECK (lifecycle_largest_amount IS NULL OR lifecycle_largest_amount >= 0)",
        "No purchase can stay below a negative amount: choose a larger one, or none.",
    )

    def init(self):
        preset_in_database(self)
        return super().init()

    @api.depends("lifecycle_tz", "partner_id.tz", "resource_calendar_id.tz")
    def _compute_lifecycle_tz_used(self):
        for company in self:
            company.lifecycle_tz_used = (
                company.lifecycle_tz
                or company.partner_id.tz
                or company.resource_calendar_id.tz
                or "UTC"
            )

    def _lifecycle_timezone(self):
        """Name of the time zone in which this company's days begin."""
        self.ensure_one()
        return self.env["lifecycle.timezone"]._known(self.lifecycle_tz_used)

    def _lifecycle_timezone_warning(self):
        """What to tell where UTC stands in for a zone that is not known; else nothing."""
        self.ensure_one()
        if not self.env["lifecycle.timezone"]._is_unknown(self.lifecycle_tz_used):
            return []
        return [
            self.env._(
                "The time zone “%(zone)s” of %(company)s is not known; days are counted in UTC. "
                "Choose another one in the settings.",
                zone=self.lifecycle_tz_used,
                company=self.name,
            )
        ]

    def _lifecycle_today(self):
        """Today's date in the company's time zone."""
        self.ensure_one()
        return fields.Datetime.context_timestamp(
            self.with_context(tz=self._lifecycle_timezone()), fields.Datetime.now()
        ).date()

    # ----- WHAT CAN BE BELIEVED -----

    @api.constrains("lifecycle_first_day")
    def _check_lifecycle_first_day(self):
        for company in self:
            if company.lifecycle_first_day and (
                company.lifecycle_first_day > company._lifecycle_today()
            ):
                raise ValidationError(
                    self.env._(
                        "No purchase could count: choose a first day that is not in the future."
                    )
                )

    def _lifecycle_limits(self):
        """First and last day that a document may have, and the amount it must stay below."""
        self.ensure_one()
        return (
            self.lifecycle_first_day or FIRST_DAY,
            self._lifecycle_today() + timedelta(days=DAYS_AHEAD),
            self.lifecycle_largest_amount or LARGEST_AMOUNT,
        )

    def _lifecycle_check_day(self, day, days_ahead=DAYS_AHEAD):
        """Refuse a day that nobody can have meant.

        :param days_ahead: how many days from today it may lie ahead
        """
        first, _last, _largest = self._lifecycle_limits()
        latest = self._lifecycle_today() + timedelta(days=days_ahead)
        if day and not first <= day <= latest:
            raise ValidationError(
                self.env._(
                    "%(day)s cannot be right: days from %(first)s to %(latest)s can be entered. "
                    "If a former system wrote this for “no date”, look the day up there or leave "
                    "the line out.",
                    # years of fewer than four digits look like others in many languages
                    day=day.isoformat(),
                    first=format_date(self.env, first, date_format="medium"),
                    latest=format_date(self.env, latest, date_format="medium"),
                )
            )

    def _lifecycle_check_amount(self, amount):
        """Refuse an amount in company currency that nobody can have meant."""
        largest = self._lifecycle_limits()[2]
        # not the other way round: nothing compares with what is no number
        if not abs(amount) < largest:
            raise ValidationError(
                self.env._(
                    "An amount of %(amount)s cannot be right: it must stay below %(largest)s.",
                    amount=f"{amount:.6g}",
                    largest=formatLang(self.env, largest, currency_obj=self.currency_id),
                )
            )

    def _lifecycle_knows_rate(self, currency):
        """Whether an amount in a currency can be converted into the company's own.

        Without any rate Odoo takes foreign money for its own, one to one. That the company's
        currency has a rate says nothing about another.
        """
        self.ensure_one()
        if not currency or currency == self.currency_id:
            return True
        # sudo: whether there is a rate decides, not whether the user may read rates
        return bool(
            self.env["res.currency.rate"]
            .sudo()
            .search_count(
                [
                    ("currency_id", "=", currency.id),
                    ("company_id", "in", (False, self.root_id.id)),
                ],
                limit=1,
            )
        )

    @api.model
    def _lifecycle_companies(self):
        """All companies: the computation is for each, whoever asks for it."""
        return self.sudo().search(Domain.TRUE, order="id")

    @api.model
    def _lifecycle_default_company(self):
        """Company whose prospects are the contacts and opportunities without a company."""
        Company = self.env["res.company"].sudo()
        parameter = self.env["ir.config_parameter"].sudo().get_param(
            "customer_lifecycle.default_company_id"
        )
        # a parameter may be edited by hand, and an archived company is not computed
        chosen = int(parameter) if str(parameter).isdigit() else 0
        company = Company.browse(chosen).exists().filtered("active")
        return company or self._lifecycle_companies()[:1]

    # ----- BRANCHES -----

    def _lifecycle_family(self):
        """The company and all its branches, closed ones too: what they sold is its own."""
        self.ensure_one()
        if not isinstance(self.id, int):
            return self
        return self.browse(self._lifecycle_family_ids())

    # a new company empties the cache, and no company ever gets another head office
    @tools.ormcache("self.id")
    def _lifecycle_family_ids(self):
        return tuple(
            self.sudo().with_context(active_test=False).search(
                [("id", "child_of", self.id)], order="id"
            ).ids
        )

    def _lifecycle_above(self):
        """The company, then its head office, up to the top one."""
        self.ensure_one()
        # sudo: the ids only; a branch's people need not be let into the head office
        return self.browse(reversed(self.sudo().parent_ids.ids)) or self

    def _lifecycle_tier_company(self):
        """The company whose VIP tiers hold here: the nearest one that has any, else this one."""
        self.ensure_one()
        above = self._lifecycle_above()
        if len(above) == 1:
            return self
        # sudo: which company has tiers is no secret
        having = self.env["lifecycle.vip.tier"].sudo().search_fetch(
            [("company_id", "in", above.ids), ("proposal_of_id", "=", False)], ["company_id"]
        ).company_id
        return next((company for company in above if company in having), self)

    def _lifecycle_tier_followers(self):
        """Branches in which this company's VIP tiers hold."""
        self.ensure_one()
        return (self._lifecycle_family() - self).filtered(
            lambda branch: branch.active and branch._lifecycle_tier_company() == self
        )

    @api.model
    def _lifecycle_uppermost(self):
        """Companies in use that have no head office in use: each customer once, with all."""
        companies = self._lifecycle_companies()
        return companies.filtered(lambda one: not (one.parent_ids - one) & companies)

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            # a branch begins with what its head office has settled
            if parent := self.browse(vals.get("parent_id") or []).sudo():
                for name in SETTLED:
                    vals.setdefault(name, parent[name])
        companies = super().create(vals_list)
        # a company of the database is nobody's customer
        companies.partner_id.sudo().write({"lifecycle_exclude": True})
        return companies

    def write(self, vals):
        moved = self.browse()
        if "currency_id" in vals:
            moved = self.filtered(lambda company: company.currency_id.id != vals["currency_id"])
            for company in moved.sudo():
                company._lifecycle_check_currency()
        result = super().write(vals)
        moved.sudo()._lifecycle_rate_anew()
        if {
            "lifecycle_tz",
            "lifecycle_basis",
            "lifecycle_value",
            "lifecycle_margin_percent",
            "lifecycle_horizon",
            "lifecycle_discount_rate",
            "lifecycle_first_day",
            "lifecycle_largest_amount",
        } & vals.keys():
            # a changed definition makes every stored figure out of date
            # the model too, which knows how much value a unit of revenue is
            self.env["lifecycle.run"].sudo()._request(self, kind="settings", refit=True)
        return result

    # ----- CURRENCY -----

    def _lifecycle_check_currency(self):
        """Refuse to change the currency of a company with amounts in it."""
        self.ensure_one()
        ours = [("company_id", "=", self.id)]
        profiles = self.env["lifecycle.profile"].with_context(active_test=False)
        kept = [
            self.env._("imported purchases: %s", count)
            if (count := self.env["lifecycle.external.purchase"].search_count(ours))
            else None,
            self.env._("entries of money spent: %s", count)
            if (count := self.env["lifecycle.spending"].search_count(ours))
            else None,
            self.env._("customers with figures: %s", count)
            if (
                count := profiles.search_count(
                    [
                        *ours,
                        *("|", ("revenue", "!=", 0), "|", ("order_count", ">", 0)),
                        ("potential", "!=", False),
                    ]
                )
            )
            else None,
        ]
        kept = list(filter(None, kept))
        if kept:
            raise UserError(
                self.env._(
                    "%(company)s has amounts in %(currency)s (%(kept)s); with another currency "
                    "they would be read as something that they are not. Create a company with "
                    "the other currency and import there, or delete and cancel what is listed, "
                    "recompute, and change the currency then.",
                    company=self.name,
                    currency=self.currency_id.name,
                    kept=", ".join(kept),
                )
            )

    def _lifecycle_rate_anew(self):
        """Give confirmed orders the rate to the new currency, which Odoo leaves as it was."""
        orders = self.env["sale.order"].search(
            [("company_id", "in", self.ids), ("state", "=", "sale")]
        )
        if orders:
            self.env.add_to_compute(orders._fields["currency_rate"], orders)
        if self:
            self.env.registry.clear_cache()
            self.env["lifecycle.run"]._request(self, kind="settings", refit=True)

    # ----- MARGIN -----

    lifecycle_share_text = fields.Char(
        compute="_compute_lifecycle_share_text",
        compute_sudo=True,
        groups="sales_team.group_sale_manager,base.group_system",
    )

    @api.depends_context("lang")
    @api.depends("lifecycle_value", "lifecycle_margin_percent")
    def _compute_lifecycle_share_text(self):
        runs = self.env["lifecycle.run"]
        for company in self:
            run = runs.search(
                [("company_id", "=", company.id), ("revenue", "!=", 0)], limit=1
            )
            company.lifecycle_share_text = (
                company._lifecycle_share_sentence(run.revenue, run.by_share)
                if run and company.lifecycle_value == "margin"
                else False
            )

    def _lifecycle_share_sentence(self, revenue, by_share):
        """Sentence on the revenue whose margin is not known; False where all is."""
        self.ensure_one()
        if self.currency_id.is_zero(by_share):
            return False
        known = {
            "amount": formatLang(self.env, by_share, currency_obj=self.currency_id),
            "revenue": formatLang(self.env, revenue, currency_obj=self.currency_id),
            "share": f"{self.lifecycle_margin_percent:g}",
        }
        return self.env._(
            "The margin of %(amount)s of the net revenue of %(revenue)s is not known: %(share)s %% "
            "of it stand in.",
            **known,
        )
