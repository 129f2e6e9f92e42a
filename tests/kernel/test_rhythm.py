"""Windows of the next order hold half of the orders that are awaited, as many before as after."""

import numpy as np
import pytest

from customer_lifecycle.kernel import MBGNBD, simulate_transactions
from customer_lifecycle.kernel.histories import histories_from_ledger, ledger
from customer_lifecycle.kernel.rhythm import LEVELS, fit_rhythm, learn_levels, next_purchase

from . import test_accuracy
from .datasets import LOGS, small_business

SEEDS = (41, 42, 43)
PARTS = (0.5, 0.6, 0.7, 0.8)


def simulated(generator):
    return simulate_transactions(
        1200, {"r": 2.5, "alpha": 60.0, "a": 0.5, "b": 4.0}, 900, k=2, random_state=generator
    )


KINDS = {
    **{
        name: lambda generator, make=LOGS[name]: make(generator)[0]
        for name in ("groceries", "groceries_losing_ground", "supermarket_with_newcomers")
    },
    "regular groceries": lambda generator: test_accuracy.groceries(generator)[0],
    "simulated": simulated,
}


def awaited(log, end, free_orders=False):
    """What became of the windows that were shown on a day and not over.

    :return: (shares before, inside and after; share of dated customers whose window was over;
        number that was judged); None where the log ends too early to tell
    """
    last = int(log[1].max())
    days = ledger(*log, last, free_orders)
    known = days.until(end)
    model = fit_rhythm(known, end)
    levels = learn_levels(model, known, end)
    h = histories_from_ledger(known, end)
    _, low, high = next_purchase(model, h.x, h.t_x, levels)
    silence, bought = h.T - h.t_x, end - (h.T - h.t_x)
    later = days.bought & (days.day > end)
    who, place = np.unique(days.customer[later], return_index=True)
    following = dict(zip(who.tolist(), days.day[later][place].tolist(), strict=True))
    gap = np.array([following.get(each, np.inf) for each in h.customer.tolist()]) - bought
    dated = np.isfinite(low)
    shown = dated & (silence <= high)
    if not shown.any() or np.mean((bought + high)[shown] <= last) < 0.9:
        return None
    # of the rest it is not known yet
    shown &= bought + high <= last
    gap, low, high = gap[shown], low[shown], high[shown]
    shares = np.mean([gap < low, (low <= gap) & (gap <= high), gap > high], axis=1)
    return shares, 1 - shown.sum() / dated.sum(), int(shown.sum())


def mean_shares(found):
    found = [each for each in found if each]
    assert found, "no log is long enough to judge by"
    weights = [number for _, _, number in found]
    return np.average([shares for shares, _, _ in found], axis=0, weights=weights)


def at_dates(log, **options):
    first, last = int(log[1].min()), int(log[1].max())
    return [awaited(log, int(first + part * (last - first)), **options) for part in PARTS]


@pytest.mark.parametrize("kind", KINDS)
def test_windows_hold_half_and_miss_to_both_sides_alike(kind):
    found = [
        each for seed in SEEDS for each in at_dates(KINDS[kind](np.random.default_rng(seed)))
    ]
    before, inside, after = mean_shares(found)
    assert 0.45 <= inside <= 0.55
    assert abs(before - after) <= 0.08


def test_windows_of_the_wholesaler_hold_half(online_retail):
    before, inside, after = mean_shares(at_dates(online_retail))
    assert 0.45 <= inside <= 0.55
    assert abs(before - after) <= 0.08


def test_windows_of_small_businesses_hold_half_on_average():
    logs = [small_business(np.random.default_rng(seed))[0] for seed in range(12)]
    found = [each for log in logs for each in at_dates(log)]
    before, inside, after = mean_shares(found)
    assert 0.45 <= inside <= 0.55
    assert abs(before - after) <= 0.1


def test_the_levels_lie_in_order_and_follow_the_gaps():
    log = KINDS["simulated"](np.random.default_rng(1))
    days = ledger(*log, 900)
    model = fit_rhythm(days, 900)
    early, middle, late = learn_levels(model, days, 900)
    assert 0.3 < early < middle < late <= 0.97
    # who is waited for waits in one of the longer gaps
    assert middle > 0.6


def test_without_a_past_the_levels_are_those_of_others():
    nobody = ledger(np.zeros(0, int), np.zeros(0, int), np.zeros(0))
    model = MBGNBD.from_parameters(5.0, 30.0, 0.5, 5.0, k=4)
    assert learn_levels(model, nobody, 100) == LEVELS
    once = ledger(np.arange(30), np.full(30, 99), np.ones(30))
    assert learn_levels(model, once, 100) == LEVELS
    few = ledger(np.repeat(np.arange(3), 3), np.tile([0, 10, 20], 3), np.ones(9))
    found = learn_levels(model, few, 400)
    assert np.abs(np.subtract(found, LEVELS)).max() < 0.2
