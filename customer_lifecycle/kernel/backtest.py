"""What the methods would have forecast in the past, and what the product learns from it."""

from dataclasses import dataclass, field

import numpy as np

from .blend import chance_weights, order_weights
from .cells import count_cells
from .forecasts import CHANCE, ORDERS, chance_candidates, order_candidates, past_rate
from .histories import Histories, histories_from_ledger, purchases_between
from .mbgnbd import MBGNBD, SHAPES
from .metrics import deciles, order_metrics, value_metrics
from .value import fit_value_model

_LEAST_CUSTOMERS = 5
_SHORTEST_WINDOW = 7
# With many more customers than this the weights are learnt, with fewer they stay where they
# are where nothing was learnt.
_PRIOR_CUSTOMERS = 200.0
# The k has to earn its place by squared errors: a larger one forecasts less, which absolute
# errors alone would reward.
_SHAPE_SQUARED_SHARE = 0.8


@dataclass
class Learnt:
    """What the past says about how to forecast.

    ``k``: phases between purchases; ``weights``: of the forecasts of orders; ``chances``: of
    the forecasts of P(order); ``windows``: lengths of the periods learnt from, in days.
    """

    k: int = 1
    weights: dict = field(default_factory=lambda: dict(ORDERS))
    chances: dict = field(default_factory=lambda: dict(CHANCE))
    windows: list = field(default_factory=list)

    def orders(self, candidates):
        """Blend forecasts of orders, columns as in :data:`~.forecasts.ORDERS`."""
        return candidates @ np.array([self.weights[name] for name in ORDERS])

    def chance(self, candidates):
        """Blend forecasts of P(order), columns as in :data:`~.forecasts.CHANCE`."""
        return candidates @ np.array([self.chances[name] for name in CHANCE])


@dataclass
class Outlook:
    """The state of a log on one day, the models fitted on it, and what came next."""

    origin: int
    window: int
    histories: Histories
    actual: np.ndarray
    net: np.ndarray
    models: dict
    _orders: dict = field(default_factory=dict)

    def orders(self, k):
        """Expected orders of the model with ``k`` within the window."""
        if k not in self._orders:
            h = self.histories
            self._orders[k] = self.models[k].expected_orders(self.window, h.x, h.t_x, h.T)
        return self._orders[k]

    def p_order(self, k):
        """Probability of an order within the window by the model with ``k``."""
        h = self.histories
        return self.models[k].p_order(self.window, h.x, h.t_x, h.T)

    def candidates(self, k):
        """Forecasts of orders to blend."""
        h = self.histories
        return order_candidates(
            self.window, self.orders(k), self.orders(1), self.p_order(k), h.x, h.T, h.recent
        )

    def chances(self, k):
        """Forecasts of P(order) to blend."""
        h = self.histories
        return chance_candidates(
            self.window, self.p_order(k), self.p_order(1), self.orders(k),
            h.x, h.t_x, h.T, h.recent,
        )  # fmt: skip

    def singles(self, k):
        """Forecasts of orders by single methods."""
        h = self.histories
        return np.column_stack(
            (self.orders(k), self.orders(1), past_rate(h.x, h.T, self.window), h.recent)
        )


def look_back(days, origin, window, shapes=SHAPES):
    """Return the :class:`Outlook` of ``origin``, or None if too few customers were there."""
    histories = histories_from_ledger(days, origin, window)
    if len(histories) < _LEAST_CUSTOMERS:
        return None
    actual, net = purchases_between(days, histories.customer, origin, origin + window)
    cells = count_cells(histories.x, histories.t_x, histories.T)
    models = {k: MBGNBD(k).fit(*cells) for k in shapes}
    return Outlook(origin, window, histories, actual, net, models)


def learning_windows(first, end, horizon):
    """Return window lengths to learn from, the longest first; all of them end at ``end``.

    One horizon, where the log is long enough to have a history before it; else, and besides,
    parts of it.
    """
    span = end - first
    wanted = {horizon, horizon // 2, horizon // 4, span // 2, span // 3, span // 4}
    history = max(14, span // 5)
    possible = (w for w in wanted if _SHORTEST_WINDOW <= w <= min(horizon, span - history))
    return sorted(possible, reverse=True)


def learn(days, end, horizon):
    """Learn shape and weights from the forecasts for windows that end at ``end``."""
    days = days.until(end)
    if not len(days):
        return Learnt()
    windows = learning_windows(int(days.day.min()), end, horizon)
    outlooks = [look_back(days, end - window, window) for window in windows]
    outlooks = [outlook for outlook in outlooks if outlook is not None]
    if not outlooks:
        return Learnt()
    longest = outlooks[0].window
    trust = np.array([(outlook.window / longest) ** 2 for outlook in outlooks])
    k = _best_shape(outlooks, trust)
    candidates = np.vstack([outlook.candidates(k) for outlook in outlooks])
    singles = np.vstack([outlook.singles(k) for outlook in outlooks])
    chances = np.vstack([outlook.chances(k) for outlook in outlooks])
    actual = np.concatenate([outlook.actual for outlook in outlooks])
    row_weight = np.repeat(trust, [len(outlook.actual) for outlook in outlooks])
    strength = (_PRIOR_CUSTOMERS / row_weight.sum()) ** 2
    weights = order_weights(
        candidates, singles, actual, row_weight, list(ORDERS.values()), strength
    )
    chance = chance_weights(
        chances, (actual > 0) * 1.0, row_weight, list(CHANCE.values()), strength / 10
    )
    return Learnt(
        k=k,
        weights=dict(zip(ORDERS, weights.tolist(), strict=True)),
        chances=dict(zip(CHANCE, chance.tolist(), strict=True)),
        windows=[outlook.window for outlook in outlooks],
    )


def _best_shape(outlooks, trust):
    """The k with the smallest errors of its forecasts.

    For few customers errors differ by chance: a larger k has to be better by more.
    """
    customers = trust @ [len(outlook.actual) for outlook in outlooks]
    score = trust.sum() * np.log2(SHAPES) / np.sqrt(customers)
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
        "value_model": value_about,
        "methods": {
            name: order_metrics(orders, outlook.actual, p_order)
            | value_metrics(orders * each, outlook.net)
            for name, (orders, p_order, each) in forecasts.items()
        },
        "deciles": deciles(product, outlook.actual),
    }
