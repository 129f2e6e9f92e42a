"""Rules that ask for touchpoints: whether there were any, how many, of which kind and when."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from .test_journey import ALL_DOCUMENTS, MANAGER, SALESMAN, JourneyCase


class TestTouchpointRules(JourneyCase):
    """A company that writes often, and one that asked for an offer once, long ago."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.quiet = cls.new_customer("Quiet Ltd", is_company=True, email="quiet@example.com")
        for partner in (cls.customer, cls.quiet):
            cls.new_purchase(partner, 100, days_ago=200, company=cls.company)

    def setUp(self):
        super().setUp()
        now = fields.Datetime.now()
        for days in (3, 10, 40):
            self.new_message(self.contact, f"Coffee {days}", date=now - timedelta(days))
        self.new_lead(
            "Machines", now - timedelta(100), partner_id=self.quiet.id, email_from="q@example.com"
        )
        # without a contact, found by the address
        self.new_lead("By mail", now - timedelta(5), email_from="anna@example.com")
        self.store_figures(self.company, self.company._lifecycle_today())
        self.profiles = self.env["lifecycle.profile"].search(
            [("company_id", "=", self.company.id), ("partner_id", "in", self.everybody.ids)]
        )
        self.assertEqual(len(self.profiles), 2)

    @property
    def everybody(self):
        return self.customer | self.quiet

    def of(self, name):
        return ("source_id", "=", self.source(name).id)

    def touched(self, *conditions, operator="any", user=None):
        """Customers whom a condition finds; one by one it must find the same."""
        self.env.flush_all()
        domain = Domain("touchpoint_ids", operator, list(conditions))
        profiles = self.profiles.with_user(user or self.env.user)
        found = profiles.search(domain & Domain("id", "in", profiles.ids))
        self.assertEqual(profiles.filtered_domain(domain), found)
        return found.partner_id.sudo(False).with_user(self.env.user)

    def test_how_often_and_when(self):
        messages = self.of("message_received")
        self.assertEqual(self.touched(messages), self.customer)
        self.assertEqual(self.touched(messages, ("times", ">=", 3)), self.customer)
        self.assertFalse(self.touched(messages, ("times", ">", 3)))
        lately = ("days_ago", "<=", 30)
        self.assertEqual(self.touched(messages, lately, ("times", "=", 2)), self.customer)
        self.assertFalse(self.touched(messages, lately, ("times", ">=", 3)))
        self.assertEqual(self.touched(messages, lately, operator="not any"), self.quiet)
        day = self.company._lifecycle_today() - timedelta(10)
        self.assertEqual(self.touched(messages, ("day", "=", day)), self.customer)
        self.assertFalse(self.touched(messages, ("day", "=", day - timedelta(1))))

    def test_kinds_words_and_addresses(self):
        self.assertEqual(self.touched(self.of("lead_created")), self.everybody)
        self.assertEqual(
            self.touched(("lane", "=", "sales"), ("days_ago", "<=", 60)), self.customer
        )
        self.assertEqual(self.touched(("lane", "in", ["sales", "service"])), self.everybody)
        self.assertEqual(self.touched(("what", "ilike", "machines")), self.quiet)
        self.assertEqual(
            self.touched(self.of("message_received"), ("what", "ilike", "coffee 10")), self.customer
        )
        self.assertEqual(
            self.touched(
                *["|", self.of("lead_created"), self.of("message_received")], ("times", ">=", 4)
            ),
            self.customer,
        )

    def test_nothing_for_so_many_days(self):
        self.assertFalse(self.touched(("days_ago", "<=", 100), operator="not any"))
        self.assertEqual(self.touched(("days_ago", "<=", 60), operator="not any"), self.quiet)
        nobody = self.profiles.search([("touchpoint_ids", "=", False)]) & self.profiles
        self.assertFalse(nobody)
        # what he bought is no touch, unless it is asked for
        self.assertFalse(self.touched(("days_ago", ">", 150)))
        self.assertEqual(
            self.touched(("lane", "=", "purchase"), ("days_ago", ">", 150)), self.everybody
        )

    def test_what_cannot_be_asked_says_so(self):
        with self.assertRaisesRegex(UserError, "cannot be asked this way"):
            self.touched(("what", "=", "coffee"))
        with self.assertRaisesRegex(ValidationError, "cannot be asked this way"):
            self.segment([("what", "=", "coffee")])

    def test_a_broken_source_breaks_nothing(self):
        own = self.new_source(name="Own")
        own.sudo()._mark("No such table")
        self.env.cr.execute(
            "UPDATE lifecycle_touchpoint_source SET date_path = 'no_such' WHERE id = %s",
            [self.source("meeting").id],
        )
        self.env.invalidate_all()
        self.assertEqual(self.touched(("days_ago", "<=", 60)), self.customer)
        self.assertFalse(self.touched(self.of("meeting")))

    # ----- RIGHTS -----

    def test_a_reader_s_own_rights(self):
        other = self.new_user("touch_other", ALL_DOCUMENTS, self.company)
        reader = self.new_user("touch_reader", SALESMAN, self.company)
        self.env["crm.lead"].search([("name", "in", ["Machines", "By mail"])]).user_id = other
        # customers are his to see; the opportunities are not
        self.assertFalse(self.touched(self.of("lead_created"), user=reader))
        self.assertEqual(self.touched(self.of("lead_created"), user=other), self.everybody)
        # and not by way of the contact either
        through = [
            ("id", "in", self.everybody.ids),
            ("lifecycle_profile_id.touchpoint_ids", "any", [self.of("lead_created")]),
        ]
        partners = self.env["res.partner"].with_company(self.company)
        self.assertEqual(len(partners.with_user(other).search(through)), 2)
        self.assertFalse(partners.with_user(reader).search(through))

    def test_an_author_asks_what_he_may_read(self):
        manager = self.new_user("touch_manager", MANAGER, self.company)
        segments = self.env["lifecycle.segment"].with_user(manager).with_company(self.company)
        segment = self.segment([self.of("lead_created"), ("times", ">=", 1)], segments)
        self.assertEqual(segment.match_count, 2)
        # contacts are sources of his own; servers of mail are not his to read
        secret = self.new_source(
            name="Servers", model="ir.cron", partner_path="user_id.partner_id", title="Action"
        )
        with self.assertRaises(ValidationError):
            self.segment([("source_id", "=", secret.id)], segments)
        # what names no source asks none that is not everybody's
        self.assertTrue(self.segment([("days_ago", "<", 9)], segments))

    # ----- RULES -----

    def segment(self, conditions, segments=None):
        segments = self.env["lifecycle.segment"] if segments is None else segments
        return segments.create(
            {
                "name": "In touch",
                "company_id": self.company.id,
                "domain": repr([("touchpoint_ids", "any", conditions)]),
            }
        )

    def test_a_segment_of_all_and_of_few(self):
        segment = self.segment(
            [self.of("message_received"), ("days_ago", "<=", 30), ("times", ">=", 2)]
        )
        self.assertEqual((segment.match_problem, segment.match_count), (False, 1))
        classify = self.env["lifecycle.classifier"]._classify_segments
        today = self.company._lifecycle_today()
        classify(self.company, today)
        self.assertEqual(segment.member_ids.profile_id.partner_id, self.customer)
        self.env["mail.message"].search([("body", "ilike", "Coffee 3")]).unlink()
        classify(self.company, today, partner_ids=self.customer.ids)
        self.assertFalse(segment.member_ids)
        # three weeks ago there was one message less
        self.assertFalse(
            self.profiles.with_context(lifecycle_today=today - timedelta(11)).search(
                [("touchpoint_ids", "any", [self.of("message_received"), ("days_ago", "<=", 28)])]
            )
        )
