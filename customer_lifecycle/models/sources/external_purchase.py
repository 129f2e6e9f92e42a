"""Purchases from a former system, imported from a file or entered by hand.

In: customer, day, amount and perhaps margin, in any currency with a known rate. Out: amounts in
company currency, refused where day or amount is implausible. Read by a revenue source of its own,
the customer journey and the preferences.
"""

from odoo import api, fields, models

from ...tools.fields import OptionalMonetary


class LifecycleExternalPurchase(models.Model):
    _name = "lifecycle.external.purchase"
    _inherit = "lifecycle.import.mixin"
    _description = "Imported Purchase"
    _order = "date desc, id desc"
    _rec_name = "reference"
    _check_company_auto = True

    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        index=True,
        check_company=True,
        # a deleted contact must not take purchase history along
        ondelete="restrict",
    )
    date = fields.Date(required=True)
    amount = fields.Monetary(
        required=True,
        currency_field="currency_id",
        help="Untaxed. A negative amount is a refund: it lowers the customer's value and is "
        "no purchase.",
    )
    currency_id = fields.Many2one(
        "res.currency", required=True, default=lambda self: self._default_currency_id()
    )
    reference = fields.Char(help="Number in the former system; unique per company when set.")
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
    )
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )
    amount_company = fields.Monetary(
        string="Amount in Company Currency",
        compute="_compute_amount_company",
        store=True,
        currency_field="company_currency_id",
        help="Converted with the rate of the day of the purchase.",
    )

    product_id = fields.Many2one(
        "product.product",
        ondelete="set null",
        index="btree_not_null",
        check_company=True,
        help="What was bought, if you know. One line for each product.",
    )
    quantity = fields.Float(
        default=1, digits="Product Unit", help="In the unit of the product; counts with a product."
    )

    margin = OptionalMonetary(
        currency_field="currency_id",
        help="What you earned with it, if you know: the amount less what the goods cost you. "
        "Where it is empty, the share from the settings stands in.",
    )
    margin_company = OptionalMonetary(
        string="Margin in Company Currency",
        compute="_compute_margin_company",
        store=True,
        currency_field="company_currency_id",
    )

    _reference_unique = models.UniqueIndex(
        "(company_id, reference) WHERE reference IS NOT NULL AND reference <> ''",
        "This company already has an imported purchase with that reference. Give every "
        "purchase its own reference, or leave the reference empty.",
    )

    @api.depends("amount", "currency_id", "company_id", "date")
    def _compute_amount_company(self):
        for purchase, convert in self._converted("date"):
            purchase.amount_company = convert(purchase.amount)

    @api.depends("margin", "currency_id", "company_id", "date")
    def _compute_margin_company(self):
        for purchase, convert in self._converted("date"):
            margin = purchase.margin
            purchase.margin_company = margin if margin is False else convert(margin)

    @api.constrains("date", "amount", "margin", "currency_id", "company_id")
    def _check_plausible(self):
        """Refuse days and amounts that moved labels of customers, instead of telling later."""
        for purchase in self:
            company = purchase.company_id.sudo()
            company._lifecycle_check_day(purchase.date)
            company._lifecycle_check_amount(purchase.amount_company)
            company._lifecycle_check_amount(purchase.margin_company or 0)

    @api.depends("reference", "date")
    def _compute_display_name(self):
        for purchase in self:
            purchase.display_name = purchase.reference or self.env._(
                "Imported purchase of %(date)s", date=fields.Date.to_string(purchase.date) or ""
            )

    @api.model
    def get_import_templates(self):
        return [
            {
                "label": self.env._("Import Template for Purchase History"),
                "template": "/customer_lifecycle/static/xls/purchase_history.xlsx",
            }
        ]
