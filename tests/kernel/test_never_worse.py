"""The product's own method is not worse than the best single method or naive rule.

On one log the best of four methods in hindsight is partly the luckiest: a log counts against
the product only where the customers it was measured on could not have made it by chance.
"""

import numpy as np
import pytest

from customer_lifecycle.kernel.backtest import evaluate, learn, look_back
from customer_lifecycle.kernel.forecasts import past_rate
from customer_lifecycle.kernel.histories import ledger

from .zoo import LOGS, december_donors, small_business

SINGLES = ("model", "model_k1", "past_rate", "same_as_last_period")


def forecasts(log, calibration_end, holdout_end):
    """Return (what was learnt, forecasts with the product's first, actual orders)."""
    window = holdout_end - calibration_end
    days = ledger(*log, holdout_end)
    learnt = learn(days, calibration_end, window)
    outlook = look_back(days, calibration_end, window, sorted({1, learnt.k}))
    h = outlook.histories
    columns = (
        learnt.orders(outlook.candidates(learnt.k)),
        outlook.orders(learnt.k), outlook.orders(1), past_rate(h.x, h.T, window), h.recent,
    )  # fmt: skip
    return learnt, np.column_stack(columns), outlook.actual


def ratios(predicted, actual, draws=300):
    """MAE and RMSE of the product relative to the best single's, and paired bootstraps of both."""
    error = predicted - actual[:, None]
    generator = np.random.default_rng(0)
    picks = generator.multinomial(len(actual), np.full(len(actual), 1 / len(actual)), draws)
    found = []
    for loss, root in ((np.abs(error), lambda v: v), (error**2, np.sqrt)):
        whole, drawn = root(loss.mean(axis=0)), root(picks @ loss / len(actual))
        best = 1 + np.argmin(whole[1:])
        found.append((whole[0] / whole[best], drawn[:, 0] / drawn[:, best]))
    return found


@pytest.fixture(scope="module")
def outcomes():
    """Ratios of the logs of all kinds of business."""
    return {
        name: ratios(*forecasts(*make(np.random.default_rng(22)))[1:])
        for name, make in LOGS.items()
    }


@pytest.mark.parametrize("name", LOGS)
def test_no_kind_of_business_is_served_worse_than_by_the_best_single(outcomes, name):
    for ratio, drawn in outcomes[name]:
        # Within 1 %, or nearer to it than such a log can tell.
        assert ratio <= 1.01 or np.quantile(drawn, 0.05) <= 1.01
        assert ratio <= 1.03


def test_kinds_of_business_are_served_better_on_average(outcomes):
    by_mae, by_rmse = np.array([[ratio for ratio, _ in pair] for pair in outcomes.values()]).T
    assert np.mean(by_mae) <= 0.97 and np.mean(by_rmse) <= 0.97
    assert np.mean(by_mae <= 1.01) >= 0.85 and np.mean(by_rmse <= 1.01) >= 0.85


def test_few_hundred_customers_teach_to_leave_a_model_that_does_not_fit():
    # Who gives every December is hardly forecast by rates; repeating last year is.
    worst = [
        max(ratio for ratio, _ in ratios(*forecasts(*december_donors(generator, 300))[1:]))
        for generator in map(np.random.default_rng, (21, 22, 23))
    ]
    assert np.mean(worst) <= 1.1


def test_evaluation_tells_the_same_errors():
    log, calibration_end, holdout_end = small_business(np.random.default_rng(5))
    learnt, predicted, actual = forecasts(log, calibration_end, holdout_end)
    methods = evaluate(ledger(*log), calibration_end, holdout_end, learnt)["methods"]
    for i, name in enumerate(("product", *SINGLES)):
        assert methods[name]["mae"] == pytest.approx(np.abs(predicted[:, i] - actual).mean())


def test_season_of_earlier_years_moves_the_level():
    learnt, predicted, actual = forecasts(*LOGS["seasonal_wholesale"](np.random.default_rng(23)))
    product, model = predicted[:, 0].sum() / actual.sum(), predicted[:, 1].sum() / actual.sum()
    assert learnt.seasons >= 2
    assert model < 0.75 and product > model + 0.1


def test_growing_silence_moves_the_level_down():
    make = LOGS["groceries_losing_ground"]
    learnt, predicted, actual = forecasts(*make(np.random.default_rng(22)))
    assert learnt.seasons == 0 and learnt.level < 0.9
    assert abs(predicted[:, 0].sum() / actual.sum() - 1) < 0.15


def test_steady_business_keeps_its_level():
    learnt, _, _ = forecasts(*LOGS["groceries"](np.random.default_rng(22)))
    assert learnt.level == pytest.approx(1.0, abs=0.02)
