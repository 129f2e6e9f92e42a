"""``setup/bench workflow``: customers entering a workflow, and a step due for all of them."""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import tempfile
import time
from pathlib import Path

from lifecycle_setup import python
from lifecycle_setup.console import SetupError, log_file, step

SCRIPT = """
import sys
sys.path.append({library!r})
from lifecycle_setup import bench_workflow
bench_workflow.measure(env, {customers!r}, {path!r})
"""
#: seconds: 10,000 customers of one run enter; 100,000 steps due at once with e-mails queued
ENTER_LIMIT, DUE_LIMIT = 20, 600


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        prog="setup/bench workflow",
        description="Let customers of one run enter a workflow, and send each an e-mail.",
    )
    parser.add_argument("--customers", type=int, default=100_000, help="(100000)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    options = parser.parse_args(arguments)
    if not 100 <= options.customers <= 1_000_000:
        parser.error("--customers must be between 100 and 1000000")
    return options


def main(arguments: list[str]) -> int:
    """Run the benchmark; exit code 1 when a target is missed."""
    options = parse(arguments)
    python.enter("odoo")
    from lifecycle_setup import odoo, odoo_source, postgres, testbed

    source = odoo_source.ensure_odoo()
    with (
        postgres.server() as keep_alive,
        testbed.own_database(source, keep_alive) as (name, *_rest),
        tempfile.TemporaryDirectory() as folder,
        step(f"Measuring {options.customers:,} customers in a workflow"),
    ):
        path = Path(folder) / "result.json"
        log = log_file("bench-workflow")
        script = SCRIPT.format(
            library=str(Path(__file__).parents[1]), customers=options.customers, path=str(path)
        )
        with open(log, "a", encoding="utf-8") as stream:
            process = subprocess.Popen(
                odoo.command(
                    *("shell", "-d", name, "--no-http", "--log-level=warn"),
                    *("--logfile", str(log), "--max-cron-threads=0"),
                ),
                stdin=subprocess.PIPE,
                stdout=stream,
                env=odoo.environment(source),
                text=True,
                **keep_alive,
            )
            process.stdin.write(script)
            process.stdin.close()
            code = odoo.wait_for(process)
        if code or not path.exists():
            raise SetupError(f"the measurement ended with an error: see {log}")
        measured = json.loads(path.read_text(encoding="utf-8"))
    # targets are for 10,000 and 100,000 customers; the work is linear
    enter_limit = ENTER_LIMIT * options.customers / 10_000
    due_limit = DUE_LIMIT * options.customers / 100_000
    passed = measured["enter"] <= enter_limit and measured["due"] <= due_limit
    if options.json:
        print(json.dumps({**vars(options), **measured, "passed": passed}))
    else:
        print(
            f"\n{options.customers:,} customers, {os.cpu_count()} processors\n"
            f"Entering from one run      {measured['enter']:8.1f} s   (at most "
            f"{enter_limit:.0f})\n"
            f"A step due for all         {measured['due']:8.1f} s   (at most {due_limit:.0f}), "
            f"{measured['mails']:,} e-mails queued\n"
            f"Memory, after a tenth      {measured['memory_first']:8.0f} MB\n"
            f"Memory, at the end         {measured['memory']:8.0f} MB\n"
            f"Longest wait of a user     {measured['user']:8.2f} s   saving one of the customers"
        )
    return 0 if passed else 1


# ----- IN ODOO -----


def measure(env, customers: int, path: str) -> None:
    """Fill the database, measure, and write the result as JSON."""
    workflow = _fill(env, customers)
    workflows = env["lifecycle.workflow"]
    started = time.monotonic()
    entered = workflows._enter_all()
    result = {"enter": time.monotonic() - started, "entered": entered}
    if entered != customers:
        raise AssertionError(f"{entered} entered instead of {customers}")
    env.cr.execute("UPDATE lifecycle_workflow_enrollment SET date_next = date_entered")
    env.cr.execute("ANALYZE lifecycle_workflow_enrollment")
    env.cr.commit()
    waits, memory = [], []
    work = env.registry["lifecycle.workflow.enrollment"]._work

    def watch(record, company, ids):
        done = work(record, company, ids)
        if len(memory) % 20 == 0:
            waits.append(_save_as_user(env, ids[0]))
        memory.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return done

    env.registry["lifecycle.workflow.enrollment"]._work = watch
    started = time.monotonic()
    workflows._cron_run()
    result["due"] = time.monotonic() - started
    env.cr.execute("SELECT COUNT(*) FROM mail_mail WHERE state = 'outgoing'")
    result["mails"] = env.cr.fetchone()[0]
    env.cr.execute(
        "SELECT COUNT(*) FROM lifecycle_workflow_delivery WHERE workflow_id = %s "
        "AND state = 'done'",
        [workflow.id],
    )
    done = env.cr.fetchone()[0]
    if not done == result["mails"] == customers:
        raise AssertionError(f"{done} deliveries, {result['mails']} e-mails")
    result.update(
        memory_first=memory[len(memory) // 10], memory=memory[-1], user=max(waits)
    )
    Path(path).write_text(json.dumps(result), encoding="utf-8")


def _fill(env, customers: int):
    """Customers who become at risk, and a started workflow with one e-mail."""
    company = env.company
    stage = env.ref("customer_lifecycle.stage_at_risk")
    template = env.ref("customer_lifecycle.mail_template_at_risk")
    values = {f"window_{day}": True for day in ("saturday", "sunday")}
    workflow = env["lifecycle.workflow"].create(
        {
            "name": "Bench",
            "company_id": company.id,
            "stage_ids": [(6, 0, stage.ids)],
            "window_from": 0,
            "window_to": 24,
            **values,
            "step_ids": [(0, 0, {"template_id": template.id, "delay": 1})],
        }
    )
    workflow._start()
    env.flush_all()
    env.cr.execute(
        """INSERT INTO res_partner (name, complete_name, email, email_normalized, active, type,
                  company_id, is_company, autopost_bills, create_date, write_date,
                  create_uid, write_uid)
           SELECT 'Bench ' || n, 'Bench ' || n, 'b' || n || '@example.com',
                  'b' || n || '@example.com', TRUE, 'contact', NULL, FALSE, 'ask', NOW(), NOW(),
                  1, 1
             FROM generate_series(1, %s) n""",
        [customers],
    )
    env.cr.execute(
        "UPDATE res_partner SET commercial_partner_id = id WHERE name LIKE 'Bench %'"
    )
    env.cr.execute(
        """INSERT INTO lifecycle_profile (partner_id, company_id, currency_id, active, order_count,
                  first_order_date, last_order_date, stage_id, stage_date, revenue,
                  clv_historical, clv_total)
           SELECT id, %s, %s, TRUE, 3, CURRENT_DATE - 400, CURRENT_DATE - 100, %s, CURRENT_DATE,
                  100, 100, 100
             FROM res_partner WHERE name LIKE 'Bench %%'""",
        [company.id, company.currency_id.id, stage.id],
    )
    env.cr.execute(
        """INSERT INTO lifecycle_transition (profile_id, kind, number, to_stage_id, date, cause)
           SELECT id, 'stage', 1, %s, CURRENT_DATE, 'rule' FROM lifecycle_profile
            WHERE stage_id = %s""",
        [stage.id, stage.id],
    )
    for table in ("res_partner", "lifecycle_profile", "lifecycle_transition"):
        env.cr.execute(f"ANALYZE {table}")
    env.cr.commit()
    env.invalidate_all()
    return workflow


def _save_as_user(env, enrollment_id: int) -> float:
    """Seconds that a user waits for saving a customer whose step is being done just now."""
    started = time.monotonic()
    with env.registry.cursor() as cursor:
        cursor.execute(
            "UPDATE res_partner SET comment = 'called' WHERE id = "
            "(SELECT partner_id FROM lifecycle_workflow_enrollment WHERE id = %s)",
            [enrollment_id],
        )
    return time.monotonic() - started
