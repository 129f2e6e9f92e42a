"""Fits find the parameters that a log was simulated with."""

import numpy as np
import pytest

from customer_lifecycle.kernel import (
    MBGNBD,
    GammaGamma,
    LifetimeModel,
    histories_from_transactions,
    simulate_transactions,
)
from customer_lifecycle.kernel.backtest import SHAPES
from customer_lifecycle.kernel.histories import ledger
from customer_lifecycle.kernel.rhythm import fit_rhythm

VALUE = {"p": 5.0, "q": 4.0, "v": 30.0}


@pytest.mark.parametrize("start", [True, False])
@pytest.mark.parametrize("k", [1, 3])
def test_purchase_parameters(k, start):
    truth = {"r": 0.9, "alpha": 90.0 / k, "a": 0.8, "b": 3.0}
    # Gaps of months: merging by day hardly changes them.
    log = simulate_transactions(
        60_000, truth, 2000, k=k, entry_days=400, dropout_at_start=start, random_state=2
    )
    h = histories_from_transactions(*log, end=2000)
    model = MBGNBD(k, dropout_at_start=start, prior=False).fit(h.x, h.t_x, h.T)
    assert model.parameters_ == pytest.approx(truth, rel=0.08)
    rate, leave = model.r_ / model.alpha_, model.a_ / (model.a_ + model.b_)
    assert rate == pytest.approx(0.9 / 90.0 * k, rel=0.04)
    assert leave == pytest.approx(0.8 / 3.8, rel=0.04)


def test_value_parameters():
    parameters = {"r": 2.0, "alpha": 60.0, "a": 0.5, "b": 5.0}
    log = simulate_transactions(20_000, parameters, 700, value=VALUE, random_state=3)
    customer, _, amount = log
    n = np.bincount(customer, minlength=20_000)
    mean = np.bincount(customer, amount, 20_000) / n
    assert GammaGamma().fit(n, mean).parameters_ == pytest.approx(VALUE, rel=0.05)


def test_small_data_with_prior_stay_near_the_truth():
    """Ten customers: plain likelihood runs to the boundary, the prior does not."""
    truth = {"r": 0.7, "alpha": 60.0, "a": 0.8, "b": 2.0}
    off = []
    for seed in range(40):
        log = simulate_transactions(10, truth, 600, entry_days=200, random_state=seed)
        h = histories_from_transactions(*log, end=600)
        model = MBGNBD().fit(h.x, h.t_x, h.T)
        off.append([model.parameters_[name] / truth[name] for name in truth])
    assert np.all((np.array(off) > 1 / 20) & (np.array(off) < 20))


@pytest.mark.parametrize("k", [1, 2, 4])
def test_rhythm_finds_the_regularity(k):
    parameters = {"r": 4.0, "alpha": 160.0 / k, "a": 0.4, "b": 6.0}
    log = simulate_transactions(1500, parameters, 900, k=k, random_state=8)
    assert fit_rhythm(ledger(*log), 900).k == k
    assert k in SHAPES


def test_a_regular_business_is_forecast_as_one():
    parameters = {"r": 3.0, "alpha": 40.0, "a": 0.3, "b": 6.0}
    log = simulate_transactions(3000, parameters, 900, k=3, random_state=9)
    model = LifetimeModel(horizon=120).fit(*log, end=900)
    assert model.k_ > 1
    methods = model.backtest_["methods"]
    assert methods["model"]["mae"] < 0.97 * methods["model_k1"]["mae"]
