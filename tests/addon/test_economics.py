"""Getting against keeping customers: every figure against a second, independent computation."""

from datetime import date, timedelta
from unittest.mock import patch

from odoo.tests import new_test_user

from .common import LifecycleHttpCase
from .test_spending import SpendingCase

LARGE = "odoo.addons.customer_lifecycle.models.lifecycle_economics_cube.LARGE"
MEASURES = {
    "new_customers": "sum",
    "getting": "sum",
    "cost_per_new": "avg",
    "earned": "sum",
    "expected": "sum",
    "value_per_money": "avg",
    "payback_months": "avg",
    "active_customers": "sum",
    "keeping": "sum",
    "cost_per_active": "avg",
    "repeat_revenue": "sum",
    "keeping_percent": "avg",
    "lost_customers": "sum",
}


def month_of(day):
    return day.replace(day=1)


def months_between(first, last):
    return 12 * (last.year - first.year) + last.month - first.month


class EconomicsCase(SpendingCase):
    """Four customers on two channels and none, over half a year."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fair = cls.env["utm.source"].create({"name": "Economics fair"})
        cls.none = cls.env["utm.source"]
        names = ("Ada", "Bo", "Cleo", "Dan")
        cls.ada, cls.bo, cls.cleo, cls.dan = map(cls.new_customer, names)
        cls.channels = {
            cls.ada: cls.ads, cls.bo: cls.ads, cls.cleo: cls.fair, cls.dan: cls.none
        }
        #: customer, months ago, amount
        cls.bought = [
            (cls.ada, 6, 100), (cls.ada, 4, 50), (cls.ada, 1, 70),
            (cls.bo, 5, 30), (cls.bo, 4, 200), (cls.bo, 0, 10),
            (cls.cleo, 5, 500),
            (cls.dan, 2, 40), (cls.dan, 1, 60),
        ]  # fmt: skip
        #: purpose, channel, months ago, amount
        cls.spent = [
            ("getting", cls.ads, 6, 120), ("getting", cls.ads, 5, 80),
            ("getting", cls.fair, 5, 900), ("getting", cls.none, 5, 60),
            ("getting", cls.none, 3, 25), ("keeping", cls.ads, 4, 30),
            ("keeping", cls.none, 1, 18), ("keeping", cls.none, 4, 8),
        ]  # fmt: skip

    def write_down(self):
        for customer, months, amount in self.bought:
            self.new_purchase(customer, amount, company=self.company,
                              date=self.in_month(months))
        for purpose, channel, months, amount in self.spent:
            self.spend(amount, purpose=purpose, source_id=channel.id,
                       date_from=self.in_month(months))
        self.compute()

    def compute(self):
        self.store()
        for customer, channel in self.channels.items():
            self.profile(customer, self.company).first_source_id = channel
        self.env.flush_all()

    def in_month(self, months):
        """The first day of a month: it is past in any case."""
        day = self.today.replace(day=1)
        for _number in range(months):
            day = (day - timedelta(days=1)).replace(day=1)
        return day

    def report(self, *groupby, domain=(), **context):
        """Measures by what is grouped by."""
        self.env.flush_all()
        rows = self.env["lifecycle.economics"].with_context(**context)._read_group(
            list(domain), list(groupby),
            [f"{name}:{function}" for name, function in MEASURES.items()],
        )
        result = {}
        for row in rows:
            key, values = row[: len(groupby)], row[len(groupby):]
            result[key if len(key) > 1 else key[0] if key else None] = dict(
                zip(MEASURES, values, strict=True)
            )
        return result

    def second_opinion(self, wanted):
        """The same figures, in plain Python, from the lists of what was bought and spent.

        :param wanted: function of (month, channel) that says whether they belong to the group
        """
        first = {}
        for customer, months, _amount in self.bought:
            first[customer] = min(first.get(customer, date.max), self.in_month(months))
        new = {one for one, month in first.items() if wanted(month, self.channels[one])}
        getting, keeping = (
            sum(amount for purpose, channel, months, amount in self.spent
                if purpose == side and wanted(self.in_month(months), channel))
            for side in ("getting", "keeping")
        )
        earned = sum(amount for one, _months, amount in self.bought if one in new)
        active = {(one, months) for one, months, _amount in self.bought
                  if wanted(self.in_month(months), self.channels[one])}
        repeat = sum(amount for one, months, amount in self.bought
                     if self.in_month(months) > first[one]
                     and wanted(self.in_month(months), self.channels[one]))
        payback = False
        ages = sorted({months_between(first[one], self.in_month(months))
                       for one, months, _amount in self.bought if one in new})
        for age in ages if getting else ():
            so_far = sum(amount for one, months, amount in self.bought if one in new
                         and months_between(first[one], self.in_month(months)) <= age)
            if so_far >= getting:
                payback = age
                break
        return {
            "new_customers": len(new),
            "getting": getting or False,
            "cost_per_new": getting / len(new) if getting and new else False,
            "earned": earned,
            "expected": 0,
            "value_per_money": earned / getting if getting else False,
            "payback_months": payback,
            "active_customers": len(active),
            "keeping": keeping or False,
            "cost_per_active": keeping / len(active) if keeping and active else False,
            "repeat_revenue": repeat,
            "keeping_percent": 100 * keeping / repeat if keeping and repeat else False,
            "lost_customers": 0,
        }

    def assert_same(self, found, expected):
        for name, value in expected.items():
            with self.subTest(measure=name):
                if value is False:
                    self.assertIs(found[name], False)
                else:
                    self.assertIsNot(found[name], False)
                    self.assertAlmostEqual(float(found[name]), value, 6)


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

    def test_row_opens_what_was_spent(self):
        self.write_down()
        row = self.env["lifecycle.economics"].search(
            [("month", "=", self.in_month(5)), ("source_id", "=", self.ads.id)]
        )
        action = row.action_view_spending()
        lines = self.env[action["res_model"]].search(action["domain"])
        self.assertEqual(sum(lines.mapped("amount")), 80)


class TestOverview(EconomicsCase):
    def overview(self, domain=(), **context):
        self.env.flush_all()
        return self.env["lifecycle.economics"].with_context(**context).get_overview(list(domain))

    def values(self, side):
        return {figure["name"]: figure["value"] for figure in side["figures"]}

    def test_empty_company_says_what_to_do(self):
        company = self.new_company("Nobody yet", lifecycle_tz="UTC")
        model = self.env["lifecycle.economics"].with_company(company)
        self.assertFalse(model.search([]))
        found = model.get_overview([])
        self.assertIn("not known yet", found["headline"])
        for side in ("getting", "keeping"):
            self.assertFalse(found[side]["known"])
            self.assertIn("Enter what you spent", found[side]["text"])
        values = self.values(found["getting"])
        self.assertEqual(values["new_customers"], "0")
        for name in ("getting", "cost_per_new", "value_per_money", "payback_months"):
            self.assertIsNone(values[name])

    def test_headline_compares_getting_with_keeping(self):
        self.write_down()
        total = self.report()[None]
        months = total["cost_per_new"] / total["cost_per_active"]
        self.assertGreater(months, 10)
        self.assertIn(f"for {months:.0f} months", self.overview()["headline"])
        self.spent = []
        self.env["lifecycle.spending"].search([("purpose", "=", "keeping")]).unlink()
        self.assertIn("What keeping customers costs is not known", self.overview()["headline"])

    def test_figures_are_those_of_the_report(self):
        self.write_down()
        found = self.overview()
        money = self.env["lifecycle.economics"]._money
        getting = self.values(found["getting"])
        self.assertEqual(getting["new_customers"], "4")
        self.assertEqual(getting["getting"], money(1185))
        self.assertEqual(getting["value"], money(1060))
        self.assertEqual(getting["payback_months"], "Not yet")
        self.assertIn(money(85), found["getting"]["text"])
        keeping = self.values(found["keeping"])
        # eight times somebody ordered in one of seven months
        self.assertEqual(keeping["active_customers"], "1")
        self.assertEqual(keeping["keeping"], money(56))
        self.assertEqual(keeping["lost_customers"], "0")
        shared = self.overview(lifecycle_share_out=True)
        self.assertIn(money(25), shared["getting"]["text"])


class TestEconomicsTour(LifecycleHttpCase):
    def test_overview_and_pivot_follow_the_filters(self):
        company = self.env.company
        today = company._lifecycle_today()
        partner = self.env["res.partner"].create({"name": "Tour customer"})
        self.env["lifecycle.external.purchase"].create(
            {"partner_id": partner.id, "date": today, "amount": 200, "company_id": company.id}
        )
        self.env["lifecycle.pipeline"]._refresh(company, partner.ids)
        new_test_user(
            self.env, "economics_tour", "sales_team.group_sale_manager", lang="en_US",
            company_id=company.id, company_ids=company.ids,
        )
        self.start_tour("/odoo/getting-and-keeping", "lifecycle_economics",
                        login="economics_tour")
        spending = self.env["lifecycle.spending"].search([("name", "=", "Tour advert")])
        self.assertEqual((spending.amount, spending.purpose), (50, "getting"))
