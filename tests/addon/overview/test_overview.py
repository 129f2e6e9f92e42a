"""The overview against documents made by Odoo's own methods, worked out by hand."""

from dateutil.relativedelta import relativedelta

from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from ..common_money import MoneyCase

SALESMAN = "sales_team.group_sale_salesman"
MANAGER = "sales_team.group_sale_manager"
MONTH = {"days": 30}


class OverviewCase(MoneyCase):
    """Customers of each kind; the period is the last 30 days."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.own = cls.new_user("overview_own", SALESMAN, cls.company)
        cls.manager = cls.new_user("overview_manager", MANAGER, cls.company)
        cls.overview = cls.env["lifecycle.overview"]
        # once a month; in the former period 100 and in this one 130 and 140
        cls.steady = cls.new_customer("Steady", user_id=cls.own.id)
        for days_ago in range(40, 400, 30):
            cls.order(100, days_ago=days_ago, partner=cls.steady)
        cls.order(130, days_ago=20, partner=cls.steady)
        cls.order(140, days_ago=8, partner=cls.steady)
        cls.fresh = cls.new_customer("Fresh")
        cls.order(200, days_ago=5, partner=cls.fresh)
        # in the former period only; then nothing for more than twice the usual time
        cls.quiet = cls.new_customer("Quiet", user_id=cls.own.id)
        for days_ago in range(50, 250, 10):
            cls.order(80, days_ago=days_ago, partner=cls.quiet)
        # a regular, lost for a while, and here again
        cls.back = cls.new_customer("Back")
        for days_ago in range(700, 1000, 30):
            cls.order(60, days_ago=days_ago, partner=cls.back)
        cls.order(90, days_ago=3, partner=cls.back)
        # lost since a year after the last order: ten days ago
        cls.gone = cls.new_customer("Gone")
        for days_ago in range(376, 1000, 20):
            cls.order(50, days_ago=days_ago, partner=cls.gone)
        # bought as much in both periods, and gave back a part of it in this one
        cls.picky = cls.new_customer("Picky")
        cls.order((5, 60), days_ago=45, partner=cls.picky)
        order = cls.order((5, 60), days_ago=15, partner=cls.picky)
        cls.credit(cls.invoice(order, days_ago=14), days_ago=10, quantities={0: 2})
        # bought at another company
        cls.elsewhere = cls.new_company("Overview elsewhere", lifecycle_tz="UTC")
        cls.new_purchase(cls.fresh, 9999, 5, cls.elsewhere)

    def setUp(self):
        super().setUp()
        self.run_nightly()

    def figures(self, method, user=None, domain=(), period=MONTH):
        overview = self.overview.with_user(user or self.manager)
        return getattr(overview, method)(list(domain), period)

    def names(self, domain, user=None):
        profiles = self.env["lifecycle.profile"].with_user(user or self.manager)
        found = profiles.search(Domain(domain) & Domain("company_id", "=", self.company.id))
        return sorted(found.mapped("partner_id.name"))

    def cell(self, key, user=None):
        return self.names([("overview_cell", "=", key)], user)


class TestOverview(OverviewCase):
    def test_periods_stand_beside_those_before(self):
        spans = self.overview._spans(MONTH)
        self.assertEqual(spans["now"], (self.day(29), self.today))
        self.assertEqual(spans["before"], (self.day(59), self.day(30)))
        year = self.today - relativedelta(years=1)
        self.assertEqual(spans["year"].end, year)
        self.assertEqual((year - spans["year"].start).days, 29)
        month = self.overview._spans({"month": True})
        self.assertEqual(month["now"], (self.today.replace(day=1), self.today))
        step = relativedelta(months=1)
        self.assertEqual(
            month["before"], (self.today.replace(day=1) - step, self.today - step)
        )
        long = self.overview._spans({"days": 365})
        self.assertEqual(long["before"], long["year"])
        for period in ({}, {"days": 31}, {"days": "30"}):
            with self.assertRaises(UserError):
                self.overview._spans(period)

    def test_customers_who_came_slipped_and_came_back(self):
        found = self.figures("get_overview")
        self.assertEqual(found["new"]["now"], 1)
        self.assertEqual(found["customers"], 6)
        self.assertEqual(self.names([("first_order_date", ">=", self.day(29))]), ["Fresh"])
        self.assertEqual(found["lost"]["now"], 1)
        self.assertEqual(self.cell(found["cells"]["lost"]), ["Gone"])
        self.assertEqual(found["won_back"]["now"], 1)
        self.assertEqual(self.cell(found["cells"]["won_back"]), ["Back"])
        self.assertEqual(found["risk"]["now"], 1)
        self.assertEqual(self.names(found["risk_domain"]), ["Quiet"])
        # last order 50 days ago, every 10 days: at risk since then, but for the 45 days that
        # the rule waits
        self.assertEqual(found["risk"]["slipped"]["now"], 1)
        # who is lost now was at risk then
        self.assertEqual(self.figures("get_history")["risk"], {"before": 1, "year": 1})
        quiet = self.profile(self.quiet)
        self.assertAlmostEqual(found["risk"]["money"], quiet.money_at_risk, 2)
        self.assertGreater(quiet.money_at_risk, 0)
        [line] = found["slipping"]
        self.assertEqual((line["name"], line["money"]), ("Quiet", quiet.money_at_risk))
        self.assertIn("Usually orders every 10 days", line["reason"])

    def test_movements_and_stock_by_month(self):
        found = self.figures("get_history")
        self.assertEqual(len(found["months"]), 24)
        self.assertEqual(found["months"][-1], str(self.today.replace(day=1)))
        now = {stage["id"]: stage["now"] for stage in found["stages"]}
        self.assertEqual(sum(now.values()), 6)
        self.assertEqual(
            {int(stage): line[-1] for stage, line in found["stock"].items()}, now
        )
        # every stage's stock of the past is what its history says
        for months_ago in (1, 7, 13):
            end = self.today.replace(day=1) - relativedelta(months=months_ago - 1, days=1)
            self.env.cr.execute(
                """SELECT stage, COUNT(*) FROM (
                       SELECT DISTINCT ON (profile_id) to_stage_id AS stage
                         FROM lifecycle_transition move
                         JOIN lifecycle_profile profile ON profile.id = move.profile_id
                        WHERE kind = 'stage' AND date <= %s AND company_id = %s
                        ORDER BY profile_id, number DESC) latest GROUP BY stage""",
                [end, self.company.id],
            )
            past = dict(self.env.cr.fetchall())
            for stage, line in found["stock"].items():
                self.assertEqual(line[-1 - months_ago], past.get(int(stage), 0), (stage, end))
        firsts = self.env["lifecycle.profile"].search(
            [("company_id", "=", self.company.id)]
        ).mapped("first_order_date")
        for month, count in zip(found["months"], found["movements"]["new"], strict=True):
            self.assertEqual(
                count, sum(str(day.replace(day=1)) == month for day in firsts), month
            )
        # a move that is listed counts in its month
        start = self.today.replace(day=1)
        for kind in ("risk", "lost", "won_back"):
            key = f"{kind}:{start}:{start + relativedelta(months=1, days=-1)}"
            self.assertEqual(found["movements"][kind][-1], len(self.cell(key)), kind)

    def test_first_classification_and_changed_rules_are_no_news(self):
        profile = self.profile(self.steady)
        lost = self.env.ref("customer_lifecycle.stage_lost")
        self.env["lifecycle.transition"].create(
            {
                "profile_id": profile.id,
                "kind": "stage",
                "number": 900,
                "from_stage_id": profile.stage_id.id,
                "to_stage_id": lost.id,
                "date": self.today,
                "cause": "edit",
            }
        )
        found = self.figures("get_overview")
        self.assertEqual(found["lost"]["now"], 1)
        self.assertEqual(self.cell(found["cells"]["lost"]), ["Gone"])

    def test_whom_a_person_calls_active_is_not_won_back(self):
        self.profile(self.gone).with_user(self.manager).stage_id = self.env.ref(
            "customer_lifecycle.stage_active"
        )
        found = self.figures("get_overview")
        self.assertEqual(found["won_back"]["now"], 1)

    def test_revenue_and_the_way_there(self):
        found = self.figures("get_revenue")
        # steady 270, fresh 200, back 90, picky 180; before: steady 100, quiet 80, picky 300
        self.assertEqual(found["revenue"]["now"], 740)
        self.assertEqual(found["revenue"]["before"], 480)
        self.assertEqual(found["repeat"]["now"], 540)
        # who bought first then is no repeat customer
        self.assertEqual(found["repeat"]["before"], 180)
        self.assertEqual(found["active"], {"now": 4, "before": 3, "year": 2})
        # of his last year: every 20 days, the first of them 364 days before the last
        self.assertEqual(found["lost_revenue"], 19 * 50)
        bridge = found["bridge"]["before"]
        self.assertEqual((bridge["from"], bridge["to"]), (480, 740))
        parts = {part["name"]: (part["amount"], part["count"]) for part in bridge["parts"]}
        self.assertEqual(
            parts,
            {
                "new": (200, 1),
                "back": (90, 1),
                "lost": (-80, 1),
                # one order more at the mean of 100 and 135; 35 dearer at the mean of one and two
                "frequency": (117.5, 1),
                "basket": (0, 0),
                "price": (52.5, 1),
                "returns": (-120, 1),
            },
        )
        self.assertEqual(bridge["from"] + sum(amount for amount, _count in parts.values()), 740)

    def test_without_products_prices_are_part_of_the_orders_value(self):
        self.env["lifecycle.purchase.store"]._of(self.company).has_items = False
        bridge = self.figures("get_revenue")["bridge"]["before"]
        self.assertFalse(bridge["knows_prices"])
        parts = {part["name"]: (part["amount"], part["count"]) for part in bridge["parts"]}
        self.assertEqual((parts["frequency"], parts["basket"]), ((117.5, 1), (52.5, 1)))
        self.assertNotIn("price", parts)

    def test_each_part_of_the_bridge_opens_its_customers(self):
        cells = self.figures("get_overview")["cells"]
        expected = {
            "new": ["Fresh"],
            "back": ["Back"],
            "lost": ["Quiet"],
            "frequency": ["Steady"],
            "basket": [],
            "price": ["Steady"],
            "returns": ["Picky"],
        }
        for name, customers in expected.items():
            self.assertEqual(self.cell(cells[f"before_{name}"]), customers, name)
        self.assertEqual(self.cell(cells["active"]), ["Back", "Fresh", "Picky", "Steady"])
        self.assertEqual(self.cell(cells["repeat"]), ["Back", "Picky", "Steady"])
        bridge = self.figures("get_revenue")["bridge"]["year"]
        for part in bridge["parts"]:
            found = self.cell(cells[f"year_{part['name']}"])
            self.assertEqual(len(found), part["count"], part["name"])
        for key in ("", "new", "bridge_new:x:y:z:a", "bridge_luck:2026-01-01:2026-01-02:"
                    "2025-01-01:2025-01-02", "lost:2026-01-01"):
            with self.assertRaises(UserError):
                self.names([("overview_cell", "=", key or "x")])

    def test_revenue_is_that_of_the_report(self):
        report = self.env["lifecycle.customer.revenue"].with_user(self.manager)
        for period in (MONTH, {"days": 90}, {"days": 365}, {"month": True}):
            found = self.figures("get_revenue", period=period)
            for name, span in self.overview._spans(period).items():
                [(amount,)] = report._read_group(
                    [("date", ">=", span.start), ("date", "<=", span.end)], [], ["amount:sum"]
                )
                self.assertAlmostEqual(found["revenue"][name], float(amount or 0), 2)
            for bridge in found["bridge"].values():
                total = bridge["from"] + sum(part["amount"] for part in bridge["parts"])
                self.assertAlmostEqual(total, bridge["to"], 6)

    def test_filters_hold_for_every_figure(self):
        domain = [("partner_id.user_id", "=", self.own.id)]
        found = self.figures("get_overview", domain=domain)
        self.assertEqual((found["customers"], found["new"]["now"]), (2, 0))
        self.assertEqual((found["lost"]["now"], found["won_back"]["now"]), (0, 0))
        self.assertEqual(found["risk"]["now"], 1)
        self.assertEqual(self.figures("get_revenue", domain=domain)["revenue"]["now"], 270)

    def test_what_all_are_expected_to_bring_has_a_range(self):
        expected = self.figures("get_overview")["expected"]
        self.assertFalse(expected["value"])
        self.assertIn("Not enough data", expected["note"])
        model = self.env["lifecycle.clv.model"]._current(self.company)
        model.write({"sufficient": True, "backtest": False})
        self.profile(self.steady).sudo().clv_predicted = 1000
        expected = self.figures("get_overview")["expected"]
        self.assertEqual(expected["value"], 1000)
        # without a back-test the level is known to 30 %: exp(1.28 × 0.3)
        self.assertAlmostEqual(expected["low"], 680.8, 1)
        self.assertAlmostEqual(expected["high"], 1468.8, 1)

    def test_an_empty_company(self):
        company = self.new_company("Overview empty", lifecycle_tz="UTC")
        overview = self.overview.with_company(company).with_context(
            allowed_company_ids=company.ids
        )
        found = overview.get_overview([], MONTH)
        self.assertEqual((found["total"], found["as_of"]), (0, False))
        revenue = overview.get_revenue([], MONTH)
        self.assertEqual(revenue["revenue"], {"now": 0, "before": 0, "year": 0})
        self.assertEqual(overview.get_work([], MONTH)["team"], [])


class TestOverviewWork(OverviewCase):
    def test_team(self):
        self.assertEqual(
            self.figures("get_work")["team"],
            [{"user_id": self.own.id, "name": self.own.name, "open": 1, "contacted": 0,
              "ordered": 0, "recovered": 0}],
        )
        quiet = self.profile(self.quiet)
        risk = quiet.money_at_risk
        call = self.env["lifecycle.contact.call"].with_user(self.own)
        for _time in range(2):
            # called twice, he is one customer
            call.create({"profile_id": quiet.id}).action_reached()
        [line] = self.figures("get_work")["team"]
        self.assertEqual((line["open"], line["contacted"], line["ordered"]), (0, 1, 0))
        self.order(500, days_ago=0, partner=self.quiet)
        self.run_refresh()
        [line] = self.figures("get_work")["team"]
        self.assertEqual((line["contacted"], line["ordered"]), (1, 1))
        self.assertAlmostEqual(line["recovered"], risk, 2)

    def test_only_managers_hear_of_health(self):
        self.assertEqual(self.figures("get_work")["health"]["problems"], [])
        self.env.ref("customer_lifecycle.ir_cron_lifecycle_nightly").active = False
        [problem] = self.figures("get_work")["health"]["problems"]
        self.assertIn("switched off", problem)
        self.assertFalse(self.figures("get_work", self.own)["health"])


class TestDigest(OverviewCase):
    def test_the_digest_has_the_overview_s_numbers(self):
        digest = self.env["digest.digest"].create(
            {
                "name": "Customers",
                "company_id": self.company.id,
                "kpi_lifecycle_new": True,
                "kpi_lifecycle_risk": True,
                "kpi_lifecycle_lost": True,
                "kpi_lifecycle_won_back": True,
            }
        )

        def numbers(user):
            kpis = digest._compute_kpis(self.company, user)
            return {kpi["kpi_name"]: kpi["kpi_col3"].get("value") for kpi in kpis}

        expected = {
            "kpi_lifecycle_new": 1,
            "kpi_lifecycle_risk": 1,
            "kpi_lifecycle_lost": 1,
            "kpi_lifecycle_won_back": 1,
        }
        self.assertEqual(numbers(self.manager), expected)
        (self.fresh | self.back | self.gone | self.picky).user_id = self.manager
        expected |= dict.fromkeys(
            ("kpi_lifecycle_new", "kpi_lifecycle_lost", "kpi_lifecycle_won_back"), 0
        )
        self.assertEqual(numbers(self.own), expected)
        internal = self.new_user("overview_digest", "base.group_user", self.company)
        self.assertEqual(numbers(internal), {})


class TestOverviewRights(OverviewCase):
    def test_a_salesperson_sees_his_own_customers_only(self):
        others = self.fresh | self.back | self.gone | self.picky
        others.user_id = self.manager
        self.env.flush_all()
        found = self.figures("get_overview", self.own)
        self.assertEqual((found["customers"], found["new"]["now"]), (2, 0))
        self.assertEqual((found["lost"]["now"], found["won_back"]["now"]), (0, 0))
        history = self.figures("get_history", self.own)
        self.assertEqual(sum(stage["now"] for stage in history["stages"]), 2)
        self.assertEqual(sum(history["movements"]["new"]), 2)
        self.assertEqual([line["name"] for line in found["slipping"]], ["Quiet"])
        revenue = self.figures("get_revenue", self.own)
        self.assertEqual(revenue["revenue"], {"now": 270, "before": 180, "year": 100})
        self.assertEqual(revenue["lost_revenue"], 0)
        for name, key in found["cells"].items():
            self.assertLessEqual({*self.cell(key, self.own)}, {"Steady", "Quiet"}, name)

    def test_nobody_sees_another_company(self):
        stranger = self.new_user("overview_stranger", MANAGER, self.elsewhere)
        overview = self.overview.with_user(stranger).with_context(
            allowed_company_ids=self.elsewhere.ids
        )
        self.assertEqual(overview.get_overview([], MONTH)["customers"], 1)
        self.assertEqual(overview.get_revenue([], MONTH)["revenue"]["now"], 9999)
        overview = self.overview.with_user(stranger)
        with self.assertRaises(AccessError):
            # the company of the context is not his
            overview.get_overview([], MONTH)

    def test_others_than_salespeople_are_refused(self):
        internal = self.new_user("overview_internal", "base.group_user", self.company)
        for method in ("get_overview", "get_history", "get_revenue", "get_work"):
            with self.assertRaises(AccessError):
                self.figures(method, internal)
