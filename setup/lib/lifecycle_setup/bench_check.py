"""Whether ``setup/bench`` still measures what it filled, and whether the result is right.

In: an environment of the bench's database. Out: an error where documents are missing, or where
the customers' revenue is not that of the orders net of credit notes. Called before and after each
part: figures of a database that lost its order lines would be fast and worth nothing.
"""

from __future__ import annotations

#: what is filled, and how it is told from what the measurements add
COUNTED = {
    "orders": "sale_order WHERE name LIKE 'B%'",
    "order lines": "sale_order_line WHERE name = 'Invented line'",
    "invoices": "account_move WHERE name LIKE 'B/%' AND move_type = 'out_invoice'",
    "credit notes": "account_move WHERE name LIKE 'B/%' AND move_type = 'out_refund'",
    "invoice lines": "account_move_line WHERE name = 'Invented line'",
    "links of order and invoice lines": "sale_order_line_invoice_rel",
}
#: revenue as a plain sum: orders less what was credited on their lines
PLAIN = """
    SELECT SUM(ROUND((ordering.amount_untaxed - COALESCE(credit.amount, 0))
                     / ordering.currency_rate, 2))
      FROM sale_order ordering
      JOIN res_partner contact ON contact.id = ordering.partner_id
      JOIN res_partner customer ON customer.id = contact.commercial_partner_id
      LEFT JOIN (SELECT line.order_id, SUM(item.price_subtotal) AS amount
                   FROM account_move move
                   JOIN account_move_line item ON item.move_id = move.id
                   JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = item.id
                   JOIN sale_order_line line ON line.id = rel.order_line_id
                  WHERE move.move_type = 'out_refund' AND move.state = 'posted'
                  GROUP BY line.order_id) credit ON credit.order_id = ordering.id
     WHERE ordering.state = 'sale' AND ordering.company_id = %s
       AND customer.lifecycle_exclude IS NOT TRUE
"""


def _counts(env) -> dict[str, int]:
    counts = {}
    for name, rows in COUNTED.items():
        env.cr.execute(f"SELECT COUNT(*) FROM {rows}")
        counts[name] = env.cr.fetchone()[0]
    return counts


def note_filled(env) -> None:
    """Keep in the database how much of everything was filled.

    :raises RuntimeError: something was not filled at all
    """
    counts = _counts(env)
    empty = [name for name, count in counts.items() if not count]
    if empty:
        raise RuntimeError(f"The bench filled no {', '.join(empty)}.")
    env.cr.execute("CREATE TABLE bench_filled (name text, count bigint)")
    for item in counts.items():
        env.cr.execute("INSERT INTO bench_filled VALUES (%s, %s)", item)
    env.cr.commit()


def check_filled(env) -> None:
    """Make sure that all that was filled is there.

    :raises RuntimeError: with what is missing
    """
    env.cr.execute("SELECT name, count FROM bench_filled")
    filled = dict(env.cr.fetchall())
    counts = _counts(env)
    env.cr.commit()
    changed = [
        f"{counts[name]:,} {name} instead of {count:,}"
        for name, count in filled.items()
        if counts[name] != count
    ]
    if changed:
        raise RuntimeError(f"The bench lost or doubled documents: {', '.join(changed)}.")


def check_money(env) -> float:
    """Make sure that the customers have brought what the orders say; return the sum.

    :raises RuntimeError: with both sums
    """
    env.cr.execute(PLAIN, [env.company.id])
    plain = env.cr.fetchone()[0]
    env.cr.execute(
        "SELECT SUM(clv_historical) FROM lifecycle_profile WHERE company_id = %s",
        [env.company.id],
    )
    computed = env.cr.fetchone()[0]
    env.cr.commit()
    if computed != plain:
        raise RuntimeError(f"The customers have brought {computed:,}, the orders say {plain:,}.")
    return float(plain)
