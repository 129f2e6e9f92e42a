"""Groups of products that customers have stopped buying, while they go on buying others.

In: lines of purchases (customer, group, day, amount) and today. Out: the pairs of customer and
group that fell silent, with what they were worth, at a limited share of false alarms. Called by
the reader of silent categories once a week.

The clock of a pair is the customer's own purchases: an occasion is a day on which he bought
anything, and time stands still while he buys nothing. An occasion counts for as much as the group
was bought by everybody in that month, so that neither a season nor a group that goes out of
fashion is taken for one customer's decision.

Under the hypothesis that nothing has changed, occasions without the group between two with it are
negative binomial with shape κ: 1 where chance alone decides at each occasion, less in bursts, more
where the group is bought at regular distances. With n such gaps and T occasions without the group
in them, the probability q of an occasion with it is Beta(κn, T+1), so that for a silence of m
occasions

.. math:: P(X ≥ m) = E[(1-q)^m \\sum_{j<a} \\binom{m+j-1}{j} q^j],\\qquad
          E[q^j (1-q)^m] = B(κn+j, T+1+m) / B(κn, T+1)

for a = 1, 2, 3 (the survival function of the negative binomial of shape a). For κ = a = 1 that is
exact: the share of all ways to put n+1 events in n+1+T+m occasions that end with so long a silence.
A silence lasts until today, not until the next event: it is the age of a renewal process (Cox,
*Renewal Theory*, 1962, section 5.1) with the mean of shape (κ+1)/2, which stands for a; between
whole ones log P is interpolated, below 1 it is taken as 1, which errs on the side of caution. κ is
found by moments, Var = μ + μ²/κ, pooled over a group's customers and shrunken towards all groups.

A pair is named where p times the number of the customer's groups is at most the rate: of customers
for whom nothing has changed, at most that share is named (Bonferroni within each customer). It is
named as sure where it also passes the procedure of Benjamini and Hochberg (1995) over all pairs: of
those, at most that share is wrong.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

#: a group was usual from so many occasions on
EVENTS = 4
#: who has bought on fewer occasions since may just have had no need
SINCE = 3
#: regularity that gaps are believed to have, from bursts to nearly a clock
SHAPES = (0.1, 4.0)
#: events of a group in a month that its season is believed from
SEASON_WEIGHT = 5.0
#: gaps that a group's regularity is believed from
SHAPE_WEIGHT = 50.0
#: days of a month and a year
MONTH = 30.4375
YEAR = 365.25
#: pairs whose occasions are expanded at a time
BATCH = 200_000


@dataclass(frozen=True)
class Silent:
    """Pairs that fell silent, an entry each, the dearest first; days as the input has them."""

    customer: np.ndarray
    group: np.ndarray
    #: the last day with the group
    last_day: np.ndarray
    #: occasions with the group
    events: np.ndarray
    #: median of the days between them
    gap: np.ndarray
    #: occasions without it since
    since: np.ndarray
    #: what the group was worth a year while it was bought
    yearly: np.ndarray
    #: how probable so long a silence is if nothing has changed
    p_value: np.ndarray
    #: whether it would be named among all pairs of all customers
    sure: np.ndarray
    #: pairs that could have been named
    asked: int

    def __len__(self):
        return len(self.customer)


def _starts(sorted_keys):
    """Positions at which a new key begins in a sorted array."""
    if not len(sorted_keys):
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(np.r_[True, sorted_keys[1:] != sorted_keys[:-1]])


def _expand(first, count):
    """(row, position) of `count` positions from `first` on, for each row."""
    row = np.repeat(np.arange(len(first)), count)
    offset = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    return row, np.repeat(first, count) + offset


def season_weights(group, month, occasions_in_month):
    """How much an occasion of each month counts for each group.

    :param group, month: 0-based, an entry for each event
    :param occasions_in_month: occasions of all customers
    :return: array (groups, months), about 1 on average over a group's occasions
    """
    groups = int(group.max(initial=-1)) + 1
    months = len(occasions_in_month)
    events = np.bincount(group * months + month, minlength=groups * months)
    events = events.reshape(groups, months).astype(float)
    expected = events.sum(axis=1, keepdims=True) * (
        occasions_in_month / max(occasions_in_month.sum(), 1)
    )
    return (events + SEASON_WEIGHT) / (expected + SEASON_WEIGHT)


def regularity(mean, variance, gaps, group, groups):
    """Shape κ of the negative binomial distribution of occasions between events, a group each.

    :param mean, variance: of the occasions in the gaps of each pair; unbiased
    :param gaps: number of gaps of each pair
    :param group: 0-based
    :return: array (groups,)
    """
    enough = gaps >= 2
    mean, variance, group = mean[enough], variance[enough], group[enough]
    gaps = gaps[enough].astype(float)
    # 1/κ = (variance - μ) / μ²
    beyond = np.bincount(group, (gaps - 1) * (variance - mean), groups)
    square = np.bincount(group, (gaps - 1) * (mean**2 - variance / gaps), groups)
    weight = SHAPE_WEIGHT * max(square.sum(), 0.0) / max(gaps.sum(), 1.0)
    overall = beyond.sum() / max(square.sum(), 1e-9)
    inverse = (beyond + weight * overall) / np.maximum(square + weight, 1e-9)
    return 1 / np.clip(inverse, 1 / SHAPES[1], 1 / SHAPES[0])


def silence_probability(silence, gaps, between, shape):
    """P(a silence of at least this length if nothing has changed).

    :param silence: occasions since the last event
    :param gaps: number of gaps before
    :param between: occasions in them
    :param shape: κ of each
    :return: array, from 0 to 1
    """
    silence, between = np.maximum(silence, 0.0), np.maximum(between, 0.0)
    known = shape * gaps
    base = special.betaln(known, between + 1)
    terms = [
        np.exp(special.betaln(known + power, between + 1 + silence) - base) for power in range(3)
    ]
    one = terms[0]
    two = one + silence * terms[1]
    three = two + silence * (silence + 1) / 2 * terms[2]
    logs = np.log(np.clip([one, two, three], 1e-300, 1.0))
    age = np.clip((shape + 1) / 2, 1.0, 3.0)
    lower = np.minimum(age.astype(int), 2)
    each = np.arange(len(age))
    below, above = logs[lower - 1, each], logs[lower, each]
    return np.exp(below + (age - lower) * (above - below))


def false_discovery_limit(p_values, rate):
    """The largest p that is named when a share `rate` of what is named may be wrong.

    Benjamini & Hochberg (1995), procedure (1).

    :return: a number below 0 where nothing is named
    """
    count = len(p_values)
    ordered = np.sort(p_values)
    passed = np.flatnonzero(ordered <= rate * np.arange(1, count + 1) / max(count, 1))
    return float(ordered[passed[-1]]) if len(passed) else -1.0


def fell_silent(customer, group, day, amount, today, *, rate=0.1):
    """Groups that customers have stopped buying although they still buy.

    :param customer, group: whole numbers, an entry for each line
    :param day: whole days, of the same origin as `today`; later ones are left out
    :param amount: net; a day on which a group comes to nothing or less has not happened
    :param rate: share of customers without change who may be named, and of wrong ones among the
        sure
    :return: a :class:`Silent`
    """
    customer, group, day = (np.asarray(each, dtype=np.int64) for each in (customer, group, day))
    customer, group, day, amount = _events(
        *(each[day <= today] for each in (customer, group, day, np.asarray(amount, dtype=float)))
    )
    customer_ids, customer = np.unique(customer, return_inverse=True)
    group_ids, group = np.unique(group, return_inverse=True)
    if not len(customer):
        return _silent(0, *(np.zeros(0, dtype=np.int64),) * 9)
    first_day = day.min()
    span = int(day.max() - first_day) + 1

    # occasions: days on which a customer bought anything, in order
    occasions = np.unique(customer * span + (day - first_day))
    owner, when = occasions // span, occasions % span
    starts = np.searchsorted(owner, np.arange(len(customer_ids) + 1))
    position = np.searchsorted(occasions, customer * span + (day - first_day))

    # pairs, of which those that were usual
    begins = _starts(customer * len(group_ids) + group)
    ends = np.r_[begins[1:], len(customer)] - 1
    usual = ends - begins + 1 >= EVENTS
    begins, ends = begins[usual], ends[usual]
    events = ends - begins + 1
    c, g = customer[begins], group[begins]
    since = starts[c + 1] - 1 - position[ends]
    between, variance, silence = _on_their_clocks(
        starts, (when / MONTH).astype(np.int64), position, group, begins, events, c, g
    )
    shape = regularity(between / (events - 1), variance, events - 1, g, len(group_ids))
    p_value = silence_probability(silence, events - 1, between, shape[g])

    # who still buys: at his own pace, no later than twice his usual gap
    latest = when[starts[1:] - 1] + first_day
    pace = (latest - when[starts[:-1]] - first_day) / np.maximum(np.diff(starts) - 1, 1)
    # all of them: to leave out who is not silent would make every silence look rarer than it is
    asked = (today - latest <= np.maximum(2 * pace, MONTH))[c]
    family = np.bincount(c[asked], minlength=len(customer_ids))[c]
    named = asked & (p_value * family <= rate) & (since >= SINCE)
    # quiet for longer than ever before
    row, at = _expand(begins, events)
    gap = np.diff(day[at], prepend=0)
    gap[_starts(row)] = 0
    longest = np.maximum.reduceat(gap, _starts(row)) if len(row) else gap
    named = np.flatnonzero(named & (latest[c] - day[ends] > longest))
    # a span of n gaps holds n purchases; the last begins another
    length = (day[ends] - day[begins]) * events / (events - 1)
    yearly = np.bincount(row, amount[at], len(begins)) / length * YEAR
    named = named[np.lexsort((g[named], c[named], -yearly[named]))]
    typical = [np.median(np.diff(day[begins[pair] : ends[pair] + 1])) for pair in named]
    limit = false_discovery_limit(p_value[asked], rate)
    return _silent(
        int(asked.sum()),
        *(customer_ids[c[named]], group_ids[g[named]], day[ends[named]], events[named]),
        *(np.array(typical), since[named], yearly[named], p_value[named]),
        p_value[named] <= limit,
    )


def _silent(asked, *columns):
    return Silent(*columns, asked=asked)


def _events(customer, group, day, amount):
    """Sum up lines to a row for each customer, group and day, in this order."""
    if not len(customer):
        return customer, group, day, amount
    order = np.lexsort((day, group, customer))
    customer, group, day, amount = (each[order] for each in (customer, group, day, amount))
    same = np.ones(len(customer) - 1, dtype=bool)
    for key in (customer, group, day):
        same &= key[1:] == key[:-1]
    first = np.flatnonzero(np.r_[True, ~same])
    amount = np.add.reduceat(amount, first)
    first, amount = first[amount > 0], amount[amount > 0]
    return customer[first], group[first], day[first], amount


def _on_their_clocks(starts, month, position, group, begins, events, c, g):
    """Gaps and silence of pairs in occasions, weighted by the season of their groups.

    :param starts: position of each customer's first occasion, and the end
    :param month: of each occasion
    :param position, group: of each event: its occasion, its group
    :param begins, events: of each pair: its first event, their number
    :param c, g: of each pair: customer and group
    :return: arrays of each pair: occasions between its first and last event, unbiased variance of
        those in a gap, occasions since
    """
    weights = season_weights(group, month[position], np.bincount(month))
    between, variance, silence = (np.zeros(len(begins)) for _ in range(3))
    for some in range(0, len(begins), BATCH):
        part = slice(some, min(some + BATCH, len(begins)))
        first, number = begins[part], events[part]
        count = starts[c[part] + 1] - starts[c[part]]
        row, at = _expand(starts[c[part]], count)
        tick = weights[g[part][row], month[at]]
        clock = np.cumsum(tick)
        # where the occasions of a pair's customer begin on it
        offset = np.cumsum(count) - count - starts[c[part]]
        row, event = _expand(first, number)
        read = position[event] + offset[row]
        begin = _starts(row)
        gap = np.diff(clock[read], prepend=0.0) - tick[read]
        gap[begin] = 0.0
        between[part] = np.bincount(row, gap, len(first))
        off = gap - (between[part] / (number - 1))[row]
        off[begin] = 0.0
        variance[part] = np.bincount(row, off**2, len(first)) / (number - 2)
        silence[part] = clock[np.cumsum(count) - 1] - clock[read[begin + number - 1]]
    return between, variance, silence
