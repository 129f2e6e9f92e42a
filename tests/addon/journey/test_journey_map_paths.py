"""The journey map: what customers brought, and the touchpoints before orders and losses."""

from datetime import timedelta
from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.customer_lifecycle.models.journey import journey_map as stages_of_map
from odoo.addons.customer_lifecycle.models.journey import journey_map_paths as paths_of_map

from ..common_journey_map import MapCase

SALESMAN = "sales_team.group_sale_salesman"
ALL_LEADS = "sales_team.group_sale_salesman_all_leads"
MANAGER = "sales_team.group_sale_manager"


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
            "UPDATE crm_lead SET create_date = %s WHERE id = %s",
            [self.env.cr.now() - timedelta(days_ago), lead.id],
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

    def test_credit_without_purchase_counts_in_every_period(self):
        never, early = self.stages[2:4]
        credited = self.new_customer("Credited only", email="credited@example.com")
        returned = self.buyer("Returned later", 200, 100)
        self.new_purchase(credited, -30, 10, self.company)
        self.new_purchase(returned, -20, 10, self.company)
        self.env["lifecycle.pipeline"]._refresh(self.company, (credited | returned).ids)
        self.put(credited, never)
        self.put(returned, early)
        for days, expected in (
            (30, {never.id: -30, early.id: -20}),
            (364, {never.id: -30, early.id: 80}),
            (365, {never.id: -30, early.id: 80}),
        ):
            with self.subTest(days=days):
                self.assertEqual(dict(self.map.get_earned([], {"days": days})["earned"]), expected)

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
        with patch.object(paths_of_map, "MOST_EVENTS", 3):
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
        for found in (self.map._path_sources(), self.map.with_user(self.manager)._path_sources()):
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
