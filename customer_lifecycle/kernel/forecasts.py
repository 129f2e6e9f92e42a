"""The forecasts that are compared and blended: the models and simple rules.

Those named here are always there; registered estimators that compete (:mod:`~.estimator`) stand
beside them, after them in the order of their names.

All of them are means. What is near the median, which is 0 for most customers, would lower absolute
errors and make every total too low.
"""

import numpy as np

# Candidates of the blend of orders, with the weights where nothing could be learnt.
ORDERS = {
    "model_k": 1.0,
    "model_k1": 0.0,
    "recent": 0.0,
    "past": 0.0,
}
# Candidates of the blend of the probability of an order, likewise.
CHANCE = {"model_k": 0.5, "model_k1": 0.5, "recent": 0.0, "past": 0.0, "recency": 0.0}


def past_rate(x, T, t):
    """Orders within ``t`` at the customer's own rate so far, x / T; none where T is 0."""
    return np.divide(x * float(t), T, out=np.zeros(len(T)), where=T > 0)


def order_candidates(t, orders_k, orders_k1, x, T, recent):
    """Return the forecasts named in :data:`ORDERS` as columns.

    ``recent`` repeats the last period, ``past`` the own rate. For customers younger than the
    period both are completed by the model for the time not yet seen: raw, they would count a
    first purchase as a habit, by as much as the log's age has it.

    :param t: length of the period
    :param orders_k, orders_k1: expected orders of the models with the chosen k and with 1
    """
    last, past = _own(t, orders_k, x, T, np.clip(recent, 0.0, x + 1.0))
    return np.column_stack((orders_k, orders_k1, last, past))


def chance_candidates(t, p_k, p_k1, orders_k, x, t_x, T, recent):
    """Return the forecasts named in :data:`CHANCE` as columns, see :func:`order_candidates`.

    Numbers of orders count by their Poisson probability; ``recency`` falls with the time
    since the last purchase, measured in periods.
    """
    last, past = _own(t, orders_k, x, T, np.clip(recent, 0.0, x + 1.0))
    return np.column_stack((p_k, p_k1, -np.expm1(-last), -np.expm1(-past), np.exp((t_x - T) / t)))


def _own(t, orders_k, x, T, recent):
    """Last period's and past-rate orders, completed by the model for young customers."""
    mixed = x + (1.0 - np.minimum(T / t, 1.0)) * orders_k
    old = t <= T
    return np.where(old, recent, mixed), np.where(old, past_rate(x, T, t), mixed)
