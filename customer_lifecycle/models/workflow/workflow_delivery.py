"""The record of each message and each deed of a workflow, which only programs write.

In: what the work on enrolments, automation rules and reminders of expiring points have done or
asked for. Out: what went to whom and why something did not, and which e-mails an address has got.
Read by the limit on messages, the mail queue, the measuring, journeys and the person's file.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .consent import PAUSES, REFUSALS

REASONS = [
    *REFUSALS,
    *PAUSES,
    ("condition", "Filter of the step not met"),
    ("asleep", "App not installed"),
    ("moot", "No longer needed"),
    ("twin", "Sent to the same address before"),
    ("paused", "Workflow is paused"),
    ("ended", "Workflow was ended"),
]


class LifecycleWorkflowDelivery(models.Model):
    """What one step did for one customer, or why it did not: written with the effect itself."""

    _name = "lifecycle.workflow.delivery"
    _description = "Delivery of a Workflow"
    _order = "date desc, id desc"
    _rec_name = "partner_id"

    enrollment_id = fields.Many2one(
        "lifecycle.workflow.enrollment", ondelete="cascade", readonly=True, index=True
    )
    workflow_id = fields.Many2one(
        "lifecycle.workflow", ondelete="restrict", readonly=True, index="btree_not_null"
    )
    step_id = fields.Many2one(
        "lifecycle.workflow.step", ondelete="restrict", readonly=True, index="btree_not_null"
    )
    profile_id = fields.Many2one(
        "lifecycle.profile", required=True, ondelete="cascade", readonly=True, index=True
    )
    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, ondelete="cascade", readonly=True,
        index=True,
    )
    company_id = fields.Many2one("res.company", required=True, ondelete="cascade", readonly=True)
    kind = fields.Selection(
        selection=lambda self: self.env["lifecycle.workflow.step"]._fields["kind"].selection,
        required=True,
        readonly=True,
    )
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("done", "Done"),
            ("skipped", "Not sent"),
            ("failed", "Failed"),
        ],
        required=True,
        readonly=True,
    )
    reason = fields.Selection(REASONS, readonly=True)
    error = fields.Char(readonly=True)
    date = fields.Datetime(required=True, readonly=True)
    recipient_id = fields.Many2one(
        "res.partner", ondelete="set null", readonly=True, index="btree_not_null"
    )
    email = fields.Char(string="Sent To", readonly=True)
    other_emails = fields.Char(
        string="Also Sent To",
        readonly=True,
        help="Further addresses of the same contact; each got a copy with a link of its own.",
    )
    emails_left = fields.Char(
        readonly=True, help="Addresses that have got the e-mail before the mail server refused."
    )
    branch = fields.Selection([("then", "then"), ("else", "else")], readonly=True)
    template_id = fields.Many2one(
        "mail.template", ondelete="set null", readonly=True, index="btree_not_null"
    )
    mail_message_id = fields.Many2one(
        "mail.message", string="Message", ondelete="set null", readonly=True,
        index="btree_not_null",
    )
    subject = fields.Char(readonly=True, help="Subject of the e-mail as the customer got it.")
    what = fields.Char(compute="_compute_what")
    why = fields.Char(compute="_compute_what")
    res_model = fields.Char(readonly=True)
    res_id = fields.Many2oneReference(string="Made", model_field="res_model", readonly=True)
    # messages that an automation rule asked for
    action_id = fields.Many2one(
        "ir.actions.server", ondelete="set null", readonly=True, index="btree_not_null"
    )
    date_next = fields.Datetime(string="Due", readonly=True)
    date_asked = fields.Datetime(readonly=True)

    _step_unique = models.UniqueIndex(
        "(enrollment_id, step_id)", "A step is done once for each time a customer enters."
    )
    _cap_idx = models.Index("(email, date) WHERE kind = 'email' AND state = 'done'")
    _cap_others_idx = models.Index(
        "USING gin (string_to_array(other_emails, ', ')) WHERE other_emails IS NOT NULL"
    )
    _waiting_idx = models.Index("(company_id, date_next) WHERE state = 'waiting'")

    @api.depends("step_id", "template_id", "subject", "reason", "error")
    @api.depends_context("lang")
    def _compute_what(self):
        reasons = dict(self._fields["reason"]._description_selection(self.env))
        for delivery in self:
            # sudo: the name of a message is no secret to whoever may know that it was not sent
            step = delivery.step_id.title or delivery.sudo().template_id.name or ""
            subject = delivery.subject or ""
            told = step if step not in subject else ""
            delivery.what = " · ".join(filter(None, (subject, told)))
            delivery.why = delivery.error or reasons.get(delivery.reason)

    @api.depends("partner_id", "what")
    def _compute_display_name(self):
        for delivery in self:
            what = delivery.what or ""
            delivery.display_name = f"{delivery.partner_id.display_name}: {what}".strip(": ")

    def write(self, vals):
        if not self.env.su:
            raise UserError(self.env._("What was done for customers cannot be edited."))
        return super().write(vals)

    def _emails(self):
        """All addresses that the e-mail of this delivery was or will be sent to."""
        self.ensure_one()
        return list(filter(None, [self.email, *(self.other_emails or "").split(", ")]))

    def _emails_left(self):
        """Those of them that have got it already, where the mail server refused another."""
        return list(filter(None, (self.emails_left or "").split(", ")))

    @api.model
    def _sent_to(self, emails, condition, kind="email"):
        """Messages that have gone to one of some addresses, or are held back by a pause.

        :param emails: list of normalised addresses
        :param condition: SQL over the table of deliveries
        :param kind: of the steps that send them
        """
        if not emails:
            return self.browse()
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """SELECT id FROM lifecycle_workflow_delivery
                    WHERE kind = %(kind)s AND state = 'done' AND email = ANY(%(emails)s)
                      AND %(condition)s
                    UNION
                   SELECT id FROM lifecycle_workflow_delivery
                    WHERE state = 'waiting' AND kind = %(kind)s AND email = ANY(%(emails)s)
                      AND %(condition)s
                    UNION
                   SELECT id FROM lifecycle_workflow_delivery
                    WHERE other_emails IS NOT NULL
                      AND string_to_array(other_emails, ', ') && %(emails)s::text[]
                      AND kind = %(kind)s AND state IN ('done', 'waiting') AND %(condition)s
                    ORDER BY id""",
                emails=emails,
                condition=condition,
                kind=kind,
            )
        )
        return self.browse(row[0] for row in self.env.cr.fetchall())

    def action_open_message(self):
        """Show the message that was sent, or what was made."""
        self.ensure_one()
        if self.mail_message_id and self.recipient_id:
            model, res_id = "res.partner", self.recipient_id.id
        elif self.res_id and self.res_model == "mail.activity":
            model, res_id = "res.partner", self.partner_id.id
        elif self.res_id and self.res_model in self.env:
            model, res_id = self.res_model, self.res_id
        else:
            model, res_id = "res.partner", self.partner_id.id
        return {
            "type": "ir.actions.act_window",
            "res_model": model,
            "res_id": res_id,
            "views": [(False, "form")],
        }
