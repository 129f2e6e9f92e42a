from odoo import api, models
from odoo.tools import SQL


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    # what merging means for recommendations
    _inherit = "base.partner.merge.automatic.wizard"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        """Keep all recommendations and codes of the merged; one of each goes on.

        Core deletes all links of the merged ones when a single one breaks a unique index.
        """
        self.env.flush_all()
        partners = (src_partners | dst_partner).ids
        rank = SQL("ARRAY_POSITION(ARRAY['rewarded', 'waiting', 'ordered', 'joined'], state)")
        self.env.cr.execute(
            SQL(
                """UPDATE lifecycle_referral referral
                      SET state = 'refused', reason = 'merged'
                     FROM (SELECT id, ROW_NUMBER() OVER (
                                      PARTITION BY company_id ORDER BY %(rank)s, date, id) AS place
                             FROM lifecycle_referral
                            WHERE friend_id = ANY(%(partners)s) AND state <> 'refused') ranked
                    WHERE ranked.id = referral.id AND ranked.place > 1""",
                rank=rank,
                partners=partners,
            )
        )
        self.env.cr.execute(
            SQL(
                """UPDATE lifecycle_referral SET state = 'refused', reason = 'self'
                    WHERE friend_id = ANY(%(partners)s) AND advocate_id = ANY(%(partners)s)
                      AND state IN ('joined', 'ordered', 'waiting')""",
                partners=partners,
            )
        )
        self.env.cr.execute(
            SQL(
                """UPDATE lifecycle_referral_code code SET current = FALSE
                     FROM (SELECT id, ROW_NUMBER() OVER (
                                      ORDER BY partner_id <> %(kept)s, id) AS place
                             FROM lifecycle_referral_code
                            WHERE partner_id = ANY(%(partners)s) AND current) ranked
                    WHERE ranked.id = code.id AND ranked.place > 1""",
                kept=dst_partner.id,
                partners=partners,
            )
        )
        self.env["lifecycle.referral"].invalidate_model()
        self.env["lifecycle.referral.code"].invalidate_model()
        return super()._update_foreign_keys(src_partners, dst_partner)
