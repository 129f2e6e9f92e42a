"""What becomes of queued e-mails that a pause holds back.

In: deliveries whose workflow was paused while their e-mails waited in the queue. Out: e-mails that
go, judged anew, and those that are dropped. Called by the mail queue (``mail_mail``), by resuming
and ending a workflow, and by the workflows' scheduled action.
"""

import logging
from datetime import timedelta

from odoo import api, fields, models

from ...tools.batches import attempt
from ...tools.context import own_value
from ...tools.messages import Message
from .workflow_reach import NARROW

_logger = logging.getLogger(__name__)


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
    def _reconcile_held(self):
        """Look again at all e-mails that were held back.

        Also those that the mail queue has held back while somebody resumed or ended the workflow.
        """
        workflows = self._held_deliveries([("workflow_id", "!=", False)]).workflow_id
        workflows.filtered(lambda one: one.state == "running")._release_mails()
        workflows.filtered(lambda one: one.state in ("draft", "ended"))._drop_mails()

    def _held_deliveries(self, domain=None):
        narrow = own_value(self.env, NARROW)
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
