"""Carries forecasts to the database, and writes those that differ.

In: arrays of numbers by name. Out: rows of a temporary table, and the profiles whose shown
forecast differs. Called by the forecast, and where facts are stored.
"""

import numpy as np

from odoo import api, models
from odoo.tools import SQL

from .prediction_columns import DECIMALS, UNKNOWN, names_sql, whole_sql


class LifecyclePrediction(models.AbstractModel):
    """Writing forecasts, of millions of customers at a time."""

    # a file for each subject of this large model
    _inherit = "lifecycle.prediction"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _empty_outputs(self):
        """Make the temporary table ``lifecycle_outputs`` anew: ``id`` and whole numbers."""
        cr = self.env.cr
        cr.execute("DROP TABLE IF EXISTS pg_temp.lifecycle_outputs")
        columns = SQL(", ").join(SQL("%s bigint", SQL.identifier(name)) for name in DECIMALS)
        cr.execute(SQL("CREATE TEMPORARY TABLE lifecycle_outputs (id bigint, %s)", columns))

    @api.model
    def _fill_outputs(self, ids, outputs):
        """Replace the rows of ``lifecycle_outputs``.

        :param outputs: arrays by name, NaN for unknown, rounded to ``DECIMALS``
        """
        columns = [np.asarray(ids, dtype=np.int64)]
        for name, decimals in DECIMALS.items():
            values = outputs[name] * 10.0 ** (decimals or 0)
            known = np.isfinite(values)
            whole = np.rint(np.where(known, values, 0)).astype(np.int64)
            columns.append(np.where(known, whole, UNKNOWN))
        self.env.cr.execute("TRUNCATE pg_temp.lifecycle_outputs")
        copy_in(self.env.cr, "lifecycle_outputs", columns)

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
        ids = frame["id"].to_numpy()[differs]
        self._empty_outputs()
        self._fill_outputs(ids, {name: values[differs] for name, values in outputs.items()})
        new = whole_sql("new")
        self.env.cr.execute(
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
                predicted,
                int(ids[0]),
                int(ids[-1]),
            )
        )
        changed = self.env.cr.rowcount
        self.env.cr.execute("DROP TABLE pg_temp.lifecycle_outputs")
        return changed
