"""Database indexes by which a journey finds a customer's payments, ratings and mails.

In: which apps are installed. Out: indexes on their tables, made whenever the models are loaded,
and dropped by the uninstall hook of the add-on.
"""

from odoo import api, models
from odoo.tools import SQL, sql

#: columns of apps that may be installed or not by which a journey finds a customer's records
LOOKED_UP = (
    ("rating.rating", "partner_id"),
    ("mailing.trace", "email"),
    ("mailing.trace", "message_id"),
    ("event.registration", "email"),
    ("survey.user_input", "email"),
)


class AccountPayment(models.Model):
    _inherit = "account.payment"

    # a journey looks up a customer's payments, which no screen of Odoo does
    _lifecycle_partner_idx = models.Index("(partner_id) WHERE partner_id IS NOT NULL")


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    _lifecycle_partner_idx = models.Index("(partner_id) WHERE partner_id IS NOT NULL")


class LifecycleJourney(models.AbstractModel):
    # a file for each subject of this model
    _inherit = "lifecycle.journey"  # pylint: disable=consider-merging-classes-inherited

    def _register_hook(self):
        super()._register_hook()
        self._make_indexes()

    @api.model
    def _lookup_indexes(self):
        """(index, table, column) of the lookups in apps that are installed."""
        for name, column in LOOKED_UP:
            if name in self.env and column in self.env[name]._fields:
                table = self.env[name]._table
                yield f"{table}_lifecycle_{column}_idx", table, column

    @api.model
    def _make_indexes(self):
        """Index what journeys look up in apps that this one does not depend on.

        Such an app may come later than this one: its tables are looked at whenever the models
        are loaded.
        """
        for index, table, column in self._lookup_indexes():
            if not sql.index_exists(self.env.cr, index):
                # two workers may get here at once
                self.env.cr.execute(
                    SQL(
                        "CREATE INDEX IF NOT EXISTS %s ON %s (%s) WHERE %s IS NOT NULL",
                        SQL.identifier(index),
                        SQL.identifier(table),
                        SQL.identifier(column),
                        SQL.identifier(column),
                    )
                )

    @api.model
    def _drop_indexes(self):
        """Leave the tables of other apps as they were."""
        for index, _table, _column in self._lookup_indexes():
            self.env.cr.execute(SQL("DROP INDEX IF EXISTS %s", SQL.identifier(index)))
