"""A customer's journey: complete, in order, and only what the reader may read."""

import random
from datetime import datetime, timedelta

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tools import mute_logger

from ..common import LifecycleCase

SALESMAN = "sales_team.group_sale_salesman"
ALL_DOCUMENTS = "sales_team.group_sale_salesman_all_leads"
MANAGER = "sales_team.group_sale_manager"


class JourneyCase(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("Journey Ltd", lifecycle_tz="UTC")
        cls.env = cls.env["base"].with_company(cls.company).env
        cls.env.user.tz = "UTC"
        cls.customer = cls.new_customer("Traveller Ltd", is_company=True, email="t@example.com")
        cls.contact = cls.new_customer(
            "Anna Traveller", parent_id=cls.customer.id, email="anna@example.com"
        )
        cls.sources = cls.env["lifecycle.touchpoint.source"]

    def journey(self, partner=None, user=None, **options):
        """The journey as the screen asks for it, after everything has been written."""
        self.env.flush_all()
        # every request begins with an empty cache
        self.env.invalidate_all()
        journeys = self.env["lifecycle.journey"]
        if user:
            journeys = journeys.with_user(user).with_company(self.company)
        partner = partner or self.customer
        return journeys.get_journey(partner.id, {"overview": True, **options})

    def titles(self, *args, **kwargs):
        return [item["title"] for item in self.journey(*args, **kwargs)["items"]]

    def source(self, name):
        return self.env.ref(f"customer_lifecycle.touchpoint_source_{name}")

    def new_lead(self, name, moment=None, **values):
        lead = self.env["crm.lead"].create(
            {"name": name, "type": "opportunity", "company_id": self.company.id, **values}
        )
        if moment:
            self.env.flush_all()
            self.env.cr.execute(
                "UPDATE crm_lead SET create_date = %s WHERE id = %s", [moment, lead.id]
            )
            lead.invalidate_recordset(["create_date"])
        return lead

    def new_message(self, record, body, author=None, **values):
        return self.env["mail.message"].create(
            {
                "model": record._name,
                "res_id": record.id,
                "body": body,
                "message_type": "email",
                "subtype_id": self.env.ref("mail.mt_comment").id,
                "author_id": (author or self.contact).id,
                **values,
            }
        )

    def new_source(self, **values):
        return self.sources.create(
            {
                "name": "Own source",
                "lane": "service",
                "model": "res.partner",
                "partner_path": "parent_id",
                "date_path": "create_date",
                "title": "Contact {name}",
                **values,
            }
        )


class TestReading(JourneyCase):
    def test_pages_have_neither_gaps_nor_doubles_at_equal_dates(self):
        rng = random.Random(4)
        moments = [datetime(2026, 3, 1, 12) + timedelta(hours=hour) for hour in range(3)]
        for number in range(40):
            self.new_lead(f"Lead {number}", rng.choice(moments), partner_id=self.customer.id)
            if number % 3 == 0:
                self.new_message(self.customer, f"Text {number}", date=rng.choice(moments))
        self.new_purchase(self.customer, 10, reference="A")
        everything = self.journey(limit=500)["items"]
        keys = [tuple(item["key"]) for item in everything]
        self.assertEqual(len(keys), 40 + 14 + 1)
        self.assertEqual(keys, sorted(keys, reverse=True))
        for size in (1, 7, 13):
            paged, before = [], False
            while True:
                page = self.journey(limit=size, before=before, overview=False)
                paged += [tuple(item["key"]) for item in page["items"]]
                before = page["next"]
                if not before:
                    break
            self.assertEqual(paged, keys)

    def test_counts_equal_the_list(self):
        for day in range(1, 20):
            self.new_lead(f"Lead {day}", datetime(2026, 1 + day % 3, day, 23), email_from=False,
                          partner_id=self.contact.id, expected_revenue=100)
        self.new_purchase(self.customer, 250, days_ago=3)
        journey = self.journey(limit=500)
        counted = {}
        for source_id, day, number, _id, _amount in journey["days"]:
            counted[source_id, day] = counted.get((source_id, day), 0) + number
        listed = {}
        for item in journey["items"]:
            key = item["key"][1], item["day"] or item["key"][0][:10]
            listed[key] = listed.get(key, 0) + 1
        self.assertEqual(counted, listed)
        amounts = {row[0]: 0 for row in journey["days"]}
        for source_id, _day, _number, _id, amount in journey["days"]:
            amounts[source_id] += amount
        self.assertEqual(amounts[self.source("lead_created").id], 1900)
        self.assertEqual(amounts[self.source("imported").id], 250)

    def test_days_are_the_reader_s(self):
        self.new_lead("Late", datetime(2026, 5, 1, 22, 30), partner_id=self.customer.id)
        self.new_purchase(self.customer, 5, date="2026-05-01", reference="Old")
        for zone, day in (("UTC", "2026-05-01"), ("Europe/Berlin", "2026-05-02")):
            self.env.user.tz = zone
            journey = self.journey()
            days = {row[0]: row[1] for row in journey["days"]}
            self.assertEqual(days[self.source("lead_created").id], day)
            self.assertEqual(days[self.source("imported").id], "2026-05-01")
            self.assertIn("Opportunity: Late", self.titles(start=day, end=day))
            self.assertNotIn("Opportunity: Late", self.titles(start="2026-05-03"))

    def test_a_company_s_journey_names_who(self):
        self.new_lead("Of the company", partner_id=self.customer.id)
        self.new_lead("Of Anna", partner_id=self.contact.id)
        stranger = self.new_customer("Stranger")
        self.new_lead("Of a stranger", partner_id=stranger.id)
        for partner in (self.customer, self.contact):
            who = {item["title"]: item["who"] for item in self.journey(partner)["items"]}
            self.assertEqual(
                who,
                {
                    "Opportunity: Of the company": "Traveller Ltd",
                    "Opportunity: Of Anna": "Anna Traveller",
                },
            )
        self.assertEqual(
            self.titles(person_id=self.contact.id), ["Opportunity: Of Anna"]
        )

    def test_opportunities_without_contact_join_by_address(self):
        lead = self.new_lead("Enquiry", email_from='"A. T." <ANNA@example.com>')
        self.assertFalse(lead.partner_id)
        self.new_lead("Somebody else's", email_from="other@example.com")
        self.new_message(lead, "First question")
        items = {item["title"]: item["who"] for item in self.journey()["items"]}
        self.assertEqual(
            items, {"Opportunity: Enquiry": "Anna Traveller", "First question": "Anna Traveller"}
        )

    def test_a_customer_without_address_is_not_everybody_without_address(self):
        self.new_lead("Nobody's", email_from=False)
        self.assertEqual(self.titles(self.new_customer("Without address")), [])

    def test_merged_contacts_keep_both_histories(self):
        other = self.new_customer("Traveler Limited", is_company=True, email="x@example.com")
        self.new_lead("Mine", partner_id=self.customer.id)
        self.new_lead("Theirs", partner_id=other.id)
        self.new_message(other, "Their letter", author=other)
        self.new_purchase(other, 70, reference="T-1")
        meeting = self.env["calendar.event"].create(
            {
                "name": "Their meeting",
                "start": "2026-04-02 09:00:00",
                "stop": "2026-04-02 10:00:00",
                "partner_ids": [Command.set(other.ids)],
            }
        )
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        with mute_logger("odoo.addons.base.wizard.base_partner_merge"):
            wizard._merge([self.customer.id, other.id], self.customer)
        self.env.invalidate_all()
        self.assertEqual(
            set(self.titles()),
            {"Opportunity: Mine", "Opportunity: Theirs", "Their letter", "Purchase T-1",
             meeting.name},
        )

    def test_filters(self):
        won = self.env["crm.stage"].search([("is_won", "=", True)], limit=1)
        self.new_lead("Espresso", partner_id=self.customer.id, stage_id=won.id, probability=100)
        lost = self.new_lead("Tea", partner_id=self.contact.id)
        lost.action_set_lost()
        self.new_message(self.customer, "<p>About <b>grinders</b></p>")
        self.assertEqual(self.titles(attention=True), ["Lost: Tea"])
        self.assertEqual(set(self.titles(text="ESPRESSO")),
                         {"Opportunity: Espresso", "Won: Espresso"})
        self.assertEqual(self.titles(text="grinders"), ["About grinders"])
        self.assertIn("Opportunity: Tea", self.titles(text="anna"))
        self.assertNotIn("Opportunity: Espresso", self.titles(text="anna"))
        self.assertEqual(self.titles(lanes=["marketing"]), [])
        found = self.journey(text="tea")
        self.assertEqual(sum(row[2] for row in found["days"]), len(found["items"]))

    def test_nobody_s_text_becomes_markup(self):
        self.new_lead("<script>alert(1)</script>", partner_id=self.customer.id)
        self.new_message(self.customer, "<p>Hello <script>alert(2)</script><b>you</b></p>")
        titles = self.titles()
        # plain text: the screen escapes it, see the test of the component
        self.assertIn("Opportunity: <script>alert(1)</script>", titles)
        self.assertIn("Hello you", titles)

    def test_stages_and_forecast_are_told(self):
        for days in (400, 300, 200, 100, 40):
            self.new_purchase(self.customer, 100, days_ago=days)
        self.run_nightly()
        journey = self.journey()
        bands = journey["bands"]
        self.assertGreaterEqual(len(bands), 2)
        for band, following in zip(bands, bands[1:], strict=False):
            self.assertEqual(band["end"], following["start"])
            self.assertGreater(band["days"], 0)
        self.assertEqual([band["current"] for band in bands][-1], True)
        profile = self.profile(self.customer, self.company)
        self.assertEqual(bands[-1]["stage"], profile.stage_id.name)
        if profile.next_order_to:
            self.assertEqual(journey["forecast"]["to"], str(profile.next_order_to))

    def test_the_number_of_queries_does_not_grow_with_the_touchpoints(self):
        def queries():
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.journey(limit=500)
            return self.env.cr.sql_log_count - before

        def fill(number):
            for _n in range(number):
                lead = self.new_lead("Lead", partner_id=self.contact.id)
                self.new_message(lead, "Text")
                self.new_message(self.customer, "Text")
                self.new_purchase(self.customer, 10)

        fill(2)
        queries()
        few = queries()
        fill(30)
        many = queries()
        ready = len(self.sources.search([]).filtered(lambda one: one.state == "ready"))
        self.assertLessEqual(many, few + 2)
        self.assertLessEqual(many, 2 * ready + 20)


class TestAccess(JourneyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.salesman = cls.new_user("journey_own", SALESMAN, cls.company)
        cls.everything = cls.new_user("journey_all", ALL_DOCUMENTS, cls.company)
        cls.manager = cls.new_user("journey_manager", MANAGER, cls.company)

    def test_a_salesman_sees_what_his_rules_show_and_counts_no_more(self):
        mine = self.new_lead("Mine", partner_id=self.customer.id, user_id=self.salesman.id)
        theirs = self.new_lead("Theirs", partner_id=self.customer.id, user_id=self.manager.id)
        self.new_message(mine, "To mine")
        self.new_message(theirs, "To theirs")
        journey = self.journey(user=self.salesman)
        titles = {item["title"] for item in journey["items"]}
        self.assertEqual(titles, {"Opportunity: Mine", "To mine"})
        self.assertEqual(sum(row[2] for row in journey["days"]), 2)
        everything = self.journey(user=self.everything)
        self.assertEqual(len(everything["items"]), 4)
        self.assertEqual(sum(row[2] for row in everything["days"]), 4)
        self.assertEqual(self.titles(user=self.salesman, text="theirs"), [])

    def test_other_companies_do_not_show(self):
        other = self.new_company("Elsewhere", lifecycle_tz="UTC")
        self.env["lifecycle.external.purchase"].create(
            {
                "partner_id": self.customer.id,
                "amount": 9,
                "date": "2026-02-02",
                "company_id": other.id,
                "currency_id": other.currency_id.id,
                "reference": "Elsewhere",
            }
        )
        journey = self.journey(user=self.manager)
        self.assertFalse(journey["items"])
        self.assertFalse(journey["days"])

    def test_models_and_fields_that_the_reader_may_not_read_leave_no_trace(self):
        self.new_source(model="res.users.log", partner_path="create_uid.partner_id",
                        title="Logged in", name="Logins")
        secret = self.new_source(name="Secrets", title="{lifecycle_exclude}")
        field = self.env["res.partner"]._fields["lifecycle_exclude"]
        self.patch(field, "groups", "base.group_system")
        self.env.registry.clear_cache()
        seen = {source["name"] for source in self.journey(user=self.manager)["sources"]}
        self.assertNotIn("Logins", seen)
        self.assertNotIn(secret.name, seen)
        self.assertEqual(self.journey(user=self.manager)["warnings"], [])

    def test_private_meetings_stay_private(self):
        self.env["calendar.event"].with_user(self.manager).create(
            {
                "name": "About the salesman",
                "start": "2026-04-02 09:00:00",
                "stop": "2026-04-02 10:00:00",
                "privacy": "private",
                "partner_ids": [Command.set([self.customer.id, self.manager.partner_id.id])],
            }
        )
        self.assertIn("About the salesman", self.titles(user=self.manager))
        self.assertNotIn("About the salesman", str(self.journey(user=self.salesman)["items"]))

    def test_portal_and_clerks_have_no_journeys(self):
        portal = self.new_user("journey_portal", "base.group_portal", self.company)
        portal.partner_id.parent_id = self.customer
        clerk = self.new_user("journey_clerk", "base.group_user", self.company)
        for user in (portal, clerk):
            with self.assertRaises(AccessError):
                self.journey(user=user)

    def test_a_contact_that_may_not_be_read_has_no_journey(self):
        other = self.new_company("Elsewhere", lifecycle_tz="UTC")
        hidden = self.new_customer("Hidden", company_id=other.id)
        with self.assertRaises(AccessError):
            self.journey(hidden, user=self.manager)
