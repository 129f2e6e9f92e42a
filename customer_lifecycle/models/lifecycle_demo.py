from odoo import api, models


class LifecycleDemo(models.AbstractModel):
    """Entry point of the demo data; the generator is imported only when they are loaded."""

    _name = "lifecycle.demo"
    _description = "Customer Lifecycle Demo Data"

    @api.model
    def _load_demo(self):
        from ..demo import loader

        loader.load(self.env)
