"""How much more, or less, comes true than the blend says: learnt only where it keeps coming.

Purchase models know neither seasons nor trends, and are off by their own where timing is
clumpy. What they were off by in the past is a guess for what comes, as good as it was steady.
"""

from dataclasses import dataclass

import numpy as np

# Log of the level that is believed: m^3 / (m^2 + caution * variance) of its mean m over the
# windows, 0 where the windows contradict each other. Windows of the last time overlap and may
# all lie in one season, so that they have to agree more than whole years apart do, and are
# believed in the size of a trend only.
_CAUTION, _CAUTION_YEARS = 5.0, 1.0
_LARGEST, _LARGEST_YEARS = np.log(1.25), np.log(2.0)
# More of it with few customers.
_CAUTION_CUSTOMERS = 200.0
# Variance of the log from one time to another where (nearly) only one is known: 14 %.
_ONE_VARIANCE, _NEARLY_ONE = 0.02, 0.6
_PARTS = (0.0, 0.25, 0.5, 0.75, 1.0)
# What a move of the log by 1 towards the right total is worth, in errors relative to the best.
_WORTH = 0.01


@dataclass
class JudgedWindow:
    """What the blend forecast for a past window, and what came.

    ``forecast``, ``actual``: orders of each customer; ``least``: MAE and RMSE of the best
    single method (what follows is not read); ``trust``: weight of the window; ``known``: repeat
    purchases before it, from which rates were learnt.
    """

    forecast: np.ndarray
    actual: np.ndarray
    least: tuple
    trust: float
    known: float = np.inf

    def off(self):
        """Log of what came relative to the forecast."""
        return np.log((self.actual.sum() + 1.0) / (self.forecast.sum() + 1.0))

    def noise(self):
        """Variance of :meth:`off` by chance, from the customers' errors and the rates'."""
        missed = np.sum((self.actual - self.forecast) ** 2)
        return missed / max(self.actual.sum(), 1.0) ** 2 + 1.0 / (self.known + 1.0)

    def error(self, level):
        """The worse of MAE and RMSE at this level, relative to the best single method's."""
        miss = level * self.forecast - self.actual
        absolute, squared = np.abs(miss).mean(), np.sqrt((miss**2).mean())
        return max(absolute / self.least[0], squared / self.least[1])


def recent_level(past, reach):
    """Return the level that the last windows agree on.

    :param past: list of :class:`JudgedWindow`
    :param reach: length of the longest window by that of the horizon: levels grow with the
        time ahead in ways that shorter windows do not tell
    """
    trust, off, noise, customers = _columns(past)
    mean = trust @ off
    variance = trust @ (off - mean) ** 2 + trust @ noise
    if trust @ trust > _NEARLY_ONE:
        variance += _ONE_VARIANCE
    caution = _CAUTION + _CAUTION_CUSTOMERS / customers
    log_level = _shrink(mean, caution * variance) * min(1.0, reach) ** 2
    return _harmless(past, log_level, _LARGEST)


def season_level(past):
    """Return the level of the season, from the same part of earlier years."""
    _, off, noise, customers = _columns(past)
    between = off.var(ddof=1) if len(off) > 1 else _ONE_VARIANCE
    caution = _CAUTION_YEARS + _CAUTION_CUSTOMERS / customers
    log_level = _shrink(off.mean(), caution * (between + noise.mean()))
    return _harmless(past, log_level, _LARGEST_YEARS)


def _columns(past):
    """Trust with sum 1, logs of what they were off by, their noise, most customers."""
    trust = np.array([each.trust for each in past])
    off = np.array([each.off() for each in past])
    noise = np.array([each.noise() for each in past])
    return trust / trust.sum(), off, noise, max(len(each.actual) for each in past)


def _shrink(mean, variance):
    return mean**3 / (mean**2 + variance) if mean else 0.0


def _harmless(past, log_level, largest):
    """Return the part of the level that the windows would have been best with."""
    log_level = float(np.clip(log_level, -largest, largest))
    judges = [each for each in past if min(each.least) > 0]
    if not judges or log_level == 0.0:
        return 1.0
    trust = np.array([each.trust for each in judges])
    trust = trust / trust.sum()

    def loss(part):
        level = np.exp(part * log_level)
        errors = trust @ np.array([each.error(level) for each in judges])
        return errors - _WORTH * part * abs(log_level)

    return float(np.exp(min(_PARTS, key=loss) * log_level))
