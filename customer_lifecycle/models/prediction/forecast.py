"""Forecasts of orders and value for customers, with the company's fitted model.

In: figures of profiles, or of those about to be made, and the stored model. Out: probabilities,
expected orders, value and next order, rounded to what is shown and written where they differ.
Called by the night, by the refresh of a few, and by what is foretold of one customer.
"""

from datetime import date

import numpy as np

from odoo.tools import SQL

from ... import kernel
from ...tools.copy import copy_out
from ...tools.step import Step
from .outputs import Outputs
from .prediction_columns import EPOCH, OUTPUTS, names_sql, numbers_sql, whole_sql

#: profiles predicted between two commits
PREDICT_BATCH = 100_000
IDS = {"id": "int64", "partner_id": "int64"}


class PredictNew(Outputs):
    """Predicts for who is to get a profile, as ``Collect`` has found him.

    Written together with the profile, the prediction costs no second write. Without a usable
    model the table stays empty.
    """

    def predict(self, after, until):
        """Fill the table for commercial partners in (after, until]; ``id`` is the partner's.

        :return: number of predictions
        """
        stored = self.env["lifecycle.clv.model"]._current(self.company)
        if not stored.sufficient or not stored._is_readable():
            return 0
        frame = copy_out(
            self.cr,
            SQL(
                """SELECT partner_id AS id, partner_id, order_count,
                          first_order_date - DATE '1970-01-01' AS first_day,
                          last_order_date - DATE '1970-01-01' AS last_day, average_order_value,
                          recent_order_count, revenue, clv_historical,
                          COALESCE(pace_date, first_order_date) - DATE '1970-01-01' AS pace_day
                     FROM lifecycle_change
                    WHERE found AND NOT known AND order_count > 0
                      AND partner_id > %s AND partner_id <= %s
                    ORDER BY partner_id""",
                after,
                until,
            ),
            IDS,
        )
        if len(frame):
            self.fill(frame["id"].to_numpy(), predict_frame(stored, frame, self.day))
        return len(frame)


class PredictKnown(Step):
    """Predicts for profiles, and writes what reads differently now."""

    def predict(self, after=0):
        """Predict for the few of the scope, or for the next batch of all.

        :param after: profile id to go on from
        :return: (last profile id of the batch or None when there are no more, rows changed)
        """
        stored = self.env["lifecycle.clv.model"]._current(self.company)
        if stored.sufficient and not stored._is_readable():
            # the last figures stay until the next complete run has fitted anew
            return None, 0
        few = self.scope.is_few
        frame = copy_out(
            self.cr,
            SQL(
                """SELECT id, partner_id, order_count,
                          first_order_date - DATE '1970-01-01' AS first_day,
                          last_order_date - DATE '1970-01-01' AS last_day, average_order_value,
                          recent_order_count, revenue, clv_historical,
                          COALESCE(pace_date, first_order_date) - DATE '1970-01-01' AS pace_day,
                          predicted::int, %s
                     FROM lifecycle_profile
                    WHERE company_id = %s AND order_count > 0 AND active AND %s
                    ORDER BY id LIMIT %s""",
                numbers_sql(),
                self.company.id,
                self.scope.few(SQL.identifier("partner_id")) if few else SQL("id > %s", after),
                None if few else PREDICT_BATCH,
            ),
            IDS,
        )
        if frame.empty:
            return None, 0
        changed = self._write(frame, predict_frame(stored, frame, self.day), stored.sufficient)
        last = int(frame["id"].iloc[-1]) if len(frame) == PREDICT_BATCH else None
        return last, changed

    def _write(self, frame, outputs, predicted):
        """Update the profiles whose shown values differ; return how many."""
        differs = frame["predicted"].to_numpy() != int(predicted)
        for name, values in outputs.items():
            old = frame[name].to_numpy(np.float64)
            same = np.isclose(old, values, rtol=1e-9, atol=1e-9, equal_nan=True)
            differs |= ~same
        if not differs.any():
            return 0
        ids = frame["id"].to_numpy()[differs]
        new = whole_sql("new")
        with Outputs(self.env, self.company, self.day) as table:
            table.fill(ids, {name: values[differs] for name, values in outputs.items()})
            self.cr.execute(
                SQL(
                    """UPDATE lifecycle_profile profile
                          SET (%s) = ROW(%s),
                              clv_total = profile.clv_historical + COALESCE(%s, 0),
                              predicted = %s
                         FROM lifecycle_outputs new
                        WHERE new.id = profile.id AND profile.id BETWEEN %s AND %s""",
                    names_sql(),
                    SQL(", ").join(new.values()),
                    new["clv_predicted"],
                    bool(predicted),
                    int(ids[0]),
                    int(ids[-1]),
                )
            )
            return self.cr.rowcount


def predict_frame(stored, frame, today):
    """Arrays of the values to show, rounded to what is shown, NaN for none.

    :param stored: lifecycle.clv.model record
    :param frame: data frame of figures, a row a customer
    :param today: date, or an array of days since 1970, one a row
    """
    size = len(frame)
    if not stored.sufficient:
        return {name: np.full(size, np.nan) for name in OUTPUTS}
    model = kernel.LifetimeModel.from_dict(stored.data)
    first = frame["first_day"].to_numpy(np.int64)
    last = frame["last_day"].to_numpy(np.int64)
    customer = frame["partner_id"].to_numpy(np.int64)
    orders = frame["order_count"].to_numpy(np.int64)
    average = frame["average_order_value"].to_numpy(np.float64)
    day = today.toordinal() - EPOCH if isinstance(today, date) else today
    prediction = model.predict(
        orders - 1,
        last - first,
        day - first,
        average,
        frame["recent_order_count"].to_numpy(np.int64),
        customer=customer,
        pace=day - frame["pace_day"].to_numpy(np.int64),
    )
    outputs = {
        "p_alive": np.round(prediction.p_alive, 2),
        "p_order": np.round(prediction.p_order, 2),
        "p_order_30": np.round(prediction.p_order_30, 2),
        "expected_orders": np.round(prediction.expected_orders, 1),
        "clv_predicted": round_shown(
            prediction.clv * value_ratio(stored, frame),
            model.typical_value(customer, orders, average) / 100,
        ),
    }
    for name, days in (
        ("next_order_date", prediction.next_in),
        ("next_order_from", prediction.next_from),
        ("next_order_to", prediction.next_to),
    ):
        outputs[name] = last + np.round(days)
    return outputs


def value_ratio(stored, frame):
    """Value per unit of revenue: the customer's own, drawn to the company's mean.

    The company's ratio weighs as much as three average orders, so that one odd order of a
    new customer does not decide.
    """
    revenue = frame["revenue"].to_numpy(np.float64)
    value = frame["clv_historical"].to_numpy(np.float64)
    weight = 3 * np.nan_to_num(frame["average_order_value"].to_numpy(np.float64))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (value + weight * stored.value_ratio) / (revenue + weight)
    usable = (revenue + weight) > 0
    return np.clip(np.where(usable, ratio, stored.value_ratio), 0, None)


def round_shown(amount, least=0.0):
    """Round positive amounts to the precision a forecast can claim: steps of 1 to 2.5 %.

    :param amount: array; mantissas below 2 go in steps of .02, below 5 of .05, then of .1
    :param least: no step is smaller than this, itself rounded down to 1, 2 or 5 times a power
        of ten: a hundredth of an order says no more than none
    """
    amount, least = np.asarray(amount, dtype=float), np.asarray(least, dtype=float)
    size, mantissa = _scientific(amount)
    step = np.where(mantissa < 2, 0.02, np.where(mantissa < 5, 0.05, 0.1)) * size
    size, mantissa = _scientific(least)
    floor = np.where(mantissa < 2, 1, np.where(mantissa < 5, 2, 5)) * size
    step = np.maximum(step, np.where(least > 0, floor, 0))
    rounded = np.round(np.round(amount / step) * step, 2)
    return np.where(amount > 0, rounded, np.where(np.isnan(amount), np.nan, 0.0))


def _scientific(amount):
    """Power of ten and mantissa of positive amounts; of others, those of 1."""
    positive = np.where(amount > 0, amount, 1.0)
    size = 10.0 ** np.floor(np.log10(positive))
    return size, positive / size
