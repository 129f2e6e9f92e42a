"""The revenue bridge against ledgers made at random, and against a plain second implementation."""

import random
from datetime import date, timedelta
from fractions import Fraction
from math import floor

import numpy as np
import pytest

from customer_lifecycle.kernel import bridge as kernel

LEDGERS = 10_000
FIRST = date(2025, 1, 1)
FORMER, LATER = (date(2025, 7, 1), date(2025, 9, 28)), (date(2025, 9, 29), date(2025, 12, 27))


# ----- LEDGERS -----


def new_ledger(rng):
    """Documents of a few customers: (customer, day, product, quantity, cents, cents taken off)."""
    size = rng.choice([1, 100, 10_000, 10**9])
    documents = []
    for customer in range(rng.randrange(1, 6)):
        for _number in range(rng.randrange(9)):
            day = FIRST + timedelta(days=rng.randrange(361))
            quantity = rng.randrange(1, 5000)
            sold = rng.randrange(0, 100 * size)
            taken = rng.choice([0, 0, 0, sold, rng.randrange(0, sold + 1)])
            documents.append((customer, day, rng.randrange(3), quantity, sold, taken))
        if rng.random() < 0.2:
            # a credit note for what was bought long ago
            day = FIRST + timedelta(days=rng.randrange(361))
            documents.append((customer, day, None, 0, 0, rng.randrange(50 * size)))
    return documents


def arrays_of(documents, lines):
    """What the kernel takes, counted from the documents."""
    customers = sorted({document[0] for document in documents})
    sides = []
    for start, end in (FORMER, LATER):
        orders, sales, returns = [], [], []
        for customer in customers:
            mine = [d for d in documents if d[0] == customer and start <= d[1] <= end]
            days = {d[1] for d in mine}
            net = {day: sum(d[4] - d[5] for d in mine if d[1] == day) for day in days}
            orders.append(sum(amount > 0 for amount in net.values()))
            sales.append(sum(d[4] for d in mine))
            returns.append(sum(d[5] for d in mine))
        sides.append({"orders": np.array(orders, dtype=int), "sales": np.array(sales, dtype=int),
                      "returns": np.array(returns, dtype=int)})
    first = [first_order(documents, customer) for customer in customers]
    known = np.array([day is not None and day < FORMER[0] for day in first], dtype=bool)
    prices = None
    if lines:
        rows = [(position, product) for position in range(len(customers)) for product in range(3)]
        goods = [
            [
                np.array([column(documents, customers[position], product, period, number)
                          for position, product in rows], dtype=int)
                for number in (3, 4)
            ]
            for period in (FORMER, LATER)
        ]
        positions = np.array([position for position, _product in rows])
        prices = kernel.prices_of_goods(len(customers), positions, *goods)
    return customers, sides, known, prices


def column(documents, customer, product, period, number):
    return sum(
        d[number] for d in documents
        if d[0] == customer and d[2] == product and period[0] <= d[1] <= period[1]
    )


def first_order(documents, customer):
    days = sorted({d[1] for d in documents if d[0] == customer})
    for day in days:
        if sum(d[4] - d[5] for d in documents if d[0] == customer and d[1] == day) > 0:
            return day
    return None


# ----- THE SECOND IMPLEMENTATION -----


def whole(number):
    """The nearest whole number, halves upwards."""
    return floor(number + Fraction(1, 2))


def plain_bridge(documents, lines):
    """The bridge of all customers of a ledger, one after the other, in fractions."""
    total = dict.fromkeys(kernel.EFFECTS, 0)
    for customer in {document[0] for document in documents}:
        sides = []
        for start, end in (FORMER, LATER):
            mine = [d for d in documents if d[0] == customer and start <= d[1] <= end]
            days = {}
            for _customer, day, _product, _quantity, sold, taken in mine:
                days[day] = days.get(day, 0) + sold - taken
            sides.append(
                {
                    "orders": sum(amount > 0 for amount in days.values()),
                    "sold": sum(d[4] for d in mine),
                    "taken": sum(d[5] for d in mine),
                }
            )
        old, new = sides
        if old["orders"] and new["orders"]:
            frequency, basket, price = plain_stay(documents, customer, old, new, lines)
            total["frequency"] += frequency
            total["basket"] += basket
            total["price"] += price
            total["returns"] += old["taken"] - new["taken"]
            continue
        if new["orders"]:
            first = first_order(documents, customer)
            name = "back" if first < FORMER[0] else "new"
            total[name] += new["sold"] - new["taken"]
        else:
            total["returns"] += new["sold"] - new["taken"]
        if old["orders"]:
            total["lost"] -= old["sold"] - old["taken"]
        else:
            total["returns"] -= old["sold"] - old["taken"]
    return total


def plain_stay(documents, customer, old, new, lines):
    goods = [old["sold"], new["sold"]]
    if lines:
        for product in range(3):
            (q0, a0), (q1, a1) = (
                [column(documents, customer, product, period, number) for number in (3, 4)]
                for period in (FORMER, LATER)
            )
            if q0 and q1:
                middle = (Fraction(a0, q0) + Fraction(a1, q1)) / 2
                goods[0] += whole(q0 * middle - a0)
                goods[1] -= whole(a1 - q1 * middle)
    per_order = [Fraction(goods[0], old["orders"]), Fraction(goods[1], new["orders"])]
    frequency = whole((new["orders"] - old["orders"]) * sum(per_order) / 2)
    difference = new["sold"] - old["sold"]
    price = difference - (goods[1] - goods[0])
    return frequency, goods[1] - goods[0] - frequency, price


# ----- TESTS -----


@pytest.mark.parametrize("lines", [False, True])
def test_random_ledgers_add_up_to_the_cent_and_equal_the_plain_implementation(lines):
    rng = random.Random(20261118 + lines)
    seen = dict.fromkeys(kernel.EFFECTS, 0)
    for _ledger in range(LEDGERS):
        documents = new_ledger(rng)
        customers, (before, after), known, prices = arrays_of(documents, lines)
        found = kernel.bridge(before, after, known, prices)
        sums = {name: int(found[name].sum()) for name in kernel.EFFECTS}
        revenue = [
            sum(d[4] - d[5] for d in documents if start <= d[1] <= end)
            for start, end in (FORMER, LATER)
        ]
        assert revenue[0] + sum(sums.values()) == revenue[1]
        for position in range(len(customers)):
            own = sum(int(found[name][position]) for name in kernel.EFFECTS)
            net = [int(side["sales"][position] - side["returns"][position])
                   for side in (before, after)]
            assert net[0] + own == net[1]
        assert sums == plain_bridge(documents, lines)
        for name, amount in sums.items():
            seen[name] += amount != 0
    # every part was tried
    assert all(count > LEDGERS / 20 for name, count in seen.items() if lines or name != "price")
    assert lines or not seen["price"]


def of_one(before, after, known=False, prices=None):
    """Effects of one customer other than 0; periods as (orders, sales, returns)."""
    sides = [
        {name: np.array([number]) for name, number in zip(("orders", "sales", "returns"), side,
                                                          strict=True)}
        for side in (before, after)
    ]
    found = kernel.bridge(*sides, np.array([known]), prices)
    return int(found["kind"][0]), {
        name: int(found[name][0]) for name in kernel.EFFECTS if found[name][0]
    }


def test_by_hand():
    assert of_one((0, 0, 0), (2, 5000, 0)) == (kernel.NEW, {"new": 5000})
    assert of_one((0, 0, 0), (2, 5000, 100), known=True) == (kernel.BACK, {"back": 4900})
    assert of_one((3, 900, 0), (0, 0, 0)) == (kernel.LOST, {"lost": -900})
    # twice as often: two orders of 100 more
    assert of_one((2, 200, 0), (4, 400, 0)) == (kernel.STAYED, {"frequency": 200})
    # the same number of orders, each worth half as much
    assert of_one((2, 200, 0), (2, 100, 0)) == (kernel.STAYED, {"basket": -100})
    # one order more, at a mean of 150; 100 more in an order, at a mean of 1.5 orders
    assert of_one((1, 100, 0), (2, 400, 0)) == (
        kernel.STAYED, {"frequency": 150, "basket": 150},
    )
    assert of_one((1, 100, 0), (1, 100, 30)) == (kernel.STAYED, {"returns": -30})
    # gone, and something of his was credited afterwards
    assert of_one((1, 100, 0), (0, 0, 40)) == (kernel.LOST, {"lost": -100, "returns": -40})
    assert of_one((0, 0, 70), (0, 0, 0), known=True) == (kernel.NONE, {"returns": 70})


def test_prices_and_goods_are_told_apart():
    # three pieces at 10.00, then four at 12.00, in one order each: 2.00 dearer for 3.5 pieces on
    # average, and one piece more at 11.00
    prices = kernel.prices_of_goods(1, [0], (np.array([3]), np.array([3000])),
                                    (np.array([4]), np.array([4800])))
    assert of_one((1, 3000, 0), (1, 4800, 0), prices=prices) == (
        kernel.STAYED, {"basket": 1100, "price": 700},
    )


def test_numbers_that_do_not_fit_into_64_bits_are_exact():
    billions = 10**15
    orders, more = 10**6 + 1, 10**6 + 8
    kind, effects = of_one((orders, 7 * billions, 0), (more, 9 * billions + 1, 0))
    exact = (more - orders) * (Fraction(7 * billions, orders)
                               + Fraction(9 * billions + 1, more)) / 2
    assert kind == kernel.STAYED
    assert effects["frequency"] == whole(exact)
    assert sum(effects.values()) == 2 * billions + 1


def test_nobody_is_no_difference():
    empty = {name: np.array([], dtype=int) for name in ("orders", "sales", "returns")}
    found = kernel.bridge(empty, empty, np.array([], dtype=bool))
    assert all(len(found[name]) == 0 for name in ("kind", *kernel.EFFECTS))


def test_amounts_that_are_no_whole_cents_are_refused():
    side = {name: np.array([1.5]) for name in ("orders", "sales", "returns")}
    with pytest.raises(TypeError):
        kernel.bridge(side, side, np.array([True]))
