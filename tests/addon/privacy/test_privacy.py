"""A person's rights: being found, forgotten, handed over, and forgotten in time."""

import base64
import hashlib
import json
from datetime import timedelta

import psycopg2

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.customer_lifecycle.models.privacy.privacy import KEPT, WORDS
from odoo.addons.customer_lifecycle.tools.messages import Message

from ..common import LifecycleCase, LifecycleHttpCase

MANAGER = "sales_team.group_sale_manager"
SALESMAN = "sales_team.group_sale_salesman"


class PrivacyCase(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.person = cls.new_customer(
            "Ada Personal", email="ada@personal.example.com", phone="+4915112345678",
            street="Secret Lane 1", city="Hidden",
        )
        cls.other = cls.new_customer("Bob Other", email="bob@other.example.com")
        cls.order = cls.new_order(cls.person, 120)
        cls.new_order(cls.other, 50)
        cls.workflow = cls.env["lifecycle.workflow"].create({"name": "Told"})

    def setUp(self):
        super().setUp()
        self.run_nightly()
        self.mine = self.profile(self.person)

    def told(self, profile=None, recipient=None, **values):
        profile = profile or self.mine
        partner = recipient or profile.partner_id
        return self.env["lifecycle.workflow.delivery"].create(
            {
                "workflow_id": self.workflow.id,
                "profile_id": profile.id,
                "partner_id": profile.partner_id.id,
                "company_id": profile.company_id.id,
                "kind": "email",
                "state": "done",
                "date": fields.Datetime.now(),
                "recipient_id": partner.id,
                "email": partner.email,
                "subject": f"Dear {partner.name}",
                **values,
            }
        )


class TestAnonymise(PrivacyCase):
    def anonymise(self, partners, user=None):
        wizard = self.env["lifecycle.anonymise"]
        if user:
            wizard = wizard.with_user(user)
        return wizard.create({"partner_ids": partners.ids}).action_anonymise()

    def test_every_word_of_a_personal_model_is_thought_of(self):
        for name in self.env["lifecycle.privacy"]._personal_models():
            model = self.env[name]
            words = {
                field.name
                for field in model._fields.values()
                if field.store and field.type in ("char", "text", "html", "json", "binary")
            }
            with self.subTest(model=name):
                thought = {*WORDS.get(name, ()), *KEPT.get(name, ())}
                self.assertEqual(words - thought, set())

    def test_all_models_that_point_at_a_person_are_found(self):
        found = self.env["lifecycle.privacy"]._personal_models()
        for name in (
            "lifecycle.profile", "lifecycle.transition", "lifecycle.workflow.delivery",
            "lifecycle.workflow.enrollment", "lifecycle.referral", "lifecycle.referral.code",
            "lifecycle.external.purchase", "lifecycle.order.touch", "lifecycle.contact.outcome",
            "lifecycle.comparison.customer", "lifecycle.opt.out", "lifecycle.loyalty.member",
        ):  # fmt: skip
            self.assertIn(name, found)

    def test_names_addresses_and_reasons_go_and_money_stays(self):
        delivery = self.told(error="ada@personal.example.com bounced")
        kept = self.told(self.profile(self.other))
        self.mine.write({"vip_problem": "Ada is angry"})
        transition = self.env["lifecycle.transition"].search(
            [("profile_id", "=", self.mine.id)], limit=1
        )
        self.assertTrue(transition.why)
        self.person.message_post(body="Ada told us her secrets.")
        before = self.env["lifecycle.customer.revenue"].formatted_read_group(
            [], [], ["amount:sum", "__count"]
        )
        self.anonymise(self.person)
        self.assertEqual(self.person.name, f"Anonymised customer {self.person.id}")
        for name in ("email", "phone", "street", "city"):
            self.assertFalse(self.person[name], name)
        self.assertFalse(self.person.message_ids)
        for name in ("email", "subject", "error"):
            self.assertFalse(delivery[name], name)
        self.assertEqual(kept.subject, "Dear Bob Other")
        self.assertFalse(transition.why or transition.reason)
        self.assertFalse(self.mine.vip_problem)
        self.assertEqual(self.mine.clv_historical, 120)
        self.assertEqual(
            self.env["lifecycle.customer.revenue"].formatted_read_group(
                [], [], ["amount:sum", "__count"]
            ),
            before,
        )
        self.run_nightly()
        self.assertEqual(self.profile(self.person).clv_historical, 120)
        self.env.cr.execute(
            "SELECT COUNT(*) FROM lifecycle_workflow_delivery WHERE subject ILIKE '%ada%' "
            "OR email ILIKE '%ada@%'"
        )
        self.assertEqual(self.env.cr.fetchone(), (0,))

    def test_a_company_loses_one_of_its_people(self):
        company = self.new_customer("Firm Ltd", is_company=True)
        one, two = (
            self.new_customer(name, parent_id=company.id, email=f"{name.lower()}@firm.example.com")
            for name in ("Carla", "Dora")
        )
        self.new_order(one, 70)
        self.run_refresh()
        profile = self.profile(company)
        first, second = self.told(profile, one), self.told(profile, two)
        self.anonymise(one)
        self.assertFalse(first.email or first.subject)
        self.assertEqual(second.email, "dora@firm.example.com")
        self.assertEqual(company.name, "Firm Ltd")
        self.assertEqual(two.name, "Dora")
        self.assertEqual(profile.clv_historical, 70)

    def test_deleting_a_person_leaves_no_address_behind(self):
        company = self.new_customer("Firm Ltd", is_company=True)
        person = self.new_customer("Carla", parent_id=company.id, email="carla@firm.example.com")
        self.new_order(company, 70)
        self.run_refresh()
        delivery = self.told(self.profile(company), person)
        person.unlink()
        self.assertTrue(delivery.exists())
        self.assertFalse(delivery.email or delivery.subject or delivery.recipient_id)

    def test_the_no_outlives_the_person(self):
        self.env["lifecycle.opt.out"]._unsubscribe("ada@personal.example.com")
        self.env["mail.blacklist"]._remove("ada@personal.example.com")
        self.env["lifecycle.opt.out"]._unsubscribe("ada@personal.example.com")
        self.anonymise(self.person)
        self.assertTrue(
            self.env["lifecycle.consent"]._blacklisted(["ada@personal.example.com"])
        )
        again = self.new_customer("Ada", email="ada@personal.example.com")
        decisions = self.env["lifecycle.consent"]._decide(Message(self.env.company), again)
        self.assertTrue(decisions[again.id].is_refused)

    def test_no_address_comes_back_with_what_was_said(self):
        self.person.write(
            {"email": "ada@personal.example.com; second@personal.example.com",
             "lifecycle_marketing_consent": True}
        )
        self.env["lifecycle.opt.out"]._unsubscribe("second@personal.example.com")
        lead = self.env["crm.lead"].create(
            {"name": f"{self.person.name.split()[0]}'s wishes", "partner_id": self.person.id}
        )
        self.assertEqual(
            self.env["lifecycle.opt.out"].search([("partner_id", "=", self.person.id)]).email,
            "second@personal.example.com",
        )
        first = self.person.name.split()[0]
        self.anonymise(self.person)
        said = self.env["lifecycle.opt.out"].with_context(active_test=False).search(
            [("partner_id", "=", self.person.id)]
        )
        self.assertFalse(any(said.mapped("email")) or any(said.mapped("spared")))
        self.assertFalse(self.person.lifecycle_marketing_consent)
        self.assertNotIn(first, lead.name)
        self.assertEqual(
            self.env["lifecycle.consent"]._blacklisted(
                ["ada@personal.example.com", "second@personal.example.com"]
            ),
            {"second@personal.example.com"},
        )

    def test_waiting_mail_is_taken_back(self):
        mail = self.env["mail.mail"].create(
            {"recipient_ids": [(4, self.person.id)], "subject": "Soon"}
        )
        shared = self.env["mail.mail"].create(
            {"recipient_ids": [(4, self.person.id), (4, self.other.id)], "subject": "Soon"}
        )
        self.anonymise(self.person)
        self.assertEqual(mail.state, "cancel")
        self.assertEqual(shared.state, "outgoing")
        self.assertEqual(shared.recipient_ids, self.other)

    def test_audiences_forget_too(self):
        segment = self.env["lifecycle.segment"].create({"name": "Advertised", "domain": "[]"})
        self.run_nightly()
        export = self.env["lifecycle.audience.export"]._export(segment, "meta")
        mark = hashlib.sha256(b"ada@personal.example.com").hexdigest()
        self.assertIn(mark, base64.b64decode(export.addition_file).decode())
        self.anonymise(self.person)
        export.invalidate_recordset()
        self.assertNotIn(mark, base64.b64decode(export.addition_file).decode())
        self.assertFalse(
            self.env["lifecycle.audience.entry"].search([("email_hash", "=", mark)])
        )
        removal = self.env["lifecycle.audience.export"].search([], limit=1)
        self.assertNotEqual(removal, export)
        self.assertIn(mark, base64.b64decode(removal.removal_file).decode())
        self.assertEqual(removal.removed_count, 1)

    def test_who_may_and_who_cannot_be(self):
        salesman = self.new_user("privacy_sales", SALESMAN)
        with self.assertRaises(AccessError):
            self.person.with_user(salesman).action_lifecycle_anonymise()
        with self.assertRaises(AccessError):
            self.person.with_user(salesman)._lifecycle_anonymise()
        portal = self.new_user("privacy_portal", "base.group_portal")
        with self.assertRaises(AccessError):
            self.person.with_user(portal).action_lifecycle_anonymise()
        manager = self.new_user("privacy_manager", MANAGER)
        with self.assertRaises(UserError):
            self.anonymise(salesman.partner_id, manager)
        with self.assertRaises(UserError):
            self.anonymise(self.env.company.partner_id)
        self.assertEqual(self.person.name, "Ada Personal")
        self.anonymise(self.person, manager)
        self.assertNotEqual(self.person.name, "Ada Personal")

    def test_a_portal_user_deletes_nothing(self):
        delivery = self.told()
        portal = self.new_user("privacy_portal", "base.group_portal")
        with self.assertRaises(AccessError):
            self.person.with_user(portal).unlink()
        self.assertEqual(delivery.email, "ada@personal.example.com")
        self.env["res.partner"].with_user(portal).browse().unlink()


class TestPersonFile(PrivacyCase):
    def test_the_whole_person_is_in_the_file(self):
        self.told()
        manager = self.new_user("privacy_manager", MANAGER)
        values = self.env["lifecycle.person.file"].with_user(manager)._collect(
            self.person.with_user(manager)
        )
        again = json.loads(json.dumps(values))
        self.assertEqual(again["person"]["email"], "ada@personal.example.com")
        [company] = [one for one in again["companies"] if one["figures"]]
        self.assertEqual(company["figures"]["clv_historical"], 120)
        self.assertEqual(company["currency"], self.env.company.currency_id.name)
        self.assertEqual([one["amount"] for one in company["purchases"]], [120])
        self.assertTrue(company["labels"])
        self.assertEqual(again["messages"][0]["subject"], "Dear Ada Personal")
        self.assertTrue(again["touchpoints"])

    def test_every_record_of_a_person_has_a_name(self):
        """Odoo's privacy lookup lists them by it."""
        for name in self.env["lifecycle.privacy"]._personal_models():
            model = self.env[name]
            named = any(
                "_compute_display_name" in vars(part)
                for part in type(model).mro()
                if part.__module__.startswith("odoo.addons.customer_lifecycle")
            )
            self.assertTrue(model._rec_name or named, name)

    def test_others_are_not(self):
        self.told(self.profile(self.other))
        values = self.env["lifecycle.person.file"]._collect(self.person)
        self.assertNotIn("Bob", json.dumps(values))

    def test_managers_only(self):
        salesman = self.new_user("privacy_sales", SALESMAN)
        with self.assertRaises(AccessError):
            self.person.with_user(salesman).action_lifecycle_person_file()
        with self.assertRaises(AccessError):
            self.env["lifecycle.person.file"].with_user(salesman)._collect(
                self.person.with_user(salesman)
            )

    def test_report_shows_what_the_file_has(self):
        html, _kind = self.env["ir.actions.report"]._render_qweb_html(
            "customer_lifecycle.person_file", self.person.ids
        )
        self.assertIn(b"ada@personal.example.com", html)
        self.assertIn(self.order.name.encode(), html)

    def test_report_is_written_for_people(self):
        german = self.env["res.lang"]._activate_lang("de_DE")
        self.told(self.mine)
        for lang, amount in (("en_US", "120.00"), (german.code, "120,00")):
            with self.subTest(lang=lang):
                report = self.env["ir.actions.report"].with_context(lang=lang)
                html, _kind = report._render_qweb_html(
                    "customer_lifecycle.person_file", self.person.ids
                )
                text = html.decode()
                self.assertIn(amount, text)
                # neither moments nor days as computers write them, nor empty answers
                self.assertNotRegex(text, r"\d{4}-\d\d-\d\d([T ]\d|<)")
                self.assertNotRegex(text, r">(True|False|None)<")
        show = self.env["report.customer_lifecycle.person_file"]._show
        self.assertEqual(show("p_order", 0.814), "81%")
        self.assertEqual(show("is_blacklisted", False), "No")
        self.assertEqual(show("expected_orders", 20.9), "20.9")
        self.assertEqual(show("name", "2026-12"), "2026-12")


class TestPersonFileDownload(LifecycleHttpCase):
    def test_download(self):
        person = self.env["res.partner"].create({"name": "Ada", "email": "ada@d.example.com"})
        url = f"/lifecycle/person/{person.id}"
        self.authenticate("admin", "admin")
        answer = self.url_open(url)
        self.assertEqual(answer.status_code, 200)
        self.assertIn("attachment", answer.headers["Content-Disposition"])
        self.assertEqual(answer.json()["person"]["name"], "Ada")
        self.assertEqual(self.url_open("/lifecycle/person/999999999").status_code, 404)
        self.authenticate(None, None)
        self.assertNotIn("attachment", self.url_open(url).headers.get("Content-Disposition", ""))

    def test_nobody_else_gets_it_by_its_address(self):
        """Neither the file nor the report, however either is asked for."""
        person = self.env["res.partner"].create({"name": "Ada", "email": "ada@d.example.com"})
        addresses = (
            f"/lifecycle/person/{person.id}",
            f"/lifecycle/person/{person.id}?uid=1&debug=1",
            f"/report/html/customer_lifecycle.person_file/{person.id}",
            f"/report/pdf/customer_lifecycle.person_file/{person.id}",
            f"/report/text/customer_lifecycle.person_file/{person.id}",
            f"/report/html/customer_lifecycle.person_file?docids={person.id}&context={{}}",
        )
        for login, groups in (
            ("file_portal", "base.group_portal"),
            ("file_internal", "base.group_user"),
            ("file_sales", f"{SALESMAN},base.group_partner_manager"),
        ):
            new_test_user(self.env, login, groups)
            self.authenticate(login, login)
            for address in addresses:
                with self.subTest(login=login, address=address), mute_logger("odoo.http"):
                    answer = self.url_open(address)
                    self.assertNotIn("ada@d.example.com", answer.text)
                    self.assertNotEqual(answer.headers["Content-Type"], "application/pdf")
                    self.assertNotIn("attachment", answer.headers.get("Content-Disposition", ""))
        # larger than any number that the database knows
        self.authenticate("admin", "admin")
        self.assertEqual(self.url_open(f"/lifecycle/person/{10**12}").status_code, 404)


class TestRetention(PrivacyCase):
    def old(self, record, months=13):
        moment = fields.Datetime.now() - timedelta(days=31 * months)
        record.sudo().write({"date": moment})
        return record

    def enrol(self, state, workflow_state="ended"):
        workflow = self.env["lifecycle.workflow"].create({"name": f"{state} {workflow_state}"})
        moment = fields.Datetime.now() - timedelta(days=400)
        enrollment = self.env["lifecycle.workflow.enrollment"].create(
            {
                "workflow_id": workflow.id,
                "profile_id": self.mine.id,
                "partner_id": self.person.id,
                "company_id": self.mine.company_id.id,
                "episode": "once",
                "state": state,
                "date_entered": moment,
                "day_entered": moment.date(),
                "date_end": moment,
            }
        )
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE lifecycle_workflow SET state = %s WHERE id = %s", [workflow_state, workflow.id]
        )
        return enrollment

    def test_deliveries(self):
        old, new = self.old(self.told()), self.told()
        waiting = self.old(self.told(state="waiting"))
        on_the_way = self.old(self.told(enrollment_id=self.enrol("active").id))
        retention = self.env["lifecycle.retention"]
        self.assertEqual(retention._gc_deliveries(), (0, 0))
        self.env.company.lifecycle_keep_deliveries = 12
        self.assertEqual(retention._gc_deliveries(), (1, 0))
        self.assertFalse(old.exists())
        self.assertEqual(len((new | waiting | on_the_way).exists()), 3)

    def test_a_guard_is_never_deleted(self):
        self.env.company.lifecycle_keep_enrollments = 6
        running, active, over = (
            self.enrol("done", "running"), self.enrol("active"), self.enrol("done")
        )
        self.assertEqual(self.env["lifecycle.retention"]._gc_enrollments(), (1, 0))
        self.assertFalse(over.exists())
        self.assertTrue(running.exists() and active.exists())

    def test_what_led_to_orders(self):
        touch = self.env["lifecycle.order.touch"].sudo().create(
            {"profile_id": self.mine.id, "date": fields.Date.today() - timedelta(days=500)}
        )
        self.env.company.lifecycle_keep_touches = 12
        self.env["lifecycle.retention"]._gc_order_touches()
        self.assertFalse(touch.exists())

    def test_audience_files(self):
        segment = self.env["lifecycle.segment"].create({"name": "Advertised", "domain": "[]"})
        self.run_nightly()
        export = self.env["lifecycle.audience.export"]._export(segment, "google")
        self.env.cr.execute(
            "UPDATE lifecycle_audience_export SET date = date - INTERVAL '400 days'"
        )
        self.env.invalidate_all()
        self.env.company.lifecycle_keep_audiences = 12
        added = export.added_count
        self.env["lifecycle.retention"]._gc_audience_files()
        self.env.invalidate_all()
        self.assertFalse(export.addition_file)
        self.assertEqual(export.added_count, added)

    @mute_logger("odoo.sql_db")
    def test_too_short_is_refused(self):
        with self.assertRaises(psycopg2.errors.CheckViolation):
            self.env.company.lifecycle_keep_deliveries = 3
            self.env.flush_all()


@tagged("standard", "post_install", "-at_install")
class TestPrivacyLookup(PrivacyCase):
    def setUp(self):
        super().setUp()
        if "privacy.lookup.wizard" not in self.env:
            self.skipTest("Needs the app Privacy (privacy_lookup).")

    def look(self):
        wizard = self.env["privacy.lookup.wizard"].create(
            {"name": "Ada Personal", "email": "ada@personal.example.com"}
        )
        wizard.action_lookup()
        return wizard

    def test_our_records_are_found_and_forgotten(self):
        delivery = self.told()
        wizard = self.look()
        found = {(line.res_model, line.res_id) for line in wizard.line_ids}
        self.assertEqual(len(found), len(wizard.line_ids), "each once")
        self.assertIn(("lifecycle.workflow.delivery", delivery.id), found)
        self.assertIn(("lifecycle.profile", self.mine.id), found)
        self.assertTrue([one for one in found if one[0] == "lifecycle.transition"])
        ours = wizard.line_ids.filtered(lambda line: line.res_model.startswith("lifecycle."))
        ours.action_unlink_all()
        self.assertTrue(delivery.exists() and self.mine.exists())
        self.assertFalse(delivery.email or delivery.subject)
        self.assertEqual(self.mine.clv_historical, 120)
        self.assertIn("Anonymised", wizard.execution_details)
