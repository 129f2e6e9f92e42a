"""Weights over several forecasts of orders, learnt from what came true."""

import numpy as np
from scipy.optimize import minimize

# Absolute errors are smallest at medians, squared ones at means, and with them totals. The
# total is what a forecast of value is for, so squared errors count more.
ABSOLUTE_SHARE = 0.5


def loss(absolute, squared, absolute_share=ABSOLUTE_SHARE):
    """One figure from MAE and RMSE, each relative to that of the best forecast."""
    return absolute_share * absolute + squared


def simplex_weights(forecasts, actual, row_weight, prior, strength):
    """Return weights w >= 0 with sum 1 of the columns of ``forecasts``.

    A free sum would learn to forecast too little, which is what absolute errors reward. The
    weights minimise :func:`loss` plus ``strength`` times the squared distance from ``prior``.

    :param forecasts: array (customers, candidates)
    :param actual: orders of each customer
    :param row_weight: weight of each customer
    :param prior: weights to stay near where data say little
    """
    prior = np.asarray(prior, dtype=float)
    share = row_weight / row_weight.sum()
    error = forecasts - actual[:, None]
    mae, mse = (share @ np.abs(error)).min(), (share @ error**2).min()
    if not (mae > 0 and mse > 0):
        return prior
    rmse, smooth = np.sqrt(mse), 1e-3 * mae

    def objective(w):
        miss = forecasts @ w - actual
        size = np.sqrt(miss**2 + smooth**2)
        root = np.sqrt(max(share @ miss**2, 1e-12 * mse))
        away = w - prior
        value = loss(share @ size / mae, root / rmse) + strength * away @ away
        gradient = (
            loss(
                (share * miss / size) @ forecasts / mae,
                (share * miss) @ forecasts / root / rmse,
            )
            + 2 * strength * away
        )
        return value, gradient

    ones = np.ones(len(prior))
    result = minimize(
        objective,
        prior,
        jac=True,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * len(prior),
        constraints=[{"type": "eq", "fun": lambda w: w.sum() - 1.0, "jac": lambda w: ones}],
        options={"maxiter": 200, "ftol": 1e-9},
    )
    weights = np.clip(result.x, 0.0, None)
    return weights / weights.sum() if np.isfinite(weights).all() and weights.sum() else prior
