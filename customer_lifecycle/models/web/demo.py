"""Has the demo data made.

In: nothing. Out: demo customers, documents and settings, as the demo loader makes them. Called
once, by the demo data file of the add-on.
"""

from odoo import api, models


class LifecycleDemo(models.AbstractModel):
    """Entry point of the demo data; the generator is imported only when they are loaded."""

    _name = "lifecycle.demo"
    _description = "Customer Lifecycle Demo Data"

    @api.model
    def _load_demo(self):
        from ...demo import loader

        loader.load(self.env)
