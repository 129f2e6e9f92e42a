"""Getting against keeping customers: every figure against a second, independent computation."""

from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import UserError

from ..common_economics import MEASURES, EconomicsCase

LARGE = "odoo.addons.customer_lifecycle.models.economics.economics_cube.LARGE"


class TestEconomics(EconomicsCase):
    def test_ratios_are_right_in_every_grouping(self):
        self.write_down()
        total = self.report()[None]
        self.assert_same(total, self.second_opinion(lambda month, channel: True))
        by_source = self.report("source_id")
        self.assertEqual(set(by_source), {self.ads, self.fair, self.none})
        for source, found in by_source.items():
            self.assert_same(
                found, self.second_opinion(lambda _month, channel, one=source: channel == one)
            )
        by_month = self.report("month:month")
        self.assertEqual(set(by_month), set(map(self.in_month, range(7))))
        for month, found in by_month.items():
            self.assert_same(
                found, self.second_opinion(lambda day, _channel, one=month: day == one)
            )
        for (month, source), found in self.report("month:month", "source_id").items():
            self.assert_same(
                found,
                self.second_opinion(
                    lambda day, channel, which=(month, source): (day, channel) == which
                ),
            )
        recent = [("month", ">=", self.in_month(4))]
        self.assert_same(
            self.report(domain=recent)[None],
            self.second_opinion(lambda day, _channel: day >= self.in_month(4)),
        )

    def test_by_hand(self):
        self.write_down()
        ads, fair, none = map(self.report("source_id").get, (self.ads, self.fair, self.none))
        # two customers for 200: 100 each; 130 at first, 180 two months later… 380 with one month
        self.assertEqual((ads["new_customers"], ads["getting"], ads["cost_per_new"]),
                         (2, 200, 100))
        self.assertEqual(ads["payback_months"], 1)
        self.assertAlmostEqual(float(ads["value_per_money"]), 460 / 200)
        # 500 for 900: not paid back, which is not the same as at once
        self.assertIs(fair["payback_months"], False)
        self.assertEqual(fair["cost_per_new"], 900)
        self.assertIs(fair["cost_per_active"], False)
        self.assertEqual(none["cost_per_new"], 85)

    def test_rows_of_the_list_say_the_same(self):
        self.write_down()
        self.env.invalidate_all()
        groups = self.report("month:month", "source_id")
        rows = self.env["lifecycle.economics"].search([])
        self.assertEqual(len(rows), len(groups))
        self.assertEqual(len(set(rows.ids)), len(rows))
        for row in rows:
            self.assert_same(
                {name: row[name] for name in MEASURES},
                {name: value and float(value)
                 for name, value in groups[row.month, row.source_id].items()},
            )

    def test_money_without_a_channel_is_shared_out_on_request_only(self):
        self.write_down()
        plain = self.report("source_id")
        self.assertEqual(plain[self.none]["getting"], 85)
        shared = self.report("source_id", lifecycle_share_out=True)
        # 60 in the month of Bo and Cleo: 30 each; 25 in a month without new customers stay
        self.assertAlmostEqual(float(shared[self.ads]["getting"]), 230)
        self.assertAlmostEqual(float(shared[self.fair]["getting"]), 930)
        self.assertAlmostEqual(float(shared[self.none]["getting"]), 25)
        # 8 in the month of Ada and Bo; 18 in the month of Ada and Dan
        self.assertAlmostEqual(float(shared[self.ads]["keeping"]), 30 + 8 + 9)
        self.assertAlmostEqual(float(shared[self.none]["keeping"]), 9)
        for name in ("getting", "keeping", "new_customers", "earned", "repeat_revenue"):
            self.assertAlmostEqual(
                float(sum(row[name] or 0 for row in shared.values())),
                float(sum(row[name] or 0 for row in plain.values())),
            )

    def test_refund_lowers_revenue_and_makes_nobody_active(self):
        self.bought = [(self.ada, 3, 100), (self.ada, 2, 50)]
        self.spent = []
        self.write_down()
        self.new_purchase(self.ada, -20, company=self.company, date=self.in_month(1))
        self.compute()
        found = self.report()[None]
        self.assertEqual((found["repeat_revenue"], found["active_customers"]), (30, 2))
        self.assertEqual(found["earned"], 130)

    def test_first_day_is_no_repeat_order(self):
        self.bought, self.spent = [(self.ada, 3, 100)], []
        self.write_down()
        day = self.in_month(3)
        self.new_purchase(self.ada, 11, company=self.company, date=day)
        self.new_purchase(self.ada, 7, company=self.company, date=day + timedelta(days=1))
        self.compute()
        found = self.report()[None]
        self.assertEqual((found["repeat_revenue"], found["active_customers"]), (7, 1))

    def test_expected_value_counts_where_it_is_known(self):
        self.write_down()
        self.profile(self.cleo, self.company).write({"clv_predicted": 400, "clv_total": 900})
        found = self.report("source_id")[self.fair]
        self.assertEqual((found["earned"], found["expected"]), (500, 400))
        self.assertAlmostEqual(float(found["value_per_money"]), 1)

    def test_rewards_do_not_lower_the_value_and_cost_besides(self):
        program = self.loyalty("First", "promotion", applies_on="current", trigger="auto")
        order = self.order(100, partner=self.dan, days_ago=40)
        self.env["sale.order.line"].create(
            {"order_id": order.id, "name": "Reward", "product_id": self.product.id,
             "product_uom_qty": 1, "price_unit": -20, "tax_ids": False,
             "reward_id": program.reward_ids.id}
        )
        self.compute()
        found = self.report()[None]
        self.assertEqual((found["earned"], found["getting"]), (80, 20))
        # 100 worth of goods for 20, and at once
        self.assertAlmostEqual(float(found["value_per_money"]), 5)
        self.assertEqual(found["payback_months"], 0)
        self.company.write({"lifecycle_value": "percent", "lifecycle_margin_percent": 50})
        self.compute()
        found = self.report()[None]
        self.assertEqual((found["earned"], found["getting"]), (40, 20))
        self.assertAlmostEqual(float(found["value_per_money"]), 2.5)

    def test_lost_customers_are_those_who_became_lost(self):
        self.write_down()
        lost = self.env.ref("customer_lifecycle.stage_lost")
        active = self.env.ref("customer_lifecycle.stage_active")
        moves = [
            (self.ada, active, lost, "rule", 4), (self.ada, lost, active, "rule", 3),
            (self.ada, active, lost, "reconstructed", 2), (self.bo, active, lost, "edit", 2),
            (self.cleo, False, lost, "initial", 2), (self.dan, active, lost, "person", 2),
        ]  # fmt: skip
        for number, (customer, before, after, cause, months) in enumerate(moves, 100):
            self.env["lifecycle.transition"].create(
                {
                    "profile_id": self.profile(customer, self.company).id,
                    "kind": "stage",
                    "number": number,
                    "from_stage_id": before and before.id,
                    "to_stage_id": after.id,
                    "cause": cause,
                    "date": self.in_month(months),
                }
            )
        by_month = self.report("month:month")
        self.assertEqual(by_month[self.in_month(4)]["lost_customers"], 1)
        self.assertEqual(by_month[self.in_month(2)]["lost_customers"], 2)
        self.assertEqual(self.report("source_id")[self.ads]["lost_customers"], 2)

    def test_foreign_money_is_in_company_currency(self):
        self.set_rates("EUR", {1000: 0.5})
        self.bought, self.spent = [], []
        self.new_purchase(self.ada, 100, company=self.company, date=self.in_month(2),
                          currency_id=self.currency("EUR").id)
        self.spend(30, currency_id=self.currency("EUR").id, date_from=self.in_month(2))
        self.compute()
        found = self.report()[None]
        self.assertEqual((found["earned"], found["getting"]), (200, 60))

    def test_sums_kept_for_a_large_company_say_the_same(self):
        self.write_down()
        live = self.report("month:month", "source_id")
        cube = self.env["lifecycle.economics.cube"]
        model = self.env["lifecycle.economics"]
        model.get_overview([])
        self.assertFalse(cube.search([]), "a small company is read live")
        with patch(LARGE, 8):
            self.assertTrue(model.get_overview([])["as_of"])
        self.assertEqual(self.report("month:month", "source_id"), live)
        # kept: what is bought now is seen when somebody counts again, or tomorrow
        self.new_purchase(self.dan, 1000, company=self.company, date=self.in_month(1))
        before = self.report()[None]["repeat_revenue"]
        self.assertEqual(before, sum(row["repeat_revenue"] for row in live.values()))
        model.action_count_again()
        self.assertEqual(self.report()[None]["repeat_revenue"], before + 1000)
        # what was counted under other settings or long ago does not count
        self.company.lifecycle_tz = "Asia/Tokyo"
        self.assertIsNone(cube._as_of(self.company))
        self.company.lifecycle_tz = "UTC"
        self.assertTrue(cube._as_of(self.company))
        self.env.cr.execute("UPDATE lifecycle_economics_cube SET as_of = as_of - interval '2 d'")
        self.assertIsNone(cube._as_of(self.company))

    def test_kept_sums_are_renewed_at_night_and_forgotten_with_the_sources(self):
        self.write_down()
        cube = self.env["lifecycle.economics.cube"]
        cron = "customer_lifecycle.ir_cron_lifecycle_economics"
        cube._keep(self.company)
        self.new_purchase(self.dan, 1000, company=self.company, date=self.in_month(1))
        with patch(LARGE, 8):
            self.run_cron(cron)
        self.assertEqual(
            sum(cube.search([("company_id", "=", self.company.id)]).mapped("repeated")), 1390
        )
        self.run_cron(cron)
        self.assertFalse(cube.search([]), "not large any more: read live")
        cube._keep(self.company)
        self.env["lifecycle.revenue.source"].search([], limit=1).active = False
        self.assertFalse(cube.search([]))

    def test_two_who_summed_up_at_once_do_not_double_the_sums(self):
        self.write_down()
        live = self.report("month:month", "source_id")
        self.env["lifecycle.economics.cube"]._keep(self.company)
        # the rows of one who had begun before the other's were there to be deleted
        self.env.cr.execute(
            """INSERT INTO lifecycle_economics_cube
                      (company_id, as_of, settings, month, cohort, active_count, repeated, value)
               SELECT company_id, as_of - interval '1 s', settings, month, cohort, active_count,
                      repeated, value
                 FROM lifecycle_economics_cube"""
        )
        self.assertEqual(self.report("month:month", "source_id"), live)

    def test_app_that_wakes_a_source_makes_kept_sums_old(self):
        self.write_down()
        cube = self.env["lifecycle.economics.cube"]
        cube._keep(self.company)
        self.assertTrue(cube._as_of(self.company))
        self.env.flush_all()
        # no record is saved when an app brings a source's model
        self.env.cr.execute(
            "UPDATE lifecycle_revenue_source SET active = FALSE WHERE model = 'sale.order'"
        )
        self.env.invalidate_all()
        self.env.registry.clear_cache()
        self.assertIsNone(cube._as_of(self.company))

    def test_company_that_cannot_be_counted_does_not_stop_the_others(self):
        self.write_down()
        cube, model = self.env["lifecycle.economics.cube"], self.env.registry["lifecycle.economics"]
        other = self.new_company("Counted later", lifecycle_tz="UTC")
        self.new_purchase(self.dan, 9, company=other)
        self.store(other)
        for company in (self.company, other):
            cube._keep(company)
        self.env.cr.execute("UPDATE lifecycle_economics_cube SET as_of = as_of - interval '9 d'")
        count = model._cube_sql

        def broken(records, company, **options):
            if company == self.company:
                raise UserError("A source is broken")
            return count(records, company, **options)

        with patch(LARGE, 0), patch.object(model, "_cube_sql", broken):
            with self.assertLogs(f"{LARGE.rpartition('.')[0]}", "WARNING") as logs:
                self.run_cron("customer_lifecycle.ir_cron_lifecycle_economics")
        self.assertIn("A source is broken", logs.output[0])
        self.assertIsNone(cube._as_of(self.company))
        self.assertTrue(cube._as_of(other))

    def test_row_opens_what_was_spent(self):
        self.write_down()
        row = self.env["lifecycle.economics"].search(
            [("month", "=", self.in_month(5)), ("source_id", "=", self.ads.id)]
        )
        action = row.action_view_spending()
        lines = self.env[action["res_model"]].search(action["domain"])
        self.assertEqual(sum(lines.mapped("amount")), 80)
