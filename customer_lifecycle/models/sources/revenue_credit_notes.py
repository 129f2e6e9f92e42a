"""What a purchase is worth, as SQL.

In: a source's paths and the company's settings. Out: expressions for the value as revenue or
margin; rows summed up by document. Called while a revenue source is compiled.
"""

from odoo import models
from odoo.tools import SQL


class LifecycleRevenueSource(models.Model):
    """Parts of a source's query."""

    # a file for each subject of this large model
    _inherit = "lifecycle.revenue.source"  # pylint: disable=consider-merging-classes-inherited

    def _by_document(self, rows):
        """SELECT with one row for each document, from the compiled source's rows."""
        self.ensure_one()
        if not self.document_path:
            return rows  # a record is a document
        return SQL(
            """SELECT partner_id, day, SUM(amount) AS amount, SUM(value) AS value,
                      SUM(gross) AS gross, SUM(exchange_difference) AS exchange_difference,
                      source_id, res_id, SUM(by_share) AS by_share
                 FROM (%s) lines
                GROUP BY partner_id, day, source_id, res_id""",
            rows,
        )

    def _value_sql(self, company, amount, known):
        """What the purchase is worth by the company's definition of value.

        :param known: what is known of its margin, see ``_known_margin``
        """
        digits = company.currency_id.decimal_places
        if company.lifecycle_value == "revenue":
            return amount
        share = company.lifecycle_margin_percent / 100
        if known is None:
            return SQL("ROUND(%s * (%s)::numeric, %s)", amount, share, digits)
        margin, known_amount = known
        return SQL(
            "ROUND(%s + (%s - ROUND(%s, %s)) * (%s)::numeric, %s)",
            margin, amount, known_amount, digits, share, digits,
        )
