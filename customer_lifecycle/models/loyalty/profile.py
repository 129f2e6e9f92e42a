"""Loyalty on the profile: what it has cost, and the sentence on points that expire.

In: costs that runs and refreshes write, and the customer's cards. Out: figures with their chip and
the orders behind them, and a text for reminders. Read by the contact, lists and e-mails.
"""

from odoo import api, fields, models
from odoo.tools.misc import format_date

from .loyalty_cost import MANAGER, LoyaltyCostReader


class LifecycleProfile(models.Model):
    """What the customer's loyalty has cost us, and which of his points expire."""

    # loyalty is a subject of its own
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    loyalty_cost = fields.Monetary(
        string="Cost of Loyalty",
        readonly=True,
        groups=MANAGER,
        help="Discounts and free products of loyalty programs to date, untaxed. Gift cards and "
        "eWallets are no cost.",
    )
    loyalty_cost_year = fields.Monetary(
        string="Cost of Loyalty in the Last 365 Days", readonly=True, groups=MANAGER
    )
    loyalty_expiry_text = fields.Text(
        string="Expiring Points",
        compute="_compute_loyalty_expiry_text",
        compute_sudo=True,
        help="Sentence for reminders: how many points expire, and when.",
    )

    # ----- COST -----

    @api.model
    def _readers(self):
        return [*super()._readers(), LoyaltyCostReader]

    def action_view_loyalty_cost(self):
        """Open the orders behind the cost."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_loyalty_cost_action"
        )
        return {
            **action,
            "display_name": self.env._("Cost of Loyalty: %s", self.partner_id.display_name),
            "view_mode": "list,pivot,graph",
            "views": [(False, "list"), (False, "pivot"), (False, "graph")],
            "domain": [("partner_id", "=", self.partner_id.id)],
            "context": {},
        }

    # ----- CHIPS -----

    def _chips(self):
        return [*super()._chips(), self._chip_points(), self._chip_loyalty_cost()]

    def _chip_points(self):
        cards = self.env["loyalty.card"]
        if not cards.has_access("read"):
            return None
        today = fields.Date.context_today(self)
        cards = cards.search(
            [
                ("partner_id", "child_of", self.partner_id.id),
                ("points", ">", 0),
                ("program_id.active", "=", True),
                (
                    "program_id.company_id",
                    "in",
                    [*self.company_id._lifecycle_above().ids, False],
                ),
                "|",
                ("expiration_date", "=", False),
                ("expiration_date", ">=", today),
            ]
        )
        if not cards:
            return None
        lines = [
            f"{card.program_id.name}: {card.points_display}"
            + (
                ""
                if card.partner_id == self.partner_id
                else f" ({card.partner_id.display_name})"
            )
            for card in cards[:10]
        ]
        first = cards[0]
        return self._chip(
            "points",
            self.env._("Loyalty"),
            first.points_display if len(cards) == 1 else self.env._("%s cards", len(cards)),
            why=lines,
            tone="success",
            sequence=100,
        )

    def _chip_loyalty_cost(self):
        if not self.env.user.has_group(MANAGER) or not self.loyalty_cost:
            return None
        share = self.loyalty_cost / self.revenue if self.revenue > 0 else None
        return self._chip(
            "loyalty_cost",
            self.env._("Cost of loyalty"),
            self._money(self.loyalty_cost),
            why=[
                self.env._("In the last 365 days: %s.", self._money(self.loyalty_cost_year)),
                share is not None
                and self.env._("%s %% of net revenue.", f"{100 * share:.1f}"),
                self.env._("Discounts and free products of loyalty programs; no gift cards."),
            ],
            sequence=110,
        )

    # ----- EXPIRING POINTS -----

    @api.depends("partner_id")
    @api.depends_context("lang")
    def _compute_loyalty_expiry_text(self):
        cards = self.env["loyalty.card"].search(
            [
                ("partner_id", "child_of", self.partner_id.ids),
                ("points", ">", 0),
                ("lifecycle_points_expiry", "!=", False),
            ],
            order="lifecycle_points_expiry, id",
        ).grouped(lambda card: card.partner_id.commercial_partner_id)
        for profile in self:
            profile.loyalty_expiry_text = "\n".join(
                self.env._(
                    "%(points)s (%(program)s) expire on %(date)s.",
                    points=card._format_points(card.points).strip(),
                    program=card.program_id.name,
                    date=format_date(self.env, card.lifecycle_points_expiry),
                )
                for card in cards.get(profile.partner_id, [])
                if not card.company_id or card.company_id in profile.company_id.parent_ids
            )
