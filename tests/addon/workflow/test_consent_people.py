"""A person's "no" to marketing: by each of his addresses, and wherever he goes."""

import re
import smtplib
from contextlib import suppress
from datetime import timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons import customer_lifecycle as addon
from odoo.addons.customer_lifecycle.tools.messages import Message

from ..common import LifecycleHttpCase
from ..common_mail import MailCase
from ..common_workflow import START, WorkflowCase


class TestSeveralAddresses(MailCase):
    """What leaves to a contact with several addresses in its e-mail field."""

    def setUp(self):
        super().setUp()
        self.workflow = self.new_workflow()

    def enter(self, email, name="Ann", **values):
        profile = self.new_profile(partner=self.new_customer(name, email=email, **values))
        self.move(profile, self.at_risk)
        return profile

    def left(self):
        """Recipients of every message that has left, each with its link for unsubscribing."""
        found = {}
        for to, message in self.send_all():
            self.assertEqual(len(to), 1, "one copy for each address")
            url = re.fullmatch(r"<(.+)>", message["List-Unsubscribe"].replace(" ", ""))[1]
            html = message.get_body(("html",)).get_content()
            self.assertIn(url.replace("&", "&amp;"), html)
            text = message.get_body(("plain",)).get_content()
            for part in (html, text):
                links = re.findall(r"unsubscribe\?email=([^&\s]+)", part.replace("=\n", ""))
                self.assertEqual(set(links), {to[0].replace("@", "%40")})
            found[to[0]] = url
        return found

    def test_each_address_gets_a_copy_with_its_own_link(self):
        for email in ("a@x.com; b@x.com", "c@x.com, D <d@x.com>", '"E; F" <e@x.com>'):
            self.enter(email, name=email[0])
        self.run_workflows()
        left = self.left()
        self.assertEqual(sorted(left), [f"{letter}@x.com" for letter in "abcde"])
        for email, url in left.items():
            self.assertIn(f"email={email.replace('@', '%40')}&", url)
        one = self.deliveries(self.workflow)[0]
        self.assertEqual((one.email, one.other_emails), ("a@x.com", "b@x.com"))

    def test_as_people_write_addresses(self):
        """With names, capitals, separators left over, and letters that few alphabets have."""
        before = set()
        for name, email, expected in (
            ("Names", "Ann <a1@x.com>; Bob <B1@X.com>", ["a1@x.com", "b1@x.com"]),
            ("Left over", " a2@x.com ;; , b2@x.com ; ", ["a2@x.com", "b2@x.com"]),
            ("Lines", "a3@x.com\nb3@x.com", ["a3@x.com", "b3@x.com"]),
            ("Quoted", '"Lee, Ann" <a4@x.com>, "B; C" <b4@x.com>', ["a4@x.com", "b4@x.com"]),
            ("Half", "a5@x.com; not an address; b5@", ["a5@x.com"]),
            ("Letters", "Zoë Ångström <a6@x.com>; b6@x.com", ["a6@x.com", "b6@x.com"]),
        ):
            with self.subTest(name):
                self.enter(email, name)
                self.run_workflows()
                left = set(self.left())
                self.assertEqual(sorted(left - before), expected)
                before = left
                # and the second one's "no" is his alone
                if len(expected) > 1:
                    self.env["lifecycle.opt.out"]._unsubscribe(expected[1])
                    partner = self.deliveries(self.workflow).partner_id.filtered(
                        lambda one, name=name: one.name == name
                    )
                    self.assertEqual(
                        self.env["lifecycle.consent"]
                        ._decide(Message(self.home), partner)[partner.id]
                        .addresses,
                        (expected[0],),
                    )

    def test_who_has_unsubscribed_is_added_later(self):
        """As a second address, before and after the message is queued."""
        self.env["lifecycle.opt.out"]._unsubscribe("b@x.com")
        ann = self.enter("a@x.com", "Ann")
        ben = self.enter("c@x.com", "Ben")
        ann.partner_id.email = "a@x.com; b@x.com"
        self.run_workflows()
        ben.partner_id.email = "Ben <B@x.com>, c@x.com"
        self.assertEqual(sorted(self.left()), ["a@x.com", "c@x.com"])

    def test_agreement_withdrawn_while_it_is_queued(self):
        self.home.lifecycle_consent_required = True
        ann = self.enter("a@x.com", "Ann", lifecycle_marketing_consent=True)
        self.enter("b@x.com", "Ben", lifecycle_marketing_consent=True)
        twin = self.new_customer("Ann again", email="A@x.com", lifecycle_marketing_consent=True)
        self.run_workflows()
        # on the other record of the same person
        twin.lifecycle_marketing_consent = False
        self.assertEqual(list(self.left()), ["b@x.com"])
        delivery = self.deliveries(self.workflow, "skipped")
        self.assertEqual((delivery.profile_id, delivery.reason), (ann, "no_consent"))

    def test_who_has_unsubscribed_is_left_out_whichever_he_is(self):
        self.env["mail.blacklist"].create([{"email": "b@x.com"}, {"email": "c@x.com"}])
        self.enter("a@x.com; b@x.com", "A")
        self.enter("c@x.com; d@x.com", "C")
        both = self.enter("B@X.com, c@x.com", "Both")
        self.run_workflows()
        self.assertEqual(sorted(self.left()), ["a@x.com", "d@x.com"])
        skipped = self.deliveries(self.workflow, "skipped")
        self.assertEqual((skipped.profile_id, skipped.reason), (both, "blacklisted"))

    def test_who_unsubscribes_while_it_is_queued(self):
        self.enter("a@x.com; b@x.com")
        self.run_workflows()
        self.env["lifecycle.opt.out"]._unsubscribe("b@x.com")
        self.assertEqual(list(self.left()), ["a@x.com"])
        delivery = self.deliveries(self.workflow)
        self.assertEqual((delivery.email, delivery.other_emails), ("a@x.com", ""))

    def test_address_that_was_corrected_while_it_is_queued(self):
        ann = self.enter("old@x.com")
        self.run_workflows()
        ann.partner_id.email = "new@x.com"
        self.assertEqual(list(self.left()), ["new@x.com"])
        self.assertEqual(self.deliveries(self.workflow).email, "new@x.com")

    def test_the_number_of_messages_counts_every_address(self):
        self.enter("a@x.com; b@x.com", "A")
        self.run_workflows()
        second = self.new_workflow()
        for email, name in (("b@x.com", "B"), ("c@x.com; a@x.com", "C")):
            self.enter(email, name)
        self.run_workflows()
        self.assertEqual(second.enrollment_ids.mapped("waiting_reason"), ["cap", "cap"])
        # those who got it from the first workflow get it no second time from that
        self.assertEqual(self.reasons(self.workflow), ["twin", "twin"])

    def test_agreement_of_a_shared_contact(self):
        """What one of two has said does not take the other's agreement."""
        self.home.lifecycle_consent_required = True
        ann = self.enter("a@x.com; b@x.com", lifecycle_marketing_consent=True)
        self.env["lifecycle.opt.out"]._unsubscribe("b@x.com")
        self.assertTrue(ann.partner_id.lifecycle_marketing_consent)
        self.run_workflows()
        self.assertEqual(list(self.left()), ["a@x.com"])
        self.env["lifecycle.opt.out"]._unsubscribe("a@x.com")
        self.assertFalse(ann.partner_id.lifecycle_marketing_consent)

    def test_same_address_twice_in_the_field(self):
        self.enter("a@x.com; A@x.com")
        self.run_workflows()
        self.assertEqual(list(self.left()), ["a@x.com"])

    @mute_logger("odoo.addons.mail.models.mail_mail")
    def test_one_address_that_the_server_refuses(self):
        """The others have got it: trying once more writes to that one alone."""
        self.enter("a@x.com; b@x.com")
        self.run_workflows()
        servers = self.env.registry["ir.mail_server"]
        send = servers.send_email

        def refuse(server, message, *args, **kwargs):
            if "b@x.com" in message["To"]:
                raise smtplib.SMTPException("Mailbox is full")
            return send(server, message, *args, **kwargs)

        with patch.object(servers, "send_email", refuse):
            self.assertEqual(list(self.left()), ["a@x.com"])
        delivery = self.deliveries(self.workflow)
        self.assertEqual((delivery.state, delivery.emails_left), ("failed", "a@x.com"))
        self.env["mail.mail"].search(
            [("mail_message_id", "=", delivery.mail_message_id.id)]
        ).mark_outgoing()
        self.assertEqual([to for to, _message in self.send_all()], [["a@x.com"], ["b@x.com"]])
        self.assertEqual(delivery.state, "done")

    def test_connection_that_breaks_between_two_copies(self):
        """Odoo takes back what it knows of the e-mail, but not what has left."""
        self.enter("a@x.com; b@x.com")
        self.run_workflows()
        servers = self.env.registry["ir.mail_server"]
        send = servers.send_email

        def break_off(server, message, *args, **kwargs):
            if "b@x.com" in message["To"]:
                raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")
            return send(server, message, *args, **kwargs)

        delivery = self.deliveries(self.workflow)
        mail = self.env["mail.mail"].search(
            [("mail_message_id", "=", delivery.mail_message_id.id)]
        )
        with (
            patch.object(servers, "send_email", break_off),
            patch.object(self.env.cr, "commit"),
            patch.object(self.env.cr, "rollback"),
            mute_logger("odoo.addons.mail.models.mail_mail"),
            # assertRaises would take back what was noted
            suppress(smtplib.SMTPServerDisconnected),
        ):
            mail._send(auto_commit=True)
        self.assertEqual(delivery.emails_left, "a@x.com")
        # as the rollback leaves it
        mail.mark_outgoing()
        self.assertEqual([to for to, _message in self.send_all()], [["a@x.com"], ["b@x.com"]])

    def test_duplicates_are_found_by_any_address(self):
        ann = self.new_customer("Ann", email="a@x.com; b@x.com")
        ben = self.new_customer("Ben", email="B@x.com")
        cid = self.new_customer("Cid", email="c@x.com; d@x.com")
        found = self.env["res.partner"].search(
            [("id", "in", (ann | ben | cid).ids), ("lifecycle_shares_email", "=", True)]
        )
        self.assertEqual(found, ann | ben)


class TestNoStays(WorkflowCase):
    """A person who has said no is left in peace, whatever becomes of his contact."""

    def setUp(self):
        super().setUp()
        self.consent = self.env["lifecycle.consent"]
        self.said = self.env["lifecycle.opt.out"]
        self.ann = self.new_customer("Ann", email="ann@x.com")

    def refusal(self, partner=None):
        partner = partner or self.ann
        return self.consent._decide(Message(self.home), partner)[partner.id].reason

    def merge(self, kept, *others):
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((kept | kept.union(*others)).ids, kept)

    def test_corrected_address(self):
        for number, say_no in enumerate(
            (
                lambda: self.said._unsubscribe("ann@x.com"),
                lambda: self.env["mail.blacklist"].create({"email": "ann@x.com"}),
                lambda: self.env["mail.blacklist"]._add("ann@x.com"),
            )
        ):
            with self.subTest(number=number), self.env.cr.savepoint() as savepoint:
                say_no()
                self.ann.email = "anna@x.com"
                self.assertEqual(self.refusal(), "blacklisted")
                self.ann.email = False
                self.ann.email = "Anna <anna@y.com>; a@y.com"
                self.assertEqual(self.refusal(), "blacklisted")
                self.assertIn("ann@x.com, ", self.ann.lifecycle_opt_out_text)
                # the day as people write it
                self.assertNotRegex(self.ann.lifecycle_opt_out_text, r"\d{4}-\d\d-\d\d")
                savepoint.rollback()
                self.env.invalidate_all()

    def test_corrected_before_is_nothing(self):
        self.ann.email = "anna@x.com"
        self.env["mail.blacklist"].create({"email": "ann@x.com"})
        self.assertFalse(self.refusal())

    def test_only_the_address_that_said_no_is_replaced(self):
        self.ann.email = "a@x.com; b@x.com"
        self.env["mail.blacklist"].create({"email": "b@x.com"})
        self.ann.email = "a@x.com; c@x.com"
        decision = self.consent._decide(Message(self.home), self.ann)[self.ann.id]
        self.assertEqual(decision.addresses, ("a@x.com",))

    def test_taken_off_the_blacklist_by_a_colleague(self):
        self.said._unsubscribe("ann@x.com")
        self.ann.email = "anna@x.com"
        self.env["mail.blacklist"]._remove("ann@x.com")
        self.assertFalse(self.refusal())

    def test_lifted_by_hand(self):
        self.said._unsubscribe("ann@x.com")
        self.ann.email = "anna@x.com"
        seller = self.new_user("cp_seller", "sales_team.group_sale_salesman_all_leads,"
                               "base.group_partner_manager", self.home)
        with self.assertRaises(AccessError):
            self.ann.with_user(seller).action_lifecycle_lift_opt_out()
        boss = self.new_user("cp_boss", "sales_team.group_sale_manager,base.group_partner_manager",
                             self.home)
        self.ann.with_user(boss).action_lifecycle_lift_opt_out()
        self.assertFalse(self.refusal())

    def test_merged(self):
        for email in ("other@x.com", "ann@x.com", False):
            with self.subTest(email=email), self.env.cr.savepoint() as savepoint:
                other = self.new_customer("Anna", email=email)
                self.said._unsubscribe("ann@x.com")
                self.merge(other, self.ann)
                self.assertEqual(self.refusal(other), "blacklisted")
                other.email = "third@x.com"
                self.assertEqual(self.refusal(other), "blacklisted")
                savepoint.rollback()
                self.env.invalidate_all()

    def test_merged_after_a_colleague_blacklisted(self):
        other = self.new_customer("Anna", email="other@x.com")
        self.env["mail.blacklist"].create({"email": "ann@x.com"})
        self.merge(other, self.ann)
        self.assertEqual(self.refusal(other), "blacklisted")

    def test_merging_what_was_agreed(self):
        """One has agreed and the other was never asked: agreed, since then. Withdrawn: no."""
        self.home.lifecycle_consent_required = True
        self.ann.write({"lifecycle_marketing_consent": True,
                        "lifecycle_marketing_consent_date": "2020-05-05"})
        other = self.new_customer("Anna", email="other@x.com")
        self.merge(other, self.ann)
        self.assertEqual(str(other.lifecycle_marketing_consent_date), "2020-05-05")
        self.assertFalse(self.refusal(other))
        third = self.new_customer("Anna", email="third@x.com", lifecycle_marketing_consent=True)
        third.lifecycle_marketing_consent = False
        self.merge(other, third)
        self.assertFalse(other.lifecycle_marketing_consent)
        self.assertEqual(self.refusal(other), "no_consent")

    def test_merging_who_has_unsubscribed_into_who_has_agreed(self):
        self.home.lifecycle_consent_required = True
        other = self.new_customer("Anna", email="o@x.com", lifecycle_marketing_consent=True)
        self.ann.lifecycle_marketing_consent = True
        self.said._unsubscribe("ann@x.com")
        self.merge(other, self.ann)
        self.assertEqual(self.refusal(other), "blacklisted")
        self.assertFalse(other.lifecycle_marketing_consent)

    def test_withdrawn_on_one_holds_for_both(self):
        self.home.lifecycle_consent_required = True
        self.home.lifecycle_measure = "agreed"
        twin = self.new_customer("Ann", email="b@x.com; ANN@x.com")
        (self.ann | twin).lifecycle_marketing_consent = True
        self.assertFalse(self.refusal() or self.refusal(twin))
        self.ann.lifecycle_marketing_consent = False
        self.assertFalse(twin.lifecycle_marketing_consent)
        self.assertEqual((self.refusal(), self.refusal(twin)), ("no_consent",) * 2)
        # a list that is imported may be older
        self.env["res.partner"].with_context(import_file=True).create(
            {"name": "Ann", "email": "ann@x.com", "lifecycle_marketing_consent": True}
        )
        self.ann.with_context(import_file=True).lifecycle_marketing_consent = True
        self.assertEqual(self.refusal(), "no_consent")
        self.assertFalse(self.consent._may_measure(self.ann, self.home))
        self.ann.lifecycle_marketing_consent = False
        # she has agreed anew
        self.ann.lifecycle_marketing_consent = True
        self.assertFalse(self.refusal())
        self.assertTrue(self.consent._may_measure(self.ann, self.home))

    def test_withdrawn_agreement_stays_with_a_corrected_address(self):
        self.home.lifecycle_consent_required = True
        twin = self.new_customer("Ann", email="ann@x.com")
        self.ann.lifecycle_marketing_consent = True
        self.ann.lifecycle_marketing_consent = False
        twin.email = "new@x.com"
        twin.with_context(import_file=True).lifecycle_marketing_consent = True
        self.assertEqual(self.refusal(twin), "no_consent")

    def test_subscribing_again_gives_back_what_unsubscribing_took(self):
        twin = self.new_customer("Ann", email="ann@x.com")
        self.ann.write({"lifecycle_marketing_consent": True,
                        "lifecycle_marketing_consent_date": "2020-05-05"})
        self.said._unsubscribe("ann@x.com")
        self.said._unsubscribe("ann@x.com")
        self.assertFalse(self.ann.lifecycle_marketing_consent)
        self.assertTrue(self.said._subscribe_again("ann@x.com"))
        self.assertTrue(self.ann.lifecycle_marketing_consent)
        self.assertEqual(str(self.ann.lifecycle_marketing_consent_date), "2020-05-05")
        self.assertFalse(twin.lifecycle_marketing_consent, "had never agreed")
        self.assertFalse(self.refusal() or self.refusal(twin))
        # once given back, nothing more
        self.ann.lifecycle_marketing_consent = False
        self.assertTrue(self.said._subscribe_again("ann@x.com"))
        self.assertFalse(self.ann.lifecycle_marketing_consent)

    def test_subscribing_again_lifts_nothing_set_by_hand(self):
        blacklist = self.env["mail.blacklist"]
        with self.subTest("before"), self.env.cr.savepoint() as savepoint:
            blacklist.create({"email": "ann@x.com"})
            self.assertFalse(self.said._subscribe_again("ann@x.com"))
            self.said._unsubscribe("ann@x.com")
            self.assertFalse(self.said._subscribe_again("ann@x.com"))
            self.assertEqual(self.refusal(), "blacklisted")
            savepoint.rollback()
            self.env.invalidate_all()
        with self.subTest("after"), self.env.cr.savepoint() as savepoint:
            self.said._unsubscribe("ann@x.com")
            blacklist._remove("ann@x.com")
            blacklist._add("ann@x.com")
            self.assertFalse(self.said._subscribe_again("ann@x.com"))
            self.assertEqual(self.refusal(), "blacklisted")
            savepoint.rollback()
            self.env.invalidate_all()
        # agreement that a colleague has decided about meanwhile
        self.ann.lifecycle_marketing_consent = True
        self.said._unsubscribe("ann@x.com")
        self.ann.lifecycle_marketing_consent = True
        self.ann.lifecycle_marketing_consent = False
        self.assertTrue(self.said._subscribe_again("ann@x.com"))
        self.assertFalse(self.ann.lifecycle_marketing_consent)

    def test_subscribing_again_after_the_address_was_corrected(self):
        late = self.new_customer("Late", email="other@x.com")
        self.said._unsubscribe("ann@x.com")
        late.email = "ann@x.com"
        (self.ann | late).write({"email": "anna@x.com"})
        self.assertEqual((self.refusal(), self.refusal(late)), ("blacklisted",) * 2)
        self.said._subscribe_again("ann@x.com")
        self.assertFalse(self.refusal() or self.refusal(late))

    def test_unsubscribing_without_a_contact(self):
        self.said._unsubscribe("nobody@x.com")
        self.assertTrue(self.said._subscribe_again("nobody@x.com"))
        self.assertFalse(self.consent._blacklisted(["nobody@x.com"]))


class TestBroughtAlong(WorkflowCase):
    """What people said before it was kept."""

    def migrate(self):
        path = Path(addon.__path__[0], "migrations/19.0.1.1.0/post-consents.py")
        spec = spec_from_file_location("post_consents", path)
        script = module_from_spec(spec)
        spec.loader.exec_module(script)
        self.env.flush_all()
        script.migrate(self.env.cr, "19.0.1.0.0")
        self.env.invalidate_all()

    def rows(self):
        return sorted(
            (one.partner_id.name, one.email, one.source)
            for one in self.env["lifecycle.opt.out"].search([("email", "like", "@past.com")])
        )

    def test_links_and_withdrawals(self):
        self.home.lifecycle_consent_required = True
        tracked = self.env["res.partner"].with_context(tracking_disable=False)
        ann, ben, cid, dora = (
            tracked.create({"name": name, "email": f"{name}@past.com",
                            "lifecycle_marketing_consent": name != "dora"})
            for name in ("ann", "ben", "cid", "dora")
        )
        self.flush_tracking()
        blacklist = self.env["mail.blacklist"].with_context(tracking_disable=False)
        # as the former version did it
        blacklist._add("ann@past.com", message="Unsubscribed with the link in an e-mail")
        blacklist._add("dora@past.com", message="By a colleague")
        (ann | ben).with_context(tracking_disable=False).lifecycle_marketing_consent = False
        self.flush_tracking()
        self.env["lifecycle.opt.out"].search([]).unlink()
        for _time in range(2):
            self.migrate()
            self.assertEqual(
                self.rows(), [("ann", "ann@past.com", "link"), ("ben", "ben@past.com", "consent")]
            )
        said = self.env["lifecycle.opt.out"]
        self.assertTrue(said._subscribe_again("ann@past.com"))
        self.assertFalse(said._subscribe_again("dora@past.com"))
        decisions = self.env["lifecycle.consent"]._decide(Message(self.home), cid | dora)
        self.assertEqual(
            [decisions[one.id].reason for one in (cid, dora)], [None, "blacklisted"]
        )

    def flush_tracking(self):
        self.env.flush_all()
        self.env.cr.precommit.run()


class TestTwins(WorkflowCase):
    """Two records of one address are one person."""

    def twins(self, **values):
        return [
            self.new_profile(partner=self.new_customer(f"Twin {email}", email=email, **values))
            for email in ("twin@x.com", "TWIN@x.com")
        ]

    def test_one_message_not_the_other_a_week_later(self):
        for caps in ((1, 3), (0, 0)):
            with self.subTest(caps=caps):
                self.home.lifecycle_cap_week, self.home.lifecycle_cap_month = caps
                workflow = self.new_workflow(
                    self.step(sequence=1), self.step(sequence=2, delay=8), exit_on_leave=False
                )
                for profile in self.twins():
                    self.move(profile, self.at_risk)
                self.run_workflows()
                self.assertEqual(self.sent(workflow), ["twin@x.com"])
                for _day in range(20):
                    self.later(days=1)
                self.assertEqual(self.sent(workflow), ["twin@x.com"] * 2, "one for each step")
                self.assertEqual(self.reasons(workflow), ["twin"] * 2)
                self.assertEqual(set(workflow.enrollment_ids.mapped("state")), {"done"})
                workflow.action_end()
                self.at(START + timedelta(days=70))

    def test_who_enters_some_days_later_is_the_same_person_still(self):
        workflow = self.new_workflow()
        first, second = self.twins()
        self.move(first, self.at_risk)
        self.run_workflows()
        self.later(days=3)
        self.move(second, self.at_risk)
        for _day in range(9):
            self.later(days=1)
        self.assertEqual(len(self.sent(workflow)), 1)

    def test_another_occasion_months_later(self):
        workflow = self.new_workflow()
        first, second = self.twins()
        self.move(first, self.at_risk)
        self.run_workflows()
        self.later(days=62)
        self.move(second, self.at_risk)
        self.run_workflows()
        self.assertEqual(len(self.sent(workflow)), 2)
        workflow.action_end()
        never = self.new_workflow(reentry="never")
        third, fourth = self.twins()
        self.move(third, self.at_risk)
        self.later(days=42)
        self.move(fourth, self.at_risk)
        self.later(days=63)
        self.assertEqual(len(self.sent(never)), 1)

    def test_a_record_of_its_own_enters_again_as_before(self):
        self.home.lifecycle_cap_week = self.home.lifecycle_cap_month = 0
        workflow = self.new_workflow()
        ann = self.new_profile("Ann")
        for _time in range(3):
            self.move(ann, self.at_risk)
            self.later(days=1)
            self.move(ann, self.active_stage)
            self.later(hours=1)
        self.assertEqual(len(self.sent(workflow)), 3)

    def test_each_company_writes_in_its_own_name(self):
        other = self.new_company("Other home", lifecycle_tz="UTC", email="other@example.com")
        workflow = self.new_workflow(company_id=False)
        ann = self.new_profile("Ann")
        there = ann.copy({"company_id": other.id})
        for profile in (ann, there):
            self.move(profile, self.at_risk)
        self.run_workflows()
        self.run_workflows()
        self.assertEqual(self.deliveries(workflow, "done").company_id, self.home | other)

    def test_merged_while_the_second_waits(self):
        workflow = self.new_workflow()
        first, second = self.twins()
        for profile in (first, second):
            self.move(profile, self.at_risk)
        # the second was put off by another message, then both are found to be one
        self.run_workflows()
        done = workflow.enrollment_ids.filtered(
            lambda one: one.delivery_ids.filtered(lambda sent: sent.state == "done")
        )
        other = workflow.enrollment_ids - done
        other.delivery_ids.unlink()
        other.write({"state": "active", "step_id": workflow.step_ids.id,
                     "date_next": self.now + timedelta(days=5)})
        kept = other.partner_id
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((first | second).partner_id.ids, kept)
        for _day in range(9):
            self.later(days=1)
        self.assertEqual(len(self.sent(workflow)), 1)

    def test_automation_rules_too(self):
        action = self.env["ir.actions.server"].create(
            {
                "name": "Lifecycle e-mail",
                "model_id": self.env.ref("base.model_res_partner").id,
                "state": "lifecycle_email",
                "lifecycle_template_id": self.template.id,
            }
        )
        people = self.env["res.partner"].union(*(one.partner_id for one in self.twins()))
        action.with_context(active_model="res.partner", active_ids=people.ids).run()
        for _day in range(9):
            self.later(days=1)
        asked = self.env["lifecycle.workflow.delivery"].search([("action_id", "=", action.id)])
        self.assertEqual(sorted(asked.mapped("state")), ["done", "skipped"])
        self.assertEqual(asked.filtered("reason").reason, "twin")


@tagged("-at_install", "post_install", "standard")
class TestLinks(LifecycleHttpCase):
    """The page behind the links of a contact with two addresses."""

    def setUp(self):
        super().setUp()
        self.partner = self.env["res.partner"].create(
            {"name": "Ann", "email": "a@x.com; b@x.com", "lifecycle_marketing_consent": True}
        )

    def url(self, email):
        mails = self.env["lifecycle.workflow.mail"]
        url = mails._unsubscribe_url(self.partner, self.env.company, email)
        return url[url.index("/lifecycle") :]

    def allowed(self):
        self.env.invalidate_all()
        message = Message(self.env.company)
        decisions = self.env["lifecycle.consent"]._decide(message, self.partner)
        return list(decisions[self.partner.id].addresses)

    def test_each_link_speaks_for_its_address(self):
        page = self.url_open(self.url("b@x.com"))
        self.assertIn("b@x.com", page.text)
        self.assertNotIn("a@x.com", page.text)
        self.url_open(self.url("b@x.com"), data={"List-Unsubscribe": "One-Click"})
        self.assertEqual(self.allowed(), ["a@x.com"])
        back = self.url_open(self.url("b@x.com") + "&action=subscribe", data={"x": "1"})
        self.assertIn("subscribed again", back.text)
        self.assertEqual(self.allowed(), ["a@x.com", "b@x.com"])

    def test_who_was_taken_off_by_a_colleague_stays_so(self):
        self.env["mail.blacklist"].create({"email": "a@x.com"})
        self.assertNotIn("subscribe again", self.url_open(self.url("a@x.com")).text)
        page = self.url_open(self.url("a@x.com") + "&action=subscribe", data={"x": "1"})
        self.assertIn("still unsubscribed", page.text)
        self.assertEqual(self.allowed(), ["b@x.com"])
