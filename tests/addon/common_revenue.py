"""Customers with a random past, for tests of what brings revenue."""

import random
from collections import defaultdict
from datetime import timedelta

from .common import LifecycleCase

CUSTOMERS = 30
DAYS = 900


class RevenueCase(LifecycleCase):
    """A company of its own with imported purchases, refunds and moves between stages."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("Revenue Works", lifecycle_tz="UTC")
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": cls.company.ids}
        )
        cls.company = cls.company.with_env(cls.env)
        cls.today = cls.company._lifecycle_today()
        cls.rng = random.Random(7)
        cls.customers = cls.env["res.partner"].create(
            [{"name": f"Revenue customer {number}"} for number in range(CUSTOMERS)]
        )
        #: (customer, day) → amounts
        cls.bought = defaultdict(list)
        for customer in cls.customers[:-1]:
            first = cls.rng.randrange(DAYS)
            cls.bought[customer, cls.day(first)].append(cls.rng.randrange(1000, 90000) / 100)
            for _number in range(cls.rng.randrange(12)):
                day = cls.day(cls.rng.randrange(first + 1))
                amount = cls.rng.randrange(-20000, 90000) / 100
                cls.bought[customer, day].append(amount)
        # given back on the same day: no order; credited before the first order; in the future
        cls.bought[cls.customers[0], cls.day(3)] += [50, -50]
        cls.bought[cls.customers[1], cls.day(DAYS + 40)].append(-12.34)
        cls.bought[cls.customers[2], cls.day(-5)].append(777)
        # only ever credited
        cls.bought[cls.customers[-1], cls.day(11)].append(-33.33)
        cls.env["lifecycle.external.purchase"].create(
            [
                {
                    "partner_id": customer.id,
                    "date": day,
                    "amount": amount,
                    "company_id": cls.company.id,
                    "currency_id": cls.company.currency_id.id,
                }
                for (customer, day), amounts in cls.bought.items()
                for amount in amounts
            ]
        )
        cls.env["lifecycle.pipeline"]._refresh(cls.company, cls.customers.ids)
        cls.env.invalidate_all()
        cls.profiles = cls.env["lifecycle.profile"].search(
            [("company_id", "=", cls.company.id)]
        )
        cls.profile_of = {profile.partner_id: profile for profile in cls.profiles}
        stages = cls.env["lifecycle.stage"]._in_force(order="sequence, id")
        cls.lost = stages.filtered("is_lost")[:1]
        cls.stages = (stages - cls.lost)[:3] + cls.lost
        #: customer → (day, stage), in order
        cls.moves = {customer: cls._move(customer) for customer in cls.customers}
        cls.env.flush_all()

    @classmethod
    def day(cls, days_ago):
        return cls.today - timedelta(days=days_ago)

    @classmethod
    def _move(cls, customer):
        """Move a customer through stages on random days."""
        before, since, moves = cls.env["lifecycle.stage"], None, []
        days = sorted(
            {cls.rng.randrange(DAYS) for _number in range(cls.rng.randrange(5))}, reverse=True
        )
        for number, days_ago in enumerate(days, 1):
            after = cls.rng.choice(cls.stages - before)
            date = cls.day(days_ago)
            cls.env["lifecycle.transition"].create(
                {
                    "profile_id": cls.profile_of[customer].id,
                    "kind": "stage",
                    "number": number,
                    "from_stage_id": before.id,
                    "to_stage_id": after.id,
                    "date": date,
                    "cause": "rule",
                    "days_before": (date - since).days if since else 0,
                }
            )
            before, since = after, date
            moves.append((date, after))
        return moves

    # ----- THE SECOND COMPUTATION -----

    def days(self):
        """(customer, day, net amount) of every day up to today."""
        return [
            (customer, day, round(sum(amounts), 2))
            for (customer, day), amounts in self.bought.items()
            if day <= self.today
        ]

    def first_days(self):
        """Day of the first order by customer."""
        first = {}
        for customer, day, amount in self.days():
            if amount > 0:
                first[customer] = min(day, first.get(customer, day))
        return first

    def stage_before(self, customer, day):
        """The stage in which a day began."""
        return next(
            (stage for date, stage in reversed(self.moves[customer]) if date < day),
            self.env["lifecycle.stage"],
        )
