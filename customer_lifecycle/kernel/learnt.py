"""What the company's own past says of customers whom the other forecasts are wrong about.

In: forecasts for past windows, what was known of each customer then, and what came. Out: a factor
on the expected orders of each customer. It moves orders from some customers to others; how many
they are in all, and in what season, stays what the blend says. Called by the learning, which lets
the back-test judge it.

A ridge Poisson regression on the log of the factor: where nothing can be learnt it is 1.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from .histories import PACE

# What is known of a customer, see :func:`features`.
FEATURES = (
    "model", "plain", "recent", "pace", "pace_change", "silence", "fading", "age", "young",
    "orders", "one", "value", "alive", "chance",
)  # fmt: skip
# Standard deviations squared from which a coefficient is hardly drawn to 0, in orders.
_RIDGE = 100.0
# Weight of what was learnt: so much with very many customers, half of it with so many.
_SHARE, _HALF_CUSTOMERS = 0.5, 300.0
# Overlapping windows of the same customers are no more than two.
_WINDOWS = 2
# No factor beyond these, no feature further out than so many standard deviations.
_LARGEST, _OUTER = 1.5, 4.0
_LEAST_ORDERS, _LEAST_CUSTOMERS = 1e-3, 20
# What the judge may believe of it, and by how much using it has to be worse to be left.
_PARTS, _CAUTION = (1.0, 0.5, 0.0), 0.01
# Groups of customers that a factor is told for, by the feature they are made of.
_TOLD = ("pace_change", "silence", "age", "value", "orders")


def pace_days(T, x):
    """Pace of customers of whom it is not known: as if they had always ordered alike."""
    bought = np.maximum(x, 0.0) + 1.0
    return T * np.minimum(PACE, bought) / bought


def features(t, orders, chance, own, plain, p_alive, history, typical):
    """Return what is known of each customer, columns as in :data:`FEATURES`.

    :param t: days that are forecast
    :param orders, chance: what the blend forecasts
    :param own, plain, p_alive: of the models: orders with the chosen k and with 1, P(alive)
    :param history: x, t_x, T, value, recent, pace, see :class:`~.histories.Histories`
    :param typical: value of an order that is neither large nor small
    """
    x, t_x, T, value, recent, pace = history
    expected = np.maximum(orders, _LEAST_ORDERS)
    silence, bought = T - t_x, x + 1.0
    # of whom no amount is known is taken for usual
    value = np.maximum(np.nan_to_num(value, nan=typical), 0.0)
    last = np.minimum(bought, PACE)

    def against(number, little):
        """Log of a number of orders relative to the expected; little says little."""
        return np.clip(np.log((number + little) / (expected + little)), -3.0, 3.0)

    return np.column_stack(
        (
            against(own, 0.02),
            against(plain, 0.02),
            against(np.minimum(recent, bought), 0.3),
            against(t * last / (pace + 0.25 * t), 0.3),
            np.clip(np.log(last * (T + 7.0) / (bought * (pace + 7.0))), -3.0, 3.0),
            np.log1p(silence / t),
            np.exp(-silence / t),
            np.log1p(T / t),
            T < t,
            np.log1p(x),
            x == 0,
            np.clip(np.log(value / typical + 0.01), -3.0, 3.0),
            p_alive,
            chance,
        )
    )


@dataclass
class LearntFactor:
    """A factor on the expected orders of each customer.

    ``coefficients`` of the features, less their ``mean``, by their ``spread``; ``typical``: value
    of an order; ``share``: weight beside the blend; ``trust``: part of it that the back-test leaves
    (half where there was none); ``center``: log of the mean factor, which is taken off;
    ``told``: [feature, side, percent] of groups of customers, see :meth:`settled`.
    """

    coefficients: list
    mean: list
    spread: list
    typical: float
    share: float
    trust: float = 0.5
    center: float = 0.0
    told: list = field(default_factory=list)

    @property
    def weight(self):
        """Weight beside the blend."""
        return self.share * self.trust

    def factor(self, known):
        """The factor of each customer.

        :param known: see :func:`features`
        """
        inner = np.clip((known - self.mean) / self.spread, -_OUTER, _OUTER)
        log_factor = np.clip(inner @ np.array(self.coefficients), -_LARGEST, _LARGEST)
        return 1.0 + self.weight * np.expm1(log_factor - self.center)

    def settled(self, orders, known):
        """Return it with the total of these customers unchanged, and what it says of them.

        ``told`` has the thirds of the customers for whom it changes most, by one feature each.

        :param orders: what the blend forecasts of each
        """
        if not len(orders) or not orders.sum() > 0:
            return self
        whole = replace(self, center=0.0, share=1.0, trust=1.0).factor(known)
        settled = replace(self, center=float(np.log(orders @ whole / orders.sum())))
        moved = orders * settled.factor(known)
        told = []
        for name in _TOLD:
            column = known[:, FEATURES.index(name)]
            low, high = np.quantile(column, (1 / 3, 2 / 3))
            if low == high:
                continue
            for side, group in (("low", column <= low), ("high", column >= high)):
                before = orders[group].sum()
                if before > 0:
                    told.append([name, side, float(100 * (moved[group].sum() / before - 1))])
        settled.told = sorted(told, key=lambda each: -abs(each[2]))
        return settled


def learn_factor(windows, typical):
    """Return the :class:`LearntFactor` that past windows teach, None where they teach nothing.

    Each window's forecasts are first brought to what came in all: levels are not its business.

    :param windows: for each (orders that the blend forecast, features, orders that came)
    :param typical: value of an order that the features were made with
    """
    windows = [each for each in windows if each[0].sum() > 0 and each[2].sum() > 0]
    customers = max((len(each[2]) for each in windows), default=0)
    if customers < _LEAST_CUSTOMERS:
        return None
    expected = np.concatenate(
        [np.maximum(orders, _LEAST_ORDERS) * (came.sum() / orders.sum())
         for orders, _, came in windows]
    )  # fmt: skip
    known = np.vstack([each[1] for each in windows])
    came = np.concatenate([each[2] for each in windows])
    weight = customers / len(came) * min(len(windows), _WINDOWS) ** 0.5
    mean, spread = known.mean(axis=0), known.std(axis=0)
    # what all customers have in common says nothing
    spread = np.where(spread > 1e-6, spread, np.inf)
    columns = np.column_stack((np.ones(len(came)), (known - mean) / spread))
    coefficients = _ridge_poisson(columns, expected, came, weight)
    return LearntFactor(
        coefficients=coefficients[1:].tolist(),
        mean=mean.tolist(),
        spread=np.where(np.isfinite(spread), spread, 1.0).tolist(),
        typical=float(typical),
        share=_SHARE * customers / (customers + _HALF_CUSTOMERS),
    )


def _ridge_poisson(columns, expected, came, weight):
    """Coefficients on the log of ``expected``, the first free, the others drawn to 0."""
    # orders that come in bursts say less than Poisson's would
    spread = np.mean((came - expected) ** 2 / np.maximum(expected, 0.05))
    weight = weight / max(spread, 1.0)
    ridge = np.full(columns.shape[1], _RIDGE)
    ridge[0] = 1e-6

    def loss(found):
        log_factor = np.clip(columns @ found, -_OUTER, _OUTER)
        mean = expected * np.exp(log_factor)
        value = weight * np.sum(mean - came * log_factor) + 0.5 * ridge @ found**2
        return value, mean

    found = np.zeros(len(ridge))
    value, mean = loss(found)
    for _ in range(30):
        slope = weight * (columns.T @ (mean - came)) + ridge * found
        curve = weight * ((columns * mean[:, None]).T @ columns) + np.diag(ridge)
        step, size = np.linalg.solve(curve, slope), 1.0
        while True:
            better, following = loss(found - size * step)
            if better <= value or size < 1e-3:
                break
            size /= 2
        if not better < value:
            break
        found, gain, value, mean = found - size * step, value - better, better, following
        if gain < 1e-7 * abs(value):
            break
    return found


def judge_factor(orders, moved, came, errors):
    """Return the part of the factor that a past window would have been best with.

    :param orders, moved: what was forecast without it, and with all of it
    :param errors: function of a forecast and what came: squared error and deviance
    """
    before = np.array(errors(orders, came))
    if not (before > 0).all():
        return 0.5

    def loss(part):
        found = np.array(errors(orders + part * (moved - orders), came))
        return 0.5 * np.log(np.maximum(found, 1e-12) / before).sum() - _CAUTION * part

    return min(_PARTS, key=loss)
