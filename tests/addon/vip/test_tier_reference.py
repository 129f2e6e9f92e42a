"""VIP tiers over a simulated year against a slow reference in plain Python."""

import random
from datetime import timedelta

from ..common_tiers import START, TierCase


class Reference:
    """Two tiers over the last 365 days in plain Python, one customer at a time."""

    #: name, entry, keep, grace, what a drop does
    TIERS = (("Silver", 1000, 800, 30, "met"), ("Gold", 3000, 2400, 60, "down"))

    def __init__(self, purchases):
        self.purchases = purchases
        self.place = 0
        self.since = self.review = None
        self.changes = []

    def step(self, today):
        recent = [
            (day, amount)
            for day, amount in self.purchases
            if today - timedelta(365) < day <= today
        ]
        value = sum(amount for _day, amount in recent)
        orders = len({day for day, _amount in recent})
        best = 0
        for place, (_name, entry, _keep, _grace, _drop) in enumerate(self.TIERS, 1):
            if value >= entry and orders >= 2:
                best = place
        target = self.place
        if best > self.place:
            target = best
        elif self.place and value < self.TIERS[self.place - 1][2]:
            if self.review is None:
                self.review = today + timedelta(self.TIERS[self.place - 1][3])
            if self.review <= today and self.since < today:
                target = self.place - 1
                if self.TIERS[self.place - 1][4] == "met":
                    while target and value < self.TIERS[target - 1][2]:
                        target -= 1
                target = max(target, best)
        else:
            self.review = None
        if target != self.place:
            self.changes.append((today, self.name(self.place), self.name(target)))
            self.place, self.since, self.review = target, today, None
            if target and value < self.TIERS[target - 1][2]:
                self.review = today + timedelta(self.TIERS[target - 1][3])

    def name(self, place):
        return self.TIERS[place - 1][0] if place else None


class TestTierReference(TierCase):
    def test_a_simulated_year_equals_a_slow_reference(self):
        for place, (name, entry, _keep, grace, drop) in enumerate(Reference.TIERS, 1):
            self.new_tier(
                name, rank=place, entry=entry, grace_days=grace, drop_to=drop, min_orders=2
            )
        generator = random.Random(3)
        partners = self.env["res.partner"].create([{"name": f"T{i}"} for i in range(40)])
        references = {}
        for partner in partners:
            purchases, day = {}, START - timedelta(generator.randint(100, 400))
            while day < START + timedelta(600):
                purchases[day] = generator.choice((40, 150, 400, 900))
                day += timedelta(generator.choice((5, 20, 45, 120, 200)))
            for day, amount in purchases.items():
                self.buy(partner, day, amount=amount)
            references[partner.id] = Reference(list(purchases.items()))
        for number in range(0, 500, 7):
            today = START + timedelta(number)
            self.classify(today)
            found = {
                profile.partner_id.id: profile
                for profile in self.env["lifecycle.profile"].search(
                    [("partner_id", "in", partners.ids)]
                )
            }
            for partner_id, reference in references.items():
                reference.step(today)
                profile = found.get(partner_id)
                self.assertEqual(
                    (profile.vip_tier_id.name or None, profile.vip_review_date or None)
                    if profile
                    else (None, None),
                    (reference.name(reference.place), reference.review),
                    (today, partner_id),
                )
        drops = 0
        for partner_id, profile in found.items():
            changes = [
                (change.date, change.from_tier_id.name or None, change.to_tier_id.name or None)
                for change in profile.transition_ids.sorted("number")
                if change.kind == "tier"
            ]
            self.assertEqual(changes, references[partner_id].changes)
            drops += sum(change[1] == "Gold" for change in changes)
        self.assertGreater(drops, 3)
        causes = profile.transition_ids.search([("kind", "=", "tier")]).mapped("cause")
        self.assertEqual(set(causes), {"initial", "rule"})
