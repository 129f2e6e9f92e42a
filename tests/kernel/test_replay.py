"""Stages of the past equal those that somebody finds who looks at every single day."""

import numpy as np
import pytest

from customer_lifecycle.kernel import StageRules, replay_stages


def day_by_day(rows, rules, until):
    """The moves of one customer, judged anew on each day.

    :param rows: (day, enter, keep, day of the last order) by day
    """
    stage, since, moves = None, -1, []
    for today in range(rows[0][0], until + 1):
        _day, enter, keep, ordered = [row for row in rows if row[0] <= today][-1]
        if stage is not None and today - since < rules.min_days[stage]:
            continue
        target = len(rules.min_days) - 1
        for number in range(len(rules.min_days)):
            if number == stage:
                limit = rules.max_days[number]
                wins = keep >> number & 1 and (not limit or today - since < limit)
            else:
                doors = rules.enter_from[number]
                wins = enter >> number & 1 and (
                    not doors or (stage is not None and doors >> stage & 1)
                )
                if rules.after_order[number]:
                    wins = wins and stage is not None and ordered > since
            if wins:
                target = number
                break
        if target != stage:
            moves.append((today, -1 if stage is None else stage, target, since))
            stage, since = target, today
    return moves


def invented(random, stages):
    """Rules without circles: who may enter from where is random, time limits are few."""
    return StageRules(
        np.where(random.random(stages) < 0.3, random.integers(1, 9, stages), 0),
        np.where(random.random(stages) < 0.3, random.integers(9, 20, stages), 0),
        np.where(random.random(stages) < 0.4, random.integers(0, 2**stages, stages), 0),
        random.random(stages) < 0.3,
    )


@pytest.mark.parametrize("seed", range(60))
def test_equals_looking_at_every_day(seed):
    random = np.random.default_rng(seed)
    stages, until = int(random.integers(1, 7)), 90
    rules = invented(random, stages)
    everybody, rows = {}, []
    for customer in range(30):
        days = np.unique(random.integers(0, until + 5, random.integers(1, 9)))
        masks = random.integers(0, 2**stages, (len(days), 2))
        # who may enter may stay: else a customer would go to and fro each day
        masks[:, 1] |= masks[:, 0]
        orders = np.where(random.random(len(days)) < 0.5, days, days[0])
        orders = np.maximum.accumulate(orders)
        everybody[customer] = [
            (int(day), int(enter), int(keep), int(order))
            for day, (enter, keep), order in zip(days, masks, orders, strict=True)
        ]
        rows += [(customer, *row) for row in everybody[customer]]
    *columns, orders = np.array(rows).T
    moves = replay_stages(*columns, rules, until, orders)
    found = list(zip(*moves, strict=True))
    expected = [
        (customer, *move)
        for customer, history in everybody.items()
        for move in day_by_day(history, rules, until)
    ]
    circling = {
        customer
        for customer in everybody
        if sum(move[0] == customer for move in expected) > 20
    }
    assert len(circling) < 10
    assert [move for move in found if move[0] not in circling] == [
        move for move in expected if move[0] not in circling
    ]


def test_rules_in_a_circle_come_to_an_end():
    # each of two stages lets in from the other one and keeps nobody
    rules = StageRules([0, 0, 0], [0, 0, 0], [2, 1, 0])
    moves = replay_stages([7], [0], [0b111], [0b100], rules, 10_000)
    assert 0 < len(moves.day) <= 5


def test_nobody_and_nothing():
    rules = StageRules([0], [0], [0])
    assert len(replay_stages([], [], [], [], rules, 5).day) == 0
    assert len(replay_stages([1], [9], [1], [1], rules, 5).day) == 0


def test_what_cannot_be_replayed_is_refused():
    rules = StageRules([0], [0], [0])
    with pytest.raises(ValueError, match="in order"):
        replay_stages([1, 1], [5, 4], [1, 1], [1, 1], rules, 9)
    with pytest.raises(ValueError, match="equal length"):
        replay_stages([1], [5, 4], [1], [1], rules, 9)
    with pytest.raises(ValueError, match="62"):
        replay_stages([1], [5], [1], [1], StageRules([0] * 63, [0] * 63, [0] * 63), 9)
