"""The panel that leads a sales manager from installing the app to trusting its figures.

In: whether there are customers yet, a run is on, documents were set aside. Out: a dictionary for
the panel above the list of customers, and the switch that puts it away. Called by the web client.
"""

from odoo import api, models
from odoo.exceptions import AccessError

MANAGER = "sales_team.group_sale_manager"
#: customers to look at before the figures are trusted
SAMPLE = 5


class LifecycleFirstSteps(models.AbstractModel):
    """What a sales manager does first: bring sales in, check some customers, go on."""

    _name = "lifecycle.first.steps"
    _description = "Customer Lifecycle: First Steps"

    @api.model
    def get_state(self):
        """Where the current company stands; False for others than managers and when done.

        :return: dict ``purchases`` (are there any), ``computing`` (a run is on), ``customers``
            (number of buyers), ``sample`` (the largest of them to be checked), ``currency_id``,
            ``pos`` (whether a point of sale is installed) and ``aside`` (a sentence on documents
            that are not counted, if there are any)
        """
        company = self.env.company
        if not self.env.user.has_group(MANAGER) or company.sudo().lifecycle_first_steps_done:
            return False
        profiles = self.env["lifecycle.profile"]
        buyers = [("company_id", "=", company.id), ("order_count", ">", 0)]
        count = profiles.search_count(buyers)
        return {
            "customers": count,
            "sample": profiles.search_read(
                buyers,
                ["partner_id", "clv_historical"],
                order="clv_historical desc, id",
                limit=SAMPLE,
            ),
            "currency_id": company.currency_id.id,
            "computing": bool(
                self.env["lifecycle.run"].search_count(
                    [
                        ("company_id", "=", company.id),
                        ("state", "in", ("pending", "running")),
                        ("kind", "!=", "refresh"),
                    ],
                    limit=1,
                )
            ),
            "pos": "pos.order" in self.env,
            "aside": self.env["lifecycle.set.aside"]._last_warning(company),
        }

    @api.model
    def finish(self):
        """Put the panel away for the current company."""
        if not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Only sales administrators can do this."))
        # sudo: sales administrators may not write companies; this is their own switch
        self.env.company.sudo().lifecycle_first_steps_done = True
