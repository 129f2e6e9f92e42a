"""The course of a segment by month, added up from who joined and who left.

In: the monthly counts of joins and leaves. Out: rows without gaps up to the present month, for
the graph and pivot of a segment and the small chart on its card.
"""

from odoo import api, fields, models
from odoo.tools import SQL


class LifecycleSegmentMonth(models.Model):
    """Members of a segment at each month's end, and who joined and left in it."""

    _name = "lifecycle.segment.month"
    _description = "Segment Members by Month"
    _auto = False
    _order = "month desc, segment_id"
    _rec_name = "segment_id"

    segment_id = fields.Many2one("lifecycle.segment", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    month = fields.Date(readonly=True, help="First day of the month.")
    member_count = fields.Integer(string="Members", readonly=True)
    joined_count = fields.Integer(string="Joined", readonly=True)
    left_count = fields.Integer(string="Left", readonly=True)

    @property
    @api.model
    def _table_query(self):
        return SQL(
            """WITH moves AS (SELECT * FROM lifecycle_segment_flow),
               months AS (
                   SELECT segment_id, company_id, month::date AS month
                     FROM (SELECT segment_id, company_id, MIN(month) AS first
                             FROM moves GROUP BY 1, 2) began
                    CROSS JOIN LATERAL generate_series(
                          began.first::timestamp, %s::timestamp, INTERVAL '1 month') month)
               SELECT (segment_id::bigint * 1000000 + company_id) * 10000
                      + EXTRACT(YEAR FROM month)::bigint * 12
                      + EXTRACT(MONTH FROM month)::bigint - 23000 AS id,
                      segment_id, company_id, month,
                      (SUM(COALESCE(joined_count, 0) - COALESCE(left_count, 0))
                       OVER (PARTITION BY segment_id, company_id ORDER BY month))::integer
                      AS member_count,
                      COALESCE(joined_count, 0)::integer AS joined_count,
                      COALESCE(left_count, 0)::integer AS left_count
                 FROM months LEFT JOIN moves USING (segment_id, company_id, month)""",
            fields.Date.today().replace(day=1),
        )
