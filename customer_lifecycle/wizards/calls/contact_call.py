from odoo import fields, models
from odoo.tools import html_escape


class LifecycleContactCall(models.TransientModel):
    """A call to a customer who was suggested: what to know before, how it went after."""

    _name = "lifecycle.contact.call"
    _description = "Call to a Customer"

    profile_id = fields.Many2one("lifecycle.profile", required=True, readonly=True)
    partner_id = fields.Many2one(related="profile_id.partner_id", related_sudo=False)
    phone = fields.Char(related="profile_id.partner_phone", related_sudo=False)
    contact_reason = fields.Char(related="profile_id.contact_reason", related_sudo=False)
    contact_advice = fields.Html(related="profile_id.contact_advice", related_sudo=False)
    stage_id = fields.Many2one(related="profile_id.stage_id", related_sudo=False)
    playbook = fields.Html(related="profile_id.stage_playbook", related_sudo=False)
    next_products = fields.Text(related="profile_id.next_product_text", related_sudo=False)
    note = fields.Text(string="What Was Said", help="Kept in the customer's chatter.")
    call_again = fields.Date(
        string="Call Again On",
        help="Makes an activity for you on that day; the customer is not suggested before.",
    )

    def action_reached(self):
        return self._done("reached", self.env._("Called, reached."))

    def action_missed(self):
        return self._done("missed", self.env._("Called, not reached."))

    def _done(self, kind, sentence):
        self.ensure_one()
        outcome = self.profile_id._record_outcome(kind, self.note, self.call_again)
        body = html_escape(" ".join(filter(None, [sentence, self.note])))
        # what was said belongs where everybody looks: the customer's chatter
        outcome.message_id = self.partner_id.message_post(
            body=body, subtype_xmlid="mail.mt_note"
        )
        if self.call_again:
            outcome.activity_id = self.partner_id.activity_schedule(
                "mail.mail_activity_data_call",
                self.call_again,
                summary=self.env._("Call again"),
                note=body,
                user_id=self.env.uid,
            )
        return outcome._say_done()
