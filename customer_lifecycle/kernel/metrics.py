"""How good predictions were: errors per customer, of totals, and of ranking."""

import numpy as np


def order_metrics(predicted, actual, probability=None):
    """Compare predicted with actual orders of customers.

    :param probability: P(at least one order); None ranks by ``predicted`` and takes the
        Poisson probability
    :return: dict mae, rmse, corr, bias_pct, top_decile_pct, auc, brier; None where not
        defined (nobody ordered, or all the same)
    """
    error = predicted - actual
    ordered = actual > 0
    score = predicted if probability is None else probability
    probability = -np.expm1(-predicted) if probability is None else probability
    return {
        "mae": float(np.mean(np.abs(error))),
        "rmse": float(np.sqrt(np.mean(error**2))),
        "corr": _correlation(predicted, actual),
        "bias_pct": _bias(predicted, actual),
        "top_decile_pct": top_share(predicted, actual),
        "auc": area_under_curve(score, ordered),
        "brier": float(np.mean((probability - ordered) ** 2)),
    }


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
