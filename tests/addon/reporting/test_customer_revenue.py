from ast import literal_eval
from collections import defaultdict

from lxml import etree

from odoo.exceptions import AccessError
from odoo.fields import Domain

from ..common import LifecycleCase
from ..common_money import MoneyCase
from ..common_revenue import RevenueCase

MEASURES = [
    "amount:sum",
    "order_count:sum",
    "customer_count:count_distinct",
    "average_order:avg",
    "revenue_share:sum",
]


class TestCustomerRevenue(RevenueCase):
    """The report against a second computation in plain Python."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.report = cls.env["lifecycle.customer.revenue"]

    def expected(self, key):
        """Measures by what a day of purchases belongs to."""
        groups = defaultdict(list)
        for customer, day, amount in self.days():
            groups[key(customer, day)].append((customer, amount))
        total = sum(amount for rows in groups.values() for _customer, amount in rows)
        found = {}
        for group, rows in groups.items():
            amount = sum(amount for _customer, amount in rows)
            orders = sum(amount > 0 for _customer, amount in rows)
            found[group] = (
                round(amount, 2),
                orders,
                len({customer for customer, _amount in rows}),
                round(round(amount, 2) / orders, 4) if orders else 0,
                round(amount / total, 6),
            )
        return found

    def rounded(self, values):
        amount, orders, customers, average, share = values
        return (
            round(float(amount), 2), orders, customers, round(float(average or 0), 4),
            round(share, 6),
        )

    def assert_groups(self, spec, key):
        rows = self.report._read_group([], [spec], MEASURES)
        found = {group: self.rounded(values) for group, *values in rows}
        self.assertEqual(found, self.expected(key))

    def test_each_customer_s_revenue_and_orders_are_the_profile_s(self):
        rows = self.report._read_group([], ["partner_id"], ["amount:sum", "order_count:sum"])
        found = {partner: (round(float(amount), 2), orders) for partner, amount, orders in rows}
        profiles = {
            profile.partner_id: (round(profile.revenue, 2), profile.order_count)
            for profile in self.profiles
        }
        self.assertEqual(found, profiles)
        self.assertEqual(len(found), len(self.customers))

    def test_by_month_and_weekday(self):
        self.assert_groups("date:month", lambda customer, day: day.replace(day=1))
        self.assert_groups("weekday", lambda customer, day: str(day.isoweekday()))

    def test_new_against_repeat(self):
        first = self.first_days()

        def kind(customer, day):
            if customer not in first:
                return "credit"
            return "new" if day <= first[customer] else "repeat"

        self.assert_groups("kind", kind)

    def test_by_the_stage_in_which_the_day_began(self):
        self.assert_groups("stage_then_id", self.stage_before)

    def test_by_tenth_of_the_customers(self):
        buyers = sorted(
            self.profiles.filtered("order_count"), key=lambda row: (-row.revenue, row.id)
        )
        base, more = divmod(len(buyers), 10)
        tenth, left = {}, list(buyers)
        for number in range(1, 11):
            for _member in range(base + (number <= more)):
                tenth[left.pop(0).partner_id] = f"{number:02}"
        self.assert_groups("tenth", lambda customer, day: tenth.get(customer, False))

    def test_by_the_last_touch_before_the_order(self):
        customer, day = next(
            (customer, day) for customer, day, amount in self.days() if amount > 0
        )
        source = self.env["utm.source"].create({"name": "Revenue newsletter"})
        call = self.env["lifecycle.touchpoint.source"].search([], limit=1)  # pylint: disable=no-search-all
        self.env["lifecycle.order.touch"].create(
            {
                "profile_id": self.profile_of[customer].id,
                "date": day,
                "touchpoint_id": call.id,
                "source_id": source.id,
            }
        )
        self.assert_groups(
            "last_source_id",
            lambda *row: source if row == (customer, day) else self.env["utm.source"],
        )
        self.assert_groups(
            "last_touch_id",
            lambda *row: call
            if row == (customer, day)
            else self.env["lifecycle.touchpoint.source"],
        )

    def test_by_what_the_customer_is(self):
        source = self.env["utm.source"].create({"name": "Fair"})
        chosen = self.customers[4]
        country = self.env.ref("base.be")
        chosen.country_id = country
        self.profile_of[chosen].sudo().first_source_id = source
        self.profile_of[chosen].sudo().stage_id = self.stages[1]
        self.env.flush_all()
        for spec, value in (
            ("first_source_id", source),
            ("country_id", country),
            ("stage_id", self.stages[1]),
        ):
            [(amount,)] = self.report._read_group([(spec, "=", value.id)], [], ["amount:sum"])
            self.assertEqual(
                round(float(amount), 2), round(self.profile_of[chosen].revenue, 2), spec
            )

    def test_shares_of_a_pivot_are_of_the_whole(self):
        sets = [[], ["kind"], ["date:year", "kind"]]
        results = self.report._read_grouping_sets([], sets, ["revenue_share:sum", "__count"])
        for groupby, rows in zip(sets, results, strict=True):
            self.assertAlmostEqual(sum(row[len(groupby)] for row in rows), 1)
            self.assertTrue(all(row[len(groupby) + 1] for row in rows))
        amounts = dict(self.report._read_group([], ["kind"], ["amount:sum"]))
        total = sum(amounts.values())
        for kind, share, _count in results[1]:
            self.assertAlmostEqual(share, float(amounts[kind] / total))

    def test_a_purchase_opens_its_document(self):
        row = self.report.search([("partner_id", "=", self.customers[0].id)], limit=1)
        document = self.env["lifecycle.external.purchase"].browse(row.res_id)
        self.assertEqual(document.partner_id, self.customers[0])
        self.assertEqual(row.document_name, document.display_name)
        action = row.action_open_document()
        self.assertEqual(
            (action["res_model"], action["res_id"]), (document._name, document.id)
        )

    def test_the_first_picture_is_of_customers_who_bought(self):
        action = self.env.ref("customer_lifecycle.lifecycle_customer_revenue_action")
        defaults = literal_eval(action.context)
        self.assertTrue(defaults["search_default_bought"])
        search = etree.fromstring(self.report.get_view(view_type="search")["arch"])
        [domain] = search.xpath("//filter[@name='bought']/@domain")
        bought = Domain(literal_eval(domain))
        rows = self.report._read_group(bought, ["partner_id"], ["amount:sum"])
        self.assertEqual(
            {partner: round(float(amount), 2) for partner, amount in rows},
            {
                profile.partner_id: round(profile.revenue, 2)
                for profile in self.profiles.filtered("order_count")
            },
        )
        [(credited,)] = self.report._read_group(~bought, [], ["amount:sum"])
        self.assertEqual(round(float(credited), 2), -33.33, "the rest is what was only credited")
        # who has no profile yet has just bought
        newcomer = self.new_customer("Newcomer")
        self.new_purchase(newcomer, 5, company=self.company)
        self.assertTrue(self.report.search(bought & Domain("partner_id", "=", newcomer.id)))

    def test_favourites_and_filters_work(self):
        filters = self.env["ir.filters"].search([("model_id", "=", self.report._name)])
        self.assertGreaterEqual(len(filters), 5)
        for favourite in filters:
            context = favourite._get_eval_domain(), favourite.context
            groupby = eval(context[1])["group_by"]  # pylint: disable=eval-used
            self.assertTrue(self.report.formatted_read_group([], groupby, ["amount:sum"]))


class TestCustomerRevenueRights(LifecycleCase):
    """Who sees which revenue."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ours = cls.new_company("Revenue Ours")
        cls.theirs = cls.new_company("Revenue Theirs")
        cls.seller = cls.new_user(
            "revenue_seller", "sales_team.group_sale_salesman", cls.ours | cls.theirs
        )
        cls.mine = cls.new_customer("Of the seller", user_id=cls.seller.id)
        cls.other = cls.new_customer("Of somebody else", user_id=cls.env.user.id)
        cls.new_purchase(cls.mine, 100, company=cls.ours)
        cls.new_purchase(cls.other, 30, company=cls.ours)
        cls.new_purchase(cls.mine, 7, company=cls.theirs)
        for company in (cls.ours, cls.theirs):
            cls.env["lifecycle.pipeline"]._refresh(company, (cls.mine | cls.other).ids)
        cls.env.flush_all()

    def amounts(self, user, company):
        report = self.env["lifecycle.customer.revenue"].with_user(user)
        report = report.with_context(allowed_company_ids=company.ids)
        return report._read_group([], [], ["amount:sum"])[0][0]

    def test_salespeople_see_their_own_customers(self):
        self.assertEqual(self.amounts(self.seller, self.ours), 100)
        everything = self.new_user(
            "revenue_lead", "sales_team.group_sale_salesman_all_leads", self.ours
        )
        self.assertEqual(self.amounts(everything, self.ours), 130)

    def test_money_of_companies_is_never_mixed(self):
        self.assertEqual(self.amounts(self.seller, self.theirs), 7)
        self.assertEqual(self.amounts(self.seller, self.ours | self.theirs), 100)

    def test_outsiders_see_nothing(self):
        for group in ("base.group_user", "base.group_portal"):
            user = self.new_user(f"revenue_{group}", group, self.ours)
            with self.assertRaises(AccessError):
                self.amounts(user, self.ours)

    def test_without_purchases_the_report_is_empty(self):
        empty = self.new_company("Revenue Empty")
        report = self.env["lifecycle.customer.revenue"].with_company(empty)
        self.assertFalse(report.search([("amount", "!=", None)]))
        self.assertEqual(
            report._read_grouping_sets([], [["tenth"]], ["revenue_share:sum"]), [[]]
        )


class TestRevenueOfDocuments(MoneyCase):
    """Orders in other currencies and their credit notes."""

    def test_report_and_profile_agree_to_the_cent(self):
        self.set_rates("EUR", {400: 0.8, 20: 0.9})
        self.order(100.01, 33.33, days_ago=200)
        credited = self.order(250, days_ago=90)
        self.order(77.77, days_ago=10, currency="EUR")
        invoice = self.invoice(credited)
        self.credit(invoice)
        self.env["lifecycle.pipeline"]._refresh(self.company, self.customer.ids)
        self.env.flush_all()
        report = self.env["lifecycle.customer.revenue"]
        [(amount, value, orders)] = report._read_group(
            [("partner_id", "=", self.customer.id)],
            [],
            ["amount:sum", "value:sum", "order_count:sum"],
        )
        profile = self.profile(self.customer, self.company)
        self.assertEqual(float(amount), profile.revenue)
        self.assertEqual(float(value), profile.clv_historical)
        self.assertEqual(orders, profile.order_count)
        self.assertAlmostEqual(profile.revenue, 133.34 + 77.77 / 0.9, places=2)
