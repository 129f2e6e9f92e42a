"""What the methods would have forecast in the past, and what the product learns from it."""

from dataclasses import dataclass, field, replace

import numpy as np

from .backtest_window import (
    BacktestWindow,
    covers_year,
    earlier_windows,
    look_back,
    look_back_all,
    month_seasons,
    recent_months,
    recent_windows,
    season_windows,
)
from .blend import chance_weights, order_weights
from .calibration import (
    MONTH,
    apply_line,
    fit_line,
    hazard_share,
    month_level,
    scale_hazard,
)
from .correction import learn_correction
from .estimator import Estimator
from .forecasts import CHANCE, ORDERS, past_rate
from .histories import purchases_between
from .interval import draw_orders, learn_width, level_error
from .learnt import LearntFactor, judge_factor, learn_factor
from .level import JudgedWindow, recent_level, season_level
from .mbgnbd import SHAPES
from .metrics import (
    area_under_curve,
    calibration_error,
    deciles,
    order_metrics,
    poisson_deviance,
    reliability,
    value_metrics,
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
# Customers that ranges are held against, and draws of each.
_RANGE_CUSTOMERS, _RANGE_DRAWS = 400, 400


@dataclass
class BlendWeights:
    """What the past says about how to forecast.

    ``k``: phases between purchases; ``weights``: of the forecasts of orders; ``level``: factor
    on their blend; ``chances``: weights of the forecasts of P(order); ``chance_level``: factor
    on their hazard, or that factor with shift and slope of the log odds; ``windows``: lengths of
    the periods learnt from, in days; ``seasons``: number of earlier years that the level was
    learnt from, 0 where it was the last time; ``value_level``: factor on the value of an order, by
    what the back-test's was off; ``month_level``: factor on the hazard of the next 30 days;
    ``factor``: on the orders of each customer, None where the past teaches none.
    """

    k: int = 1
    weights: dict = field(default_factory=lambda: dict(ORDERS))
    level: float = 1.0
    chances: dict = field(default_factory=lambda: dict(CHANCE))
    chance_level: float | list = 1.0
    windows: list = field(default_factory=list)
    seasons: int = 0
    value_level: float = 1.0
    month_level: float = 1.0
    factor: LearntFactor | None = None

    @property
    def competing(self):
        """Names of the estimators that have weight beside the kernel's own forecasts."""
        return sorted(set(self.weights) - set(ORDERS))

    def forecast(self, candidates, chances, known=None):
        """Expected orders and P(order) of customers, from the forecasts to blend of each.

        Nobody's expected orders are below his chance of an order, which a mean cannot be.

        :param known: function of both that tells what :func:`~.learnt.features` does; without it
            nobody's orders are moved by what is known of him
        """
        chance = self.chance(chances)
        orders = np.maximum(self.orders(candidates), chance)
        if known and self.factor and self.factor.weight:
            moved = orders * self.factor.factor(known(orders, chance))
            orders = np.maximum(moved, chance)
        return orders, chance

    def orders(self, candidates):
        """Blend forecasts of orders, columns as in :data:`~.forecasts.ORDERS`, then competing."""
        names = (*ORDERS, *self.competing)
        return self.level * (candidates @ np.array([self.weights[name] for name in names]))

    def chance(self, candidates):
        """Blend forecasts of P(order), columns as in :data:`~.forecasts.CHANCE`, likewise."""
        names = (*CHANCE, *self.competing)
        blend = candidates @ np.array([self.chances[name] for name in names])
        factor, *line = np.atleast_1d(self.chance_level)
        return apply_line(scale_hazard(blend, factor), line or (0.0, 1.0))

    def month(self, chance, model_chance, model_month):
        """P(order) within 30 days: that of the horizon with the model's share of the hazard.

        :param model_chance, model_month: of the model with ``k``, for both times
        """
        shorter = hazard_share(chance, model_chance, model_month)
        return np.minimum(scale_hazard(shorter, self.month_level), chance)


def learn(days, end, horizon, competing=(), month=True):
    """Learn shape, weights and level from forecasts for windows up to ``end``.

    :param competing: names of registered estimators that may earn weight
    :param month: whether the next 30 days are of interest too
    :return: :class:`BlendWeights`
    """
    days = days.until(end)
    if not len(days):
        return BlendWeights()
    first, names = int(days.day.min()), sorted(competing)
    recent = look_back_all(days, recent_windows(first, end, horizon), competing=names)
    if not recent:
        return BlendWeights()
    years = look_back_all(days, season_windows(first, end, horizon), competing=names)
    windows = recent + years
    trust = _trust(windows, first, end)
    k = _best_shape(windows, trust)
    customers = trust @ [len(window.actual) for window in windows]
    weights = order_weights(
        [
            (window.candidates(k, names), window.actual, window.least_errors(k), weight)
            for window, weight in zip(windows, trust, strict=True)
        ],
        [*ORDERS.values(), *(0.0 for _ in names)],
        _PRIOR_CUSTOMERS / customers,
    )
    weights = dict(zip((*ORDERS, *names), weights.tolist(), strict=True))
    strength = (_PRIOR_CUSTOMERS_CHANCE / customers) ** 2
    chances = _learn_chances(recent, trust[: len(recent)], k, names, strength)
    chances = dict(zip((*CHANCE, *names), chances.tolist(), strict=True))
    for name in names:
        if not weights[name] and not chances[name]:
            # who has earned nothing is not fitted again
            del weights[name], chances[name]
    blend = BlendWeights(
        k=k,
        weights=weights,
        chances=chances,
        windows=[window.length for window in recent],
        seasons=len(years),
    )
    if covers_year(horizon):
        # Parts of a year say nothing about the level of a whole one.
        judges = [window for window in recent if window.length == horizon]
    elif years:
        judges = years
    else:
        spans = earlier_windows(first, end, horizon)
        judges = recent + look_back_all(days, spans, sorted({1, k}), blend.competing)
    if judges:
        _learn_level(blend, judges, first, end, horizon)
    _learn_line(blend, years if years and not covers_year(horizon) else recent, first, end)
    _learn_factor(blend, windows)
    if month:
        _learn_month(blend, days, first, end, horizon)
    return blend


def _trust(windows, first, end):
    """Weight of each window: its length, less where little history was before it."""
    length = np.array([window.length for window in windows])
    known = np.array([window.origin - first for window in windows])
    enough = np.minimum(1.0, known / (_ENOUGH_HISTORY * (end - first)))
    return length / length.max() * enough**2


def _learn_chances(windows, trust, k, names, strength):
    """Weights of the forecasts of P(order)."""
    ordered = np.concatenate([window.actual for window in windows]) > 0
    row_weight = np.repeat(trust, [len(window.actual) for window in windows])
    forecasts = np.vstack([window.chances(k, names) for window in windows])
    prior = [*CHANCE.values(), *(0.0 for _ in names)]
    return chance_weights(forecasts, ordered * 1.0, row_weight, prior, strength)


def _learn_level(blend, windows, first, end, horizon):
    """Set the levels of ``blend`` from these windows."""
    k, names = blend.k, blend.competing
    trust = _trust(windows, first, end)
    judged = [
        JudgedWindow(
            window.forecast(blend)[0],
            window.actual, window.least_errors(k), weight, float(window.histories.x.sum()),
        )
        for window, weight in zip(windows, trust, strict=True)
    ]  # fmt: skip
    if blend.seasons:
        level = season_level(judged)
    else:
        level = recent_level(judged, max(window.length for window in windows) / horizon)
    chances = [blend.chance(window.chances(k, names)) for window in windows]

    def brier(part):
        return sum(
            weight * np.mean((scale_hazard(chance, level**part) - (window.actual > 0)) ** 2)
            for chance, window, weight in zip(chances, windows, trust, strict=True)
        )

    blend.level, blend.chance_level = level, float(level ** min(_LEVEL_PARTS, key=brier))


def _learn_line(blend, windows, first, end):
    """Set the line that makes P(order) come true in these windows."""
    k, names = blend.k, blend.competing
    trust = _trust(windows, first, end)
    chance = np.concatenate([blend.chance(window.chances(k, names)) for window in windows])
    happened = np.concatenate([window.actual for window in windows]) > 0
    row_weight = np.repeat(trust / trust.sum(), [len(window.actual) for window in windows])
    blend.chance_level = [blend.chance_level, *fit_line(chance, happened, row_weight)]


def _learn_factor(blend, windows):
    """Set what these windows teach of single customers."""
    typical = np.concatenate([window.histories.value for window in windows]).mean()
    if not typical > 0:
        return
    taught = []
    for window in windows:
        orders, chance = window.forecast(blend)
        known = window.known(blend.k, orders, chance, typical)
        taught.append((orders, known, window.actual))
    blend.factor = learn_factor(taught, typical)


def _errors(forecast, came):
    return np.mean((forecast - came) ** 2), poisson_deviance(forecast, came)


def _learn_month(blend, days, first, end, horizon):
    """Set the factor on the hazard of the next 30 days."""
    seasons = month_seasons(first, end)
    windows = [
        _month(blend, window, days)
        for window in (
            look_back(days, origin, horizon, sorted({1, blend.k}), blend.competing)
            for origin in seasons or recent_months(first, end)
        )
        if window is not None
    ]
    if windows:
        blend.month_level = month_level(windows, bool(seasons))


def _month(blend, window, days):
    """P(order) of the first 30 days of a window, and whether there was one."""
    h, k = window.histories, blend.k
    chance = blend.chance(window.chances(k, blend.competing))
    length = min(MONTH, window.length)
    shorter = window.models[k].predict_p_order(length, h.x, h.t_x, h.T)
    came, _ = purchases_between(days, h.customer, window.origin, window.origin + length)
    return blend.month(chance, window.p_order(k), shorter), came > 0


def _best_shape(windows, trust):
    """The k with the smallest errors of its forecasts.

    For few customers errors differ by chance: a larger k has to be better by more.
    """
    customers = trust @ [len(window.actual) for window in windows]
    score = _SHAPE_CAUTION * trust.sum() * np.log2(SHAPES) / np.sqrt(customers)
    for window, weight in zip(windows, trust, strict=True):
        error = np.column_stack([window.orders(k) for k in SHAPES]) - window.actual[:, None]
        mae, rmse = np.abs(error).mean(axis=0), np.sqrt((error**2).mean(axis=0))
        if mae.min() > 0 and rmse.min() > 0:
            share = _SHAPE_SQUARED_SHARE
            score += 5 * weight * ((1 - share) * mae / mae.min() + share * rmse / rmse.min())
    return SHAPES[int(np.argmin(score))]


def corrected(blend, days, origin, end, before, horizon):
    """Return ``blend`` with its totals corrected by what those of ``before`` were off by.

    Of its factor is left what would have been best in the same window.

    :param before: :class:`BlendWeights` learnt from days up to ``origin``, judged by (origin, end]
    :param horizon: days that ``blend`` is for
    """
    judged = judge(days, origin, end, before)
    if judged is None:
        return blend
    window = judged.window
    factor = blend.factor and replace(
        blend.factor, trust=judge_factor(judged.plain, judged.moved, window.actual, _errors)
    )
    orders, value = learn_correction(
        judged.orders, judged.orders * judged.value, window.actual, window.net,
        window.length / horizon,
    )  # fmt: skip
    return replace(blend, level=blend.level * orders, value_level=value, factor=factor)


@dataclass
class Judged:
    """The product's own forecasts for a past window, of each customer.

    ``plain``, ``moved``: orders without the factor, and with all of it.
    """

    window: BacktestWindow
    orders: np.ndarray
    plain: np.ndarray
    moved: np.ndarray
    chance: np.ndarray
    value: np.ndarray
    value_model: Estimator
    value_about: dict


def judge(days, origin, end, blend):
    """Forecasts for (origin, end]; None if there is nothing to compare."""
    k, names = blend.k, blend.competing
    window = look_back(days, origin, end - origin, sorted({1, k}), names)
    if window is None:
        return None
    plain, chance = window.forecast(replace(blend, factor=None))
    orders = moved = plain
    if blend.factor:
        of_each = window.known(k, plain, chance, blend.factor.typical)
        factor = blend.factor.settled(plain, of_each)
        orders = np.maximum(plain * factor.factor(of_each), chance)
        moved = np.maximum(plain * replace(factor, trust=1.0).factor(of_each), chance)
    known, h = days.until(origin), window.histories
    model, about = fit_value_model(h.x + 1, h.value, known.customer, known.amount)
    value = model.predict_value(h.x + 1, h.value)
    return Judged(window, orders, plain, moved, chance, value, model, about)


def evaluate(days, origin, end, blend):
    """Forecast (origin, end] with what was learnt before, next to the single methods.

    :param days: :class:`~.histories.Ledger`
    :param blend: :class:`BlendWeights` from days up to ``origin``
    :return: JSON-able dict, or None if there is nothing to compare
    """
    k, names = blend.k, blend.competing
    judged = judge(days, origin, end, blend)
    if judged is None:
        return None
    window, value = judged.window, judged.value
    h, product = window.histories, judged.orders
    forecasts = {"product": (product, judged.chance, value * blend.value_level)}
    for name, key in (("model", k), ("model_k1", 1), *zip(names, names, strict=True)):
        forecasts[name] = (window.orders(key), window.p_order(key), value)
    forecasts["past_rate"] = (past_rate(h.x, h.T, window.length), None, h.value)
    forecasts["same_as_last_period"] = (h.recent.astype(float), None, h.value)
    result = {
        "calibration_end": int(origin),
        "holdout_end": int(end),
        "n_customers": len(h),
        "actual_orders": float(window.actual.sum()),
        "k": k,
        "weights": blend.weights,
        "level": blend.level,
        "value_model": judged.value_about,
        "methods": {
            name: order_metrics(orders, window.actual, p_order)
            | value_metrics(orders * each, window.net)
            for name, (orders, p_order, each) in forecasts.items()
        },
        "deciles": deciles(product, window.actual),
        "reliability": reliability(judged.chance, window.actual > 0),
        "month": _month_metrics(*_month(blend, window, days)),
    }
    return result | {"range_width": _range_width(judged, blend, level_error(result))}


def _range_width(judged, blend, error):
    """By how much ranges of the customers' value have to be wider to hold what they promise."""
    window = judged.window
    few = slice(None, None, -(-len(window.actual) // _RANGE_CUSTOMERS))
    h, generator = window.histories.take(few), np.random.default_rng(0)
    orders = draw_orders(
        window.models[blend.k], window.length, h.x, h.t_x, h.T, judged.orders[few],
        error, _RANGE_DRAWS, generator,
    )  # fmt: skip
    totals = judged.value_model.simulate_totals(h.x + 1, h.value, orders, generator)
    return learn_width(totals * blend.value_level, window.net[few], generator)


def _month_metrics(chance, came):
    """How good P(order) within 30 days was; chances in percent."""
    return {
        "predicted_pct": float(100 * chance.mean()),
        "actual_pct": float(100 * came.mean()),
        "auc": area_under_curve(chance, came),
        "brier": float(np.mean((chance - came) ** 2)),
        "calibration_error": calibration_error(chance, came),
    }
