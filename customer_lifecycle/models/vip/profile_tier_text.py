"""Until when a VIP tier lasts, what the next one takes, and what has lowered the value.

In: the profile's sums, the tiers in force, purchases by day from the revenue sources.
Out: one line for the quotation, sentences for the customer's portal, and the cause for the
activity that warns the salesperson, which the tier's benefits schedule.
"""

from datetime import date, timedelta

from odoo import api, fields, models
from odoo.tools import SQL

#: how far back an event may have made a customer fall below the keep threshold
RECENT_DAYS = 90


class LifecycleProfile(models.Model):
    """How long a tier lasts, what the next one takes, and what lowered the customer's value."""

    # a file for each subject of this large model
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    vip_next_tier_id = fields.Many2one(
        "lifecycle.vip.tier", string="Next Tier", compute="_compute_vip_next"
    )
    vip_next_amount = fields.Monetary(
        string="Missing to the Next Tier", compute="_compute_vip_next"
    )

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
        return max((self[value] or 0, self[orders] or 0) for value, orders in tier._windows())

    def _vip_missing(self, tier, threshold):
        """What is missing to a threshold in the window that orders of today count in."""
        value, _orders = tier._windows()[0]
        return max(0, threshold - (self[value] or 0))

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
        value, _orders = tier._windows()[0]
        counts_this_year = (self[value] or 0) >= tier.keep
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
        # sudo: the sum over documents that the reader may not open is in the profile anyway
        profile = self.sudo()
        sources = profile.env["lifecycle.revenue.source"]
        groups = sources._read_carefully(
            profile.company_id,
            profile.partner_id.ids,
            lambda: SQL(
                """SELECT day, SUM(%(measure)s)::float FROM (%(rows)s) days
                    WHERE day BETWEEN %(start)s AND %(end)s GROUP BY day ORDER BY day""",
                measure=SQL.identifier("value" if tier.measure == "margin" else "amount"),
                rows=sources._rows_of(profile.company_id, profile.partner_id.id),
                start=start,
                end=end,
            ),
        )
        if tier.measure == "orders":
            return [(day, 1) for day, amount in groups if amount > 0]
        return groups

    # ----- WHAT LOWERED IT -----

    def _vip_cause(self):
        """Sentence that names what made the customer fall below the threshold of his tier."""
        self.ensure_one()
        tier = self.vip_tier_id.sudo()
        if tier.in_window and tier.term == "calendar":
            year = self._lifecycle_today().year
            return self.env._(
                "%(last)s in %(year)s were not enough to keep it another year.",
                last=tier._shown(self[tier._windows()[1][0]]),
                year=year - 1,
            )
        if tier.measure not in ("revenue", "margin", "orders", "earned"):
            return self.env._("The customer's expected purchases have fallen.")
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
        events = []
        for purchase in purchases:
            if not tier.in_window or purchase.date > window:
                if tier.measure != "orders" or not purchase.amount:
                    events += self._vip_credit_events(tier, purchase)
            elif purchase.amount > 0 and purchase.date > window - timedelta(days=RECENT_DAYS):
                events.append(
                    (
                        purchase.date + timedelta(days=365),
                        1 if tier.measure == "orders" else self._vip_amount(tier, purchase),
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

    def _vip_amount(self, tier, purchase):
        return purchase.value if tier.measure in ("margin", "earned") else purchase.amount

    def _vip_credit_events(self, tier, purchase):
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
                1 if tier.measure == "orders" else taken,
                self.env._(
                    "Credit note %(name)s lowered the value by %(amount)s.",
                    name=name,
                    amount=self._money(taken),
                ),
            )
        ]

    # ----- ON THE QUOTATION AND IN THE PORTAL -----

    def _vip_outlook(self, amount=0, orders=0):
        """One line for colleagues: the tier, until when, and what the next one takes.

        :param amount: value that is offered at present, in company currency
        :param orders: number of orders that are offered at present
        """
        self.ensure_one()
        # first, as it reads all tiers at once
        following, missing, short = self._vip_short_of(amount, orders)
        tier, parts = self.vip_tier_id.sudo(), []
        if tier:
            until = self._vip_until()
            parts.append(
                self.env._("%(tier)s until %(date)s", tier=tier.name, date=self._date(until))
                if until
                else tier.name
            )
        if missing > 0:
            parts.append(
                self.env._(
                    "%(missing)s more makes them %(tier)s",
                    missing=following._shown(missing),
                    tier=following.name,
                )
            )
        elif short > 0:
            parts.append(
                self.env._("%(count)s more orders to %(tier)s", count=short, tier=following.name)
            )
        elif following:
            parts.append(self.env._("this quotation makes them %(tier)s", tier=following.name))
        return " – ".join(parts)

    def _vip_short_of(self, amount=0, orders=0):
        """The next tier that purchases lead to, and what is missing: (tier, value, orders).

        The tier is empty at the top, and where the next one follows from expectations.
        """
        following = self._vip_next_tier().sudo()
        if not following or following.measure in ("expected", "potential"):
            return following.browse(), 0, 0
        value_column, order_column = following._windows()[0]
        counted = orders if following.measure == "orders" else amount
        missing = following._entry() - (self[value_column] or 0) - counted
        short = following.min_orders - (self[order_column] or 0) - orders
        return following, missing, short

    def _vip_public_outlook(self):
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
