from odoo import fields, models


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
        held = deliveries.browse()
        for company, some in deliveries.grouped("company_id").items():
            refusals = self.env["lifecycle.consent"]._refusals(
                some.with_context(active_test=False).recipient_id, company
            )
            for delivery in some:
                values = delivery._held_back(refusals.get(delivery.recipient_id.id))
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

    def _held_back(self, refusal):
        """What becomes of a queued e-mail that must not leave; empty where it may."""
        self.ensure_one()
        if refusal:
            return {"state": "skipped", "reason": refusal}
        if self.workflow_id.state == "paused":
            return {"state": "waiting", "reason": "paused"}
        if self.workflow_id and self.workflow_id.state != "running":
            return {"state": "skipped", "reason": "ended"}
        return {}


class LifecycleWorkflow(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.workflow"  # pylint: disable=consider-merging-classes-inherited

    def _held_deliveries(self):
        return self.env["lifecycle.workflow.delivery"].sudo().search(
            [
                ("workflow_id", "in", self.ids),
                ("state", "=", "waiting"),
                ("reason", "=", "paused"),
            ]
        )

    def _release_mails(self):
        """Let e-mails go that the pause has held back, in the hours for sending."""
        now = fields.Datetime.now()
        cron = self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()
        for (workflow, company), held in self._held_deliveries().grouped(
            lambda one: (one.workflow_id, one.company_id)
        ).items():
            mails = self.env["mail.mail"].sudo().search(
                [
                    ("mail_message_id", "in", held.mail_message_id.ids),
                    ("state", "=", "cancel"),
                ]
            )
            opening = workflow._next_open(company, now)
            mails.write(
                {"state": "outgoing", "scheduled_date": opening > now and opening}
            )
            messages = mails.mail_message_id
            waiting = held.filtered(lambda one, messages=messages: one.mail_message_id in messages)
            waiting.write({"state": "done", "reason": False})
            # somebody has deleted the e-mail meanwhile
            (held - waiting).write({"state": "skipped", "reason": "moot"})
            cron._trigger(opening)

    def _drop_mails(self):
        """Give up the e-mails that a pause has held back."""
        self._held_deliveries().write({"state": "skipped", "reason": "ended"})
