from odoo import api, models
from odoo.tools import SQL


class LifecyclePipeline(models.AbstractModel):
    """What stages look at besides purchases: open documents."""

    _inherit = "lifecycle.pipeline"

    @api.model
    def _count_open_documents(self, company, partner_ids):
        """Add the numbers of open opportunities and quotations to the facts."""
        few = (
            SQL("contact.commercial_partner_id = ANY(%s)", list(partner_ids))
            if partner_ids is not None
            else SQL("TRUE")
        )
        few_senders = (
            SQL("sender.commercial_partner_id = ANY(%s)", list(partner_ids))
            if partner_ids is not None
            else SQL("TRUE")
        )
        default = self.env["res.company"]._lifecycle_default_company().id
        family = company._lifecycle_family().ids
        documents = {
            # an opportunity without a contact belongs to whoever has its e-mail address
            "open_opportunity_count": SQL(
                """(SELECT id, partner_id, company_id FROM crm_lead
                     WHERE active AND type = 'opportunity' AND won_status = 'pending'
                       AND partner_id IS NOT NULL
                    UNION
                    SELECT lead.id, sender.id, lead.company_id
                      FROM crm_lead lead
                      JOIN res_partner sender ON sender.email_normalized = lead.email_normalized
                     WHERE lead.active AND lead.type = 'opportunity'
                       AND lead.won_status = 'pending' AND lead.partner_id IS NULL
                       AND sender.active AND %s) document
                     JOIN res_partner contact ON contact.id = document.partner_id
                    WHERE COALESCE(document.company_id, contact.company_id, %s) = ANY(%s)""",
                # addresses have no index: of a few customers their own are looked through
                few_senders,
                default,
                family,
            ),
            "open_quotation_count": SQL(
                """sale_order document
                     JOIN res_partner contact ON contact.id = document.partner_id
                    WHERE document.state IN ('draft', 'sent') AND document.company_id = ANY(%s)""",
                family,
            ),
        }
        for name, source in documents.items():
            self.env.cr.execute(
                SQL(
                    """UPDATE lifecycle_facts facts SET %s = counted.number
                         FROM (SELECT contact.commercial_partner_id AS partner_id,
                                      COUNT(DISTINCT document.id)::integer AS number
                                 FROM %s AND %s
                                GROUP BY contact.commercial_partner_id) counted
                        WHERE counted.partner_id = facts.partner_id""",
                    SQL.identifier(name),
                    source,
                    few,
                )
            )
