"""MBG/CNBD-k: Erlang-k purchase timing, gamma rates, beta dropout at every purchase.

Sources: Fader, Hardie & Lee 2005 (BG/NBD); Batislam, Denizel & Filiztekin 2007 and Hoppe &
Wagner 2007 (MBG/NBD, dropout also at the first purchase); Platzer & Reutterer 2016
(MBG/CNBD-k, regular timing).

With k phases of rate lambda between two purchases, x repeat purchases leave lambda with the
shape R = r + k x. The silence s = T - t_x has then seen 0..k-1 phases; each number j of them
is one component of a mixture, in which everything below has a closed form.
"""

from functools import partial

import numpy as np
from scipy.special import digamma, expit, gammaln, logit

from .estimator import PurchaseModel, register_estimator
from .history_counts import as_histories, count_histories, distinct, distinct_pairs
from .optimize import maximize
from .renewal import discounted_sum, renewal_sum, survival

# Weak prior on (log r, log of the order rate r / (k alpha), logit of the mean dropout
# a / (a + b), log (a + b)), time scaled so that the mean T is 1. The rate's mean is the
# empirical rate.
PRIOR_MEAN = np.array([np.log(0.7), np.nan, -1.0, np.log(3.0)])
PRIOR_SD = np.array([1.0, 1.0, 1.5, 1.0])
# The k that a choice is made from; between them hardly anything changes.
SHAPES = (1, 2, 3, 4, 6)


class MBGNBD(PurchaseModel):
    """Purchase and dropout model of one cohort of customers.

    :param k: phases between purchases; 1 is the memoryless MBG/NBD, more is more regular
    :param dropout_at_start: customers may leave right after the first purchase; False gives
        BG/NBD
    :param prior: weak prior that keeps small or one-sided data away from the boundaries;
        False gives plain maximum likelihood

    Fitted: ``r_``, ``alpha_``, ``a_``, ``b_`` (``alpha_`` in the time unit of the data),
    ``log_likelihood_`` (without the prior; for k > 1 without the constant of the gaps).
    """

    PARAMETERS = ("r", "alpha", "a", "b")

    def __init__(self, k=1, dropout_at_start=True, prior=True):
        self.k = k
        self.dropout_at_start = dropout_at_start
        self.prior = prior

    # ----- FIT -----

    def fit(self, x, t_x, T, weights=None):
        """Fit on histories; :func:`~.history_counts.count_histories` may have counted them before.

        :param weights: customers that each row stands for; default 1
        :return: self
        :raise ValueError: on impossible histories or options
        """
        if self.k < 1 or self.k != int(self.k):
            raise ValueError("k must be a whole number, 1 or more.")
        counts = count_histories(x, t_x, T, weights)
        customers, exposure = counts.weight.sum(), counts.weight @ counts.T
        if not self.prior and not (exposure > 0 and counts.weight @ counts.x > 0):
            raise ValueError("Without a prior the fit needs at least one repeat purchase.")
        scale = float(exposure / customers) if exposure > 0 else 1.0
        rate = max(counts.weight @ counts.x, 0.5) / max(exposure / scale, 1.0)
        counts = counts._replace(t_x=counts.t_x / scale, T=counts.T / scale)
        mean = np.where(np.isnan(PRIOR_MEAN), np.log(rate), PRIOR_MEAN)
        likelihood = _Likelihood(counts, self.k, self.dropout_at_start)

        def objective(theta, index, weight):
            value, gradient = likelihood(theta, index, weight)
            if self.prior:
                off = (theta - mean) / PRIOR_SD
                value, gradient = value - off @ off / 2, gradient - off / PRIOR_SD
            return value, gradient

        theta, _ = maximize(objective, mean, counts.weight)
        r, alpha, a, b = (float(value) for value in _natural(theta, self.k))
        self.r_, self.alpha_, self.a_, self.b_ = r, alpha * scale, a, b
        # A density of purchase times: its unit is that of the data, not of the fit.
        self.log_likelihood_ = float(
            likelihood(theta, None, counts.weight)[0]
            - self.k * (counts.weight @ counts.x) * np.log(scale)
        )
        return self

    # ----- PREDICT -----

    def predict_p_alive(self, x, t_x, T):
        """Probability that the customer has not dropped out by T."""
        x, t_x, T = as_histories(x, t_x, T)
        return expit(self._log_odds_alive(x, t_x, T))

    def predict_p_order(self, t, x, t_x, T, p_alive=None):
        """Probability of at least one purchase in (T, T + t].

        :param p_alive: :meth:`predict_p_alive` of these customers, where it is known already
        """
        x, t_x, T = as_histories(x, t_x, T)
        if x.size == 0:
            return np.zeros(0)
        pair, lookup = distinct_pairs(x, T)
        chance = np.zeros_like(T)
        for j, weight in enumerate(self.phase_weights(x, t_x, T)):
            shape, scale = self.r_ + self.k * pair.x + j, self.alpha_ + pair.T
            chance += weight * survival(self.k - j, shape, t / (scale + t))[lookup]
        return (self.predict_p_alive(x, t_x, T) if p_alive is None else p_alive) * chance

    def predict_orders(self, t, x, t_x, T):
        """Expected number of purchases in (T, T + t]."""
        return self._expected(t, x, t_x, T, None)[0]

    def predict_discounted_orders(self, t, x, t_x, T, rate):
        """Expected purchases in (T, T + t], each discounted to T.

        :param rate: continuous discount rate per unit of time
        """
        return self._expected(t, x, t_x, T, rate)[1]

    def predict_both_orders(self, t, x, t_x, T, rate, p_alive=None):
        """Return :meth:`predict_orders` and :meth:`predict_discounted_orders` at the cost
        of the second.

        :param p_alive: :meth:`predict_p_alive` of these customers, where it is known already
        """
        return self._expected(t, x, t_x, T, rate, p_alive)

    def _expected(self, t, x, t_x, T, rate, p_alive=None):
        """Mixture over phases of sums that are worked out once per distinct (x, T)."""
        x, t_x, T = as_histories(x, t_x, T)
        if x.size == 0:
            return [np.zeros(0)] * (1 if rate is None else 2)
        pair, lookup = distinct_pairs(x, T)
        p_alive = self.predict_p_alive(x, t_x, T) if p_alive is None else p_alive
        results = None
        for j, weight in enumerate(self.phase_weights(x, t_x, T)):
            rows = (
                self.r_ + self.k * pair.x + j,
                self.alpha_ + pair.T,
                self.a_,
                self.b_ + pair.x + self.dropout_at_start,
                self.k,
                j,
            )
            sums = [renewal_sum(t, *rows)]
            if rate is not None:
                sums.append(discounted_sum(t, rate, sums[0], *rows))
            parts = [p_alive * weight * one[lookup] for one in sums]
            results = parts if j == 0 else [a + b for a, b in zip(results, parts, strict=True)]
        return results

    def _log_odds_alive(self, x, t_x, T):
        shape = self.r_ + self.k * x
        silent = np.log(self.alpha_ + T) - np.log(self.alpha_ + t_x)
        share = (T - t_x) / (self.alpha_ + T)
        exits = x - 1.0 + self.dropout_at_start
        stay = np.log(self.b_ + np.maximum(exits, 0.0)) - np.log(self.a_)
        odds = stay - shape * silent + np.log(_phases(shape, share, self.k)[0])
        return np.where(exits < 0, np.inf, odds)

    def phase_weights(self, x, t_x, T):
        """Probability of 0..k-1 phases passed since the last purchase, given alive."""
        x, t_x, T = as_histories(x, t_x, T)
        if self.k == 1:
            return [np.ones_like(T)]
        terms = _phase_terms(self.r_ + self.k * x, (T - t_x) / (self.alpha_ + T), self.k)
        total = sum(terms)
        return [term / total for term in terms]


register_estimator("mbg_nbd", MBGNBD)
register_estimator("bg_nbd", partial(MBGNBD, dropout_at_start=False))


def _phase_terms(shape, share, k):
    """Terms (R)_j / j! * share^j for j = 0..k-1; share = s / (alpha + T) < 1."""
    terms = [np.ones_like(share)]
    for j in range(1, k):
        terms.append(terms[-1] * (shape + j - 1) / j * share)
    return terms


def _phases(shape, share, k):
    """Return the sum of the phase terms, and its derivatives by R and by log(share)."""
    total, by_shape, by_share = np.ones_like(share), np.zeros_like(share), np.zeros_like(share)
    term, harmonic = np.ones_like(share), np.zeros_like(share)
    for j in range(1, k):
        term = term * (shape + j - 1) / j * share
        harmonic = harmonic + 1.0 / (shape + j - 1)
        total = total + term
        by_shape = by_shape + term * harmonic
        by_share = by_share + term * j
    return total, by_shape, by_share


def _natural(theta, k):
    """Return r, alpha, a, b from the unbounded scale of the prior."""
    r = np.exp(theta[0])
    share, size = expit(theta[2]), np.exp(theta[3])
    return r, r / (k * np.exp(theta[1])), share * size, expit(-theta[2]) * size


def unbounded(r, alpha, a, b, k=1):
    """Inverse of :func:`_natural`."""
    return np.array([np.log(r), np.log(r / (k * alpha)), logit(a / (a + b)), np.log(a + b)])


class _Likelihood:
    """Weighted log-likelihood of counts and its gradient on the unbounded scale."""

    def __init__(self, counts, k, dropout_at_start):
        self.k, self.start = k, float(dropout_at_start)
        # Special functions depend on x alone and logs on one time: once per distinct value.
        self.x, x_code = distinct(counts.x)
        self.t, t_code = distinct(counts.t_x)
        self.T, T_code = distinct(counts.T)
        self.codes = np.stack((x_code, t_code, T_code))

    def __call__(self, theta, index, weight):
        """Return (value, gradient) of the counts ``index`` (None: all) with these weights."""
        x_code, t_code, T_code = self.codes if index is None else self.codes[:, index]
        r, alpha, a, b = _natural(theta, self.k)
        shape_x = r + self.k * self.x
        stay = b + self.x + self.start  # b after the exits survived so far
        exits = self.x - 1 + self.start
        base_x = (
            gammaln(stay) - gammaln(a + stay) - gammaln(b) + gammaln(a + b)
            + gammaln(shape_x) - gammaln(r) + r * np.log(alpha)
        )  # fmt: skip
        with np.errstate(divide="ignore"):
            leave_x = np.where(exits < 0, -np.inf, np.log(a) - np.log(np.abs(b + exits)))
        log_t, log_T = np.log(alpha + self.t), np.log(alpha + self.T)
        shape, late = shape_x[x_code], log_T[T_code]
        gone = leave_x[x_code] - shape * (log_t[t_code] - late)
        phases = None
        if self.k > 1:
            share = (self.T[T_code] - self.t[t_code]) / (alpha + self.T)[T_code]
            phases = _phases(shape, share, self.k)
            gone -= np.log(phases[0])
        # log odds of having left; all terms below are relative to being alive
        with np.errstate(over="ignore"):
            p_alive = 1.0 / (1.0 + np.exp(gone))
        w_alive = weight * p_alive
        w_gone = weight - w_alive

        size = len(self.x)
        per_x, gone_x = np.bincount(x_code, weight, size), np.bincount(x_code, w_gone, size)
        total, gone_total = per_x.sum(), gone_x.sum()
        shape_alive, shape_gone = w_alive * shape, w_gone * shape
        alive_T = np.bincount(T_code, shape_alive, len(self.T))
        gone_t = np.bincount(t_code, shape_gone, len(self.t))
        # The likelihood of a cell: of being alive, over the probability of that.
        value = (
            per_x @ base_x
            - np.bincount(T_code, weight * shape, len(self.T)) @ log_T
            + weight @ np.logaddexp(0.0, gone)
        )
        d_r = (
            per_x @ digamma(shape_x) + total * (np.log(alpha) - digamma(r))
            - np.bincount(T_code, w_alive, len(self.T)) @ log_T
            - np.bincount(t_code, w_gone, len(self.t)) @ log_t
        )  # fmt: skip
        d_alpha = (
            total * r / alpha - alive_T @ (1.0 / (alpha + self.T))
            - gone_t @ (1.0 / (alpha + self.t))
        )  # fmt: skip
        if phases is not None:
            sums, by_shape, by_share = phases
            value += weight @ np.log(sums)
            d_r += w_alive @ (by_shape / sums)
            d_alpha -= w_alive @ (by_share / sums / (alpha + self.T)[T_code])
        both_x = digamma(a + stay)
        d_a = -per_x @ both_x + total * digamma(a + b) + gone_total / a
        left = gone_x > 0
        d_b = (
            per_x @ (digamma(stay) - both_x) - total * (digamma(b) - digamma(a + b))
            - np.sum(gone_x[left] / (b + exits[left]))
        )  # fmt: skip
        swing = a * b / (a + b)
        gradient = np.array(
            [r * d_r + alpha * d_alpha, -alpha * d_alpha, swing * (d_a - d_b), a * d_a + b * d_b]
        )
        return value, gradient
