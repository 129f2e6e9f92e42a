"""Which products customers have bought, kept: a row for each product on a document.

In: the facts of purchases, and the lines of their documents. Out: product, quantity and net amount;
the amounts of a document's rows add up to what its facts say, to the cent. Written with the facts;
read by rules that ask for products.
"""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.context import own
from ...tools.fields import (
    CountedBoolean,
    CountedFloat,
    CountedInteger,
    UncheckedMany2one,
)
from .kept import exchange, fill
from .paths import number_sql, path_sql

#: what a row is of: these together are there once
OF = ("partner_id", "day", "source_id", "res_id", "product_id")
#: fields that hold a quantity, where a source names none
QUANTITIES = ("quantity", "qty", "product_uom_qty")


class LifecyclePurchaseItem(models.Model):
    """A product that a customer has bought on a day, net of what came back.

    What a document takes off as a whole, like a discount, is spread over its products. What cannot
    be told has no product. What came back whole was not bought.
    """

    _name = "lifecycle.purchase.item"
    _description = "Product Bought"
    _inherit = "lifecycle.document.mixin"
    _log_access = False
    _order = "day desc, id desc"
    _rec_name = "product_id"

    # without foreign keys: nobody's deletion has to look through millions of rows
    company_id = UncheckedMany2one("res.company", readonly=True)
    partner_id = UncheckedMany2one("res.partner", string="Customer", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    day = fields.Date(string="Bought On", readonly=True)
    days_ago = fields.Integer(
        string="Bought",
        compute="_compute_days_ago",
        search="_search_days_ago",
        aggregator=None,
        help="For rules that look at the last so many days.",
    )
    product_id = UncheckedMany2one("product.product", readonly=True)
    category_id = fields.Many2one(related="product_id.categ_id", string="Product Category")
    tag_ids = fields.Many2many(related="product_id.all_product_tag_ids", string="Product Tags")
    attribute_value_ids = fields.Many2many(
        "product.attribute.value",
        string="Attributes",
        store=False,
        exportable=False,
        search="_search_attribute_value_ids",
        help="Brand, size, colour, or whatever else variants differ by.",
    )
    quantity = fields.Float(
        readonly=True, digits="Product Unit", help="In the unit of the product itself."
    )
    amount = fields.Monetary(
        string="Net Revenue",
        readonly=True,
        help="Untaxed, net of credit notes and discounts, in the company's currency.",
    )
    source_id = UncheckedMany2one(
        "lifecycle.revenue.source", string="Source of Revenue", readonly=True
    )
    user_id = fields.Many2one(related="partner_id.user_id", string="Salesperson")

    # of all that meets the conditions beside them, for rules
    times = CountedInteger(
        help="On how many days it was bought: several orders of a day are one time.",
    )
    total_quantity = CountedFloat(help="Net of what came back, in the unit of the product itself.")
    total_amount = CountedFloat(
        string="Total Net Revenue",
        help="Untaxed, net of credit notes and discounts, in the company's currency.",
    )
    first_time = CountedBoolean(
        help="The first purchase ever of what the other conditions name, on any day.",
    )
    is_last = CountedBoolean(
        string="On the Last Purchase", help="On the day of the customer's last order."
    )

    _customer_idx = models.Index("(company_id, partner_id)")
    _product_idx = models.Index("(company_id, product_id, day)")

    # ----- DAYS -----

    @api.depends("day")
    def _compute_days_ago(self):
        today = self.env["lifecycle.profile"]._lifecycle_today()
        for item in self:
            item.days_ago = (today - item.day).days

    def _search_days_ago(self, operator, value):
        today = self.env["lifecycle.profile"]._lifecycle_today()
        mirrored = {">": "<", "<": ">", ">=": "<=", "<=": ">="}
        if isinstance(today, SQL):
            # a day of its own for each customer, as when the past is replayed
            if operator not in mirrored:
                return NotImplemented
            return Domain.custom(
                to_sql=lambda _model, alias, _query: SQL(
                    "%s - %s %s %s", today, SQL.identifier(alias, "day"), SQL(operator), value
                )
            )
        if operator in mirrored:
            return Domain("day", mirrored[operator], fields.Date.subtract(today, days=value))
        if operator == "in":
            return Domain("day", "in", [fields.Date.subtract(today, days=days) for days in value])
        return NotImplemented

    # ----- PRODUCTS -----

    def _search_attribute_value_ids(self, operator, value):
        if operator not in ("in", "any", "any!", "ilike", "=ilike"):
            return NotImplemented
        path = "product_id.product_template_attribute_value_ids.product_attribute_value_id"
        return Domain(path, operator, value)

    def _document_model(self):
        # sudo: where purchases come from is no secret
        return self.source_id.sudo()._document_model()

    # ----- WRITING -----

    @api.model
    def _replace(self, company, partner_ids=None):
        """Keep the products of some customers' facts, or of everybody's; the same stays.

        :param partner_ids: ids of commercial partners
        """
        among = SQL("TRUE")
        if partner_ids is not None:
            among = SQL("partner_id = ANY(%s)", list(partner_ids))
        sources = self.env["lifecycle.revenue.source"]._for_company(company)
        found = [rows for each in sources if (rows := each._items_sql(company, partner_ids))]
        known = SQL(
            """SELECT %(of)s, ROUND(SUM(quantity)::numeric, 4) AS quantity, SUM(amount) AS amount
                 FROM (%(items)s) items WHERE product_id IS NOT NULL
                GROUP BY %(of)s HAVING SUM(amount) <> 0 OR SUM(quantity) <> 0""",
            of=SQL(", ").join(SQL.identifier(name) for name in OF),
            items=SQL(" UNION ALL ").join(SQL("SELECT * FROM (%s) part", rows) for rows in found)
            or SQL(
                "SELECT 0 AS partner_id, NULL::date AS day, 0 AS source_id, 0 AS res_id, "
                "0 AS product_id, 0.0 AS quantity, 0.0 AS amount WHERE FALSE"
            ),
        )
        rows = SQL(
            """WITH known AS MATERIALIZED (%(known)s)
               SELECT * FROM known
                UNION ALL
               -- what no product can be told of
               SELECT fact.partner_id, fact.day, fact.source_id, fact.res_id, NULL, NULL,
                      fact.amount - COALESCE(told.amount, 0)
                 FROM (SELECT partner_id, day, source_id, res_id, SUM(amount) AS amount
                         FROM lifecycle_purchase_fact
                        WHERE company_id = %(company)s AND %(among)s
                        GROUP BY 1, 2, 3, 4) fact
                 LEFT JOIN (SELECT partner_id, day, source_id, res_id, SUM(amount) AS amount
                              FROM known GROUP BY 1, 2, 3, 4) told
                   ON told.partner_id = fact.partner_id AND told.day = fact.day
                  AND told.source_id = fact.source_id AND told.res_id = fact.res_id
                WHERE fact.amount <> COALESCE(told.amount, 0)""",
            known=known,
            company=company.id,
            among=among,
        )
        first = partner_ids is None and not self.env.execute_query(
            SQL("SELECT FROM lifecycle_purchase_item WHERE company_id = %s LIMIT 1", company.id)
        )
        keep = fill if first else exchange
        keep(self.env.cr, self._table, (*OF, "quantity", "amount"), company, rows, among)
        self.invalidate_model()

    @api.autovacuum
    def _gc_items(self):
        """Forget what companies had sold that are gone."""
        self.env.cr.execute(
            "DELETE FROM lifecycle_purchase_item "
            "WHERE company_id NOT IN (SELECT id FROM res_company)"
        )


class LifecycleRevenueSource(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.revenue.source"  # pylint: disable=consider-merging-classes-inherited

    def _items_sql(self, company, partner_ids=None):
        """SELECT of the products on this source's documents, with the columns of an item.

        :return: None where the documents name no products
        """
        self.ensure_one()
        if self.net_of_credit_notes:
            lines = (
                self._order_items_sql(company, partner_ids)
                if self.model == "sale.order"
                else self._move_items_sql(company, partner_ids)
            )
            return self._spread_sql(company, lines, partner_ids)
        model = self.env[self.model]
        product = model._fields.get("product_id")
        if self.goodwill or not product or product.comodel_name != "product.product":
            return None
        rows = self.with_context(lifecycle_by_product=own())._compile(
            company.sudo(), None if partner_ids is None else list(partner_ids)
        )
        return SQL(
            "SELECT partner_id, day, source_id, res_id, product_id, quantity, amount "
            "FROM (%s) rows",
            rows,
        )

    def _spread_sql(self, company, lines, partner_ids):
        """Spread what each document is worth over its lines, to the cent.

        The amount up to a line less that up to the line before: what is rounded up in one line is
        rounded down in another.

        :param lines: SELECT of res_id, line_id, product_id, quantity, net; in any currency
        """
        return SQL(
            """SELECT fact.partner_id, fact.day, fact.source_id, fact.res_id, line.product_id,
                      line.quantity,
                      COALESCE(ROUND(fact.amount * line.so_far / line.total, %(digits)s)
                               - ROUND(fact.amount * (line.so_far - line.weight) / line.total,
                                       %(digits)s), 0) AS amount
                 FROM (SELECT weighed.*, NULLIF(SUM(weight) OVER document, 0) AS total,
                              SUM(weight) OVER (document ORDER BY line_id) AS so_far
                         FROM (SELECT lines.*,
                                      CASE WHEN SUM(net) OVER (PARTITION BY res_id) < 0
                                           THEN LEAST(net, 0) ELSE GREATEST(net, 0) END
                                          AS weight,
                                      SIGN(SUM(net) OVER (PARTITION BY res_id)) * SIGN(net) < 0
                                          AS lowers
                                 FROM (%(lines)s) lines) weighed
                        WHERE NOT lowers
                       WINDOW document AS (PARTITION BY res_id)) line
                 JOIN lifecycle_purchase_fact fact
                   ON fact.company_id = %(company)s AND fact.source_id = %(source)s
                  AND fact.res_id = line.res_id AND %(few)s""",
            lines=lines,
            digits=company.currency_id.decimal_places,
            company=company.id,
            source=self.id,
            few=SQL("TRUE")
            if partner_ids is None
            else SQL("fact.partner_id = ANY(%s)", list(partner_ids)),
        )

    def _documents_kept_sql(self, company, partner_ids):
        """SELECT of the documents that facts of some customers come from; None for all."""
        if partner_ids is None:
            return None
        return SQL(
            "SELECT res_id AS id FROM lifecycle_purchase_fact "
            "WHERE company_id = %s AND source_id = %s AND partner_id = ANY(%s)",
            company.id,
            self.id,
            list(partner_ids),
        )

    def _order_items_sql(self, company, partner_ids):
        """Products on the lines of orders: as they were kept and not credited."""
        orders = self._documents_kept_sql(company, partner_ids)
        netted = SQL(
            """SELECT line_id, order_id, product_id, product_uom_id, worth - sign * taken AS net,
                      quantity * CASE WHEN worth = 0 THEN 1
                                      ELSE (worth - sign * taken) / worth END AS quantity,
                      pays
                 FROM (%s) netted""",
            self._netted_lines_sql(orders),
        )
        if orders is None:
            # most lines are worth what they say
            netted = SQL(
                """SELECT line.id AS line_id, line.order_id, line.product_id,
                          line.product_uom_id, COALESCE(odd.net, line.price_subtotal) AS net,
                          COALESCE(odd.quantity, line.product_uom_qty::numeric) AS quantity,
                          COALESCE(odd.pays, FALSE) AS pays
                     FROM sale_order_line line
                     LEFT JOIN (%s) odd ON odd.line_id = line.id
                    WHERE line.state = 'sale' AND line.display_type IS NULL
                      AND line.is_downpayment IS NOT TRUE""",
                netted,
            )
        return SQL(
            """WITH %(noted)s
               SELECT kept.order_id AS res_id, kept.line_id, kept.product_id, kept.net,
                      kept.quantity * COALESCE(unit.factor / NULLIF(base.factor, 0), 1)::numeric
                          AS quantity
                 FROM (%(netted)s) kept
                 JOIN product_product product ON product.id = kept.product_id
                 JOIN product_template template ON template.id = product.product_tmpl_id
                 LEFT JOIN uom_uom unit ON unit.id = kept.product_uom_id
                 LEFT JOIN uom_uom base ON base.id = template.uom_id
                WHERE NOT kept.pays AND kept.product_id <> ALL(%(no_goods)s)""",
            noted=self._noted_sql(orders, company),
            netted=netted,
            no_goods=self._products_of_rewards(),
        )

    def _move_items_sql(self, company, partner_ids):
        """Products on the lines of invoices and credit notes."""
        moves = self._documents_kept_sql(company, partner_ids)
        return SQL(
            """SELECT item.move_id AS res_id, item.id AS line_id, item.product_id,
                      -item.balance AS net,
                      SIGN(-item.balance) * ABS(item.quantity)::numeric
                          * COALESCE(unit.factor / NULLIF(base.factor, 0), 1)::numeric
                          AS quantity
                 FROM account_move_line item
                 JOIN product_product product ON product.id = item.product_id
                 JOIN product_template template ON template.id = product.product_tmpl_id
                 LEFT JOIN uom_uom unit ON unit.id = item.product_uom_id
                 LEFT JOIN uom_uom base ON base.id = template.uom_id
                WHERE item.display_type = 'product' AND NOT %(left_out)s
                  AND item.product_id <> ALL(%(no_goods)s) AND %(few)s""",
            left_out=self._left_out_items_sql(),
            no_goods=self._products_of_rewards(),
            few=SQL("TRUE") if moves is None else SQL("item.move_id IN (%s)", moves),
        )

    @api.model
    def _products_of_rewards(self):
        """Ids of the products that rewards are booked with: they lower others."""
        # sudo, archived too: what was sold once may be closed by now
        rewards = self.env["loyalty.reward"].sudo().with_context(active_test=False).search(
            Domain.TRUE
        )
        return rewards.discount_line_product_id.ids

    def _item_columns(self, model, query):
        """More columns of a compiled row: product and quantity, in the unit of the product."""
        names = [self.quantity_path, *QUANTITIES]
        name = next((each for each in names if each and each in model._fields), None)
        quantity = number_sql(model, query, name) if name else SQL("1.0")
        return [
            SQL("%s AS product_id", path_sql(model, query, "product_id")),
            SQL("%s AS quantity", quantity),
        ]
