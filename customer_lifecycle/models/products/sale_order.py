"""On quotations: what the customer may buy next, each with a button that adds it.

In: the suggestions of the quotation's customer, and usual products that are due. Out: products with
quantity and reason, and lines for those that are added. Called by the form of quotations once it is
open.
"""

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command

#: products suggested on a quotation
SUGGESTED = 5


class SaleOrder(models.Model):
    """What the customer of a quotation may buy next."""

    # what customers buy next is a subject of its own
    _inherit = "sale.order"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    @api.readonly
    def get_lifecycle_suggestions(self, partner_id, company_id=False):
        """What a customer may buy next, with the reader's rights: what is due first.

        :param partner_id: id of a contact
        :param company_id: id of the quotation's company; the reader's own where there is none yet
        :return: list of dicts ``product_id``, ``product`` (name), ``quantity``, ``reason``
        """
        company = self.env["res.company"].browse(company_id) or self.env.company
        if company not in self.env.user.company_ids:
            return []
        partner = self.env["res.partner"].browse(partner_id)
        partner.check_access("read")
        return self._lifecycle_suggested(partner, company)

    @api.model
    def _lifecycle_suggested(self, partner, company):
        """See ``get_lifecycle_suggestions``."""
        suggestions = self.env["lifecycle.next.product"]
        if not suggestions.has_access("read"):
            return []
        found = {}
        today = company.sudo()._lifecycle_today()
        for usual in self._lifecycle_usual_due(partner, company):
            found[usual.product_id.id] = {
                "product_id": usual.product_id.id,
                "product": suggestions._name_of(usual.product_id),
                "quantity": usual._quantity_to_sell(),
                "reason": self.env._(
                    "Buys it about every %(gap)s days, last %(days)s days ago",
                    gap=max(1, round(usual.gap)),
                    days=(today - usual.last_date).days,
                ),
            }
        for suggestion in suggestions._of(partner, company):
            found.setdefault(
                suggestion.product_id.id,
                {
                    "product_id": suggestion.product_id.id,
                    "product": suggestions._name_of(suggestion.product_id),
                    "quantity": suggestion.quantity,
                    "reason": suggestion.reason,
                },
            )
        return list(found.values())[:SUGGESTED]

    @api.model
    def _lifecycle_usual_due(self, partner, company):
        """Usual products that are due and may be suggested, the most valuable first."""
        quotation = self.new({"partner_id": partner.id, "company_id": company.id})
        due = self.env["lifecycle.usual.product"].browse(
            usual_id for usual_id, _name, _last_date in quotation._lifecycle_due_products()
        )
        customer = partner.commercial_partner_id
        suggestable = self.env["lifecycle.next.product"]._suggestable(due.product_id, company)
        returned = self.env["lifecycle.next.product"]._just_returned(company, customer.ids)
        return due.filtered(
            lambda usual: usual.product_id in suggestable
            and (customer.id, usual.product_id.id) not in returned
        )

    def action_add_lifecycle_suggestion(self, product_id):
        """Add a suggested product in the suggested quantity, at the quotation's prices."""
        self.ensure_one()
        self.check_access("write")
        quantities = {
            suggestion["product_id"]: suggestion["quantity"]
            for suggestion in self._lifecycle_suggested(self.partner_id, self.company_id)
        }
        if product_id not in quantities:
            raise UserError(self.env._("This product is no longer suggested; reload the page."))
        self.order_line = [
            Command.create({"product_id": product_id, "product_uom_qty": quantities[product_id]})
        ]
