"""Noting whose figures have become old while users save documents and contacts.

In: changed records of the models that revenue sources read, of invoices, leads and contacts.
Out: rows of customer and company, and a wake-up of the refresh, which takes them; workflows and
expiring points wait for customers in here. Watched anew when revenue sources change.
"""

import logging
import time

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .source_mixin import DEFECTS

_logger = logging.getLogger(__name__)

#: credit notes change the orders they belong to, whatever sources there are
MOVE_FIELDS = {"state", "partner_id", "commercial_partner_id", "invoice_date", "move_type"}
#: seconds in which one process tells the scheduler about waiting customers only once
NOTIFY_SECONDS = 10


class LifecycleQueue(models.Model):
    """Customers whose figures are out of date.

    Only appended to by users' transactions and only emptied by the refresh, so that it can never
    make a user's save wait or fail: no unique index, no foreign key, no update. Several rows for
    one customer are normal.
    """

    _name = "lifecycle.queue"
    _description = "Customers to Refresh"
    _log_access = False
    _order = "id"

    partner_id = fields.Integer(string="Commercial Partner Id")
    company_id = fields.Integer(string="Company Id", help="0: every company.")

    # workflows and loyalty ask for single customers, also while an import waits in here
    _partner_idx = models.Index("(partner_id, company_id)")

    # ----- WATCHING MODELS -----

    def _register_hook(self):
        """Watch the models that active revenue sources read, as automation rules do."""
        super()._register_hook()
        for name, entries in self._watched().items():
            self._watch(self.env.registry[name], entries)

    @api.model
    def _watched(self):
        """What changes the figures of customers.

        :return: dict model name → {way to the customers: names of fields}; the way is what
            ``_affected_parts`` takes
        """
        watched = {"account.move": {None: MOVE_FIELDS}}
        for source in self.env["lifecycle.revenue.source"].sudo().search(Domain.TRUE):
            if source._missing_model() is not None:
                continue
            try:
                models_fields = source._watched_fields()
            except DEFECTS:
                _logger.warning("Revenue source %s cannot be watched", source.name)
                continue
            for name, entries in models_fields.items():
                for prefix, names in entries:
                    for partner_path in source._partner_paths():
                        way = (prefix, source.model, partner_path, source.company_path)
                        watched.setdefault(name, {}).setdefault(way, set()).update(names)
        watched.setdefault("crm.lead", {})[None] = {"partner_id", "company_id", "active"}
        return watched

    def _unregister_hook(self):
        result = super()._unregister_hook()
        for model_class in self.env.registry.values():
            for name in ("_create", "_write_multi", "_lifecycle_note_unlink"):
                method = model_class.__dict__.get(name)
                if getattr(method, "lifecycle_watch", False):
                    delattr(model_class, name)
            if "_ondelete_methods" in model_class.__dict__:
                # memoized list of checks that may still hold a removed one
                del model_class._ondelete_methods
        return result

    @api.model
    def _watch_again(self):
        """Watch what the present sources read, here and in the other workers."""
        self._unregister_hook()
        self._register_hook()
        self.env.registry.registry_invalidated = True

    @api.model
    def _watch(self, model_class, entries):
        """Patch one model class so that changes of the named fields are noted.

        ``_write_multi`` is where every change reaches the database, recomputed fields included.
        """
        names = set().union(*entries.values())
        links = {
            name
            for name in names
            if name in model_class._fields and model_class._fields[name].type == "many2one"
        }
        every = list(entries)

        def _create(self, data_list):
            records = _create.origin(self, data_list)
            self.env["lifecycle.queue"]._note(records, every)
            return records

        def _write_multi(self, vals_list):
            changed = set().union(*vals_list) if vals_list else set()
            touched = [entry for entry, fnames in entries.items() if fnames & changed]
            if touched:
                queue = self.env["lifecycle.queue"]
                if links & changed:
                    # a record that moves to another customer also leaves one
                    queue._append(self._name, self.ids, touched)
                queue._note(self, touched)
            return _write_multi.origin(self, vals_list)

        def _lifecycle_note_unlink(self):
            self.env["lifecycle.queue"]._append(self._name, self.ids, every)

        # run as an ondelete check: before the rows go, also when the model is uninstalled later
        _lifecycle_note_unlink._ondelete = False
        for method in (_create, _write_multi, _lifecycle_note_unlink):
            method.origin = getattr(model_class, method.__name__, None)
            method.lifecycle_watch = True
            setattr(model_class, method.__name__, method)
        if "_ondelete_methods" in model_class.__dict__:
            del model_class._ondelete_methods

    # ----- APPENDING -----

    @api.model
    def _note(self, records, entries):
        """Remember changed records; they are resolved once, when the transaction commits."""
        if not records.ids:
            return
        precommit = self.env.cr.precommit
        noted = precommit.data.get("customer_lifecycle")
        if noted is None:
            noted = precommit.data["customer_lifecycle"] = {}
            precommit.add(self.sudo()._append_noted)
        noted.setdefault(records._name, (set(), set()))
        noted[records._name][0].update(records.ids)
        noted[records._name][1].update(entries)

    @api.model
    def _note_new_contacts(self, partners):
        """Remember contacts just created: until the commit no purchases can leave with them."""
        self._note(partners, [None])
        data = self.env.cr.precommit.data
        data.setdefault("customer_lifecycle_new", set()).update(partners.ids)

    @api.model
    def _note_contacts(self, partners, moved):
        """Remember changed contacts.

        :param moved: their customer changes; it is read now and again when all is done
        """
        if moved:
            new = self.env.cr.precommit.data.get("customer_lifecycle_new", set())
            self._append_partners(set(partners.ids) - new)
        self._note(partners, [None])

    def _append_noted(self):
        noted = self.env.cr.precommit.data.pop("customer_lifecycle", {})
        parts = [
            part
            for name, (record_ids, entries) in noted.items()
            for part in self._affected_parts(name, record_ids, entries)
        ]
        self._insert(parts)

    @api.model
    def _append_now(self):
        """Append what this transaction has changed so far, for who asks within it."""
        if "customer_lifecycle" in self.env.cr.precommit.data:
            self.env.flush_all()
            self.sudo()._append_noted()

    @api.model
    def _append(self, model_name, record_ids, entries):
        """Append the customers behind some records as they are in the database now."""
        if record_ids:
            self._insert(self._affected_parts(model_name, record_ids, entries))

    @api.model
    def _append_partners(self, partner_ids):
        """Append the customers that some contacts belong to now, for every company."""
        self._append("res.partner", partner_ids, [None])

    @api.model
    def _affected_parts(self, model_name, record_ids, entries):
        """SELECTs of (commercial partner, company) behind changed records of one model."""
        parts = []
        sources = self.env["lifecycle.revenue.source"].sudo()
        for entry in entries:
            if entry:
                # read when the watch was set: a user's save must not pay for reading sources
                prefix, name, partner_path, company_path = entry
                try:
                    parts.append(
                        sources._affected_sql(
                            name, partner_path, company_path, prefix, record_ids
                        )
                    )
                except DEFECTS:
                    # a path that an app or a field took along: the save goes on, the run tells
                    _logger.warning("A revenue source on %s cannot be followed", name)
            elif model_name == "res.partner":
                parts.append(
                    SQL(
                        "SELECT commercial_partner_id AS partner_id, 0 AS company_id "
                        "FROM res_partner WHERE id = ANY(%s)",
                        list(record_ids),
                    )
                )
            elif model_name == "account.move":
                # step by step: a planner that believes new tables to be empty joins them whole
                parts.append(
                    SQL(
                        """SELECT commercial_partner_id AS partner_id, company_id
                             FROM account_move
                            WHERE id = ANY(%(ids)s)
                              AND move_type IN ('out_invoice', 'out_refund')
                           UNION ALL
                           (WITH items AS MATERIALIZED (
                              SELECT id FROM account_move_line WHERE move_id IN (
                                SELECT UNNEST(%(ids)s) UNION
                                SELECT reversed_entry_id FROM account_move
                                 WHERE id = ANY(%(ids)s))
                           ), lines AS MATERIALIZED (
                              SELECT rel.order_line_id AS id
                                FROM items
                                JOIN sale_order_line_invoice_rel rel
                                  ON rel.invoice_line_id = items.id
                           ), orders AS MATERIALIZED (
                              SELECT DISTINCT line.order_id AS id
                                FROM lines JOIN sale_order_line line ON line.id = lines.id
                           )
                           SELECT COALESCE(former.firm_id, customer.commercial_partner_id),
                                  ordering.company_id
                             FROM orders
                             JOIN sale_order ordering ON ordering.id = orders.id
                             JOIN res_partner customer ON customer.id = ordering.partner_id
                             LEFT JOIN lifecycle_former_firm former
                               ON former.model = 'sale.order' AND former.res_id = ordering.id
                              AND former.partner_id = ordering.partner_id)""",
                        ids=list(record_ids),
                    )
                )
            elif model_name == "crm.lead":
                parts.append(
                    SQL(
                        """SELECT customer.commercial_partner_id AS partner_id,
                                  COALESCE(lead.company_id, 0) AS company_id
                             FROM crm_lead lead
                             JOIN res_partner customer ON customer.id = lead.partner_id
                            WHERE lead.id = ANY(%s)""",
                        list(record_ids),
                    )
                )
        return parts

    @api.model
    def _insert(self, parts):
        """Append the rows of some SELECTs and wake the refresh, in one statement."""
        if not parts:
            return
        cr = self.env.cr
        queued = SQL(
            """INSERT INTO lifecycle_queue (partner_id, company_id)
               SELECT DISTINCT affected.partner_id,
                      COALESCE(above.id, affected.company_id, 0)
                 FROM (%s) affected
                 -- what a branch sells is its head office's too
                 LEFT JOIN res_company own ON own.id = affected.company_id
                 LEFT JOIN LATERAL unnest(
                      string_to_array(TRIM(TRAILING '/' FROM own.parent_path), '/')::integer[]
                 ) above(id) ON TRUE
                WHERE affected.partner_id IS NOT NULL""",
            SQL(" UNION ALL ").join(parts),
        )
        data = cr.precommit.data
        cron_id = not data.get("customer_lifecycle_woken") and self.env[
            "ir.model.data"
        ]._xmlid_to_res_id("customer_lifecycle.ir_cron_lifecycle_refresh")
        if not cron_id:
            cr.execute(queued)
            return
        # one wake-up a transaction: _trigger() would read the cron and create through the ORM,
        # while a user waits for his save
        cr.execute(
            SQL(
                """WITH queued AS (%(queued)s RETURNING id)
                   INSERT INTO "ir_cron_trigger"
                          (cron_id, call_at, create_uid, write_uid, create_date, write_date)
                   SELECT %(cron)s, %(now)s, %(user)s, %(user)s, %(time)s, %(time)s
                    WHERE EXISTS (SELECT FROM queued)""",
                queued=queued,
                cron=cron_id,
                now=fields.Datetime.now(),
                user=self.env.uid,
                time=cr.now(),
            )
        )
        if cr.rowcount:
            data["customer_lifecycle_woken"] = True
            cr.postcommit.add(self._notify)

    def _notify(self):
        """Rouse the scheduler now.

        That costs the user a connection to another database: of many saves in a row the first
        does it for all, and what comes too late for it is found when the scheduler looks again,
        within a minute.
        """
        now = time.monotonic()
        if now - getattr(self.env.registry, "lifecycle_notified", -NOTIFY_SECONDS) < NOTIFY_SECONDS:
            return
        self.env.registry.lifecycle_notified = now
        self.env["ir.cron"]._notifydb()
