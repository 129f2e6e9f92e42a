"""Opportunities: the customer's stage, segments and tier, and the customer in one sentence.

In: the opportunity's contact. Out: the fields of documents with a customer, and a headline for the
form.
"""

from odoo import fields, models

from .customer_mixin import SALES


class CrmLead(models.Model):
    _name = "crm.lead"
    _inherit = ["crm.lead", "lifecycle.customer.mixin"]

    lifecycle_headline = fields.Char(
        related="partner_id.lifecycle_headline", string="Customer in One Sentence", groups=SALES
    )
    lifecycle_stage_tone = fields.Selection(
        related="partner_id.lifecycle_stage_tone", groups=SALES
    )
