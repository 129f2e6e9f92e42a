"""The report on what getting and keeping customers costs: its columns and its ratios.

In: rows by month and channel, made by the report's SQL. Out: sums, ratios that are right in every
grouping, months until money is paid back, and the spending behind a row. Read by the report's
views and by the summary above them.
"""

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.misc import format_date

from ...tools.fields import OptionalFloat, OptionalInteger, OptionalMonetary

#: the customer's channel: what brought him first
CHANNEL = ("source_id", "medium_id", "campaign_id")
#: columns that add up, in every row of the report
SUMS = (
    "new_customers",
    "getting",
    "getting_back",
    "earned",
    "expected",
    "active_customers",
    "keeping",
    "repeat_revenue",
    "lost_customers",
)
#: sums that are unknown, not 0, where nobody entered anything
OPTIONAL = ("getting", "getting_back", "keeping")
#: measures that are one sum divided by another, in every grouping alike
RATIOS = {
    "cost_per_new": ("getting", "new_customers"),
    "value_per_money": ("value_before", "getting"),
    "cost_per_active": ("keeping", "active_customers"),
    "keeping_percent": ("keeping", "repeat_revenue"),
}


class LifecycleEconomics(models.Model):
    """What getting and keeping customers costs and brings, by month and channel, read live.

    A new customer counts in the month of the first order and in the channel of the first touch;
    what customers buy later counts in the month of the order.
    """

    _name = "lifecycle.economics"
    _description = "Getting and Keeping Customers"
    _auto = False
    _order = "month desc, id"
    _rec_name = "month_name"

    month = fields.Date(readonly=True)
    # a day would stand for the month in lists
    month_name = fields.Char(compute="_compute_month_name")
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    source_id = fields.Many2one("utm.source", readonly=True, help="What brought the customer.")
    medium_id = fields.Many2one("utm.medium", readonly=True, string="Channel")
    campaign_id = fields.Many2one("utm.campaign", readonly=True)

    new_customers = fields.Integer(
        readonly=True, help="Customers whose first order is in the period."
    )
    getting = OptionalMonetary(
        string="Spent on Getting",
        readonly=True,
        help="Money spent on getting customers in the period, untaxed: what was entered, "
        "documents of the spending sources, rewards on first orders and for recommendations. "
        "Empty: none is known.",
    )
    getting_back = fields.Monetary(
        string="Already Taken Off the Value",
        readonly=True,
        help="Rewards on first orders. They have lowered the revenue already; to compare value "
        "and money they are added to the value again.",
    )
    cost_per_new = OptionalMonetary(
        string="Cost per New Customer",
        readonly=True,
        aggregator="avg",
        help="Money spent on getting customers divided by new customers. Empty: no spending "
        "known, or nobody new.",
    )
    earned = fields.Monetary(
        string="New Customers: Earned so Far",
        readonly=True,
        help="What the customers who came in the period have brought until today.",
    )
    expected = fields.Monetary(
        string="New Customers: Expected",
        readonly=True,
        help="What they are expected to bring within the prediction horizon.",
    )
    value_per_money = OptionalFloat(
        string="Value per Unit of Money",
        readonly=True,
        aggregator="avg",
        help="What the new customers have earned and are expected to bring, for each unit of "
        "money spent on getting them.",
    )
    payback_months = OptionalInteger(
        string="Months Until Paid Back",
        readonly=True,
        aggregator="avg",
        help="Months after the first order until the new customers together had brought what "
        "getting them cost; 0: in the month of the first order. Empty: not yet, or no spending "
        "known. Those who came lately have had less time, which makes it late rather than early.",
    )
    active_customers = fields.Integer(
        string="Active Customers (Monthly)",
        readonly=True,
        help="Customers who ordered in a month. Over several months they count in each of them.",
    )
    keeping = OptionalMonetary(
        string="Spent on Keeping",
        readonly=True,
        help="Money spent on keeping customers in the period, untaxed: what was entered, "
        "documents of the spending sources and rewards on later orders. Empty: none is known.",
    )
    cost_per_active = OptionalMonetary(
        string="Keeping Cost per Active Customer",
        readonly=True,
        aggregator="avg",
        help="For one customer who orders in a month: money spent on keeping customers divided "
        "by the customers active in each month.",
    )
    repeat_revenue = fields.Monetary(
        string="Revenue of Repeat Orders",
        readonly=True,
        help="Net revenue of orders after the day of the first.",
    )
    keeping_percent = OptionalFloat(
        string="Keeping Cost (% of Repeat Revenue)", readonly=True, aggregator="avg"
    )
    lost_customers = fields.Integer(
        readonly=True,
        help="Customers who came to a stage that counts as lost, other than by a changed rule.",
    )
    value_before = fields.Monetary(readonly=True)
    curve = fields.Json(readonly=True)

    @api.depends_context("lang")
    @api.depends("month")
    def _compute_month_name(self):
        for row in self:
            row.month_name = format_date(self.env, row.month, date_format="MMM yyyy")

    def action_view_spending(self):
        """Open what was spent in the month on the channel."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_spending_line_action"
        )
        return {
            **action,
            "domain": [
                ("date", ">=", self.month),
                ("date", "<", fields.Date.add(self.month, months=1)),
                *((name, "=", self[name].id) for name in CHANNEL),
            ],
            "context": {},
        }

    # ----- RATIOS -----

    def _read_group_select(self, aggregate_spec, query):
        """Divide sums by sums: the mean of ratios would be wrong in every group but the last."""
        name, _colon, function = aggregate_spec.partition(":")
        if function == "avg" and name in RATIOS:
            above, below = (
                SQL("SUM(%s)", self._field_to_sql(self._table, part, query))
                for part in RATIOS[name]
            )
            return self._ratio_sql(name, above, below)
        if function == "avg" and name == "payback_months":
            return self._payback_sql(
                *(
                    self._field_to_sql(self._table, part, query)
                    for part in ("getting", "getting_back", "curve")
                )
            )
        return super()._read_group_select(aggregate_spec, query)

    @api.model
    def _ratio_sql(self, name, above, below):
        """One sum divided by another; NULL where there is no money or nobody to divide by."""
        known = SQL("NULLIF(%s, 0)", above) if name.startswith(("cost", "keep")) else above
        scale = SQL("100 * ") if name.endswith("percent") else SQL()
        return SQL("%s%s / NULLIF(%s, 0)::numeric", scale, known, below)

    @api.model
    def _payback_sql(self, getting, getting_back, curve):
        """First month after the first order at which value had reached the money spent.

        ``curve`` is, for each row of the group, what its new customers brought by months since
        the first order.
        """
        return SQL(
            """CASE WHEN SUM(%(getting)s) > 0 THEN (
                   SELECT MIN(reached.age)
                     FROM (SELECT age, SUM(brought) OVER (ORDER BY age) AS brought
                             FROM (SELECT part.key::integer AS age,
                                          SUM(part.value::numeric) AS brought
                                     FROM unnest(array_agg(%(curve)s)) AS row_of(curve)
                                     CROSS JOIN LATERAL jsonb_each_text(row_of.curve) part
                                    GROUP BY 1) by_age) reached
                    WHERE reached.brought >= SUM(%(getting)s)
                                            - COALESCE(SUM(%(getting_back)s), 0)) END""",
            getting=getting,
            getting_back=getting_back,
            curve=curve,
        )
