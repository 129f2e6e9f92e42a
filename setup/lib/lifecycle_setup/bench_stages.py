"""The stage measurements of ``setup/bench runs``: the first classification and every night's."""

from __future__ import annotations

import statistics
import time
from datetime import timedelta

from odoo import fields

from lifecycle_setup import bench_probe

NIGHTLY = "customer_lifecycle.ir_cron_lifecycle_nightly"
#: parts of the customers, to see that twice as many take twice as long
PARTS = {"quarter": 4, "half": 2}
#: broad segments, so that most customers are in several
SEGMENTS = [
    *(f"[('order_count', '>=', {count})]" for count in (1, 2, 3, 5, 8, 13)),
    *(f"[('days_since_last_order', '<=', {days})]" for days in (30, 90, 180, 365, 730)),
    *(f"[('clv_total', '>=', {value})]" for value in (100, 300, 1000, 3000)),
    "[('lateness', '<=', 1)]",
    "[('p_order', '>=', 0.5)]",
    "[('partner_id.is_company', '=', True)]",
    "[('rfm_frequency', '>=', 3)]",
    "[('stage_id.is_customer', '=', True)]",
]
TIERS = {"Silver": 500, "Gold": 2000, "Platinum": 8000}
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
        result["products"] = _products(env, timer, today)
        result["preferences"] = _preferences(env, timer)
        for name, parts in PARTS.items():
            rest = f"(SELECT id FROM res_partner WHERE commercial_partner_id % {parts} > 0)"
            timer.cursor.execute(
                f"UPDATE res_partner SET lifecycle_exclude = TRUE WHERE id IN {rest}"
            )
            timer.cursor.execute(
                f"UPDATE lifecycle_profile SET active = FALSE WHERE partner_id IN {rest}"
            )
            result[name] = _stages(env, timer, today, "history")
            timer.cursor.execute(
                f"UPDATE res_partner SET lifecycle_exclude = FALSE WHERE id IN {rest}"
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
        result["rules_first"] = _all_rules(env, timer, today + timedelta(days=NIGHTS))
        timer.cursor.execute("SELECT COUNT(*) FROM lifecycle_segment_member")
        result["members"] = timer.cursor.fetchone()[0]
        result["rules_floor"], result["rules_night"] = [], []
        for night in range(1, NIGHTS + 1):
            result["rules_floor"].append(timer.stage_floor())
            result["rules_night"].append(
                _stages(env, timer, today + timedelta(days=NIGHTS + night), "nightly")
            )
    for name in ("night", "floor", "rules_night", "rules_floor"):
        result[name] = statistics.median(result[name])
    return result


def _all_rules(env, timer, today) -> float:
    """Seconds until 3 tiers and 20 segments have their first members."""
    env["lifecycle.vip.tier"].create(
        [
            {"name": name, "rank": rank, "entry": entry}
            for rank, (name, entry) in enumerate(TIERS.items(), 1)
        ]
    )
    env["lifecycle.segment"].create(
        [
            {"name": f"Segment {number}", "domain": domain}
            for number, domain in enumerate(SEGMENTS, 1)
        ]
    )
    env["lifecycle.run"].search([("state", "=", "pending")]).unlink()
    env.cr.commit()
    return _stages(env, timer, today, "rules")


def _products(env, timer, today) -> float:
    """Seconds until the products of all purchases are kept for the first time."""
    from odoo.addons.customer_lifecycle.models.runs.purchases import Purchases
    from odoo.addons.customer_lifecycle.tools.step import EVERYBODY

    timer.settle()
    started = time.monotonic()
    Purchases(env, env.company, today, EVERYBODY).update_items()
    env.cr.commit()
    return time.monotonic() - started


def _preferences(env, timer) -> float:
    """Seconds until all customers' preferences and signals are known for the first time."""
    run = env["lifecycle.run"].create(
        {
            "company_id": env.company.id,
            "kind": "history",
            "state": "running",
            "as_of": env.company._lifecycle_today(),
        }
    )
    timer.settle()
    started = time.monotonic()
    run._look_at_customers(env.company)
    # the runs that follow go on from here, as they do after a complete one
    run.state = "done"
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
            "date_start": fields.Datetime.now(),
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
