from datetime import date, timedelta
from unittest.mock import patch

from .common import LifecycleCase

START = date(2024, 1, 10)
MEAN, SLOW = 60, 120  # rhythm of companies that no model has been fitted for


class Reference:
    """The delivered stages in plain Python, one customer at a time."""

    def __init__(self, purchases):
        self.purchases = sorted(purchases)
        self.stage = self.since = None
        self.changes = []

    def step(self, today):
        days = sorted({day for day in self.purchases if day <= today})
        target = self.target(days, today)
        if target != self.stage:
            self.changes.append((today, self.stage, target))
            self.stage, self.since = target, today

    def target(self, days, today):
        if not days:
            return "Prospect"
        count, first, last = len(days), days[0], days[-1]
        if count >= 4:
            rhythm = round((last - first).days / (count - 1), 1)
        elif count >= 2:
            rhythm = round(((last - first).days + 2 * MEAN) / (count + 1), 1)
        else:
            rhythm = SLOW
        idle = (today - last).days
        late = idle / rhythm
        loyal = count >= 4 and (last - first).days >= 180
        if self.stage == "Won back":
            if (today - self.since).days < 90:
                return "Won back"
        elif (
            self.stage in ("At risk", "Lost") and idle <= 90 and late <= 2 and last > self.since
        ):
            return "Won back"
        if count == 1 and idle <= 90:
            return "New customer"
        if late > 4 and idle > 365:
            return "Lost"
        if late > 2 and idle > 45:
            return "At risk"
        if loyal and late <= (2 if self.stage == "Loyal" else 1):
            return "Loyal"
        return "Active"


class StagesCase(LifecycleCase):
    """A company whose customers are put into the delivered stages as of days in the past."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("Stages Ltd")
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": cls.company.ids}
        )
        cls.stages = {
            name: cls.env.ref(f"customer_lifecycle.stage_{name}")
            for name in ("prospect", "new", "active", "loyal", "at_risk", "lost", "won_back")
        }

    def refresh(self, partners, today):
        with patch.object(
            type(self.env["res.company"]), "_lifecycle_today", lambda company: today
        ):
            self.env["lifecycle.pipeline"]._refresh(self.company, partners.ids)

    def classify(self, today, **options):
        return self.env["lifecycle.classifier"]._classify(self.company, today, **options)

    def buy(self, partner, *days):
        self.env["lifecycle.external.purchase"].create(
            [
                {"partner_id": partner.id, "date": day, "amount": 100, "company_id": company.id}
                for company in self.company
                for day in days
            ]
        )

    def profile(self, partner):
        return self.env["lifecycle.profile"].search([("partner_id", "=", partner.id)])

    def regular(self, name="Regular", count=8, gap=30, **values):
        """A customer who bought every 30 days until START."""
        partner = self.new_customer(name, email=f"{name}@example.com", **values)
        self.buy(partner, *(START - timedelta(gap * number) for number in range(count)))
        return partner

    def invent_rules(self, draw, conditions):
        """Random rules, limits and doors for the delivered stages.

        :param draw: a random generator
        :param conditions: functions that make a condition with it
        """
        # a run for changed rules that waits would keep refreshes from classifying
        quiet = self.env["lifecycle.stage"].with_context(lifecycle_rule_quiet=True)
        stages = quiet.search([], order="priority, id")
        stages.rule_error = False
        for stage in stages[:-1]:
            count = draw.randint(1, 2)
            stage.write(
                {
                    "domain": repr([draw.choice(conditions)(draw) for _number in range(count)]),
                    "keep_domain": draw.random() < 0.4
                    and repr([draw.choice(conditions)(draw)]),
                    "min_days": draw.choice((0, 0, 0, 15)),
                    "max_days": draw.choice((0, 0, 0, 60)),
                    "after_order": draw.random() < 0.2,
                    "enter_from_ids": draw.sample(stages.ids, 3) if draw.random() < 0.3 else False,
                }
            )
        broken = draw.choice(stages[:-1])
        if draw.random() < 0.6:
            # what a run writes when an app has taken the rule's field along
            broken.write({"rule_error": "gone"})
