"""From stage to stage between two days, in money, against plain counting."""

import random
from collections import defaultdict
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError

from odoo.addons.customer_lifecycle.models.journey import journey_map as map_module

from ..common_journey_map import MapCase

NOT_NEWS = ("initial", "edit")


class TestFlows(MapCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        draw = random.Random(23)
        cls.seller = cls.new_user(
            "flows_seller", "sales_team.group_sale_salesman", cls.company
        )
        #: (customer, moves, purchases by days ago, expected)
        cls.lives = []
        for number in range(40):
            partner = cls.new_customer(
                f"Migrant {number}", user_id=(cls.seller, cls.env.user)[number % 2].id
            )
            day, moves, stage = draw.randint(150, 500), [], None
            while day > 0 and len(moves) < 6:
                stage = draw.choice([other for other in cls.stages[:4] if other != stage])
                cause = draw.choice(["rule", "person", "reconstructed", "edit"])
                moves.append((day, stage, cause if moves else "initial"))
                day -= draw.randint(1, 90)
            bought = {draw.randint(1, 900): draw.randint(-50, 500) for _purchase in range(6)}
            for days_ago, amount in bought.items():
                cls.new_purchase(partner, amount, days_ago=days_ago, company=cls.company)
            expected = number * 10 if number % 4 else False
            cls.new_profile(partner, moves, clv_predicted=expected)
            cls.lives.append((partner, moves, bought, expected))
        cls.env.flush_all()

    def by_hand(self, lives):
        """(from, to) → customers, bought in the year before, expected."""
        found = defaultdict(lambda: [[], 0, []])
        for partner, moves, bought, expected in lives:
            places = [
                place
                for place, (days, _stage, cause) in enumerate(moves)
                if 20 <= days <= 199 and cause not in NOT_NEWS
            ]
            if not places:
                continue
            before = moves[places[0] - 1][1].id if places[0] else 0
            after = moves[places[-1]][1].id
            if before == after:
                continue
            cell = found[before, after]
            cell[0].append(partner)
            cell[1] += sum(bought[days] for days in bought if 200 <= days <= 199 + 365)
            if expected is not False:
                cell[2].append(expected)
        return found

    def rows(self, flows):
        return {
            (move["from_id"], move["to_id"]): (
                move["count"],
                round(move["before"], 2),
                move["expected"],
            )
            for move in flows["moves"]
        }

    def assert_by_hand(self, flows, lives):
        self.assertEqual(
            self.rows(flows),
            {
                pair: (len(partners), before, sum(expected) if expected else False)
                for pair, (partners, before, expected) in self.by_hand(lives).items()
            },
        )

    def test_customers_and_money_are_what_plain_counting_finds(self):
        flows = self.map.get_migration([], self.period)
        self.assert_by_hand(flows, self.lives)
        self.assertGreater(len(flows["moves"]), 5)
        self.assertFalse(flows["sampled"])
        money = [move["before"] for move in flows["moves"]]
        self.assertEqual(money, sorted(money, reverse=True))

    def test_a_number_opens_exactly_its_customers(self):
        start, end = self.period["start"], self.period["end"]
        for (before, after), (partners, *_money) in self.by_hand(self.lives).items():
            key = f"moved:{before}:{start}:{end}:{after}"
            found = self.env["lifecycle.profile"].search([("journey_map_cell", "=", key)])
            self.assertEqual(set(found.partner_id), set(partners))
        with self.assertRaises(UserError):
            self.number_of(f"moved:1:{start}:{end}")

    def test_salespeople_see_the_moves_of_their_customers(self):
        flows = self.map.with_user(self.seller).get_migration([], self.period)
        self.assert_by_hand(flows, self.lives[::2])
        outsider = self.new_user("flows_outsider", "base.group_user", self.company)
        with self.assertRaises(AccessError):
            self.map.with_user(outsider).get_migration([], self.period)

    def test_of_very_many_a_sample_tells_the_money(self):
        with patch.object(map_module, "SAMPLE", 10):
            flows = self.map.get_migration([], self.period)
        counts = {pair: row[0] for pair, row in self.rows(flows).items()}
        found = self.by_hand(self.lives)
        self.assertEqual(counts, {pair: len(row[0]) for pair, row in found.items()})
        self.assertTrue(0 < flows["sampled"] < sum(counts.values()))

    def test_a_period_may_begin_with_the_calendar(self):
        period = {"start": "0001-01-01", "end": self.period["end"]}
        flows = self.map.get_migration([], period)
        self.assertTrue(flows["moves"])
        self.assertEqual({move["before"] for move in flows["moves"]}, {0})

    def test_another_company_has_no_part_in_it(self):
        other = self.new_company("Flows Elsewhere")
        flows = self.map.with_context(allowed_company_ids=other.ids).get_migration(
            [], self.period
        )
        self.assertEqual(flows, {"moves": [], "sampled": False})
