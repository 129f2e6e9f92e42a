"""Builds the SQL behind the report on getting and keeping customers.

In: profiles, spending, moves to lost stages and purchases of the current company. Out: one SELECT
by month and channel, on demand with unassigned money shared out, and the sums over purchases that
are kept for large companies. Called by the report's model and by those kept sums.
"""

from odoo import api, models
from odoo.tools import SQL

from ...tools.sql import row_id
from .economics import CHANNEL, OPTIONAL, RATIOS, SUMS

FIRST_TOUCH = ("first_source_id", "first_medium_id", "first_campaign_id")


class LifecycleEconomics(models.Model):
    """The rows of the report: from profiles, purchases, transitions and spending."""

    # a file for each subject of this large model
    _inherit = "lifecycle.economics"  # pylint: disable=consider-merging-classes-inherited

    # ----- ROWS -----

    @property
    def _table_query(self):
        """One row for each month and channel of the current company.

        The context key ``lifecycle_share_out`` shares money without a channel out among the
        customers of its month.
        """
        company = self.env.company.sudo()
        names = SQL(", ").join(SQL.identifier(name) for name in (*SUMS, "curve"))
        columns = SQL(", ").join(
            # counted, but summed up as numeric
            SQL("%s::integer AS %s", SQL.identifier(name), SQL.identifier(name))
            if name.endswith("_customers")
            else SQL.identifier(name)
            for name in (*SUMS, "curve")
        )
        shared = bool(self.env.context.get("lifecycle_share_out"))
        return SQL(
            """SELECT %(id)s, month, %(company)s AS company_id, %(currency)s AS currency_id,
                      source_id, medium_id, campaign_id, %(columns)s, value_before,
                      %(ratios)s,
                      %(payback)s AS payback_months
                 FROM (SELECT *, earned + expected + COALESCE(getting_back, 0) AS value_before
                         FROM (%(rows)s) summed) found
                GROUP BY month, source_id, medium_id, campaign_id, %(names)s, value_before""",
            id=row_id(
                "month",
                *(f"COALESCE({name}, 0)" for name in ("source_id", "medium_id", "campaign_id")),
            ),
            company=company.id,
            currency=company.currency_id.id,
            names=names,
            columns=columns,
            ratios=SQL(", ").join(
                SQL(
                    "%s AS %s",
                    self._ratio_sql(name, *(SQL.identifier(column) for column in columns)),
                    SQL.identifier(name),
                )
                for name, columns in RATIOS.items()
            ),
            payback=self._payback_sql(SQL("getting"), SQL("getting_back"), SQL("curve")),
            rows=self._shared_sql(company) if shared else self._rows_sql(company),
        )

    @api.model
    def _shared_sql(self, company):
        """Rows in which money without a channel is shared out within its month.

        Each new customer of the month gets the same part of what getting cost, each active one of
        what keeping cost. Where there is nobody to share among it stays without a channel.
        """
        without = SQL("num_nonnulls(source_id, medium_id, campaign_id) = 0")

        def share(name, among):
            return SQL(
                """(CASE WHEN SUM(%(among)s) OVER months > 0
                         THEN NULLIF(CASE WHEN %(without)s THEN 0
                                          ELSE COALESCE(%(name)s, 0) END
                              + COALESCE(SUM(%(name)s) FILTER (WHERE %(without)s) OVER months, 0)
                                * %(among)s / SUM(%(among)s) OVER months, 0)
                         ELSE %(name)s END) AS %(name)s""",
                name=SQL.identifier(name),
                among=SQL.identifier(among),
                without=without,
            )

        changed = {
            "getting": "new_customers",
            "getting_back": "new_customers",
            "keeping": "active_customers",
        }
        return SQL(
            """SELECT month, source_id, medium_id, campaign_id, %(kept)s, %(shared)s, curve
                 FROM (%(rows)s) unshared
               WINDOW months AS (PARTITION BY month)""",
            kept=SQL(", ").join(
                SQL.identifier(name) for name in SUMS if name not in changed
            ),
            shared=SQL(", ").join(share(name, among) for name, among in changed.items()),
            rows=self._rows_sql(company),
        )

    @api.model
    def _rows_sql(self, company):
        """Sums by month and channel, from profiles, purchases, transitions and spending."""
        selects = [
            self._new_customers_sql(company),
            self._spending_sql(company),
            self._lost_sql(company),
            *self._purchases_sql(),
        ]
        return SQL(
            """WITH lifecycle_cube AS MATERIALIZED (%(cube)s)
               SELECT month, source_id, medium_id, campaign_id, %(sums)s,
                      -- one part has it, in one row for each month and channel
                      (array_agg(curve) FILTER (WHERE curve IS NOT NULL))[1] AS curve
                 FROM (%(selects)s) found
                GROUP BY month, source_id, medium_id, campaign_id""",
            cube=self.env["lifecycle.economics.cube"].sudo()._sql(company),
            sums=SQL(", ").join(
                SQL("SUM(%s) AS %s", SQL.identifier(name), SQL.identifier(name))
                for name in SUMS
            ),
            selects=SQL(" UNION ALL ").join(selects),
        )

    @api.model
    def _part_sql(self, rows, month, channel=FIRST_TOUCH, curve=None, **sums):
        """SELECT by month and channel of a part of the report; sums that it lacks are 0.

        :param rows: SQL of what follows FROM
        :param month: SQL of a date in the month
        :param channel: columns with the source, the medium and the campaign
        """
        return SQL(
            "SELECT date_trunc('month', (%s)::timestamp)::date AS month, %s, %s, %s AS curve "
            "FROM %s GROUP BY 1, 2, 3, 4",
            month,
            SQL(", ").join(
                SQL("%s AS %s", SQL.identifier(column), SQL.identifier(name))
                for column, name in zip(channel, CHANNEL, strict=True)
            ),
            SQL(", ").join(
                SQL(
                    "%s AS %s",
                    sums.get(name, SQL("%s::numeric", None if name in OPTIONAL else 0)),
                    SQL.identifier(name),
                )
                for name in SUMS
            ),
            curve or SQL("NULL::jsonb"),
            rows,
        )

    @api.model
    def _new_customers_sql(self, company):
        return self._part_sql(
            SQL(
                "lifecycle_profile WHERE company_id = %s AND active AND first_order_date <= %s",
                company.id,
                company._lifecycle_today(),
            ),
            SQL("first_order_date"),
            new_customers=SQL("COUNT(*)"),
            earned=SQL("SUM(COALESCE(clv_historical, 0))"),
            expected=SQL("SUM(COALESCE(clv_predicted, 0))"),
        )

    @api.model
    def _spending_sql(self, company):
        # a discount has lowered the value by itself, or by the share that is value
        part = company.lifecycle_margin_percent / 100 if company.lifecycle_value == "percent" else 1
        return self._part_sql(
            SQL("(%s) spent", self.env["lifecycle.spending.line"]._rows_sql(company)),
            SQL("date"),
            CHANNEL,
            getting=SQL("NULLIF(SUM(getting), 0)"),
            keeping=SQL("NULLIF(SUM(keeping), 0)"),
            getting_back=SQL("SUM(getting) FILTER (WHERE kind = 'reward') * %s::numeric", part),
        )

    @api.model
    def _lost_sql(self, company):
        """Who came to a lost stage; what a changed rule or the first look moved was no loss."""
        return self._part_sql(
            SQL(
                """lifecycle_transition moved
                   JOIN lifecycle_stage lost ON lost.id = moved.to_stage_id AND lost.is_lost
                   JOIN lifecycle_profile profile ON profile.id = moved.profile_id
                   LEFT JOIN lifecycle_stage before ON before.id = moved.from_stage_id
                  WHERE profile.company_id = %s AND profile.active AND moved.kind = 'stage'
                    AND moved.cause IN ('rule', 'person', 'reconstructed')
                    AND before.is_lost IS NOT TRUE AND moved.date <= %s""",
                company.id,
                company._lifecycle_today(),
            ),
            SQL("moved.date"),
            lost_customers=SQL("COUNT(*)"),
        )

    @api.model
    def _cube_sql(self, company, complete=False):
        """Purchases by month, month of the first order and channel: one pass over them all.

        Each customer's months are summed up as floating point numbers, which need a tenth of the
        memory; to the cent they are right.
        """
        return SQL(
            """SELECT month, cohort, first_source_id, first_medium_id, first_campaign_id,
                      COUNT(*) FILTER (WHERE bought) AS active_count,
                      ROUND(SUM(repeated)::numeric, %(digits)s) AS repeated,
                      ROUND(SUM(value)::numeric, %(digits)s) AS value
                 FROM (SELECT date_trunc('month', bought.day::timestamp)::date AS month,
                              date_trunc('month', profile.first_order_date::timestamp)::date
                                  AS cohort,
                              profile.first_source_id, profile.first_medium_id,
                              profile.first_campaign_id,
                              BOOL_OR(bought.amount > 0) AS bought,
                              SUM(CASE WHEN bought.day > profile.first_order_date
                                       THEN bought.amount::float8 ELSE 0 END) AS repeated,
                              SUM(bought.value::float8) AS value
                         FROM (%(rows)s) bought
                         JOIN lifecycle_profile profile
                           ON profile.partner_id = bought.partner_id
                          AND profile.company_id = %(company)s
                        WHERE bought.day <= %(today)s AND profile.first_order_date IS NOT NULL
                        GROUP BY profile.id, 1) by_customer
                GROUP BY 1, 2, 3, 4, 5""",
            rows=self.env["lifecycle.purchase.fact"]._rows_sql(company, complete=complete),
            digits=company.currency_id.decimal_places,
            company=company.id,
            today=company._lifecycle_today(),
        )

    @api.model
    def _purchases_sql(self):
        """Parts of the report that come from the cube: the months' orders, the cohorts' value."""
        age = SQL(
            "GREATEST(0, 12 * (EXTRACT(YEAR FROM month) - EXTRACT(YEAR FROM cohort))"
            " + EXTRACT(MONTH FROM month) - EXTRACT(MONTH FROM cohort))::integer"
        )
        by_age = SQL(
            """(SELECT cohort, first_source_id, first_medium_id, first_campaign_id, %s AS age,
                       SUM(value) AS value
                  FROM lifecycle_cube GROUP BY 1, 2, 3, 4, 5) by_age""",
            age,
        )
        return [
            self._part_sql(
                SQL("lifecycle_cube"),
                SQL("month"),
                active_customers=SQL("SUM(active_count)"),
                repeat_revenue=SQL("SUM(repeated)"),
            ),
            self._part_sql(
                by_age, SQL("cohort"), curve=SQL("jsonb_object_agg(age, value)")
            ),
        ]
