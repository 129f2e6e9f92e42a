"""How sure the forecast of one customer is, and in which years its value is expected.

In: a profile with a prediction, and the stored model. Out: a range of value and a list of years;
nothing is stored. Called by the overview on the contact.
"""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from odoo import api, models

from ... import kernel
from .forecast import round_shown, value_ratio

#: probability that a customer's shown range holds
RANGE_LEVEL = 0.8


class LifecyclePrediction(models.AbstractModel):
    """What add-ons extend of the forecasts, and what is foretold of one customer."""

    _name = "lifecycle.prediction"
    _description = "Customer Lifetime Value Prediction"

    @api.model
    def _estimators(self):
        """Names of registered estimators that compete with the kernel's own forecasts.

        Meant to be extended by add-ons that bring some: each has the weight that it earns.
        """
        return []

    @api.model
    def _interval(self, profile, today):
        """How sure one customer's forecast is, and how it spreads over calendar years.

        Costs a simulation, so it is made for the customer on the screen and never stored.

        :param profile: lifecycle.profile record with a prediction
        :param today: date that the horizon starts from
        :return: dict ``low`` and ``high`` (discounted value within the horizon, at
            ``RANGE_LEVEL``), ``years``: list of (last day, expected value) that adds up to
            the profile's expected value; None without a prediction
        """
        stored = self.env["lifecycle.clv.model"]._current(profile.company_id)
        if not (profile.predicted and stored.sufficient and profile.order_count):
            return None
        try:
            model = kernel.LifetimeModel.from_dict(stored.data)
        except ValueError:
            # stored by another version of the kernel: the next run fits anew
            return None
        history = (
            profile.order_count - 1,
            (profile.last_order_date - profile.first_order_date).days,
            max((today - profile.first_order_date).days, 0),
        )
        average, recent = profile.average_order_value, profile.recent_order_count
        customer = profile.partner_id.id
        pace = max((today - (profile.pace_date or profile.first_order_date)).days, 0)
        interval = model.predict_interval(
            *history, average, recent, level=RANGE_LEVEL, customer=customer, pace=pace
        )
        frame = pd.DataFrame(
            [
                {
                    "revenue": profile.revenue,
                    "clv_historical": profile.clv_historical,
                    "average_order_value": average,
                }
            ]
        )
        factor = value_ratio(stored, frame)[0] * self._discount(
            model.predict(*history, average, recent, customer=customer, pace=pace)
        )
        low, high = round_shown(np.array(interval["value"]) * factor)
        return {
            "low": float(low),
            "high": float(high),
            "years": self._by_year(model, history, profile.clv_predicted, today),
        }

    @api.model
    def _discount(self, prediction):
        """Factor between the value of the expected orders and what it is worth today."""
        value = prediction.expected_orders[0] * prediction.expected_value[0]
        return prediction.clv[0] / value if value > 0 else 1.0

    @api.model
    def _by_year(self, model, history, expected, today):
        """Spread the expected value over the calendar years that the horizon touches.

        The model's discounted expected orders until the end of each year give the shares.
        """
        rate = np.log1p(model.discount_rate) / 365.0
        timing = model.models_[model.k_]
        last = today + timedelta(days=model.horizon)
        ends = [min(date(year, 12, 31), last) for year in range(today.year, last.year + 1)]

        def until(end):
            days = (end - today).days
            if days <= 0:
                return 0.0
            x, t_x, T = ([number] for number in history)
            return float(timing.predict_discounted_orders(days, x, t_x, T, rate)[0])

        total = until(last)
        if total <= 0:
            return [(end, 0.0) for end in ends]
        steps = np.diff([0.0] + [until(end) for end in ends])
        return [
            (end, float(expected * step / total)) for end, step in zip(ends, steps, strict=True)
        ]
