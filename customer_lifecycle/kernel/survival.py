"""How long stays last, when some have not ended yet."""

import numpy as np


def kaplan_meier(duration, observed, weight=None):
    """Product-limit estimate of the survival function of stays.

    Kaplan & Meier (1958), *Nonparametric estimation from incomplete observations*, JASA 53.

    :param duration: days of each stay, >= 0
    :param observed: True where the stay has ended, False where it goes on (censored)
    :param weight: number of stays behind each entry, by default 1
    :return: (days, survival): the distinct days on which stays ended, and the share of stays
        that last longer than each
    :raise ValueError: for arrays of different lengths or negative durations
    """
    duration = np.asarray(duration, dtype=float)
    observed = np.asarray(observed, dtype=bool)
    weight = np.ones_like(duration) if weight is None else np.asarray(weight, dtype=float)
    if not duration.shape == observed.shape == weight.shape:
        raise ValueError("duration, observed and weight must be of equal length.")
    if (duration < 0).any():
        raise ValueError("Durations cannot be negative.")
    days, place = np.unique(duration, return_inverse=True)
    ended = np.bincount(place, weight * observed, len(days))
    present = np.bincount(place, weight, len(days))[::-1].cumsum()[::-1]
    happened = ended > 0
    survival = np.cumprod(1 - ended[happened] / present[happened])
    return days[happened], survival


def survival_quantile(days, survival, share):
    """First day by which at least ``share`` of the stays have ended; NaN if none is known.

    :param days, survival: as :func:`kaplan_meier` returns them
    :param share: 0.5 for the median
    """
    reached = np.flatnonzero(np.asarray(survival) <= 1 - share + 1e-12)
    return float(days[reached[0]]) if len(reached) else float("nan")
