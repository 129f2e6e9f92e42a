"""Leads: who recommended us, passed on to the customer.

In: leads of visitors who came through a link, and what people enter. Out: the recommending contact
on the lead, and on its customer where nobody is named yet. Called by Odoo when leads are saved.
"""

from odoo import api, fields, models
from odoo.http import request

from .referral_code import SALES


class CrmLead(models.Model):
    """Inquiries of visitors who came through a link."""

    _inherit = "crm.lead"  # pylint: disable=consider-merging-classes-inherited

    lifecycle_referred_by_id = fields.Many2one(
        "res.partner",
        string="Recommended By",
        index="btree_not_null",
        groups=SALES,
        help="Who recommended us; passed on to the customer.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        if request and self.env.user._is_public():
            code, _how = self.env["lifecycle.referral.code"]._of_visitor()
            if code:
                vals_list = [
                    {**vals, "lifecycle_referred_by_id": code.partner_id.id}
                    for vals in vals_list
                ]
        leads = super().create(vals_list)
        leads._lifecycle_pass_on()
        return leads

    def write(self, vals):
        result = super().write(vals)
        if {"partner_id", "lifecycle_referred_by_id"} & vals.keys():
            self._lifecycle_pass_on()
        return result

    def _lifecycle_pass_on(self):
        """Tell the customers of some leads who recommended us to them, unless they know.

        Only where the user may change the customer and see who is named: a lead can be given the
        number of any contact.
        """
        for lead in self.sudo().filtered("lifecycle_referred_by_id"):
            customer = lead.partner_id.commercial_partner_id.with_env(self.env)
            advocate = lead.lifecycle_referred_by_id.with_env(self.env)
            if customer and customer.has_access("write") and advocate.has_access("read"):
                lead.partner_id.with_company(
                    lead.company_id or self.env.company
                )._lifecycle_name_advocate(lead.lifecycle_referred_by_id, "lead")
