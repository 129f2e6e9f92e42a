"""The log of what was done about suggestions whom to contact.

In: the buttons beside a suggestion (called, quoted, put off, not needed), which alone make rows.
Out: until when the customer is not suggested again, and whether he has ordered since. Read by
the list of customers to contact, and by its own list and pivot table.
"""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class LifecycleContactOutcome(models.Model):
    """What became of a suggestion to contact a customer; a suggestion that nobody owns is noise."""

    _name = "lifecycle.contact.outcome"
    _description = "Outcome of a Suggested Contact"
    _inherit = ["lifecycle.branch.mixin"]
    _order = "date desc, id desc"
    _rec_name = "profile_id"

    profile_id = fields.Many2one(
        "lifecycle.profile", required=True, ondelete="cascade", index=True, readonly=True
    )
    partner_id = fields.Many2one(related="profile_id.partner_id", string="Customer")
    company_id = fields.Many2one(related="profile_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="profile_id.currency_id")
    user_id = fields.Many2one(
        "res.users", string="By", required=True, readonly=True, index=True
    )
    date = fields.Date(required=True, readonly=True)
    kind = fields.Selection(
        [
            ("reached", "Called, reached"),
            ("missed", "Called, not reached"),
            ("quote", "Quotation made"),
            ("snooze", "Snoozed"),
            ("not_needed", "Not needed"),
        ],
        string="Outcome",
        required=True,
        readonly=True,
    )
    note = fields.Char(readonly=True)
    reason = fields.Char(readonly=True, help="Why the contact was suggested.")
    money_at_risk = fields.Monetary(readonly=True)
    hide_until = fields.Date(
        string="Not Suggested Until", readonly=True, help="Last day without a new suggestion."
    )
    ordered_since = fields.Boolean(
        compute="_compute_ordered_since", search="_search_ordered_since"
    )

    @api.depends("date", "profile_id.last_order_date")
    def _compute_ordered_since(self):
        for outcome in self:
            last = outcome.profile_id.last_order_date
            outcome.ordered_since = bool(last and last >= outcome.date)

    def _search_ordered_since(self, operator, value):
        if operator != "in" or True not in value:
            return NotImplemented
        return Domain(
            "id",
            "in",
            SQL(
                """(SELECT outcome.id FROM lifecycle_contact_outcome outcome
                      JOIN lifecycle_profile profile ON profile.id = outcome.profile_id
                     WHERE profile.last_order_date >= outcome.date)"""
            ),
        )
