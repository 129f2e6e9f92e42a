"""The button that opens the comparison of a loyalty program."""

from odoo import models


class LoyaltyProgram(models.Model):
    _inherit = "loyalty.program"  # pylint: disable=consider-merging-classes-inherited

    def action_lifecycle_compare(self):
        return self.env["lifecycle.comparison"]._open_for(self)
