"""The checklist that leads a sales manager from installing the app to working with it.

In: whether there are customers yet, a run is on, documents were set aside, and what has been set
up, which the rooms of these things add to. Out: a dictionary for the checklist above the list of
customers, and the switches that confirm the figures, tick a step off and put the list away.
Called by the web client and by the menu that brings the list back.
"""

from odoo import api, models
from odoo.exceptions import AccessError, UserError

MANAGER = "sales_team.group_sale_manager"
#: customers to look at before the figures are trusted
SAMPLE = 5


class LifecycleFirstSteps(models.AbstractModel):
    """What a sales manager does first: bring sales in, check some customers, set things up."""

    _name = "lifecycle.first.steps"
    _description = "Customer Lifecycle: First Steps"

    @api.model
    def get_state(self, asked=False):
        """Where the current company stands; False for others than managers, and when put away.

        :param asked: whether the manager wants to see it even where nothing is left to do
        :return: dict ``confirmed`` (the figures are right), ``computing`` (a run is on),
            ``customers`` (number of buyers), ``sample`` (the largest of them to be checked),
            ``currency_id``, ``pos`` (whether a point of sale is installed), ``aside`` (a sentence
            on documents that are not counted, if there are any), and ``steps``: dicts with ``id``,
            ``title``, ``text``, ``action`` (what opens), ``done`` and ``by_hand`` (ticked off by
            somebody)
        """
        company = self.env.company.sudo()
        if not self.env.user.has_group(MANAGER) or company.lifecycle_first_steps_closed:
            return False
        profiles = self.env["lifecycle.profile"]
        buyers = [("company_id", "=", company.id), ("order_count", ">", 0)]
        count = profiles.search_count(buyers)
        ticked = self._ticked()
        steps = [
            {
                **step,
                "done": bool(step["done"]) or step["id"] in ticked,
                "by_hand": step["id"] in ticked,
            }
            for step in self._steps(count)
        ]
        if not asked and all(step["done"] for step in steps):
            return False
        return {
            "confirmed": company.lifecycle_first_steps_done,
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
            "aside": self.env["lifecycle.set.aside"]._last_warning(self.env.company),
            "steps": steps,
        }

    @api.model
    def _steps(self, customers):
        """The steps in their order; rooms whose things are set up add theirs.

        :param customers: number of buyers of the current company
        :return: list of dicts ``id``, ``title``, ``text``, ``action`` and ``done``
        """
        return [
            {
                "id": "sales",
                "title": self.env._("Find your sales"),
                "text": self.env._("Confirm an order or import purchases of a former system."),
                "action": "customer_lifecycle.lifecycle_revenue_source_action",
                "done": customers,
            },
            {
                "id": "figures",
                "title": self.env._("Check five customers"),
                "text": self.env._("Compare what they have bought with what you know."),
                "action": "customer_lifecycle.lifecycle_profile_action",
                "done": self.env.company.sudo().lifecycle_first_steps_done,
            },
        ]

    @api.model
    def _ticked(self):
        return set((self.env.company.sudo().lifecycle_first_steps_ticked or "").split())

    @api.model
    def _write(self, values):
        if not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Only sales administrators can do this."))
        # sudo: sales administrators may not write companies; these are their own switches
        self.env.company.sudo().write(values)

    @api.model
    def finish(self):
        """Confirm the figures of the current company; one line is left."""
        self._write({"lifecycle_first_steps_done": True})

    @api.model
    def tick(self, step):
        """Tick a step off by hand, or take the tick away again."""
        if step not in {one["id"] for one in self._steps(0)}:
            raise UserError(self.env._("There is no such step."))
        ticked = self._ticked() ^ {step}
        self._write({"lifecycle_first_steps_ticked": " ".join(sorted(ticked))})

    @api.model
    def close(self):
        """Put the checklist away for the current company."""
        self._write({"lifecycle_first_steps_closed": True})

    @api.model
    def _get_action(self):
        """Bring the checklist back: the list of customers with all steps."""
        self._write({"lifecycle_first_steps_closed": False})
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_profile_action"
        )
        action["context"] = {"search_default_buyers": 1, "lifecycle_first_steps": "all"}
        return action
