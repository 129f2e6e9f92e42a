"""What confirmed sale orders are worth, line by line.

Comes in: the query over sale orders that a revenue source compiles. Goes out: the same query with
what was bought instead of what was written down: without what only pays (gift cards, eWallets,
down payments), with the quantities that were or will be delivered and invoiced, less what credit
notes took back. Both ways of looking orders up, a few or all, give the same.
"""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, sql

from ..settings.res_company import LARGEST_AMOUNT
from .money import unrated_move_sql
from .paths import customer_sql

#: lines whose worth may differ from their subtotal because of quantities: what was delivered
#: differs from what was ordered, and is all that was or will be invoiced
ODD = """(
    COALESCE(qty_delivered, 0) > product_uom_qty
    OR (COALESCE(qty_delivered, 0) < product_uom_qty
        AND COALESCE(qty_invoiced, 0) < product_uom_qty
        AND (COALESCE(qty_invoiced, 0) <> 0 OR COALESCE(untaxed_amount_invoiced, 0) <> 0
             OR qty_delivered_method = 'stock_move'))
    OR (is_downpayment AND price_subtotal <> 0)
)"""


class SaleOrderLine(models.Model):
    # the index belongs to what is read here
    _inherit = "sale.order.line"  # pylint: disable=consider-merging-classes-inherited

    # the nightly pass finds the few lines that need a second look without reading all
    _lifecycle_odd_idx = models.Index(f"(order_id) WHERE {ODD}")

    def _register_hook(self):
        super()._register_hook()
        if "is_delivery" in self._fields and not sql.index_exists(
            self.env.cr, "sale_order_line_lifecycle_delivery_idx"
        ):
            # the app Delivery may come later than this one; two workers may get here at once
            self.env.cr.execute(
                "CREATE INDEX IF NOT EXISTS sale_order_line_lifecycle_delivery_idx "
                "ON sale_order_line (order_id, price_subtotal) WHERE is_delivery"
            )


class SaleOrder(models.Model):
    # what an order is worth is read here
    _inherit = "sale.order"  # pylint: disable=consider-merging-classes-inherited

    # when the cancelled order was made a quotation again
    lifecycle_redrafted = fields.Datetime(string="Taken Up Again", readonly=True, copy=False)

    def action_draft(self):
        cancelled = self.filtered(lambda order: order.state == "cancel")
        result = super().action_draft()
        cancelled.lifecycle_redrafted = self.env.cr.now()
        return result


class LifecycleRevenueSource(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.revenue.source"  # pylint: disable=consider-merging-classes-inherited

    def _watched_fields(self):
        """Deliveries change what a line is worth."""
        result = super()._watched_fields()
        if self.net_of_credit_notes and self.model == "sale.order":
            lines = result.setdefault("sale.order.line", [])
            lines.append(("order_line", {"qty_delivered", "qty_invoiced"}))
            if "delivery_status" in self.env["sale.order"]._fields:
                result.setdefault("sale.order", []).append(("", {"delivery_status"}))
        return result

    def _order_worth(self, query, table, written, orders, company):
        """Join what the lines of each order are worth.

        :param written: SQL of the order's untaxed amount
        :param orders: SELECT of the few orders to look up; None for one pass over those with odd
            lines
        :return: SQL of (amount before credit notes, net amount, what credit notes took at the
            order's rate, the same as it was booked in company currency, change of the margin)
        """
        alias = self._join_order_lines(query, table, orders, company)

        def column(name):
            return SQL.identifier(alias, name)

        gross = SQL(
            # most orders are worth what they say: nothing is computed for those
            """(CASE WHEN %(plain)s THEN %(written)s
                     WHEN %(worthless)s THEN 0
                     WHEN %(bare)s THEN LEAST(%(written)s + %(correction)s, 0)
                     ELSE %(written)s + COALESCE(%(correction)s, 0) END)""",
            plain=SQL("%s IS NULL", column("order_id")),
            worthless=column("worthless"),
            bare=column("bare"),
            written=written,
            correction=column("correction"),
        )
        reduction = SQL("COALESCE(%s, 0)", column("reduction"))
        net = SQL("(%s - %s)", gross, reduction)
        # a cent that rounding leaves of an order taken back whole is no purchase; nor is what is
        # left over of an order that fell through: its discount, its shipping; nor does a credit
        # note take more off an order than it was worth
        net = SQL(
            """(CASE WHEN %(plain)s THEN %(written)s
                     WHEN ABS(%(net)s) <= %(leftover)s THEN 0
                     WHEN (%(corrected)s OR %(gross)s >= 0) AND %(net)s < 0 THEN 0
                     WHEN %(bare_now)s THEN LEAST(%(net)s, 0)
                     ELSE %(net)s END)""",
            plain=SQL("%s IS NULL", column("order_id")),
            written=written,
            net=net,
            gross=gross,
            leftover=column("leftover"),
            corrected=column("corrected"),
            bare_now=column("bare_now"),
        )
        booked = SQL("COALESCE(%s, 0)", column("booked"))
        return gross, net, reduction, booked, SQL("COALESCE(%s, 0)", column("margin_change"))

    def _documents_of_sql(self, model, wanted):
        """SELECT of the documents of some customers; None where all are wanted."""
        if wanted is None:
            return None
        query = model._search(Domain.TRUE)
        _contact, customer = customer_sql(model, query, self.partner_path)
        query.add_where(SQL("%s = ANY(%s)", customer, wanted))
        return query.select(SQL.identifier(query.table, "id"))

    @api.model
    def _join_order_lines(self, query, table, orders, company):
        """Join the sums of the lines of orders that need a second look; returns the alias.

        Columns, in the order's currency:

        - ``correction``: what the lines are worth less what they say;
        - ``corrected``: whether that changes any line; ``worthless``: so that nothing is left;
        - ``reduction``: what credit notes took, ``booked`` in company currency as booked;
        - ``leftover``: size up to which what remains is rounding, NULL where a line was credited
          in part;
        - ``bare``, ``bare_now``: shipping for goods that were free, or that all came back;
        - ``margin_change``: the same correction of the margin.

        For each line, what counts as taken back is the credited amount less what had been
        invoiced above its worth, or again in place of it: a reversed and reissued invoice leaves
        the order whole, also where only a part had been invoiced. Where everything was invoiced
        at a lower price than ordered, what is credited is a share of that. Lines
        are compared by their own rounded amounts; what is subtracted is what the credit note says
        as a whole, which spreads its cents over its lines where taxes are rounded globally.
        """
        alias = query.make_alias(table, "lifecycle_lines")
        rows = SQL(
            """WITH %(credits)s
               SELECT order_id,
                      SUM(worth - subtotal) AS correction,
                      BOOL_OR(worth <> subtotal) AS corrected,
                      BOOL_OR(worth <> subtotal) AND BOOL_AND(worth = 0) AS worthless,
                      SUM(documented * sign * taken / NULLIF(credited, 0)) AS reduction,
                      SUM(booked * sign * taken / NULLIF(credited, 0)) AS booked,
                      CASE WHEN BOOL_AND(tolerance = 0
                                         OR ABS(worth - sign * taken) <= tolerance)
                           THEN SUM(tolerance) END AS leftover,
                      BOOL_OR(ships) AND COALESCE(SUM(worth) FILTER (WHERE NOT ships), 0) <= 0
                          AS bare,
                      BOOL_OR(ships)
                          AND COALESCE(SUM(worth - sign * taken) FILTER (WHERE NOT ships), 0)
                              <= COALESCE(SUM(tolerance) FILTER (WHERE NOT ships), 0)
                          AS bare_now,
                      SUM(margin * (worth / NULLIF(subtotal, 0) - 1)) AS margin_change
                 FROM (%(lines)s) netted
                GROUP BY order_id""",
            credits=self._noted_sql(orders, company),
            lines=self._netted_lines_sql(orders),
        )
        query.add_join(
            "LEFT JOIN",
            alias,
            SQL("(%s)", rows),
            SQL("%s = %s", SQL.identifier(alias, "order_id"), SQL.identifier(table, "id")),
        )
        return alias

    @api.model
    def _netted_lines_sql(self, orders):
        """SELECT of order lines with what each is worth and what was taken back of it.

        Columns beside those of ``_kept_lines_sql``: ``worth``, ``sign`` and ``taken``, see
        ``_join_order_lines``. Reads the common table expressions of ``_noted_sql``.

        :param orders: SELECT of the few orders; None for all that need it
        """
        return SQL(
            """SELECT priced.*,
                       CASE WHEN pays THEN 0
                            ELSE GREATEST(0, sign * credited * scale
                                             - GREATEST(0, sign * reissued * scale,
                                                        sign * (invoiced * scale - worth)))
                       END AS taken
                  FROM (
                    SELECT valued.*,
                           -- billed for less than was ordered: credited is a share of that
                           CASE WHEN pieces >= quantity AND quantity > 0
                                     AND sign * invoiced > 0
                                     AND sign * (worth * pieces - invoiced * quantity)
                                         > 2 * tolerance * pieces
                                THEN worth * pieces / (invoiced * quantity)
                                ELSE 1 END AS scale
                      FROM (
                        SELECT kept.*,
                               CASE WHEN subtotal < 0 THEN -1 ELSE 1 END AS sign,
                               CASE WHEN pays THEN 0
                                    WHEN ordered < 0 OR quantity = ordered THEN subtotal
                                    WHEN ordered > 0
                                    THEN ROUND(subtotal / ordered * quantity, digits)
                                    ELSE unordered END AS worth
                          FROM (%s OFFSET 0) kept
                         -- each worth is computed once, not wherever it is asked for
                        OFFSET 0
                      ) valued
                  ) priced
                OFFSET 0""",
            self._kept_lines_sql(orders),
        )

    @api.model
    def _noted_sql(self, orders, company):
        """Common table expressions that the lines are looked up by.

        ``credits``, see ``_credits_sql``, and ``filling``, the products that fill a card (the sold
        ones, in a pass over all orders); in such a pass also what the credits are found by. Each is
        found once, and by itself: within the larger query it would be planned again wherever a
        line's worth is asked for, and every process that helps to read would find it again.

        :param orders: SELECT of the few orders; None for all
        """
        if orders:
            return SQL(
                "credits AS (%s), filling(id) AS MATERIALIZED (%s)",
                self._credits_sql(orders, company),
                self._filling_products_sql(),
            )
        return SQL(
            """refunded AS MATERIALIZED (
                  SELECT rel.order_line_id AS line_id, item.id AS item_id, move.currency_id,
                         item.balance, item.price_subtotal, item.amount_currency,
                         move.create_date, %(unrated)s AS unrated
                    FROM account_move move
                    JOIN account_move_line item ON item.move_id = move.id
                    JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = item.id
                   WHERE move.move_type = 'out_refund' AND move.state = 'posted'
                     AND %(believed)s
               ),
               credited AS MATERIALIZED (
                  SELECT line.id, line.order_id, line.product_uom_id, ordering.currency_id,
                         ordering.currency_rate, ordering.lifecycle_redrafted
                    -- in order: neighbours share pages
                    FROM (SELECT DISTINCT line_id AS id FROM refunded ORDER BY 1) few
                    JOIN sale_order_line line ON line.id = few.id
                    JOIN sale_order ordering ON ordering.id = line.order_id
                   WHERE line.is_downpayment IS NOT TRUE
               ),
               credits AS MATERIALIZED (%(credits)s),
               filling AS MATERIALIZED (%(filling)s)""",
            believed=self._believed_item_sql(),
            unrated=unrated_move_sql(company),
            credits=self._credits_sql(None, company),
            filling=self._sold_filling_products_sql(),
        )

    @api.model
    def _believed_item_sql(self):
        """Condition on ``item``: what nobody can believe is set aside, and takes nothing off the
        order."""
        return SQL("ABS(item.balance) < %s", LARGEST_AMOUNT)

    @api.model
    def _sold_filling_products_sql(self):
        """SELECT of the products that fill a card and are on any order.

        Most are on none. That is one look into the index; left to itself, the planner may read
        the lines of all orders to find it out.
        """
        return SQL(
            """SELECT id FROM (%s) product(id)
                WHERE id = (SELECT line.product_id FROM sale_order_line line
                             WHERE line.product_id >= product.id
                             ORDER BY line.product_id LIMIT 1)""",
            self._filling_products_sql(),
        )

    @api.model
    def _credits_sql(self, orders, company):
        """SELECT of what was invoiced and credited on order lines, in the order's currency.

        What an order had been invoiced and credited before it was cancelled and confirmed anew
        says nothing of it.

        :param orders: SELECT of the few orders; None for all lines in ``credited``, whose credit
            notes are in ``refunded``
        """
        # in the unit of the order's line
        number = SQL(
            "(item.quantity * COALESCE(unit.factor / NULLIF(ordered_unit.factor, 0), 1))::numeric"
        )
        if orders:
            parts = SQL(
                """SELECT line.id AS line_id, line.order_id, ordering.currency_id,
                          ordering.currency_rate, move.move_type = 'out_refund' AS refund,
                          move.lifecycle_reissue IS TRUE AS again,
                          %(number)s AS number, move.currency_id AS booked_in,
                          item.balance, item.price_subtotal, item.amount_currency,
                          %(unrated)s AS unrated
                     FROM %(order_lines)s
                     JOIN sale_order ordering ON ordering.id = line.order_id
                     JOIN sale_order_line_invoice_rel rel ON rel.order_line_id = line.id
                     JOIN account_move_line item ON item.id = rel.invoice_line_id
                     JOIN account_move move ON move.id = item.move_id
                     LEFT JOIN uom_uom unit ON unit.id = item.product_uom_id
                     LEFT JOIN uom_uom ordered_unit ON ordered_unit.id = line.product_uom_id
                    WHERE move.state = 'posted'
                      AND move.move_type IN ('out_invoice', 'out_refund')
                      AND line.is_downpayment IS NOT TRUE AND %(believed)s
                      AND move.create_date
                          >= COALESCE(ordering.lifecycle_redrafted, '-infinity')""",
                order_lines=self._order_lines_sql(orders),
                believed=self._believed_item_sql(),
                unrated=unrated_move_sql(company),
                number=number,
            )
        else:
            parts = SQL(
                """SELECT credited.id AS line_id, credited.order_id, credited.currency_id,
                          credited.currency_rate, TRUE AS refund, FALSE AS again,
                          0 AS number, refunded.currency_id AS booked_in, balance,
                          price_subtotal, amount_currency, unrated
                     FROM credited JOIN refunded ON refunded.line_id = credited.id
                      AND create_date >= COALESCE(lifecycle_redrafted, '-infinity')
                    UNION ALL
                   SELECT credited.id, credited.order_id, credited.currency_id,
                          credited.currency_rate, FALSE, move.lifecycle_reissue IS TRUE,
                          %(number)s, move.currency_id, item.balance,
                          item.price_subtotal, item.amount_currency, %(unrated)s
                     FROM credited
                     JOIN sale_order_line_invoice_rel rel ON rel.order_line_id = credited.id
                     JOIN account_move_line item ON item.id = rel.invoice_line_id
                     JOIN account_move move ON move.id = item.move_id
                     LEFT JOIN uom_uom unit ON unit.id = item.product_uom_id
                     LEFT JOIN uom_uom ordered_unit ON ordered_unit.id = credited.product_uom_id
                    WHERE move.state = 'posted' AND move.move_type = 'out_invoice'
                      AND rel.invoice_line_id NOT IN (SELECT item_id FROM refunded)
                      AND move.create_date >= COALESCE(lifecycle_redrafted, '-infinity')
                      AND %(believed)s""",
                believed=self._believed_item_sql(),
                unrated=unrated_move_sql(company),
                number=number,
            )
        return SQL(
            """SELECT line_id, order_id,
                      COUNT(*) FILTER (WHERE refund) AS refunds,
                      COALESCE(SUM(amount) FILTER (WHERE NOT refund), 0) AS invoiced,
                      COALESCE(SUM(amount) FILTER (WHERE again AND NOT refund), 0) AS reissued,
                      COALESCE(SUM(number) FILTER (WHERE NOT refund), 0) AS pieces,
                      COALESCE(SUM(amount) FILTER (WHERE refund), 0) AS credited,
                      COALESCE(SUM(documented) FILTER (WHERE refund), 0) AS documented,
                      COALESCE(SUM(balance) FILTER (WHERE refund), 0) AS booked
                 FROM (
                    SELECT line_id, order_id, refund, again, number, balance,
                           CASE WHEN booked_in = currency_id THEN price_subtotal
                                WHEN refund THEN balance * currency_rate
                                ELSE -balance * currency_rate END AS amount,
                           CASE WHEN booked_in = currency_id THEN amount_currency
                                ELSE balance * currency_rate END AS documented
                      FROM (%s) part
                     -- in another currency whose worth nobody knows
                     WHERE booked_in = currency_id OR NOT unrated
                 ) parts
                GROUP BY line_id, order_id""",
            parts,
        )

    @api.model
    def _order_lines_sql(self, orders):
        """What to read order lines from, as ``line``.

        Of a few orders they are looked up order by order: left to itself, the planner reads the
        lines of all orders to find those of one.

        :param orders: SELECT of the few orders; None for all lines
        """
        if not orders:
            return SQL("sale_order_line line")
        return SQL(
            """(SELECT DISTINCT chosen.id FROM (%s) chosen) few
               CROSS JOIN LATERAL (
                   SELECT * FROM sale_order_line WHERE order_id = few.id OFFSET 0) line""",
            orders,
        )

    @api.model
    def _kept_lines_sql(self, orders):
        """SELECT of order lines with the quantity that was bought in the end.

        A product invoiced by what was ordered is bought as ordered; what was delivered and
        invoiced above it as well, and nothing where all of it came back before an invoice. One
        that is invoiced by what was delivered is bought as delivered once nothing more can come:
        no transfer is open and no milestone to be reached, or, where there are neither, the first
        invoice was written.
        Until then it counts as ordered. What was invoiced stays bought until it is credited.

        :param orders: SELECT of the few orders; None for all that need it
        """
        fields_ = self.env["sale.order.line"]._fields
        ships = (
            SQL("(line.is_delivery IS TRUE OR COALESCE(reward.reward_type, '') = 'shipping')")
            if "is_delivery" in fields_
            else SQL("FALSE")
        )
        transfers = SQL("CROSS JOIN (SELECT NULL::boolean AS still_open, FALSE AS done) transfers")
        if "stock.move" in self.env and "sale_line_id" in self.env["stock.move"]._fields:
            transfers = SQL(
                """LEFT JOIN LATERAL (
                      SELECT BOOL_OR(move.state NOT IN ('done', 'cancel')
                                     AND place.usage <> 'customer') AS still_open,
                             BOOL_OR(move.state = 'done') AS done
                        FROM stock_move move
                        JOIN stock_location place ON place.id = move.location_id
                       WHERE move.sale_line_id = line.id
                         AND line.qty_delivered_method = 'stock_move'
                   ) transfers ON TRUE"""
            )
        milestones = SQL("CROSS JOIN (SELECT NULL::boolean AS still_open) milestones")
        if "sale_line_id" in self.env.get("project.milestone", self)._fields:
            milestones = SQL(
                """LEFT JOIN (
                      SELECT sale_line_id, BOOL_OR(is_reached IS NOT TRUE) AS still_open
                        FROM project_milestone GROUP BY sale_line_id
                   ) milestones ON milestones.sale_line_id = line.id
                    AND line.qty_delivered_method = 'milestones'"""
            )
        # what was settled at a till and comes back there is taken off by the till's own source
        till = SQL("CROSS JOIN (SELECT 0 AS returned) till")
        if "sale_order_line_id" in self.env.get("pos.order.line", self)._fields:
            till = SQL(
                """CROSS JOIN LATERAL (
                      SELECT COALESCE(-SUM(sold.qty), 0)::numeric AS returned
                        FROM pos_order_line sold
                       WHERE sold.sale_order_line_id = line.id AND sold.qty < 0
                   ) till"""
            )
        return SQL(
            """SELECT amounts.*,
                      CASE WHEN by_delivery
                           THEN GREATEST(delivered,
                                         CASE WHEN COALESCE(still_open, unbilled) THEN ordered
                                              ELSE LEAST(billed, ordered) END)
                           WHEN NOT still_open AND done AND unbilled AND delivered <= 0
                           THEN 0
                           ELSE GREATEST(ordered, LEAST(billed, delivered)) END AS quantity
                 FROM (
                    SELECT line.id AS line_id, line.order_id, line.product_id,
                           line.product_uom_id, line.price_subtotal AS subtotal,
                           line.product_uom_qty::numeric AS ordered,
                           COALESCE(line.qty_delivered, 0)::numeric AS delivered,
                           COALESCE(line.qty_invoiced, 0)::numeric + till.returned AS billed,
                           COALESCE(line.qty_invoiced, 0)::numeric + till.returned = 0
                               AND COALESCE(line.untaxed_amount_invoiced, 0) = 0
                               AND COALESCE(credits.refunds, 0) = 0 AS unbilled,
                           COALESCE(line.untaxed_amount_invoiced, 0)
                               + COALESCE(line.untaxed_amount_to_invoice, 0) AS unordered,
                           COALESCE(template.invoice_policy = 'delivery', FALSE) AS by_delivery,
                           %(pays)s AS pays,
                           %(ships)s AS ships,
                           %(margin)s AS margin,
                           money.decimal_places AS digits,
                           COALESCE(credits.refunds, 0) * money.rounding AS tolerance,
                           COALESCE(credits.invoiced, 0) AS invoiced,
                           COALESCE(credits.reissued, 0) AS reissued,
                           COALESCE(credits.pieces, 0) AS pieces,
                           COALESCE(credits.credited, 0) AS credited,
                           COALESCE(credits.documented, 0) AS documented,
                           COALESCE(credits.booked, 0) AS booked,
                           COALESCE(transfers.still_open, milestones.still_open) AS still_open,
                           transfers.done
                      FROM %(order_lines)s
                      -- the line's is its order's, which would cost a look at each
                      JOIN res_currency money ON money.id = COALESCE(line.currency_id, (
                          SELECT currency_id FROM sale_order WHERE id = line.order_id))
                      LEFT JOIN product_product product ON product.id = line.product_id
                      LEFT JOIN product_template template
                        ON template.id = product.product_tmpl_id
                      LEFT JOIN loyalty_reward reward ON reward.id = line.reward_id
                      LEFT JOIN credits ON credits.line_id = line.id
                      %(transfers)s
                      %(milestones)s
                      %(till)s
                     WHERE line.state = 'sale' AND line.display_type IS NULL AND %(restrict)s
                 ) amounts""",
            pays=self._line_pays_sql(SQL("SELECT filling.id FROM filling")),
            ships=ships,
            margin=(
                SQL("line.margin::numeric") if "margin" in fields_ else SQL("NULL::numeric")
            ),
            transfers=transfers,
            milestones=milestones,
            till=till,
            order_lines=self._order_lines_sql(orders),
            # believed to be half of all lines, so that nothing is joined to them by a loop
            restrict=(
                SQL("TRUE")
                if orders
                else SQL("line.order_id IN (%s)", self._odd_orders_sql())
            ),
        )

    @api.model
    def _odd_orders_sql(self):
        """SELECT of the orders whose worth may be another than their untaxed amount.

        Reads ``credits`` and ``filling`` beside it; every other order is worth what it says.
        """
        parts = [
            SQL("SELECT order_id FROM credits"),
            SQL("SELECT order_id FROM sale_order_line WHERE state = 'sale' AND %s", SQL(ODD)),
            SQL(
                "SELECT order_id FROM sale_order_line WHERE state = 'sale' "
                "AND reward_id IS NOT NULL AND reward_id IN (%s)",
                self._payment_rewards_sql(),
            ),
            SQL(
                # not even begun where there are none
                "SELECT order_id FROM sale_order_line WHERE EXISTS (SELECT FROM filling) "
                "AND state = 'sale' AND product_id IN (SELECT id FROM filling)"
            ),
        ]
        if "is_delivery" in self.env["sale.order.line"]._fields:
            # perhaps nothing but shipping; that taxes are rounded globally makes it a cent more
            parts.append(
                SQL(
                    """SELECT shipping.order_id
                         FROM (SELECT order_id, SUM(price_subtotal) AS amount
                                 FROM sale_order_line WHERE is_delivery
                                GROUP BY order_id) shipping
                         JOIN sale_order ordering ON ordering.id = shipping.order_id
                        WHERE ordering.amount_untaxed <= 1.1 * shipping.amount + 1"""
                )
            )
        return SQL(" UNION ALL ").join(parts)
