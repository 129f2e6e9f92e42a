"""Products that are suggested to nobody.

In: a manager's choice. Out: a field that suggestions ask for.
"""

from odoo import fields, models


class ProductTemplate(models.Model):
    _inherit = "product.template"

    lifecycle_never_suggest = fields.Boolean(
        string="Never Suggest",
        help="Suggested to no customer as what he may buy next. A whole category can be left out, "
        "too.",
    )
