"""Orders far beyond all others, which a forecast must not hang on.

In: net amounts of customers' days. Out: which of them stand alone, and the amount that they
count for instead. Called by :class:`~.lifetime.LifetimeModel` before anything is fitted on
amounts; where no order stands alone, which is the rule, every amount stays as it is.

Sources: Weissman 1978, "Estimation of Parameters and Large Quantiles Based on the k Largest
Observations", JASA 73, for how far a tail reaches beyond what was seen; Dixon 1960, "Simplified
Estimation from Censored Normal Samples", Annals of Mathematical Statistics 31, for winsorising:
what stands alone counts as the largest amount that does not.
"""

from dataclasses import dataclass, field

import numpy as np

# An amount that others come near to is no slip but a large customer.
_NEAR, _OTHERS = 10.0, 3
# The tail is measured between these shares of the amounts.
_BULK, _TAIL = 0.75, 0.95
# What as many orders as there are would hold once in a thousand companies is believed.
_DECADES = 3.0
# Prices that hardly differ say little about the next order: each decade at least doubles.
_LEAST_GROWTH = 2.0
# Where retail and wholesale are mixed, the step from one to the other is no tail that goes on.
_MOST_GROWTH = 30.0
_LEAST_AMOUNTS = 20


@dataclass(frozen=True)
class Outliers:
    """Days that stand alone, largest first: arrays of equal length, and the ``limit``.

    ``limit`` is the largest amount that does not stand alone; None where none does.
    """

    customer: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    day: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    amount: np.ndarray = field(default_factory=lambda: np.zeros(0))
    limit: float | None = None

    def __len__(self):
        return len(self.customer)

    def to_dict(self):
        """Return a JSON-able dict."""
        if self.limit is None:
            return {}
        rows = zip(
            self.customer.tolist(), self.day.tolist(), self.amount.tolist(), strict=True
        )
        return {"limit": self.limit, "days": [list(row) for row in rows]}

    @classmethod
    def from_dict(cls, stored):
        """Return what :meth:`to_dict` described."""
        if not stored:
            return cls()
        customer, day, amount = zip(*stored["days"], strict=True)
        return cls(np.array(customer), np.array(day), np.array(amount), stored["limit"])

    def tamed(self, customer, amount):
        """Return amounts in which no customer found here has one beyond the limit.

        What a customer found here gave back is limited like what he bought: an order that was
        credited on another day would leave nothing but the credit.
        """
        if self.limit is None:
            return amount
        theirs = np.isin(customer, self.customer)
        return np.where(theirs, np.clip(amount, -self.limit, self.limit), amount)

    def tamed_mean(self, customer, n, value):
        """Return customers' mean amounts of ``n`` purchases without what exceeds the limit.

        Nobody's mean is beyond the limit, known here or not: a fit may have seen a sample.
        """
        if self.limit is None:
            return value
        value = np.asarray(value, dtype=float)
        who, place = np.unique(self.customer, return_inverse=True)
        whole = np.bincount(place, self.amount)
        excess = np.bincount(place, self.amount - self.limit)
        found = np.minimum(np.searchsorted(who, customer), len(who) - 1)
        # an order that was cancelled after the fit is no longer in the mean
        holds = (who[found] == customer) & (n * value >= 0.999 * whole[found])
        excess = np.where(holds, excess[found], 0.0)
        return np.minimum(np.maximum(value - excess / np.maximum(n, 1.0), 0.0), self.limit)


def find_outliers(customer, day, amount):
    """Find the days whose amounts stand alone.

    An amount stands alone when fewer than three others reach a tenth of it, and it lies beyond
    what the upper tail of the others lets expect of so many: from the upper quarter to the upper
    twentieth an amount grows by some factor for each tenfold rarity, and it would have to grow on
    by that, thirtyfold at most, down to one in a thousand times as many orders.

    :param customer, day, amount: arrays, one row a customer's day
    :return: :class:`Outliers`
    """
    bought = np.flatnonzero(amount > 0)
    if len(bought) < _LEAST_AMOUNTS:
        return Outliers()
    # only an amount that at most the three largest others can come near to may stand alone
    largest = bought[np.argsort(amount[bought], kind="stable")[::-1][: _OTHERS + _OTHERS]]
    alone = [
        place
        for place in largest[:_OTHERS]
        if np.sum(amount[largest] * _NEAR >= amount[place]) - 1 < _OTHERS
    ]
    if not alone:
        return Outliers()
    others = np.setdiff1d(bought, alone, assume_unique=True)
    bulk, tail = np.quantile(amount[others], (_BULK, _TAIL))
    per_decade = 1.0 / np.log10((1.0 - _BULK) / (1.0 - _TAIL))
    growth = np.clip((tail / bulk) ** per_decade, _LEAST_GROWTH, _MOST_GROWTH)
    decades = np.log10(len(others) * (1.0 - _TAIL)) + _DECADES
    reach = tail * growth ** max(decades, 0.0)
    alone = np.array([place for place in alone if amount[place] > reach], dtype=np.int64)
    if not len(alone):
        return Outliers()
    limit = float(np.delete(amount, alone).max())
    return Outliers(customer[alone], day[alone], amount[alone], limit)
