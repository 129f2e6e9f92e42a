"""Measuring a company's buyers by fifths, and scoring customers by the result.

In: last order, number of orders and mean order of all profiles. Out: one row of boundaries a day
and the scores as SQL. Made by the classifier when it looks at everybody, and taken as it stands
for a few; read by RFM groups and the profile's note.
"""

from odoo import api, fields, models
from odoo.tools import SQL

from .rfm_group import MEASURES, SCORED_BUYERS

#: profile column that each measure looks at: the monetary value is the mean value of an order,
#: as in Fader, Hardie and Lee (2005), RFM and CLV: the total repeats what frequency says
COLUMNS = dict(
    zip(MEASURES, ("last_order_date", "order_count", "average_order_value"), strict=True)
)
#: days that former scales are kept for
KEPT_DAYS = 400


class LifecycleRfmScale(models.Model):
    """The boundaries between the fifths of one company's buyers, as of one day.

    A buyer's score is one more than the number of boundaries he is above: the k-th boundary is
    the smallest value that at least k fifths of the buyers do not exceed. Equal values get equal
    scores, so that a fifth may be larger than a fifth. A few refreshed customers are scored by
    the stored boundaries and so agree with the nightly run.
    """

    _name = "lifecycle.rfm.scale"
    _description = "RFM Scale"
    _order = "as_of desc, id desc"
    _rec_name = "as_of"

    company_id = fields.Many2one("res.company", required=True, ondelete="cascade", readonly=True)
    as_of = fields.Date(required=True, readonly=True)
    buyer_count = fields.Integer(string="Buyers", readonly=True)
    recency = fields.Json(readonly=True, help="Four dates of the last order.")
    frequency = fields.Json(readonly=True, help="Four numbers of orders.")
    monetary = fields.Json(
        readonly=True, help="Four mean values of an order, as text: they are compared exactly."
    )
    method = fields.Selection(
        [("scores", "Scores from 1 to 5"), ("plain", "Fixed thresholds")],
        compute="_compute_method",
    )

    _company_day_unique = models.UniqueIndex(
        "(company_id, as_of DESC)", "A company has one RFM scale a day."
    )

    @api.depends("buyer_count")
    def _compute_method(self):
        for scale in self:
            scale.method = "scores" if scale.buyer_count >= SCORED_BUYERS else "plain"

    @api.model
    def _current(self, company):
        """The newest scale of a company; empty before its first run."""
        return self.search([("company_id", "=", company.id)], limit=1)

    @api.model
    def _update(self, company, today):
        """Measure a company's buyers anew.

        :return: the scale as of today
        """
        self.flush_model()
        # work in memory: as many different mean values as buyers are possible
        self.env.cr.execute("SET LOCAL work_mem = '256MB'")
        # one pass over the buyers, grouped three ways
        rows = self.env.execute_query(
            SQL(
                """WITH counts AS (
                       SELECT CASE WHEN GROUPING(last_order_date) = 0 THEN 'recency'
                                   WHEN GROUPING(order_count) = 0 THEN 'frequency'
                                   ELSE 'monetary' END AS measure,
                              last_order_date, order_count, average_order_value,
                              COUNT(*) AS number
                         FROM lifecycle_profile
                        WHERE company_id = %s AND active AND order_count > 0
                        GROUP BY GROUPING SETS (
                              (last_order_date), (order_count), (average_order_value))),
                   shares AS (
                       SELECT measure, number,
                              COALESCE(last_order_date::text, order_count::text,
                                       average_order_value::text) AS value,
                              (SUM(number) OVER (
                                  PARTITION BY measure
                                  ORDER BY last_order_date, order_count, average_order_value
                              ))::bigint AS reached,
                              (SUM(number) OVER (PARTITION BY measure))::bigint AS buyers
                         FROM counts)
                   SELECT measure, MAX(buyers), array_agg(value ORDER BY reached),
                          array_agg(5 * reached / buyers ORDER BY reached)
                     FROM shares
                    WHERE 5 * reached / buyers > 5 * (reached - number) / buyers
                    GROUP BY measure""",
                company.id,
            )
        )
        count = rows[0][1] if rows else 0
        values = {"buyer_count": count}
        if count >= SCORED_BUYERS:
            for measure, _count, boundaries, fifths in rows:
                # the k-th boundary is the first value whose share reaches k fifths
                values[measure] = [
                    next(
                        value
                        for value, reached in zip(boundaries, fifths, strict=True)
                        if reached >= k
                    )
                    for k in range(1, 5)
                ]
        scale = self.search([("company_id", "=", company.id), ("as_of", "=", today)])
        if scale:
            scale.write(values)
            return scale
        return self.create({"company_id": company.id, "as_of": today, **values})

    def _score_sql(self):
        """SQL expressions of the recency, frequency and monetary score of a profile's columns."""
        self.ensure_one()
        types = {"recency": "date", "frequency": "integer", "monetary": "numeric"}
        return [
            SQL(
                "(1 + %s)",
                SQL(" + ").join(
                    SQL("(%s > %s::%s)::integer", SQL.identifier(column), value, SQL(types[name]))
                    for value in self[name]
                ),
            )
            for name, column in COLUMNS.items()
        ]

    @api.autovacuum
    def _gc_scales(self):
        """Forget scales older than a year; the newest of each company stays."""
        limit = fields.Date.subtract(fields.Date.today(), days=KEPT_DAYS)
        newest = [
            scale_id
            for _company, scale_id in self._read_group([], ["company_id"], ["id:max"])
        ]
        self.search([("as_of", "<", limit), ("id", "not in", newest)]).unlink()
