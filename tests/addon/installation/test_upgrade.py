"""From the former release to this one, with demo data and with what people have changed.

A database of the former release is worked with, updated to the present code, and compared with
itself and with a database that was made anew: nothing is lost, nothing doubled, what nobody
touched is as if installed today, what somebody touched stays, and the schema is the same.

Takes about two minutes, and one more where the former release has to be installed first.
"""

import json
import subprocess
import sys
import unittest
from pathlib import Path

import pytest

from odoo.tests.common import get_db_name
from odoo.tools import config

from lifecycle_setup import database, odoo_source, previous, testbed
from lifecycle_setup.install import run_odoo
from lifecycle_setup.odoo import addons_path

from ..runs.test_crash import connect

pytestmark = pytest.mark.long

ADDON = "customer_lifecycle"
#: columns that say when and by whom, or what a scheduled action did last
PASSING = {
    "id", "create_uid", "create_date", "write_uid", "write_date",
    "lastcall", "nextcall", "failure_count", "first_failure_date",
}
#: what every update writes or what waits for the next run
WORKING = {"lifecycle_queue", "lifecycle_run"}
#: what a migration empties so that the next run computes it anew
RECOMPUTED = {("lifecycle_profile", "preference_order_count"),
              ("lifecycle_profile", "preference_order_date")}


class TestUpgrade(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        source = odoo_source.ensure_odoo()
        former = testbed.previous_template(source, {})
        if former is None:
            raise unittest.SkipTest(
                f"The former release ({previous.TAG}) is neither in this clone's history nor to "
                "be fetched: run this in a full clone."
            )
        cls.fresh = testbed.fresh_template(source, {})
        cls.updated = f"{get_db_name()}_upgrade"
        cls.addClassCleanup(database.drop, cls.updated)
        database.create(cls.updated, former)
        path = addons_path(source, previous.folder())
        program = Path(__file__).with_name("worker_upgrade.py")
        process = subprocess.run(
            [sys.executable, str(program), cls.updated, path, config["config"] or ""],
            capture_output=True, text=True, check=False,
        )
        if process.returncode:
            raise AssertionError(process.stderr[-4000:])
        answer = json.loads(process.stdout)
        cls.changed, cls.deleted = answer["changed"], set(answer["deleted"])
        cls.former = cls.rows_of_all(former)
        cls.before = cls.rows_of_all(cls.updated)
        cls.names_before = cls.names(cls.updated)
        cls.warnings = run_odoo(
            source,
            {},
            ["-d", cls.updated, "-u", ADDON],
            log="test-upgrade",
            failure="the former release could not be updated",
            on_test_day=True,
        )
        cls.after = cls.rows_of_all(cls.updated)
        cls.names_after = cls.names(cls.updated)

    # ----- READING -----

    @classmethod
    def query(cls, name, statement, values=None):
        with connect(name) as connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()

    @classmethod
    def rows_of_all(cls, name):
        """{table: {id: {column: value}}} of the addon's tables and of Odoo's documents."""
        found = {}
        for (table,) in cls.query(
            name,
            """SELECT relname FROM pg_class JOIN pg_attribute
                   ON attrelid = pg_class.oid AND attname = 'id'
                WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
                  AND (relname LIKE 'lifecycle%%' OR relname = ANY(%s)
                       OR relname ~ '^(sale|crm|loyalty|account_move|account_payment|res_partner'
                                    '|res_users|res_company|mail_(message|mail|activity|template|'
                                    'blacklist)|product_pricelist|utm)')""",
            [["ir_cron"]],
        ):
            rows = cls.query(name, f'SELECT id, to_jsonb(t) FROM "{table}" t')
            found[table] = dict(rows)
        return found

    @classmethod
    def names(cls, name):
        """{(table, id): external id} of the addon's own data, without demo data."""
        return {
            (model.replace(".", "_"), res_id): xml_id
            for model, res_id, xml_id in cls.query(
                name,
                "SELECT model, res_id, name FROM ir_model_data WHERE module = %s "
                r"AND noupdate AND name NOT LIKE '%%\_demo%%'",
                [ADDON],
            )
        }

    @classmethod
    def foreign_keys(cls, name):
        """{(table, column): table that it points to}"""
        return {
            (table, column): target
            for table, column, target in cls.query(
                name,
                """SELECT conrelid::regclass::text, attname, confrelid::regclass::text
                     FROM pg_constraint JOIN pg_attribute
                       ON attrelid = conrelid AND attnum = conkey[1]
                    WHERE contype = 'f'""",
            )
        }

    # ----- COMPARING -----

    def test_no_warning_in_the_log(self):
        self.assertEqual(self.warnings, [])

    def test_version_is_the_present_one(self):
        [(version, state)] = self.query(
            self.updated,
            "SELECT latest_version, state FROM ir_module_module WHERE name = %s",
            [ADDON],
        )
        [(present,)] = self.query(
            self.fresh, "SELECT latest_version FROM ir_module_module WHERE name = %s", [ADDON]
        )
        self.assertEqual((version, state), (present, "installed"))

    def test_schema_is_that_of_a_new_database(self):
        for what, statement in {
            "columns": """SELECT table_name || '.' || column_name, udt_name, is_nullable,
                                 column_default, character_maximum_length
                            FROM information_schema.columns
                            JOIN information_schema.tables USING (table_schema, table_name)
                           WHERE table_schema = 'public' AND table_type = 'BASE TABLE'""",
            "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
            "constraints": """SELECT conrelid::regclass || ' ' || conname,
                                     pg_get_constraintdef(oid)
                                FROM pg_constraint
                               WHERE connamespace = 'public'::regnamespace""",
            "functions": "SELECT proname, prosrc FROM pg_proc "
            "WHERE pronamespace = 'public'::regnamespace AND probin IS NULL",
            "triggers": "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger "
            "WHERE NOT tgisinternal",
            "reflected constraints": "SELECT DISTINCT c.name, c.type FROM ir_model_constraint c "
            "JOIN ir_module_module m ON m.id = c.module WHERE m.name = 'customer_lifecycle'",
            "fields": "SELECT model || '.' || name, ttype, store, required, index, related "
            "FROM ir_model_fields WHERE state = 'base'",
        }.items():
            with self.subTest(what):
                updated = {tuple(row) for row in self.query(self.updated, statement)}
                fresh = {tuple(row) for row in self.query(self.fresh, statement)}
                self.assertEqual(sorted(map(str, updated - fresh)), [], "only after an update")
                self.assertEqual(sorted(map(str, fresh - updated)), [], "only in a new database")

    def test_nothing_is_lost(self):
        lost = [
            (table, row_id, self.names_before.get((table, row_id)))
            for table, rows in self.before.items()
            for row_id in rows
            if row_id not in self.after.get(table, {}) and table not in WORKING
        ]
        self.assertEqual(lost, [])

    def test_nothing_is_doubled(self):
        """What is new is delivered: it has an external id, as in a new database."""
        fresh = set(self.names(self.fresh).values())
        new = [
            (table, row)
            for table, rows in self.after.items()
            for row_id, row in rows.items()
            if row_id not in self.before.get(table, {})
            and table not in WORKING
            and self.names_after.get((table, row_id)) not in fresh
            # Odoo notes on a delivered action of the server that it was created
            and (table, row.get("model")) != ("mail_message", "ir.actions.server")
        ]
        self.assertEqual(new, [])

    def test_what_somebody_changed_stays(self):
        ids = {name: key for key, name in self.names_after.items()}
        for name, values in self.changed.items():
            table, row_id = ids[name]
            row = self.after[table][row_id]
            for field, value in values.items():
                with self.subTest(name=name, field=field):
                    stored = row[field]
                    stored = stored["en_US"] if isinstance(stored, dict) else stored
                    self.assertEqual(stored or "", value or "")

    def test_what_nobody_touched_is_as_delivered_today(self):
        """Data of the addon are not overwritten by an update: a migration brings them along."""
        fresh_rows = self.rows_of_all(self.fresh)
        fresh_names = self.names(self.fresh)
        fresh_ids = {name: key for key, name in fresh_names.items()}
        self.assertEqual(
            set(fresh_ids) - set(self.names_after.values()),
            self.deleted,
            "what somebody deleted does not come back, and what is new has come",
        )
        keys = self.foreign_keys(self.fresh)
        for (table, row_id), name in self.names_after.items():
            if table not in self.after or name not in fresh_ids:
                continue
            was, there = self.after[table].get(row_id), fresh_rows[table][fresh_ids[name][1]]
            if was is None:
                continue
            with self.subTest(name):
                before = self.before[table].get(row_id, {})
                former = self.former[table].get(row_id, {})
                self.assertEqual(
                    {
                        column: value
                        for column, value in was.items()
                        if column not in PASSING
                        # whoever worked with the former release has not changed it
                        and before.get(column) == former.get(column)
                        and (table, column) not in keys
                        and self.plain(value) != self.plain(there.get(column))
                    },
                    {},
                )

    @staticmethod
    def plain(value):
        """A value that is comparable between databases with different languages."""
        return value.get("en_US") if isinstance(value, dict) and "en_US" in value else value

    def test_documents_and_what_was_added_stay_as_they_were(self):
        """Orders, cards, messages, enrolments, opt-outs, own tiers and segments, figures."""
        delivered = set(self.names_after)
        different = []
        for table, rows in self.before.items():
            if table in WORKING:
                continue
            for row_id, row in rows.items():
                now = self.after.get(table, {}).get(row_id)
                if now is None or (table, row_id) in delivered:
                    continue
                different += [
                    (table, row_id, column, value, now[column])
                    for column, value in row.items()
                    if column in now
                    and column not in PASSING
                    and (table, column) not in RECOMPUTED
                    and now[column] != value
                ]
        self.assertEqual(different, [])

    def test_something_was_there_to_be_compared(self):
        """The former release was really worked with."""
        for table in (
            "lifecycle_workflow_enrollment", "lifecycle_workflow_delivery", "lifecycle_profile",
            "lifecycle_transition", "mail_blacklist", "loyalty_history", "lifecycle_vip_tier",
        ):
            with self.subTest(table):
                self.assertTrue(self.before[table])
