"""Loyalty on contacts: what it has cost, for sales managers.

In: the customer's profile. Out: a field for lists, and the orders behind it.
"""

from odoo import models

from ...tools.fields import SumMonetary
from .loyalty_cost import MANAGER


class ResPartner(models.Model):
    _inherit = "res.partner"  # pylint: disable=consider-merging-classes-inherited

    lifecycle_loyalty_cost = SumMonetary(
        related="lifecycle_profile_id.loyalty_cost",
        currency_field="lifecycle_currency_id",
        groups=MANAGER,
    )

    def action_view_lifecycle_loyalty_cost(self):
        self.ensure_one()
        return self.lifecycle_profile_id.action_view_loyalty_cost()
