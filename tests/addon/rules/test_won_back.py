"""Nobody counts as won back who has not ordered since he was at risk or lost."""

from datetime import timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from unittest.mock import patch

import odoo.addons.customer_lifecycle as addon

from ..common_stages import START, StagesCase

LATE = "[('order_count', '>', 0), ('days_since_last_order', '>', 4)]"


class TestWonBack(StagesCase):
    def setUp(self):
        super().setUp()
        self.today = START
        self.startPatcher(
            patch.object(
                type(self.env["res.company"]), "_lifecycle_today", lambda company: self.today
            )
        )

    def begin(self, partner):
        self.refresh(partner, self.today)
        self.classify(self.today, cause="initial")
        return self.profile(partner)

    def at_risk(self, days_ago=61, **values):
        """A customer who usually orders every 30 days, and has not for some time."""
        partner = self.new_customer("Quiet", email="quiet@example.com", **values)
        first = START - timedelta(days_ago)
        self.buy(partner, *(first - timedelta(30 * number) for number in range(8)))
        profile = self.begin(partner)
        self.assertEqual(profile.stage_id, self.stages["at_risk"])
        return profile

    def stages_of(self, profile):
        self.env.invalidate_all()
        return profile.transition_ids.sorted("number").to_stage_id.mapped("name")

    # ----- FALSE -----

    def test_a_changed_at_risk_rule_wins_nobody_back(self):
        profile = self.begin(self.regular(gap=30, count=8))
        partner = profile.partner_id
        self.today += timedelta(10)
        self.stages["at_risk"].domain = LATE
        self.refresh(partner, self.today)
        self.classify(self.today, cause="edit")
        self.assertEqual(profile.stage_id, self.stages["at_risk"])
        for _night in range(5):
            self.today += timedelta(1)
            self.refresh(partner, self.today)
        self.assertEqual(profile.stage_id, self.stages["at_risk"])
        # the rule is taken back
        self.stages["at_risk"].domain = (
            "[('order_count', '>', 0), ('lateness', '>', 2), ('days_since_last_order', '>', 45)]"
        )
        self.classify(self.today, cause="edit")
        self.assertEqual(profile.stage_id, self.stages["loyal"])
        self.assertNotIn("Won back", self.stages_of(profile))

    def test_a_mistaken_click_on_lost_wins_nobody_back(self):
        for days in (0, 5):
            # also on the very day of an order
            profile = self.begin(self.regular(f"Clicked {days}"))
            self.today = START + timedelta(days)
            profile._set_stage_by_hand(self.stages["lost"])
            profile.action_release_stage()
            self.assertEqual(profile.stage_id, self.stages["loyal"], days)

    def test_a_hold_that_ends_wins_nobody_back(self):
        profile = self.begin(self.regular())
        profile._set_stage_by_hand(self.stages["at_risk"], until=START + timedelta(3))
        self.today += timedelta(4)
        self.refresh(profile.partner_id, self.today)
        self.assertEqual(profile.stage_id, self.stages["loyal"])

    # ----- TRUE -----

    def test_an_order_wins_back(self):
        profile = self.at_risk()
        self.today += timedelta(2)
        self.buy(profile.partner_id, self.today)
        self.refresh(profile.partner_id, self.today)
        self.assertEqual(profile.stage_id, self.stages["won_back"])

    def test_an_order_on_the_day_of_the_label_wins_back(self):
        profile = self.at_risk()
        self.assertEqual(profile.stage_date, self.today)
        self.buy(profile.partner_id, self.today)
        self.refresh(profile.partner_id, self.today)
        self.assertEqual(profile.stage_id, self.stages["won_back"])

    def test_an_order_during_a_hold_wins_back_when_it_ends(self):
        profile = self.begin(self.regular())
        profile._set_stage_by_hand(self.stages["lost"], until=START + timedelta(9))
        self.today += timedelta(5)
        self.buy(profile.partner_id, self.today)
        self.refresh(profile.partner_id, self.today)
        self.assertEqual(profile.stage_id, self.stages["lost"])
        self.today += timedelta(5)
        self.refresh(profile.partner_id, self.today)
        self.assertEqual(profile.stage_id, self.stages["won_back"])

    def test_the_past_asks_for_an_order_too(self):
        # at risk by a rule over time alone, and let in by one: nobody orders in between
        self.stages["at_risk"].domain = LATE
        self.stages["won_back"].domain = "[('days_since_last_order', '<=', 90)]"
        partner = self.new_customer("Once", email="once@example.com")
        self.buy(partner, START - timedelta(60), START - timedelta(58), START - timedelta(30))
        self.refresh(partner, START)
        self.env["lifecycle.classifier"]._reconstruct(self.company, START)
        profile = self.profile(partner)
        changes = [
            (change.date, change.to_stage_id.name)
            for change in profile.transition_ids.sorted("number")
        ]
        self.assertEqual(
            changes,
            [
                (START - timedelta(60), "New customer"),
                (START - timedelta(58), "Active"),
                (START - timedelta(53), "At risk"),
                (START - timedelta(30), "Won back"),
            ],
        )
        self.assertEqual(profile.stage_order_date, START - timedelta(30))

    # ----- PREVIEW -----

    def test_the_preview_tells_where_customers_end(self):
        """Who is moved on by the stage he came to is shown where he stays."""
        partner = self.regular()
        profile = self.begin(partner)
        self.stages["won_back"].after_order = False
        self.today += timedelta(6)
        action = self.stages["at_risk"].action_propose()
        proposal = self.env["lifecycle.stage"].browse(action["res_id"])
        proposal.domain = LATE
        preview = self.env["lifecycle.rule.preview"].browse(
            proposal.action_preview()["res_id"]
        )
        self.assertEqual(profile.stage_id, self.stages["loyal"])
        self.assertEqual(
            preview.line_ids.mapped(lambda line: (line.from_name, line.to_name, line.count)),
            [("Loyal", "Won back", 1)],
        )
        preview.action_apply()
        self.classify(self.today, cause="edit")
        self.assertEqual(profile.stage_id, self.stages["won_back"])
        # nothing is left that would be news the night after
        self.assertEqual(self.classify(self.today), (0, []))
        self.assertEqual(
            set(profile.transition_ids.filtered(lambda one: one.number > 1).mapped("cause")),
            {"edit"},
        )

    # ----- AN OLDER DATABASE -----

    def migrate(self):
        path = Path(addon.__path__[0], "migrations/19.0.1.1.0/post-stages.py")
        spec = spec_from_file_location("post_stages", path)
        script = module_from_spec(spec)
        spec.loader.exec_module(script)
        self.env.flush_all()
        script.migrate(self.env.cr, "19.0.1.0.0")
        self.env.invalidate_all()

    def test_migration(self):
        profile = self.at_risk()
        own = self.stages["won_back"].copy(
            {"name": "Back after our call", "priority": 9, "domain": "[('lateness', '<=', 3)]"}
        )
        others = self.stages["active"].copy(
            {"name": "Called", "priority": 8, "domain": "[('last_contact_date', '>=', '-3d')]"}
        )
        others.enter_from_ids = self.stages["at_risk"]
        (own | self.stages["won_back"]).after_order = False
        # somebody has made the delivered rule his own
        self.stages["won_back"].domain = "[('days_since_last_order', '<=', 30)]"
        self.env.flush_all()
        self.env.cr.execute("UPDATE lifecycle_profile SET stage_order_date = NULL")
        self.migrate()
        self.assertTrue(own.after_order)
        self.assertTrue(self.stages["won_back"].after_order)
        self.assertEqual(
            self.stages["won_back"].domain, "[('days_since_last_order', '<=', 30)]"
        )
        self.assertFalse(others.after_order, "it does not ask for a recent order")
        self.assertEqual(profile.stage_order_date, profile.last_order_date)
