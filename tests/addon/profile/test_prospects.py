from datetime import timedelta

from odoo import Command, fields
from odoo.tests import new_test_user
from odoo.tools import mute_logger

from odoo.addons.customer_lifecycle.models.runs.collect import Collect

from ..common import LifecycleCase


class ProspectCase(LifecycleCase):
    """Two companies; the first is the one for what belongs to none."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = cls.new_company("Home", lifecycle_tz="UTC")
        cls.abroad = cls.new_company("Abroad", lifecycle_tz="UTC")
        cls.env["ir.config_parameter"].set_param(
            "customer_lifecycle.default_company_id", cls.home.id
        )
        cls.env = cls.env["base"].with_company(cls.home).env
        cls.partner = cls.env["res.partner"].create(
            {"name": "Somebody", "email": "somebody@example.com"}
        )

    def counts(self, partner=None, company=None):
        """Whether somebody counts, by refresh and by full computation alike."""
        partner = partner or self.partner
        company = company or self.home
        self.env.flush_all()
        self.env["lifecycle.pipeline"]._refresh(company, partner.ids)
        refreshed = bool(self.profile(partner, company).filtered("active"))
        with Collect(self.env, company, company._lifecycle_today()) as facts:
            facts.collect()
            self.env.cr.execute(
                "SELECT COUNT(*) FROM lifecycle_sums WHERE partner_id = %s", [partner.id]
            )
            self.assertEqual(bool(self.env.cr.fetchone()[0]), refreshed)
        return refreshed

    def backdate(self, record, months, column="create_date"):
        self.env.flush_all()
        self.env.cr.execute(
            f"UPDATE {record._table} SET {column} = %s - %s * INTERVAL '1 month' WHERE id = %s",
            [self.env.cr.now(), months, record.id],
        )
        record.invalidate_recordset()

    def lead(self, partner=None, **values):
        return self.env["crm.lead"].create(
            {"name": "L", "partner_id": (partner or self.partner).id, "company_id": False,
             **values}
        )


class TestTouches(ProspectCase):
    def test_a_mere_contact_is_no_prospect(self):
        self.assertFalse(self.counts())

    def test_opportunity(self):
        lead = self.lead(company_id=self.home.id)
        self.assertTrue(self.counts())
        self.backdate(lead, 25)
        self.assertFalse(self.counts(), "out of touch for more than 24 months")
        self.backdate(lead, 23)
        self.assertTrue(self.counts())
        lead.action_set_lost()
        self.assertTrue(self.counts(), "a lost opportunity was a touch too")

    def test_quotation(self):
        order = self.new_order(self.partner, 5, company=self.home, confirm=False)
        self.assertTrue(self.counts())
        self.assertFalse(self.counts(company=self.abroad))
        self.backdate(order, 25)
        self.assertFalse(self.counts())

    def test_invoice(self):
        """An invoice without an order, where purchases are confirmed orders."""
        journal = self.env["account.journal"].create(
            {"name": "Sales", "code": "LCS", "type": "sale", "company_id": self.home.id}
        )
        for move_type, expected in (("in_invoice", False), ("out_invoice", True)):
            if move_type == "in_invoice":
                journal.type = "purchase"
            else:
                journal = self.env["account.journal"].create(
                    {"name": "S", "code": "LCT", "type": "sale", "company_id": self.home.id}
                )
            self.env["account.move"].create(
                {"move_type": move_type, "partner_id": self.partner.id, "journal_id": journal.id}
            )
            with self.subTest(move_type=move_type):
                self.assertEqual(self.counts(), expected)

    def test_message(self):
        note = self.partner.message_post(body="From the office", message_type="comment")
        self.assertFalse(self.counts(), "what others write about him is no touch of his own")
        note.author_id = self.partner
        self.assertTrue(self.counts())
        self.backdate(note, 25, "date")
        self.assertFalse(self.counts())

    def test_meeting(self):
        start = fields.Datetime.now() - timedelta(days=10)
        meeting = self.env["calendar.event"].create(
            {
                "name": "Demonstration",
                "start": start,
                "stop": start + timedelta(hours=1),
                "partner_ids": [Command.set(self.partner.ids)],
            }
        )
        self.assertTrue(self.counts())
        meeting.active = False
        self.assertFalse(self.counts())
        meeting.active = True
        self.backdate(meeting, 25, "start")
        self.assertFalse(self.counts())

    def test_colleagues_meetings_and_messages_do_not_count(self):
        colleague = new_test_user(self.env, "lc_colleague", "base.group_user").partner_id
        colleague.write({"lifecycle_exclude": False, "email": "colleague@example.com"})
        start = fields.Datetime.now()
        self.env["calendar.event"].create(
            {"name": "Stand-up", "start": start, "stop": start + timedelta(hours=1),
             "partner_ids": [Command.set(colleague.ids)]}
        )
        self.assertFalse(self.counts(colleague))


class TestReachable(ProspectCase):
    def test_needs_email_or_phone(self):
        self.lead(company_id=self.home.id)
        for values, expected in (
            ({"email": False, "phone": False}, False),
            ({"email": "", "phone": ""}, False),
            ({"email": "a@example.com", "phone": False}, True),
            ({"email": False, "phone": "+32 2 290 34 90"}, True),
        ):
            with self.subTest(values=values):
                self.partner.write(values)
                self.assertEqual(self.counts(), expected)

    def test_company_and_contact(self):
        """A company is reached through its own number or the contact's who was in touch."""
        company, contact = self.env["res.partner"].create(
            [{"name": "Firm", "is_company": True}, {"name": "Contact"}]
        )
        contact.parent_id = company
        self.lead(contact, company_id=self.home.id)
        self.assertFalse(self.counts(company))
        contact.email = "contact@firm.example.com"
        self.assertTrue(self.counts(company))
        contact.email = False
        company.phone = "+32 2 290 34 90"
        self.assertTrue(self.counts(company))
        self.assertFalse(self.counts(contact), "contacts are no customers of their own")

    def test_who_bought_counts_without_address(self):
        self.partner.write({"email": False})
        self.new_purchase(self.partner, 5, 2000, self.home)
        self.assertTrue(self.counts())

    def test_archived(self):
        self.lead(company_id=self.home.id)
        self.assertTrue(self.counts())
        self.partner.active = False
        self.assertFalse(self.counts())


class TestWhichCompany(ProspectCase):
    def test_without_company_only_in_the_default_one(self):
        self.lead()
        self.assertTrue(self.counts(company=self.home))
        self.assertFalse(self.counts(company=self.abroad))
        self.env["ir.config_parameter"].set_param(
            "customer_lifecycle.default_company_id", self.abroad.id
        )
        self.assertFalse(self.counts(company=self.home))
        self.assertTrue(self.counts(company=self.abroad))

    def test_default_company_that_is_gone_is_the_first_one(self):
        companies = self.env["res.company"]
        first = companies._lifecycle_companies()[:1]
        chosen = self.new_company("Chosen for prospects")
        parameters = self.env["ir.config_parameter"].sudo()
        key = "customer_lifecycle.default_company_id"
        parameters.set_param(key, chosen.id)
        self.assertEqual(companies._lifecycle_default_company(), chosen)
        chosen.active = False
        self.assertEqual(companies._lifecycle_default_company(), first, "archived")
        parameters.set_param(key, "none")
        self.assertEqual(companies._lifecycle_default_company(), first, "no number")

    def test_contact_of_a_company_of_the_database(self):
        self.partner.company_id = self.abroad
        self.partner.message_post(
            body="Hello", message_type="comment", author_id=self.partner.id
        )
        self.assertFalse(self.counts(company=self.home))
        self.assertTrue(self.counts(company=self.abroad))

    def test_lead_of_a_company(self):
        self.lead(company_id=self.abroad.id)
        self.assertFalse(self.counts(company=self.home))
        self.assertTrue(self.counts(company=self.abroad))


class TestExclusion(ProspectCase):
    def test_preset(self):
        """Colleagues, anonymous visitors and the own companies; nobody else."""
        self.env.ref("base.public_user").partner_id.lifecycle_exclude = False
        Partner = self.env["res.partner"].with_context(active_test=False)
        insiders = (
            self.env["res.users"]
            .with_context(active_test=False)
            .search([])
            .filtered(lambda user: not user.share or user._is_public())
            .partner_id
        )
        own = self.env["res.company"].with_context(active_test=False).search([]).partner_id
        Partner.search([("lifecycle_exclude", "=", True)]).write({"lifecycle_exclude": False})
        Partner._lifecycle_preset_exclusion()
        self.assertEqual(
            Partner.search([("lifecycle_exclude", "=", True)]).sorted("id"),
            (insiders | own).sorted("id"),
        )
        self.assertIn(self.env.ref("base.public_user").partner_id, insiders)

    def test_new_users(self):
        for groups, expected in (
            ("base.group_user", True), ("base.group_public", True), ("base.group_portal", False)
        ):
            with self.subTest(groups=groups):
                user = new_test_user(self.env, f"lc_new_{groups}", groups)
                self.assertEqual(user.partner_id.lifecycle_exclude, expected)

    def test_new_company(self):
        self.assertTrue(self.new_company("New branch").partner_id.lifecycle_exclude)

    def test_switched_off_by_hand_stays_off(self):
        user = new_test_user(self.env, "lc_buyer", "base.group_user")
        user.partner_id.lifecycle_exclude = False
        user.write({"name": "Renamed", "group_ids": [
            Command.link(self.env.ref("sales_team.group_sale_salesman").id)
        ]})
        self.home.partner_id.lifecycle_exclude = False
        self.home.write({"name": "Home Ltd"})
        self.env.flush_all()
        self.assertFalse(user.partner_id.lifecycle_exclude)
        self.assertFalse(self.home.partner_id.lifecycle_exclude)

    def test_colleague_who_buys(self):
        user = new_test_user(self.env, "lc_buyer", "base.group_user")
        self.new_purchase(user.partner_id, 50, 1, self.home)
        self.assertFalse(self.counts(user.partner_id))
        user.partner_id.lifecycle_exclude = False
        self.assertTrue(self.counts(user.partner_id))

    def test_excluded_company_takes_its_contacts_along(self):
        firm = self.env["res.partner"].create({"name": "Firm", "is_company": True})
        self.partner.parent_id = firm
        self.new_purchase(self.partner, 50, 1, self.home)
        self.assertTrue(self.counts(firm))
        firm.lifecycle_exclude = True
        self.assertFalse(self.counts(firm))


class TestDuplicates(ProspectCase):
    def shares(self, *partners):
        ids = [partner.id for partner in (self.partner, *partners)]
        Partner = self.env["res.partner"]
        found = Partner.search([("id", "in", ids), ("lifecycle_shares_email", "=", True)])
        # one contact's change says nothing about the other's flag within a transaction
        Partner.invalidate_model(["lifecycle_shares_email"])
        for partner in Partner.browse(ids):
            self.assertEqual(partner.lifecycle_shares_email, partner in found)
        rest = Partner.search([("id", "in", ids), ("lifecycle_shares_email", "=", False)])
        self.assertEqual((found | rest).sorted("id"), Partner.browse(sorted(ids)))
        self.assertFalse(found & rest)
        return found.sorted("id")

    def test_guest_checkouts(self):
        again = self.partner.copy({"name": "Somebody again", "email": "SomeBody@Example.com "})
        third = self.partner.copy({"name": "Other", "email": "other@example.com"})
        self.assertEqual(self.shares(again, third), self.partner + again)

    def test_no_email_is_no_common_email(self):
        nobody, neither = self.env["res.partner"].create([{"name": "A"}, {"name": "B"}])
        self.assertFalse(self.shares(nobody, neither))

    def test_contacts_of_one_customer_are_no_duplicates(self):
        contact = self.partner.copy({"name": "Contact", "email": self.partner.email})
        contact.parent_id = self.partner
        self.assertFalse(self.shares(contact))

    def test_archived_and_excluded_do_not_count(self):
        again = self.partner.copy({"name": "Again", "email": self.partner.email})
        self.assertEqual(self.shares(again), self.partner + again)
        again.lifecycle_exclude = True
        self.assertFalse(self.shares(again))
        again.lifecycle_exclude = False
        again.active = False
        self.assertFalse(self.shares())

    def test_merging_ends_it(self):
        again = self.partner.copy({"name": "Again", "email": self.partner.email})
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        with mute_logger("odoo.addons.base.wizard.base_partner_merge"):
            wizard._merge([self.partner.id, again.id], self.partner)
        self.env.flush_all()
        self.assertFalse(self.shares())
