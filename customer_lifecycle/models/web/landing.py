"""Where the app opens.

In: the rights of whoever opens it. Out: the action of the first screen. Called by the app's menu.
"""

from odoo import api, models

#: the screen that the app opens: that of the first of these rights which the user has
SCREENS = (
    ("sales_team.group_sale_manager", "customer_lifecycle.lifecycle_overview_action"),
    ("sales_team.group_sale_salesman", "customer_lifecycle.lifecycle_profile_action_contact"),
)


class LifecycleLanding(models.AbstractModel):
    """The first screen of the app: how the base does for managers, whom to call for others."""

    _name = "lifecycle.landing"
    _description = "Customer Lifecycle: First Screen"

    @api.model
    def _get_action(self):
        xml_id = next((xml_id for group, xml_id in SCREENS if self.env.user.has_group(group)), None)
        return self.env["ir.actions.actions"]._for_xml_id(xml_id) if xml_id else False
