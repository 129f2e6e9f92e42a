"""The level moves where the past agrees, by no more than it agrees on, and never to its harm."""

from dataclasses import replace

import numpy as np
import pytest

from customer_lifecycle.kernel.backtest import BlendWeights, learn
from customer_lifecycle.kernel.backtest_window import (
    earlier_windows,
    recent_windows,
    season_windows,
)
from customer_lifecycle.kernel.histories import ledger
from customer_lifecycle.kernel.level import JudgedWindow, recent_level, season_level

from .datasets import december_donors


def past(*factors, customers=2000, orders=2.0):
    """Windows in which ``factors`` times as much came as was forecast."""
    generator = np.random.default_rng(1)
    forecast = generator.gamma(2.0, orders / 2, customers)
    windows = []
    for factor in factors:
        actual = generator.poisson(factor * forecast).astype(float)
        miss = actual - forecast
        least = np.abs(miss).mean(), np.sqrt((miss**2).mean())
        windows.append(JudgedWindow(forecast, actual, least, 1.0))
    return windows


def test_agreeing_windows_move_it_their_way():
    """Not all of it: absolute errors of counts are smallest below their mean."""
    assert 1.1 <= recent_level(past(1.2, 1.2, 1.2), 1.0) <= 1.2
    assert 0.8 <= recent_level(past(0.85, 0.85, 0.85), 1.0) <= 0.9
    assert 1.3 <= season_level(past(1.5, 1.5)) <= 1.5


def test_contradicting_windows_leave_it():
    assert recent_level(past(1.4, 0.7, 1.0), 1.0) == pytest.approx(1.0, abs=0.02)
    assert season_level(past(1.4, 0.7)) == pytest.approx(1.0, abs=0.05)


def test_one_window_is_believed_less_than_three():
    assert 1.0 < recent_level(past(1.2), 1.0) < recent_level(past(1.2, 1.2, 1.2), 1.0)


def test_few_customers_are_believed_less():
    few = season_level(past(1.4, 1.4, customers=25))
    assert abs(few - 1.0) < abs(season_level(past(1.4, 1.4)) - 1.0)


def test_short_windows_say_less_about_a_long_horizon():
    windows = past(1.2, 1.2, 1.2)
    assert recent_level(windows, 0.25) < 1.05 < recent_level(windows, 1.0)


def test_it_moves_by_a_trend_at_most_and_by_a_season_twofold():
    assert recent_level(past(9.0, 9.0, 9.0), 1.0) == pytest.approx(1.25)
    assert recent_level(past(0.01, 0.01, 0.01), 1.0) == pytest.approx(0.8)
    assert season_level(past(9.0, 9.0)) == pytest.approx(2.0)


def test_rates_learnt_from_nothing_move_nothing():
    windows = [replace(window, known=2.0) for window in past(1.2, 1.2, 1.2)]
    assert recent_level(windows, 1.0) < 1.05 < recent_level(past(1.2, 1.2, 1.2), 1.0)


def test_parts_of_a_year_move_no_year():
    """Donors of every December, seen for the first time: all that came, came too late to fit."""
    log = december_donors(np.random.default_rng(3), n=600, years=3)[0]
    end = int(1.3 * 365)
    assert learn(ledger(*log, end), end, 730).level == 1.0


def test_it_stays_where_errors_would_grow():
    """Nine of ten buy nothing, one what nobody could foresee: more for all is worse for all."""
    forecast = np.full(1000, 0.2)
    actual = np.where(np.arange(1000) % 20 == 0, 6.0, 0.0)
    miss = actual - forecast
    least = np.abs(miss).mean(), np.sqrt((miss**2).mean())
    windows = [JudgedWindow(forecast, actual, least, 1.0)] * 3
    assert windows[0].off() > 0.3
    assert recent_level(windows, 1.0) == 1.0


@pytest.mark.parametrize("orders", [0.0, 1.0])
def test_nothing_to_judge_by_leaves_it(orders):
    same = np.full(10, orders)
    assert recent_level([JudgedWindow(same, same, (0.0, 0.0), 1.0)], 1.0) == 1.0
    assert season_level([JudgedWindow(same, same, (0.0, 0.0), 1.0)]) == 1.0


def test_windows_lie_within_the_log():
    for first, end, horizon in ((0, 40, 365), (10, 700, 90), (0, 1500, 365), (0, 3000, 120)):
        windows = recent_windows(first, end, horizon)
        assert windows and all(origin + length == end for origin, length in windows)
        earlier = earlier_windows(first, end, horizon)
        assert all(origin + 2 * length == end for origin, length in earlier)
        years = season_windows(first, end, horizon)
        assert all((end - origin) % 365 == 0 and length == horizon for origin, length in years)
        for origin, length in windows + earlier + years:
            assert origin >= first + 14 and length <= horizon


def test_a_year_is_learnt_from_whole_years_where_there_are_some():
    assert recent_windows(0, 1000, 365) == [(635, 365)]
    assert len(recent_windows(0, 600, 365)) > 1
    assert season_windows(0, 1000, 365) == []
    assert season_windows(0, 1000, 90) == [(635, 90), (270, 90)]


def test_more_orders_mean_a_higher_chance_of_one():
    learnt, candidates = BlendWeights(chance_level=1.5), np.array([[0.0] * 5, [0.3] * 5, [1.0] * 5])
    chance = learnt.chance(candidates)
    assert chance[0] == 0.0 and chance[1] == pytest.approx(1 - 0.7**1.5) and chance[2] <= 1.0
