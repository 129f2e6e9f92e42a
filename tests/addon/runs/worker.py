"""Odoo in a process of its own, to be killed, doubled and disturbed by test_crash.py.

    worker.py DATABASE [ODOO OPTION ...]

reads lists of tasks from standard input, one JSON list a line, runs the tasks of a list at the
same time, each in a fork, and answers with one JSON list of what became of them:
``{"signal": 9}`` or ``{"code": 0, "result": ...}`` or ``{"code": 1, "error": "..."}``.
"""

import json
import os
import random
import signal
import sys
import traceback
from collections import Counter
from datetime import timedelta

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from lifecycle_setup import clock  # noqa: E402

clock.start()

import odoo.init  # noqa: F401 E402 the order in which Odoo wants to be imported

# isort: split
from worker_loyalty import LoyaltyTasks  # noqa: E402
from worker_referral import ReferralTasks  # noqa: E402
from worker_runs import RunTasks  # noqa: E402
from worker_uninstall import UninstallTasks  # noqa: E402
from worker_user import UserTasks  # noqa: E402
from worker_workflow import WorkflowTasks  # noqa: E402

from odoo import SUPERUSER_ID, api, fields, sql_db  # noqa: E402
from odoo.modules.registry import Registry  # noqa: E402
from odoo.tools import config  # noqa: E402


class Worker(RunTasks, UserTasks, WorkflowTasks, LoyaltyTasks, ReferralTasks, UninstallTasks):
    """The tasks; each runs in a fork with connections of its own."""

    def __init__(self, database):
        self.database = database
        self.registry = Registry(database)
        import odoo.addons.customer_lifecycle.models.prediction.forecast as prediction
        import odoo.addons.customer_lifecycle.models.runs.refresh as refresh
        import odoo.addons.customer_lifecycle.models.runs.steps as steps
        import odoo.addons.customer_lifecycle.models.runs.store as store

        # small batches, so that there are many commits to be killed between
        prediction.PREDICT_BATCH, refresh.REFRESH_BATCH = 20, 15
        with self.registry.cursor() as cursor:
            cursor.execute("SELECT last_value FROM res_partner_id_seq")
            # the last of them cuts through the customers that are going to be made
            steps.ID_RANGE = (cursor.fetchone()[0] + 35) // 2
            store.STORE_BATCH = steps.ID_RANGE // 3

    def env(self, cursor):
        return api.Environment(cursor, SUPERUSER_ID, {"tracking_disable": True})

    # ----- DATA -----

    def fill(self, customers):
        """Two companies; customers with purchases, a prospect's lead, contacts to delete.

        :return: ids of the customers
        """
        chance = random.Random(3)
        with self.registry.cursor() as cursor:
            env = self.env(cursor)
            currency = env.company.currency_id
            companies = env["res.company"].create(
                [{"name": name, "currency_id": currency.id, "lifecycle_tz": "UTC"}
                 for name in ("Crash one", "Crash two")]
            )
            env.user.company_ids |= companies
            env.user.company_id = companies[0]
            cursor.execute(
                "UPDATE res_company SET active = FALSE WHERE id <> ALL(%s)", [companies.ids]
            )
            env.invalidate_all()
            env["ir.config_parameter"].set_param(
                "customer_lifecycle.default_company_id", companies[0].id
            )
            partners = env["res.partner"].create(
                [{"name": f"Customer {number:02}", "email": f"c{number}@example.com"}
                 for number in range(customers)]
            )
            rows = []
            today = fields.Date.today()
            for number, partner in enumerate(partners):
                day = today - timedelta(days=chance.randint(200, 600))
                while day <= today and (number % 4 or day < today - timedelta(days=150)):
                    company = companies[number % 9 == 0]
                    rows.append(
                        {"partner_id": partner.id, "date": day, "company_id": company.id,
                         "currency_id": currency.id, "amount": chance.randint(10, 200)}
                    )
                    day += timedelta(days=chance.randint(5, 60))
            env["lifecycle.external.purchase"].create(rows)
            doomed = env["res.partner"].create(
                [{"name": "Doomed", "email": "d@example.com"} for _number in range(20)]
            )
            env["crm.lead"].create(
                [{"name": "L", "partner_id": partner.id} for partner in doomed + partners[-5:]]
            )
            for partner in partners[:5]:
                self._save_order(env, chance, partner)
            # what was computed for the companies that were there before
            for table in ("profile", "run", "clv_model"):
                cursor.execute(f"DELETE FROM lifecycle_{table}")
            return partners.ids

    # ----- KILLING -----

    def _count(self, kill_at, kill_word):
        """Count statements and commits from now on; die before one of them."""
        counts = Counter()

        def note(what):
            if what == kill_word and counts[what] == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            counts[what] += 1

        for word in ("execute", "commit"):
            method = getattr(sql_db.Cursor, word)

            def noting(cursor, *args, _method=method, _word=word, **kwargs):
                note(_word)
                return _method(cursor, *args, **kwargs)

            setattr(sql_db.Cursor, word, noting)
        return counts

    # ----- FORKS -----

    def serve(self):
        sql_db.close_all()
        for line in sys.stdin:
            started = [self._fork(**task) for task in json.loads(line)]
            answers = [self._answer(*one) for one in started]
            print(json.dumps(answers), flush=True)

    def _fork(self, do, **arguments):
        reading, writing = os.pipe()
        pid = os.fork()
        if pid:
            os.close(writing)
            return pid, reading
        code, answer = 0, {}
        try:
            os.close(reading)
            random.seed()
            answer["result"] = getattr(self, do)(**arguments)
        except BaseException:
            code, answer = 1, {"error": traceback.format_exc()}
        with os.fdopen(writing, "w") as stream:
            json.dump(answer, stream)
        os._exit(code)

    @staticmethod
    def _answer(pid, reading):
        with os.fdopen(reading) as stream:
            text = stream.read()
        _pid, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status):
            return {"signal": os.WTERMSIG(status)}
        return {"code": os.WEXITSTATUS(status), **json.loads(text)}


if __name__ == "__main__":
    database, *options = sys.argv[1:]
    config.parse_config(["-d", database, "--no-http", "--log-level=error", *options])
    Worker(database).serve()
