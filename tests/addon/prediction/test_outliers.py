"""One order of ten millions is named to the manager, and the total forecast does not hang on it."""

from ..common_revenue import RevenueCase

HUGE = 10_000_000


class TestOutliers(RevenueCase):
    def forecast(self):
        """The run's message and what is expected of everybody, fitted anew."""
        run = self.env["lifecycle.run"]._request(self.company, refit=True)
        self.run_nightly()
        self.assertEqual(run.state, "done", run.message)
        profiles = self.env["lifecycle.profile"].search([("company_id", "=", self.company.id)])
        model = self.env["lifecycle.clv.model"]._current(self.company)
        self.assertTrue(model.sufficient, model.missing_text)
        return run.message, {one.partner_id: one.clv_predicted for one in profiles}, model

    def test_the_forecast_does_not_hang_on_one_order(self):
        message, before, model = self.forecast()
        self.assertFalse(model.outlier_text)
        self.assertNotIn("far beyond", message)
        total = sum(before.values())
        # of a good customer, of one who bought once, and of a new one
        regular = max(before, key=before.get)
        once = self.profiles.filtered(lambda one: one.order_count == 1)[:1].partner_id
        for customer in (regular, once or self.customers[-1], self.new_customer("Slip Ltd")):
            with self.subTest(customer=customer.name):
                order = self.new_order(
                    customer, HUGE, days_ago=20, company=self.company
                )
                message, after, model = self.forecast()
                self.assertLess(sum(after.values()), 1.5 * total)
                self.assertGreater(sum(after.values()), 0.7 * total)
                for other, expected in before.items():
                    if other != customer:
                        self.assertLess(abs(after[other] - expected), 0.1 * expected + 50)
                # named where managers look, with what it counts as
                for text in (message, model.outlier_text):
                    self.assertIn(customer.name, text)
                    self.assertIn("10,000,000", text)
                action = model.action_view_outliers()
                listed = self.env[action["res_model"]].search(action["domain"])
                self.assertEqual(listed.mapped("res_id"), order.ids)
                # what was earned is what was earned
                profile = self.profile(customer, self.company)
                self.assertGreaterEqual(profile.clv_historical, HUGE * 0.99)
                interval = self.env["lifecycle.prediction"]._interval(profile, self.today)
                self.assertLess(interval["high"], HUGE / 20)
                # corrected, everything is as before
                order._action_cancel()
                message, again, model = self.forecast()
                self.assertFalse(model.outlier_text)
                self.assertAlmostEqual(sum(again.values()), total, delta=0.02 * total)

    def test_who_was_not_in_the_sample_is_named_by_his_average(self):
        self.new_order(self.customers[3], HUGE, days_ago=20, company=self.company)
        _message, _before, model = self.forecast()
        late = self.new_customer("Latecomer Ltd")
        self.new_order(late, 2 * HUGE, days_ago=1, company=self.company)
        self.run_refresh()
        model.invalidate_recordset()
        self.assertIn("Latecomer Ltd, on average", model.outlier_text)
        self.assertLess(self.profile(late, self.company).clv_predicted, HUGE / 100)

    def test_the_value_per_revenue_does_not_hang_on_one_order(self):
        self.company.lifecycle_value = "margin"
        self.company.lifecycle_margin_percent = 30
        _message, _before, model = self.forecast()
        self.assertAlmostEqual(model.value_ratio, 0.3, places=2)
        # a slip of the keyboard, sold at hardly any margin
        self.new_purchase(self.customers[3], HUGE, 20, self.company, margin=1)
        _message, _after, model = self.forecast()
        self.assertIn(self.customers[3].name, model.outlier_text)
        self.assertAlmostEqual(model.value_ratio, 0.3, places=2)
