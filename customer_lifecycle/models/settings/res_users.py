"""Users: colleagues are no customers, and portal users see their own tier and code.

In: users that are made or deleted, and whoever is signed in to the portal. Out: excluded
contacts, a history without the names of deleted users, and what the company lets its customers
see of themselves. Called by Odoo and by the portal's pages.
"""

from odoo import api, models
from odoo.tools import SQL


class ResUsers(models.Model):
    _inherit = "res.users"

    @api.model_create_multi
    def create(self, vals_list):
        users = super().create(vals_list)
        # colleagues and anonymous visitors are no customers; a colleague who is both can be
        # included again by hand
        users.filtered(lambda user: not user.share or user._is_public()).partner_id.sudo().write(
            {"lifecycle_exclude": True}
        )
        return users

    def unlink(self):
        """What they did stays, without a name: that link has no foreign key that empties it."""
        # first whether they may be deleted at all
        result = super().unlink()
        if not self:
            return result
        self.env.cr.execute(
            SQL("UPDATE lifecycle_transition SET user_id = NULL WHERE user_id = ANY(%s)", self.ids)
        )
        self.env.invalidate_all()
        return result

    @api.model
    def _lifecycle_portal_tier(self):
        """What the present user reads of his own tier, or None where it is not to be shown."""
        # sudo: customers have no access to profiles; theirs is the only one that is read, and
        # only what the company wants them to see leaves this method
        # in a branch the tiers of its head office hold, and what that one wants to show
        company = self.env.company.sudo()._lifecycle_tier_company()
        customer = self.env.user.partner_id.sudo().commercial_partner_id
        if not company.lifecycle_tiers_portal:
            return None
        profile = self.env["lifecycle.profile"].sudo().search(
            [("partner_id", "=", customer.id), ("company_id", "=", company.id)]
        )
        if not profile or self.env["lifecycle.vip.tier"].sudo()._why_inactive(company):
            return None
        return profile._vip_public_tier_text()

    @api.model
    def _lifecycle_portal_referral(self):
        """The present user's own code for recommending us, or empty where it is not shown."""
        # sudo: customers have no access to codes; theirs is the only one that is read
        codes = self.env["lifecycle.referral.code"].sudo()
        if not self.env.company.sudo().lifecycle_referral_portal or self.env.user._is_public():
            return codes
        customer = self.env.user.partner_id.sudo().commercial_partner_id
        customer = self.env["lifecycle.referral.program"]._may_recommend(customer)
        return codes._of(customer, create=not self.env.cr.readonly)
