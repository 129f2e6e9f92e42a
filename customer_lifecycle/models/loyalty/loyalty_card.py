"""Loyalty cards: who may use one, joining a program with its bonus, and adding points.

In: cards that are made or get an owner, orders that ask for one. Out: the card that fits, a
member of the program, and a line of history for all points. Called by quotations, the till, the
workflows' points, credit notes, returns at the till, and the expiry of points.
"""

from odoo import api, fields, models
from odoo.tools import SQL, float_round

from ...tools.fields import OptionalInteger


class LoyaltyCard(models.Model):
    """Whose card it is, and points with their history."""

    _inherit = "loyalty.card"

    lifecycle_points_expiry = fields.Date(
        string="Points Expire On",
        readonly=True,
        copy=False,
        help="If there is neither an order nor new points before; looked at every day.",
    )
    # the day that follows from orders and points alone; what the last notice was for
    lifecycle_points_base = fields.Date(readonly=True, copy=False)
    lifecycle_notice_base = fields.Date(readonly=True, copy=False)
    lifecycle_notice_date = fields.Date(string="Reminded On", readonly=True, copy=False)
    # the notice as an e-mail (a lifecycle.workflow.delivery), which may wait, or not be sent at
    # all; a number, since no table of Odoo's may hang on one of ours by a foreign key
    lifecycle_notice_delivery_id = OptionalInteger(
        string="Notice by E-mail", readonly=True, copy=False, index="btree_not_null"
    )

    @api.model_create_multi
    def create(self, vals_list):
        cards = super().create(vals_list)
        cards._lifecycle_join()
        return cards

    def write(self, vals):
        result = super().write(vals)
        if vals.get("partner_id"):
            self._lifecycle_join()
        return result

    # ----- WHOSE CARD -----

    def _lifecycle_is_for(self, partner):
        """Whether orders of a contact may use the card.

        A loyalty card or wallet is its owner's, a company's also its contacts'. Coupons are the
        whole customer's; gift cards are whose hands they are in.
        """
        self.ensure_one()
        owner = self.sudo().partner_id
        if not owner or self.program_type == "gift_card" or owner.is_public:
            return True
        if self.program_id.is_nominative:
            return owner == partner or (
                self.program_type == "loyalty" and owner == partner.commercial_partner_id
            )
        return (
            # visitors of the shop are asked again once they have said who they are
            partner.is_public
            or owner.commercial_partner_id == partner.commercial_partner_id
            # guests are a new contact with every order
            or bool(owner.email_normalized) and owner.email_normalized == partner.email_normalized
        )

    @api.model
    def _lifecycle_find(self, program, partner):
        """The loyalty card that a contact's orders fill: his own, else his company's."""
        for owner in partner | partner.commercial_partner_id:
            card = self.search(
                [("program_id", "=", program.id), ("partner_id", "=", owner.id)],
                order="id",
                limit=1,
            )
            if card:
                return card
        return self

    # ----- JOINING -----

    def _lifecycle_join(self):
        """Note for whom a card is the first of its program, and give these the bonus.

        A customer whose card somebody else is just making makes this transaction start again, so
        that he does not get two.
        """
        cards = self.sudo().filtered(
            lambda card: card.program_type == "loyalty"
            and card.partner_id
            and not card.partner_id.is_public
        )
        if not cards:
            return
        cards.flush_recordset(["program_id", "partner_id"])
        cards.partner_id.flush_recordset(["commercial_partner_id"])
        cards.program_id.flush_recordset(["lifecycle_welcome_points"])
        self.env.cr.execute(
            SQL(
                """INSERT INTO lifecycle_loyalty_member
                          (program_id, partner_id, card_id, date_joined, welcome_due)
                   SELECT DISTINCT ON (card.program_id, owner.commercial_partner_id)
                          card.program_id, owner.commercial_partner_id, card.id, %(now)s,
                          COALESCE(program.lifecycle_welcome_points, 0) > 0 AND NOT EXISTS (
                              SELECT FROM loyalty_card other
                                JOIN res_partner holder ON holder.id = other.partner_id
                               WHERE other.program_id = card.program_id AND other.id < card.id
                                 AND holder.commercial_partner_id = owner.commercial_partner_id)
                     FROM loyalty_card card
                     JOIN loyalty_program program ON program.id = card.program_id
                     JOIN res_partner owner ON owner.id = card.partner_id
                    WHERE card.id = ANY(%(cards)s)
                    ORDER BY card.program_id, owner.commercial_partner_id, card.id
                       ON CONFLICT (program_id, partner_id) DO NOTHING RETURNING card_id""",
                now=fields.Datetime.now(),
                cards=cards.ids,
            )
        )
        joined = self.browse(row[0] for row in self.env.cr.fetchall())
        self.env["lifecycle.loyalty.member"].invalidate_model()
        # a card that comes with a quotation may never be used
        joined.sudo().filtered(
            lambda card: not card.order_id or card.order_id.state == "sale"
        )._lifecycle_welcome()

    def _lifecycle_welcome(self):
        """Give the welcome bonus to those of the cards that it is due for, once."""
        if not self:
            return
        self.env["lifecycle.loyalty.member"].flush_model()
        self.env.cr.execute(
            SQL(
                "UPDATE lifecycle_loyalty_member SET welcome_due = FALSE, welcome_date = %s "
                "WHERE card_id = ANY(%s) AND welcome_due RETURNING card_id",
                fields.Datetime.now(),
                self.ids,
            )
        )
        welcome = self.browse(row[0] for row in self.env.cr.fetchall()).sudo()
        for program, cards in welcome.grouped("program_id").items():
            cards._lifecycle_add_points(
                program.lifecycle_welcome_points,
                lambda card: card.env._("Welcome to %s", card.program_id.name),
                lifecycle_kind="welcome",
            )
        if welcome:
            self.env["lifecycle.loyalty.member"].invalidate_model()

    # ----- POINTS -----

    def _lifecycle_spoken(self):
        """The card in its customer's language, in which its history is written."""
        self.ensure_one()
        language = self.partner_id.lang or self.partner_id.commercial_partner_id.lang
        return self.with_context(lang=language or self.env.lang)

    def _lifecycle_add_points(self, points, describe, **values):
        """Add points to each card, with a line of its history; below nought, take them.

        A card never goes below nought: Odoo would refuse the customer's next order.

        :param describe: function of a card in its customer's language, returns the description
        :param values: further values of the lines
        :return: dict card → points that were added
        """
        added, lines = {}, []
        for card in self:
            least = -max(card.points, 0)
            # what empties the card is not rounded: a rest of a sum would stay on it for ever
            change = (
                least if points <= least else float_round(points, precision_digits=2)
            )
            added[card] = change
            card.points += change
            lines.append(
                {
                    "card_id": card.id,
                    "description": describe(card._lifecycle_spoken()),
                    "issued": max(change, 0),
                    "used": max(-change, 0),
                    **values,
                }
            )
        self.env["loyalty.history"].create(lines)
        return added
