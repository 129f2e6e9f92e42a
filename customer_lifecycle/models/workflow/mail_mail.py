"""The mail queue's last question, and what happens to e-mails that a pause holds back.

In: queued e-mails that are about to be sent. Out: those that may leave, to the addresses that
were judged; the others are cancelled, and released or dropped later. Called by Odoo's sending of
e-mails, by resuming and ending a workflow, and by the workflows' scheduled action.
"""

import logging
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import formataddr, html2plaintext, split_every

from ...tools.batches import attempt
from ...tools.messages import Message
from .workflow_reach import NARROW

_logger = logging.getLogger(__name__)

#: after so many e-mails it is asked again whether the others may leave
LOOK_AGAIN = 50


class MailMail(models.Model):
    """The last look before a queued e-mail leaves: queues may be long, and servers stand still."""

    # what becomes of queued e-mails is a subject of its own
    _inherit = "mail.mail"  # pylint: disable=consider-merging-classes-inherited

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
                super(MailMail, leaving)._send(auto_commit=auto_commit, **options)
        return True

    def _prepare_outgoing_list(self, mail_server=False, doc_to_followers=None):
        """Write to the addresses that were judged, each with its own link for unsubscribing.

        Odoo writes one e-mail to all addresses in a contact's field.
        """
        messages = super()._prepare_outgoing_list(
            mail_server=mail_server, doc_to_followers=doc_to_followers
        )
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


class LifecycleWorkflowDelivery(models.Model):
    # a file for each subject of this model
    _inherit = "lifecycle.workflow.delivery"  # pylint: disable=consider-merging-classes-inherited

    def _write_emails(self, emails):
        """Keep which addresses an e-mail leaves to: they may be others than when it was queued."""
        if emails and emails != self._emails():
            self.write({"email": emails[0], "other_emails": ", ".join(emails[1:])})

    def _held_back(self, refusal):
        """What becomes of a queued e-mail that must not leave; empty where it may."""
        self.ensure_one()
        if refusal:
            return {"state": "skipped", "reason": refusal}
        workflow = self.workflow_id.sudo()
        left_out = workflow.state == "running" and not workflow._runs_in(self.company_id)
        if workflow.state == "paused" or left_out:
            return {"state": "waiting", "reason": "paused", "date_asked": False}
        if self.workflow_id and self.workflow_id.state != "running":
            return {"state": "skipped", "reason": "ended"}
        return {}

    def _release(self, workflow, company):
        """Let held e-mails of one workflow go, judged anew: the pause may have been long."""
        now = fields.Datetime.now()
        mails = self.env["mail.mail"].search(
            [
                ("mail_message_id", "in", self.mail_message_id.ids),
                ("state", "in", ("cancel", "outgoing")),
            ]
        ).grouped("mail_message_id")
        # somebody may have deleted the e-mail meanwhile
        present = self.filtered(lambda one: one.mail_message_id in mails)
        wanted = present._still_wanted(workflow, company)
        (self - wanted).write({"state": "skipped", "reason": "moot"})
        going = wanted._free_to_go(company)
        if going:
            opening = workflow._next_open(company, now)
            going.write({"state": "done", "reason": False, "date": opening})
            self.env["mail.mail"].union(*(mails[one.mail_message_id] for one in going)).write(
                {"state": "outgoing", "scheduled_date": opening > now and opening}
            )
            self.env.ref("mail.ir_cron_mail_scheduler_action")._trigger(opening)

    def _still_wanted(self, workflow, company):
        """Those whose customer is on the way still, and meets the filter of the step."""
        stay = self.enrollment_id.filtered(lambda one: one.state != "exited")
        for leavers in stay._leavers(company, workflow).values():
            stay -= leavers
        wanted = self.browse()
        for step, some in self.grouped("step_id").items():
            meeting = (some.enrollment_id & stay)._meeting(company, workflow, step.domain)
            wanted |= some.filtered(lambda one, meeting=meeting: one.enrollment_id in meeting)
        return wanted

    def _free_to_go(self, company):
        """Those whose customer may get a message now; the others wait as long as any message."""
        now = fields.Datetime.now()
        ordered = self.sorted("id")
        # whether they are wanted at all is asked again as they leave
        waits = self.env["lifecycle.consent"]._waits(
            Message(company), [(one.profile_id, one._emails()) for one in ordered]
        )
        taken, going = set(), self.browse()
        for one, wait in zip(ordered, waits, strict=True):
            if not wait and not taken.intersection(one._emails()):
                taken.update(one._emails())
                going |= one
                continue
            reason = wait[0] if wait else "cap"
            since = one.date_asked or now
            if now >= since + timedelta(days=company.lifecycle_wait_days):
                one.write({"state": "skipped", "reason": reason})
            else:
                one.write({"reason": reason, "date_asked": since})
        return going


class LifecycleWorkflow(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.workflow"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _settle_held(self):
        """Look again at all e-mails that were held back.

        Also those that the mail queue has held back while somebody resumed or ended the workflow.
        """
        workflows = self._held_deliveries([("workflow_id", "!=", False)]).workflow_id
        workflows.filtered(lambda one: one.state == "running")._release_mails()
        workflows.filtered(lambda one: one.state in ("draft", "ended"))._drop_mails()

    def _held_deliveries(self, domain=None):
        narrow = self.env.context.get(NARROW)
        here = [] if narrow is None else [("company_id", "in", narrow)]
        return self.env["lifecycle.workflow.delivery"].sudo().search(
            [("state", "=", "waiting"), *here, *(domain or [("workflow_id", "in", self.ids)])]
        )

    def _release_mails(self):
        """Let e-mails go that were held back, in the hours for sending."""
        for (workflow, company), held in self._held_deliveries().grouped(
            lambda one: (one.workflow_id, one.company_id)
        ).items():
            if not workflow._runs_in(company):
                # paused there
                continue
            error = attempt(self.env, held.with_company(company)._release, workflow, company)
            if error:
                # looked at again with the next run
                _logger.error(
                    "E-mails of workflow %s stay held back", workflow.id, exc_info=error
                )

    def _drop_mails(self):
        """Give up the e-mails that a pause has held back."""
        self._held_deliveries().write({"state": "skipped", "reason": "ended"})
