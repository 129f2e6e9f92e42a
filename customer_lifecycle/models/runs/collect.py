"""Sums up the purchases of customers, adds prospects, and compares with their profiles.

In: rows of the revenue sources, and documents and conversations of who never bought. Out:
temporary tables of facts and of changes. Called by the nightly run for all customers, and by the
refresh of a few, for whom this file also goes on to forecast, signals and labels.
"""

from datetime import date, timedelta

from psycopg2 import OperationalError

from odoo import api, models, tools
from odoo.tools import SQL

from ...tools.sampling import in_sample

#: sums over windows of time, as VIP tiers look at them
WINDOWS = (
    "value_year",
    "orders_year",
    "revenue_this_year",
    "revenue_last_year",
    "value_this_year",
    "value_last_year",
    "orders_this_year",
    "orders_last_year",
)
#: profile columns copied from the collected facts, and what they are where nothing is found
FACTS = {
    "order_count": "0",
    "first_order_date": "NULL",
    "last_order_date": "NULL",
    "recent_order_count": "0",
    "revenue": "0",
    "revenue_year": "0",
    **dict.fromkeys(WINDOWS, "NULL"),
    "value_year": "0",
    "orders_year": "0",
    "average_order_value": "NULL",
    "order_interval": "NULL",
    "clv_historical": "0",
    "open_opportunity_count": "0",
    "open_quotation_count": "0",
}
#: tables that purchases are read from, where they exist
DOCUMENT_TABLES = (
    *("sale_order", "sale_order_line", "sale_order_line_invoice_rel", "stock_move"),
    *("account_move", "account_move_line", "pos_order", "pos_order_line", "res_partner"),
    "lifecycle_external_purchase",
)
#: how long after his last touch somebody who never bought still counts as a prospect
PROSPECT_MONTHS = 24
#: purchases so many days before the last look are history; what is later may just be slow
NEWS_DAYS = 7


class LifecyclePipeline(models.AbstractModel):
    """From documents to profiles: one pass over the purchases, one write of what changed."""

    _name = "lifecycle.pipeline"
    _description = "Customer Lifecycle Pipeline"

    # ----- COLLECT -----

    @api.model
    def _know_sizes(self):
        """Count anew the rows of documents' tables that the planner believes to be nearly empty.

        It would loop over them; so it believes of what was filled in one go, and of what was empty
        when it last looked. Tables of any size are left to autovacuum.
        """
        cr = self.env.cr
        # less than a row a page: that was another table
        cr.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace "
            "AND relname = ANY(%s) AND reltuples BETWEEN 0 AND pg_relation_size(oid) / 8192 "
            "AND pg_relation_size(oid) > 0",
            [list(DOCUMENT_TABLES)],
        )
        for (table,) in cr.fetchall():
            try:
                with cr.savepoint(flush=False), tools.mute_logger("odoo.sql_db"):
                    # somebody else counts already: his numbers will do
                    cr.execute("SET LOCAL lock_timeout = '1s'")
                    cr.execute(SQL("ANALYZE %s", SQL.identifier(table)))
            except OperationalError:
                continue
        cr.execute("SET LOCAL lock_timeout = 0")

    def _collect_facts(
        self, company, today, partner_ids=None, id_range=None, parts=None, late=False
    ):
        """Sum up each customer's purchases into the temporary table ``lifecycle_facts``.

        :param company: res.company record
        :param today: date; later purchases do not count yet
        :param partner_ids: restrict to these commercial partners
        :param id_range: (first, last) commercial partner ids, inclusive
        :param parts: one in so many customers keeps his days, amounts and values as arrays
        :param late: leave out the purchases that are news of customers with a changed past
        :return: number of customers and prospects found
        """
        self.env.flush_all()
        cr = self.env.cr
        cr.execute("SET LOCAL jit = off")
        if partner_ids is None:
            # sums over millions of orders belong in memory, not in temporary files
            cr.execute("SET LOCAL work_mem = '256MB'")
        self._know_sizes()
        cr.execute("DROP TABLE IF EXISTS pg_temp.lifecycle_facts")
        rows = self.env["lifecycle.revenue.source"]._rows_sql(company, partner_ids, complete=True)
        where = SQL("day <= %s", today)
        if id_range:
            where = SQL("%s AND partner_id BETWEEN %s AND %s", where, *id_range)
        if late:
            where = SQL("%s AND %s", where, self._history_sql(company))
        value = SQL("amount" if company.lifecycle_value == "revenue" else "value")
        # sorted once, both groupings come for free; hashed, the days of millions of orders do
        # not fit into memory
        cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_facts AS
                   SELECT partner_id, %(sample)s
                          COUNT(bought)::integer AS order_count,
                          MIN(bought) AS first_order_date,
                          MAX(bought) AS last_order_date,
                          COUNT(*) FILTER (WHERE bought > %(today)s - %(horizon)s)
                              ::integer AS recent_order_count,
                          SUM(amount) AS revenue,
                          COALESCE(SUM(amount) FILTER (WHERE day > %(today)s - 365), 0)
                              AS revenue_year,
                          %(windows)s,
                          ROUND(AVG(amount) FILTER (WHERE bought IS NOT NULL), %(digits)s)
                              AS average_order_value,
                          ROUND((MAX(bought) - MIN(bought))::numeric
                                / NULLIF(COUNT(bought) - 1, 0), 1) AS order_interval,
                          SUM(%(value)s) AS clv_historical, %(by_share)s AS by_share,
                          0 AS open_opportunity_count, 0 AS open_quotation_count
                     FROM (SELECT partner_id, day, SUM(amount) AS amount,
                                  SUM(%(value)s) AS value, %(by_share)s AS by_share,
                                  CASE WHEN SUM(amount) > 0 THEN day END AS bought
                             FROM (SELECT * FROM (%(rows)s) purchases
                                    WHERE %(where)s ORDER BY partner_id, day) sorted
                            GROUP BY partner_id, day) days
                    GROUP BY partner_id""",
                rows=rows,
                where=where,
                sample=self._sample_columns(parts),
                today=today,
                horizon=company.lifecycle_horizon,
                digits=company.currency_id.decimal_places,
                # the same expression twice is summed up once
                value=value,
                by_share=SQL("SUM(by_share)" if company.lifecycle_value == "margin" else "0.0"),
                windows=self._window_sums(company, today, value),
            )
        )
        cr.execute("CREATE UNIQUE INDEX ON lifecycle_facts (partner_id)")
        # what is joined and asked for: the many sums of each would only be read
        cr.execute("ANALYZE lifecycle_facts (partner_id, order_count)")
        self._add_prospects(company, today, partner_ids, id_range)
        self._count_open_documents(company, partner_ids)
        self._compare_facts(company, partner_ids, id_range)
        if not late:
            self._find_late(company, today)
        cr.execute("SELECT COUNT(*) FROM lifecycle_facts")
        return cr.fetchone()[0]

    @api.model
    def _add_prospects(self, company, today, partner_ids, id_range):
        """Add who never bought, can be reached and was in touch lately."""
        cr = self.env.cr
        where = SQL("TRUE")
        if partner_ids is not None:
            where = SQL("contact.commercial_partner_id = ANY(%s)", list(partner_ids))
        elif id_range:
            where = SQL("contact.commercial_partner_id BETWEEN %s AND %s", *id_range)
        cr.execute("DROP TABLE IF EXISTS pg_temp.lifecycle_candidate")
        cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_candidate AS
                   SELECT contact.id, contact.commercial_partner_id, contact.company_id,
                          contact.partner_share
                     FROM res_partner contact
                     JOIN res_partner customer ON customer.id = contact.commercial_partner_id
                    WHERE %s
                      AND customer.active
                      AND customer.lifecycle_exclude IS NOT TRUE
                      AND (NULLIF(contact.email, '') IS NOT NULL
                           OR NULLIF(contact.phone, '') IS NOT NULL
                           OR NULLIF(customer.email, '') IS NOT NULL
                           OR NULLIF(customer.phone, '') IS NOT NULL)
                      AND NOT EXISTS (SELECT FROM lifecycle_facts facts
                                       WHERE facts.partner_id = contact.commercial_partner_id)""",
                where,
            )
        )
        cr.execute("ANALYZE lifecycle_candidate")
        cr.execute(
            SQL(
                """INSERT INTO lifecycle_facts
                         (partner_id, order_count, recent_order_count, revenue, revenue_year,
                          clv_historical, open_opportunity_count, open_quotation_count)
                   SELECT DISTINCT touched.partner_id, 0, 0, 0, 0, 0, 0, 0
                     FROM (%(touches)s) touched
                    WHERE touched.moment >= %(today)s::date - %(months)s * INTERVAL '1 month'""",
                touches=SQL(" UNION ALL ").join(self._prospect_touches(company)),
                today=today,
                months=PROSPECT_MONTHS,
            )
        )
        cr.execute("DROP TABLE pg_temp.lifecycle_candidate")
        # whom somebody has entered a budget for stays, in touch or not
        cr.execute(
            SQL(
                """INSERT INTO lifecycle_facts
                         (partner_id, order_count, recent_order_count, revenue, revenue_year,
                          clv_historical, open_opportunity_count, open_quotation_count)
                   SELECT contact.id, 0, 0, 0, 0, 0, 0, 0
                     FROM lifecycle_profile profile
                     JOIN res_partner contact ON contact.id = profile.partner_id
                    WHERE profile.company_id = %s AND profile.potential IS NOT NULL
                      AND contact.active AND contact.lifecycle_exclude IS NOT TRUE AND %s
                   ON CONFLICT DO NOTHING""",
                company.id,
                where,
            )
        )

    @api.model
    def _prospect_touches(self, company):
        """SELECTs of (commercial partner, moment) of documents and conversations.

        They join the temporary table ``lifecycle_candidate`` (id, commercial_partner_id,
        company_id, partner_share): contacts of customers who can be reached and never bought.
        Meant to be extended by addons that bring other documents.
        """
        default = self.env["res.company"]._lifecycle_default_company().id
        family = company._lifecycle_family().ids

        def touch(table, moment, link, company_id, condition):
            return SQL(
                """SELECT contact.commercial_partner_id AS partner_id, %(moment)s AS moment
                     FROM lifecycle_candidate contact
                     JOIN %(table)s ON %(link)s = contact.id
                    WHERE %(condition)s
                      AND COALESCE(%(company_id)s, %(default)s) = ANY(%(companies)s)""",
                moment=moment,
                table=table,
                link=link,
                condition=condition,
                company_id=company_id,
                # what belongs to no company counts in the default company only
                default=default if default in family else 0,
                companies=family,
            )

        created = SQL("touch.create_date")
        partner = SQL("touch.partner_id")
        of_partner = SQL("contact.company_id")
        return [
            touch(
                SQL("crm_lead touch"),
                created,
                partner,
                SQL("COALESCE(touch.company_id, contact.company_id)"),
                SQL("TRUE"),
            ),
            touch(SQL("sale_order touch"), created, partner, SQL("touch.company_id"), SQL("TRUE")),
            touch(
                SQL("account_move touch"),
                created,
                partner,
                SQL("touch.company_id"),
                SQL("touch.move_type IN ('out_invoice', 'out_refund', 'out_receipt')"),
            ),
            touch(
                SQL("mail_message touch"),
                SQL("touch.date"),
                SQL("touch.author_id"),
                of_partner,
                SQL("touch.message_type IN ('email', 'comment') AND contact.partner_share"),
            ),
            touch(
                SQL(
                    "(calendar_event touch JOIN calendar_event_res_partner_rel attendee "
                    "ON attendee.calendar_event_id = touch.id)"
                ),
                SQL("touch.start"),
                SQL("attendee.res_partner_id"),
                of_partner,
                SQL("touch.active AND contact.partner_share"),
            ),
        ]

    @api.model
    def _sample_columns(self, parts):
        """Columns with the purchases of a sample of customers, for a fit."""
        if not parts:
            return SQL()
        chosen = in_sample(SQL("partner_id"), parts)
        return SQL(
            "array_agg(day) FILTER (WHERE %s) AS days, "
            "array_agg(amount) FILTER (WHERE %s) AS amounts, "
            "array_agg(value) FILTER (WHERE %s) AS day_values,",
            chosen,
            chosen,
            chosen,
        )

    # ----- COMPARE -----

    @api.model
    def _compare_facts(self, company, partner_ids=None, id_range=None):
        """Note who differs from his profile in the temporary table ``lifecycle_change``.

        Its rows are the new facts; ``known`` tells whether there is a profile, ``found`` is false
        where only the profile is left. On most days that is one customer in a hundred: all that
        is written comes from here.
        """
        cr = self.env.cr
        known = SQL("company_id = %s", company.id)
        if partner_ids is not None:
            known = SQL("%s AND partner_id = ANY(%s)", known, list(partner_ids))
        elif id_range:
            known = SQL("%s AND partner_id BETWEEN %s AND %s", known, *id_range)
        cr.execute("DROP TABLE IF EXISTS pg_temp.lifecycle_change")
        cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_change AS
                   SELECT COALESCE(facts.partner_id, profile.partner_id) AS partner_id,
                          facts.partner_id IS NOT NULL AS found,
                          profile.partner_id IS NOT NULL AS known, %(new)s
                     FROM lifecycle_facts facts
                     FULL JOIN (SELECT * FROM lifecycle_profile WHERE %(known)s) profile
                       ON profile.partner_id = facts.partner_id
                    WHERE CASE WHEN facts.partner_id IS NULL THEN profile.active
                               ELSE (%(old)s, profile.active, profile.currency_id)
                                    IS DISTINCT FROM (%(new)s, TRUE, %(currency)s) END""",
                new=self._fact_columns("facts"),
                old=self._fact_columns("profile"),
                known=known,
                currency=company.currency_id.id,
            )
        )
        cr.execute("CREATE INDEX ON lifecycle_change (partner_id)")
        cr.execute("ANALYZE lifecycle_change (partner_id, found, known, order_count)")
        self.env["lifecycle.prediction"]._empty_outputs()

    @api.model
    def _fact_columns(self, alias=None):
        names = [SQL.identifier(alias, name) if alias else SQL.identifier(name) for name in FACTS]
        return SQL(", ").join(names)

    # ----- A FEW CUSTOMERS -----

    @api.model
    def _refresh(self, company, partner_ids):
        """Make some customers' profiles fresh, in this transaction.

        :param partner_ids: ids of commercial partners
        """
        today = company._lifecycle_today()
        self._write_figures(company, today, partner_ids)
        self.env["lifecycle.preference"]._update(company, partner_ids)
        self.env["lifecycle.signal"]._update(company, partner_ids)
        self.env["lifecycle.loyalty.cost"]._update_profiles(company, partner_ids)
        classifier = self.env["lifecycle.classifier"]
        if classifier._is_started(company) and not classifier._is_stale(company):
            # before the first complete run there is no history that a change could continue,
            # and what a changed rule moves must not look like news
            classifier._classify_late(company, today, partner_ids)
            classifier._classify_all(company, today, partner_ids=partner_ids)
        self.env["lifecycle.profile"].invalidate_model()

    @api.model
    def _write_figures(self, company, today, partner_ids, late=False):
        """Collect, predict and write the figures of some customers.

        :param late: leave out the purchases that are news of customers with a changed past
        """
        self._collect_facts(company, today, partner_ids, late=late)
        self._store_facts(company, 0, 2**31 - 1)
        self._archive_without_facts(company, 0, 2**31 - 1)
        if not late:
            self._mark_late(company, 0, 2**31 - 1)
        self._forget_facts()
        self.env["lifecycle.prediction"]._predict(company, today, partner_ids=partner_ids)
        self.env["lifecycle.classifier"]._update_rhythms(company, partner_ids)

    # ----- LATE HISTORY -----

    # Documents come in late in many ways: imports, orders entered with their old date, a till that
    # was offline, merged contacts, an order or a contact given to another customer, a contact that
    # counts again. None of them is asked for: it shows in the purchases of days that were looked at
    # before. The classifier then moves these customers without a sound.

    @api.model
    def _news_since(self, company, today):
        """The first day whose purchases are news: what happened since the last look, and a week."""
        last = self.env["lifecycle.run"].sudo().search(
            [
                ("company_id", "=", company.id),
                ("state", "=", "done"),
                ("kind", "not in", ("history", "rules", "refresh")),
                ("as_of", "!=", False),
            ],
            limit=1,
        )
        return min(today, last.as_of or today) - timedelta(days=NEWS_DAYS)

    @api.model
    def _find_late(self, company, today):
        """Temporary table ``lifecycle_late``: partners whose older purchases are new to us.

        ``until``: purchases up to this day are history. ``late_day``: the last that came in late
        and is later than all that was known. Looks only at those in ``lifecycle_change`` who have
        more purchases than before.
        """
        cr = self.env.cr
        cr.execute("DROP TABLE IF EXISTS pg_temp.lifecycle_late")
        cr.execute(
            "CREATE TEMPORARY TABLE lifecycle_late "
            "(partner_id integer PRIMARY KEY, until date, late_day date)"
        )
        if not self.env["lifecycle.classifier"]._is_started(company):
            # the first run finds history only
            return
        since = self._news_since(company, today)
        known = SQL(
            "LEFT JOIN lifecycle_profile known ON known.company_id = %s AND known.active "
            "AND known.partner_id =",
            company.id,
        )
        cr.execute(
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
        more = [row[0] for row in cr.fetchall()]
        if more:
            cr.execute(
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
                    rows=self.env["lifecycle.revenue.source"]._rows_sql(company, more),
                    today=today,
                    since=since,
                    known=known,
                    company=company.id,
                )
            )
        self._find_late_talks(company, since, known)

    @api.model
    def _find_late_talks(self, company, since, known):
        """Add those without purchases whose open documents are old, but new to us."""
        self.env.cr.execute(
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

    @api.model
    def _history_sql(self, company):
        """Condition for rows of ``purchases``: not news of a customer with a changed past."""
        return SQL(
            """COALESCE(day <= (SELECT marked.history_until FROM lifecycle_profile marked
                                 WHERE marked.partner_id = purchases.partner_id
                                   AND marked.company_id = %s), TRUE)""",
            company.id,
        )

    @api.model
    def _mark_late(self, company, after, until):
        """Note on the profiles in (after, until] what ``_find_late`` has found."""
        self.env.cr.execute(
            SQL(
                """UPDATE lifecycle_profile profile
                      SET history_until = late.until,
                          history_day = COALESCE(late.late_day, profile.history_day)
                     FROM lifecycle_late late
                    WHERE late.partner_id = profile.partner_id AND profile.company_id = %s
                      AND late.partner_id > %s AND late.partner_id <= %s""",
                company.id,
                after,
                until,
            )
        )

    # ----- OPEN DOCUMENTS -----

    @api.model
    def _count_open_documents(self, company, partner_ids):
        """Add the numbers of open opportunities and quotations to the facts."""
        few = (
            SQL("contact.commercial_partner_id = ANY(%s)", list(partner_ids))
            if partner_ids is not None
            else SQL("TRUE")
        )
        few_senders = (
            SQL("sender.commercial_partner_id = ANY(%s)", list(partner_ids))
            if partner_ids is not None
            else SQL("TRUE")
        )
        default = self.env["res.company"]._lifecycle_default_company().id
        family = company._lifecycle_family().ids
        documents = {
            # an opportunity without a contact belongs to whoever has its e-mail address
            "open_opportunity_count": SQL(
                """(SELECT id, partner_id, company_id FROM crm_lead
                     WHERE active AND type = 'opportunity' AND won_status = 'pending'
                       AND partner_id IS NOT NULL
                    UNION
                    SELECT lead.id, sender.id, lead.company_id
                      FROM crm_lead lead
                      JOIN res_partner sender ON sender.email_normalized = lead.email_normalized
                     WHERE lead.active AND lead.type = 'opportunity'
                       AND lead.won_status = 'pending' AND lead.partner_id IS NULL
                       AND sender.active AND %s) document
                     JOIN res_partner contact ON contact.id = document.partner_id
                    WHERE COALESCE(document.company_id, contact.company_id, %s) = ANY(%s)""",
                # addresses have no index: of a few customers their own are looked through
                few_senders,
                default,
                family,
            ),
            "open_quotation_count": SQL(
                """sale_order document
                     JOIN res_partner contact ON contact.id = document.partner_id
                    WHERE document.state IN ('draft', 'sent') AND document.company_id = ANY(%s)""",
                family,
            ),
        }
        for name, source in documents.items():
            self.env.cr.execute(
                SQL(
                    """UPDATE lifecycle_facts facts SET %s = counted.number
                         FROM (SELECT contact.commercial_partner_id AS partner_id,
                                      COUNT(DISTINCT document.id)::integer AS number
                                 FROM %s AND %s
                                GROUP BY contact.commercial_partner_id) counted
                        WHERE counted.partner_id = facts.partner_id""",
                    SQL.identifier(name),
                    source,
                    few,
                )
            )

    # ----- WINDOWS -----

    @api.model
    def _window_sums(self, company, today, value):
        """Columns of ``lifecycle_facts`` from rows of (day, bought, amount, value).

        :param value: SQL of what a day is worth
        """
        year = SQL("bought > %s - 365", today)
        columns = {
            "value_year": SQL(
                "COALESCE(SUM(%s) FILTER (WHERE day > %s - 365), 0)", value, today
            ),
            "orders_year": SQL("COUNT(*) FILTER (WHERE %s)::integer", year),
        }
        counted = self.env["lifecycle.vip.tier"]._of_company(company).filtered(
            lambda tier: tier.in_window and tier.term == "calendar"
        )
        for name, start in (("this", today.year), ("last", today.year - 1)):
            span = SQL("BETWEEN %s AND %s", date(start, 1, 1), date(start, 12, 31))
            sums = {
                "revenue": SQL("COALESCE(SUM(amount) FILTER (WHERE day %s), 0)", span),
                "value": SQL("COALESCE(SUM(%s) FILTER (WHERE day %s), 0)", value, span),
                "orders": SQL("COUNT(*) FILTER (WHERE bought %s)::integer", span),
            }
            for what, expression in sums.items():
                # whoever needs none does not pay for it
                unknown = SQL("NULL::integer" if what == "orders" else "NULL::numeric")
                columns[f"{what}_{name}_year"] = expression if counted else unknown
        return SQL(", ").join(
            SQL("%s AS %s", columns[name], SQL.identifier(name)) for name in WINDOWS
        )
