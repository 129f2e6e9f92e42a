"""Workflows act with the rights of whoever answers for them, and only he who may start them
changes what they do."""

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import mute_logger

from ..common_workflow import WorkflowCase

STARTER = "customer_lifecycle.group_workflow_starter"
MANAGER = "sales_team.group_sale_manager"
LOGS = ("odoo.addons.base.models.ir_actions", "odoo.addons.base.models.ir_rule",
        "odoo.addons.base.models.ir_model", "odoo.sql_db")


class DoorsWorkflowCase(WorkflowCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.starter = cls.new_user("dw_g", STARTER, cls.home, email="g@example.com")
        cls.manager = cls.new_user("dw_m", MANAGER, cls.home)
        cls.portal = cls.new_user("dw_p", "base.group_portal", cls.home)
        cls.action = cls.env["ir.actions.server"].create(
            {
                "name": "Write a system parameter",
                "model_id": cls.env.ref("base.model_res_partner").id,
                "state": "code",
                "code": "env['ir.config_parameter'].set_param('door', 'open')",
            }
        )

    def parameter(self):
        return self.env["ir.config_parameter"].get_param("door")

    def entered(self, workflow):
        ann = self.new_profile("Ann")
        self.move(ann, self.at_risk)
        self.run_workflows()
        return workflow.enrollment_ids


class TestDeleting(DoorsWorkflowCase):
    def test_access_is_asked_before_anything_is_written(self):
        workflow = self.new_workflow(self.step(delay=9))
        enrollment = self.entered(workflow)
        self.assertEqual(enrollment.state, "active")
        for user in (self.portal, self.manager):
            with self.assertRaises(AccessError):
                workflow.with_user(user).unlink()
            with self.assertRaises(AccessError):
                workflow.step_ids.with_user(user).unlink()
            with self.assertRaises(AccessError):
                workflow.step_ids.with_user(user).write({"active": False})
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual((workflow.state, workflow.active), ("running", True))
        self.assertEqual((enrollment.state, enrollment.step_id), ("active", workflow.step_ids))
        workflow.with_user(self.starter).unlink()
        self.assertEqual((workflow.state, workflow.active), ("ended", False))
        self.assertEqual(enrollment.exit_reason, "ended")


class TestEditingWhileItRuns(DoorsWorkflowCase):
    def test_only_starters(self):
        workflow = self.new_workflow(self.step(delay=9))
        step = workflow.step_ids
        other = self.new_template("Other")
        edits = (
            (workflow, {"domain": "[('order_count', '>', 1)]"}),
            (workflow, {"goal": "domain", "goal_domain": "[('order_count', '>', 1)]"}),
            (workflow, {"window_from": 0.0}),
            (workflow, {"window_sunday": True}),
            (workflow, {"trigger": "manual"}),
            (workflow, {"stage_ids": [Command.clear()]}),
            (workflow, {"company_id": False}),
            (workflow, {"active": False}),
            (workflow, {"control_percent": 90}),
            (workflow, {"step_ids": [Command.update(step.id, {"delay": 0})]}),
            (workflow, {"step_ids": [Command.create({"kind": "note", "note": "<p>x</p>"})]}),
            (step, {"template_id": other.id}),
            (step, {"domain": "[('order_count', '>', 1)]"}),
            (step, {"delay": 0}),
            (step, {"kind": "note", "note": "<p>x</p>"}),
            (self.template, {"body_html": "<p>Something else</p>"}),
            (self.template, {"email_from": "evil@example.com"}),
        )
        editor = self.new_user(
            "dw_e", f"{MANAGER},mail.group_mail_template_editor", self.home
        )
        for record, values in edits:
            with self.subTest(model=record._name, values=values):
                with self.assertRaises(AccessError), self.cr.savepoint():
                    record.with_user(editor).write(values)
        with self.assertRaises(AccessError), self.cr.savepoint():
            self.template.with_user(editor).update_field_translations(
                "subject", {"en_US": "Something else"}
            )
        for create in (
            {"workflow_id": workflow.id, "kind": "note", "note": "<p>x</p>"},
            {"kind": "note", "note": "<p>x</p>"},
        ):
            with self.assertRaises(AccessError), self.cr.savepoint():
                self.env["lifecycle.workflow.step"].with_user(editor).with_context(
                    default_workflow_id=workflow.id
                ).create(create)
        # moved in from a workflow of his own
        draft = self.new_workflow(start=False)
        with self.assertRaises(AccessError), self.cr.savepoint():
            draft.step_ids.with_user(editor).workflow_id = workflow
        workflow.with_user(editor).write({"name": "New name", "description": "Words"})
        draft.step_ids.with_user(editor).delay = 7
        step.with_user(self.starter).delay = 3
        workflow.with_user(self.starter).window_from = 8
        self.assertEqual((workflow.name, step.delay), ("New name", 3))
        self.assertEqual(workflow.user_id, self.env.user)

    def test_a_draft_is_everybodys(self):
        draft = self.new_workflow(start=False)
        draft.with_user(self.manager).write({"domain": "[('order_count', '>', 1)]"})
        self.template.with_user(self.env.user).body_html = "<p>x</p>"
        draft.with_user(self.manager).unlink()
        self.assertFalse(draft.exists())


class TestServerAction(DoorsWorkflowCase):
    def step_values(self, **values):
        return {"kind": "action", "action_id": self.action.id, "delay": 0, **values}

    @mute_logger(*LOGS)
    def test_runs_with_the_responsible_persons_rights(self):
        workflow = self.new_workflow(Command.create(self.step_values()), start=False)
        workflow.with_user(self.starter)._start()
        self.assertEqual(workflow.user_id, self.starter)
        enrollment = self.entered(workflow)
        self.assertEqual(enrollment.state, "failed")
        self.assertFalse(self.parameter())
        # what he may do himself is done
        self.action.code = "record.write({'comment': user.login})"
        enrollment.with_user(self.manager).action_retry()
        self.run_workflows()
        self.assertEqual(enrollment.state, "done")
        self.assertIn("dw_g", enrollment.partner_id.comment)

    @mute_logger(*LOGS)
    def test_groups_of_the_action(self):
        self.action.write(
            {"code": "record.write({'ref': 'run'})",
             "group_ids": [Command.set(self.env.ref("base.group_system").ids)]}
        )
        draft = self.new_workflow(start=False)
        with self.assertRaisesRegex(ValidationError, "may not do yourself"):
            draft.step_ids.with_user(self.starter).write(self.step_values())
        self.action.group_ids = False
        draft.step_ids.with_user(self.starter).write(self.step_values())
        draft.with_user(self.starter)._start()
        self.action.group_ids = self.env.ref("base.group_system")
        self.assertEqual(self.entered(draft).state, "failed")
        self.assertFalse(draft.enrollment_ids.partner_id.ref)

    @mute_logger(*LOGS)
    def test_kept_by_hand_of_others(self):
        """What a settings administrator runs takes no step of somebody with fewer rights."""
        self.action.write(
            {"code": "record.write({'ref': 'run'})",
             "group_ids": [Command.set(self.env.ref("base.group_system").ids)]}
        )
        workflow = self.new_workflow(self.step(delay=9))
        self.assertTrue(workflow.user_id._is_superuser())
        with self.assertRaises(ValidationError):
            workflow.step_ids.with_user(self.starter).write(self.step_values())
        company = self.new_company("Not his")
        program = self.env["loyalty.program"].create(
            {"name": "Theirs", "program_type": "loyalty", "company_id": company.id}
        )
        with self.assertRaises(UserError):
            workflow.step_ids.with_user(self.starter).write(
                {"kind": "points", "program_id": program.id}
            )


class TestResponsiblePerson(DoorsWorkflowCase):
    def running(self):
        workflow = self.new_workflow(self.step(), start=False)
        workflow.with_user(self.starter)._start()
        return workflow

    def check_paused(self, workflow):
        other = self.new_user("dw_o", STARTER, self.home, email="o@example.com")
        ann = self.new_profile("Ann")
        self.move(ann, self.at_risk)
        self.run_workflows()
        self.assertEqual(workflow.state, "paused")
        self.assertIn("Whoever resumes it takes it over", workflow.error)
        self.assertIn(other.partner_id, workflow.message_ids[0].notified_partner_ids)
        self.assertFalse(self.sent(workflow))
        workflow.with_user(other).action_resume()
        self.assertEqual(
            (workflow.state, workflow.user_id, workflow.error), ("running", other, False)
        )
        self.move(ann, self.active_stage)
        self.move(ann, self.at_risk)
        self.run_workflows()
        self.assertEqual(self.sent(workflow), ["ann@example.com"])

    def test_archived(self):
        workflow = self.running()
        self.starter.active = False
        self.check_paused(workflow)

    def test_works_elsewhere(self):
        workflow = self.running()
        elsewhere = self.new_company("Elsewhere")
        self.starter.write({"company_id": elsewhere.id, "company_ids": elsewhere.ids})
        self.check_paused(workflow)

    def test_without_the_right(self):
        workflow = self.running()
        self.starter.group_ids -= self.env.ref(STARTER)
        self.check_paused(workflow)

    def test_gone(self):
        workflow = self.running()
        self.env.flush_all()
        self.cr.execute("UPDATE lifecycle_workflow SET user_id = NULL WHERE id = %s", [workflow.id])
        self.env.invalidate_all()
        self.check_paused(workflow)

    def test_without_anybody_nothing_is_read(self):
        workflow = self.running()
        workflow.sudo().user_id = False
        with self.assertRaises(UserError):
            workflow.sudo()._matching(self.home, "[]")
        with self.assertRaises(UserError):
            self.env["lifecycle.workflow.mail"]._render(
                self.template, [], self.home, self.env["res.users"]
            )

    def test_the_superuser_goes_on(self):
        workflow = self.new_workflow(self.step())
        self.assertFalse(workflow.user_id.active)
        self.entered(workflow)
        self.assertEqual((workflow.state, len(self.sent(workflow))), ("running", 1))

    def test_a_reader_of_the_context_gets_no_more(self):
        """The key that previews use takes rights away and gives none."""
        workflow = self.running().with_context(lifecycle_workflow_looked_at=True)
        self.assertEqual(workflow.with_user(self.manager)._reader(), self.manager)
