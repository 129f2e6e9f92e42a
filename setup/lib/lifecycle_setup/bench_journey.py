"""``setup/bench journey``: how fast a customer's journey opens, however long it is."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from lifecycle_setup import python
from lifecycle_setup.console import SetupError, log_file, step

DATABASE = "customer_lifecycle_bench_journey"
#: other customers and their orders, so that indexes and statistics matter
CUSTOMERS, ORDERS = 5_000, 30_000
SHORT, TARGET = 100, 0.3
LOGIN = "bench"
SCRIPT = """
import sys
sys.path.append({library!r})
from lifecycle_setup import bench_journey
bench_journey.measure(env, {touchpoints!r}, {path!r})
"""
# a fifth each: orders (which are quotations too), letters, opportunities, imported purchases
CONTACTS = """
    INSERT INTO res_partner (name, complete_name, parent_id, commercial_partner_id, type, active,
                             is_company, partner_share, lang, color, autopost_bills, email,
                             email_normalized, create_date, write_date)
    SELECT 'Person ' || i, %(name)s || ', Person ' || i, %(partner)s, %(partner)s, 'contact',
           TRUE, FALSE, TRUE, 'en_US', 0, 'ask', 'p' || i || '@long.example.com',
           'p' || i || '@long.example.com', NOW(), NOW()
      FROM generate_series(1, 5) i
"""
WHEN = "NOW() AT TIME ZONE 'UTC' - i * INTERVAL '1 day' * 1800 / %(number)s"
WHO = "(SELECT MIN(id) FROM res_partner WHERE commercial_partner_id = %(partner)s) + i %% 6"
FILL = (
    f"""INSERT INTO sale_order
               (name, company_id, partner_id, partner_invoice_id, partner_shipping_id, state,
                date_order, create_date, currency_id, currency_rate, amount_untaxed, amount_total,
                user_id)
        SELECT 'J' || i, %(company)s, {WHO}, {WHO}, {WHO}, 'sale', {WHEN}, {WHEN},
               %(currency)s, 1, i %% 900, i %% 900, %(user)s
          FROM generate_series(1, %(number)s) i""",
    f"""INSERT INTO mail_message
               (model, res_id, message_type, subtype_id, author_id, date, subject, body,
                message_id, create_date)
        SELECT 'res.partner', {WHO}, 'email', %(subtype)s, {WHO}, {WHEN}, 'Letter ' || i,
               '<p>Invented</p>', '<j' || %(partner)s || '-' || i || '@example.com>', {WHEN}
          FROM generate_series(1, %(number)s) i""",
    f"""INSERT INTO crm_lead
               (name, type, active, company_id, partner_id, user_id, create_date, won_status,
                probability, stage_id)
        SELECT 'Opportunity ' || i, 'opportunity', TRUE, %(company)s, {WHO}, %(user)s, {WHEN},
               'pending', 10, %(stage)s
          FROM generate_series(1, %(number)s) i""",
    f"""INSERT INTO lifecycle_external_purchase
               (partner_id, company_id, currency_id, date, amount, amount_company, reference)
        SELECT {WHO}, %(company)s, %(currency)s, ({WHEN})::date, i %% 700, i %% 700,
               'R' || %(partner)s || '-' || i
          FROM generate_series(1, %(number)s) i""",
)


def main(arguments: list[str]) -> int:
    """Run the benchmark; exit code 1 when the target is missed."""
    parser = argparse.ArgumentParser(
        prog="setup/bench journey",
        description="Open the journeys of a customer with few and of one with many touchpoints, "
        "at the server and in a browser, and the forms that lead to them with and without the "
        "addon's fields, in a scratch database among other customers.",
    )
    parser.add_argument("--touchpoints", type=int, default=10_000, help="(10000)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    options = parser.parse_args(arguments)
    if not 500 <= options.touchpoints <= 1_000_000:
        parser.error("--touchpoints must be between 500 and 1000000")
    # with what speaks to a browser
    python.enter("test")
    from lifecycle_setup import addon, bench_screen, browser, database, odoo_source, postgres
    from lifecycle_setup.install import run_odoo

    browser.ensure_browser()
    source = odoo_source.ensure_odoo()
    with postgres.server() as keep_alive, database.claim(DATABASE, wait=False) as alone:
        if not alone:
            raise SetupError(f"another program works on the database {DATABASE}: end it first.")
        try:
            database.drop(DATABASE)
            database.create(DATABASE)
            with step("Installing the addon in a scratch database, about two minutes"):
                run_odoo(
                    source,
                    keep_alive,
                    ["-d", DATABASE, "-i", addon.NAME],
                    log=f"install-{DATABASE}",
                    failure=f"{addon.NAME} could not be installed",
                )
            with step("Inventing touchpoints, opening journeys and forms"):
                rows, customers = _measure_in_odoo(source, keep_alive, options.touchpoints)
            with step("Opening journeys in a browser"):
                rows += bench_screen.measure(source, keep_alive, DATABASE, LOGIN, customers)
        finally:
            database.drop(DATABASE)
    print(json.dumps(rows) if options.json else render(rows))
    return 0 if all(map(passed, rows)) else 1


def passed(row: dict) -> bool:
    """Whether what has a limit is within it."""
    return all(
        row[name] <= row.get(f"most_{name}", row[name])
        for name in ("seconds", "queries")
        if name in row
    )


def _measure_in_odoo(source, keep_alive, touchpoints: int) -> tuple[list[dict], dict[str, int]]:
    from lifecycle_setup import odoo

    log = log_file(f"bench-{DATABASE}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "result.json"
        script = SCRIPT.format(
            library=str(Path(__file__).parents[1]), touchpoints=touchpoints, path=str(path)
        )
        with log.open("w") as output:
            subprocess.run(
                odoo.command("shell", "-d", DATABASE, "--no-http"),
                env=odoo.environment(source),
                input=script,
                text=True,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                **keep_alive,
            )
        if not path.exists():
            raise SetupError(f"the journeys could not be measured, see {log}")
        return json.loads(path.read_text())


def render(rows: list[dict]) -> str:
    """The measurements as a table."""
    head = f"{'seconds':>9}{'at most':>9}{'queries':>9}{'at most':>9}{'found':>8}{'kB':>6}"
    lines = [" " * 50 + head]

    def cell(row, name, width, shown="{}"):
        value = row.get(name)
        return ("" if value is None else shown.format(value)).rjust(width)

    lines += [
        f"{row['name']:50}{cell(row, 'seconds', 9, '{:.3f}')}"
        f"{cell(row, 'most_seconds', 9)}{cell(row, 'queries', 9)}"
        f"{cell(row, 'most_queries', 9)}{cell(row, 'found', 8)}{cell(row, 'kilobytes', 6)}"
        f"{'' if passed(row) else '  TOO MUCH'}"
        for row in rows
    ]
    short, long = (row["seconds"] for row in rows[:2])
    lines.append(f"The long journey takes {long / short:.1f} times as long to open as the short.")
    return "\n".join(lines)


# ----- INSIDE ODOO -----


def measure(env, touchpoints: int, path: str) -> None:
    """Fill the database, open journeys as a salesperson and write the times as JSON."""
    from lifecycle_setup import bench_fill, bench_forms

    bench_fill.fill(env, CUSTOMERS, ORDERS)
    short, long = (_customer(env, number) for number in (SHORT, touchpoints))
    env.cr.execute("ANALYZE")
    env.cr.commit()
    user = env["res.users"].create(
        {
            "name": "Bench",
            "login": LOGIN,
            "password": LOGIN,
            "group_ids": [(4, env.ref("sales_team.group_sale_salesman_all_leads").id)],
        }
    )
    journeys = env(user=user)["lifecycle.journey"]
    overview = {"overview": True}
    later = journeys.get_journey(long.id, overview)["next"]
    rows = [
        _timed(journeys, f"open, {SHORT} touchpoints", short, overview, opens=True),
        _timed(journeys, f"open, {touchpoints} touchpoints", long, overview, opens=True),
        _timed(journeys, "next page", long, {"before": later}),
        _timed(journeys, "one month of it", long, {"start": "2026-01-01", "end": "2026-01-31"}),
        _timed(journeys, "words in it", long, {"text": "letter 77", **overview}),
        _timed(journeys, "what needs attention", long, {"attention": True, **overview}),
    ]
    rows += bench_forms.measure(env, user)
    env.cr.commit()
    customers = {
        f"in the browser, {SHORT} touchpoints": short.id,
        f"in the browser, {touchpoints} touchpoints": long.id,
    }
    Path(path).write_text(json.dumps([rows, customers]))


def _customer(env, touchpoints: int):
    partner = env["res.partner"].create(
        {"name": f"Journey of {touchpoints}", "is_company": True, "email": f"j{touchpoints}@x.org"}
    )
    values = {
        "partner": partner.id,
        "name": partner.name,
        "company": env.company.id,
        "currency": env.company.currency_id.id,
        "user": env.user.id,
        "subtype": env.ref("mail.mt_comment").id,
        "stage": env["crm.stage"].search([("is_won", "=", False)], limit=1).id,
        # orders are two touchpoints each
        "number": touchpoints // 5,
    }
    env.flush_all()
    for statement in (CONTACTS, *FILL):
        env.cr.execute(statement, values)
    env.invalidate_all()
    return partner


def _timed(journeys, name, partner, options, opens=False) -> dict:
    seconds, answer, queries = [], None, 0
    for _attempt in range(9):
        journeys.env.invalidate_all()
        before, start = journeys.env.cr.sql_log_count, time.perf_counter()
        answer = journeys.get_journey(partner.id, options)
        seconds.append(time.perf_counter() - start)
        queries = journeys.env.cr.sql_log_count - before
    found = sum(row[2] for row in answer.get("days", [])) or len(answer["items"])
    return {
        "name": name,
        "seconds": statistics.median(seconds),
        "queries": queries,
        "found": found,
        "kilobytes": round(len(json.dumps(answer)) / 1000),
        **({"most_seconds": TARGET} if opens else {}),
    }
