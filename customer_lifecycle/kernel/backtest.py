"""What the methods would have forecast in the past, and what the product learns from it."""

from dataclasses import dataclass, field

import numpy as np

from .blend import chance_weights, order_weights
from .forecasts import CHANCE, ORDERS, past_rate
from .level import Past, recent_level, season_level
from .mbgnbd import SHAPES
from .metrics import deciles, order_metrics, value_metrics
from .outlook import (
    covers_year,
    earlier_windows,
    look_back,
    look_back_all,
    recent_windows,
    season_windows,
)
from .value import fit_value_model

# With many more customers than this the weights are learnt, with fewer they stay where they
# are where nothing was learnt: those of orders, and those of the probability of an order.
_PRIOR_CUSTOMERS, _PRIOR_CUSTOMERS_CHANCE = 20.0, 60.0
# What doubling k has to bring, in errors relative to the best, with one customer.
_SHAPE_CAUTION = 1.0
# The k has to earn its place by squared errors: a larger one forecasts less, which absolute
# errors alone would reward.
_SHAPE_SQUARED_SHARE = 0.8
# Windows with less than this part of the log before them count less.
_ENOUGH_HISTORY = 0.3
_LEVEL_PARTS = (0.0, 0.5, 1.0)


@dataclass
class Learnt:
    """What the past says about how to forecast.

    ``k``: phases between purchases; ``weights``: of the forecasts of orders; ``level``: factor
    on their blend; ``chances``: weights of the forecasts of P(order); ``chance_level``: factor
    on their hazard; ``windows``: lengths of the periods learnt from, in days; ``seasons``:
    number of earlier years that the level was learnt from, 0 where it was the last time.
    """

    k: int = 1
    weights: dict = field(default_factory=lambda: dict(ORDERS))
    level: float = 1.0
    chances: dict = field(default_factory=lambda: dict(CHANCE))
    chance_level: float = 1.0
    windows: list = field(default_factory=list)
    seasons: int = 0

    def orders(self, candidates):
        """Blend forecasts of orders, columns as in :data:`~.forecasts.ORDERS`."""
        return self.level * (candidates @ np.array([self.weights[name] for name in ORDERS]))

    def chance(self, candidates):
        """Blend forecasts of P(order), columns as in :data:`~.forecasts.CHANCE`."""
        blend = candidates @ np.array([self.chances[name] for name in CHANCE])
        return _scale_hazard(blend, self.chance_level)


def learn(days, end, horizon):
    """Learn shape, weights and level from forecasts for windows up to ``end``."""
    days = days.until(end)
    if not len(days):
        return Learnt()
    first = int(days.day.min())
    recent = look_back_all(days, recent_windows(first, end, horizon))
    if not recent:
        return Learnt()
    years = look_back_all(days, season_windows(first, end, horizon))
    outlooks = recent + years
    trust = _trust(outlooks, first, end)
    k = _best_shape(outlooks, trust)
    customers = trust @ [len(outlook.actual) for outlook in outlooks]
    forecasts = [outlook.candidates(k) for outlook in outlooks]
    weights = order_weights(
        [
            (forecast, outlook.actual, outlook.least_errors(k), weight)
            for forecast, outlook, weight in zip(forecasts, outlooks, trust, strict=True)
        ],
        list(ORDERS.values()),
        _PRIOR_CUSTOMERS / customers,
    )
    strength = (_PRIOR_CUSTOMERS_CHANCE / customers) ** 2
    chances = _learn_chances(recent, trust[: len(recent)], k, strength)
    learnt = Learnt(
        k=k,
        weights=dict(zip(ORDERS, weights.tolist(), strict=True)),
        chances=dict(zip(CHANCE, chances.tolist(), strict=True)),
        windows=[outlook.window for outlook in recent],
        seasons=len(years),
    )
    if covers_year(horizon):
        # Parts of a year say nothing about the level of a whole one.
        judges = [outlook for outlook in recent if outlook.window == horizon]
    elif years:
        judges = years
    else:
        earlier = look_back_all(days, earlier_windows(first, end, horizon), sorted({1, k}))
        judges = recent + earlier
    if judges:
        _learn_level(learnt, judges, first, end, horizon)
    return learnt


def _trust(outlooks, first, end):
    """Weight of each window: its length, less where little history was before it."""
    length = np.array([outlook.window for outlook in outlooks])
    known = np.array([outlook.origin - first for outlook in outlooks])
    enough = np.minimum(1.0, known / (_ENOUGH_HISTORY * (end - first)))
    return length / length.max() * enough**2


def _learn_chances(outlooks, trust, k, strength):
    """Weights of the forecasts of P(order)."""
    ordered = np.concatenate([outlook.actual for outlook in outlooks]) > 0
    row_weight = np.repeat(trust, [len(outlook.actual) for outlook in outlooks])
    forecasts = np.vstack([outlook.chances(k) for outlook in outlooks])
    return chance_weights(forecasts, ordered * 1.0, row_weight, list(CHANCE.values()), strength)


def _learn_level(learnt, outlooks, first, end, horizon):
    """Set the levels of ``learnt`` from these windows."""
    k = learnt.k
    trust = _trust(outlooks, first, end)
    past = [
        Past(
            learnt.orders(each.candidates(k)), each.actual, each.least_errors(k), weight,
            float(each.histories.x.sum()),
        )
        for each, weight in zip(outlooks, trust, strict=True)
    ]  # fmt: skip
    if learnt.seasons:
        level = season_level(past)
    else:
        level = recent_level(past, max(each.window for each in outlooks) / horizon)
    chances = [learnt.chance(each.chances(k)) for each in outlooks]

    def brier(part):
        return sum(
            weight * np.mean((_scale_hazard(chance, level**part) - (each.actual > 0)) ** 2)
            for chance, each, weight in zip(chances, outlooks, trust, strict=True)
        )

    learnt.level, learnt.chance_level = level, float(level ** min(_LEVEL_PARTS, key=brier))


def _scale_hazard(chance, factor):
    """Probability of at least one order when orders come ``factor`` times as often."""
    if factor == 1.0:
        return chance
    return -np.expm1(factor * np.log1p(-np.minimum(chance, 1.0 - 1e-12)))


def _best_shape(outlooks, trust):
    """The k with the smallest errors of its forecasts.

    For few customers errors differ by chance: a larger k has to be better by more.
    """
    customers = trust @ [len(outlook.actual) for outlook in outlooks]
    score = _SHAPE_CAUTION * trust.sum() * np.log2(SHAPES) / np.sqrt(customers)
    for outlook, weight in zip(outlooks, trust, strict=True):
        error = np.column_stack([outlook.orders(k) for k in SHAPES]) - outlook.actual[:, None]
        mae, rmse = np.abs(error).mean(axis=0), np.sqrt((error**2).mean(axis=0))
        if mae.min() > 0 and rmse.min() > 0:
            share = _SHAPE_SQUARED_SHARE
            score += 5 * weight * ((1 - share) * mae / mae.min() + share * rmse / rmse.min())
    return SHAPES[int(np.argmin(score))]


def evaluate(days, origin, end, learnt):
    """Forecast (origin, end] with what was learnt before, next to the single methods.

    :param days: :class:`~.histories.Ledger`
    :param learnt: :class:`Learnt` from days up to ``origin``
    :return: JSON-able dict, or None if there is nothing to compare
    """
    window = end - origin
    outlook = look_back(days, origin, window, sorted({1, learnt.k}))
    if outlook is None:
        return None
    h = outlook.histories
    product = learnt.orders(outlook.candidates(learnt.k))
    chance = learnt.chance(outlook.chances(learnt.k))
    known = days.until(origin)
    value_model, value_about = fit_value_model(h.x + 1, h.value, known.customer, known.amount)
    value = value_model.expected_value(h.x + 1, h.value)
    forecasts = {"product": (product, chance, value)}
    for name, k in (("model", learnt.k), ("model_k1", 1)):
        forecasts[name] = (outlook.orders(k), outlook.p_order(k), value)
    forecasts["past_rate"] = (past_rate(h.x, h.T, window), None, h.value)
    forecasts["same_as_last_period"] = (h.recent.astype(float), None, h.value)
    return {
        "calibration_end": int(origin),
        "holdout_end": int(end),
        "n_customers": len(h),
        "actual_orders": float(outlook.actual.sum()),
        "k": learnt.k,
        "weights": learnt.weights,
        "level": learnt.level,
        "value_model": value_about,
        "methods": {
            name: order_metrics(orders, outlook.actual, p_order)
            | value_metrics(orders * each, outlook.net)
            for name, (orders, p_order, each) in forecasts.items()
        },
        "deciles": deciles(product, outlook.actual),
    }
