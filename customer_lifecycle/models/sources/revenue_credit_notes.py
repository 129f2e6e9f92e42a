"""Day, exchange rate and value of a purchase, as SQL.

In: a source's paths and the company's settings. Out: expressions for the local day, amounts in
company currency and value as revenue or margin; rows summed up by document. Called while a
revenue source is compiled; spending sources and spending lines take day and rate from here.
"""

from odoo import api, models
from odoo.tools import SQL


class LifecycleRevenueSource(models.Model):
    """Parts of a source's query: value, currency, day and credit notes."""

    # a file for each subject of this large model
    _inherit = "lifecycle.revenue.source"  # pylint: disable=consider-merging-classes-inherited

    def _by_document(self, rows):
        """SELECT with one row for each document, from the compiled source's rows."""
        self.ensure_one()
        if not self.document_path:
            return rows  # a record is a document
        return SQL(
            """SELECT partner_id, day, SUM(amount) AS amount, SUM(value) AS value,
                      SUM(gross) AS gross, SUM(exchange_difference) AS exchange_difference,
                      source_id, res_id, SUM(by_share) AS by_share
                 FROM (%s) lines
                GROUP BY partner_id, day, source_id, res_id""",
            rows,
        )

    def _value_sql(self, company, amount, known):
        """What the purchase is worth by the company's definition of value.

        :param known: what is known of its margin, see ``_known_margin``
        """
        digits = company.currency_id.decimal_places
        if company.lifecycle_value == "revenue":
            return amount
        share = company.lifecycle_margin_percent / 100
        if known is None:
            return SQL("ROUND(%s * (%s)::numeric, %s)", amount, share, digits)
        margin, known_amount = known
        return SQL(
            "ROUND(%s + (%s - ROUND(%s, %s)) * (%s)::numeric, %s)",
            margin, amount, known_amount, digits, share, digits,
        )

    def _converter(self, model, table, query, company, day):
        """Function that turns an SQL amount of this source into company currency.

        NULL where no rate is known.
        """
        if self.rate_path:
            rate = self._number_sql(model, table, self.rate_path, query)
            return lambda amount: SQL("(%s / NULLIF(%s, 0))", amount, rate)
        if self.currency_path:
            currency = self._path_sql(model, table, self.currency_path, query)
            rate = self._rate_of_day(currency, company, day)
            own_rate = self._own_rate_of_day(company, day)
            return lambda amount: SQL(
                "(CASE WHEN %s = %s THEN %s ELSE %s / %s * %s END)",
                currency,
                company.currency_id.id,
                amount,
                amount,
                rate,
                own_rate,
            )
        return lambda amount: SQL("(%s)", amount)

    @api.model
    def _rate_of_day(self, currency, company, day):
        """Rate of a currency on a day, as Odoo chooses it: last before, else first.

        NULL where there is none: Odoo then takes foreign money for its own, one to one.
        """
        chosen = SQL(
            """SELECT rate FROM res_currency_rate
                WHERE currency_id = %s AND (company_id IS NULL OR company_id = %s)""",
            currency,
            company.root_id.id,
        )
        return SQL(
            """COALESCE((%(chosen)s AND name <= %(day)s ORDER BY company_id, name DESC LIMIT 1),
                        (%(chosen)s ORDER BY company_id, name LIMIT 1))::numeric""",
            chosen=chosen,
            day=day,
        )

    @api.model
    def _own_rate_of_day(self, company, day):
        """Rate of the company's currency; without one, the others are measured in it."""
        own = SQL("%s", company.currency_id.id)
        return SQL("COALESCE(%s, 1)", self._rate_of_day(own, company, day))

    def _day_sql(self, model, table, query, company):
        """The purchase's day in the company's time zone."""
        *_hops, last = self.date_path.split(".")
        target, _alias = self._follow(model, table, self.date_path, query, whole=False)
        moment = self._path_sql(model, table, self.date_path, query)
        if target._fields[last].type == "date":
            return moment
        return SQL(
            "(%s AT TIME ZONE 'UTC' AT TIME ZONE %s)::date",
            moment,
            company._lifecycle_timezone(),
        )
