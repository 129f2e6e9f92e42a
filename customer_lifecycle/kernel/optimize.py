"""Maximum of a sum over many counts: a sample first, then Newton steps on everything."""

import numpy as np
from scipy.optimize import minimize

SAMPLE = 10_000
_STEP = 1e-4
_LIMIT = 15.0  # no parameter needs to be further than e^15 from where its prior has it


def maximize(objective, start, weight):
    """Return (argument, value) of the maximum.

    :param objective: ``objective(theta, index, weight) -> (value, gradient)``, the sum over
        the counts of ``index`` (None: all) with these weights
    :param start: first guess, on an unbounded scale
    :param weight: weight of each cell
    """
    start = np.asarray(start, dtype=float)
    bounds = [(value - _LIMIT, value + _LIMIT) for value in start]
    sample = _sample(weight)
    theta = _search(objective, start, sample, bounds, 1e-10)
    found = _newton(objective, theta, sample, weight, bounds)
    if found is None:
        theta = _search(objective, theta, (None, weight), bounds, 1e-14)
        return theta, objective(theta, None, weight)[0]
    return found


def _sample(weight):
    """Return (index, weight) of counts that stand for all: the heaviest, and some of the rest."""
    if len(weight) <= 2 * SAMPLE:
        return None, weight
    order = np.argpartition(-weight, SAMPLE // 2)
    heavy, rest = order[: SAMPLE // 2], order[SAMPLE // 2 :]
    light = np.random.default_rng(0).choice(rest, SAMPLE // 2, replace=False)
    factor = weight[rest].sum() / weight[light].sum()
    return np.concatenate((heavy, light)), np.concatenate((weight[heavy], weight[light] * factor))


def _search(objective, theta, sample, bounds, tolerance):
    result = minimize(
        lambda t: tuple(-part for part in objective(t, *sample)),
        theta,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 500, "ftol": tolerance, "gtol": 1e-7},
    )
    return result.x


def _newton(objective, theta, sample, weight, bounds):
    """Newton steps on all counts with the curvature of the sample, or None if they fail.

    The curvature is almost that of all counts, so that each step takes off 99 % of the error.
    """
    low, high = np.array(bounds).T
    value, gradient = objective(theta, None, weight)
    curvature = _curvature(objective, theta, sample)
    enough = 1e-11 + 1e-12 * abs(value)
    for _ in range(25):
        step = np.linalg.solve(curvature, gradient)
        gain = float(gradient @ step)
        if gain <= enough:
            return theta, value
        for _ in range(12):
            trial = np.clip(theta + step, low, high)
            trial_value, trial_gradient = objective(trial, None, weight)
            if trial_value >= value - enough:
                break
            step = step / 2
        else:
            return None
        theta, value, gradient = trial, trial_value, trial_gradient
    return theta, value


def _curvature(objective, theta, sample):
    """Negative Hessian from differences of the gradient, made positive definite."""
    size = len(theta)
    hessian = np.empty((size, size))
    for i in range(size):
        step = np.zeros(size)
        step[i] = _STEP
        up = objective(theta + step, *sample)[1]
        down = objective(theta - step, *sample)[1]
        hessian[i] = (up - down) / (2 * _STEP)
    values, vectors = np.linalg.eigh(-(hessian + hessian.T) / 2)
    floor = max(values.max(), 1e-8) * 1e-10
    return (vectors * np.maximum(np.abs(values), floor)) @ vectors.T
