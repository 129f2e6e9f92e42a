"""Pareto/NBD (Schmittlein, Morrison & Colombo 1987), the reference model of the field.

Kept to compare with; the product itself uses MBG/CNBD-k. Likelihood after Fader & Hardie
2005, "A Note on Deriving the Pareto/NBD Model and Related Expressions".
"""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, gammaln

from .cells import as_histories, count_cells

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)


class ParetoNBD:
    """Gamma purchase rates, gamma dropout rates. Plain maximum likelihood.

    Fitted: ``r_``, ``alpha_``, ``s_``, ``beta_``, ``log_likelihood_``.
    """

    def fit(self, x, t_x, T, weights=None):
        """Fit on histories.

        :return: self
        :raise ValueError: on impossible histories
        """
        cells = count_cells(x, t_x, T, weights)
        scale = max(float(cells.weight @ cells.T / max(cells.weight.sum(), 1.0)), 1e-9)
        t_x, T = cells.t_x / scale, cells.T / scale

        def loss(theta):
            return -cells.weight @ _log_likelihood(*np.exp(theta), cells.x, t_x, T)

        start = np.log([0.7, 0.3, 0.7, 0.3])
        result = minimize(loss, start, method="L-BFGS-B", bounds=[(-9.0, 7.0)] * 4)
        polish = {"xatol": 1e-6, "fatol": 1e-8, "maxiter": 2000}
        result = minimize(loss, result.x, method="Nelder-Mead", options=polish)
        self.r_, alpha, self.s_, beta = (float(value) for value in np.exp(result.x))
        self.alpha_, self.beta_ = alpha * scale, beta * scale
        self.log_likelihood_ = -result.fun - cells.weight @ cells.x * np.log(scale)
        return self

    @property
    def parameters_(self):
        return {"r": self.r_, "alpha": self.alpha_, "s": self.s_, "beta": self.beta_}

    def p_alive(self, x, t_x, T):
        """Probability that the customer has not dropped out by T."""
        x, t_x, T = as_histories(x, t_x, T)
        odds = _log_alive(self.r_, self.alpha_, self.s_, self.beta_, x, T) - _log_gone(
            self.r_, self.alpha_, self.s_, self.beta_, x, t_x, T
        )
        return expit(odds)

    def expected_orders(self, t, x, t_x, T):
        """Expected number of purchases in (T, T + t]."""
        x, t_x, T = as_histories(x, t_x, T)
        s, later = self.s_, self.beta_ + T
        # The limit at s = 1 is a logarithm.
        grown = np.log1p(t / later)
        stay = later * (grown if abs(s - 1) < 1e-8 else -np.expm1((1 - s) * grown) / (s - 1))
        return self.p_alive(x, t_x, T) * (self.r_ + x) / (self.alpha_ + T) * stay


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
