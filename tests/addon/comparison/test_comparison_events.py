"""On which day each customer's time after begins, for every kind of event."""

from datetime import datetime, time, timedelta

from odoo import fields

from ..common_comparison import ComparisonCase


class TestEvents(ComparisonCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.one, cls.two, cls.three = cls.new_buyers(3)
        cls.refresh()

    def events(self, **values):
        """Dict partner → day of a comparison that is not computed."""
        comparison = self.compare(compute=False, **values)
        self.env.flush_all()
        return dict(self.env.execute_query(comparison._events_sql()))

    def moved(self, partner, kind, days_ago, cause="rule", **values):
        profile = self.profile(partner, self.home)
        number = 1 + self.env["lifecycle.transition"].search_count(
            [("profile_id", "=", profile.id), ("kind", "=", kind)]
        )
        self.env["lifecycle.transition"].create(
            {
                "profile_id": profile.id,
                "kind": kind,
                "number": number,
                "date": self.day(days_ago),
                "cause": cause,
                **values,
            }
        )

    def test_stage_counts_from_the_first_time(self):
        stage = self.env["lifecycle.stage"].search([("proposal_of_id", "=", False)], limit=1)
        for ago in (300, 100):
            self.moved(self.one, "stage", ago, to_stage_id=stage.id)
        self.moved(self.two, "stage", 200, "initial", to_stage_id=stage.id)
        self.moved(self.two, "stage", 90, to_stage_id=stage.id)
        self.assertEqual(
            self.events(event="stage", stage_id=stage.id),
            # who was in it when the history began has no day that anybody knows
            {self.one.id: self.day(300), self.two.id: None},
        )

    def test_segment_counts_joining_not_leaving(self):
        segment = self.env["lifecycle.segment"].create({"name": "Some"})
        self.moved(self.one, "segment", 300, segment_id=segment.id, joined=True)
        self.moved(self.two, "segment", 300, segment_id=segment.id, joined=False)
        self.assertEqual(
            self.events(event="segment", segment_id=segment.id), {self.one.id: self.day(300)}
        )

    def test_a_changed_rule_is_no_day_of_entering(self):
        """Who is in a new segment from its first evaluation on met its rule before that."""
        segment = self.env["lifecycle.segment"].create({"name": "Some"})
        for partner, ago, cause in (
            (self.one, 300, "edit"), (self.one, 100, "rule"),
            (self.two, 300, "reconstructed"), (self.two, 200, "initial"), (self.two, 90, "edit"),
            (self.three, 150, "person"),
        ):
            self.moved(partner, "segment", ago, cause, segment_id=segment.id, joined=True)
        self.assertEqual(
            self.events(event="segment", segment_id=segment.id),
            {self.one.id: None, self.two.id: self.day(300), self.three.id: self.day(150)},
        )

    def test_tier_counts_that_level_or_a_higher_one(self):
        silver, gold = self.env["lifecycle.vip.tier"].create(
            [
                {"name": name, "rank": rank, "entry": entry, "company_id": self.home.id}
                for name, rank, entry in (("Silver", 10, 1e6), ("Gold", 20, 2e6))
            ]
        )
        self.moved(self.one, "tier", 300, to_tier_id=silver.id)
        self.moved(self.one, "tier", 200, to_tier_id=gold.id, from_tier_id=silver.id)
        self.moved(self.two, "tier", 150, to_tier_id=gold.id)
        self.moved(self.two, "tier", 100, to_tier_id=silver.id, from_tier_id=gold.id)
        # a changed rule brings the level on that day; the first look finds who had it before
        self.moved(self.three, "tier", 120, "edit", to_tier_id=gold.id)
        self.assertEqual(
            self.events(event="tier", tier_id=silver.id),
            {
                self.one.id: self.day(300),
                self.two.id: self.day(150),
                self.three.id: self.day(120),
            },
        )
        self.assertEqual(
            self.events(event="tier", tier_id=gold.id),
            {
                self.one.id: self.day(200),
                self.two.id: self.day(150),
                self.three.id: self.day(120),
            },
        )

    def test_workflow_leaves_its_control_group_among_the_others(self):
        workflow = self.env["lifecycle.workflow"].create({"name": "Call them"})
        for partner, ago, state in (
            (self.one, 300, "done"),
            (self.one, 100, "active"),
            (self.two, 300, "control"),
        ):
            self.env["lifecycle.workflow.enrollment"].create(
                {
                    "workflow_id": workflow.id,
                    "profile_id": self.profile(partner, self.home).id,
                    "partner_id": partner.id,
                    "company_id": self.home.id,
                    "episode": f"test:{ago}",
                    "state": state,
                    "date_entered": datetime.combine(self.day(ago), time(12)),
                    "day_entered": self.day(ago),
                }
            )
        values = {"event": "workflow", "workflow_id": workflow.id}
        self.assertEqual(self.events(**values), {self.one.id: self.day(300)})
        comparison = self.compare(compute=False, **values)
        # a control group is the better proof, and the report says where it is
        self.assertTrue(comparison.has_control_group)
        self.assertEqual(comparison.action_view_effect()["res_id"], workflow.id)

    def test_recommended_customers_count_from_their_first_order(self):
        reward = self.new_program("Thank you")
        program = self.env["lifecycle.referral.program"].create(
            {
                "name": "Bring a friend",
                "company_id": self.home.id,
                "advocate_program_id": reward.id,
            }
        )
        profile = self.profile(self.one, self.home)
        for friend, state, ago in (
            (self.one, "rewarded", 900),
            (self.two, "refused", 900),
            (self.three, "ordered", 200),
        ):
            self.env["lifecycle.referral"].create(
                {
                    "program_id": program.id,
                    "company_id": self.home.id,
                    "advocate_id": self.new_customer("Advocate").id,
                    "friend_id": friend.id,
                    "how": "link",
                    "date": fields.Datetime.now() - timedelta(days=ago),
                    "state": state,
                }
            )
        self.assertEqual(
            self.events(event="referral"),
            {self.one.id: profile.first_order_date, self.three.id: self.day(200)},
        )

    def test_every_kind_can_be_computed(self):
        stage = self.env["lifecycle.stage"].search([("proposal_of_id", "=", False)], limit=1)
        segment = self.env["lifecycle.segment"].create({"name": "Some"})
        tier = self.env["lifecycle.vip.tier"].create(
            {"name": "Gold", "rank": 20, "entry": 1e6, "company_id": self.home.id}
        )
        workflow = self.env["lifecycle.workflow"].create({"name": "Call them"})
        for values in (
            {"event": "stage", "stage_id": stage.id},
            {"event": "segment", "segment_id": segment.id},
            {"event": "tier", "tier_id": tier.id},
            {"event": "workflow", "workflow_id": workflow.id},
            {"event": "referral"},
            {"event": "loyalty"},
            {"event": "date", "event_date": self.day(100)},
        ):
            with self.subTest(values["event"]):
                comparison = self.compare(**values)
                self.assertTrue(comparison.verdict)
                self.assertTrue(comparison.result_html)
                self.assertTrue(comparison.display_name)
        for record in (stage, segment, tier, workflow):
            action = record.with_company(self.home).action_compare()
            self.assertTrue(action["res_id"])
