"""First products that make customers stay: who came back within a year, and what he was worth.

In: kept purchases and their products. Out: a row for each product and category that customers
began with: how many, how many came back, what they brought in twelve months, both as they are and
with channel and quarter held equal, drawn towards the mean as few data demand, with an interval.
Computed by the run's last step once a week; read by the report.
"""

import numpy as np

from odoo import api, fields, models
from odoo.tools import SQL

from ...kernel.group_effects import CUT, group_effects
from ...tools.copy import copy_out

#: rows older than this are computed anew by the next nightly run
EVERY_DAYS = 7
#: what is told is what became of customers within so many days
WITHIN_DAYS = 365
#: in a history of so many years, who bought in its first days may have bought before it began
LONG_HISTORY_DAYS, BEGINNING_DAYS = 3 * 365, 90
#: customers that a product must have begun with to have a row, and rows of each kind
FEWEST, MOST = 5, 2_000
#: customers in all, below which nothing is said
ENOUGH = 30


class LifecycleFirstProduct(models.Model):
    """What customers were like who began with a product, or with a category."""

    _name = "lifecycle.first.product"
    _description = "First Product"
    _order = "kind, customer_count desc, id"
    _log_access = False

    company_id = fields.Many2one("res.company", required=True, ondelete="cascade", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    as_of = fields.Date(readonly=True)
    kind = fields.Selection(
        [("category", "Category"), ("product", "Product")], required=True, readonly=True
    )
    product_id = fields.Many2one(
        "product.product", ondelete="cascade", readonly=True, index="btree_not_null"
    )
    category_id = fields.Many2one(
        "product.category",
        string="Product Category",
        ondelete="cascade",
        readonly=True,
        index="btree_not_null",
    )
    customer_count = fields.Integer(string="Customers", readonly=True)
    repeat_rate = fields.Float(
        string="Came Back",
        readonly=True,
        aggregator="avg",
        help="Of the customers who began with it, how many bought again within 365 days.",
    )
    repeat_equal = fields.Float(
        string="Came Back, All Else Equal",
        readonly=True,
        aggregator="avg",
        help="The same if they had come through the same channels and in the same quarters as "
        "everybody; of few customers drawn towards the mean of all.",
    )
    repeat_low = fields.Float(string="Came Back, From", readonly=True, aggregator=None)
    repeat_high = fields.Float(string="Came Back, To", readonly=True, aggregator=None)
    repeat_all = fields.Float(string="Came Back, of All", readonly=True, aggregator=None)
    repeat_verdict = fields.Selection(
        [("more", "Make stayers"), ("same", "No difference shown"), ("less", "Seldom stay")],
        string="Staying",
        readonly=True,
    )
    value_year = fields.Monetary(
        string="Value in 12 Months",
        readonly=True,
        aggregator="avg",
        help="Mean value per customer in the 365 days from the first purchase on, with it. One in "
        "a hundred customers is cut, so that a single one decides nothing.",
    )
    value_equal = fields.Monetary(
        string="Value, All Else Equal", readonly=True, aggregator="avg"
    )
    value_low = fields.Monetary(string="Value, From", readonly=True, aggregator=None)
    value_high = fields.Monetary(string="Value, To", readonly=True, aggregator=None)
    value_all = fields.Monetary(string="Value, of All", readonly=True, aggregator=None)
    value_verdict = fields.Selection(
        [("more", "Worth more"), ("same", "No difference shown"), ("less", "Worth less")],
        string="Value",
        readonly=True,
    )
    repeat_range = fields.Char(string="95 % Interval", compute="_compute_ranges")
    value_range = fields.Char(string="95 % Interval of Value", compute="_compute_ranges")

    @api.depends("product_id", "category_id")
    def _compute_display_name(self):
        for row in self:
            named = row.product_id or row.category_id
            row.display_name = named.with_context(display_default_code=False).display_name

    @api.depends("repeat_low", "repeat_high", "value_low", "value_high")
    @api.depends_context("lang")
    def _compute_ranges(self):
        for row in self:
            low, high = (round(100 * rate) for rate in (row.repeat_low, row.repeat_high))
            row.repeat_range = self.env._("%(low)s–%(high)s %%", low=low, high=high)
            low, high = (
                row.currency_id.format(amount) for amount in (row.value_low, row.value_high)
            )
            row.value_range = f"{low} – {high}"

    def action_view_customers(self):
        """Open the customers who have bought it, at any time."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_profile_action"
        )
        name = f"{self.kind}_id"
        return {
            **action,
            "display_name": self.env._("Customers with %s", self.display_name),
            "domain": [
                ("company_id", "=", self.company_id.id),
                ("bought_item_ids", "any", [(name, "=", self[name].id)]),
            ],
            "context": {},
        }

    # ----- COMPUTE -----

    @api.model
    def _is_due(self, company, today):
        """Whether a company's rows are missing or a week old."""
        newest = self.search([("company_id", "=", company.id)], order="as_of desc", limit=1)
        return not newest or (today - newest.as_of).days >= EVERY_DAYS

    @api.model
    def _update(self, company, today):
        """Compute a company's rows anew from the purchases that are kept."""
        self.env.flush_all()
        frame = copy_out(
            self.env.cr,
            self._beginnings_sql(company, today),
            {
                **dict.fromkeys(("product_id", "category_id", "stratum", "back"), "int64"),
                "value": "float64",
            },
        )
        values = []
        if len(frame) >= ENOUGH:
            for kind in ("category", "product"):
                values += self._rows_of(kind, frame, company, today)
        self.search([("company_id", "=", company.id)]).unlink()
        return self.create(values)

    @api.model
    def _beginnings_sql(self, company, today):
        """SELECT of each customer's first product, where and when, and what became of him.

        Of several the one that most was spent on. Columns: product, category, source and quarter
        as one number, whether he came back (1) or not, value.
        """
        return SQL(
            """WITH began AS MATERIALIZED (
                   SELECT partner_id, first_order_date AS day FROM lifecycle_profile profile
                    WHERE company_id = %(company)s AND active AND order_count > 0
                      AND first_order_date <= %(last)s
                      AND first_order_date >= (
                          SELECT CASE WHEN MIN(first_order_date) < %(today)s::date - %(long)s
                                      THEN MIN(first_order_date) + %(beginning)s
                                      ELSE MIN(first_order_date) END
                            FROM lifecycle_profile
                           WHERE company_id = %(company)s AND active AND order_count > 0)
               ),
               chosen AS (
                   SELECT DISTINCT ON (item.partner_id) item.partner_id, item.product_id,
                          item.source_id
                     FROM began
                     JOIN lifecycle_purchase_item item
                       ON item.company_id = %(company)s AND item.partner_id = began.partner_id
                      AND item.day = began.day
                    WHERE item.product_id IS NOT NULL AND item.amount > 0
                    ORDER BY item.partner_id, item.amount DESC, item.product_id
               ),
               became AS (
                   SELECT began.partner_id, began.day,
                          BOOL_OR(fact.day > began.day AND fact.amount > 0)::integer AS back,
                          SUM(COALESCE(fact.value, fact.amount)) AS value
                     FROM began
                     JOIN lifecycle_purchase_fact fact
                       ON fact.company_id = %(company)s AND fact.partner_id = began.partner_id
                      AND fact.day BETWEEN began.day AND began.day + %(within)s
                    GROUP BY 1, 2
               )
               SELECT chosen.product_id, COALESCE(template.categ_id, 0) AS category_id,
                      chosen.source_id * 100000 + EXTRACT(YEAR FROM became.day)::integer * 4
                          + EXTRACT(QUARTER FROM became.day)::integer AS stratum,
                      became.back, became.value
                 FROM chosen
                 JOIN became ON became.partner_id = chosen.partner_id
                 JOIN product_product product ON product.id = chosen.product_id
                 JOIN product_template template ON template.id = product.product_tmpl_id""",
            company=company.id,
            last=fields.Date.subtract(today, days=WITHIN_DAYS),
            within=WITHIN_DAYS,
            beginning=BEGINNING_DAYS,
            long=LONG_HISTORY_DAYS,
            today=today,
        )

    @api.model
    def _rows_of(self, kind, frame, company, today):
        """Values of the rows of one kind, of what most customers began with."""
        name = f"{kind}_id"
        frame = frame[frame[name] > 0]
        stratum = frame["stratum"].to_numpy()
        group = frame[name].to_numpy()
        back = group_effects(group, stratum, frame["back"].to_numpy())
        value = group_effects(group, stratum, frame["value"].to_numpy(), cut=CUT)
        verdicts = ("same", "more", "less")
        shown = np.flatnonzero(back.count >= FEWEST)
        shown = shown[np.argsort(-back.count[shown], kind="stable")][:MOST]
        return [
            {
                "company_id": company.id,
                "as_of": today,
                "kind": kind,
                name: int(back.group[row]),
                "customer_count": int(back.count[row]),
                "repeat_rate": back.mean[row],
                "repeat_equal": min(1.0, max(0.0, back.adjusted[row])),
                "repeat_low": min(1.0, max(0.0, back.low[row])),
                "repeat_high": min(1.0, max(0.0, back.high[row])),
                "repeat_all": back.overall,
                "repeat_verdict": verdicts[back.verdict[row]],
                "value_year": value.mean[row],
                "value_equal": value.adjusted[row],
                "value_low": value.low[row],
                "value_high": value.high[row],
                "value_all": value.overall,
                "value_verdict": verdicts[value.verdict[row]],
            }
            for row in shown.tolist()
        ]
