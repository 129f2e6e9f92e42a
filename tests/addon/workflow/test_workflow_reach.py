"""Workflows of every company, and people who work in one of them."""

from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError

from ..common_workflow import WorkflowCase

GROUPS = "sales_team.group_sale_manager,customer_lifecycle.group_workflow_starter"


class TestReach(WorkflowCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home, cls.away = cls.new_company("Home"), cls.new_company("Away")
        cls.env.flush_all()
        cls.env.cr.execute(
            "UPDATE res_company SET active = FALSE WHERE id <> ALL(%s)",
            [(cls.home + cls.away).ids],
        )
        cls.env.invalidate_all()
        cls.env = cls.env["base"].with_company(cls.home).env
        cls.boss = cls.new_user("reach_boss", GROUPS, cls.home + cls.away, email="b@example.com")
        cls.here = cls.new_user("reach_here", GROUPS, cls.home, email="h@example.com")
        cls.there = cls.new_user("reach_there", GROUPS, cls.away, email="t@example.com")
        cls.env["lifecycle.workflow"].search([]).action_archive()
        cls.stage = cls.env.ref("customer_lifecycle.stage_loyal")
        cls.workflow = cls.env["lifecycle.workflow"].create(
            {
                "name": "Everywhere",
                "company_id": False,
                "stage_ids": [Command.set(cls.stage.ids)],
                "step_ids": [
                    Command.create({"kind": "activity", "delay": 0, "sequence": 1}),
                    Command.create({"kind": "activity", "delay": 5, "sequence": 2}),
                ],
            }
        )
        cls.profiles = {
            company: cls.customer_of(company) for company in (cls.home, cls.away)
        }

    @classmethod
    def customer_of(cls, company):
        partner = cls.new_customer(f"Customer of {company.name}", email="c@example.com")
        return cls.env["lifecycle.profile"].create(
            {
                "partner_id": partner.id,
                "company_id": company.id,
                "currency_id": company.currency_id.id,
                "order_count": 3,
                "last_order_date": fields.Date.today() - timedelta(days=3),
                "stage_id": cls.stage.id,
                "stage_date": fields.Date.today(),
            }
        )

    def as_user(self, user):
        return self.workflow.with_user(user).with_context(allowed_company_ids=user.company_ids.ids)

    def start(self, user, who="all"):
        workflow = self.as_user(user)
        action = workflow.action_start()
        wizard = workflow.env[action["res_model"]].create(
            {"workflow_id": workflow.id, "who": who}
        )
        self.assertEqual(wizard.present_count, len(user.company_ids))
        wizard.action_start()

    def entered(self):
        self.env.invalidate_all()
        return self.workflow.enrollment_ids.filtered(lambda one: one.state == "active").company_id

    def work(self):
        self.later(minutes=5)

    def done(self, company):
        return self.env["lifecycle.workflow.delivery"].search_count(
            [("workflow_id", "=", self.workflow.id), ("company_id", "=", company.id)]
        )

    def test_preview_shows_ones_own_company(self):
        for user, count in ((self.here, 1), (self.there, 1), (self.boss, 2)):
            with self.subTest(user.login):
                workflow = self.as_user(user)
                action = workflow.action_preview()
                preview = workflow.env["lifecycle.workflow.preview"].browse(action["res_id"])
                self.assertEqual(preview.now_count, count)
                self.assertEqual(preview.profile_ids.company_id, user.company_ids)
                self.assertTrue(preview.sequence_html)
                self.assertTrue(preview.web_read({"profile_ids": {"fields": {"partner_id": {}}}}))

    def test_start_for_ones_own_company(self):
        self.start(self.here)
        self.assertEqual(self.workflow.state, "running")
        self.assertEqual(self.entered(), self.home)
        self.work()
        self.assertFalse(self.workflow.error)
        self.assertTrue(self.done(self.home))
        # who comes into the stage elsewhere does not enter
        late = self.customer_of(self.away)
        self.env["lifecycle.transition"].create(
            {"profile_id": late.id, "kind": "stage", "number": 1, "cause": "rule",
             "to_stage_id": self.stage.id, "date": fields.Date.today()}
        )
        self.work()
        self.assertEqual(self.entered(), self.home)
        self.assertTrue(self.as_user(self.here).runs_here)
        self.assertFalse(self.as_user(self.there).runs_here)

    def test_second_manager_cannot_have_it_run_with_the_firsts_rights(self):
        self.start(self.here)
        with self.assertRaisesRegex(UserError, "Duplicate it"):
            self.as_user(self.there)._start()
        self.as_user(self.boss)._start(everybody=True)
        self.assertEqual(self.entered(), self.home + self.away)
        self.assertEqual(self.workflow.user_id, self.boss)

    def test_pause_and_resume_for_ones_own_company(self):
        self.start(self.boss)
        self.assertEqual(self.entered(), self.home + self.away)
        self.as_user(self.here).action_pause()
        self.env.invalidate_all()
        self.assertEqual(self.workflow.state, "running", "the others go on")
        self.work()
        self.assertEqual((self.done(self.home), bool(self.done(self.away))), (0, True))
        self.assertEqual(self.entered(), self.home + self.away, "nobody has left it")
        self.as_user(self.here).action_resume()
        self.work()
        self.assertTrue(self.done(self.home))
        self.assertFalse(self.workflow.started_company_ids)

    def test_end_for_ones_own_company(self):
        self.start(self.boss)
        self.as_user(self.here).action_end()
        self.assertEqual(self.entered(), self.away)
        self.assertEqual(self.workflow.state, "running")
        self.as_user(self.there).action_end()
        self.assertFalse(self.entered())
        self.assertEqual(self.workflow.state, "ended")

    def test_whole_pause_is_resumed_where_one_may(self):
        self.start(self.boss)
        self.as_user(self.boss).action_pause()
        self.assertEqual(self.workflow.state, "paused")
        self.as_user(self.here).action_resume()
        self.env.invalidate_all()
        self.assertEqual(self.workflow.started_company_ids, self.home)
        self.as_user(self.boss).action_resume()
        self.assertFalse(self.workflow.started_company_ids)

    def test_companies_are_not_written_past_the_buttons(self):
        with self.assertRaises(AccessError):
            self.as_user(self.here).started_company_ids = self.away
        with self.assertRaises(AccessError):
            self.env["lifecycle.workflow"].with_user(self.here).create(
                {"name": "Sneaked", "started_company_ids": [Command.set(self.away.ids)]}
            )

    def test_workflow_of_another_company(self):
        self.workflow.company_id = self.away
        with self.assertRaises(AccessError):
            self.as_user(self.here)._start()
        with self.assertRaises(AccessError):
            self.as_user(self.here).action_pause()

    def test_paused_elsewhere_is_not_resumed_everywhere(self):
        self.start(self.there)
        self.as_user(self.there).action_pause()
        self.assertEqual(self.workflow.state, "paused")
        with self.assertRaises(AccessError):
            self.as_user(self.here).action_resume()
        self.env.invalidate_all()
        self.assertEqual(
            (self.workflow.state, self.workflow.started_company_ids), ("paused", self.away)
        )

    def test_started_past_the_buttons(self):
        self.as_user(self.here).state = "running"
        self.assertEqual(self.workflow.started_company_ids, self.home)
        made = self.as_user(self.here).create(
            {"name": "Sneaked", "state": "running",
             "stage_ids": [Command.set(self.stage.ids)]}
        )
        self.assertEqual(made.started_company_ids, self.home)

    def test_what_runs_elsewhere_too_is_not_edited(self):
        """It acts with the rights of whoever started it, who sees more."""
        template = self.env["mail.template"].create(
            {"name": "T", "model_id": self.env.ref("base.model_res_partner").id,
             "body_html": "<p>Hi</p>"}
        )
        self.workflow.step_ids = [
            Command.create({"kind": "email", "delay": 9, "template_id": template.id})
        ]
        self.start(self.boss)
        (self.here + self.boss).group_ids += self.env.ref("mail.group_mail_template_editor")
        step = self.workflow.step_ids[0]
        for user, refused in ((self.here, True), (self.boss, False)):
            workflow = self.as_user(user)
            # nor by looking at a part of its companies
            narrow = workflow.with_context(lifecycle_workflow_companies=user.company_ids.ids)
            for label, call in (
                ("filter", lambda w=workflow: w.write({"domain": "[('order_count', '>', 1)]"})),
                ("narrow", lambda w=narrow: w.write({"domain": "[('order_count', '>', 2)]"})),
                ("pause", lambda w=workflow: w.write({"state": "paused"})),
                ("new step", lambda w=workflow: w.write(
                    {"step_ids": [Command.create({"kind": "note", "note": "<p>x</p>"})]}
                )),
                ("step", lambda w=workflow: step.with_env(w.env).write({"delay": 7})),
                ("removed", lambda w=workflow: step.with_env(w.env).unlink()),
                ("template", lambda w=workflow: template.with_env(w.env).write(
                    {"body_html": "<p>Ho</p>"}
                )),
                ("archived", lambda w=workflow: w.action_archive()),
                ("deleted", lambda w=workflow: w.unlink()),
            ):
                with self.subTest(user=user.login, way=label):
                    failed = False
                    savepoint = self.env.cr.savepoint()
                    try:
                        call()
                        self.env.flush_all()
                    except AccessError:
                        failed = True
                    finally:
                        savepoint.rollback()
                        savepoint.close(rollback=False)
                        self.env.invalidate_all()
                    self.assertEqual(failed, refused)

    # ----- THE RESPONSIBLE PERSON DOES NOT WORK THERE (ANY MORE) -----

    def news(self, profile):
        self.env["lifecycle.transition"].create(
            {"profile_id": profile.id, "kind": "stage", "number": 1, "cause": "rule",
             "to_stage_id": self.stage.id, "date": fields.Date.today()}
        )

    def test_a_company_that_is_founded_later(self):
        """Nobody enters there with the rights of somebody else, and the others go on."""
        self.start(self.boss)
        founded = self.new_company("Founded")
        for company in (founded, self.home):
            self.news(self.customer_of(company))
        self.work()
        self.assertFalse(self.workflow.error)
        self.assertEqual(self.entered(), self.home + self.away)
        self.assertEqual(
            len(self.workflow.enrollment_ids.filtered(lambda one: one.company_id == self.home)), 2
        )
        # it is his own still
        self.as_user(self.boss).write({"domain": "[('order_count', '>', 1)]"})

    def test_who_leaves_a_company(self):
        self.start(self.boss)
        self.boss.company_ids = self.home
        late = self.customer_of(self.home)
        self.news(late)
        self.work()
        self.assertEqual(self.workflow.state, "running")
        self.assertFalse(self.workflow.error)
        self.assertTrue(self.done(self.home))
        # those of the other company wait for somebody who works there
        self.assertFalse(self.done(self.away))
        self.assertEqual(self.entered(), self.home + self.away)
        self.boss.company_ids += self.away
        self.work()
        self.assertTrue(self.done(self.away))

    def test_by_hand_only_where_it_runs(self):
        self.start(self.there)
        for user, found in ((self.here, False), (self.there, True)):
            profile = self.customer_of(user.company_id).with_user(user).with_context(
                allowed_company_ids=user.company_ids.ids
            )
            self.assertEqual(self.workflow in profile._workflows_to_start(), found)
