"""Lets window actions name the journey map, the cohorts and the overview among their views.

Nothing is computed here: more view modes, which the actions of these screens use.
"""

from odoo import fields, models


class IrActionsActWindowView(models.Model):
    _inherit = "ir.actions.act_window.view"

    view_mode = fields.Selection(
        selection_add=[
            ("journey_map", "Journey Map"),
            ("lifecycle_cohort", "Cohorts"),
            ("lifecycle_overview", "Overview"),
        ],
        ondelete={
            "journey_map": "cascade",
            "lifecycle_cohort": "cascade",
            "lifecycle_overview": "cascade",
        },
    )
