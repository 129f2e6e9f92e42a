"""Fits the model of lifetime value to a company's purchases.

In: days and amounts of purchases, read for the fit or taken from facts collected just now, of
very many customers a sample's. Out: a stored model. Called by the nightly run when a fit is due.
"""

from odoo import api, models
from odoo.tools import SQL

from ... import kernel
from .prediction_columns import EPOCH

#: customers a model is fitted on at most; more change no parameter that anybody can see
FIT_SAMPLE = 100_000


class LifecyclePrediction(models.AbstractModel):
    """Fitting a company's model on purchases of its customers, of very many on a sample."""

    # a file for each subject of this large model
    _inherit = "lifecycle.prediction"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _fit(self, company, today, data=None):
        """Fit the company's model on its purchase history and keep it.

        :param data: from ``_collected``, where the purchases have just been read
        :return: lifecycle.clv.model record
        """
        model = kernel.LifetimeModel(
            horizon=company.lifecycle_horizon,
            discount_rate=company.lifecycle_discount_rate / 100,
            estimators=self._estimators(),
        )
        clv_models = self.env["lifecycle.clv.model"]
        if data is None:
            data = self._transactions(company, today)
            intervals = clv_models._intervals(
                SQL("lifecycle_profile WHERE active AND company_id = %s", company.id)
            )
        else:
            intervals = clv_models._intervals(SQL("lifecycle_facts WHERE TRUE"))
        model.fit(
            data["partner_id"].to_numpy(),
            data["day"].to_numpy(),
            data["amount"].to_numpy(),
            end=today.toordinal() - EPOCH,
        )
        return clv_models._store(company, today, model, data, intervals)

    @api.model
    def _estimators(self):
        """Names of registered estimators that compete with the kernel's own forecasts.

        Meant to be extended by add-ons that bring some: each has the weight that it earns.
        """
        return []

    @api.model
    def _parts(self, customers):
        """One in how many customers makes a sample of the size wanted."""
        return max(1, -(-customers // FIT_SAMPLE))

    @api.model
    def _chosen_sql(self, parts):
        """Whether a customer belongs to the sample; for an id it is always the same."""
        return SQL("(%s = 1 OR ABS(hashint4(partner_id)) %% %s = 0)", parts, parts)

    @api.model
    def _customer_count(self, company):
        return self.env.execute_query(
            SQL(
                "SELECT COUNT(*) FROM lifecycle_profile WHERE company_id = %s AND order_count > 0",
                company.id,
            )
        )[0][0]

    @api.model
    def _sample_parts(self, company):
        """One in how many is fitted on, by who could be customers before purchases are read."""
        contacts = "SELECT COUNT(*) FROM res_partner WHERE id = commercial_partner_id"
        return sample_rate(
            self._customer_count(company) or self.env.execute_query(SQL(contacts))[0][0],
            FIT_SAMPLE,
        )

    @api.model
    def _transactions(self, company, today):
        """Customer, day and net amount of every purchase day, as a data frame."""
        self.env.flush_all()
        self.env.cr.execute("SET LOCAL work_mem = '256MB'")
        self.env.cr.execute("SET LOCAL jit = off")
        plain = company.lifecycle_value == "revenue"
        return self._purchase_frame(
            SQL(
                """SELECT partner_id, day - DATE '1970-01-01' AS day, SUM(amount) AS amount
                          %(value)s
                     FROM (SELECT * FROM (%(rows)s) purchases
                            WHERE day <= %(today)s AND %(chosen)s
                            ORDER BY partner_id, day) sorted
                    GROUP BY partner_id, day""",
                value=SQL("" if plain else ", SUM(value) AS value"),
                rows=self.env["lifecycle.revenue.source"]._rows_sql(company, complete=True),
                today=today,
                chosen=in_sample(
                    SQL("partner_id"), sample_rate(self._customer_count(company), FIT_SAMPLE)
                ),
            ),
        )

    @api.model
    def _collected(self, company, parts):
        """Like ``_transactions``, from the facts that were collected just now.

        :return: data frame, or None where the sample turned out too small
        """
        sampled = self.env.execute_query(SQL("SELECT COUNT(days) FROM lifecycle_facts"))[0][0]
        customers = self.env["lifecycle.pipeline"]._buyer_count()
        if parts > 1 and sampled < min(FIT_SAMPLE, customers) / 4:
            return None
        plain = company.lifecycle_value == "revenue"
        return self._purchase_frame(
            SQL(
                """SELECT partner_id, day - DATE '1970-01-01' AS day, amount %(value)s
                     FROM (SELECT partner_id, unnest(days) AS day, unnest(amounts) AS amount,
                                  unnest(day_values) AS value
                             FROM lifecycle_facts WHERE days IS NOT NULL) sampled""",
                value=SQL("" if plain else ", value"),
            )
        )

    @api.model
    def _purchase_frame(self, query):
        data = copy_out(
            self.env.cr,
            query,
            {"partner_id": "int64", "day": "int64", "amount": "float64", "value": "float64"},
        )
        if "value" not in data:
            data["value"] = data["amount"]
        return data
