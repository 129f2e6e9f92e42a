from odoo import api, models
from odoo.tools import SQL


class LifecycleClassifier(models.AbstractModel):
    """Stages of the past, so that nobody starts with a history of no days."""

    # a file for each subject of this large model
    _inherit = "lifecycle.classifier"  # pylint: disable=consider-merging-classes-inherited

    # ----- HISTORY ON DAY ONE -----

    @api.model
    def _reconstruct(self, company, today):
        """Replay the stages month by month over the company's purchase history.

        The rules see the histories as they were at each month's end. A temporary table that
        shadows the profiles holds them, so that past and present are judged by the same SQL.
        Predictions of the past are not known: rules must not depend on them alone.

        :return: number of reconstructed transitions
        """
        self.env.flush_all()
        cr = self.env.cr
        cr.execute("SET LOCAL jit = off")
        cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_days AS
                   SELECT partner_id, day, SUM(amount) AS amount, SUM(value) AS value
                     FROM (%s) purchases WHERE day <= %s
                    GROUP BY partner_id, day""",
                self.env["lifecycle.revenue.source"]._rows_sql(company),
                today,
            )
        )
        cr.execute("CREATE INDEX ON lifecycle_days (day)")
        cr.execute("ANALYZE lifecycle_days")
        cr.execute(
            "CREATE TEMPORARY TABLE lifecycle_profile (LIKE public.lifecycle_profile "
            "INCLUDING DEFAULTS)"
        )
        cr.execute(
            SQL(
                """INSERT INTO lifecycle_profile
                         (id, partner_id, company_id, currency_id, active, predicted,
                          order_count, revenue, clv_historical, stage_manual,
                          open_opportunity_count, open_quotation_count)
                   SELECT id, partner_id, company_id, currency_id, FALSE, FALSE, 0, 0, 0, FALSE,
                          0, 0
                     FROM public.lifecycle_profile
                    WHERE company_id = %s AND active AND order_count > 0""",
                company.id,
            )
        )
        cr.execute("CREATE UNIQUE INDEX ON lifecycle_profile (partner_id)")
        count = 0
        for after, month_end in self._month_ends(today):
            self._replay_month(company, after, month_end)
            self._find_moves(company, month_end)
            cr.execute("SELECT COUNT(*) FROM lifecycle_moves")
            count += cr.fetchone()[0]
            self._apply_moves(month_end, after)
            self._record_moves("stage", "reconstructed")
            cr.execute("DROP TABLE pg_temp.lifecycle_moves")
        cr.execute(
            """UPDATE public.lifecycle_profile profile
                  SET stage_id = past.stage_id, stage_date = past.stage_date
                 FROM pg_temp.lifecycle_profile past
                WHERE past.id = profile.id AND past.stage_id IS NOT NULL"""
        )
        cr.execute("DROP TABLE pg_temp.lifecycle_profile, pg_temp.lifecycle_days")
        return count

    @api.model
    def _month_ends(self, today):
        """Pairs (day before, last day) of the months with purchases, this month until today."""
        self.env.cr.execute(
            SQL(
                """SELECT (month - INTERVAL '1 day')::date,
                          LEAST((month + INTERVAL '1 month' - INTERVAL '1 day')::date, %(today)s)
                     FROM generate_series(
                        (SELECT date_trunc('month', MIN(day)) FROM lifecycle_days),
                        date_trunc('month', %(today)s::date),
                        INTERVAL '1 month') month""",
                today=today,
            )
        )
        return self.env.cr.fetchall()

    @api.model
    def _replay_month(self, company, after, month_end):
        """Add a month's purchases to the shadow profiles."""
        model = self.env["lifecycle.clv.model"]._current(company)
        self.env.cr.execute(
            SQL(
                """UPDATE lifecycle_profile profile
                      SET active = TRUE,
                          order_count = profile.order_count + month.orders,
                          first_order_date = COALESCE(profile.first_order_date, month.first),
                          last_order_date = COALESCE(month.last, profile.last_order_date),
                          revenue = profile.revenue + month.amount,
                          clv_historical = profile.clv_historical + month.value
                     FROM (SELECT partner_id, COUNT(*) FILTER (WHERE amount > 0) AS orders,
                                  MIN(day) FILTER (WHERE amount > 0) AS first,
                                  MAX(day) FILTER (WHERE amount > 0) AS last,
                                  SUM(amount) AS amount, SUM(value) AS value
                             FROM lifecycle_days WHERE day > %s AND day <= %s
                            GROUP BY partner_id) month
                    WHERE month.partner_id = profile.partner_id
                      AND (month.orders > 0 OR profile.order_count > 0)""",
                after,
                month_end,
            )
        )
        self.env.cr.execute(
            SQL(
                """UPDATE lifecycle_profile
                      SET order_interval = CASE WHEN order_count > 1 THEN ROUND(
                              (last_order_date - first_order_date)::numeric
                              / (order_count - 1), 1) END,
                          average_order_value = revenue / order_count,
                          rhythm = %s
                    WHERE last_order_date > %s""",
                self._rhythm_sql(model),
                after,
            )
        )
