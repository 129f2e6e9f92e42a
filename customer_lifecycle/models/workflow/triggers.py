"""The workflows' triggers: who enters, when, and for which occasion.

In: changes of stage, tier or segment since the last look, dates that have come, usual items that
are missing. Out: enrolments, or members of the control group. Called by the workflows' scheduled
action, by starting a workflow for all who are there, and by counts before it is started.
"""

import logging

import psycopg2

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.batches import CONFLICTS

_logger = logging.getLogger(__name__)

#: customers that a date has come for are looked for so often (minutes)
SCAN_MINUTES = 30
#: dates that were computed late, or while the server stood still, are caught up for so long
LATE_DAYS = 7
#: dates that move with every prediction: their occasion is the last order
FORECASTS = ("next_order_date", "next_order_from", "next_order_to")
#: dates of purchases: nobody is written to about one that came in late
PURCHASES = ("first_order_date", "last_order_date", "delivery_date")


class LifecycleWorkflow(models.Model):
    """Entering: customers become enrolments, set-based, each occasion once."""

    # a file for each subject of this large model
    _inherit = "lifecycle.workflow"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _enter_all(self):
        """Enter whoever is due into every running workflow, each in a transaction of its own.

        :return: number of new enrolments
        """
        commit = self.env["ir.cron"]._commit_progress
        count = 0
        ids = self.sudo().search([("state", "=", "running"), ("trigger", "!=", "manual")]).ids
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
        if self.trigger in ("enter", "leave"):
            return self._enter_changed()
        now = fields.Datetime.now()
        if self.date_scanned and now < fields.Datetime.add(
            self.date_scanned, minutes=SCAN_MINUTES
        ):
            return 0
        count = sum(
            self._enter(company, self._dated_sql(company)) for company in self._companies()
        )
        self._note_progress(date_scanned=now)
        return count

    def _note_progress(self, **values):
        # sudo, untracked: where the workflow stands is no change that somebody made
        self.sudo().with_context(tracking_disable=True).write({"error": False, **values})

    def _enter_changed(self):
        """Enter those whose stage, tier or segment has changed since the last look."""
        here = self._bookmark()
        newest = here["newest_transition"]
        if newest <= self.seen_transition:
            return 0
        count = sum(
            self._enter(company, self._changed_sql(self.seen_transition))
            for company in self._companies()
        )
        self.env.cr.execute(
            SQL(
                "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::numeric >= %s::numeric",
                self.newest_xid or "0",
            )
        )
        if self.env.cr.fetchone()[0]:
            # whatever could still have had a lower id has ended and was looked at just now
            self._note_progress(seen_transition=self.newest_transition, **here)
        return count

    # ----- WHO -----

    def _state_column(self):
        return {
            "stage": ("from_stage_id", "to_stage_id"),
            "tier": ("from_tier_id", "to_tier_id"),
        }[self.trigger_kind]

    def _is_in_sql(self):
        """SQL over ``profile``: is in one of the states now."""
        ids = self._states().ids
        if self.trigger_kind == "stage":
            return SQL("COALESCE(profile.stage_id = ANY(%s), FALSE)", ids)
        if self.trigger_kind == "tier":
            return SQL("COALESCE(profile.vip_tier_id = ANY(%s), FALSE)", ids)
        return SQL(
            """EXISTS (SELECT FROM unnest(%s) segment(id)
                        WHERE (SELECT last.joined FROM lifecycle_transition last
                                WHERE last.profile_id = profile.id AND last.kind = 'segment'
                                  AND last.segment_id = segment.id
                                ORDER BY last.number DESC LIMIT 1))""",
            ids,
        )

    def _holds_sql(self):
        """SQL over ``profile``: the state that the workflow was entered for still holds."""
        inside = self._is_in_sql()
        return SQL("NOT (%s)", inside) if self.trigger == "leave" else inside

    def _change_sql(self):
        """SQL over ``change``: a transition of the kind that the workflow waits for."""
        ids = self._states().ids
        entering = self.trigger == "enter"
        if self.trigger_kind == "segment":
            return SQL(
                "change.kind = 'segment' AND change.segment_id = ANY(%s) "
                "AND COALESCE(change.joined, FALSE) = %s",
                ids,
                entering,
            )
        before, after = self._state_column()
        if not entering:
            before, after = after, before
        return SQL(
            "change.kind = %s AND %s = ANY(%s) AND COALESCE(%s <> ALL(%s), TRUE)",
            self.trigger_kind,
            SQL.identifier("change", after),
            ids,
            SQL.identifier("change", before),
            ids,
        )

    def _changed_sql(self, seen):
        """Candidates by changes after an id: only news, made by rules or persons."""
        return SQL(
            """SELECT DISTINCT ON (profile.id) profile.id, 'change:' || change.id AS episode
                 FROM lifecycle_transition change
                 JOIN lifecycle_profile profile ON profile.id = change.profile_id
                WHERE change.id > %(seen)s AND change.cause IN ('rule', 'person')
                  AND %(change)s AND %(holds)s
                ORDER BY profile.id, change.id DESC""",
            seen=seen,
            change=self._change_sql(),
            holds=self._holds_sql(),
        )

    def _date_sql(self, name=None):
        """SQL over ``profile`` of the date that the workflow waits for."""
        name = name or self.date_field
        if name.startswith("partner_id."):
            return SQL(
                "(SELECT customer.%s FROM res_partner customer "
                "WHERE customer.id = profile.partner_id)",
                SQL.identifier(name.removeprefix("partner_id.")),
            )
        return SQL.identifier("profile", name)

    @api.model
    def _anniversary_sql(self, date, years):
        """The day so many years after a date: 29 February is kept on the 28th of other years."""
        return SQL("(%s + make_interval(years => %s))::date", date, years)

    @api.model
    def _years_sql(self, date, day):
        """Which anniversary of a date was the last to come until a day.

        ``age`` would let the year of 29 February end on 1 March, a day late.
        """
        calendar = SQL("(%s - EXTRACT(YEAR FROM %s)::integer)", day.year, date)
        return SQL(
            "(%(calendar)s - (%(come)s > %(day)s)::integer)",
            calendar=calendar,
            come=self._anniversary_sql(date, calendar),
            day=day,
        )

    def _is_forecast(self):
        return self.date_field in FORECASTS

    def _dated_sql(self, company, everybody=False):
        """Candidates whose date has come.

        :param everybody: also those whose date came before the workflow started
        """
        today = company._lifecycle_today()
        since = self._dated_since(company, everybody)
        if self.trigger == "missing":
            return SQL(
                """SELECT DISTINCT ON (profile.id) profile.id,
                          'item:' || usual.product_id || ':' || usual.last_date AS episode
                     FROM lifecycle_usual_product usual
                     JOIN lifecycle_profile profile ON profile.id = usual.profile_id
                    WHERE usual.missing_from BETWEEN %(since)s AND %(today)s
                      AND usual.last_date > COALESCE(profile.history_day, '-infinity')
                      AND usual.missing_until >= %(today)s
                    ORDER BY profile.id, usual.amount DESC, usual.id""",
                since=since,
                today=today,
            )
        date = self._date_sql()
        if self.trigger == "anniversary":
            years = self._years_sql(date, fields.Date.subtract(today, days=self.offset_days))
            come = SQL("%s + %s", self._anniversary_sql(date, years), self.offset_days)
            return SQL(
                """SELECT profile.id, 'year:' || %(years)s AS episode
                     FROM lifecycle_profile profile
                    WHERE %(date)s IS NOT NULL AND %(years)s >= 1
                      AND %(come)s BETWEEN %(since)s AND %(today)s""",
                date=date,
                years=years,
                come=come,
                since=since if not everybody else today,
                today=today,
            )
        episode = self._date_sql("last_order_date") if self._is_forecast() else date
        is_news = SQL("TRUE")
        if self._is_forecast() or self.date_field in PURCHASES:
            is_news = SQL("%s > COALESCE(profile.history_day, '-infinity')", episode)
        return SQL(
            """SELECT profile.id, 'date:' || COALESCE(%(episode)s::text, '') AS episode
                 FROM lifecycle_profile profile
                WHERE %(date)s + %(offset)s BETWEEN %(since)s AND %(today)s AND %(is_news)s""",
            is_news=is_news,
            episode=episode,
            date=date,
            offset=self.offset_days,
            since=since,
            today=today,
        )

    def _dated_since(self, company, everybody=False):
        """The first day on which a date that came is still looked at."""
        if everybody:
            return fields.Date.to_date("1900-01-01")
        since = fields.Datetime.context_timestamp(
            company.with_context(tz=company._lifecycle_timezone()),
            self.date_since or fields.Datetime.now(),
        ).date()
        if self.date_scanned:
            late = fields.Date.subtract(self.date_scanned.date(), days=LATE_DAYS)
            since = max(since, late)
        return since

    def _present_sql(self, company):
        """Candidates for whom the trigger is true now, whenever it became so."""
        if self.trigger in ("enter", "leave"):
            came = (
                SQL("")
                if self.trigger == "enter"
                else SQL(
                    "WHERE EXISTS (SELECT FROM lifecycle_transition change "
                    "WHERE change.profile_id = profile.id AND %s)",
                    self._change_sql(),
                )
            )
            return SQL(
                """SELECT profile.id, 'change:' || COALESCE(
                              (SELECT MAX(change.id) FROM lifecycle_transition change
                                WHERE change.profile_id = profile.id AND %(change)s), 0) AS episode
                     FROM (SELECT * FROM lifecycle_profile profile %(came)s) profile
                    WHERE %(holds)s""",
                change=self._change_sql(),
                came=came,
                holds=self._holds_sql(),
            )
        if self.trigger == "manual":
            return SQL(
                "SELECT profile.id, %s AS episode FROM lifecycle_profile profile",
                f"launch:{self.launch_count}",
            )
        return self._dated_sql(company, everybody=True)

    # ----- ENTERING -----

    def _enter_present(self):
        """Enter those for whom the trigger is true already; return how many."""
        self.ensure_one()
        return sum(self._enter(company, self._present_sql(company))
                   for company in self._companies())

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
