"""From transactions to purchase histories."""

from dataclasses import dataclass

import numpy as np

# Purchases that the pace is read from.
PACE = 6


@dataclass(frozen=True)
class Histories:
    """What a customer's transactions boil down to; arrays of equal length.

    ``customer``: id; ``x``: repeat purchase days; ``t_x``: days from first to last purchase;
    ``T``: days from first purchase to the end of observation; ``value``: net amount of all
    days, refunds included, per purchase day (0 where refunds ate up everything);
    ``recent``: purchase days within the last ``horizon`` days up to and including the end;
    ``pace``: days from the sixth last purchase, of fewer the first, to the end.
    """

    customer: np.ndarray
    x: np.ndarray
    t_x: np.ndarray
    T: np.ndarray
    value: np.ndarray
    recent: np.ndarray
    pace: np.ndarray

    def __len__(self):
        return len(self.customer)

    def take(self, index):
        """Return the histories at ``index`` (integers or a mask)."""
        return Histories(*(getattr(self, name)[index] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Ledger:
    """Net amount per customer and day, sorted by both, and whether it is a purchase."""

    customer: np.ndarray
    day: np.ndarray
    amount: np.ndarray
    bought: np.ndarray

    def __len__(self):
        return len(self.customer)

    def until(self, end):
        """Return the part up to and including the day ``end``."""
        keep = self.day <= end
        return self if keep.all() else Ledger(*(a[keep] for a in self._columns()))

    def of(self, customers):
        """Return the part of these customers (sorted ids)."""
        place = np.searchsorted(customers, self.customer)
        place[place == len(customers)] = 0
        keep = customers[place] == self.customer if len(customers) else place < 0
        return Ledger(*(a[keep] for a in self._columns()))

    def _columns(self):
        return self.customer, self.day, self.amount, self.bought


def ledger(customer, day, amount, end=None, free_orders=False):
    """Merge each customer's transactions of one day.

    :param customer: ids, whole numbers
    :param day: whole days since any epoch
    :param amount: net amounts in one currency, refunds negative; rows that are not finite
        are left out
    :param end: last day counted; later rows are left out
    :param free_orders: a day with nothing but amounts of 0 is a purchase too
    :return: :class:`Ledger`
    :raise ValueError: if lengths differ or ids or days are not whole numbers
    """
    customer, day = _whole(customer, "customer"), _whole(day, "day")
    amount = np.asarray(amount, dtype=float)
    if not customer.shape == day.shape == amount.shape or customer.ndim != 1:
        raise ValueError("customer, day and amount must be one-dimensional and of one length.")
    keep = np.isfinite(amount)
    if end is not None:
        keep &= day <= end
    if not keep.all():
        customer, day, amount = customer[keep], day[keep], amount[keep]
    if not len(customer):
        return Ledger(customer, day, amount, amount > 0)
    key = _day_key(customer, day)
    if np.any(key[1:] < key[:-1]):
        order = np.argsort(key, kind="stable")
        key, customer, day, amount = key[order], customer[order], day[order], amount[order]
    first = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1])))
    net = amount if len(first) == len(key) else np.add.reduceat(amount, first)
    bought = net > 0
    if free_orders:
        bought |= np.maximum.reduceat(np.abs(amount), first) == 0
    return Ledger(customer[first], day[first], net, bought)


def histories_from_transactions(customer, day, amount, end, horizon=365, free_orders=False):
    """Return the :class:`Histories` of all customers with a purchase up to ``end``.

    A day whose net amount is not positive is no purchase; it still lowers the value.

    :param end: last day of observation; later transactions are ignored
    :param horizon: days that ``recent`` looks back
    :param free_orders: a day with nothing but amounts of 0 is a purchase too
    :raise ValueError: see :func:`ledger`
    """
    return histories_from_ledger(ledger(customer, day, amount, end, free_orders), end, horizon)


def repeat_amounts(customer, day, amount, end, free_orders=False):
    """Return (number, mean amount) of the purchase days after the first, of repeat buyers.

    What Gamma-Gamma was published with; parameters as :func:`histories_from_transactions`.
    """
    days = ledger(customer, day, amount, end, free_orders)
    who, net = days.customer[days.bought], days.amount[days.bought]
    again = np.concatenate(([False], who[1:] == who[:-1]))[: len(who)]
    _, number = np.unique(who[again], return_counts=True)
    if not len(number):
        return number, np.zeros(0)
    start = np.concatenate(([0], np.cumsum(number)[:-1]))
    return number, np.add.reduceat(net[again], start) / number


def histories_from_ledger(days, end, horizon=365):
    """Like :func:`histories_from_transactions`, from a :class:`Ledger`."""
    days = days.until(end)
    bought = days.bought
    if not bought.any():
        whole = np.zeros(0, dtype=np.int64)
        return Histories(whole, whole, whole, whole, np.zeros(0), whole, whole)
    start = np.flatnonzero(np.concatenate(([True], days.customer[1:] != days.customer[:-1])))
    purchases = np.add.reduceat(bought.astype(np.int64), start)
    recent = np.add.reduceat((bought & (days.day > end - horizon)).astype(np.int64), start)
    net = np.add.reduceat(days.amount, start)
    keep = purchases > 0
    purchases = purchases[keep]
    day = days.day if bought.all() else days.day[bought]
    until = np.cumsum(purchases)
    first, last = day[until - purchases], day[until - 1]
    return Histories(
        customer=days.customer[start][keep],
        x=purchases - 1,
        t_x=last - first,
        T=end - first,
        value=np.maximum(net[keep] / purchases, 0.0),
        recent=recent[keep],
        pace=end - day[until - np.minimum(purchases, PACE)],
    )


def purchases_between(days, customers, after, until):
    """Return (purchase days, net amount) of each of ``customers`` in ``after`` < day <= ``until``.

    :param days: a :class:`Ledger`
    :param customers: sorted ids
    """
    count, net = np.zeros(len(customers)), np.zeros(len(customers))
    if not len(customers):
        return count, net
    inside = (days.day > after) & (days.day <= until)
    who, amount, bought = days.customer[inside], days.amount[inside], days.bought[inside]
    place = np.minimum(np.searchsorted(customers, who), len(customers) - 1)
    known = customers[place] == who
    place, amount, bought = place[known], amount[known], bought[known]
    count = np.bincount(place[bought], minlength=len(customers)).astype(float)
    return count, np.bincount(place, amount, minlength=len(customers))


def _whole(values, name):
    values = np.asarray(values)
    if values.dtype.kind in "iu":
        return values.astype(np.int64, copy=False)
    whole = values.astype(np.int64) if np.all(np.isfinite(values.astype(float))) else None
    if whole is None or not np.array_equal(whole, values.astype(float)):
        raise ValueError(f"{name} must hold whole numbers.")
    return whole


def _day_key(customer, day):
    """Return one integer a row that sorts by customer, then day."""
    base, span = int(day.min()), int(day.max()) - int(day.min()) + 1
    lowest = int(customer.min())
    if (int(customer.max()) - lowest + 1) * span >= 2**62:
        customer, lowest = np.unique(customer, return_inverse=True)[1], 0
    return (customer - lowest) * span + (day - base)
