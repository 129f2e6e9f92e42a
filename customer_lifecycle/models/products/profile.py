"""Registers the reader that writes what customers will probably buy next.

In: the flow, which asks profiles for their readers. Out: one more of them.
"""

from odoo import api, models

from .reader import NextProductReader


class LifecycleProfile(models.Model):
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _readers(self):
        return [*super()._readers(), NextProductReader]
