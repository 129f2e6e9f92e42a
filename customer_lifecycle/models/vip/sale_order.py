"""New quotations and opportunities of VIPs start with the sales team of their tier.

In: a customer without a salesperson who is still there, and the company that sells. Out: his
tier's team, or what Odoo would take. Called where Odoo computes the team of a document that is
not saved yet, and by the opportunity's form when its customer is chosen.
"""

from odoo import api, models


class ResPartner(models.Model):
    """The sales team that a customer's VIP tier brings.

    Contacts have no team in Odoo, their documents have: a tier's team is where new documents
    start.
    """

    # a file for each subject of this large model
    _inherit = "res.partner"  # pylint: disable=consider-merging-classes-inherited

    def _lifecycle_tier_teams(self, company):
        """Teams of the tiers of those customers who have no salesperson of their own.

        :return: dict of crm.team records by id of the contact
        """
        nobodys = self.filtered(
            # whoever has left looks after nobody
            lambda contact: not (
                contact.user_id | contact.commercial_partner_id.user_id
            )._lifecycle_present()
        )
        if not nobodys:
            return {}
        # sudo: the tier decides, whether or not the author may see the customer's figures
        profiles = self.env["lifecycle.profile"].sudo().search(
            [
                ("partner_id", "in", nobodys.commercial_partner_id.ids),
                ("company_id", "=", company._lifecycle_tier_company().id),
                ("vip_tier_id.team_id.active", "=", True),
            ]
        )
        teams = {profile.partner_id.id: profile.vip_tier_id.team_id.id for profile in profiles}
        return {
            contact.id: self.env["crm.team"].browse(teams[contact.commercial_partner_id.id])
            for contact in nobodys
            if contact.commercial_partner_id.id in teams
        }


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
