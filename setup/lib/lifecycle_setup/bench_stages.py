"""The stage measurements of ``setup/bench runs``: the first classification and every night's."""

from __future__ import annotations

import statistics
import time
from datetime import timedelta

from lifecycle_setup import bench_probe

NIGHTLY = "customer_lifecycle.ir_cron_lifecycle_nightly"
#: the even half of the customers, to see that twice as many take twice as long
HALF = "(SELECT id FROM res_partner WHERE commercial_partner_id % 2 = 0)"
#: another night's changes have to be measured on a history that is there
NIGHTS = 2


def part_stages(env) -> dict:
    """Replay the stages of the past for half and for all customers; then only the date changes.

    The profiles are there and have no stage yet. What customers like and what their documents
    say is looked up before, so that the first times are of stages alone.
    """
    company = env.company
    today = company._lifecycle_today() + timedelta(days=bench_probe.ROUNDS)
    result = {"floor": [], "night": []}
    with bench_probe.open_timer(env) as timer:
        result["preferences"] = _preferences(env, timer)
        timer.cursor.execute(f"UPDATE res_partner SET lifecycle_exclude = TRUE WHERE id IN {HALF}")
        timer.cursor.execute(
            f"UPDATE lifecycle_profile SET active = FALSE WHERE partner_id IN {HALF}"
        )
        result["half"] = _stages(env, timer, today, "history")
        timer.cursor.execute(
            f"UPDATE res_partner SET lifecycle_exclude = FALSE WHERE id IN {HALF}"
        )
        _forget_stages(timer)
        result["history"] = _stages(env, timer, today, "history")
        timer.cursor.execute("SELECT COUNT(*) FROM lifecycle_transition")
        result["transitions"] = timer.cursor.fetchone()[0]
        for night in range(1, NIGHTS + 1):
            result["floor"].append(timer.stage_floor())
            # the weekly statistics were made with the history
            result["night"].append(
                _stages(env, timer, today + timedelta(days=night), "nightly")
            )
    result["night"] = statistics.median(result["night"])
    result["floor"] = statistics.median(result["floor"])
    return result


def _preferences(env, timer) -> float:
    """Seconds until all customers' preferences and signals are known for the first time."""
    timer.settle()
    started = time.monotonic()
    while env["lifecycle.preference"]._update(env.company):
        env.cr.commit()
    env["lifecycle.signal"]._update(env.company)
    env.cr.commit()
    return time.monotonic() - started


def _forget_stages(timer) -> None:
    timer.cursor.execute(
        "TRUNCATE lifecycle_transition, lifecycle_stage_statistic CASCADE"
    )
    timer.cursor.execute(
        "UPDATE lifecycle_profile SET active = TRUE, stage_id = NULL, stage_date = NULL"
    )


def _stages(env, timer, today, kind: str) -> float:
    """Seconds of the stage step of a run of this kind."""
    bench_probe.set_today(env, today)
    timer.cursor.execute("VACUUM (ANALYZE) lifecycle_profile")
    run = env["lifecycle.run"].create(
        {
            "company_id": env.company.id,
            "kind": kind,
            "state": "running",
            "step": "stages",
            "as_of": today,
        }
    )
    env.cr.commit()
    timer.settle()
    started = time.monotonic()
    env.ref(NIGHTLY).method_direct_trigger()
    env.cr.commit()
    seconds = time.monotonic() - started
    env.invalidate_all()
    if run.state != "done":
        raise RuntimeError(f"The stages did not end well: {run.message}")
    return seconds


bench_probe.PARTS["stages"] = part_stages
