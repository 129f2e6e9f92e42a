import random
from datetime import timedelta
from unittest.mock import patch

import pytest

from odoo.exceptions import AccessError, UserError, ValidationError

from odoo.addons.customer_lifecycle.wizards.rules.stage_hold import KEPT

from ..common_stages import START, Reference, StagesCase

pytestmark = pytest.mark.long


class TestStages(StagesCase):
    def test_a_simulated_year_equals_a_slow_reference(self):
        generator = random.Random(19)
        partners = self.env["res.partner"].create(
            [{"name": f"S{i}", "email": f"s{i}@example.com"} for i in range(30)]
        )
        references = {}
        for partner in partners:
            days, day = [], START - timedelta(generator.randint(0, 300))
            gap = generator.choice((7, 20, 45, 90))
            while day < START + timedelta(420):
                days.append(day)
                pause = generator.choice((1, 1, 1, 1, 1, 5, 15))
                day += timedelta(max(1, round(generator.gammavariate(3, gap * pause / 3))))
            self.buy(partner, *days)
            references[partner.id] = Reference(days)
        self.refresh(partners, START)
        self.classify(START, cause="initial")
        for number in range(0, 400, 2):
            today = START + timedelta(number)
            if number:
                self.refresh(partners, today)
            profiles = self.env["lifecycle.profile"].search([("partner_id", "in", partners.ids)])
            found = {profile.partner_id.id: profile.stage_id.name for profile in profiles}
            for partner_id, reference in references.items():
                reference.step(today)
                if partner_id in found:
                    self.assertEqual(found[partner_id], reference.stage, (today, partner_id))
        for profile in profiles:
            changes = [
                (change.date, change.from_stage_id.name, change.to_stage_id.name)
                for change in profile.transition_ids.sorted("number")
            ]
            expected = references[profile.partner_id.id].changes
            self.assertEqual(changes[1:], expected[-len(changes[1:]) :] if changes[1:] else [])
            self.assertEqual(
                profile.transition_ids.sorted("number").mapped("number"),
                list(range(1, len(changes) + 1)),
            )

    def test_unchanged_data_never_flap_while_time_passes(self):
        partner = self.regular()
        self.refresh(partner, START)
        self.classify(START, cause="initial")
        for number in range(1, 400, 3):
            self.refresh(partner, START + timedelta(number))
        names = self.profile(partner).transition_ids.sorted("number").to_stage_id.mapped("name")
        self.assertEqual(names, ["Loyal", "At risk", "Lost"])

    def test_rules_may_look_at_what_is_only_searched(self):
        partner = self.regular()
        self.stages["loyal"].write(
            {"domain": "[('top_decile', '=', True)]", "keep_domain": False, "priority": 1}
        )
        self.refresh(partner, START)
        self.classify(START, cause="initial")
        self.assertEqual(self.profile(partner).stage_id, self.stages["loyal"])

    def test_a_rule_that_breaks_later_is_switched_off_and_the_others_go_on(self):
        partner = self.regular()
        self.run_nightly()
        broken, fine = self.stages["won_back"], self.stages["new"]
        # as after uninstalling the app that a field came from
        self.env.cr.execute(
            "UPDATE lifecycle_stage SET domain = %s WHERE id = %s",
            ["[('no_such_field', '=', 1)]", broken.id],
        )
        broken.invalidate_recordset()
        run = self.env["lifecycle.run"]._request(self.company)
        self.run_nightly()
        self.assertEqual(run.state, "done")
        self.assertIn(broken.name, run.message)
        self.assertIn("no_such_field", broken.rule_error)
        self.assertFalse(fine.rule_error)
        self.assertTrue(self.profile(partner).stage_id)
        self.assertNotIn(broken, broken._in_priority())
        # a corrected rule is on again
        broken.domain = "[('order_count', '>', 1)]"
        self.assertFalse(broken.rule_error)
        self.assertIn(broken, broken._in_priority())

    def test_every_profile_has_exactly_one_stage(self):
        talker = self.new_customer("Talker", email="talker@example.com")
        self.env["crm.lead"].create(
            {
                "name": "Big deal",
                "type": "opportunity",
                "partner_id": talker.id,
                "company_id": self.company.id,
            }
        )
        partners = talker | self.regular()
        self.env.flush_all()
        self.refresh(partners, self.company._lifecycle_today())
        self.classify(self.company._lifecycle_today(), cause="initial")
        profiles = self.env["lifecycle.profile"].search([("company_id", "=", self.company.id)])
        self.assertEqual(len(profiles), 2)
        self.assertTrue(all(profile.stage_id for profile in profiles))
        self.assertEqual(self.profile(talker).stage_id.name, "In talks")

    def test_classifying_again_changes_and_records_nothing(self):
        partner = self.regular()
        self.refresh(partner, START)
        self.classify(START, cause="initial")
        self.assertEqual(self.classify(START), (0, []))
        self.assertEqual(len(self.profile(partner).transition_ids), 1)

    def test_a_stage_set_by_hand_holds_until_its_day(self):
        partner = self.regular()
        self.refresh(partner, START)
        self.classify(START, cause="initial")
        profile = self.profile(partner)
        until = START + timedelta(10)
        with patch.object(
            type(self.env["res.company"]), "_lifecycle_today", lambda company: START
        ):
            profile._set_stage_by_hand(self.stages["at_risk"], "Complained", until)
        self.refresh(partner, until)
        self.assertEqual(profile.stage_id, self.stages["at_risk"])
        self.assertTrue(profile.stage_manual)
        self.assertEqual(profile.transition_ids[:1].reason, "Complained")
        self.refresh(partner, until + timedelta(1))
        # he has not ordered since: nothing was won back
        self.assertEqual(profile.stage_id, self.stages["loyal"])
        self.assertFalse(profile.stage_manual)

    def hold(self, profile, stage, **values):
        wizard = self.env["lifecycle.stage.hold"].with_user(profile.env.user)
        context = profile.action_set_stage(self.stages[stage].id)["context"]
        return wizard.with_context(**context).create({"reason": "Said so", **values})

    def test_a_stage_set_by_mistake_is_taken_back(self):
        seller = self.new_user("stage_mistake", "sales_team.group_sale_salesman", self.company)
        partner = self.regular(user_id=seller.id)
        self.refresh(partner, START)
        self.classify(START, cause="initial")
        profile = self.profile(partner).with_user(seller)
        names = ("stage_id", *KEPT)
        with patch.object(
            type(self.env["res.company"]), "_lifecycle_today", lambda company: START
        ):
            before = profile.read(names)
            wizard = self.hold(profile, "lost")
            self.assertEqual(wizard.until, START + timedelta(90))
            done = wizard.action_apply()["params"]
            self.assertEqual(profile.stage_id, self.stages["lost"])
            self.assertEqual(profile.stage_hold_until, START + timedelta(90))
            self.env[done["model"]].with_user(seller).browse(done["ids"]).action_undo()
            self.assertEqual(profile.read(names), before)
            # the history keeps both, and the next computation agrees
            last = profile.transition_ids.sorted("number")[-1]
            self.assertEqual(last.reason, "Taken back")
            self.refresh(partner, START)
            self.assertEqual(profile.stage_id, self.stages["loyal"])
            with self.assertRaisesRegex(UserError, "moved on"):
                wizard.action_undo()
            # a hold that was there before comes back with its reason and its day
            self.hold(profile, "at_risk", duration="30").action_apply()
            before = profile.read(names)
            self.assertEqual(profile.stage_hold_until, START + timedelta(30))
            wizard = self.hold(
                profile, "at_risk", duration="day", until=START + timedelta(3)
            )
            wizard.action_apply()
            self.assertEqual(profile.stage_hold_until, START + timedelta(3))
            wizard.action_undo()
            self.assertEqual(profile.read(names), before)
            # nor is anything undone that somebody has changed since
            wizard = self.hold(profile, "lost")
            wizard.action_apply()
            profile.write({"stage_id": self.stages["loyal"].id})
            with self.assertRaisesRegex(UserError, "moved on"):
                wizard.action_undo()
            past = self.hold(
                profile, "lost", duration="day", until=START - timedelta(1)
            )
            with self.assertRaisesRegex(UserError, "still to come"):
                past.action_apply()

    def test_what_taking_back_restores_is_not_written_by_hand(self):
        seller = self.new_user("stage_forger", "sales_team.group_sale_salesman", self.company)
        partner = self.regular(user_id=seller.id)
        self.refresh(partner, START)
        self.classify(START, cause="initial")
        profile = self.profile(partner).with_user(seller)
        with self.assertRaises(AccessError):
            self.hold(profile, "lost", former={"stage_date": "1999-01-01"})
        wizard = self.hold(profile, "lost")
        with self.assertRaises(AccessError):
            wizard.former = {"stage_date": "1999-01-01"}
        other = self.new_user("stage_other", "sales_team.group_sale_salesman", self.company)
        with self.assertRaises(AccessError):
            wizard.with_user(other).action_apply()

    def test_a_salesperson_sets_the_stage_and_nothing_else(self):
        seller = self.new_user("stage_seller", "sales_team.group_sale_salesman", self.company)
        partner = self.regular(user_id=seller.id)
        foreign = self.regular("Foreign", user_id=self.env.user.id)
        self.refresh(partner | foreign, START)
        self.classify(START, cause="initial")
        profile = self.profile(partner).with_user(seller)
        profile.write({"stage_id": self.stages["at_risk"].id})
        self.assertEqual(profile.stage_id, self.stages["at_risk"])
        self.assertEqual(profile.transition_ids.sorted("number")[-1].user_id, seller)
        with self.assertRaises(AccessError):
            profile.write({"clv_historical": 1})
        with self.assertRaises(AccessError):
            self.profile(foreign).with_user(seller).write(
                {"stage_id": self.stages["at_risk"].id}
            )

    def test_a_failing_automation_costs_neither_history_nor_the_others(self):
        partners = self.regular("One") | self.regular("Two")
        self.refresh(partners, START)
        self.classify(START, cause="initial")
        later = START + timedelta(80)
        victim = self.profile(partners[0]).id
        original = type(self.env["lifecycle.transition"]).create

        def create(transitions, vals_list):
            records = original(transitions, vals_list)
            if victim in records.profile_id.ids:
                raise UserError("broken automation")
            return records

        with patch.object(type(self.env["lifecycle.transition"]), "create", create):
            self.env["lifecycle.profile"].flush_model()
            changed, errors = self.classify(later)
        self.assertEqual((changed, len(errors)), (2, 1))
        for partner in partners:
            self.assertEqual(self.profile(partner).transition_ids[:1].to_stage_id.name, "At risk")

    def test_rules_that_cannot_work_are_refused(self):
        stage = self.stages["active"]
        for domain in ("[('no_such_field', '=', 1)]", "not a filter", "[('order_count', '=')]"):
            with self.assertRaises(ValidationError), self.cr.savepoint():
                stage.domain = domain
        with self.assertRaises(ValidationError), self.cr.savepoint():
            stage.domain = "[]"

    def test_a_changed_rule_moves_customers_without_news(self):
        partner = self.regular()
        self.refresh(partner, START)
        self.classify(START, cause="initial")
        self.stages["loyal"].domain = "[('order_count', '>=', 400)]"
        self.stages["loyal"].keep_domain = False
        run = self.env["lifecycle.run"].search(
            [("company_id", "=", self.company.id), ("kind", "=", "rules")]
        )
        self.assertEqual((run.state, len(run)), ("pending", 1))
        self.refresh(partner, START)
        self.assertEqual(self.profile(partner).stage_id, self.stages["loyal"])
        run.write({"as_of": START, "state": "running", "step": "stages"})
        with patch.object(type(self.env["lifecycle.transition"]), "create") as news:
            run._step_stages(self.company)
        news.assert_not_called()
        self.assertEqual(self.profile(partner).stage_id, self.stages["active"])
        self.assertEqual(self.profile(partner).transition_ids[:1].cause, "edit")

    def test_an_emptied_rule_for_staying_is_the_rule_for_entering(self):
        """The editor of filters writes an empty filter, which would hold everybody for ever."""
        loyal = self.stages["loyal"]
        for empty in (False, "", "[]", " [] "):
            loyal.keep_domain = empty
            self.assertEqual(loyal._rule(keep=True), loyal._rule(), repr(empty))
        loyal.keep_domain = "[('order_count', '>', 1)]"
        self.assertNotEqual(loyal._rule(keep=True), loyal._rule())

    def test_a_stage_with_a_history_cannot_be_deleted(self):
        partner = self.regular()
        self.refresh(partner, START)
        self.classify(START, cause="initial")
        left = self.profile(partner).stage_id
        other = self.stages["at_risk"] if left != self.stages["at_risk"] else self.stages["lost"]
        self.profile(partner).write({"stage_id": other.id})
        self.assertNotEqual(self.profile(partner).stage_id, left)
        with self.assertRaises(UserError), self.cr.savepoint():
            left.unlink()

    def test_history_can_neither_be_edited_nor_deleted(self):
        partner = self.regular()
        self.refresh(partner, START)
        self.classify(START, cause="initial")
        transition = self.profile(partner).transition_ids
        with self.assertRaises(UserError):
            transition.write({"date": START})
        with self.assertRaises(UserError):
            transition.unlink()

    def test_history_outlives_who_made_it(self):
        seller = self.new_user("passing", "sales_team.group_sale_manager", self.company)
        partner = self.regular()
        self.refresh(partner, START)
        self.classify(START, cause="initial")
        profile = self.profile(partner)
        profile.with_user(seller).stage_id = self.stages["at_risk"]
        move = profile.transition_ids.filtered("user_id")
        self.assertEqual(move.user_id, seller)
        self.env.flush_all()
        seller.unlink()
        self.assertTrue(move.exists())
        self.assertFalse(move.user_id)

    def test_merging_keeps_both_histories(self):
        partners = self.regular("Stays") | self.regular("Goes", count=2)
        self.refresh(partners, START)
        self.classify(START, cause="initial")
        self.refresh(partners, START + timedelta(80))
        before = self.profile(partners[0]).transition_ids | self.profile(partners[1]).transition_ids
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge(partners.ids, partners[0])
        history = self.profile(partners[0]).transition_ids
        self.assertEqual(history, before)
        self.assertEqual(sorted(history.mapped("number")), list(range(1, len(before) + 1)))
