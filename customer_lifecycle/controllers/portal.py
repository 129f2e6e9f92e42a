from odoo.http import request

from odoo.addons.portal.controllers.portal import CustomerPortal


class LifecyclePortal(CustomerPortal):
    def _prepare_portal_layout_values(self):
        """Show the customer his own tier where the company wants that; never anything else."""
        values = super()._prepare_portal_layout_values()
        values["lifecycle_tier"] = request.env["res.users"]._lifecycle_portal_tier()
        values["lifecycle_referral"] = request.env["res.users"]._lifecycle_portal_referral()
        return values
