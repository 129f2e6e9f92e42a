"""One contract for all estimators: options in, parameters out, and forecasts that compete."""

import json

import numpy as np
import pytest

from customer_lifecycle.kernel import (
    MBGNBD,
    LifetimeModel,
    ParetoNBD,
    PurchaseModel,
    ShrunkenMean,
    count_histories,
    histories_from_transactions,
    make_estimator,
    register_estimator,
    simulate_transactions,
    unregister_estimator,
)

PARAMETERS = {"r": 0.8, "alpha": 60.0, "a": 0.7, "b": 3.0}
END, HORIZON = 700, 150


@pytest.fixture(scope="module")
def log():
    return simulate_transactions(700, PARAMETERS, END, random_state=4)


@pytest.fixture(scope="module")
def histories(log):
    return histories_from_transactions(*log, end=END, horizon=HORIZON)


class Nonsense(PurchaseModel):
    """Whoever has bought little will buy a lot."""

    PARAMETERS = ("most",)

    def fit(self, x, t_x, T, weights=None):
        self.most_ = float(np.max(x)) + 2.0
        return self

    def predict_orders(self, t, x, t_x, T):
        return self.most_ - x


@pytest.fixture
def nonsense():
    register_estimator("nonsense", Nonsense)
    yield "nonsense"
    unregister_estimator("nonsense")


@pytest.mark.parametrize("name", ["bg_nbd", "mbg_nbd", "pareto_nbd"])
def test_purchase_models_are_interchangeable(histories, name):
    h = histories
    model = make_estimator(name)
    assert model.fit(*count_histories(h.x, h.t_x, h.T)) is model
    again = make_estimator(name, **model.get_params()).restore(
        json.loads(json.dumps(model.parameters_))
    )
    alive = model.predict_p_alive(h.x, h.t_x, h.T)
    chance = model.predict_p_order(HORIZON, h.x, h.t_x, h.T)
    orders = model.predict_orders(HORIZON, h.x, h.t_x, h.T)
    assert np.all((chance > 0) & (chance <= alive) & (alive <= 1) & (chance <= orders))
    assert np.array_equal(again.predict_orders(HORIZON, h.x, h.t_x, h.T), orders)


def test_options_are_those_of_the_constructor():
    model = MBGNBD(3, prior=False)
    assert model.get_params() == {"k": 3, "dropout_at_start": True, "prior": False}
    assert model.set_params(k=2).k == 2
    assert make_estimator("bg_nbd").get_params()["dropout_at_start"] is False
    assert ShrunkenMean(strength=2.0).fit([3], [5.0]).parameters_["strength"] == 2.0
    assert LifetimeModel(horizon=90).get_params()["horizon"] == 90
    with pytest.raises(ValueError, match="no option"):
        model.set_params(phases=2)
    with pytest.raises(ValueError, match="registered"):
        make_estimator("unheard of")


def test_chance_of_an_order_by_pareto_nbd_agrees_with_simulation():
    model = ParetoNBD.from_parameters(r=1.2, alpha=30.0, s=0.8, beta=90.0)
    generator, n, t = np.random.default_rng(2), 400_000, 60.0
    for x, t_x, T in ((0, 0.0, 40.0), (3, 80.0, 100.0), (6, 90.0, 200.0)):
        # of who is alive at T, rate and dropout have these posteriors
        rate = generator.gamma(1.2 + x, size=n) / (30.0 + T)
        leaves = generator.exponential(size=n) / (generator.gamma(0.8, size=n) / (90.0 + T))
        comes = generator.exponential(size=n) / rate
        alive = model.predict_p_alive([x], [t_x], [T])[0]
        found = model.predict_p_order(t, [x], [t_x], [T])[0]
        assert found == pytest.approx(alive * np.mean(comes < np.minimum(leaves, t)), abs=0.004)


def test_nonsense_earns_nothing(log, histories, nonsense):
    plain = LifetimeModel(horizon=HORIZON).fit(*log, end=END)
    other = LifetimeModel(horizon=HORIZON, estimators=[nonsense]).fit(*log, end=END)
    assert other.weights_.get(nonsense, 0.0) < 0.02
    h = histories
    found, expected = (
        model.predict(h.x, h.t_x, h.T, h.value, h.recent).expected_orders.sum()
        for model in (other, plain)
    )
    assert found == pytest.approx(expected, rel=0.03)


def test_what_competes_is_stored_along_and_missed_when_it_is_gone(log, histories):
    model = LifetimeModel(horizon=HORIZON, estimators=["pareto_nbd"]).fit(*log, end=END)
    stored = json.loads(json.dumps(model.to_dict(), sort_keys=True))
    # earned or not: a model with weight for it is what this is about
    for weights in (stored["learnt"]["weights"], stored["learnt"]["chances"]):
        weights.update({name: 0.0 for name in weights}, pareto_nbd=1.0)
    stored["learnt"] |= {"level": 1.0, "chance_level": 1.0, "factor": None}
    h = histories
    reference = ParetoNBD().fit(*count_histories(h.x, h.t_x, h.T))
    stored["competitors"] = {"pareto_nbd": {"options": {}, "parameters": reference.parameters_}}
    found = LifetimeModel.from_dict(stored).predict(h.x, h.t_x, h.T, h.value, h.recent)
    assert np.array_equal(found.expected_orders, reference.predict_orders(HORIZON, h.x, h.t_x, h.T))
    assert found.p_order == pytest.approx(reference.predict_p_order(HORIZON, h.x, h.t_x, h.T))
    stored["competitors"] = {"gone": {"options": {}, "parameters": {}}}
    assert not LifetimeModel.is_readable(stored)
