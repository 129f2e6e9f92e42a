"""The sales report: grouped by the customer's stage, segments and tier.

In: the report's customer. Out: the fields of documents with a customer.
"""

from odoo import models


class SaleReport(models.Model):
    _name = "sale.report"
    _inherit = ["sale.report", "lifecycle.customer.mixin"]
