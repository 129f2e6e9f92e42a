"""What the back-test's totals were off by, taken off those that are forecast next.

In: forecasts for a past window, learnt from what was known before it, and what came. Out: factors
on orders and on the value of an order. Called by the fit.
"""

import numpy as np

# What totals were off by once they are off by again, by half of it.
_SHARE = 0.5
_LARGEST = np.log(1.5)
# An error that chance alone may make, of so many standard deviations, is believed by half.
_CAUTION = 2.0


def learn_correction(orders, money, actual, net, reach=1.0):
    """Return factors on expected orders and on the value of an order that a past window teaches.

    :param orders, money: forecasts of each customer
    :param actual, net: orders and net amount that came of each
    :param reach: length of the window by that of the horizon: a shorter one says less
    """
    share = _SHARE * min(1.0, reach) ** 2
    by_orders = np.exp(share * _off(orders, actual))
    by_money = np.exp(share * _off(money, net))
    return float(by_orders), float(by_money / by_orders)


def _off(forecast, came):
    """Log of what came relative to the forecast, as far as it is more than chance.

    Between the factor that makes the total right and the one with the smallest squared error: those
    of whom much was expected are not lifted for what others brought.
    """
    total, product = came.sum(), forecast @ came
    if not (total > 0 and product > 0):
        return 0.0
    factors = np.array([total / forecast.sum(), product / (forecast @ forecast)])
    off = np.clip(np.log(factors), -_LARGEST, _LARGEST).mean()
    noise = np.sum((came - forecast) ** 2) / total**2
    return off**3 / (off**2 + _CAUTION**2 * noise) if off else 0.0
