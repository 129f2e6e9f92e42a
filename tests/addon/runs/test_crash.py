"""Killed, doubled and disturbed: what a computation leaves behind in the end is always the same.

Everything happens in a scratch copy of the test database, by processes of their own with real
commits; the copy is dropped at the end.
"""

import json
import subprocess
import sys
import time
import unittest
from collections import Counter
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from odoo import sql_db
from odoo.tests.common import get_db_name
from odoo.tools import config

from lifecycle_setup import odoo_source, testbed

from ..common import FIGURES, REFRESH

pytestmark = pytest.mark.long

CUSTOMERS = 50


def connect(database):
    connection = psycopg2.connect(**sql_db.connection_info_for(database)[1])
    connection.autocommit = True
    return closing(connection)


def copy_database(source, target):
    """Make a database from another; nobody may be connected to that."""
    drop_database(target)
    sql_db.close_db(source)
    with connect("postgres") as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [source]
        )
        cursor.execute(f'CREATE DATABASE "{target}" TEMPLATE "{source}"')


def drop_database(name):
    with connect("postgres") as connection, connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


class Worker:
    """A process of worker.py, or of another such program."""

    def __init__(self, database, program="worker.py"):
        command = [sys.executable, str(Path(__file__).with_name(program)), database]
        if config["config"]:
            command += ["-c", config["config"]]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def together(self, *tasks):
        """Run tasks at the same time; return what became of each."""
        print(json.dumps(tasks), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"the worker ended with code {self.process.wait()}")
        return json.loads(line)

    def do(self, task, **arguments):
        """Run one task that has to succeed; return its result."""
        answer = self.together({"do": task, **arguments})[0]
        if answer.get("code") != 0:
            raise AssertionError(answer.get("error") or answer)
        return answer["result"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class ScratchCase(unittest.TestCase):
    """A scratch database with customers that nothing has been computed for."""

    suffix = "_crash"
    program = "worker.py"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.database = get_db_name() + cls.suffix
        copy_database(get_db_name(), cls.database)
        cls.addClassCleanup(drop_database, cls.database)
        cls.worker = Worker(cls.database, cls.program)
        cls.addClassCleanup(cls.worker.close)
        cls.partners = cls.worker.do("fill", customers=CUSTOMERS)
        # some of the customers wait in the queue too
        cls.query(
            "CREATE TABLE crash_queue AS SELECT * FROM lifecycle_queue WHERE partner_id % 4 = 0"
        )
        cls.computed = [table for table in cls.tables() if not cls.query(f"TABLE {table} LIMIT 1")]
        cls.keep_others_out()

    @classmethod
    def keep_others_out(cls):
        """Let go of other apps' links to what is computed: it could not be emptied at once."""
        rows = cls.query(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'f' "
            "AND confrelid::regclass::text = ANY(%s) AND conrelid::regclass::text <> ALL(%s)",
            [cls.computed, cls.computed],
        )
        for table, name in rows:
            cls.query(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')

    @classmethod
    def tables(cls):
        rows = cls.query(
            "SELECT tablename FROM pg_tables WHERE tablename LIKE 'lifecycle%' ORDER BY 1"
        )
        return [row[0] for row in rows]

    @classmethod
    def query(cls, statement, parameters=None):
        with connect(cls.database) as connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def reset(self):
        """Back to the state before the first computation."""
        self.wait_until_alone()
        self.query(f"TRUNCATE {', '.join(self.computed)}, lifecycle_queue")
        self.query("INSERT INTO lifecycle_queue TABLE crash_queue")

    def wait_until_alone(self):
        """A killed process's statements go on in the server until it notices."""
        for _attempt in range(300):
            rows = self.query(
                "SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid() "
                "AND backend_type = 'client backend'",
                [self.database],
            )
            if not rows:
                return
            time.sleep(0.05)
        self.fail(f"still connected: {rows}")

    def outcome(self):
        """All that a computation leaves, without ids and moments of writing."""
        own = "'id', 'create_uid', 'write_uid', 'create_date', 'write_date'"
        return {
            "profiles": self.query(
                f"SELECT (to_jsonb(profile) - ARRAY[{own}])::text FROM lifecycle_profile profile "
                "ORDER BY company_id, partner_id"
            ),
            "transitions": self.query(
                "SELECT profile.company_id, profile.partner_id, "
                f"(to_jsonb(moved) - ARRAY[{own}, 'profile_id'])::text "
                "FROM lifecycle_transition moved "
                "JOIN lifecycle_profile profile ON profile.id = moved.profile_id "
                "ORDER BY 1, 2, moved.kind, moved.number"
            ),
            "statistics": self.query(
                f"SELECT (to_jsonb(one) - ARRAY[{own}])::text FROM lifecycle_stage_statistic one "
                "ORDER BY company_id, stage_id"
            ),
            "models": self.query(
                "SELECT company_id, customer_count, order_count, parameters::text "
                "FROM lifecycle_clv_model ORDER BY company_id, id"
            ),
            "runs": self.query(
                "SELECT company_id, kind, state, step, message FROM lifecycle_run "
                "WHERE kind <> 'refresh' ORDER BY company_id, id"
            ),
            "queue": self.query("SELECT COUNT(*) FROM lifecycle_queue"),
            "locks": self.query(
                "SELECT classid, objid FROM pg_locks JOIN pg_database base ON base.oid = database "
                "WHERE locktype = 'advisory' AND datname = current_database()"
            ),
        }

    def figures(self):
        """Facts and predictions, which no former state has a part in."""
        return self.query(
            f"SELECT partner_id, company_id, {', '.join(FIGURES)} FROM lifecycle_profile "
            "ORDER BY company_id, partner_id"
        )


class TestKilled(ScratchCase):
    def points(self, happened, word, each):
        """(step, number) of statements or commits to die before: some in every step."""
        counts = Counter(step for what, step in happened if what == word)
        return sorted(
            {
                (step, (2 * part + 1) * count // (2 * each))
                for step, count in counts.items()
                for part in range(1 if step in ("start", "fit") else each)
            }
        )

    def kill(self, step, number, word, **arguments):
        """Let a computation die before its nth statement or commit of a step."""
        kill = {"kill_step": step, "kill_at": number, "kill_word": word}
        answer = self.worker.together({"do": "compute", **kill, **arguments})
        self.assertEqual(answer[0].get("signal"), 9, f"{kill} was not reached")
        self.wait_until_alone()

    def test_nightly_run_killed_in_every_step(self):
        self.reset()
        happened = self.worker.do("compute", passes=2)
        self.assertEqual(self.worker.do("settle"), [0, 0])
        expected = self.outcome()
        self.assertGreater(len(expected["profiles"]), CUSTOMERS)
        self.assertTrue(expected["transitions"])
        self.assertEqual({run[2] for run in expected["runs"]}, {"done"})
        self.assertEqual(
            {step for _word, step in happened}, {"start", "facts", "fit", "predict", "stages"}
        )
        for word, each in (("execute", 2), ("commit", 1)):
            for step, number in self.points(happened, word, each):
                with self.subTest(before=word, number=number, step=step):
                    self.reset()
                    self.kill(step, number, word, passes=2)
                    self.assertEqual(self.worker.do("settle"), [0, 0])
                    self.assertSame(self.outcome(), expected)

    def assertSame(self, outcome, expected):
        for part, rows in expected.items():
            self.assertEqual(outcome[part], rows, part)

    def test_refresh_killed(self):
        """What was in the queue is not lost, wherever the refresh dies."""
        self.reset()
        self.worker.do("settle")
        self.spoil()
        happened = self.worker.do("compute", xml_id=REFRESH)
        expected = self.figures()
        self.assertGreater(len({row[5] for row in expected}), 10, "it has to have done something")
        for step, number in self.points(happened, "execute", 4):
            if step != "refresh":
                continue
            with self.subTest(number=number):
                self.reset()
                self.worker.do("settle")
                self.spoil()
                self.kill(step, number, "execute", xml_id=REFRESH)
                self.worker.do("compute", xml_id=REFRESH)
                self.assertEqual(self.figures(), expected)
                self.assertEqual(self.outcome()["queue"], [(0,)])

    def spoil(self):
        """Figures that are out of date, and a queue that says so.

        Always in one order: how many of a company's customers fall into one batch decides how
        many statements there are.
        """
        self.query(
            "UPDATE lifecycle_profile SET revenue = 1, order_count = 1, clv_historical = 1"
        )
        self.query(
            "INSERT INTO lifecycle_queue (partner_id, company_id) "
            "SELECT partner_id, company_id FROM lifecycle_profile "
            "ORDER BY company_id, partner_id"
        )


class TestTogether(ScratchCase):
    suffix = "_together"

    def assertAllWell(self, answers):
        for answer in answers:
            self.assertEqual(answer.get("code"), 0, answer.get("error"))

    def test_two_workers_do_the_work_once(self):
        """Even without the scheduler's lock: one fit a company, the same figures."""
        self.reset()
        self.worker.do("settle")
        expected = self.outcome()
        for method in ("_cron_nightly", "_cron_refresh"):
            with self.subTest(second=method):
                self.reset()
                answers = self.worker.together(
                    {"do": "unlocked", "method": "_cron_nightly"},
                    {"do": "unlocked", "method": method},
                )
                self.assertAllWell(answers)
                self.assertEqual(self.worker.do("settle"), [0, 0])
                outcome = self.outcome()
                self.assertEqual({run[2] for run in outcome["runs"]}, {"done"})
                for part in ("profiles", "transitions", "models", "queue", "locks"):
                    self.assertEqual(outcome[part], expected[part], part)

    def test_overtaken_worker(self):
        """Who gets the lock late must see what was done before, not what he saw first."""
        self.reset()
        self.worker.do("settle")
        expected = self.outcome()
        for method in ("_cron_nightly", "_cron_refresh"):
            with self.subTest(method=method):
                self.reset()
                self.worker.do("overtaken", method=method)
                self.assertEqual(self.worker.do("settle"), [0, 0])
                outcome = self.outcome()
                self.assertEqual({run[2:] for run in outcome["runs"]},
                                 {run[2:] for run in expected["runs"]})
                for part in ("profiles", "transitions", "queue", "locks"):
                    self.assertEqual(outcome[part], expected[part], part)
                self.assertFalse(
                    self.query("SELECT message FROM lifecycle_run WHERE kind = 'refresh'")
                )

    def test_users_save_meanwhile(self):
        """No save fails, no run fails, and in the end nothing is lost.

        Two users save the customers being computed, while runs and refreshes go on one after
        the other in two other workers.
        """
        self.reset()
        self.worker.do("settle")
        half = len(self.partners) // 2
        answers = self.worker.together(
            {"do": "user", "seed": 1, "saves": 40, "partner_ids": self.partners[:half]},
            {"do": "user", "seed": 2, "saves": 40, "partner_ids": self.partners[half:]},
            {"do": "unlocked", "method": "_cron_nightly", "times": 5},
            {"do": "unlocked", "method": "_cron_refresh", "times": 20},
        )
        self.assertAllWell(answers)
        kinds = set(answers[0]["result"]) | set(answers[1]["result"])
        self.assertLessEqual({"merge", "delete", "order", "parent"}, kinds)
        self.assertEqual(self.worker.do("settle"), [0, 0])
        self.assertFalse(
            self.query("SELECT message FROM lifecycle_run WHERE state = 'failed'"),
        )
        refreshed = self.figures()
        self.query("DELETE FROM lifecycle_queue")
        self.worker.do("compute", request=True)
        self.assertEqual(self.worker.do("settle"), [0, 0])
        self.assertEqual(refreshed, self.figures())
        pairs = [row[:2] for row in refreshed]
        self.assertEqual(len(pairs), len(set(pairs)))


class TestDrag(ScratchCase):
    suffix = "_drag"

    def test_user_moves_whom_a_computation_is_moving(self):
        """He waits for the computation, and his move comes after it; nothing is refused."""
        self.query("DROP TABLE crash_queue")
        self.worker.do("settle")
        for kind in ("stage", "tier"):
            with self.subTest(kind):
                result = self.worker.do("drag", kind=kind)
                self.assertEqual(result["problems"], [])
                self.assertTrue(result["moved"])
                causes = [cause for _number, cause in result["history"]]
                self.assertEqual(causes, ["person", "edit"])


class TestUninstall(ScratchCase):
    suffix = "_uninstall"

    def test_uninstalling_leaves_odoo_as_it_was(self):
        self.query("DROP TABLE crash_queue")
        self.worker.do("settle")
        result = self.worker.do("uninstall")
        self.assertEqual(result["patched"], [])
        self.assertEqual((result["models"], result["untyped"]), ([], []))
        self.assertEqual(result["read"], 1)
        prefixes = ("lifecycle_", "clv_", "vip_")
        ours = [name for name in result["fields"] if name.startswith(prefixes)]
        self.assertEqual(ours, [])
        self.assertEqual(result["pricelists"], [False, "Theirs"])
        self.assertEqual(
            result["cards"], [42, ["Welcome to Kept", "Thank you"], [[30, 0], [12, 0]], True]
        )
        self.assertEqual(self.traces(), {})
        self.assert_nothing_taken_along()

    def assert_nothing_taken_along(self):
        """What was there before the addon came is there still: columns, keys, records of apps."""
        before = testbed.base_template(odoo_source.ensure_odoo())
        for what, statement in {
            "columns": """SELECT table_name, column_name, data_type, is_nullable, column_default
                            FROM information_schema.columns WHERE table_schema = 'public'""",
            # two of Odoo's fields on one table of links disagree on what deleting does
            "constraints": """SELECT conrelid::regclass::text, conname,
                                     split_part(pg_get_constraintdef(oid), ' ON DELETE', 1)
                                FROM pg_constraint
                               WHERE connamespace = 'public'::regnamespace""",
            "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
            "fields": "SELECT model, name, ttype, store, required FROM ir_model_fields",
            "names": "SELECT module, name, model, res_id FROM ir_model_data",
            "selections": "SELECT field_id, value FROM ir_model_fields_selection",
            "reflected": "SELECT name, type FROM ir_model_constraint",
            "relations": "SELECT name FROM ir_model_relation",
            "models": "SELECT model FROM ir_model",
            "inherited": "SELECT model_id, parent_id FROM ir_model_inherit",
            "views": "SELECT id, type, mode, priority, active, arch_db::text FROM ir_ui_view",
            "rules": "SELECT id, domain_force, active FROM ir_rule",
            "rights": "SELECT id, perm_read, perm_write, perm_create, perm_unlink "
            "FROM ir_model_access",
            "groups": "SELECT gid, hid FROM res_groups_implied_rel",
            "menus": "SELECT id, parent_id, action, active FROM ir_ui_menu",
            "windows": "SELECT id, domain, context, view_mode FROM ir_act_window",
            "jobs": "SELECT id, active, interval_number, interval_type FROM ir_cron",
        }.items():
            with self.subTest(what):
                with connect(before) as connection, connection.cursor() as cursor:
                    cursor.execute(statement)
                    was = set(cursor.fetchall())
                lost = was - set(self.query(statement))
                self.assertEqual(sorted(map(str, lost)), [])

    def traces(self):
        """Rows, tables, columns, … in which the addon's names still occur, by where."""
        found = {}
        names = "lifecycle|clv_|_clv"
        for what, statement in {
            "relations": "SELECT relname FROM pg_class WHERE relname ~ %s",
            "columns": "SELECT table_name || '.' || column_name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND column_name ~ %s",
            "constraints": "SELECT conname FROM pg_constraint WHERE conname ~ %s",
            "functions": "SELECT proname FROM pg_proc WHERE proname ~ %s",
        }.items():
            if rows := self.query(statement, [names]):
                found[what] = rows
        tables = self.query(
            "SELECT table_name FROM information_schema.tables "
            "WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        # the list of installable apps names the addon, logs say what was done
        # and messages name the database, which is named after the addon
        told = {"ir_module_module", "ir_module_module_dependency", "ir_logging",
                "ir_module_module_exclusion", "bus_bus"}
        for (table,) in tables:
            if table in told:
                continue
            rows = self.query(
                f'SELECT LEFT(row::text, 300) FROM "{table}" row WHERE row::text ~ %s '
                "AND row::text !~ 'base,ir.module.module' LIMIT 5",
                ["lifecycle|[^a-z]clv_"],
            )
            if rows:
                found[table] = rows
        return found
