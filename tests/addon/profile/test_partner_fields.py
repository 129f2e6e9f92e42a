import json
from datetime import date, datetime, timedelta

from odoo import Command
from odoo.tests import freeze_time

from ..common_figures import PartnerFieldsCase, profile_fields

PLAIN = ("integer", "float", "monetary", "date", "boolean")
#: sentences, made when they are read
NOT_SEARCHABLE = {"lifecycle_headline", "lifecycle_rfm_note"}
#: fields to filter by only
FILTER_ONLY = {"clv_top_decile", "lifecycle_segment_ids"}


class TestSearch(PartnerFieldsCase):
    def test_search_finds_what_reading_shows(self):
        """Every field, operator and edge value: search() and filtered_domain() agree.

        Automation rules decide by the second, mailings and filters by the first.
        """
        for name, field in profile_fields(self.env["res.partner"]).items():
            if name in NOT_SEARCHABLE or field.type not in PLAIN:
                continue
            for operator, value in self._conditions(name, field):
                domain = [(name, operator, value)]
                for leaf in (domain, ["!", *domain]):
                    with self.subTest(domain=leaf):
                        self.assertEqual(
                            self.found(leaf).sorted("id"),
                            self.all.filtered_domain(leaf).sorted("id"),
                        )

    def _conditions(self, name, field):
        present = {record[name] for record in self.all if record[name] is not False}
        if field.type == "boolean":
            values = [True, False]
        elif field.type == "date":
            values = sorted({day + timedelta(days=d) for day in present for d in (-1, 0, 1)})
        else:
            values = sorted({number + d for number in present | {0} for d in (-0.5, 0, 0.5)})
            values = [int(value) for value in values] if field.type == "integer" else values
        inequalities = ("<", ">", "<=", ">=") if field.type != "boolean" else ()
        for value in values:
            for operator in ("=", "!=", *inequalities):
                yield operator, value
        for operator in ("=", "!="):
            yield operator, False
        for operator in ("in", "not in"):
            yield operator, list(values)
            yield operator, [*values[:1], False]

    def test_more_than_nothing_leaves_out_who_has_nothing(self):
        for name in ("lifecycle_order_count", "clv_total", "clv_historical", "lifecycle_revenue"):
            self.assertEqual(self.found([(name, ">", 0)]), self.big + self.small + self.contact)

    def test_no_orders_are_zero_orders(self):
        self.assertEqual(
            self.found([("lifecycle_order_count", "=", 0)]).sorted("id"),
            self.prospect + self.nobody + self.foreign,
        )

    def test_unknown_is_neither_small_nor_large(self):
        """Nobody without a prediction is "unlikely to order", no prospect "ordered lately"."""
        for name in ("clv_p_order", "clv_p_alive", "clv_predicted", "clv_expected_orders"):
            self.assertEqual(self.found([(name, "<", 1e6)]).sorted("id"), self.big + self.contact)
            self.assertFalse(self.found([(name, "=", 0)]))
        self.assertEqual(self.found([("lifecycle_days_since_last_order", "<", 30)]), self.small)
        self.assertEqual(
            self.found([("lifecycle_days_since_last_order", ">=", 30)]), self.big + self.contact
        )

    def test_profile_set_and_not_set(self):
        with_profile = self.big + self.small + self.prospect + self.contact
        without = self.nobody + self.foreign
        for domain, expected in (
            ([("lifecycle_profile_id", "!=", False)], with_profile),
            ([("lifecycle_profile_id", "=", False)], without),
            (["!", ("lifecycle_profile_id", "=", False)], with_profile),
            ([("lifecycle_profile_id", "in", [self.big.lifecycle_profile_id.id])],
             self.big + self.contact),
            ([("lifecycle_profile_id", "in", [self.big.lifecycle_profile_id.id, False])],
             self.big + self.contact + without),
            ([("lifecycle_profile_id", "not in", [self.big.lifecycle_profile_id.id])],
             self.small + self.prospect + without),
        ):
            with self.subTest(domain=domain):
                self.assertEqual(self.found(domain).sorted("id"), expected.sorted("id"))

    def test_conditions_inside_the_profile(self):
        two = [("order_count", ">=", 2)]
        buyers = self.big + self.contact
        for domain, expected in (
            ([("lifecycle_profile_id", "any", two)], buyers),
            ([("lifecycle_profile_id", "not any", two)], self.all - buyers),
            (["!", ("lifecycle_profile_id", "any", two)], self.all - buyers),
            ([("lifecycle_profile_id.order_count", ">=", 2)], buyers),
            ([("lifecycle_profile_id.partner_id.name", "=", "Big")], buyers),
        ):
            with self.subTest(domain=domain):
                self.assertEqual(self.found(domain).sorted("id"), expected.sorted("id"))

    def test_conditions_from_documents(self):
        order = self.new_order(self.contact, 10, confirm=False)
        self.new_order(self.nobody, 10, confirm=False)
        for name in ("clv_total", "lifecycle_profile_id.clv_total"):
            found = self.env["sale.order"].search(
                [("id", ">=", order.id), (f"partner_id.{name}", ">", 1000)]
            )
            self.assertEqual(found, order)

    def test_top_decile(self):
        self.assertEqual(
            self.found([("clv_top_decile", "=", True)]).sorted("id"), self.big + self.contact
        )
        self.assertEqual(self.found([("clv_top_decile", "in", [True, False])]), self.found([]))

    def test_usable_in_automation_rules(self):
        """A rule on contacts whose filters use the fields runs for the right contact only."""
        marker = self.env["res.partner.category"].create({"name": "Reached by the rule"})
        action = self.env["ir.actions.server"].create(
            {
                "name": "Mark",
                "model_id": self.env.ref("base.model_res_partner").id,
                "state": "code",
                "code": f"records.write({{'category_id': [({Command.LINK}, {marker.id}, 0)]}})",
            }
        )
        self.env["base.automation"].create(
            {
                "name": "Valuable customers",
                "model_id": self.env.ref("base.model_res_partner").id,
                "trigger": "on_create_or_write",
                "trigger_field_ids": [
                    Command.set(self.env.ref("base.field_res_partner__ref").ids)
                ],
                "filter_domain": json.dumps(
                    [["clv_total", ">", 100], ["lifecycle_days_since_last_order", "<", 90]]
                ),
                "action_server_ids": [Command.set(action.ids)],
            }
        )
        self.all.write({"ref": "touched"})
        self.assertEqual(
            self.all.filtered(lambda partner: marker in partner.category_id),
            self.big + self.contact,
        )


class TestReading(PartnerFieldsCase):
    def test_contacts_show_their_companys_profile(self):
        self.assertEqual(self.contact.lifecycle_profile_id, self.big.lifecycle_profile_id)
        self.assertEqual(self.contact.clv_total, 1500)
        self.assertEqual(self.contact.lifecycle_order_count, 5)

    def test_current_company_decides(self):
        self.assertFalse(self.foreign.lifecycle_profile_id)
        abroad = self.foreign.with_company(self.other_company)
        self.assertEqual(abroad.clv_total, 90)
        self.assertFalse(self.big.with_company(self.other_company).lifecycle_profile_id)
        Partner = self.env["res.partner"].with_company(self.other_company)
        domain = [("id", "in", self.all.ids), ("lifecycle_order_count", ">", 0)]
        self.assertEqual(Partner.search(domain), self.foreign)
        total = Partner._read_group([("id", "in", self.all.ids)], [], ["clv_total:sum"])
        self.assertEqual(total, [(90,)])

    def test_unknown_reads_as_nothing(self):
        for partner in (self.prospect, self.nobody):
            for name in ("clv_predicted", "clv_p_order", "lifecycle_order_interval"):
                self.assertIs(partner[name], False, name)
            self.assertIs(partner.lifecycle_days_since_last_order, False)
        self.assertIs(self.nobody.read(["clv_p_order"])[0]["clv_p_order"], False)
        self.assertEqual(self.small.lifecycle_days_since_last_order, 0)
        self.assertIsNot(self.small.lifecycle_days_since_last_order, False)

    def test_day_counts_follow_the_calendar(self):
        """Nobody recomputes anything; tomorrow the number is one higher, in SQL too."""
        self.env.cr.execute(
            "SELECT 1 FROM information_schema.columns WHERE table_name = 'lifecycle_profile' "
            "AND column_name = 'days_since_last_order'"
        )
        self.assertFalse(self.env.cr.fetchone(), "day counts must not be stored")
        for days in (0, 1, 30):
            moment = datetime.combine(self.today, datetime.min.time()) + timedelta(days=days)
            with self.subTest(days=days), freeze_time(moment):
                self.env.invalidate_all()
                self.assertEqual(self.big.lifecycle_days_since_last_order, 40 + days)
                self.assertEqual(
                    self.found([("lifecycle_days_since_last_order", "=", 40 + days)]),
                    self.big + self.contact,
                )
                average = self.env["res.partner"]._read_group(
                    [("id", "=", self.big.id)], [], ["lifecycle_days_since_last_order:avg"]
                )
                self.assertEqual(average, [(40 + days,)])

    def test_days_are_the_companys_not_the_readers(self):
        """It is tomorrow in Auckland already: everybody counts one day more."""
        self.home.lifecycle_tz = "Pacific/Auckland"
        noon = datetime.combine(self.today, datetime.min.time()) + timedelta(hours=12)
        with freeze_time(noon):
            for reader_tz in ("UTC", "America/Los_Angeles", "Pacific/Auckland"):
                self.env.invalidate_all()
                big = self.big.with_context(tz=reader_tz)
                with self.subTest(reader=reader_tz):
                    self.assertEqual(big.lifecycle_days_since_last_order, 41)
                    total = big._read_group(
                        [("id", "=", big.id)], [], ["lifecycle_days_since_last_order:sum"]
                    )
                    self.assertEqual(total, [(41,)])
                    domain = [("id", "=", big.id), ("lifecycle_days_since_last_order", "=", 41)]
                    self.assertEqual(big.search(domain), big)
                    self.assertIn("41 days ago", big.lifecycle_headline)

    def test_export(self):
        names = ["name", "lifecycle_order_count", "clv_total", "clv_p_order",
                 "lifecycle_last_order_date", "lifecycle_days_since_last_order"]
        rows = (self.big + self.nobody).export_data(names)["datas"]
        self.assertEqual(
            rows,
            [["Big", 5, 1500, 0.8, self.today - timedelta(days=40), 40],
             ["Nobody", 0, 0, "", "", ""]],
        )

    def test_headline_without_purchases_says_so(self):
        self.assertIn("No purchases yet", self.prospect.lifecycle_headline)
        self.assertIn("every 90 days", self.contact.lifecycle_headline)


class TestSortingAndGrouping(PartnerFieldsCase):
    def test_sorted_by_value_with_the_unknown_last(self):
        for name in ("clv_total", "clv_p_order", "lifecycle_days_since_last_order"):
            for direction in ("", " desc"):
                with self.subTest(order=name + direction):
                    found = self.found([], order=f"{name}{direction}, id")
                    values = [partner[name] for partner in found if partner.lifecycle_profile_id]
                    known = [value for value in values if value is not False]
                    self.assertEqual(known, sorted(known, reverse=bool(direction)))
                    self.assertEqual(values[: len(known)], known)
                    self.assertEqual(found[-2:].sorted("id"), self.nobody + self.foreign)

    def test_profiles_sorted_with_the_unknown_last(self):
        profiles = self.env["lifecycle.profile"].search(
            [("partner_id", "in", self.all.ids)], order="p_order desc, id"
        )
        self.assertEqual(profiles[0].partner_id, self.big)

    def test_every_field_can_be_sorted_and_grouped(self):
        Partner = self.env["res.partner"]
        names = [
            name
            for name in profile_fields(Partner)
            if name not in NOT_SEARCHABLE | FILTER_ONLY
        ]
        described = Partner.fields_get(names, ["sortable", "groupable", "searchable"])
        for name in names:
            with self.subTest(field=name):
                self.assertEqual(
                    {key: described[name][key] for key in ("sortable", "groupable", "searchable")},
                    {"sortable": True, "groupable": True, "searchable": True},
                )

    def test_sums_and_averages(self):
        domain = [("id", "in", (self.all - self.contact).ids)]
        Partner = self.env["res.partner"]
        row = Partner._read_group(
            domain,
            [],
            ["clv_total:sum", "lifecycle_order_count:sum", "clv_p_order:avg",
             "lifecycle_average_order_value:avg", "lifecycle_days_since_last_order:avg",
             "lifecycle_days_since_last_order:max", "__count"],
        )
        self.assertEqual(row, [(1550, 6, 0.8, 125, 20, 40, 5)])
        groups = Partner.formatted_read_group(
            domain,
            ["lifecycle_order_count"],
            ["clv_total:sum", "clv_predicted:sum", "__count"],
        )
        by_count = {group["lifecycle_order_count"]: group for group in groups}
        self.assertEqual(by_count[5]["clv_total:sum"], 1500)
        self.assertEqual(by_count[1]["clv_total:sum"], 50)
        for group in groups:
            again = Partner.search_count([*domain, *group["__extra_domain"]])
            self.assertEqual(again, group["__count"], group)

    def test_amounts_can_be_measured(self):
        """Odoo offers amounts as a measure only if their currency can be grouped."""
        for name in ("clv_total", "clv_historical", "clv_predicted", "lifecycle_revenue"):
            described = self.env["res.partner"].fields_get([name], ["aggregator"])
            self.assertEqual(described[name]["aggregator"], "sum", name)

    def test_dates_by_month(self):
        Partner = self.env["res.partner"]
        domain = [("id", "in", self.all.ids)]
        groups = dict(
            Partner._read_group(domain, ["lifecycle_last_order_date:month"], ["__count"])
        )
        expected = {}
        for partner in self.all:
            day = partner.lifecycle_last_order_date
            month = day and date(day.year, day.month, 1)
            expected[month] = expected.get(month, 0) + 1
        self.assertEqual(groups, expected)
        for group in Partner.formatted_read_group(
            domain, ["lifecycle_last_order_date:month"], ["__count"]
        ):
            again = Partner.search_count([*domain, *group["__extra_domain"]])
            self.assertEqual(again, group["__count"], group)

    def test_orders_grouped_by_their_customers_figures(self):
        orders = self.new_order(self.contact, 10, confirm=False)
        orders += self.new_order(self.small, 20, confirm=False)
        orders += self.new_order(self.nobody, 40, confirm=False)
        groups = self.env["sale.order"]._read_group(
            [("id", "in", orders.ids)],
            ["partner_id.lifecycle_order_count"],
            ["amount_untaxed:sum"],
        )
        self.assertEqual(
            {count or 0: amount for count, amount in groups}, {5: 10.0, 1: 20.0, 0: 40.0}
        )

    def test_one_join_however_many_fields(self):
        """Fields of the profile share their join within one query."""
        one = self.env["res.partner"]._search([], order="clv_p_order")
        three = self.env["res.partner"]._search([], order="clv_p_order, clv_total, clv_p_order_30")
        joins = [query.select().code.count("LEFT JOIN") for query in (one, three)]
        self.assertEqual(joins, [1, 1])
