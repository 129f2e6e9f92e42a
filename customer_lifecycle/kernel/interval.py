"""Posterior-predictive simulation of customers' futures, and ranges that hold what they promise.

In: histories, the fitted models, and what a back-test's customers brought. Out: draws of orders,
and the range between two levels of draws. Called by the back-test and by what predicts one
customer.
"""

import numpy as np
from scipy.special import ndtr, ndtri

_MOST_ORDERS = 20_000
_UNKNOWN_ERROR, _LARGEST_ERROR = 0.3, 1.0
# What the back-test's ranges are held against, and how far it may move them.
_HELD, _WIDTHS, _PRIOR_CUSTOMERS, _MOSTLY_NOTHING = 0.8, (0.5, 3.0), 30.0, 0.5
_NARROWER = 0.7


def level_error(backtest):
    """Standard deviation of the log of the level that forecasts of the total may be off by.

    The back-test's own error of the total, or what its random part alone would give; 30 %
    where there was no back-test.
    """
    if not backtest or not backtest["actual_orders"] > 0:
        return _UNKNOWN_ERROR
    off = 1.0 + backtest["methods"]["product"]["bias_pct"] / 100.0
    seen = abs(np.log(off)) if off > 0 else _LARGEST_ERROR
    return float(min(max(seen, backtest["actual_orders"] ** -0.5), _LARGEST_ERROR))


def draw_orders(model, t, x, t_x, T, blend, error, draws, generator):
    """Draw the numbers of orders in (T, T + t] of customers with these histories.

    :param model: fitted :class:`~.mbgnbd.MBGNBD`
    :param blend: expected orders that the draws should have instead of the model's, or None
    :param error: see :func:`level_error`
    :return: whole numbers as floats, array (draws, customers)
    """
    k, history = model.k, (x, t_x, T)
    x, T = np.asarray(x, dtype=float), np.asarray(T, dtype=float)
    p_alive, factor, size = model.predict_p_alive(*history), 1.0, (draws, len(x))
    if blend is not None:
        own = model.predict_orders(t, *history)
        ratio = np.divide(blend, own, out=np.ones(len(own)), where=own > 0)
        # What differs a lot differs in being a customer still, not in the rate.
        factor = np.clip(ratio, 0.5, 2.0)
        p_alive = np.minimum(p_alive * ratio / factor, 1.0)
    alive = generator.uniform(size=size) < p_alive
    reached = np.cumsum(model.phase_weights(*history), axis=0)
    passed = np.minimum((generator.uniform(size=size)[None] > reached[:, None]).sum(axis=0), k - 1)
    rate = generator.gamma(model.r_ + k * x + passed) / (model.alpha_ + T)
    rate *= factor * np.exp(generator.normal(0.0, error, size))
    dropout = generator.beta(model.a_, model.b_ + x + model.dropout_at_start, size)
    # Phases within t are Poisson; every k-th is an order, after each of which he may leave.
    phases = generator.poisson(np.minimum(rate * t, k * _MOST_ORDERS))
    with np.errstate(divide="ignore", over="ignore"):
        until = np.ceil(np.log(generator.uniform(size=size)) / np.log1p(-dropout))
    return np.where(alive, np.minimum((phases + passed) // k, np.maximum(until, 1.0)), 0.0)


def learn_width(totals, came, generator):
    """Return by how much ranges have to be wider, or narrower, to hold what they promise.

    What came has a level among the draws; as a standard normal number it lies within 1.28 of
    the middle in 80 % of cases, and the factor is what makes it so.

    :param totals: draws of customers' value in a past window, array (draws, customers)
    :param came: what each brought
    """
    # of whom nothing is the most likely nothing can be learnt
    told = (totals == 0).mean(axis=0) < _MOSTLY_NOTHING
    if not told.any():
        return 1.0
    totals, came = totals[:, told], np.maximum(came[told], 0.0)
    below, level = (totals < came).mean(axis=0), (totals <= came).mean(axis=0)
    level = below + generator.uniform(size=len(came)) * (level - below)
    # beyond all draws is half a draw beyond
    least = 0.5 / len(totals)
    away = np.abs(ndtri(np.clip(level, least, 1.0 - least)))
    found = np.clip(np.quantile(away, _HELD) / ndtri(0.5 + _HELD / 2), *_WIDTHS)
    # the time to come differs in ways that the one before did not
    believed = 1.0 if found > 1.0 else _NARROWER
    return float(found ** (believed * len(came) / (len(came) + _PRIOR_CUSTOMERS)))


def range_of(draws, level, width):
    """Return the range that holds one customer's draws with probability ``level``.

    Between two quantiles with as much outside on either side; from 0 on where more than that much
    lies at 0.

    :param width: see :func:`learn_width`
    """
    half = ndtr(width * ndtri((1 + level) / 2))
    if np.mean(draws == 0) >= 1.0 - half:
        return 0.0, float(np.quantile(draws, ndtr(width * ndtri(level))))
    return tuple(float(each) for each in np.quantile(draws, (1.0 - half, half)))
