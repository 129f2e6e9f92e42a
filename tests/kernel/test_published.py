"""Published figures on the CDNOW sample, in weeks, calibration to 1997-09-30."""

import numpy as np
import pytest

from customer_lifecycle.kernel import (
    MBGNBD,
    GammaGamma,
    ParetoNBD,
    histories_from_transactions,
    repeat_amounts,
)
from customer_lifecycle.kernel.histories import ledger, purchases_between


@pytest.fixture(scope="module")
def weeks(cdnow, day):
    """Histories (x, t_x, T) of the calibration; free orders count, as in the papers."""
    h = histories_from_transactions(*cdnow, end=day("1997-09-30"), free_orders=True)
    return h.x, h.t_x / 7, h.T / 7


def assert_published(model, log_likelihood, **parameters):
    assert model.parameters_ == pytest.approx(parameters, rel=0.005)
    assert model.log_likelihood_ == pytest.approx(log_likelihood, abs=0.05)


def test_bg_nbd_is_that_of_fader_hardie_lee_2005_table_2(weeks):
    model = MBGNBD(dropout_at_start=False, prior=False).fit(*weeks)
    assert_published(model, -9582.429, r=0.2426, alpha=4.4136, a=0.7929, b=2.4259)


def test_mbg_nbd_is_that_of_lifetimes_test(weeks):
    model = MBGNBD(prior=False).fit(*weeks)
    assert_published(model, -9582.136, r=0.5248, alpha=6.1831, a=0.8914, b=1.6140)


def test_pareto_nbd_is_that_of_fader_hardie_lee_2005(weeks):
    model = ParetoNBD().fit(*weeks)
    assert_published(model, -9594.976, r=0.5533, alpha=10.5776, s=0.6063, beta=11.6719)


def test_gamma_gamma_is_that_of_fader_hardie_2013(cdnow, day):
    n, mean = repeat_amounts(*cdnow, end=day("1997-09-30"), free_orders=True)
    assert len(n) == 946
    model = GammaGamma(prior=False).fit(n, mean)
    assert_published(model, -4055.918, p=6.2496, q=3.7442, v=15.4435)


def test_bg_expected_orders_is_that_of_hardies_sheet():
    model = MBGNBD.from_parameters(0.2426, 4.4136, 0.7929, 2.4259, dropout_at_start=False)
    assert model.predict_orders(39, [2], [30.43], [38.86])[0] == pytest.approx(1.2259, abs=2e-4)


def test_mbg_holdout_totals_and_errors(weeks, cdnow, day):
    end = day("1997-09-30")
    days = ledger(*cdnow, free_orders=True)
    h = histories_from_transactions(*cdnow, end=end, free_orders=True)
    actual, _ = purchases_between(days, h.customer, end, end + 39 * 7)
    forecast = MBGNBD(prior=False).fit(*weeks).predict_orders(39, *weeks)
    error = forecast - actual
    assert len(h) == 2357
    assert actual.sum() == 1882
    assert forecast.sum() == pytest.approx(1577, abs=1)
    assert np.abs(error).mean() == pytest.approx(0.765, abs=0.001)
    assert np.sqrt((error**2).mean()) == pytest.approx(1.607, abs=0.001)
    assert np.corrcoef(forecast, actual)[0, 1] == pytest.approx(0.627, abs=0.001)
    once = h.x == 0
    assert actual[once].mean() == pytest.approx(0.2367, abs=1e-4)
    assert forecast[once].mean() == pytest.approx(0.185, abs=0.001)


def test_weak_prior_costs_little_at_full_size(weeks):
    free, weak = MBGNBD(prior=False).fit(*weeks), MBGNBD().fit(*weeks)
    assert 0 <= free.log_likelihood_ - weak.log_likelihood_ < 1.7
