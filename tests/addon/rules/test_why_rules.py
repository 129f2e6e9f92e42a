"""What the contact is told about the next stage is what the classification then does.

Rules and flags are drawn at random, the clock is really moved, and the customer is really
refreshed on the days that the sentence names.
"""

import random
from datetime import timedelta
from unittest.mock import patch

from odoo.addons.customer_lifecycle.models.prediction.fit import Fit

from ..common_stages import START, StagesCase

#: conditions that time or an order changes
CONDITIONS = (
    lambda draw: (
        "days_since_last_order", draw.choice((">", ">=", "<", "<=")), draw.randint(5, 300)
    ),
    lambda draw: ("lateness", draw.choice((">", "<=")), draw.choice((0.5, 1, 1.5, 3, 6))),
    lambda draw: ("order_count", draw.choice((">", "<=", "=")), draw.randint(1, 6)),
    lambda draw: ("revenue_year", draw.choice((">", "<=")), draw.choice((50, 150, 350))),
    lambda draw: ("orders_year", draw.choice((">", "<=")), draw.randint(0, 5)),
    lambda draw: ("last_order_date", draw.choice((">=", "<")), draw.choice(("-3m", "-40d", "-1y"))),
    lambda draw: ("stage_date", "<=", draw.choice(("-20d", "-2m"))),
    lambda draw: ("days_in_stage", draw.choice((">", "<=")), draw.randint(3, 90)),
    lambda draw: ("p_order", draw.choice(("<", ">=")), draw.choice((0.1, 0.3, 0.6))),
    lambda draw: ("predicted", "=", draw.choice((True, False))),
    lambda draw: ("advocacy_date", ">=", "-6m"),
)


class TestWhyRules(StagesCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        draw = random.Random(1)
        partners = cls.env["res.partner"].create(
            [{"name": f"F{i}", "email": f"f{i}@example.com"} for i in range(320)]
        )
        vals = []
        for partner in partners:
            day, gap = START - timedelta(draw.randint(100, 900)), draw.choice((20, 45, 90))
            for _number in range(draw.randint(1, 12)):
                if day <= START:
                    vals.append(
                        {
                            "partner_id": partner.id,
                            "date": day,
                            "amount": 100,
                            "company_id": cls.company.id,
                        }
                    )
                day += timedelta(max(1, round(draw.expovariate(1 / gap))))
        cls.env["lifecycle.external.purchase"].create(vals)
        Fit(cls.env, cls.company, START).fit()
        cls.model = cls.env["lifecycle.clv.model"]._current(cls.company)
        cls.partners = partners

    def setUp(self):
        super().setUp()
        self.today = START
        self.startPatcher(
            patch.object(
                type(self.env["res.company"]), "_lifecycle_today", lambda company: self.today
            )
        )

    def really(self, profile, day):
        """The stage after the run of a day; taken back."""
        self.env.flush_all()
        self.env.cr.execute("SAVEPOINT moved")
        before, self.today = self.today, day
        self.env["lifecycle.pipeline"]._refresh(self.company, profile.partner_id.ids)
        self.env.cr.execute("SELECT stage_id FROM lifecycle_profile WHERE id = %s", [profile.id])
        stage = self.env["lifecycle.stage"].browse(self.env.cr.fetchone()[0])
        self.env.transaction.clear()
        self.env.cr.execute("ROLLBACK TO SAVEPOINT moved")
        self.today = before
        return stage

    def test_the_sentences_hold(self):
        self.assertTrue(self.model.sufficient)
        kinds = {"silent": 0, "never": 0, "ordered": 0}
        for seed in range(16):
            draw = random.Random(seed)
            self.invent_rules(draw, CONDITIONS)
            partner = draw.choice(self.partners)
            self.today = START
            self.refresh(partner, START)
            self.classify(START, cause="initial", partner_ids=partner.ids)
            profile = self.profile(partner)
            profile.write(
                {"stage_id": draw.choice(self.env["lifecycle.stage"].search([])).id,
                 "stage_date": START - timedelta(draw.randint(0, 40)),
                 "advocacy_date": START - timedelta(draw.randint(0, 200))}
            )
            with patch.object(
                type(self.env["lifecycle.signal"]), "_update", lambda *args, **options: (0, [])
            ):
                self.refresh(partner, START)
                stage = profile.stage_id
                days, expected = profile._next_silent_change()
                kinds["silent" if days else "never"] += 1
                message = (seed, days, expected and expected.name)
                probes = {1, 90, 729}
                if days:
                    self.assertEqual(
                        self.really(profile, START + timedelta(days)), expected, message
                    )
                    probes = {probe for probe in probes if probe < days} | {days - 1} - {0}
                for probe in probes:
                    self.assertEqual(
                        self.really(profile, START + timedelta(probe)), stage, (probe, *message)
                    )
                sentence = profile._stage_after_order()
                self.env.cr.execute("SAVEPOINT ordered")
                usual = profile.average_order_value
                if profile.last_order_date != START:
                    kinds["ordered"] += 1
                    self.new_purchase(partner, usual, company=self.company)
                    after = self.really(profile, START)
                    self.assertIn(f"“{after.name}”", sentence, message)
                self.env.transaction.clear()
                self.env.cr.execute("ROLLBACK TO SAVEPOINT ordered")
        self.assertGreater(min(kinds.values()), 3, kinds)

    def test_who_is_in_a_stage_that_is_switched_off_stays_and_is_told_so(self):
        partner = self.partners[0]
        self.refresh(partner, START)
        self.classify(START, cause="initial", partner_ids=partner.ids)
        profile = self.profile(partner)
        profile.stage_id.with_context(lifecycle_rule_quiet=True).rule_error = "An app is gone."
        self.assertEqual(profile._next_silent_change(), (None, None))
        self.assertFalse(profile._stage_after_silence())
        self.assertIn("stays", profile._stage_after_order())
        self.assertEqual(self.really(profile, START + timedelta(500)), profile.stage_id)

    def test_a_broken_rule_costs_the_sentence_only(self):
        partner = self.partners[0]
        self.refresh(partner, START)
        self.classify(START, cause="initial", partner_ids=partner.ids)
        self.env.cr.execute(
            "UPDATE lifecycle_stage SET domain = %s WHERE id = %s",
            ["[('no_such_field', '=', 1)]", self.stages["new"].id],
        )
        self.env.invalidate_all()
        profile = self.profile(partner)
        self.assertFalse(profile._stage_after_silence())
        self.assertTrue(profile._why_stage())
