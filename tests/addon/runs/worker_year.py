"""Odoo in a process of its own whose clock stands where the test sets it.

    worker_year.py DATABASE [ODOO OPTION ...]

reads tasks as worker.py does; see test_workflow_year_killed.py.
"""

import json
import sys
from datetime import datetime

import worker
from freezegun import freeze_time

from odoo import sql_db
from odoo.tools import config


class YearWorker(worker.Worker):
    """All delivered workflows, started, and customers that nothing has happened to yet."""

    def fill_year(self, customers, moment, zone):
        """Start the delivered workflows at a moment and make customers.

        :return: dict with ``workflows`` as they are configured, ``stages``, ``tier``, ``product``
            and ``customers`` as (profile id, partner id, e-mail address)
        """
        with self.registry.cursor() as cursor, freeze_time(datetime.fromisoformat(moment)):
            env = self.env(cursor)
            company = env.user.company_id
            company.write({"lifecycle_tz": zone, "email": "home@example.com"})
            # deliveries of this year stand on the profiles alone
            env["lifecycle.signal"].search([("target", "=", "delivery_date")]).active = False
            names = [
                row.name for row in env["ir.model.data"].search(
                    [("module", "=", "customer_lifecycle"), ("name", "=like", r"workflow\_%"),
                     ("model", "=", "lifecycle.workflow")]
                )
            ]
            workflows = {}
            tier = env["lifecycle.vip.tier"].create({"name": "Gold", "rank": 1, "entry": 1000})
            for name in sorted(names):
                workflow = env.ref(f"customer_lifecycle.{name}")
                if workflow.asleep_text:
                    continue
                workflow._start()
                workflows[name.removeprefix("workflow_")] = self._plan(workflow, tier)
            stages = {
                name: env.ref(f"customer_lifecycle.stage_{name}").id
                for name in ("prospect", "new", "active", "at_risk", "lost", "won_back",
                             "advocate")
            }
            made = []
            for number in range(customers):
                email = f"year{number:02}@example.com"
                partner = env["res.partner"].create({"name": f"Year {number:02}", "email": email})
                profile = env["lifecycle.profile"].create(
                    {
                        "partner_id": partner.id,
                        "company_id": company.id,
                        "currency_id": company.currency_id.id,
                        "stage_id": stages["prospect"],
                    }
                )
                made.append((profile.id, partner.id, email))
            product = env["product.product"].create({"name": "Usual"})
            env.flush_all()
            cursor.execute("DELETE FROM lifecycle_queue")
            return {"workflows": workflows, "stages": stages, "tier": tier.id,
                    "product": product.id, "customers": made}

    @staticmethod
    def _plan(workflow, tier):
        states = tier if workflow.trigger_kind == "tier" else workflow.stage_ids
        names = ("id", "sequence", "trigger", "trigger_kind", "date_field", "offset_days",
                 "reentry", "reentry_days", "goal", "exit_on_leave", "control_percent")
        return {
            **{name: workflow[name] for name in names},
            "states": states.ids,
            "steps": [
                (step.id, step.kind, step.delay, step.delay_unit)
                for step in workflow.step_ids._in_order()
            ],
        }

    def year_pass(self, moment, kill_at=None):
        """Run the workflows once at a moment, or die before one of its statements."""
        with freeze_time(datetime.fromisoformat(moment)):
            word = None if kill_at is None else "execute"
            self.run_workflows(1, kill_at=kill_at, kill_word=word, unlocked=True)

    def serve(self):
        """As its base does, but most passes in this process: forks of it start warm.

        A list of one task ``{"here": moment}`` is answered with the number of statements.
        """
        import odoo.addons.customer_lifecycle.models.workflow.run as run

        run.BATCH = 5
        # what orders bring is measured in tests of its own
        self.registry["lifecycle.workflow"]._measure_daily = lambda self: None
        sql_db.close_all()
        for line in sys.stdin:
            tasks = json.loads(line)
            if "here" in tasks[0]:
                answers = [{"result": self._pass_here(tasks[0]["here"])}]
                # a fork must not share a connection
                sql_db.close_all()
            else:
                started = [self._fork(**task) for task in tasks]
                answers = [self._answer(*one) for one in started]
            print(json.dumps(answers), flush=True)

    def _pass_here(self, moment):
        with freeze_time(datetime.fromisoformat(moment)), self.registry.cursor() as cursor:
            self.env(cursor)["lifecycle.workflow"]._cron_run()
            return cursor.sql_log_count


if __name__ == "__main__":
    database, *options = sys.argv[1:]
    config.parse_config(["-d", database, "--no-http", "--log-level=error", *options])
    YearWorker(database).serve()
