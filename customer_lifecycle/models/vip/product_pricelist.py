"""Prices of a VIP tier in the branches of the company that gives them.

In: a contact, the branch that sells to him. Out: the pricelist that his tier at the head office
brings, where the branch has none for him. Called by Odoo for every quotation and cart.
"""

from odoo import api, models


class ProductPricelist(models.Model):
    _inherit = "product.pricelist"

    @api.model
    def _get_partner_pricelist_multi(self, partner_ids):
        """Let a tier's prices hold in branches: Odoo keeps a contact's pricelist by company.

        A pricelist of the head office alone cannot be used in a branch, which Odoo refuses: it
        has to be one of all companies.
        """
        result = super()._get_partner_pricelist_multi(partner_ids)
        company = self.env.company
        above = company._lifecycle_tier_company()
        if above == company or not result:
            return result
        partners = self.env["res.partner"].with_context(active_test=False).browse(partner_ids)
        # sudo: the tier's prices are for the customer, whoever sells
        profiles = self.env["lifecycle.profile"].sudo().search_fetch(
            [
                ("partner_id", "in", partners.commercial_partner_id.ids),
                ("company_id", "=", above.id),
                ("vip_pricelist_id", "!=", False),
            ],
            ["partner_id", "vip_pricelist_id"],
        )
        given = {profile.partner_id.id: profile.vip_pricelist_id for profile in profiles}
        for partner in partners:
            pricelist = given.get(partner.commercial_partner_id.id, self.browse())
            if (
                pricelist.company_id.id in (False, company.id)
                and pricelist._get_partner_pricelist_multi_filter_hook()
                and not partner.specific_property_product_pricelist
            ):
                result[partner.id] = pricelist.sudo(self.env.su)
        return result
