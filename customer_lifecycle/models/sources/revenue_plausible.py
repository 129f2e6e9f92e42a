"""Documents of a revenue source that nobody can believe, for the list of what was set aside.

In: the query of a source that looks for them, see ``money``. Out: rows of that list. Called
where revenue sources are compiled.
"""

from odoo import models
from odoo.tools import SQL

from .money import reason_sql, worth_sql
from .paths import path_sql

#: why a document is set aside, by the first that applies
REASONS = ("no_date", "past", "future", "rate", "amount")


class LifecycleRevenueSource(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.revenue.source"  # pylint: disable=consider-merging-classes-inherited

    def _set_aside_select(self, model, query, company, customer, moment, gross, convert):
        """SELECT of the rows of ``lifecycle.set.aside`` from the query of a revenue source.

        Days and amounts are text: some of them no other type can hold.
        """
        table = query.table
        document = (
            path_sql(model, query, self.document_path)
            if self.document_path
            else SQL.identifier(table, "id")
        )
        worth = worth_sql(self, model, query, company, gross, convert)
        return query.select(
            SQL("%s AS source_id", self._origin.id),
            SQL("NULL::integer AS spending_source_id"),
            SQL("%s AS res_model", self._document_model()),
            SQL("%s AS res_id", document),
            SQL("%s AS partner_id", customer),
            SQL("%s::date::text AS dated", moment),
            SQL("trim_scale(%s)::text AS amount", gross),
            SQL("%s AS reason", reason_sql(company, moment, worth)),
        )
