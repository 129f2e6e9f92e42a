"""The measurements of ``setup/bench runs``; they run inside Odoo, one process for each part."""

from __future__ import annotations

import contextlib
import json
import resource
import statistics
import time
from datetime import timedelta

import psycopg2

from lifecycle_setup import bench_check, bench_fill
from lifecycle_setup.bench_floor import Timer
from lifecycle_setup.console import say

ROUNDS = 3
#: share of the customers who order between two nights
DAILY = 0.003
#: confirmed in turn with and without the hooks, so many at a time
ORDERS_A_TURN, TURNS = 20, 5
REFRESHED = 5000
#: runs that compute the figures of all customers
FIGURES = [("kind", "in", ("first", "nightly", "manual"))]
RESULTS = (
    *("lifecycle_profile", "lifecycle_queue", "lifecycle_run", "lifecycle_clv_model"),
    *("lifecycle_purchase_fact", "lifecycle_purchase_item", "lifecycle_purchase_store"),
)


def run(env, part: str, options: dict, path: str) -> None:
    """Do one part and write its results to the file `path` as JSON.

    What the figures are computed from has to be there before it and after it.
    """
    if part != "fill":
        bench_check.check_filled(env)
    result = PARTS[part](env, **options)
    if part == "fill":
        bench_check.note_filled(env)
    bench_check.check_filled(env)
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(result, stream)


@contextlib.contextmanager
def open_timer(env):
    connection = psycopg2.connect(dbname=env.cr.dbname)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield Timer(cursor)
    finally:
        connection.close()


def _median(work, timer, rounds=ROUNDS) -> float:
    """Median of the seconds that `work()` takes, each time after a CHECKPOINT."""
    seconds = []
    for _round in range(rounds):
        timer.settle()
        started = time.monotonic()
        work()
        seconds.append(time.monotonic() - started)
    return statistics.median(seconds)


# ----- PARTS -----


def part_fill(env, customers: int, orders: int) -> dict:
    """Invent customers and orders."""
    started = time.monotonic()
    bench_fill.fill(env, customers, orders)
    return {"seconds": time.monotonic() - started}


def part_runs(env) -> dict:
    """First and nightly runs, each beside the floor; the peak memory of this worker."""
    company = env.company
    result = {"floor": [], "first": [], "night": [], "idle": [], "whole": [], "changed": []}
    today = company._lifecycle_today()
    env.ref("customer_lifecycle.ir_cron_lifecycle_refresh").active = False
    env.cr.commit()
    with open_timer(env) as timer:
        for number in range(ROUNDS):
            _forget(timer)
            set_today(env, today)
            result["first"].append(_complete_run(env, timer))
            result["floor"].append(timer.floor(company))
            timer.cursor.execute("VACUUM (ANALYZE) lifecycle_profile")
            today += timedelta(days=1)
            _new_orders(timer, today)
            set_today(env, today)
            result["night"].append(_complete_run(env, timer))
            result["changed"].append(_last_run(env).changed_count)
            _let_a_day_pass(timer)
            env["lifecycle.run"].create({"company_id": company.id, "kind": "nightly"})
            result["idle"].append(_complete_run(env, timer))
            env["lifecycle.run"]._request(company)
            result["whole"].append(_complete_run(env, timer))
            env.cr.commit()
            say(f"           round {number + 1} of {ROUNDS} done")
    result["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result["profiles"] = env["lifecycle.profile"].search_count([])
    result["revenue"] = bench_check.check_money(env)
    return result


def part_screens(env) -> dict:
    """What people wait for: fresh figures, confirming an order, lists."""
    with open_timer(env) as timer:
        timer.cursor.execute("VACUUM (ANALYZE) lifecycle_profile")
        return {
            "store_mb": _store_size(env),
            "refresh": _refreshes(env, timer, 1),
            "refresh_many": _refreshes(env, timer, REFRESHED, rounds=1),
            "confirm": _confirmations(env),
            **_lists(env, timer),
        }


PARTS = {"fill": part_fill, "runs": part_runs, "screens": part_screens}

# ----- RUNS -----


def set_today(env, today) -> None:
    env.registry["res.company"]._lifecycle_today = lambda company: today


def _forget(timer) -> None:
    """Make the database as it is before the first run."""
    timer.cursor.execute(f"TRUNCATE {', '.join(RESULTS)} CASCADE")


def _new_orders(timer, today) -> None:
    """A day's orders: some customers order again what they ordered first."""
    timer.cursor.execute(
        """WITH ordered AS (
               INSERT INTO sale_order (name, company_id, partner_id, partner_invoice_id,
                      partner_shipping_id, state, date_order, currency_id, currency_rate,
                      amount_untaxed, amount_tax, amount_total, invoice_status, create_uid,
                      create_date, write_date)
               SELECT 'N' || id, company_id, partner_id, partner_id, partner_id, 'sale',
                      %s::timestamp + INTERVAL '9 hours', currency_id, currency_rate,
                      amount_untaxed, 0, amount_total, 'to invoice', 2, %s, NOW()
                 FROM (SELECT DISTINCT ON (partner_id) * FROM sale_order
                        WHERE partner_id %% %s = %s AND state = 'sale'
                        ORDER BY partner_id, id) again
               RETURNING *)
           INSERT INTO sale_order_line (order_id, sequence, company_id, currency_id,
                  order_partner_id, product_id, product_uom_id, name, product_uom_qty,
                  price_unit, price_subtotal, price_total, price_tax, discount, customer_lead,
                  state, qty_delivered, qty_invoiced, qty_to_invoice, invoice_status,
                  is_downpayment, create_uid, create_date, write_date)
           SELECT ordered.id, 10, ordered.company_id, ordered.currency_id, ordered.partner_id,
                  product.product_id, product.product_uom_id, 'Again', 1, amount_untaxed,
                  amount_untaxed, amount_untaxed, 0, 0, 0, 'sale', 1, 0, 1, 'to invoice', FALSE,
                  2, ordered.create_date, ordered.write_date
             FROM ordered
            CROSS JOIN (SELECT product_id, product_uom_id FROM sale_order_line
                         WHERE name = 'Invented line' LIMIT 1) product""",
        [today, today, round(1 / DAILY), today.day],
    )


def _let_a_day_pass(timer) -> None:
    """What was written until now was written before the last look at the documents."""
    for table in ("sale_order", "sale_order_line"):
        timer.cursor.execute(
            f"UPDATE {table} SET write_date = write_date - INTERVAL '1 day' "
            "WHERE write_date > NOW() - INTERVAL '12 hours'"
        )


def _store_size(env) -> float:
    """Megabytes of the store of purchases, with its index."""
    env.cr.execute(
        "SELECT (pg_total_relation_size('lifecycle_purchase_fact') "
        "+ pg_total_relation_size('lifecycle_purchase_item')) / 1048576.0"
    )
    return float(env.cr.fetchone()[0])


def _complete_run(env, timer) -> float:
    """Seconds until the scheduled action has done all it has to do."""
    runs = env["lifecycle.run"]
    cron = env.ref("customer_lifecycle.ir_cron_lifecycle_nightly")
    timer.settle()
    started = time.monotonic()
    for _attempt in range(1000):
        cron.method_direct_trigger()
        env.cr.commit()
        env.invalidate_all()
        if not runs.search_count([("state", "in", ("pending", "running")), *FIGURES]):
            break
    seconds = time.monotonic() - started
    last = _last_run(env)
    if last.state != "done":
        raise RuntimeError(f"The run did not end well: {last.message}")
    # what follows the figures, the stages of the past, is another computation
    (runs.search([]) - runs.search(FIGURES)).unlink()
    # an open transaction would keep others from emptying the tables
    env.cr.commit()
    return seconds


def _last_run(env):
    return env["lifecycle.run"].search(FIGURES, order="id desc", limit=1)


# ----- PEOPLE -----


def _refreshes(env, timer, count: int, rounds=ROUNDS) -> float:
    """Seconds until customers with a changed order are fresh."""
    env.ref("customer_lifecycle.ir_cron_lifecycle_refresh").active = True
    env.cr.commit()
    seconds = []
    for number in range(rounds):
        timer.cursor.execute(
            """INSERT INTO lifecycle_queue (partner_id, company_id)
               SELECT partner_id, company_id FROM lifecycle_profile
                WHERE order_count > 1 ORDER BY HASHINT4(partner_id + %s) LIMIT %s""",
            [number, count],
        )
        timer.settle()
        started = time.monotonic()
        env.ref("customer_lifecycle.ir_cron_lifecycle_refresh").method_direct_trigger()
        env.cr.commit()
        seconds.append(time.monotonic() - started)
        timer.cursor.execute("SELECT COUNT(*) FROM lifecycle_queue")
        if timer.cursor.fetchone()[0]:
            raise RuntimeError("The refresh left customers in the queue.")
    return statistics.median(seconds)


def _confirmations(env) -> dict:
    """Seconds and queries of confirming and committing one order, with and without the hooks."""
    queue = env["lifecycle.queue"]
    user_env = env(user=2)
    product = env["product.product"].search([("name", "=", "Invented")], limit=1)
    env.cr.execute("SELECT id FROM res_partner WHERE name LIKE 'Customer %1' LIMIT 200")
    partners = [row[0] for row in env.cr.fetchall()]
    count = ORDERS_A_TURN * TURNS * 2
    orders = user_env["sale.order"].create(
        [
            {
                "partner_id": partners[number % len(partners)],
                "order_line": [(0, 0, {"product_id": product.id, "product_uom_qty": 2})],
            }
            for number in range(count + 2)
        ]
    )
    env.cr.commit()
    spent = {True: [], False: []}
    queries = {True: [], False: []}
    todo = iter(orders)
    for turn in range(TURNS * 2):
        hooked = turn % 2 == 0
        queue._unregister_hook()
        if hooked:
            queue._register_hook()
        if turn < 2:
            # the first of its kind fills caches
            _confirm(next(todo))
        for _number in range(ORDERS_A_TURN):
            seconds, statements = _confirm(next(todo))
            spent[hooked].append(seconds)
            queries[hooked].append(statements)
    queue._unregister_hook()
    queue._register_hook()
    return {
        "with": statistics.median(spent[True]),
        "without": statistics.median(spent[False]),
        "queries_with": statistics.median(queries[True]),
        "queries_without": statistics.median(queries[False]),
    }


def _confirm(order) -> tuple[float, int]:
    cr = order.env.cr
    order.env.invalidate_all()
    before, started = cr.sql_log_count, time.monotonic()
    order.action_confirm()
    cr.commit()
    return time.monotonic() - started, cr.sql_log_count - before


def _lists(env, timer) -> dict:
    """Seconds of the contacts list grouped, sorted and filtered, and of one explanation."""
    # as a person, to whom record rules apply
    partners = env(user=2)["res.partner"]
    columns = {"complete_name": {}, "clv_total": {}, "lifecycle_last_order_date": {}}

    def fresh(work):
        def wrapped():
            env.invalidate_all()
            work()

        return _median(wrapped, timer)

    def grouped(field, aggregates):
        return fresh(lambda: partners.web_read_group([], [field], aggregates, limit=80))

    def listed(domain, order):
        return fresh(
            lambda: partners.web_search_read(
                domain, columns, order=order, limit=80, count_limit=10001
            )
        )

    env.cr.execute("SELECT id FROM lifecycle_profile WHERE order_count > 10 ORDER BY id LIMIT 1")
    profile = env["lifecycle.profile"].browse(env.cr.fetchone()[0])

    def explained():
        purchases = env["lifecycle.purchase"].with_context(lifecycle_profile_id=profile.id)
        found = purchases.search([("profile_id", "=", profile.id)])
        found.mapped("document_name")

    leads = env(user=2)["crm.lead"]

    def panel(model, field, domain):
        return fresh(
            lambda: model.search_panel_select_multi_range(
                field, enable_counters=True, search_domain=domain
            )
        )

    top = [("clv_top_decile", "=", True)]
    panels = {
        "Contacts by stage": grouped("lifecycle_stage_id", ["__count", "clv_total:sum"]),
        "Search panel, contacts by stage": panel(partners, "lifecycle_stage_id", []),
        "The same, top 10 % by value": panel(partners, "lifecycle_stage_id", top),
        "Search panel, contacts by tier": panel(partners, "vip_tier_id", []),
        "Search panel, leads by stage": panel(leads, "lifecycle_stage_id", []),
        "List of segments": fresh(
            lambda: env(user=2)["lifecycle.segment"].web_search_read(
                [], {"name": {}, "member_count": {}, "member_value": {}, "month_graph": {}}
            )
        ),
    }
    return {
        "panels": panels,
        "grouped": grouped("lifecycle_last_order_date:month", ["__count", "clv_total:sum"]),
        "grouped_core": grouped("create_date:month", ["__count", "color:sum"]),
        "sorted": listed([], "clv_total DESC"),
        "sorted_core": listed([], "name DESC"),
        "top_decile": listed([("clv_top_decile", "=", True)], "complete_name"),
        "explained": fresh(explained),
    }
