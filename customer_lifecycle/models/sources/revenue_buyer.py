"""Which person of a customer bought: read from the revenue sources, for who gets messages.

In come the sources and some customers, out goes SQL of purchases by person. Called by
``lifecycle.consent``.
"""

import logging

from odoo import api, models
from odoo.tools import SQL

from .paths import customer_sql, path_sql

_logger = logging.getLogger(__name__)


class LifecycleRevenueSource(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.revenue.source"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _of_orders(self, company):
        """Sources that tell who ordered: the company's, and orders where invoices are counted.

        An invoice goes to whoever pays; who ordered is written on its order.
        """
        orders = self.sudo().search([("model", "=", "sale.order"), ("basis", "!=", "both")])
        return (self._for_company(company) | orders).sorted()

    def _buyers_sql(self, company, customer_ids):
        """SELECT of ``customer_id``, ``person_id`` and ``moment`` of what some customers bought.

        What gives money back is no purchase. None where the source cannot be read: whoever is
        looked for can still be found elsewhere.

        :param customer_ids: ids of commercial partners
        """
        self.ensure_one()
        model = self.env[self.model].sudo().with_context(active_test=False)
        try:
            bought = self._compile(company.sudo(), customer_ids)
            # which documents count is said by ``bought``
            query = model._search([])
            table = query.table
            person, customer = customer_sql(model, query, self.partner_path)
            moment = path_sql(model, query, self.date_path)
            document = (
                path_sql(model, query, self.document_path)
                if self.document_path
                else SQL.identifier(table, "id")
            )
        except (ValueError, KeyError, SyntaxError) as error:
            _logger.info("Revenue source %s does not tell who ordered: %s", self.id, error)
            return None
        query.add_where(SQL("%s = ANY(%s)", customer, list(customer_ids)))
        if model._name == "account.move":
            # invoices of orders are left to the orders
            query.add_where(
                SQL(
                    """NOT EXISTS (
                           SELECT FROM account_move_line billed
                             JOIN sale_order_line_invoice_rel link
                               ON link.invoice_line_id = billed.id
                            WHERE billed.move_id = %s)""",
                    SQL.identifier(table, "id"),
                )
            )
        found = query.select(
            SQL("%s AS document_id", document),
            SQL("%s AS person_id", person),
            SQL("%s::timestamp AS moment", moment),
        )
        return SQL(
            """SELECT bought.partner_id AS customer_id, buyer.person_id, buyer.moment
                 FROM (SELECT partner_id, res_id FROM (%s) rows
                        GROUP BY partner_id, res_id HAVING SUM(gross) > 0) bought
                 JOIN (%s) buyer ON buyer.document_id = bought.res_id""",
            bought,
            found,
        )
