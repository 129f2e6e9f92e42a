from odoo import api, models
from odoo.tools import SQL


class LifecyclePipeline(models.AbstractModel):
    """What stages look at besides purchases: open documents and praise."""

    _inherit = "lifecycle.pipeline"

    @api.model
    def _count_open_documents(self, company, partner_ids):
        """Add the numbers of open opportunities and quotations to the facts."""
        few = (
            SQL("contact.commercial_partner_id = ANY(%s)", list(partner_ids))
            if partner_ids is not None
            else SQL("TRUE")
        )
        default = self.env["res.company"]._lifecycle_default_company().id
        documents = {
            "open_opportunity_count": SQL(
                """crm_lead document JOIN res_partner contact ON contact.id = document.partner_id
                    WHERE document.active AND document.type = 'opportunity'
                      AND document.won_status = 'pending'
                      AND COALESCE(document.company_id, contact.company_id, %s) = %s""",
                default,
                company.id,
            ),
            "open_quotation_count": SQL(
                """sale_order document
                     JOIN res_partner contact ON contact.id = document.partner_id
                    WHERE document.state IN ('draft', 'sent') AND document.company_id = %s""",
                company.id,
            ),
        }
        for name, source in documents.items():
            self.env.cr.execute(
                SQL(
                    """UPDATE lifecycle_facts facts SET %s = counted.number
                         FROM (SELECT contact.commercial_partner_id AS partner_id,
                                      COUNT(*)::integer AS number
                                 FROM %s AND %s
                                GROUP BY contact.commercial_partner_id) counted
                        WHERE counted.partner_id = facts.partner_id""",
                    SQL.identifier(name),
                    source,
                    few,
                )
            )

    @api.model
    def _date_advocacy(self, partner_ids):
        """Add the day of each customer's last top rating, where ratings are installed."""
        if "rating.rating" not in self.env:
            return
        few = (
            SQL("contact.commercial_partner_id = ANY(%s)", list(partner_ids))
            if partner_ids is not None
            else SQL("TRUE")
        )
        self.env.cr.execute(
            SQL(
                """UPDATE lifecycle_facts facts SET advocacy_date = rated.day
                     FROM (SELECT contact.commercial_partner_id AS partner_id,
                                  MAX(rating.write_date)::date AS day
                             FROM rating_rating rating
                             JOIN res_partner contact ON contact.id = rating.partner_id
                            WHERE rating.consumed AND rating.rating >= 5 AND %s
                            GROUP BY contact.commercial_partner_id) rated
                    WHERE rated.partner_id = facts.partner_id""",
                few,
            )
        )
