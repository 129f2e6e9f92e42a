"""Keeps the purchases of large companies summed up, so that the report opens at once.

In: all purchases of a company, summed up by the report's SQL. Out: rows by month, month of first
order and channel, and when they were counted; they lapse when a revenue source changes. Called by
the report when it is opened, its button to count again, and a scheduled action at night.
"""

import logging
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.misc import format_datetime

from ...tools.batches import hold_until_commit

_logger = logging.getLogger(__name__)

#: a company with more orders than this has them summed up once a day instead of at each click
LARGE = 200_000
#: what was summed up longer ago is not shown any more
HOURS = 36
COLUMNS = (
    *("month", "cohort", "first_source_id", "first_medium_id", "first_campaign_id"),
    *("active_count", "repeated", "value"),
)


class LifecycleEconomicsCube(models.Model):
    """Purchases of a large company by month, month of the first order and channel.

    Elsewhere they are summed up when somebody looks. A company has its own kept from the first
    time that somebody opens the report of so many orders.
    """

    _name = "lifecycle.economics.cube"
    _description = "Purchases by Month and First Order"
    _log_access = False

    company_id = fields.Many2one(
        "res.company", required=True, index=True, ondelete="cascade", readonly=True
    )
    as_of = fields.Datetime(required=True, readonly=True)
    settings = fields.Char(
        required=True, readonly=True, help="What purchases and their value were, by the settings."
    )
    month = fields.Date(readonly=True)
    cohort = fields.Date(readonly=True)
    first_source_id = fields.Many2one("utm.source", readonly=True)
    first_medium_id = fields.Many2one("utm.medium", readonly=True)
    first_campaign_id = fields.Many2one("utm.campaign", readonly=True)
    active_count = fields.Integer(readonly=True)
    repeated = fields.Float(readonly=True, digits=0)
    value = fields.Float(readonly=True, digits=0)

    @api.model
    def _as_of(self, company):
        """When a company's purchases were summed up; None if that does not count now."""
        if not self._has_sums(company):
            return None
        self.env.cr.execute(
            SQL(
                """SELECT MAX(as_of) FROM lifecycle_economics_cube
                    WHERE company_id = %s AND settings = %s AND as_of > %s""",
                company.id,
                self.env["lifecycle.purchase.store"]._settings(company),
                fields.Datetime.now() - timedelta(hours=HOURS),
            )
        )
        return self.env.cr.fetchone()[0]

    @api.model
    def _has_sums(self, company):
        self.env.cr.execute(
            SQL("SELECT 1 FROM lifecycle_economics_cube WHERE company_id = %s LIMIT 1", company.id)
        )
        return bool(self.env.cr.fetchone())

    @api.model
    def _sql(self, company):
        """SELECT of the sums: those that were kept, else all purchases anew."""
        as_of = self._as_of(company)
        if as_of:
            # two that summed up at the same moment may both have left their rows
            return SQL(
                "SELECT %s FROM lifecycle_economics_cube WHERE company_id = %s AND as_of = %s",
                SQL(", ").join(map(SQL.identifier, COLUMNS)),
                company.id,
                as_of,
            )
        return self.env["lifecycle.economics"]._cube_sql(company)

    @api.model
    def _is_large(self, company):
        self.env.cr.execute(
            SQL(
                "SELECT COALESCE(SUM(order_count), 0) > %s FROM lifecycle_profile "
                "WHERE company_id = %s",
                LARGE,
                company.id,
            )
        )
        return self.env.cr.fetchone()[0]

    @api.model
    def _keep(self, company):
        """Sum a company's purchases up and keep the sums; whoever else does so is let be."""
        cr = self.env.cr
        if not hold_until_commit(self.env, "economics", company.id):
            return
        self.env.flush_all()
        # what holds before: who changes a source meanwhile makes these sums old
        settings = self.env["lifecycle.purchase.store"]._settings(company)
        cr.execute("SET LOCAL jit = off")
        # sums over millions of orders belong in memory, not in temporary files
        cr.execute("SET LOCAL work_mem = '256MB'")
        # only what fills a table of its own is computed by several workers
        cr.execute(
            SQL(
                "CREATE TEMPORARY TABLE lifecycle_cube_now ON COMMIT DROP AS %s",
                self.env["lifecycle.economics"]._cube_sql(company, complete=True),
            )
        )
        self._forget(company)
        cr.execute(
            SQL(
                "INSERT INTO lifecycle_economics_cube (company_id, as_of, settings, %(columns)s) "
                # when the transaction began, to the microsecond: no two have the same
                "SELECT %(company)s, %(now)s, %(settings)s, %(columns)s "
                "FROM lifecycle_cube_now",
                columns=SQL(", ").join(map(SQL.identifier, COLUMNS)),
                company=company.id,
                now=cr.now(),
                settings=settings,
            )
        )
        cr.execute("DROP TABLE lifecycle_cube_now")

    @api.model
    def _forget(self, company=None):
        self.env.cr.execute(
            SQL(
                "DELETE FROM lifecycle_economics_cube WHERE %s",
                SQL("company_id = %s", company.id) if company else SQL("TRUE"),
            )
        )

    @api.model
    def _cron_keep(self):
        """Sum up again at night what is kept; a company that is not large any more is read live."""
        self.env.cr.execute("SELECT DISTINCT company_id FROM lifecycle_economics_cube")
        ids = [row[0] for row in self.env.cr.fetchall()]
        self.env["ir.cron"]._commit_progress(remaining=len(ids))
        for company in self.env["res.company"].browse(ids):
            try:
                with self.env.cr.savepoint():
                    if self._is_large(company):
                        self.with_company(company)._keep(company)
                    else:
                        self._forget(company)
            except (UserError, psycopg2.DataError, psycopg2.ProgrammingError) as error:
                # nothing was written; the other companies are counted all the same
                _logger.warning("Orders of %s were not counted: %s", company.name, error)
            self.env["ir.cron"]._commit_progress(1)


class LifecycleEconomics(models.Model):
    """Which purchases the report has counted."""

    # a file for each subject of this large model
    _inherit = "lifecycle.economics"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _prepare(self, company):
        """Have the purchases of a large company summed up; returns since when, in words."""
        cube = self.env["lifecycle.economics.cube"].sudo()
        if not cube._as_of(company) and cube._is_large(company):
            cube._keep(company)
        as_of = cube._as_of(company)
        return as_of and format_datetime(self.env, as_of, dt_format="short")

    @api.model
    def action_count_again(self):
        """Sum up the purchases of the current company now."""
        self.check_access("read")
        company = self.env.company.sudo()
        self.env["lifecycle.economics.cube"].sudo()._keep(company)


class LifecycleRevenueSource(models.Model):
    _inherit = "lifecycle.revenue.source"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _sources_changed(self):
        self.env["lifecycle.economics.cube"].sudo()._forget()
        return super()._sources_changed()
