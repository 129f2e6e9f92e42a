"""``setup/bench runs``: the addon's speed in an Odoo full of invented customers."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

from lifecycle_setup import python
from lifecycle_setup.console import SetupError, log_file, step

LARGEST = {"customers": 1_000_000, "orders": 5_500_000}
SCRIPT = """
import sys
sys.path.append({library!r})
from lifecycle_setup import bench_probe, bench_stages
bench_probe.run(env, {part!r}, {options!r}, {path!r})
"""


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        prog="setup/bench runs",
        description="Fill a scratch database with invented customers and orders, and measure "
        "computations, refreshes, confirming orders and lists. Times of complete runs are "
        "compared with the floor: one GROUP BY of the orders and one UPDATE of the profiles.",
    )
    parser.add_argument("--customers", type=int, default=100_000, help="(100000)")
    parser.add_argument("--orders", type=int, default=550_000, help="(550000)")
    parser.add_argument(
        "--database",
        default="customer_lifecycle_bench",
        help="scratch database (customer_lifecycle_bench)",
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="keep the database; the next call with the same numbers goes on with it",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    options = parser.parse_args(arguments)
    for name, largest in LARGEST.items():
        if not 1000 <= getattr(options, name) <= largest:
            parser.error(f"--{name} must be between 1000 and {largest}")
    if options.orders < options.customers:
        parser.error("--orders must not be fewer than --customers: each of them has bought")
    if not options.database.replace("_", "").replace("-", "").isalnum():
        parser.error("--database may have letters, digits, - and _ only")
    return options


def main(arguments: list[str]) -> int:
    """Run the benchmark; exit code 1 when a target is missed."""
    options = parse(arguments)
    python.enter("odoo")
    from lifecycle_setup import database, odoo_source, postgres

    source = odoo_source.ensure_odoo()
    with postgres.server() as keep_alive:
        with database.claim(options.database, wait=False) as alone:
            if not alone:
                raise SetupError(
                    f"another program works on the database {options.database}: end it, or "
                    "choose another name with --database."
                )
            try:
                _prepare(source, keep_alive, options)
                with step("Measuring complete runs, each beside the floor"):
                    runs = _part(source, keep_alive, options, "runs")
                with step("Measuring stages, of the past and of a night"):
                    stages = _part(source, keep_alive, options, "stages")
                with step("Measuring refreshes, confirming orders and lists"):
                    screens = _part(source, keep_alive, options, "screens")
            finally:
                if not options.keep:
                    database.drop(options.database)
    rows = table(runs, stages, screens)
    if options.json:
        measured = {"rows": rows, "runs": runs, "stages": stages, "screens": screens}
        print(json.dumps({**vars(options), **measured}))
    else:
        print(render(rows, runs, options))
    return 0 if all(row["passed"] for row in rows if row["limit"]) else 1


# ----- DATABASE -----


def _prepare(source, keep_alive, options) -> None:
    """Make and fill the database, unless it was kept from the last time."""
    from lifecycle_setup import addon, database
    from lifecycle_setup.install import run_odoo

    name = options.database
    database.check_ours(name)
    wanted = {"customers": options.customers, "orders": options.orders}
    version = {"odoo": source.version, "addon": addon.fingerprint()}
    notes = database.notes(name) or {}
    if {key: notes.get(key) for key in wanted} != wanted:
        database.drop(name)
        database.create(name)
        database.write_notes(name, {})
        _install(run_odoo, source, keep_alive, name, "-i")
        with step(f"Inventing {options.customers:,} customers and {options.orders:,} orders"):
            _part(source, keep_alive, options, "fill", wanted)
    elif {key: notes.get(key) for key in version} != version:
        _install(run_odoo, source, keep_alive, name, "-u")
    database.write_notes(name, {**wanted, **version})


def _install(run_odoo, source, keep_alive, name, switch) -> None:
    from lifecycle_setup import addon

    with step(f"Installing the addon in the database {name}, about two minutes"):
        run_odoo(
            source,
            keep_alive,
            ["-d", name, switch, addon.NAME],
            log=f"install-{name}",
            failure=f"{addon.NAME} could not be installed",
        )


def _part(source, keep_alive, options, part: str, arguments: dict | None = None) -> dict:
    """Run one part of the measurements in an Odoo process; return what it found."""
    from lifecycle_setup import odoo

    log = log_file(f"bench-{options.database}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "result.json"
        script = SCRIPT.format(
            library=str(Path(__file__).parents[1]),
            part=part,
            options=arguments or {},
            path=str(path),
        )
        with open(log, "a", encoding="utf-8") as stream:
            process = subprocess.Popen(
                odoo.command(
                    *("shell", "-d", options.database, "--no-http", "--log-level=warn"),
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
        return json.loads(path.read_text(encoding="utf-8"))


# ----- RESULTS -----


def table(runs: dict, stages: dict, screens: dict) -> list[dict]:
    """What was measured: name, value, unit, floor, ratio, and limit of `ratio` or value."""
    floor = statistics.median(each["group_by"] + each["update"] for each in runs["floor"])
    rows = []

    def add(name, value, unit, floor=None, limit=None, compare="ratio"):
        ratio = value / floor if floor else None
        measured = ratio if compare == "ratio" else value
        passed = limit is None or measured <= limit
        rows.append(
            {
                "name": name,
                "value": value,
                "unit": unit,
                "floor": floor,
                "ratio": ratio,
                "limit": limit,
                "compare": compare,
                "passed": passed,
            }
        )

    add("First run", statistics.median(runs["first"]), "s", floor, 2.5)
    add("Nightly run, the next day", statistics.median(runs["night"]), "s", floor, 1)
    add("Nightly run, nothing changed", statistics.median(runs["idle"]), "s", floor, 0.7)
    add("Run by hand, all documents read", statistics.median(runs["whole"]), "s", floor)
    add("Rules, when only the date changed", stages["night"], "s", stages["floor"], 1.5)
    add(
        "Stages, 3 tiers, RFM, 20 segments",
        stages["rules_night"],
        "s",
        stages["rules_floor"],
        1.5,
    )
    add("First members of tiers, segments", stages["rules_first"], "s", stages["rules_floor"])
    add("First products of all purchases", stages["products"], "s", floor)
    add("First preferences and signals", stages["preferences"], "s", floor)
    add("First stages, history replayed", stages["history"], "s", floor)
    add("The same, half the customers", stages["half"], "s")
    add("The same, a quarter", stages["quarter"], "s")
    # linear: twice the customers take twice the time, and a bit of noise
    longer = stages["history"] / stages["half"]
    add("Twice the customers, times longer", longer, "×", None, 2.5, "value")
    add("Store of purchases", screens["store_mb"], "MB")
    add("Peak memory of the worker", runs["peak_mb"], "MB", None, 2048, "value")
    add("One changed customer fresh", screens["refresh"], "s", None, 1, "value")
    add("5,000 changed customers fresh", screens["refresh_many"], "s")
    confirm = screens["confirm"]
    add("Confirming an order", confirm["with"], "s", confirm["without"], 1.05)
    extra = confirm["queries_with"] - confirm["queries_without"]
    add("Queries more to confirm it", extra, "", None, 2, "value")
    add(
        "Contacts grouped by last order",
        screens["grouped"],
        "s",
        screens["grouped_core"],
        2,
        "value",
    )
    add("Contacts by lifetime value", screens["sorted"], "s", screens["sorted_core"], 2, "value")
    for name, seconds in screens["panels"].items():
        add(name, seconds, "s", None, 4 if "top 10 %" in name else 2, "value")
    add("Contacts, top 10 % by value", screens["top_decile"], "s", None, 2, "value")
    add("One customer's purchases", screens["explained"], "s", None, 0.1, "value")
    return rows


def render(rows: list[dict], runs: dict, options) -> str:
    """The table for people."""
    group_by = statistics.median(each["group_by"] for each in runs["floor"])
    update = statistics.median(each["update"] for each in runs["floor"])
    changed = statistics.median(runs["changed"])
    lines = [
        "",
        f"{options.customers:,} customers, {options.orders:,} orders, "
        f"{runs['profiles']:,} profiles, {os.cpu_count()} processors; medians of three",
        f"Floor: GROUP BY {group_by:.2f} s + UPDATE {update:.2f} s; a night rewrote "
        f"{changed:,.0f} rows",
        "",
        f"{'':34}{'measured':>12}{'beside':>12}{'ratio':>8}{'limit':>10}",
    ]
    for row in rows:
        beside = f"{row['floor']:.3f} {row['unit']}" if row["floor"] else ""
        ratio = f"{row['ratio']:.2f}" if row["ratio"] else ""
        limit = ""
        if row["limit"]:
            unit = "×" if row["compare"] == "ratio" else row["unit"]
            limit = f"{row['limit']:g} {unit}".strip()
        value = f"{row['value']:.0f}" if row["unit"] in ("", "MB") else f"{row['value']:.3f}"
        verdict = "" if not row["limit"] else "ok" if row["passed"] else "TOO SLOW"
        lines.append(
            f"{row['name']:34}{value + ' ' + row['unit']:>12}{beside:>12}{ratio:>8}{limit:>10}"
            f"  {verdict}".rstrip()
        )
    return "\n".join(lines) + "\n"
