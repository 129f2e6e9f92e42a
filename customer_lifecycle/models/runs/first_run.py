"""A shortcut where one pass reads all purchases and a model is due, as in a first run.

In: the purchases that are being collected. Out: a fitted model before new profiles are written, so
that they are written with their predictions. Without it the purchases would be read twice and
every row written twice; nothing else depends on it.
"""

from odoo.tools import SQL

from ...tools.sampling import in_sample, sample_rate
from ...tools.step import Step
from ..prediction.fit import FIT_SAMPLE, Fit, customer_count, purchase_frame


class EarlyFit(Step):
    """Fits on a sample of customers whose days ``Collect`` keeps as arrays."""

    def __init__(self, env, company, day):
        super().__init__(env, company, day)
        # before the company's purchases are read: by who could be customers
        contacts = "SELECT COUNT(*) FROM res_partner WHERE id = commercial_partner_id"
        self.rate = sample_rate(
            customer_count(env, company) or env.execute_query(SQL(contacts))[0][0], FIT_SAMPLE
        )

    def columns(self):
        """Columns of the sums: days, amounts and values of who is in the sample."""
        chosen = in_sample(SQL.identifier("partner_id"), self.rate)
        return SQL(
            "array_agg(day) FILTER (WHERE %s) AS days, "
            "array_agg(amount) FILTER (WHERE %s) AS amounts, "
            "array_agg(value) FILTER (WHERE %s) AS day_values,",
            chosen,
            chosen,
            chosen,
        )

    def fit(self, customers):
        """Fit on the sums that were collected just now.

        :param customers: number of customers among them
        :return: whether it was; False where the sample turned out too small
        """
        sampled = self.env.execute_query(SQL("SELECT COUNT(days) FROM lifecycle_sums"))[0][0]
        if self.rate > 1 and sampled < min(FIT_SAMPLE, customers) / 4:
            return False
        plain = self.company.lifecycle_value == "revenue"
        data = purchase_frame(
            self.cr,
            SQL(
                """SELECT partner_id, day - DATE '1970-01-01' AS day, amount %(value)s
                     FROM (SELECT partner_id, unnest(days) AS day, unnest(amounts) AS amount,
                                  unnest(day_values) AS value
                             FROM lifecycle_sums WHERE days IS NOT NULL) sampled""",
                value=SQL("" if plain else ", value"),
            ),
        )
        Fit(self.env, self.company, self.day).fit(data)
        return True
