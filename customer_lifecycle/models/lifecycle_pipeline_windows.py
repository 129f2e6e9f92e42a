from datetime import date

from odoo import api, models
from odoo.tools import SQL

from .lifecycle_pipeline import WINDOWS


class LifecyclePipeline(models.AbstractModel):
    """Sums of the last 365 days and, where a tier counts in them, of calendar years."""

    # a file for each subject of this large model
    _inherit = "lifecycle.pipeline"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _window_sums(self, company, today, value):
        """Columns of ``lifecycle_facts`` from rows of (day, bought, amount, value).

        :param value: SQL of what a day is worth
        """
        year = SQL("bought > %s - 365", today)
        columns = {
            "value_year": SQL(
                "COALESCE(SUM(%s) FILTER (WHERE day > %s - 365), 0)", value, today
            ),
            "orders_year": SQL("COUNT(*) FILTER (WHERE %s)::integer", year),
        }
        counted = self.env["lifecycle.vip.tier"]._of_company(company).filtered(
            lambda tier: tier.in_window and tier.term == "calendar"
        )
        for name, start in (("this", today.year), ("last", today.year - 1)):
            span = SQL("BETWEEN %s AND %s", date(start, 1, 1), date(start, 12, 31))
            sums = {
                "revenue": SQL("COALESCE(SUM(amount) FILTER (WHERE day %s), 0)", span),
                "value": SQL("COALESCE(SUM(%s) FILTER (WHERE day %s), 0)", value, span),
                "orders": SQL("COUNT(*) FILTER (WHERE bought %s)::integer", span),
            }
            for what, expression in sums.items():
                # whoever needs none does not pay for it
                unknown = SQL("NULL::integer" if what == "orders" else "NULL::numeric")
                columns[f"{what}_{name}_year"] = expression if counted else unknown
        return SQL(", ").join(
            SQL("%s AS %s", columns[name], SQL.identifier(name)) for name in WINDOWS
        )
