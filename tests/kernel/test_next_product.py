"""What customers buy next: against simple ways, in the wholesaler's log and in simulated shops."""

import numpy as np
import pandas as pd
import pytest

from customer_lifecycle.kernel.next_product import (
    AGAIN,
    ALIKE,
    horizon_of,
    learn_products,
    learn_weights,
    suggest,
)
from customer_lifecycle.kernel.next_product_backtest import backtest_products
from customer_lifecycle.kernel.product_pairs import habits_of, pairs_of, read_purchases

from .shops import SHOPS

#: no goods: postage, manual entries, bank charges, samples
NO_GOODS = ("POST", "M", "D", "DOT", "CRUK", "BANK CHARGES", "PADS", "C2", "S")
SIMPLE = ("own", "popular", "cosine", "cosine_new")


def net_of_returns(frame):
    """Purchases that were kept: what came back is taken off the latest purchases before."""
    keys = ["customer", "product"]
    frame = frame.groupby([*keys, "day"], as_index=False).quantity.sum()
    back = frame[frame.quantity < 0].groupby(keys).size()
    some = pd.MultiIndex.from_frame(frame[keys]).isin(back.index)
    kept = [frame[~some]]
    for (customer, product), rows in frame[some].groupby(keys):
        stack = []
        for day, quantity in zip(rows.day, rows.quantity, strict=True):
            if quantity > 0:
                stack.append([day, quantity])
            while quantity < 0 and stack:
                taken = min(-quantity, stack[-1][1])
                quantity += taken
                stack[-1][1] -= taken
                if not stack[-1][1]:
                    stack.pop()
        kept.append(
            pd.DataFrame(stack, columns=["day", "quantity"]).assign(
                customer=customer, product=product
            )
        )
    return pd.concat(kept)


@pytest.fixture(scope="session")
def wholesaler(data_path):
    """UCI Online Retail: purchases of products, without what came back."""
    frame = pd.read_csv(data_path("online_retail_lines.csv.gz"), dtype={"stock_code": str})
    frame = frame[~frame.stock_code.isin(NO_GOODS)]
    frame = pd.DataFrame(
        {
            "customer": frame.customer_id,
            "day": frame.date.to_numpy().astype("datetime64[D]").astype(np.int64),
            "product": pd.factorize(frame.stock_code, sort=True)[0],
            "quantity": frame.quantity,
        }
    )
    frame = net_of_returns(frame)
    return read_purchases(frame.customer, frame.day, frame["product"], frame.quantity)


def judged(log, days):
    """Mean of what a back-test found on several days: method → (hit, recall)."""
    horizon = horizon_of(log)
    found = [backtest_products(log.until(day), day, horizon)["methods"] for day in days]
    return {
        name: tuple(np.mean([each[name][what] for each in found]) for what in ("hit", "recall"))
        for name in found[0]
    }


def test_wholesaler(wholesaler):
    last = int(wholesaler.day.max())
    methods = judged(wholesaler, (last, last - 20, last - 45))
    for name in SIMPLE:
        assert methods["product"][0] > methods[name][0], (name, methods)
        assert methods["product"][1] > methods[name][1], (name, methods)


@pytest.mark.parametrize("shop", SHOPS)
def test_simulated_shop(shop):
    rows, last = SHOPS[shop]()
    log = read_purchases(*rows)
    methods = judged(log, (last, last - 30))
    for name in SIMPLE:
        assert methods["product"][0] > methods[name][0] + 0.005, (name, methods)
        assert methods["product"][1] > methods[name][1] + 0.005, (name, methods)


@pytest.mark.parametrize("shop", ["replenishment", "spare_parts"])
def test_chances_come_true(shop):
    """What is said to be bought with 40 % is bought by about 40 %."""
    rows, last = SHOPS[shop]()
    log = read_purchases(*rows)
    horizon = horizon_of(log)
    split = last - horizon
    told = suggest(
        log, split, learn_products(log, split, horizon), learn_weights(log, split, horizon)
    )
    later = log.day > split
    bought = set(zip(log.customer[later], log.product[later], strict=True))
    came = np.array(
        [
            (np.searchsorted(log.customers, customer), np.searchsorted(log.products, product))
            in bought
            for customer, product in zip(told.customer, told.product, strict=True)
        ]
    )
    for part in np.array_split(np.argsort(told.chance), 5):
        assert told.chance[part].mean() == pytest.approx(came[part].mean(), abs=0.08)


def purchases(*rows):
    return read_purchases(*zip(*rows, strict=True))


def machines(n=60, buyers=40):
    """Owners of machine 1, most of whom buy beans 2 three weeks later; others buy book 3."""
    rows = []
    for customer in range(n):
        rows.append((customer, customer, 1, 1))
        if customer < buyers:
            rows.append((customer, customer + 21, 2, 3))
    for customer in range(n, 2 * n):
        rows.append((customer, customer - n, 3, 1))
    return rows


def test_beans_follow_the_machine():
    log = purchases(*machines(), (900, 95, 1, 1))
    knowledge = learn_products(log, 100, 30)
    told = suggest(log, 100, knowledge)
    mine = told.customer == 900
    first = np.flatnonzero(mine & (told.kind == ALIKE))[0]
    assert told.product[first] == 2
    assert told.because[first] == 1
    assert told.days[first] == 21
    assert told.due[first] == 95 + 21
    assert told.quantity[first] == 3
    assert told.support[first] == 40
    # 40 of 61, a little less for the few that they are
    assert 0.5 < told.share[first] < 40 / 61
    assert told.rank[first] == 1


def test_nobody_is_told_of_what_he_has_as_news():
    log = purchases(*machines())
    told = suggest(log, 100, learn_products(log, 100, 30))
    owned = set(zip(log.customers[log.customer], log.products[log.product], strict=True))
    for customer, product, kind in zip(told.customer, told.product, told.kind, strict=True):
        assert ((customer, product) in owned) == (kind == AGAIN)


def test_own_rhythm_and_quantity():
    rows = [(1, 30 * month, 7, 2) for month in range(6)]
    rows += [(2, 30 * month, 7, 2 if month < 5 else 4) for month in range(6)]
    rows += [(3, 30 * month, 7, 2) for month in range(3)]
    log = purchases(*rows)
    told = suggest(log, 160, learn_products(log, 160, 30))
    one, two, three = (np.flatnonzero(told.customer == customer)[0] for customer in (1, 2, 3))
    assert told.due[one] == 180
    assert told.quantity[one] == 2
    # twice as much lasts twice as long
    assert told.due[two] == 210
    assert told.quantity[two] == 4
    # who has stopped for three months is less likely to come
    assert told.chance[three] < told.chance[one]


def test_a_day_on_which_all_came_back_is_none():
    log = purchases((1, 5, 7, 2), (1, 5, 7, -2), (1, 9, 8, 1), (2, 9, 8, 0))
    assert log.products[log.product].tolist() == [8]
    assert log.customers[log.customer].tolist() == [1]


def test_shares_are_of_those_who_had_it_not_yet():
    rows = []
    for customer in range(100):
        rows.append((customer, 10, 1, 1))
        if customer < 20:
            rows.append((customer, 5, 2, 1))
        elif customer < 30:
            rows.append((customer, 10, 2, 1))
        elif customer < 65:
            rows.append((customer, 40, 2, 1))
    # many others go on to nothing
    rows += [(customer, 10, 3, 1) for customer in range(100, 1000)]
    log = purchases(*rows)
    pairs = pairs_of(habits_of(log), len(log.customers), len(log.products))
    row = np.flatnonzero((pairs.product == 0) & (pairs.following == 1))[0]
    # 35 of 70, shrunken by 10 customers towards what all products led to: 35 of 970 or so
    usual = 35 / (70 + 900)
    assert pairs.share[row] == pytest.approx((35 + 10 * usual) / 80, rel=1e-3)
    assert pairs.support[row] == 35
    assert pairs.days[row] == 30


def test_parts_give_what_the_whole_gives(monkeypatch):
    rows, last = SHOPS["spare_parts"](n=60)
    log = read_purchases(*rows)
    knowledge = learn_products(log, last, 30)
    whole = suggest(log, last, knowledge)
    in_parts = pairs_of(habits_of(log), len(log.customers), len(log.products), at_once=2_000)
    for one, other in zip(knowledge.pairs, in_parts, strict=True):
        same = knowledge.pairs.product != knowledge.pairs.following
        np.testing.assert_array_equal(one[same], other[same])
    monkeypatch.setattr("customer_lifecycle.kernel.next_product.AT_ONCE", 3_000)
    for one, other in zip(whole, suggest(log, last, knowledge), strict=True):
        np.testing.assert_array_equal(one, other)
    # and one customer alone
    some = log.customers[17]
    alone = suggest(log.of([17]), last, knowledge)
    for one, other in zip(whole, alone, strict=True):
        np.testing.assert_allclose(one[whole.customer == some], other)


def test_a_sample_of_customers_is_enough():
    rows, last = SHOPS["sets"]()
    log = read_purchases(*rows)
    habits = habits_of(log)
    full = pairs_of(habits, len(log.customers), len(log.products))
    part = pairs_of(habits, len(log.customers), len(log.products), most_pairs=20_000)
    assert 0 < len(part.product) < len(full.product)
    assert part.share.max() <= 1


@pytest.mark.parametrize("n", [0, 1, 8])
def test_small_companies_are_told_little(n):
    generator = np.random.default_rng(5)
    rows = [
        (customer, int(generator.integers(0, 200)), int(generator.integers(12)), 1)
        for customer in range(n)
        for _row in range(4)
    ]
    log = read_purchases(*(zip(*rows, strict=True) if rows else ([], [], [], [])))
    horizon = horizon_of(log)
    weights = learn_weights(log, 200, horizon)
    told = suggest(log, 200, learn_products(log, 200, horizon), weights)
    for column in (*told, *weights):
        assert np.isfinite(column).all()
    assert (told.kind == AGAIN).all()
    assert ((told.chance > 0) & (told.chance < 1)).all()
    assert backtest_products(log, 200, horizon) is None


def test_the_future_is_not_looked_at():
    rows, last = SHOPS["replenishment"](n=200)
    log = read_purchases(*rows)
    split = last - 60
    before = log.until(split)
    for one, other in zip(
        learn_weights(log, split, 30), learn_weights(before, split, 30), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_unequal_arrays_are_refused():
    with pytest.raises(ValueError, match="equal length"):
        read_purchases([1], [1, 2], [1], [1.0])
