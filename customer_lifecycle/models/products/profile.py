"""What a customer may buy next, on his contact, on the card of a call and in e-mails.

In: the suggestions of the customer. Out: a chip with reasons, a line for the card and the dialog of
the call, products for e-mails; and the reader that writes suggestions, for the flow.
"""

from odoo import api, fields, models

from .reader import NextProductReader

#: products named on a chip or card
NAMED = 2


class LifecycleProfile(models.Model):
    """The next products of a customer."""

    # what customers buy next is a subject of its own
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    next_product_ids = fields.Many2many(
        "product.product",
        string="Products Bought Next",
        compute="_compute_next_products",
        compute_sudo=False,
        help="For e-mails: up to five products that the customer probably buys next.",
    )
    next_product_names = fields.Char(
        string="May Buy Next", compute="_compute_next_products", compute_sudo=False
    )
    next_product_text = fields.Text(
        string="What to Offer", compute="_compute_next_products", compute_sudo=False
    )

    @api.model
    def _readers(self):
        return [*super()._readers(), NextProductReader]

    @api.depends_context("lang", "uid")
    @api.depends("order_count", "last_order_date")
    def _compute_next_products(self):
        suggestions = self.env["lifecycle.next.product"]
        for company, profiles in self.grouped("company_id").items():
            found = suggestions._of(profiles.partner_id, company).grouped("partner_id")
            for profile in profiles:
                named = found.get(profile.partner_id, suggestions)[:NAMED]
                profile.next_product_ids = found.get(profile.partner_id, suggestions).product_id
                profile.next_product_names = " · ".join(named._names()) or False
                profile.next_product_text = "\n".join(named._sentences()) or False

    def _chips(self):
        return [*super()._chips(), self._chip_next_products()]

    def _chip_next_products(self):
        suggestions = self.env["lifecycle.next.product"]._of(self.partner_id, self.company_id)
        if not suggestions:
            return None
        return self._chip(
            "next",
            self.env._("May buy next"),
            " · ".join(suggestions[:NAMED]._names()),
            why=suggestions._sentences(),
            tone="info",
            sequence=60,
        )
