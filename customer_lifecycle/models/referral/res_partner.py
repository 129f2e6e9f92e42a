"""Contacts: who recommended us to them, and their own code for recommending us.

In: the code of the present visit, contacts being created or changed. Out: the recommending contact
on the customer, and the recommendation that follows from it; the customer's own code and link.
Called by sign-ups and guest orders, quotations and leads, by the contact form and e-mails.
"""

from odoo import api, fields, models
from odoo.http import request

from ...tools.context import own_value
from .referral_code import SALES


class ResPartner(models.Model):
    """Who comes through a link, whom people name as recommending us, and a code of one's own."""

    _inherit = "res.partner"  # pylint: disable=consider-merging-classes-inherited

    lifecycle_referral_code = fields.Char(
        string="Referral Code",
        compute="_compute_lifecycle_referral_code",
        compute_sudo=True,
        groups=SALES,
        help="The customer's own code for recommending us; empty where there is no referral "
        "program or the customer may not take part.",
    )
    lifecycle_referral_link = fields.Char(
        string="Referral Link",
        compute="_compute_lifecycle_referral_code",
        compute_sudo=True,
        groups=SALES,
    )
    lifecycle_referral_count = fields.Integer(
        string="Recommendations", compute="_compute_lifecycle_referral_count", groups=SALES
    )

    # ----- WHO RECOMMENDED US -----

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

    # ----- WHOM HE RECOMMENDS US TO -----

    @api.depends("commercial_partner_id")
    @api.depends_context("company")
    def _compute_lifecycle_referral_code(self):
        customers = self.commercial_partner_id._origin
        allowed = self.env["lifecycle.referral.program"]._may_recommend(customers)
        # made when it is first asked for; where nothing may be written there is none yet
        codes = self.env["lifecycle.referral.code"]._of(
            allowed, create=not self.env.cr.readonly
        )
        by_customer = {code.partner_id: code for code in codes}
        for partner in self:
            code = by_customer.get(partner.commercial_partner_id._origin)
            partner.lifecycle_referral_code = code.name if code else False
            partner.lifecycle_referral_link = code.link if code else False

    def _compute_lifecycle_referral_count(self):
        counts = dict(
            self.env["lifecycle.referral"]._read_group(
                [
                    ("advocate_id", "in", self.commercial_partner_id._origin.ids),
                    ("company_id", "=", self.env.company.id),
                ],
                ["advocate_id"],
                ["__count"],
            )
        )
        for partner in self:
            partner.lifecycle_referral_count = counts.get(
                partner.commercial_partner_id._origin, 0
            )

    def action_view_lifecycle_referrals(self):
        """Open whom the customer has recommended us to, and who recommended us to him."""
        self.ensure_one()
        customer = self.commercial_partner_id
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "customer_lifecycle.lifecycle_referral_action"
            ),
            "display_name": self.env._("Recommendations of %s", customer.display_name),
            "domain": [
                "|", ("advocate_id", "=", customer.id), ("friend_id", "=", customer.id)
            ],
            "context": {},
        }

    def action_show_lifecycle_referral_code(self):
        """Show the customer's own code and link, to be copied."""
        self.ensure_one()
        customer = self.commercial_partner_id
        programs = self.env["lifecycle.referral.program"]
        if not programs._current(self.env.company):
            message = self.env._("There is no referral program yet. Ask a sales manager for one.")
        elif not programs._may_recommend(customer):
            message = self.env._("The referral program does not allow this customer to recommend.")
        else:
            code = self.env["lifecycle.referral.code"]._of(customer)
            return {
                "type": "ir.actions.act_window",
                "name": self.env._("Link for %s", customer.display_name),
                "res_model": "lifecycle.referral.code",
                "res_id": code.id,
                "views": [(False, "form")],
                "target": "new",
            }
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"type": "warning", "message": message},
        }
