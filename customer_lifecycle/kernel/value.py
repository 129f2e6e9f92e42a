"""Value per purchase: Gamma-Gamma, and a shrunken own average where it does not apply.

Source: Fader & Hardie 2013, "The Gamma-Gamma Model of Monetary Value". Amounts of a customer
are gamma(p, nu) distributed, nu over customers gamma(q, v); so n amounts with mean m leave
nu with the shape q + p n and the rate v + n m.
"""

import numpy as np
from scipy.special import digamma, gammaln

from .estimator import Estimator
from .history_counts import distinct
from .optimize import maximize

# Weak prior on (log p, log (q - 1), log of the mean amount p v / (q - 1)), money scaled so
# that its mean is 1.
_PRIOR_MEAN = np.array([np.log(3.0), np.log(2.0), 0.0])
_PRIOR_SD = np.array([1.5, 1.0, 1.0])
LEAST_FOR_GAMMA_GAMMA = 30
# What everybody's value is learnt from: no customer counts for more than so many times the mean
# amount of the third largest.
_LARGEST, _LEAST = 5.0, 3
_MOST_CORRELATION = 0.3


class GammaGamma(Estimator):
    """Gamma-Gamma model of the mean amount of a purchase.

    :param prior: weak prior, for small or odd data; False gives plain maximum likelihood.
        Either way q > 1, without which there is no mean.

    Fitted: ``p_``, ``q_``, ``v_`` (in money), ``log_likelihood_`` (without the prior).
    """

    PARAMETERS = ("p", "q", "v")

    def __init__(self, prior=True):
        self.prior = prior

    def fit(self, n, value, weights=None):
        """Fit on customers' number of purchases ``n`` and mean amount ``value``.

        Customers without a positive amount are left out.

        :return: self
        :raise ValueError: if lengths differ, or nobody has a positive amount
        """
        n, value = _arrays(n, value)
        weight = np.ones_like(n) if weights is None else np.asarray(weights, dtype=float)
        keep = (n > 0) & (value > 0)
        if not keep.any():
            raise ValueError("The value model needs a customer with a positive amount.")
        n, value, weight = n[keep], value[keep], weight[keep]
        scale = (weight @ value) / weight.sum()
        likelihood = _Likelihood(n, value / scale)

        def objective(theta, index, weight):
            value_, gradient = likelihood(theta, index, weight)
            if self.prior:
                off = (theta - _PRIOR_MEAN) / _PRIOR_SD
                value_, gradient = value_ - off @ off / 2, gradient - off / _PRIOR_SD
            return value_, gradient

        theta, _ = maximize(objective, _PRIOR_MEAN, weight)
        p, q, v = _natural(theta)
        self.p_, self.q_, self.v_ = float(p), float(q), float(v * scale)
        fit = likelihood(theta, None, weight)[0]
        self.log_likelihood_ = float(fit - weight.sum() * np.log(scale))
        return self

    def predict_value(self, n, value):
        """Expected amount of a purchase, given ``n`` purchases with mean ``value``."""
        n, value = _arrays(n, value)
        return self.p_ * (self.v_ + n * value) / (self.p_ * n + self.q_ - 1.0)

    def simulate_totals(self, n, value, orders, generator):
        """Draw the sums of ``orders`` future amounts, array (draws,) or (draws, customers)."""
        nu = generator.gamma(self.q_ + self.p_ * n, size=orders.shape) / (self.v_ + n * value)
        return generator.gamma(np.maximum(self.p_ * orders, 1e-9)) / nu * (orders > 0)


class ShrunkenMean(Estimator):
    """Own average, drawn towards that of all customers the more, the fewer purchases.

    :param strength, spread: from the single transactions where known, see
        :func:`within_customer_spread`

    Fitted: ``mean_`` of a customer's average, ``strength_``: number of purchases at which own
    average and mean weigh the same; ``spread_``: standard deviation of the log of an amount
    around its customer's.
    """

    PARAMETERS = ("mean", "strength", "spread")

    def __init__(self, strength=None, spread=None):
        self.strength = strength
        self.spread = spread

    def fit(self, n, value):
        """Fit on customers' number of purchases and mean amount; return self."""
        n, value = _arrays(n, value)
        keep = (n > 0) & (value > 0)
        value = value[keep]
        # One whale must not set the mean of a thousand others.
        cap = np.quantile(value, 0.99) if len(value) else 0.0
        self.mean_ = float(np.minimum(value, cap).mean()) if len(value) else 0.0
        self.strength_ = 1.0 if self.strength is None else float(self.strength)
        self.spread_ = 0.5 if self.spread is None else float(self.spread)
        return self

    def predict_value(self, n, value):
        """Expected amount of a purchase, given ``n`` purchases with mean ``value``."""
        n, value = _arrays(n, value)
        return (n * value + self.strength_ * self.mean_) / (n + self.strength_)

    def simulate_totals(self, n, value, orders, generator):
        """Draw the sums of ``orders`` future amounts, array (draws,) or (draws, customers)."""
        level = self.predict_value(np.atleast_1d(n), np.atleast_1d(value))
        own = self.spread_ / np.sqrt(n + self.strength_)
        level = level * np.exp(generator.normal(-own * own / 2, own, orders.shape))
        relative = np.expm1(self.spread_**2)
        shape = np.maximum(orders / max(relative, 1e-9), 1e-9)
        return generator.gamma(shape) / shape * orders * level * (orders > 0)


def within_customer_spread(customer, amount):
    """Return (strength, spread) for :class:`ShrunkenMean` from single positive amounts.

    Analysis of variance of log amounts: spread is the standard deviation within customers,
    strength the variance within over that between them.

    :param customer: sorted ids
    """
    keep = amount > 0
    customer, logs = customer[keep], np.log(amount[keep])
    if not len(customer):
        return 1.0, 0.5
    start = np.flatnonzero(np.concatenate(([True], customer[1:] != customer[:-1])))
    n = np.diff(np.append(start, len(customer)))
    mean = np.add.reduceat(logs, start) / n
    freedom = len(logs) - len(n)
    within = np.sum((logs - np.repeat(mean, n)) ** 2) / freedom if freedom > 0 else 0.25
    several = n > 1
    if several.sum() < 3:
        return 1.0, float(np.sqrt(within))
    between = np.var(mean[several]) - within * np.mean(1.0 / n[several])
    strength = np.clip(within / max(between, 1e-9), 0.05, 20.0)
    return float(strength), float(np.sqrt(min(within, 4.0)))


def fit_value_model(n, value, customer=None, amount=None):
    """Choose and fit the model of the value per purchase.

    :param n, value: customers' purchases and mean amounts
    :param customer, amount: single transactions by customer, for the fallback's strength
    :return: (model, {"method", "correlation", "reason", "repeat_buyers"} and its parameters)
    """
    n, value = _arrays(n, value)
    value = _bounded(value)
    repeat = (n > 1) & (value > 0)
    correlation = _correlation(n[repeat] - 1, value[repeat])
    reason = None
    if repeat.sum() < LEAST_FOR_GAMMA_GAMMA:
        reason = f"only {int(repeat.sum())} repeat buyers, {LEAST_FOR_GAMMA_GAMMA} are needed"
    elif abs(correlation) > _MOST_CORRELATION:
        reason = f"value depends on frequency (correlation {correlation:.2f})"
    if reason is None:
        model, method = GammaGamma().fit(n, value), "gamma_gamma"
    else:
        strength = spread = None
        if customer is not None:
            strength, spread = within_customer_spread(customer, amount)
        model, method = ShrunkenMean(strength, spread).fit(n, value), "shrunken_mean"
    about = {"method": method, "correlation": correlation, "reason": reason}
    return model, {**about, "repeat_buyers": int(repeat.sum()), **model.parameters_}


def _bounded(value):
    """Mean amounts that one customer, or two, cannot move everybody's by."""
    if len(value) <= _LEAST:
        return value
    third = np.partition(value, -_LEAST)[-_LEAST]
    return np.minimum(value, _LARGEST * third) if third > 0 else value


def value_model_from(about):
    """Return the value model that :func:`fit_value_model` described."""
    kind = GammaGamma if about["method"] == "gamma_gamma" else ShrunkenMean
    return kind.from_parameters(*(about[name] for name in kind.PARAMETERS))


def _correlation(x, value):
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(value) <= 1e-12 * value.max():
        return 0.0
    return float(np.corrcoef(x, value)[0, 1])


def _arrays(n, value):
    n, value = (np.atleast_1d(np.asarray(a, dtype=float)) for a in (n, value))
    if n.shape != value.shape or n.ndim != 1:
        raise ValueError("n and value must be one-dimensional and of one length.")
    # An unknown amount says nothing; one that was all refunded says 0.
    known = np.isfinite(value)
    return np.where(known, n, 0.0), np.where(known & (value > 0), value, 0.0)


def _natural(theta):
    p, q1 = np.exp(theta[0]), np.exp(theta[1])
    return p, 1.0 + q1, np.exp(theta[2]) * q1 / p


class _Likelihood:
    """Weighted log-likelihood and its gradient by (log p, log (q - 1), log mean)."""

    def __init__(self, n, value):
        self.n_values, self.code = distinct(n)
        self.n, self.total = n, n * value
        self.log_total = np.log(self.total)

    def __call__(self, theta, index, weight):
        """Return (value, gradient) of the customers ``index`` (None: all) with these weights."""
        code, n, total, log_total = self.code, self.n, self.total, self.log_total
        if index is not None:
            code, n, total, log_total = code[index], n[index], total[index], log_total[index]
        p, q, v = _natural(theta)
        per_n = np.bincount(code, weight, len(self.n_values))
        everybody, purchases = per_n.sum(), weight * n
        shape_n = p * self.n_values
        scaled = total + v
        log_sum, inverse = np.log(scaled), 1.0 / scaled
        per_sum, per_purchase = weight @ log_sum, purchases @ log_sum
        own = purchases @ log_total
        result = (
            per_n @ (gammaln(shape_n + q) - gammaln(shape_n) + np.log(self.n_values))
            + everybody * (q * np.log(v) - gammaln(q))
            + p * own - weight @ log_total - p * per_purchase - q * per_sum
        )  # fmt: skip
        d_p = (
            per_n @ (self.n_values * (digamma(shape_n + q) - digamma(shape_n)))
            + own - per_purchase
        )  # fmt: skip
        d_q = per_n @ digamma(shape_n + q) + everybody * (np.log(v) - digamma(q)) - per_sum
        d_v = everybody * q / v - p * (purchases @ inverse) - q * (weight @ inverse)
        q1 = q - 1.0
        return result, np.array([p * d_p - v * d_v, q1 * d_q + v * d_v, v * d_v])
