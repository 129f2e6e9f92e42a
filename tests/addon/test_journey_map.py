"""The journey map: its numbers against a second method, its ways, and who may see what."""

import random
from datetime import timedelta
from statistics import median
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.customer_lifecycle.models import lifecycle_journey_map as stages_of_map
from odoo.addons.customer_lifecycle.models import lifecycle_journey_map_paths as paths_of_map

from .common import LifecycleCase, LifecycleHttpCase

SALESMAN = "sales_team.group_sale_salesman"
ALL_LEADS = "sales_team.group_sale_salesman_all_leads"
MANAGER = "sales_team.group_sale_manager"


class MapCase(LifecycleCase):
    """A company of its own whose customers have moved through the stages."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("Map Works", lifecycle_tz="UTC")
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": cls.company.ids}
        )
        cls.company = cls.company.with_env(cls.env)
        cls.map = cls.env["lifecycle.journey.map"]
        cls.today = cls.company._lifecycle_today()
        cls.stages = cls.env["lifecycle.stage"]._in_force(order="sequence, id")
        cls.lost = cls.stages.filtered("is_lost")[:1]
        cls.period = {
            "start": str(cls.today - timedelta(199)),
            "end": str(cls.today - timedelta(20)),
        }

    @classmethod
    def new_profile(cls, partner, moves=(), company=None, **values):
        """A profile with moves: list of (days ago, stage, cause)."""
        company = company or cls.company
        zeros = dict.fromkeys(
            ("order_count", "revenue", "revenue_year", "clv_historical", "clv_total"), 0
        )
        profile = cls.env["lifecycle.profile"].create(
            {
                "partner_id": partner.id,
                "company_id": company.id,
                "currency_id": company.currency_id.id,
                **zeros,
                **values,
            }
        )
        before, since = cls.env["lifecycle.stage"], None
        for number, (days_ago, stage, cause) in enumerate(moves, 1):
            date = cls.today - timedelta(days_ago)
            cls.env["lifecycle.transition"].create(
                {
                    "profile_id": profile.id,
                    "kind": "stage",
                    "number": number,
                    "from_stage_id": before.id,
                    "to_stage_id": stage.id,
                    "date": date,
                    "cause": cause,
                    "days_before": (date - since).days if since else 0,
                }
            )
            before, since = stage, date
        profile.sudo().write({"stage_date": since})
        cls.env.flush_all()
        cls.env.cr.execute(
            "UPDATE lifecycle_profile SET stage_id = %s WHERE id = %s", [before.id or None,
                                                                         profile.id]
        )
        profile.invalidate_recordset()
        return profile

    def number_of(self, key, *domain):
        return self.env["lifecycle.profile"].search_count(
            [("company_id", "=", self.company.id), ("journey_map_cell", "=", key), *domain]
        )


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


@tagged("standard", "post_install", "-at_install")
class TestValueAndPaths(MapCase):
    """What customers brought, and the touchpoints before first orders and losses."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls.new_user("map_manager", MANAGER, cls.company)
        cls.names = {
            id_: xml_id.split("touchpoint_source_")[-1]
            for id_, xml_id in cls.env["lifecycle.touchpoint.source"]
            .search([]).get_external_id().items()
        }
        cls.period = {"days": 100}

    def buyer(self, name, days_ago, amount=100, stage=None, **values):
        partner = self.new_customer(name, email=f"{name}@example.com".lower(), **values)
        self.new_purchase(partner, amount, days_ago, self.company)
        self.env["lifecycle.pipeline"]._refresh(self.company, partner.ids)
        if stage:
            self.put(partner, stage)
        return partner

    def put(self, partner, stage):
        """Put a customer into a stage, whatever the rules say."""
        profile = self.profile(partner, self.company)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE lifecycle_profile SET stage_id = %s WHERE id = %s", [stage.id, profile.id]
        )
        profile.invalidate_recordset()

    def lead(self, partner, days_ago, **values):
        lead = self.env["crm.lead"].create(
            {
                "name": "Interest",
                "type": "opportunity",
                "partner_id": partner.id,
                "company_id": self.company.id,
                **values,
            }
        )
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE crm_lead SET create_date = NOW() AT TIME ZONE 'UTC' - %s WHERE id = %s",
            [timedelta(days_ago), lead.id],
        )
        lead.invalidate_recordset()
        return lead

    def meeting(self, partner, days_ago):
        day = self.today - timedelta(days_ago)
        return self.env["calendar.event"].create(
            {
                "name": "Talk",
                "start": f"{day} 09:00:00",
                "stop": f"{day} 10:00:00",
                "partner_ids": [Command.set(partner.ids)],
            }
        )

    def call(self, partner, days_ago):
        day = self.today - timedelta(days_ago)
        return self.env["mail.message"].create(
            {
                "model": "res.partner",
                "res_id": partner.id,
                "body": "Spoke",
                "message_type": "notification",
                "subtype_id": self.env.ref("mail.mt_activities").id,
                "mail_activity_type_id": self.env.ref("mail.mail_activity_data_call").id,
                "date": f"{day} 12:00:00",
            }
        )

    def ways(self, kind="order", user=None, domain=(), period=None, **options):
        """(names of the steps, number, median days, value) of the ways, and the whole answer."""
        self.env.flush_all()
        journeys = self.map.with_user(user or self.manager)
        found = journeys.get_paths(list(domain), period or self.period, kind, options)
        ways = [
            (
                tuple(self.names.get(step, step) for step in path["steps"]),
                path["count"],
                path["median_days"],
                path["value"],
            )
            for path in found["paths"]
        ]
        return ways, found

    # ----- VALUE -----

    def test_other_periods_are_summed_from_the_documents(self):
        first, second = self.stages[2:4]
        here, there = self.buyer("One", 50, 100), self.buyer("Two", 60, 7)
        self.new_purchase(here, 40, 10, self.company)
        self.env["lifecycle.pipeline"]._refresh(self.company, (here | there).ids)
        self.put(here, first)
        self.put(there, second)
        earned = self.map.get_earned([], {"days": 55})
        self.assertEqual(earned, {"earned": [[first.id, 140.0]], "sampled": False})
        earned = dict(self.map.get_earned([], {"days": 61})["earned"])
        self.assertEqual(earned, {first.id: 140.0, second.id: 7.0})
        past = {"start": str(self.today - timedelta(55)), "end": str(self.today - timedelta(20))}
        self.assertEqual(self.map.get_earned([], past)["earned"], [[first.id, 100.0]])
        sales = self.new_user("map_earned", ALL_LEADS, self.company)
        self.assertEqual(
            self.map.with_user(sales).get_earned([], past)["earned"], [[first.id, 100.0]]
        )

    def test_of_very_many_a_sample_stands_for_all(self):
        stage = self.stages[2]
        for number in range(30):
            self.buyer(f"Crowd{number}", 30, 50, stage)
        with patch.object(stages_of_map, "SAMPLE", 10):
            earned = self.map.get_earned([], {"days": 90})
            again = self.map.get_earned([], {"days": 90})
            shown = self.map.get_map([], {"days": 90})
        self.assertLess(0, earned["sampled"])
        self.assertLess(earned["sampled"], 30)
        # all bought the same: in proportion the sum is exact
        self.assertAlmostEqual(dict(earned["earned"])[stage.id], 30 * 50)
        self.assertEqual(earned, again)
        self.assertEqual(shown["sampled"], 10)

    # ----- WAYS TO A FIRST ORDER -----

    def test_ways_to_a_first_order(self):
        for number in range(3):
            partner = self.buyer(f"Path{number}", 10, 100 + number)
            self.lead(partner, 40 + number)
            self.meeting(partner, 30)
            # what repeats at once counts once
            self.meeting(partner, 25)
            # what comes after the order led to nothing
            self.meeting(partner, 5)
        direct = self.buyer("Direct", 20, 5)
        self.meeting(direct, 21)
        self.buyer("Silent", 20, 5)
        old = self.buyer("Old", 300, 5)
        self.meeting(old, 310)
        ways, found = self.ways()
        self.assertEqual(
            ways, [(("lead_created", "meeting"), 3, 31, 303.0), (("meeting",), 1, 1, 5.0)]
        )
        self.assertEqual((found["total"], found["looked_at"], found["unknown"]), (5, 5, 1))
        self.assertEqual(found["others"], 0)
        self.assertEqual(
            set(found["paths"][1]["profile_ids"]), set(self.profile(direct, self.company).ids)
        )
        ways, _found = self.ways(level="lane")
        self.assertEqual([way[:2] for way in ways], [(("sales",), 4)])

    def test_the_contacts_of_a_company_lead_to_its_order(self):
        partner = self.buyer("Firm", 10, is_company=True)
        contact = self.new_customer("Anna", parent_id=partner.id, email="anna@example.com")
        self.meeting(contact, 20)
        self.call(partner, 15)
        # an opportunity without a contact belongs to whoever has its address
        self.lead(self.env["res.partner"], 30, email_from="Anna <anna@example.com>",
                  contact_name="Anna")
        ways, _found = self.ways()
        self.assertEqual([way[:2] for way in ways], [(("lead_created", "meeting", "call"), 1)])

    def test_long_ways_keep_their_last_steps(self):
        partner = self.buyer("Long", 10)
        for turn in range(4):
            self.meeting(partner, 50 - 4 * turn)
            self.call(partner, 48 - 4 * turn)
        ways, found = self.ways()
        self.assertEqual(ways[0][0], ("meeting", "call") * 3)
        self.assertTrue(found["paths"][0]["cut"])
        ways, found = self.ways(steps=2)
        self.assertEqual(ways[0][:3], (("meeting", "call"), 1, 28))
        ways, found = self.ways(steps=99)
        self.assertEqual(len(ways[0][0]), 6)

    def test_a_filter_and_a_sample_limit_whose_ways_are_compared(self):
        for number in range(4):
            self.meeting(self.buyer(f"Few{number}", 10), 20)
        _ways, found = self.ways(domain=[("partner_id.name", "in", ["Few1", "Few2"])])
        self.assertEqual(found["total"], 2)
        with patch.object(paths_of_map, "WAYS", 3):
            _ways, found = self.ways()
            again = self.ways()[1]
        self.assertEqual((found["total"], found["looked_at"]), (4, 3))
        self.assertEqual(found["paths"], again["paths"])

    def test_ways_show_what_the_reader_may_see(self):
        sales = self.new_user("map_ways", SALESMAN, self.company)
        own = self.buyer("Own", 10, user_id=sales.id)
        foreign = self.buyer("Foreign", 10, user_id=self.manager.id)
        for partner in own | foreign:
            self.meeting(partner, 20)
            self.lead(partner, 30, user_id=self.manager.id)
        ways, found = self.ways(user=sales)
        # a colleague's opportunities are hidden, and so is the colleague's customer
        self.assertEqual([way[:2] for way in ways], [(("meeting",), 1)])
        self.assertEqual(found["total"], 1)
        self.assertNotIn("warnings", found)
        ways, _found = self.ways()
        self.assertEqual([way[:2] for way in ways], [(("lead_created", "meeting"), 2)])

    def test_sources_that_not_every_salesperson_may_read_are_left_out(self):
        source = self.env["lifecycle.touchpoint.source"].create(
            {"name": "Secret", "lane": "service", "model": "ir.logging", "title": "{name}",
             "partner_path": False, "email_path": "name"}
        )
        for found in (self.map._way_sources(), self.map.with_user(self.manager)._way_sources()):
            self.assertTrue(found)
            self.assertNotIn(source, found)
            self.assertNotIn("lifecycle", found.mapped("lane"))

    def test_a_broken_source_is_left_out_with_a_warning(self):
        self.meeting(self.buyer("Whole", 10), 20)
        broken, refused = self.env["lifecycle.touchpoint.source"].create(
            [
                {"name": name, "lane": "sales", "model": "crm.lead", "title": "{name}"}
                for name in ("Broken", "Refused")
            ]
        )
        for source, column, value in (
            (broken, "date_path", "no_such_field"),
            (refused, "domain", "[('create_date', '>', 'not a day')]"),
        ):
            self.env.cr.execute(
                SQL("UPDATE lifecycle_touchpoint_source SET %s = %s WHERE id = %s",
                    SQL.identifier(column), value, source.id)
            )
        (broken | refused).invalidate_recordset()
        with mute_logger("odoo.sql_db"):
            ways, found = self.ways()
        self.assertEqual([way[:2] for way in ways], [(("meeting",), 1)])
        self.assertEqual(
            {warning["name"] for warning in found["warnings"]}, {"Broken", "Refused"}
        )

    # ----- WAYS INTO A LOSS -----

    def test_ways_into_a_loss(self):
        partner = self.buyer("Gone", 400, 80)
        self.meeting(partner, 60)
        self.call(partner, 50)
        self.meeting(partner, 10)
        kept = self.buyer("Kept", 400, 80)
        self.call(kept, 50)
        for customer, stage in ((partner, self.lost), (kept, self.stages[0])):
            self.env["lifecycle.transition"].create(
                {
                    "profile_id": self.profile(customer, self.company).id,
                    "kind": "stage",
                    "number": 50,
                    "to_stage_id": stage.id,
                    "date": self.today - timedelta(20),
                    "cause": "rule",
                }
            )
        ways, found = self.ways("loss")
        self.assertEqual(ways, [(("imported", "meeting", "call"), 1, 380, 80.0)])
        self.assertEqual(found["total"], 1)
        ways, found = self.ways("loss", period={"days": 10})
        self.assertEqual((ways, found["total"]), ([], 0))


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
