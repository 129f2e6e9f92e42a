"""The way from the revenue of one period to that of another, split to the cent.

In: what each customer bought in the two periods, in whole cents. Out: what new and lost customers
and those who came back account for, and, of those who stayed, how often they ordered, what was in
an order, what it cost and what went back. Every part is a whole number of cents; they add up to
the difference exactly, for each customer and for all.

Revenue of a period is ``orders * (sales / orders) - returns``. What two factors of a product
account for is shared between them evenly, whichever is changed first: the values of Shapley
(1953), which for two factors are the indicator of Bennet (1920), *The theory of measurement of
changes in cost of living*. Prices and quantities of goods are told apart by the same indicator.
"""

import numpy as np

#: parts of the difference, in the order in which they are shown
EFFECTS = ("new", "back", "lost", "frequency", "basket", "price", "returns")
#: kinds of customers
NONE, NEW, BACK, LOST, STAYED = range(5)

# products of whole numbers below this fit into 64 bits, with room for rounding
_SAFE = 2.0**60


def bridge(before, after, known, prices=None):
    """Split the difference between two periods' revenue.

    :param before: dict of arrays of whole numbers, an element a customer, about the former
        period: ``orders`` (days with purchases), ``sales`` (cents before returns), ``returns``
        (cents taken off them; revenue is sales less returns)
    :param after: the same about the later period, customers in the same order
    :param known: array of booleans, whether the customer ordered before the former period
    :param prices: the pair of arrays that :func:`prices_of_goods` makes; without it what an
        order was worth is not told apart into goods and prices: all of it is ``basket``
    :return: dict of arrays of whole numbers, an element a customer: ``kind`` (``NONE`` where he
        ordered in neither period, ``NEW``, ``BACK``, ``LOST``, ``STAYED``) and, in cents, each of
        ``EFFECTS``. Who ordered in neither period, or in one and gave back in the other, has the
        latter under ``returns``
    """
    n0, n1 = _whole(before["orders"]), _whole(after["orders"])
    g0, g1 = _whole(before["sales"]), _whole(after["sales"])
    r0, r1 = _whole(before["returns"]), _whole(after["returns"])
    known = np.asarray(known, dtype=bool)
    was, is_ = n0 > 0, n1 > 0
    stayed, came, lost = was & is_, ~was & is_, was & ~is_
    kind = np.select([stayed, came & known, came, lost], [STAYED, BACK, NEW, LOST], NONE)
    revenue_0, revenue_1 = g0 - r0, g1 - r1
    nothing = np.zeros_like(g0)
    # what went back without an order of the same period
    loose = np.where(~is_, revenue_1, 0) - np.where(~was, revenue_0, 0)
    dearer_0, dearer_1 = (nothing, nothing) if prices is None else map(_whole, prices)
    goods_0, goods_1 = g0 + dearer_0, g1 - dearer_1
    frequency = nothing.copy()
    frequency[stayed] = _frequency(*(each[stayed] for each in (n0, n1, goods_0, goods_1)))
    effects = {
        "new": np.where(kind == NEW, revenue_1, 0),
        "back": np.where(kind == BACK, revenue_1, 0),
        "lost": np.where(kind == LOST, -revenue_0, 0),
        "frequency": frequency,
        "basket": np.where(stayed, goods_1 - goods_0 - frequency, 0),
        "price": np.where(stayed, dearer_0 + dearer_1, 0),
        "returns": np.where(stayed, r0 - r1, 0) + loose,
    }
    return {"kind": kind, **effects}


def prices_of_goods(customers, customer, before, after):
    """What dearer and cheaper goods account for, of customers who bought them in both periods.

    Goods that were bought in one period only have no two prices: they are part of the basket.

    :param customers: number of customers
    :param customer: array of whole numbers: position of the customer of each row; a row is what
        one customer bought of one product
    :param before: pair of arrays of whole numbers about the former period: quantity (in the
        smallest part that is sold, such as thousandths of a unit) and sales in cents
    :param after: the same about the later period
    :return: pair of arrays of cents, an element a customer: what the goods of the former, and of
        the later period would have cost more at the mean of the two prices; for :func:`bridge`
    """
    customer = np.asarray(customer, dtype=np.int64)
    (q0, a0), (q1, a1) = (map(_whole, each) for each in (before, after))
    both = (q0 > 0) & (q1 > 0)
    q0, a0, q1, a1, customer = (each[both] for each in (q0, a0, q1, a1, customer))
    # half the difference of the prices, times the quantity: whole numbers above a common bar
    more_0 = _ratio([(a1, q0, 1), (a0, q1, -1)], [q1], 2)
    more_1 = _ratio([(a1, q0, 1), (a0, q1, -1)], [q0], 2)
    sums = []
    for more in (more_0, more_1):
        total = np.zeros(customers, dtype=np.int64)
        np.add.at(total, customer, more)
        sums.append(total)
    return tuple(sums)


def _whole(values):
    values = np.asarray(values)
    if values.dtype.kind not in "iub":
        raise TypeError("The bridge adds up whole numbers of cents only.")
    return values.astype(np.int64)


def _frequency(n0, n1, g0, g1):
    """(n1 - n0) times the mean of the values of an order, in cents."""
    return _ratio([(g0, n1, n1 - n0), (g1, n0, n1 - n0)], [n0, n1], 2)


def _ratio(terms, divisors, divisor):
    """The sum of products divided by a product, rounded to whole numbers, halves upwards.

    Exact: what does not fit into 64 bits is computed with Python's numbers.

    :param terms: list of tuples of arrays or numbers, to be multiplied; :param divisors: list of
        positive arrays; :param divisor: a positive number, one more divisor
    """
    size = sum(np.abs(_product(term, float)) for term in terms)
    size = 2 * size + 2 * divisor * _product(divisors, float)
    result = _rounded(terms, divisors, divisor, np.int64)
    large = np.flatnonzero(size >= _SAFE)
    if len(large):
        few = [[_part(factor, large) for factor in term] for term in terms]
        below = [_part(factor, large) for factor in divisors]
        result[large] = _rounded(few, below, divisor, object).astype(np.int64)
    return result


def _rounded(terms, divisors, divisor, kind):
    with np.errstate(over="ignore"):
        above = sum(_product(term, kind) for term in terms)
        below = divisor * _product(divisors, kind)
        if kind is np.int64:
            # of rows that are computed anew, so that nothing is divided by what ran over
            below = np.maximum(below, 1)
        return (2 * above + below) // (2 * below)


def _part(factor, rows):
    return factor[rows] if isinstance(factor, np.ndarray) else factor


def _product(factors, kind):
    result = 1
    for factor in factors:
        result = result * (factor.astype(kind) if isinstance(factor, np.ndarray) else factor)
    return result
