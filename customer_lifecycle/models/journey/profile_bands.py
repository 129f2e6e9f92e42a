"""The stays in stages that the journey shows above its touchpoints.

In: a profile and its transitions, and how long others usually stay. Out: a list of stays with
name, colour, days and reason, the oldest first. Called by the journey for its overview.
"""

from odoo import fields, models


class LifecycleProfile(models.Model):
    """The stages of a customer's life, for the band above the touchpoints."""

    # a file for each subject of this large model
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    def _journey_bands(self):
        """Stays in stages, oldest first.

        :return: list of dicts ``stage`` (name), ``color``, ``tone``, ``start`` and ``end`` (days
            as text; the last stay ends today), ``days``, ``usual`` (words, or False) and ``why``
        """
        self.ensure_one()
        moves = self.env["lifecycle.transition"].search(
            [("profile_id", "=", self.id), ("kind", "=", "stage")], order="number"
        )
        if not moves:
            # known, but not classified yet
            return []
        today = self._lifecycle_today()
        # sudo: how many days are usual, and not of how many customers
        usual = {
            row.stage_id.id: row.usual
            for row in self.env["lifecycle.stage.statistic"].sudo().search(
                [("company_id", "=", self.company_id.id)]
            )
        }
        bands = []
        for move, following in zip(moves, [*moves[1:], None], strict=True):
            end = following.date if following else max(today, move.date)
            stage = move.to_stage_id
            if not stage or (following and end == move.date):
                # left on the day it was entered: nothing to see
                continue
            bands.append(
                {
                    "stage": stage.name,
                    "color": stage.color,
                    "tone": stage.tone,
                    "start": fields.Date.to_string(move.date),
                    "end": fields.Date.to_string(end),
                    "days": (end - move.date).days,
                    "current": not following,
                    "usual": usual.get(stage.id, False),
                    "why": move.why_text or False,
                }
            )
        return bands
