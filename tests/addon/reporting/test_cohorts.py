from collections import Counter, defaultdict
from datetime import date
from unittest.mock import patch

from dateutil.relativedelta import relativedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.customer_lifecycle.models.reporting import cohort as lifecycle_cohort

from ..common import LifecycleCase, LifecycleHttpCase
from ..common_revenue import RevenueCase

MONTHS = {"month": 1, "quarter": 3, "year": 12}


class TestCohorts(RevenueCase):
    """The table against a second computation in plain Python."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cohorts = cls.env["lifecycle.cohort"]

    def start(self, day, interval):
        months = MONTHS[interval]
        return date(day.year, (day.month - 1) // months * months + 1, 1)

    def periods(self, cohort, interval):
        """First days of the periods of a cohort, up to today."""
        day, days = cohort, []
        while day <= self.today:
            days.append(day)
            day += relativedelta(months=MONTHS[interval])
        return days

    def expected(self, interval):
        """Cohort → (size, list of (ordered, active, revenue, complete))."""
        members = defaultdict(list)
        for customer, first in self.first_days().items():
            members[self.start(first, interval)].append(customer)
        ordered, revenue = defaultdict(set), Counter()
        for customer, day, amount in self.days():
            if customer not in self.first_days():
                continue
            cohort = self.start(self.first_days()[customer], interval)
            key = cohort, max(cohort, self.start(day, interval))
            revenue[key] += amount
            if amount > 0:
                ordered[key].add(customer)
        found = {}
        for cohort, customers in members.items():
            cells = []
            for period in self.periods(cohort, interval):
                end = period + relativedelta(months=MONTHS[interval])
                active = [
                    customer
                    for customer in customers
                    if not self.stage_before(customer, end).is_lost
                ]
                key = cohort, period
                cells.append(
                    (
                        len(ordered[key]), len(active), round(revenue[key], 2),
                        end <= self.today,
                    )
                )
            found[str(cohort)] = (len(customers), cells)
        return found

    def cells(self, table):
        return {
            cohort["start"]: (
                cohort["size"],
                [
                    (
                        period["ordered"], period["active"], round(period["revenue"], 2),
                        period["complete"],
                    )
                    for period in cohort["periods"]
                ],
            )
            for cohort in table["cohorts"]
        }

    def test_every_number_is_what_plain_counting_finds(self):
        for interval in MONTHS:
            with self.subTest(interval):
                table = self.cohorts.get_cohorts([], interval)
                self.assertEqual(self.cells(table), self.expected(interval))
                self.assertEqual(
                    list(self.cells(table)), sorted(self.cells(table)), "the oldest first"
                )
        self.assertTrue(table["knows_loss"])
        self.assertFalse(table["sampled"])

    def test_revenue_of_all_cells_is_that_of_the_profiles(self):
        table = self.cohorts.get_cohorts([], "quarter")
        revenue = sum(
            period["revenue"] for cohort in table["cohorts"] for period in cohort["periods"]
        )
        buyers = self.profiles.filtered("order_count")
        self.assertAlmostEqual(revenue, sum(buyers.mapped("revenue")), places=2)

    def test_looking_up_customers_and_reading_all_find_the_same(self):
        looked_up = self.cohorts.get_cohorts([], "quarter")
        with patch.object(lifecycle_cohort, "FEW", 0):
            self.assertEqual(self.cohorts.get_cohorts([], "quarter"), looked_up)

    def test_of_very_many_a_sample_is_looked_at(self):
        everything = self.cohorts.get_cohorts([], "year")
        with patch.object(lifecycle_cohort, "ALL", 5), patch.object(lifecycle_cohort, "FEW", 5):
            sample = self.cohorts.get_cohorts([], "year")
            again = self.cohorts.get_cohorts([], "year")
            exact = self.cohorts.get_cohorts([], "year", True)
        self.assertEqual(sample, again, "always the same customers")
        self.assertEqual(exact, everything)
        sizes = [cohort["size"] for cohort in sample["cohorts"]]
        looked_at = [cohort["looked_at"] for cohort in sample["cohorts"]]
        self.assertEqual(sizes, [cohort["size"] for cohort in everything["cohorts"]])
        self.assertEqual(sum(looked_at), sample["sampled"])
        self.assertTrue(0 < sum(looked_at) < sum(sizes))
        for cohort in sample["cohorts"]:
            self.assertEqual(cohort["periods"][0]["ordered"], cohort["looked_at"])

    def test_a_number_opens_exactly_its_customers(self):
        profiles = self.env["lifecycle.profile"]
        for cohort in self.cohorts.get_cohorts([], "quarter")["cohorts"]:
            for number, period in enumerate(cohort["periods"]):
                for kind in ("ordered", "active"):
                    key = f"{kind}:quarter:{cohort['start']}:{number}"
                    found = profiles.search([("cohort_cell", "=", key)])
                    self.assertEqual(len(found), period[kind], key)
        customer, day = self.customers[1], self.day(900 + 40)
        key = f"bought:month:{self.start(self.first_days()[customer], 'month')}:0"
        self.assertLess(day, self.first_days()[customer])
        self.assertIn(
            customer, profiles.search([("cohort_cell", "=", key)]).partner_id, "credited before"
        )

    def test_a_filter_leaves_the_other_customers_out(self):
        chosen = self.profiles.filtered("order_count")[:4]
        table = self.cohorts.get_cohorts([("id", "in", chosen.ids)], "month")
        self.assertEqual(sum(cohort["size"] for cohort in table["cohorts"]), 4)
        revenue = sum(
            period["revenue"] for cohort in table["cohorts"] for period in cohort["periods"]
        )
        self.assertAlmostEqual(revenue, sum(chosen.mapped("revenue")), places=2)

    def test_only_so_many_cohorts_and_periods_are_shown(self):
        with patch.object(lifecycle_cohort, "MOST", 3):
            table = self.cohorts.get_cohorts([], "month")
            everything = self.expected("month")
        self.assertEqual(len(table["cohorts"]), 3)
        self.assertEqual(table["left_out"], len(everything) - 3)
        for start, (size, cells) in self.cells(table).items():
            self.assertEqual((size, cells), (everything[start][0], everything[start][1][:3]))

    def test_wrong_questions_are_refused_in_words(self):
        for interval in ("week", ["month"], {}, None):
            with self.assertRaisesRegex(UserError, "months, quarters or years"):
                self.cohorts.get_cohorts([], interval)
        for key in (
            "ordered:week:2026-01-01:0",
            "nonsense",
            "won:month:2026-01-01:0",
            f"ordered:month:2026-01-01:{10**18}",
        ):
            with self.assertRaisesRegex(UserError, "open it from there again"):
                self.env["lifecycle.profile"].search([("cohort_cell", "=", key)])


class TestCohortRights(LifecycleCase):
    """Who sees which customers."""

    def test_own_customers_of_the_current_company(self):
        ours, theirs = self.new_company("Cohort Ours"), self.new_company("Cohort Theirs")
        seller = self.new_user(
            "cohort_seller", "sales_team.group_sale_salesman", ours | theirs
        )
        mine = self.new_customer("Cohort mine", user_id=seller.id)
        other = self.new_customer("Cohort other", user_id=self.env.user.id)
        self.new_purchase(mine, 100, company=ours)
        self.new_purchase(other, 30, company=ours)
        self.new_purchase(mine, 7, company=theirs)
        for company in (ours, theirs):
            self.env["lifecycle.pipeline"]._refresh(company, (mine | other).ids)
        cohorts = self.env["lifecycle.cohort"].with_user(seller)
        for company, revenue in ((ours, 100), (theirs, 7)):
            [cohort] = cohorts.with_context(
                allowed_company_ids=(company | ours | theirs).ids
            ).get_cohorts([])["cohorts"]
            self.assertEqual((cohort["size"], cohort["periods"][0]["revenue"]), (1, revenue))
            key = f"ordered:month:{cohort['start']}:0"
            profiles = self.env["lifecycle.profile"].with_user(seller)
            found = profiles.with_context(allowed_company_ids=company.ids).search(
                [("cohort_cell", "=", key)]
            )
            self.assertEqual((found.partner_id, found.company_id), (mine, company))
        for group in ("base.group_user", "base.group_portal"):
            user = self.new_user(f"cohort_{group}", group, ours)
            with self.assertRaises(AccessError):
                self.env["lifecycle.cohort"].with_user(user).get_cohorts([])

    def test_a_company_without_customers_has_no_cohorts(self):
        empty = self.new_company("Cohort Empty")
        table = self.env["lifecycle.cohort"].with_company(empty).get_cohorts([])
        self.assertEqual((table["cohorts"], table["left_out"], table["cut"]), ([], 0, False))


@tagged("standard", "post_install", "-at_install")
class TestCohortTour(LifecycleHttpCase):
    """The table in a browser."""

    def test_from_a_number_to_its_customers_and_back(self):
        company = self.env.company
        country = self.env.ref("base.bt")
        stayer, leaver = self.env["res.partner"].create(
            [
                {"name": name, "country_id": country.id}
                for name in ("Tour Stayer", "Tour Leaver")
            ]
        )
        today = company._lifecycle_today()
        month = today.replace(day=1) - relativedelta(months=3)
        for partner, months in ((stayer, 0), (leaver, 0), (stayer, 1)):
            self.env["lifecycle.external.purchase"].create(
                {
                    "partner_id": partner.id,
                    "amount": 100,
                    "date": month + relativedelta(months=months),
                    "company_id": company.id,
                    "currency_id": company.currency_id.id,
                }
            )
        self.env["lifecycle.pipeline"]._refresh(company, (stayer | leaver).ids)
        self.env.flush_all()
        self.start_tour("/odoo/cohorts", "lifecycle_cohorts", login="admin", timeout=120)
