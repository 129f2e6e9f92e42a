"""Every closed form against integration over rates and dropouts, or against simulation."""

import numpy as np
import pytest
from scipy import stats

from customer_lifecycle.kernel import MBGNBD, GammaGamma, simulate_transactions
from customer_lifecycle.kernel.histories import (
    histories_from_ledger,
    ledger,
    purchases_between,
)

HISTORIES = [(0, 0.0, 5.0), (0, 0.0, 60.0), (1, 4.0, 9.0), (3, 20.0, 22.0), (12, 30.0, 55.0)]
PARAMETERS = {"r": 0.9, "alpha": 7.0, "a": 0.8, "b": 2.3}


def nodes(number):
    points, weights = np.polynomial.legendre.leggauss(number)
    return (points + 1) / 2, weights / 2


def integrate(history, k, t):
    """P(alive), P(order within t), expected and discounted orders by quadrature.

    Individual rate and dropout are known at each node, where all probabilities are Poisson.
    """
    x, t_x, T = history
    u, wu = nodes(300)
    v, wv = nodes(120)
    rate = stats.gamma(PARAMETERS["r"], scale=1 / PARAMETERS["alpha"]).ppf(u)[:, None]
    drop = stats.beta(PARAMETERS["a"], PARAMETERS["b"]).ppf(v)[None, :]
    weight = wu[:, None] * wv[None, :]
    silence = rate * (T - t_x)
    past = rate ** (k * x) * np.exp(-rate * t_x) * (1 - drop) ** x
    gone = np.sum(weight * past * drop)
    alive = chance = orders = discounted = 0.0
    for j in range(k):
        stay = weight * past * (1 - drop) * stats.poisson.pmf(j, silence)
        alive += stay.sum()
        chance += np.sum(stay * stats.poisson.sf(k - j - 1, rate * t))
        for n in range(1, 60 if k == 1 else 40):
            here = stay * (1 - drop) ** (n - 1)
            orders += np.sum(here * stats.poisson.sf(n * k - j - 1, rate * t))
            # Time of the n-th order is gamma distributed; discounted by its own transform.
            shape, faster = n * k - j, rate + DISCOUNT
            part = (rate / faster) ** shape * stats.gamma.cdf(faster * t, shape)
            discounted += np.sum(here * part)
    both = alive + gone
    return alive / both, chance / both, orders / both, discounted / both


DISCOUNT = 0.01


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("history", HISTORIES)
def test_predictions_agree_with_quadrature(history, k):
    model = MBGNBD.from_parameters(**PARAMETERS, k=k)
    columns = [[value] for value in history]
    t = 15.0
    expected = integrate(history, k, t)
    assert model.predict_p_alive(*columns)[0] == pytest.approx(expected[0], rel=2e-3)
    assert model.predict_p_order(t, *columns)[0] == pytest.approx(expected[1], rel=2e-3)
    assert model.predict_orders(t, *columns)[0] == pytest.approx(expected[2], rel=3e-3)
    found = model.predict_discounted_orders(t, *columns, DISCOUNT)[0]
    assert found == pytest.approx(expected[3], rel=3e-3)


@pytest.mark.parametrize("k", [1, 2, 4])
def test_long_and_short_sums_agree(k):
    """Very many orders are summed by another method than few; both hold where both can."""
    from customer_lifecycle.kernel import renewal

    shape, scale, b = np.array([3.0, 40.0, 220.0]), np.array([9.0, 30.0, 60.0]), np.full(3, 4.0)
    q = 30.0 / (scale + 30.0)
    for j in range(k):
        short = renewal._by_recursion(shape + j, q, 0.7, b, k, j)
        assert renewal._by_beta_function(shape + j, q, 0.7, b, k, j) == pytest.approx(
            short, rel=1e-9
        )


def test_expected_orders_is_the_published_closed_form_with_2f1():
    """Fader, Hardie & Lee 2005, equation (10), for BG/NBD where 2F1 works."""
    from scipy.special import hyp2f1

    r, alpha, a, b = 0.2426, 4.4136, 0.7929, 2.4259
    model = MBGNBD.from_parameters(r, alpha, a, b, dropout_at_start=False)
    for x, t_x, T, t in ((1, 5.0, 20.0, 10.0), (4, 18.0, 20.0, 30.0), (9, 35.0, 38.0, 39.0)):
        ratio = ((alpha + T) / (alpha + T + t)) ** (r + x)
        top = 1 - ratio * hyp2f1(r + x, b + x, a + b + x - 1, t / (alpha + T + t))
        alive = 1 + a / (b + x - 1) * ((alpha + T) / (alpha + t_x)) ** (r + x)
        expected = (a + b + x - 1) / (a - 1) * top / alive
        assert model.predict_orders(t, [x], [t_x], [T])[0] == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("k", [1, 3])
def test_forecasts_of_a_simulated_cohort_come_true(k):
    parameters = {"r": 0.8, "alpha": 60.0 / k, "a": 0.7, "b": 2.5}
    log = simulate_transactions(
        40_000, parameters, 730, k=k, entry_days=200, random_state=np.random.default_rng(5)
    )
    days = ledger(*log)
    # The log's clock stands at the end of a day, the histories' at its beginning.
    h = histories_from_ledger(days, 364)
    actual, _ = purchases_between(days, h.customer, 364, 729)
    model = MBGNBD.from_parameters(**parameters, k=k)
    orders = model.predict_orders(365, h.x, h.t_x, h.T + 0.5)
    chance = model.predict_p_order(365, h.x, h.t_x, h.T + 0.5)
    # Orders of one day are one, which few are.
    assert orders.sum() == pytest.approx(actual.sum(), rel=0.03)
    assert chance.sum() == pytest.approx((actual > 0).sum(), rel=0.02)
    likely = chance > 0.6
    assert chance[likely].mean() == pytest.approx((actual[likely] > 0).mean(), abs=0.02)


def test_gamma_gamma_value_and_likelihood_agree_with_quadrature():
    p, q, v = 2.5, 3.2, 18.0
    model = GammaGamma.from_parameters(p, q, v)
    u, weight = nodes(2000)
    nu = stats.gamma(q, scale=1 / v).ppf(u)
    log_likelihood = 0.0
    for n, mean in ((1, 4.0), (3, 25.0), (20, 9.0)):
        density = stats.gamma.pdf(mean, p * n, scale=1 / (n * nu))
        total = np.sum(weight * density)
        expected = np.sum(weight * density * p / nu) / total
        assert model.predict_value([n], [mean])[0] == pytest.approx(expected, rel=1e-3)
        log_likelihood += np.log(total)
    from customer_lifecycle.kernel.value import _Likelihood

    theta = np.log([p, q - 1, p * v / (q - 1)])
    likelihood = _Likelihood(np.array([1.0, 3.0, 20.0]), np.array([4.0, 25.0, 9.0]))
    found = likelihood(theta, None, np.ones(3))[0]
    assert found == pytest.approx(log_likelihood, abs=1e-3)


@pytest.mark.parametrize("k", [1, 2, 4])
def test_gradient_is_that_of_the_likelihood(k):
    from customer_lifecycle.kernel.history_counts import count_histories
    from customer_lifecycle.kernel.mbgnbd import _Likelihood

    counts = count_histories([0, 0, 1, 4, 30], [0, 0, 3, 20, 39], [5, 40, 3, 41, 40])
    likelihood = _Likelihood(counts, k, True)
    theta = np.array([-0.3, -1.2, 0.4, 0.9])
    _, gradient = likelihood(theta, None, counts.weight)
    for i in range(4):
        step = np.eye(4)[i] * 1e-6
        up, down = (likelihood(theta + s, None, counts.weight)[0] for s in (step, -step))
        assert gradient[i] == pytest.approx((up - down) / 2e-6, rel=1e-5, abs=1e-6)
