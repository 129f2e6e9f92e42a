"""Bringing changed customers up to date soon after they have changed.

In: the rows of the queue, by company. Out: their profiles computed anew by the pipeline, the
rows deleted; what fails is written down as a failed run. Called by a scheduled action, every
hour and whenever the queue or a run wakes it.
"""

import psycopg2

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.batches import CONFLICTS, attempt, wake
from .run import REFRESH, _logger

#: queue rows that one refresh takes at a time
REFRESH_BATCH = 5_000


class LifecycleRun(models.Model):
    """The scheduled action that keeps customers fresh between the nightly runs."""

    # a file for each subject of this large model
    _inherit = "lifecycle.run"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _cron_refresh(self):
        """Make the customers in the queue fresh."""
        self.env["lifecycle.health"]._look_sometimes()
        commit = self.env["ir.cron"]._commit_progress
        self.env.cr.execute("SELECT COUNT(*), MAX(id) FROM lifecycle_queue")
        count, newest = self.env.cr.fetchone()
        left = commit(remaining=count)
        after, postponed = 0, False
        while count and left:
            involved = {row[2] for row in self._queued(after, newest)}
            if not involved:
                break
            companies = self.env["res.company"]._lifecycle_companies()
            if 0 not in involved:
                companies &= companies.browse(involved)
            with self._company_locks(companies) as locked:
                rows = self._queued(after, newest)
                after = rows[-1][0] if rows else newest
                done = self._refresh_rows(rows, locked)
                postponed |= len(done) < len(rows)
                self.env.cr.execute(
                    SQL("DELETE FROM lifecycle_queue WHERE id = ANY(%s)", done)
                )
                left = commit(len(rows))
        if postponed:
            # a run holds the company: its figures may be older than the queued changes
            wake(self.env, REFRESH, minutes=1)
        elif not left:
            wake(self.env, REFRESH)

    @api.model
    def _queued(self, after, until):
        self.env.cr.execute(
            SQL(
                "SELECT id, partner_id, company_id FROM lifecycle_queue "
                "WHERE id > %s AND id <= %s ORDER BY id LIMIT %s",
                after,
                until,
                REFRESH_BATCH,
            )
        )
        return self.env.cr.fetchall()

    @api.model
    def _refresh_rows(self, rows, locked):
        """Refresh the customers of some queue rows; return the ids of the finished rows.

        :param locked: companies that this worker holds; the others' rows have to wait
        """
        unfinished = set()
        for company in self.env["res.company"]._lifecycle_companies():
            mine = [row for row in rows if row[2] in (0, company.id)]
            if not mine:
                continue
            if company not in locked or not self._refresh_company(
                company, {row[1] for row in mine}
            ):
                unfinished.update(row[0] for row in mine)
        return [row[0] for row in rows if row[0] not in unfinished]

    @api.model
    def _refresh_company(self, company, partner_ids):
        """Refresh some customers of a company; return False if it has to be tried again."""
        pipeline = self.env["lifecycle.pipeline"].with_company(company)
        try:
            error = attempt(self.env, pipeline._refresh, company, sorted(partner_ids))
        except CONFLICTS as conflict:
            _logger.info("Refresh of customers of %s is put off: %s", company.name, conflict)
            return False
        if error:
            # the next complete run does these customers too; users only lose freshness
            _logger.error(
                "Refresh of changed customers failed for %s", company.name, exc_info=error
            )
            found = []
            if isinstance(error, (psycopg2.DataError, psycopg2.ProgrammingError)):
                sources = self.env["lifecycle.revenue.source"]
                found = sources._find_defects(company, sorted(partner_ids))
            self._tell_failed_refresh(company, len(partner_ids), " ".join(found) or error)
            self.env["lifecycle.health"]._look()
        return True

    @api.model
    def _tell_failed_refresh(self, company, count, error):
        """Write down that changed customers could not be refreshed.

        What stays broken fails again with every change, minute by minute: as long as nothing
        else happens it is one entry.
        """
        last = self.search([("company_id", "=", company.id)], limit=1)
        if last.kind != "refresh" or last.state != "failed" or str(error) not in last.message:
            last = self.create({"company_id": company.id, "kind": "refresh", "state": "failed"})
        count += last.customer_count
        last.write(
            {
                "date_end": fields.Datetime.now(),
                "customer_count": count,
                "message": self.env._(
                    "%(count)s changed customers could not be refreshed: %(error)s",
                    count=count,
                    error=error,
                ),
            }
        )
