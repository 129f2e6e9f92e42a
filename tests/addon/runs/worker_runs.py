"""Runs: computed, killed in a step, overtaken by another worker; tasks of worker.py."""

import os
import signal
from collections import Counter

from odoo import sql_db

NIGHTLY = "customer_lifecycle.ir_cron_lifecycle_nightly"
REFRESH = "customer_lifecycle.ir_cron_lifecycle_refresh"


class RunTasks:
    """Computes figures with and without the scheduler's own lock."""

    def compute(self, xml_id=NIGHTLY, passes=1, request=False, **kill):
        """Run a scheduled action some times; count statements and commits; die before one.

        :param kill: step of the run, number within it and kind ("execute" or "commit") of the
            statement to die before
        :return: list of [kind, step of the run] in the order they happened
        """
        happened = []
        self._spy(happened, **kill)
        with self.registry.cursor() as cursor:
            env = self.env(cursor)
            if request:
                env["lifecycle.run"]._request(env["res.company"].search([]), kind="manual")
                cursor.commit()
            for _pass in range(passes):
                env.ref(xml_id).method_direct_trigger()
        return happened

    def _spy(self, happened, kill_step=None, kill_at=None, kill_word=None):
        place = ["start"]
        run_class = self.registry["lifecycle.run"]
        for step, _label in run_class._fields["step"].selection:
            self._tell(run_class, f"_step_{step}", place, step)
        self._tell(run_class, "_refresh_rows", place, "refresh")
        counts = Counter()

        def note(what):
            here = what, place[0]
            if here == (kill_word, kill_step) and counts[here] == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            counts[here] += 1
            happened.append(here)

        execute, commit = sql_db.Cursor.execute, sql_db.Cursor.commit

        def execute_and_note(cursor, *args, **kwargs):
            note("execute")
            return execute(cursor, *args, **kwargs)

        def commit_and_note(cursor):
            note("commit")
            return commit(cursor)

        sql_db.Cursor.execute = execute_and_note
        sql_db.Cursor.commit = commit_and_note

    @staticmethod
    def _tell(model_class, name, place, word):
        method = getattr(model_class, name)

        def telling(*args):
            place[0] = word
            return method(*args)

        setattr(model_class, name, telling)

    def settle(self, rounds=20):
        """Run both actions until nothing waits; return what is left and the run's states."""
        for _round in range(rounds):
            self.compute(NIGHTLY)
            self.compute(REFRESH)
            with self.registry.cursor() as cursor:
                cursor.execute(
                    "SELECT (SELECT COUNT(*) FROM lifecycle_queue), (SELECT COUNT(*) "
                    "FROM lifecycle_run WHERE state IN ('pending', 'running'))"
                )
                left = cursor.fetchone()
            if left == (0, 0):
                break
        return left

    def unlocked(self, method, times=1):
        """Call a scheduled action's method directly: only our own lock keeps others out."""
        for _time in range(times):
            with self.registry.cursor() as cursor:
                env = self.env(cursor)
                if times > 1:
                    env["lifecycle.run"]._request(env["res.company"].search([]), kind="manual")
                    cursor.commit()
                getattr(env["lifecycle.run"], method)()

    def overtaken(self, method):
        """Call a scheduled action's method that another worker overtakes.

        The other does all the work between this one's first look and its lock.
        """
        run_class = self.registry["lifecycle.run"]
        locks = run_class._company_locks

        def late(record, companies):
            run_class._company_locks = locks
            for first in ("_cron_nightly", "_cron_refresh"):
                self.unlocked(first)
            return locks(record, companies)

        with self.registry.cursor() as cursor:
            env = self.env(cursor)
            env["lifecycle.run"]._request(env["res.company"].search([]), kind="manual")
        run_class._company_locks = late
        self.unlocked(method)
        if run_class._company_locks is late:
            raise AssertionError("nobody was overtaken")
