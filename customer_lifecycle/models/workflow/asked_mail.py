"""Works off e-mails that were asked for by automation rules, or as reminders of expiring points.

In: deliveries that wait in a company. Out: e-mails that are queued, put off or skipped, as consent
decides. Called by the workflows' scheduled action, after the work on enrolments.
"""

from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.batches import attempt, wake
from ...tools.messages import WAIT, Message


class LifecycleWorkflowDelivery(models.Model):
    """E-mails that automation rules have asked for, sent by the workflows' scheduled action."""

    # a file for each subject of this model
    _inherit = "lifecycle.workflow.delivery"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _due_sql(self, company):
        return SQL(
            """delivery.state = 'waiting' AND delivery.company_id = %(company)s
               AND delivery.date_next <= %(now)s
               AND NOT EXISTS (SELECT FROM lifecycle_queue queued
                                WHERE queued.partner_id = delivery.partner_id
                                  AND queued.company_id IN (0, %(company)s))""",
            company=company.id,
            now=fields.Datetime.now(),
        )

    @api.model
    def _due_ids(self, company, limit):
        self.env.cr.execute(
            SQL(
                "SELECT delivery.id FROM lifecycle_workflow_delivery delivery WHERE %s "
                "ORDER BY delivery.date_asked, delivery.id LIMIT %s",
                self._due_sql(company),
                limit,
            )
        )
        return [row[0] for row in self.env.cr.fetchall()]

    @api.model
    def _work(self, company, ids):
        """Judge and queue some of the e-mails; return how many were handled."""
        self.env.cr.execute(
            SQL(
                "SELECT delivery.id FROM lifecycle_workflow_delivery delivery "
                "WHERE delivery.id = ANY(%s) AND %s "
                "ORDER BY delivery.date_asked, delivery.id FOR NO KEY UPDATE SKIP LOCKED",
                list(ids),
                self._due_sql(company),
            )
        )
        locked = self.browse(row[0] for row in self.env.cr.fetchall())
        decisions = self.env["lifecycle.consent"]._decide_customers(
            Message(company), locked.profile_id
        )
        used = set()
        for one in locked:
            decision = decisions[one.profile_id.id]
            skipped = {"state": "skipped", "recipient_id": decision.person.id}
            if decision.is_refused:
                one._close(**skipped, reason=decision.reason)
            elif one._is_obsolete():
                one._close(**skipped, reason="moot")
            elif one._is_twin(list(decision.addresses)):
                one._close(**skipped, reason="twin")
            elif used.intersection(decision.addresses):
                continue
            elif decision.verdict == WAIT:
                one._put_off(company, decision)
            else:
                used.update(decision.addresses)
                one._send_now(company, decision)
        return len(locked)

    def _close(self, state, **values):
        self.write({"state": state, "date": fields.Datetime.now(), "date_next": False, **values})

    def _stop(self, text):
        self._close("failed", error=text)

    def _put_off(self, company, decision):
        now = fields.Datetime.now()
        latest = self.date_asked + timedelta(days=company.lifecycle_wait_days)
        if now >= latest:
            self._close("skipped", reason=decision.reason)
        else:
            self.write({"reason": decision.reason, "date_next": min(decision.until, latest)})

    def _is_twin(self, addresses):
        """Whether the same automation has written to the address as another record just now."""
        if not self.action_id:
            return False
        return bool(
            self._sent_to(
                addresses,
                SQL(
                    "company_id = %s AND action_id = %s AND template_id = %s "
                    "AND profile_id <> %s AND date_asked BETWEEN %s AND %s",
                    self.company_id.id,
                    self.action_id.id,
                    self.template_id.id,
                    self.profile_id.id,
                    fields.Datetime.subtract(self.date_asked, days=7),
                    fields.Datetime.add(self.date_asked, days=7),
                ),
            )
        )

    def _is_obsolete(self):
        """Whether what the message is about has passed while it waited."""
        return False

    def _asked_by(self):
        """Whose rights the template is read with."""
        return self.action_id.write_uid

    def _send_now(self, company, decision):
        mails = self.env["lifecycle.workflow.mail"]

        def send():
            mail = mails._queue(
                self.template_id,
                [(self.profile_id, decision.person)],
                company,
                self._asked_by(),
            )
            self._close("done", reason=False, **mails._sent_values(mail, decision, company))
            wake(self.env, "mail.ir_cron_mail_scheduler_action")

        error = attempt(self.env, send)
        if error:
            self._close("failed", error=mails._readable(error))

    @api.model
    def _record_conflict(self, ids):
        """Look again in a while."""
        self.env.cr.execute(
            SQL(
                "UPDATE lifecycle_workflow_delivery SET date_next = %s WHERE id IN ("
                "SELECT id FROM lifecycle_workflow_delivery WHERE id = ANY(%s) "
                "AND state = 'waiting' FOR NO KEY UPDATE SKIP LOCKED)",
                fields.Datetime.add(fields.Datetime.now(), minutes=5),
                list(ids),
            )
        )
        self.invalidate_model()
