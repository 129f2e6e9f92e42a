"""Workflows on screen, as a sales administrator and as a salesperson."""

from hashlib import md5

from odoo import Command
from odoo.exceptions import AccessError, UserError

from ..common import LifecycleCase, LifecycleHttpCase
from ..common_workflow import WorkflowCase

SALESMAN = "sales_team.group_sale_salesman"
STARTER = "customer_lifecycle.group_workflow_starter"
WORKFLOW = "customer_lifecycle.ir_cron_lifecycle_workflow"


class TestWorkflowTours(LifecycleHttpCase):
    new_user = classmethod(LifecycleCase.new_user.__func__)
    run_cron = LifecycleCase.run_cron

    def test_build_preview_start_and_see_who_got_nothing(self):
        company = self.env.company
        self.new_user("tour_starter", STARTER, lang="en_US")
        sales = self.new_user(
            "tour_flow_sales", f"{SALESMAN},base.group_partner_manager", lang="en_US"
        )
        stage = self.env.ref("customer_lifecycle.stage_at_risk")
        willing, refusing = self.env["res.partner"].create(
            [
                {"name": name, "email": f"{name[0]}@example.com", "user_id": sales.id}
                for name in ("Willing Tour", "Refusing Tour")
            ]
        )
        self.env["mail.blacklist"].create({"email": refusing.email})
        self.env["lifecycle.profile"].search([("stage_id", "=", stage.id)]).stage_id = False
        self.env["lifecycle.profile"].create(
            [
                {
                    "partner_id": partner.id,
                    "company_id": company.id,
                    "currency_id": company.currency_id.id,
                    "stage_id": stage.id,
                    "order_count": 3,
                    "first_order_date": "2019-01-01",
                    "last_order_date": "2020-01-01",
                }
                for partner in (willing, refusing)
            ]
        )
        workflow = self.env.ref("customer_lifecycle.workflow_at_risk")
        # e-mails may leave on the day and at the hour of the test
        workflow.write({"window_from": 0, "window_to": 24, "window_saturday": True,
                        "window_sunday": True, "control_percent": 0})
        self.start_tour(
            "/odoo/customer-workflows", "lifecycle_workflow_build", login="tour_starter",
            timeout=120,
        )
        self.assertEqual(workflow.state, "running")
        self.assertEqual(workflow.enrollment_ids.partner_id, willing | refusing)
        self.env.cr.execute("DELETE FROM lifecycle_queue")
        self.run_cron(WORKFLOW)
        self.start_tour(
            f"/odoo/customer-workflows/{workflow.id}", "lifecycle_workflow_not_sent",
            login="tour_starter", timeout=120,
        )
        self.start_tour(
            f"/odoo/res.partner/{willing.id}", "lifecycle_workflow_stop", login="tour_flow_sales",
            timeout=120,
        )
        stopped = workflow.enrollment_ids.filtered(lambda one: one.partner_id == willing)
        self.assertEqual(stopped.exit_reason, "stopped")


class TestOnTheContact(WorkflowCase):
    """Running workflows in the header of the contact, with stop and start."""

    def setUp(self):
        super().setUp()
        self.workflow = self.new_workflow(self.step(delay=2), name="Win back")
        self.ann = self.new_profile("Ann")
        self.starter = self.new_user("wf_starter", STARTER, self.home)
        self.seller = self.new_user("wf_seller", SALESMAN, self.home)
        self.ann.partner_id.user_id = self.seller

    def chip(self, user):
        profile = self.ann.with_user(user).with_company(self.home)
        return next(
            (chip for chip in profile._overview_chips() if chip["name"] == "workflows"), None
        )

    def enter(self, user, workflow=None):
        wizard = self.env["lifecycle.workflow.enter"].with_user(user).with_company(self.home)
        wizard.create(
            {"profile_id": self.ann.id, "workflow_id": (workflow or self.workflow).id}
        ).action_enter()

    def test_chip_tells_what_comes_next(self):
        self.assertIsNone(self.chip(self.seller))
        self.move(self.ann, self.at_risk)
        self.run_workflows()
        chip = self.chip(self.seller)
        self.assertEqual((chip["value"], len(chip["why"])), ("Win back", 1))
        self.assertIn("We miss you", chip["why"][0])
        self.assertEqual([action["method"] for action in chip["actions"]], ["action_stop"])
        action = chip["actions"][0]
        self.env[action["model"]].with_user(self.seller).browse(action["ids"]).action_stop()
        self.assertIsNone(self.chip(self.seller))
        self.assertIn("Stopped the workflow", self.ann.partner_id.message_ids[0].body)

    def test_a_starter_puts_a_customer_in(self):
        chip = self.chip(self.starter)
        self.assertEqual(chip["actions"][-1]["method"], "action_enter_workflow")
        self.enter(self.starter)
        self.assertEqual(self.workflow.enrollment_ids.profile_id, self.ann)
        with self.assertRaisesRegex(UserError, "already"):
            self.enter(self.starter)
        # he is not in the stage that it waits for, and yet gets his message
        self.later(days=2)
        self.assertEqual(self.sent(self.workflow), ["ann@example.com"])
        self.enter(self.starter)
        self.assertEqual(len(self.workflow.enrollment_ids), 2)

    def drawn(self, profile):
        """Where a customer stands in the lot of the workflow's control group."""
        text = f"{self.workflow.id}:{profile.partner_id.id}"
        return int(md5(text.encode(), usedforsecurity=False).hexdigest()[:8], 16) % 10000

    def test_control_group_cannot_be_put_in(self):
        self.workflow.control_percent = 50
        while self.drawn(self.ann) >= 5000:
            self.ann = self.new_profile("Next")
        with self.assertRaisesRegex(UserError, "control group"), self.env.cr.savepoint():
            self.enter(self.starter)
        self.assertFalse(self.workflow.enrollment_ids)

    def test_filter_and_rights_hold(self):
        self.workflow.domain = "[('order_count', '>', 5)]"
        with self.assertRaisesRegex(UserError, "filter"):
            self.enter(self.starter)
        manager = self.new_user("wf_boss", "sales_team.group_sale_manager", self.home)
        for user in (self.seller, manager):
            with self.assertRaises(AccessError):
                self.enter(user)
        paused = self.new_workflow(
            name="Paused", stage_ids=[Command.set(self.lost.ids)]
        )
        paused.action_pause()
        with self.assertRaises(UserError):
            self.enter(self.starter, paused)
