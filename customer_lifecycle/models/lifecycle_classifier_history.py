from odoo import api, models
from odoo.tools import SQL

#: columns of the shadow profiles that are known of the past, besides the state
REPLAYED = (
    "order_count",
    "first_order_date",
    "last_order_date",
    "revenue",
    "clv_historical",
    "average_order_value",
    "order_interval",
    "rhythm",
)


class LifecycleClassifier(models.AbstractModel):
    """Stages of the past, so that nobody starts with a history of no days.

    A temporary table shadows the profiles and holds the histories as they were at a month's
    end, so that past and present are judged by the same SQL. It is written anew for each month:
    rows updated in one transaction stay behind dead, and every later month would read them all
    again. Predictions of the past are not known: rules must not depend on them alone.
    """

    # a file for each subject of this large model
    _inherit = "lifecycle.classifier"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _reconstruct(self, company, today):
        """Replay the stages month by month over the company's purchase history.

        :return: number of reconstructed transitions
        """
        self.env.flush_all()
        cr = self.env.cr
        cr.execute("SET LOCAL jit = off")
        cr.execute("SET LOCAL work_mem = '256MB'")
        self._sum_up_months(company, today)
        self._make_shadow()
        cr.execute(
            "CREATE TEMPORARY TABLE lifecycle_moves (id integer, to_id integer, "
            "last_order_date date)"
        )
        cr.execute(
            "CREATE TEMPORARY TABLE lifecycle_past (id integer, until date, from_id integer, "
            "to_id integer, date date, since date, why jsonb)"
        )
        before = None
        for after, month_end in self._month_ends(today):
            self._replay_month(company, before, month_end)
            self._find_moves(company, month_end)
            cr.execute(
                SQL(
                    """INSERT INTO lifecycle_past
                       SELECT id, %s, from_id, to_id, %s, since, why FROM lifecycle_moves moves""",
                    month_end,
                    self._move_date(after, month_end),
                )
            )
            before = after, month_end
        count = self._write_past(before)
        cr.execute(
            "DROP TABLE pg_temp.lifecycle_profile, pg_temp.lifecycle_months, "
            "pg_temp.lifecycle_moves, pg_temp.lifecycle_past"
        )
        return count

    @api.model
    def _sum_up_months(self, company, today):
        """Temporary table ``lifecycle_months``: what was known at the end of each month in which
        a customer's purchases changed, from his first purchase on."""
        model = self.env["lifecycle.clv.model"]._current(company)
        self.env.cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_months AS
                   SELECT profile.id, months.partner_id, profile.currency_id, month,
                          order_count, first_order_date, last_order_date, revenue,
                          clv_historical, revenue / order_count AS average_order_value,
                          CASE WHEN order_count > 1 THEN ROUND(
                              (last_order_date - first_order_date)::numeric
                              / (order_count - 1), 1) END AS order_interval,
                          %(rhythm)s AS rhythm
                     FROM (SELECT partner_id, month,
                                  (SUM(orders) OVER past)::integer AS order_count,
                                  MIN(first) OVER past AS first_order_date,
                                  MAX(last) OVER past AS last_order_date,
                                  SUM(amount) OVER past AS revenue,
                                  SUM(value) OVER past AS clv_historical
                             FROM (SELECT partner_id, date_trunc('month', day)::date AS month,
                                          COUNT(*) FILTER (WHERE amount > 0) AS orders,
                                          MIN(day) FILTER (WHERE amount > 0) AS first,
                                          MAX(day) FILTER (WHERE amount > 0) AS last,
                                          SUM(amount) AS amount, SUM(value) AS value
                                     FROM (SELECT partner_id, day, SUM(amount) AS amount,
                                                  SUM(value) AS value
                                             FROM (SELECT * FROM (%(rows)s) purchases
                                                    WHERE day <= %(today)s
                                                    ORDER BY partner_id, day) sorted
                                            GROUP BY partner_id, day) days
                                    GROUP BY 1, 2) sums
                           WINDOW past AS (PARTITION BY partner_id ORDER BY month)) months
                     JOIN (SELECT id, partner_id, currency_id FROM public.lifecycle_profile
                            WHERE company_id = %(company)s AND active
                              AND order_count > 0) profile
                       ON profile.partner_id = months.partner_id
                    WHERE order_count > 0
                    ORDER BY month""",
                rhythm=self._rhythm_sql(model),
                rows=self.env["lifecycle.revenue.source"]._rows_sql(company),
                today=today,
                company=company.id,
            )
        )
        self.env.cr.execute("CREATE INDEX ON lifecycle_months (month)")
        self.env.cr.execute("ANALYZE lifecycle_months")

    @api.model
    def _month_ends(self, today):
        """Pairs (day before, last day) of the months with purchases, this month until today."""
        self.env.cr.execute(
            SQL(
                """SELECT (month - INTERVAL '1 day')::date,
                          LEAST((month + INTERVAL '1 month' - INTERVAL '1 day')::date, %(today)s)
                     FROM generate_series((SELECT MIN(month) FROM lifecycle_months),
                                          date_trunc('month', %(today)s::date),
                                          INTERVAL '1 month') month""",
                today=today,
            )
        )
        return self.env.cr.fetchall()

    @api.model
    def _move_date(self, after, month_end):
        """What an order of the month caused began on its day, all else at the month's end."""
        return SQL(
            "CASE WHEN moves.last_order_date > %s THEN moves.last_order_date ELSE %s END",
            after,
            month_end,
        )

    @api.model
    def _make_shadow(self):
        """An empty table of profiles that hides the real one from this session's SQL."""
        self.env.cr.execute(
            "CREATE TEMPORARY TABLE lifecycle_profile (LIKE public.lifecycle_profile)"
        )

    @api.model
    def _replay_month(self, company, before, month_end):
        """Write the shadow profiles as they were at a month's end, before their stage is judged.

        :param before: (day before, last day) of the month before, whose moves are not applied yet
        """
        cr = self.env.cr
        cr.execute("ALTER TABLE pg_temp.lifecycle_profile RENAME TO lifecycle_former")
        self._make_shadow()
        cr.execute(
            SQL(
                """INSERT INTO pg_temp.lifecycle_profile
                         (id, partner_id, company_id, currency_id, active, predicted,
                          stage_manual, open_opportunity_count, open_quotation_count,
                          stage_id, stage_date, %(columns)s)
                   SELECT COALESCE(former.id, month.id),
                          COALESCE(former.partner_id, month.partner_id), %(company)s,
                          COALESCE(former.currency_id, month.currency_id), TRUE, FALSE,
                          FALSE, 0, 0,
                          CASE WHEN moves.id IS NULL THEN former.stage_id ELSE moves.to_id END,
                          CASE WHEN moves.id IS NULL THEN former.stage_date ELSE %(moved)s END,
                          %(values)s
                     FROM lifecycle_former former
                     FULL JOIN (SELECT * FROM lifecycle_months WHERE month = %(month)s) month
                       ON month.id = former.id
                     LEFT JOIN lifecycle_moves moves ON moves.id = former.id""",
                company=company.id,
                columns=SQL(", ").join(SQL.identifier(name) for name in REPLAYED),
                moved=self._move_date(*before) if before else SQL("NULL::date"),
                values=SQL(", ").join(
                    SQL(
                        "CASE WHEN month.id IS NULL THEN %s ELSE %s END",
                        SQL.identifier("former", name),
                        SQL.identifier("month", name),
                    )
                    for name in REPLAYED
                ),
                month=month_end.replace(day=1),
            )
        )
        cr.execute("DROP TABLE pg_temp.lifecycle_former")

    @api.model
    def _write_past(self, last):
        """Record all moves, each customer's in a row, and the stage they led to.

        :param last: (day before, last day) of the last month, or None without any
        :return: number of moves
        """
        if not last:
            return 0
        cr = self.env.cr
        cr.execute(
            SQL(
                """INSERT INTO lifecycle_transition
                         (profile_id, kind, number, from_stage_id, to_stage_id, date, cause, why,
                          days_before, create_date, write_date)
                   SELECT id, 'stage', ROW_NUMBER() OVER (PARTITION BY id ORDER BY until),
                          from_id, to_id, date, 'reconstructed', why, date - since,
                          %(now)s, %(now)s
                     FROM lifecycle_past
                   ON CONFLICT DO NOTHING""",
                now=cr.now(),
            )
        )
        count = cr.rowcount
        cr.execute(
            SQL(
                """UPDATE public.lifecycle_profile profile
                      SET stage_id = COALESCE(moves.to_id, past.stage_id),
                          stage_date = CASE WHEN moves.id IS NULL THEN past.stage_date
                                            ELSE %s END
                     FROM pg_temp.lifecycle_profile past
                     LEFT JOIN lifecycle_moves moves ON moves.id = past.id
                    WHERE past.id = profile.id""",
                self._move_date(*last),
            )
        )
        return count
