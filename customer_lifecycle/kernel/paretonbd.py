"""Pareto/NBD (Schmittlein, Morrison & Colombo 1987), the reference model of the field.

There to compare with; forecasts start from MBG/CNBD-k. Likelihood after Fader & Hardie
2005, "A Note on Deriving the Pareto/NBD Model and Related Expressions".
"""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, gammaln

from .estimator import PurchaseModel, register_estimator
from .history_counts import as_histories, count_histories

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)


class ParetoNBD(PurchaseModel):
    """Gamma purchase rates, gamma dropout rates. Plain maximum likelihood.

    Fitted: ``r_``, ``alpha_``, ``s_``, ``beta_``, ``log_likelihood_``.
    """

    PARAMETERS = ("r", "alpha", "s", "beta")

    def fit(self, x, t_x, T, weights=None):
        """Fit on histories.

        :return: self
        :raise ValueError: on impossible histories
        """
        counts = count_histories(x, t_x, T, weights)
        scale = max(float(counts.weight @ counts.T / max(counts.weight.sum(), 1.0)), 1e-9)
        t_x, T = counts.t_x / scale, counts.T / scale

        def loss(theta):
            return -counts.weight @ _log_likelihood(*np.exp(theta), counts.x, t_x, T)

        start = np.log([0.7, 0.3, 0.7, 0.3])
        result = minimize(loss, start, method="L-BFGS-B", bounds=[(-9.0, 7.0)] * 4)
        polish = {"xatol": 1e-6, "fatol": 1e-8, "maxiter": 2000}
        result = minimize(loss, result.x, method="Nelder-Mead", options=polish)
        self.r_, alpha, self.s_, beta = (float(value) for value in np.exp(result.x))
        self.alpha_, self.beta_ = alpha * scale, beta * scale
        self.log_likelihood_ = -result.fun - counts.weight @ counts.x * np.log(scale)
        return self

    def predict_p_alive(self, x, t_x, T):
        """Probability that the customer has not dropped out by T."""
        x, t_x, T = as_histories(x, t_x, T)
        odds = _log_alive(self.r_, self.alpha_, self.s_, self.beta_, x, T) - _log_gone(
            self.r_, self.alpha_, self.s_, self.beta_, x, t_x, T
        )
        return expit(odds)

    def predict_orders(self, t, x, t_x, T):
        """Expected number of purchases in (T, T + t]."""
        x, t_x, T = as_histories(x, t_x, T)
        s, later = self.s_, self.beta_ + T
        # The limit at s = 1 is a logarithm.
        grown = np.log1p(t / later)
        stay = later * (grown if abs(s - 1) < 1e-8 else -np.expm1((1 - s) * grown) / (s - 1))
        return self.predict_p_alive(x, t_x, T) * (self.r_ + x) / (self.alpha_ + T) * stay

    def predict_p_order(self, t, x, t_x, T):
        """Probability of at least one purchase in (T, T + t].

        No purchase: of who stays to the end, and of who leaves at y before it, which is
        integrated on the scale of log(alpha + T + y).
        """
        x, t_x, T = as_histories(x, t_x, T)
        shape, rate, later = self.r_ + x, self.alpha_ + T, self.beta_ + T
        none = np.exp(-shape * np.log1p(t / rate) - self.s_ * np.log1p(t / later))
        width = np.log1p(t / rate)
        steps = width[:, None] * (_NODES + 1.0) / 2.0
        gone = rate[:, None] * np.expm1(steps)
        density = (
            np.log(self.s_) + self.s_ * np.log(later)[:, None]
            - (self.s_ + 1.0) * np.log(later[:, None] + gone)
            - (shape[:, None] - 1.0) * steps + np.log(rate)[:, None]
        )  # fmt: skip
        none += np.exp(density) @ (_WEIGHTS / 2.0) * width
        return self.predict_p_alive(x, t_x, T) * np.clip(1.0 - none, 0.0, 1.0)


register_estimator("pareto_nbd", ParetoNBD)


def _log_alive(r, alpha, s, beta, x, T):
    return -(r + x) * np.log(alpha + T) - s * np.log(beta + T)


def _log_gone(r, alpha, s, beta, x, t_x, T):
    """Log of the likelihood of having dropped out between t_x and T.

    The integral of s (alpha + y)^-(r + x) (beta + y)^-(s + 1) over y by Gauss-Legendre on the
    scale of log(alpha + y); its closed form with 2F1 overflows.
    """
    low, width = np.log(alpha + t_x), np.log(alpha + T) - np.log(alpha + t_x)
    points = low[:, None] + width[:, None] * (_NODES + 1.0) / 2.0
    terms = -(r + x - 1.0)[:, None] * points - (s + 1.0) * np.log(
        np.maximum(np.exp(points) - alpha, 0.0) + beta
    )
    highest = terms.max(axis=1)
    total = np.exp(terms - highest[:, None]) @ (_WEIGHTS / 2.0)
    with np.errstate(divide="ignore"):
        return np.log(s) + highest + np.log(total * width)


def _log_likelihood(r, alpha, s, beta, x, t_x, T):
    both = np.logaddexp(
        _log_alive(r, alpha, s, beta, x, T), _log_gone(r, alpha, s, beta, x, t_x, T)
    )
    return gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta) + both
