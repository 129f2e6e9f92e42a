"""When the next purchase is due, counted from the last one.

In: purchase histories, and a ledger to learn from. Out: days from the last purchase to the next, as
a window that holds it as often as not. Called by the fit and by what predicts.
"""

import numpy as np
from scipy.special import betainc, betaincinv, gammaln

from .histories import histories_from_ledger
from .history_counts import count_histories, distinct
from .mbgnbd import MBGNBD, SHAPES

# A middle half of the gaps wider than this many medians says no more than "some time": no date is
# given. With the rate known exactly, memoryless timing (k = 1) is at 1.6, k = 2 at 1.03, k = 3 at
# 0.82.
WIDEST = 1.25
QUARTILES = (0.25, 0.5, 0.75)
# Levels of the gaps where few could be learnt from: who is waited for on any day waits in a gap
# that is longer than most, as a long gap covers more days than a short one.
LEVELS = (0.42, 0.68, 0.88)
_PRIOR_GAPS = 30.0
# No window ends at a later level; what came of a gap is known where this much could be seen.
_LATEST, _SEEN = 0.97, 0.9
_SHARE_AFTER = 0.25
# The latest gaps teach: the last third of them, or so many.
_PART, _LEAST_GAPS = 3, 300


def next_purchase(model, x, t_x, levels=QUARTILES):
    """Days from the last purchase to the next: three levels of the chances of the gap.

    Given the purchases so far, the phase rate is gamma(r + k x, alpha + t_x) and the gap needs
    k phases, so gap / (alpha + t_x) is beta prime distributed (k, r + k x). It is the gap of
    a customer who stays, whatever the silence since, so that a date does not move by itself.

    A customer has a regular rhythm if he came back at least twice and the middle half of his gap
    is at most :data:`WIDEST` medians wide; for others all three are NaN.

    :param model: fitted :class:`~.mbgnbd.MBGNBD`
    :param levels: of the beginning of the window, of its middle, of its end
    :return: (middle, from, to), arrays in the time unit of the model
    """
    x, t_x = np.asarray(x, dtype=float), np.asarray(t_x, dtype=float)
    x_values, code = distinct(x)
    first, half, third = (_gap_at(model, x_values, level) for level in QUARTILES)
    regular = (x_values >= 2) & (third - first <= WIDEST * half)
    low, middle, high = (
        np.where(regular, _gap_at(model, x_values, level), np.nan)[code] for level in levels
    )
    scale = model.alpha_ + t_x
    return middle * scale, low * scale, high * scale


def _gap_at(model, x, level):
    """The gap of this level, relative to alpha + t_x."""
    share = betaincinv(model.k, model.r_ + model.k * x, level)
    return share / (1.0 - share)


def learn_levels(model, days, end):
    """Return the levels between which half of the awaited orders came in the past.

    Looked at are all days on which somebody with a rhythm was waited for and his window was not
    over: on half of them the order came inside in the end, and before it as often as after; whoever
    never came counts as after. Where too many left for that, the window ends late, and begins so
    that half is inside.

    :param model: from :func:`fit_rhythm`
    :param days: :class:`~.histories.Ledger`
    :return: (beginning, middle, end)
    """
    x, t_x, gap, level = _past_gaps(model, days.until(end), end)
    if not len(gap):
        return LEVELS
    x_values, code = distinct(x)

    def waited(late):
        # days of each gap until its window was over
        return np.minimum(gap, _gap_at(model, x_values, late)[code] * (model.alpha_ + t_x))

    for late in np.linspace(0.5, _LATEST, 48):
        weight = waited(late)
        after = weight @ (level > late) / weight.sum()
        if after <= _SHARE_AFTER:
            break
    order = np.argsort(level)
    share = np.cumsum(weight[order]) / weight.sum()
    before = max(0.5 - after, 0.0)
    early, middle = np.interp((before, before + 0.25), share, level[order])
    found = np.array([min(early, late), np.clip(middle, early, late), late])
    part = len(gap) / (len(gap) + _PRIOR_GAPS)
    return tuple((part * found + (1.0 - part) * np.array(LEVELS)).tolist())


def _past_gaps(model, days, end):
    """What was known before each of the latest gaps, its days (endless ones too), its level."""
    who, day = days.customer[days.bought], days.day[days.bought]
    start = np.concatenate(([True], who[1:] != who[:-1]))[: len(who)]
    first = np.flatnonzero(start)[np.cumsum(start) - 1]
    x, t_x = np.arange(len(who)) - first, day - day[first]
    gap = np.full(len(who), np.inf)
    gap[:-1] = np.where(start[1:], np.inf, np.diff(day))

    def level(gap):
        odds = gap / (model.alpha_ + t_x)
        return betainc(model.k, model.r_ + model.k * x, odds / (1.0 + odds))

    known = level(end - day) >= _SEEN
    rhythmic = known & np.isfinite(next_purchase(model, x, t_x)[0])
    # of a young log the first gaps have to do
    place = np.flatnonzero(rhythmic if rhythmic.sum() >= _PRIOR_GAPS else known)
    few = max(len(place) // _PART, _LEAST_GAPS)
    place = place[np.argsort(-day[place], kind="stable")[:few]]
    with np.errstate(invalid="ignore"):
        found = np.where(np.isfinite(gap), level(gap), 1.0)
    return x[place], t_x[place], gap[place], found[place]


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
