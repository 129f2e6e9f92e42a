"""Brings the store of purchases up to date before anything is summed up.

In: the queue, and documents that were changed since the store looked last. Out: the facts of the
customers concerned, or of all where that is due. The first step of the night and of a refresh;
everything after it reads the store.
"""

from datetime import timedelta

from psycopg2 import OperationalError

from odoo import tools
from odoo.tools import SQL

from ...tools.step import LAST_ID, Step
from ..prediction.fit import customer_count
from .run import COMPLETE

#: customers whose documents are looked up at a time
BATCH = 5_000
#: above this share of all customers one pass over all documents is quicker
MOST = 1 / 20
#: the longest that somebody's changes may have been under way before they were committed
UNDER_WAY = timedelta(hours=1)
#: models that change customers, but not what they have bought
NO_PURCHASES = {"crm.lead"}
EVERY_ID = (1, LAST_ID)
#: tables that purchases are read from, where they exist
DOCUMENT_TABLES = (
    *("sale_order", "sale_order_line", "sale_order_line_invoice_rel", "stock_move"),
    *("account_move", "account_move_line", "pos_order", "pos_order_line", "res_partner"),
    "lifecycle_external_purchase",
)


class Purchases(Step):
    """Keeping the store of purchases."""

    def __init__(self, env, company, day, scope):
        super().__init__(env, company, day, scope)
        self.kept = env["lifecycle.purchase.fact"]
        self.store = env["lifecycle.purchase.store"]._of(company)

    def update_few(self):
        """Keep what the documents say now of the few of the scope."""
        self._prepare()
        self._look_up(self.scope.partner_ids)

    def update(self, kind, begins, ends):
        """Keep what the documents say of a range of customers.

        A few are looked up by themselves: who waits in the queue, and whose documents were changed
        since without a word, as by a program that goes past what the queue watches.

        :param kind: of the run
        :param begins, ends: whether it is the first range of all customers, or the last
        :return: ids of the customers looked at; None where all of the range were
        """
        self._prepare()
        settings = self.store._settings(self.company)
        if begins:
            self._begin(kind, settings)
        looked_at = None
        if self.store.complete_on:
            looked_at = self._changed()
        if looked_at is None:
            self.store.has_items = False
            anew = self.store.settings != settings
            self.kept._replace_range(self.company, *(self.scope.id_range or EVERY_ID), anew=anew)
        else:
            for start in range(0, len(looked_at), BATCH):
                self._look_up(looked_at[start : start + BATCH])
        if ends:
            self.store.write(
                {
                    "settings": settings,
                    "seen": self.store.begun,
                    "complete_on": self.store.complete_on or self.day,
                }
            )
        return looked_at

    def _look_up(self, partner_ids):
        self.kept._replace(self.company, partner_ids)
        self.env["lifecycle.purchase.item"]._replace(self.company, partner_ids)

    def update_items(self):
        """Keep the products of all purchases, where those of all were read anew."""
        if not self.store or self.store.has_items:
            return
        self._prepare()
        self.env["lifecycle.purchase.item"]._replace(self.company)
        self.store.has_items = True

    def _prepare(self):
        self.env.flush_all()
        self.cr.execute("SET LOCAL jit = off")
        if not self.scope.is_few:
            # what millions of orders are joined with belongs in memory, not in temporary files
            self.cr.execute("SET LOCAL work_mem = '256MB'")
        self._know_sizes()

    def _know_sizes(self):
        """Count anew the rows of documents' tables that the planner believes to be nearly empty.

        It would loop over them; so it believes of what was filled in one go, and of what was empty
        when it last looked. Tables of any size are left to autovacuum.
        """
        # less than a row a page: that was another table
        self.cr.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace "
            "AND relname = ANY(%s) AND reltuples BETWEEN 0 AND pg_relation_size(oid) / 8192 "
            "AND pg_relation_size(oid) > 0",
            [list(DOCUMENT_TABLES)],
        )
        for (table,) in self.cr.fetchall():
            try:
                with self.cr.savepoint(flush=False), tools.mute_logger("odoo.sql_db"):
                    # somebody else counts already: his numbers will do
                    self.cr.execute("SET LOCAL lock_timeout = '1s'")
                    self.cr.execute(SQL("ANALYZE %s", SQL.identifier(table)))
            except OperationalError:
                continue
        self.cr.execute("SET LOCAL lock_timeout = 0")

    def _begin(self, kind, settings):
        """Decide whether all documents are read, which holds for all ranges of the run."""
        if not self.store:
            self.store = self.store.create({"company_id": self.company.id})
        self.store.begun = self.cr.now()
        if kind in COMPLETE or self.store.settings != settings or self.store._is_due(self.day):
            self.store.complete_on = False

    def _changed(self):
        """Ids of customers in the scope whose documents may say something else than their facts;
        None where they are too many to look up."""
        queue = self.env["lifecycle.queue"]
        most = max(BATCH, int(customer_count(self.env, self.company) * MOST))
        parts = [
            SQL(
                "SELECT partner_id, company_id FROM lifecycle_queue WHERE company_id IN (0, %s)",
                self.company.id,
            )
        ]
        for name, ways in queue._watched().items():
            if name in NO_PURCHASES:
                continue
            ids = self._written(name, most * 10)
            if ids is None:
                return None
            if ids:
                parts += queue._affected_parts(name, ids, list(ways))
        self.cr.execute(
            SQL(
                """SELECT DISTINCT partner_id FROM (%s) affected
                    WHERE %s AND COALESCE(company_id, 0) = ANY(%s) LIMIT %s""",
                SQL(" UNION ALL ").join(parts),
                self.scope.where(SQL.identifier("partner_id")),
                [0, *self.company._lifecycle_family().ids],
                most + 1,
            )
        )
        found = sorted(row[0] for row in self.cr.fetchall())
        return found if len(found) <= most else None

    def _written(self, name, most):
        """Ids of a model's records that were written since the store looked; None if too many."""
        model = self.env[name]
        if not model._auto or not model._log_access:
            return []
        self.cr.execute(
            SQL(
                # what a program of its own has made may have no such moment
                "SELECT id FROM %s WHERE COALESCE(write_date, create_date) >= %s LIMIT %s",
                SQL.identifier(model._table),
                self.store.seen - UNDER_WAY,
                most + 1,
            )
        )
        ids = [row[0] for row in self.cr.fetchall()]
        return ids if len(ids) <= most else None
