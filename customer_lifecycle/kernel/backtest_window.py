"""The state of a log on a past day, what was forecast then, and what came next.

In: a ledger and days of the past. Out: windows of which the outcome is known. Called by the
back-test, which learns from them.
"""

from dataclasses import dataclass, field

import numpy as np

from .calibration import MONTH
from .estimator import make_estimator
from .forecasts import chance_candidates, order_candidates, past_rate
from .histories import Histories, histories_from_ledger, purchases_between
from .history_counts import count_histories
from .learnt import features
from .mbgnbd import MBGNBD, SHAPES
from .metrics import poisson_deviance

_LEAST_CUSTOMERS = 5
_SHORTEST_WINDOW, _SHORTEST_HISTORY = 7, 14
_YEAR, _YEARS = 365, 3
# A horizon from which on seasons cancel out, and the history that a window of it needs.
_WHOLE_YEAR, _YEAR_HISTORY = 360, 300
# A season is read from windows that had at least this history before them.
_SEASON_HISTORY = 180


@dataclass
class BacktestWindow:
    """The state of a log on one day, the models fitted on it, and what came next.

    ``origin``: the day; ``length``: days looked at after it; ``actual``, ``net``: purchase days
    and net amount of each customer in these; ``models``: MBG/CNBD-k by its k, and estimators
    that compete by their names.
    """

    origin: int
    length: int
    histories: Histories
    actual: np.ndarray
    net: np.ndarray
    models: dict
    _known: dict = field(default_factory=dict)

    def orders(self, key):
        """Expected orders of a model within the window."""
        return self._once("predict_orders", key)

    def p_order(self, key):
        """Probability of an order within the window by a model."""
        return self._once("predict_p_order", key)

    def _once(self, method, key):
        if (method, key) not in self._known:
            h = self.histories
            predict = getattr(self.models[key], method)
            self._known[method, key] = predict(self.length, h.x, h.t_x, h.T)
        return self._known[method, key]

    def candidates(self, k, competing=()):
        """Forecasts of orders to blend."""
        h = self.histories
        own = order_candidates(self.length, self.orders(k), self.orders(1), h.x, h.T, h.recent)
        return np.column_stack((own, *(self.orders(name) for name in competing)))

    def chances(self, k, competing=()):
        """Forecasts of P(order) to blend."""
        h = self.histories
        own = chance_candidates(
            self.length, self.p_order(k), self.p_order(1), self.orders(k),
            h.x, h.t_x, h.T, h.recent,
        )  # fmt: skip
        return np.column_stack((own, *(self.p_order(name) for name in competing)))

    def forecast(self, blend):
        """Expected orders and P(order) of each customer by a blend."""
        return blend.forecast(
            self.candidates(blend.k, blend.competing),
            self.chances(blend.k, blend.competing),
            lambda orders, chance: self.known(blend.k, orders, chance, blend.factor.typical),
        )

    def known(self, k, orders, chance, typical):
        """What is known of each customer beside a blend's forecasts."""
        h = self.histories
        alive = self.models[k].predict_p_alive(h.x, h.t_x, h.T)
        history = h.x, h.t_x, h.T, h.value, h.recent, h.pace
        return features(
            self.length, orders, chance, self.orders(k), self.orders(1), alive, history, typical
        )

    def singles(self, k):
        """Forecasts of orders by single methods."""
        h = self.histories
        return np.column_stack(
            (self.orders(k), self.orders(1), past_rate(h.x, h.T, self.length), h.recent)
        )

    def least_errors(self, k):
        """MAE, RMSE and Poisson deviance of the best single method in each."""
        singles = self.singles(k)
        error = singles - self.actual[:, None]
        absolute, squared = np.abs(error).mean(axis=0), (error**2).mean(axis=0)
        deviance = poisson_deviance(singles, self.actual)
        return absolute.min(), np.sqrt(squared.min()), deviance.min()


def look_back(days, origin, length, shapes=SHAPES, competing=()):
    """Return the :class:`BacktestWindow` of ``origin``, or None if too few customers were there.

    :param shapes: k of the models to fit
    :param competing: names of the registered estimators to fit
    """
    histories = histories_from_ledger(days, origin, length)
    if len(histories) < _LEAST_CUSTOMERS:
        return None
    actual, net = purchases_between(days, histories.customer, origin, origin + length)
    counts = count_histories(histories.x, histories.t_x, histories.T)
    models = {k: MBGNBD(k).fit(*counts) for k in shapes}
    models |= {name: make_estimator(name).fit(*counts) for name in competing}
    return BacktestWindow(origin, length, histories, actual, net, models)


def look_back_all(days, spans, shapes=SHAPES, competing=()):
    """Return the :class:`BacktestWindow` of each (origin, length) that has one."""
    windows = [look_back(days, *span, shapes, competing) for span in spans]
    return [window for window in windows if window is not None]


def recent_windows(first, end, horizon):
    """Return (origin, length) of windows that end at ``end``, the longest first.

    One horizon, where the log is long enough to have a history before it; else, and besides,
    parts of it. Parts of a year know some seasons only (an appeal every December, say), so
    they are left out where a window of a year or more has enough before it.
    """
    span = end - first
    if _knows_seasons(span, horizon):
        return [(end - horizon, horizon)]
    wanted = {horizon, horizon // 2, horizon // 4, span // 2, span // 3, span // 4}
    possible = (w for w in wanted if _fits(w, horizon) and w <= span - _least_history(span))
    return [(end - w, w) for w in sorted(possible, reverse=True)]


def earlier_windows(first, end, horizon):
    """Return (origin, length) of windows that end one length before ``end``.

    They tell whether a level is there to stay.
    """
    span = end - first
    wanted = {horizon, horizon // 2, span // 4}
    possible = (w for w in wanted if _fits(w, horizon) and 2 * w <= span - _least_history(span))
    return [(end - 2 * w, w) for w in sorted(possible, reverse=True)]


def season_windows(first, end, horizon):
    """Return (origin, length) of the same part of earlier years that lies ahead of ``end``.

    Without those whose history was too short, and none for a horizon of about a year or more,
    in which seasons cancel out.
    """
    if covers_year(horizon):
        return []
    least = max(horizon, _SEASON_HISTORY)
    origins = (end - _YEAR * years for years in range(1, _YEARS + 1))
    return [(origin, horizon) for origin in origins if origin - first >= least]


def month_seasons(first, end):
    """Return the same day of earlier years, which tell what season the next 30 days are in."""
    origins = (end - _YEAR * years for years in range(1, _YEARS + 1))
    return [origin for origin in origins if origin - first >= _SEASON_HISTORY]


def recent_months(first, end):
    """Return the beginnings of the last three times 30 days."""
    origins = (end - MONTH * part for part in range(1, 4))
    return [origin for origin in origins if origin - first >= 2 * MONTH]


def covers_year(window):
    """Whether seasons cancel out within a window of this length."""
    return window >= _WHOLE_YEAR


def _knows_seasons(span, horizon):
    return covers_year(horizon) and span - horizon >= _YEAR_HISTORY


def _fits(window, horizon):
    return _SHORTEST_WINDOW <= window <= horizon


def _least_history(span):
    return max(_SHORTEST_HISTORY, span // 5)
