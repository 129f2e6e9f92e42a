"""One absurd order is named and forecasts do not hang on it; ordinary data stay as they are."""

import csv
import json
from datetime import date

import numpy as np
import pytest

from customer_lifecycle.kernel import (
    LifetimeModel,
    find_outliers,
    histories_from_transactions,
    simulate_transactions,
)
from customer_lifecycle.kernel.histories import ledger

from . import datasets

END, HORIZON, HUGE = 900, 365, 1e7


def log_of(customers=300, seed=3):
    return simulate_transactions(
        customers, {"r": 1.5, "alpha": 60.0, "a": 0.6, "b": 4.0}, END,
        value={"p": 4.0, "q": 3.5, "v": 60.0}, random_state=seed,
    )  # fmt: skip


def total(log, customers=None):
    """Forecast value of all customers."""
    model = LifetimeModel(horizon=HORIZON).fit(*log, end=END)
    h = histories_from_transactions(*log, end=END, horizon=HORIZON)
    predicted = model.predict(h.x, h.t_x, h.T, h.value, h.recent, customer=customers and h.customer)
    return model, float(predicted.clv.sum()), h, predicted


def with_order(log, customer, day, amount):
    return tuple(
        np.append(column, value) for column, value in zip(log, (customer, day, amount), strict=True)
    )


@pytest.mark.parametrize("place", ["new customer", "regular customer", "first order"])
def test_the_total_does_not_hang_on_one_order(place):
    log = log_of()
    model, before, h, predicted = total(log)
    assert len(model.outliers_) == 0
    own = dict(zip(h.customer.tolist(), predicted.clv.tolist(), strict=True))
    ids, counts = np.unique(log[0], return_counts=True)
    customer = {
        "new customer": ids.max() + 1,
        "regular customer": ids[counts.argmax()],
        "first order": ids[counts == 1][0],
    }[place]
    spoiled = with_order(log, customer, END - 30, HUGE)
    for known in (True, None):
        model, after, h, predicted = total(spoiled, known)
        assert (model.outliers_.customer == [customer]).all()
        assert (model.outliers_.amount == [HUGE]).all()
        # a day of the customer may have other orders too; the rest is as if it were a large one
        assert model.outliers_.limit == log[2].max()
        assert after < before * (1.35 if known else 1.6)
        others = after - predicted.clv[h.customer == customer].sum()
        assert abs(others - (before - own.get(int(customer), 0))) < 0.05 * before
    if place == "regular customer":
        # with the customer known, his other orders say what he buys
        _model, after, _h, _p = total(spoiled, True)
        assert abs(after - before) < 0.1 * before


@pytest.mark.parametrize("customers", [25, 60, 300])
@pytest.mark.parametrize("spread", [0.5, 2.0, 3.5])
def test_nobody_else_is_moved_by_an_order_of_ten_trillions(customers, spread):
    """Whatever the tail of the others, and whether it is found or not."""
    # of so few, one more large order, which it then counts as, says something indeed
    most = 2.0 if customers == 25 else 1.15
    customer, day, _ = log_of(customers, seed=4)
    amount = np.exp(np.random.default_rng(6).normal(4.0, spread, len(day)))
    log = customer, day, amount
    model, _total, h, predicted = total(log, True)
    own = dict(zip(h.customer.tolist(), predicted.clv.tolist(), strict=True))
    for who in (int(customer[0]), 10**6):
        spoiled = with_order(log, who, END - 30, 1e13)
        _model, _total, h, predicted = total(spoiled, True)
        others = h.customer != who
        before = np.array([own[each] for each in h.customer[others].tolist()])
        assert predicted.clv[others].sum() < most * before.sum()
        assert predicted.clv[others].max() < 2 * before.max()
        # who has placed it is expected to bring no second one
        assert predicted.clv[~others][0] < 1e11


def test_interval_of_the_customer_is_believable():
    log = log_of()
    ids, counts = np.unique(log[0], return_counts=True)
    customer = ids[counts.argmax()]
    spoiled = with_order(log, customer, END - 30, HUGE)
    model = LifetimeModel(horizon=HORIZON).fit(*spoiled, end=END)
    h = histories_from_transactions(*spoiled, end=END, horizon=HORIZON)
    at = int(np.flatnonzero(h.customer == customer)[0])
    row = (h.x[at], h.t_x[at], h.T[at], h.value[at], h.recent[at])
    low, high = model.predict_interval(*row, customer=customer)["value"]
    assert high < 30 * log[2].max()
    assert (
        low <= model.predict(*([value] for value in row), customer=[customer]).clv[0] * 1.2
        and high > 0
    )


def test_several_absurd_orders_are_found():
    log = log_of()
    ids = np.unique(log[0])
    for number, amount in enumerate((1e7, 5e6, 2e8)):
        log = with_order(log, ids[number], 400 + number, amount)
    outliers = find_outliers(*log)
    assert outliers.amount.tolist() == [2e8, 1e7, 5e6]


def test_a_large_customer_is_no_outlier():
    """Who orders so much again and again is relied on."""
    log = log_of()
    for month in range(6):
        log = with_order(log, 10**6, 500 + 30 * month, HUGE)
    assert len(find_outliers(*log)) == 0
    _model, after, h, predicted = total(log, True)
    assert predicted.expected_value[h.customer == 10**6][0] > HUGE / 2
    assert after > HUGE / 10


def test_few_wholesale_customers_among_many_are_no_outliers():
    generator = np.random.default_rng(5)
    retail = np.exp(generator.normal(3.4, 0.5, 2000))
    wholesale = np.exp(generator.normal(8.5, 0.5, 6))
    amount = np.concatenate((retail, wholesale))
    customer = np.arange(len(amount))
    assert len(find_outliers(customer, customer * 0, amount)) == 0


@pytest.mark.parametrize("spread", [0.0, 0.3, 1.0, 2.0])
def test_ordinary_tails_stay_as_they_are(spread):
    """Log-normal amounts: in hundreds of logs hardly ever is one found."""
    generator = np.random.default_rng(11)
    found = 0
    for _draw in range(400):
        size = int(generator.choice([30, 100, 1000]))
        amount = np.exp(generator.normal(4.0, spread, size))
        found += len(find_outliers(np.arange(size), np.zeros(size, int), amount)) > 0
    assert found <= 4


def test_pareto_tails_stay_as_they_are():
    """Revenue as unequal as it gets: four fifths of it from one fifth of the orders."""
    generator = np.random.default_rng(12)
    found = 0
    for _draw in range(300):
        amount = 10 * (1 + generator.pareto(1.16, 500))
        found += len(find_outliers(np.arange(500), np.zeros(500, int), amount)) > 0
    assert found <= 6


@pytest.mark.parametrize(
    "kind", [datasets.groceries, datasets.groceries_losing_ground], ids=["groceries", "losing"]
)
def test_businesses_of_the_zoo_have_none(kind):
    log, _calibration_end, _end = kind(np.random.default_rng(1))
    assert len(find_outliers(*log)) == 0


@pytest.mark.parametrize("name", ["cdnow_sample.csv", "online_retail_with_refunds.csv"])
def test_real_logs_stay_as_they_are(data_path, name):
    with open(data_path(name)) as stream:
        rows = list(csv.DictReader(stream))
    customer = np.array([int(row["customer_id"]) for row in rows])
    day = np.array([date.fromisoformat(row["date"]).toordinal() for row in rows])
    amount = np.array([float(row["amount"]) for row in rows])
    days = ledger(customer, day, amount)
    assert len(find_outliers(days.customer, days.day, days.amount)) == 0
    spoiled = ledger(*with_order((customer, day, amount), customer[0], day[0] + 1, HUGE))
    outliers = find_outliers(spoiled.customer, spoiled.day, spoiled.amount)
    assert outliers.customer.tolist() == [customer[0]]


def test_a_credit_on_another_day_is_limited_too():
    log = log_of()
    ids, counts = np.unique(log[0], return_counts=True)
    customer = ids[counts.argmax()]
    spoiled = with_order(with_order(log, customer, 800, HUGE), customer, 801, -HUGE)
    model, after, h, predicted = total(spoiled, True)
    _model, before, _h, _p = total(log, True)
    assert len(model.outliers_) == 1
    assert predicted.expected_value[h.customer == customer][0] > 10
    assert abs(after - before) < 0.1 * before


def test_an_order_cancelled_after_the_fit_takes_nothing_off_the_others():
    log = log_of()
    spoiled = with_order(log, int(log[0][0]), 800, HUGE)
    model = LifetimeModel(horizon=HORIZON).fit(*spoiled, end=END)
    h = histories_from_transactions(*log, end=END, horizon=HORIZON)
    known = model.predict(h.x, h.t_x, h.T, h.value, h.recent, customer=h.customer)
    plain = model.predict(h.x, h.t_x, h.T, h.value, h.recent)
    assert np.array_equal(known.clv, plain.clv)


def test_stored_fit_keeps_them_and_older_ones_have_none():
    spoiled = with_order(log_of(), 7, 800, HUGE)
    model = LifetimeModel(horizon=HORIZON).fit(*spoiled, end=END)
    stored = json.loads(json.dumps(model.to_dict(), allow_nan=False))
    again = LifetimeModel.from_dict(stored)
    assert again.outliers_.to_dict() == model.outliers_.to_dict()
    row = ([3], [500], [800], [HUGE / 4], [1])
    assert again.predict(*row, customer=[7]).clv == model.predict(*row, customer=[7]).clv
    del stored["outliers"]
    assert len(LifetimeModel.from_dict(stored).outliers_) == 0


def test_too_few_amounts_say_nothing():
    amount = np.array([1.0] * 18 + [1e9])
    assert len(find_outliers(np.arange(19), np.zeros(19, int), amount)) == 0
