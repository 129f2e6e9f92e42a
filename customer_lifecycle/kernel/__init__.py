"""Statistics of the customer life cycle: arrays in, arrays out, no Odoo.

:class:`LifetimeModel` is the product's own method; the estimators it is made of can be used
alone.
"""

from .estimator import (
    Estimator,
    PurchaseModel,
    make_estimator,
    register_estimator,
    registered_estimators,
    unregister_estimator,
)
from .histories import PACE, Histories, histories_from_transactions, repeat_amounts
from .history_counts import HistoryCounts, count_histories, merge_counts
from .lifetime import STATE_VERSION, LifetimeModel, Predictions
from .mbgnbd import MBGNBD
from .outliers import Outliers, find_outliers
from .paretonbd import ParetoNBD
from .replay import Moves, StageRules, replay_stages
from .simulate import simulate_transactions
from .survival import kaplan_meier, survival_quantile
from .value import LEAST_FOR_GAMMA_GAMMA, GammaGamma, ShrunkenMean

__all__ = [
    "LEAST_FOR_GAMMA_GAMMA",
    "PACE",
    "STATE_VERSION",
    "MBGNBD",
    "Estimator",
    "GammaGamma",
    "Histories",
    "HistoryCounts",
    "LifetimeModel",
    "Moves",
    "Outliers",
    "ParetoNBD",
    "Predictions",
    "PurchaseModel",
    "ShrunkenMean",
    "StageRules",
    "count_histories",
    "find_outliers",
    "histories_from_transactions",
    "kaplan_meier",
    "make_estimator",
    "merge_counts",
    "register_estimator",
    "registered_estimators",
    "repeat_amounts",
    "replay_stages",
    "simulate_transactions",
    "survival_quantile",
    "unregister_estimator",
]
