"""What Odoo's reports say and what is counted, document by document, with the kinds between.

In: the period of a reconciliation. Out: two temporary tables: ``lifecycle_counted`` with our
rows of the period, and ``lifecycle_reconciled`` with a row for each section, document and kind:
what Odoo reports, what is counted, and every difference that can be named. Kinds are read from the
documents, not from the difference; what no kind accounts for is left over as unexplained.
"""

from datetime import datetime, time, timedelta

import pytz

from odoo import models
from odoo.fields import Domain
from odoo.tools import SQL

from ...models.sources.paths import customer_sql
from ...tools.planner import plan_for_all

#: orders that Odoo's reports show as sold
SOLD = ("sale", "paid", "done", "invoiced")


class LifecycleReconciliation(models.TransientModel):
    # a file for each subject of this model
    _inherit = "lifecycle.reconciliation"  # pylint: disable=consider-merging-classes-inherited

    def _family(self):
        """The company and its branches: a head office has sold what they have."""
        return self.company_id._lifecycle_family()

    # ----- PERIOD -----

    def _report_moments(self):
        """First moment and the first after the period, in UTC, as the reader's screens have it."""
        zone = pytz.timezone(self.env.context.get("tz") or self.env.user.tz or "UTC")

        def utc(day):
            local = zone.localize(datetime.combine(day, time.min))
            return local.astimezone(pytz.utc).replace(tzinfo=None)

        return utc(self.date_from), utc(self.date_to + timedelta(days=1))

    def _report_domain(self, section):
        """Domain of one of Odoo's reports for the period."""
        self.ensure_one()
        start, end = self._report_moments()
        domain = Domain("company_id", "in", self._family().ids)
        if section == "invoice":
            return list(
                domain
                & Domain("invoice_date", ">=", self.date_from)
                & Domain("invoice_date", "<=", self.date_to)
                & Domain("state", "=", "posted")
                & Domain("move_type", "in", ("out_invoice", "out_refund", "out_receipt"))
            )
        states = SOLD if section == "sale" else SOLD[1:]
        return list(
            domain
            & Domain("date", ">=", start)
            & Domain("date", "<", end)
            & Domain("state", "in", states)
        )

    def _in_report(self, moment):
        start, end = self._report_moments()
        return SQL("(%s >= %s AND %s < %s)", moment, start, moment, end)

    def _in_period(self, moment):
        """The same by the day that we count it on."""
        return SQL(
            "((%s AT TIME ZONE 'UTC' AT TIME ZONE %s)::date BETWEEN %s AND %s)",
            moment,
            self.company_id._lifecycle_timezone(),
            self.date_from,
            self.date_to,
        )

    # ----- COLLECTING -----

    def _collect(self):
        """Fill the temporary tables."""
        self.ensure_one()
        self.env.flush_all()
        cr = self.env.cr
        cr.execute(
            "DROP TABLE IF EXISTS pg_temp.lifecycle_counted, pg_temp.lifecycle_reconciled, "
            "pg_temp.lifecycle_aside"
        )
        plan_for_all(cr)
        sources = self.env["lifecycle.revenue.source"]._for_company(self.company_id)
        cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_counted AS
                   SELECT source_id, res_id, SUM(amount) AS amount, SUM(gross) AS gross
                     FROM (%s) rows WHERE day BETWEEN %s AND %s
                    GROUP BY source_id, res_id""",
                sources._rows_sql(self.company_id),
                self.date_from,
                self.date_to,
            )
        )
        cr.execute(
            "CREATE TEMPORARY TABLE lifecycle_reconciled (section varchar, model varchar, "
            "res_id integer, kind varchar, amount numeric)"
        )
        cr.execute(
            SQL(
                "CREATE TEMPORARY TABLE lifecycle_aside AS SELECT DISTINCT res_model, res_id "
                "FROM (%s) found",
                self.env["lifecycle.set.aside"]._rows_sql(self.company_id),
            )
        )
        cr.execute("ANALYZE lifecycle_counted, lifecycle_aside")
        of_model = {
            name: [source.id for source in sources if source._document_model() == name]
            for name in ("sale.order", "pos.order", "account.move")
        }
        self._reconcile_sale(sources, of_model["sale.order"])
        if "pos.order" in self.env:
            self._reconcile_pos(sources, of_model["pos.order"])
        self._reconcile_invoice(sources, of_model["account.move"])
        for section, name in (
            ("sale", "sale.order"), ("pos", "pos.order"), ("invoice", "account.move")
        ):
            self._add(
                SQL(
                    """SELECT %s, %s, res_id, 'counted', SUM(amount) FROM lifecycle_counted
                        WHERE source_id = ANY(%s) GROUP BY res_id""",
                    section,
                    name,
                    of_model[name],
                )
            )
        self._add_leftovers()

    def _add(self, rows):
        """Add rows (section, model, document, kind, amount)."""
        self.env.cr.execute(
            SQL(
                "INSERT INTO lifecycle_reconciled (section, model, res_id, kind, amount) %s", rows
            )
        )

    def _add_leftovers(self):
        """What the kinds of a document leave over, beyond the cents of its lines."""
        cent = self.currency_id.rounding
        self._add(
            SQL(
                """SELECT section, model, res_id, CASE WHEN ABS(rest) < %(most)s
                                                       THEN 'rounding' ELSE 'unexplained' END, rest
                     FROM (SELECT section, model, res_id,
                                  SUM(CASE WHEN kind = 'counted' THEN amount ELSE -amount END)
                                      AS rest
                             FROM lifecycle_reconciled
                            GROUP BY section, model, res_id) documents
                    WHERE rest <> 0""",
                # half a cent: rounding of lines has a kind of its own already
                most=cent / 2,
            )
        )

    def _report_rows(self, name, section, key, amount):
        """SELECT of (document, amount) of one of Odoo's reports."""
        report = self.env[name]
        query = report._search(Domain(self._report_domain(section)))
        return query.select(
            SQL("%s AS document", report._field_to_sql(query.table, key, query)),
            SQL("%s::numeric AS amount", report._field_to_sql(query.table, amount, query)),
        )

    # ----- SALES -----

    def _reconcile_sale(self, sources, source_ids):
        self._add(
            SQL(
                """SELECT 'sale', split_part(document, ',', 1),
                          split_part(document, ',', 2)::integer, 'reported', SUM(amount)
                     FROM (%s) report GROUP BY document""",
                self._report_rows("sale.report", "sale", "order_reference", "price_subtotal"),
            )
        )
        self.env.cr.execute("ANALYZE lifecycle_reconciled")
        # pos_sale puts the orders of shops into this report too
        self._add(
            SQL(
                """SELECT section, model, res_id, 'till', -amount FROM lifecycle_reconciled
                    WHERE section = 'sale' AND model = 'pos.order' AND kind = 'reported'"""
            )
        )
        orders = [
            source.id for source in sources
            if source.id in source_ids and source.model == "sale.order"
        ]
        digits = self.currency_id.decimal_places
        self.env.cr.execute("DROP TABLE IF EXISTS pg_temp.lifecycle_sale")
        # a table: what each order says, what is counted, and the days of both
        self.env.cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_sale AS
                   SELECT ordering.id, customer.lifecycle_exclude IS TRUE AS excluded,
                          aside.res_id IS NOT NULL AS aside,
                          %(in_report)s AS in_report, %(in_period)s AS in_period,
                          NULLIF(ordering.currency_rate, 0)::numeric AS rate,
                          ROUND(ordering.amount_untaxed::numeric
                                / NULLIF(ordering.currency_rate, 0)::numeric, %(digits)s)
                              AS written,
                          COALESCE(reported.amount, 0) AS reported,
                          counted.gross, counted.amount, COALESCE(other.amount, 0) AS other
                     FROM sale_order ordering
                     JOIN res_partner contact ON contact.id = ordering.partner_id
                     JOIN res_partner customer ON customer.id = contact.commercial_partner_id
                     LEFT JOIN lifecycle_aside aside
                       ON aside.res_model = 'sale.order' AND aside.res_id = ordering.id
                     LEFT JOIN lifecycle_reconciled reported
                       ON reported.model = 'sale.order' AND reported.res_id = ordering.id
                      AND reported.kind = 'reported'
                     LEFT JOIN (SELECT res_id, SUM(gross) AS gross, SUM(amount) AS amount
                                  FROM lifecycle_counted WHERE source_id = ANY(%(orders)s)
                                 GROUP BY res_id) counted ON counted.res_id = ordering.id
                     LEFT JOIN (SELECT res_id, SUM(amount) AS amount FROM lifecycle_counted
                                 WHERE source_id = ANY(%(others)s)
                                 GROUP BY res_id) other ON other.res_id = ordering.id
                    WHERE ordering.company_id = ANY(%(companies)s) AND ordering.state = 'sale'
                      AND (%(in_report)s OR %(in_period)s OR counted.res_id IS NOT NULL)""",
                in_report=self._in_report(SQL("ordering.date_order")),
                in_period=self._in_period(SQL("ordering.date_order")),
                digits=digits,
                orders=orders,
                others=[number for number in source_ids if number not in orders],
                companies=self._family().ids,
            )
        )
        self._add(
            SQL(
                """SELECT 'sale', 'sale.order', id,
                          CASE WHEN aside THEN 'aside' WHEN excluded THEN 'excluded'
                               WHEN NOT %(counts)s THEN 'basis' ELSE 'zone' END, -reported
                     FROM lifecycle_sale
                    WHERE in_report AND (aside OR excluded OR NOT %(counts)s OR NOT in_period)
                   UNION ALL
                   SELECT 'sale', 'sale.order', id, 'zone', amount
                     FROM lifecycle_sale WHERE NOT in_report AND amount IS NOT NULL
                   UNION ALL
                   SELECT 'sale', 'sale.order', id, 'returned', other
                     FROM lifecycle_sale WHERE other <> 0""",
                counts=bool(orders),
            )
        )
        if orders:
            self._explain_sale(digits)

    def _explain_sale(self, digits):
        """The kinds of orders that are in both, from what they say to what is counted."""
        paths = self.env["lifecycle.revenue.source"]
        pays = SQL("line.is_downpayment IS TRUE")
        if hasattr(paths, "_payment_rewards_sql"):
            pays = SQL(
                "(%s OR line.reward_id IN (%s) OR line.product_id IN (%s))",
                pays,
                paths._payment_rewards_sql(),
                paths._filling_products_sql(),
            )
        ships = SQL("FALSE")
        if "is_delivery" in self.env["sale.order.line"]._fields:
            ships = SQL("line.is_delivery IS TRUE")
        self._add(
            SQL(
                """SELECT 'sale', 'sale.order', explained.id, parts.kind, parts.amount
                     FROM (SELECT ordering.*, lines.*,
                                  ROUND(COALESCE(lines.paying, 0) / ordering.rate, %(digits)s)
                                      AS payment,
                                  COALESCE(lines.bare, 0) / ordering.rate AS no_product
                             FROM lifecycle_sale ordering
                             CROSS JOIN LATERAL (
                                SELECT SUM(line.price_subtotal) FILTER (WHERE %(pays)s) AS paying,
                                       SUM(line.price_subtotal)
                                           FILTER (WHERE line.product_id IS NULL) AS bare,
                                       BOOL_OR(COALESCE(line.qty_delivered, 0)
                                                   <> line.product_uom_qty
                                               OR %(ships)s
                                               OR COALESCE(reward.reward_type, '') = 'shipping')
                                           AS odd,
                                       COUNT(*) AS number
                                  FROM sale_order_line line
                                  LEFT JOIN loyalty_reward reward ON reward.id = line.reward_id
                                 WHERE line.order_id = ordering.id AND line.display_type IS NULL
                             ) lines
                            WHERE in_report AND in_period AND NOT aside AND NOT excluded
                              AND ordering.amount IS NOT NULL) explained
                     CROSS JOIN LATERAL (
                        VALUES ('no_product', no_product),
                               ('payment', -payment),
                               ('delivery', CASE WHEN odd THEN gross - written + payment END),
                               ('credit', amount - gross),
                               ('rounding', CASE WHEN ABS(written - reported - no_product)
                                                      <= %(cent)s * (number + 1)
                                                 THEN written - reported - no_product END)
                     ) parts (kind, amount)
                    WHERE parts.amount <> 0""",
                digits=digits,
                pays=pays,
                ships=ships,
                cent=self.currency_id.rounding,
            ),
        )

    # ----- SHOPS -----

    def _reconcile_pos(self, sources, source_ids):
        self._add(
            SQL(
                """SELECT 'pos', 'pos.order', document, 'reported', SUM(amount)
                     FROM (%s) report GROUP BY document""",
                self._report_rows("report.pos.order", "pos", "order_id", "price_subtotal_excl"),
            )
        )
        shops = sources.filtered(
            lambda source: source.id in source_ids and source.model == "pos.order.line"
        )
        self._collect_till_lines(shops)
        # refunds that name their sale are counted as part of it
        self._add(
            SQL(
                """SELECT 'pos', 'pos.order', parts.res_id, parts.kind, parts.amount
                     FROM lifecycle_till line
                     CROSS JOIN LATERAL (
                        SELECT CASE WHEN aside THEN 'aside'
                                    WHEN settled AND NOT found THEN 'settled'
                                    WHEN tip AND NOT found THEN 'tip'
                                    WHEN pays AND NOT found THEN 'payment'
                                    WHEN NOT found THEN %(missing)s
                                    WHEN customer_id IS NULL THEN 'no_contact'
                                    WHEN excluded THEN 'excluded' END AS reason
                     ) why
                     CROSS JOIN LATERAL (
                        VALUES
                          (order_id, 'sign', CASE WHEN in_report THEN signed - said END),
                          (order_id, reason,
                           CASE WHEN in_report AND reason IS NOT NULL THEN -signed END),
                          (order_id, 'exchange',
                           CASE WHEN in_report AND reason IS NULL THEN worth - signed END),
                          (order_id, CASE WHEN sale_id = order_id THEN 'zone' ELSE 'moved' END,
                           CASE WHEN in_report AND reason IS NULL
                                 AND (sale_id <> order_id OR NOT in_period) THEN -worth END),
                          (sale_id, CASE WHEN sale_id = order_id THEN 'zone' ELSE 'moved' END,
                           CASE WHEN in_period AND reason IS NULL
                                 AND (sale_id <> order_id OR NOT in_report) THEN worth END)
                     ) parts (res_id, kind, amount)
                    WHERE parts.amount <> 0""",
                missing="left_out" if shops else "basis",
            )
        )

    def _collect_till_lines(self, shops):
        """Every line of a shop of the period as ``lifecycle_till``: what it says and counts."""
        paths = self.env["lifecycle.revenue.source"]
        lines = self.env["pos.order.line"]
        has_settled = "sale_order_line_id" in lines._fields
        signed = SQL("line.price_subtotal")
        if "quantity_path" in paths._fields and shops.filtered("quantity_path"):
            signed = SQL(
                """(CASE WHEN line.qty * line.price_unit = 0 THEN line.price_subtotal
                         ELSE ABS(line.price_subtotal)
                              * SIGN(line.qty) * SIGN(line.price_unit) END)"""
            )
        of_sale = bool("refunded_path" in paths._fields and shops.filtered("refunded_path"))
        money = (
            SQL("line.product_id IN (%s)", paths._money_products_sql())
            if hasattr(paths, "_money_products_sql")
            else SQL("FALSE")
        )
        if "reward_id" in lines._fields and hasattr(paths, "_payment_rewards_sql"):
            money = SQL(
                "(%s OR line.reward_id IN (%s))", money, paths._payment_rewards_sql()
            )
        digits = self.currency_id.decimal_places
        self.env.cr.execute("DROP TABLE IF EXISTS pg_temp.lifecycle_till")
        self.env.cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_till AS
                   SELECT line.id, ordering.id AS order_id, sale.id AS sale_id,
                          contact.commercial_partner_id AS customer_id,
                          customer.lifecycle_exclude IS TRUE AS excluded,
                          aside.res_id IS NOT NULL AS aside,
                          line.id IN (%(found)s) AS found, %(settled)s AS settled,
                          COALESCE(%(pays)s, FALSE) AS pays, %(tip)s AS tip,
                          %(in_report)s AS in_report, %(in_period)s AS in_period,
                          ROUND(line.price_subtotal
                                / COALESCE(NULLIF(ordering.currency_rate, 0), 1)::numeric,
                                %(digits)s) AS said,
                          ROUND(%(signed)s
                                / COALESCE(NULLIF(ordering.currency_rate, 0), 1)::numeric,
                                %(digits)s) AS signed,
                          ROUND(%(signed)s / NULLIF(sale.currency_rate, 0)::numeric, %(digits)s)
                              AS worth
                     FROM pos_order_line line
                     JOIN pos_order ordering ON ordering.id = line.order_id
                     LEFT JOIN pos_order_line sold ON sold.id = line.refunded_orderline_id
                     JOIN pos_order sale ON sale.id = CASE WHEN %(of_sale)s
                          THEN COALESCE(sold.order_id, ordering.id) ELSE ordering.id END
                     LEFT JOIN res_partner contact ON contact.id = sale.partner_id
                     LEFT JOIN res_partner customer ON customer.id = contact.commercial_partner_id
                     LEFT JOIN lifecycle_aside aside
                       ON aside.res_model = 'pos.order' AND aside.res_id = sale.id
                     LEFT JOIN product_product product ON product.id = line.product_id
                     LEFT JOIN pos_session session ON session.id = ordering.session_id
                     LEFT JOIN pos_config shop ON shop.id = session.config_id
                    WHERE ordering.company_id = ANY(%(companies)s)
                      AND ordering.state IN ('paid', 'done', 'invoiced')
                      AND (%(in_report)s OR %(in_period)s)""",
                found=self._found_sql(shops),
                settled=SQL(
                    """(line.sale_order_line_id IS NOT NULL
                        OR COALESCE(sold.sale_order_line_id, 0) <> 0)"""
                    if has_settled
                    else "FALSE"
                ),
                pays=money,
                tip=SQL("line.product_id IS NOT DISTINCT FROM shop.tip_product_id"),
                in_report=self._in_report(SQL("ordering.date_order")),
                in_period=self._in_period(SQL("sale.date_order")),
                signed=signed,
                digits=digits,
                of_sale=of_sale,
                companies=self._family().ids,
            )
        )

    def _found_sql(self, sources):
        """SELECT of the ids of the records of sources of one model that they count."""
        parts = [SQL("SELECT NULL::integer WHERE FALSE")]
        for source in sources:
            model = self.env[source.model].sudo().with_context(active_test=False)
            domain = source._domain() & Domain(source.company_path, "in", self._family().ids)
            query = model._search(domain & ~source._skip_domain(model))
            parts.append(query.select(SQL.identifier(query.table, "id")))
        return SQL(" UNION ALL ").join(parts)

    # ----- INVOICES -----

    def _reconcile_invoice(self, sources, source_ids):
        self._add(
            SQL(
                """SELECT 'invoice', 'account.move', document, 'reported', SUM(amount)
                     FROM (%s) report GROUP BY document""",
                self._report_rows(
                    "account.invoice.report", "invoice", "move_id", "price_subtotal"
                ),
            )
        )
        ours = sources.filtered(lambda source: source.id in source_ids)
        self._collect_moves(ours)
        orders = self.company_id.lifecycle_basis == "orders"
        self._add(
            SQL(
                """SELECT 'invoice', 'account.move', move_id, kind, SUM(-amount)
                     FROM (SELECT lines.*,
                                  CASE WHEN aside THEN 'aside'
                                       WHEN found AND tip THEN 'tip'
                                       WHEN found AND down_payment THEN 'down_payment'
                                       WHEN found AND pays THEN 'payment'
                                       WHEN found AND customer_id IS NULL THEN 'no_contact'
                                       WHEN found AND excluded THEN 'excluded'
                                       WHEN found THEN NULL
                                       WHEN by_till THEN 'by_till'
                                       WHEN linked THEN %(linked)s
                                       WHEN tip THEN 'tip'
                                       WHEN down_payment THEN 'down_payment'
                                       WHEN pays THEN 'payment'
                                       WHEN move_type = 'out_refund' THEN 'uncounted'
                                       ELSE %(missing)s END AS kind
                             FROM lifecycle_invoiced lines) reasons
                    WHERE in_report AND kind IS NOT NULL
                    GROUP BY move_id, kind""",
                linked="by_order" if orders else "left_out",
                missing="no_order" if orders else "left_out",
            )
        )
        # from what the lines that count say to what is counted, whichever day it is on
        self._add(
            SQL(
                """SELECT 'invoice', 'account.move', move_id, parts.kind, parts.amount
                     FROM (
                        SELECT said.move_id, said.amount AS said, said.in_report, said.ships,
                               COALESCE(counted.gross, 0) AS gross,
                               COALESCE(counted.amount, 0) AS amount,
                               COALESCE(counted.inside, 0) AS inside,
                               COALESCE(counted.exchanged, 0) AS exchanged,
                               counted.goodwill IS TRUE
                                   OR (counted.goodwill IS NULL AND said.goodwill) AS goodwill
                          FROM (SELECT move_id, SUM(amount) AS amount,
                                       BOOL_OR(in_report) AS in_report,
                                       BOOL_OR(ships) AS ships, BOOL_OR(goodwill) AS goodwill
                                  FROM lifecycle_invoiced
                                 WHERE found AND NOT aside AND customer_id IS NOT NULL
                                   AND NOT excluded
                                   AND NOT (tip OR pays OR down_payment)
                                 GROUP BY move_id) said
                          LEFT JOIN lifecycle_invoice_rows counted
                            ON counted.move_id = said.move_id
                     ) documents
                     CROSS JOIN LATERAL (
                        VALUES ('capped', CASE WHEN in_report AND goodwill THEN gross - said END),
                               ('delivery', CASE WHEN in_report AND NOT goodwill AND ships
                                                 THEN gross - said END),
                               ('exchange', CASE WHEN in_report AND NOT goodwill
                                                 THEN -exchanged END),
                               -- credit notes that leave nothing: of the shipping that was
                               -- kept, or of what was given back beyond the invoice
                               ('delivery', CASE WHEN in_report AND NOT goodwill
                                                 THEN LEAST(amount - gross + exchanged, 0) END),
                               ('capped', CASE WHEN in_report AND NOT goodwill
                                               THEN GREATEST(amount - gross + exchanged, 0) END),
                               ('other_day', CASE WHEN in_report THEN inside - amount
                                                  ELSE inside END)
                     ) parts (kind, amount)
                    WHERE parts.amount <> 0"""
            )
        )

    def _collect_moves(self, sources):
        """Lines of invoices as ``lifecycle_invoiced``, our rows as ``lifecycle_invoice_rows``."""
        cr = self.env.cr
        cr.execute(
            "DROP TABLE IF EXISTS pg_temp.lifecycle_invoiced, pg_temp.lifecycle_invoice_rows, "
            "pg_temp.lifecycle_found"
        )
        goodwill = sources.filtered("goodwill").ids if "goodwill" in sources._fields else []
        rows = [source._compile(self.company_id) for source in sources]
        cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_invoice_rows AS
                   SELECT res_id AS move_id, SUM(gross) AS gross, SUM(amount) AS amount,
                          SUM(exchange_difference) AS exchanged,
                          SUM(amount) FILTER (WHERE day BETWEEN %(first)s AND %(last)s) AS inside,
                          BOOL_OR(source_id = ANY(%(goodwill)s)) AS goodwill
                     FROM (%(rows)s) ours GROUP BY res_id""",
                first=self.date_from,
                last=self.date_to,
                goodwill=goodwill,
                rows=SQL(" UNION ALL ").join(rows)
                or SQL(
                    "SELECT 0 AS res_id, 0.0 AS gross, 0.0 AS amount, NULL::date AS day, "
                    "0.0 AS exchange_difference, 0 AS source_id WHERE FALSE"
                ),
            )
        )
        cr.execute(
            SQL(
                "CREATE TEMPORARY TABLE lifecycle_found AS %s", self._found_invoice_lines(sources)
            )
        )
        cr.execute("CREATE INDEX ON lifecycle_found (id)")
        cr.execute("ANALYZE lifecycle_found, lifecycle_invoice_rows")
        paths = self.env["lifecycle.revenue.source"]
        money = SQL("FALSE")
        if hasattr(paths, "_payment_products_sql"):
            money = SQL(
                """(item.product_id IN (%s UNION %s)
                    OR EXISTS (SELECT FROM sale_order_line_invoice_rel paid
                                 JOIN sale_order_line paying ON paying.id = paid.order_line_id
                                WHERE paid.invoice_line_id = item.id
                                  AND paying.reward_id IN (%s)))""",
                paths._filling_products_sql(),
                paths._payment_products_sql(),
                paths._payment_rewards_sql(),
            )
        by_till, tip = SQL("FALSE"), SQL("FALSE")
        if "pos.order" in self.env:
            by_till = SQL(
                """EXISTS (SELECT FROM pos_order sold
                            WHERE sold.account_move IN (move.id, move.reversed_entry_id))"""
            )
            tip = SQL(
                "item.product_id IN (SELECT tip_product_id FROM pos_config "
                "WHERE tip_product_id IS NOT NULL)"
            )
        ships = SQL("FALSE")
        if "delivery.carrier" in self.env:
            ships = SQL("item.product_id IN (SELECT product_id FROM delivery_carrier)")
        cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_invoiced AS
                   SELECT move.id AS move_id, move.move_type, -item.balance AS amount,
                          move.invoice_date BETWEEN %(first)s AND %(last)s AS in_report,
                          found.id IS NOT NULL AS found, found.partner_id AS customer_id,
                          found.source_id = ANY(%(goodwill)s) AS goodwill,
                          customer.lifecycle_exclude IS TRUE AS excluded,
                          aside.res_id IS NOT NULL AS aside,
                          %(by_till)s AS by_till, COALESCE(%(tip)s, FALSE) AS tip,
                          COALESCE(%(money)s, FALSE) AS pays,
                          item.is_downpayment IS TRUE AND %(own_down_payments)s AS down_payment,
                          COALESCE(%(ships)s, FALSE) AS ships,
                          EXISTS (SELECT FROM sale_order_line_invoice_rel rel
                                   WHERE rel.invoice_line_id = item.id) AS linked
                     FROM account_move move
                     JOIN account_move_line item ON item.move_id = move.id
                      AND item.display_type = 'product' AND item.account_id IS NOT NULL
                     LEFT JOIN lifecycle_invoice_rows counted ON counted.move_id = move.id
                     LEFT JOIN lifecycle_found found ON found.id = item.id
                     LEFT JOIN res_partner customer ON customer.id = found.partner_id
                     LEFT JOIN lifecycle_aside aside
                       ON aside.res_model = 'account.move' AND aside.res_id = move.id
                    WHERE move.company_id = ANY(%(companies)s) AND move.state = 'posted'
                      AND move.move_type IN ('out_invoice', 'out_refund', 'out_receipt')
                      AND (move.invoice_date BETWEEN %(first)s AND %(last)s
                           OR counted.inside IS NOT NULL)""",
                first=self.date_from,
                last=self.date_to,
                goodwill=goodwill,
                by_till=by_till,
                tip=tip,
                money=money,
                # without the rules for payments, down payments count like everything else
                own_down_payments=hasattr(paths, "_left_out_items_sql"),
                ships=ships,
                companies=self._family().ids,
            )
        )

    def _found_invoice_lines(self, sources):
        """SELECT of (id, customer, source) of the invoice lines that sources find."""
        parts = [
            SQL(
                "SELECT NULL::integer AS id, NULL::integer AS partner_id, 0 AS source_id "
                "WHERE FALSE"
            )
        ]
        for source in sources:
            if source.model not in ("account.move", "account.move.line"):
                continue
            model = self.env[source.model].sudo().with_context(active_test=False)
            domain = source._domain() & Domain(source.company_path, "in", self._family().ids)
            query = model._search(domain & ~source._skip_domain(model))
            _contact, customer = customer_sql(model, query, source.partner_path)
            line_id = SQL.identifier(query.table, "id")
            if source.model == "account.move":
                query.add_join(
                    "JOIN",
                    "invoiced",
                    SQL.identifier("account_move_line"),
                    SQL("invoiced.move_id = %s", line_id),
                )
                line_id = SQL("invoiced.id")
            parts.append(
                query.select(
                    SQL("%s AS id", line_id),
                    SQL("%s AS partner_id", customer),
                    SQL("%s AS source_id", source.id),
                )
            )
        return SQL(" UNION ALL ").join(parts)
