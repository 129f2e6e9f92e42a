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
                      source_id, res_id
                 FROM (%s) lines
                GROUP BY partner_id, day, source_id, res_id""",
            rows,
        )

    def _value_sql(self, model, table, query, company, amount, gross, net, convert):
        """What the purchase is worth by the company's definition of value."""
        digits = company.currency_id.decimal_places
        if company.lifecycle_value == "revenue":
            return amount
        share = SQL(
            "ROUND(%s * (%s)::numeric, %s)",
            amount,
            company.lifecycle_margin_percent / 100,
            digits,
        )
        if (
            company.lifecycle_value == "margin"
            and self.margin_path
            and self._path_exists(model, self.margin_path)
        ):
            margin = self._number_sql(model, table, self.margin_path, query)
            # a credited part of the order takes its part of the margin along; what was given
            # away has nothing to credit and costs what it costs
            kept = SQL(
                "(CASE WHEN %s = 0 THEN %s ELSE %s * %s / NULLIF(%s, 0) END)",
                gross, margin, margin, net, gross,
            )
            return SQL("COALESCE(ROUND(%s, %s), %s)", convert(kept), digits, share)
        return share

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

    @api.model
    def _join_credit_notes(self, query, table, few_orders):
        """Join what credit notes took from each sale order; returns the alias.

        For each order line, what counts as taken back is the credited amount less what had been
        invoiced above the ordered amount: a reversed and reissued invoice leaves the order whole.
        Lines are compared by their own rounded amounts; what is subtracted is what the credit
        note says as a whole, which spreads its cents over its lines where taxes are rounded
        globally. Amounts are in the order's currency; ``booked`` is the same part of the credit
        notes in company currency at the rate they were booked with. ``leftover`` is the size up
        to which what remains of an order is rounding, NULL where a line was credited in part.
        """
        alias = query.make_alias(table, "lifecycle_credit")
        # with few orders each is looked up by itself; with all, one pass over the credit notes
        restrict = (
            SQL("line.order_id = %s", SQL.identifier(table, "id"))
            if few_orders
            else SQL(
                """line.id IN (
                    SELECT rel.order_line_id
                      FROM account_move credit_note
                      JOIN account_move_line item ON item.move_id = credit_note.id
                      JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = item.id
                     WHERE credit_note.move_type = 'out_refund' AND credit_note.state = 'posted'
                )"""
            )
        )
        credits = SQL(
            """SELECT order_id,
                      SUM(documented * sign * taken / NULLIF(credited, 0)) AS reduction,
                      SUM(booked * sign * taken / NULLIF(credited, 0)) AS booked,
                      CASE WHEN BOOL_AND(tolerance = 0
                                         OR ABS(ordered - sign * taken) <= tolerance)
                           THEN SUM(tolerance) END AS leftover
                 FROM (
                    SELECT order_id, ordered, sign, credited, documented, booked, tolerance,
                           GREATEST(0, sign * credited
                                       - GREATEST(0, sign * (invoiced - ordered))) AS taken
                      FROM (
                        SELECT line.order_id,
                               line.price_subtotal AS ordered,
                               COUNT(*) FILTER (WHERE part.refund) * MAX(money.rounding)
                                   AS tolerance,
                               CASE WHEN line.price_subtotal < 0 THEN -1 ELSE 1 END AS sign,
                               COALESCE(SUM(part.amount) FILTER (WHERE NOT part.refund), 0)
                                   AS invoiced,
                               COALESCE(SUM(part.amount) FILTER (WHERE part.refund), 0)
                                   AS credited,
                               COALESCE(SUM(part.documented) FILTER (WHERE part.refund), 0)
                                   AS documented,
                               COALESCE(SUM(part.booked) FILTER (WHERE part.refund), 0)
                                   AS booked
                          FROM sale_order_line line
                          JOIN sale_order ordering ON ordering.id = line.order_id
                          JOIN res_currency money ON money.id = ordering.currency_id
                          JOIN sale_order_line_invoice_rel rel ON rel.order_line_id = line.id
                          JOIN account_move_line item ON item.id = rel.invoice_line_id
                          JOIN account_move move ON move.id = item.move_id
                          CROSS JOIN LATERAL (
                            SELECT move.move_type = 'out_refund' AS refund,
                                   item.balance AS booked,
                                   CASE WHEN move.currency_id = ordering.currency_id
                                        THEN item.price_subtotal
                                        WHEN move.move_type = 'out_refund'
                                        THEN item.balance * ordering.currency_rate
                                        ELSE -item.balance * ordering.currency_rate
                                   END AS amount,
                                   CASE WHEN move.currency_id = ordering.currency_id
                                        THEN item.amount_currency
                                        ELSE item.balance * ordering.currency_rate
                                   END AS documented
                          ) part
                         WHERE move.state = 'posted'
                           AND move.move_type IN ('out_invoice', 'out_refund')
                           AND line.is_downpayment IS NOT TRUE
                           AND %(restrict)s
                         GROUP BY line.id
                      ) totals
                 ) netted
                GROUP BY order_id""",
            restrict=restrict,
        )
        query.add_join(
            "LEFT JOIN",
            alias,
            SQL("LATERAL (%s)", credits) if few_orders else SQL("(%s)", credits),
            SQL("%s = %s", SQL.identifier(alias, "order_id"), SQL.identifier(table, "id")),
        )
        return alias
