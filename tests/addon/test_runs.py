import random
from datetime import timedelta
from unittest.mock import patch

from psycopg2 import errors

from odoo import fields
from odoo.sql_db import db_connect
from odoo.tests import freeze_time
from odoo.tools import mute_logger

from odoo.addons.customer_lifecycle.models.lifecycle_run import LOCK_KEY

from .common import NIGHTLY, REFRESH, LifecycleCase

RUN_LOG = "odoo.addons.customer_lifecycle.models.lifecycle_run"


class RunCase(LifecycleCase):
    """One company with enough history for predictions, one with next to none."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = cls.new_company("Home", lifecycle_tz="UTC")
        cls.small = cls.new_company("Small", lifecycle_tz="UTC")
        elsewhere = cls.new_company("Company of prospects without one")
        cls.env["ir.config_parameter"].set_param(
            "customer_lifecycle.default_company_id", elsewhere.id
        )
        # what else is in the database takes no part; its users stand against archiving it
        cls.env.flush_all()
        cls.env.cr.execute(
            "UPDATE res_company SET active = FALSE WHERE id <> ALL(%s)",
            [(cls.home + cls.small + elsewhere).ids],
        )
        cls.env.invalidate_all()
        cls.env = cls.env["base"].with_company(cls.home).env
        cls.random = random.Random(20)
        cls.customers = cls.env["res.partner"].create(
            [{"name": f"Customer {number:02}"} for number in range(40)]
        )
        today = cls.home._lifecycle_today()
        rows = []
        for number, partner in enumerate(cls.customers):
            gap = cls.random.choice([12, 25, 60])
            day = today - timedelta(days=cls.random.randint(300, 700))
            ends = today if number % 3 else day + timedelta(days=150)
            while day <= ends:
                rows.append((partner, day, round(cls.random.uniform(20, 200), 2)))
                day += timedelta(days=max(1, round(cls.random.gauss(gap, gap / 4))))
        cls.env["lifecycle.external.purchase"].create(
            [
                {
                    "partner_id": partner.id,
                    "date": day,
                    "amount": amount,
                    "company_id": cls.home.id,
                    "currency_id": cls.home.currency_id.id,
                }
                for partner, day, amount in rows
            ]
        )
        cls.env["lifecycle.external.purchase"].create(
            {
                "partner_id": cls.customers[0].id,
                "date": today,
                "amount": 5,
                "company_id": cls.small.id,
                "currency_id": cls.small.currency_id.id,
            }
        )

    def last_run(self, company=None):
        return self.env["lifecycle.run"].search(
            [("company_id", "=", (company or self.home).id), ("kind", "!=", "history")],
            order="id desc",
            limit=1,
        )

    def request(self, **values):
        return self.env["lifecycle.run"]._request(self.home, **values)

    def versions(self):
        """Row version by profile: changes exactly when the row is written."""
        self.env.flush_all()
        self.env.cr.execute("SELECT id, xmin::text || ctid::text FROM lifecycle_profile")
        return dict(self.env.cr.fetchall())

    def rows(self):
        """Computed values by profile id."""
        keys = {profile.partner_id.id: profile.id for profile in self.home_profiles()}
        return {keys[partner]: row for (partner, _), row in self.figures(self.home).items()}

    def home_profiles(self):
        return (
            self.env["lifecycle.profile"]
            .with_context(active_test=False)
            .search([("company_id", "=", self.home.id)])
        )


class TestKinds(RunCase):
    def test_first_then_nightly(self):
        self.run_nightly()
        first = self.last_run()
        self.assertEqual((first.kind, first.state, first.progress), ("first", "done", 100))
        self.assertEqual(first.as_of, self.home._lifecycle_today())
        self.assertEqual(first.customer_count, len(self.customers))
        self.assertTrue(first.date_start <= first.date_end)
        self.assertIn("40 customers", first.message)
        self.run_nightly()
        self.assertEqual(self.last_run(), first, "one run a night")
        with freeze_time(fields.Datetime.now() + timedelta(days=1)):
            self.run_nightly()
            second = self.last_run()
            self.assertEqual((second.kind, second.state), ("nightly", "done"))

    def test_model_is_renewed_weekly(self):
        for days, models in ((0, 1), (1, 1), (6, 1), (7, 2)):
            with self.subTest(days=days):
                with freeze_time(fields.Datetime.now() + timedelta(days=days)):
                    self.run_nightly()
                self.assertEqual(self.last_run().state, "done")
                found = self.env["lifecycle.clv.model"].search([("company_id", "=", self.home.id)])
                self.assertEqual(len(found), models)

    def test_too_little_data_is_said(self):
        self.run_nightly()
        run = self.last_run(self.small)
        self.assertEqual(run.state, "done")
        self.assertIn("1 of 20 customers", run.message)
        profile = self.profile(self.customers[0], self.small)
        self.assertEqual((profile.order_count, profile.clv_historical), (1, 5))
        self.assertFalse(profile.predicted)
        self.assertIs(profile.p_order, False)

    def test_predictions_are_there_and_sane(self):
        self.run_nightly()
        profiles = self.home_profiles()
        self.assertEqual(len(profiles), 40)
        for profile in profiles:
            self.assertTrue(profile.predicted)
            self.assertTrue(0 <= profile.p_order <= 1 and 0 <= profile.p_alive <= 1)
            self.assertLessEqual(profile.p_order_30, profile.p_order + 0.01)
            self.assertGreaterEqual(profile.clv_predicted, 0)
            self.assertAlmostEqual(
                profile.clv_total, profile.clv_historical + profile.clv_predicted, 2
            )
        active = self.customers.filtered(
            lambda partner: partner.lifecycle_days_since_last_order < 60
        )
        lost = self.customers.filtered(
            lambda partner: partner.lifecycle_days_since_last_order > 200
        )
        self.assertGreater(
            min(active.mapped("clv_p_order")), max(lost.mapped("clv_p_order")),
            "who has stopped must be less likely to order than who has not",
        )

    def test_by_hand(self):
        self.run_nightly()
        self.env["lifecycle.run"].action_recompute()
        run = self.last_run()
        self.assertEqual((run.kind, run.state), ("manual", "pending"))
        self.env["lifecycle.run"].action_recompute()
        self.assertEqual(self.last_run(), run, "asking twice makes one run")
        models = self.env["lifecycle.clv.model"].search_count([("company_id", "=", self.home.id)])
        self.run_nightly()
        self.assertEqual(run.state, "done")
        self.assertEqual(
            self.env["lifecycle.clv.model"].search_count([("company_id", "=", self.home.id)]),
            models + 1,
            "recomputing by hand fits anew",
        )

    def test_nightly_run_is_made_although_one_by_hand_came_first(self):
        self.request(kind="manual")
        self.run_nightly()
        self.assertEqual(self.last_run().state, "done")
        self.assertTrue(self.customers[0].lifecycle_order_count)

    def test_changed_settings(self):
        """A quarter of revenue counted as value: history and predictions follow the same day."""
        self.run_nightly()
        before = self.figures(self.home)
        self.home.write({"lifecycle_value": "percent", "lifecycle_margin_percent": 25})
        run = self.last_run()
        self.assertEqual((run.kind, run.state), ("settings", "pending"))
        self.run_nightly()
        self.assertEqual(run.state, "done")
        after = self.figures(self.home)
        for key, old in before.items():
            new = after[key]
            self.assertEqual(new["revenue"], old["revenue"])
            self.assertAlmostEqual(float(new["clv_historical"]), float(old["revenue"]) / 4, 0)
            self.assertAlmostEqual(
                float(new["clv_predicted"]), float(old["clv_predicted"]) / 4,
                delta=0.03 * float(old["clv_predicted"]) + 0.5,
            )

    def test_longer_horizon(self):
        self.run_nightly()
        before = self.figures(self.home)
        self.home.lifecycle_horizon = 730
        self.run_nightly()
        after = self.figures(self.home)
        grown = [
            key for key in before
            if (after[key]["expected_orders"] or 0) > (before[key]["expected_orders"] or 0)
        ]
        self.assertGreater(len(grown), 20)

    def test_bad_settings_are_refused(self):
        for values in ({"lifecycle_horizon": 5}, {"lifecycle_discount_rate": 120}):
            with self.subTest(values=values), mute_logger("odoo.sql_db"):
                with self.assertRaises(errors.CheckViolation):
                    self.home.write(values)
                    self.home.flush_recordset()


class TestOnlyWhatChanged(RunCase):
    def test_second_run_of_a_day_writes_nothing(self):
        self.run_nightly()
        figures, versions = self.figures(self.home), self.versions()
        run = self.request(kind="manual")
        self.run_nightly()
        self.assertEqual((run.state, run.changed_count), ("done", 0))
        self.assertEqual(self.versions(), versions)
        self.assertEqual(self.figures(self.home), figures)

    def test_a_night_rewrites_only_what_reads_differently(self):
        """A row gets a new version exactly when one of its figures is another."""
        self.run_nightly()
        figures, versions = self.rows(), self.versions()
        with freeze_time(fields.Datetime.now() + timedelta(days=1)):
            self.run_nightly()
            self.assertEqual(self.last_run().kind, "nightly")
        later, rewritten = self.rows(), self.versions()
        kept = 0
        for profile_id, row in figures.items():
            same = later[profile_id] == row
            kept += same
            with self.subTest(profile=profile_id):
                self.assertEqual(rewritten[profile_id] == versions[profile_id], same)
        self.assertGreater(kept, 5, "nothing happened to many of them")
        self.assertLess(kept, 40)

    def test_profile_goes_to_the_archive_and_comes_back(self):
        self.run_nightly()
        partner = self.customers[3]
        profile = self.profile(partner)
        before = self.figures(self.home)[partner.id, self.home.id]
        self.assertTrue(profile.active)
        partner.lifecycle_exclude = True
        self.run_refresh()
        self.assertFalse(profile.active)
        self.assertFalse(partner.lifecycle_profile_id)
        gone = self.figures(self.home)[partner.id, self.home.id]
        self.assertFalse(gone["predicted"] or gone["clv_total"] or gone["order_count"])
        self.assertIsNone(gone["p_order"])
        partner.lifecycle_exclude = False
        self.run_refresh()
        self.assertEqual(self.profile(partner), profile, "the same profile, with its history")
        self.assertEqual(self.figures(self.home)[partner.id, self.home.id], before)

    def test_changes_that_a_run_has_not_seen_stay_queued(self):
        """It takes off the queue what its snapshot held, of its own company only."""
        self.run_nightly()
        self.empty_queue()
        seen, during, everywhere = self.customers[:3]
        self.new_purchase(seen, 10, company=self.home)
        everywhere.email = "everywhere@example.com"
        self.assertEqual(self.queued(), {(seen.id, self.home.id), (everywhere.id, 0)})
        pipeline = self.env.registry["lifecycle.pipeline"]
        store = pipeline._store_facts

        def store_while_somebody_saves(record, company, *args):
            record.env.cr.execute(
                "INSERT INTO lifecycle_queue (partner_id, company_id) VALUES (%s, %s)",
                [during.id, company.id],
            )
            return store(record, company, *args)

        self.request(kind="manual")
        with patch.object(pipeline, "_store_facts", store_while_somebody_saves):
            self.run_nightly()
        self.assertEqual(self.queued(), {(during.id, self.home.id), (everywhere.id, 0)})

    def test_last_purchase_taken_away(self):
        partner = self.new_customer("Short")
        purchase = self.new_purchase(partner, 50, company=self.home)
        self.run_nightly()
        self.assertEqual(partner.lifecycle_order_count, 1)
        purchase.unlink()
        self.request(kind="manual")
        self.run_nightly()
        self.assertFalse(self.profile(partner).active)


class TestResuming(RunCase):
    def hurry(self):
        """Let the scheduler's time be over after every commit but the announcing one."""
        cron = self.env.registry["ir.cron"]
        commit = cron._commit_progress

        def impatient(self, processed=0, *, remaining=None, deactivate=False):
            commit(self, processed, remaining=remaining, deactivate=deactivate)
            return 10 if remaining is not None else 0

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
            patch(f"{module}.lifecycle_run.ID_RANGE", span),
            patch(f"{module}.lifecycle_pipeline.STORE_BATCH", 7),
            patch(f"{module}.lifecycle_prediction.PREDICT_BATCH", 9),
        ):
            self.run_nightly()
        self.assertEqual(self.last_run().state, "done")
        self.assertEqual(self.figures(self.home + self.small), expected)
        self.assertEqual(self.last_run().customer_count, 40)
        run = self.request(kind="manual")
        with (
            patch(f"{module}.lifecycle_run.ID_RANGE", span),
            patch(f"{module}.lifecycle_pipeline.STORE_BATCH", 7),
            patch(f"{module}.lifecycle_prediction.PREDICT_BATCH", 9),
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
    def break_step(self, name, company, error):
        """Let a method of the pipeline or the prediction fail for one company."""
        model = self.env.registry[
            "lifecycle.prediction" if hasattr(self.env["lifecycle.prediction"], name)
            else "lifecycle.pipeline"
        ]
        origin = getattr(model, name)

        def breaking(record, of_company, *args, **kwargs):
            if of_company == company:
                raise error
            return origin(record, of_company, *args, **kwargs)

        return patch.object(model, name, breaking)

    @mute_logger(RUN_LOG)
    def test_failed_step_says_what_and_where_and_others_go_on(self):
        self.run_nightly()
        good = self.figures(self.home)
        for name, words in (
            ("_collect_facts", "Purchase histories"),
            ("_store_facts", "Purchase histories"),
            ("_fit", "Fitting the model"),
            ("_predict", "Predictions"),
        ):
            with self.subTest(step=name):
                run = self.request(kind="manual", refit=True)
                other = self.env["lifecycle.run"]._request(self.small, kind="manual")
                with self.break_step(name, self.home, ArithmeticError("no such number")):
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
                savepoint.rollback()
            self.env.invalidate_all()

    @mute_logger(RUN_LOG)
    def test_users_changes_that_cross_a_step(self):
        """Somebody merges or deletes a customer meanwhile: the step is simply done again."""
        pipeline = self.env.registry["lifecycle.pipeline"]
        origin = pipeline._store_facts
        for error in (errors.SerializationFailure, errors.ForeignKeyViolation):
            for times, state in ((1, "done"), (99, "failed")):
                left = [times]

                def crossed(record, *args, left=left, error=error):
                    if left[0]:
                        left[0] -= 1
                        raise error("crossed")
                    return origin(record, *args)

                with self.subTest(error=error, times=times):
                    run = self.request(kind="manual")
                    with patch.object(pipeline, "_store_facts", crossed):
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
        self.other.execute(f"SELECT {function}(%s, %s)", [LOCK_KEY, company.id])
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
            (self.run_nightly, pipeline, "_collect_facts"),
            (self.run_nightly, pipeline, "_store_facts"),
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


class TestRefreshEqualsNightly(RunCase):
    """Whatever users do, the refresh of the customers concerned gives what a full run gives."""

    ROUNDS = 12

    def test_random_changes(self):
        self.run_nightly()
        chance = random.Random(7)
        partners = self.customers + self.env["res.partner"].create(
            [{"name": f"Newcomer {number}", "email": f"n{number}@example.com"}
             for number in range(5)]
        )
        for number in range(self.ROUNDS):
            done = [self.change(chance, partners) for _ in range(chance.randint(1, 4))]
            self.run_refresh()
            refreshed = self.figures(self.home)
            run = self.request(kind="manual")
            self.run_nightly()
            self.assertEqual(run.state, "done", run.message)
            complete = self.figures(self.home)
            with self.subTest(round=number, changes=done):
                self.assertEqual(refreshed, complete)
                self.assertEqual(run.changed_count, 0)

    def change(self, chance, partners):
        Purchase = self.env["lifecycle.external.purchase"]
        partner = chance.choice(partners)
        purchase = Purchase.search([("partner_id", "=", partner.id)], limit=1)
        other = chance.choice(partners)
        kind = chance.choice(
            ["buy", "refund", "order", "amount", "date", "move", "delete", "cancel", "exclude",
             "include", "parent", "orphan", "archive", "lead", "future"]
        )
        if kind in ("buy", "refund"):
            amount = chance.choice([10, 500]) * (1 if kind == "buy" else -1)
            self.new_purchase(partner, amount, chance.randint(0, 90), self.home)
        elif kind == "future":
            self.new_purchase(partner, 40, -5, self.home)
        elif kind == "order":
            self.new_order(partner, 33, chance.randint(0, 60), self.home)
        elif kind == "cancel":
            order = self.env["sale.order"].search(
                [("state", "=", "sale"), ("company_id", "=", self.home.id)], limit=1
            )
            order._action_cancel()
        elif kind == "amount":
            purchase.amount += 100
        elif kind == "date":
            if purchase:
                purchase.date -= timedelta(days=10)
        elif kind == "move":
            purchase.partner_id = other
        elif kind == "delete":
            purchase.unlink()
        elif kind in ("exclude", "include"):
            partner.lifecycle_exclude = kind == "exclude"
        elif kind == "parent":
            if not partner.child_ids and not other.parent_id and partner != other:
                partner.parent_id = other
        elif kind == "orphan":
            partner.parent_id = False
        elif kind == "archive":
            partner.active = not partner.active
        elif kind == "lead":
            self.env["crm.lead"].create(
                {"name": "L", "partner_id": partner.id, "company_id": self.home.id}
            )
        return kind, partner.name
