from odoo import api, models
from odoo.tools import SQL


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    # what merging means for loyalty programs
    _inherit = "base.partner.merge.automatic.wizard"  # pylint: disable=consider-merging-classes-inherited

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
