from odoo import api, models
from odoo.tools import SQL


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    # what merging means for loyalty programs
    _inherit = "base.partner.merge.automatic.wizard"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _merge_loyalty_cards(self, src_partners, dst_partner):
        """Let all that points at a card that goes on in another one point at that one.

        Odoo adds up the points and archives the other cards, with their orders and history: what
        is credited later would be taken from an empty card.
        """
        cards = self.env["loyalty.card"].sudo()
        partners = src_partners | dst_partner
        before = cards.search([("partner_id", "in", partners.ids)], order="id")
        # as Odoo looks for it
        kept = {
            program: cards.search(
                [("partner_id", "=", dst_partner.id), ("program_id", "=", program.id)], limit=1
            )
            for program in before.program_id
        }
        result = super()._merge_loyalty_cards(src_partners, dst_partner)
        for program, same in before.grouped("program_id").items():
            gone = same.filtered(lambda card: not card.active)
            final = kept[program] or (same - gone).filtered(
                lambda card: card.partner_id == dst_partner
            )[:1]
            if gone and final:
                self._join_loyalty_cards(gone, final)
        return result

    @api.model
    def _join_loyalty_cards(self, gone, final):
        entries = self.env["sale.order.coupon.points"].sudo().search(
            [("coupon_id", "in", (gone | final).ids)]
        )
        for same in entries.grouped("order_id").values():
            if len(same) > 1:
                # an order of a company's contact, say: Odoo allows one entry a card
                first = same.filtered(lambda entry: entry.coupon_id == final)[:1] or same[0]
                others = same - first
                first.write(
                    {"points": sum(same.mapped("points")), "lifecycle_terms": False}
                )
                others.unlink()
        for card in gone:
            final._message_log(
                body=self.env._("The card %s went on in this one.", card.code)
            )
        self._update_foreign_keys_generic("loyalty.card", gone, final)
        self.env.invalidate_all()

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        """Let the merged customer have joined each program once, with the bonus he has had.

        Before Odoo merges the cards: the card that stays would join him a second time. Core sees
        unique constraints only, no unique indexes, and would fail.
        """
        self.env.flush_all()
        customer = dst_partner.commercial_partner_id
        if customer in src_partners:
            customer = dst_partner
        partners = (src_partners | customer).ids
        self.env.cr.execute(
            SQL(
                """DELETE FROM lifecycle_loyalty_member member
                    USING (SELECT id, ROW_NUMBER() OVER (
                                      PARTITION BY program_id
                                      ORDER BY welcome_date IS NULL, date_joined, id) AS place
                             FROM lifecycle_loyalty_member WHERE partner_id = ANY(%s)) ranked
                    WHERE ranked.id = member.id AND ranked.place > 1""",
                partners,
            )
        )
        self.env.cr.execute(
            SQL(
                "UPDATE lifecycle_loyalty_member SET partner_id = %s WHERE partner_id = ANY(%s)",
                customer.id,
                partners,
            )
        )
        self.env["lifecycle.loyalty.member"].invalidate_model()
        return super()._update_foreign_keys(src_partners, dst_partner)
