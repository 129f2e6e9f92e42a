"""The revenue report, read live: each purchase with its customer, stage and channel.

In: rows of the revenue sources, profiles, transitions and last touches before orders. Out: a
model for lists, pivot tables and charts.
"""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.planner import plan_for_all
from ...tools.sql import row_id


class LifecycleCustomerRevenue(models.Model):
    """Who brings revenue, when and how: every purchase beside what the customer is and was.

    Read live from the revenue sources, for the current company. What a question does not touch
    costs nothing: the joins are on unique keys, so that the database leaves out those whose
    columns nobody asks for.
    """

    _name = "lifecycle.customer.revenue"
    _description = "Customer Revenue"
    _inherit = "lifecycle.document.mixin"
    _auto = False
    _order = "date desc, id desc"

    profile_id = fields.Many2one("lifecycle.profile", string="Customer Profile", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    user_id = fields.Many2one(
        "res.users", string="Salesperson", readonly=True, help="Of the customer, today."
    )
    country_id = fields.Many2one("res.country", readonly=True)

    # ----- WHAT -----

    date = fields.Date(readonly=True)
    weekday = fields.Selection(
        [
            ("1", "Monday"),
            ("2", "Tuesday"),
            ("3", "Wednesday"),
            ("4", "Thursday"),
            ("5", "Friday"),
            ("6", "Saturday"),
            ("7", "Sunday"),
        ],
        readonly=True,
    )
    source_id = fields.Many2one(
        "lifecycle.revenue.source", string="Source of Revenue", readonly=True
    )
    kind = fields.Selection(
        [
            ("new", "First order"),
            ("repeat", "Repeat order"),
            ("credit", "Never bought, only credited"),
        ],
        string="New or Repeat",
        readonly=True,
        help="Whether the customer bought for the first time on that day. What was credited later "
        "for an order is taken off that order where the source knows it.",
    )

    # ----- HOW MUCH -----

    amount = fields.Monetary(
        string="Net Revenue",
        readonly=True,
        help="Untaxed, less credit notes, in company currency at each document's own rate.",
    )
    value = fields.Monetary(
        readonly=True, help="Net revenue or margin, as the settings say what value is."
    )
    by_share = fields.Monetary(
        string="Margin Not Known",
        readonly=True,
        help="Part of the net revenue for which the margin is not known, so that the share from "
        "the settings stands in.",
    )
    order_count = fields.Integer(
        string="Orders",
        readonly=True,
        help="Days on which a customer bought; what he orders on one day is one order.",
    )
    customer_count = fields.Integer(
        string="Customers", readonly=True, aggregator="count_distinct"
    )
    average_order = fields.Monetary(
        readonly=True, aggregator="avg", help="Net revenue divided by the number of orders."
    )
    revenue_share = fields.Float(
        string="Share of Revenue",
        readonly=True,
        aggregator="sum",
        help="Part of the net revenue of everything shown; in a group that you opened, of that "
        "group.",
    )

    # ----- WHO -----

    stage_id = fields.Many2one("lifecycle.stage", string="Stage Now", readonly=True)
    stage_then_id = fields.Many2one(
        "lifecycle.stage",
        string="Stage When Ordering",
        readonly=True,
        help="The stage in which the day of the purchase began: an order that moved the customer "
        "counts for the stage he came from. Empty for who was in none yet.",
    )
    vip_tier_id = fields.Many2one("lifecycle.vip.tier", string="VIP Tier Now", readonly=True)
    rfm_group_id = fields.Many2one("lifecycle.rfm.group", string="RFM Group Now", readonly=True)
    tenth = fields.Selection(
        [
            ("01", "Top 10 %"),
            ("02", "10 to 20 %"),
            ("03", "20 to 30 %"),
            ("04", "30 to 40 %"),
            ("05", "40 to 50 %"),
            ("06", "50 to 60 %"),
            ("07", "60 to 70 %"),
            ("08", "70 to 80 %"),
            ("09", "80 to 90 %"),
            ("10", "Last 10 %"),
        ],
        string="Tenth of Customers",
        readonly=True,
        help="All customers who ever bought, by their net revenue to date, in ten equal groups.",
    )

    # ----- HOW HE CAME -----

    first_touch_id = fields.Many2one(
        "lifecycle.touchpoint.source", string="First Touch Was", readonly=True
    )
    first_source_id = fields.Many2one("utm.source", string="Acquisition Source", readonly=True)
    first_medium_id = fields.Many2one("utm.medium", string="Acquisition Channel", readonly=True)
    first_campaign_id = fields.Many2one(
        "utm.campaign", string="Acquisition Campaign", readonly=True
    )
    last_touch_id = fields.Many2one(
        "lifecycle.touchpoint.source",
        string="Last Touch Before",
        readonly=True,
        help="The last thing that happened between customer and company before the order.",
    )
    last_source_id = fields.Many2one(
        "utm.source", string="Source of the Order", readonly=True
    )
    last_medium_id = fields.Many2one(
        "utm.medium", string="Channel of the Order", readonly=True
    )
    last_campaign_id = fields.Many2one(
        "utm.campaign", string="Campaign of the Order", readonly=True
    )

    @property
    def _table_query(self):
        company = self.env.company.sudo()
        # sudo: which records are purchases is no secret, the rules of this model hide the rows
        facts = self.env["lifecycle.purchase.fact"].sudo()
        return SQL(
            """SELECT %(id)s, profile.id AS profile_id, rows.partner_id, %(company)s AS company_id,
                      %(currency)s AS currency_id, customer.user_id, customer.country_id,
                      rows.day AS date, EXTRACT(ISODOW FROM rows.day)::text AS weekday,
                      rows.source_id, rows.res_id,
                      CASE WHEN rows.day <= profile.first_order_date THEN 'new'
                           WHEN profile.first_order_date IS NOT NULL THEN 'repeat'
                           WHEN profile.id IS NOT NULL THEN 'credit' END AS kind,
                      rows.amount, rows.value, rows.by_share, rows.order_count,
                      rows.partner_id AS customer_count,
                      CASE WHEN rows.order_count = 1 THEN rows.amount END AS average_order,
                      NULL::float AS revenue_share,
                      profile.stage_id, profile.vip_tier_id, profile.rfm_group_id,
                      LPAD(ranked.tenth::text, 2, '0') AS tenth,
                      profile.first_touch_id, profile.first_source_id, profile.first_medium_id,
                      profile.first_campaign_id,
                      touch.touchpoint_id AS last_touch_id, touch.source_id AS last_source_id,
                      touch.medium_id AS last_medium_id, touch.campaign_id AS last_campaign_id
                 FROM (SELECT partner_id, day, source_id, res_id, amount, value, by_share,
                              CASE WHEN SUM(amount) OVER (PARTITION BY partner_id, day) > 0
                                    AND ROW_NUMBER() OVER (
                                            PARTITION BY partner_id, day
                                            ORDER BY amount DESC, source_id, res_id) = 1
                                   THEN 1 ELSE 0 END AS order_count
                         FROM (%(rows)s) documents
                        WHERE day <= %(today)s) rows
                 LEFT JOIN lifecycle_profile profile
                   ON profile.partner_id = rows.partner_id AND profile.company_id = %(company)s
                 LEFT JOIN res_partner customer ON customer.id = rows.partner_id
                 LEFT JOIN lifecycle_order_touch touch
                   ON touch.profile_id = profile.id AND touch.date = rows.day
                 LEFT JOIN (SELECT id, NTILE(10) OVER (ORDER BY MAX(revenue) DESC, id) AS tenth
                              FROM lifecycle_profile
                             WHERE company_id = %(company)s AND order_count > 0
                             GROUP BY id) ranked
                   ON ranked.id = profile.id""",
            id=row_id("rows.source_id", "rows.res_id", "rows.partner_id", "rows.day"),
            company=company.id,
            currency=company.currency_id.id,
            rows=facts._rows_sql(company),
            today=company._lifecycle_today(),
        )

    def _search(self, domain, *args, **kwargs):
        few = {"id", "partner_id", "profile_id"} & {
            condition.field_expr.split(".")[0] for condition in Domain(domain).iter_conditions()
        }
        plan_for_all(self.env.cr, few=bool(few))
        return super()._search(domain, *args, **kwargs)

    # ----- WHAT THE CUSTOMER WAS -----

    def _field_to_sql(self, alias, field_expr, query=None):
        """Join the stages of the past where they are asked for: only ranges of days know them."""
        if field_expr != "stage_then_id":
            return super()._field_to_sql(alias, field_expr, query)
        stay = query.make_alias(alias, "stay")
        query.add_join(
            "LEFT JOIN",
            stay,
            SQL("(%s)", self._stays_sql()),
            SQL(
                "%(stay)s = %(profile)s AND %(day)s > %(begins)s AND %(day)s <= %(ends)s",
                stay=SQL.identifier(stay, "profile_id"),
                profile=SQL.identifier(alias, "profile_id"),
                day=SQL.identifier(alias, "date"),
                begins=SQL.identifier(stay, "begins"),
                ends=SQL.identifier(stay, "ends"),
            ),
        )
        return SQL.identifier(stay, "stage_id")

    @api.model
    def _stays_sql(self):
        """SELECT (profile_id, stage_id, begins, ends) of all stays in a stage.

        A stay covers the days after it began up to the one that ended it, so that each day
        belongs to the one stage in which it began.
        """
        return SQL(
            """SELECT profile_id, to_stage_id AS stage_id, date AS begins,
                      COALESCE(LEAD(date) OVER (PARTITION BY profile_id ORDER BY date, number),
                               'infinity'::date) AS ends
                 FROM lifecycle_transition WHERE kind = 'stage'"""
        )

    # ----- SUMMING UP -----

    def _read_group_select(self, aggregate_spec, query):
        if aggregate_spec == "average_order:avg":
            return SQL(
                "SUM(%s) / NULLIF(SUM(%s), 0)",
                self._field_to_sql(self._table, "amount", query),
                self._field_to_sql(self._table, "order_count", query),
            )
        if aggregate_spec == "revenue_share:sum":
            amount = SQL("SUM(%s)", self._field_to_sql(self._table, "amount", query))
            return SQL("(%s / NULLIF(SUM(%s) OVER (), 0))::float", amount, amount)
        return super()._read_group_select(aggregate_spec, query)

    @api.model
    def _read_grouping_sets(self, domain, grouping_sets, aggregates=(), order=None):
        """Shares of a pivot table: each way of grouping has the whole to itself."""
        if "revenue_share:sum" not in aggregates:
            return super()._read_grouping_sets(domain, grouping_sets, aggregates, order)
        asked = list(aggregates)
        known = [spec for spec in asked if spec != "revenue_share:sum"]
        if "amount:sum" not in known:
            known.append("amount:sum")
        results = super()._read_grouping_sets(domain, grouping_sets, known, order)
        shared = []
        for groupby, rows in zip(grouping_sets, results, strict=True):
            amounts = [row[len(groupby) + known.index("amount:sum")] or 0 for row in rows]
            total = sum(amounts)
            shared.append(
                [
                    (
                        *row[: len(groupby)],
                        *(
                            (amount / total if total else False)
                            if spec == "revenue_share:sum"
                            else row[len(groupby) + known.index(spec)]
                            for spec in asked
                        ),
                    )
                    for row, amount in zip(rows, amounts, strict=True)
                ]
            )
        return shared

    def _document_model(self):
        # sudo: where purchases come from is no secret
        return self.source_id.sudo()._document_model()
