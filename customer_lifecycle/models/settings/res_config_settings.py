"""The page of settings: the company's fields, and the company of prospects without one.

In: what a manager enters. Out: values on the company that he works in, and one parameter for the
whole database. Settings for messages and for keeping data stand with their own subjects.
"""

from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    lifecycle_tz = fields.Selection(related="company_id.lifecycle_tz", readonly=False)
    lifecycle_basis = fields.Selection(
        related="company_id.lifecycle_basis", readonly=False, required=True
    )
    lifecycle_value = fields.Selection(
        related="company_id.lifecycle_value", readonly=False, required=True
    )
    lifecycle_margin_percent = fields.Float(
        related="company_id.lifecycle_margin_percent", readonly=False
    )
    lifecycle_share_text = fields.Char(related="company_id.lifecycle_share_text")
    lifecycle_first_day = fields.Date(related="company_id.lifecycle_first_day", readonly=False)
    lifecycle_largest_amount = fields.Float(
        related="company_id.lifecycle_largest_amount", readonly=False
    )
    lifecycle_horizon = fields.Integer(related="company_id.lifecycle_horizon", readonly=False)
    lifecycle_discount_rate = fields.Float(
        related="company_id.lifecycle_discount_rate", readonly=False
    )
    lifecycle_tiers_portal = fields.Boolean(
        related="company_id.lifecycle_tiers_portal", readonly=False
    )
    lifecycle_next_portal = fields.Boolean(
        related="company_id.lifecycle_next_portal", readonly=False
    )
    lifecycle_referral_portal = fields.Boolean(
        related="company_id.lifecycle_referral_portal", readonly=False
    )
    lifecycle_default_company_id = fields.Many2one(
        "res.company",
        string="Company of Prospects Without One",
        config_parameter="customer_lifecycle.default_company_id",
    )
