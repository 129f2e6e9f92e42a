"""The door to the flow for other rooms and add-ons.

In: a few customers of a company. Out: their figures or all of their profiles made fresh. Called by
the refresh, by labels of customers with a changed past, and extended by add-ons that bring other
documents.
"""

from odoo import api, models
from odoo.tools import SQL

from ...tools.step import Scope
from .late_purchases import history_sql
from .steps import Flow, refresh


class LifecyclePipeline(models.AbstractModel):
    """From documents to profiles: one pass over the purchases, one write of what changed."""

    _name = "lifecycle.pipeline"
    _description = "Customer Lifecycle Pipeline"

    @api.model
    def _refresh(self, company, partner_ids):
        """Make some customers' profiles fresh, in this transaction.

        :param partner_ids: ids of commercial partners
        """
        refresh(self.env, company, partner_ids)

    @api.model
    def _write_figures(self, company, today, partner_ids, late=False):
        """Collect, predict and write the figures of some customers.

        :param late: leave out the purchases that are news of customers with a changed past
        """
        Flow(self.env, company, today, Scope(partner_ids)).figures(late)

    @api.model
    def _history_sql(self, company):
        """Condition for rows of ``purchases``: not news of a customer with a changed past."""
        return history_sql(company)

    @api.model
    def _prospect_touches(self, company):
        """SELECTs of (commercial partner, moment) of documents and conversations.

        They join the temporary table ``lifecycle_candidate`` (id, commercial_partner_id,
        company_id, partner_share): contacts of customers who can be reached and never bought.
        Meant to be extended by addons that bring other documents.
        """
        default = self.env["res.company"]._lifecycle_default_company().id
        family = company._lifecycle_family().ids

        def touch(table, moment, link, company_id, condition):
            return SQL(
                """SELECT contact.commercial_partner_id AS partner_id, %(moment)s AS moment
                     FROM lifecycle_candidate contact
                     JOIN %(table)s ON %(link)s = contact.id
                    WHERE %(condition)s
                      AND COALESCE(%(company_id)s, %(default)s) = ANY(%(companies)s)""",
                moment=moment,
                table=table,
                link=link,
                condition=condition,
                company_id=company_id,
                # what belongs to no company counts in the default company only
                default=default if default in family else 0,
                companies=family,
            )

        created = SQL("touch.create_date")
        partner = SQL("touch.partner_id")
        of_partner = SQL("contact.company_id")
        return [
            touch(
                SQL("crm_lead touch"),
                created,
                partner,
                SQL("COALESCE(touch.company_id, contact.company_id)"),
                SQL("TRUE"),
            ),
            touch(SQL("sale_order touch"), created, partner, SQL("touch.company_id"), SQL("TRUE")),
            touch(
                SQL("account_move touch"),
                created,
                partner,
                SQL("touch.company_id"),
                SQL("touch.move_type IN ('out_invoice', 'out_refund', 'out_receipt')"),
            ),
            touch(
                SQL("mail_message touch"),
                SQL("touch.date"),
                SQL("touch.author_id"),
                of_partner,
                SQL("touch.message_type IN ('email', 'comment') AND contact.partner_share"),
            ),
            touch(
                SQL(
                    "(calendar_event touch JOIN calendar_event_res_partner_rel attendee "
                    "ON attendee.calendar_event_id = touch.id)"
                ),
                SQL("touch.start"),
                SQL("attendee.res_partner_id"),
                of_partner,
                SQL("touch.active AND contact.partner_share"),
            ),
        ]
