"""Odoo's mail queue and marketing e-mails: asked once more as they leave, measured, kept going.

In: queued e-mails that are about to be sent, and what became of them. Out: those that may leave,
each address its own copy with links that tell of opening and clicking where that is allowed; the
others are cancelled. Called by Odoo's sending of e-mails.
"""

import smtplib

from markupsafe import Markup

from odoo import api, models
from odoo.tools import formataddr, html2plaintext, split_every

from ...tools.context import own, own_value
from ...tools.messages import Message

#: key of the context under which the copies that are leaving are noted
COPIES = "lifecycle_copies"
#: after so many e-mails it is asked again whether the others may leave
LOOK_AGAIN = 50


class MailMail(models.Model):
    """The last look before a queued e-mail leaves: queues may be long, and servers stand still."""

    _inherit = "mail.mail"

    def send(self, auto_commit=False, raise_exception=False, post_send_callback=None):
        leaving = self - self._lifecycle_hold_back()
        return super(MailMail, leaving).send(
            auto_commit=auto_commit,
            raise_exception=raise_exception,
            post_send_callback=post_send_callback,
        )

    def _send(self, auto_commit=False, **options):
        """A long queue takes its time: a pause holds what has not left yet."""
        for ids in split_every(LOOK_AGAIN, self.ids):
            some = self.browse(ids)
            if leaving := some - some._lifecycle_hold_back():
                leaving = leaving.with_context(**{COPIES: own([])})
                # an environment of before may be used again, with its list
                copies = own_value(leaving.env, COPIES)
                copies.clear()
                try:
                    super(MailMail, leaving)._send(auto_commit=auto_commit, **options)
                except smtplib.SMTPServerDisconnected:
                    if auto_commit:
                        self._lifecycle_note_left(copies)
                    raise
        return True

    def _lifecycle_note_left(self, copies):
        """Keep who has got an e-mail of whose copies the mail server took but some.

        The e-mail itself is as if it had never been tried, and leaves again.

        :param copies: list of (delivery, outgoing message) of the e-mail that was leaving
        """
        # what Odoo is about to send it takes apart; the last of these the server did not take
        taken = [pair for pair in copies if "partner_id" not in pair[1]][:-1]
        if not taken:
            return
        delivery = taken[0][0]
        self.env.cr.rollback()
        left = [*delivery._emails_left(), *(message["email_to_raw"] for _one, message in taken)]
        delivery.emails_left = ", ".join(dict.fromkeys(left))
        self.env["ir.cron"]._commit_progress()

    def _prepare_outgoing_list(self, mail_server=False, doc_to_followers=None):
        """Write to the addresses that were judged, each with its own link for unsubscribing.

        Odoo writes one e-mail to all addresses in a contact's field.
        """
        messages = super()._prepare_outgoing_list(
            mail_server=mail_server, doc_to_followers=doc_to_followers
        )
        leaving = own_value(self.env, COPIES)
        if leaving:
            leaving.clear()
        delivery = self._lifecycle_delivery()
        person = delivery.recipient_id.with_context(active_test=False)
        if not person:
            return messages
        consent = self.env["lifecycle.consent"]
        emails = delivery._emails()
        addresses = consent._addresses(person)
        if len(addresses) != 1 or addresses != emails:
            # he has several, of which one may have said no, or has got another one since
            message = Message(delivery.company_id, is_leaving=True)
            emails = list(consent._decide(message, person)[person.id].addresses)
            delivery._write_emails(emails)
        left = delivery._emails_left()
        emails = [email for email in emails if email not in left]
        copies = []
        for message in messages:
            if message["partner_id"] != person:
                copies.append(message)
                continue
            copies += [self._lifecycle_copy(message, delivery, email) for email in emails]
        if leaving is not None:
            leaving += [(delivery, copy) for copy in copies if copy["partner_id"] == person]
        return copies

    def _lifecycle_copy(self, message, delivery, email):
        """An outgoing message for one address of its recipient."""
        person = delivery.recipient_id
        url = self.env["lifecycle.workflow.mail"]._unsubscribe_url(
            person, delivery.company_id, email
        )
        former = (message["headers"].get("List-Unsubscribe") or "").strip("<>")
        copy = {
            **message,
            "email_to": [formataddr((person.name or "", email))],
            "email_to_normalized": [email],
            "email_to_raw": email,
        }
        if former and former != url:
            body = Markup(message["body"]).replace(Markup.escape(former), Markup.escape(url))
            copy.update(
                body=body,
                body_alternative=html2plaintext(body),
                headers={**message["headers"], "List-Unsubscribe": f"<{url}>"},
            )
        return copy

    def _lifecycle_hold_back(self):
        """Take out e-mails of workflows that were paused or ended, and to who has said no since.

        :return: the e-mails that must not leave
        """
        # sudo: whoever has the queue sent need not be allowed to read customers' messages
        queued = self.sudo().filtered(
            lambda mail: mail.state == "outgoing" and mail._lifecycle_may_be_ours()
        )
        if not queued:
            return queued
        deliveries = self.env["lifecycle.workflow.delivery"].sudo().search(
            [("mail_message_id", "in", queued.mail_message_id.ids)]
        )
        if deliveries:
            # who may not touch the queue stops nothing in it
            self.check_access("write")
        held = deliveries.browse()
        for company, some in deliveries.grouped("company_id").items():
            decisions = self.env["lifecycle.consent"]._decide(
                Message(company, is_leaving=True),
                some.with_context(active_test=False).recipient_id,
            )
            for delivery in some:
                decision = decisions.get(delivery.recipient_id.id)
                values = delivery._held_back(decision and decision.reason)
                if values:
                    delivery.write(values)
                    held |= delivery
        messages = held.mail_message_id
        stopped = queued.filtered(lambda mail: mail.mail_message_id in messages)
        stopped.write({"state": "cancel"})
        return stopped

    def _lifecycle_may_be_ours(self):
        return self.model == "res.partner" and self.message_type == "email_outgoing"

    def _lifecycle_delivery(self):
        """The delivery that this e-mail is the effect of."""
        deliveries = self.env["lifecycle.workflow.delivery"].sudo()
        if not self._lifecycle_may_be_ours():
            return deliveries
        return deliveries.search([("mail_message_id", "=", self.mail_message_id.id)], limit=1)

    def _prepare_outgoing_body(self):
        """Let opening and clicking be seen, where the recipient may be measured."""
        body = super()._prepare_outgoing_body()
        delivery = self._lifecycle_delivery() if body else None
        if not delivery or not delivery.is_measured:
            return body
        if not delivery._may_be_seen():
            # consent was withdrawn while it was queued
            delivery.is_measured = False
            return body
        return delivery._track_body(body)

    def _postprocess_sent_message(
        self, success_pids, success_emails, failure_reason=False, failure_type=None
    ):
        """Tell of e-mails that the mail server did not take, and of those it took later."""
        for mail in self:
            delivery = mail._lifecycle_delivery()
            if delivery and failure_type:
                reason = failure_reason or self.env._("The mail server did not take it.")
                # copies to several addresses leave one after the other
                count = success_pids.count(delivery.recipient_id)
                left = delivery._emails_left()
                left += [one for one in delivery._emails() if one not in left][:count]
                delivery.write(
                    {
                        "state": "failed",
                        "error": str(reason).split("\n")[0][:300],
                        "emails_left": ", ".join(left),
                    }
                )
            elif delivery.state in ("failed", "skipped", "waiting"):
                # somebody had it sent after all
                delivery.write({"state": "done", "error": False, "reason": False})
        return super()._postprocess_sent_message(
            success_pids, success_emails, failure_reason=failure_reason, failure_type=failure_type
        )

    @api.model
    def process_email_queue(self, email_ids=(), batch_size=1000):
        """Go on until the queue is empty.

        Odoo's own scheduled action ends after one batch and leaves the rest for an hour later.
        """
        if email_ids or not self.env.context.get("cron_id"):
            return super().process_email_queue(email_ids=email_ids, batch_size=batch_size)
        before = self._lifecycle_waiting()
        result = super().process_email_queue(email_ids=email_ids, batch_size=batch_size)
        after = self._lifecycle_waiting()
        if after and (not before or after[0] != before[0] or after[1] < before[1]):
            # something was sent: what still waits is not held up by a mail server's limit
            self.env["ir.cron"].browse(self.env.context["cron_id"])._trigger()
        return result

    @api.model
    def _lifecycle_waiting(self):
        """(lowest id, number) of the e-mails that could be sent now, None if there are none."""
        self.env.cr.execute(
            """SELECT MIN(mail.id), COUNT(*) FROM mail_mail mail
                WHERE mail.state = 'outgoing' AND (mail.scheduled_date IS NULL
                      OR mail.scheduled_date <= %s)""",
            [self.env.cr.now()],
        )
        lowest, count = self.env.cr.fetchone()
        return (lowest, count) if count else None
