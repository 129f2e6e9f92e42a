"""Sums up the purchases of customers, adds prospects, and compares with their profiles.

In: the store of purchases, and documents and conversations of who never bought. Out:
temporary tables of sums, of changes and of purchases that came in late. Called by the night for
all customers, and by the refresh of a few.
"""

from datetime import date

from odoo.tools import SQL

from ... import kernel
from ...tools.step import EVERYBODY, Step
from .late_purchases import find_late, history_sql
from .prospects import Prospects, count_open_documents

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
#: profile columns copied from the collected sums, and what they are where nothing is found
SUMS = {
    "order_count": "0",
    "first_order_date": "NULL",
    "last_order_date": "NULL",
    "recent_order_count": "0",
    "pace_date": "NULL",
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


def sum_columns(alias=None):
    """The profile columns that are copied from the sums, separated by commas."""
    names = [SQL.identifier(alias, name) if alias else SQL.identifier(name) for name in SUMS]
    return SQL(", ").join(names)


class Collect(Step):
    """What the documents say of customers, and what of that is new.

    - ``lifecycle_sums``: a row for each customer with purchases, and for each prospect
    - ``lifecycle_change``: the sums of those who differ from their profiles; ``known`` tells
      whether there is a profile, ``found`` is false where only the profile is left
    - ``lifecycle_late``: whose older purchases are new, see ``find_late``

    :param sample: SQL of more columns of the sums, see ``first_run``
    :param late: leave out the purchases that are news of customers with a changed past
    """

    TABLES = ("lifecycle_sums", "lifecycle_change", "lifecycle_late")

    def __init__(self, env, company, day, scope=EVERYBODY, sample=None, late=False):
        super().__init__(env, company, day, scope)
        self.sample, self.late = sample or SQL(), late

    def collect(self):
        """Make the tables.

        :return: number of customers and prospects found
        """
        company, today = self.company, self.day
        self.env.flush_all()
        self.cr.execute("SET LOCAL jit = off")
        if not self.scope.is_few:
            # sums over millions of orders belong in memory, not in temporary files
            self.cr.execute("SET LOCAL work_mem = '256MB'")
        rows = self.env["lifecycle.purchase.fact"]._kept_sql(company, self.scope.partner_ids)
        where = SQL("day <= %s", today)
        if self.scope.id_range:
            where = SQL("%s AND partner_id BETWEEN %s AND %s", where, *self.scope.id_range)
        if self.late:
            where = SQL("%s AND %s", where, history_sql(company))
        value = SQL("amount" if company.lifecycle_value == "revenue" else "value")
        # sorted once, both groupings come for free; hashed, the days of millions of orders do
        # not fit into memory
        self.cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_sums AS
                   SELECT partner_id, %(sample)s
                          COUNT(bought)::integer AS order_count,
                          MIN(bought) AS first_order_date,
                          MAX(bought) AS last_order_date,
                          COUNT(*) FILTER (WHERE bought > %(today)s - %(horizon)s)
                              ::integer AS recent_order_count,
                          (ARRAY_AGG(bought ORDER BY bought) FILTER (WHERE bought IS NOT NULL))
                              [GREATEST(COUNT(bought) - %(pace)s + 1, 1)] AS pace_date,
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
                sample=self.sample,
                today=today,
                horizon=company.lifecycle_horizon,
                pace=kernel.PACE,
                digits=company.currency_id.decimal_places,
                # the same expression twice is summed up once
                value=value,
                by_share=SQL("SUM(by_share)" if company.lifecycle_value == "margin" else "0.0"),
                windows=self._window_sums(value),
            )
        )
        self.cr.execute("CREATE UNIQUE INDEX ON lifecycle_sums (partner_id)")
        # what is joined and asked for: the many sums of each would only be read
        self.cr.execute("ANALYZE lifecycle_sums (partner_id, order_count)")
        with Prospects(self.env, company, today, self.scope) as prospects:
            prospects.add()
        count_open_documents(self.env, company, self.scope)
        self._compare()
        if not self.late:
            find_late(self.env, company, today)
        self.cr.execute("SELECT COUNT(*) FROM lifecycle_sums")
        return self.cr.fetchone()[0]

    def buyer_count(self):
        """Number of customers among the sums."""
        self.cr.execute("SELECT COUNT(*) FROM lifecycle_sums WHERE order_count > 0")
        return self.cr.fetchone()[0]

    def shares(self):
        """Revenue of the sums, and that for which the company's share stands in."""
        if self.company.lifecycle_value != "margin":
            return 0.0, 0.0
        self.cr.execute(
            "SELECT COALESCE(SUM(revenue), 0), COALESCE(SUM(by_share), 0) FROM lifecycle_sums"
        )
        return tuple(float(amount) for amount in self.cr.fetchone())

    def _compare(self):
        """Note who differs from his profile, with his new sums.

        On most days that is one customer in a hundred: all that is written comes from here.
        """
        company = self.company
        known = SQL(
            "company_id = %s AND %s", company.id, self.scope.where(SQL.identifier("partner_id"))
        )
        self.cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_change AS
                   SELECT COALESCE(sums.partner_id, profile.partner_id) AS partner_id,
                          sums.partner_id IS NOT NULL AS found,
                          profile.partner_id IS NOT NULL AS known, %(new)s
                     FROM lifecycle_sums sums
                     FULL JOIN (SELECT * FROM lifecycle_profile WHERE %(known)s) profile
                       ON profile.partner_id = sums.partner_id
                    WHERE CASE WHEN sums.partner_id IS NULL THEN profile.active
                               ELSE (%(old)s, profile.active, profile.currency_id)
                                    IS DISTINCT FROM (%(new)s, TRUE, %(currency)s) END""",
                new=sum_columns("sums"),
                old=sum_columns("profile"),
                known=known,
                currency=company.currency_id.id,
            )
        )
        self.cr.execute("CREATE INDEX ON lifecycle_change (partner_id)")
        self.cr.execute("ANALYZE lifecycle_change (partner_id, found, known, order_count)")

    # ----- WINDOWS -----

    def _window_sums(self, value):
        """Columns of ``lifecycle_sums`` from rows of (day, bought, amount, value).

        :param value: SQL of what a day is worth
        """
        company, today = self.company, self.day
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
