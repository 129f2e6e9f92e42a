"""The customer's VIP tier: the figures behind it, why he has it, until when, and what comes next.

In: sums of the year from the pipeline, the tier from the classifier, purchases by day from the
revenue sources, the choice in the dialog or a list. Out: the reason in words, one line for the
quotation, sentences for the portal, what lowered the value for the activity that warns; moves by
hand with their hold; benefits and branches are told. Fields of what was given are kept for the
benefits.
"""

from datetime import date, timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.fields import UncheckedMany2one
from ..rules.profile import HOLD_DAYS

#: how far back an event may have made a customer fall below the keep threshold
RECENT_DAYS = 90
#: what people may write of a customer's tier
TIER_BY_HAND = {"vip_tier_id", "vip_hold_until", "vip_reason"}


class LifecycleProfile(models.Model):
    """The customer's VIP tier, by rule or by hand."""

    # a feature of its own
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    value_year = fields.Monetary(
        string="Value in the Last 365 Days",
        readonly=True,
        help="Net revenue or margin, as the settings say what value is.",
    )
    orders_year = fields.Integer(
        string="Orders in the Last 365 Days", readonly=True, aggregator="sum"
    )
    revenue_this_year = fields.Monetary(
        readonly=True, help="Of the calendar year; computed where a VIP tier counts in years."
    )
    revenue_last_year = fields.Monetary(readonly=True)
    value_this_year = fields.Monetary(readonly=True)
    value_last_year = fields.Monetary(readonly=True)
    orders_this_year = fields.Integer(readonly=True)
    orders_last_year = fields.Integer(readonly=True)

    vip_tier_id = fields.Many2one(
        "lifecycle.vip.tier",
        string="VIP Tier",
        ondelete="restrict",
        index="btree_not_null",
        domain="[('company_id', '=', company_id), ('proposal_of_id', '=', False)]",
    )
    vip_color = fields.Integer(related="vip_tier_id.color")
    is_vip = fields.Boolean(string="VIP", compute="_compute_is_vip", search="_search_is_vip")
    vip_since = fields.Date(string="VIP Tier Since", readonly=True)
    vip_review_date = fields.Date(
        string="Loses the Tier On",
        readonly=True,
        help="Below the keep threshold; on this day the customer leaves the tier unless he "
        "orders enough before.",
    )
    vip_manual = fields.Boolean(string="VIP Tier Set by Hand", readonly=True)
    vip_hold_until = fields.Date(
        string="VIP Tier Held Until", help="Until this day no rule changes the tier."
    )
    vip_reason = fields.Char(string="Reason of the Tier")
    vip_why = fields.Char(string="Why This Tier", compute="_compute_vip_why")
    vip_next_tier_id = fields.Many2one(
        "lifecycle.vip.tier", string="Next Tier", compute="_compute_vip_next"
    )
    vip_next_amount = fields.Monetary(
        string="Missing to the Next Tier", compute="_compute_vip_next"
    )
    # what was given because of a tier; taken back only while it is still there
    vip_applied_tier_id = UncheckedMany2one(
        "lifecycle.vip.tier", string="Benefits Given for", readonly=True
    )
    vip_benefits_due = fields.Boolean(readonly=True)
    vip_pricelist_id = fields.Many2one(
        "product.pricelist",
        string="Pricelist Given",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    vip_user_id = fields.Many2one(
        "res.users",
        string="Salesperson Given",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    vip_problem = fields.Char(string="Benefits Missing Because", readonly=True)
    vip_announced_date = fields.Date(string="Drop Announced For", readonly=True)
    vip_activity_id = fields.Many2one(
        "mail.activity", readonly=True, ondelete="set null", index="btree_not_null"
    )

    _vip_benefit_idx = models.Index(
        "(id) WHERE vip_tier_id IS DISTINCT FROM vip_applied_tier_id OR vip_benefits_due "
        "OR vip_review_date IS DISTINCT FROM vip_announced_date"
    )

    # ----- COMPUTED WHEN READ -----

    @api.depends("vip_tier_id")
    def _compute_is_vip(self):
        for profile in self:
            profile.is_vip = bool(profile.vip_tier_id)

    def _search_is_vip(self, operator, value):
        if operator != "in" or True not in value:
            return NotImplemented
        return Domain.TRUE if False in value else Domain("vip_tier_id", "!=", False)

    def _field_to_sql(self, alias, field_expr, query=None):
        if field_expr == "is_vip":
            return SQL("(%s IS NOT NULL)", super()._field_to_sql(alias, "vip_tier_id", query))
        return super()._field_to_sql(alias, field_expr, query)

    @api.depends_context("lang")
    @api.depends("vip_tier_id", "vip_review_date", "vip_hold_until", "vip_reason")
    def _compute_vip_why(self):
        for profile in self:
            profile.vip_why = profile._vip_why()

    def _vip_why(self):
        """What the customer's tier rests on, in one or two sentences; False without tiers."""
        self.ensure_one()
        tier = self.vip_tier_id
        # sudo: thresholds are no secret of those who may see the customer
        judged = tier.sudo()
        above = self.company_id._lifecycle_tier_company()
        if above != self.company_id:
            # the figures that decide are the head office's, which a branch need not see
            return judged and self.env._(
                "%(tier)s at %(company)s.", tier=judged.name, company=above.sudo().name
            )
        if not judged:
            judged = self.env["lifecycle.vip.tier"]._of_company(self.company_id)[:1]
            if not judged:
                return False
            company = self.company_id.sudo()
            # asked only until the first evaluation, which takes that it is so
            if not company.lifecycle_tiers_date and (
                inactive := judged._why_inactive(company)
            ):
                return inactive
        today = self._lifecycle_today()
        sentence = self.env._(
            "%(value)s; %(tier)s from %(entry)s",
            value=judged._measured_text(self),
            tier=judged.name,
            entry=judged._shown(judged._entry()),
        )
        if tier:
            sentence = self.env._(
                "%(sentence)s; keeps it above %(keep)s",
                sentence=sentence,
                keep=judged._shown(judged.keep),
            )
        elif judged.min_orders > 1:
            sentence = self.env._(
                "%(sentence)s and %(count)s orders", sentence=sentence, count=judged.min_orders
            )
        if self.vip_hold_until and self.vip_hold_until >= today:
            return self.env._(
                "Held until %(date)s: %(reason)s. %(sentence)s.",
                date=self._date(self.vip_hold_until),
                reason=self.vip_reason or self.env._("set by hand"),
                sentence=sentence,
            )
        if self.vip_review_date:
            return self.env._(
                "%(sentence)s. Leaves the tier on %(date)s unless %(missing)s more come in. "
                "%(cause)s",
                sentence=sentence,
                date=self._date(self.vip_review_date),
                missing=judged._shown(self._vip_missing(judged, judged.keep)),
                # sudo: whoever may read the customer's value may know what lowered it
                cause=self.sudo()._vip_cause(),
            )
        return f"{sentence}."

    @api.depends("vip_tier_id", "revenue_year")
    def _compute_vip_next(self):
        for profile in self:
            tier = profile._vip_next_tier()
            profile.vip_next_tier_id = tier
            profile.vip_next_amount = tier and profile._vip_missing(tier, tier._entry())

    # ----- VALUES -----

    def _vip_value(self, tier):
        """The best of the tier's windows: (value, number of orders)."""
        self.ensure_one()
        return max(window.worth(self) for window in tier._windows())

    def _vip_missing(self, tier, threshold):
        """What is missing to a threshold in the window that orders of today count in."""
        return max(0, threshold - tier._windows()[0].worth(self)[0])

    def _vip_next_tier(self):
        """The lowest tier in force above the customer's; empty at the top."""
        self.ensure_one()
        tiers = self.env["lifecycle.vip.tier"]._of_company(self.company_id)
        rank = self.vip_tier_id.rank if self.vip_tier_id else None
        above = tiers.filtered(lambda tier: rank is None or tier.rank > rank)
        return above[:1].sudo(False)

    # ----- UNTIL WHEN -----

    def _vip_until(self):
        """Day until which the customer has his tier if he buys nothing more; None: open."""
        self.ensure_one()
        tier = self.vip_tier_id.sudo()
        if not tier:
            return None
        today = self._lifecycle_today()
        dates = [self.vip_review_date] if self.vip_review_date else []
        if self.vip_hold_until and self.vip_hold_until >= today:
            dates.append(self.vip_hold_until)
        elif not dates and tier.in_window:
            dates.append(
                self._vip_calendar_end(tier, today)
                if tier.term == "calendar"
                else self._vip_rolling_end(tier, today)
            )
        return max((day for day in dates if day), default=None)

    def _vip_calendar_end(self, tier, today):
        counts_this_year = tier._windows()[0].worth(self)[0] >= tier.keep
        return date(today.year + counts_this_year, 12, 31)

    def _vip_rolling_end(self, tier, today):
        """The last day before too many purchases have left the last 365 days."""
        value = self._vip_value(tier)[0]
        for day, amount in self._vip_days(tier, today - timedelta(days=364), today):
            value -= amount
            if value < tier.keep:
                return day + timedelta(days=364)
        return None

    def _vip_days(self, tier, start, end):
        """Pairs (day, what the tier's measure counts of it) from start to end, by day."""
        counted = tier._measure().counted
        if counted(0, 0) is None:
            return []
        # sudo: the sum over documents that the reader may not open is in the profile anyway
        profile = self.sudo()
        sources = profile.env["lifecycle.revenue.source"]
        groups = sources._read_carefully(
            profile.company_id,
            profile.partner_id.ids,
            lambda: SQL(
                """SELECT day, SUM(amount)::float, SUM(value)::float FROM (%(rows)s) days
                    WHERE day BETWEEN %(start)s AND %(end)s GROUP BY day ORDER BY day""",
                rows=sources._rows_of(profile.company_id, profile.partner_id.id),
                start=start,
                end=end,
            ),
        )
        days = [(day, counted(amount, value or 0)) for day, amount, value in groups]
        return [(day, count) for day, count in days if count]

    # ----- WHAT LOWERED IT -----

    def _vip_cause(self):
        """Sentence that names what made the customer fall below the threshold of his tier."""
        self.ensure_one()
        tier = self.vip_tier_id.sudo()
        if tier.in_window and tier.term == "calendar":
            year = self._lifecycle_today().year
            return self.env._(
                "%(last)s in %(year)s were not enough to keep it another year.",
                last=tier._shown(tier._windows()[1].worth(self)[0]),
                year=year - 1,
            )
        measure = tier._measure()
        if measure.counted(0, 0) is None:
            return self.env._(measure.why_fallen) if measure.why_fallen else ""
        events = self._vip_events(tier)
        value, sentences = self._vip_value(tier)[0], []
        for _day, amount, sentence in events:
            sentences.append(sentence)
            value += amount
            if value >= tier.keep:
                break
        return " ".join(sentences[:3]) or self.env._("The threshold is higher than before.")

    def _vip_events(self, tier):
        """What lowered the measure lately, the latest first: (day, amount, sentence)."""
        today = self._lifecycle_today()
        # sudo: names of documents go to the customer's own salesperson
        purchases = (
            self.env["lifecycle.purchase"]
            .sudo()
            .with_context(lifecycle_profile_id=self.id)
            .search([("profile_id", "=", self.id), ("date", "<=", today)])
        )
        window = today - timedelta(days=365)
        measure = tier._measure()
        events = []
        for purchase in purchases:
            if not tier.in_window or purchase.date > window:
                if not measure.counts_orders or not purchase.amount:
                    events += self._vip_credit_events(measure, purchase)
            elif purchase.amount > 0 and purchase.date > window - timedelta(days=RECENT_DAYS):
                events.append(
                    (
                        purchase.date + timedelta(days=365),
                        measure.counted(purchase.amount, purchase.value),
                        self.env._(
                            "%(document)s of %(date)s (%(amount)s) is no longer in the last 12 "
                            "months.",
                            document=purchase.document_name,
                            date=self._date(purchase.date),
                            amount=self._money(purchase.amount),
                        ),
                    )
                )
        return sorted(events, key=lambda event: (event[0], event[1]), reverse=True)

    def _vip_credit_events(self, measure, purchase):
        """The credit notes of one purchase, which may be one itself."""
        taken = purchase.gross - purchase.amount
        if purchase.amount < 0:
            day, taken, name = purchase.date, -purchase.amount, purchase.document_name
        elif taken > 0 and purchase.source_id.model == "sale.order":
            order = self.env["sale.order"].sudo().browse(purchase.res_id).exists()
            notes = order.invoice_ids.filtered(
                lambda move: move.move_type == "out_refund" and move.state == "posted"
            )
            if not notes:
                return []
            day = max(notes.mapped("invoice_date"))
            name = ", ".join(notes.mapped("name"))
        else:
            return []
        return [
            (
                day,
                measure.counted(taken, taken),
                self.env._(
                    "Credit note %(name)s lowered the value by %(amount)s.",
                    name=name,
                    amount=self._money(taken),
                ),
            )
        ]

    # ----- ON THE QUOTATION AND IN THE PORTAL -----

    def _vip_tier_text(self, amount=0, orders=0):
        """One line for colleagues: the tier, until when, and what the next one takes.

        :param amount: value that is offered at present, in company currency
        :param orders: number of orders that are offered at present
        """
        self.ensure_one()
        # first, as it reads all tiers at once
        following, missing, short = self._vip_short_of(amount, orders)
        tier, pieces = self.vip_tier_id.sudo(), []
        if tier:
            until = self._vip_until()
            pieces.append(
                self.env._("%(tier)s until %(date)s", tier=tier.name, date=self._date(until))
                if until
                else tier.name
            )
        if missing > 0:
            pieces.append(
                self.env._(
                    "%(missing)s more makes them %(tier)s",
                    missing=following._shown(missing),
                    tier=following.name,
                )
            )
        elif short > 0:
            pieces.append(
                self.env._("%(count)s more orders to %(tier)s", count=short, tier=following.name)
            )
        elif following:
            pieces.append(self.env._("this quotation makes them %(tier)s", tier=following.name))
        return " – ".join(pieces)

    def _vip_short_of(self, amount=0, orders=0):
        """The next tier that purchases lead to, and what is missing: (tier, value, orders).

        The tier is empty at the top, and where the next one follows from expectations.
        """
        following = self._vip_next_tier().sudo()
        measure = following and following._measure()
        if not following or not measure.is_reached_by_orders:
            return following.browse(), 0, 0
        value, count = following._windows()[0].worth(self)
        missing = following._entry() - value - measure.offered(amount, orders)
        short = following.min_orders - count - orders
        return following, missing, short

    def _vip_public_tier_text(self):
        """What a customer may read of his tier, or None where there is nothing to say.

        :return: dict of ``name`` and ``badge``, False without a tier, and the sentences ``until``
            and ``next``, False where they do not apply
        """
        self.ensure_one()
        tier = self.vip_tier_id.sudo()
        until = tier and self._vip_until()
        following, missing, short = self._vip_short_of()
        name = following.public_name or following.name
        reach = False
        if missing > 0:
            reach = self.env._(
                "%(missing)s more to %(tier)s", missing=following._shown(missing), tier=name
            )
        elif short > 0:
            reach = self.env._("%(count)s more orders to %(tier)s", count=short, tier=name)
        if not tier and not reach:
            return None
        return {
            "name": tier.public_name or tier.name,
            "badge": (tier or following).badge,
            "until": until and self.env._("until %s", self._date(until)),
            "next": reach,
        }

    # ----- BY HAND -----

    def write(self, vals):
        """Let salespeople set a tier, as they may set a stage."""
        mine = {name: value for name, value in vals.items() if name in TIER_BY_HAND}
        if self.env.su or not mine:
            return super().write(vals)
        # whatever else they want to write is refused or done by its own check
        rest = {name: value for name, value in vals.items() if name not in TIER_BY_HAND}
        if rest:
            super().write(rest)
        self.check_access("write")
        if "vip_tier_id" not in mine:
            # only reason or end of the hold are changed
            return super(LifecycleProfile, self.sudo()).write(mine)
        tier = self.env["lifecycle.vip.tier"].browse(mine["vip_tier_id"] or [])
        # checked above: the caller may change these customers' tier
        self.sudo()._set_tier_by_hand(tier, mine.get("vip_reason"), mine.get("vip_hold_until"))
        return True

    def _set_tier_by_hand(self, tier, reason=None, until=None):
        """Move customers to a tier, or out of every one, and hold them there.

        :param until: last day of the hold, by default in 90 days
        """
        branches = self.filtered(
            lambda one: one.company_id._lifecycle_tier_company() != one.company_id
        )
        if branches:
            raise UserError(
                self.env._(
                    "The VIP tiers of %(branch)s are those of %(company)s: change the customer's "
                    "tier there.",
                    branch=branches[:1].company_id.name,
                    company=branches[:1].company_id._lifecycle_tier_company().name,
                )
            )
        if tier and (
            not tier.exists()
            or not tier.active
            or tier.proposal_of_id
            or self.company_id - tier.company_id
        ):
            raise UserError(self.env._("Choose one of the tiers of the customer's company."))
        reason = reason or self.env._("Set by hand")
        self._hold_rows()
        for company, profiles in self.grouped("company_id").items():
            today = company._lifecycle_today()
            moved = profiles.filtered(lambda profile: profile.vip_tier_id != tier)
            moved._record_by_hand("tier", "vip_tier_id", tier, "vip_since", reason)
            moved.write({"vip_tier_id": tier.id, "vip_since": tier and today})
            profiles.write(
                {
                    "vip_manual": True,
                    "vip_hold_until": until or fields.Date.add(today, days=HOLD_DAYS),
                    "vip_reason": reason,
                    "vip_review_date": False,
                }
            )
            for branch in company._lifecycle_tier_followers():
                self.env["lifecycle.classifier"]._hand_down_tiers(
                    company, branch, profiles.partner_id.ids
                )
        self.env["lifecycle.vip.benefit"]._wake()

    def action_release_tier(self):
        """End the hold: the rules decide again, at once."""
        self.check_access("write")
        released = self.sudo()
        released.write({"vip_hold_until": False, "vip_manual": False, "vip_reason": False})
        for company, profiles in released.grouped("company_id").items():
            self.env["lifecycle.classifier"].sudo()._classify_tiers(
                company, company._lifecycle_today(), partner_ids=profiles.partner_id.ids
            )

    def action_set_tier(self):
        """Ask for the tier, the reason and how long it is to hold."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("VIP Tier"),
            "res_model": "lifecycle.vip.tier.hold",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_profile_ids": self.ids},
        }
