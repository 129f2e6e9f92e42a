"""E-mails about rewards, judged once more when they leave.

In: mails that wait in Odoo's queue, which may be hours or, with a broken server, days. Out: those
to people who have said no since, or whose reward is gone, are cancelled. Called by Odoo's sending.
"""

from odoo import models
from odoo.tools import email_normalize

from ...tools.messages import REWARD, Message


class MailMail(models.Model):
    # rewards are a subject of their own
    _inherit = "mail.mail"  # pylint: disable=consider-merging-classes-inherited

    def send(self, *args, **kwargs):
        """Leave out e-mails about rewards that must not be sent any more."""
        # sudo: whose mails these are, whoever has the queue sent
        rewards = self.sudo().filtered(
            lambda mail: mail.state == "outgoing" and mail.model == "lifecycle.referral"
        )
        stopped = rewards._lifecycle_stop_rewards()
        return super(MailMail, self - self.browse(stopped.ids)).send(*args, **kwargs)

    def _prepare_outgoing_list(self, mail_server=False, doc_to_followers=None):
        """Leave out those of the person's addresses that have said no."""
        messages = super()._prepare_outgoing_list(
            mail_server=mail_server, doc_to_followers=doc_to_followers
        )
        if self.model != "lifecycle.referral":
            return messages
        consent = self.env["lifecycle.consent"]
        referral = self.env["lifecycle.referral"].sudo().browse(self.res_id).exists()
        person = referral.recipient_id
        decision = consent._decide(Message(referral.company_id, REWARD), person).get(person.id)
        refused = set(consent._addresses(person)) - set(decision.addresses if decision else ())
        for message in messages if refused else ():
            message["email_to"] = [
                address
                for address in message["email_to"]
                if email_normalize(address) not in refused
            ]
            message["email_to_normalized"] = [
                address for address in message["email_to_normalized"] if address not in refused
            ]
        return messages

    def _lifecycle_stop_rewards(self):
        stopped = self.browse()
        for mail in self:
            referral = self.env["lifecycle.referral"].browse(mail.res_id).exists()
            refused = referral and referral._must_not_tell(referral.recipient_id)
            if not referral or refused:
                stopped |= mail
        if stopped:
            stopped.write(
                {
                    "state": "cancel",
                    "failure_reason": self.env._(
                        "The person must not be written to any more, or the reward is gone."
                    ),
                }
            )
        return stopped
