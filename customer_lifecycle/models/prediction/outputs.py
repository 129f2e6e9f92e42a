"""Forecasts on their way to the profiles: a temporary table, filled through COPY.

In: arrays of what is to be shown. Out: rows of ``lifecycle_outputs``, from which new profiles are
written, or those whose forecast reads differently. Used by the forecasts.
"""

import numpy as np

from odoo.tools import SQL

from ...tools.copy import copy_in
from ...tools.step import Step
from .prediction_columns import DECIMALS, UNKNOWN


class Outputs(Step):
    """- ``lifecycle_outputs``: ``id``, of a partner or a profile, and its forecasts as whole
    numbers, counted in the last decimal (:func:`~.prediction_columns.whole_sql` reads them)
    """

    TABLES = ("lifecycle_outputs",)

    def __enter__(self):
        super().__enter__()
        columns = SQL(", ").join(SQL("%s bigint", SQL.identifier(name)) for name in DECIMALS)
        self.cr.execute(SQL("CREATE TEMPORARY TABLE lifecycle_outputs (id bigint, %s)", columns))
        return self

    def fill(self, ids, outputs):
        """Replace the rows.

        :param outputs: arrays by name, NaN for unknown, rounded to ``DECIMALS``
        """
        columns = [np.asarray(ids, dtype=np.int64)]
        for name, decimals in DECIMALS.items():
            values = outputs[name] * 10.0 ** (decimals or 0)
            known = np.isfinite(values)
            whole = np.rint(np.where(known, values, 0)).astype(np.int64)
            columns.append(np.where(known, whole, UNKNOWN))
        self.cr.execute("TRUNCATE pg_temp.lifecycle_outputs")
        copy_in(self.cr, "lifecycle_outputs", columns)
