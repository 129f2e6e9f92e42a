"""What must hold whatever the data."""

import numpy as np
import pytest

from customer_lifecycle.kernel import (
    MBGNBD,
    GammaGamma,
    LifetimeModel,
    histories_from_transactions,
    simulate_transactions,
)

PARAMETERS = {"r": 0.7, "alpha": 60.0, "a": 0.8, "b": 2.0}
VALUE = {"p": 4.0, "q": 3.5, "v": 30.0}


@pytest.fixture(scope="module")
def log():
    return simulate_transactions(1500, PARAMETERS, 800, value=VALUE, random_state=4)


@pytest.fixture(scope="module")
def histories(log):
    return histories_from_transactions(*log, end=800)


@pytest.mark.parametrize("k", [1, 3])
def test_days_and_weeks_give_the_same_predictions(histories, k):
    h = histories
    days = MBGNBD(k).fit(h.x, h.t_x, h.T)
    weeks = MBGNBD(k).fit(h.x, h.t_x / 7, h.T / 7)
    in_days, in_weeks = (h.x, h.t_x, h.T), (h.x, h.t_x / 7, h.T / 7)
    assert weeks.predict_p_alive(*in_weeks) == pytest.approx(
        days.predict_p_alive(*in_days), abs=1e-6
    )
    assert weeks.predict_p_order(26, *in_weeks) == pytest.approx(
        days.predict_p_order(182, *in_days), abs=1e-6
    )
    orders = days.predict_orders(182, *in_days)
    assert weeks.predict_orders(26, *in_weeks) == pytest.approx(orders, rel=1e-6, abs=1e-6)
    assert weeks.alpha_ * 7 == pytest.approx(days.alpha_, rel=1e-6)


@pytest.mark.parametrize("factor", [1e-3, 117.5])
def test_another_currency_scales_values_and_changes_nothing_else(log, histories, factor):
    customer, day, amount = log
    h = histories
    one = LifetimeModel().fit(customer, day, amount, end=800)
    other = LifetimeModel().fit(customer, day, amount * factor, end=800)
    p = one.predict(h.x, h.t_x, h.T, h.value, h.recent)
    q = other.predict(h.x, h.t_x, h.T, h.value * factor, h.recent)
    assert q.expected_orders == pytest.approx(p.expected_orders, rel=1e-9)
    assert q.expected_value == pytest.approx(p.expected_value * factor, rel=1e-6)
    assert q.clv == pytest.approx(p.clv * factor, rel=1e-6)


def test_days_may_count_from_any_epoch(log, histories):
    customer, day, amount = log
    one = LifetimeModel().fit(customer, day, amount, end=800)
    other = LifetimeModel().fit(customer, day + 20_000, amount, end=20_800)
    assert one.parameters_ == other.parameters_
    assert one.weights_ == other.weights_


@pytest.mark.parametrize("k", [1, 2, 4])
def test_more_time_more_orders(k):
    model = MBGNBD.from_parameters(0.7, 60.0 / k, 0.8, 2.0, k=k)
    history = [0, 1, 6, 30], [0.0, 20.0, 90.0, 380.0], [10.0, 200.0, 100.0, 400.0]
    before = np.zeros(4)
    for t in (1, 10, 100, 1000):
        now = model.predict_orders(t, *history)
        assert np.all(now > before)
        before = now
    assert np.all(model.predict_orders(1e-9, *history) < 1e-6)
    chance = model.predict_p_order(100, *history)
    assert np.all(chance < model.predict_p_alive(*history))
    assert np.all(chance < model.predict_orders(100, *history))


def test_longer_silence_less_alive():
    for k in (1, 3):
        model = MBGNBD.from_parameters(0.7, 60.0 / k, 0.8, 2.0, k=k)
        silence = np.arange(0, 500, 10.0)
        alive = model.predict_p_alive(np.full(50, 5), np.full(50, 100.0), 100.0 + silence)
        assert np.all(np.diff(alive) < 0)


def test_discounting_takes_off_what_it_should():
    model = MBGNBD.from_parameters(0.7, 60.0, 0.8, 2.0)
    history = [2, 9], [90.0, 200.0], [100.0, 230.0]
    plain = model.predict_orders(365, *history)
    assert model.predict_discounted_orders(365, *history, 0.0) == pytest.approx(plain)
    rate = 0.3 / 365
    found = model.predict_discounted_orders(365, *history, rate)
    # The Stieltjes sum over single days is the definition.
    steps = np.array([model.predict_orders(t, *history) for t in range(366)])
    middle = np.exp(-rate * (np.arange(365) + 0.5))[:, None]
    assert found == pytest.approx(np.sum(np.diff(steps, axis=0) * middle, axis=0), rel=1e-4)


def test_value_lies_between_own_average_and_everybodys():
    model = GammaGamma.from_parameters(4.0, 3.5, 30.0)
    mean = 4.0 * 30.0 / 2.5
    for own in (5.0, 500.0):
        values = model.predict_value(np.arange(1, 50), np.full(49, own))
        assert np.all((values - own) * (values - mean) < 0)
        assert np.all(np.diff(np.abs(values - own)) < 0)
    assert model.predict_value([0], [np.nan])[0] == pytest.approx(mean)


def test_bg_nbd_believes_every_one_time_buyer_alive_and_mbg_does_not():
    history = [0, 0], [0.0, 0.0], [1.0, 5000.0]
    bg = MBGNBD.from_parameters(0.5, 6.0, 0.9, 1.6, dropout_at_start=False)
    mbg = MBGNBD.from_parameters(0.5, 6.0, 0.9, 1.6)
    assert bg.predict_p_alive(*history).tolist() == [1.0, 1.0]
    assert np.all(mbg.predict_p_alive(*history) < 0.65)
