"""One description of the rules, three ways to the same stages.

Customers and rules are drawn at random. Their stages are decided by a run on every single day, by
the replay of the past, and, from days in between, by the look at what is coming.
"""

import random
from datetime import timedelta
from unittest.mock import patch

from odoo.addons.customer_lifecycle.models.rules.coming import Coming

from ..common_stages import START, StagesCase

DAYS = 160
#: conditions on what is known of the past
CONDITIONS = (
    lambda draw: (
        "days_since_last_order", draw.choice((">", ">=", "<", "<=")), draw.randint(3, 60)
    ),
    lambda draw: ("lateness", draw.choice((">", ">=", "<=")), draw.choice((0.2, 0.5, 1, 2))),
    lambda draw: ("order_count", draw.choice((">", "<=", "=")), draw.randint(1, 6)),
    lambda draw: ("revenue", draw.choice((">", "<=")), draw.choice((150, 350, 550))),
    lambda draw: ("order_interval", draw.choice((">=", "<")), draw.choice((10, 20, 40))),
    lambda draw: ("last_order_date", draw.choice((">=", "<")), draw.choice(("-1m", "-20d", "-7w"))),
    lambda draw: ("first_order_date", draw.choice((">", "<=")), draw.choice(("-3m", "-90d"))),
    lambda draw: ("advocacy_date", ">=", draw.choice(("-1m", "-40d"))),
)


class TestOneRule(StagesCase):
    def setUp(self):
        super().setUp()
        self.today = START
        classifier = type(self.env["lifecycle.classifier"])
        for patcher in (
            patch.object(
                type(self.env["res.company"]), "_lifecycle_today", lambda company: self.today
            ),
            # figures without stages, which are decided here
            patch.object(classifier, "_is_started", lambda *args: False),
            patch.object(
                type(self.env["lifecycle.signal"]), "_update", lambda *args, **options: (0, [])
            ),
        ):
            self.startPatcher(patcher)

    def live(self, draw, partners):
        """Let days go by, with purchases at random.

        :return: (dict of partner → list of his stages, by day; list of what was foreseen: partner,
            number of the day, days until the next stage, stage)
        """
        due = {
            partner: sorted({draw.randint(0, DAYS) for _number in range(draw.randint(1, 9))})
            for partner in partners
        }
        spoke = {partner: draw.choice(days) for partner, days in due.items()}
        stages, foreseen = {partner: [] for partner in partners}, []
        for number in range(DAYS + 1):
            self.today = START + timedelta(number)
            buying = partners.browse(one.id for one in partners if number in due[one])
            for partner in buying:
                self.buy(partner, self.today)
            if buying:
                self.env["lifecycle.pipeline"]._refresh(self.company, buying.ids)
            for partner in buying:
                if number == spoke[partner]:
                    self.profile(partner).advocacy_date = self.today
            self.classify(self.today)
            for partner in partners:
                stages[partner].append(self.profile(partner).stage_id)
            partner = draw.choice(partners)
            if stages[partner][-1]:
                ahead = next((day for day in due[partner] if day > number), DAYS + 1) - number - 1
                days, stage = Coming(self.profile(partner).sudo(), self.today).after_silence(200)
                foreseen.append((partner, number, ahead, days, stage))
        return stages, foreseen

    def is_circle(self, moves):
        """Whether there were more moves on days in a row than there are stages."""
        length = len(self.env["lifecycle.stage"]._in_priority())
        return any(
            (last - first).days == length
            for (first, _stage), (last, _other) in zip(moves, moves[length:], strict=False)
        )

    def test_every_day_equals_the_replay_and_what_was_foreseen(self):
        moves = changes = 0
        for seed in range(8):
            draw = random.Random(seed)
            self.invent_rules(draw, CONDITIONS)
            partners = self.env["res.partner"].create(
                [{"name": f"P{i}", "email": f"p{seed}{i}@example.com"} for i in range(6)]
            )
            stages, foreseen = self.live(draw, partners)
            for partner, number, ahead, days, stage in foreseen:
                lived = stages[partner][number : number + ahead + 1]
                expected = [lived[0]] * len(lived)
                if days and days <= ahead:
                    changes += 1
                    lived, expected = lived[: days + 1], [*expected[:days], stage]
                self.assertEqual(lived, expected, (seed, number, days))
            profiles = self.env["lifecycle.profile"].search([("partner_id", "in", partners.ids)])
            profiles.write({"stage_id": False, "stage_date": False, "stage_order_date": False})
            self.env.flush_all()
            self.env.cr.execute(
                "DELETE FROM lifecycle_transition WHERE profile_id = ANY(%s)", [profiles.ids]
            )
            self.env["lifecycle.classifier"]._reconstruct(self.company, self.today)
            self.env.invalidate_all()
            for profile in profiles:
                history = profile.transition_ids.sorted("number")
                lived = [None, *stages[profile.partner_id]]
                lived = [
                    (START + timedelta(number), after)
                    for number, (before, after) in enumerate(zip(lived, lived[1:], strict=False))
                    if after and after != before
                ]
                if self.is_circle(lived):
                    # the replay does not follow rules that lead in a circle
                    continue
                self.assertEqual(
                    [(change.date, change.to_stage_id) for change in history],
                    lived,
                    (seed, profile.partner_id.name),
                )
                moves += len(history)
            profiles.active = False
        self.assertGreater(moves, 100)
        self.assertGreater(changes, 20)
