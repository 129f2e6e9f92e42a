from odoo import fields, models
from odoo.tools import html_escape


class LifecycleContactCall(models.TransientModel):
    """A call to a customer who was suggested: what to know before, how it went after."""

    _name = "lifecycle.contact.call"
    _description = "Call to a Customer"

    profile_id = fields.Many2one("lifecycle.profile", required=True, readonly=True)
    partner_id = fields.Many2one(related="profile_id.partner_id", related_sudo=False)
    phone = fields.Char(related="partner_id.phone", related_sudo=False)
    contact_reason = fields.Char(related="profile_id.contact_reason", related_sudo=False)
    playbook = fields.Html(related="profile_id.stage_playbook", related_sudo=False)
    note = fields.Text(string="What Was Said", help="Kept in the customer's chatter.")

    def action_reached(self):
        return self._done("reached", self.env._("Called, reached."))

    def action_missed(self):
        return self._done("missed", self.env._("Called, not reached."))

    def _done(self, kind, sentence):
        self.ensure_one()
        self.profile_id._record_outcome(kind, note=self.note)
        body = html_escape(" ".join(filter(None, [sentence, self.note])))
        # what was said belongs where everybody looks: the customer's chatter
        self.partner_id.message_post(body=body, subtype_xmlid="mail.mt_note")
        return {"type": "ir.actions.act_window_close"}
