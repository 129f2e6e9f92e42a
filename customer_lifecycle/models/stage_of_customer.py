from odoo import fields, models

SALES = "sales_team.group_sale_salesman"


class CrmLead(models.Model):
    _inherit = "crm.lead"

    lifecycle_stage_id = fields.Many2one(
        related="partner_id.lifecycle_stage_id", string="Customer's Stage", groups=SALES
    )
    lifecycle_rfm_segment = fields.Many2one(
        related="partner_id.lifecycle_rfm_segment", string="Customer's RFM Group", groups=SALES
    )
    lifecycle_segment_ids = fields.Many2many(
        related="partner_id.lifecycle_segment_ids", string="Customer's Segments", groups=SALES
    )


class SaleOrder(models.Model):
    _inherit = "sale.order"

    lifecycle_stage_id = fields.Many2one(
        related="partner_id.lifecycle_stage_id", string="Customer's Stage", groups=SALES
    )
    lifecycle_rfm_segment = fields.Many2one(
        related="partner_id.lifecycle_rfm_segment", string="Customer's RFM Group", groups=SALES
    )
    lifecycle_segment_ids = fields.Many2many(
        related="partner_id.lifecycle_segment_ids", string="Customer's Segments", groups=SALES
    )


class SaleReport(models.Model):
    _inherit = "sale.report"

    lifecycle_stage_id = fields.Many2one(
        related="partner_id.lifecycle_stage_id", string="Customer's Stage", groups=SALES
    )
    lifecycle_rfm_segment = fields.Many2one(
        related="partner_id.lifecycle_rfm_segment", string="Customer's RFM Group", groups=SALES
    )
    lifecycle_segment_ids = fields.Many2many(
        related="partner_id.lifecycle_segment_ids", string="Customer's Segments", groups=SALES
    )
