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
#: figures that are sums over days, which belong to the time before or after somebody joined
_SUMS = ("orders", "revenue")
#: share of their time that the compared may have been members themselves
MOST_EXPOSED = 0.5
#: share that their purchases after joining may have, compared with what members buy
_MOST_LATE = 0.75


class Figure(NamedTuple):
    """A figure before and after, of members and of those they are compared with.

    ``effect``: difference of the differences, ``low`` and ``high`` its 95 % interval;
    ``percent``, ``percent_low``, ``percent_high``: the same against what would have been
    without the programme; None where not defined, or where either may as well be nothing.
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
    by their weights (Kish 1965, section 8.2), less one.

    What the compared bought after they had joined themselves is scaled down by what joining is
    found to do. Frequent buyers join sooner, so that the share of their time would tell too
    little. For figures that are no sums over days the difference is divided by the share of those
    whom joining could not yet have changed (Bloom 1984, "Accounting for No-Shows in Experimental
    Evaluation Designs", equation 1, turned around).

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
    numbers = parts(purchases, who, day, window)
    late = _late(purchases, found, window, numbers)
    return {
        name: _figure(name, numbers[name], joined, weight, customer, described, width, late[name])
        for name in FIGURES
    }


def exposure(found):
    """Share of the time after that the compared customers were members themselves."""
    return float((found.weight * found.exposed).sum() / found.weight.sum())


def _late(purchases, found, window, numbers):
    """What of each figure came after the compared had joined.

    :return: dict name → amount of each row for sums over days, else the share of all
    """
    size = len(found.member)
    until = found.control_day + np.rint((1 - found.exposed) * window).astype(np.int64)
    span = found.control, found.control_day, until
    free = {"orders": purchases.orders(*span), "revenue": purchases.revenue(*span)}
    after = {name: numbers[name][2][size:] for name in _SUMS}
    late = {name: np.r_[np.zeros(size), after[name] - free[name]] for name in _SUMS}
    # whoever had ordered before he joined had ordered anyway
    open_yet = found.exposed * (free["orders"] == 0)
    for name in ("ordered", "lost"):
        late[name] = _share(found.weight * numbers[name][3][size:], open_yet)
    mine = late["orders"][size:] / np.maximum(after["orders"], 1)
    for name in ("basket", "gap"):
        late[name] = _share(found.weight * after["orders"], mine)
    return late


def _share(weight, part):
    total = weight.sum()
    return float(min((weight * part).sum() / total, MOST_EXPOSED)) if total else 0.0


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


def _figure(name, numbers, joined, weight, customer, described, width, late):
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
    if name in _MEANS:
        left, pull = _unexplained(after - before, joined, other, described)
        share = late
        if name in _SUMS:
            share, scale = _scale_down(values, pull, after - before, late)
            left, pull = _unexplained(after - late * (1 - scale) - before, joined, other, described)
            after = after - late * (1 - scale)
        # what the members' own change would have been
        expected = after - before - left
        without = values[0] + float((own * expected).sum() + (other * left).sum())
        change = own * (expected - float((own * expected).sum()))
        change += pull * (left - float((other * left).sum()))
    else:
        share = late
        change = influences[3] - influences[2]
        without = values[0] + values[3] - values[2]
    without_influence = influences[0] + change
    if name in _SUMS:
        # the scale moves with what is found
        moved = without / values[1] * share if share else 0.0
        without_influence = (without_influence - moved * influences[1]) / (1 - share)
    else:
        # the compared had a part of the effect as well
        without = (without - share * values[1]) / (1 - share)
        without_influence = (without_influence - share * influences[1]) / (1 - share)
    effect = values[1] - without
    error = _error(influences[1] - without_influence, customer)
    low, high = effect - width * error, effect + width * error
    percent = (None, None, None)
    # there is no percentage of what may be nothing, or less where goods are given back
    if all(
        value > width * _error(influence, customer)
        for value, influence in ((values[1], influences[1]), (without, without_influence))
    ):
        ratio = values[1] / without
        spread = _error(influences[1] / values[1] - without_influence / without, customer)
        percent = tuple(
            float(100 * (ratio * np.exp(sign * width * spread) - 1)) for sign in (0, -1, 1)
        )
    return Figure(*values, effect, low, high, *percent)


def _scale_down(values, pull, change, late):
    """By what the compared customers' late purchases are to be multiplied.

    What members would have bought without the programme rests on them in part, and they are
    multiplied by that, divided by what members did buy: one linear equation.

    :return: (share of the late ones in what members bought, factor); (0, 1) where the equation
        has no answer that makes sense, so that the effect is rather told too small
    """
    share = float((pull * late).sum()) / values[1] if values[1] > 0 else 0.0
    without = values[0] + float((pull * (change - late)).sum())
    if not 0 < share <= _MOST_LATE or without <= 0:
        return 0.0, 1.0
    return share, without / (1 - share) / values[1]


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
