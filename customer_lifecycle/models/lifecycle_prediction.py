import io
from datetime import date

import numpy as np
import pandas as pd

from odoo import api, models
from odoo.tools import SQL

from .. import kernel

EPOCH = date(1970, 1, 1).toordinal()
#: customers a model is fitted on at most; more change no parameter that anybody can see
FIT_SAMPLE = 200_000
#: profiles predicted between two commits
PREDICT_BATCH = 100_000
#: columns written by a prediction, in the order they are compared in
OUTPUTS = (
    "p_alive",
    "p_order",
    "p_order_30",
    "expected_orders",
    "clv_predicted",
    "next_order_date",
    "next_order_from",
    "next_order_to",
)


class LifecyclePrediction(models.AbstractModel):
    """The one place where the statistical kernel and the ORM meet."""

    _name = "lifecycle.prediction"
    _description = "Customer Lifetime Value Prediction"

    # ----- FIT -----

    @api.model
    def _fit(self, company, today):
        """Fit the company's model on its purchase history and keep it.

        :return: lifecycle.clv.model record
        """
        data = self._transactions(company, today)
        model = kernel.LifetimeModel(
            horizon=company.lifecycle_horizon,
            discount_rate=company.lifecycle_discount_rate / 100,
        )
        model.fit(
            data["partner_id"].to_numpy(),
            data["day"].to_numpy(),
            data["amount"].to_numpy(),
            end=today.toordinal() - EPOCH,
        )
        return self.env["lifecycle.clv.model"]._store(company, today, model, data)

    @api.model
    def _transactions(self, company, today):
        """Customer, day and net amount of every purchase day, as a data frame.

        With very many customers a sample that is always the same: drawn by a hash of their ids.
        """
        self.env.flush_all()
        self.env.cr.execute("SET LOCAL work_mem = '256MB'")
        self.env.cr.execute("SET LOCAL jit = off")
        self.env.cr.execute(
            SQL(
                "SELECT COUNT(*) FROM lifecycle_profile WHERE company_id = %s AND order_count > 0",
                company.id,
            )
        )
        customers = self.env.cr.fetchone()[0]
        parts = max(1, -(-customers // FIT_SAMPLE))
        plain = company.lifecycle_value == "revenue"
        data = self._copy_out(
            SQL(
                """SELECT partner_id, day - DATE '1970-01-01' AS day, SUM(amount) AS amount
                          %(value)s
                     FROM (SELECT * FROM (%(rows)s) purchases
                            WHERE day <= %(today)s
                              AND (%(parts)s = 1 OR ABS(hashint4(partner_id)) %% %(parts)s = 0)
                            ORDER BY partner_id, day) sorted
                    GROUP BY partner_id, day""",
                value=SQL("" if plain else ", SUM(value) AS value"),
                rows=self.env["lifecycle.revenue.source"]._rows_sql(company),
                today=today,
                parts=parts,
            ),
            {"partner_id": "int64", "day": "int64", "amount": "float64", "value": "float64"},
        )
        if plain:
            data["value"] = data["amount"]
        return data

    # ----- PREDICT -----

    @api.model
    def _predict(self, company, today, after=0, partner_ids=None):
        """Predict for the next batch of profiles and write what reads differently now.

        :param after: profile id to go on from
        :param partner_ids: predict for these commercial partners instead of a batch
        :return: (last profile id of the batch or None when there are no more, rows changed)
        """
        stored = self.env["lifecycle.clv.model"]._current(company)
        where = SQL("company_id = %s AND order_count > 0 AND active", company.id)
        if partner_ids is not None:
            where = SQL("%s AND partner_id = ANY(%s)", where, list(partner_ids))
        else:
            where = SQL("%s AND id > %s", where, after)
        dates = SQL(", ").join(
            SQL("%s - DATE '1970-01-01' AS %s", SQL.identifier(name), SQL.identifier(name))
            for name in OUTPUTS[5:]
        )
        frame = self._copy_out(
            SQL(
                """SELECT id, order_count, first_order_date - DATE '1970-01-01' AS first_day,
                          last_order_date - DATE '1970-01-01' AS last_day, average_order_value,
                          recent_order_count, revenue, clv_historical, predicted::int,
                          %s, %s
                     FROM lifecycle_profile WHERE %s ORDER BY id LIMIT %s""",
                SQL(", ").join(SQL.identifier(name) for name in OUTPUTS[:5]),
                dates,
                where,
                PREDICT_BATCH if partner_ids is None else None,
            ),
            {"id": "int64"},
        )
        if frame.empty:
            return None, 0
        outputs = self._outputs(stored, frame, today)
        changed = self._write_changed(frame, outputs, bool(stored.sufficient))
        last = int(frame["id"].iloc[-1]) if len(frame) == PREDICT_BATCH else None
        return last, changed

    @api.model
    def _outputs(self, stored, frame, today):
        """Arrays of the values to show, rounded to what is shown, NaN for none."""
        size = len(frame)
        if not stored.sufficient:
            return {name: np.full(size, np.nan) for name in OUTPUTS}
        model = kernel.LifetimeModel.from_dict(stored.data)
        first = frame["first_day"].to_numpy(np.int64)
        last = frame["last_day"].to_numpy(np.int64)
        prediction = model.predict(
            frame["order_count"].to_numpy(np.int64) - 1,
            last - first,
            today.toordinal() - EPOCH - first,
            frame["average_order_value"].to_numpy(np.float64),
            frame["recent_order_count"].to_numpy(np.int64),
        )
        outputs = {
            "p_alive": np.round(prediction.p_alive, 2),
            "p_order": np.round(prediction.p_order, 2),
            "p_order_30": np.round(prediction.p_order_30, 2),
            "expected_orders": np.round(prediction.expected_orders, 1),
            "clv_predicted": round_shown(prediction.clv * self._value_ratio(stored, frame)),
        }
        for name, days in (
            ("next_order_date", prediction.next_in),
            ("next_order_from", prediction.next_from),
            ("next_order_to", prediction.next_to),
        ):
            outputs[name] = last + np.round(days)
        return outputs

    @api.model
    def _value_ratio(self, stored, frame):
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

    @api.model
    def _write_changed(self, frame, outputs, predicted):
        """Update the profiles whose shown values differ; return how many."""
        differs = frame["predicted"].to_numpy() != int(predicted)
        for name, values in outputs.items():
            old = frame[name].to_numpy(np.float64)
            same = np.isclose(old, values, rtol=1e-9, atol=1e-9, equal_nan=True)
            differs |= ~same
        if not differs.any():
            return 0
        table = pd.DataFrame({"id": frame["id"].to_numpy()[differs]})
        for name, values in outputs.items():
            table[name] = values[differs]
        for name in OUTPUTS[5:]:
            table[name] = table[name].astype("Int64")
        cr = self.env.cr
        cr.execute(
            "CREATE TEMPORARY TABLE lifecycle_outputs (id integer, p_alive numeric, "
            "p_order numeric, p_order_30 numeric, expected_orders numeric, "
            "clv_predicted numeric, next_order_date integer, next_order_from integer, "
            "next_order_to integer) ON COMMIT DROP"
        )
        buffer = io.StringIO()
        table.to_csv(buffer, index=False, header=False)
        buffer.seek(0)
        cr.copy_expert("COPY lifecycle_outputs FROM STDIN (FORMAT csv)", buffer)
        cr.execute("ANALYZE lifecycle_outputs")
        cr.execute(
            SQL(
                """UPDATE lifecycle_profile profile
                      SET p_alive = new.p_alive, p_order = new.p_order,
                          p_order_30 = new.p_order_30, expected_orders = new.expected_orders,
                          clv_predicted = new.clv_predicted,
                          clv_total = profile.clv_historical + COALESCE(new.clv_predicted, 0),
                          next_order_date = DATE '1970-01-01' + new.next_order_date,
                          next_order_from = DATE '1970-01-01' + new.next_order_from,
                          next_order_to = DATE '1970-01-01' + new.next_order_to,
                          predicted = %s
                     FROM lifecycle_outputs new
                    WHERE new.id = profile.id AND profile.id BETWEEN %s AND %s""",
                predicted,
                int(table["id"].iloc[0]),
                int(table["id"].iloc[-1]),
            )
        )
        changed = cr.rowcount
        cr.execute("DROP TABLE pg_temp.lifecycle_outputs")
        return changed

    # ----- TRANSPORT -----

    @api.model
    def _copy_out(self, query, dtypes):
        """Result of a SELECT as a data frame, through COPY: fast and without Python objects."""
        cr = self.env.cr
        statement = cr.mogrify(query.code, query.params).decode()
        buffer = io.BytesIO()
        cr.copy_expert(f"COPY ({statement}) TO STDOUT (FORMAT csv, HEADER)", buffer)
        buffer.seek(0)
        return pd.read_csv(buffer, dtype=dtypes)


def round_shown(amount):
    """Round positive amounts to steps of 1 to 2.5 %, the precision a forecast can claim.

    :param amount: array; mantissas below 2 go in steps of .02, below 5 of .05, then of .1
    """
    amount = np.asarray(amount, dtype=float)
    positive = np.where(amount > 0, amount, 1.0)
    scale = 10.0 ** np.floor(np.log10(positive))
    mantissa = positive / scale
    step = np.where(mantissa < 2, 0.02, np.where(mantissa < 5, 0.05, 0.1))
    rounded = np.round(np.round(mantissa / step) * step * scale, 2)
    return np.where(amount > 0, rounded, np.where(np.isnan(amount), np.nan, 0.0))
