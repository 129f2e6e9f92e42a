"""New, slipped, lost and won-back customers in Odoo's periodic digest.

In: the days that a digest is about, and its reader. Out: numbers of customers, as the overview has
them and under the reader's rights; who may not see customers gets none. Called by the digest.
"""

from datetime import timedelta

from odoo import fields, models

from .overview import Span

#: fields of the digest, by what they are called in the overview
KPIS = {
    "new": "kpi_lifecycle_new",
    "risk": "kpi_lifecycle_risk",
    "lost": "kpi_lifecycle_lost",
    "won_back": "kpi_lifecycle_won_back",
}


class DigestDigest(models.Model):
    _inherit = "digest.digest"

    # a method for each value: the digest forgets them one by one between its periods
    kpi_lifecycle_new = fields.Boolean("New Customers")
    kpi_lifecycle_new_value = fields.Integer(compute="_compute_kpi_lifecycle_new_value")
    kpi_lifecycle_risk = fields.Boolean("Customers Newly at Risk")
    kpi_lifecycle_risk_value = fields.Integer(compute="_compute_kpi_lifecycle_risk_value")
    kpi_lifecycle_lost = fields.Boolean("Customers Lost")
    kpi_lifecycle_lost_value = fields.Integer(compute="_compute_kpi_lifecycle_lost_value")
    kpi_lifecycle_won_back = fields.Boolean("Customers Won Back")
    kpi_lifecycle_won_back_value = fields.Integer(
        compute="_compute_kpi_lifecycle_won_back_value"
    )

    def _compute_kpi_lifecycle_new_value(self):
        self._count_lifecycle("new")

    def _compute_kpi_lifecycle_risk_value(self):
        self._count_lifecycle("risk")

    def _compute_kpi_lifecycle_lost_value(self):
        self._count_lifecycle("lost")

    def _compute_kpi_lifecycle_won_back_value(self):
        self._count_lifecycle("won_back")

    def _count_lifecycle(self, name):
        """Count over the whole days of the digest's period, until yesterday.

        :raise AccessError: the reader may not see customers; the digest leaves the number out
        """
        self.env["lifecycle.profile"].check_access("read")
        start, end, _companies = self._get_kpi_compute_parameters()
        span = None
        if start and end:
            first, last = (fields.Datetime.to_datetime(moment).date() for moment in (start, end))
            span = Span(first, max(first, last - timedelta(days=1)))
        for digest in self:
            company = digest.company_id or self.env.company
            # one company at a time, as the overview
            overview = self.env["lifecycle.overview"].with_context(
                allowed_company_ids=company.ids
            )
            digest[f"{KPIS[name]}_value"] = overview._count_moves(span)[name] if span else 0

    def _compute_kpis_actions(self, company, user):
        actions = super()._compute_kpis_actions(company, user)
        menu = self.env.ref("customer_lifecycle.lifecycle_menu_root").id
        action = f"customer_lifecycle.lifecycle_overview_action?menu_id={menu}"
        return actions | dict.fromkeys(KPIS.values(), action)
