import logging
import time
from contextlib import contextmanager

from psycopg2 import errors

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

#: commercial partner ids that are summed up in one pass
ID_RANGE = 2_000_000
#: queue rows that one refresh takes at a time
REFRESH_BATCH = 5_000
#: kinds of runs that leave the figures as they are
STAGES_ONLY = ("history", "rules")
#: first key of the advisory locks; the second is the company
LOCK_KEY = 0x6C6966
#: what happens when a user merges or deletes a customer whose profile is being written
CONFLICTS = (errors.SerializationFailure, errors.DeadlockDetected, errors.ForeignKeyViolation)
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
    refit = fields.Boolean(readonly=True, help="Fit the model anew even if it is recent.")
    message = fields.Text(readonly=True)

    @api.depends("kind", "as_of")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for run in self:
            run.display_name = f"{kinds.get(run.kind, '')} {run.as_of or ''}".strip()

    # ----- ASKING FOR A RUN -----

    @api.model
    def _request(self, companies, kind="manual", refit=False):
        """Make sure that each company has a run waiting, and wake the scheduled action.

        :return: the waiting runs
        """
        waiting = self.search(
            [
                ("company_id", "in", companies.ids),
                ("state", "=", "pending"),
                ("kind", "in" if kind in STAGES_ONLY else "not in", STAGES_ONLY),
            ]
        )
        if refit:
            waiting.write({"refit": True})
        runs = waiting | self.create(
            [
                {"company_id": company.id, "kind": kind, "refit": refit}
                for company in companies - waiting.company_id
            ]
        )
        cron = self.env.ref(
            "customer_lifecycle.ir_cron_lifecycle_nightly", raise_if_not_found=False
        )
        if cron:
            cron.sudo()._trigger()
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
        unfinished = busy = False
        for run_id in todo:
            if not left:
                unfinished = True
                break
            run = self.browse(run_id).exists()
            finished = not run
            with self._company_locks(run.company_id) as locked:
                if locked:
                    finished = run._work()
            busy |= not finished and not locked
            unfinished |= not finished
            left = commit(1 if finished else 0)
        if unfinished:
            # without a wake-up of its own the rest would wait for the next poll
            self._wake(
                "customer_lifecycle.ir_cron_lifecycle_nightly", minutes=1 if busy else 0
            )
        self._wake("customer_lifecycle.ir_cron_lifecycle_refresh")

    @api.model
    def _ensure_nightly(self, company):
        """Create the day's run of a company unless it is there."""
        today = company._lifecycle_today()
        known = self.search(
            [
                ("company_id", "=", company.id),
                ("kind", "!=", "refresh"),
                "|",
                ("state", "in", ("pending", "running")),
                "&",
                ("as_of", "=", today),
                ("kind", "in", ("first", "nightly")),
            ],
            limit=1,
        )
        if known:
            return known
        before = self.search_count(
            [("company_id", "=", company.id), ("state", "=", "done")], limit=1
        )
        return self.create(
            {"company_id": company.id, "kind": "nightly" if before else "first"}
        )

    @api.model
    def _cron_refresh(self):
        """Make the customers in the queue fresh."""
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
            self._wake("customer_lifecycle.ir_cron_lifecycle_refresh", minutes=1)
        elif not left:
            self._wake("customer_lifecycle.ir_cron_lifecycle_refresh")

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
        try:
            with self.env.cr.savepoint():
                self.env["lifecycle.pipeline"].with_company(company)._refresh(
                    company, sorted(partner_ids)
                )
        except CONFLICTS as error:
            _logger.info("Refresh of customers of %s is put off: %s", company.name, error)
            return False
        except Exception as error:
            # the next complete run does these customers too; users only lose freshness
            _logger.exception("Refresh of changed customers failed for %s", company.name)
            self.create(
                {
                    "company_id": company.id,
                    "kind": "refresh",
                    "state": "failed",
                    "date_end": fields.Datetime.now(),
                    "message": self.env._(
                        "%(count)s changed customers could not be refreshed: %(error)s",
                        count=len(partner_ids),
                        error=error,
                    ),
                }
            )
        return True

    @api.model
    def _wake(self, xml_id, minutes=0):
        at = fields.Datetime.add(fields.Datetime.now(), minutes=minutes)
        self.env.ref(xml_id).sudo()._trigger(at)

    @contextmanager
    def _company_locks(self, companies):
        """Hold the computations of companies; yields those that no other worker holds.

        Session locks: they outlive the commits between the steps and end with the process. The
        commit that follows them makes the work see all that the former holder has written; who
        holds them commits before letting go, for the same reason.
        """
        cr = self.env.cr
        cr.execute(
            SQL(
                "SELECT id FROM unnest(%s::integer[]) id WHERE pg_try_advisory_lock(%s, id)",
                companies.ids,
                LOCK_KEY,
            )
        )
        locked = companies.browse(row[0] for row in cr.fetchall())
        try:
            self.env["ir.cron"]._commit_progress()
            yield locked
        except Exception:
            # nothing can be unlocked in an aborted transaction, and pooled connections live on
            cr.rollback()
            raise
        finally:
            cr.execute(
                SQL(
                    "SELECT pg_advisory_unlock(%s, id) FROM unnest(%s::integer[]) id",
                    LOCK_KEY,
                    locked.ids,
                )
            )

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
        self = self.with_company(company)
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
                left = commit()
                if self.state == "running" and not left:
                    return False
        except Exception as error:
            self.env.cr.rollback()
            step = self.step
            _logger.exception("Customer lifecycle run %s failed in step %s", self.id, step)
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

    def _step_facts(self, company):
        pipeline = self.env["lifecycle.pipeline"]
        cr = self.env.cr
        commit = self.env["ir.cron"]._commit_progress
        cr.execute("SELECT COALESCE(MAX(id), 0) FROM res_partner")
        newest = cr.fetchone()[0]
        first, last = self.position + 1, self.position + ID_RANGE
        # the queue rows that this snapshot already contains
        cr.execute("DROP TABLE IF EXISTS pg_temp.lifecycle_seen")
        cr.execute(
            SQL(
                "CREATE TEMPORARY TABLE lifecycle_seen AS SELECT id FROM lifecycle_queue "
                "WHERE company_id = %s AND partner_id BETWEEN %s AND %s",
                company.id,
                first,
                last,
            )
        )
        count = pipeline._collect_facts(company, self.as_of, id_range=(first, last))
        customers = count + (self.customer_count if self.position else 0)
        after, changed = self.position, self.changed_count
        while after is not None:
            until = pipeline._next_position(after)
            changed += pipeline._store_facts(company, after, until or last)
            changed += pipeline._archive_without_facts(company, after, until or last)
            after = until
            self.write({"changed_count": changed, "customer_count": customers})
            if after:
                self.progress = min(50, 50 * after / max(newest, 1))
                commit()
        cr.execute("DELETE FROM lifecycle_queue WHERE id IN (SELECT id FROM lifecycle_seen)")
        cr.execute(
            "DROP TABLE pg_temp.lifecycle_seen, pg_temp.lifecycle_facts, "
            "pg_temp.lifecycle_change"
        )
        if last < newest:
            self._advance("facts", last)
        else:
            self._advance("fit")

    def _step_fit(self, company):
        clv_models = self.env["lifecycle.clv.model"]
        if self.refit or clv_models._is_due(company, self.as_of):
            self.env["lifecycle.prediction"]._fit(company, self.as_of)
        self._advance("predict")

    def _step_predict(self, company):
        last, changed = self.env["lifecycle.prediction"]._predict(
            company, self.as_of, self.position
        )
        self.changed_count += changed
        if last:
            self.position = last
            self.progress = min(90, self.progress + 30 / max(1, self.customer_count / 1e5))
            return
        if self.env["lifecycle.classifier"]._is_started(company):
            self._advance("stages")
            return
        # figures first: replaying the stages of many years takes longer than computing them
        self._finish()
        self.create({"company_id": company.id, "kind": "history", "step": "stages"})
        self._wake("customer_lifecycle.ir_cron_lifecycle_nightly")

    def _step_stages(self, company):
        classifier = self.env["lifecycle.classifier"]
        warnings = [
            warning
            for kind in ("lifecycle.stage", "lifecycle.vip.tier", "lifecycle.segment")
            for warning in self.env[kind]._switch_off_broken()
        ]
        classifier._update_rhythms(company)
        started = classifier._is_started(company)
        if not started:
            classifier._reconstruct(company, self.as_of)
        cause = "rule"
        if not started:
            cause = "initial"
        elif self.kind == "rules":
            # what a changed rule moves is no news of the customers
            cause = "edit"
        changed, errors = classifier._classify_all(company, self.as_of, cause=cause)
        statistics = self.env["lifecycle.stage.statistic"]
        if statistics._is_due(company, self.as_of):
            statistics._update(company, self.as_of)
        self.changed_count += changed
        self._finish(errors, warnings)

    def _finish(self, errors=(), warnings=()):
        """End the run well.

        :param errors: what automation rules on changes of stage raised, with the profile's id
        :param warnings: sentences about rules that were switched off
        """
        explanation = self.env["lifecycle.clv.model"]._current(self.company_id)._explain()
        message = "\n".join([explanation, *warnings])
        if errors:
            message += "\n" + self.env._(
                "Automation rules failed on %(count)s changes of stage, first on customer "
                "%(profile)s: %(error)s. The changes themselves are recorded.",
                count=len(errors),
                profile=errors[0][0],
                error=errors[0][1],
            )
        self.write(
            {
                "state": "done",
                "progress": 100,
                "date_end": fields.Datetime.now(),
                "message": message,
            }
        )

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
