"""What the past teaches of single customers moves orders among them, where it bears that out."""

import json

import numpy as np
import pytest

from customer_lifecycle.kernel import LifetimeModel, histories_from_transactions
from customer_lifecycle.kernel.backtest import BlendWeights
from customer_lifecycle.kernel.learnt import (
    FEATURES,
    LearntFactor,
    features,
    judge_factor,
    learn_factor,
    pace_days,
)
from customer_lifecycle.kernel.metrics import poisson_deviance

from .test_accuracy import changing_rates

CUSTOMERS = 2000


def errors(forecast, came):
    return np.mean((forecast - came) ** 2), poisson_deviance(forecast, came)


def window(seed, effect, customers=CUSTOMERS):
    """A window in which the first feature says ``effect`` of what comes."""
    generator = np.random.default_rng(seed)
    known = generator.normal(size=(customers, len(FEATURES)))
    expected = generator.gamma(2.0, 1.0, customers)
    came = generator.poisson(expected * np.exp(effect * known[:, 0])).astype(float)
    return expected, known, came


def test_an_effect_of_the_past_is_found_and_shrunk():
    found = learn_factor([window(1, 0.4), window(2, 0.4)], 1.0)
    assert 0.3 < found.coefficients[0] < 0.4
    assert np.abs(found.coefficients[1:]).max() < 0.06
    assert found.share == pytest.approx(0.5 * CUSTOMERS / (CUSTOMERS + 300))


def test_nothing_is_learnt_where_there_is_nothing():
    found = learn_factor([window(3, 0.0), window(4, 0.0)], 1.0)
    expected, known, _ = window(5, 0.0)
    whole = LearntFactor(**{**found.__dict__, "trust": 1.0}).settled(expected, known)
    assert np.log(whole.factor(known)).std() < 0.02
    assert learn_factor([window(1, 0.4, customers=15)], 1.0) is None
    assert learn_factor([(np.zeros(50), np.zeros((50, len(FEATURES))), np.ones(50))], 1.0) is None


def test_few_customers_have_little_weight():
    few = learn_factor([window(1, 0.4, customers=30)], 1.0)
    assert few.share == pytest.approx(0.5 * 30 / 330)
    assert abs(few.coefficients[0]) < 0.2


def test_the_total_stays_and_single_customers_move():
    expected, known, came = window(6, 0.4)
    factor = learn_factor([window(1, 0.4)], 1.0).settled(expected, known)
    moved = expected * factor.factor(known)
    assert moved.sum() == pytest.approx(expected.sum(), rel=1e-9)
    assert errors(moved, came) < errors(expected, came)
    assert factor.weight == pytest.approx(factor.share / 2)


def test_the_back_test_leaves_what_does_harm():
    expected, _, came = window(7, 0.4)
    better = 0.5 * (expected + came)
    assert judge_factor(expected, better, came, errors) == 1.0
    assert judge_factor(expected, expected, came, errors) == 1.0
    worse = expected[::-1].copy()
    assert judge_factor(expected, worse, came, errors) == 0.0


def test_what_all_have_in_common_says_nothing():
    expected, known, came = window(8, 0.4)
    known[:, 3] = 7.0
    assert learn_factor([(expected, known, came)], 1.0).coefficients[3] == 0.0


def test_features_are_finite_for_every_history():
    x = np.array([0.0, 0, 3, 400, 5])
    t_x = np.array([0.0, 0, 90, 399, 0])
    T = np.array([0.0, 900, 90, 400, 400])
    value = np.array([0.0, 1e-9, 50, 1e9, 10])
    history = x, t_x, T, value, x, pace_days(T, x)
    columns = features(365, x * 0.0, x * 0.0, x, x, np.ones(5), history, 20.0)
    assert columns.shape == (5, len(FEATURES))
    assert np.isfinite(columns).all() and np.abs(columns).max() < 10


@pytest.fixture(scope="module")
def drifting():
    """A model of customers whose rates change all the time, which no purchase model knows."""
    log, end, until = changing_rates(np.random.default_rng(31))
    return log, end, until, LifetimeModel(horizon=until - end).fit(*log, end=end)


def test_customers_who_order_faster_lately_are_expected_to_order_more(drifting):
    log, end, until, model = drifting
    factor = model.blend_.factor
    assert factor.trust > 0
    assert any(name == "pace_change" and side == "high" and percent > 3
               for name, side, percent in factor.told)  # fmt: skip
    h = histories_from_transactions(*log, end, model.horizon)
    at = h.x, h.t_x, h.T, h.value, h.recent
    found = model.predict(*at, pace=h.pace).expected_orders
    even = model.predict(*at).expected_orders
    faster = h.pace < 0.5 * pace_days(h.T, h.x)
    assert faster.sum() > 50 and (found > even)[faster].mean() > 0.8


def test_rates_that_change_are_forecast_better_than_by_the_blend(drifting):
    log, _, until, model = drifting
    with_factor = model.evaluate(*log, until)["methods"]["product"]
    plain = LifetimeModel.from_dict(model.to_dict())
    plain.blend_.factor = None
    without = plain.evaluate(*log, until)["methods"]["product"]
    assert with_factor["deviance"] < 0.98 * without["deviance"]
    assert with_factor["rmse"] < 0.99 * without["rmse"]
    assert with_factor["bias_pct"] == pytest.approx(without["bias_pct"], abs=1.0)


def test_the_total_of_all_customers_is_that_of_the_blend(drifting):
    log, end, _, model = drifting
    plain = LifetimeModel.from_dict(model.to_dict())
    plain.blend_.factor = None
    h = histories_from_transactions(*log, end, model.horizon)
    at = h.x, h.t_x, h.T, h.value, h.recent
    one = model.predict(*at, pace=h.pace).expected_orders
    other = plain.predict(*at, pace=h.pace).expected_orders
    assert one.sum() == pytest.approx(other.sum(), rel=2e-3)
    assert np.abs(one - other).max() > 0.5


def test_it_is_stored_along(drifting):
    _, _, _, model = drifting
    stored = json.loads(json.dumps(model.to_dict(), allow_nan=False))
    assert LifetimeModel.from_dict(stored).blend_.factor == model.blend_.factor
    assert BlendWeights().factor is None


def test_the_pace_is_that_of_the_last_six_purchases():
    day = np.array([0, 10, 20, 30, 40, 50, 60, 70, 5, 95])
    customer = np.array([1] * 8 + [2] * 2)
    amount = np.ones(10)
    amount[7] = -1.0  # a refund is no purchase
    h = histories_from_transactions(customer, day, amount, 100)
    assert h.pace.tolist() == [90, 95]
