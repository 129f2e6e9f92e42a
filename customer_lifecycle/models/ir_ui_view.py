from odoo import fields, models


class IrUiView(models.Model):
    _inherit = "ir.ui.view"

    type = fields.Selection(selection_add=[("journey_map", "Journey Map")])

    def _get_view_info(self):
        """Tell the web client of the journey map, which the search bar's filters apply to."""
        return {"journey_map": {"icon": "fa fa-map-o"}} | super()._get_view_info()
