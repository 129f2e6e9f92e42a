import random
from datetime import date, timedelta
from unittest.mock import patch

from odoo.addons.customer_lifecycle.models.prediction.rhythm import Rhythms

from ..common_stages import START, Reference, StagesCase


class TestStageHistory(StagesCase):
    def reconstruct(self, partners, today=START):
        self.refresh(partners, today)
        self.env["lifecycle.transition"].flush_model()
        profiles = self.env["lifecycle.profile"].search([("partner_id", "in", partners.ids)])
        profiles.stage_id = False
        self.env.flush_all()
        self.env.cr.execute(
            "DELETE FROM lifecycle_transition WHERE profile_id = ANY(%s)", [profiles.ids]
        )
        with patch.object(
            type(self.env["res.company"]), "_lifecycle_today", lambda company: today
        ):
            self.env["lifecycle.classifier"]._reconstruct(self.company, today)
        self.env.invalidate_all()
        return profiles

    def changes(self, profile):
        return [
            (change.date, change.from_stage_id.name or None, change.to_stage_id.name)
            for change in profile.transition_ids.sorted("number")
        ]

    def test_the_past_equals_a_run_on_every_single_day(self):
        generator = random.Random(3)
        partners = self.env["res.partner"].create(
            [{"name": f"P{i}", "email": f"p{i}@example.com"} for i in range(40)]
        )
        references = {}
        for partner in partners:
            days, day = [], START - timedelta(generator.randint(0, 1500))
            gap = generator.choice((3, 10, 30, 60, 120))
            while day <= START:
                days.append(day)
                pause = generator.choice((0.3, 1, 1, 1, 1, 3, 12))
                day += timedelta(max(1, round(generator.gammavariate(3, gap * pause / 3))))
            self.buy(partner, *days)
            references[partner.id] = Reference(days)
        names = set()
        for profile in self.reconstruct(partners):
            reference = references[profile.partner_id.id]
            for number in range((START - min(reference.purchases)).days + 1):
                reference.step(min(reference.purchases) + timedelta(number))
            self.assertEqual(self.changes(profile), reference.changes)
            self.assertEqual(
                (profile.stage_id.name, profile.stage_date), (reference.stage, reference.since)
            )
            history = profile.transition_ids.sorted("number")
            self.assertEqual(
                [change.days_before for change in history[1:]],
                [
                    (after.date - before.date).days
                    for before, after in zip(history, history[1:], strict=False)
                ],
            )
            self.assertEqual(set(history.mapped("cause")), {"reconstructed"})
            names.update(history.to_stage_id.mapped("name"))
        self.assertLessEqual(
            {"New customer", "Active", "Loyal", "At risk", "Lost", "Won back"}, names
        )

    def test_silence_is_dated_to_its_day(self):
        partner = self.new_customer("Went quiet")
        last = START - timedelta(100)
        self.buy(partner, *(last - timedelta(30 * number) for number in range(4)))
        profile = self.reconstruct(partner)
        # orders every 30 days: on the 61st day it is more than twice as long as usual
        self.assertEqual(
            (profile.stage_id.name, profile.stage_date), ("At risk", last + timedelta(61))
        )
        self.assertEqual(profile.transition_ids[:1].why["days_since_last_order"], 61)

    def test_minimum_stays_hold_in_the_past_too(self):
        self.stages["new"].min_days = 20
        partner = self.new_customer("Quick")
        first = START - timedelta(300)
        self.buy(partner, first, first + timedelta(5))
        changes = self.changes(self.reconstruct(partner))
        self.assertEqual(
            changes[:2],
            [
                (first, None, "New customer"),
                (first + timedelta(20), "New customer", "Active"),
            ],
        )

    def test_usual_order_is_counted_in_the_past_as_it_is_today(self):
        """What is credited on a day of its own lowers the revenue, not the usual order."""
        self.stages["loyal"].write(
            {
                "domain": "[('order_count', '>=', 2), ('average_order_value', '>=', 90)]",
                "keep_domain": False,
            }
        )
        partner = self.new_customer("Credited")
        self.buy(partner, START - timedelta(50), START - timedelta(40))
        self.env["lifecycle.external.purchase"].create(
            {"partner_id": partner.id, "date": START - timedelta(30), "amount": -60,
             "company_id": self.company.id}
        )
        profile = self.reconstruct(partner)
        self.assertEqual((profile.revenue, profile.average_order_value), (140, 100))
        self.assertEqual(
            (profile.stage_id.name, profile.stage_date), ("Loyal", START - timedelta(40))
        )

    def test_who_spoke_for_us_is_an_advocate_from_that_day_on(self):
        advocate = self.env.ref("customer_lifecycle.stage_advocate")
        partner = self.regular("Speaks for us", count=12)
        self.refresh(partner, START)
        spoke = START - timedelta(40)
        with patch.object(
            type(self.env["lifecycle.signal"]), "_update", lambda *args, **options: (0, [])
        ):
            self.profile(partner).advocacy_date = spoke
            profile = self.reconstruct(partner)
        self.assertEqual((profile.stage_id, profile.stage_date), (advocate, spoke))

    def test_a_year_after_the_last_word_nobody_is_an_advocate(self):
        advocate = self.env.ref("customer_lifecycle.stage_advocate")
        partner = self.regular("Spoke for us", count=30)
        self.refresh(partner, START)
        with patch.object(
            type(self.env["lifecycle.signal"]), "_update", lambda *args, **options: (0, [])
        ):
            self.profile(partner).advocacy_date = date(2022, 9, 1)
            profile = self.reconstruct(partner)
        left = profile.transition_ids.filtered(
            lambda change: change.from_stage_id == advocate
        )
        self.assertEqual((left.date, left.to_stage_id), (date(2023, 9, 2), self.stages["loyal"]))

    def test_what_the_past_does_not_tell_stops_no_replay(self):
        self.stages["at_risk"].write(
            {
                "domain": "['|', ('money_at_risk', '>', 1), ('days_since_last_order', '>', 61)]",
                "keep_domain": False,
            }
        )
        partner = self.new_customer("Unknown")
        self.buy(partner, START - timedelta(100))
        profile = self.reconstruct(partner)
        self.assertEqual(
            (profile.stage_id.name, profile.stage_date), ("At risk", START - timedelta(9))
        )

    def test_predictions_of_today_hold_since_the_last_purchase(self):
        partner = self.new_customer("Buys yearly")
        self.buy(partner, *(START - timedelta(400 + 60 * number) for number in range(5)))
        self.refresh(partner, START)
        self.profile(partner).write({"predicted": True, "p_order": 0.4})
        with patch.object(type(self.env["lifecycle.pipeline"]), "_refresh"):
            profile = self.reconstruct(partner)
        # more than four times the rhythm and a year, but he may well order again
        self.assertEqual(profile.stage_id.name, "At risk")
        self.assertEqual(profile.stage_date, START - timedelta(400 - 121))

    def test_history_is_reconstructed_on_day_one(self):
        partner = self.new_customer("Old friend")
        days = [START - timedelta(700), *(START - timedelta(30 * n) for n in range(7))]
        self.buy(partner, *days)
        with patch.object(
            type(self.env["res.company"]), "_lifecycle_today", lambda company: START
        ):
            self.store_figures(self.company, START)
            Rhythms(self.env, self.company, START).update()
            self.env["lifecycle.classifier"]._reconstruct(self.company, START)
            self.classify(START, cause="initial")
        history = self.profile(partner).transition_ids.sorted("number")
        self.assertEqual(
            history.to_stage_id.mapped("name"),
            ["New customer", "Active", "At risk", "Lost", "Won back", "Loyal"][
                : len(history.to_stage_id)
            ],
        )
        self.assertEqual(history[0].date, days[0])
        self.assertIn("Won back", history.to_stage_id.mapped("name"))
        self.assertEqual(set(history[:-1].mapped("cause")), {"reconstructed"})
        self.assertGreater(self.profile(partner).days_in_stage, 0)


    def test_statistics_count_unfinished_stays_and_real_reorders(self):
        partner = self.regular(count=12)
        self.refresh(partner, START)
        self.env["lifecycle.classifier"]._reconstruct(self.company, START)
        self.classify(START, cause="initial")
        self.env["lifecycle.stage.statistic"]._update(self.company, START)
        statistic = self.env["lifecycle.stage.statistic"].search(
            [("company_id", "=", self.company.id), ("stage_id", "=", self.stages["active"].id)]
        )
        # he bought every 30 days: whoever was active at a month's end bought within 100 days
        self.assertGreater(statistic.reorder_100_count, 0)
        self.assertEqual(statistic.reorder_100, 100)
        loyal = self.env["lifecycle.stage.statistic"].search(
            [("company_id", "=", self.company.id), ("stage_id", "=", self.stages["loyal"].id)]
        )
        self.assertEqual((loyal.stay_count, loyal.median_days), (1, 0))
