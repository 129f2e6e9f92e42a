"""Fits the model of lifetime value to a company's purchases.

In: days and amounts of purchases, read for the fit or taken from sums collected just now, of
very many customers a sample's. Out: a stored model. Called by the night when a fit is due.
"""

from odoo.tools import SQL

from ... import kernel
from ...tools.copy import copy_out
from ...tools.sampling import in_sample, sample_rate
from ...tools.step import Step
from .prediction_columns import EPOCH

#: customers a model is fitted on at most; more change no parameter that anybody can see
FIT_SAMPLE = 100_000


def customer_count(env, company):
    """Number of customers with purchases, by their profiles."""
    return env.execute_query(
        SQL(
            "SELECT COUNT(*) FROM lifecycle_profile WHERE company_id = %s AND order_count > 0",
            company.id,
        )
    )[0][0]


def purchase_frame(cr, query):
    """Purchases as a data frame.

    :param query: SELECT of partner_id, day (since 1970), amount, and value where it is another
    """
    data = copy_out(
        cr,
        query,
        {"partner_id": "int64", "day": "int64", "amount": "float64", "value": "float64"},
    )
    if "value" not in data:
        data["value"] = data["amount"]
    return data


class Fit(Step):
    """Fitting a company's model on purchases of its customers, of very many on a sample."""

    def fit(self, data=None):
        """Fit the company's model on its purchase history and keep it.

        :param data: from ``purchase_frame``, where the purchases have just been read
        :return: lifecycle.clv.model record
        """
        company, today = self.company, self.day
        model = kernel.LifetimeModel(
            horizon=company.lifecycle_horizon,
            discount_rate=company.lifecycle_discount_rate / 100,
            estimators=self.env["lifecycle.prediction"]._estimators(),
        )
        clv_models = self.env["lifecycle.clv.model"]
        if data is None:
            data = self._transactions()
            intervals = clv_models._intervals(
                SQL("lifecycle_profile WHERE active AND company_id = %s", company.id)
            )
        else:
            intervals = clv_models._intervals(SQL("lifecycle_sums WHERE TRUE"))
        model.fit(
            data["partner_id"].to_numpy(),
            data["day"].to_numpy(),
            data["amount"].to_numpy(),
            end=today.toordinal() - EPOCH,
        )
        return clv_models._store(company, today, model, data, intervals)

    def _transactions(self):
        """Customer, day and net amount of every purchase day, as a data frame."""
        company, today = self.company, self.day
        self.env.flush_all()
        self.cr.execute("SET LOCAL work_mem = '256MB'")
        self.cr.execute("SET LOCAL jit = off")
        plain = company.lifecycle_value == "revenue"
        return purchase_frame(
            self.cr,
            SQL(
                """SELECT partner_id, day - DATE '1970-01-01' AS day, SUM(amount) AS amount
                          %(value)s
                     FROM (SELECT * FROM (%(rows)s) purchases
                            WHERE day <= %(today)s AND %(chosen)s
                            ORDER BY partner_id, day) sorted
                    GROUP BY partner_id, day""",
                value=SQL("" if plain else ", SUM(value) AS value"),
                rows=self.env["lifecycle.purchase.fact"]._rows_sql(company, complete=True),
                today=today,
                chosen=in_sample(
                    SQL.identifier("partner_id"),
                    sample_rate(customer_count(self.env, company), FIT_SAMPLE),
                ),
            ),
        )
