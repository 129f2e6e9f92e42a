"""Margins where Odoo knows them, and how much of the revenue only a share stands in for.

In: a source's query and its amounts. Out: SQL of the margin that is known and of the amount that
it is known for; the company's share is for the rest, and every screen that shows the margin says
for how much. Known are: the margin stored on sale orders; what the till computed as the cost of
its lines; for lines of invoices the cost that was booked for them (perpetual valuation), or the
cost on the order line that they bill; the margin that was imported with a purchase. What a product
costs today says nothing about what it cost when it was sold, and is not used.
"""

from odoo import fields, models
from odoo.tools import SQL

from .paths import fields_along, number_sql, path_sql


class LifecycleRevenueSource(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.revenue.source"  # pylint: disable=consider-merging-classes-inherited

    cost_path = fields.Char(
        string="Cost Field",
        help="Cost in the amount's currency, where the model stores one instead of a margin. Its "
        "sign is that of the quantity.",
    )
    cost_known_path = fields.Char(
        string="Cost Known If",
        help="Leads to a yes or no: whether the cost has been computed. Empty: always.",
    )

    def _known_margin(
        self, model, table, query, company, gross, net, convert, margin_change=None
    ):
        """What is known of the margin of a record.

        :param margin_change: SQL of what the order's stored margin says too much or too little
        :return: None where nothing can be known, else (SQL of the margin, SQL of the amount that
            it is known for), both in company currency, not rounded
        """
        if company.lifecycle_value != "margin":
            return None
        if model._name in ("account.move", "account.move.line"):
            return self._invoice_margin(model, table, query, company)
        if self.cost_path and fields_along(model, self.cost_path):
            margin = SQL("(%s - %s)", net, number_sql(model, query, self.cost_path))
            if self.cost_known_path and fields_along(model, self.cost_known_path):
                known = path_sql(model, query, self.cost_known_path)
                margin = SQL("(CASE WHEN %s THEN %s END)", known, margin)
        elif self.margin_path and fields_along(model, self.margin_path):
            margin = number_sql(model, query, self.margin_path)
            if margin_change and self.margin_path == "margin":
                margin = SQL("(%s + %s)", margin, margin_change)
            # a credited part of the order takes its part of the margin along; what was given
            # away has nothing to credit and costs what it costs
            margin = SQL(
                "(CASE WHEN %s = 0 THEN %s ELSE %s * %s / NULLIF(%s, 0) END)",
                gross, margin, margin, net, gross,
            )
        else:
            return None
        margin = convert(margin)
        return (
            SQL("COALESCE(%s, 0)", margin),
            SQL("(CASE WHEN %s IS NULL THEN 0 ELSE %s END)", margin, convert(net)),
        )

    def _invoice_margin(self, model, table, query, company):
        """The same of an invoice or one of its lines: what its costs are known for."""
        alias = query.make_alias(table, "lifecycle_costs")
        line = "id" if model._name == "account.move.line" else "move_id"
        query.add_join(
            "LEFT JOIN",
            alias,
            SQL(
                "LATERAL (%s)",
                self._invoice_costs_sql(
                    company,
                    SQL("item.%s = %s", SQL.identifier(line), SQL.identifier(table, "id")),
                ),
            ),
            SQL("TRUE"),
        )
        return (
            SQL("COALESCE(%s, 0)", SQL.identifier(alias, "margin")),
            SQL("COALESCE(%s, 0)", SQL.identifier(alias, "amount")),
        )

    def _invoice_costs_sql(self, company, condition):
        """SELECT (margin, amount) of the lines of invoices whose cost is known."""
        booked = SQL("NULL::numeric")
        lines = self.env["account.move.line"]._fields
        if "cogs_origin_id" in lines:
            # the cost and the stock that it came out of are booked as a pair
            booked = SQL(
                """(SELECT SUM(cost.balance) FROM account_move_line cost
                     WHERE cost.move_id = item.move_id AND cost.cogs_origin_id = item.id
                       AND cost.display_type = 'cogs' AND cost.price_unit < 0)"""
            )
        ordered = SQL("NULL::numeric")
        if "purchase_price" in self.env["sale.order.line"]._fields:
            ordered = SQL(
                """(SELECT AVG(sold.purchase_price::numeric
                               / NULLIF(ordered_unit.factor, 0)::numeric
                               / NULLIF(ordering.currency_rate, 0)::numeric)
                      FROM sale_order_line_invoice_rel rel
                      JOIN sale_order_line sold ON sold.id = rel.order_line_id
                      JOIN sale_order ordering ON ordering.id = sold.order_id
                      JOIN uom_uom ordered_unit ON ordered_unit.id = sold.product_uom_id
                     WHERE rel.invoice_line_id = item.id AND sold.product_id IS NOT NULL
                       AND sold.is_downpayment IS NOT TRUE)
                   * unit.factor::numeric * item.quantity
                   * CASE WHEN move.move_type = 'out_refund' THEN -1 ELSE 1 END"""
            )
        return SQL(
            """SELECT SUM(-item.balance - costs.cost) AS margin,
                      SUM(-item.balance) FILTER (WHERE costs.cost IS NOT NULL) AS amount
                 FROM account_move_line item
                 JOIN account_move move ON move.id = item.move_id
                 LEFT JOIN uom_uom unit ON unit.id = item.product_uom_id
                 CROSS JOIN LATERAL (SELECT COALESCE(%(booked)s, %(ordered)s) AS cost) costs
                WHERE item.display_type = 'product' AND NOT %(left_out)s AND %(condition)s""",
            left_out=self._left_out_items_sql(),
            booked=booked,
            ordered=ordered,
            condition=condition,
        )

    def _by_share_sql(self, known, amount, company):
        """SQL of the part of an amount that the company's share stands in for."""
        if company.lifecycle_value == "revenue":
            return SQL("0.0")
        if known is None:
            return amount
        return SQL("(%s - ROUND(%s, %s))", amount, known[1], company.currency_id.decimal_places)
