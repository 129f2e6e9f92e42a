"""The figures a back-test reports."""

import numpy as np
import pytest

from customer_lifecycle.kernel.metrics import area_under_curve, order_metrics, top_share


def test_area_under_curve_counts_pairs_with_ties_as_half():
    score, positive = np.array([0.1, 0.4, 0.4, 0.9, 0.4]), np.array([0, 1, 0, 1, 0], dtype=bool)
    pairs = [(s > t) + 0.5 * (s == t) for s in score[positive] for t in score[~positive]]
    assert area_under_curve(score, positive) == pytest.approx(np.mean(pairs))
    assert area_under_curve(score, np.zeros(5, dtype=bool)) is None


def test_top_share_splits_ties_evenly():
    actual = np.array([5.0, 1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0, 1.0])
    assert top_share(np.arange(10)[::-1].astype(float), actual) == 50.0
    assert top_share(np.ones(10), actual) == pytest.approx(10.0)


def test_metrics_of_known_errors():
    found = order_metrics(np.array([1.0, 2.0, 0.0, 1.0]), np.array([0.0, 2.0, 0.0, 4.0]))
    assert found["mae"] == 1.0
    assert found["rmse"] == pytest.approx(np.sqrt(10 / 4))
    assert found["bias_pct"] == pytest.approx(-100 / 3)
    nobody = order_metrics(np.ones(3), np.zeros(3))
    assert nobody["auc"] is None and nobody["bias_pct"] is None and nobody["corr"] is None
