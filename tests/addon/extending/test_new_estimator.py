"""Another estimator: registered by one line, and forecasts use it where it proves better."""

from unittest.mock import patch

import numpy as np

from odoo.addons.customer_lifecycle import kernel
from odoo.addons.customer_lifecycle.models.prediction.fit import Fit
from odoo.addons.customer_lifecycle.models.prediction.forecast import PredictKnown

from ..common import LifecycleCase


class Contracts(kernel.PurchaseModel):
    """Deliveries by contract: whoever came back comes again at his own gap, to the day."""

    PARAMETERS = ("gap",)

    def fit(self, x, t_x, T, weights=None):
        counts = kernel.count_histories(x, t_x, T, weights)
        again = counts.weight * (counts.x > 0)
        self.gap_ = float(again @ counts.t_x / max(again @ counts.x, 1.0))
        return self

    def predict_orders(self, t, x, t_x, T):
        gap = np.divide(t_x, x, out=np.full(len(x), self.gap_ or np.inf), where=x > 0)
        return np.floor((T - t_x + t) / gap) - np.floor((T - t_x) / gap)

    def predict_p_order(self, t, x, t_x, T):
        return np.minimum(self.predict_orders(t, x, t_x, T), 1.0)


class TestNewEstimator(LifecycleCase):
    def test_forecasts_use_an_estimator_that_is_better(self):
        company = self.new_company("Contracts", lifecycle_tz="UTC", lifecycle_horizon=90)
        today, partners = company._lifecycle_today(), self.env["res.partner"]
        for number in range(60):
            gap, partner = 40 + number % 30, self.new_customer(f"Contract {number}")
            partners |= partner
            for days_ago in range(number, 700, gap):
                self.new_purchase(partner, 100, days_ago, company)
        kernel.register_estimator("contracts", Contracts)
        self.addCleanup(kernel.unregister_estimator, "contracts")
        predictions = type(self.env["lifecycle.prediction"])
        self.startPatcher(patch.object(predictions, "_estimators", lambda self: ["contracts"]))
        self.env["lifecycle.pipeline"]._refresh(company, partners.ids)
        model = Fit(self.env, company, today).fit()
        PredictKnown(self.env, company, today).predict()
        self.assertGreater(model.weights["contracts"], 0.8)
        errors = {name: found["mae"] for name, found in model.backtest["methods"].items()}
        self.assertLess(errors["product"], 0.5 * errors["model"])
        profile = self.profile(partners[0], company)
        profile.invalidate_recordset()
        self.assertAlmostEqual(profile.expected_orders, 2, delta=0.3, msg="in 40 and 80 days")
        # an add-on that is gone takes its forecasts along: they are fitted anew
        kernel.unregister_estimator("contracts")
        self.assertTrue(model._is_due(company, today))
