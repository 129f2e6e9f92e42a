"""What joining a programme changed: members against customers who were alike and did not join."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from .matching import traits

#: figures in the order they are told
FIGURES = ("ordered", "orders", "revenue", "basket", "gap", "lost")
#: figures that are a mean over customers; the others are a share or mean of some
_MEANS = ("ordered", "orders", "revenue")
#: control rows for each trait that a regression needs
_ROWS_A_TRAIT = 10
#: share of their time that the compared may have been members themselves
MOST_EXPOSED = 0.5


class Figure(NamedTuple):
    """A figure before and after, of members and of those they are compared with.

    ``effect``: difference of the differences, ``low`` and ``high`` its 95 % interval;
    ``percent``, ``percent_low``, ``percent_high``: the same against what would have been
    without the programme; None where not defined.
    """

    before: float | None
    after: float | None
    control_before: float | None
    control_after: float | None
    effect: float | None
    low: float | None
    high: float | None
    percent: float | None
    percent_low: float | None
    percent_high: float | None


def parts(purchases, who, day, window):
    """Numerators and denominators of all figures, before and after each row's day.

    :return: dict name → (numerator before, denominator before, after, after); the window before
        ends with the day itself, the one after begins on the next
    """
    found = {}
    for name, end in (("earlier", day - window), ("before", day), ("after", day + window)):
        begin = end - window
        found[name] = (
            purchases.orders(who, begin, end).astype(float),
            purchases.revenue(who, begin, end),
            purchases.spread(who, begin, end).astype(float),
        )
    one = np.ones(len(who))

    def measures(now, past):
        orders, revenue, spread = found[now]
        stayed = found[past][0] > 0
        return {
            "ordered": ((orders > 0).astype(float), one),
            "orders": (orders, one),
            "revenue": (revenue, one),
            "basket": (revenue, orders),
            "gap": (spread, np.maximum(orders - 1, 0)),
            "lost": ((stayed & (orders == 0)).astype(float), stayed.astype(float)),
        }

    before, after = measures("before", "earlier"), measures("after", "before")
    return {name: (*before[name], *after[name]) for name in FIGURES}


def describe(purchases, who, day, window, weight=None):
    """Dict figure → (before, after) of customers; None where nothing is known."""
    weight = np.ones(len(who)) if weight is None else weight
    return {
        name: (
            _ratio(weight, numbers[0], numbers[1])[0],
            _ratio(weight, numbers[2], numbers[3])[0],
        )
        for name, numbers in parts(purchases, who, day, window).items()
    }


def by_period(purchases, who, day, window, length=30, weight=None):
    """Mean revenue of a customer by period of so many days from the event, oldest first.

    Only periods that fit whole into the windows.

    :return: (numbers of the periods, -1 the last before and 1 the first after; means)
    """
    weight = np.ones(len(who)) if weight is None else weight
    count = window // length
    numbers = [*range(-count, 0), *range(1, count + 1)]
    total = weight.sum()
    means = []
    for number in numbers:
        begin = day + (number if number < 0 else number - 1) * length
        revenue = purchases.revenue(who, begin, begin + length)
        means.append(float((weight * revenue).sum() / total) if total else 0.0)
    return numbers, means


def effects(purchases, found, window):
    """Effect of joining on every figure.

    Of means over customers: the matching estimator of the effect on the joined with replacement
    and regression adjustment for what difference is left within matches (Abadie and Imbens 2011,
    "Bias-Corrected Matching Estimators for Average Treatment Effects", equation 2.5 for those
    treated), applied to each customer's change. Of shares and means of some: the difference in
    differences of the matched groups' ratios. The variance sums the squared influence of each
    *customer* on the estimate (Liang and Zeger 1986, equation 4, with independent working
    correlation), because a customer may stand for many members, on many days. The interval takes
    Student's t with as many degrees of freedom as customers in the group that has fewer, counted
    by their weights (Kish 1965, section 8.2), less one. For the time that the compared were
    members themselves the difference is divided by the share of time that they were not (Bloom
    1984, "Accounting for No-Shows in Experimental Evaluation Designs", equation 1, turned
    around).

    :param found: :class:`~.matching.Match`
    :return: dict name → :class:`Figure`; empty without matches, or where the compared were
        members themselves for most of the time
    """
    if not len(found.member) or exposure(found) > MOST_EXPOSED:
        return {}
    who = np.r_[found.member, found.control]
    day = np.r_[found.member_day, found.control_day]
    size = len(found.member)
    joined = np.arange(len(who)) < size
    # both groups weigh 1 in all
    weight = np.r_[np.full(size, 1 / size), found.weight / found.weight.sum()]
    _, customer = np.unique(who, return_inverse=True)
    described = traits(purchases, who, day, window)
    described[:, 6:] = np.log1p(described[:, 6:])
    width = stats.t.ppf(0.975, _freedom(found))
    return {
        name: _figure(name, numbers, joined, weight, customer, described, width, exposure(found))
        for name, numbers in parts(purchases, who, day, window).items()
    }


def exposure(found):
    """Share of the time after that the compared customers were members themselves."""
    return float((found.weight * found.exposed).sum() / found.weight.sum())


def _freedom(found):
    _, place = np.unique(found.control, return_inverse=True)
    used = np.bincount(place.ravel(), found.weight)
    controls = used.sum() ** 2 / (used**2).sum()
    return max(1.0, min(len(found.member), controls) - 1)


def _ratio(weight, numerator, denominator):
    """Weighted mean of some, and how much each row moves it; (None, None) if of nobody."""
    size = (weight * denominator).sum()
    if not size > 0:
        return None, None
    ratio = float((weight * numerator).sum() / size)
    return ratio, weight * (numerator - ratio * denominator) / size


def _figure(name, numbers, joined, weight, customer, described, width, exposed):
    before, before_of, after, after_of = numbers
    own, other = np.where(joined, weight, 0.0), np.where(joined, 0.0, weight)
    ratios = [
        _ratio(group, *pair)
        for group in (own, other)
        for pair in ((before, before_of), (after, after_of))
    ]
    values = [ratio for ratio, _influence in ratios]
    if any(value is None for value in values):
        return Figure(*values, None, None, None, None, None, None)
    influences = [influence for _ratio_, influence in ratios]
    change = influences[3] - influences[2]
    without = values[0] + values[3] - values[2]
    if name in _MEANS:
        left, pull = _unexplained(after - before, joined, other, described)
        # what the members' own change would have been
        expected = after - before - left
        without = values[0] + float((own * expected).sum() + (other * left).sum())
        change = own * (expected - float((own * expected).sum()))
        change += pull * (left - float((other * left).sum()))
    without_influence = influences[0] + change
    # the compared had a part of the effect as well
    without = (without - exposed * values[1]) / (1 - exposed)
    without_influence = (without_influence - exposed * influences[1]) / (1 - exposed)
    effect = values[1] - without
    error = _error(influences[1] - without_influence, customer)
    low, high = effect - width * error, effect + width * error
    percent = (None, None, None)
    if without > 0 and values[1] > 0:
        ratio = values[1] / without
        spread = _error(influences[1] / values[1] - without_influence / without, customer)
        percent = tuple(
            float(100 * (ratio * np.exp(sign * width * spread) - 1)) for sign in (0, -1, 1)
        )
    return Figure(*values, effect, low, high, *percent)


def _unexplained(change, joined, other, described):
    """Each row's change less what a regression on the traits of the compared expects.

    :return: what is left, and how much each row's rest moves what is expected of the members
    """
    spread = described.std(axis=0)
    columns = described[:, spread > 1e-9] / spread[spread > 1e-9]
    if len(other) - joined.sum() < _ROWS_A_TRAIT * (columns.shape[1] + 1):
        return change - float((other * change).sum()), other
    columns = columns - (other[:, None] * columns).sum(axis=0)
    rows = np.column_stack([np.ones(len(columns)), columns])
    inverse = np.linalg.pinv((rows * other[:, None]).T @ rows)
    slopes = inverse @ (rows.T @ (other * change))
    pull = other * (rows @ inverse @ rows[joined].mean(axis=0))
    return change - rows @ slopes, pull


def _error(influence, customer):
    """Standard error of a sum to which each customer contributes by himself."""
    sums = np.bincount(customer, influence)
    count = max(2, (sums != 0).sum())
    return float(np.sqrt((sums**2).sum() * count / (count - 1)))
