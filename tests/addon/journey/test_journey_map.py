"""The journey map: its numbers against a second method, and who may see what."""

import random
from datetime import timedelta
from statistics import median

from odoo.exceptions import AccessError, UserError

from ..common import LifecycleCase, LifecycleHttpCase
from ..common_journey_map import MapCase

SALESMAN = "sales_team.group_sale_salesman"
ALL_LEADS = "sales_team.group_sale_salesman_all_leads"


class TestStages(MapCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        draw = random.Random(19)
        cls.sales = cls.new_user("map_sales", SALESMAN, cls.company)
        cls.country = cls.env.ref("base.be")
        cls.lives = []
        for number in range(40):
            partner = cls.new_customer(
                f"Mover {number}",
                country_id=cls.country.id if number % 3 else False,
                user_id=(cls.sales, cls.env.user)[number % 2].id,
            )
            day, moves, stage = draw.randint(150, 400), [], None
            while day > 0 and len(moves) < 7:
                stage = draw.choice([other for other in cls.stages[:6] if other != stage])
                # a person's move is news as a rule's is; a first classification is not
                cause = draw.choice(["rule", "rule", "person", "reconstructed", "edit"])
                moves.append((day, stage, cause if moves else "initial"))
                day -= draw.randint(0, 90)
            cls.new_profile(
                partner,
                moves,
                clv_predicted=number * 10 if number % 4 else False,
                value_year=number,
            )
            cls.lives.append((partner, moves, number))
        cls.new_profile(cls.new_customer("Newcomer"), clv_predicted=5)

    def by_hand(self, lives, start, end, today=0):
        """The same numbers by going through every life, without SQL.

        :return: dict stage → dict of now, entered, left and next (dict stage or 0 → number)
        """
        numbers = {
            stage: {"now": 0, "entered": 0, "left": 0, "next": {}} for stage in self.stages
        }
        for _partner, moves, _number in lives:
            numbers[moves[-1][1]]["now"] += 1
            entered, left = set(), set()
            for place, (days, stage, cause) in enumerate(moves):
                if not end <= days <= start or cause in ("initial", "edit"):
                    continue
                if place:
                    left.add(moves[place - 1][1])
                if stage not in entered:
                    entered.add(stage)
                    later = moves[place + 1][1].id if place + 1 < len(moves) else 0
                    ways = numbers[stage]["next"]
                    ways[later] = ways.get(later, 0) + 1
            for stage in entered:
                numbers[stage]["entered"] += 1
            for stage in left:
                numbers[stage]["left"] += 1
        return numbers

    def check(self, shown, lives, start=199, end=20):
        expected = self.by_hand(lives, start, end)
        for column in shown["stages"]:
            if not column["id"]:
                continue
            stage = self.env["lifecycle.stage"].browse(column["id"])
            with self.subTest(stage=stage.name):
                ways = {way["id"]: way["count"] for way in column["next"]}
                self.assertEqual(
                    {name: column[name] for name in ("now", "entered", "left")}
                    | {"next": ways},
                    expected[stage],
                )
                self.assertEqual(sum(ways.values()), column["entered"])

    def test_numbers_are_those_of_a_second_method(self):
        shown = self.map.get_map([], self.period)
        self.check(shown, self.lives)
        # the comparison is worth something only if there is something to compare
        self.assertGreater(sum(column["entered"] for column in shown["stages"]), 30)
        self.assertGreater(max(len(column["next"]) for column in shown["stages"]), 3)
        self.assertEqual(shown["total"], 41)
        self.assertEqual(shown["currency_id"], self.company.currency_id.id)
        self.assertEqual(
            [column["id"] for column in shown["stages"]], [*self.stages.ids, False]
        )
        self.assertEqual(shown["stages"][-1]["now"], 1)
        not_news = sum(
            20 <= days <= 199 and cause in ("initial", "edit")
            for _partner, moves, _number in self.lives
            for days, _stage, cause in moves
        )
        self.assertEqual(shown["not_news"], not_news)
        expected = {}
        for _partner, moves, number in self.lives:
            if number % 4:
                expected[moves[-1][1].id] = expected.get(moves[-1][1].id, 0) + number * 10
        self.assertEqual(
            {column["id"]: column["expected"] or 0 for column in shown["stages"][:-1]},
            {stage.id: expected.get(stage.id, 0) for stage in self.stages},
        )

    def test_a_filter_holds_for_all_numbers(self):
        belgian = [life for life in self.lives if life[0].country_id]
        shown = self.map.get_map([("country_id", "=", self.country.id)], self.period)
        self.check(shown, belgian)
        self.assertEqual(shown["total"], len(belgian))
        some = self.lives[7:19]
        names = [life[0].name for life in some]
        shown = self.map.get_map([("partner_id.name", "in", names)], self.period)
        self.check(shown, some)

    def test_every_number_leads_to_its_customers(self):
        shown = self.map.get_map([], self.period)
        for column in shown["stages"][:-1]:
            place = f"{column['id']}:{shown['start']}:{shown['end']}"
            self.assertEqual(self.number_of(f"entered:{place}"), column["entered"])
            self.assertEqual(self.number_of(f"left:{place}"), column["left"])
            for way in column["next"]:
                self.assertEqual(self.number_of(f"next:{place}:{way['id']}"), way["count"])
        belgian = ("country_id", "=", self.country.id)
        filtered = self.map.get_map([belgian], self.period)
        for column in filtered["stages"]:
            key = f"entered:{column['id']}:{shown['start']}:{shown['end']}"
            if column["id"]:
                self.assertEqual(self.number_of(key, belgian), column["entered"])

    def test_a_broken_link_says_what_to_do(self):
        for key in ("nonsense", "entered:x:2026-01-01:2026-02-01", "sold:1:2026-01-01:2026-02-01",
                    "next:1:2026-01-01:2026-02-01", "left:1:2026-13-01:2026-02-01"):
            with self.subTest(key=key), self.assertRaises(UserError):
                self.number_of(key)

    def test_the_usual_stay_counts_what_goes_on(self):
        company = self.new_company("Stay Works", lifecycle_tz="UTC")
        chosen = self.map.with_context(allowed_company_ids=company.ids)
        first, second = self.stages[:2]
        for days in (10, 20, 30):
            self.new_profile(
                self.new_customer(f"Stay {days}"),
                [(90, first, "rule"), (90 - days, second, "rule")],
                company,
            )
        medians = self.medians(chosen, {"days": 30})
        self.assertEqual(medians[first.id], median([10, 20, 30]))
        self.assertFalse(medians[second.id])
        # two who are still there move the median beyond what is known
        for number in range(3):
            self.new_profile(
                self.new_customer(f"Stays {number}"), [(90, first, "rule")], company
            )
        self.assertEqual(self.medians(chosen, {"days": 30})[first.id], 30)
        self.new_profile(self.new_customer("Stays too"), [(90, first, "rule")], company)
        self.assertFalse(self.medians(chosen, {"days": 30})[first.id])
        # 75 days ago only one had left
        past = {"start": str(self.today - timedelta(85)), "end": str(self.today - timedelta(75))}
        self.assertFalse(self.medians(chosen, past)[first.id])

    def medians(self, journeys, period):
        return {
            column["id"]: column["median_days"]
            for column in journeys.get_map([], period)["stages"]
        }

    def test_a_period_ends_after_it_begins(self):
        for period in ({"start": "2026-03-02", "end": "2026-03-01"}, {"start": "2026-03-02"}, {}):
            with self.subTest(period=period), self.assertRaises(UserError):
                self.map.get_map([], period)

    def test_the_last_year_is_the_stored_one(self):
        shown = self.map.get_earned([], {"days": 365})
        expected = {}
        for _partner, moves, number in self.lives:
            expected[moves[-1][1].id] = expected.get(moves[-1][1].id, 0) + number
        self.assertEqual(dict(shown["earned"]), {**expected, False: 0})
        self.assertFalse(shown["sampled"])

    def test_salespeople_see_their_own_customers_only(self):
        own = [life for life in self.lives if life[0].user_id == self.sales]
        shown = self.map.with_user(self.sales).get_map([], self.period)
        self.check(shown, own)
        self.assertEqual(shown["total"], len(own) + 1)
        earned = self.map.with_user(self.sales).get_earned([], {"days": 365})["earned"]
        self.assertEqual(sum(value for _id, value in earned), sum(life[2] for life in own))
        column = max(shown["stages"], key=lambda column: column["entered"])
        key = f"entered:{column['id']}:{shown['start']}:{shown['end']}"
        profiles = self.env["lifecycle.profile"].with_user(self.sales)
        self.assertEqual(
            profiles.search_count([("journey_map_cell", "=", key)]), column["entered"]
        )

    def test_others_see_nothing(self):
        user = self.new_user("map_nobody", "base.group_user", self.company)
        for call in (
            lambda map_: map_.get_map([], self.period),
            lambda map_: map_.get_earned([], self.period),
            lambda map_: map_.get_paths([], self.period, "order"),
        ):
            with self.assertRaises(AccessError):
                call(self.map.with_user(user))

    def test_only_the_current_company_counts(self):
        other = self.new_company("Map Elsewhere", lifecycle_tz="UTC")
        self.new_profile(
            self.lives[0][0], [(100, self.stages[0], "rule")], other, clv_predicted=1e6
        )
        both = self.map.with_context(allowed_company_ids=(self.company | other).ids)
        self.check(both.get_map([], self.period), self.lives)
        shown = both.with_company(other).get_map([], self.period)
        self.assertEqual(shown["total"], 1)
        self.assertEqual(shown["stages"][0]["entered"], 1)

    def test_the_number_of_queries_does_not_grow(self):
        def queries(domain):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.map.get_map(domain, self.period)
            return self.env.cr.sql_log_count - before

        few = [("partner_id", "in", [life[0].id for life in self.lives[:2]])]
        self.map.get_map([], self.period)
        self.assertLessEqual(queries([]), queries(few) + 1)
        self.assertLessEqual(queries([]), 12)


class TestTour(LifecycleHttpCase):
    new_user = classmethod(LifecycleCase.new_user.__func__)
    new_customer = classmethod(LifecycleCase.new_customer.__func__)

    def test_map_drill_down(self):
        company = self.env["res.company"].create({"name": "Tour Map", "lifecycle_tz": "UTC"})
        self.env = self.env(context={**self.env.context, "allowed_company_ids": company.ids})
        stages = self.env["lifecycle.stage"]._in_force(order="sequence, id")
        case = type("Case", (), {"env": self.env, "company": company,
                                 "today": company._lifecycle_today()})
        for name, moves in (
            ("Tour Mover", [(50, stages[2], "rule"), (20, stages[3], "rule")]),
            ("Tour Stayer", [(50, stages[2], "rule")]),
        ):
            MapCase.new_profile.__func__(
                case,
                self.new_customer(name, country_id=self.env.ref("base.be").id),
                moves,
                order_count=1,
                first_order_date=company._lifecycle_today() - timedelta(50),
            )
        self.new_user("map_tour", ALL_LEADS, company, lang="en_US")
        self.start_tour("/odoo/journey-map", "lifecycle_journey_map", login="map_tour")
