"""A company's settings for messages: consent, how many a week, how long they wait, measuring.

In: what is entered in the settings. Out: fields on the company, read by the consent that judges
every message, and by workflows and the mail queue where a message has to wait.
"""

from odoo import fields, models


class ResCompany(models.Model):
    """How much a company writes to its customers."""

    # a file for each subject of this model
    _inherit = "res.company"  # pylint: disable=consider-merging-classes-inherited

    lifecycle_consent_required = fields.Boolean(
        string="Only With Explicit Consent",
        help="Marketing messages go only to contacts who have agreed to them.",
    )
    lifecycle_cap_week = fields.Integer(
        string="Messages in 7 Days", default=1, help="Workflows and mailings together. 0: no limit."
    )
    lifecycle_cap_month = fields.Integer(
        string="Messages in 30 Days", default=3,
        help="Workflows and mailings together. 0: no limit.",
    )
    lifecycle_wait_days = fields.Integer(
        string="Wait at Most (days)",
        default=7,
        help="A message that may not be sent yet waits so long, then it is skipped.",
    )
    lifecycle_complaint_days = fields.Integer(
        string="Peace After a Complaint (days)", default=14
    )

    lifecycle_measure = fields.Selection(
        [
            ("none", "Of nobody"),
            ("agreed", "Of contacts who have agreed to marketing"),
            ("all", "Of everybody"),
        ],
        string="Measure Opens and Clicks",
        # European law asks for consent before an e-mail reports that it was read
        default="agreed",
        required=True,
        help="E-mails to them contain a small picture and links by which opening and clicking is "
        "seen.",
    )

    _lifecycle_caps_range = models.Constraint(
        "CHECK (lifecycle_cap_week >= 0 AND lifecycle_cap_month >= 0 "
        "AND lifecycle_wait_days >= 0 AND lifecycle_complaint_days >= 0)",
        "Numbers of messages and days cannot be negative.",
    )


class ResConfigSettings(models.TransientModel):
    # the settings of this file's fields
    _inherit = "res.config.settings"  # pylint: disable=consider-merging-classes-inherited

    lifecycle_consent_required = fields.Boolean(
        related="company_id.lifecycle_consent_required", readonly=False
    )
    lifecycle_cap_week = fields.Integer(related="company_id.lifecycle_cap_week", readonly=False)
    lifecycle_cap_month = fields.Integer(related="company_id.lifecycle_cap_month", readonly=False)
    lifecycle_wait_days = fields.Integer(related="company_id.lifecycle_wait_days", readonly=False)
    lifecycle_complaint_days = fields.Integer(
        related="company_id.lifecycle_complaint_days", readonly=False
    )
    lifecycle_measure = fields.Selection(
        related="company_id.lifecycle_measure", readonly=False, required=True
    )
