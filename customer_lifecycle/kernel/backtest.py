"""What the methods would have forecast in the past, and what the product learns from it."""

from dataclasses import dataclass, field

import numpy as np

from .blend import loss, simplex_weights
from .cells import count_cells
from .forecasts import CANDIDATES, candidate_matrix, past_rate, same_as_last_period
from .histories import Histories, histories_from_ledger, purchases_between
from .mbgnbd import MBGNBD
from .metrics import deciles, order_metrics, value_metrics
from .value import fit_value_model

SHAPES = (1, 2, 3, 4, 6)
_LEAST_CUSTOMERS = 5
_SHORTEST_WINDOW = 7
# Weights where nothing could be learnt, and the number of customers it takes to outweigh them.
_PRIOR_WEIGHTS = np.array([0.25, 0.25, 0.25, 0.25])
_PRIOR_CUSTOMERS = 10.0


@dataclass
class Outlook:
    """The state of a log on one day, the models fitted on it, and what came next."""

    origin: int
    window: int
    histories: Histories
    actual: np.ndarray
    net: np.ndarray
    models: dict
    orders: dict = field(default_factory=dict)

    def forecasts(self, k):
        """Return the candidates' forecasts for the window."""
        h = self.histories
        return candidate_matrix(
            self.orders_of(k), self.orders_of(1), h.x, h.T, h.recent, self.window
        )

    def orders_of(self, k):
        """Expected orders of the model with ``k``."""
        if k not in self.orders:
            h = self.histories
            self.orders[k] = self.models[k].expected_orders(self.window, h.x, h.t_x, h.T)
        return self.orders[k]


@dataclass
class Learnt:
    """What the past says about how to forecast: shape of the timing, weights of the blend."""

    k: int = 1
    weights: dict = field(default_factory=lambda: dict(zip(CANDIDATES, _PRIOR_WEIGHTS.tolist(), strict=True)))
    windows: list = field(default_factory=list)

    def to_dict(self):
        return {"k": self.k, "weights": self.weights, "windows": self.windows}

    @classmethod
    def from_dict(cls, stored):
        return cls(**stored)

    def vector(self):
        """Return the weights in the order of the candidates."""
        return np.array([self.weights[name] for name in CANDIDATES])


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
    trust = [outlook.window / longest for outlook in outlooks]
    k = _best_shape(outlooks, trust)
    forecasts = np.vstack([outlook.forecasts(k) for outlook in outlooks])
    actual = np.concatenate([outlook.actual for outlook in outlooks])
    row_weight = np.repeat(trust, [len(outlook.actual) for outlook in outlooks])
    strength = _PRIOR_CUSTOMERS / row_weight.sum()
    weights = simplex_weights(forecasts, actual, row_weight, _PRIOR_WEIGHTS, strength)
    weights = {name: float(w) for name, w in zip(CANDIDATES, weights, strict=True)}
    return Learnt(k, weights, [outlook.window for outlook in outlooks])


def _best_shape(outlooks, trust):
    """The k with the smallest error of its forecasts."""
    score = np.zeros(len(SHAPES))
    for outlook, weight in zip(outlooks, trust, strict=True):
        error = np.column_stack([outlook.orders_of(k) for k in SHAPES]) - outlook.actual[:, None]
        mae, rmse = np.abs(error).mean(axis=0), np.sqrt((error**2).mean(axis=0))
        if mae.min() > 0 and rmse.min() > 0:
            score += weight * loss(mae / mae.min(), rmse / rmse.min())
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
    product = outlook.forecasts(learnt.k) @ learnt.vector()
    known = days.until(origin)
    value_model, value_about = fit_value_model(h.x + 1, h.value, known.customer, known.amount)
    value = value_model.expected_value(h.x + 1, h.value)
    forecasts = {
        "product": (product, probability(outlook.models, learnt, window, h.x, h.t_x, h.T), value)
    }
    for name, k in (("model", learnt.k), ("model_k1", 1)):
        p_order = outlook.models[k].p_order(window, h.x, h.t_x, h.T)
        forecasts[name] = (outlook.orders_of(k), p_order, value)
    forecasts["past_rate"] = (past_rate(h.x, h.T, window), None, h.value)
    forecasts["same_as_last_period"] = (same_as_last_period(h.recent), None, h.value)
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


def probability(models, learnt, t, x, t_x, T):
    """P(at least one order within ``t``): the models' own, in the proportion of their weights."""
    own, plain = learnt.weights["model_k"], learnt.weights["model_k1"]
    share = own / (own + plain) if own + plain > 0 else 1.0
    if learnt.k == 1:
        share = 1.0
    p_order = share * models[learnt.k].p_order(t, x, t_x, T)
    return p_order if share == 1.0 else p_order + (1 - share) * models[1].p_order(t, x, t_x, T)
