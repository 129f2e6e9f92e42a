"""Stage, segments and VIP tier of the customer, as fields of his documents.

In: the contact of a quotation, an opportunity or a row of the sales report. Out: fields to
filter and group by. Inherited by these documents; read by their forms, lists and reports.
"""

from odoo import fields, models

SALES = "sales_team.group_sale_salesman"


class LifecycleCustomerMixin(models.AbstractModel):
    """Documents with a customer: where he stands as of today, to filter, group and measure by."""

    _name = "lifecycle.customer.mixin"
    _description = "Document of a Customer"

    partner_id = fields.Many2one("res.partner")
    lifecycle_stage_id = fields.Many2one(
        related="partner_id.lifecycle_stage_id", string="Customer's Stage", groups=SALES
    )
    lifecycle_rfm_segment = fields.Many2one(
        related="partner_id.lifecycle_rfm_segment", string="Customer's RFM Group", groups=SALES
    )
    lifecycle_segment_ids = fields.Many2many(
        related="partner_id.lifecycle_segment_ids", string="Customer's Segments", groups=SALES
    )
    vip_tier_id = fields.Many2one(
        related="partner_id.vip_tier_id", string="VIP Tier", groups=SALES
    )
    # for display and order only: what is searched and grouped is the tier
    vip_color = fields.Integer(related="partner_id.vip_color", aggregator=None, groups=SALES)
    vip_rank = fields.Integer(related="partner_id.vip_rank", aggregator=None)

    def _field_to_sql(self, alias, field_expr, query=None):
        """Refuse to sort and group by what the user may not read.

        Odoo follows a related field to where it is stored, as superuser, and asks no more.
        """
        field = self._fields.get(field_expr.split(".")[0])
        if field and field.related and field._module == "customer_lifecycle":
            self._check_field_access(field, "read")
        return super()._field_to_sql(alias, field_expr, query)
