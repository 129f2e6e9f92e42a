"""Who may see, edit, start and stop workflows; what their effect is said to be."""

from datetime import timedelta

from odoo.exceptions import AccessError, UserError

from odoo.addons.customer_lifecycle.kernel.uplift import difference_of_means

from ..common_workflow import WorkflowCase


class TestRights(WorkflowCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seller = cls.new_user("wf_s", "sales_team.group_sale_salesman", cls.home)
        cls.manager = cls.new_user("wf_m", "sales_team.group_sale_manager", cls.home)
        cls.starter = cls.new_user("wf_g", "customer_lifecycle.group_workflow_starter", cls.home)

    def setUp(self):
        super().setUp()
        self.workflow = self.new_workflow(self.step(delay=2), start=False)

    def test_only_starters_start(self):
        for user in (self.seller, self.manager):
            mine = self.workflow.with_user(user)
            for call in (mine.action_start, mine._start, mine.action_pause, mine.action_end):
                with self.assertRaises(AccessError):
                    call()
        with self.assertRaises(AccessError):
            self.workflow.with_user(self.manager).write({"state": "running"})
        with self.assertRaises(AccessError):
            self.workflow.with_user(self.manager).create({"name": "X", "state": "running"})
        self.workflow.with_user(self.starter)._start()
        self.assertEqual((self.workflow.state, self.workflow.user_id), ("running", self.starter))

    def test_managers_edit_salespeople_do_not(self):
        self.workflow.with_user(self.manager).name = "New name"
        self.workflow.step_ids.with_user(self.manager).delay = 4
        for record in (self.workflow, self.workflow.step_ids):
            with self.assertRaises(AccessError):
                record.with_user(self.seller).write({"name": "Mine"})

    def test_salesperson_stops_his_own_customer(self):
        self.workflow._start()
        mine, other = self.new_profile("Mine"), self.new_profile("Other")
        mine.partner_id.user_id = self.seller
        other.partner_id.user_id = self.manager
        for profile in (mine, other):
            self.move(profile, self.at_risk)
        self.run_workflows()
        enrollments = self.workflow.enrollment_ids
        seen = self.env["lifecycle.workflow.enrollment"].with_user(self.seller).search([])
        self.assertEqual(seen.partner_id.mapped("name"), ["Mine"])
        seen.action_stop()
        theirs = enrollments.filtered(lambda one: one.profile_id == other)
        with self.assertRaises(AccessError):
            theirs.with_user(self.seller).action_stop()
        self.assertEqual((enrollments - theirs).exit_reason, "stopped")
        self.later(days=2)
        self.assertEqual(self.sent(self.workflow), ["other@example.com"])

    def test_other_company_sees_nothing(self):
        self.workflow._start()
        self.move(self.new_profile("Ann"), self.at_risk)
        self.run_workflows()
        elsewhere = self.new_company("Elsewhere")
        stranger = self.new_user("wf_x", "customer_lifecycle.group_workflow_starter", elsewhere)
        for model in ("", ".enrollment", ".delivery"):
            records = self.env[f"lifecycle.workflow{model}"].with_user(stranger)
            rows = records.with_context(allowed_company_ids=elsewhere.ids).search([])
            self.assertFalse(rows.company_id & self.home)

    def test_deliveries_cannot_be_edited(self):
        self.workflow.step_ids.delay = 0
        self.workflow._start()
        self.move(self.new_profile("Ann"), self.at_risk)
        self.run_workflows()
        delivery = self.deliveries(self.workflow)
        with self.assertRaises(UserError):
            delivery.with_user(self.starter).write({"state": "failed"})
        with self.assertRaises(AccessError):
            delivery.with_user(self.starter).unlink()

    def test_merged_customers_keep_their_history(self):
        self.workflow._start()
        ann, ben = self.new_profile("Ann"), self.new_profile("Ben")
        for profile in (ann, ben):
            self.move(profile, self.at_risk)
        self.run_workflows()
        self.later(days=2)
        self.assertEqual(len(self.sent(self.workflow)), 2)
        self.env["base.partner.merge.automatic.wizard"].create({})._merge(
            (ann.partner_id + ben.partner_id).ids, ann.partner_id
        )
        self.env.invalidate_all()
        self.assertEqual(len(self.workflow.enrollment_ids), 2)
        self.assertEqual(len(self.deliveries(self.workflow)), 2)
        self.assertEqual(self.workflow.enrollment_ids.partner_id, ann.partner_id)


class TestEffect(WorkflowCase):
    def measured(self, control, treated_orders, control_orders, each=30):
        workflow = self.new_workflow(self.step(kind="activity", name="x"), control_percent=control)
        for number in range(each):
            self.move(self.new_profile(f"P{number:03}"), self.at_risk)
        self.run_workflows()
        entered = workflow.enrollment_ids.sorted("id")
        if control:
            # the draw depends on ids: in every database the same groups
            drawn = entered[: each * control // 100]
            drawn.write({"state": "control"})
            (entered - drawn).write({"state": "done"})
        groups = entered.grouped(lambda one: one.state == "control")
        self.at(self.now + timedelta(days=20))
        for is_control, some in groups.items():
            for one in some[: control_orders if is_control else treated_orders]:
                self.new_purchase(one.partner_id, 100, company=self.home)
        self.env.flush_all()
        workflow._measure()
        return workflow, groups

    def test_not_proven_without_control_group(self):
        workflow, _groups = self.measured(0, 7, 0)
        self.assertEqual(workflow.effect["treated"][:4], [30, 7, 7, 700])
        self.assertIn("not proven", workflow.effect_html)

    def test_measured_daily_until_nothing_can_change(self):
        workflow, _groups = self.measured(0, 7, 0)
        first = workflow.effect_date
        self.later(days=2)
        self.assertGreater(workflow.effect_date, first)
        self.later(days=100)
        last = workflow.effect_date
        self.later(days=2)
        self.assertEqual(workflow.effect_date, last)

    def test_too_few_to_tell(self):
        workflow, _groups = self.measured(50, 3, 1)
        self.assertIn("Too few customers to tell: about", workflow.effect_html)
        self.assertIn("of too few customers for an interval", workflow.effect_html)

    def test_money_with_its_interval_where_there_are_enough(self):
        workflow = self.new_workflow(control_percent=50)
        # 40 customers each; 10 and 5 of them bought for 100
        workflow.effect = {
            "treated": [40, 10, 10, 1000, 100_000, 40],
            "control": [40, 5, 5, 500, 50_000, 40],
            "days": 60,
            "mails": {},
            "goal": 0,
        }
        difference, low, high = difference_of_means((40, 1000, 100_000), (40, 500, 50_000))
        html = workflow.effect_html
        for number in (difference, low, high):
            self.assertIn(f"{number:.2f}", html)

    def test_difference_against_the_control_group(self):
        workflow, groups = self.measured(50, 99, 0, each=40)
        self.assertEqual(workflow.effect["control"][:2], [len(groups[True]), 0])
        self.assertEqual(workflow.effect["treated"][0], workflow.effect["treated"][1])
        self.assertIn("It works", workflow.effect_html)

    def test_orders_before_entering_and_too_late_do_not_count(self):
        workflow = self.new_workflow(
            self.step(kind="activity", name="x"), effect_days=30
        )
        ann = self.new_profile("Ann")
        self.move(ann, self.at_risk)
        self.run_workflows()
        for days in (-70, 5, 31):
            self.new_purchase(
                ann.partner_id, 10, company=self.home, date=self.now.date() + timedelta(days=days)
            )
        self.env.flush_all()
        workflow._measure()
        self.assertEqual(workflow.effect["treated"][:4], [1, 1, 1, 10])
