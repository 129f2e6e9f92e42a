"""From transactions to histories, and their counts."""

import numpy as np
import pytest

from customer_lifecycle.kernel import (
    MBGNBD,
    count_histories,
    histories_from_transactions,
    merge_counts,
    simulate_transactions,
)

LOG = (
    # customer, day, amount
    (7, 100, 10.0), (7, 100, 30.0), (7, 160, 20.0), (7, 190, 60.0),
    (3, 150, 50.0), (3, 155, -20.0),
    (9, 120, 80.0), (9, 120, -80.0), (9, 130, 5.0),
    (4, 110, -15.0),
    (5, 140, 25.0), (5, 250, 99.0),
)  # fmt: skip


def histories(rows=LOG, **options):
    options = {"end": 200, "horizon": 40, **options}
    return histories_from_transactions(*(np.array(c) for c in zip(*rows, strict=True)), **options)


def test_orders_of_a_day_are_one_and_refunds_lower_the_value():
    h = histories()
    assert h.customer.tolist() == [3, 5, 7, 9]  # 4 has refunds only
    assert h.x.tolist() == [0, 0, 2, 0]
    assert h.t_x.tolist() == [0, 0, 90, 0]
    assert h.T.tolist() == [50, 60, 100, 70]  # 9's day that was refunded whole is none
    assert h.value.tolist() == [30.0, 25.0, 40.0, 5.0]
    assert h.recent.tolist() == [0, 0, 1, 0]  # day 160 is 40 days before the end


def test_order_of_the_rows_does_not_matter():
    for seed in range(3):
        rows = [LOG[i] for i in np.random.default_rng(seed).permutation(len(LOG))]
        for name in ("customer", "x", "t_x", "T", "value", "recent"):
            assert np.array_equal(getattr(histories(rows), name), getattr(histories(), name))


def test_huge_ids_do_not_overflow():
    rows = [((2**62 if c == 7 else -c), d, a) for c, d, a in LOG]
    h = histories(rows)
    assert h.customer.tolist() == [-9, -5, -3, 2**62]
    assert h.x.tolist() == [0, 0, 0, 2]


def test_days_after_the_end_are_not_known_yet():
    assert histories(end=99).customer.size == 0
    assert histories(end=300).x[1] == 1


def test_free_orders_count_only_when_asked_for():
    rows = (*LOG, (8, 150, 0.0), (7, 195, 0.0))
    assert len(histories(rows)) == 4
    h = histories(rows, free_orders=True)
    assert h.customer.tolist() == [3, 5, 7, 8, 9]
    assert h.x.tolist() == [0, 0, 3, 0, 0]
    assert h.T[-1] == 70  # a day that was refunded whole is no free order


def test_days_must_be_whole():
    with pytest.raises(ValueError, match="day must hold whole numbers"):
        histories_from_transactions([1], [0.5], [3.0], end=9)
    with pytest.raises(ValueError, match="one length"):
        histories_from_transactions([1, 2], [5], [3.0], end=9)


@pytest.fixture(scope="module")
def cohort():
    parameters = {"r": 0.7, "alpha": 60.0, "a": 0.8, "b": 2.0}
    log = simulate_transactions(3000, parameters, 700, random_state=1)
    return histories_from_transactions(*log, end=700)


@pytest.mark.parametrize("unit", [1.0, 7.0])
def test_cells_of_two_ranges_add_up(cohort, unit):
    columns = [cohort.x, cohort.t_x / unit, cohort.T / unit]
    whole = count_histories(*columns)
    halves = [
        count_histories(*(c[part] for c in columns)) for part in (slice(1000), slice(1000, None))
    ]
    for found, expected in zip(merge_counts(*halves), whole, strict=True):
        assert np.array_equal(found, expected)
    assert whole.weight.sum() == 3000
    assert len(whole.x) < 3000


def test_fit_on_cells_is_that_on_customers(cohort):
    one = MBGNBD().fit(cohort.x, cohort.t_x, cohort.T)
    other = MBGNBD().fit(*count_histories(cohort.x, cohort.t_x, cohort.T))
    assert one.parameters_ == other.parameters_
    twice = MBGNBD(prior=False).fit(cohort.x, cohort.t_x, cohort.T, np.full(3000, 2.0))
    once = MBGNBD(prior=False).fit(cohort.x, cohort.t_x, cohort.T)
    assert twice.parameters_ == pytest.approx(once.parameters_, rel=1e-5)
    assert twice.log_likelihood_ == pytest.approx(2 * once.log_likelihood_, rel=1e-9)
