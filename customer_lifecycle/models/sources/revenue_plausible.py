"""What of a revenue or spending source can be believed.

In: moments and amounts of documents as SQL. Out: conditions that leave out what is dated before
there were computers or centuries ahead, what is larger than anybody buys, and what is in a
currency without a rate; and the same documents the other way round, for the list of what was set
aside. Called where sources are compiled, and by whatever else reads amounts of documents.
"""

from odoo import api, models
from odoo.tools import SQL

#: why a document is set aside, by the first that applies
REASONS = ("no_date", "past", "future", "rate", "amount")


class LifecycleRevenueSource(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.revenue.source"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _plausible_sql(self, company, moment, worth):
        """Condition of documents that can be believed.

        :param moment: SQL of the date or moment as stored
        :param worth: SQL of the amount in company currency, NULL where no rate is known
        """
        # NaN and infinity are larger than every number
        return SQL(
            "(%s AND ABS(%s) < %s::numeric)",
            self._dated_sql(company, moment),
            worth,
            company._lifecycle_limits()[2],
        )

    @api.model
    def _dated_sql(self, company, moment):
        """Condition of a date or moment, as stored, that can be believed."""
        first, last, _largest = company._lifecycle_limits()
        return SQL("(%s >= %s AND %s < %s::date + 1)", moment, first, moment, last)

    def _worth_sql(self, model, table, query, company, amount, convert):
        """An amount in company currency as ``_plausible_sql`` wants it.

        No amount is nothing; a rate below nought is none, nor is the one that Odoo writes where
        it knows none.
        """
        amount = SQL("COALESCE(%s, 0)", amount)
        if not self.rate_path:
            rates = self._rate_of_invoice(model)
            if rates:
                rate, currency = (self._path_sql(model, table, path, query) for path in rates)
                return SQL(
                    "(CASE WHEN NOT %s THEN %s END)",
                    self._unrated_sql(company, rate, currency),
                    convert(amount),
                )
            return convert(amount)
        rate = self._number_sql(model, table, self.rate_path, query)
        believed = SQL("%s > 0", rate)
        currency_path = self.currency_path or self._beside(self.rate_path, "currency_id")
        if self._path_exists(model, currency_path):
            currency = self._path_sql(model, table, currency_path, query)
            believed = SQL("%s AND NOT %s", believed, self._unrated_sql(company, rate, currency))
        return SQL("(CASE WHEN %s THEN %s END)", believed, convert(amount))

    @api.model
    def _beside(self, path, name):
        """Path to another field of the model that a path ends in."""
        return ".".join([*path.split(".")[:-1], name])

    @api.model
    def _rate_of_invoice(self, model):
        """Paths to the rate and the currency of what is stored in company currency, if any."""
        if model._name == "account.move":
            return "invoice_currency_rate", "currency_id"
        if model._name == "account.move.line":
            return "move_id.invoice_currency_rate", "move_id.currency_id"
        return None

    @api.model
    def _unrated_sql(self, company, rate, currency):
        """Condition of documents whose rate was written where there was none.

        Odoo writes 1 where it finds no rate, and documents keep that when one is entered later. A
        foreign currency is worth as much as the company's only where the rates have said so.

        :param rate: SQL of the stored rate
        :param currency: SQL of the document's currency
        """
        # looked up once, not for every document
        at_par = SQL(
            """SELECT foreign_rate.currency_id
                 FROM res_currency_rate foreign_rate
                WHERE (foreign_rate.company_id IS NULL OR foreign_rate.company_id = %s)
                  AND ROUND(foreign_rate.rate::numeric / NULLIF(%s, 0), 6) = 1""",
            company.root_id.id,
            self._own_rate_of_day(company, SQL("foreign_rate.name")),
        )
        return SQL(
            """(CASE WHEN %(rate)s = 1 AND %(currency)s <> %(own)s
                     THEN COALESCE(%(currency)s NOT IN (%(at_par)s), TRUE) ELSE FALSE END)""",
            rate=rate,
            currency=currency,
            own=company.currency_id.id,
            at_par=at_par,
        )

    @api.model
    def _unrated_move_sql(self, company):
        """The same of ``move``, an invoice."""
        return self._unrated_sql(
            company, SQL("move.invoice_currency_rate"), SQL("move.currency_id")
        )

    @api.model
    def _unrated_order_sql(self, company):
        """The same of ``ordering``, a sale order."""
        return self._unrated_sql(
            company, SQL("ordering.currency_rate"), SQL("ordering.currency_id")
        )

    @api.model
    def _unrated_till_sql(self, company):
        """The same of ``ordering``, an order of the till, which has the currency of its till."""
        return self._unrated_sql(
            company,
            SQL("ordering.currency_rate"),
            SQL(
                "(SELECT till.currency_id FROM pos_config till WHERE till.id = ordering.config_id)"
            ),
        )

    @api.model
    def _reason_sql(self, company, moment, worth):
        first, last, _largest = company._lifecycle_limits()
        return SQL(
            """CASE WHEN %(moment)s IS NULL THEN 0 WHEN %(moment)s < %(first)s THEN 1
                    WHEN %(moment)s >= %(last)s::date + 1 THEN 2 WHEN %(worth)s IS NULL THEN 3
                    ELSE 4 END""",
            moment=moment,
            first=first,
            last=last,
            worth=worth,
        )

    def _set_aside_select(self, model, query, company, customer, moment, gross, convert):
        """SELECT of the rows of ``lifecycle.set.aside`` from the query of a revenue source.

        Days and amounts are text: some of them no other type can hold.
        """
        table = query.table
        document = (
            self._path_sql(model, table, self.document_path, query)
            if self.document_path
            else SQL.identifier(table, "id")
        )
        worth = self._worth_sql(model, table, query, company, gross, convert)
        return query.select(
            SQL("%s AS source_id", self._origin.id),
            SQL("NULL::integer AS spending_source_id"),
            SQL("%s AS res_model", self._document_model()),
            SQL("%s AS res_id", document),
            SQL("%s AS partner_id", customer),
            SQL("%s::date::text AS dated", moment),
            SQL("trim_scale(%s)::text AS amount", gross),
            SQL("%s AS reason", self._reason_sql(company, moment, worth)),
        )
