"""Stage, segments and VIP tier of the customer, as fields of his documents.

In: the contact of a quotation, an opportunity or a row of the sales report. Out: fields to
filter and group by, and a hint on what the next tier takes with this quotation counted in. Read
by the forms, lists and reports of sales and CRM.
"""

from odoo import api, fields, models

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


class CrmLead(models.Model):
    _name = "crm.lead"
    _inherit = ["crm.lead", "lifecycle.customer.mixin"]


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = ["sale.order", "lifecycle.customer.mixin"]

    vip_hint = fields.Char(
        compute="_compute_vip_hint",
        groups=SALES,
        help="The customer's VIP tier, until when, and what the next one takes with this "
        "quotation counted in.",
    )

    @api.depends_context("lang", "uid")
    @api.depends("partner_id", "company_id", "amount_untaxed", "state")
    def _compute_vip_hint(self):
        for order in self:
            # figures of the order's company, whichever one the reader works in
            company = order.company_id._lifecycle_tier_company()
            if company.id not in self.env.user._get_company_ids():
                # the figures that decide are those of a head office that he may not look into
                company = order.company_id
            profile = order.partner_id.with_company(company).lifecycle_profile_id
            if not profile:
                order.vip_hint = False
                continue
            is_open = order.state in ("draft", "sent") and order.amount_untaxed > 0
            order.vip_hint = profile._vip_outlook(
                order._lifecycle_value() if is_open else 0, orders=int(is_open)
            )

    def _lifecycle_value(self):
        """What the order is worth to its company, as the settings say what value is."""
        self.ensure_one()
        rate = self.currency_rate
        company = self.company_id.sudo()
        if not rate or not company._lifecycle_knows_rate(self.currency_id):
            return 0  # nobody knows what it is worth
        amount = self.amount_untaxed / rate
        if company.lifecycle_value == "revenue":
            return amount
        if company.lifecycle_value == "margin" and "margin" in self._fields:
            # sudo: the sum only, as the stored margin of confirmed orders counts for everybody
            return self.sudo()["margin"] / rate
        return amount * company.lifecycle_margin_percent / 100


class SaleReport(models.Model):
    _name = "sale.report"
    _inherit = ["sale.report", "lifecycle.customer.mixin"]
