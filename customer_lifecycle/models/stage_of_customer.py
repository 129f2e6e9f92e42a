from odoo import fields, models

SALES = "sales_team.group_sale_salesman"


class CrmLead(models.Model):
    _inherit = "crm.lead"

    lifecycle_stage_id = fields.Many2one(
        related="partner_id.lifecycle_stage_id", string="Customer's Stage", groups=SALES
    )


class SaleOrder(models.Model):
    _inherit = "sale.order"

    lifecycle_stage_id = fields.Many2one(
        related="partner_id.lifecycle_stage_id", string="Customer's Stage", groups=SALES
    )


class SaleReport(models.Model):
    _inherit = "sale.report"

    lifecycle_stage_id = fields.Many2one(
        related="partner_id.lifecycle_stage_id", string="Customer's Stage", groups=SALES
    )
