"""Customers who were alike on the day that one of them joined a programme."""

from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

#: event day of who never joined, and of who joined nobody knows when
NEVER, UNKNOWN = np.iinfo(np.int64).max // 4, -1
#: how many comparable customers stand for each member
NEIGHBOURS = 5
#: what counts for how much: the last order twice, for customers often join with an order
_IMPORTANCE = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 1.0])
#: mean difference, in standard deviations, beyond which nobody is comparable
CALIPER = 0.75
#: rows of (customer, day) looked at in all, and at once
_ROWS, _CHUNK = 4_000_000, 500_000
#: so far apart that rows of different days are never neighbours
_APART = 1e4


class Purchases:
    """Net amounts by customer and day, summed over any days of any customers at once.

    :param customer: numbers from 0 on; :param day: whole numbers, of a customer each at most
        once; :param amount: net amounts; days with an amount above 0 count as orders
    :raise ValueError: for arrays of different lengths or negative customers
    """

    def __init__(self, customer, day, amount):
        customer, day = np.asarray(customer, np.int64), np.asarray(day, np.int64)
        amount = np.asarray(amount, float)
        if not customer.shape == day.shape == amount.shape:
            raise ValueError("customer, day and amount must be of equal length.")
        if len(customer) and customer.min() < 0:
            raise ValueError("Customers must be numbers from 0 on.")
        self._low = int(day.min()) if len(day) else 0
        self._span = (int(day.max()) if len(day) else 0) - self._low + 2
        key = customer * self._span + day - self._low
        order = np.argsort(key, kind="stable")
        self._keys = key[order]
        self._total = np.r_[0.0, np.cumsum(amount[order])]
        self._orders = self._keys[amount[order] > 0]
        self.typical = float(np.median(amount[amount > 0])) if (amount > 0).any() else 1.0

    def _key(self, who, day):
        """Sort keys of customers' days, days outside of all purchases moved to their edge."""
        return who * self._span + np.clip(day - self._low, 0, self._span - 1)

    def revenue(self, who, after, until):
        """Net amounts of customers on days in (after, until]; arrays that fit together."""
        first = np.searchsorted(self._keys, self._key(who, after + 1))
        last = np.searchsorted(self._keys, self._key(who, until + 1))
        return self._total[last] - self._total[first]

    def orders(self, who, after, until):
        """Numbers of orders in (after, until]."""
        first, last = self._places(who, after, until)
        return last - first

    def spread(self, who, after, until):
        """Days from the first to the last order in (after, until]; 0 with fewer than two."""
        first, last = self._places(who, after, until)
        some = last - first > 1
        found = np.zeros(len(first), np.int64)
        found[some] = self._orders[last[some] - 1] - self._orders[first[some]]
        return found

    def since_last(self, who, day):
        """Days since the last order on or before a day; NEVER where there is none."""
        return self._since(who, day, last=True)

    def since_first(self, who, day):
        """Days since the first order, if that was on or before a day; else NEVER."""
        return self._since(who, day, last=False)

    def _places(self, who, after, until):
        return (
            np.searchsorted(self._orders, self._key(who, after + 1)),
            np.searchsorted(self._orders, self._key(who, until + 1)),
        )

    def _since(self, who, day, last):
        begin = np.searchsorted(self._orders, who * self._span)
        end = np.searchsorted(self._orders, self._key(who, day + 1))
        known = end > begin
        found = np.full(len(known), NEVER)
        at = self._orders[np.where(last, end - 1, begin)[known]] - (who * self._span)[known]
        found[known] = day[known] - at - self._low
        return found


class Match(NamedTuple):
    """Members and the customers they are compared with.

    ``member``, ``member_day``: customers and the days they joined on. ``control``,
    ``control_day``: rows of comparable customers on these days; ``weight``: for how many members
    each row stands; ``exposed``: share of the days after that came after the compared customer
    had joined himself. ``alone``: members whom nobody was like; ``new``: members who had not
    ordered when they joined, so that there is nothing to compare them by.
    """

    member: np.ndarray
    member_day: np.ndarray
    control: np.ndarray
    control_day: np.ndarray
    weight: np.ndarray
    exposed: np.ndarray
    alone: np.ndarray
    new: np.ndarray


def traits(purchases, who, day, window):
    """What customers were on the evening of a day, a column for each trait.

    Revenue and orders of the window that ends with that day, of the one before it, and of the
    mean window of all their time (a young customer's as if his time had been half a window
    longer); days since the last and since the first order.
    """
    last, first = purchases.since_last(who, day), purchases.since_first(who, day)
    begin, share = day - first - 1, window / (first + window / 2)
    return np.column_stack(
        [
            purchases.revenue(who, day - window, day),
            purchases.revenue(who, day - 2 * window, day - window),
            purchases.revenue(who, begin, day) * share,
            purchases.orders(who, day - window, day),
            purchases.orders(who, day - 2 * window, day - window),
            purchases.orders(who, begin, day) * share,
            last,
            first,
        ]
    ).astype(float)


def _coordinates(found, typical):
    """Traits on a scale on which equal distances mean equal unlikeness."""
    scale = np.array([typical] * 3 + [1.0] * 5)
    return np.log1p(np.maximum(found, 0.0) / scale)


def match(purchases, event, window, members, pool, seed=19):
    """Find for each member the customers who were most like him on the day he joined.

    Nearest neighbours, with replacement, on :func:`traits` at the end of the same calendar day:
    whoever had bought by then and had not joined may stand for a member. The day itself belongs
    to the time before, for customers often join with an order. Who joins later is not left out:
    nobody could have known on that day, and where customers join with an order, those who stay
    away would be the ones who do not order. That they were members for a part of the time is
    reckoned with in ``exposed``.

    :param event: for each customer the day he joined, NEVER, or UNKNOWN for joined some time
    :param members: customers to look at; :param pool: customers who may be compared with
    :return: :class:`Match`
    """
    event = np.asarray(event, np.int64)
    members, pool = np.asarray(members, np.int64), np.asarray(pool, np.int64)
    pool = pool[event[pool] != UNKNOWN]
    generator = np.random.default_rng(seed)
    day = event[members]
    is_new = purchases.since_first(members, day) == NEVER
    members, new = members[~is_new], members[is_new]
    days, counts = np.unique(event[members], return_counts=True)
    rows = [np.empty(0, np.int64)] * 4
    if not len(pool) or not len(days):
        return Match(*rows, np.empty(0), np.empty(0), members, new)
    scale = _scale(purchases, event, window, members, pool, generator)
    most = max(2_000, _ROWS // len(days))
    size = min(len(pool), most)
    step = max(1, _CHUNK // size)
    found = []
    for start in range(0, len(days), step):
        some = days[start : start + step]
        # in their order: looked up at random, sums of millions of purchases take ten times longer
        chosen = [
            pool if size == len(pool) else np.sort(generator.choice(pool, size, replace=False))
            for _day in some
        ]
        who, when = np.concatenate(chosen), np.repeat(some, size)
        allowed = event[who] > when
        allowed &= purchases.since_first(who, when) != NEVER
        who, when = who[allowed], when[allowed]
        inside = members[np.isin(event[members], some)]
        found.append(_nearest(purchases, window, scale, inside, event[inside], who, when))
    parts = [np.concatenate(part) for part in zip(*found, strict=True)]
    member, who, when, share, alone = parts
    pairs, place = np.unique(np.column_stack([who, when]), axis=0, return_inverse=True)
    weight = np.bincount(place.ravel(), share, len(pairs))
    control, day = pairs.T
    exposed = np.clip((day + window - event[control]) / window, 0.0, 1.0)
    return Match(member, event[member], control, day, weight, exposed, alone, new)


def _scale(purchases, event, window, members, pool, generator):
    """Standard deviation of each coordinate, among members and others on members' days."""
    who = np.r_[
        members[generator.integers(len(members), size=10_000)],
        pool[generator.integers(len(pool), size=10_000)],
    ]
    days = event[members[generator.integers(len(members), size=10_000)]]
    when = np.r_[event[who[:10_000]], days]
    bought = purchases.since_first(who, when) != NEVER
    found = traits(purchases, who[bought], when[bought], window)
    spread = _coordinates(found, purchases.typical).std(axis=0)
    return np.where(spread > 1e-9, spread, 1.0) / _IMPORTANCE


def _nearest(purchases, window, scale, members, days, who, when):
    """Neighbours of some members: (members, control, day, share, members without any)."""
    nothing = np.empty(0, np.int64)
    if not len(who):
        return nothing, nothing, nothing, np.empty(0), members

    def place(customers, on):
        found = _coordinates(traits(purchases, customers, on, window), purchases.typical)
        return np.column_stack([found / scale, on * _APART])

    width = len(scale)
    limit = CALIPER * np.sqrt(width)
    tree = cKDTree(place(who, when), balanced_tree=False)
    near, index = tree.query(
        place(members, days), k=list(range(1, NEIGHBOURS + 1)), distance_upper_bound=limit
    )
    known = np.isfinite(near)
    count = known.sum(axis=1)
    share = (known / np.maximum(count, 1)[:, None])[known]
    index = index[known]
    return members[count > 0], who[index], when[index], share, members[count == 0]
