"""New quotations of VIPs start with the sales team of their tier.

In: a customer without a salesperson who is still there, and the company that sells. Out: his
tier's team, or what Odoo would take. Called where Odoo computes the team of a quotation that is
not saved yet.
"""

from odoo import models


class SaleOrder(models.Model):
    # a file for each subject of this large model
    _inherit = "sale.order"  # pylint: disable=consider-merging-classes-inherited

    def _compute_team_id(self):
        result = super()._compute_team_id()
        for company, orders in self.filtered("partner_id").grouped("company_id").items():
            started = orders.filtered(lambda order: order._lifecycle_takes_tier_team())
            teams = started.partner_id._origin._lifecycle_tier_teams(company)
            for order in started:
                order.team_id = teams.get(order.partner_id._origin.id, order.team_id)
        return result

    def _lifecycle_takes_tier_team(self):
        """Whether nobody has said yet whose order it is; a web shop has a team of its own."""
        self.ensure_one()
        return (
            not self._origin.id
            and not self.env.context.get("default_team_id")
            and not ("website_id" in self._fields and self["website_id"])
        )
