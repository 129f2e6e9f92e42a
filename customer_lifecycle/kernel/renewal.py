"""Sums over future purchases of a customer who is alive.

The n-th future purchase comes within t if n k - j phases do (negative binomial, as the rate
is gamma distributed) and the customer survived the n - 1 exits before it (beta-geometric):

    E = sum_n I_q(n k - j, R) * prod_{i < n-1} (b + i) / (a + b + i),   q = t / (alpha + T + t)

Unlike the closed form with 2F1 the series has no hole: every term is positive and below the
one before.
"""

import numpy as np
from scipy.special import betainc

_NEGLIGIBLE = 1e-12
_BLOCK = 1_000_000
# Gauss-Legendre nodes and weights on [0, 1]
_NODES, _WEIGHTS = (
    (np.array([0.1127016653792583, 0.5, 0.8872983346207417])),
    (np.array([5.0, 8.0, 5.0]) / 18.0),
)


def survival(m, shape, q):
    """P(N >= m) of a negative binomial N with this shape and success odds, 1 <= m small."""
    log_rest = np.log1p(-q)
    log_term, total = shape * log_rest, np.zeros_like(log_rest * shape)
    with np.errstate(divide="ignore"):
        log_q = np.log(q)
    for i in range(m):
        total = total + np.exp(log_term)
        log_term = log_term + np.log(shape + i) - np.log(i + 1.0) + log_q
    return np.clip(1.0 - total, 0.0, 1.0)


def renewal_sum(t, shape, scale, a, b, k=1, j=0):
    """Expected purchases within ``t`` of customers who are alive now.

    :param shape, scale: gamma posterior of the phase rate (R + j, alpha + T), arrays
    :param a, b: beta posterior of the dropout after a purchase (b an array)
    :param k, j: phases between purchases, phases already passed
    """
    shape, scale, b = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (shape, scale, b)))
    if t <= 0:
        return np.zeros(shape.shape)
    q = t / (scale + t)
    result = np.empty(shape.shape)
    # The recursion starts at (1-q)^R, which underflows for very large R.
    long = (-shape * np.log1p(-q) > 600.0) | (shape * t / scale > 1500.0 * k)
    short = ~long
    result[short] = _by_recursion(shape[short], q[short], a, b[short], k, j)
    result[long] = _by_beta_function(shape[long], q[long], a, b[long], k, j)
    return result


def discounted_sum(t, rate, total, shape, scale, a, b, k=1, j=0):
    """Like :func:`renewal_sum`, each purchase discounted at the continuous ``rate``.

    By parts: the discounted number is exp(-rate t) M(t) + rate * integral exp(-rate u) M(u),
    where the second term is small, so that three nodes do.

    :param total: M(t), the result of :func:`renewal_sum`
    """
    result = np.exp(-rate * t) * total
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        u = node * t
        part = rate * t * weight * np.exp(-rate * u)
        if part > 0:
            result = result + part * renewal_sum(u, shape, scale, a, b, k, j)
    return result


def _by_recursion(shape, q, a, b, k, j):
    """All rows at once, one phase after the other; rows leave when nothing is to come."""
    result = np.zeros(shape.shape)
    row = np.arange(len(shape))
    density = np.exp(shape * np.log1p(-q))
    above = 1.0 - density  # P(N >= phases)
    survived, mean = np.ones(len(shape)), shape * q / (1.0 - q)
    phases, purchases, total = 1, 0, np.zeros(len(shape))
    while len(row):
        if (phases + j) % k == 0:
            total += above * survived
            survived *= (b + purchases) / (a + b + purchases)
            purchases += 1
        density *= (shape + (phases - 1)) / phases * q
        above = np.maximum(above - density, 0.0)
        phases += 1
        if phases % 8 == 0:
            # Rounding keeps ``above`` from reaching 0: past the mean, vanishing terms end it.
            live = (above > _NEGLIGIBLE) & ((density > 1e-17) | (phases < mean))
            if not live.all():
                result[row[~live]] = total[~live]
                row, total, density, above, survived, shape, q, b, mean = (
                    column[live]
                    for column in (row, total, density, above, survived, shape, q, b, mean)
                )
    return result


def _by_beta_function(shape, q, a, b, k, j):
    """For very many purchases: each term by the incomplete beta function."""
    result = np.zeros(shape.shape)
    mean = shape * q / (1.0 - q)
    most = mean + 12.0 * np.sqrt(mean / (1.0 - q)) + 50.0
    order = np.argsort(most)
    at = 0
    while at < len(order):
        # The last row of a block has the most terms: as many rows as fit.
        rows = max(1, int(_BLOCK * k / most[order[at]]) // 2)
        rows = order[at : at + rows]
        at += len(rows)
        n = np.arange(1, int(most[rows].max() / k) + 2)[:, None]
        steps = (b[rows] + n - 1.0) / (a + b[rows] + n - 1.0)
        survived = np.vstack((np.ones(len(rows)), np.cumprod(steps, axis=0)[:-1]))
        result[rows] = np.sum(betainc(n * k - j, shape[rows], q[rows]) * survived, axis=0)
    return result
