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


def draw_orders(model, t, x, t_x, T, blend, error, draws, generator):
    """Draw the number of orders in (T, T + t] of one customer with this history.

    :param model: fitted :class:`~.mbgnbd.MBGNBD`
    :param blend: expected orders that the draws should have instead of the model's, or None
    :param error: see :func:`level_error`
    :return: whole numbers as floats, one a draw
    """
    k, history = model.k, ([x], [t_x], [T])
    p_alive, factor = model.predict_p_alive(*history)[0], 1.0
    if blend is not None:
        own = model.predict_orders(t, *history)[0]
        ratio = blend / own if own > 0 else 1.0
        # What differs a lot differs in being a customer still, not in the rate.
        factor = min(max(ratio, 0.5), 2.0)
        p_alive = min(p_alive * ratio / factor, 1.0)
    alive = generator.uniform(size=draws) < p_alive
    weights = np.array([weight[0] for weight in model.phase_weights(*history)])
    passed = generator.choice(k, draws, p=weights / weights.sum())
    rate = generator.gamma(model.r_ + k * x + passed) / (model.alpha_ + T)
    rate *= factor * np.exp(generator.normal(0.0, error, draws))
    dropout = generator.beta(model.a_, model.b_ + x + model.dropout_at_start, draws)
    # Phases within t are Poisson; every k-th is an order, after each of which he may leave.
    phases = generator.poisson(np.minimum(rate * t, k * _MOST_ORDERS))
    with np.errstate(divide="ignore", over="ignore"):
        until = np.ceil(np.log(generator.uniform(size=draws)) / np.log1p(-dropout))
    return np.where(alive, np.minimum((phases + passed) // k, np.maximum(until, 1.0)), 0.0)
