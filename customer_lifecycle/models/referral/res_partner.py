"""From a visitor's link or code to the contact that notes who recommended us.

In: the session or cookie of the present visit, contacts being created or changed. Out: the
recommending contact on the customer, and the recommendation that follows from it. Called by the
invitation link, sign-ups and guest orders, quotations and leads.
"""

from odoo import api, models
from odoo.http import request

from ...tools.context import own_value

#: cookie and key of the session under which a visitor's code is kept
COOKIE = "lifecycle_referral"


class LifecycleReferralCode(models.Model):
    """Who has sent the present visitor of the site."""

    # a file for each subject of this large model
    _inherit = "lifecycle.referral.code"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _remember(self, code, how):
        """Keep a code for the rest of the visit; the cookie outlives it where it is allowed."""
        request.session[COOKIE] = [code.name, how]

    @api.model
    def _of_visitor(self):
        """(code, how) that the present visitor came with, or (empty, None)."""
        if not request or not getattr(request, "session", None):
            return self.sudo().browse(), None
        name, how = request.session.get(COOKIE) or (request.cookies.get(COOKIE), "link")
        code = self._find(name)
        if not code or not self.env["lifecycle.referral.program"]._may_recommend(
            code.partner_id
        ):
            return code.browse(), None
        return code, how


class ResPartner(models.Model):
    """Who comes through a link, and whom people name as recommending us."""

    _inherit = "res.partner"  # pylint: disable=consider-merging-classes-inherited

    @api.model_create_multi
    def create(self, vals_list):
        how = self.env.context.get("lifecycle_referral_how", "contact")
        # visitors who sign up, or order as guests, become contacts as superuser
        if request and self.env.su and self.env.user._is_public():
            code, visitor_how = self.env["lifecycle.referral.code"]._of_visitor()
            if code:
                how = visitor_how
                vals_list = [
                    vals
                    if vals.get("parent_id") or vals.get("lifecycle_referred_by_id")
                    else {**vals, "lifecycle_referred_by_id": code.partner_id.id}
                    for vals in vals_list
                ]
        partners = super().create(vals_list)
        # the records, not the values: defaults come from the context as well
        named = partners.sudo().filtered("lifecycle_referred_by_id").with_env(partners.env)
        if named:
            self.env["lifecycle.referral"]._join(named, how)
        return partners

    def write(self, vals):
        # quotations write back what they show, for people who may not change the contact; who may
        # not see it must not learn by this what it is
        field = self._fields["lifecycle_referred_by_id"]
        if (
            "lifecycle_referred_by_id" in vals
            and self.has_access("read")
            and self._has_field_access(field, "read")
        ) and all(
            partner.lifecycle_referred_by_id.id == (vals["lifecycle_referred_by_id"] or False)
            for partner in self.sudo()
        ):
            vals = {
                name: value for name, value in vals.items() if name != "lifecycle_referred_by_id"
            }
            if not vals:
                return True
        result = super().write(vals)
        settled = own_value(self.env, "lifecycle_referral_settled")
        if "lifecycle_referred_by_id" in vals and not settled:
            self.env["lifecycle.referral"]._join(
                self, self.env.context.get("lifecycle_referral_how", "contact")
            )
        return result

    def _lifecycle_name_advocate(self, contact, how):
        """Set who recommended us to a customer, where nobody is named yet.

        :return: the recommendation, empty where there was none to be made
        """
        customer = self.sudo().commercial_partner_id
        advocate = contact.sudo().commercial_partner_id
        referrals = self.env["lifecycle.referral"].sudo()
        domain = [
            ("friend_id", "=", customer.id),
            ("advocate_id", "=", advocate.id),
            (
                "company_id",
                "in",
                (customer.company_id or self.env.company)._lifecycle_above().ids,
            ),
        ]
        # who was refused is not named again with every look at the cart
        if not customer.lifecycle_referred_by_id and not referrals._was_judged(
            referrals.search(domain), advocate
        ):
            customer.with_context(lifecycle_referral_how=how).lifecycle_referred_by_id = contact
        return referrals.search(domain, limit=1)
