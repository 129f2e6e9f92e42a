"""Categories whose products are suggested to nobody.

In: a manager's choice. Out: a field that suggestions ask for, of the category and those above it.
"""

from odoo import fields, models


class ProductCategory(models.Model):
    _inherit = "product.category"

    lifecycle_never_suggest = fields.Boolean(
        string="Never Suggest",
        help="Products of this category, and of those below it, are suggested to no customer as "
        "what he may buy next.",
    )
