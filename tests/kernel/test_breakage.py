"""Where such models break: every case stays finite, non-negative and believable."""

import warnings

import numpy as np
import pytest

from customer_lifecycle.kernel import (
    MBGNBD,
    GammaGamma,
    LifetimeModel,
    histories_from_transactions,
    simulate_transactions,
)

END = 1000
GENERATOR = np.random.default_rng


def log_of(*customers):
    """Transactions from lists of (day, amount), one list a customer."""
    rows = [(i, day, amount) for i, rows in enumerate(customers) for day, amount in rows]
    return tuple(np.array(column) for column in zip(*rows, strict=True))


def regular(start, gap, amount=50.0, end=END):
    return [(day, amount) for day in range(start, end + 1, gap)]


def cohort(n=400, seed=0, **options):
    parameters = {"r": 0.7, "alpha": 60.0, "a": 0.8, "b": 2.0}
    value = {"p": 4.0, "q": 3.5, "v": 30.0}
    return simulate_transactions(
        n, parameters, END, value=value, random_state=GENERATOR(seed), **options
    )


def with_amounts(log, amount):
    return log[0], log[1], amount


def whales():
    """Three with thousands of orders (several a day) among a thousand."""
    generator = GENERATOR(3)
    log = cohort(1000)
    days = [generator.integers(0, END, n) for n in (5_000, 8_000, 12_000)]
    extra = [np.full(len(d), 10_000 + i) for i, d in enumerate(days)]
    return tuple(
        np.concatenate((a, b))
        for a, b in zip(
            log,
            (np.concatenate(extra), np.concatenate(days), np.full(25_000, 20.0)),
            strict=True,
        )
    )


def wide_amounts():
    log = cohort()
    return with_amounts(log, 10.0 ** GENERATOR(1).uniform(-2, 7, len(log[0])))


def with_refunds():
    log = cohort()
    customer = np.concatenate((log[0], np.arange(0, 200), np.arange(5_000, 5_040)))
    day = np.concatenate((log[1], np.full(240, 900)))
    return customer, day, np.concatenate((log[2], np.full(240, -80.0)))


CASES = {
    "nobody": lambda: (np.zeros(0, int), np.zeros(0, int), np.zeros(0)),
    "one customer, one order, today": lambda: log_of([(END, 10.0)]),
    "five customers": lambda: log_of(
        [(10, 5.0)], [(400, 9.0), (500, 8.0)], [(990, 3.0)], regular(5, 60), [(700, 2.0)]
    ),
    "a hundred identical customers": lambda: log_of(*[regular(100, 90)] * 100),
    "all bought once": lambda: log_of(*[[(i * 9, 20.0 + i)] for i in range(100)]),
    "all bought once, today": lambda: log_of(*[[(END, 20.0)]] * 60),
    "daily buyers": lambda: log_of(*[regular(500 + i, 1) for i in range(60)]),
    "no visible churn": lambda: log_of(*[regular(i, 20 + i % 30) for i in range(150)]),
    "three whales among a thousand": whales,
    "amounts from 0.01 to 10,000,000": wide_amounts,
    "identical amounts": lambda: with_amounts(cohort(), np.full(len(cohort()[0]), 19.9)),
    "first orders today": lambda: log_of(
        *[regular(i, 40) for i in range(40)], *[[(END, 9.0)]] * 200
    ),
    "orders after the end": lambda: tuple(
        np.concatenate((a, b))
        for a, b in zip(cohort(), log_of(*[[(END + 50, 7.0), (END + 90, 1.0)]] * 30), strict=True)
    ),
    "zero and negative amounts": lambda: with_amounts(
        cohort(), np.where(np.arange(len(cohort()[0])) % 3 == 0, 0.0, -1.0)
    ),
    "refunds, and customers with refunds only": with_refunds,
    "amounts that are missing": lambda: with_amounts(
        cohort(), np.where(np.arange(len(cohort()[0])) % 5 == 0, np.nan, 5.0)
    ),
    "everything on one day": lambda: log_of(*[[(500, 3.0), (500, 4.0)]] * 50),
}
QUESTIONS = (
    np.array([0, 0, 0, 1, 5, 40, 900, 2]),  # x
    np.array([0, 0, 0, 30, 100, 400, 950, 1]),  # t_x
    np.array([0, 1, 900, 60, 110, 900, 950, 999]),  # T
    np.array([0.0, 10.0, np.nan, 1e7, 0.01, 55.0, 20.0, -3.0]),  # value
    np.array([1, 1, 0, 2, 6, 0, 365, 0]),  # recent
)


def assert_believable(p, T, x):
    for name in ("p_alive", "p_order", "p_order_30"):
        values = getattr(p, name)
        assert np.all((values >= 0) & (values <= 1)), name
    for name in ("expected_orders", "expected_value", "clv"):
        values = getattr(p, name)
        assert np.all(np.isfinite(values) & (values >= 0)), name
    assert np.all(p.p_alive[(x == 0) & (T > 0)] < 1)
    assert np.all(p.p_order_30 <= p.p_order + 1e-12)
    known = np.isfinite(p.next_in)
    assert np.array_equal(known, np.isfinite(p.next_from))
    assert np.array_equal(known, np.isfinite(p.next_to))
    assert np.all((0 < p.next_from[known]) & (p.next_from[known] < p.next_in[known]))
    assert np.all(p.next_in[known] < p.next_to[known])


@pytest.mark.parametrize("case", CASES)
def test_model_survives(case):
    log = CASES[case]()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = LifetimeModel(horizon=180).fit(*log, end=END)
        h = histories_from_transactions(*log, end=END, horizon=180)
        own = model.predict(h.x, h.t_x, h.T, h.value, h.recent, pace=h.pace)
        any_ = model.predict(*QUESTIONS)
        interval = model.predict_interval(3, 100, 200, 25.0, 1, draws=200)
    assert_believable(own, h.T, h.x)
    assert_believable(any_, QUESTIONS[2], QUESTIONS[0])
    # Nobody is expected to order much more often than he could by day.
    assert np.all(own.expected_orders <= 1.5 * 180)
    for low, high in interval.values():
        assert 0 <= low <= high < np.inf
    assert all(np.isfinite(value) and value > 0 for value in model.parameters_.values())


def test_too_little_data_is_told():
    model = LifetimeModel().fit(*CASES["five customers"](), end=END)
    assert not model.sufficient_
    assert model.missing_ == {"customers": (5, 20), "repeat_buyers": (2, 10)}
    assert LifetimeModel().fit(*cohort(), end=END).missing_ == {}


def test_all_once_buyers_are_unlikely_to_come_back():
    log = CASES["all bought once"]()
    model = LifetimeModel().fit(*log, end=END)
    h = histories_from_transactions(*log, end=END)
    p = model.predict(h.x, h.t_x, h.T, h.value, h.recent)
    assert p.p_order.max() < 0.2
    assert p.expected_orders.sum() < 5


@pytest.mark.parametrize("k", [1, 2, 6])
@pytest.mark.parametrize(("a", "b"), [(1.0, 2.0), (1e-4, 3.0), (0.5, 1e4), (2.0, 0.3)])
def test_expected_orders_where_2f1_has_holes(k, a, b):
    model = MBGNBD.from_parameters(0.7, 6.0 / k, a, b, k=k)
    x, T = np.array([200, 2000, 12_000, 0, 3]), np.array([5.0, 52.0, 52.0, 0.0, 1e4])
    t_x = np.array([5.0, 52.0, 52.0, 0.0, 2.0])
    for t in (1e-3, 39.0, 520.0):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            orders = model.predict_orders(t, x, t_x, T)
            chance = model.predict_p_order(t, x, t_x, T)
        assert np.all(np.isfinite(orders) & (orders >= 0))
        assert np.all((chance >= 0) & (chance <= np.minimum(orders * (1 + 1e-6), 1)))
        # Without dropout a customer orders (r / k + x) / (alpha + T) a unit of time.
        most = (model.r_ + k * x + k - 1) / (model.alpha_ + T) * t / k + 1
        assert np.all(orders <= most)


def test_steady_customer_without_churn_keeps_his_rate():
    model = MBGNBD.from_parameters(1.0, 1.0, 1e-6, 1.0)
    orders = model.predict_orders(52, [2000], [52], [52])[0]
    assert orders == pytest.approx(2001 / 53 * 52, rel=1e-3)


def test_silence_of_years_gives_zero_not_overflow():
    model = MBGNBD.from_parameters(0.5, 1e-3, 0.5, 2.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert model.predict_p_alive([5_000], [10.0], [1e6])[0] == pytest.approx(0.0, abs=1e-300)


def test_gamma_gamma_with_heavy_tails_has_a_mean():
    generator = GENERATOR(2)
    n = generator.integers(1, 9, 500)
    model = GammaGamma().fit(n, generator.pareto(0.6, 500) * 10 + 0.01)
    assert model.q_ > 1
    assert np.all(model.predict_value(n, np.full(500, 1e-3)) > 0)


def test_impossible_histories_are_refused_in_one_sentence():
    model = MBGNBD.from_parameters(0.5, 6.0, 0.9, 1.6)
    for wrong in (([1], [5], [4]), ([-1], [0], [4]), ([0.5], [1], [4]), ([1], [np.nan], [4])):
        with pytest.raises(ValueError, match=r"^[^\n]+\.$"):
            model.predict_p_alive(*wrong)
    with pytest.raises(ValueError, match="one length"):
        MBGNBD().fit([1, 2], [1], [3, 4])
    with pytest.raises(ValueError, match="Fit the model"):
        LifetimeModel().predict([0], [0], [1], [1], [0])
