"""The customer's VIP tier: the figures behind it, why he has it, and how people set it.

In: sums of the year from the pipeline, the tier from the classifier, the choice in the dialog or
a list. Out: the reason in words, moves by hand with their hold; benefits and branches are told.
Fields of what was given are kept for the benefits.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.fields import UncheckedMany2one
from ..rules.profile import HOLD_DAYS

#: what people may write of a customer's tier
TIER_BY_HAND = {"vip_tier_id", "vip_hold_until", "vip_reason"}


class LifecycleProfile(models.Model):
    """The customer's VIP tier, by rule or by hand."""

    # a file for each subject of this large model
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
            self.env["lifecycle.transition"].create(
                [
                    {
                        "profile_id": profile.id,
                        "kind": "tier",
                        "number": 1 + profile._last_number("tier"),
                        "from_tier_id": profile.vip_tier_id.id,
                        "to_tier_id": tier.id,
                        "date": today,
                        "cause": "person",
                        "user_id": self.env.uid,
                        "reason": reason,
                        "days_before": (today - profile.vip_since).days
                        if profile.vip_since
                        else 0,
                    }
                    for profile in moved
                ]
            )
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

    def _last_number(self, kind):
        """Running number of the last transition of a kind."""
        self.ensure_one()
        return max(
            self.transition_ids.filtered(lambda change: change.kind == kind).mapped("number"),
            default=0,
        )

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
