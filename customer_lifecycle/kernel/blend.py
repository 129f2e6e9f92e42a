"""Weights over several forecasts, learnt from what came true.

All weights are non-negative with sum 1. With a free sum, absolute errors would teach to
forecast too little, as they are smallest at the median, and totals would be wrong.
"""

import numpy as np
from scipy.optimize import minimize

from .metrics import ABSOLUTE_SLACK, LEAST_EXPECTED, poisson_deviance

# So high a power makes the worst of the ratios count: being good at one is no excuse.
_POWER = 60


def order_weights(windows, prior, strength):
    """Return the weights of forecasts of numbers of orders.

    They minimise, on average over the windows, the power mean of RMSE, root of the Poisson
    deviance and MAE, each relative to that of the best single method there, plus ``strength``
    times the squared distance from ``prior``. The first two are smallest at means; the third,
    smallest at medians, counts only where it is larger than the best by more than the slack.
    Windows are judged one by one, so that one with more customers or orders than the others, or
    of another season, does not decide alone.

    :param windows: for each window of the past a tuple of the forecasts (array customers by
        candidates), the actual orders, MAE, RMSE and deviance of the best single method in
        each, and its trust
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
    """Power mean of the errors of the blend relative to ``least``, and its gradient."""
    mae, rmse, deviance = least
    forecast = forecasts @ w
    miss = forecast - actual
    size = np.sqrt(miss**2 + (1e-3 * mae) ** 2)
    root = np.sqrt(max(np.mean(miss**2), 1e-12 * rmse**2))
    unlikely = np.sqrt(max(poisson_deviance(forecast, actual), 1e-12) / deviance)
    ratios = np.array([root / rmse, unlikely, size.mean() / (ABSOLUTE_SLACK * mae)])
    slopes = (
        miss / (root * rmse),
        (1.0 - actual / np.maximum(forecast, LEAST_EXPECTED)) / (unlikely * deviance),
        miss / (size * ABSOLUTE_SLACK * mae),
    )
    worst = ratios.max()
    parts = ratios / worst
    mean = np.mean(parts**_POWER)
    factors = mean ** (1 / _POWER - 1) / len(parts) * parts ** (_POWER - 1)
    slope = sum(factor * each for factor, each in zip(factors, slopes, strict=True))
    return worst * mean ** (1 / _POWER), slope @ forecasts / len(actual)


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
