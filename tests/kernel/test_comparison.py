"""What joining changed: known effects are found, and none where there is none."""

import numpy as np
import pytest

from customer_lifecycle.kernel.comparison import (
    by_period,
    describe,
    effects,
    exposure,
)
from customer_lifecycle.kernel.matching import NEVER, UNKNOWN, Purchases, match, traits

from .comparisons import WINDOW, invent, matched

#: repetitions: of 60 intervals that hold the truth with 95 %, fewer than 52 do so once in 300
REPEATS, LEAST = 60, 52
#: percent that is left because among 700 customers nobody is quite like a member
UNLIKE = 6


def intervals(effect, reason, repeats=REPEATS, **world):
    """(percent, low, high) of revenue in invented worlds, and how members differ from the rest."""
    found, better = [], []
    for seed in range(repeats):
        purchases, event = invent(seed, effect=effect, reason=reason, **world)
        pairs = matched(purchases, event)
        revenue = effects(purchases, pairs, WINDOW)["revenue"]
        found.append((revenue.percent, revenue.percent_low, revenue.percent_high))
        after = purchases.revenue(pairs.member, pairs.member_day, pairs.member_day + WINDOW)
        others = np.flatnonzero(event == NEVER)
        day = np.resize(pairs.member_day, len(others))
        better.append(after.mean() / purchases.revenue(others, day, day + WINDOW).mean())
    return np.array(found), np.array(better)


@pytest.mark.parametrize("effect", [1.0, 1.25])
def test_self_selection_is_no_effect(effect):
    """Members buy more than twice as much as others from the start; the effect is told apart."""
    found, better = intervals(effect, "good customers")
    truth = 100 * (effect - 1)
    assert better.mean() > 2
    assert ((found[:, 1] <= truth) & (truth <= found[:, 2])).sum() >= LEAST
    assert found[:, 0].mean() == pytest.approx(truth, abs=UNLIKE)


def test_where_most_join_in_the_end():
    """Every second one compared joins later, frequent buyers first: the effect is found whole."""
    # of 30 intervals that hold the truth with 95 %, fewer than 25 do so once in 300
    found, _better = intervals(1.25, "good customers", repeats=30, eager=0.1)
    assert ((found[:, 1] <= 25) & (25 <= found[:, 2])).sum() >= 25
    assert found[:, 0].mean() == pytest.approx(25, abs=UNLIKE)


def test_a_good_time_that_passes_is_no_harm():
    """Who joins in a good time buys less afterwards, as those do who did not join."""
    found, _better = intervals(1.0, "good times")
    assert ((found[:, 1] <= 0) & (found[:, 2] >= 0)).sum() >= LEAST
    assert found[:, 0].mean() == pytest.approx(0, abs=UNLIKE)
    # before against after alone would have told of a loss
    purchases, event = invent(0, reason="good times")
    members = np.flatnonzero(event != NEVER)
    _numbers, months = by_period(purchases, members, event[members], 30)
    assert months[1] < 0.7 * months[0]


def test_an_effect_is_found_where_it_is_large():
    purchases, event = invent(1, customers=1500, effect=1.6)
    pairs = matched(purchases, event)
    figures = effects(purchases, pairs, WINDOW)
    assert figures["revenue"].low > 0
    assert figures["orders"].low > 0
    assert figures["gap"].high < 0
    # the size of orders was left alone
    assert figures["basket"].low < 0 < figures["basket"].high


# ----- SMALL CASES BY HAND -----


def small():
    """Two members (0, 1) who join on day 100 and 120, three others; window of 50 days."""
    rows = [
        # customer, day, amount
        *[(0, 60, 10), (0, 90, 30), (0, 110, 50), (0, 140, 50)],
        *[(1, 80, 20), (1, 119, 20), (1, 130, 10)],
        *[(2, 62, 10), (2, 91, 30), (2, 112, 20)],
        *[(3, 81, 20), (3, 118, 20), (3, 150, 40), (3, 151, -5)],
        *[(4, 300, 99)],
    ]
    purchases = Purchases(*zip(*rows, strict=True))
    return purchases, np.array([100, 120, NEVER, NEVER, NEVER])


def test_figures_by_hand():
    purchases, event = small()
    both = np.array([0, 1])
    figures = describe(purchases, both, event[both], 50)
    # customer 0: 60, 90 | 110, 140; customer 1: 80, 119 | 130
    assert figures["ordered"] == (1.0, 1.0)
    assert figures["orders"] == (2.0, 1.5)
    assert figures["revenue"] == (40.0, 55.0)
    assert figures["basket"] == (80 / 4, 110 / 3)
    assert figures["gap"] == ((30 + 39) / 2, 30.0)
    # nobody had ordered before these 50 days, so that nobody could be lost in them
    assert figures["lost"] == (None, 0.0)


def test_the_day_itself_belongs_to_the_time_before():
    purchases = Purchases([0, 0, 0], [100, 101, 150], [5, 7, 11])
    figures = describe(purchases, np.array([0]), np.array([100]), 50)
    assert figures["revenue"] == (5, 18)


def test_credit_notes_are_money_but_no_order():
    purchases, _event = small()
    who, end = np.array([3]), np.array([160])
    assert purchases.revenue(who, end - 50, end).tolist() == [55]
    assert purchases.orders(who, end - 50, end).tolist() == [2]


def test_traits_by_hand():
    purchases, _event = small()
    # customer 0 on day 100, windows of 20 days: 90 | nothing; first order 40 days ago
    assert traits(purchases, np.array([0]), np.array([100]), 20).tolist() == [
        [30, 0, 40 * 20 / 50, 1, 0, 2 * 20 / 50, 10, 40]
    ]


def test_the_most_alike_stand_for_members():
    purchases, event = small()
    pairs = match(purchases, event, 50, np.array([0, 1]), np.arange(5))
    chosen = {
        (control, day): weight
        for control, day, weight in zip(
            pairs.control.tolist(), pairs.control_day.tolist(), pairs.weight, strict=True
        )
    }
    assert chosen.get((2, 100)) and chosen.get((3, 120))
    # nobody who buys for the first time a year later, and nobody for himself
    assert not {4} & {control for control, _day in chosen}
    assert (0, 100) not in chosen and (1, 120) not in chosen
    assert sum(chosen.values()) == pytest.approx(len(pairs.member))


def test_members_stand_for_members_until_they_join():
    """Whoever joins later is compared until then, and his membership is reckoned with."""
    rows = Purchases([0, 0, 1, 1], [90, 120, 90, 120], [10, 10, 10, 10])
    pairs = match(rows, np.array([100, 110]), 50, np.array([0]), np.array([1]))
    assert pairs.control.tolist() == [1]
    assert exposure(pairs) == pytest.approx(40 / 50)
    assert effects(rows, pairs, 50) == {}


def test_who_joined_nobody_knows_when_stands_for_nobody():
    rows = Purchases([0, 0, 1, 1], [90, 120, 90, 120], [10, 10, 10, 10])
    pairs = match(rows, np.array([100, UNKNOWN]), 50, np.array([0]), np.array([1]))
    assert not len(pairs.control)
    assert pairs.alone.tolist() == [0]


def test_who_had_never_ordered_is_compared_with_nobody():
    rows = Purchases([0, 1, 1], [120, 90, 120], [10, 10, 10])
    pairs = match(rows, np.array([100, NEVER]), 50, np.array([0]), np.array([1]))
    assert pairs.new.tolist() == [0]
    assert not len(pairs.member)


def test_nobody_is_compared_with_who_is_quite_different():
    rows = Purchases(
        [0] * 60 + [1, 2], [*range(41, 101), 50, 60], [1000.0] * 60 + [1.0, 1.0]
    )
    pairs = match(rows, np.array([100, NEVER, NEVER]), 50, np.array([0]), np.array([1, 2]))
    assert pairs.alone.tolist() == [0]
    assert effects(rows, pairs, 50) == {}


def test_what_the_compared_bought_as_members_is_scaled_down():
    """Members buy half as much again; so do the compared, who join before their second order."""
    size = 300
    base = np.random.default_rng(4).lognormal(3, 0.3, size)
    member, late = np.arange(size), np.arange(size, 2 * size)
    who = np.concatenate([member, late] * 3)
    day = np.repeat([90, 90, 120, 120, 145, 145], size)
    amount = np.concatenate([base, base, 1.5 * base, base, 1.5 * base, 1.5 * base])
    purchases = Purchases(who, day, amount)
    event = np.concatenate([np.full(size, 100), np.full(size, 100 + 37)])
    pairs = match(purchases, event, 50, member, np.arange(2 * size))
    assert exposure(pairs) == pytest.approx(13 / 50)
    found = effects(purchases, pairs, 50)
    assert found["revenue"].effect == pytest.approx(base.mean(), rel=1e-3)
    assert found["revenue"].percent == pytest.approx(50, abs=0.1)
    # all had ordered before they joined, and as often
    assert found["ordered"].effect == pytest.approx(0)
    assert found["orders"].effect == pytest.approx(0)
    # half of their orders are a quarter larger in the mean, as all of the members' are by a half
    assert found["basket"].effect == pytest.approx(0.5 * base.mean(), rel=0.01)


def test_there_is_no_percentage_of_hardly_anything():
    """Three who buy twice as much against three who give nearly all back."""
    rows = [
        *[(who, 90, 100.0) for who in range(6)],
        *[(who, 120, 300.0) for who in range(3)],
        *[(who, 120, amount) for who, amount in ((3, 60.0), (4, -40.0), (5, -18.5))],
    ]
    purchases = Purchases(*zip(*rows, strict=True))
    pairs = match(
        purchases, np.array([100] * 3 + [NEVER] * 3), 50, np.arange(3), np.arange(6)
    )
    found = effects(purchases, pairs, 50)["revenue"]
    assert found.effect == pytest.approx(299.5)
    assert 0 < found.low < found.effect < found.high
    assert (found.percent, found.percent_low, found.percent_high) == (None,) * 3


def test_periods_by_hand():
    purchases, event = small()
    numbers, means = by_period(purchases, np.array([0, 1]), event[:2], 50, length=25)
    assert numbers == [-2, -1, 1, 2]
    # customer 0: 51–75, 76–100 | 101–125, 126–150; customer 1: 71–95, 96–120 | 121–145, …
    assert means == [(10 + 20) / 2, (30 + 20) / 2, (50 + 10) / 2, 50 / 2]


def test_without_anybody_there_is_nothing():
    purchases = Purchases([], [], [])
    nobody = np.empty(0, int)
    pairs = match(purchases, np.array([5, NEVER]), 10, nobody, np.array([1]))
    assert effects(purchases, pairs, 10) == {}
    assert describe(purchases, nobody, nobody, 10)["revenue"] == (None, None)
    assert by_period(purchases, nobody, nobody, 60) == ([-2, -1, 1, 2], [0.0] * 4)
    assert purchases.revenue(np.array([0]), np.array([1]), np.array([9])).tolist() == [0]


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="equal length"):
        Purchases([0], [1, 2], [3])
    with pytest.raises(ValueError, match="from 0 on"):
        Purchases([-1], [1], [3])
