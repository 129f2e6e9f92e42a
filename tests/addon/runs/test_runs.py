from datetime import timedelta
from unittest.mock import patch

import pytest
from psycopg2 import errors

from odoo import fields
from odoo.tests import freeze_time
from odoo.tools import mute_logger

from odoo.addons.customer_lifecycle.models.prediction.prediction_columns import OUTPUTS
from odoo.addons.customer_lifecycle.models.runs.collect import SUMS
from odoo.addons.customer_lifecycle.models.runs.store import Store

from ..common_runs import RunCase

pytestmark = pytest.mark.long


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

    def test_a_changed_rule_that_waits_does_not_stand_for_the_first_run(self):
        self.request(kind="rules")
        self.run_nightly()
        self.assertTrue(
            self.env["lifecycle.run"].search(
                [
                    ("company_id", "=", self.home.id),
                    ("kind", "=", "first"),
                    ("state", "=", "done"),
                ]
            )
        )

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
        self.assertFalse(any(profile[name] for name in (*SUMS, *OUTPUTS)))
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
        write = Store.store

        def write_while_somebody_saves(store, *args):
            store.cr.execute(
                "INSERT INTO lifecycle_queue (partner_id, company_id) VALUES (%s, %s)",
                [during.id, store.company.id],
            )
            return write(store, *args)

        self.request(kind="manual")
        with patch.object(Store, "store", write_while_somebody_saves):
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
