"""When the next purchase is due, counted from the last one."""

import numpy as np
from scipy.special import betaincinv

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
    x_values, code = np.unique(x, return_inverse=True)
    share = [betaincinv(model.k, model.r_ + model.k * x_values, q) for q in _QUANTILES]
    low, middle, high = (part / (1.0 - part) for part in share)
    regular = (x_values >= 2) & (high - low <= WIDEST * middle)
    low, middle, high = (np.where(regular, part, np.nan)[code] for part in (low, middle, high))
    scale = model.alpha_ + t_x
    return middle * scale, low * scale, high * scale


def timing_shape(models, gap_logs, purchases):
    """Return the k whose fit explains the timing of the purchases best.

    :param models: {k: fitted model}
    :param gap_logs: sum of the logs of all gaps between purchases of one customer
    :param purchases: number of those gaps
    """
    from scipy.special import gammaln

    def likelihood(k):
        return models[k].log_likelihood_ + (k - 1) * gap_logs - purchases * gammaln(k)

    return max(sorted(models), key=likelihood)
