"""Who may be written to, who of a customer gets it, and how often."""

from datetime import timedelta

from odoo import fields

from odoo.addons.customer_lifecycle.tools.messages import (
    MARKETING,
    REFUSE,
    REWARD,
    SEND,
    SERVICE,
    WAIT,
    Message,
)

from ..common_workflow import START, WorkflowCase


class TestConsent(WorkflowCase):
    def refused(self, name="Ann", **contact):
        """Reason for which a customer gets no message."""
        workflow = self.new_workflow()
        profile = self.new_profile(name)
        profile.partner_id.write(contact)
        self.move(profile, self.at_risk)
        self.run_workflows()
        self.assertFalse(self.sent(workflow))
        workflow.action_end()
        return self.reasons(workflow)

    def test_blacklisted(self):
        self.env["mail.blacklist"].create({"email": "ann@example.com"})
        self.assertEqual(self.refused(), ["blacklisted"])

    def reason(self, contact):
        message = Message(self.home)
        return self.env["lifecycle.consent"]._decide(message, contact)[contact.id].reason

    def test_bounces_of_a_former_address(self):
        ann = self.new_customer("Ann", email="old@example.com")
        ann.message_bounce = 4
        self.assertEqual(self.reason(ann), "bounced")
        ann.email = "Ann <OLD@example.com>"
        self.assertEqual(self.reason(ann), "bounced")
        ann.email = "new@example.com"
        self.assertFalse(self.reason(ann))

    def test_a_duplicated_contact_has_not_agreed(self):
        self.home.lifecycle_consent_required = True
        ann = self.new_customer(
            "Ann", email="ann@example.com", lifecycle_marketing_consent=True
        )
        twin = ann.copy({"name": "Bo", "email": "bo@example.com"})
        self.assertFalse(twin.lifecycle_marketing_consent or twin.lifecycle_marketing_consent_date)
        self.assertFalse(self.reason(ann))
        self.assertEqual(self.reason(twin), "no_consent")

    def test_who_subscribes_again_gets_messages_again(self):
        workflow = self.new_workflow()
        ann = self.new_profile("Ann")
        self.env["lifecycle.opt.out"]._unsubscribe("ann@example.com")
        self.env["lifecycle.opt.out"]._subscribe_again("ann@example.com")
        self.move(ann, self.at_risk)
        self.run_workflows()
        self.assertEqual(self.sent(workflow), ["ann@example.com"])

    def test_blacklisted_leaves_the_workflow(self):
        self.env["mail.blacklist"].create({"email": "ann@example.com"})
        workflow = self.new_workflow(
            self.step(sequence=1), self.step(kind="activity", name="Call", sequence=2)
        )
        self.move(self.new_profile("Ann"), self.at_risk)
        self.run_workflows()
        self.assertEqual(workflow.enrollment_ids.exit_reason, "opt_out")
        self.assertFalse(self.deliveries(workflow, "done"))

    def test_invalid_bounced_and_excluded(self):
        self.assertEqual(self.refused("Bad", email="no address"), ["invalid"])
        self.assertEqual(self.refused("Bounce", message_bounce=1), ["bounced"])
        self.assertEqual(self.refused("Out", lifecycle_exclude=True), ["excluded"])

    def test_explicit_consent(self):
        self.home.lifecycle_consent_required = True
        self.assertEqual(self.refused("Ann"), ["no_consent"])
        workflow = self.new_workflow()
        ben = self.new_profile("Ben")
        ben.partner_id.lifecycle_marketing_consent = True
        self.assertEqual(ben.partner_id.lifecycle_marketing_consent_date, START.date())
        self.move(ben, self.at_risk)
        self.run_workflows()
        self.assertEqual(self.sent(workflow), ["ben@example.com"])

    def test_opted_out_of_a_mailing_list(self):
        if "mailing.subscription" not in self.env:
            self.skipTest("Needs the app Email Marketing (mass_mailing).")
        contact = self.env["mailing.contact"].create({"name": "A", "email": "Ann@Example.com"})
        self.env["mailing.subscription"].create(
            {
                "contact_id": contact.id,
                "list_id": self.env["mailing.list"].create({"name": "News"}).id,
                "opt_out": True,
            }
        )
        self.assertEqual(self.refused(), ["opted_out"])

    def test_archived_profile_leaves(self):
        workflow = self.new_workflow(self.step(delay=2))
        ann = self.new_profile("Ann")
        self.move(ann, self.at_risk)
        self.run_workflows()
        ann.active = False
        self.later(days=2)
        self.assertEqual(workflow.enrollment_ids.exit_reason, "excluded")


class TestRecipient(WorkflowCase):
    def setUp(self):
        super().setUp()
        self.firm = self.new_customer("Firm", is_company=True, email="office@example.com")
        self.buyer, self.books, self.boss = (
            self.new_customer(
                name, parent_id=self.firm.id, email=f"{name.lower()}@example.com", type=kind
            )
            for name, kind in (("Buyer", "contact"), ("Books", "invoice"), ("Boss", "contact"))
        )
        self.customer = self.new_profile(partner=self.firm)

    def addressed(self):
        workflow = self.new_workflow()
        self.move(self.customer, self.active_stage)
        self.move(self.customer, self.at_risk)
        self.run_workflows()
        workflow.action_end()
        return self.sent(workflow), self.reasons(workflow)

    def test_who_ordered_last(self):
        self.new_order(self.boss, 10, days_ago=9, company=self.home)
        self.new_order(self.buyer, 10, days_ago=3, company=self.home)
        self.new_order(self.boss, 10, confirm=False, company=self.home)
        self.assertEqual(self.addressed()[0], ["buyer@example.com"])

    def test_never_an_accounting_address(self):
        self.new_order(self.buyer, 10, days_ago=9, company=self.home)
        self.new_order(self.books, 10, days_ago=1, company=self.home)
        self.books.lifecycle_marketing_contact = True
        self.assertEqual(self.addressed()[0], ["buyer@example.com"])

    def test_marked_contact_where_nobody_has_ordered(self):
        self.boss.lifecycle_marketing_contact = True
        self.assertEqual(self.addressed()[0], ["boss@example.com"])

    def test_marked_contact_where_the_buyer_has_left(self):
        self.new_order(self.buyer, 10, company=self.home)
        self.buyer.active = False
        self.boss.lifecycle_marketing_contact = True
        self.assertEqual(self.addressed()[0], ["boss@example.com"])

    def new_invoice(self, partner, amount, days_ago=0, move_type="out_invoice", **values):
        if not self.env["account.journal"].search_count(
            [("company_id", "=", self.home.id)], limit=1
        ):
            self.env["account.chart.template"].try_loading(
                "generic_coa", company=self.home, install_demo=False
            )
        move = self.env["account.move"].with_company(self.home).create(
            {
                "move_type": move_type,
                "partner_id": partner.id,
                "invoice_date": self.now.date() - timedelta(days=days_ago),
                "invoice_line_ids": [
                    fields.Command.create(
                        {"name": "Goods", "quantity": 1, "price_unit": amount, "tax_ids": False}
                    )
                ],
                **values,
            }
        )
        move.action_post()
        return move

    def test_who_was_invoiced_last(self):
        """Where purchases are posted invoices; credit notes are no purchases."""
        self.home.lifecycle_basis = "invoices"
        self.new_invoice(self.boss, 10, days_ago=9)
        self.new_invoice(self.buyer, 10, days_ago=3)
        self.new_invoice(self.boss, 10, days_ago=1, move_type="out_refund")
        self.new_invoice(self.books, 10)
        self.assertEqual(self.addressed()[0], ["buyer@example.com"])

    def test_an_invoice_goes_to_who_pays_the_order_tells_who_ordered(self):
        self.home.lifecycle_basis = "invoices"
        self.new_invoice(self.boss, 10, days_ago=30)
        order = self.new_order(
            self.buyer, 10, days_ago=9, company=self.home, partner_invoice_id=self.boss.id
        )
        order.order_line.qty_delivered = 1
        invoice = order._create_invoices()
        invoice.invoice_date = self.now.date()
        invoice.action_post()
        self.assertEqual(invoice.partner_id, self.boss)
        self.assertEqual(self.addressed()[0], ["buyer@example.com"])

    def test_imported_purchases_also_with_invoices(self):
        self.home.lifecycle_basis = "invoices"
        self.new_purchase(self.boss, 10, days_ago=9, company=self.home)
        self.new_purchase(self.buyer, 10, days_ago=5, company=self.home)
        self.new_purchase(self.boss, -10, days_ago=1, company=self.home)
        self.assertEqual(self.addressed()[0], ["buyer@example.com"])

    def test_who_has_left_for_another_firm_is_not_written_to(self):
        self.new_order(self.boss, 10, days_ago=9, company=self.home)
        self.new_order(self.buyer, 10, days_ago=3, company=self.home)
        other = self.new_customer("Other", is_company=True)
        self.buyer.parent_id = other
        self.assertEqual(self.addressed()[0], ["boss@example.com"])

    def test_a_broken_source_keeps_nobody_from_his_mail(self):
        source = self.env["lifecycle.revenue.source"].create(
            {"name": "Odd", "model": "sale.order", "date_path": "date_order",
             "amount_path": "amount_untaxed"}
        )
        self.env.cr.execute(
            "UPDATE lifecycle_revenue_source SET partner_path = 'x_gone' WHERE id = %s",
            [source.id],
        )
        source.invalidate_recordset()
        self.new_order(self.buyer, 10, days_ago=3, company=self.home)
        decisions = self.env["lifecycle.consent"]._decide_customers(
            Message(self.home), self.customer
        )
        self.assertEqual(decisions[self.customer.id].person, self.buyer)

    def test_activity_where_there_is_nobody(self):
        sent, reasons = self.addressed()
        self.assertEqual((sent, reasons), ([], ["no_person"]))
        self.assertIn("Get in touch", self.firm.activity_ids.summary)

    def test_language_of_the_recipient(self):
        self.env["res.lang"]._activate_lang("de_DE")
        self.template.with_context(lang="de_DE").subject = "Wir vermissen Sie, {{ object.name }}"
        self.boss.write({"lifecycle_marketing_contact": True, "lang": "de_DE"})
        self.addressed()
        mail = self.env["mail.mail"].search([("recipient_ids", "in", self.boss.ids)])
        self.assertEqual(mail.subject, "Wir vermissen Sie, Boss")

    def test_language_that_was_switched_off(self):
        """Contacts that were archived then have it still when they are brought back."""
        self.env["res.lang"]._activate_lang("de_DE")
        self.boss.write({"lifecycle_marketing_contact": True, "lang": "de_DE"})
        self.boss.active = False
        self.env["res.lang"].search([("code", "=", "de_DE")]).action_archive()
        self.boss.active = True
        self.addressed()
        mail = self.env["mail.mail"].search([("recipient_ids", "in", self.boss.ids)])
        self.assertEqual(mail.subject, "We miss you, Boss")

    def test_template_shows_only_what_its_owner_may_see(self):
        """It is rendered with the rights of who started the workflow."""
        owner = self.new_user(
            "wf_owner",
            "customer_lifecycle.group_workflow_starter",
            self.home,
        )
        self.boss.lifecycle_marketing_contact = True
        self.env["ir.config_parameter"].sudo().set_param("wf.secret", "hidden")
        self.template.body_html = (
            "<p><t t-out=\"object.env['ir.config_parameter'].get_param('wf.secret')\"/></p>"
        )
        workflow = self.new_workflow(start=False)
        workflow.with_user(owner)._start()
        self.move(self.customer, self.at_risk)
        self.run_workflows()
        self.assertEqual(workflow.enrollment_ids.state, "failed")
        self.assertFalse(self.sent(workflow))


class TestFrequency(WorkflowCase):
    def test_one_in_seven_days_then_the_other_waits(self):
        first = self.new_workflow(sequence=1)
        second = self.new_workflow(sequence=2)
        self.move(self.new_profile("Ann"), self.at_risk)
        self.run_workflows()
        self.assertEqual((len(self.sent(first)), len(self.sent(second))), (1, 0))
        self.assertEqual(second.enrollment_ids.waiting_reason, "cap")
        self.later(days=6)
        self.assertFalse(self.sent(second))
        self.later(days=1)
        self.assertEqual(len(self.sent(second)), 1)

    def test_priority_decides_whoever_was_first(self):
        second = self.new_workflow(sequence=2)
        first = self.new_workflow(sequence=1)
        self.move(self.new_profile("Ann"), self.at_risk)
        self.run_workflows()
        self.assertEqual((len(self.sent(first)), len(self.sent(second))), (1, 0))

    def test_preview_warns_of_rivals_and_of_who_gets_nothing(self):
        first = self.new_workflow(self.step(delay=5), name="First", sequence=2)
        ann, ben = self.new_profile("Ann"), self.new_profile("Ben")
        self.env["mail.blacklist"].create({"email": "ben@example.com"})
        for profile in (ann, ben):
            self.move(profile, self.at_risk)
        self.run_workflows()
        second = self.new_workflow(start=False, sequence=2)
        warnings = second._preview_warnings(ann + ben)
        self.assertIn("50 % get nothing: Unsubscribed or blacklisted", warnings)
        self.assertIn(
            "2 of them are on their way through “First”, which goes first where both want to "
            "write.",
            warnings,
        )
        first.action_pause()
        self.assertEqual(len(second._preview_warnings(ann + ben)), 1)

    def test_waits_seven_days_at_most(self):
        self.home.lifecycle_cap_month = 1
        first = self.new_workflow(sequence=1)
        second = self.new_workflow(sequence=2)
        self.move(self.new_profile("Ann"), self.at_risk)
        self.run_workflows()
        for _day in range(8):
            self.later(days=1)
        self.assertEqual(len(self.sent(first)), 1)
        self.assertEqual(self.reasons(second), ["cap"])

    def test_three_in_thirty_days(self):
        self.home.lifecycle_wait_days = 0
        workflow = self.new_workflow(
            *[self.step(sequence=number, delay=7 if number else 0) for number in range(6)],
            exit_on_leave=False,
        )
        self.move(self.new_profile("Ann"), self.at_risk)
        self.run_workflows()
        for _week in range(6):
            self.later(days=7)
        # days 0, 7, 14 are sent; 21 and 28 are too many; 35 is free again
        self.assertEqual(
            self.deliveries(workflow).mapped("state"),
            ["done", "done", "done", "skipped", "skipped", "done"],
        )

    def test_the_same_address_twice_counts_as_one_person(self):
        workflow = self.new_workflow()
        for number in range(2):
            partner = self.new_customer(f"Twin {number}", email="twin@example.com")
            self.move(self.new_profile(partner=partner), self.at_risk)
        self.run_workflows()
        self.assertEqual(self.sent(workflow), ["twin@example.com"])

    def test_ordinary_mailings_count(self):
        if "mailing.trace" not in self.env:
            self.skipTest("Needs the app Email Marketing (mass_mailing).")
        workflow = self.new_workflow()
        ann = self.new_profile("Ann")
        self.env["mailing.trace"].create(
            {
                "model": "res.partner",
                "res_id": ann.partner_id.id,
                "email": "ann@example.com",
                "sent_datetime": START - timedelta(days=3),
                "trace_status": "sent",
            }
        )
        self.move(ann, self.at_risk)
        self.run_workflows()
        self.assertEqual(workflow.enrollment_ids.waiting_reason, "cap")
        # on Saturday he is free again, on Monday the hours for sending begin
        self.later(days=6)
        self.assertEqual(len(self.sent(workflow)), 1)

    def test_peace_after_a_complaint(self):
        self.home.lifecycle_wait_days = 20
        workflow = self.new_workflow()
        ann = self.new_profile("Ann", bad_rating_date=START.date() - timedelta(days=4))
        self.move(ann, self.at_risk)
        self.run_workflows()
        self.assertEqual(workflow.enrollment_ids.waiting_reason, "complaint")
        self.later(days=9)
        self.assertFalse(self.sent(workflow))
        self.later(days=1)
        self.assertEqual(len(self.sent(workflow)), 1)

    def test_peace_after_a_late_delivery(self):
        workflow = self.new_workflow()
        ann = self.new_profile(
            "Ann",
            bad_rating_date=START.date() - timedelta(days=40),
            late_delivery_date=START.date() - timedelta(days=9),
        )
        self.move(ann, self.at_risk)
        self.run_workflows()
        self.assertEqual(workflow.enrollment_ids.waiting_reason, "late")
        self.later(days=6)
        self.assertEqual(len(self.sent(workflow)), 1)

    def test_nothing_while_an_invoice_is_overdue(self):
        workflow = self.new_workflow()
        ann = self.new_profile("Ann", overdue_since=START.date() - timedelta(days=4))
        ben = self.new_profile("Ben", overdue_since=START.date() - timedelta(days=4))
        for profile in (ann, ben):
            self.move(profile, self.at_risk)
        self.run_workflows()
        self.later(days=1)
        ann.overdue_since = False
        for _day in range(8):
            self.later(days=1)
        self.assertEqual(self.sent(workflow), ["ann@example.com"])
        self.assertEqual(self.reasons(workflow), ["overdue"])


class TestDecision(WorkflowCase):
    """One function for one contact and for many, whatever the message is."""

    def decide(self, contacts, moment=None, **message):
        message = Message(self.home, **message)
        return self.env["lifecycle.consent"]._decide(message, contacts, moment)

    def test_what_a_message_is_for_decides_what_is_asked(self):
        self.home.lifecycle_consent_required = True
        contacts = self.env["res.partner"].union(
            *(self.new_customer(name, email=f"{name}@example.com") for name in "abc"),
            self.new_customer("d"),
        )
        agreed, said_no, silent, unreachable = contacts
        (agreed | said_no).lifecycle_marketing_consent = True
        self.env["lifecycle.opt.out"]._unsubscribe(said_no.email)
        said_no.email = "new@example.com"
        for purpose, expected in (
            (MARKETING, [None, "blacklisted", "no_consent", "no_address"]),
            (REWARD, [None, "blacklisted", "no_consent", "no_address"]),
            (SERVICE, [None, None, None, "no_address"]),
        ):
            with self.subTest(purpose.name):
                many = self.decide(contacts, purpose=purpose)
                self.assertEqual([many[one.id].reason for one in contacts], expected)
                for one in contacts:
                    self.assertEqual(self.decide(one, purpose=purpose), {one.id: many[one.id]})

    def test_only_what_counts_among_others_waits(self):
        ann = self.new_profile("Ann", bad_rating_date=START.date() - timedelta(days=4))
        contact = ann.partner_id
        for values, verdict in (
            ({}, WAIT),
            ({"is_leaving": True}, SEND),
            ({"purpose": REWARD}, SEND),
            ({"purpose": SERVICE}, SEND),
        ):
            with self.subTest(**values):
                self.assertEqual(self.decide(contact, **values)[contact.id].verdict, verdict)
        decision = self.decide(contact)[contact.id]
        self.assertEqual(
            (decision.reason, decision.until), ("complaint", START + timedelta(days=10))
        )
        later = self.decide(contact, moment=decision.until)[contact.id]
        self.assertEqual((later.verdict, later.addresses), (SEND, ("ann@example.com",)))

    def test_a_no_by_e_mail_holds_on_other_channels(self):
        ann = self.new_customer("Ann", email="ann@example.com", phone="+32 470 12 34 56")
        self.assertEqual(self.decide(ann, channel="ads")[ann.id].verdict, SEND)
        self.env["lifecycle.opt.out"]._unsubscribe("ann@example.com")
        self.assertEqual(self.decide(ann, channel="ads")[ann.id].verdict, REFUSE)


class TestServerAction(WorkflowCase):
    def setUp(self):
        super().setUp()
        self.action = self.env["ir.actions.server"].create(
            {
                "name": "Lifecycle e-mail",
                "model_id": self.env.ref("customer_lifecycle.model_lifecycle_transition").id,
                "state": "lifecycle_email",
                "lifecycle_template_id": self.template.id,
            }
        )
        rule = self.env["base.automation"].create(
            {
                "name": "On becoming at risk",
                "model_id": self.env.ref("customer_lifecycle.model_lifecycle_transition").id,
                "trigger": "on_create",
                "filter_domain": f"[('to_stage_id', '=', {self.at_risk.id})]",
                "action_server_ids": [fields.Command.set(self.action.ids)],
            }
        )
        self.addCleanup(rule.unlink)

    def asked(self):
        return self.env["lifecycle.workflow.delivery"].search(
            [("action_id", "=", self.action.id)], order="id"
        )

    def test_automation_rule_sends_with_all_checks(self):
        ann, ben = self.new_profile("Ann"), self.new_profile("Ben")
        self.env["mail.blacklist"].create({"email": "ben@example.com"})
        for profile in (ann, ben):
            self.move(profile, self.at_risk)
        self.assertEqual(self.asked().mapped("state"), ["waiting", "waiting"])
        self.run_workflows()
        self.assertEqual(self.asked().mapped("state"), ["done", "skipped"])
        self.assertEqual(self.asked()[1].reason, "blacklisted")
        self.assertEqual(self.asked()[0].email, "ann@example.com")

    def test_it_counts_with_workflows(self):
        workflow = self.new_workflow()
        self.move(self.new_profile("Ann"), self.at_risk)
        self.run_workflows()
        self.assertEqual(len(self.sent(workflow)), 1)
        self.assertEqual(self.asked().mapped("reason"), ["cap"])
        for _day in range(8):
            self.later(days=1)
        self.assertEqual(self.asked().state, "done")
