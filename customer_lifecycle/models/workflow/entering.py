"""Entering: customers become enrolments, set-based, each occasion once.

In: the candidates of running workflows' triggers. Out: enrolments, or members of the control
group, of those who meet the filter and may enter again. Called by the workflows' scheduled action,
by starting a workflow for all who are there, by hand for one, and by counts before it is started.
"""

import logging

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...tools.batches import CONFLICTS
from .triggers import LAUNCH, TRIGGERS, trigger_of

_logger = logging.getLogger(__name__)


class LifecycleWorkflow(models.Model):
    """Who enters: one of the three things that a workflow does, beside working and measuring."""

    # entering is a subject of its own
    _inherit = "lifecycle.workflow"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _enter_all(self):
        """Enter whoever is due into every running workflow, each in a transaction of its own.

        :return: number of new enrolments
        """
        commit = self.env["ir.cron"]._commit_progress
        count = 0
        by_hand = [trigger.kind for trigger in TRIGGERS.values() if trigger.is_by_hand]
        ids = self.sudo().search(
            [("state", "=", "running"), ("trigger", "not in", by_hand)]
        ).ids
        for workflow_id in ids:
            commit()
            try:
                count += self.browse(workflow_id)._enter_due()
            except CONFLICTS as error:
                # another worker, or a person who edits it; the next pass looks again
                self.env.cr.rollback()
                _logger.info("Entering workflow %s is put off: %s", workflow_id, error)
            except (ValueError, KeyError, TypeError, psycopg2.Error) as error:
                self.env.cr.rollback()
                _logger.warning("Nobody can enter workflow %s: %s", workflow_id, error)
                self.browse(workflow_id).sudo().error = self.env._(
                    "Nobody can enter: %s", str(error).split("\n")[0]
                )
            except Exception as error:
                self.env.cr.rollback()
                _logger.exception("Nobody can enter workflow %s", workflow_id)
                self.browse(workflow_id).sudo().error = self.env._(
                    "Nobody can enter: %s", str(error).split("\n")[0]
                )
        commit()
        return count

    def _enter_due(self):
        """Enter those whom the workflow waits for; return how many."""
        self.ensure_one()
        self.env.cr.execute(
            SQL(
                "SELECT id FROM lifecycle_workflow WHERE id = %s AND state = 'running' AND active "
                "FOR NO KEY UPDATE SKIP LOCKED",
                self.id,
            )
        )
        if not self.env.cr.rowcount:
            return 0
        self.invalidate_recordset()
        trigger = trigger_of(self)
        progress = trigger.look()
        if progress is None:
            return 0
        count = sum(
            self._enter(company, trigger.candidates(company)) for company in self._acts_in()
        )
        trigger.looked(progress)
        return count

    def _enter_present(self):
        """Enter those for whom the trigger is true already; return how many."""
        self.ensure_one()
        trigger = trigger_of(self)
        return sum(
            self._enter(company, trigger.present(company)) for company in self._companies()
        )

    def _present_ids(self):
        """Profile ids of those who would enter now, the trigger being true for them already."""
        self.ensure_one()
        self.env.flush_all()
        ids, trigger = [], trigger_of(self)
        for company in self._companies():
            self.env.cr.execute(
                SQL(
                    "SELECT entering.id FROM (%s) entering",
                    self._candidates_sql(company, trigger.present(company)),
                )
            )
            ids += [row[0] for row in self.env.cr.fetchall()]
        return ids

    def _record_progress(self, **values):
        # sudo, untracked: where the workflow stands is no change that somebody made
        self.sudo().with_context(tracking_disable=True).write({"error": False, **values})

    def _candidates_sql(self, company, candidates):
        """Of some candidates those who may enter: filter, active, entering again."""
        again = SQL("TRUE")
        if self.reentry != "episode":
            recent = SQL("TRUE")
            if self.reentry == "days":
                recent = SQL(
                    "past.date_entered > %s",
                    fields.Datetime.subtract(fields.Datetime.now(), days=self.reentry_days),
                )
            again = SQL(
                """NOT EXISTS (SELECT FROM lifecycle_workflow_enrollment past
                                WHERE past.workflow_id = %s AND past.profile_id = candidate.id
                                  AND %s)""",
                self.id,
                recent,
            )
        return SQL(
            """SELECT candidate.id, candidate.episode FROM (%(candidates)s) candidate
                WHERE candidate.id IN %(matching)s
                  AND NOT EXISTS (SELECT FROM lifecycle_workflow_enrollment past
                                   WHERE past.workflow_id = %(workflow)s
                                     AND past.profile_id = candidate.id
                                     AND past.episode = candidate.episode)
                  AND %(again)s""",
            candidates=candidates,
            matching=self._matching(company, self.domain).subselect(),
            workflow=self.id,
            again=again,
        )

    def _enter(self, company, candidates):
        """Make enrolments of candidates of one company; return how many.

        Who is on the way since a former occasion begins anew. The index on (workflow, profile,
        occasion) keeps everybody from entering twice for one occasion.
        """
        self.env.flush_all()
        cr = self.env.cr
        cr.execute("DROP TABLE IF EXISTS pg_temp.lifecycle_entering")
        cr.execute(
            SQL(
                "CREATE TEMPORARY TABLE lifecycle_entering AS %s",
                self._candidates_sql(company, candidates),
            )
        )
        count = cr.rowcount
        if count:
            now = fields.Datetime.now()
            cr.execute(
                SQL(
                    """UPDATE lifecycle_workflow_enrollment past
                          SET state = 'exited', exit_reason = 'again', date_next = NULL,
                              date_end = %(now)s, write_date = %(now)s
                         FROM lifecycle_entering entering
                        WHERE past.workflow_id = %(workflow)s AND past.state = 'active'
                          AND past.profile_id = entering.id""",
                    now=now,
                    workflow=self.id,
                )
            )
            count = self._insert_enrollments(company, now)
        cr.execute("DROP TABLE pg_temp.lifecycle_entering")
        self.env["lifecycle.workflow.enrollment"].invalidate_model()
        return count

    def _insert_enrollments(self, company, now):
        first = self.step_ids._first()
        control = SQL(
            "(('x' || substr(md5(%s || profile.partner_id::text), 1, 8))::bit(32)::bigint "
            "%% 10000 < %s)",
            f"{self.id}:",
            round(self.control_percent * 100),
        )
        self.env.cr.execute(
            SQL(
                """INSERT INTO lifecycle_workflow_enrollment
                         (workflow_id, profile_id, partner_id, company_id, episode, state, step_id,
                          date_entered, day_entered, date_anchor, date_next, last_order_date,
                          attempts, create_uid, create_date, write_uid, write_date)
                   SELECT %(workflow)s, profile.id, profile.partner_id, profile.company_id,
                          entering.episode,
                          CASE WHEN %(control)s THEN 'control' ELSE 'active' END,
                          CASE WHEN %(control)s THEN NULL ELSE %(step)s END,
                          %(now)s, %(today)s, %(now)s,
                          CASE WHEN %(control)s THEN NULL ELSE %(due)s END,
                          profile.last_order_date,
                          0, %(uid)s, %(now)s, %(uid)s, %(now)s
                     FROM lifecycle_entering entering
                     JOIN lifecycle_profile profile ON profile.id = entering.id
                    WHERE profile.active
                    ORDER BY profile.id
                   ON CONFLICT DO NOTHING""",
                workflow=self.id,
                control=control,
                step=first.id or None,
                now=now,
                today=company._lifecycle_today(),
                due=first._due(company, now, now) if first else now,
                uid=self.env.uid,
            )
        )
        return self.env.cr.rowcount

    # ----- BY HAND -----

    def _enter_by_hand(self, profile):
        """Put one customer into a running workflow."""
        self.ensure_one()
        self._check_may_start()
        profile.check_access("read")
        # sudo: how often customers were entered by hand is counted by the system
        workflow = self.sudo()
        if self not in profile._workflows_to_start():
            raise UserError(
                self.env._(
                    "%(customer)s is on the way through “%(workflow)s” already, or it is not "
                    "running.",
                    customer=profile.partner_id.display_name,
                    workflow=self.name,
                )
            )
        workflow.launch_count += 1
        episode = f"{LAUNCH}{workflow.launch_count}"
        entered = workflow._enter(
            profile.company_id,
            SQL(
                "SELECT profile.id, %s AS episode FROM lifecycle_profile profile WHERE id = %s",
                episode,
                profile.id,
            ),
        )
        if not entered:
            raise UserError(
                self.env._(
                    "%(customer)s cannot enter “%(workflow)s”: its filter is not met, or it does "
                    "not let customers enter again so soon.",
                    customer=profile.partner_id.display_name,
                    workflow=self.name,
                )
            )
        if workflow.env["lifecycle.workflow.enrollment"].search_count(
            [
                ("workflow_id", "=", self.id),
                ("profile_id", "=", profile.id),
                ("episode", "=", episode),
                ("state", "=", "control"),
            ]
        ):
            raise UserError(
                self.env._(
                    "%(customer)s is in the control group of “%(workflow)s”, which gets nothing, "
                    "so that the effect can be measured.",
                    customer=profile.partner_id.display_name,
                    workflow=self.name,
                )
            )
        profile.partner_id.message_post(
            body=self.env._("Started the workflow “%s”.", self.name),
            subtype_xmlid="mail.mt_note",
        )
        self._wake()
