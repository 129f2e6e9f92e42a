"""What runs have seen of the products bought, so that a night looks at those that changed.

In: the reader of next products. Out: a field of the run.
"""

from odoo import fields, models


class LifecycleRun(models.Model):
    _inherit = "lifecycle.run"

    next_product_seen = fields.Json(
        readonly=True, help="Products bought up to which suggestions are known."
    )
