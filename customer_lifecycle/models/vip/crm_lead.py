"""New opportunities of VIPs start with the sales team of their tier.

In: a customer without a salesperson who is still there, and the company that sells. Out: his
tier's team, or what Odoo would take. Called where Odoo computes the team of an opportunity that is
not saved yet, and by its form when the customer is chosen.
"""

from odoo import api, models


class CrmLead(models.Model):
    # a file for each subject of this large model
    _inherit = "crm.lead"  # pylint: disable=consider-merging-classes-inherited

    def _compute_team_id(self):
        result = super()._compute_team_id()
        if not self.env.context.get("default_team_id"):
            self._lifecycle_take_tier_team()
        return result

    @api.onchange("partner_id")
    def _onchange_partner_id_tier_team(self):
        # the form has chosen a team before it knows the customer
        self._lifecycle_take_tier_team()

    def _lifecycle_take_tier_team(self):
        started = self.filtered(lambda lead: lead.partner_id and not lead._origin.id)
        for company, leads in started.grouped("company_id").items():
            teams = leads.partner_id._origin._lifecycle_tier_teams(company or self.env.company)
            for lead in leads:
                lead.team_id = teams.get(lead.partner_id._origin.id, lead.team_id)
