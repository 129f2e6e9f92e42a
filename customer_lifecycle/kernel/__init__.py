"""Statistics of the customer life cycle: arrays in, arrays out, no Odoo.

:class:`LifetimeModel` is the product's own method; the estimators it is made of can be used
alone.
"""

from .cells import Cells, count_cells, merge_cells
from .histories import Histories, histories_from_transactions, repeat_amounts
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
    "STATE_VERSION",
    "MBGNBD",
    "Cells",
    "GammaGamma",
    "Histories",
    "LifetimeModel",
    "Moves",
    "Outliers",
    "ParetoNBD",
    "Predictions",
    "ShrunkenMean",
    "StageRules",
    "count_cells",
    "find_outliers",
    "histories_from_transactions",
    "kaplan_meier",
    "merge_cells",
    "repeat_amounts",
    "replay_stages",
    "simulate_transactions",
    "survival_quantile",
]
