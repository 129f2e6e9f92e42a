"""For how much of the revenue a share stands in for the margin, in words.

In: what the last complete run added up. Out: a sentence for the settings and for customers.
"""

from odoo import api, fields, models
from odoo.tools.misc import formatLang


class ResCompany(models.Model):
    # each subject of companies is in a file of its own
    _inherit = "res.company"  # pylint: disable=consider-merging-classes-inherited

    lifecycle_share_text = fields.Char(
        compute="_compute_lifecycle_share_text", compute_sudo=True
    )

    @api.depends_context("lang")
    @api.depends("lifecycle_value", "lifecycle_margin_percent")
    def _compute_lifecycle_share_text(self):
        runs = self.env["lifecycle.run"]
        for company in self:
            run = runs.search(
                [("company_id", "=", company.id), ("revenue", "!=", 0)], limit=1
            )
            company.lifecycle_share_text = (
                company._lifecycle_share_sentence(run.revenue, run.by_share)
                if run and company.lifecycle_value == "margin"
                else False
            )

    def _lifecycle_share_sentence(self, revenue, by_share):
        """Sentence on the revenue whose margin is not known; False where all is."""
        self.ensure_one()
        if self.currency_id.is_zero(by_share):
            return False
        known = {
            "amount": formatLang(self.env, by_share, currency_obj=self.currency_id),
            "revenue": formatLang(self.env, revenue, currency_obj=self.currency_id),
            "share": f"{self.lifecycle_margin_percent:g}",
        }
        return self.env._(
            "The margin of %(amount)s of the net revenue of %(revenue)s is not known: %(share)s %% "
            "of it stand in.",
            **known,
        )
