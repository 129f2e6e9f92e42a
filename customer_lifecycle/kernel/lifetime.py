"""The product's own method: everything that is predicted for a customer, from transactions."""

from dataclasses import asdict, dataclass, replace

import numpy as np

from .backtest import BlendWeights, corrected, evaluate, learn
from .calibration import MONTH
from .estimator import Estimator, make_estimator, registered_estimators
from .forecasts import chance_candidates, order_candidates
from .histories import histories_from_ledger, ledger
from .history_counts import count_histories, merge_counts
from .interval import draw_orders, level_error, range_of
from .learnt import LearntFactor, features, pace_days
from .mbgnbd import MBGNBD
from .outliers import Outliers, find_outliers
from .rhythm import LEVELS, fit_rhythm, learn_levels, next_purchase
from .value import fit_value_model, value_model_from

LEAST_CUSTOMERS, LEAST_REPEAT_BUYERS = 20, 10
_BACKTEST_CUSTOMERS = 20_000
_CORRECTION_CUSTOMERS = 5_000
# Customers predicted at a time, which bounds the memory.
_BATCH = 250_000
# Changes with what :meth:`LifetimeModel.to_dict` holds.
STATE_VERSION = 4
_FIGURES = ("n_customers", "n_repeat", "end", "log_likelihood")


@dataclass(frozen=True)
class Predictions:
    """Predictions of customers; arrays of equal length.

    ``p_alive``; ``p_order``, ``p_order_30``: at least one order within the horizon, within 30
    days; ``expected_orders`` within the horizon; ``expected_value`` of an order; ``clv``:
    value of the expected orders, discounted; ``next_in``, ``next_from``, ``next_to``: days
    from the *last purchase* to the next, and the window that holds half of those that are still
    awaited; NaN without a regular rhythm (:func:`~.rhythm.next_purchase`).
    """

    p_alive: np.ndarray
    p_order: np.ndarray
    p_order_30: np.ndarray
    expected_orders: np.ndarray
    expected_value: np.ndarray
    clv: np.ndarray
    next_in: np.ndarray
    next_from: np.ndarray
    next_to: np.ndarray


@dataclass
class _Expected:
    """Forecasts on the way to :class:`Predictions`.

    ``own``, ``plain``: orders by the models with the chosen k and with 1; ``discounted``,
    ``p_own``: by the first; ``orders``, ``p_order``: by the blend.
    """

    p_alive: np.ndarray
    own: np.ndarray
    plain: np.ndarray
    discounted: np.ndarray
    p_own: np.ndarray
    orders: np.ndarray | None = None
    p_order: np.ndarray | None = None


class LifetimeModel(Estimator):
    """Customer lifetime model of one company: purchase model, value model, learnt blend.

    :param horizon: days that predictions look ahead
    :param discount_rate: per year
    :param random_state: seed of the sample that back-tests use, and of simulations
    :param free_orders: a day with nothing but amounts of 0 is a purchase too
    :param estimators: names of registered purchase models (:mod:`~.estimator`) that compete with
        the kernel's own forecasts

    Fitted: ``sufficient_`` and ``missing_`` (are there data enough to show predictions),
    ``k_``, ``parameters_`` (days), ``weights_``, ``value_model_``, ``log_likelihood_``,
    ``n_customers_``, ``n_repeat_``, ``end_``, ``backtest_`` (None where history is too short),
    ``outliers_`` (orders that stand alone, which count as the largest that does not).
    """

    def __init__(
        self, horizon=365, discount_rate=0.10, random_state=0, free_orders=False, estimators=()
    ):
        self.horizon = horizon
        self.discount_rate = discount_rate
        self.random_state = random_state
        self.free_orders = free_orders
        self.estimators = estimators

    # ----- FIT -----

    def fit(self, customer, day, amount, end=None):
        """Fit on transactions. Poor data make weak predictions, not errors.

        :param customer: ids, whole numbers
        :param day: whole days since any epoch
        :param amount: net amounts in one currency, refunds negative
        :param end: last day of observation, by default that of the last transaction
        :return: self
        :raise ValueError: if options or arrays are not of the required kind
        """
        self._check_options()
        days = ledger(customer, day, amount, end, self.free_orders)
        if end is None:
            end = int(days.day.max()) if len(days) else 0
        self.outliers_ = find_outliers(days.customer, days.day, days.amount)
        days = self._tame(days)
        self.end_ = end = int(end)
        histories = histories_from_ledger(days, end, self.horizon)
        self._count(histories)
        sample = self._sample(days, histories)
        self._learn(sample, end)
        self._fit_models(histories, days)
        self._settle(histories_from_ledger(sample, end, self.horizon))
        self.rhythm_ = fit_rhythm(sample, end)
        self.levels_ = learn_levels(self.rhythm_, sample, end)
        return self

    def evaluate(self, customer, day, amount, holdout_end):
        """Compare forecasts made at the end of the fit with what came true until ``holdout_end``.

        :param customer, day, amount: transactions of both times, as for :meth:`fit`
        :return: dict like ``backtest_``, or None if there is nothing to compare
        :raise ValueError: if ``holdout_end`` is not after the end of the fit
        """
        self._check_fitted()
        if holdout_end <= self.end_:
            raise ValueError("holdout_end must lie after the end of the fit.")
        days = self._tame(ledger(customer, day, amount, holdout_end, self.free_orders))
        return evaluate(days, self.end_, int(holdout_end), self.blend_)

    def _tame(self, days):
        """The ledger without what the fit found to stand alone."""
        return replace(days, amount=self.outliers_.tamed(days.customer, days.amount))

    def _check_options(self):
        if not self.horizon >= 1 or self.horizon != int(self.horizon):
            raise ValueError("horizon must be a whole number of days, 1 or more.")
        if not self.discount_rate >= 0:
            raise ValueError("discount_rate must be 0 or more per year.")

    def _count(self, histories):
        self.n_customers_ = len(histories)
        self.n_repeat_ = int(np.sum(histories.x > 0))
        self.missing_ = {}
        if self.n_customers_ < LEAST_CUSTOMERS:
            self.missing_["customers"] = (self.n_customers_, LEAST_CUSTOMERS)
        if self.n_repeat_ < LEAST_REPEAT_BUYERS:
            self.missing_["repeat_buyers"] = (self.n_repeat_, LEAST_REPEAT_BUYERS)
        self.sufficient_ = not self.missing_

    def _sample(self, days, histories):
        """The days of at most so many customers as errors need to be known well."""
        if len(histories) <= _BACKTEST_CUSTOMERS:
            return days
        generator = np.random.default_rng(self.random_state)
        chosen = generator.choice(len(histories), _BACKTEST_CUSTOMERS, replace=False)
        return days.of(np.sort(histories.customer[chosen]))

    def _learn(self, days, end):
        """Learn how to forecast, and back-test what would have been learnt one horizon earlier.

        What the back-test's totals were off by corrects those that are forecast now; those of the
        back-test itself, what was known one window before it.
        """
        self.blend_, self.backtest_ = learn(days, end, self.horizon, self.estimators), None
        window = _window(days, end, self.horizon)
        if not window:
            return
        origin = end - window
        before = learn(days, origin, window, self.estimators)
        self.blend_ = corrected(self.blend_, days, origin, end, before, self.horizon)
        earlier = _window(days, origin, window)
        if earlier:
            start, few = origin - earlier, _some(days)
            learnt = learn(few, start, earlier, self.estimators, month=False)
            before = corrected(before, few, start, origin, learnt, window)
        self.backtest_ = evaluate(days, origin, end, before)

    def _fit_models(self, histories, days):
        counts = count_histories(histories.x, histories.t_x, histories.T)
        if counts.weight @ counts.T < self.horizon:
            # First days say nothing about rates: one idle customer stands in for the rest.
            counts = merge_counts(counts, count_histories([0], [0], [self.horizon]))
        self.models_ = {k: MBGNBD(k).fit(*counts) for k in sorted({1, self.blend_.k})}
        self.competitors_ = {
            name: make_estimator(name).fit(*counts) for name in self.blend_.competing
        }
        self.log_likelihood_ = self.models_[self.k_].log_likelihood_
        self._value, self.value_model_ = fit_value_model(
            histories.x + 1, histories.value, days.customer, days.amount
        )

    def _settle(self, h):
        """Keep the total of all customers where the factor moves single ones."""
        blend = self.blend_
        if blend.factor:
            self.blend_ = replace(blend, factor=None)
            history = [np.asarray(c, float) for c in (h.x, h.t_x, h.T, h.value, h.recent, h.pace)]
            found = self._expected(*history)
            known = self._known(found, history, found.orders, found.p_order, blend.factor.typical)
            self.blend_ = replace(blend, factor=blend.factor.settled(found.orders, known))

    @property
    def k_(self):
        return self.blend_.k

    @property
    def weights_(self):
        return self.blend_.weights

    @property
    def parameters_(self):
        return self.models_[self.k_].parameters_

    @classmethod
    def from_models(cls, purchases, value, horizon=365, **options):
        """Return a fitted model made of known models, with the weights of a company without past.

        :param purchases: fitted :class:`~.mbgnbd.MBGNBD` with k = 1
        :param value: fitted :class:`~.value.GammaGamma` or :class:`~.value.ShrunkenMean`
        """
        model = cls(horizon=horizon, **options)
        model.models_, model.rhythm_, model._value = {1: purchases}, purchases, value
        model.levels_ = LEVELS
        model.competitors_ = {}
        model.blend_ = BlendWeights()
        model.backtest_, model.missing_, model.sufficient_ = None, {}, True
        model.outliers_ = Outliers()
        return model

    # ----- STORE -----

    def to_dict(self):
        """Return everything :meth:`from_dict` needs, JSON-able."""
        self._check_fitted()
        return {
            "version": STATE_VERSION,
            "options": self.get_params() | {"estimators": list(self.estimators)},
            "models": {str(k): model.parameters_ for k, model in self.models_.items()},
            "competitors": {
                name: {"options": model.get_params(), "parameters": model.parameters_}
                for name, model in self.competitors_.items()
            },
            "rhythm": {"k": self.rhythm_.k, **self.rhythm_.parameters_},
            "levels": list(self.levels_),
            "learnt": asdict(self.blend_),
            "missing": {name: list(pair) for name, pair in self.missing_.items()},
            "value_model": self.value_model_,
            "backtest": self.backtest_,
            "outliers": self.outliers_.to_dict(),
            **{name: getattr(self, name + "_") for name in _FIGURES},
        }

    @staticmethod
    def is_readable(stored):
        """Whether :meth:`from_dict` can read it: of this version, its estimators still there."""
        known = set(registered_estimators())
        return stored.get("version") == STATE_VERSION and known.issuperset(
            # fits that were stored before estimators could compete know of none
            stored.get("competitors", ())
        )

    @classmethod
    def from_dict(cls, stored):
        """Return the fitted model that :meth:`to_dict` described; it predicts exactly alike.

        :raise ValueError: if it is not readable
        """
        if not cls.is_readable(stored):
            raise ValueError("This stored model is of another version; fit it again.")
        model = cls(**stored["options"])
        model.models_ = {
            int(k): MBGNBD.from_parameters(**parameters, k=int(k))
            for k, parameters in stored["models"].items()
        }
        model.competitors_ = {
            name: make_estimator(name, **found["options"]).restore(found["parameters"])
            for name, found in stored.get("competitors", {}).items()
        }
        model.rhythm_ = MBGNBD.from_parameters(**stored["rhythm"])
        model.levels_ = tuple(stored["levels"])
        learnt = dict(stored["learnt"])
        factor = learnt.pop("factor")
        model.blend_ = BlendWeights(**learnt, factor=factor and LearntFactor(**factor))
        model.missing_ = {name: tuple(pair) for name, pair in stored["missing"].items()}
        model.sufficient_ = not model.missing_
        model.value_model_, model.backtest_ = stored["value_model"], stored["backtest"]
        model._value = value_model_from(model.value_model_)
        # fits that were stored before orders were looked at knew of none
        model.outliers_ = Outliers.from_dict(stored.get("outliers"))
        for name in _FIGURES:
            setattr(model, name + "_", stored[name])
        return model

    def _check_fitted(self):
        if not hasattr(self, "models_"):
            raise ValueError("Fit the model before using it.")

    # ----- PREDICT -----

    def predict(self, x, t_x, T, value, recent, customer=None, pace=None):
        """Predict for customers with these histories, see :class:`~.histories.Histories`.

        :param customer: their ids, to know whose mean holds an order that stands alone
        :param pace: without it they count as having always ordered at the same pace
        :return: :class:`Predictions`
        :raise ValueError: if the arrays differ in length
        """
        self._check_fitted()
        columns = [np.atleast_1d(np.asarray(c, dtype=float)) for c in (x, t_x, T, value, recent)]
        if pace is None and columns[0].shape == columns[2].shape:
            pace = pace_days(columns[2], columns[0])
        columns.append(np.atleast_1d(np.asarray(pace, dtype=float)))
        if len({column.shape for column in columns}) > 1 or columns[0].ndim != 1:
            raise ValueError("x, t_x, T, value, recent and pace must be of one length.")
        columns[3] = self.typical_value(customer, columns[0] + 1.0, columns[3])
        parts = [
            self._predict_part(*(column[start : start + _BATCH] for column in columns))
            for start in range(0, max(len(columns[0]), 1), _BATCH)
        ]
        return Predictions(*(np.concatenate(each) for each in zip(*parts, strict=True)))

    def typical_value(self, customer, n, value):
        """Customers' mean amounts without orders that stand alone, see :class:`Outliers`."""
        if customer is None:
            # ids of nobody
            customer = np.full(len(value), np.iinfo(np.int64).min)
        return self.outliers_.tamed_mean(np.atleast_1d(customer), n, value)

    def _expected(self, x, t_x, T, value, recent, pace):
        """What is expected of customers: see :class:`_Expected`."""
        models, t = self.models_, self.horizon
        model, first = models[self.k_], models[1]
        rate = np.log1p(self.discount_rate) / 365.0
        p_alive = model.predict_p_alive(x, t_x, T)
        own, discounted = model.predict_both_orders(t, x, t_x, T, rate, p_alive)
        p_own = model.predict_p_order(t, x, t_x, T, p_alive)
        plain, p_plain = own, p_own
        if self.k_ != 1:
            plain, p_plain = first.predict_orders(t, x, t_x, T), first.predict_p_order(t, x, t_x, T)
        orders = order_candidates(t, own, plain, x, T, recent)
        chances = chance_candidates(t, p_own, p_plain, own, x, t_x, T, recent)
        others = [self.competitors_[name] for name in self.blend_.competing]
        if others:
            found = [other.predict_orders(t, x, t_x, T) for other in others]
            orders = np.column_stack((orders, *found))
            found = [other.predict_p_order(t, x, t_x, T) for other in others]
            chances = np.column_stack((chances, *found))
        found = _Expected(p_alive, own, plain, discounted, p_own)
        found.orders, found.p_order = self.blend_.forecast(
            orders,
            chances,
            lambda orders, chance: self._known(
                found, (x, t_x, T, value, recent, pace), orders, chance, self.blend_.factor.typical
            ),
        )
        return found

    def _known(self, found, history, orders, chance, typical):
        """What is known of customers beside the blend's forecasts."""
        return features(
            self.horizon, orders, chance, found.own, found.plain, found.p_alive, history, typical
        )

    def _predict_part(self, x, t_x, T, value, recent, pace):
        """Arrays in the order of :class:`Predictions`."""
        # A date that lies ahead of today is today's.
        T = np.maximum(T, 0.0)
        x, t_x, pace = np.maximum(x, 0.0), np.clip(t_x, 0.0, T), np.clip(pace, 0.0, T)
        found = self._expected(x, t_x, T, value, recent, pace)
        own, orders = found.own, found.orders
        discount = np.divide(found.discounted, own, out=np.ones_like(own), where=own > 0)
        each = self._value.predict_value(x + 1, value) * self.blend_.value_level
        middle, low, high = next_purchase(self.rhythm_, x, t_x, self.levels_)
        model, month = self.models_[self.k_], min(MONTH, self.horizon)
        p_month = model.predict_p_order(month, x, t_x, T, found.p_alive)
        p_order_30 = self.blend_.month(found.p_order, found.p_own, p_month)
        return (
            found.p_alive, found.p_order, p_order_30, orders, each,
            orders * discount * each, middle, low, high,
        )  # fmt: skip

    def predict_interval(
        self, x, t_x, T, value, recent=None, level=0.8, draws=4000, customer=None, pace=None
    ):
        """Range that holds one customer's orders and their value with probability ``level``.

        Draws from the posterior of the model with ``k_``: alive or not, own rate, own dropout,
        then orders and amounts of the horizon; brought to the blend's level, widened by a random
        level as wrong as the back-test's total was, and by what the back-test's own ranges lacked.

        :param recent: as in :meth:`predict`; without it the model's level is not changed
        :param customer, pace: as in :meth:`predict`
        :return: dict orders (low, high) and value (low, high, undiscounted)
        :raise ValueError: if ``level`` is not between 0 and 1 or ``draws`` is below 1
        """
        self._check_fitted()
        if not 0 < level < 1 or draws < 1:
            raise ValueError("level must be between 0 and 1, draws 1 or more.")
        who = None if customer is None else [customer]
        value = float(self.typical_value(who, np.array([x + 1.0]), np.array([value]))[0])
        value, T = (value if value > 0 else 0.0), max(T, 0)
        x, t_x = max(x, 0), min(max(t_x, 0), T)
        blend = None
        if recent is not None:
            history = ([number] for number in (x, t_x, T, value, recent))
            pace = None if pace is None else [pace]
            blend = self.predict(*history, pace=pace).expected_orders
        generator = np.random.default_rng(self.random_state)
        orders = draw_orders(
            self.models_[self.k_], self.horizon, [x], [t_x], [T], blend,
            level_error(self.backtest_), draws, generator,
        )[:, 0]  # fmt: skip
        totals = self._value.simulate_totals(x + 1, value, orders, generator)
        totals *= self.blend_.value_level
        width = (self.backtest_ or {}).get("range_width", 1.0)
        return {
            "orders": range_of(orders, level, width),
            "value": range_of(totals, level, width),
        }


def _some(days):
    """The days of so many customers as tell what a total was off by."""
    customers = np.unique(days.customer)
    every = -(-len(customers) // _CORRECTION_CUSTOMERS)
    return days if every == 1 else days.of(customers[::every])


def _window(days, end, horizon):
    """Days up to ``end`` that a back-test forecasts; None where the history is too short."""
    if not len(days):
        return None
    window = min(horizon, (end - int(days.day.min())) // 2)
    return window if window >= MONTH else None
