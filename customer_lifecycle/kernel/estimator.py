"""The contract of estimators, and the purchase models that can take part in a forecast.

scikit-learn's contract without scikit-learn: options are given to the constructor, ``fit`` learns
from arrays and returns the estimator, what it has learnt ends in an underscore, and ``predict_…``
answer with arrays. :class:`~.lifetime.LifetimeModel` lets those it is given forecast the past and
gives each the weight that it earned there; an add-on registers its own by one line::

    kernel.register_estimator("my_model", MyModel)
"""

import inspect

import numpy as np


class Estimator:
    """Options in the constructor, parameters after ``fit``.

    A subclass names its parameters in ``PARAMETERS``; fitted, each is an attribute of that name
    with an underscore, a number in the unit of the data.
    """

    PARAMETERS = ()

    def get_params(self):
        """Return the options that the constructor was given, by name."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **params):
        """Set options.

        :return: self
        :raise ValueError: for what is no option
        """
        unknown = set(params) - set(self.get_params())
        if unknown:
            raise ValueError(f"{type(self).__name__} has no option {', '.join(sorted(unknown))}.")
        for name, value in params.items():
            setattr(self, name, value)
        return self

    @property
    def parameters_(self):
        """The fitted parameters by name, JSON-able."""
        return {name: getattr(self, name + "_") for name in self.PARAMETERS}

    @classmethod
    def from_parameters(cls, *values, **known):
        """Return a fitted estimator with known parameters.

        :param values: parameters in the order of ``PARAMETERS``
        :param known: the other parameters, and options
        """
        known.update(zip(cls.PARAMETERS, values, strict=False))
        parameters = {name: known.pop(name) for name in cls.PARAMETERS}
        return cls(**known).restore(parameters)

    def restore(self, parameters):
        """Take parameters as :attr:`parameters_` gave them; return self."""
        for name in self.PARAMETERS:
            setattr(self, name + "_", float(parameters[name]))
        return self


class PurchaseModel(Estimator):
    """When customers buy again: what a forecast of orders is made of.

    Histories are arrays of equal length: ``x`` repeat purchases, ``t_x`` time from first to last
    purchase, ``T`` from the first to the end of observation (:func:`~.history_counts.as_histories`
    checks them).
    """

    def fit(self, x, t_x, T, weights=None):
        """Fit on histories.

        :param weights: customers that each row stands for; default 1
        :return: self
        """
        raise NotImplementedError

    def predict_orders(self, t, x, t_x, T):
        """Expected number of purchases in (T, T + t]."""
        raise NotImplementedError

    def predict_p_alive(self, x, t_x, T):
        """Probability that the customer has not dropped out by T; 1 where nobody ever does."""
        return np.ones(len(x))

    def predict_p_order(self, t, x, t_x, T):
        """Probability of at least one purchase in (T, T + t].

        Where a model knows no better: Poisson's, of customers who are there.
        """
        alive = self.predict_p_alive(x, t_x, T)
        orders = self.predict_orders(t, x, t_x, T)
        each = np.divide(orders, alive, out=np.zeros(len(alive)), where=alive > 0)
        return -alive * np.expm1(-each)


_MAKERS = {}


def register_estimator(name, make):
    """Make a purchase model known, in place of any of that name.

    It takes part where it is named: in :class:`~.lifetime.LifetimeModel`, and in a database by
    what an add-on adds to ``lifecycle.prediction._estimators``.

    :param name: what its weight and its stored parameters go by; none of those of the kernel's
        own forecasts (:mod:`~.forecasts`)
    :param make: its class, or a function of its options
    """
    _MAKERS[name] = make


def unregister_estimator(name):
    """Forget a purchase model; forecasts that gave it weight are fitted anew."""
    _MAKERS.pop(name, None)


def registered_estimators():
    """Names of the purchase models that are known."""
    return sorted(_MAKERS)


def make_estimator(name, **options):
    """Return an unfitted purchase model.

    :raise ValueError: if none of this name is registered
    """
    if name not in _MAKERS:
        raise ValueError(f"No estimator {name!r} is registered.")
    return _MAKERS[name](**options)
