"""The workflows' scheduled action, and the hours in which a workflow may send.

In: running workflows and what is due in each company. Out: customers entered and steps done, in
batches that are committed, under a lock for each company; at the end the day's measuring. Called
every five minutes and when something wakes it; the work and the mail queue ask for the hours.
"""

import logging
from datetime import datetime, time, timedelta

import pytz

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.batches import CONFLICTS, hold, wake
from ..runs.run import REFRESH
from .workflow import CRON, WEEKDAYS

_logger = logging.getLogger(__name__)

#: what stands for all companies among those that are held
ENTERING = 0
#: enrolments that are listed, and that are worked on in one transaction
LISTED, BATCH = 5_000, 200
#: after so many conflicts with users' changes an enrolment is stopped
ATTEMPTS = 5


class LifecycleWorkflow(models.Model):
    """The scheduled action: enter, then do what is due, in small committed batches."""

    # a file for each subject of this large model
    _inherit = "lifecycle.workflow"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _cron_run(self):
        """Enter customers, do all steps that are due, and have the mails sent."""
        self = self.with_context(tracking_disable=True, lang=None)
        self.env["lifecycle.health"]._look_sometimes()
        with hold(self.env, "workflow", [ENTERING]) as held:
            if not held:
                # what another worker has entered so far may lack the most important workflow
                return
            self._pause_orphans()
            self._pause_writers()
            self._reconcile_held()
            self._enter_all()
        unfinished = False
        for company in self.env["res.company"]._lifecycle_companies():
            unfinished |= not self._work_off(company)
        if unfinished:
            self._wake()
        else:
            self._measure_daily()

    @api.model
    def _work_off(self, company):
        """Do what is due in a company; return False if time ran out before the end."""
        commit = self.env["ir.cron"]._commit_progress
        enrollments = self.env["lifecycle.workflow.enrollment"].sudo().with_company(company)
        deliveries = self.env["lifecycle.workflow.delivery"].sudo().with_company(company)
        # one at a time, so that the number of messages is counted right
        with hold(self.env, "workflow", company.ids) as held:
            if not held:
                return True
            self._refresh_first(company)
            for records in (enrollments, deliveries):
                while ids := records._due_ids(company, LISTED):
                    handled, left = 0, True
                    for start in range(0, len(ids), BATCH):
                        done = self._try_batch(records, company, ids[start : start + BATCH])
                        handled += done
                        left = commit(done)
                        if not left:
                            return False
                    if not handled:
                        # others hold them, or they conflict: the next pass looks again
                        break
                    commit()
        return True

    @api.model
    def _try_batch(self, records, company, ids):
        """Work on some records in this transaction; return how many were handled.

        What cannot even be judged, or conflicts with somebody's change, is stopped or put off
        alone: the others of its batch are tried one by one.
        """
        try:
            done = records._work(company, ids)
            self.env.flush_all()
            return done
        except Exception as error:
            self.env.cr.rollback()
            if len(ids) > 1:
                done = 0
                for record_id in ids:
                    done += self._try_batch(records, company, [record_id])
                    self.env["ir.cron"]._commit_progress()
                return done
            if isinstance(error, CONFLICTS):
                _logger.info("A workflow step is put off: %s", error)
                records._record_conflict(ids)
                return 0
            _logger.exception("A workflow step cannot be done")
            records.browse(ids)._stop(self.env["lifecycle.workflow.mail"]._readable(error))
            return 1

    @api.model
    def _refresh_first(self, company):
        """Have changed customers for whom something is due looked at soon."""
        self.env.cr.execute(
            SQL(
                """SELECT EXISTS (
                       SELECT FROM lifecycle_workflow_enrollment enrollment
                         JOIN lifecycle_queue queued ON queued.partner_id = enrollment.partner_id
                        WHERE enrollment.state = 'active' AND enrollment.company_id = %s
                          AND enrollment.date_next <= %s)""",
                company.id,
                fields.Datetime.now(),
            )
        )
        if self.env.cr.fetchone()[0]:
            wake(self.env, REFRESH)
            wake(self.env, CRON, minutes=1)

    # ----- SEND WINDOW -----

    def _next_open(self, company, moment):
        """First moment (UTC) from a moment on at which the workflow may send.

        Hours are those of the company's clock.
        """
        if not self:
            return moment
        self.ensure_one()
        zone = pytz.timezone(company._lifecycle_timezone())
        local = pytz.utc.localize(moment).astimezone(zone)
        hours = timedelta(hours=self.window_from), timedelta(hours=self.window_to)
        for number in range(8):
            day = local.date() + timedelta(days=number)
            if not self[f"window_{WEEKDAYS[day.weekday()]}"]:
                continue
            midnight = datetime.combine(day, time.min)
            opens, closes = (
                zone.localize(midnight + span).astimezone(pytz.utc).replace(tzinfo=None)
                for span in hours
            )
            if moment < closes:
                return max(moment, opens)
        return moment + timedelta(days=1)
