"""The pace of a customer's last orders reaches his forecast, and the form says what was learnt."""

from datetime import timedelta

from odoo.addons.customer_lifecycle import kernel

from ..common_revenue import RevenueCase


class TestLearnt(RevenueCase):
    def test_the_sixth_last_order_is_kept(self):
        customer = self.new_customer("Pace Ltd")
        few = self.new_customer("Few Ltd")
        for days_ago in (300, 250, 200, 150, 100, 50, 20, 10):
            self.new_purchase(customer, 50, days_ago, self.company)
        # what came back as a whole is no order
        self.new_purchase(customer, -20, 5, self.company)
        for days_ago in (80, 40):
            self.new_purchase(few, 50, days_ago, self.company)
        self.run_nightly()
        for partner, days_ago in ((customer, 200), (few, 80)):
            with self.subTest(partner.name):
                self.assertEqual(
                    self.profile(partner, self.company).pace_date,
                    self.today - timedelta(days=days_ago),
                )
        # another order moves it, also where only one customer is looked at
        self.new_purchase(customer, 50, 1, self.company)
        self.run_refresh()
        self.assertEqual(
            self.profile(customer, self.company).pace_date, self.today - timedelta(days=150)
        )

    def test_the_form_says_what_was_learnt(self):
        self.run_nightly()
        model = self.env["lifecycle.clv.model"]._current(self.company)
        factor = {
            "share": 0.4,
            "trust": 1.0,
            "told": [
                ["pace_change", "high", 12.4],
                ["silence", "high", -8.0],
                ["of_another_version", "low", 7.0],
                ["value", "low", 0.4],
            ],
        }
        data = model.data

        def lines(**changed):
            learnt = {**data["learnt"], "factor": changed and factor | changed}
            model.data = {**data, "learnt": learnt}
            return model._factor_lines()

        told = lines(trust=1.0)
        self.assertEqual(len(told), 3)
        self.assertIn("counts for 40 %", told[0])
        self.assertEqual(
            told[1],
            "12 % more orders are expected of customers who order faster lately than before.",
        )
        self.assertEqual(
            told[2], "8 % fewer orders are expected of customers who have not ordered for long."
        )
        self.assertIn("left out", lines(trust=0.0)[0])
        self.assertFalse(lines())

    def test_what_is_shown_is_what_the_kernel_says(self):
        self.run_nightly()
        stored = self.env["lifecycle.clv.model"]._current(self.company)
        self.assertTrue(stored.sufficient, stored.missing_text)
        model = kernel.LifetimeModel.from_dict(stored.data)
        profiles = self.profiles.filtered(lambda one: one.order_count > 6)
        self.assertTrue(profiles)
        for profile in profiles:
            first = profile.first_order_date
            found = model.predict(
                profile.order_count - 1,
                (profile.last_order_date - first).days,
                (self.today - first).days,
                profile.average_order_value,
                profile.recent_order_count,
                customer=profile.partner_id.id,
                pace=(self.today - profile.pace_date).days,
            )
            self.assertAlmostEqual(profile.expected_orders, found.expected_orders[0], delta=0.051)
