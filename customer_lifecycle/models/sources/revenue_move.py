"""What posted invoices are worth as purchases.

Comes in: the query over invoices and credit notes that a revenue source compiles. Goes out: the
same query without what only pays or accompanies a purchase (gift cards, eWallets, down payments,
tips, shipping of nothing, what cash is rounded by): a down payment is no purchase of its own, the
final invoice counts whole on its own day. Credit notes that take all goods of an invoice back count
on the invoice's day and take exactly what it counts, whether its shipping is kept or more is given
back, so that the day is no purchase; others count on their own. Both ways of looking invoices up, a
few or all, give the same.
"""

from odoo import api, models
from odoo.tools import SQL


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    # the few among millions that are found without reading all
    _lifecycle_down_payment_idx = models.Index("(move_id) WHERE is_downpayment")
    _lifecycle_rounding_idx = models.Index("(move_id) WHERE display_type = 'rounding'")


class LifecycleRevenueSource(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.revenue.source"  # pylint: disable=consider-merging-classes-inherited

    def _move_worth(self, query, table, written, day, few_moves):
        """Join what the lines of each invoice are worth, and what reverses it whole.

        :param written: SQL of the untaxed amount in company currency
        :param day: SQL of the invoice's own day
        :param few_moves: look each invoice up by itself; else one pass over those that need it
        :return: SQL of (amount before credit notes, amount, its day, exchange difference)
        """
        move_id = SQL.identifier(table, "id")
        lines = query.make_alias(table, "lifecycle_lines")
        rows = self._move_lines_sql(SQL("move.id = %s", move_id) if few_moves else None)
        query.add_join(
            "LEFT JOIN",
            lines,
            SQL("LATERAL (%s)", rows) if few_moves else SQL("(%s)", rows),
            SQL("%s = %s", SQL.identifier(lines, "move_id"), move_id),
        )
        whole = query.make_alias(table, "lifecycle_whole")
        rows = self._reversals_sql(move_id if few_moves else None)
        query.add_join(
            "LEFT JOIN",
            whole,
            SQL("LATERAL (%s)", rows) if few_moves else SQL("(%s)", rows),
            SQL("%s = %s", SQL.identifier(whole, "move_id"), move_id),
        )
        gross = SQL(
            """(CASE WHEN %(bare)s THEN 0
                     ELSE %(written)s - COALESCE(%(left_out)s, 0) END)""",
            bare=SQL.identifier(lines, "bare"),
            written=written,
            left_out=SQL.identifier(lines, "left_out"),
        )
        net = SQL("COALESCE(%s, %s)", SQL.identifier(whole, "amount"), gross)
        exchanged = SQL(
            "COALESCE(%s - %s, 0)",
            SQL.identifier(whole, "booked"),
            SQL.identifier(whole, "amount"),
        )
        day = SQL("COALESCE(%s, %s)", SQL.identifier(whole, "day"), day)
        return gross, net, day, exchanged

    @api.model
    def _left_out_products_sql(self):
        """SELECT of the products that are no goods: they fill a card, or stand for a payment."""
        parts = [self._filling_products_sql(), self._payment_products_sql()]
        if "pos.config" in self.env and "tip_product_id" in self.env["pos.config"]._fields:
            parts.append(
                SQL("SELECT tip_product_id FROM pos_config WHERE tip_product_id IS NOT NULL")
            )
        return SQL(" UNION ").join(parts)

    @api.model
    def _left_out_items_sql(self):
        """Condition on ``item``, a line of an invoice: it pays for or accompanies a purchase."""
        return SQL(
            """(item.is_downpayment IS TRUE
                OR COALESCE(item.product_id IN (%(products)s), FALSE)
                OR EXISTS (
                    SELECT FROM sale_order_line_invoice_rel rel
                      JOIN sale_order_line line ON line.id = rel.order_line_id
                     WHERE rel.invoice_line_id = item.id
                       AND line.reward_id IN (%(rewards)s)))""",
            products=self._left_out_products_sql(),
            rewards=self._payment_rewards_sql(),
        )

    @api.model
    def _shipping_products_sql(self):
        if "delivery.carrier" not in self.env:
            return None
        return SQL("SELECT product_id FROM delivery_carrier WHERE product_id IS NOT NULL")

    @api.model
    def _move_lines_sql(self, restrict):
        """SELECT of the invoices with lines that are no goods.

        Columns: move_id, ``left_out`` and ``left_out_currency`` (their amount, signed as the
        invoice's totals are, in company and in its own currency), ``shipping`` (in its own
        currency), ``bare`` (nothing but shipping is left).

        :param restrict: SQL condition on ``move``; None for all that need it
        """
        shipping = self._shipping_products_sql()
        ships = (
            SQL("COALESCE(item.product_id IN (%s), FALSE)", shipping) if shipping else SQL("FALSE")
        )
        return SQL(
            """SELECT move_id, left_out, left_out_currency, shipping,
                      kind <> 'out_refund' AND ships AND goods <= 0 AS bare
                 FROM (
                    SELECT move_id, kind,
                           -SUM(balance) FILTER (WHERE left_out) AS left_out,
                           -SUM(amount_currency) FILTER (WHERE left_out) AS left_out_currency,
                           -SUM(amount_currency) FILTER (WHERE ships AND NOT left_out)
                               AS shipping,
                           BOOL_OR(ships) AS ships,
                           COALESCE(-SUM(balance) FILTER (WHERE NOT left_out AND NOT ships), 0)
                               AS goods
                      FROM (
                        SELECT move.id AS move_id, move.move_type AS kind, item.balance,
                               item.amount_currency,
                               item.display_type = 'rounding' OR %(left_out)s AS left_out,
                               %(ships)s AS ships
                          FROM account_move move
                          JOIN account_move_line item ON item.move_id = move.id
                         WHERE (item.display_type = 'product'
                                OR item.display_type = 'rounding'
                                   AND item.tax_repartition_line_id IS NULL)
                           AND %(restrict)s
                      ) items
                     GROUP BY move_id, kind
                 ) totals
                WHERE left_out IS NOT NULL OR ships""",
            left_out=self._left_out_items_sql(),
            ships=ships,
            restrict=restrict or SQL("move.id IN (%s)", self._odd_moves_sql(shipping)),
        )

    @api.model
    def _odd_moves_sql(self, shipping):
        """SELECT of the invoices that may be worth something else than they say."""
        parts = [
            SQL("SELECT move_id FROM account_move_line WHERE is_downpayment"),
            SQL("SELECT move_id FROM account_move_line WHERE display_type = 'rounding'"),
            SQL(
                "SELECT move_id FROM account_move_line WHERE product_id IN (%s)",
                self._left_out_products_sql(),
            ),
            SQL(
                """SELECT item.move_id
                     FROM sale_order_line line
                     JOIN sale_order_line_invoice_rel rel ON rel.order_line_id = line.id
                     JOIN account_move_line item ON item.id = rel.invoice_line_id
                    WHERE line.reward_id IS NOT NULL AND line.reward_id IN (%s)""",
                self._payment_rewards_sql(),
            ),
        ]
        if shipping:
            # perhaps nothing but shipping; that taxes are rounded globally makes it a cent more
            parts.append(
                SQL(
                    """SELECT sent.move_id
                         FROM (SELECT move_id, -SUM(balance) AS amount
                                 FROM account_move_line WHERE product_id IN (%s)
                                GROUP BY move_id) sent
                         JOIN account_move move ON move.id = sent.move_id
                        WHERE move.amount_untaxed_signed <= 1.1 * sent.amount + 1""",
                    shipping,
                )
            )
        return SQL(" UNION ALL ").join(parts)

    @api.model
    def _reversals_sql(self, move_id):
        """SELECT of the credit notes that together take back all goods of an invoice.

        Columns: move_id, ``day`` of the invoice, ``amount`` in company currency at the invoice's
        rate, ``booked`` at the credit note's own. Together they take what the invoice counts, to
        the cent.

        :param move_id: SQL of the one credit note; None for all
        """
        own = move_id and SQL("refund.id = %s", move_id)
        invoice = SQL("(SELECT invoice_id FROM (%s) own)", self._credited_moves_sql(own))
        links = self._credited_moves_sql(
            own and self._refunds_of_sql(invoice), own and SQL("invoice_id = %s", invoice)
        )
        return SQL(
            """WITH links AS MATERIALIZED (%(links)s),
               corrections AS (%(corrections)s),
               documents AS (
                  SELECT move.id, move.currency_id, move.invoice_date, move.move_type,
                         linked.invoice_id, move.company_id,
                         COALESCE(corrections.bare, FALSE) AS bare,
                         COALESCE(corrections.shipping, 0) AS shipping,
                         move.amount_untaxed_signed - COALESCE(corrections.left_out, 0)
                             AS goods,
                         move.amount_untaxed_in_currency_signed
                             - COALESCE(corrections.left_out_currency, 0) AS in_currency
                    FROM (SELECT refund_id AS id, invoice_id FROM links
                           UNION ALL
                          SELECT DISTINCT invoice_id, invoice_id FROM links) linked
                    JOIN account_move move ON move.id = linked.id
                    LEFT JOIN corrections ON corrections.move_id = move.id
                   WHERE move.state = 'posted'
                     AND move.move_type IN ('out_invoice', 'out_receipt', 'out_refund')
               ),
               back AS (
                  SELECT documents.*, SUM(in_currency) OVER (PARTITION BY invoice_id) AS given,
                         SUM(in_currency) OVER (PARTITION BY invoice_id ORDER BY id) AS so_far,
                         SUM(in_currency - shipping) OVER (PARTITION BY invoice_id)
                             AS goods_given,
                         MIN(currency_id) OVER (PARTITION BY invoice_id) AS least,
                         MAX(currency_id) OVER (PARTITION BY invoice_id) AS most
                    FROM documents WHERE id <> invoice_id
               )
               SELECT refund.id AS move_id, invoice.invoice_date AS day,
                      CASE WHEN invoice.bare THEN 0
                           ELSE ROUND(invoice.goods * (refund.so_far - refund.in_currency)
                                      / NULLIF(refund.given, 0), own.decimal_places)
                                - ROUND(invoice.goods * refund.so_far
                                        / NULLIF(refund.given, 0), own.decimal_places)
                      END AS amount,
                      CASE WHEN invoice.bare THEN 0
                           ELSE -refund.goods * invoice.in_currency / NULLIF(refund.given, 0)
                      END AS booked
                 FROM documents invoice
                 JOIN back refund ON refund.invoice_id = invoice.id
                 JOIN res_currency money ON money.id = invoice.currency_id
                 JOIN res_company company ON company.id = invoice.company_id
                 JOIN res_currency own ON own.id = company.currency_id
                WHERE invoice.invoice_id = invoice.id AND invoice.move_type <> 'out_refund'
                  AND (invoice.bare
                       OR invoice.in_currency > 0
                          AND refund.least = invoice.currency_id
                          AND refund.most = invoice.currency_id
                          AND (invoice.in_currency + refund.given <= money.rounding / 2
                               OR invoice.shipping > 0
                                  AND invoice.in_currency - invoice.shipping
                                      + refund.goods_given <= money.rounding / 2))""",
            links=links,
            corrections=self._move_lines_sql(
                SQL(
                    "move.id IN (SELECT refund_id FROM links UNION ALL "
                    "SELECT invoice_id FROM links)"
                )
            ),
        )

    @api.model
    def _credited_moves_sql(self, refunds=None, having=None):
        """SELECT of posted credit notes as ``refund_id``, and of the invoice that each takes back.

        It is the one that it reverses. One that Odoo wrote from an order, as for goods that came
        back, names none: it takes back the one invoice that there was of its order lines.

        :param refunds: condition on ``refund``; None for all
        :param having: condition on ``invoice_id``
        """
        return SQL(
            """SELECT refund_id, invoice_id FROM (
                 SELECT refund.id AS refund_id, refund.reversed_entry_id AS invoice_id
                   FROM account_move refund
                  WHERE refund.move_type = 'out_refund' AND refund.state = 'posted'
                    AND refund.reversed_entry_id IS NOT NULL AND %(refunds)s
                 UNION ALL
                 SELECT refund.id, MIN(billed.move_id)
                   FROM account_move refund
                   JOIN account_move_line item ON item.move_id = refund.id
                   JOIN sale_order_line_invoice_rel given ON given.invoice_line_id = item.id
                   JOIN sale_order_line_invoice_rel sold
                     ON sold.order_line_id = given.order_line_id
                   JOIN account_move_line billed ON billed.id = sold.invoice_line_id
                   JOIN account_move invoice ON invoice.id = billed.move_id
                  WHERE refund.move_type = 'out_refund' AND refund.state = 'posted'
                    AND refund.reversed_entry_id IS NULL AND %(refunds)s
                    AND item.is_downpayment IS NOT TRUE
                    AND invoice.move_type = 'out_invoice' AND invoice.state = 'posted'
                    AND invoice.id < refund.id
                  GROUP BY refund.id
                 HAVING MIN(billed.move_id) = MAX(billed.move_id)
               ) credited
               WHERE %(having)s""",
            refunds=refunds or SQL("TRUE"),
            having=having or SQL("TRUE"),
        )

    @api.model
    def _refunds_of_sql(self, invoice):
        """Condition on ``refund``: it may take back an invoice.

        :param invoice: SQL of the invoice's id
        """
        return SQL(
            """refund.id IN (
                SELECT id FROM account_move WHERE reversed_entry_id = %(invoice)s
                UNION ALL
                SELECT back.move_id
                  FROM account_move_line billed
                  JOIN sale_order_line_invoice_rel sold ON sold.invoice_line_id = billed.id
                  JOIN sale_order_line_invoice_rel given
                    ON given.order_line_id = sold.order_line_id
                  JOIN account_move_line back ON back.id = given.invoice_line_id
                 WHERE billed.move_id = %(invoice)s)""",
            invoice=invoice,
        )
