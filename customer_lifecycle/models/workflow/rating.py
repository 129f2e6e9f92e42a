"""E-mails some days after a delivery that ask for a rating.

In: a person with his last delivered order, and the signals that tell of deliveries. Out: links to
Odoo's ratings, and enrolments also for who gets the next delivery before the days are over.
Called by e-mail templates and the triggers; colleagues' copies of e-mails lose their links here.
"""

import re
from datetime import timedelta

from markupsafe import Markup

from odoo import api, models
from odoo.tools import SQL

from ..profile.signal import BROKEN

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


class LifecycleWorkflow(models.Model):
    """Days after a delivery, also for customers who get the next one before they are over."""

    # a file for each subject of this large model
    _inherit = "lifecycle.workflow"  # pylint: disable=consider-merging-classes-inherited

    def _dated_sql(self, company, everybody=False):
        """Add deliveries that were followed by another one before their days were over.

        The profile knows the last delivery only: for who gets one every week, the day two weeks
        after it never comes.
        """
        usual = super()._dated_sql(company, everybody)
        if self.trigger != "date" or self.date_field != "delivery_date" or self.offset_days <= 0:
            return usual
        wait = timedelta(days=self.offset_days)
        last = company._lifecycle_today() - wait
        first = self._dated_since(company, everybody) - wait
        parts = []
        for signal in self.env["lifecycle.signal"]._awake():
            if signal.target == "delivery_date":
                try:
                    parts.append(signal._compile(company.sudo(), days=(first, last)))
                except (SyntaxError, *BROKEN):
                    # the nightly run tells of it
                    continue
        if not parts:
            return usual
        return SQL(
            """%(usual)s UNION ALL
               SELECT profile.id, 'date:' || MAX(delivered.value)::text AS episode
                 FROM (%(deliveries)s) delivered
                 JOIN lifecycle_profile profile ON profile.partner_id = delivered.partner_id
                  AND profile.company_id = %(company)s AND profile.active
                WHERE profile.delivery_date > %(last)s
                GROUP BY profile.id""",
            usual=usual,
            deliveries=SQL(" UNION ALL ").join(parts),
            company=company.id,
            last=last,
        )


class LifecycleWorkflowEnrollment(models.Model):
    # a file for each subject of this model
    _inherit = "lifecycle.workflow.enrollment"  # pylint: disable=consider-merging-classes-inherited

    def _still(self, workflow, holding):
        """A delivery stays true when the next one comes."""
        still = super()._still(workflow, holding)
        if still or workflow.trigger != "date" or workflow.date_field != "delivery_date":
            return still
        last = self.profile_id.delivery_date
        return bool(last and workflow.offset_days > 0 and self.episode <= f"date:{last}")


class LifecycleWorkflowMail(models.AbstractModel):
    # a file for each subject of this model
    _inherit = "lifecycle.workflow.mail"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _without_link(self, body, partner, company):
        """Nor may colleagues rate, or open a cart, in the customer's name."""
        return Markup(
            PRIVATE_LINK.sub('href="#"', str(super()._without_link(body, partner, company)))
        )
