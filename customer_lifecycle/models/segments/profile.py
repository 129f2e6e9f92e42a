"""The segments that a customer is in, and since when, seen from the profile.

In: the members that the classifier writes. Out: the fields by which lists, filters and the file
of a person's data read them, and the chip on the contact with the reasons.
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

    def _chips(self):
        return [*super()._chips(), self._chip_segments()]

    def _chip_segments(self):
        segments = self.segment_ids
        if not segments:
            return None
        return self._chip(
            "segments",
            self.env._("Segments"),
            # names may have commas of their own
            " · ".join(segments.mapped("name")),
            why=self._why_segments(),
            sequence=30,
        )

    def _why_segments(self):
        """A sentence for each segment: since when, and what its rule asks for."""
        self.ensure_one()
        since = {member.segment_id: member.since for member in self.segment_member_ids}
        sentences = []
        for segment in self.segment_ids:
            reasons = []
            if segment in since:
                reasons.append(self.env._("since %s", self._date(since[segment])))
            # sudo: what a rule asks for may be told to whoever sees the customer
            reasons += self._rule_values(segment.sudo()._rule())
            sentences.append(f"{segment.name}: {'; '.join(reasons)}")
        return sentences
