"""What customers have bought, kept: a row for each document of a customer and day.

In: the rows that revenue sources have of documents. Out: the same rows, read from one narrow table
in the order of customers and days. Written by the night and the refresh of changed customers; read
by figures, forecasts, stages of the past and reports. It can be made anew from the documents at
any time, with the same result.
"""

from odoo import api, fields, models
from odoo.tools import SQL

from .kept import exchange, fill
from .revenue_source import COLUMNS

#: amounts that mostly are what another column or nought says, which then is not stored
LIKE_AMOUNT = ("value", "gross")
MOSTLY_NOUGHT = ("exchange_difference", "by_share")
#: customers whose documents are read instead of their facts, as these wait to be refreshed
MOST_WAITING = 5_000


class LifecyclePurchaseFact(models.Model):
    """A purchase as the profile sums it up: net, in the company's currency.

    Whole numbers instead of links, as in the queue: nothing of Odoo's can hang on it, and deleting
    a contact has not to look through it.
    """

    _name = "lifecycle.purchase.fact"
    _description = "Purchase as Summed Up"
    _log_access = False
    _order = "partner_id, day"

    company_id = fields.Integer(string="Company Id", readonly=True)
    partner_id = fields.Integer(string="Commercial Partner Id", readonly=True)
    day = fields.Date(readonly=True)
    source_id = fields.Integer(string="Revenue Source Id", readonly=True)
    res_id = fields.Integer(string="Document Id", readonly=True)
    amount = fields.Float(digits=0, readonly=True)
    value = fields.Float(digits=0, readonly=True, help="Empty: the amount.")
    gross = fields.Float(digits=0, readonly=True, help="Empty: the amount.")
    exchange_difference = fields.Float(digits=0, readonly=True, help="Empty: none.")
    by_share = fields.Float(digits=0, readonly=True, help="Empty: none.")

    _customer_idx = models.Index("(company_id, partner_id, day)")

    # ----- READING -----

    @api.model
    def _rows_sql(self, company, partner_ids=None, complete=False):
        """Everything bought in a company, a row for each document, customer and day.

        As fresh as the documents: those of customers who wait to be refreshed are read themselves,
        unless so many wait, as after an import, that the refresh is done sooner. Where nothing is
        kept yet, or something else by other settings, all of them are.

        :param company: res.company record
        :param partner_ids: ids of commercial partners to restrict to; None for all
        :param complete: rather fail than leave a source out that cannot be read
        :return: SQL of a SELECT with the columns of the revenue sources' ``_rows_sql``
        """
        sources = self.env["lifecycle.revenue.source"].sudo()
        if not self.env["lifecycle.purchase.store"]._is_ready(company):
            return sources._rows_sql(company, partner_ids, by_document=True, complete=complete)
        waiting = self._waiting(company, partner_ids)
        kept = self._kept_sql(company, partner_ids)
        if not waiting:
            return kept
        return SQL(
            "%s AND partner_id <> ALL(%s) UNION ALL SELECT * FROM (%s) waiting",
            kept,
            waiting,
            sources._rows_sql(company, waiting, by_document=True, complete=complete),
        )

    @api.model
    def _kept_sql(self, company, partner_ids=None):
        """The facts as they are kept: see ``_rows_sql``."""
        columns = {name: SQL.identifier(name) for name in COLUMNS}
        for name in LIKE_AMOUNT:
            columns[name] = SQL("COALESCE(%s, amount) AS %s", columns[name], columns[name])
        for name in MOSTLY_NOUGHT:
            columns[name] = SQL("COALESCE(%s, 0) AS %s", columns[name], columns[name])
        return SQL(
            "SELECT %s FROM lifecycle_purchase_fact WHERE company_id = %s AND %s",
            SQL(", ").join(columns.values()),
            company.id,
            SQL("TRUE")
            if partner_ids is None
            else SQL("partner_id = ANY(%s)", list(partner_ids)),
        )

    @api.model
    def _waiting(self, company, partner_ids):
        """Those of some customers who wait to be refreshed; none where they are very many."""
        queue = self.env["lifecycle.queue"].sudo()
        queue._append_now()
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT partner_id FROM lifecycle_queue "
                "WHERE company_id IN (0, %s) AND %s LIMIT %s",
                company.id,
                SQL("TRUE")
                if partner_ids is None
                else SQL("partner_id = ANY(%s)", list(partner_ids)),
                MOST_WAITING + 1,
            )
        )
        return [row[0] for row in rows] if len(rows) <= MOST_WAITING else []

    # ----- WRITING -----

    @api.model
    def _replace(self, company, partner_ids):
        """Keep what the documents say of some customers; what is the same stays.

        :param partner_ids: ids of commercial partners
        """
        rows = self.env["lifecycle.revenue.source"]._rows_sql(
            company, partner_ids, by_document=True, complete=True
        )
        among = SQL("partner_id = ANY(%s)", list(partner_ids))
        exchange(self.env.cr, self._table, COLUMNS, company, self._stored_sql(rows), among)

    @api.model
    def _replace_range(self, company, first, last, anew=False):
        """The same of all commercial partners with ids from ``first`` to ``last``.

        :param anew: nothing of what is kept is of use: by other settings it was something else
        """
        among = SQL("partner_id BETWEEN %s AND %s", first, last)
        rows = self.env["lifecycle.revenue.source"]._rows_sql(
            company, by_document=True, complete=True
        )
        rows = self._stored_sql(SQL("SELECT * FROM (%s) documents WHERE %s", rows, among))
        keep = fill if anew else exchange
        keep(self.env.cr, self._table, COLUMNS, company, rows, among)

    @api.model
    def _stored_sql(self, rows):
        """Rows as they are stored: without what another column says."""
        columns = {name: SQL.identifier(name) for name in COLUMNS}
        for name in LIKE_AMOUNT:
            columns[name] = SQL("NULLIF(%s, amount)", columns[name])
        for name in MOSTLY_NOUGHT:
            columns[name] = SQL("NULLIF(%s, 0)", columns[name])
        return SQL(
            "SELECT %s FROM (%s) documents",
            SQL(", ").join(
                SQL("%s AS %s", columns[name], SQL.identifier(name)) for name in COLUMNS
            ),
            rows,
        )

    @api.autovacuum
    def _gc_facts(self):
        """Forget what companies had sold that are gone."""
        self.env.cr.execute(
            "DELETE FROM lifecycle_purchase_fact "
            "WHERE company_id NOT IN (SELECT id FROM res_company)"
        )
