from odoo import fields, models


class IrActionsActWindowView(models.Model):
    _inherit = "ir.actions.act_window.view"

    view_mode = fields.Selection(
        selection_add=[("journey_map", "Journey Map"), ("lifecycle_cohort", "Cohorts")],
        ondelete={"journey_map": "cascade", "lifecycle_cohort": "cascade"},
    )
