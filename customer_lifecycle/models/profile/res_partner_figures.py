"""A customer's figures, stage and tier as fields of the contact.

In: the profile in the present company, through the contact's link to it. Out: fields that can be
searched, sorted and grouped without columns of their own; stage and potential are written through
to the profile. Read by contact forms and lists, and by documents with a customer.
"""

from odoo import api, fields, models

from ...tools.fields import (
    BudgetMonetary,
    CountInteger,
    OptionalFloat,
    OptionalInteger,
    OptionalMonetary,
    SumMonetary,
)

SALES = "sales_team.group_sale_salesman"
MANAGER = "sales_team.group_sale_manager"


class ResPartner(models.Model):
    """What a customer's profile says, on each of his contacts."""

    # a file for each subject of this large model
    _inherit = "res.partner"  # pylint: disable=consider-merging-classes-inherited

    lifecycle_order_count = CountInteger(
        related="lifecycle_profile_id.order_count", string="Number of Orders", groups=SALES
    )
    lifecycle_first_order_date = fields.Date(
        related="lifecycle_profile_id.first_order_date", groups=SALES
    )
    lifecycle_last_order_date = fields.Date(
        related="lifecycle_profile_id.last_order_date", groups=SALES
    )
    lifecycle_days_since_last_order = OptionalInteger(
        related="lifecycle_profile_id.days_since_last_order", groups=SALES
    )
    lifecycle_average_order_value = OptionalMonetary(
        related="lifecycle_profile_id.average_order_value",
        currency_field="lifecycle_currency_id",
        groups=SALES,
    )
    lifecycle_order_interval = OptionalFloat(
        related="lifecycle_profile_id.order_interval", groups=SALES
    )
    lifecycle_revenue = SumMonetary(
        related="lifecycle_profile_id.revenue",
        currency_field="lifecycle_currency_id",
        groups=SALES,
    )
    lifecycle_revenue_year = SumMonetary(
        related="lifecycle_profile_id.revenue_year",
        currency_field="lifecycle_currency_id",
        groups=SALES,
    )
    clv_historical = SumMonetary(
        related="lifecycle_profile_id.clv_historical",
        currency_field="lifecycle_currency_id",
        groups=SALES,
    )
    clv_predicted = OptionalMonetary(
        related="lifecycle_profile_id.clv_predicted",
        currency_field="lifecycle_currency_id",
        groups=SALES,
    )
    clv_total = SumMonetary(
        related="lifecycle_profile_id.clv_total",
        currency_field="lifecycle_currency_id",
        groups=SALES,
    )
    clv_p_alive = OptionalFloat(related="lifecycle_profile_id.p_alive", groups=MANAGER)
    clv_p_order = OptionalFloat(related="lifecycle_profile_id.p_order", groups=SALES)
    clv_p_order_30 = OptionalFloat(related="lifecycle_profile_id.p_order_30", groups=SALES)
    clv_expected_orders = OptionalFloat(
        related="lifecycle_profile_id.expected_orders", groups=SALES
    )
    clv_next_order_date = fields.Date(
        related="lifecycle_profile_id.next_order_date", groups=SALES
    )
    clv_next_order_from = fields.Date(
        related="lifecycle_profile_id.next_order_from", groups=SALES
    )
    clv_next_order_to = fields.Date(related="lifecycle_profile_id.next_order_to", groups=SALES)
    clv_predicted_known = fields.Boolean(
        related="lifecycle_profile_id.predicted", string="Has a Prediction", groups=SALES
    )
    clv_top_decile = fields.Boolean(
        related="lifecycle_profile_id.top_decile", groups=SALES
    )
    lifecycle_stage_id = fields.Many2one(
        related="lifecycle_profile_id.stage_id",
        string="Life-Cycle Stage",
        # written by hand through the profile, which checks who may and holds the stage
        readonly=False,
        groups=SALES,
    )
    lifecycle_stage_manual = fields.Boolean(
        related="lifecycle_profile_id.stage_manual", groups=SALES
    )
    lifecycle_stage_reason = fields.Char(
        related="lifecycle_profile_id.stage_reason", readonly=False, groups=SALES
    )
    lifecycle_stage_hold_until = fields.Date(
        related="lifecycle_profile_id.stage_hold_until", readonly=False, groups=SALES
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
    lifecycle_potential = BudgetMonetary(
        related="lifecycle_profile_id.potential",
        currency_field="lifecycle_currency_id",
        # entered by people or imported, through the profile, which checks who may
        readonly=False,
        groups=SALES,
    )
    lifecycle_potential_share = OptionalFloat(
        related="lifecycle_profile_id.potential_share", groups=SALES
    )
    lifecycle_potential_gap = OptionalMonetary(
        related="lifecycle_profile_id.potential_gap",
        currency_field="lifecycle_currency_id",
        groups=SALES,
    )
    lifecycle_satisfaction = OptionalFloat(
        related="lifecycle_profile_id.satisfaction_average", groups=SALES
    )
    lifecycle_last_contact_date = fields.Date(
        related="lifecycle_profile_id.last_contact_date", groups=SALES
    )
    lifecycle_first_touch_date = fields.Date(
        related="lifecycle_profile_id.first_touch_date", groups=SALES
    )
    lifecycle_first_source_id = fields.Many2one(
        related="lifecycle_profile_id.first_source_id", groups=SALES
    )
    lifecycle_first_medium_id = fields.Many2one(
        related="lifecycle_profile_id.first_medium_id", groups=SALES
    )
    lifecycle_first_campaign_id = fields.Many2one(
        related="lifecycle_profile_id.first_campaign_id", groups=SALES
    )
    lifecycle_touch_count = CountInteger(
        related="lifecycle_profile_id.touch_count", groups=SALES
    )
    lifecycle_touches_to_first_order = OptionalInteger(
        related="lifecycle_profile_id.touches_to_first_order", groups=SALES
    )
    lifecycle_days_to_first_order = OptionalInteger(
        related="lifecycle_profile_id.days_to_first_order", groups=SALES
    )
    lifecycle_first_order_touch_id = fields.Many2one(
        related="lifecycle_profile_id.first_order_touch_id", groups=SALES
    )
    lifecycle_last_order_touch_id = fields.Many2one(
        related="lifecycle_profile_id.last_order_touch_id", groups=SALES
    )
    lifecycle_last_order_source_id = fields.Many2one(
        related="lifecycle_profile_id.last_order_source_id", groups=SALES
    )
    lifecycle_rfm_score = fields.Char(
        related="lifecycle_profile_id.rfm_score", string="RFM Score", groups=SALES
    )
    lifecycle_rfm_segment = fields.Many2one(
        related="lifecycle_profile_id.rfm_group_id", string="RFM Group", groups=SALES
    )
    lifecycle_segment_ids = fields.Many2many(
        related="lifecycle_profile_id.segment_ids", string="Segments", groups=SALES
    )
    lifecycle_rfm_note = fields.Char(related="lifecycle_profile_id.rfm_note", groups=SALES)
    vip_tier_id = fields.Many2one(related="lifecycle_profile_id.vip_tier_id", groups=SALES)
    # for display only: what is searched and grouped is the tier
    vip_color = fields.Integer(compute="_compute_vip_color", groups=SALES)
    vip_why = fields.Char(compute="_compute_vip_why", groups=SALES)
    vip_since = fields.Date(related="lifecycle_profile_id.vip_since", groups=SALES)
    vip_review_date = fields.Date(related="lifecycle_profile_id.vip_review_date", groups=SALES)
    vip_manual = fields.Boolean(related="lifecycle_profile_id.vip_manual", groups=SALES)
    is_vip = fields.Boolean(related="lifecycle_profile_id.is_vip", string="VIP", groups=SALES)

    @api.model
    def fields_get(self, allfields=None, attributes=None):
        """Name the company's own horizon where it is not the usual year."""
        result = super().fields_get(allfields, attributes)
        label = result.get("clv_predicted", {})
        if "string" in label and self.env.company.lifecycle_horizon != 365:
            label["string"] = self.env["lifecycle.profile"]._expected_label(self.env.company)
        return result

    @api.depends("lifecycle_profile_id.vip_tier_id")
    @api.depends_context("company", "uid")
    def _compute_vip_color(self):
        for partner in self:
            partner.vip_color = partner.lifecycle_profile_id.vip_color

    @api.depends("lifecycle_profile_id.vip_tier_id")
    @api.depends_context("company", "uid", "lang")
    def _compute_vip_why(self):
        for partner in self:
            partner.vip_why = partner.lifecycle_profile_id.vip_why
