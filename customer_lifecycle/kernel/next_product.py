"""What each customer will probably buy next, how much, and when.

In: purchases of products (:func:`.product_pairs.read_purchases`) and a day. Out: for each customer
the products he most likely buys within a horizon, with the chance, the day, the quantity, and the
product that it is because of. Two kinds of candidates are ranked together by one calibrated chance:

- *again*: what he has bought before, by his own rhythm and quantity (renewal), how often, how
  regularly and how lately, and how many buyers of the product come back for it at all;
- *alike*: what followed with others upon what he has, by :class:`.product_pairs.Pairs`.

The weights of both are a logistic regression of what happened in the company's own last horizon,
seen from the day before it, with a normal prior around weights found with many shops: where there
are no data the prior speaks, and where there are they do.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, gammaincc, logit

from .product_pairs import Log, Pairs, _isin, _place, _starts, habits_of, pairs_of

#: suggestions for a customer
SUGGESTIONS = 5
#: of a customer's products so many lead to others, those bought last
LEADING = 30
#: candidates that are weighed at a time
AT_ONCE = 3_000_000
#: customers whose past weights are learnt from, and tried on
MOST_JUDGED = 200_000
#: candidates that weights are learnt from
MOST_LEARNT = 300_000
#: a smaller chance is not worth a word
LEAST_CHANCE = 0.0005
#: chances are told so exactly; beyond it they hang on the order in which numbers are added
DIGITS = 6
#: shape of the time between purchases of something that is used up
REGULAR = 4.0
#: the horizon lies between these, by the company's own rhythm
SHORTEST_HORIZON, LONGEST_HORIZON = 14, 90

AGAIN, ALIKE = 0, 1

#: what the chance to buy again is weighed by
AGAIN_FEATURES = (
    *("constant", "times", "due", "due_by_quantity", "overdue", "lately"),
    *("repeat", "returning", "demand", "trend", "active", "active_long", "silent"),
    *("visits", "products", "coming_back", "basket"),
)
#: what the chance to buy what others bought next is weighed by
ALIKE_FEATURES = (
    *("constant", "any", "best", "likeness", "lift", "ways", "late", "demand", "trend"),
    *("active", "active_long", "silent", "visits", "products", "coming_back", "basket"),
)


class Weights(NamedTuple):
    """Of the logistic regressions; arrays of as many as there are features."""

    again: np.ndarray
    alike: np.ndarray


#: what shops have in common, by and large: the wholesaler and the simulated shops of the tests,
#: long before the days on which they are tried
DEFAULT = Weights(
    np.array((-0.5, 0.4, 0.2, 0.2, -1.0, -0.2, 0.4, 0.2, 0.1, 0.0, -0.3, 0.6, -0.2, -0.2, 0.0, 0.2,
              0.2)),
    np.array((-1.2, 0.7, 0.0, 0.6, 0.3, -0.4, -0.5, 0.2, 0.1, -0.5, 0.7, -0.3, -0.4, -0.2, 0.1,
              -0.3)),
)  # fmt: skip
#: how far the weights of a company may lie from the default ones, as standard deviation
PRIOR_DEVIATION = 0.5
#: and the level of its chances, as log-odds
LEVEL_DEVIATION = 1.0


class Knowledge(NamedTuple):
    """What is known of a company's products on a day.

    :param pairs: :class:`.product_pairs.Pairs`
    :param demand: share of the customers of the last horizon who bought a product; (products,)
    :param trend: log of the same of its last quarter by that; (products,)
    :param quantity: in which a product is mostly bought; (products,)
    :param gap: typical days between two purchases of any product by a customer
    :param horizon: days that chances are for
    """

    pairs: Pairs
    demand: np.ndarray
    trend: np.ndarray
    quantity: np.ndarray
    gap: float
    horizon: int


class Suggestions(NamedTuple):
    """What customers may buy next, sorted by customer and rank; arrays of equal length.

    :param customer, product: ids
    :param rank: 1 is the likeliest
    :param kind: :data:`AGAIN` or :data:`ALIKE`
    :param chance: to buy it within the horizon
    :param due: day it is expected on, not before today
    :param quantity: of *again* what he took last; of *alike* what others mostly take
    :param because: id of the product that it is because of; of *again* itself
    :param share: of the buyers of that product who went on to buy it
    :param days: typical days from one to the other; of *again* his own
    :param support: customers who did; of *again* the days on which he bought it
    """

    customer: np.ndarray
    product: np.ndarray
    rank: np.ndarray
    kind: np.ndarray
    chance: np.ndarray
    due: np.ndarray
    quantity: np.ndarray
    because: np.ndarray
    share: np.ndarray
    days: np.ndarray
    support: np.ndarray


class _Candidates(NamedTuple):
    """Candidates of one kind, with codes: features (rows, features), and what is said of them."""

    customer: np.ndarray
    product: np.ndarray
    features: np.ndarray
    due: np.ndarray
    quantity: np.ndarray
    because: np.ndarray
    share: np.ndarray
    days: np.ndarray
    support: np.ndarray


def horizon_of(log):
    """Days ahead that chances are for: the company's usual gap between two visits."""
    customer, day = _visits(log)
    same = customer[1:] == customer[:-1]
    if not same.any():
        return SHORTEST_HORIZON * 2
    gap = float(np.median((day[1:] - day[:-1])[same]))
    return int(np.clip(round(gap), SHORTEST_HORIZON, LONGEST_HORIZON))


def learn_products(log, today, horizon):
    """:class:`Knowledge` of the products in the purchases up to a day."""
    log = log.until(today)
    habits = habits_of(log)
    n_products = len(log.products)
    demand, short = (_demand(log, log.day > today - days) for days in (horizon, horizon / 4))
    many = habits.times > 1
    gaps = (habits.last - habits.first)[many] / (habits.times[many] - 1)
    pairs = pairs_of(habits, len(log.customers), n_products)
    # of those who had it a horizon ago, who bought it since
    had = habits.first <= today - horizon
    owners = np.bincount(habits.product[had], minlength=n_products)
    came = np.bincount(habits.product[had & (habits.last > today - horizon)], minlength=n_products)
    base = came.sum() / max(owners.sum(), 1)
    own = pairs.product == pairs.following
    pairs.likeness[own] = ((came + 5 * base) / (owners + 5))[pairs.product[own]]
    return Knowledge(
        pairs,
        demand,
        np.log(short / demand),
        _median_by(habits.product, habits.quantity, n_products),
        float(np.median(gaps)) if len(gaps) else 4.0 * horizon,
        horizon,
    )


def _median_by(group, value, n):
    """Lower median of each group, 1 where there is nothing; (n,)."""
    order = np.lexsort((value, group))
    size = np.bincount(group, minlength=n)
    middle = np.cumsum(size) - size + (size - 1) // 2
    median = np.ones(n)
    median[size > 0] = value[order][middle[size > 0]]
    return median


def _demand(log, lately):
    """Share of the customers of a time who bought a product; (products,)."""
    n = len(log.products)
    pairs = np.unique(log.customer[lately].astype(np.int64) * max(n, 1) + log.product[lately])
    buyers = np.bincount(pairs % max(n, 1), minlength=n)
    return (buyers + 0.2) / (len(np.unique(log.customer[lately])) + 2.0)


def learn_weights(log, today, horizon):
    """Learn :class:`Weights` from what customers bought in the two horizons that ended today.

    Weights that the first of them gives are tried on the second: by how much the chances of what
    would have been suggested were too bold or too shy, those of both are corrected.

    :param log: :class:`.product_pairs.Log`; what is after ``today`` is not looked at
    """
    log = log.sample(MOST_JUDGED)
    windows = [_window(log, today - back * horizon, horizon) for back in (2, 1)]
    learnt = []
    for earlier, later, prior in zip(*windows, DEFAULT, strict=True):
        trial = _regress(*earlier[:3], prior)
        score = later.features @ trial
        best = _place(later.customer, -score) < SUGGESTIONS
        told = np.column_stack((np.ones(best.sum()), score[best]))
        level, slope = _regress(told, later.bought[best], later.weight[best], np.array((0.0, 1.0)))
        both = (np.concatenate(pair) for pair in zip(earlier[:3], later[:3], strict=True))
        weights = _regress(*both, prior) * (1 + max(slope, 0.0)) / 2
        weights[0] += level / 2
        learnt.append(weights)
    return Weights(*learnt)


class _Window(NamedTuple):
    """What could have been suggested on a day, and whether it was bought within the horizon."""

    features: np.ndarray
    bought: np.ndarray
    weight: np.ndarray
    customer: np.ndarray


def _window(log, day, horizon):
    """A :class:`_Window` for each kind of candidates."""
    knowledge = learn_products(log, day, horizon)
    past = log.until(day)
    past = past.of(_sample(past))
    bought = _keys(log.until(day + horizon), after=day)
    for candidates_of in (_again, _alike):
        found = candidates_of(past, day, knowledge)
        key = found.customer.astype(np.int64) * len(log.products) + found.product
        # a customer counts as much as another, however much he has bought
        number = np.bincount(found.customer, minlength=len(log.customers))
        yield _Window(
            found.features, _isin(key, bought), 1 / number[found.customer], found.customer
        )


def suggest(log, today, knowledge, weights=DEFAULT, limit=SUGGESTIONS, wanted=None):
    """What the customers of a log may buy next, a part of them at a time.

    The result of a customer does not hang on who else is in the log.

    :param log: :class:`.product_pairs.Log`, whose product codes are those of ``knowledge``
    :param wanted: whether a product may be suggested at all; (products,); None: each may
    :return: :class:`Suggestions`
    """
    log = log.until(today)
    found = [
        _suggest(part, today, knowledge, weights, limit, wanted) for part in _parts(log, knowledge)
    ]
    if not found:
        found = [_suggest(log, today, knowledge, weights, limit, wanted)]
    return Suggestions(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _suggest(log, today, knowledge, weights, limit, wanted):
    kinds = (_again(log, today, knowledge), _alike(log, today, knowledge))
    chance = np.concatenate(
        [expit(each.features @ own) for each, own in zip(kinds, weights, strict=True)]
    ).round(DIGITS)
    kind = np.repeat((AGAIN, ALIKE), [len(each.customer) for each in kinds])
    columns = dict(
        zip(
            _Candidates._fields,
            (
                None if name == "features" else np.concatenate([getattr(k, name) for k in kinds])
                for name in _Candidates._fields
            ),
            strict=True,
        )
    )
    worth = chance >= LEAST_CHANCE
    if wanted is not None:
        worth &= wanted[columns["product"]]
    worth = np.flatnonzero(worth)
    product = log.products[columns["product"]]
    order = worth[np.lexsort((product[worth], -chance[worth], columns["customer"][worth]))]
    customer = columns["customer"][order]
    starts = _starts(customer)
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)])) + 1
    kept = order[rank <= limit]
    return Suggestions(
        log.customers[columns["customer"][kept]],
        product[kept],
        rank[rank <= limit],
        kind[kept],
        chance[kept],
        np.maximum(columns["due"][kept], today).astype(np.int64),
        columns["quantity"][kept],
        log.products[columns["because"][kept]],
        columns["share"][kept],
        columns["days"][kept],
        columns["support"][kept],
    )


def _again(log, today, knowledge):
    """What customers have bought before."""
    habits, horizon = habits_of(log), knowledge.horizon
    visits = _Visits(log, habits, today, horizon)
    customer, product = habits.customer, habits.product
    repeat, typical, returning = _of_themselves(knowledge, len(log.products))
    typical = np.where(typical > 0, typical, knowledge.gap)[product]
    times = habits.times.astype(float)
    since = (today - habits.last).astype(float)
    # his own gap, where he has few of them together with that of all
    gap = np.maximum((habits.last - habits.first + typical) / times, 1.0)
    # twice as much lasts twice as long, within reason
    usual = habits.before / np.maximum(times - 1, 1)
    more = np.where(times > 1, habits.quantity / np.maximum(usual, 1e-9), 1.0)
    lasts = gap * np.clip(more, 0.4, 2.5)
    starts = _starts(log.customer, log.product)
    lately = log.day > today - 4 * horizon
    lately = np.add.reduceat(lately.astype(float), starts) if len(starts) else times
    features = np.column_stack(
        (
            np.ones(len(times)),
            np.log(times),
            _renewal(since, gap, horizon),
            _renewal(since, lasts, horizon),
            np.log1p(since / gap),
            np.log1p(lately),
            _logit(repeat[product]),
            _logit(returning[product]),
            np.log(knowledge.demand[product]),
            knowledge.trend[product],
            visits.features[customer],
        )
    )
    return _Candidates(
        customer,
        product,
        features,
        habits.last + np.round(lasts),
        habits.quantity,
        product,
        repeat[product],
        gap,
        habits.times,
    )


def _of_themselves(knowledge, n_products):
    """Of each product, how many buyers buy it again, after how many days, how many did lately."""
    pairs = knowledge.pairs
    own = pairs.product == pairs.following
    columns = np.zeros((3, n_products))
    columns[:, pairs.product[own]] = pairs.share[own], pairs.days[own], pairs.likeness[own]
    return columns


def _alike(log, today, knowledge):
    """What others bought after what the customers have."""
    habits, pairs = habits_of(log), knowledge.pairs
    visits = _Visits(log, habits, today, knowledge.horizon)
    n_products = max(len(log.products), 1)
    known = habits.customer.astype(np.int64) * n_products + habits.product
    # what he bought last leads on
    recent = _place(habits.customer, -habits.last) < LEADING
    customer, product, last = (
        column[recent] for column in (habits.customer, habits.product, habits.last)
    )
    others = pairs.product != pairs.following
    pairs = Pairs(*(column[others] for column in pairs))
    start = np.searchsorted(pairs.product, product)
    width = np.searchsorted(pairs.product, product, "right") - start
    row = np.repeat(np.arange(len(product)), width)
    pair = np.arange(len(row)) + np.repeat(start - (np.cumsum(width) - width), width)
    key = customer[row].astype(np.int64) * n_products + pairs.following[pair]
    new = ~_isin(key, known)
    row, pair, key = row[new], pair[new], key[new]
    # the way with the largest share first
    order = np.lexsort((pairs.product[pair], -pairs.share[pair], key))
    row, pair, key = row[order], pair[order], key[order]
    starts = _starts(key)
    best, row = pair[starts], row[starts]
    ways = np.diff(np.r_[starts, len(key)]).astype(float)

    def add_up(values):
        return np.add.reduceat(values, starts) if len(starts) else np.empty(0)

    share = np.minimum(pairs.share, 0.99)
    customer, target = customer[row], pairs.following[best]
    since = (today - last[row]).astype(float)
    features = np.column_stack(
        (
            np.ones(len(best)),
            _logit(-np.expm1(add_up(np.log1p(-share[pair])))),
            _logit(share[best]),
            np.log(np.maximum(add_up(pairs.likeness[pair]), 1e-6)),
            np.log(pairs.lift[best]),
            np.log(ways),
            np.log1p(since / (pairs.days[best] + 7.0)),
            np.log(knowledge.demand[target]),
            knowledge.trend[target],
            visits.features[customer],
        )
    )
    return _Candidates(
        customer,
        target,
        features,
        last[row] + np.round(pairs.days[best]),
        knowledge.quantity[target],
        pairs.product[best],
        pairs.share[best],
        pairs.days[best],
        pairs.support[best],
    )


class _Visits:
    """How often and how lately customers came, and how they buy at all.

    :ivar features: log of visits within the horizon and within four, of horizons since the last,
        of all visits and products, log-odds that a row of theirs is no first one, log of products
        a visit; (customers, 7)
    """

    def __init__(self, log, habits, today, horizon):
        customer, day = _visits(log)
        n = len(log.customers)

        def within(days):
            return np.bincount(customer[day > today - days], minlength=n)

        count = np.maximum(np.bincount(customer, minlength=n), 1)
        last = np.zeros(n, np.int64)
        last[customer] = day
        products = np.maximum(np.bincount(habits.customer, minlength=n), 1)
        times = np.maximum(np.bincount(habits.customer, habits.times, minlength=n), 1.0)
        self.features = np.column_stack(
            (
                np.log1p(within(horizon)),
                np.log1p(within(4 * horizon)),
                np.log1p(np.maximum(today - last, 0) / horizon),
                np.log(count),
                np.log(products),
                _logit((times - products + 0.5) / (times + 1)),
                np.log(times / count),
            )
        )


def _visits(log):
    """(customer, day) of each visit, sorted."""
    order = np.lexsort((log.day, log.customer))
    customer, day = log.customer[order], log.day[order]
    starts = _starts(customer, day)
    return customer[starts], day[starts]


def _parts(log, knowledge):
    """The log of some customers after the other, each with so many candidates as fit."""
    if not len(log.customer):
        return
    pairs = knowledge.pairs
    following = np.bincount(pairs.product, minlength=len(log.products))
    weight = np.cumsum(following[log.product] + 1.0)
    ends = np.flatnonzero(np.r_[log.customer[1:] != log.customer[:-1], True]) + 1
    start = 0
    while start < len(log.customer):
        done = weight[start - 1] if start else 0.0
        place = np.searchsorted(ends, np.searchsorted(weight, done + AT_ONCE, "right"), "right")
        end = ends[max(place - 1, np.searchsorted(ends, start, "right"))]
        first, last = log.customer[start], log.customer[end - 1]
        yield Log(
            log.customers[first : last + 1],
            log.products,
            log.customer[start:end] - first,
            *(column[start:end] for column in (log.product, log.day, log.quantity)),
        )
        start = end


def _sample(log):
    """Codes of customers to learn from, spread evenly, with so many candidates as are weighed."""
    codes = np.unique(log.customer)
    rows = len(log.customer) * 40.0
    step = max(1, int(np.ceil(rows / (MOST_LEARNT * 10))))
    return codes[::step]


def _keys(log, after):
    """Sorted keys of what customers of a log bought after a day."""
    later = log.day > after
    keys = log.customer[later].astype(np.int64) * max(len(log.products), 1) + log.product[later]
    return np.unique(keys)


def _regress(features, happened, weight, prior):
    """Logistic regression with a normal prior: Newton's method, with shorter steps where it errs.

    :param features: (rows, features), the first of which is 1
    :param happened, weight: (rows,); the mean weight counts as one row
    :param prior: most likely weights of the features without data
    """
    weights = prior.copy()
    if not len(happened):
        return weights
    weight = weight / weight.mean()
    precision = np.full(len(prior), PRIOR_DEVIATION**-2)
    # the level of a company is its own
    precision[0] = LEVEL_DEVIATION**-2

    def loss(candidate):
        score = features @ candidate
        fit = weight @ (np.logaddexp(0.0, score) - happened * score)
        return fit + 0.5 * precision @ (candidate - prior) ** 2

    now = loss(weights)
    for _round in range(50):
        chance = expit(features @ weights)
        slope = features.T @ (weight * (happened - chance)) - precision * (weights - prior)
        curve = (features * (weight * chance * (1 - chance))[:, None]).T @ features
        step = np.linalg.solve(curve + np.diag(precision), slope)
        then = loss(weights + step)
        while not then <= now and np.abs(step).max() > 1e-9:
            step = step / 2
            then = loss(weights + step)
        weights, now = weights + step, then
        if np.abs(step).max() < 1e-6:
            break
    return weights


def _renewal(since, gap, horizon):
    """Log-odds that a regular gap ends within the horizon, when it has not ended yet."""
    stays = gammaincc(REGULAR, REGULAR * since / gap)
    later = gammaincc(REGULAR, REGULAR * (since + horizon) / gap)
    return _logit(1 - later / np.maximum(stays, 1e-12))


def _logit(share):
    return logit(np.clip(share, 1e-4, 1 - 1e-4))
