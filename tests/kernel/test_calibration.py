"""Chances come true as often as they say, those of the next 30 days in their season too."""

import numpy as np
import pytest

from customer_lifecycle.kernel import LifetimeModel, histories_from_transactions
from customer_lifecycle.kernel.calibration import (
    apply_line,
    fit_line,
    hazard_share,
    month_level,
    scale_hazard,
)
from customer_lifecycle.kernel.metrics import calibration_error

from .datasets import december_donors
from .test_accuracy import bursts


def drawn(chance, seed=1):
    return np.random.default_rng(seed).uniform(size=len(chance)) < chance


def test_a_line_makes_overconfident_chances_true():
    said = np.random.default_rng(2).beta(0.5, 0.7, 20_000)
    true = apply_line(said, (-0.4, 0.6))
    line = fit_line(said, drawn(true), np.ones(len(said)))
    assert line == pytest.approx((-0.4, 0.6), abs=0.05)
    assert calibration_error(apply_line(said, line), drawn(true, 3)) < 1.0


def test_few_customers_hardly_move_chances_and_nobody_leaves_them():
    said = np.full(8, 0.5)
    shift, slope = fit_line(said, np.ones(8), np.ones(8))
    assert 0.0 < shift < 1.0 and slope == pytest.approx(1.0)
    nothing = fit_line(np.zeros(0), np.zeros(0), np.zeros(0))
    assert nothing == (0.0, 1.0)
    chance = np.array([0.0, 0.2, 1.0])
    assert apply_line(chance, (0.0, 1.0)) is chance
    moved = apply_line(chance, (0.5, 1.2))
    assert moved[0] == 0.0 and np.all((moved >= 0) & (moved <= 1)) and np.all(np.diff(moved) > 0)


def test_month_follows_what_earlier_ones_agree_on():
    said = np.random.default_rng(4).beta(1.0, 9.0, 4000)

    def windows(*factors):
        return [
            (said, drawn(scale_hazard(said, factor), seed))
            for seed, factor in enumerate(factors)
        ]

    assert month_level(windows(0.05, 0.05), True) < 0.15
    assert month_level(windows(3.0, 3.0, 3.0), True) == pytest.approx(3.0, rel=0.1)
    # without years behind, a month says no more than a trend may
    assert month_level(windows(9.0, 9.0, 9.0), False) == pytest.approx(2.0)
    assert month_level(windows(1.5, 0.6, 1.1), False) == pytest.approx(1.0, abs=0.1)
    # nobody of hardly anybody, three times, is no news
    assert month_level([(np.full(40, 0.02), np.zeros(40))] * 3, False) > 0.7
    assert month_level([(np.zeros(9), np.zeros(9))], True) == 1.0


def test_a_part_of_the_time_has_its_share_of_the_hazard():
    chance = hazard_share(np.array([0.0, 0.5, 0.5, 1.0]), np.array([0.2, 0.75, 0.0, 1.0]),
                          np.array([0.1, 0.5, 0.0, 1.0]))  # fmt: skip
    assert chance[1] == pytest.approx(1 - 0.5**0.5)
    assert chance[0] == 0.0 and chance[2] == 0.0 and chance[3] == pytest.approx(1.0)


def test_who_gives_in_december_is_not_expected_in_january():
    log, end, _ = december_donors(np.random.default_rng(5), n=1500)
    model = LifetimeModel(horizon=365).fit(*log, end=end)
    h = histories_from_transactions(*log, end, 365)
    p = model.predict(h.x, h.t_x, h.T, h.value, h.recent)
    month = model.backtest_["month"]
    assert p.p_order_30.mean() < 0.01 and month["actual_pct"] < 0.5
    assert month["calibration_error"] < 1.0
    assert p.p_order.mean() > 0.2


def test_bursts_are_no_promise_of_the_next_days():
    """Orders come in clusters: models of single customers promise far too many for 30 days."""
    log, end, _ = bursts(np.random.default_rng(11))
    model = LifetimeModel(horizon=300).fit(*log, end=end)
    h = histories_from_transactions(*log, end, 300)
    chance = model.predict(h.x, h.t_x, h.T, h.value, h.recent).p_order_30
    customer, day, _amount = log
    came = np.isin(h.customer, customer[(day > end) & (day <= end + 30)])
    assert calibration_error(chance, came) < 5.0
    assert model.blend_.month_level < 0.85
