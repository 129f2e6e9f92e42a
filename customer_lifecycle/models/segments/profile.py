"""The segments that a customer is in, and since when, seen from the profile.

In: the members that the classifier writes. Out: the fields by which lists, filters, the chip of
segments and the file of a person's data read them.
"""

from odoo import fields, models

from ...tools.fields import UncheckedMany2many


class LifecycleProfile(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    segment_ids = UncheckedMany2many(
        "lifecycle.segment",
        "lifecycle_segment_member",
        "profile_id",
        "segment_id",
        string="Segments",
        readonly=True,
        copy=False,
    )
    segment_member_ids = fields.One2many(
        "lifecycle.segment.member", "profile_id", string="Memberships"
    )
