"""The facade: what it stores, says about itself, and promises about its outputs."""

import json

import numpy as np
import pytest

from customer_lifecycle.kernel import (
    MBGNBD,
    STATE_VERSION,
    LifetimeModel,
    histories_from_transactions,
    simulate_transactions,
)
from customer_lifecycle.kernel.interval import level_error
from customer_lifecycle.kernel.rhythm import WIDEST, next_purchase

END, HORIZON = 900, 200
PARAMETERS = {"r": 2.5, "alpha": 60.0, "a": 0.5, "b": 4.0}
VALUE = {"p": 4.0, "q": 3.5, "v": 30.0}


@pytest.fixture(scope="module")
def log():
    return simulate_transactions(1200, PARAMETERS, END, k=2, value=VALUE, random_state=6)


@pytest.fixture(scope="module")
def model(log):
    return LifetimeModel(horizon=HORIZON).fit(*log, end=END)


@pytest.fixture(scope="module")
def histories(log):
    return histories_from_transactions(*log, end=END, horizon=HORIZON)


def predict(model, h):
    return model.predict(h.x, h.t_x, h.T, h.value, h.recent, pace=h.pace)


def same(one, other):
    return all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)
        for name in one.__dataclass_fields__
    )


def test_json_round_trip_predicts_exactly_alike(model, histories):
    text = json.dumps(model.to_dict(), allow_nan=False)
    # A database may give the keys back in another order.
    other = LifetimeModel.from_dict(json.loads(json.dumps(json.loads(text), sort_keys=True)))
    assert same(predict(other, histories), predict(model, histories))
    interval = (3, 200, 260, 55.0, 1)
    assert other.predict_interval(*interval) == model.predict_interval(*interval)
    for name in ("k_", "weights_", "missing_", "sufficient_", "backtest_", "n_customers_"):
        assert getattr(other, name) == getattr(model, name)
    for version in (STATE_VERSION - 1, None):
        with pytest.raises(ValueError, match="another version"):
            LifetimeModel.from_dict(model.to_dict() | {"version": version})


def test_fit_is_deterministic(model, log):
    order = np.random.default_rng(0).permutation(len(log[0]))
    other = LifetimeModel(horizon=HORIZON).fit(*(column[order] for column in log), end=END)
    assert other.parameters_ == model.parameters_
    assert other.weights_ == model.weights_
    assert other.backtest_["deciles"] == model.backtest_["deciles"]


def test_many_customers_are_predicted_in_parts_alike(model, histories, monkeypatch):
    whole = predict(model, histories)
    monkeypatch.setattr("customer_lifecycle.kernel.lifetime._BATCH", 100)
    parts = predict(model, histories)
    for name in whole.__dataclass_fields__:
        # numpy may round differently in arrays of another length
        assert getattr(parts, name) == pytest.approx(getattr(whole, name), rel=1e-12, nan_ok=True)


def test_backtest_looks_at_nothing_it_could_not_know(log):
    """Changing what came after the calibration changes its outcome, not its forecast."""
    customer, day, amount = log
    until = END - HORIZON
    known = day <= until
    cut = LifetimeModel(horizon=HORIZON).fit(customer[known], day[known], amount[known], end=until)
    full = LifetimeModel(horizon=HORIZON).fit(*log, end=END)
    shifted = day.copy()
    shifted[~known] = np.minimum(day[~known] + 3, END)
    other = LifetimeModel(horizon=HORIZON).fit(customer, shifted, amount, end=END)
    assert full.backtest_["calibration_end"] == until
    for result in (full.backtest_, other.backtest_, cut.evaluate(*log, END)):
        assert result["weights"] == cut.weights_
        assert result["k"] == cut.k_
        predicted = [part["predicted"] for part in result["deciles"]]
        assert predicted == [part["predicted"] for part in full.backtest_["deciles"]]


def test_evaluation_judges_what_predict_says(log):
    customer, day, amount = log
    until = END - HORIZON
    model = LifetimeModel(horizon=HORIZON).fit(*log, end=until)
    h = histories_from_transactions(*log, end=until, horizon=HORIZON)
    orders = predict(model, h).expected_orders
    result = model.evaluate(*log, END)
    actual = result["actual_orders"]
    bias = result["methods"]["product"]["bias_pct"]
    assert 100 * (orders.sum() / actual - 1) == pytest.approx(bias, abs=1e-6)


def test_backtest_deciles_fall_and_count_everybody(model):
    parts = model.backtest_["deciles"]
    predicted = [part["predicted"] for part in parts]
    assert len(parts) == 10 and predicted == sorted(predicted, reverse=True)
    assert sum(part["customers"] for part in parts) == model.backtest_["n_customers"]
    assert parts[0]["actual"] > 3 * parts[-1]["actual"]


def test_chances_are_calibrated(log):
    until = END - HORIZON
    model = LifetimeModel(horizon=HORIZON).fit(*log, end=until)
    h = histories_from_transactions(*log, end=until, horizon=HORIZON)
    customer, day, _ = log
    later = np.isin(h.customer, customer[(day > until) & (day <= END)])
    chance = predict(model, h).p_order
    for low, high in ((0.0, 0.2), (0.2, 0.8), (0.8, 1.01)):
        part = (chance >= low) & (chance < high)
        assert later[part].mean() == pytest.approx(chance[part].mean(), abs=0.08)


def test_intervals_hold_as_many_customers_as_they_say(log):
    until = END - HORIZON
    model = LifetimeModel(horizon=HORIZON).fit(*log, end=until)
    h = histories_from_transactions(*log, end=until, horizon=HORIZON)
    customer, day, amount = log
    future = (day > until) & (day <= END)
    inside = []
    for i in range(0, len(h), 6):
        found = model.predict_interval(
            h.x[i], h.t_x[i], h.T[i], h.value[i], h.recent[i], level=0.8, draws=800
        )
        mine = future & (customer == h.customer[i])
        (low, high), total = found["value"], amount[mine].sum()
        inside.append(low <= total <= high)
    # Whole numbers and zeros make them hold a little more than they must.
    assert 0.76 <= np.mean(inside) <= 0.95


def test_interval_widens_with_level_and_with_the_errors_of_the_past(model):
    history = (8, 300, 330, 40.0, 5)
    narrow = model.predict_interval(*history, level=0.5)
    wide = model.predict_interval(*history, level=0.95)
    assert wide["orders"][0] <= narrow["orders"][0] < narrow["orders"][1] <= wide["orders"][1]
    wrong = LifetimeModel.from_dict(model.to_dict())
    wrong.backtest_ = json.loads(json.dumps(model.backtest_))
    wrong.backtest_["methods"]["product"]["bias_pct"] = -55.0
    off = wrong.predict_interval(*history, level=0.5)
    assert off["orders"][1] - off["orders"][0] > narrow["orders"][1] - narrow["orders"][0]
    assert level_error(wrong.backtest_) > level_error(model.backtest_)
    assert level_error(None) > 0.2
    with pytest.raises(ValueError, match="level"):
        model.predict_interval(*history, level=1.0)


def test_next_date_is_counted_from_the_last_purchase_and_does_not_move(model):
    early = model.predict([6, 6], [300, 300], [301, 340], [50, 50], [3, 3])
    assert early.next_in[0] == early.next_in[1]
    assert 20 < early.next_in[0] < 80  # six gaps in 300 days


def test_next_date_window_holds_half_of_the_gaps(log):
    model = MBGNBD(2).fit(*_columns(log))
    customer, day, _ = log
    gap, known = [], []
    for c in range(400):
        days = np.unique(day[customer == c])
        for i in range(3, len(days)):
            known.append((i - 1, days[i - 1] - days[0]))
            gap.append(days[i] - days[i - 1])
    x, t_x = np.array(known).T
    middle, low, high = next_purchase(model, x, t_x)
    gap, dated = np.array(gap), np.isfinite(middle)
    assert dated.mean() > 0.5
    inside = (gap >= low) & (gap <= high)
    assert inside[dated].mean() == pytest.approx(0.5, abs=0.06)


def _columns(log):
    h = histories_from_transactions(*log, end=END)
    return h.x, h.t_x, h.T


def test_no_date_without_a_regular_rhythm():
    random = MBGNBD.from_parameters(5.0, 200.0, 0.5, 5.0, k=1)
    regular = MBGNBD.from_parameters(5.0, 30.0, 0.5, 5.0, k=4)
    x, t_x = np.array([0, 1, 2, 10]), np.array([0.0, 40.0, 80.0, 400.0])
    assert np.isnan(next_purchase(random, x, t_x)[0]).all()
    middle, low, high = next_purchase(regular, x, t_x)
    assert np.isnan(middle).tolist() == [True, True, False, False]
    assert np.all((high - low)[2:] <= WIDEST * middle[2:])


def test_options_are_checked():
    nothing = np.zeros(0, int), np.zeros(0, int), np.zeros(0)
    with pytest.raises(ValueError, match="horizon"):
        LifetimeModel(horizon=0).fit(*nothing)
    with pytest.raises(ValueError, match="discount_rate"):
        LifetimeModel(discount_rate=-0.1).fit(*nothing)
    with pytest.raises(ValueError, match="k must be"):
        MBGNBD(k=0).fit([1], [1], [2])


def test_value_model_falls_back_and_says_why(log):
    customer, day, amount = log
    frequent = np.bincount(customer)[customer]
    model = LifetimeModel(horizon=HORIZON).fit(customer, day, amount * frequent**2, end=END)
    assert model.value_model_["method"] == "shrunken_mean"
    assert "depends on frequency" in model.value_model_["reason"]
    few = customer < 25
    model = LifetimeModel(horizon=HORIZON).fit(customer[few], day[few], amount[few], end=END)
    assert "repeat buyers" in model.value_model_["reason"]
    assert LifetimeModel(horizon=HORIZON).fit(*log, end=END).value_model_["reason"] is None
