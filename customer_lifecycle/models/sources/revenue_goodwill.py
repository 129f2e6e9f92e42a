"""What is given back without a purchase of its own: free-standing credit notes, goodwill.

Comes in: a source over lines of credit notes. Goes out: the same rows for the customer of the
order that the document belongs to, and only as far as that customer has bought by then: a credit
note of sales that are counted nowhere reduces nothing, and nobody goes below nought by it.
"""

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL


class LifecycleRevenueSource(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.revenue.source"  # pylint: disable=consider-merging-classes-inherited

    goodwill = fields.Boolean(
        help="Only for invoice lines: what is given back without a purchase of its own. It counts "
        "for the customer of the order that the document belongs to, and never more than he has "
        "bought by then."
    )

    @api.constrains("goodwill", "model")
    def _check_goodwill(self):
        for source in self:
            if source.goodwill and source.model != "account.move.line":
                raise ValidationError(
                    self.env._(
                        "Only lines of credit notes can be goodwill; untick it or set the model "
                        "to account.move.line."
                    )
                )

    def _join_buyers(self, query, table, customer, wanted):
        """Join whose orders a line's credit note belongs to.

        Where it belongs to orders of several customers, each has the part that the document has
        of his orders: first the order lines on the credit note itself, else those on the invoice
        that it reverses.

        :param customer: SQL of the commercial partner of the document
        :param wanted: SQL of an array of customers to look up; None for all
        :return: SQL of (customer, function that makes an amount the customer's part of it)
        """
        alias = query.make_alias(table, "lifecycle_buyer")
        move_id = SQL.identifier(table, "move_id")
        buyers = SQL(
            """LATERAL (
                SELECT partner_id,
                       SUM(weight) OVER (ORDER BY partner_id) / SUM(weight) OVER () AS till,
                       (SUM(weight) OVER (ORDER BY partner_id) - weight)
                           / SUM(weight) OVER () AS since
                  FROM (
                    SELECT COALESCE(former.firm_id, contact.commercial_partner_id)
                               AS partner_id, document.own,
                           GREATEST(SUM(ABS(item.price_subtotal)), 0.01) AS weight,
                           MAX(document.own) OVER () AS nearest
                      FROM (SELECT %(move)s AS id, 1 AS own
                             UNION ALL
                            SELECT reversed_entry_id, 0 FROM account_move
                             WHERE id = %(move)s AND reversed_entry_id IS NOT NULL) document
                      JOIN account_move_line item ON item.move_id = document.id
                      JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = item.id
                      JOIN sale_order_line line ON line.id = rel.order_line_id
                      JOIN sale_order ordering ON ordering.id = line.order_id
                      JOIN res_partner contact ON contact.id = ordering.partner_id
                      LEFT JOIN lifecycle_former_firm former
                        ON former.model = 'sale.order' AND former.res_id = ordering.id
                       AND former.partner_id = ordering.partner_id
                     GROUP BY 1, document.own
                  ) orders
                 WHERE own = nearest
            )""",
            move=move_id,
        )
        query.add_join("LEFT JOIN", alias, buyers, SQL("TRUE"))
        # money that comes off a card or a down payment that goes back were no purchase either
        product_id = SQL.identifier(table, "product_id")
        query.add_where(
            SQL(
                "(%(product)s IS NULL OR %(product)s NOT IN (%(filling)s UNION %(paying)s)) "
                "AND %(down_payment)s IS NOT TRUE",
                product=product_id,
                filling=self._filling_products_sql(),
                paying=self._payment_products_sql(),
                down_payment=SQL.identifier(table, "is_downpayment"),
            )
        )
        if wanted is not None:
            # looked up from the customer's side: by his documents, and by his orders'
            query.add_where(
                SQL("%s IN (%s)", move_id, self._credit_notes_of_sql(wanted))
            )
        till, since = SQL.identifier(alias, "till"), SQL.identifier(alias, "since")

        def part(amount, digits):
            return SQL(
                "(ROUND(%(amount)s * COALESCE(%(till)s, 1), %(digits)s)"
                " - ROUND(%(amount)s * COALESCE(%(since)s, 0), %(digits)s))",
                amount=amount,
                till=till,
                since=since,
                digits=digits,
            )

        return SQL("COALESCE(%s, %s)", SQL.identifier(alias, "partner_id"), customer), part

    @api.model
    def _settled_day_sql(self, query, table, company, day):
        """SQL of the day of the order whose goods, settled and invoiced at a till, come back.

        Where orders count, such goods were bought on the order's day, not on the invoice's: given
        back on another, the order's day would stay one of a purchase.

        :param day: SQL of the day of everything else
        """
        lines = self.env.get("pos.order.line", self)
        if company.lifecycle_basis != "orders" or "sale_order_line_id" not in lines._fields:
            return day
        alias = query.make_alias(table, "lifecycle_settled")
        settled = SQL(
            """LATERAL (
                SELECT MIN(ordering.date_order) AS moment
                  FROM account_move refund
                  JOIN pos_order till ON till.account_move = refund.reversed_entry_id
                  JOIN pos_order_line sold ON sold.order_id = till.id
                  JOIN sale_order_line line ON line.id = sold.sale_order_line_id
                  JOIN sale_order ordering ON ordering.id = line.order_id
                 WHERE refund.id = %s AND sold.product_id = %s
            )""",
            SQL.identifier(table, "move_id"),
            SQL.identifier(table, "product_id"),
        )
        query.add_join("LEFT JOIN", alias, settled, SQL("TRUE"))
        return SQL(
            "COALESCE((%s AT TIME ZONE 'UTC' AT TIME ZONE %s)::date, %s)",
            SQL.identifier(alias, "moment"),
            company._lifecycle_timezone(),
            day,
        )

    @api.model
    def _credit_notes_of_sql(self, wanted):
        """SELECT of the credit notes that may concern some customers."""
        return SQL(
            """SELECT id FROM account_move
                WHERE commercial_partner_id = ANY(%(wanted)s) AND move_type = 'out_refund'
               UNION
               (WITH billed AS MATERIALIZED (
                   SELECT DISTINCT item.move_id AS id
                     FROM res_partner contact
                     JOIN sale_order ordering ON ordering.partner_id = contact.id
                     JOIN sale_order_line line ON line.order_id = ordering.id
                     JOIN sale_order_line_invoice_rel rel ON rel.order_line_id = line.id
                     JOIN account_move_line item ON item.id = rel.invoice_line_id
                    WHERE contact.commercial_partner_id = ANY(%(wanted)s)
                       OR contact.id = ANY(ARRAY(
                           SELECT partner_id FROM lifecycle_former_firm
                            WHERE firm_id = ANY(%(wanted)s)))
                )
                SELECT id FROM billed
                UNION ALL
                SELECT reversal.id FROM billed
                  JOIN account_move reversal ON reversal.reversed_entry_id = billed.id)""",
            wanted=wanted,
        )

    def _within_purchases(self, rows, company, wanted, bought):
        """SELECT of the rows of this source as far as their customers have bought by then.

        With B bought and X given back up to a row, C = MIN(C of the row before + x, B) counts,
        which is X + MIN(0, the least B - X so far). What a credit note keeps back of it, like a fee
        for goods that are returned, makes it smaller; where it keeps more, that is no purchase.

        :param rows: SELECT of this source, as it is
        :param wanted: SQL of an array of the customers asked for; None for all
        :param bought: SELECT of what these have bought; None to look it up
        """
        self.ensure_one()
        bought = bought or self._bought_sql(company, wanted)
        return SQL(
            """SELECT * FROM (
               WITH lifecycle_given AS (%(rows)s)
               SELECT partner_id, day, -counted AS amount,
                      CASE WHEN amount = 0 THEN value
                           ELSE ROUND(-value * counted / amount, %(digits)s) END AS value,
                      -counted AS gross, 0.0 AS exchange_difference, source_id, res_id,
                      CASE WHEN amount = 0 THEN by_share
                           ELSE ROUND(-by_share * counted / amount, %(digits)s) END AS by_share
                 FROM (
                    SELECT limited.*,
                           CASE WHEN back <= 0 THEN back
                                ELSE LEAST(back, GREATEST(0,
                                    so_far - COALESCE(LAG(so_far) OVER (
                                        PARTITION BY partner_id ORDER BY day, nth), 0)))
                           END AS counted
                      FROM (
                        SELECT sums.*,
                               given + LEAST(0, MIN(bought - given) FILTER (WHERE is_given)
                                   OVER (PARTITION BY partner_id ORDER BY day, nth)) AS so_far
                          FROM (
                            SELECT stream.*,
                                   GREATEST(0, SUM(bought_now) OVER history) AS bought,
                                   SUM(back) OVER history AS given
                              FROM (
                                SELECT partner_id, day, TRUE AS is_given,
                                       ROW_NUMBER() OVER (PARTITION BY partner_id
                                           ORDER BY day, res_id, amount DESC) AS nth,
                                       0.0 AS bought_now, -amount AS back,
                                       amount, value, source_id, res_id, by_share
                                  FROM (SELECT *, SUM(amount) OVER (
                                               PARTITION BY source_id, res_id) AS document
                                          FROM lifecycle_given) given_lines
                                 WHERE document <= 0
                                UNION ALL
                                SELECT partner_id, day, FALSE, 0, SUM(amount), 0,
                                       NULL, NULL, NULL, NULL, NULL
                                  FROM (%(bought)s) purchases
                                 GROUP BY partner_id, day
                              ) stream
                            WINDOW history AS (PARTITION BY partner_id ORDER BY day, nth)
                          ) sums
                      ) limited
                     WHERE is_given
                 ) counting
                WHERE counted <> 0 OR (amount = 0 AND value <> 0)
               ) within_purchases""",
            rows=rows,
            digits=company.currency_id.decimal_places,
            bought=bought,
        )

    @api.model
    def _bought_sql(self, company, wanted):
        """SELECT of what was bought by some customers, or by those in ``lifecycle_given``."""
        among = None if wanted is not None else SQL("SELECT partner_id FROM lifecycle_given")
        parts = []
        for source in self._for_company(company):
            if source.goodwill:
                continue
            try:
                parts.append(source._compile(company, wanted, among))
            except (ValueError, KeyError):
                continue  # told where the source itself is read
        return SQL(" UNION ALL ").join(parts) if parts else self._nothing_sql()
