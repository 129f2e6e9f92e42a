"""The list of whom a salesperson should get in touch with, why, and what came of it.

In: due dates, stage, complaints, missing items and forecasts of the profile. Out: money at risk,
the ten first of each salesperson, the reason in words and what to do about it, and outcomes that
pause a suggestion. Called by the list of calls, its buttons and the call dialog.
"""

from typing import NamedTuple

from markupsafe import Markup

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.fields import OptionalMonetary
from ..profile.complaints import CALLS, UNPAID
from ..rules.profiles_as_of import dated
from ..sources.paths import path_sql

#: customers suggested to one salesperson at a time
SUGGESTIONS = 10
#: a bad experience is a reason to call for so many days
COMPLAINT_DAYS = 30
#: days without a new suggestion after each outcome
PAUSES = {"reached": 14, "missed": 1, "quote": 14, "snooze": 7, "not_needed": 60}


class Reason(NamedTuple):
    """A reason to get in touch in the reader's words, and what to do about it."""

    sentence: str
    advice: str


class LifecycleProfile(models.Model):
    """Whom to contact this week, ranked by the money at risk."""

    # a file for each subject of this large model
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    money_at_risk = OptionalMonetary(
        compute="_compute_money_at_risk",
        search="_search_money_at_risk",
        aggregator="sum",
        help="Expected value, times the chance that no order comes by itself within 30 days; at "
        "most a year's worth of the missing items, or of the categories gone silent, where nothing "
        "else is wrong.",
    )
    to_contact = fields.Boolean(
        string="Contact Now",
        compute="_compute_to_contact",
        search="_search_to_contact",
        help="Among the ten customers of the salesperson with most money at risk and a reason "
        "to get in touch.",
    )
    contact_reason = fields.Char(compute="_compute_contact_reason", string="Reason to Contact")
    contact_advice = fields.Html(
        compute="_compute_contact_reason", string="Advice", sanitize=False
    )
    partner_phone = fields.Char(
        compute="_compute_partner_phone",
        compute_sudo=False,
        string="Phone",
        help="The customer's, or else that of one of his people.",
    )
    outcome_ids = fields.One2many(
        "lifecycle.contact.outcome", "profile_id", string="Suggested Contacts"
    )

    # ----- MONEY AT RISK -----

    @api.depends(
        *("clv_predicted", "p_order_30", "revenue_year", "order_count", "stage_id"),
        *("next_order_to", "usual_product_ids", "silent_category_ids", UNPAID),
        *(complaint.date for complaint in CALLS),
    )
    def _compute_money_at_risk(self):
        # sudo: whose records these are is asked where they are read
        profiles = self.sudo().with_context(active_test=False)
        query = profiles._search([("id", "in", self.ids)])
        risks = dict(
            self.env.execute_query(
                query.select(
                    SQL.identifier(query.table, "id"),
                    profiles._field_to_sql(query.table, "money_at_risk", query),
                )
            )
        )
        for profile in self:
            risk = risks.get(profile._origin.id)
            profile.money_at_risk = False if risk is None else risk

    def _field_to_sql(self, alias, field_expr, query=None):
        if field_expr != "money_at_risk":
            return super()._field_to_sql(alias, field_expr, query)

        def column(name):
            return super(LifecycleProfile, self)._field_to_sql(alias, name, query)

        today = self._lifecycle_today()
        # sudo: the amount is no secret of who sees the customer, nor what it is made of
        profiles = self.sudo()
        serious = dated(Domain.OR(self._serious_reasons()), profiles).optimize_full(profiles)
        return SQL(
            """(CASE WHEN %(orders)s > 0 THEN LEAST(
                    COALESCE(%(expected)s, %(year)s) * (1 - COALESCE(%(chance)s, 0)),
                    CASE WHEN (%(serious)s) IS TRUE THEN NULL
                         ELSE GREATEST(
                             (SELECT SUM(usual.yearly_amount) FROM lifecycle_usual_product usual
                               WHERE usual.profile_id = %(id)s
                                 AND %(today)s BETWEEN usual.missing_from
                                                   AND usual.missing_until),
                             (SELECT SUM(silent.yearly_amount)
                                FROM lifecycle_silent_category silent
                               WHERE silent.profile_id = %(id)s)) END
                ) END)""",
            orders=column("order_count"),
            expected=column("clv_predicted"),
            year=column("revenue_year"),
            chance=column("p_order_30"),
            serious=serious._to_sql(profiles, alias, query),
            today=today,
            id=SQL.identifier(alias, "id"),
        )

    def _search_money_at_risk(self, operator, value):
        return self._search_number("money_at_risk", operator, value)

    # ----- WHOM TO CONTACT -----

    @api.model
    def _serious_reasons(self):
        """Domains of the reasons that put all the customer's business at risk."""
        return [
            Domain("next_order_to", "<", "today"),
            Domain("stage_id.tone", "=", "warning"),
            Domain(UNPAID, "<", "today"),
            *(Domain(complaint.date, ">=", f"-{COMPLAINT_DAYS}d") for complaint in CALLS),
        ]

    @api.model
    def _contact_reasons(self):
        """Domains of the reasons to get in touch with somebody who has bought, alike."""
        return [
            *self._serious_reasons(),
            Domain("usual_product_ids.is_missing", "=", True),
            Domain("silent_category_ids", "!=", False),
            Domain("vip_review_date", ">=", "today"),
        ]

    @api.model
    def _contact_domain(self, today):
        """Buyers with a reason to contact whom nobody has contacted or put off meanwhile."""
        paused = Domain("outcome_ids", "any!", Domain("hide_until", ">=", today))
        return (
            Domain("active", "=", True)
            & Domain("order_count", ">", 0)
            & Domain("money_at_risk", ">", 0)
            & dated(Domain.OR(self._contact_reasons()), self)
            & ~paused
        )

    def _search_to_contact(self, operator, value):
        if operator != "in" or True not in value:
            return NotImplemented
        if False in value:
            return Domain.TRUE
        today = self._lifecycle_today()
        # sudo: the ranking is over the reader's own customers below; his rules apply to the
        # search this is part of
        profiles = self.sudo()
        query = profiles._search(
            self._contact_domain(today) & Domain("company_id", "in", self.env.companies.ids)
        )
        table = query.table
        risk = profiles._field_to_sql(table, "money_at_risk", query)
        user = path_sql(profiles, query, "partner_id.user_id")
        ranked = query.select(
            SQL.identifier(table, "id"),
            SQL(
                "ROW_NUMBER() OVER (PARTITION BY %s, %s ORDER BY %s DESC, %s) AS rank",
                SQL.identifier(table, "company_id"),
                user,
                risk,
                SQL.identifier(table, "id"),
            ),
        )
        return Domain(
            "id", "in", SQL("(SELECT id FROM (%s) ranked WHERE rank <= %s)", ranked, SUGGESTIONS)
        )

    @api.depends("order_count", "next_order_to", "stage_id", "outcome_ids.hide_until")
    def _compute_to_contact(self):
        found = self.search([("id", "in", self.ids), ("to_contact", "=", True)])
        for profile in self:
            profile.to_contact = profile in found

    @api.depends("partner_id.phone", "partner_id.child_ids.phone")
    @api.depends_context("uid")
    def _compute_partner_phone(self):
        for profile in self:
            partner = profile.partner_id
            profile.partner_phone = partner.phone or next(
                filter(None, partner.child_ids.mapped("phone")), False
            )

    @api.depends_context("lang")
    @api.depends("last_order_date", "rhythm", UNPAID, *(complaint.date for complaint in CALLS))
    def _compute_contact_reason(self):
        for profile in self:
            reasons = profile._reasons_in_words()
            profile.contact_reason = " ".join(reason.sentence for reason in reasons) or False
            profile.contact_advice = (
                Markup("<ul>%s</ul>")
                % Markup().join(Markup("<li>%s</li>") % reason.advice for reason in reasons)
                if reasons
                else False
            )

    def _reasons_in_words(self):
        """Why to contact this customer and what to do, the most pressing first, at most two."""
        self.ensure_one()
        today = self._lifecycle_today()
        lately = fields.Date.subtract(today, days=COMPLAINT_DAYS)
        reasons = []
        for complaint in CALLS:
            if self[complaint.date] and self[complaint.date] >= lately:
                # a lazy text takes no values while it is translated
                sentence = self.env._(complaint.call)
                day = self._date(self[complaint.date])
                reasons.append(Reason(sentence % day, self.env._(complaint.advice)))
        days, rhythm = self.days_since_last_order, self.rhythm
        late = self.next_order_to and self.next_order_to < today
        if self.order_count > 1 and rhythm and (late or self.stage_tone == "warning"):
            reasons.append(
                Reason(
                    self.env._(
                        "Usually orders every %(rhythm)s days, last order %(days)s days ago.",
                        rhythm=max(1, round(rhythm)),
                        days=days,
                    ),
                    self.env._(
                        "Ask what has changed: still in stock, less need, or somebody else who "
                        "delivers? Have the usual order ready, so that a yes is enough."
                    ),
                )
            )
        elif late or self.stage_tone == "warning":
            reasons.append(
                Reason(
                    self.env._("Bought once, %s days ago, and has not come back.", days),
                    self.env._(
                        "Ask how the first purchase has turned out and what is needed next; offer "
                        "what goes with it."
                    ),
                )
            )
        if self.vip_review_date and self.vip_review_date >= today:
            reasons.append(
                Reason(
                    self.env._(
                        "Loses the VIP tier “%(tier)s” on %(date)s.",
                        tier=self.vip_tier_id.name,
                        date=self._date(self.vip_review_date),
                    ),
                    self.env._(
                        "Tell what the tier brings and what keeps it; an order before that day is "
                        "worth more to both sides than one after it."
                    ),
                )
            )
        for usual in self._missing_products()[:1]:
            reasons.append(
                Reason(
                    self.env._(
                        "Buys “%(product)s” every %(gap)s days, not for %(days)s days.",
                        product=usual.product_id.name,
                        gap=max(1, round(usual.gap)),
                        days=(today - usual.last_date).days,
                    ),
                    self.env._(
                        "Ask what happened to “%(product)s”: enough of it left, bought elsewhere, "
                        "or not needed any more? Offer to put the usual quantity on a quotation.",
                        product=usual.product_id.name,
                    ),
                )
            )
        for silent in self.silent_category_ids[:1]:
            reasons.append(
                Reason(
                    self.env._("No longer buys %s", silent._sentence()),
                    self.env._(
                        "Ask who supplies “%(category)s” now, and what it would take: price, "
                        "range, delivery? Whoever still buys the rest can still be asked.",
                        category=silent.category_id.name,
                    ),
                )
            )
        if self[UNPAID] and self[UNPAID] < today:
            reasons.append(
                Reason(
                    self.env._("An invoice has been due since %s.", self._date(self[UNPAID])),
                    self.env._(
                        "Ask whether the invoice has arrived and is in order before you talk of "
                        "anything else; offer to send it again."
                    ),
                )
            )
        return reasons[:2]

    # ----- OUTCOMES -----

    def _record_outcome(self, kind, note=None, hide_until=None):
        """Keep what became of the suggestion, and stop suggesting for a while.

        :param hide_until: last day without a new suggestion, where it is later than usual
        """
        self.check_access("read")
        values = []
        for profile in self:
            today = profile.company_id.sudo()._lifecycle_today()
            pause = fields.Date.add(today, days=PAUSES[kind])
            values.append(
                {
                    "profile_id": profile.id,
                    "user_id": self.env.uid,
                    "date": today,
                    "kind": kind,
                    "note": note,
                    "reason": profile.contact_reason,
                    "money_at_risk": profile.money_at_risk or 0,
                    "hide_until": max(pause, hide_until or pause),
                }
            )
        # sudo: people record outcomes through these buttons only; the reader was checked above
        return self.env["lifecycle.contact.outcome"].sudo().create(values)

    def action_contact_call(self):
        """Open what one needs for a call, and the place to say how it went."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Call %s", self.partner_id.display_name),
            "res_model": "lifecycle.contact.call",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_profile_id": self.id},
        }

    def action_contact_next(self):
        """Open the call to the next customer of the same list; False when nobody is left."""
        self.ensure_one()
        self.check_access("read")
        waiting = Domain("to_contact", "=", True) & Domain("id", "!=", self.id)
        for whose in (Domain("user_id", "=", self.user_id.id), Domain("in_my_care", "=", True)):
            following = self.search(waiting & whose, order="money_at_risk desc, id", limit=1)
            if following:
                return following.action_contact_call()
        return False

    def action_contact_quote(self):
        """Open a new quotation for the customer; once it is saved it is the outcome."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Quotation"),
            "res_model": "sale.order",
            "views": [(False, "form")],
            "context": {
                "default_partner_id": self.partner_id.id,
                "default_company_id": self.company_id.id,
                "lifecycle_quoted_profile_id": self.id,
            },
        }

    def action_contact_snooze(self):
        return self._record_outcome("snooze")._say_done()

    def action_contact_not_needed(self):
        return self._record_outcome("not_needed")._say_done()
