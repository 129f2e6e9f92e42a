"""Posterior-predictive simulation of one customer's future."""

import numpy as np

_MOST_ORDERS = 20_000
_UNKNOWN_ERROR, _LARGEST_ERROR = 0.3, 1.0


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


def draw_orders(model, t, x, t_x, T, scale, generator):
    """Draw the number of orders in (T, T + t] of one customer with this history.

    :param model: fitted :class:`~.mbgnbd.MBGNBD`
    :param scale: factor on the rate for each draw (array)
    :return: whole numbers as floats, one a draw
    """
    draws, k = len(scale), model.k
    alive = generator.uniform(size=draws) < model.p_alive([x], [t_x], [T])[0]
    weights = np.array([w[0] for w in model.phase_weights([x], [t_x], [T])])
    passed = generator.choice(k, draws, p=weights / weights.sum())
    shape = model.r_ + k * x + passed
    rate = generator.gamma(shape) / (model.alpha_ + T) * scale
    dropout = generator.beta(model.a_, model.b_ + x + model.dropout_at_start, draws)
    orders = np.zeros(draws)
    # Phases within t are Poisson; every k-th is an order, after each of which he may leave.
    phases = generator.poisson(np.minimum(rate * t, k * _MOST_ORDERS))
    possible = (phases + passed) // k
    # Orders until the one that he leaves after; the logs keep tiny probabilities apart from 0.
    with np.errstate(divide="ignore"):
        until = np.ceil(np.log(generator.uniform(size=draws)) / np.log1p(-dropout))
    orders[alive] = np.minimum(possible, np.maximum(until, 1.0))[alive]
    return orders
