"""Maximum of a sum over many cells: a sample first, then Newton steps on everything."""

import numpy as np
from scipy.optimize import minimize

SAMPLE = 20_000
_STEP = 1e-4
_LIMIT = 15.0  # no parameter needs to be further than e^15 from where its prior has it


def maximize(objective, start, n_cells, weight, tolerance=1e-9):
    """Return (argument, value) of the maximum.

    :param objective: ``objective(theta, index) -> (value, gradient)`` summed over the cells
        of ``index`` (None: all), with the weights scaled by its third argument
    :param start: first guess, on an unbounded scale
    :param weight: weight of each cell, to make a sample stand for everything
    """
    start = np.asarray(start, dtype=float)
    bounds = [(value - _LIMIT, value + _LIMIT) for value in start]

    def search(theta, index, scale):
        result = minimize(
            lambda t: tuple(-part for part in objective(t, index, scale)),
            theta,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-7},
        )
        return result.x

    index, scale = None, 1.0
    if n_cells > 2 * SAMPLE:
        index = np.random.default_rng(0).choice(n_cells, SAMPLE, replace=False)
        index.sort()
        scale = weight.sum() / weight[index].sum()
    theta = search(start, index, scale)
    polished = _newton(objective, theta, index, scale, bounds, tolerance)
    if polished is None:
        theta = search(start, None, 1.0)
        return theta, objective(theta, None, 1.0)[0]
    return polished


def _newton(objective, theta, index, scale, bounds, tolerance):
    """Newton steps on all cells with the curvature of the sample, or None if they fail."""
    low, high = np.array(bounds).T
    value, gradient = objective(theta, None, 1.0)
    curvature = _curvature(objective, theta, index, scale)
    for _ in range(25):
        step = np.linalg.solve(curvature, gradient)
        gain = float(gradient @ step)
        if gain <= tolerance * tolerance * max(1.0, abs(value)):
            return theta, value
        for _ in range(12):
            trial = np.clip(theta + step, low, high)
            trial_value, trial_gradient = objective(trial, None, 1.0)
            if trial_value >= value:
                break
            step = step / 2
        else:
            # No ascent left above rounding: the top, unless the slope says otherwise.
            return (theta, value) if gain <= 1e-7 * max(1.0, abs(value)) else None
        theta, value, gradient = trial, trial_value, trial_gradient
    return theta, value


def _curvature(objective, theta, index, scale):
    """Negative Hessian from differences of the gradient, made positive definite."""
    size = len(theta)
    hessian = np.empty((size, size))
    for i in range(size):
        step = np.zeros(size)
        step[i] = _STEP
        up = objective(theta + step, index, scale)[1]
        down = objective(theta - step, index, scale)[1]
        hessian[i] = (up - down) / (2 * _STEP)
    values, vectors = np.linalg.eigh(-(hessian + hessian.T) / 2)
    floor = max(values.max(), 1e-8) * 1e-10
    return (vectors * np.maximum(np.abs(values), floor)) @ vectors.T
