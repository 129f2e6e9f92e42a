"""When the next purchase is due, counted from the last one."""

import numpy as np
from scipy.special import betaincinv, gammaln

from .histories import histories_from_ledger
from .history_counts import count_histories, distinct
from .mbgnbd import MBGNBD, SHAPES

# A window wider than this many medians says no more than "some time": no date is given. With
# the rate known exactly, memoryless timing (k = 1) is at 1.6, k = 2 at 1.03, k = 3 at 0.82.
WIDEST = 1.25
_QUANTILES = (0.25, 0.5, 0.75)


def next_purchase(model, x, t_x):
    """Days from the last purchase to the next: its median and the middle half of its chances.

    Given the purchases so far, the phase rate is gamma(r + k x, alpha + t_x) and the gap needs
    k phases, so gap / (alpha + t_x) is beta prime distributed (k, r + k x). It is the gap of
    a customer who stays, whatever the silence since, so that a date does not move by itself.
    The middle half (25 % to 75 %) is the window that holds the order as often as not.

    A customer has a regular rhythm if he came back at least twice and that window is at most
    :data:`WIDEST` medians wide; for others all three are NaN.

    :param model: fitted :class:`~.mbgnbd.MBGNBD`
    :return: (median, from, to), arrays in the time unit of the model
    """
    x, t_x = np.asarray(x, dtype=float), np.asarray(t_x, dtype=float)
    x_values, code = distinct(x)
    share = [betaincinv(model.k, model.r_ + model.k * x_values, q) for q in _QUANTILES]
    low, middle, high = (part / (1.0 - part) for part in share)
    regular = (x_values >= 2) & (high - low <= WIDEST * middle)
    low, middle, high = (np.where(regular, part, np.nan)[code] for part in (low, middle, high))
    scale = model.alpha_ + t_x
    return middle * scale, low * scale, high * scale


def fit_rhythm(days, end):
    """Fit the model of the rhythm: with the k that explains the timing of purchases best.

    Forecasts of numbers choose their k by their errors; a date needs the one that the gaps
    have. The likelihood of each k includes the density of the single gaps.

    :param days: :class:`~.histories.Ledger`
    :return: fitted :class:`~.mbgnbd.MBGNBD`
    """
    histories = histories_from_ledger(days, end)
    counts = count_histories(histories.x, histories.t_x, histories.T)
    same = days.bought & (days.day <= end)
    customer, day = days.customer[same], days.day[same]
    gaps = (day[1:] - day[:-1])[customer[1:] == customer[:-1]]
    best, best_fit = None, -np.inf
    for k in SHAPES:
        model = MBGNBD(k).fit(*counts)
        fit = model.log_likelihood_ + (k - 1) * np.log(gaps).sum() - len(gaps) * gammaln(k)
        if fit > best_fit + 1e-9:
            best, best_fit = model, fit
    return best
