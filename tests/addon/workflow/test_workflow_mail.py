"""Mail really leaves, with the headers it needs; whoever unsubscribes is left in peace."""

import re

from odoo.tests import tagged

from ..common import LifecycleHttpCase
from ..common_mail import QUEUE, MailCase
from ..common_workflow import WorkflowCase


class TestMailLeaves(MailCase):
    def test_one_message_with_headers_for_unsubscribing(self):
        self.new_workflow()
        ann, ben = self.new_profile("Ann"), self.new_profile("Ben")
        self.env["mail.blacklist"].create({"email": "ben@example.com"})
        for profile in (ann, ben):
            self.move(profile, self.at_risk)
        self.run_workflows()
        self.run_workflows()
        messages = self.send_all()
        self.assertEqual([to for to, _message in messages], [["ann@example.com"]])
        message = messages[0][1]
        self.assertEqual(message["Subject"], "We miss you, Ann")
        self.assertEqual(message["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click")
        url = re.fullmatch(r"<(.+)>", message["List-Unsubscribe"].replace(" ", ""))[1]
        self.assertIn("/lifecycle/unsubscribe?email=ann%40example.com", url)
        html = message.get_body(("html",)).get_content()
        self.assertIn("Unsubscribe", html)
        self.assertEqual(len(self.send_all()), 1)

    def test_message_stays_in_the_chatter(self):
        workflow = self.new_workflow()
        ann = self.new_profile("Ann")
        self.move(ann, self.at_risk)
        self.run_workflows()
        self.send_all()
        message = self.deliveries(workflow).mail_message_id
        self.assertEqual(message.res_id, ann.partner_id.id)
        self.assertEqual(message.author_id, self.env.user.partner_id)
        self.assertIn("Unsubscribe", message.body)
        self.assertNotIn("lifecycle/unsubscribe", message.body)
        left = self.env["mail.mail"].search([("recipient_ids", "in", ann.partner_id.ids)])
        self.assertFalse(left)

    def test_journey_tells_what_was_sent_and_what_was_not(self):
        self.new_workflow()
        ann, ben = self.new_profile("Ann"), self.new_profile("Ben")
        self.env["mail.blacklist"].create({"email": "ben@example.com"})
        for profile in (ann, ben):
            self.move(profile, self.at_risk)
        self.run_workflows()
        self.send_all()
        for profile, expected in (
            (ann, "We miss you, Ann"),
            (ben, "Not sent: We miss you (Unsubscribed or blacklisted)"),
        ):
            items = self.env["lifecycle.journey"].get_journey(profile.partner_id.id)["items"]
            titles = [item["title"] for item in items if "We miss you" in item["title"]]
            self.assertEqual(titles, [expected])

    def test_journey_shows_the_subject_and_beside_it_the_step(self):
        workflow = self.new_workflow()
        workflow.step_ids.name = "First letter"
        ann = self.new_profile("Ann")
        self.move(ann, self.at_risk)
        self.run_workflows()
        # what is written to others from now on is not what she got
        workflow.step_ids.template_id.subject = "Something else"
        journey = self.env["lifecycle.journey"]
        for text in ("we miss", "first letter"):
            page = journey.get_journey(ann.partner_id.id, {"text": text})
            titles = [item["title"] for item in page["items"]]
            self.assertEqual(titles, ["We miss you, Ann · First letter"])
        self.assertFalse(
            journey.get_journey(ann.partner_id.id, {"text": "Something else"})["items"]
        )

    def test_queue_is_driven_to_empty(self):
        """Odoo's own action sends one batch and leaves the rest for an hour later."""
        self.env["ir.config_parameter"].set_param("mail.mail.queue.batch.size", 3)
        self.new_workflow()
        for number in range(10):
            self.move(self.new_profile(f"C{number}"), self.at_risk)
        self.run_workflows()
        cron = self.env.ref(QUEUE)
        runs = 0
        while True:
            self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)]).unlink()
            self.send_all()
            runs += 1
            if not self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)]):
                break
        self.assertEqual(len(self.sink.messages), 10)
        self.assertEqual(runs, 4)

    def test_test_run_goes_to_oneself_only(self):
        me = self.new_user(
            "wf_me", "sales_team.group_sale_manager", self.home, email="me@example.com"
        )
        workflow = self.new_workflow(self.step(sequence=1), self.step(sequence=2), start=False)
        ann = self.new_profile("Ann")
        self.move(ann, self.at_risk)
        action = workflow.with_user(me).action_preview()
        preview = self.env[action["res_model"]].with_user(me).browse(action["res_id"])
        self.assertEqual((preview.now_count, preview.profile_ids.ids), (1, ann.ids))
        self.assertIn("We miss you, Ann", preview.sequence_html)
        preview.action_test()
        messages = self.send_all()
        self.assertEqual([to for to, _message in messages], [["me@example.com"]] * 2)
        self.assertNotIn("lifecycle/unsubscribe", messages[0][1].as_string())
        self.assertFalse(workflow.enrollment_ids)
        self.assertFalse(self.deliveries(workflow))


@tagged("-at_install", "post_install", "standard")
class TestUnsubscribe(LifecycleHttpCase):
    def setUp(self):
        super().setUp()
        self.partner = self.env["res.partner"].create(
            {"name": "Ann", "email": "Ann <Ann@Example.com>", "lifecycle_marketing_consent": True}
        )
        mails = self.env["lifecycle.workflow.mail"]
        self.url = mails._unsubscribe_url(self.partner, self.env.company)
        self.url = self.url[self.url.index("/lifecycle") :]

    def is_blacklisted(self):
        self.env.invalidate_all()
        return self.partner.is_blacklisted

    def test_looking_changes_nothing(self):
        page = self.url_open(self.url)
        self.assertEqual(page.status_code, 200)
        self.assertIn("ann@example.com", page.text)
        self.assertFalse(self.is_blacklisted())

    def test_one_click(self):
        """What a mail program posts, without cookies (RFC 8058)."""
        self.opener.cookies.clear()
        answer = self.url_open(self.url, data={"List-Unsubscribe": "One-Click"})
        self.assertEqual(answer.status_code, 200)
        self.assertTrue(self.is_blacklisted())
        self.assertFalse(self.partner.lifecycle_marketing_consent)

    def test_page_and_back(self):
        self.assertIn("You are unsubscribed", self.url_open(self.url, data={"x": "1"}).text)
        self.assertTrue(self.is_blacklisted())
        back = self.url_open(self.url + "&action=subscribe", data={"x": "1"})
        self.assertIn("subscribed again", back.text)
        self.assertFalse(self.is_blacklisted())

    def test_forged_link(self):
        for url in (
            self.url.replace("ann%40", "ben%40"),
            self.url.replace("token=", "token=0"),
            self.url.replace("token=", "token=é"),
            self.url.replace(f"company={self.env.company.id}", "company=x"),
            "/lifecycle/unsubscribe",
        ):
            answer = self.url_open(url, data={"List-Unsubscribe": "One-Click"})
            self.assertEqual(answer.status_code, 404, url)
        self.assertFalse(self.env["mail.blacklist"].search([("email", "like", "%@example.com")]))


class TestDelivered(WorkflowCase):
    """The workflows and e-mails that come with the addon."""

    def test_every_delivered_workflow_is_a_draft(self):
        workflows = self.delivered("lifecycle.workflow")
        self.assertGreaterEqual(len(workflows), 13)
        self.assertEqual(set(workflows.mapped("state")), {"draft"})
        for workflow in workflows:
            self.assertTrue(workflow.step_ids, workflow.name)
        rules = self.delivered("base.automation")
        self.assertGreaterEqual(len(rules), 2)
        self.assertFalse(any(rules.mapped("active")))

    def delivered(self, model):
        ids = self.env["ir.model.data"].search(
            [("module", "=", "customer_lifecycle"), ("model", "=", model)]
        ).mapped("res_id")
        return self.env[model].with_context(active_test=False).browse(ids)

    def test_every_e_mail_in_three_languages(self):
        templates = self.delivered("mail.template")
        self.assertGreaterEqual(len(templates), 11)
        ann = self.new_profile("Ann")
        product = self.env["product.product"].create({"name": "Coffee"})
        self.env["lifecycle.usual.product"].create(
            {
                "profile_id": ann.id,
                "product_id": product.id,
                "missing_from": self.now.date(),
                "missing_until": self.now.date(),
                "last_date": self.now.date(),
            }
        )
        mails = self.env["lifecycle.workflow.mail"]
        hello = {"en_US": "Hello", "de_DE": "Guten Tag", "sv_SE": "Hej"}
        unsubscribe = {"en_US": "Unsubscribe", "de_DE": "Abbestellen", "sv_SE": "Avsluta"}
        for language in ("de_DE", "sv_SE"):
            self.env["res.lang"]._activate_lang(language)
            self.env.ref("base.module_customer_lifecycle")._update_translations(language)
        of_customers = templates.filtered(lambda template: template.model == "res.partner")
        for template in templates - of_customers:
            texts = [template.with_context(lang=language) for language in hello]
            for text, word in zip(texts, hello.values(), strict=True):
                self.assertIn(f">{word} <t ", text.body_html)
            self.assertEqual(len({text.subject for text in texts}), 3)
        for template in of_customers:
            subjects = set()
            for language, word in hello.items():
                with self.subTest(template=template.name, language=language):
                    ann.partner_id.lang = language
                    values = mails._render(
                        template, [(ann, ann.partner_id)], self.home, self.env.user
                    )[ann.partner_id.id]
                    self.assertIn(f"{word} Ann,", values["body_html"])
                    self.assertIn(unsubscribe[language], values["body_html"])
                    subjects.add(values["subject"])
            self.assertEqual(len(subjects), 3)
        missing = self.env.ref("customer_lifecycle.mail_template_missing")
        body = mails._render(missing, [(ann, ann.partner_id)], self.home, self.env.user)
        self.assertIn("Coffee", body[ann.partner_id.id]["body_html"])
