"""Who never bought but was in touch, and which documents of customers are open.

In: contacts, opportunities, orders, invoices, messages, meetings. Out: rows of prospects among
the collected sums, and numbers of open opportunities and quotations. Called while sums are
collected.
"""

from odoo.tools import SQL

from ...tools.step import Step

#: how long after his last touch somebody who never bought still counts as a prospect
PROSPECT_MONTHS = 24


class Prospects(Step):
    """Those without purchases who get a profile.

    - ``lifecycle_candidate``: contacts (id, commercial_partner_id, company_id, partner_share) of
      customers who can be reached and never bought
    """

    TABLES = ("lifecycle_candidate",)

    def add(self):
        """Add who never bought, can be reached and was in touch lately."""
        company, today = self.company, self.day
        touches = self.env["lifecycle.pipeline"]._prospect_touches(company)
        where = self.scope.where(SQL.identifier("contact", "commercial_partner_id"))
        self.cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_candidate AS
                   SELECT contact.id, contact.commercial_partner_id, contact.company_id,
                          contact.partner_share
                     FROM res_partner contact
                     JOIN res_partner customer ON customer.id = contact.commercial_partner_id
                    WHERE %s
                      AND customer.active
                      AND customer.lifecycle_exclude IS NOT TRUE
                      AND (NULLIF(contact.email, '') IS NOT NULL
                           OR NULLIF(contact.phone, '') IS NOT NULL
                           OR NULLIF(customer.email, '') IS NOT NULL
                           OR NULLIF(customer.phone, '') IS NOT NULL)
                      AND NOT EXISTS (SELECT FROM lifecycle_sums sums
                                       WHERE sums.partner_id = contact.commercial_partner_id)""",
                where,
            )
        )
        self.cr.execute("ANALYZE lifecycle_candidate")
        self.cr.execute(
            SQL(
                """INSERT INTO lifecycle_sums
                         (partner_id, order_count, recent_order_count, revenue, revenue_year,
                          clv_historical, open_opportunity_count, open_quotation_count)
                   SELECT DISTINCT touched.partner_id, 0, 0, 0, 0, 0, 0, 0
                     FROM (%(touches)s) touched
                    WHERE touched.moment >= %(today)s::date - %(months)s * INTERVAL '1 month'""",
                touches=SQL(" UNION ALL ").join(touches),
                today=today,
                months=PROSPECT_MONTHS,
            )
        )
        # whom somebody has entered a budget for stays, in touch or not
        self.cr.execute(
            SQL(
                """INSERT INTO lifecycle_sums
                         (partner_id, order_count, recent_order_count, revenue, revenue_year,
                          clv_historical, open_opportunity_count, open_quotation_count)
                   SELECT contact.id, 0, 0, 0, 0, 0, 0, 0
                     FROM lifecycle_profile profile
                     JOIN res_partner contact ON contact.id = profile.partner_id
                    WHERE profile.company_id = %s AND profile.potential IS NOT NULL
                      AND contact.active AND contact.lifecycle_exclude IS NOT TRUE AND %s
                   ON CONFLICT DO NOTHING""",
                company.id,
                where,
            )
        )


def count_open_documents(env, company, scope):
    """Add the numbers of open opportunities and quotations to the sums."""
    few = scope.few(SQL.identifier("contact", "commercial_partner_id"))
    few_senders = scope.few(SQL.identifier("sender", "commercial_partner_id"))
    default = env["res.company"]._lifecycle_default_company().id
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
        env.cr.execute(
            SQL(
                """UPDATE lifecycle_sums sums SET %s = counted.number
                     FROM (SELECT contact.commercial_partner_id AS partner_id,
                                  COUNT(DISTINCT document.id)::integer AS number
                             FROM %s AND %s
                            GROUP BY contact.commercial_partner_id) counted
                    WHERE counted.partner_id = sums.partner_id""",
                SQL.identifier(name),
                source,
                few,
            )
        )
