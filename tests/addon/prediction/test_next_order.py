"""The next order has a date, is overdue since one, or it is said that there is no rhythm."""

import random
from datetime import timedelta

from ..common import LifecycleCase


class TestNextOrder(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("Rhythm Works", lifecycle_tz="UTC")
        cls.today = cls.company._lifecycle_today()
        cls.rng = random.Random(3)
        cls.regulars = [cls.buyer(f"Regular {number}", 30, 0) for number in range(40)]
        cls.silent = [cls.buyer(f"Silent {number}", 30, 200) for number in range(6)]
        cls.once = cls.new_customer("Once Ltd")
        cls.new_purchase(cls.once, 40, 20, cls.company)

    @classmethod
    def buyer(cls, name, gap, until):
        """Somebody who bought about every ``gap`` days until so many days ago."""
        customer = cls.new_customer(name)
        days_ago = 600 + cls.rng.randrange(gap)
        while days_ago > until:
            cls.new_purchase(customer, 50 + cls.rng.randrange(20), days_ago, cls.company)
            days_ago -= gap + cls.rng.randrange(-5, 6)
        return customer

    def test_everybody_has_a_date_or_the_word_that_there_is_none(self):
        self.run_nightly()
        model = self.env["lifecycle.clv.model"]._current(self.company)
        self.assertTrue(model.sufficient, model.missing_text)
        for customer in self.regulars:
            profile = self.profile(customer, self.company)
            self.assertTrue(profile.next_order_date, customer.name)
            self.assertGreaterEqual(profile.next_order_to, self.today)
            self.assertLess(profile.next_order_to, self.today + timedelta(days=45))
            due = profile.next_order_date < self.today
            self.assertEqual(
                profile.next_order_text,
                f"due by {profile._short_date(profile.next_order_to)}"
                if due
                else f"around {profile._short_date(profile.next_order_date)}",
            )
        for customer in self.silent:
            profile = self.profile(customer, self.company)
            self.assertLess(profile.next_order_to, self.today)
            day = profile._short_date(profile.next_order_to)
            self.assertEqual(profile.next_order_text, f"overdue since {day}")
            self.assertIn("An order was expected by", profile.headline)
        this_year = self.today.replace(month=3, day=5)
        last_year = this_year.replace(year=this_year.year - 1)
        self.assertEqual(profile._short_date(this_year), "Mar 5")
        self.assertEqual(profile._short_date(last_year), profile._date(last_year))
        profile = self.profile(self.once, self.company)
        self.assertFalse(profile.next_order_date)
        self.assertEqual(profile.next_order_text, "no regular rhythm")

    def test_nothing_is_said_where_nothing_is_predicted(self):
        stranger = self.new_company("Few Works")
        customer = self.new_customer("Newcomer Ltd")
        for days_ago in (90, 60, 30):
            self.new_purchase(customer, 50, days_ago, stranger)
        self.run_nightly()
        profile = self.profile(customer, stranger)
        self.assertEqual(profile.order_count, 3)
        self.assertFalse(profile.next_order_text)
        self.assertNotIn("rhythm", profile.headline)
