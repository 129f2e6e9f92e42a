"""In the portal: what a customer may order next, where the company wants to show it.

In: the suggestions of the present user's customer. Out: names, and where the shop sells them.
Called by the portal's first page.
"""

from odoo import api, models

#: products shown
SHOWN = 4


class ResUsers(models.Model):
    """What a customer reads of it in the portal."""

    # what customers buy next is a subject of its own
    _inherit = "res.users"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _lifecycle_portal_next(self):
        """What the present user's customer may order next; none where it is not to be shown.

        :return: list of dicts ``name`` and ``url``: the product in the shop, or False
        """
        company = self.env.company.sudo()
        if not company.lifecycle_next_portal or self.env.user._is_public():
            return []
        # sudo: customers have no access to suggestions; theirs are the only ones that are read,
        # and nothing but names leaves this method
        customer = self.env.user.partner_id.sudo().commercial_partner_id
        suggestions = self.env["lifecycle.next.product"].sudo()
        products = suggestions._of(customer, company).product_id
        in_shop = "website_url" in products._fields and "is_published" in products._fields
        if in_shop:
            # what the shop does not show is nothing to show here
            products = products.filtered("is_published")
        return [
            {"name": suggestions._name_of(product), "url": in_shop and product.website_url}
            for product in products[:SHOWN]
        ]
