"""Makes the journey map, the cohorts and the overview types of views that Odoo knows.

In: nothing. Out: three more view types and their icons, which the web client asks for to draw the
view switcher and to let the search bar filter them.
"""

from odoo import fields, models


class IrUiView(models.Model):
    _inherit = "ir.ui.view"

    type = fields.Selection(
        selection_add=[
            ("journey_map", "Journey Map"),
            ("lifecycle_cohort", "Cohorts"),
            ("lifecycle_overview", "Overview"),
        ],
        # else views that somebody made stay without a type, and every later update warns of them
        ondelete={
            "journey_map": "cascade",
            "lifecycle_cohort": "cascade",
            "lifecycle_overview": "cascade",
        },
    )

    def _get_view_info(self):
        """Tell the web client of views of our own, which the search bar's filters apply to."""
        views = {
            "journey_map": {"icon": "fa fa-map-o"},
            "lifecycle_cohort": {"icon": "oi oi-view-cohort"},
            "lifecycle_overview": {"icon": "fa fa-dashboard"},
        }
        return views | super()._get_view_info()
