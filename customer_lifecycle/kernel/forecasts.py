"""The forecasts that are compared and blended: two models and two simple rules."""

import numpy as np

CANDIDATES = ("model_k", "model_k1", "recent_rate", "past_rate")


def past_rate(x, T, t):
    """Orders within ``t`` at the customer's own rate so far, x / T."""
    return np.divide(x * float(t), T, out=np.zeros(len(x)), where=T > 0)


def same_as_last_period(recent):
    """As many orders as in the period before, of the same length."""
    return recent.astype(float)


def recent_rate(x, T, recent, t):
    """Orders within ``t`` at the rate of the last ``t`` days.

    For customers who are younger than that, at the rate since the first purchase, which does
    not count itself: everybody has made one.
    """
    young = t > T
    orders = np.clip(recent, 0, x + 1) - young
    return np.divide(orders * float(t), np.minimum(T, t), out=np.zeros(len(x)), where=T > 0)


def candidate_matrix(orders_k, orders_k1, x, T, recent, t):
    """Return the forecasts of :data:`CANDIDATES` as columns."""
    return np.column_stack((orders_k, orders_k1, recent_rate(x, T, recent, t), past_rate(x, T, t)))
