"""Distinct purchase histories with counts: the sufficient statistics of the purchase models.

The likelihoods depend on a customer only through (x, t_x, T). A million customers have a
third as many distinct histories, and the counts of two ranges of customers add up.
"""

from typing import NamedTuple

import numpy as np


class HistoryCounts(NamedTuple):
    """Distinct (x, t_x, T) with the number of customers that have them."""

    x: np.ndarray
    t_x: np.ndarray
    T: np.ndarray
    weight: np.ndarray


def as_histories(x, t_x, T):
    """Return x, t_x, T as float arrays of one length, or say what is wrong with them.

    :param x: repeat purchases, whole numbers >= 0
    :param t_x: time from first to last purchase, 0 <= t_x <= T
    :param T: time from first purchase to the end of observation
    :raise ValueError: if lengths differ or a value is impossible
    """
    x, t_x, T = (np.atleast_1d(np.asarray(values, dtype=float)) for values in (x, t_x, T))
    if x.ndim != 1 or not x.shape == t_x.shape == T.shape:
        raise ValueError("x, t_x and T must be one-dimensional and of one length.")
    if x.size == 0:
        return x, t_x, T
    # A NaN fails every comparison, so these also refuse missing values.
    if not (x.min() >= 0 and np.isfinite(x.max()) and np.all(x == np.floor(x))):
        raise ValueError("x must be whole numbers of repeat purchases, 0 or more.")
    if not (t_x.min() >= 0 and np.all(t_x <= T) and np.isfinite(T.max())):
        raise ValueError("Each history needs 0 <= t_x <= T and a finite T.")
    return x, t_x, T


def count_histories(x, t_x, T, weights=None):
    """Count customers per distinct (x, t_x, T).

    :param weights: customers that each row stands for; default 1
    :return: :class:`HistoryCounts`, sorted by x, T, t_x
    """
    x, t_x, T = as_histories(x, t_x, T)
    if x.size == 0:
        return HistoryCounts(x, t_x, T, np.zeros(0))
    x_values, x_code = distinct(x)
    t_values, t_code = distinct(t_x)
    T_values, T_code = distinct(T)
    key = (x_code * len(T_values) + T_code) * len(t_values) + t_code
    if weights is None:
        key, weight = np.unique(key, return_counts=True)
        weight = weight.astype(float)
    else:
        weights = np.asarray(weights, dtype=float)
        if weights.shape != x.shape or not np.all(weights >= 0):
            raise ValueError("weights must be 0 or more, one for each history.")
        key, inverse = np.unique(key, return_inverse=True)
        weight = np.bincount(inverse, weights)
    key, t_code = np.divmod(key, len(t_values))
    x_code, T_code = np.divmod(key, len(T_values))
    return HistoryCounts(x_values[x_code], t_values[t_code], T_values[T_code], weight)


def distinct_pairs(x, T):
    """Return the distinct (x, T) as :class:`HistoryCounts`, t_x = 0, and each row's index."""
    x_values, x_code = distinct(x)
    T_values, T_code = distinct(T)
    key = x_code * len(T_values) + T_code
    size = len(x_values) * len(T_values)
    if size <= max(4 * len(key), 1_000_000):
        # A table of all combinations is faster than sorting.
        count = np.bincount(key, minlength=size)
        known = np.flatnonzero(count)
        place = np.zeros(size, dtype=np.int64)
        place[known] = np.arange(len(known))
        lookup, weight = place[key], count[known]
    else:
        known, lookup, weight = np.unique(key, return_inverse=True, return_counts=True)
    x_code, T_code = np.divmod(known, len(T_values))
    zero = np.zeros(len(known))
    return HistoryCounts(x_values[x_code], zero, T_values[T_code], weight.astype(float)), lookup


def merge_counts(*parts):
    """Return the counts of several ranges of customers together."""
    return count_histories(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def distinct(values):
    """Return (sorted distinct values, index of each among them).

    What ``numpy.unique`` does, without sorting where values are whole and not huge.
    """
    if len(values) and 0 <= values.min() and values.max() < 1_000_000:
        codes = values.astype(np.int64)
        if np.array_equal(codes, values):
            known = np.flatnonzero(np.bincount(codes))
            place = np.zeros(known[-1] + 1, dtype=np.int64)
            place[known] = np.arange(len(known))
            return known.astype(float), place[codes]
    return np.unique(values, return_inverse=True)
