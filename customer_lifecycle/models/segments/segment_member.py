"""Membership in segments, a row for each customer and segment.

In: what the classifier inserts and deletes. Out: who is in which segment, and since when; read
by profiles, segment counts, the export of audiences and loyalty programs' conditions.
"""

from odoo import fields, models

from ...tools.fields import UncheckedMany2one


class LifecycleSegmentMember(models.Model):
    """A customer in a segment. Written set-based when segments are evaluated."""

    _name = "lifecycle.segment.member"
    _description = "Segment Member"
    _table = "lifecycle_segment_member"
    _log_access = False
    _order = "since desc, id desc"
    _rec_name = "profile_id"

    profile_id = fields.Many2one(
        "lifecycle.profile", required=True, ondelete="cascade", readonly=True
    )
    # a segment takes its members along, see lifecycle.segment
    segment_id = UncheckedMany2one("lifecycle.segment", required=True, readonly=True)
    since = fields.Date(required=True, readonly=True)
    partner_id = fields.Many2one(related="profile_id.partner_id", string="Customer")
    company_id = fields.Many2one(related="profile_id.company_id")

    _profile_segment_unique = models.UniqueIndex(
        "(profile_id, segment_id)", "A customer is in a segment once."
    )
    _segment_profile_idx = models.Index("(segment_id, profile_id)")
