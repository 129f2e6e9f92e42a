"""Whether the store of purchases holds what the documents say, and up to when.

In: a company, what its purchases are by the settings, and the moment up to which documents have
been looked at. Out: whether its facts can be read instead of the documents. Written by the night,
asked by whoever sums up purchases of many.
"""

from datetime import timedelta
from hashlib import sha256

from odoo import api, fields, models

#: days after which a night reads all documents anew, whatever was noted meanwhile
COMPLETE_DAYS = 7


class LifecyclePurchaseStore(models.Model):
    """How far the facts of one company can be relied on."""

    _name = "lifecycle.purchase.store"
    _description = "Store of Purchases"
    _log_access = False

    company_id = fields.Many2one("res.company", required=True, ondelete="cascade", readonly=True)
    settings = fields.Char(
        readonly=True, help="What purchases and their value were, by the settings."
    )
    seen = fields.Datetime(readonly=True, help="Documents changed before are contained.")
    begun = fields.Datetime(readonly=True, help="When the present or last look began.")
    has_items = fields.Boolean(
        readonly=True, help="Whether the products of all purchases have been read."
    )
    complete_on = fields.Date(readonly=True, help="The day on which all documents were read.")

    _company_unique = models.UniqueIndex("(company_id)")

    @api.model
    def _settings(self, company):
        """Whatever makes purchases other ones when it changes.

        The compiled query tells most of it: sources, an app that wakes one up, what value is. The
        last day that is believed moves on every day.
        """
        # for no customer: compiled once for everybody, whatever his language
        rows = self.env["lifecycle.revenue.source"]._rows_of(company, 0)
        last = company._lifecycle_limits()[1]
        params = ["last day" if param == last else param for param in rows.params]
        return "|".join(
            str(part)
            for part in (
                sha256(repr((rows.code, params)).encode()).hexdigest(),
                company._lifecycle_timezone(),
                company.currency_id.id,
            )
        )

    @api.model
    def _of(self, company):
        """The record of a company; none before its first run."""
        return self.sudo().search([("company_id", "=", company.id)])

    @api.model
    def _is_ready(self, company):
        """Whether the facts are what the documents say, but for customers in the queue."""
        return self._of(company).settings == self._settings(company.sudo())

    def _is_due(self, day):
        """Whether all documents are to be read anew."""
        return not self.complete_on or self.complete_on <= day - timedelta(days=COMPLETE_DAYS)
