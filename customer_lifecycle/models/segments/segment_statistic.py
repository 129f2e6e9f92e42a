"""Counts kept for segments: members and value now, joined and left by month.

In: the members, and the temporary table of moves. Out: a row by segment and company, and one
more for each month. Written by the classifier with the moves themselves; read by the list of
segments and the months' ends.
"""

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.fields import OptionalMonetary


class LifecycleSegmentFigure(models.Model):
    """Members of a segment in one company and their value, as the last run found them.

    Counted while somebody waits, a million customers would keep a list of segments from opening.
    """

    _name = "lifecycle.segment.figure"
    _description = "Figures of a Segment"
    _log_access = False
    _rec_name = "segment_id"

    segment_id = fields.Many2one(
        "lifecycle.segment", required=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(
        "res.company", required=True, ondelete="cascade", readonly=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    member_count = fields.Integer(readonly=True)
    member_value = OptionalMonetary(readonly=True)

    _segment_company_unique = models.UniqueIndex("(segment_id, company_id)")

    @api.model
    def _count(self, company):
        """Count all members in a company anew."""
        self.env.cr.execute(
            SQL(
                """INSERT INTO lifecycle_segment_figure
                         (segment_id, company_id, member_count, member_value)
                   SELECT segment.id, %(company)s, COALESCE(found.count, 0),
                          COALESCE(found.value, 0)
                     FROM lifecycle_segment segment
                     LEFT JOIN (SELECT member.segment_id, COUNT(*) AS count,
                                       SUM(profile.clv_total) AS value
                                  FROM lifecycle_segment_member member
                                  JOIN lifecycle_profile profile
                                    ON profile.id = member.profile_id
                                 WHERE profile.company_id = %(company)s AND profile.active
                                 GROUP BY 1) found ON found.segment_id = segment.id
                    WHERE segment.proposal_of_id IS NULL
                   ON CONFLICT (segment_id, company_id) DO UPDATE
                      SET member_count = EXCLUDED.member_count,
                          member_value = EXCLUDED.member_value
                    WHERE (lifecycle_segment_figure.member_count,
                           lifecycle_segment_figure.member_value)
                          IS DISTINCT FROM (EXCLUDED.member_count, EXCLUDED.member_value)""",
                company=company.id,
            )
        )
        self.invalidate_model()

    @api.model
    def _shift(self, company):
        """Count the moves in ``lifecycle_moves`` of a few customers."""
        self.env.cr.execute(
            SQL(
                """UPDATE lifecycle_segment_figure figure
                      SET member_count = figure.member_count + moved.count,
                          member_value = figure.member_value + moved.value
                     FROM (SELECT segment_id, SUM(side) AS count,
                                  SUM(side * COALESCE(profile.clv_total, 0)) AS value
                             FROM (SELECT id, COALESCE(to_id, from_id) AS segment_id,
                                          CASE WHEN to_id IS NULL THEN -1 ELSE 1 END AS side
                                     FROM lifecycle_moves) moves
                             JOIN lifecycle_profile profile ON profile.id = moves.id
                            GROUP BY 1) moved
                    WHERE moved.segment_id = figure.segment_id AND figure.company_id = %s""",
                company.id,
            )
        )
        self.invalidate_model()


class LifecycleSegmentFlow(models.Model):
    """How many joined and left a segment in a month, counted as it happens."""

    _name = "lifecycle.segment.flow"
    _description = "Joined and Left by Month"
    _log_access = False
    _rec_name = "segment_id"

    segment_id = fields.Many2one(
        "lifecycle.segment", required=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(
        "res.company", required=True, ondelete="cascade", readonly=True
    )
    month = fields.Date(required=True, readonly=True)
    joined_count = fields.Integer(readonly=True)
    left_count = fields.Integer(readonly=True)

    _month_unique = models.UniqueIndex("(segment_id, company_id, month)")

    @api.model
    def _add(self, company):
        """Add the moves in ``lifecycle_moves``; committed together with them."""
        self.env.cr.execute(
            SQL(
                """INSERT INTO lifecycle_segment_flow
                         (segment_id, company_id, month, joined_count, left_count)
                   SELECT COALESCE(to_id, from_id), %s, date_trunc('month', date)::date,
                          COUNT(to_id), COUNT(from_id)
                     FROM lifecycle_moves GROUP BY 1, 3
                   ON CONFLICT (segment_id, company_id, month) DO UPDATE
                      SET joined_count = lifecycle_segment_flow.joined_count
                                         + EXCLUDED.joined_count,
                          left_count = lifecycle_segment_flow.left_count
                                       + EXCLUDED.left_count""",
                company.id,
            )
        )
