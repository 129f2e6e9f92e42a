"""The log of what was done about suggestions whom to contact.

In: the buttons beside a suggestion (called, quoted, put off, not needed), which alone make rows.
Out: until when the customer is not suggested again, and whether he has ordered since; what the
person is told, who may take it back. Read by the list of customers to contact, and by its own list
and pivot table.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError
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
    message_id = fields.Many2one(
        "mail.message",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
        help="What was said, in the chatter.",
    )
    activity_id = fields.Many2one(
        "mail.activity",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
        help="When to call again.",
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

    # ----- SAID AND TAKEN BACK -----

    def _said(self):
        """What the person who made the outcomes is told, and what takes them back."""
        outcome = self[:1]
        return {
            "message": self.env._(
                "%(customer)s: %(outcome)s. Suggested again after %(date)s at the earliest.",
                customer=outcome.partner_id.display_name,
                outcome=dict(self._fields["kind"]._description_selection(self.env))[outcome.kind],
                date=outcome.profile_id._date(outcome.hide_until),
            ),
            "model": self._name,
            "ids": self.ids,
            "profile": outcome.profile_id.id,
        }

    def _say_done(self):
        """The action that tells it, with Undo and the next customer."""
        return {
            "type": "ir.actions.client",
            "tag": "customer_lifecycle.contact_done",
            "params": self._said(),
        }

    def action_undo(self):
        """Take back one's own outcomes of today, with what they have left in the chatter."""
        outcomes = self.exists()
        outcomes.check_access("read")
        for outcome in outcomes:
            today = outcome.company_id.sudo()._lifecycle_today()
            if outcome.user_id != self.env.user or outcome.date != today:
                raise UserError(
                    self.env._("Only what you have noted yourself, and today, can be taken back.")
                )
        # sudo: nobody may delete outcomes otherwise; whose they are was checked above
        mistaken = outcomes.sudo()
        mistaken.activity_id.unlink()
        mistaken.message_id.unlink()
        mistaken.unlink()
