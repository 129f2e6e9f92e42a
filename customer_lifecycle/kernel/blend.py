"""Weights over several forecasts, learnt from what came true.

All weights are non-negative with sum 1. With a free sum, absolute errors would teach to
forecast too little, as they are smallest at the median, and totals would be wrong.
"""

import numpy as np
from scipy.optimize import minimize

# Absolute errors are smallest at medians, squared ones at means, and with them totals. So high
# a power makes the worse of the two ratios count: being good at one is no excuse.
_POWER = 60


def order_weights(windows, prior, strength):
    """Return the weights of forecasts of numbers of orders.

    They minimise, on average over the windows, the power mean of MAE and RMSE, each relative
    to that of the best single method there, plus ``strength`` times the squared distance from
    ``prior``. Windows are judged one by one, so that one with more customers or orders than
    the others, or of another season, does not decide alone.

    :param windows: for each window of the past a tuple of the forecasts (array customers by
        candidates), the actual orders, MAE and RMSE of the best single method, and its trust
    :param prior: weights to stay near where data say little
    """
    parts = [part for part in windows if min(part[2]) > 0]
    if not parts:
        return np.asarray(prior, dtype=float)
    trust = sum(part[3] for part in parts)

    def objective(w):
        value, gradient = 0.0, np.zeros(len(w))
        for forecasts, actual, least, weight in parts:
            error, slope = _relative_error(forecasts, actual, least, w)
            value += weight / trust * error
            gradient += weight / trust * slope
        return value, gradient

    return _minimize(objective, prior, strength)


def _relative_error(forecasts, actual, least, w):
    """Power mean of MAE and RMSE of the blend relative to ``least``, and its gradient."""
    mae, rmse = least
    miss = forecasts @ w - actual
    size = np.sqrt(miss**2 + (1e-3 * mae) ** 2)
    root = np.sqrt(max(np.mean(miss**2), 1e-12 * rmse**2))
    absolute, squared = size.mean() / mae, root / rmse
    worse = max(absolute, squared)
    absolute, squared = absolute / worse, squared / worse
    mean = (absolute**_POWER + squared**_POWER) / 2
    by_absolute = absolute ** (_POWER - 1) / mae
    by_squared = squared ** (_POWER - 1) / rmse
    slope = (miss * (by_absolute / size + by_squared / root)) @ forecasts / len(actual)
    return worse * mean ** (1 / _POWER), mean ** (1 / _POWER - 1) / 2 * slope


def chance_weights(forecasts, happened, row_weight, prior, strength):
    """Return the weights of forecasts of a probability: those with the least Brier score.

    :param forecasts: array (customers, candidates)
    :param happened: 1 where it came true, 0 elsewhere
    :param row_weight: weight of each customer
    :param prior, strength: as for :func:`order_weights`
    """
    share = row_weight / row_weight.sum()
    gram = (forecasts * share[:, None]).T @ forecasts
    cross = (forecasts * share[:, None]).T @ happened

    def objective(w):
        return w @ gram @ w - 2 * w @ cross, 2 * (gram @ w - cross)

    return _minimize(objective, prior, strength)


def _minimize(objective, prior, strength):
    prior = np.asarray(prior, dtype=float)
    ones = np.ones(len(prior))

    def penalized(w):
        value, gradient = objective(w)
        away = w - prior
        return value + strength * away @ away, gradient + 2 * strength * away

    result = minimize(
        penalized,
        prior,
        jac=True,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * len(prior),
        constraints=[{"type": "eq", "fun": lambda w: w.sum() - 1.0, "jac": lambda w: ones}],
        options={"maxiter": 200, "ftol": 1e-9},
    )
    if not np.isfinite(result.x).all():
        return prior
    # What SLSQP leaves below a ten-thousandth is rounding.
    weights = np.where(result.x > 1e-4, result.x, 0.0)
    return weights / weights.sum() if weights.sum() > 0 else prior
