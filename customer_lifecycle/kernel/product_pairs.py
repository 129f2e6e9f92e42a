"""What was bought after what: habits of customers with products, and pairs of products.

In: purchases of products by customers on days. Out: for each product those that its buyers went
on to buy, shrunken towards what everybody went on to buy, with the days between. Read by
:mod:`.next_product`.
"""

from typing import NamedTuple

import numpy as np

#: a product has followed another with so many customers before anybody is told
LEAST_SUPPORT = 3
#: customers that a share is shrunken by: as if so many had gone on as everybody does
PRIOR_CUSTOMERS = 10.0
#: products kept that follow one: those bought by the same customers, and those most often bought
MOST_ALIKE, MOST_FOLLOWING = 24, 8
#: of a customer's products so many are paired, those first bought last
LONGEST = 80
#: pairs counted: above it, those of a sample of customers, always the same
MOST_PAIRS = 120_000_000
#: pairs in memory at a time
AT_ONCE = 6_000_000
#: days between two purchases are counted up to here
FARTHEST = 1023


class Log(NamedTuple):
    """Purchases, a row for each customer, product and day, sorted by these three.

    :param customers, products: ids, ascending, that the codes of the rows stand for
    :param customer, product: codes; (rows,)
    :param day: whole numbers; (rows,)
    :param quantity: above 0; (rows,)
    """

    customers: np.ndarray
    products: np.ndarray
    customer: np.ndarray
    product: np.ndarray
    day: np.ndarray
    quantity: np.ndarray

    def until(self, day):
        """The part up to a day, with the same codes."""
        return self._replace_rows(self.day <= day)

    def of(self, codes):
        """The part of some customers, with the same codes."""
        wanted = np.zeros(len(self.customers), bool)
        wanted[codes] = True
        return self._replace_rows(wanted[self.customer])

    def sample(self, most):
        """The part of at most so many customers, spread evenly, with the same codes."""
        codes = np.unique(self.customer)
        return self if len(codes) <= most else self.of(spread(codes, most))

    def _replace_rows(self, kept):
        rows = (self.customer, self.product, self.day, self.quantity)
        return Log(self.customers, self.products, *(each[kept] for each in rows))


class Habits(NamedTuple):
    """What a customer has to do with a product; rows sorted by customer and product.

    :param times: days on which he bought it
    :param first, last: the first and last of them
    :param quantity: bought on the last
    :param before: quantity bought on all days but the last
    """

    customer: np.ndarray
    product: np.ndarray
    times: np.ndarray
    first: np.ndarray
    last: np.ndarray
    quantity: np.ndarray
    before: np.ndarray


class Pairs(NamedTuple):
    """Products that are bought after others; rows sorted by product, the likeliest next first.

    A product with itself says how many of its buyers bought it again.

    :param product, following: codes
    :param share: chance that a buyer who has not got the following yet goes on to buy it
    :param days: typical days until then (median)
    :param support: customers who did
    :param likeness: cosine of who has bought them, shrunken
    :param lift: share by that of all products
    """

    product: np.ndarray
    following: np.ndarray
    share: np.ndarray
    days: np.ndarray
    support: np.ndarray
    likeness: np.ndarray
    lift: np.ndarray


def read_purchases(customer, day, product, quantity, products=None):
    """Make a :class:`Log` of purchases, several of which may be of one day.

    :param customer, product: ids; (rows,)
    :param day: whole numbers; (rows,)
    :param quantity: net of returns; a day with none or less is no purchase; (rows,)
    :param products: ascending ids that include those of the rows; None: just those
    :raise ValueError: for arrays of different lengths
    """
    customer, product = np.asarray(customer, np.int64), np.asarray(product, np.int64)
    day, quantity = np.asarray(day, np.int64), np.asarray(quantity, float)
    if not customer.shape == day.shape == product.shape == quantity.shape:
        raise ValueError("customer, day, product and quantity must be of equal length.")
    customers, customer = np.unique(customer, return_inverse=True)
    if products is None:
        products, product = np.unique(product, return_inverse=True)
    else:
        products = np.asarray(products, np.int64)
        product = np.searchsorted(products, product)
    order = np.lexsort((day, product, customer))
    customer, product, day = customer[order], product[order], day[order]
    starts = _starts(customer, product, day)
    if not len(starts):
        return Log(customers, products, customer, product, day, quantity)
    quantity = np.add.reduceat(np.nan_to_num(quantity[order]), starts)
    bought = quantity > 1e-9
    customer, product, day = (each[starts][bought] for each in (customer, product, day))
    return Log(
        customers,
        products,
        customer.astype(np.int32),
        product.astype(np.int32),
        day.astype(np.int32),
        quantity[bought],
    )


def habits_of(log):
    """:class:`Habits` of a log."""
    starts = _starts(log.customer, log.product)
    if not len(starts):
        return Habits(*(each[:0] for each in (log.customer, log.product, log.day, log.day)),
                      *(log.day[:0], log.quantity[:0], log.quantity[:0]))  # fmt: skip
    ends = np.r_[starts[1:], len(log.day)] - 1
    quantity = log.quantity[ends]
    return Habits(
        log.customer[starts],
        log.product[starts],
        (ends - starts + 1).astype(np.int32),
        log.day[starts],
        log.day[ends],
        quantity,
        np.add.reduceat(log.quantity, starts) - quantity,
    )


def pairs_of(habits, n_customers, n_products, most_pairs=MOST_PAIRS, at_once=AT_ONCE):
    """Count what is bought after what.

    Of a product's buyers who had not bought another before or with it, those count who bought it
    on a later day. Their share is shrunken towards that of all products, as a few customers say
    little, and kept where it is above that. One product after the other, some at a time, so that
    memory is bounded; what is seldom is left out.

    :param habits: :class:`Habits`
    :return: :class:`Pairs`
    """
    again = _again(habits, n_products)
    rows = _sampled(_newest(habits), n_customers, most_pairs)
    n_rows = len(rows.customer)
    if not n_rows:
        return again
    starts = _starts(rows.customer)
    width = np.diff(np.r_[starts, n_rows])
    begins, size = np.repeat(starts, width), np.repeat(width, width)
    # earlier and later products of the same customers: what an average product leads to
    place = np.arange(n_rows) - begins
    basket = _starts(rows.customer, rows.first)
    earlier = np.repeat(place[basket], np.diff(np.r_[basket, n_rows]))
    buyers = np.bincount(rows.product, minlength=n_products)
    led_to = np.bincount(rows.product, earlier, minlength=n_products)
    closed = np.bincount(rows.product, size - earlier, minlength=n_products)
    usual = led_to / np.maximum(n_rows - closed, 1)
    # the rows of a product together, and some products at a time
    by_product = np.argsort(rows.product, kind="stable")
    until = np.cumsum(size[by_product])
    found, start = [], 0
    ends_of_product = np.cumsum(buyers)
    while start < n_rows:
        done = until[start - 1] if start else 0
        end = int(np.searchsorted(until, done + at_once, "right"))
        # whole products: at least one
        product = rows.product[by_product[min(end, n_rows - 1)]]
        end = n_rows if end >= n_rows else int(ends_of_product[product] - buyers[product])
        if end <= start:
            end = int(ends_of_product[rows.product[by_product[start]]])
        found.append(_count(rows, by_product[start:end], begins, size, buyers, usual, n_products))
        start = end
    parts = [again, *found]
    pairs = Pairs(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    order = np.lexsort((pairs.following, -pairs.share, pairs.product))
    return Pairs(*(column[order] for column in pairs))


def _count(rows, sources, begins, size, buyers, usual, n_products):
    """Pairs of the products of some rows, pruned; all rows of a product are among them."""
    width = size[sources]
    source = np.repeat(sources, width)
    within = np.arange(len(source)) - np.repeat(np.cumsum(width) - width, width)
    target = np.repeat(begins[sources], width) + within
    other = rows.product[target] != rows.product[source]
    source, target = source[other], target[other]
    if not len(source):
        return Pairs(*(np.empty(0, kind) for kind in _KINDS))
    between = np.clip(rows.first[target] - rows.first[source], 0, FARTHEST)
    low = int(rows.product[sources].min())
    key = ((rows.product[source].astype(np.int64) - low) * n_products + rows.product[target]) * (
        FARTHEST + 1
    ) + between
    del source, target, other, within, between
    key.sort()
    pair = key // (FARTHEST + 1)
    starts = np.flatnonzero(np.r_[True, pair[1:] != pair[:-1]])
    both = np.diff(np.r_[starts, len(key)])
    much = both >= LEAST_SUPPORT
    starts, both = starts[much], both[much]
    pair = pair[starts]
    # those with no day between had it before or with it
    ends = starts + both
    later = np.searchsorted(key, pair * (FARTHEST + 1) + 1)
    support = ends - later
    product, following = pair // n_products + low, pair % n_products
    first = key[np.minimum(later + (support - 1) // 2, len(key) - 1)] % (FARTHEST + 1)
    second = key[np.minimum(later + support // 2, len(key) - 1)] % (FARTHEST + 1)
    days = np.where(support > 0, (first + second) / 2, 0)
    still_open = buyers[product] - (both - support)
    base = usual[following]
    share = (support + PRIOR_CUSTOMERS * base) / (still_open + PRIOR_CUSTOMERS)
    likeness = both / np.sqrt(buyers[product] * buyers[following].astype(float))
    likeness *= both / (both + 2.0)
    lift = share / np.maximum(base, 1e-12)
    known = (support >= LEAST_SUPPORT) & (support > base * still_open)
    known &= (_place(product, -likeness) < MOST_ALIKE) | (
        _place(product, np.where(known, -share, 1.0)) < MOST_FOLLOWING
    )
    columns = (product, following, share, days, support, likeness, lift)
    return Pairs(
        *(column[known].astype(kind) for column, kind in zip(columns, _KINDS, strict=True))
    )


_KINDS = (np.int32, np.int32, float, float, np.int32, float, float)


def _again(habits, n_products):
    """Each product with itself: the share of buyers who bought it again, and the days between."""
    buyers = np.bincount(habits.product, minlength=n_products)
    came = habits.times > 1
    support = np.bincount(habits.product[came], minlength=n_products)
    base = support.sum() / max(buyers.sum(), 1)
    share = (support + PRIOR_CUSTOMERS * base) / (buyers + PRIOR_CUSTOMERS)
    gap = (habits.last - habits.first)[came] / (habits.times[came] - 1)
    product = habits.product[came]
    order = np.lexsort((gap, product))
    start = np.searchsorted(product[order], np.arange(n_products))
    middle = np.minimum(start + support // 2, max(len(gap) - 1, 0))
    days = np.where(support > 0, gap[order][middle] if len(gap) else 0.0, 0.0)
    code = np.flatnonzero(buyers).astype(np.int32)
    columns = (code, code, share[code], days[code], support[code], np.ones(len(code)))
    lift = share[code] / base if base else np.ones(len(code))
    return Pairs(
        *(column.astype(kind) for column, kind in zip((*columns, lift), _KINDS, strict=True))
    )


def _newest(habits):
    """Habits by customer and day of the first purchase, the newest :data:`LONGEST` of each."""
    order = np.lexsort((habits.product, habits.first, habits.customer))
    rows = Habits(*(column[order] for column in habits))
    starts = _starts(rows.customer)
    width = np.diff(np.r_[starts, len(rows.customer)])
    left = np.repeat(starts + width, width) - np.arange(len(rows.customer))
    return Habits(*(column[left <= LONGEST] for column in rows))


def _sampled(rows, n_customers, most_pairs):
    """Rows of as many customers as have ``most_pairs`` pairs, chosen by their number."""
    width = np.bincount(rows.customer, minlength=n_customers).astype(float)
    share = most_pairs / max((width**2).sum(), 1.0)
    if share >= 1:
        return rows
    # multiplicative hashing: spread evenly, and the same in every run
    lot = (np.arange(n_customers, dtype=np.uint64) * np.uint64(2654435761)) % np.uint64(2**32)
    kept = (lot < np.uint64(share * 2**32))[rows.customer]
    return Habits(*(column[kept] for column in rows))


def _place(group, score):
    """Place of each row within its group by ascending score; rows of a group together."""
    order = np.lexsort((score, group))
    starts = _starts(group[order])
    place = np.empty(len(group), np.int64)
    place[order] = np.arange(len(group)) - np.repeat(starts, np.diff(np.r_[starts, len(group)]))
    return place


def _starts(*columns):
    """Where a new combination of sorted columns begins."""
    if not len(columns[0]):
        return np.empty(0, np.int64)
    changes = np.zeros(len(columns[0]) - 1, bool)
    for column in columns:
        changes |= column[1:] != column[:-1]
    return np.flatnonzero(np.r_[True, changes])


def _isin(values, ordered):
    """Which values are among sorted ones."""
    if not len(ordered):
        return np.zeros(len(values), bool)
    place = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return ordered[place] == values


def spread(codes, most):
    """At most so many of sorted codes, spread evenly."""
    return codes[:: -(-len(codes) // most)] if len(codes) > most else codes
