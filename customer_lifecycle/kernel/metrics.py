"""How good predictions were: errors per customer, of totals, of chances, and of ranking."""

import numpy as np

# A forecast of fewer orders counts as so many: with none at all, one order would be infinitely
# unlikely.
LEAST_EXPECTED = 1e-3
# Absolute errors are smallest at the median, below the mean that is asked for: they may be larger
# than the best method's by so much before they count as worse.
ABSOLUTE_SLACK = 1.04
# Groups of customers with similar chances, of which the calibration error is the mean.
_GROUPS = 10


def order_metrics(predicted, actual, probability=None):
    """Compare predicted with actual orders of customers.

    :param probability: P(at least one order); None ranks by ``predicted`` and takes the
        Poisson probability
    :return: dict mae, rmse, deviance (Poisson, per customer), corr, bias_pct, top_decile_pct,
        auc, brier, calibration_error (in points); None where not defined (nobody ordered, or all
        the same)
    """
    error = predicted - actual
    ordered = actual > 0
    score = predicted if probability is None else probability
    probability = -np.expm1(-predicted) if probability is None else probability
    return {
        "mae": float(np.mean(np.abs(error))),
        "rmse": float(np.sqrt(np.mean(error**2))),
        "deviance": float(poisson_deviance(predicted, actual)),
        "corr": _correlation(predicted, actual),
        "bias_pct": _bias(predicted, actual),
        "top_decile_pct": top_share(predicted, actual),
        "auc": area_under_curve(score, ordered),
        "brier": float(np.mean((probability - ordered) ** 2)),
        "calibration_error": calibration_error(probability, ordered),
    }


def poisson_deviance(predicted, actual):
    """Mean deviance of numbers of orders: smallest, like the squared error, at their means.

    Unlike it, it counts an order of somebody of whom hardly any was expected.

    :param predicted: array (customers,), or (customers, methods)
    """
    expected = np.maximum(predicted, LEAST_EXPECTED)
    actual = actual if np.ndim(predicted) == 1 else actual[:, None]
    # y log(y / m), which is 0 for y = 0
    surprise = np.where(actual > 0, actual * np.log(np.maximum(actual, 1e-300) / expected), 0.0)
    return 2.0 * np.mean(surprise - (actual - expected), axis=0)


def reliability(probability, happened, groups=_GROUPS):
    """Mean probability and share that came true by tenth of the probability, highest first."""
    return deciles(probability, happened * 1.0, groups)


def calibration_error(probability, happened):
    """By how many points the chances of similar customers are off, on average.

    Tenths of the customers, from the least to the most likely: the mean distance between the mean
    probability of a tenth and the share of it that ordered.
    """
    parts = reliability(probability, happened)
    off = sum(part["customers"] * abs(part["predicted"] - part["actual"]) for part in parts)
    return float(100 * off / len(probability))


def value_metrics(predicted, actual):
    """Compare predicted with actual net value of customers."""
    return {
        "value_mae": float(np.mean(np.abs(predicted - actual))),
        "value_rmse": float(np.sqrt(np.mean((predicted - actual) ** 2))),
        "value_bias_pct": _bias(predicted, actual),
        "value_top_decile_pct": top_share(predicted, actual),
    }


def deciles(predicted, actual, groups=10):
    """Mean predicted and actual by tenth of the prediction, highest first."""
    order = np.argsort(-predicted, kind="stable")
    return [
        {
            "predicted": float(predicted[part].mean()),
            "actual": float(actual[part].mean()),
            "customers": len(part),
        }
        for part in np.array_split(order, min(groups, len(order)))
    ]


def area_under_curve(score, positive):
    """Probability that a buyer scores above a non-buyer, ties counted half."""
    n = int(positive.sum())
    if n in (0, len(positive)):
        return None
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * (len(positive) - n)))


def top_share(predicted, actual, share=0.1):
    """Percentage of the actual total that came from the predicted top tenth.

    Customers with the same prediction as the last of the top tenth count by their share.
    """
    total = actual.sum()
    if not total > 0:
        return None
    size = max(1, round(share * len(actual)))
    edge = np.sort(predicted)[len(predicted) - size]
    above, level = predicted > edge, predicted == edge
    part = (size - above.sum()) / level.sum()
    return float(100 * (actual[above].sum() + part * actual[level].sum()) / total)


def _bias(predicted, actual):
    total = actual.sum()
    return float(100 * (predicted.sum() / total - 1)) if total > 0 else None


def _correlation(predicted, actual):
    if len(actual) < 2 or np.ptp(predicted) == 0 or np.ptp(actual) == 0:
        return None
    return float(np.corrcoef(predicted, actual)[0, 1])
