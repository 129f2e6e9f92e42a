"""Invented customers and orders for ``setup/bench runs``, written by set-based SQL.

Runs inside Odoo. Customers come one by one over three years; each buys at a rate of his own
until he leaves, so that many buy once and a few very often. Every tenth is a company whose
orders partly go to its contact person. A fifth of the orders is invoiced, a twentieth credited
in part or whole, three in a hundred are in another currency. Beside the buyers there are
opportunities of people who have not bought yet, and the messages that orders leave behind.
"""

from __future__ import annotations

from datetime import datetime, timedelta

YEARS = 3
CONTACT_SHARE, INVOICED, CREDITED, FOREIGN = 0.1, 0.2, 0.05, 0.03
FILLED_TABLES = (
    *("res_partner", "sale_order", "sale_order_line", "account_move", "account_move_line"),
    *("sale_order_line_invoice_rel", "mail_message", "crm_lead"),
)

CUSTOMERS = """
    CREATE TEMPORARY TABLE bench_customer AS
    SELECT i, %(base)s + i AS id, first, life, level, foreign_currency,
           -- a Poisson process with a rate of his own: dropout and rates are exponential
           rate * EXTRACT(EPOCH FROM life) / 86400 AS expected
      FROM (SELECT i, first, LEAST(%(now)s - first,
                                   -LN(1 - RANDOM()) * INTERVAL '400 days') AS life,
                   -LN(1 - RANDOM()) / 60 AS rate, 30 + 500 * POWER(RANDOM(), 3) AS level,
                   RANDOM() < %(foreign)s AS foreign_currency
              FROM (SELECT i, %(now)s - RANDOM() * %(span)s AS first
                      FROM generate_series(1, %(customers)s) i) starts) lives
"""
# Running sums, rounded down, make whole numbers that add up to just as many as asked for.
COUNTS = """
    CREATE TEMPORARY TABLE bench_count AS
    SELECT i, 1 + (FLOOR(upto + 1e-6) - FLOOR(upto - share + 1e-6))::integer AS orders
      FROM (SELECT i, share, SUM(share) OVER (ORDER BY i) AS upto
              FROM (SELECT i, expected * (%(orders)s - %(customers)s)
                              / (SELECT SUM(expected) FROM bench_customer) AS share
                      FROM bench_customer) shares) sums
"""
PARTNERS = """
    INSERT INTO res_partner
           (id, name, complete_name, commercial_partner_id, commercial_company_name, type,
            is_company, active, partner_share, email, email_normalized, lang, color,
            customer_rank, supplier_rank, autopost_bills, create_uid, write_uid, create_date,
            write_date, parent_id)
    SELECT id, name, CASE WHEN parent_id IS NULL THEN name
                          ELSE 'Customer ' || (parent_id - %(base)s) || ', ' || name END,
           COALESCE(parent_id, id), CASE WHEN is_company THEN name END, 'contact', is_company,
           TRUE, TRUE, email, email, 'en_US', 0, 1, 0, 'ask', 1, 1, moment, moment, parent_id
      FROM (SELECT id, 'Customer ' || i AS name, i %% 10 = 0 AS is_company,
                   'customer' || i || '@example.com' AS email, first AS moment,
                   NULL::integer AS parent_id
              FROM bench_customer
             UNION ALL
            SELECT %(base)s + %(customers)s + i / 10, 'Buyer ' || i, FALSE,
                   'buyer' || i || '@example.com', first, id
              FROM bench_customer WHERE i %% 10 = 0
             UNION ALL
            SELECT %(prospects)s + i, 'Prospect ' || i, FALSE,
                   'prospect' || i || '@example.com', %(now)s - RANDOM() * %(span)s, NULL
              FROM generate_series(1, %(customers)s / 20) i) everybody
"""
PLANNED = """
    CREATE TEMPORARY TABLE bench_order AS
    SELECT %(order_base)s + ROW_NUMBER() OVER (ORDER BY moment) AS id, moment,
           CASE WHEN i %% 10 = 0 AND RANDOM() < 0.5 THEN %(base)s + %(customers)s + i / 10
                ELSE partner END AS partner_id,
           foreign_currency, amount, ROUND((amount * share)::numeric, 2) AS part, fate,
           CASE WHEN fate >= %(credited)s THEN 0 WHEN RANDOM() < 0.3 THEN 1 ELSE 0.5 END AS taken
      FROM (SELECT i, RANDOM() AS fate, customer.id AS partner, foreign_currency,
                   first + CASE WHEN nth = 1 THEN INTERVAL '0' ELSE RANDOM() * life END
                       AS moment,
                   -- amounts differ by about a half from order to order
                   ROUND((level * EXP(0.5 * (RANDOM() + RANDOM() + RANDOM() - 1.5) * 2))
                         ::numeric, 2) AS amount,
                   CASE WHEN RANDOM() < 0.5 THEN 1 ELSE 0.3 + 0.4 * RANDOM() END AS share
              FROM bench_customer customer JOIN bench_count USING (i)
             CROSS JOIN LATERAL generate_series(1, orders) nth) drawn
"""
ORDERS = """
    INSERT INTO sale_order
           (id, name, company_id, partner_id, partner_invoice_id, partner_shipping_id, state,
            date_order, currency_id, currency_rate, amount_untaxed, amount_tax, amount_total,
            invoice_status, user_id, create_uid, write_uid, create_date, write_date)
    SELECT id, 'B' || id, %(company)s, partner_id, partner_id, partner_id, 'sale', moment,
           CASE WHEN foreign_currency THEN %(euro)s ELSE %(currency)s END,
           CASE WHEN foreign_currency THEN 0.9 ELSE 1 END, amount, 0, amount,
           CASE WHEN fate < %(invoiced)s THEN 'invoiced' ELSE 'to invoice' END, 2, 2, 2, moment,
           moment
      FROM bench_order ORDER BY id
"""
LINES = """
    INSERT INTO sale_order_line
           (id, order_id, sequence, company_id, currency_id, order_partner_id, salesman_id,
            product_id, product_uom_id, name, product_uom_qty, price_unit, price_subtotal,
            price_total, price_tax, discount, customer_lead, state, qty_delivered,
            qty_invoiced, qty_to_invoice, invoice_status, is_downpayment, create_uid, write_uid,
            create_date, write_date)
    SELECT %(line_base)s + ROW_NUMBER() OVER (ORDER BY id, nth), id, 10, %(company)s,
           CASE WHEN foreign_currency THEN %(euro)s ELSE %(currency)s END, partner_id, 2,
           %(product)s, %(uom)s, 'Invented line', 1, price, price, price, 0, 0, 0, 'sale', 1,
           -- what is credited is open for invoicing again, as Odoo has it
           invoiced, 1 - invoiced, CASE WHEN invoiced = 1 THEN 'invoiced' ELSE 'to invoice' END,
           FALSE, 2, 2, moment, moment
      FROM (SELECT planned.*, 1 AS nth, part AS price,
                   CASE WHEN fate < %(invoiced)s THEN 1 - taken ELSE 0 END AS invoiced
              FROM bench_order planned
             UNION ALL
            SELECT planned.*, 2, amount - part,
                   CASE WHEN fate < %(invoiced)s THEN 1 - taken ELSE 0 END
              FROM bench_order planned
             WHERE part <> amount) parts
"""
# One invoice for each invoiced order, and a credit note of its own for each credited one.
MOVES = """
    CREATE TEMPORARY TABLE bench_move AS
    SELECT %(move_base)s + ROW_NUMBER() OVER (ORDER BY id, refund) AS move_id, *
      FROM (SELECT id, moment, partner_id, foreign_currency, amount, FALSE AS refund,
                   1.0 AS taken
              FROM bench_order WHERE fate < %(invoiced)s
             UNION ALL
            SELECT id, moment, partner_id, foreign_currency, amount, TRUE, taken
              FROM bench_order WHERE taken > 0) moves
"""
MOVE_ROWS = """
    INSERT INTO account_move
           (id, name, move_type, state, auto_post, journal_id, company_id, currency_id,
            partner_id, commercial_partner_id, date, invoice_date, amount_untaxed,
            amount_untaxed_signed, amount_total, payment_state, invoice_currency_rate,
            create_uid, write_uid, create_date, write_date)
    SELECT move_id, 'B/' || move_id, CASE WHEN refund THEN 'out_refund' ELSE 'out_invoice' END,
           'posted', 'no', %(journal)s, %(company)s,
           CASE WHEN foreign_currency THEN %(euro)s ELSE %(currency)s END, partner_id,
           (SELECT commercial_partner_id FROM res_partner WHERE id = partner_id), moment::date,
           moment::date, ROUND(amount * taken, 2),
           CASE WHEN refund THEN -1 ELSE 1 END
               * ROUND(amount * taken / CASE WHEN foreign_currency THEN 0.9 ELSE 1 END, 2),
           ROUND(amount * taken, 2), 'not_paid',
           CASE WHEN foreign_currency THEN 0.9 ELSE 1 END, 2, 2, moment, moment
      FROM bench_move ORDER BY move_id
"""
ITEMS = """
    CREATE TEMPORARY TABLE bench_item AS
    SELECT %(item_base)s + ROW_NUMBER() OVER (ORDER BY move_id, line_id) AS item_id, *
      FROM (SELECT move.*, line.id AS line_id, line.price_subtotal * taken AS price
              FROM bench_move move JOIN sale_order_line line ON line.order_id = move.id
             UNION ALL
            SELECT move.*, NULL, amount * taken FROM bench_move move) items
"""
ITEM_ROWS = """
    INSERT INTO account_move_line
           (id, move_id, journal_id, company_id, company_currency_id, currency_id, account_id,
            partner_id, move_name, parent_state, display_type, date, invoice_date, name,
            quantity, price_unit, price_subtotal, price_total, balance, debit, credit,
            amount_currency, product_id, create_uid, write_uid, create_date, write_date)
    SELECT item_id, move_id, %(journal)s, %(company)s, %(currency)s,
           CASE WHEN foreign_currency THEN %(euro)s ELSE %(currency)s END,
           CASE WHEN line_id IS NULL THEN %(receivable)s ELSE %(income)s END, partner_id,
           'B/' || move_id, 'posted',
           CASE WHEN line_id IS NULL THEN 'payment_term' ELSE 'product' END, moment::date,
           moment::date, 'Invented line', 1, price, price, price, side * booked,
           GREATEST(side, 0) * booked, GREATEST(-side, 0) * booked, side * price,
           CASE WHEN line_id IS NOT NULL THEN %(product)s END, 2, 2, moment, moment
      FROM (SELECT *, CASE WHEN refund = (line_id IS NULL) THEN -1 ELSE 1 END AS side,
                   ROUND(price / CASE WHEN foreign_currency THEN 0.9 ELSE 1 END, 2) AS booked
              FROM bench_item) items ORDER BY item_id
"""
MESSAGES = """
    INSERT INTO mail_message
           (model, res_id, message_type, subtype_id, author_id, email_from, date, message_id,
            body, create_uid, write_uid, create_date, write_date)
    SELECT 'sale.order', id, CASE WHEN fate > 0.95 THEN 'email' ELSE 'notification' END,
           1, CASE WHEN fate > 0.95 THEN partner_id ELSE 3 END, 'somebody@example.com', moment,
           '<' || id || '@example.com>', '<p>Sales Order created</p>', 2, 2, moment, moment
      FROM bench_order ORDER BY id
"""
LEADS = """
    INSERT INTO crm_lead
           (name, type, active, company_id, partner_id, user_id, create_uid, write_uid,
            create_date, write_date)
    SELECT 'Opportunity ' || i, 'opportunity', TRUE, %(company)s, %(prospects)s + i, 2, 2, 2,
           partner.create_date, partner.create_date
      FROM generate_series(1, %(customers)s / 20) i
      JOIN res_partner partner ON partner.id = %(prospects)s + i
"""
RELATIONS = """
    INSERT INTO sale_order_line_invoice_rel (invoice_line_id, order_line_id)
    SELECT item_id, line_id FROM bench_item WHERE line_id IS NOT NULL
"""
STEPS = (
    *(CUSTOMERS, COUNTS, PARTNERS, PLANNED, ORDERS, LINES, MOVES, MOVE_ROWS, ITEMS),
    *(ITEM_ROWS, RELATIONS, MESSAGES, LEADS),
)


def fill(env, customers: int, orders: int) -> None:
    """Fill the database of `env` with `customers` buyers and `orders` confirmed orders.

    :param orders: not fewer than `customers`
    """
    cr = env.cr
    values = _references(env) | {"customers": customers, "orders": orders}
    env.flush_all()
    for key, table in (
        *(("base", "res_partner"), ("order_base", "sale_order"), ("move_base", "account_move")),
        *(("line_base", "sale_order_line"), ("item_base", "account_move_line")),
    ):
        cr.execute(f"SELECT COALESCE(MAX(id), 0) FROM {table}")
        values[key] = cr.fetchone()[0]
    values["prospects"] = values["base"] + customers + customers // 10
    indexes = _drop_indexes(cr)
    cr.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    if cr.fetchone()[0]:
        # the rows refer to what is there by construction
        cr.execute("SET LOCAL session_replication_role = replica")
    cr.execute("SET LOCAL work_mem = '256MB'")
    cr.execute("SET LOCAL max_parallel_workers_per_gather = 0")
    cr.execute("SELECT SETSEED(0.5)")
    for statement in STEPS:
        cr.execute(statement, values)
    for table in FILLED_TABLES:
        if table != "sale_order_line_invoice_rel":
            cr.execute(f"SELECT SETVAL('{table}_id_seq', (SELECT MAX(id) FROM {table}))")
    cr.execute("SET LOCAL maintenance_work_mem = '512MB'")
    for definition in indexes:
        cr.execute(definition)
    env.cr.commit()
    _vacuum(env)


def _references(env) -> dict:
    """Ids of the company, product, journal and so on that the rows refer to."""
    company = env.company
    euro = env.ref("base.EUR" if company.currency_id.name != "EUR" else "base.USD")
    euro.active = True
    product = env["product.product"].create(
        {"name": "Invented", "type": "service", "list_price": 10, "taxes_id": False}
    )
    accounts = env["account.account"]
    journals = env["account.journal"]
    return {
        "company": company.id,
        "currency": company.currency_id.id,
        "euro": euro.id,
        "product": product.id,
        "uom": product.uom_id.id,
        "journal": journals.search([("type", "=", "sale")], limit=1).id,
        "receivable": accounts.search([("account_type", "=", "asset_receivable")], limit=1).id,
        "income": accounts.search([("account_type", "=", "income")], limit=1).id,
        "now": datetime.utcnow().replace(microsecond=0),
        "span": timedelta(days=365 * YEARS),
        "foreign": FOREIGN,
        "invoiced": INVOICED,
        "credited": CREDITED,
    }


def _drop_indexes(cr) -> list[str]:
    """Drop the secondary indexes of the filled tables; return how to make them again."""
    cr.execute(
        """SELECT index.indexrelid::regclass::text, pg_get_indexdef(index.indexrelid),
                  obj_description(index.indexrelid, 'pg_class')
             FROM pg_index index
            WHERE index.indrelid = ANY(%s::regclass[]) AND NOT index.indisunique""",
        [list(FILLED_TABLES)],
    )
    again = []
    for name, definition, comment in cr.fetchall():
        cr.execute(f"DROP INDEX {name}")
        again.append(definition)
        if comment:
            # Odoo compares the comment with the declared index
            again.append(cr.mogrify(f"COMMENT ON INDEX {name} IS %s", [comment]).decode())
    return again


def _vacuum(env) -> None:
    """Leave the tables as autovacuum would have: visible to index-only scans, with statistics."""
    connection = env.cr._cnx
    connection.set_session(autocommit=True)
    try:
        with connection.cursor() as cursor:
            for table in FILLED_TABLES:
                cursor.execute(f"VACUUM (ANALYZE) {table}")
    finally:
        connection.set_session(autocommit=False)
