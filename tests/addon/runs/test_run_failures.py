import time
from datetime import timedelta
from unittest.mock import patch

import pytest
from psycopg2 import errors

from odoo import fields
from odoo.sql_db import db_connect
from odoo.tools import mute_logger

from odoo.addons.customer_lifecycle.models.prediction.fit import Fit
from odoo.addons.customer_lifecycle.models.prediction.forecast import PredictKnown
from odoo.addons.customer_lifecycle.models.runs.collect import Collect
from odoo.addons.customer_lifecycle.models.runs.store import Store
from odoo.addons.customer_lifecycle.tools.batches import LOCKS

from ..common import NIGHTLY, REFRESH
from ..common_runs import RunCase

pytestmark = pytest.mark.long

RUN_LOG = "odoo.addons.customer_lifecycle.models.runs.run"


class TestResuming(RunCase):
    def hurry(self):
        """Let the scheduler's time be over after every commit."""
        cron = self.env.registry["ir.cron"]
        commit = cron._commit_progress

        def impatient(self, processed=0, *, remaining=None, deactivate=False):
            commit(self, processed, remaining=remaining, deactivate=deactivate)
            return 0

        return patch.object(cron, "_commit_progress", impatient)

    def undisturbed(self):
        """The figures of an undisturbed run, without leaving them."""
        with self.env.cr.savepoint() as savepoint:
            self.run_nightly()
            figures = self.figures(self.home + self.small)
            savepoint.rollback()
        self.env.invalidate_all()
        self.assertEqual(len(figures), 41)
        return figures

    def test_goes_on_where_it_stood(self):
        expected = self.undisturbed()
        steps = []
        run_class = self.env.registry["lifecycle.run"]
        for step in ("facts", "fit", "predict"):
            self.spy(run_class, f"_step_{step}", steps)
        with self.hurry():
            for _call in range(10):
                self.run_nightly()
                if self.last_run().state == self.last_run(self.small).state == "done":
                    break
        for step in ("_step_facts", "_step_fit"):
            self.assertEqual(steps.count(step), 3, "once for each company, not again")
        self.assertEqual(self.figures(self.home + self.small), expected)

    def test_scheduler_sees_progress_in_every_pass(self):
        """Without, it warns that nothing was done and waits a minute before it goes on."""
        passes = []
        self.env.flush_all()
        with self.enter_registry_test_mode(), self.env.registry.cursor() as cursor:
            cron = self.env(cr=cursor).ref(NIGHTLY)
            while not passes or (passes[-1][1] and len(passes) < 20):
                cron, progress = cron.with_context(
                    cron_id=cron.id, cron_end_time=time.monotonic() - 1
                )._add_progress()
                cron.env["lifecycle.run"]._cron_nightly()
                passes.append((progress.done, progress.remaining))
        self.assertGreater(len(passes), 2)
        self.assertTrue(all(done for done, _remaining in passes), passes)

    def spy(self, model_class, name, calls):
        origin = getattr(model_class, name)

        def noting(record, *args):
            calls.append(name)
            return origin(record, *args)

        self.patch(model_class, name, noting)

    def test_it_wakes_itself(self):
        with self.hurry():
            trigger = self.env["ir.cron.trigger"]
            trigger.search([]).unlink()
            self.run_nightly()
        run = self.last_run()
        self.assertTrue(
            run.state == "done" or trigger.search([("cron_id", "=", self.env.ref(NIGHTLY).id)])
        )

    def test_steps_in_batches_give_the_same(self):
        expected = self.undisturbed()
        module = "odoo.addons.customer_lifecycle.models"
        ids = self.customers.ids
        span = max(ids) // 3 + 1
        with (
            patch(f"{module}.runs.steps.ID_RANGE", span),
            patch(f"{module}.runs.store.STORE_BATCH", 7),
            patch(f"{module}.prediction.forecast.PREDICT_BATCH", 9),
        ):
            self.run_nightly()
        self.assertEqual(self.last_run().state, "done")
        self.assertEqual(self.figures(self.home + self.small), expected)
        self.assertEqual(self.last_run().customer_count, 40)
        run = self.request(kind="manual")
        with (
            patch(f"{module}.runs.steps.ID_RANGE", span),
            patch(f"{module}.runs.store.STORE_BATCH", 7),
            patch(f"{module}.prediction.forecast.PREDICT_BATCH", 9),
        ):
            self.run_nightly()
        self.assertEqual(run.changed_count, 0)

    def test_left_over_from_another_day(self):
        """What a crash left of yesterday's run starts again for today."""
        expected = self.undisturbed()
        run = self.request(kind="manual")
        yesterday = self.home._lifecycle_today() - timedelta(days=1)
        run.write({"state": "running", "step": "predict", "position": 10**6, "as_of": yesterday})
        self.run_nightly()
        self.assertEqual((run.state, run.as_of), ("done", self.home._lifecycle_today()))
        self.assertEqual(self.figures(self.home + self.small), expected)


class TestFailures(RunCase):
    def break_step(self, step, name, company, error):
        """Let a step fail for one company."""
        origin = getattr(step, name)

        def breaking(self, *args, **kwargs):
            if self.company == company:
                raise error
            return origin(self, *args, **kwargs)

        return patch.object(step, name, breaking)

    @mute_logger(RUN_LOG)
    def test_failed_step_says_what_and_where_and_others_go_on(self):
        self.run_nightly()
        good = self.figures(self.home)
        for step, name, words in (
            (Collect, "collect", "Purchase histories"),
            (Store, "store", "Purchase histories"),
            (Fit, "fit", "Fitting the model"),
            (PredictKnown, "predict", "Predictions"),
        ):
            with self.subTest(step=step):
                run = self.request(kind="manual", refit=True)
                other = self.env["lifecycle.run"]._request(self.small, kind="manual")
                with self.break_step(step, name, self.home, ArithmeticError("no such number")):
                    self.run_nightly()
                self.assertEqual(run.state, "failed")
                self.assertIn(words, run.message)
                self.assertIn("no such number", run.message)
                self.assertTrue(run.date_end)
                self.assertEqual(other.state, "done", "one company's trouble is its own")
                self.assertEqual(self.figures(self.home), good, "last good values stay")
        run = self.request(kind="manual")
        self.run_nightly()
        self.assertEqual(run.state, "done", "the next run is not affected")

    @mute_logger(RUN_LOG, "odoo.sql_db")
    def test_sources_that_fail(self):
        self.run_nightly()
        good = self.figures(self.home)
        source = self.env.ref("customer_lifecycle.revenue_source_sale_order")
        for column, value in (("amount_path", "gone_field"), ("domain", "[('gone', '=', 1)]")):
            with self.subTest(column=column), self.env.cr.savepoint() as savepoint:
                self.env.cr.execute(
                    f"UPDATE lifecycle_revenue_source SET {column} = %s WHERE id = %s",
                    [value, source.id],
                )
                self.env.invalidate_all()
                run = self.request(kind="manual")
                self.run_nightly()
                self.assertEqual(run.state, "failed")
                self.assertIn("Purchase histories", run.message)
                self.assertIn("Sale orders", run.message, "which source it is")
                self.assertEqual(self.figures(self.home), good)
                self.new_purchase(self.customers[0], 1, company=self.home)
                self.run_refresh()
                failed = self.last_run()
                self.assertEqual((failed.kind, failed.state), ("refresh", "failed"))
                self.assertFalse(self.queued(), "a broken source must not block the queue")
                count = failed.customer_count
                self.new_purchase(self.customers[1], 1, company=self.home)
                self.run_refresh()
                self.assertEqual(self.last_run(), failed, "told once, not every minute")
                self.assertEqual(failed.customer_count, count + 1)
                savepoint.rollback()
            self.env.invalidate_all()

    @mute_logger(RUN_LOG)
    def test_users_changes_that_cross_a_step(self):
        """Somebody merges or deletes a customer meanwhile: the step is simply done again."""
        origin = Store.store
        for error in (errors.SerializationFailure, errors.ForeignKeyViolation):
            for times, state in ((1, "done"), (99, "failed")):
                left = [times]

                def crossed(store, *args, left=left, error=error):
                    if left[0]:
                        left[0] -= 1
                        raise error("crossed")
                    return origin(store, *args)

                with self.subTest(error=error, times=times):
                    run = self.request(kind="manual")
                    with patch.object(Store, "store", crossed):
                        self.run_nightly()
                    self.assertEqual(run.state, state)

    def test_crossed_refresh_keeps_its_queue(self):
        self.run_nightly()
        self.new_purchase(self.customers[0], 77, company=self.home)
        queued = self.queued()
        self.assertTrue(queued)
        pipeline = self.env.registry["lifecycle.pipeline"]
        crossed = errors.SerializationFailure("crossed")
        with patch.object(pipeline, "_refresh", side_effect=crossed):
            self.run_refresh()
        self.assertEqual(self.queued(), queued)
        before = self.customers[0].lifecycle_revenue
        self.run_refresh()
        self.assertFalse(self.queued())
        self.assertAlmostEqual(self.customers[0].lifecycle_revenue, before + 77, 2)


class TestOneWorkerAtATime(RunCase):
    def setUp(self):
        super().setUp()
        self.other = db_connect(self.env.cr.dbname).cursor()
        self.addCleanup(self.other.close)

    def other_worker(self, function, company):
        self.other.execute(f"SELECT {function}(%s, %s)", [LOCKS["run"], company.id])
        return self.other.fetchone()[0]

    def test_a_company_being_computed_is_left_alone(self):
        self.run_nightly()
        self.empty_queue()
        self.assertTrue(self.other_worker("pg_try_advisory_lock", self.home))
        trigger = self.env["ir.cron.trigger"]
        trigger.search([]).unlink()
        run = self.request(kind="manual")
        other = self.env["lifecycle.run"]._request(self.small, kind="manual")
        self.new_purchase(self.customers[0], 77, company=self.home)
        self.new_purchase(self.customers[0], 3, company=self.small)
        self.run_nightly()
        self.assertEqual((run.state, other.state), ("pending", "done"))
        self.run_refresh()
        self.assertEqual(self.queued(), {(self.customers[0].id, self.home.id)})
        for xml_id in (NIGHTLY, REFRESH):
            later = trigger.search(
                [("cron_id", "=", self.env.ref(xml_id).id),
                 ("call_at", ">", fields.Datetime.now())]
            )
            self.assertTrue(later, f"{xml_id} has to come again")
        self.other_worker("pg_advisory_unlock", self.home)
        self.run_nightly()
        self.run_refresh()
        self.assertEqual(run.state, "done")
        self.assertFalse(self.queued())

    def test_locks_are_let_go(self):
        """After success, failure and an aborted transaction alike."""
        run_class = self.env.registry["lifecycle.run"]
        pipeline = self.env.registry["lifecycle.pipeline"]
        reached = []

        def aborted(record, *args, **kwargs):
            reached.append(True)
            record.env.cr.execute("SELECT 1 / 0")

        noise = mute_logger(RUN_LOG, "odoo.sql_db", "odoo.addons.base.models.ir_cron")
        for action, model_class, name in (
            (self.run_nightly, Collect, "collect"),
            (self.run_nightly, Store, "store"),
            (self.run_nightly, run_class, "_advance"),
            (self.run_refresh, run_class, "_refresh_rows"),
            (self.run_refresh, pipeline, "_refresh"),
        ):
            with self.subTest(breaks=name), noise:
                reached.clear()
                self.request(kind="manual")
                self.new_purchase(self.customers[0], 1, company=self.home)
                with patch.object(model_class, name, aborted):
                    action()
                self.assertTrue(reached)
                self.assertFree()
                action()
                self.assertFree()

    def assertFree(self):
        for company in self.home + self.small:
            self.assertTrue(self.other_worker("pg_try_advisory_lock", company))
            self.other_worker("pg_advisory_unlock", company)
