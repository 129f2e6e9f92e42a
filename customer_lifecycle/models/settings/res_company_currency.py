"""A company's currency does not change under amounts that are kept in it.

In: somebody's wish to change it, by hand or by a chart of accounts. Out: a refusal that says what
is kept in the old one. Odoo itself refuses once there are journal items; imported history, money
spent and customers' figures are as good as those: another currency written beside 100 dollars
makes them 100 euros.
"""

from odoo import models
from odoo.exceptions import UserError


class ResCompany(models.Model):
    # each subject of companies is in a file of its own
    _inherit = "res.company"  # pylint: disable=consider-merging-classes-inherited

    def write(self, vals):
        if "currency_id" not in vals:
            return super().write(vals)
        changed = self.filtered(lambda company: company.currency_id.id != vals["currency_id"])
        for company in changed.sudo():
            company._lifecycle_check_currency()
        result = super().write(vals)
        changed.sudo()._lifecycle_rate_anew()
        return result

    def _lifecycle_check_currency(self):
        """Refuse to change the currency of a company with amounts in it."""
        self.ensure_one()
        ours = [("company_id", "=", self.id)]
        profiles = self.env["lifecycle.profile"].with_context(active_test=False)
        kept = [
            self.env._("imported purchases: %s", count)
            if (count := self.env["lifecycle.external.purchase"].search_count(ours))
            else None,
            self.env._("entries of money spent: %s", count)
            if (count := self.env["lifecycle.spending"].search_count(ours))
            else None,
            self.env._("customers with figures: %s", count)
            if (
                count := profiles.search_count(
                    [
                        *ours,
                        *("|", ("revenue", "!=", 0), "|", ("order_count", ">", 0)),
                        ("potential", "!=", False),
                    ]
                )
            )
            else None,
        ]
        kept = list(filter(None, kept))
        if kept:
            raise UserError(
                self.env._(
                    "%(company)s has amounts in %(currency)s (%(kept)s); with another currency "
                    "they would be read as something that they are not. Create a company with "
                    "the other currency and import there, or delete and cancel what is listed, "
                    "recompute, and change the currency then.",
                    company=self.name,
                    currency=self.currency_id.name,
                    kept=", ".join(kept),
                )
            )

    def _lifecycle_rate_anew(self):
        """Give confirmed orders the rate to the new currency, which Odoo leaves as it was."""
        orders = self.env["sale.order"].search(
            [("company_id", "in", self.ids), ("state", "=", "sale")]
        )
        if orders:
            self.env.add_to_compute(orders._fields["currency_rate"], orders)
        if self:
            self.env.registry.clear_cache()
            self.env["lifecycle.run"]._request(self, kind="settings", refit=True)
