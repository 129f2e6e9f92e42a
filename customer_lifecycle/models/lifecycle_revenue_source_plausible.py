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

        No amount is nothing; a rate below nought is none.
        """
        amount = SQL("COALESCE(%s, 0)", amount)
        if not self.rate_path:
            return convert(amount)
        rate = self._number_sql(model, table, self.rate_path, query)
        return SQL("(CASE WHEN %s > 0 THEN %s END)", rate, convert(amount))

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


class LifecycleSpendingSource(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.spending.source"  # pylint: disable=consider-merging-classes-inherited

    def _set_aside_select(self, query, company, moment, amount, convert):
        """SELECT of the rows of ``lifecycle.set.aside`` from the query of a spending source."""
        return query.select(
            SQL("NULL::integer AS source_id"),
            SQL("%s AS spending_source_id", self.id),
            SQL("%s AS res_model", self.model),
            SQL("%s AS res_id", SQL.identifier(query.table, "id")),
            SQL("NULL::integer AS partner_id"),
            SQL("%s::date::text AS dated", moment),
            SQL("trim_scale(%s)::text AS amount", amount),
            SQL(
                "%s AS reason",
                self.env["lifecycle.revenue.source"]._reason_sql(
                    company, moment, convert(amount)
                ),
            ),
        )
