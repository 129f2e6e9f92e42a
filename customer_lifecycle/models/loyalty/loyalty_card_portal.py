"""What the portal shows a contact of the loyalty cards of his company.

In: the user who is signed in. Out: the cards that he may use, and the values of a card's short
view. Called by the portal's pages only, as customers have no rights on cards.
"""

from odoo import api, fields, models

#: lines of the history, and rewards, that a card's short view shows
LINES, REWARDS = 5, 3


class LoyaltyCard(models.Model):
    """Cards in the portal: a contact sees those of his company, as he can use them.

    He sees the orders behind them there as well: the portal shows a company's orders to all of
    its contacts.
    """

    # the portal is a subject of its own
    _inherit = "loyalty.card"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _lifecycle_portal_company_cards(self, card_id=None):
        """Loyalty cards of the present user's company that he may use, as superuser.

        :param card_id: look at this card only
        """
        # sudo: customers have no access to cards; only those of the user's own company leave here
        cards = self.sudo()
        person = self.env.user.partner_id.sudo()
        company = person.commercial_partner_id
        if self.env.user._is_public() or company == person:
            return cards
        domain = [
            ("partner_id", "=", company.id),
            ("program_id.active", "=", True),
            ("program_id.program_type", "=", "loyalty"),
            "|",
            ("expiration_date", "=", False),
            ("expiration_date", ">=", fields.Date.context_today(self)),
        ]
        if card_id is not None:
            domain.append(("id", "=", card_id))
        return cards.search(domain, order="id")

    def _lifecycle_portal_values(self):
        """What the portal's short view shows of a card, by the names that its page reads."""
        self.ensure_one()
        program = self.program_id
        rewards = program.reward_ids.filtered(
            lambda reward: reward.required_points <= self.points
        ).sorted("required_points", reverse=True)
        lines = []
        for line in self.history_ids[:LINES]:
            change = line.issued - line.used
            lines.append(
                {
                    "order_id": line.order_id,
                    "description": line.description,
                    "order_portal_url": line._get_order_portal_url(),
                    "points": f"{'-' if change < 0 else '+'}{self._format_points(abs(change))}",
                }
            )
        return {
            "card": {
                "id": self.id,
                "code": self.code,
                "points_display": self.points_display,
                "expiration_date": self.expiration_date or self.lifecycle_points_expiry,
            },
            "program": {
                "program_name": program.name,
                "program_type": program.program_type,
                # the web shop offers products there that fill a wallet
                "trigger_products": [],
            },
            "history_lines": lines,
            "rewards": [
                {
                    "description": reward.description,
                    "points": self._format_points(reward.required_points),
                }
                for reward in rewards[:REWARDS]
            ],
            "img_path": f"/loyalty/static/src/img/{program.program_type}.svg",
        }
