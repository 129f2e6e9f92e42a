"""How long customers usually stay in each stage, and how many of them order again.

In: the transitions, present stays and purchases of one company. Out: a row by stage and company.
Computed by the run's last step once a week; read by the stage's form, the profile's pace and
the bands of a customer's journey; the journey map takes its medians from the same method.
"""

import math

import numpy as np

from odoo import api, fields, models
from odoo.tools import SQL

from ... import kernel
from ...tools.sampling import in_sample, sample_rate

#: statistics older than this are computed anew by the next nightly run
STATISTIC_DAYS = 7
#: customers whose past is looked at for the reorder rates; more change no visible figure
REORDER_SAMPLE = 50_000
#: windows in which a member of a stage may order again
REORDER_DAYS = (100, 365)


class LifecycleStageStatistic(models.Model):
    """What staying in a stage has meant in one company: how long, and who ordered again."""

    _name = "lifecycle.stage.statistic"
    _description = "Life-Cycle Stage Statistics"
    _order = "company_id, stage_id"
    _rec_name = "stage_id"

    stage_id = fields.Many2one(
        "lifecycle.stage", required=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(
        "res.company", required=True, ondelete="cascade", readonly=True
    )
    as_of = fields.Date(readonly=True)
    stay_count = fields.Integer(string="Stays", readonly=True)
    quarter_days = fields.Float(string="A Quarter Leaves Within (days)", readonly=True)
    median_days = fields.Float(string="Half Leave Within (days)", readonly=True)
    three_quarter_days = fields.Float(
        string="Three Quarters Leave Within (days)", readonly=True
    )
    slow_days = fields.Float(string="Nine of Ten Leave Within (days)", readonly=True)
    usual = fields.Char(compute="_compute_usual")
    reorder_100 = fields.Float(
        string="Ordered Within 100 Days (%)",
        readonly=True,
        aggregator="avg",
        help="Of the members at the end of each past month, how many ordered in the 100 days "
        "after.",
    )
    reorder_100_count = fields.Integer(string="Observed for 100 Days", readonly=True)
    reorder_365 = fields.Float(
        string="Ordered Within 365 Days (%)", readonly=True, aggregator="avg"
    )
    reorder_365_count = fields.Integer(string="Observed for 365 Days", readonly=True)

    _stage_company_unique = models.Constraint(
        "UNIQUE (stage_id, company_id)", "One row of statistics for a stage in each company."
    )

    @api.depends_context("lang")
    @api.depends("quarter_days", "three_quarter_days", "stay_count")
    def _compute_usual(self):
        for statistic in self:
            low, high = statistic.quarter_days, statistic.three_quarter_days
            if not statistic.stay_count or not low:
                statistic.usual = False
            elif not high:
                statistic.usual = self.env._("usual: %s days or more", round(low))
            else:
                statistic.usual = self.env._(
                    "usual: %(low)s–%(high)s days", low=round(low), high=round(high)
                )

    @api.model
    def _is_due(self, company, today):
        """Whether a company's statistics are missing or a week old."""
        newest = self.search([("company_id", "=", company.id)], order="as_of desc", limit=1)
        return not newest or (today - newest.as_of).days >= STATISTIC_DAYS

    @api.model
    def _update(self, company, today):
        """Compute a company's statistics anew from its transitions and purchases."""
        self.env.flush_all()
        durations = self._durations(company, today)
        reorders = self._reorders(company, today)
        existing = {
            statistic.stage_id.id: statistic
            for statistic in self.search([("company_id", "=", company.id)])
        }
        for stage in self.env["lifecycle.stage"]._in_priority():
            values = {
                "as_of": today,
                **durations.get(stage.id, {"stay_count": 0}),
                **reorders.get(stage.id, {}),
            }
            if stage.id in existing:
                existing[stage.id].write(values)
            else:
                self.create({"stage_id": stage.id, "company_id": company.id, **values})

    @api.model
    def _durations(self, company, today):
        """Quartiles of the days in each stage; stays that go on count as censored."""
        rows = self.env.execute_query(
            SQL(
                """SELECT stage_id, days, ended, COUNT(*)
                     FROM (SELECT past.from_stage_id AS stage_id, past.days_before AS days,
                                  TRUE AS ended
                             FROM lifecycle_transition past
                             JOIN lifecycle_profile profile ON profile.id = past.profile_id
                            WHERE profile.company_id = %(company)s AND past.kind = 'stage'
                              AND past.from_stage_id IS NOT NULL
                            UNION ALL
                           SELECT stage_id, %(today)s - stage_date, FALSE
                             FROM lifecycle_profile
                            WHERE company_id = %(company)s AND active
                              AND stage_id IS NOT NULL) stays
                    WHERE days >= 0
                    GROUP BY stage_id, days, ended""",
                company=company.id,
                today=today,
            )
        )
        return self._quantiles(rows)

    @api.model
    def _quantiles(self, rows):
        """Number and quartiles of stays by stage; a quartile not reached yet is 0.

        :param rows: rows (stage id, days, whether the stay has ended, number of such stays)
        """
        result = {}
        for stage_id in {row[0] for row in rows}:
            days, ended, weight = (
                np.array(column)
                for column in zip(
                    *((row[1], row[2], row[3]) for row in rows if row[0] == stage_id),
                    strict=True,
                )
            )
            curve = kernel.kaplan_meier(days, ended, weight)
            quantiles = [
                kernel.survival_quantile(*curve, share) for share in (0.25, 0.5, 0.75, 0.9)
            ]
            names = ("quarter_days", "median_days", "three_quarter_days", "slow_days")
            result[stage_id] = {"stay_count": int(weight.sum())} | {
                name: 0 if math.isnan(value) else value
                for name, value in zip(names, quantiles, strict=True)
            }
        return result

    @api.model
    def _customer_count(self, company):
        return self.env.execute_query(
            SQL(
                "SELECT COUNT(*) FROM lifecycle_profile WHERE company_id = %s AND order_count > 0",
                company.id,
            )
        )[0][0]

    @api.model
    def _reorders(self, company, today):
        """Share of each stage's members at past months' ends who really ordered again.

        Only months' ends after which the whole window has passed count.
        """
        rate = sample_rate(self._customer_count(company), REORDER_SAMPLE)
        chosen = in_sample(SQL("partner_id"), rate)
        self.env.cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_days ON COMMIT DROP AS
                   SELECT partner_id, day
                     FROM (%s) purchases WHERE day <= %s AND %s
                    GROUP BY partner_id, day HAVING SUM(amount) > 0""",
                self.env["lifecycle.purchase.fact"]._rows_sql(company, complete=True),
                today,
                chosen,
            )
        )
        self.env.cr.execute("CREATE INDEX ON lifecycle_days (partner_id, day)")
        self.env.cr.execute("ANALYZE lifecycle_days")
        rows = self.env.execute_query(
            SQL(
                """WITH stays AS (
                       SELECT profile.partner_id, past.to_stage_id AS stage_id, past.date AS since,
                              LEAD(past.date) OVER (PARTITION BY past.profile_id
                                                    ORDER BY past.number) AS until
                         FROM lifecycle_transition past
                         JOIN lifecycle_profile profile ON profile.id = past.profile_id
                        WHERE profile.company_id = %(company)s AND past.kind = 'stage'
                          AND %(chosen)s),
                   samples AS (
                       SELECT stays.partner_id, stays.stage_id,
                              (month + INTERVAL '1 month' - INTERVAL '1 day')::date AS day
                         FROM stays
                         CROSS JOIN LATERAL generate_series(
                            date_trunc('month', stays.since::timestamp),
                            date_trunc('month', COALESCE(stays.until, %(today)s)::timestamp),
                            INTERVAL '1 month') month
                        WHERE (month + INTERVAL '1 month' - INTERVAL '1 day')::date
                              BETWEEN stays.since AND COALESCE(stays.until - 1, %(today)s))
                   SELECT samples.stage_id,
                          COUNT(*) FILTER (WHERE samples.day <= %(today)s - %(short)s),
                          COUNT(*) FILTER (WHERE samples.day <= %(today)s - %(short)s
                                             AND next.day <= samples.day + %(short)s),
                          COUNT(*) FILTER (WHERE samples.day <= %(today)s - %(long)s),
                          COUNT(*) FILTER (WHERE samples.day <= %(today)s - %(long)s
                                             AND next.day <= samples.day + %(long)s)
                     FROM samples
                     LEFT JOIN LATERAL (
                        SELECT MIN(bought.day) AS day FROM lifecycle_days bought
                         WHERE bought.partner_id = samples.partner_id
                           AND bought.day > samples.day) next ON TRUE
                    GROUP BY samples.stage_id""",
                company=company.id,
                chosen=chosen,
                today=today,
                short=REORDER_DAYS[0],
                long=REORDER_DAYS[1],
            )
        )
        self.env.cr.execute("DROP TABLE pg_temp.lifecycle_days")
        return {
            stage_id: {
                "reorder_100": 100 * short / seen_short if seen_short else 0,
                "reorder_100_count": seen_short,
                "reorder_365": 100 * long / seen_long if seen_long else 0,
                "reorder_365_count": seen_long,
            }
            for stage_id, seen_short, short, seen_long, long in rows
        }
