from odoo import fields, models

from .lifecycle_fields import OptionalInteger

SALES = "sales_team.group_sale_salesman"


class ResPartner(models.Model):
    _inherit = "res.partner"

    lifecycle_stage_id = fields.Many2one(
        related="lifecycle_profile_id.stage_id",
        string="Life-Cycle Stage",
        # written by hand through the profile, which checks who may and holds the stage
        readonly=False,
        groups=SALES,
    )
    lifecycle_stage_date = fields.Date(
        related="lifecycle_profile_id.stage_date", groups=SALES
    )
    lifecycle_days_in_stage = OptionalInteger(
        related="lifecycle_profile_id.days_in_stage", string="Days in Stage", groups=SALES
    )
    lifecycle_stage_tone = fields.Selection(
        related="lifecycle_profile_id.stage_id.tone", groups=SALES
    )
