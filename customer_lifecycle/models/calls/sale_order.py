"""A quotation made for a customer to contact is an outcome, once it is saved.

In: new quotations, and the customer whose button has opened the form. Out: an outcome, and a
message to the person who made it. Called by Odoo's form of quotations.
"""

from odoo import api, models


class SaleOrder(models.Model):
    """Quotations that come out of the list of calls."""

    _inherit = "sale.order"

    @api.model_create_multi
    def create(self, vals_list):
        orders = super().create(vals_list)
        if orders and (profile_id := self.env.context.get("lifecycle_quoted_profile_id")):
            orders._note_quotation(profile_id)
        return orders

    def _note_quotation(self, profile_id):
        """Record the outcome for the customer whose card was quoted from, once a day."""
        profile = self.env["lifecycle.profile"].search([("id", "=", profile_id)])
        if profile.partner_id not in self.partner_id.commercial_partner_id:
            return  # made for somebody else in the end
        today = profile._lifecycle_today()
        if profile.outcome_ids.filtered(
            lambda one: (one.kind, one.date, one.user_id) == ("quote", today, self.env.user)
        ):
            return
        outcome = profile._record_outcome("quote")
        self.env.user._bus_send("lifecycle_contact_done", outcome._said())
