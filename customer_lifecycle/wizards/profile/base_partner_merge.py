from odoo import api, models
from odoo.tools import SQL

#: what belongs together of a tier and of a stage set by hand; the last is the hold's end
TIER_HELD = ("vip_tier_id", "vip_since", "vip_manual", "vip_reason", "vip_hold_until")
STAGE_HELD = (
    "stage_id",
    "stage_date",
    "stage_order_date",
    "stage_manual",
    "stage_reason",
    "stage_hold_until",
)


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        """Keep one profile per company, with the history of all, before core moves the links.

        Core would delete the source profiles because the pair (customer, company) is unique,
        and everything that hangs on them with it.
        """
        # core moves documents in SQL, past the watch on their models
        self.env["lifecycle.queue"].sudo()._append_partners((src_partners | dst_partner).ids)
        self._merge_lifecycle_profiles(src_partners, dst_partner)
        return super()._update_foreign_keys(src_partners, dst_partner)

    @api.model
    def _merge_lifecycle_profiles(self, src_partners, dst_partner):
        customer = dst_partner.commercial_partner_id
        if customer in src_partners:
            customer = dst_partner
        profiles = (
            self.env["lifecycle.profile"]
            .sudo()
            .with_context(active_test=False)
            .search([("partner_id", "in", (src_partners | customer).ids)], order="id")
        )
        for _company, same in profiles.grouped("company_id").items():
            kept = same.filtered(lambda profile: profile.partner_id == customer) or same[0]
            gone = same - kept
            for profile in gone:
                # histories are numbered per profile: the merged one goes on counting
                self.env.cr.execute(
                    SQL(
                        """UPDATE lifecycle_transition SET number = number + (
                               SELECT COALESCE(MAX(number), 0) FROM lifecycle_transition
                                WHERE profile_id = ANY(%s))
                            WHERE profile_id = %s""",
                        same.ids,
                        profile.id,
                    )
                )
            self._keep_tier_benefits(kept, gone)
            if gone:
                # what the others bought was known: it is no news of the one that stays
                kept.history_until = kept.company_id._lifecycle_today()
                kept.flush_recordset()
                self._keep_what_people_set(kept, gone)
                self._merge_segment_members(gone, kept)
                self._merge_usual_products(gone, kept)
                self._update_foreign_keys_generic("lifecycle.profile", gone, kept)
                self.env.cr.execute(
                    SQL("DELETE FROM lifecycle_profile WHERE id = ANY(%s)", gone.ids)
                )
            self.env.cr.execute(
                SQL(
                    "UPDATE lifecycle_profile SET partner_id = %s WHERE id = %s",
                    customer.id,
                    kept.id,
                )
            )
        self.env["lifecycle.profile"].invalidate_model()

    @api.model
    def _merge_segment_members(self, gone, kept):
        """Let each segment keep one membership of several profiles: the longest.

        Core would drop all memberships of a profile if one of them is there already.
        """
        cr = self.env.cr
        cr.execute(
            SQL(
                """DELETE FROM lifecycle_segment_member member
                    USING (SELECT id, ROW_NUMBER() OVER (PARTITION BY segment_id
                                                         ORDER BY since, id) AS place
                             FROM lifecycle_segment_member WHERE profile_id = ANY(%s)) ranked
                    WHERE ranked.id = member.id AND ranked.place > 1""",
                (gone | kept).ids,
            )
        )
        cr.execute(
            SQL(
                "UPDATE lifecycle_segment_member SET profile_id = %s WHERE profile_id = ANY(%s)",
                kept.id,
                gone.ids,
            )
        )
        self.env["lifecycle.segment.member"].invalidate_model()

    @api.model
    def _merge_usual_products(self, gone, kept):
        """Let each product stay once; how often it is bought is computed anew from all purchases.

        Core sees unique constraints only, no unique indexes, and would fail.
        """
        self.env.cr.execute(
            SQL(
                """DELETE FROM lifecycle_usual_product usual
                    USING (SELECT id, ROW_NUMBER() OVER (
                                      PARTITION BY product_id
                                      ORDER BY last_date DESC, day_count DESC, id) AS place
                             FROM lifecycle_usual_product WHERE profile_id = ANY(%s)) ranked
                    WHERE ranked.id = usual.id AND ranked.place > 1""",
                (gone | kept).ids,
            )
        )
        self.env["lifecycle.usual.product"].invalidate_model()

    @api.model
    def _keep_tier_benefits(self, kept, gone):
        """Remember what was given to the merged customers: core may move it to the one that stays.

        Their tiers are judged anew, from the purchases of all.
        """
        for name in ("vip_pricelist_id", "vip_user_id"):
            if not kept[name]:
                kept[name] = gone[name][:1]
        if gone:
            kept.vip_benefits_due = True
            kept.flush_recordset()

    @api.model
    def _keep_what_people_set(self, kept, gone):
        """Take over holds and the budget where the profile that stays has none."""
        # the announcement was about the customer that goes
        gone.vip_activity_id.unlink()
        today = kept.company_id._lifecycle_today()
        for names in (TIER_HELD, STAGE_HELD):
            held = (kept + gone).filtered(
                lambda profile, until=names[-1]: profile[until] and profile[until] >= today
            )[:1]
            if held and held != kept:
                for name in names:
                    kept[name] = held[name]
                if names is TIER_HELD:
                    # who is held does not leave
                    kept.vip_review_date = False
        budgets = [profile.potential for profile in gone if profile.potential]
        if budgets and not kept.potential:
            kept.potential = budgets[0]
        kept.flush_recordset()

    @api.model
    def _update_values(self, src_partners, dst_partner):
        """Let the surviving contact decide whether it counts: core would take over any tick."""
        excluded = dst_partner.lifecycle_exclude
        result = super()._update_values(src_partners, dst_partner)
        dst_partner.lifecycle_exclude = excluded
        return result
