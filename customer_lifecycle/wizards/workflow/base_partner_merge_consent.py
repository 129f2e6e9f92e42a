"""What people have said about marketing when their contacts are merged.

In come the contacts that are merged, out goes a contact that has said what any of them has said.
"""

from odoo import api, models

from ...models.workflow.opt_out import OURS
from ...tools.context import own


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    # what merging means for consent
    _inherit = "base.partner.merge.automatic.wizard"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        """Let the one that stays have said no where one of the others' addresses has."""
        # sudo: what a person has said goes before who merges
        people = (src_partners | dst_partner).sudo()
        consent, said = self.env["lifecycle.consent"], self.env["lifecycle.opt.out"]
        kept = consent._addresses(dst_partner)
        for email in {one for partner in people for one in consent._addresses(partner)}:
            if email in kept or email in said._of(people, []).mapped("email"):
                # asked about when it is written to; else what was said moves along
                continue
            if refused := consent._refused_elsewhere([email]):
                source = {"blacklisted": "blacklist", "opted_out": "list"}[refused[email]]
                said._say(dst_partner.sudo(), email, source, spared=False)
        # what core moves is read from the database
        self.env.flush_all()
        return super()._update_foreign_keys(src_partners, dst_partner)

    @api.model
    def _update_values(self, src_partners, dst_partner):
        """Agreement of one holds for all, with its day, unless another has withdrawn it.

        Core would take over any tick.
        """
        agreed = (dst_partner | src_partners).sudo().filtered("lifecycle_marketing_consent")
        day = agreed[:1].lifecycle_marketing_consent_date
        said = self.env["lifecycle.opt.out"]._of(src_partners | dst_partner, []).filtered(
            lambda one: one.source == "consent" or one.took_consent
        )
        result = super()._update_values(src_partners, dst_partner.with_context(**{OURS: own()}))
        ours = dst_partner.sudo().with_context(**{OURS: own()})
        if said and ours.lifecycle_marketing_consent:
            ours.lifecycle_marketing_consent = False
        elif ours.lifecycle_marketing_consent:
            ours.lifecycle_marketing_consent_date = day
        return result
