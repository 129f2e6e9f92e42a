"""Before and after a program: figures, words and what happens when something breaks."""

import json
from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import ValidationError
from odoo.tools import mute_logger

from odoo.addons.customer_lifecycle.models.comparison import comparison as model

from ..common_comparison import ComparisonCase

CRON = "customer_lifecycle.ir_cron_lifecycle_comparison"


class TestFigures(ComparisonCase):
    """Every figure against a second computation in plain Python."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.members = cls.new_buyers(40, seed=1)
        cls.others = cls.new_buyers(80, seed=2)
        # somebody who gave back more than he bought after joining, and one who stopped
        cls.buy((cls.members[0], 130, -900.0), (cls.others[0], 131, -50.0))
        cls.refresh()
        cls.days = {}
        for number, member in enumerate(cls.members):
            cls.join(member, 150 + number)
            cls.days[member.id] = cls.day(150 + number)
        cls.comparison = cls.compare()

    def window(self, partner_id, start, end):
        """(orders, revenue, first order, last order) on days start … end, both included."""
        days = {
            day: amount
            for day, amount in self.bought.get(partner_id, {}).items()
            if start <= day <= end
        }
        orders = sorted(day for day, amount in days.items() if amount > 0)
        return orders, sum(days.values())

    def expected(self, days, window=60):
        """Dict figure → (before, after) of customers with their days."""
        sides = {}
        for name, shift in (("earlier", -window), ("before", 0), ("after", window)):
            sides[name] = {
                partner_id: self.window(
                    partner_id,
                    day + timedelta(shift - window + 1),
                    day + timedelta(shift),
                )
                for partner_id, day in days.items()
            }
        found = {}
        for side, past in (("before", "earlier"), ("after", "before")):
            rows = sides[side].values()
            count = sum(len(orders) for orders, _revenue in rows)
            gaps = sum((orders[-1] - orders[0]).days for orders, _revenue in rows if orders)
            stayed = [one for one, (orders, _revenue) in sides[past].items() if orders]
            revenue = sum(revenue for _orders, revenue in rows)
            found[side] = {
                "ordered": sum(bool(orders) for orders, _revenue in rows) / len(days),
                "orders": count / len(days),
                "revenue": revenue / len(days),
                "basket": revenue / count,
                "gap": gaps / sum(max(0, len(orders) - 1) for orders, _revenue in rows),
                "lost": sum(not sides[side][one][0] for one in stayed) / len(stayed),
            }
        return {name: (found["before"][name], found["after"][name]) for name in found["after"]}

    def test_members_before_and_after(self):
        lines = self.comparison.customer_ids.filtered(lambda one: one.role == "member")
        compared = {line.partner_id.id: self.days[line.partner_id.id] for line in lines}
        self.assertGreaterEqual(len(compared), 30)
        self.assertEqual(self.comparison.member_count, len(compared))
        figures = self.comparison.result["figures"]
        for name, values in self.expected(compared).items():
            for value, expected in zip(figures[name], values, strict=False):
                self.assertAlmostEqual(value, expected, places=6, msg=name)

    def test_lines_can_be_checked_with_the_purchases(self):
        for line in self.comparison.customer_ids:
            before, after = (
                self.window(line.partner_id.id, line.date + timedelta(a), line.date + timedelta(b))
                for a, b in ((-59, 0), (1, 60))
            )
            self.assertEqual(
                (line.orders_before, line.orders_after), (len(before[0]), len(after[0]))
            )
            self.assertAlmostEqual(line.revenue_before, before[1], places=2)
            self.assertAlmostEqual(line.revenue_after, after[1], places=2)
            self.assertAlmostEqual(
                line.revenue_change, line.revenue_after - line.revenue_before, places=2
            )

    def test_compared_customers_had_not_joined(self):
        lines = self.comparison.customer_ids.filtered(lambda one: one.role == "compared")
        self.assertEqual(len(lines), self.comparison.compared_count)
        for line in lines:
            joined = self.days.get(line.partner_id.id)
            self.assertTrue(joined is None or joined > line.date)

    def test_no_effect_is_shown_where_there_is_none(self):
        self.assertEqual(self.comparison.outcome, "none")
        self.assertIn("No effect can be shown", self.comparison.verdict)

    def test_months_of_the_chart(self):
        chart = self.comparison.chart
        self.assertEqual(chart["numbers"], [-2, -1, 1, 2])
        lines = self.comparison.customer_ids.filtered(lambda one: one.role == "member")
        for number, value in zip(chart["numbers"], chart["members"], strict=True):
            start = 30 * (number if number < 0 else number - 1) + 1
            revenue = sum(
                self.window(
                    line.partner_id.id,
                    line.date + timedelta(start),
                    line.date + timedelta(start + 29),
                )[1]
                for line in lines
            )
            self.assertAlmostEqual(value, revenue / len(lines), places=6)

    def test_an_effect_is_found_and_told(self):
        """Members who buy half as much again after joining: the sentence says so."""
        rows = []
        for member, joined in self.days.items():
            for day, amount in self.bought[member].items():
                if joined < day <= joined + timedelta(60) and amount > 0:
                    partner = self.env["res.partner"].browse(member)
                    rows.append((partner, (self.today - day).days, round(amount * 0.6, 2)))
        self.buy(*rows)
        self.comparison.action_compute()
        self.assertEqual(self.comparison.outcome, "more")
        self.assertRegex(
            self.comparison.verdict,
            r"^Members spend [\d.]+ % more than comparable customers "
            r"\(between \+[\d.]+ % and \+[\d.]+ %\)\.$",
        )
        low, high = self.comparison.result["figures"]["revenue"][8:10]
        self.assertTrue(low < 60 < high)

    def test_filter_restricts_both_groups(self):
        chosen = self.members[:35] | self.others[:50]
        self.comparison.domain = str([("partner_id", "in", chosen.ids)])
        self.assertTrue(self.comparison.is_stale)
        self.comparison.action_compute()
        self.assertFalse(self.comparison.is_stale)
        self.assertLessEqual(self.comparison.customer_ids.partner_id, chosen)

    def test_period_of_joining(self):
        self.comparison.date_from = self.day(160)
        self.comparison.action_compute()
        self.assertEqual(self.comparison.result["joined"], 11)
        self.assertEqual(self.comparison.outcome, "few")

    def test_only_a_difference_is_corrected(self):
        self.comparison.result = {**self.comparison.result, "exposure": 0.2}
        self.assertIn("corrected for that", self.comparison.result_html)
        self.comparison.result = {**self.comparison.result, "figures": {}}
        self.assertNotIn("corrected", self.comparison.result_html)

    def test_result_survives_json(self):
        self.assertTrue(json.dumps(self.comparison.result, allow_nan=False))


class TestWaiting(ComparisonCase):
    """Customers whose days are not over, too few customers, nobody at all."""

    def test_nobody(self):
        self.refresh()
        comparison = self.compare(compute=False)
        comparison.action_compute()
        # before the first computation of all customers there is nothing to compute from
        self.assertEqual(comparison.state, "waiting")
        self.new_buyers(2)
        self.refresh()
        comparison.action_compute()
        self.assertEqual(comparison.state, "done")
        self.assertEqual(comparison.verdict, "Too few customers: 0 of 30.")
        self.assertFalse(comparison.chart)

    def test_days_that_are_not_over(self):
        early, late, border = self.new_buyers(3)
        self.refresh()
        self.join(early, 62)
        self.join(border, 61)
        self.join(late, 60)
        comparison = self.compare()
        self.assertEqual((comparison.result["joined"], comparison.waiting_count), (3, 1))
        waiting = comparison.customer_ids.filtered(lambda one: one.role == "waiting")
        self.assertEqual(waiting.partner_id, late)
        self.assertRegex(
            comparison.verdict, r"^Too few customers: \d of 30\. For 1 more the 60 days are not"
        )

    def test_who_had_never_ordered_is_left_out(self):
        new, old = self.new_buyers(2, years=1)
        self.refresh()
        self.join(new, 500)
        self.join(old, 100)
        comparison = self.compare()
        left_out = comparison.customer_ids.filtered(lambda one: one.role == "left_out")
        self.assertIn(new, left_out.partner_id)
        self.assertEqual(comparison.result["new"], 1)

    def test_card_of_a_contact_and_of_a_quotation(self):
        (company,) = self.new_buyers(1)
        person = self.new_customer("Person", parent_id=company.id)
        self.refresh()
        quotation = self.new_order(company, 10, company=self.home, confirm=False)
        self.join(company, 300).order_id = quotation
        self.join(person, 200)
        self.assertEqual(
            self.env.execute_query(self.compare(compute=False)._events_sql()),
            [(company.id, self.day(200))],
        )


class TestDate(ComparisonCase):
    """A date on which something began for everybody, by hand."""

    def test_by_hand(self):
        one, two = self.env["res.partner"].create(
            [{"name": name, "company_id": self.home.id} for name in ("One", "Two")]
        )
        young = self.new_customer("Young", company_id=self.home.id)
        self.buy(
            # began 100 days ago: the days from 100 to 71 ago are after, 130 to 101 before
            (one, 700, 1), (two, 600, 1),
            (one, 130, 10), (one, 101, 30), (one, 100, 50), (one, 71, 50), (one, 70, 999),
            (two, 131, 999), (two, 110, 20),
            (young, 120, 400), (young, 90, 400),
            # the same weekdays a year earlier
            (one, 130 + 364, 40), (one, 100 + 364, 30),
        )
        self.refresh()
        comparison = self.compare(event="date", event_date=self.day(100), window_days=30)
        figures = comparison.result["figures"]
        # of two who were customers before: 40 and 20 before, 100 and 0 after
        self.assertEqual(figures["revenue"], [30, 50, 20, 15])
        self.assertEqual(figures["orders"], [1.5, 1, 0.5, 0.5])
        self.assertEqual(figures["ordered"], [1, 0.5, 0.5, 0.5])
        # one had not ordered in the thirty days before these, two had
        self.assertEqual(figures["lost"][1], 0.5)
        self.assertEqual(comparison.outcome, "open")
        self.assertEqual(
            comparison.verdict,
            "Revenue per customer changed by +67 %; a year earlier, over the same days, by "
            "−25 %. It concerned everybody, so a cause is not proven.",
        )
        self.assertNotIn("Difference", comparison.result_html)

    def test_not_over_yet(self):
        self.new_buyers(1)
        self.refresh()
        comparison = self.compare(event="date", event_date=self.day(20), window_days=30)
        self.assertEqual(comparison.verdict, "The 30 days after it are not over yet.")


    def test_nobody_was_a_customer_then(self):
        self.new_buyers(1)
        self.refresh()
        comparison = self.compare(event="date", event_date=self.day(1500), window_days=30)
        self.assertEqual(comparison.verdict, "Nobody had bought before these days began.")
        self.assertFalse(comparison.chart)


class TestMoney(ComparisonCase):
    def test_other_currency_counts_in_company_currency(self):
        foreign = self.env["res.currency"].with_context(active_test=False).search(
            [("id", "!=", self.home.currency_id.id)], limit=1
        )
        foreign.active = True
        self.env["res.currency.rate"].create(
            {
                "currency_id": foreign.id,
                "company_id": self.home.id,
                "name": self.day(900),
                "rate": 4,
            }
        )
        (buyer,) = self.new_buyers(1)
        self.new_purchase(buyer, 400, 99, company=self.home, currency_id=foreign.id)
        self.refresh()
        comparison = self.compare(event="date", event_date=self.day(100), window_days=7)
        own = sum(
            amount
            for day, amount in self.bought[buyer.id].items()
            if self.day(100) <= day <= self.day(94)
        )
        self.assertAlmostEqual(comparison.result["figures"]["revenue"][1], own + 100, places=2)


class TestComputing(ComparisonCase):
    """In the background, again, and when something breaks."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyers = cls.new_buyers(4)
        cls.refresh()
        cls.join(cls.buyers[0], 200)
        cls.comparison = cls.compare()

    def test_many_customers_are_computed_in_the_background(self):
        before = self.comparison.result
        self.join(self.buyers[1], 220)
        with patch.object(model, "AT_ONCE", 0):
            self.comparison.action_compute()
        self.assertEqual((self.comparison.state, self.comparison.result), ("waiting", before))
        self.run_cron(CRON)
        self.assertEqual(self.comparison.state, "done")
        self.assertEqual(self.comparison.result["joined"], 2)

    def test_an_error_leaves_the_old_result(self):
        before, lines = self.comparison.result, self.comparison.customer_ids
        with (
            patch.object(type(self.comparison), "_judge", side_effect=ZeroDivisionError("by 0")),
            mute_logger(model.__name__),
        ):
            self.comparison.action_compute()
        self.assertEqual(self.comparison.state, "failed")
        self.assertIn("by 0", self.comparison.error)
        self.assertEqual(self.comparison.result, before)
        self.assertEqual(self.comparison.customer_ids, lines)
        self.comparison.action_compute()
        self.assertEqual((self.comparison.state, self.comparison.error), ("done", False))

    def test_one_that_fails_does_not_stop_the_others(self):
        other = self.compare(window_days=30)
        (self.comparison | other).write({"state": "waiting"})
        measure = type(other)._measure

        def broken(comparison, reader):
            if comparison.id == self.comparison.id:
                raise ValueError("broken")
            return measure(comparison, reader)

        with patch.object(type(other), "_measure", broken), mute_logger(model.__name__):
            self.run_cron(CRON)
        self.assertEqual((self.comparison.state, other.state), ("failed", "done"))

    def test_waiting_can_be_stopped(self):
        self.comparison.write({"state": "waiting"})
        self.comparison.action_reset()
        self.assertEqual(self.comparison.state, "done")

    def test_computing_again_replaces_the_customers(self):
        count = len(self.comparison.customer_ids)
        self.comparison.action_compute()
        self.assertEqual(len(self.comparison.customer_ids), count)

    def test_name_follows_until_somebody_gives_one(self):
        self.assertEqual(self.comparison.display_name, self.program.display_name)
        self.comparison.program_id = self.new_program("Other Club")
        self.assertEqual(self.comparison.display_name, "Other Club")
        self.comparison.name = "My own name"
        self.assertEqual(self.comparison.display_name, "My own name")

    def test_what_cannot_be_asked_is_refused(self):
        for values in (
            {"program_id": False},
            {"event": "date"},
            {"domain": "[('nothing', '=', 1)]"},
            {"domain": "what?"},
            {"date_from": self.day(1), "date_to": self.day(2)},
            {"program_id": self.new_program("Away", self.new_company("Away Ltd")).id},
        ):
            with self.assertRaises(ValidationError):
                self.compare(compute=False, **values)
