"""Purchases that came in late: whose past is another than we knew.

Documents come in late in many ways: imports, orders entered with their old date, a till that
was offline, merged contacts, an order or a contact given to another customer, a contact that
counts again. None of them is asked for: it shows in the purchases of days that were looked at
before. The classifier then moves these customers without a sound.

In: the changes that were just found. Out: rows of ``lifecycle_late``, which the profiles are
marked with when they are stored. Called while sums are collected.
"""

from datetime import timedelta

from odoo.tools import SQL

#: purchases so many days before the last look are history; what is later may just be slow
NEWS_DAYS = 7


def _news_since(env, company, today):
    """The first day whose purchases are news: what happened since the last look, and a week."""
    last = (
        env["lifecycle.run"]
        .sudo()
        .search(
            [
                ("company_id", "=", company.id),
                ("state", "=", "done"),
                ("kind", "not in", ("history", "rules", "refresh")),
                ("as_of", "!=", False),
            ],
            limit=1,
        )
    )
    return min(today, last.as_of or today) - timedelta(days=NEWS_DAYS)


def find_late(env, company, today):
    """Temporary table ``lifecycle_late``: partners whose older purchases are new to us.

    ``until``: purchases up to this day are history. ``late_day``: the last that came in late
    and is later than all that was known. Looks only at those in ``lifecycle_change`` who have
    more purchases than before.
    """
    env.cr.execute(
        "CREATE TEMPORARY TABLE lifecycle_late "
        "(partner_id integer PRIMARY KEY, until date, late_day date)"
    )
    if not env["lifecycle.classifier"]._is_started(company):
        # the first run finds history only
        return
    since = _news_since(env, company, today)
    known = SQL(
        "LEFT JOIN lifecycle_profile known ON known.company_id = %s AND known.active "
        "AND known.partner_id =",
        company.id,
    )
    env.cr.execute(
        SQL(
            """SELECT change.partner_id FROM lifecycle_change change
                 %s change.partner_id
                WHERE change.found AND change.first_order_date < %s
                  AND (change.order_count > COALESCE(known.order_count, 0)
                       OR change.first_order_date < known.first_order_date)""",
            known,
            # whose first purchase is news has nothing older
            today,
        )
    )
    more = [row[0] for row in env.cr.fetchall()]
    if more:
        env.cr.execute(
            SQL(
                """INSERT INTO lifecycle_late
                   SELECT bought.partner_id, GREATEST(since, known.last_order_date),
                          CASE WHEN MAX(day) FILTER (WHERE day <= since)
                                    > COALESCE(known.last_order_date, '-infinity')
                               THEN MAX(day) FILTER (WHERE day <= since) END
                     FROM (SELECT partner_id, day FROM (%(rows)s) purchases
                            WHERE day <= %(today)s
                            GROUP BY partner_id, day HAVING SUM(amount) > 0) bought
                     %(known)s bought.partner_id
                     LEFT JOIN lifecycle_profile marked
                       ON marked.company_id = %(company)s
                      AND marked.partner_id = bought.partner_id
                     CROSS JOIN LATERAL (
                         SELECT GREATEST(%(since)s::date - 1, marked.history_until) AS since
                     ) limits
                    GROUP BY bought.partner_id, since, known.id
                   HAVING COUNT(*) FILTER (WHERE day <= since
                                              OR day <= known.last_order_date)
                          > COALESCE(known.order_count, 0)
                       OR MIN(day) FILTER (WHERE day <= since) < known.first_order_date""",
                rows=env["lifecycle.purchase.fact"]._kept_sql(company, more),
                today=today,
                since=since,
                known=known,
                company=company.id,
            )
        )
    _find_late_talks(env, company, since, known)


def _find_late_talks(env, company, since, known):
    """Add those without purchases whose open documents are old, but new to us."""
    env.cr.execute(
        SQL(
            """INSERT INTO lifecycle_late
               SELECT change.partner_id, %(since)s::date - 1
                 FROM lifecycle_change change
                 %(known)s change.partner_id
                WHERE change.found AND change.order_count = 0
                  AND change.open_opportunity_count + change.open_quotation_count > COALESCE(
                      known.open_opportunity_count + known.open_quotation_count, 0)
                  AND NOT EXISTS (
                      SELECT FROM res_partner contact
                        JOIN crm_lead lead ON lead.partner_id = contact.id
                       WHERE contact.commercial_partner_id = change.partner_id
                         AND lead.create_date >= %(since)s)
                  AND NOT EXISTS (
                      SELECT FROM res_partner contact
                        JOIN crm_lead lead
                          ON lead.email_normalized = contact.email_normalized
                       WHERE contact.commercial_partner_id = change.partner_id
                         AND lead.partner_id IS NULL AND lead.create_date >= %(since)s)
                  AND NOT EXISTS (
                      SELECT FROM res_partner contact
                        JOIN sale_order ordering ON ordering.partner_id = contact.id
                       WHERE contact.commercial_partner_id = change.partner_id
                         AND GREATEST(ordering.create_date, ordering.date_order) >= %(since)s)
               ON CONFLICT DO NOTHING""",
            since=since,
            known=known,
        )
    )


def history_sql(company):
    """Condition for rows of ``purchases``: not news of a customer with a changed past."""
    return SQL(
        """COALESCE(day <= (SELECT marked.history_until FROM lifecycle_profile marked
                             WHERE marked.partner_id = purchases.partner_id
                               AND marked.company_id = %s), TRUE)""",
        company.id,
    )
