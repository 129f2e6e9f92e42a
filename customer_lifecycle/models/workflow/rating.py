"""E-mails some days after a delivery that ask for a rating.

In: a person with his last delivered order. Out: links to Odoo's ratings. Called by e-mail
templates; colleagues' copies of e-mails lose their links here.
"""

import re

from markupsafe import Markup

from odoo import api, models

#: links that only the customer himself may follow: ratings, and carts with their key
PRIVATE_LINK = re.compile(r'href="[^"]*(?:/rate/|access_token=)[^"]*"')


class ResPartner(models.Model):
    """Asking for a rating with the links of Odoo's own ratings, where these are installed."""

    # a file for each subject of this model
    _inherit = "res.partner"  # pylint: disable=consider-merging-classes-inherited

    def _lifecycle_rating_links(self):
        """Links by which a person rates what was delivered last, the best first.

        :return: list of dicts ``value`` (5, 3, 1), ``url`` and ``image``; empty without ratings
        """
        self.ensure_one()
        if "rating.rating" not in self.env:
            return []
        base = self.get_base_url()
        token = None
        if not self.env.context.get("lifecycle_preview"):
            token = self._lifecycle_rated_record()._rating_get_access_token(partner=self)
        return [
            {
                "value": value,
                "url": f"{base}/rate/{token}/{value}" if token else "#",
                "image": f"{base}/rating/static/src/img/rating_{value}.png",
            }
            for value in (5, 3, 1)
        ]

    def _lifecycle_rated_record(self):
        """The order that is rated: the last one of the customer; without one, the contact."""
        customer = self.commercial_partner_id
        profile = customer.lifecycle_profile_id
        domain = [
            ("partner_id", "child_of", customer.id),
            ("company_id", "=", self.env.company.id),
            ("state", "=", "sale"),
        ]
        orders = self.env["sale.order"]
        if profile.delivery_date:
            # an order that has come since is not the one that was delivered
            orders = orders.search(
                [*domain, ("date_order", "<", f"{profile.delivery_date} 23:59:59")],
                order="date_order desc, id desc",
                limit=1,
            )
        return orders or orders.search(domain, order="date_order desc, id desc", limit=1) or self


class LifecycleWorkflowMail(models.AbstractModel):
    # a file for each subject of this model
    _inherit = "lifecycle.workflow.mail"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _without_link(self, body, partner, company):
        """Nor may colleagues rate, or open a cart, in the customer's name."""
        return Markup(
            PRIVATE_LINK.sub('href="#"', str(super()._without_link(body, partner, company)))
        )
