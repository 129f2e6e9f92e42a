"""Lets window actions name the journey map and the cohorts among their views.

Nothing is computed here: two more view modes, which the actions of these two screens use.
"""

from odoo import fields, models


class IrActionsActWindowView(models.Model):
    _inherit = "ir.actions.act_window.view"

    view_mode = fields.Selection(
        selection_add=[("journey_map", "Journey Map"), ("lifecycle_cohort", "Cohorts")],
        ondelete={"journey_map": "cascade", "lifecycle_cohort": "cascade"},
    )
