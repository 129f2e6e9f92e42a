import math

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

#: name, rank, colour, badge, share of the past year's buyers that are in it or above
SUGGESTED = (
    ("Gold", 20, 3, "fa-star", 0.05),
    ("Silver", 10, 4, "fa-star-o", 0.20),
)
MINIMUM_ORDERS = 2


class LifecycleVipTierSuggestion(models.TransientModel):
    """Tiers that would suit a company, as amounts that its manager accepts or changes."""

    _name = "lifecycle.vip.tier.suggestion"
    _description = "Suggested VIP Tiers"

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    line_ids = fields.One2many(
        "lifecycle.vip.tier.suggestion.line",
        "suggestion_id",
        compute="_compute_line_ids",
        store=True,
        readonly=False,
    )
    inactive_reason = fields.Char(compute="_compute_inactive_reason")
    announce = fields.Boolean(
        string="Treat the first members as news",
        help="Give them the tiers' benefits at once. Off: what the first evaluation finds is "
        "history, and only later promotions bring benefits.",
    )

    @api.model
    def _is_own_company(self, company):
        """Whether the user works in a company: what its customers bring is asked without rules."""
        return self.env.user._is_superuser() or company in self.env.user.sudo().company_ids

    @api.depends("company_id")
    def _compute_inactive_reason(self):
        for suggestion in self:
            if not suggestion._is_own_company(suggestion.company_id):
                suggestion.inactive_reason = self.env._("Switch to the company first.")
                continue
            tiers = self.env["lifecycle.vip.tier"]
            reason = tiers._why_inactive(suggestion.company_id)
            if not reason and tiers._of_company(suggestion.company_id):
                reason = self.env._(
                    "The company has VIP tiers already: change those, or archive them to have "
                    "others suggested."
                )
            suggestion.inactive_reason = reason

    @api.depends("company_id")
    def _compute_line_ids(self):
        for suggestion in self:
            suggestion.line_ids = [
                Command.clear(),
                *(Command.create(values) for values in self._suggest(suggestion.company_id)),
            ]

    @api.model
    def _suggest(self, company):
        """Values of the suggested tiers, the highest first; none without enough history."""
        tiers = self.env["lifecycle.vip.tier"]
        if not self._is_own_company(company):
            return []
        if tiers._why_inactive(company) or tiers._of_company(company):
            return []
        where = SQL(
            "FROM lifecycle_profile WHERE company_id = %s AND active AND revenue_year > 0",
            company.id,
        )
        self.env.cr.execute(SQL("SELECT COUNT(*) %s", where))
        buyers = self.env.cr.fetchone()[0]
        suggested, above = [], None
        for name, rank, color, badge, share in SUGGESTED:
            self.env.cr.execute(
                SQL(
                    """SELECT revenue_year %s AND orders_year >= %s
                        ORDER BY revenue_year DESC OFFSET %s LIMIT 1""",
                    where,
                    MINIMUM_ORDERS,
                    max(0, math.ceil(buyers * share) - 1),
                )
            )
            row = self.env.cr.fetchone()
            entry = self._rounded(float(row[0])) if row else 0
            if not entry or (above and entry >= above):
                # too few customers with more than one order for a tier of its own
                continue
            above = entry
            suggested.append(
                {
                    "name": name,
                    "rank": rank,
                    "color": color,
                    "badge": badge,
                    "entry": entry,
                    "min_orders": MINIMUM_ORDERS,
                }
            )
        return suggested

    @api.model
    def _rounded(self, amount):
        """An amount as people name thresholds: two digits, the second 0 or 5 where it can be."""
        if amount <= 0:
            return 0
        step = 10 ** max(0, math.floor(math.log10(amount)) - 1)
        step *= 5 if amount / step >= 50 else 1
        return max(step, step * round(amount / step))

    def action_accept(self):
        """Create the tiers as they stand in the lines, and have customers evaluated."""
        self.ensure_one()
        if not self.line_ids:
            raise UserError(
                self.inactive_reason
                or self.env._("There is nothing to accept: add a line or close the window.")
            )
        tiers = self.env["lifecycle.vip.tier"].create(
            [
                {
                    "company_id": self.company_id.id,
                    "name": line.name,
                    "rank": line.rank,
                    "color": line.color,
                    "badge": line.badge,
                    "entry": line.entry,
                    "min_orders": line.min_orders,
                    "keep_percent": line.keep_percent,
                }
                for line in self.line_ids
            ]
        )
        if self.announce:
            # sudo: managers may only read runs; creating the tiers was checked
            self.env["lifecycle.run"].sudo()._request(
                self.company_id, kind="rules", announce=True
            )
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_vip_tier_action"
        )
        action["target"] = "main"
        return action if tiers else False


class LifecycleVipTierSuggestionLine(models.TransientModel):
    """One suggested tier."""

    _name = "lifecycle.vip.tier.suggestion.line"
    _description = "Suggested VIP Tier"
    _order = "rank desc, id"

    suggestion_id = fields.Many2one(
        "lifecycle.vip.tier.suggestion", required=True, ondelete="cascade"
    )
    currency_id = fields.Many2one(related="suggestion_id.currency_id")
    name = fields.Char(required=True)
    rank = fields.Integer(default=1)
    color = fields.Integer(default=3)
    badge = fields.Char(default="fa-star")
    entry = fields.Monetary(string="From", required=True)
    min_orders = fields.Integer(string="Minimum Orders", default=MINIMUM_ORDERS)
    keep_percent = fields.Float(string="Keep (%)", default=80)
    keep = fields.Monetary(string="Kept Above", compute="_compute_keep")
    member_count = fields.Integer(string="Customers Now", compute="_compute_member_count")

    @api.depends("entry", "keep_percent")
    def _compute_keep(self):
        for line in self:
            line.keep = line.entry * line.keep_percent / 100

    @api.depends("entry", "min_orders", "suggestion_id.line_ids.entry")
    def _compute_member_count(self):
        """Customers of the past 12 months in this tier, those of higher ones not counted."""
        # with the reader's own rights: thresholds that he may try would tell amounts
        profiles = self.env["lifecycle.profile"].sudo(False)
        for line in self:
            above = [
                other.entry
                for other in line.suggestion_id.line_ids
                if other.rank > line.rank and other.entry
            ]
            domain = [
                ("company_id", "=", line.suggestion_id.company_id.id),
                ("revenue_year", ">=", line.entry),
                ("orders_year", ">=", line.min_orders),
            ]
            if above:
                domain.append(("revenue_year", "<", min(above)))
            line.member_count = profiles.search_count(domain) if line.entry else 0
