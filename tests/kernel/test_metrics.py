"""The figures a back-test reports."""

import numpy as np
import pytest

from customer_lifecycle.kernel.metrics import (
    area_under_curve,
    calibration_error,
    order_metrics,
    poisson_deviance,
    top_share,
)


def test_area_under_curve_counts_pairs_with_ties_as_half():
    score, positive = np.array([0.1, 0.4, 0.4, 0.9, 0.4]), np.array([0, 1, 0, 1, 0], dtype=bool)
    pairs = [(s > t) + 0.5 * (s == t) for s in score[positive] for t in score[~positive]]
    assert area_under_curve(score, positive) == pytest.approx(np.mean(pairs))
    assert area_under_curve(score, np.zeros(5, dtype=bool)) is None


def test_top_share_splits_ties_evenly():
    actual = np.array([5.0, 1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0, 1.0])
    assert top_share(np.arange(10)[::-1].astype(float), actual) == 50.0
    assert top_share(np.ones(10), actual) == pytest.approx(10.0)


def test_deviance_is_smallest_at_the_mean_and_nought_where_all_came_as_said():
    actual = np.random.default_rng(1).poisson(0.8, 4000).astype(float)
    at = {factor: poisson_deviance(np.full(4000, factor * actual.mean()), actual)
          for factor in (0.8, 0.95, 1.0, 1.05, 1.2)}  # fmt: skip
    assert min(at, key=at.get) == 1.0
    assert poisson_deviance(np.array([1.0, 3.0]), np.array([1.0, 3.0])) == pytest.approx(0.0)
    # 2 (3 log(3 / 2) - 1) and 2 * 0.5, on average
    found = poisson_deviance(np.array([2.0, 0.5]), np.array([3.0, 0.0]))
    assert found == pytest.approx(3 * np.log(1.5) - 1 + 0.5)
    assert np.isfinite(poisson_deviance(np.zeros(2), np.array([1.0, 0.0])))
    columns = poisson_deviance(np.array([[2.0, 3.0], [0.5, 0.0]]), np.array([3.0, 0.0]))
    assert columns[0] == pytest.approx(found) and columns[1] < 0.01


def test_calibration_error_is_the_distance_of_tenths_in_points():
    tenths = np.linspace(0.05, 0.95, 10)
    chance = np.repeat(tenths, 100)
    happened = np.concatenate([np.arange(100) < round(100 * p) for p in tenths])
    assert calibration_error(chance, happened) == pytest.approx(0.0, abs=1e-9)
    lower = np.maximum(chance - 0.03, 0.0)
    assert calibration_error(lower, happened) == pytest.approx(3.0, abs=1e-9)


def test_metrics_of_known_errors():
    found = order_metrics(np.array([1.0, 2.0, 0.0, 1.0]), np.array([0.0, 2.0, 0.0, 4.0]))
    assert found["mae"] == 1.0
    assert found["rmse"] == pytest.approx(np.sqrt(10 / 4))
    assert found["bias_pct"] == pytest.approx(-100 / 3)
    nobody = order_metrics(np.ones(3), np.zeros(3))
    assert nobody["auc"] is None and nobody["bias_pct"] is None and nobody["corr"] is None
