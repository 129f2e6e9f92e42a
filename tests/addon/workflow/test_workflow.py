"""Who enters a workflow, for what, and how often."""

from datetime import datetime, timedelta

from psycopg2.errors import UniqueViolation

from odoo import Command, fields
from odoo.exceptions import ValidationError
from odoo.tools import mute_logger

from ..common_workflow import START, WorkflowCase


class TestEntering(WorkflowCase):
    def test_entering_a_stage_queues_one_mail_once(self):
        workflow = self.new_workflow()
        ann = self.new_profile("Ann")
        self.new_profile("Ben")
        self.move(ann, self.at_risk)
        for _time in range(3):
            self.run_workflows()
        self.assertEqual(self.sent(workflow), ["ann@example.com"])
        mail = self.env["mail.mail"].search([("recipient_ids", "in", ann.partner_id.ids)])
        self.assertEqual(mail.subject, "We miss you, Ann")
        self.assertEqual(mail.state, "outgoing")
        self.assertEqual(workflow.enrollment_ids.state, "done")

    def test_what_was_before_the_start_does_not_enter(self):
        early = self.new_profile("Early")
        self.move(early, self.at_risk)
        workflow = self.new_workflow()
        self.run_workflows()
        self.assertFalse(workflow.enrollment_ids)

    def test_those_already_there_enter_when_asked_for(self):
        early = self.new_profile("Early")
        self.move(early, self.at_risk, cause="initial")
        workflow = self.new_workflow(start=False)
        wizard = self.env["lifecycle.workflow.start"].create({"workflow_id": workflow.id})
        self.assertEqual(wizard.present_count, 1)
        wizard.who = "all"
        wizard.action_start()
        self.run_workflows()
        self.assertEqual(self.sent(workflow), ["early@example.com"])

    def test_history_and_rule_edits_start_nothing(self):
        workflow = self.new_workflow()
        for cause in ("initial", "edit", "reconstructed"):
            self.move(self.new_profile(cause), self.at_risk, cause=cause)
        self.move(self.new_profile("hand"), self.at_risk, cause="person")
        self.run_workflows()
        self.assertEqual(self.sent(workflow), ["hand@example.com"])

    def test_filter(self):
        workflow = self.new_workflow(domain="[('order_count', '>', 5)]")
        self.move(self.new_profile("Few"), self.at_risk)
        self.move(self.new_profile("Many", order_count=9), self.at_risk)
        self.run_workflows()
        self.assertEqual(self.sent(workflow), ["many@example.com"])

    def test_leaving_a_stage(self):
        workflow = self.new_workflow(trigger="leave")
        ann = self.new_profile("Ann", stage_id=self.at_risk.id)
        self.move(ann, self.active_stage)
        self.move(self.new_profile("Ben"), self.at_risk)
        self.run_workflows()
        self.assertEqual(self.sent(workflow), ["ann@example.com"])

    def test_who_has_left_again_meanwhile_does_not_enter(self):
        workflow = self.new_workflow()
        ann = self.new_profile("Ann")
        self.move(ann, self.at_risk)
        self.move(ann, self.active_stage)
        self.run_workflows()
        self.assertFalse(workflow.enrollment_ids)

    def test_tier_and_segment(self):
        tier = self.env["lifecycle.vip.tier"].search([], limit=1)
        segment = self.env["lifecycle.segment"].search([], limit=1)
        if not tier:
            tier = self.env["lifecycle.vip.tier"].create(
                {"name": "Gold", "company_id": self.home.id, "entry": 1000}
            )
        if not segment:
            segment = self.env["lifecycle.segment"].create({"name": "Big"})
        by_tier = self.new_workflow(trigger_kind="tier", tier_ids=[Command.set(tier.ids)])
        by_segment = self.new_workflow(
            trigger_kind="segment", segment_ids=[Command.set(segment.ids)]
        )
        tina = self.new_profile("Tina", vip_tier_id=tier.id)
        common = {"number": 1, "date": fields.Date.today(), "cause": "rule"}
        self.env["lifecycle.transition"].create(
            [
                {"profile_id": tina.id, "kind": "tier",
                 "to_tier_id": tier.id, **common},
                {"profile_id": self.new_profile("Sam").id, "kind": "segment",
                 "segment_id": segment.id, "joined": True, **common},
                {"profile_id": self.new_profile("Out").id, "kind": "segment",
                 "segment_id": segment.id, "joined": False, **common},
            ]
        )
        self.run_workflows()
        self.assertEqual(self.sent(by_tier), ["tina@example.com"])
        self.assertEqual(self.sent(by_segment), ["sam@example.com"])

    def test_days_without_an_order_once_for_each_order(self):
        workflow = self.new_workflow(
            trigger="date", date_field="last_order_date", offset_days=90, exit_on_goal=False
        )
        ann = self.new_profile("Ann", last_order_date=self.now.date() - timedelta(days=85))
        self.new_profile("Old", last_order_date=self.now.date() - timedelta(days=200))
        self.run_workflows()
        self.assertFalse(self.sent(workflow))
        self.later(days=6)
        self.later(days=1)
        self.assertEqual(self.sent(workflow), ["ann@example.com"])
        self.order(ann)
        self.later(days=91)
        self.assertEqual(self.sent(workflow), ["ann@example.com"] * 2)

    def test_forecast_that_moves_is_one_occasion(self):
        workflow = self.new_workflow(
            self.step(), trigger="date", date_field="next_order_date", offset_days=10
        )
        ann = self.new_profile("Ann", next_order_date=self.now.date() - timedelta(days=9))
        self.later(days=1)
        ann.next_order_date = self.now.date() - timedelta(days=9)
        self.later(days=8)
        self.assertEqual(self.sent(workflow), ["ann@example.com"])

    def test_days_before_a_date(self):
        workflow = self.new_workflow(
            trigger="date", date_field="next_order_date", offset_days=-7
        )
        self.new_profile("Ann", next_order_date=self.now.date() + timedelta(days=8))
        self.run_workflows()
        self.assertFalse(self.sent(workflow))
        self.later(days=1)
        self.assertEqual(self.sent(workflow), ["ann@example.com"])

    def test_anniversary_every_year(self):
        first = datetime(2024, 3, 4).date()
        workflow = self.new_workflow(
            trigger="anniversary", date_field="first_order_date", goal="none"
        )
        self.new_profile("Ann", first_order_date=first)
        self.new_profile("New", first_order_date=self.now.date())
        self.later(days=1)
        self.assertFalse(self.sent(workflow))
        self.later(days=1)
        self.later(days=1)
        self.assertEqual(self.sent(workflow), ["ann@example.com"])
        self.at(datetime(2028, 3, 3, 10))
        self.run_workflows()
        self.at(datetime(2028, 3, 6, 10))
        self.run_workflows()
        self.assertEqual(
            self.sent(workflow), ["ann@example.com", "ann@example.com", "new@example.com"]
        )

    def leap(self, started, **values):
        """A workflow on anniversaries of 29 February that was started on a day."""
        self.at(started)
        self.home.lifecycle_cap_week = self.home.lifecycle_cap_month = 0
        workflow = self.new_workflow(
            trigger="anniversary", date_field="first_order_date", goal="none",
            window_saturday=True, window_sunday=True, **values,
        )
        self.leaper = self.new_profile("Leap", first_order_date=datetime(2024, 2, 29))
        return workflow

    def entered(self, workflow, year):
        """Days of a year on which somebody entered, asked every day around the turn of month."""
        for day in range(-6, 8):
            self.at(datetime(year, 3, 1, 10) + timedelta(days=day))
            self.run_workflows()
        return sorted(
            f"{one.day_entered:%m-%d}"
            for one in workflow.enrollment_ids
            if one.day_entered.year == year
        )

    def test_29_february_is_kept_on_the_28th_of_other_years(self):
        workflow = self.leap(datetime(2026, 1, 10, 10))
        self.assertEqual(self.entered(workflow, 2026), ["02-28"])
        self.assertEqual(self.entered(workflow, 2027), ["02-28"])
        self.assertEqual(self.entered(workflow, 2028), ["02-29"])
        self.assertEqual(self.entered(workflow, 2029), ["02-28"])

    def test_29_february_and_a_start_on_1_march(self):
        workflow = self.leap(datetime(2026, 3, 1, 10))
        self.run_workflows()
        self.assertFalse(workflow.enrollment_ids, "yesterday is history")
        self.assertEqual(self.entered(workflow, 2027), ["02-28"])

    def test_29_february_and_a_start_on_the_28th(self):
        workflow = self.leap(datetime(2026, 2, 28, 15))
        self.assertEqual(self.entered(workflow, 2026), ["02-28"])

    def test_29_february_days_before_and_after(self):
        for offset, expected in ((-1, "02-27"), (2, "03-02")):
            workflow = self.leap(datetime(2026, 1, 1, 10), offset_days=offset)
            self.assertEqual(self.entered(workflow, 2026), [expected])
            self.assertEqual(self.entered(workflow, 2027), [expected])
            workflow.action_end()
            self.leaper.active = False

    def test_29_february_while_the_server_stood_still(self):
        workflow = self.leap(datetime(2026, 2, 20, 10))
        self.run_workflows()
        self.at(datetime(2026, 2, 27, 10))
        self.run_workflows()
        self.at(datetime(2026, 3, 3, 10))
        self.run_workflows()
        self.assertEqual(len(workflow.enrollment_ids), 1)

    def test_days_before_an_anniversary_in_another_year(self):
        self.at(datetime(2026, 12, 20, 10))
        workflow = self.new_workflow(
            trigger="anniversary", date_field="first_order_date", goal="none", offset_days=-7
        )
        self.new_profile("Ann", first_order_date=datetime(2020, 1, 3).date())
        for day in range(20, 32):
            self.at(datetime(2026, 12, day, 10))
            self.run_workflows()
        self.assertEqual(
            [str(one.day_entered) for one in workflow.enrollment_ids], ["2026-12-27"]
        )
        self.assertEqual(workflow.enrollment_ids.episode, "year:7")

    def test_weekly_number_counts_29_february_too(self):
        workflow = self.leap(datetime(2027, 3, 10, 10))
        self.assertGreater(workflow._weekly_count(), 0)

    def test_usual_item_missing(self):
        workflow = self.new_workflow(trigger="missing")
        ann = self.new_profile("Ann")
        product = self.env["product.product"].create({"name": "Coffee"})
        self.env["lifecycle.usual.product"].create(
            {
                "profile_id": ann.id,
                "product_id": product.id,
                "day_count": 4,
                "gap": 20,
                "last_date": self.now.date() - timedelta(days=30),
                "missing_from": self.now.date() + timedelta(days=1),
                "missing_until": self.now.date() + timedelta(days=50),
            }
        )
        self.run_workflows()
        self.assertFalse(self.sent(workflow))
        self.later(days=1)
        self.later(days=1)
        self.assertEqual(self.sent(workflow), ["ann@example.com"])

    def test_by_hand_for_a_filter(self):
        ann = self.new_profile("Ann", order_count=8)
        self.new_profile("Ben")
        workflow = self.new_workflow(trigger="manual", domain="[('order_count', '=', 8)]")
        self.run_workflows()
        self.assertEqual(self.sent(workflow), ["ann@example.com"])
        self.later(days=40)
        workflow._start()
        self.run_workflows()
        self.assertEqual(len(workflow.enrollment_ids), 2)
        self.assertEqual(workflow.enrollment_ids.profile_id, ann)

    def test_entering_again(self):
        for reentry, expected in (("never", 1), ("days", 2), ("episode", 3)):
            with self.subTest(reentry=reentry):
                self.at(START)
                name = reentry.title()
                workflow = self.new_workflow(
                    self.step(kind="activity", name="Call"), reentry=reentry, reentry_days=30
                )
                ann = self.new_profile(name)
                for days in (0, 10, 40):
                    self.at(START + timedelta(days=days))
                    self.move(ann, self.at_risk)
                    self.run_workflows()
                    self.move(ann, self.active_stage)
                    self.run_workflows()
                self.assertEqual(len(workflow.enrollment_ids), expected)
                workflow.action_end()

    def test_entering_again_ends_the_former_way(self):
        workflow = self.new_workflow(self.step(delay=20), exit_on_leave=False)
        ann = self.new_profile("Ann")
        self.move(ann, self.at_risk)
        self.run_workflows()
        self.move(ann, self.active_stage)
        self.at(START + timedelta(days=5))
        self.move(ann, self.at_risk)
        self.run_workflows()
        self.assertEqual(
            sorted(workflow.enrollment_ids.mapped("state")), ["active", "exited"]
        )
        self.later(days=17)
        self.assertFalse(self.sent(workflow))
        self.later(days=5)
        self.assertEqual(len(self.sent(workflow)), 1)

    def test_control_group_gets_nothing_and_is_stable(self):
        workflow = self.new_workflow(control_percent=50)
        profiles = [self.new_profile(f"C{number:02}") for number in range(40)]
        for profile in profiles:
            self.move(profile, self.at_risk)
        self.run_workflows()
        control = workflow.enrollment_ids.filtered(lambda one: one.state == "control")
        self.assertTrue(8 <= len(control) <= 32, len(control))
        self.assertEqual(len(self.sent(workflow)), 40 - len(control))
        self.assertFalse(control.profile_id & self.deliveries(workflow).profile_id)
        for profile in profiles:
            self.move(profile, self.active_stage)
            self.move(profile, self.at_risk)
        self.later(days=10)
        again = workflow.enrollment_ids.filtered(lambda one: one.state == "control")
        self.assertEqual(len(again), 2 * len(control))
        self.assertEqual(again.profile_id, control.profile_id)

    def test_the_database_refuses_to_enter_or_deliver_twice(self):
        self.new_workflow()
        self.move(self.new_profile("Ann"), self.at_risk)
        self.run_workflows()
        for model, columns in (
            ("enrollment", "workflow_id, profile_id, partner_id, company_id, episode, state"),
            ("delivery", "enrollment_id, step_id, profile_id, partner_id, company_id, kind, state"),
        ):
            dates = {"enrollment": "date_entered, day_entered", "delivery": "date"}[model]
            table = f"lifecycle_workflow_{model}"
            columns = f"{columns}, {dates}"
            with (
                mute_logger("odoo.sql_db"),
                self.assertRaises(UniqueViolation),
                self.env.cr.savepoint(),
            ):
                self.env.cr.execute(
                    f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {table} "
                    "WHERE company_id = %s",
                    [self.home.id],
                )

    def test_pause_stops_at_once_and_resumes_without_what_came_between(self):
        workflow = self.new_workflow()
        self.move(self.new_profile("Ann"), self.at_risk)
        workflow.action_pause()
        self.run_workflows()
        self.assertFalse(workflow.enrollment_ids)
        workflow.action_resume()
        self.move(self.new_profile("Ben"), self.at_risk)
        self.run_workflows()
        self.assertEqual(self.sent(workflow), ["ben@example.com"])

    def test_started_without_state_is_refused(self):
        with self.assertRaises(ValidationError):
            self.new_workflow(stage_ids=[Command.clear()])
