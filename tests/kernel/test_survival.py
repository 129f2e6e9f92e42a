import numpy as np
import pytest

from customer_lifecycle.kernel import kaplan_meier, survival_quantile


def test_freireich_leukaemia_trial_as_published():
    # Freireich et al. (1963), 6-MP arm, weeks; survival as in Kaplan-Meier textbooks
    weeks = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    ended = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    days, survival = kaplan_meier(weeks, ended)
    assert days.tolist() == [6, 7, 10, 13, 16, 22, 23]
    published = [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
    assert survival == pytest.approx(published, abs=5e-4)
    assert survival_quantile(days, survival, 0.5) == 23
    assert np.isnan(survival_quantile(days, survival, 0.75))


def test_without_censoring_it_is_the_empirical_distribution():
    durations = np.random.default_rng(3).integers(0, 40, 500)
    days, survival = kaplan_meier(durations, np.ones(500, bool))
    assert survival == pytest.approx([(durations > day).mean() for day in days])
    for share in (0.25, 0.5, 0.9):
        expected = np.quantile(durations, share, method="inverted_cdf")
        assert survival_quantile(days, survival, share) == expected


def test_weights_count_as_repeated_stays():
    duration, ended, weight = [3, 5, 5, 9], [1, 0, 1, 1], [2, 3, 1, 4]
    expected = kaplan_meier(np.repeat(duration, weight), np.repeat(ended, weight))
    for one, other in zip(kaplan_meier(duration, ended, weight), expected, strict=True):
        assert one == pytest.approx(other)


def test_negative_durations_are_refused():
    with pytest.raises(ValueError, match="negative"):
        kaplan_meier([-1], [True])
