"""A live list of the purchases behind the figures, one row for each document.

In: rows of the revenue sources, for a company, one profile or one source, as the context says.
Out: records to list, sum and open. Read by the purchases of a customer, a source's latest ones,
the overview's years, the outlook on tiers and the file of a person's data.
"""

from odoo import fields, models
from odoo.tools import SQL

from ...tools.sql import row_id

#: purchases listed to check a revenue source
LATEST = 10


class LifecyclePurchase(models.Model):
    """Every document that figures are summed from, read live from the revenue sources."""

    _name = "lifecycle.purchase"
    _description = "Purchase"
    _inherit = "lifecycle.document.mixin"
    _auto = False
    _order = "date desc, id desc"

    profile_id = fields.Many2one("lifecycle.profile", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    date = fields.Date(readonly=True)
    source_id = fields.Many2one("lifecycle.revenue.source", readonly=True)
    gross = fields.Monetary(
        string="Before Credit Notes",
        readonly=True,
        help="Untaxed, in company currency at the document's own rate.",
    )
    amount = fields.Monetary(string="Net", readonly=True)
    value = fields.Monetary(
        readonly=True, help="Net revenue or margin, as the settings say what value is."
    )
    by_share = fields.Monetary(
        string="Margin Not Known",
        readonly=True,
        help="Part of the net amount for which the margin is not known, so that the share from "
        "the settings stands in.",
    )
    exchange_difference = fields.Monetary(
        readonly=True,
        help="What credit notes booked at another rate than the order's differ by in the books; "
        "not part of the net amount.",
    )
    counted = fields.Boolean(readonly=True, help="Dated today or before.")

    @property
    def _table_query(self):
        """Purchases of the current company, or of what the context names.

        ``lifecycle_profile_id``: one profile. ``lifecycle_source_id``: the latest of one revenue
        source, also of customers who have no profile yet.
        """
        profile = self.env["lifecycle.profile"].browse(
            self.env.context.get("lifecycle_profile_id", [])
        )
        company = (profile.sudo().company_id or self.env.company).sudo()
        partner_ids = profile.sudo().partner_id.ids or None
        # sudo: which records are purchases is no secret, the rules of this model hide the rows
        source = self.env["lifecycle.revenue.source"].sudo()
        latest = source.browse(self.env.context.get("lifecycle_source_id", []))
        return SQL(
            """SELECT %(id)s, profile.id AS profile_id, rows.partner_id, %(company)s AS company_id,
                      %(currency)s AS currency_id, rows.day AS date, rows.source_id, rows.res_id,
                      rows.gross, rows.amount, rows.value, rows.exchange_difference,
                      rows.by_share,
                      rows.day <= %(today)s AS counted
                 FROM (SELECT partner_id, day, source_id, res_id, SUM(gross) AS gross,
                              SUM(amount) AS amount, SUM(value) AS value,
                              SUM(exchange_difference) AS exchange_difference,
                              SUM(by_share) AS by_share
                         FROM (%(rows)s) parts
                        GROUP BY partner_id, day, source_id, res_id
                        %(limit)s) rows
                 %(join)s lifecycle_profile profile
                   ON profile.partner_id = rows.partner_id AND profile.company_id = %(company)s""",
            rows=latest._compile(company) if latest else source._rows_sql(company, partner_ids),
            limit=SQL("ORDER BY day DESC, res_id DESC LIMIT %s", LATEST) if latest else SQL(),
            join=SQL("LEFT JOIN") if latest else SQL("JOIN"),
            company=company.id,
            currency=company.currency_id.id,
            today=company._lifecycle_today(),
            id=row_id("rows.source_id", "rows.res_id", "rows.partner_id", "rows.day"),
        )

    def _document_model(self):
        # sudo: where purchases come from is no secret
        return self.source_id.sudo()._document_model()
