"""Runs: how they are asked for, taken up at night, held apart and ended.

In: requests of settings, rules, tiers, revenue sources and managers, and one each night.
Out: a record with step, position and message, from which an interrupted run goes on. Called by
the nightly scheduled action; the refresh shares its locks.
"""

import logging
import time
from contextlib import contextmanager

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ...tools.batches import CONFLICTS, hold, wake

_logger = logging.getLogger(__name__)

#: kinds of runs that leave the figures as they are
STAGES_ONLY = ("history", "rules")
#: kinds of runs that look at all customers' signals again
COMPLETE = ("first", "manual", "settings")
#: the scheduled actions
NIGHTLY = "customer_lifecycle.ir_cron_lifecycle_nightly"
REFRESH = "customer_lifecycle.ir_cron_lifecycle_refresh"
#: times that a step is tried when it meets with conflicts
ATTEMPTS = 3


class LifecycleRun(models.Model):
    """One computation for all customers of one company.

    The record is the resume point: its step and position are committed with the work they stand
    for. Every step writes only what differs, so doing a part again after a crash changes nothing.
    """

    _name = "lifecycle.run"
    _description = "Customer Lifecycle Run"
    _order = "id desc"

    company_id = fields.Many2one(
        "res.company", required=True, ondelete="cascade", index=True, readonly=True
    )
    kind = fields.Selection(
        [
            ("first", "First"),
            ("nightly", "Nightly"),
            ("manual", "By hand"),
            ("settings", "Changed settings"),
            ("history", "Stages of the past"),
            ("rules", "Changed rules"),
            ("refresh", "Refresh of changed customers"),
        ],
        required=True,
        readonly=True,
    )
    state = fields.Selection(
        [("pending", "Waiting"), ("running", "Running"), ("done", "Done"), ("failed", "Failed")],
        default="pending",
        required=True,
        readonly=True,
        index=True,
    )
    step = fields.Selection(
        [
            ("facts", "Purchase histories"),
            ("fit", "Fitting the model"),
            ("predict", "Predictions"),
            ("stages", "Stages"),
        ],
        default="facts",
        required=True,
        readonly=True,
    )
    position = fields.Integer(
        readonly=True, help="Last customer or profile id the step has finished."
    )
    as_of = fields.Date(readonly=True, help="The day that the figures are for.")
    progress = fields.Float(string="Progress (%)", readonly=True, aggregator=None)
    date_start = fields.Datetime(string="Started", readonly=True)
    date_end = fields.Datetime(string="Finished", readonly=True)
    duration = fields.Float(string="Work (seconds)", readonly=True, digits=(12, 1))
    customer_count = fields.Integer(string="Customers and Prospects", readonly=True)
    changed_count = fields.Integer(string="Rows Changed", readonly=True)
    revenue = fields.Float(readonly=True, help="Of all customers, when margins were read.")
    by_share = fields.Float(
        string="Revenue of Unknown Margin",
        readonly=True,
        help="Part of the revenue for which the share from the settings stands in.",
    )
    set_aside_count = fields.Integer(
        string="Documents Set Aside",
        readonly=True,
        help="Not counted, because their day, amount or exchange rate cannot be right.",
    )
    refit = fields.Boolean(readonly=True, help="Fit the model anew even if it is recent.")
    announce = fields.Boolean(
        string="Is News",
        readonly=True,
        help="What changed rules move starts automations and benefits.",
    )
    message = fields.Text(readonly=True)
    touch_seen = fields.Json(
        readonly=True, help="Touchpoints up to which the ways to orders are known."
    )
    signal_seen = fields.Json(
        readonly=True, help="Records up to which signals have been read."
    )
    silence_seen = fields.Json(
        readonly=True, help="The day on which silent categories were looked for."
    )

    @api.depends("kind", "as_of")
    @api.depends_context("lang")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for run in self:
            day = format_date(self.env, run.as_of) if run.as_of else ""
            run.display_name = ", ".join(filter(None, (kinds.get(run.kind), day)))

    # ----- ASKING FOR A RUN -----

    @api.model
    def _request(self, companies, kind="manual", refit=False, announce=False):
        """Make sure that each company has a run waiting, and wake the scheduled action.

        :param announce: what changed rules move is news
        :return: the waiting runs
        """
        waiting = self.search(
            [
                ("company_id", "in", companies.ids),
                ("state", "=", "pending"),
                ("kind", "in" if kind in STAGES_ONLY else "not in", STAGES_ONLY),
                # a silent correction that waits must not become news with another
                ("announce", "=", announce),
            ]
        )
        if refit:
            waiting.write({"refit": True})
        if kind in COMPLETE:
            # the night's run would look at news only, and comes again by itself
            waiting.filtered(lambda run: run.kind == "nightly").write({"kind": kind})
        runs = waiting | self.create(
            [
                {
                    "company_id": company.id,
                    "kind": kind,
                    "refit": refit,
                    "announce": announce,
                }
                for company in companies - waiting.company_id
            ]
        )
        wake(self.env, NIGHTLY)
        return runs

    def action_recompute(self):
        """Ask for a run of the current company and show its progress."""
        if not self.env.user.has_group("sales_team.group_sale_manager"):
            raise UserError(
                self.env._("Only sales administrators can recompute; ask one of them.")
            )
        # managers may only read runs; the request itself is checked above
        run = self.sudo()._request(self.env.company, refit=True)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Recompute"),
            "res_model": self._name,
            "res_id": run[:1].id,
            "views": [(False, "form")],
            "target": "current",
        }

    # ----- SCHEDULED ACTIONS -----

    @api.model
    def _cron_nightly(self):
        """Run all companies that are due, and go on with what was interrupted."""
        for company in self.env["res.company"]._lifecycle_companies():
            self._ensure_nightly(company)
        todo = self.search([("state", "in", ("pending", "running"))], order="id").ids
        commit = self.env["ir.cron"]._commit_progress
        left = commit(remaining=len(todo))
        unfinished = busy = 0
        for number, run_id in enumerate(todo):
            waiting = len(todo) - number
            if number and not left:
                # the next call goes on, and each does at least one step
                unfinished += waiting
                break
            run = self.browse(run_id).exists()
            finished = not run
            with self._company_locks(run.company_id) as locked:
                if locked:
                    finished = run._work()
            # what another worker holds is not for this one to go on with
            busy += not finished and not locked
            unfinished += bool(not finished and locked)
            left = commit(remaining=unfinished + waiting - 1)
        commit(remaining=unfinished)
        if not unfinished:
            # once a night, not between its steps
            self.env["lifecycle.health"]._look()
        if busy or unfinished:
            # without a wake-up of its own the rest would wait for the next poll
            wake(self.env, NIGHTLY, minutes=0 if unfinished else 1)
        wake(self.env, REFRESH)

    @api.model
    def _ensure_nightly(self, company):
        """Create the day's run of a company unless it is there."""
        today = company._lifecycle_today()
        known = self.search(
            [
                ("company_id", "=", company.id),
                # a changed rule waiting for its run does not stand for the day's figures
                ("kind", "not in", ("refresh", "rules")),
                "|",
                "&",
                ("state", "in", ("pending", "running")),
                ("kind", "not in", STAGES_ONLY),
                "&",
                ("as_of", "=", today),
                ("kind", "in", ("first", "nightly")),
            ],
            limit=1,
        )
        if known:
            return known
        before = self.search_count(
            [
                ("company_id", "=", company.id),
                ("kind", "not in", STAGES_ONLY),
                ("state", "=", "done"),
            ],
            limit=1,
        )
        return self.create(
            {"company_id": company.id, "kind": "nightly" if before else "first"}
        )

    @contextmanager
    def _company_locks(self, companies):
        """Hold the computations of companies; yields those that no other worker holds."""
        with hold(self.env, "run", companies.ids) as ids:
            yield companies.browse(ids)

    # ----- WORK -----

    def _work(self):
        """Do the run's steps from where it stands; return whether it ended.

        An error ends the run with what and where; values written so far stay.
        """
        self.ensure_one()
        # another worker may have finished it since it was listed
        self.invalidate_recordset()
        if self.state not in ("pending", "running"):
            return True
        company = self.company_id
        # what a run writes down is read by the company's people
        self = self.with_company(company).with_context(lang=company.partner_id.lang)
        commit = self.env["ir.cron"]._commit_progress
        try:
            if self.state == "pending" or self.as_of != company._lifecycle_today():
                # a run that lies over from another day starts again for today
                self._advance(
                    "stages" if self.kind in STAGES_ONLY else "facts",
                    as_of=company._lifecycle_today(),
                    state="running",
                )
                self.date_start = self.date_start or fields.Datetime.now()
                commit()
            while self.state == "running":
                started = time.monotonic()
                self._try_step(company)
                self.duration += time.monotonic() - started
                # a step counts as work done: Odoo goes on with what has made progress
                left = commit(1)
                if self.state == "running" and not left:
                    return False
        except Exception as error:
            self.env.cr.rollback()
            step = self.step
            _logger.exception("Customer lifecycle run %s failed in step %s", self.id, step)
            found = []
            if isinstance(error, (psycopg2.DataError, psycopg2.ProgrammingError)):
                found = self.env["lifecycle.revenue.source"]._find_defects(company)
            error = " ".join(found) or error
            steps = dict(self._fields["step"]._description_selection(self.env))
            self.write(
                {
                    "state": "failed",
                    "date_end": fields.Datetime.now(),
                    "message": self.env._(
                        "Step “%(step)s” failed: %(error)s. The figures of the last good run "
                        "stay; correct the cause and recompute.",
                        step=steps[step],
                        error=error,
                    ),
                }
            )
            self.env["lifecycle.health"]._look()
            commit()
        return True

    def _try_step(self, company):
        """Do the present step, again from what is committed if a user's change crossed it."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                getattr(self, f"_step_{self.step}")(company)
                self.env.flush_all()
                return
            except CONFLICTS:
                if attempt == ATTEMPTS:
                    raise
                self.env.cr.rollback()
                _logger.info("Run %s: step %s is done again", self.id, self.step)

    def _advance(self, step, position=0, **values):
        """Set the next step; it is committed together with the finished one."""
        shares = {"facts": 0, "fit": 50, "predict": 60, "stages": 90}
        self.write({"step": step, "position": position, "progress": shares[step], **values})

    @api.autovacuum
    def _gc_runs(self):
        """Forget runs older than three months; the newest of each company stays."""
        limit = fields.Datetime.subtract(fields.Datetime.now(), months=3)
        old = self.search([("create_date", "<", limit), ("state", "in", ("done", "failed"))])
        newest = self.browse(
            run_id
            for _company, run_id in self._read_group(
                [("state", "=", "done")], ["company_id"], ["id:max"]
            )
        )
        (old - newest).unlink()
