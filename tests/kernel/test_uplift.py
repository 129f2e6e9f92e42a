"""Differences between a treated and a control group, against published and textbook values."""

import pytest

from customer_lifecycle.kernel.uplift import (
    customers_needed,
    difference_of_means,
    difference_of_shares,
    wilson,
)


def test_interval_of_a_share():
    """Wilson 1927: the two roots of (p - share)^2 = z^2 p (1 - p) / n."""
    for root in wilson(56, 70):
        assert (root - 0.8) ** 2 == pytest.approx(1.959964**2 * root * (1 - root) / 70, abs=1e-9)


def test_interval_of_a_difference_of_shares():
    """Newcombe 1998, table II, case a: 56/70 against 48/80."""
    difference, low, high = difference_of_shares(56, 70, 48, 80)
    assert difference == pytest.approx(0.2)
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_interval_of_a_difference_of_means():
    difference, low, high = difference_of_means((4, 40, 440), (4, 20, 140))
    assert difference == pytest.approx(5)
    assert high - low == pytest.approx(2 * 1.959964 * (40 / 3 / 4 * 2) ** 0.5, abs=1e-5)


def test_number_of_customers_needed():
    # 20 % against 10 %, half and half: textbooks say about 197 to 200 in each group
    assert 390 <= customers_needed(0.2, 0.1, 0.5) <= 402
    assert customers_needed(0.1, 0.1, 0.5) is None
