"""Chances made to come true as often as they say.

In: chances forecast for past windows, and whether they came true. Out: a straight line of their
log odds, and a factor on the hazard of the next 30 days. Called by the learning.
"""

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

MONTH = 30
# The line stays near the chances as they are: so many customers that the prior stands for.
_SHIFT_CUSTOMERS, _SLOPE_CUSTOMERS = 15.0, 60.0
_SLOPES = (0.5, 2.0)
_INNER = 1e-6
# Variance of the log of the hazard's factor from one time to another, where few are known.
_BETWEEN = 0.02
_LARGEST, _LARGEST_YEARS = np.log(2.0), np.log(50.0)


def apply_line(chance, line):
    """Chances with their log odds moved by ``line`` (shift, slope); none stays none."""
    shift, slope = line
    if shift == 0.0 and slope == 1.0:
        return chance
    inner = np.clip(chance, _INNER, 1.0 - _INNER)
    return np.where(chance > 0, expit(shift + slope * logit(inner)), 0.0)


def scale_hazard(chance, factor):
    """Probability of at least one order when orders come ``factor`` times as often."""
    if factor == 1.0:
        return chance
    return -np.expm1(factor * np.log1p(-np.minimum(chance, 1.0 - 1e-12)))


def fit_line(chance, happened, row_weight):
    """Return (shift, slope): logistic regression on the log odds, drawn to (0, 1)."""
    odds = logit(np.clip(chance, 1e-4, 1.0 - 1e-4))
    prior, line = np.array([0.0, 1.0]), np.array([0.0, 1.0])
    # a customer of whom nothing is known says about a quarter: p (1 - p)
    strength = np.array([_SHIFT_CUSTOMERS, _SLOPE_CUSTOMERS]) / 4.0
    columns = np.column_stack((np.ones(len(odds)), odds))
    for _ in range(30):
        p = expit(columns @ line)
        slope = columns.T @ (row_weight * (happened - p)) - strength * (line - prior)
        curve = (columns * (row_weight * p * (1 - p))[:, None]).T @ columns + np.diag(strength)
        step = np.clip(np.linalg.solve(curve, slope), -1.0, 1.0)
        line = line + step
        if np.abs(step).max() < 1e-9:
            break
    return float(line[0]), float(np.clip(line[1], *_SLOPES))


def hazard_share(chance, model_chance, model_shorter):
    """Probability for a shorter time: that for the whole, with the model's share of the hazard."""
    limit = 1.0 - 1e-12
    whole = np.log1p(-np.minimum(model_chance, limit))
    part = np.log1p(-np.minimum(model_shorter, limit))
    share = np.divide(part, whole, out=np.zeros_like(part), where=whole < 0)
    return -np.expm1(np.clip(share, 0.0, 1.0) * np.log1p(-np.minimum(chance, limit)))


def month_level(windows, seasonal):
    """Factor on the hazard of the next 30 days.

    Believed as far as the windows agree: m^3 / (m^2 + variance) of the mean log m.

    :param windows: (chances, whether they came true) of earlier such windows
    :param seasonal: whether they are the same days of earlier years
    """
    off, noise = np.array([_off(*window) for window in windows]).T
    mean = off.mean()
    between = max(off.var(ddof=1) if len(off) > 1 else 0.0, _BETWEEN)
    variance = (between + noise.mean()) / len(off)
    largest = _LARGEST_YEARS if seasonal else _LARGEST
    found = mean**3 / (mean**2 + variance) if mean else 0.0
    return float(np.exp(np.clip(found, -largest, largest)))


def _off(chance, happened):
    """Log of the factor with which as many would have ordered as did, and its variance.

    One more is counted on either side: of few, none says little.
    """
    expected, came = chance.sum(), happened.sum() + 1.0
    wanted = expected * came / (expected + 1.0)

    def too_many(log_factor):
        return scale_hazard(chance, np.exp(log_factor)).sum() - wanted

    if expected <= 0.0 or too_many(-_LARGEST_YEARS) >= 0.0:
        found = 0.0 if expected <= 0.0 else -_LARGEST_YEARS
    elif too_many(_LARGEST_YEARS) <= 0.0:
        found = _LARGEST_YEARS
    else:
        found = brentq(too_many, -_LARGEST_YEARS, _LARGEST_YEARS, xtol=1e-6)
    return found, 1.0 / came
