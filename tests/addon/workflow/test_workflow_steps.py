"""What the steps of a workflow do, when, and what editing a running one does."""

from datetime import datetime, timedelta

from odoo.exceptions import ValidationError
from odoo.tools import mute_logger

from ..common_workflow import START, WorkflowCase


class TestSteps(WorkflowCase):
    def enter(self, *steps, name="Ann", **values):
        workflow = self.new_workflow(*steps, **values)
        profile = self.new_profile(name)
        self.move(profile, self.at_risk)
        self.run_workflows()
        return workflow, profile

    def test_delays_after_step_and_after_entering(self):
        self.home.lifecycle_cap_week = self.home.lifecycle_cap_month = 0
        workflow, _ann = self.enter(
            self.step(delay=2, sequence=1),
            self.step(delay=3, sequence=2),
            self.step(delay=20, sequence=3, delay_from="entry"),
        )
        counts = []
        for _day in range(21):
            counts.append(len(self.sent(workflow)))
            self.later(days=1)
        # Tuesday + 2 = Thursday; + 3 = Sunday, which waits for Monday; entry + 20 = Monday
        self.assertEqual(counts, [0, 0] + [1] * 4 + [2] * 14 + [3])

    def test_months_keep_the_clock_when_it_changes(self):
        self.home.lifecycle_tz = "Europe/Stockholm"
        workflow, _ann = self.enter(self.step(delay=1, delay_unit="months"))
        # 10:00 UTC is 11:00 in winter and 09:00 UTC in summer time, from 28 March on
        self.assertEqual(workflow.enrollment_ids.date_next, datetime(2027, 4, 2, 9, 0))

    def test_mails_wait_for_the_window(self):
        self.at(datetime(2027, 3, 5, 18, 0))
        workflow, _ann = self.enter()
        self.assertFalse(self.sent(workflow))
        self.assertEqual(workflow.enrollment_ids.date_next, datetime(2027, 3, 8, 9, 0))
        self.at(datetime(2027, 3, 8, 9, 0))
        self.run_workflows()
        self.assertEqual(len(self.sent(workflow)), 1)

    def test_window_in_the_company_s_zone(self):
        self.home.lifecycle_tz = "America/New_York"
        workflow, _ann = self.enter()
        # Tuesday 10:00 UTC is 5:00 in New York
        self.assertEqual(workflow.enrollment_ids.date_next, datetime(2027, 3, 2, 14, 0))

    def test_condition_skips_the_step_only(self):
        workflow, _ann = self.enter(
            self.step(sequence=1, domain="[('order_count', '>', 100)]"),
            self.step(sequence=2, kind="activity", name="Call"),
        )
        self.assertEqual(self.reasons(workflow), ["condition"])
        self.assertEqual(self.deliveries(workflow, "done").kind, "activity")

    def test_branch(self):
        workflow = self.new_workflow(
            self.step(sequence=1, kind="branch", name="Big?", domain="[('order_count', '>', 5)]"),
            self.step(sequence=9, kind="note", name="All", note="<p>End</p>"),
            start=False,
        )
        branch = workflow.step_ids.filtered(lambda step: step.kind == "branch")
        for way in ("then", "else"):
            workflow.step_ids.create(
                {
                    "workflow_id": workflow.id,
                    "kind": "note",
                    "note": f"<p>{way}</p>",
                    "name": way,
                    "delay": 0,
                    "parent_id": branch.id,
                    "branch": way,
                }
            )
        workflow._start()
        for name, count in (("Big", 9), ("Small", 1)):
            self.move(self.new_profile(name, order_count=count), self.at_risk)
        self.run_workflows()
        done = {
            profile.partner_id.name: rows.sorted("id").step_id.mapped("title")
            for profile, rows in self.deliveries(workflow, "done").grouped("profile_id").items()
        }
        self.assertEqual(
            done, {"Big": ["Big?", "then", "All"], "Small": ["Big?", "else", "All"]}
        )

    def test_copy_keeps_branches(self):
        workflow = self.new_workflow(
            self.step(sequence=1, kind="branch", name="If"), start=False
        )
        workflow.step_ids.create(
            {"workflow_id": workflow.id, "sequence": 2, "kind": "note", "note": "x",
             "parent_id": workflow.step_ids.id, "branch": "then"}
        )
        twin = workflow.copy()
        self.assertEqual(len(twin.step_ids), 2)
        self.assertEqual(twin.step_ids[1].parent_id, twin.step_ids[0])
        self.assertEqual(twin.state, "draft")

    def test_activity_for_the_salesperson(self):
        seller = self.new_user("wf_seller", "sales_team.group_sale_salesman", self.home)
        workflow = self.new_workflow(self.step(kind="activity", name="Call", note="Why?"))
        ann = self.new_profile("Ann")
        ann.partner_id.user_id = seller
        self.move(ann, self.at_risk)
        self.run_workflows()
        activity = ann.partner_id.activity_ids
        self.assertEqual((activity.user_id, activity.summary), (seller, "Call"))
        self.assertEqual(self.deliveries(workflow).res_id, activity.id)

    def test_tag_salesperson_and_server_action(self):
        tag = self.env["res.partner.category"].create({"name": "Slipping"})
        seller = self.new_user("wf_other", "sales_team.group_sale_salesman", self.home)
        action = self.env["ir.actions.server"].create(
            {
                "name": "Comment",
                "model_id": self.env.ref("base.model_res_partner").id,
                "state": "code",
                "code": "record.write({'comment': 'seen'})",
            }
        )
        _workflow, ann = self.enter(
            self.step(kind="tag", category_id=tag.id, sequence=1),
            self.step(kind="salesperson", salesperson_id=seller.id, sequence=2),
            self.step(kind="action", action_id=action.id, sequence=3),
        )
        partner = ann.partner_id
        self.assertEqual(partner.category_id, tag)
        self.assertEqual(partner.user_id, seller)
        self.assertIn("seen", partner.comment)

    def test_points_on_one_card_with_history(self):
        program = self.env["loyalty.program"].with_context(default_program_type="loyalty").create(
            {"name": "Club", "program_type": "loyalty", "applies_on": "both", "trigger": "auto",
             "company_id": self.home.id}
        )
        workflow, ann = self.enter(
            self.step(kind="points", program_id=program.id, points=25, sequence=1),
            self.step(kind="points", program_id=program.id, points=5, sequence=2),
        )
        card = self.env["loyalty.card"].search([("partner_id", "=", ann.partner_id.id)])
        self.assertEqual(len(card), 1)
        self.assertEqual(card.points, 30)
        self.assertEqual(sum(card.history_ids.mapped("issued")), 30)
        self.assertEqual(set(self.deliveries(workflow).mapped("res_id")), {card.id})

    def test_failing_template_stops_its_customer_only(self):
        self.template.body_html = (
            "<p><t t-out=\"1 / (0 if object.name == 'Ann' else 1)\"/></p>"
        )
        workflow = self.new_workflow()
        for name in ("Ann", "Ben", "Cid"):
            self.move(self.new_profile(name), self.at_risk)
        with mute_logger("odoo.addons.mail.models.mail_render_mixin"):
            self.run_workflows()
        self.assertEqual(self.sent(workflow), ["ben@example.com", "cid@example.com"])
        failed = workflow.enrollment_ids.filtered(lambda one: one.state == "failed")
        self.assertEqual(failed.partner_id.name, "Ann")
        self.assertEqual(failed.error, "division by zero")
        self.assertEqual(failed.attempts, 1)
        self.template.body_html = "<p>Hello</p>"
        failed.action_retry()
        self.run_workflows()
        self.assertEqual(len(self.sent(workflow)), 3)
        self.assertEqual(len(self.deliveries(workflow)), 3)

    def test_broken_filter_stops_its_customers_only(self):
        """A field that an app took along must not stop the other workflows."""
        broken, well = self.new_workflow(sequence=1), self.new_workflow(sequence=2)
        for name in ("Ann", "Ben"):
            self.move(self.new_profile(name), self.at_risk)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE lifecycle_workflow_step SET domain = %s WHERE id = %s",
            ["[('gone', '=', 1)]", broken.step_ids.id],
        )
        self.env.invalidate_all()
        with mute_logger("odoo.addons.customer_lifecycle.models.workflow.run"):
            self.run_workflows()
        self.assertEqual(set(broken.enrollment_ids.mapped("state")), {"failed"})
        self.assertIn("gone", broken.enrollment_ids[0].error)
        self.assertEqual(self.sent(well), ["ann@example.com", "ben@example.com"])

    def test_goal_is_checked_before_sending(self):
        workflow, ann = self.enter(self.step(delay=3))
        self.order(ann, days_ago=-2)
        ann.stage_id = self.at_risk
        self.later(days=3)
        self.assertFalse(self.sent(workflow))
        self.assertEqual(workflow.enrollment_ids.exit_reason, "goal")

    def test_goal_filter(self):
        workflow, ann = self.enter(
            self.step(delay=3), goal="domain", goal_domain="[('revenue', '>', 500)]"
        )
        ann.revenue = 900
        self.later(days=3)
        self.assertEqual(workflow.enrollment_ids.exit_reason, "goal")

    def test_leaving_the_stage_ends_it(self):
        workflow, ann = self.enter(self.step(delay=3))
        self.move(ann, self.lost)
        self.later(days=3)
        self.assertEqual(workflow.enrollment_ids.exit_reason, "left")
        self.assertFalse(self.deliveries(workflow))

    def test_changed_customer_waits_for_his_fresh_figures(self):
        """Who ordered this morning is not judged by last night's figures."""
        workflow, ann = self.enter(self.step(delay=1))
        self.at(START + timedelta(days=1))
        self.empty_queue()
        self.env["lifecycle.queue"].sudo()._append_partners(ann.partner_id.ids)
        self.run_cron("customer_lifecycle.ir_cron_lifecycle_workflow")
        self.assertEqual(workflow.enrollment_ids.state, "active")
        self.assertFalse(self.sent(workflow))
        self.order(ann)
        self.run_workflows()
        self.assertEqual(workflow.enrollment_ids.exit_reason, "goal")
        self.assertFalse(self.sent(workflow))


class TestEditing(WorkflowCase):
    def enter(self, *steps):
        workflow = self.new_workflow(*steps)
        self.move(self.new_profile("Ann"), self.at_risk)
        self.run_workflows()
        return workflow

    def test_changed_delay_counts_for_those_on_the_way(self):
        workflow = self.enter(self.step(delay=30))
        workflow.step_ids.delay = 2
        self.assertEqual(workflow.enrollment_ids.date_next, START + timedelta(days=2))
        self.assertIn("Step", workflow.message_ids[0].body)

    def test_removed_step_lets_them_go_on_with_the_next(self):
        workflow = self.enter(self.step(delay=5, sequence=1), self.step(delay=9, sequence=2))
        first, second = workflow.step_ids
        first.unlink()
        self.assertEqual(workflow.enrollment_ids.step_id, second)
        self.assertEqual(workflow.enrollment_ids.date_next, START + timedelta(days=9))
        self.assertFalse(first.exists())

    def test_step_with_history_is_archived(self):
        workflow = self.enter(self.step(sequence=1), self.step(delay=9, sequence=2))
        first = workflow.step_ids[0]
        first.unlink()
        self.assertTrue(first.exists())
        self.assertFalse(first.active)
        self.assertEqual(len(workflow.step_ids), 1)

    def test_last_step_removed_finishes(self):
        workflow = self.enter(self.step(delay=5))
        workflow.step_ids.unlink()
        self.run_workflows()
        self.assertEqual(workflow.enrollment_ids.state, "done")

    def test_workflow_with_history_is_archived(self):
        workflow = self.enter(self.step(delay=5))
        workflow.unlink()
        self.assertTrue(workflow.exists())
        self.assertFalse(workflow.active)
        self.assertEqual(workflow.enrollment_ids.exit_reason, "ended")

    def test_bad_filter_is_refused(self):
        for values in ({"domain": "[('no_such_field', '=', 1)]"}, {"goal_domain": "nonsense"}):
            with self.assertRaises(ValidationError):
                self.new_workflow(start=False, **values)
        with self.assertRaises(ValidationError):
            self.new_workflow(self.step(domain="[('x', '=', 1)]"), start=False)


class TestActionsThatWrite(WorkflowCase):
    """Server actions that send something themselves are no steps of a workflow."""

    def new_action(self, **values):
        return self.env["ir.actions.server"].create(
            {
                "name": "Hello",
                "model_id": self.env.ref("base.model_res_partner").id,
                **values,
            }
        )

    def writing(self, **values):
        return self.new_action(state="mail_post", template_id=self.template.id, **values)

    def refused(self, action, sentence):
        with self.assertRaisesRegex(ValidationError, sentence):
            self.new_workflow(self.step(kind="action", action_id=action.id))

    def test_refused_with_the_step_to_take_instead(self):
        self.refused(self.writing(mail_post_method="email"), "Hello.*kind “E-mail”")
        self.refused(self.writing(mail_post_method="comment"), "kind “E-mail”")
        self.refused(self.writing(mail_post_method="note"), "kind “Note in the chatter”")
        self.refused(
            self.new_action(state="object_create", crud_model_id=self.env["ir.model"]._get_id(
                "mail.mail")),
            "Activity for the salesperson",
        )

    def test_text_messages(self):
        if "sms.template" not in self.env:
            self.skipTest("Needs the app SMS.")
        sms = self.env["sms.template"].create(
            {"model_id": self.env.ref("base.model_res_partner").id, "body": "Hello"}
        )
        self.refused(
            self.new_action(state="sms", sms_template_id=sms.id), "Activity for the salesperson"
        )

    def test_also_inside_other_actions(self):
        inner = self.new_action(state="multi")
        outer = self.new_action(state="multi", name="Outer", child_ids=[(4, inner.id)])
        self.writing(mail_post_method="email", name="Deep", parent_id=inner.id)
        self.refused(outer, "“Deep”")

    def test_an_action_that_is_changed_into_one_pauses_the_workflow(self):
        action = self.new_action(state="code", code="record.write({'comment': 'seen'})")
        workflow = self.new_workflow(self.step(kind="action", action_id=action.id))
        action.write({"state": "mail_post", "template_id": self.template.id,
                      "mail_post_method": "email"})
        ann = self.new_profile("Ann")
        self.move(ann, self.at_risk)
        before = self.env["mail.mail"].search_count([])
        self.run_workflows()
        self.assertEqual(workflow.state, "paused")
        self.assertIn("kind “E-mail”", workflow.error)
        self.assertIn("kind “E-mail”", workflow.message_ids[0].body)
        # nobody has failed: put right and resumed, all of them go on
        self.assertNotIn("failed", workflow.enrollment_ids.mapped("state"))
        self.assertEqual(self.env["mail.mail"].search_count([]), before)
        with self.assertRaisesRegex(ValidationError, "kind “E-mail”"):
            workflow.action_resume()
        action.write({"state": "code", "code": "record.write({'comment': 'seen'})"})
        workflow.action_resume()
        self.move(self.new_profile("Ben"), self.at_risk)
        self.run_workflows()
        self.assertEqual(workflow.state, "running")
        self.assertEqual(set(workflow.enrollment_ids.mapped("state")), {"done"})

    def test_a_copy_of_a_message_is_one(self):
        mail = self.env["mail.mail"].create({"subject": "Once", "state": "sent"})
        action = self.new_action(
            state="object_copy", name="Again",
            crud_model_id=self.env["ir.model"]._get_id("mail.mail"),
            resource_ref=f"mail.mail,{mail.id}",
        )
        self.refused(action, "“Again”")

    def test_a_draft_with_one_does_not_start(self):
        action = self.new_action(state="code", code="record.write({'comment': 'seen'})")
        workflow = self.new_workflow(
            self.step(kind="action", action_id=action.id), start=False
        )
        action.write({"state": "mail_post", "template_id": self.template.id,
                      "mail_post_method": "email"})
        with self.assertRaisesRegex(ValidationError, "kind “E-mail”"):
            workflow._start()
        self.assertEqual(workflow.state, "draft")

    def test_other_actions_stay(self):
        action = self.new_action(
            state="next_activity",
            activity_type_id=self.env.ref("mail.mail_activity_data_call").id,
        )
        self.assertTrue(self.new_workflow(self.step(kind="action", action_id=action.id)))


class TestColleagues(WorkflowCase):
    """What is to be done for customers of somebody who has left."""

    def setUp(self):
        super().setUp()
        self.boss, self.seller, self.owner = (
            self.new_user(
                login, "sales_team.group_sale_salesman_all_leads", self.home, email=f"{login}@x.com"
            )
            for login in ("co_boss", "co_seller", "co_owner")
        )
        # who answers for a workflow may start it
        self.owner.group_ids |= self.env.ref("customer_lifecycle.group_workflow_starter")
        self.team = self.env["crm.team"].create(
            {
                "name": "Field",
                "company_id": self.home.id,
                "user_id": self.boss.id,
                "member_ids": [(6, 0, self.seller.ids)],
            }
        )

    def assigned(self, **step):
        workflow = self.new_workflow(
            self.step(**{"kind": "activity", "name": "Call", **step})
        )
        workflow.sudo().user_id = self.owner
        ann = self.new_profile("Ann")
        ann.partner_id.user_id = self.seller
        self.move(ann, self.at_risk)
        self.run_workflows()
        self.assertEqual(workflow.enrollment_ids.state, "done")
        return ann.partner_id

    def test_who_is_there_does_it(self):
        self.assertEqual(self.assigned().activity_ids.user_id, self.seller)

    def test_the_leader_of_the_team(self):
        self.seller.action_archive()
        self.assertEqual(self.assigned().activity_ids.user_id, self.boss)

    def test_the_responsible_person_where_nobody_leads(self):
        self.seller.action_archive()
        self.boss.action_archive()
        self.assertEqual(self.assigned().activity_ids.user_id, self.owner)

    def test_neither_portal_users_nor_other_companies_nor_the_robot(self):
        elsewhere = self.new_company("Elsewhere")
        self.team.member_ids = False
        self.seller.write({"company_ids": [(6, 0, elsewhere.ids)], "company_id": elsewhere.id})
        self.assertEqual(self.assigned().activity_ids.user_id, self.boss)
        self.boss.action_archive()
        self.assertEqual(self.assigned().activity_ids.user_id, self.owner)
        self.seller = self.env.ref("base.user_root")
        self.assertEqual(self.assigned().activity_ids.user_id, self.owner)
        self.seller = self.new_user("co_portal", "base.group_portal", self.home)
        self.assertEqual(self.assigned().activity_ids.user_id, self.owner)

    def test_new_customers_go_to_the_leader(self):
        self.seller.action_archive()
        workflow = self.new_workflow(
            self.step(kind="salesperson", salesperson_id=self.seller.id)
        )
        ann = self.new_profile("Ann")
        self.move(ann, self.at_risk)
        self.run_workflows()
        self.assertEqual(ann.partner_id.user_id, self.boss)
        self.assertEqual(self.deliveries(workflow).res_id, self.boss.id)

    def test_mails_come_from_who_stands_in(self):
        self.seller.action_archive()
        self.template.email_from = "{{ object.user_id.email_formatted }}"
        partner = self.assigned(kind="email", template_id=self.template.id)
        mail = self.env["mail.mail"].search([("recipient_ids", "in", partner.ids)])
        self.assertEqual(mail.email_from, self.boss.email_formatted)
        self.assertEqual(mail.author_id, self.boss.partner_id)

    def signed(self, body):
        self.seller.action_archive()
        self.template.body_html = body
        partner = self.assigned(kind="email", template_id=self.template.id)
        mail = self.env["mail.mail"].search([("recipient_ids", "in", partner.ids)])
        self.assertIn(self.boss.name, mail.body_html)
        self.assertNotIn(self.seller.name, mail.body_html)
        # nothing of it is written
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(partner.user_id, self.seller)

    def test_delivered_mails_are_signed_by_who_stands_in(self):
        self.signed(self.env.ref("customer_lifecycle.mail_template_welcome").body_html)

    def test_own_mails_are_signed_by_who_stands_in(self):
        self.signed(
            "<p><t t-out=\"object.user_id.name\" />, <t t-out=\"object.user_id.email\" /></p>"
        )

    def test_whom_to_call_of_somebody_who_has_left(self):
        """His customers are suggested to the leader of his team, beside the leader's own."""
        ann, ben = self.new_profile("Ann"), self.new_profile("Ben")
        ann.partner_id.user_id, ben.partner_id.user_id = self.seller, self.boss
        mine = self.env["lifecycle.profile"].with_user(self.boss)
        domain = [("in_my_care", "=", True), ("id", "in", (ann | ben).ids)]
        self.assertEqual(mine.search(domain).ids, ben.ids)
        self.seller.action_archive()
        self.assertEqual(mine.search(domain), ann | ben)
        self.assertEqual((ann | ben).with_user(self.boss).mapped("in_my_care"), [True, True])
        other = self.env["lifecycle.profile"].with_user(self.owner)
        self.assertFalse(other.search(domain))
