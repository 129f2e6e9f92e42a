"""What was known of customers from each purchase to the next, and profiles made of it.

In: a company's purchases and what its profiles keep of the past. Out: a temporary table of
spells, and profiles as of any day in them. Used by the replay of stages.
"""

from odoo.tools import SQL

from ..prediction.rhythm import rhythm_sql
from .profiles_as_of import ProfilesAsOf
from .stage_rule import LATEST

#: columns of a profile that are known of each day of the past, besides the state
REPLAYED = (
    "order_count",
    "first_order_date",
    "last_order_date",
    "revenue",
    "clv_historical",
    "average_order_value",
    "order_interval",
    "rhythm",
)
#: what the last fit says, which is taken to hold since the last purchase
PREDICTED = (
    "predicted",
    "p_alive",
    "p_order",
    "p_order_30",
    "expected_orders",
    "clv_predicted",
    "clv_total",
)
#: columns that are neither known nor empty in the past
STATE = {
    "active": "TRUE",
    "stage_manual": "FALSE",
    "open_opportunity_count": "0",
    "open_quotation_count": "0",
}
#: columns of the temporary table of past moves that transitions are made of
PAST = ("number", "from_id", "to_id", "since")
#: day that days are counted from outside the database
EPOCH = SQL("DATE '1970-01-01'")


class Spells:
    """The temporary table ``lifecycle_spells``, which is there inside of ``with``.

    One row a purchase day of a profile: ``spell_day`` and ``until``, the day before the next one
    or today; the columns of the profile as they were then; of what the last fit says only in the
    last spell. What the past does not tell is unknown: predictions before the last purchase,
    opportunities, days in the stage itself.

    :param partner_ids: these commercial partners, and of their purchases what is history
    """

    def __init__(self, env, company, today, partner_ids=None):
        self.env, self.company, self.today = env, company, today
        self.partner_ids = partner_ids

    def __enter__(self):
        company, today, partner_ids = self.company, self.today, self.partner_ids
        history = SQL("TRUE")
        if partner_ids is not None:
            history = self.env["lifecycle.pipeline"]._history_sql(company)
        model = self.env["lifecycle.clv.model"]._current(company)
        now = [
            SQL(
                "CASE WHEN until = %s THEN %s END AS %s",
                today,
                SQL.identifier(f"now_{name}"),
                SQL.identifier(name),
            )
            for name in PREDICTED
        ]
        self.env.cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_spells AS
                   SELECT profile.*, day AS spell_day, until,
                          order_count, first_order_date, last_order_date, revenue,
                          clv_historical, average_order_value,
                          CASE WHEN order_count > 1 THEN ROUND(
                              (last_order_date - first_order_date)::numeric
                              / (order_count - 1), 1) END AS order_interval,
                          %(rhythm)s AS rhythm, %(now)s
                     FROM (SELECT partner_id AS customer_id, day,
                                  COALESCE(LEAD(day) OVER following - 1, %(today)s) AS until,
                                  (COUNT(*) FILTER (WHERE amount > 0) OVER following)::integer
                                  AS order_count,
                                  MIN(day) FILTER (WHERE amount > 0) OVER following
                                  AS first_order_date,
                                  MAX(day) FILTER (WHERE amount > 0) OVER following
                                  AS last_order_date,
                                  SUM(amount) OVER following AS revenue,
                                  ROUND(AVG(amount) FILTER (WHERE amount > 0)
                                        OVER following, %(digits)s) AS average_order_value,
                                  SUM(value) OVER following AS clv_historical
                             FROM (SELECT partner_id, day, SUM(amount) AS amount,
                                          SUM(value) AS value
                                     FROM (SELECT * FROM (%(rows)s) purchases
                                            WHERE day <= %(today)s AND %(history)s
                                            ORDER BY partner_id, day) sorted
                                    GROUP BY partner_id, day) days
                           WINDOW following AS (PARTITION BY partner_id ORDER BY day)) spells
                     JOIN (SELECT id, partner_id, currency_id, %(kept)s
                             FROM lifecycle_profile
                            WHERE company_id = %(company)s AND active
                              AND order_count > 0) profile
                       ON profile.partner_id = customer_id
                    WHERE order_count > 0""",
                rhythm=rhythm_sql(model),
                now=SQL(", ").join(now),
                kept=SQL(", ").join(
                    [
                        *(
                            SQL("%s AS %s", SQL.identifier(name), SQL.identifier(f"now_{name}"))
                            for name in PREDICTED
                        ),
                        *(SQL.identifier(name) for name in LATEST),
                    ]
                ),
                rows=self.env["lifecycle.purchase.fact"]._rows_sql(
                    company, partner_ids, complete=True
                ),
                history=history,
                digits=company.currency_id.decimal_places,
                today=today,
                company=company.id,
            )
        )
        self.env.cr.execute("CREATE INDEX ON lifecycle_spells (id)")
        self.env.cr.execute("ANALYZE lifecycle_spells")
        return self

    def __exit__(self, kind, error, traceback):
        if error is None:
            # else the transaction, or its savepoint, takes it along
            self.env.cr.execute("DROP TABLE pg_temp.lifecycle_spells")

    def ranges(self, size):
        """Pairs of the first and last id of profiles with spells, ``size`` ids at a time."""
        self.env.cr.execute("SELECT MIN(id), MAX(id) FROM lifecycle_spells")
        first, last = self.env.cr.fetchone()
        if first is None:
            return []
        return [(start, start + size - 1) for start in range(first, last + 1, size)]

    def moments(self, rules, ids):
        """Profiles in a range of ids on each ``moment`` at which a rule may begin or end to hold.

        :param rules: :class:`StageRules`
        :param ids: first and last id
        """
        spells = SQL("SELECT * FROM lifecycle_spells WHERE id BETWEEN %s AND %s", *ids)
        selects = [SQL("SELECT *, spell_day AS moment FROM (%s) spells", spells)]
        turns = {turn for rule in rules for turn in rule.turning_days()}
        for turn in sorted(turns, key=repr):
            selects.append(
                SQL(
                    """SELECT * FROM (SELECT *, %s AS moment FROM (%s) spells) turns
                        WHERE moment > spell_day AND moment <= until""",
                    turn,
                    spells,
                )
            )
        for days in sorted({days for rule in rules for days in rule.windows()}):
            # of all purchases until then, not of the last one only
            selects.append(
                SQL(
                    """SELECT * FROM (SELECT spells.*, bought.spell_day + %s AS moment
                                        FROM (%s) spells
                                        JOIN lifecycle_spells bought
                                          ON bought.id = spells.id
                                         AND bought.spell_day <= spells.spell_day) windows
                        WHERE moment > spell_day AND moment <= until""",
                    days,
                    spells,
                )
            )
        return self.as_of_moments(SQL(" UNION ALL ").join(selects))

    def as_of_moments(self, source, extra=()):
        """Profiles as they were on the ``moment`` of each row.

        What rules often ask for is computed once a row: hence the fences (OFFSET 0).

        :param source: SELECT of spells with a ``moment``
        :param extra: names of more columns of it
        :return: :class:`ProfilesAsOf`, with the columns ``moment``, ``spell_day`` and ``extra``
        """
        columns = []
        for name, field in self.env["lifecycle.profile"]._fields.items():
            if not field.store or not field.column_type:
                continue
            if name == "predicted":
                value = SQL("COALESCE(predicted, FALSE)")
            elif name in ("id", "partner_id", "currency_id", *REPLAYED, *PREDICTED):
                value = SQL.identifier(name)
            elif name in LATEST:
                value = SQL(
                    "CASE WHEN %(date)s <= moment THEN %(date)s END", date=SQL.identifier(name)
                )
            elif name == "company_id":
                value = SQL("%s", self.company.id)
            else:
                value = SQL(STATE.get(name, f"NULL::{field.column_type[0]}"))
            columns.append(SQL("%s AS %s", value, SQL.identifier(name)))
        columns += [SQL.identifier(name) for name in ("moment", "spell_day", *extra)]
        return ProfilesAsOf(
            self.env,
            self.company,
            SQL.identifier("lifecycle_profile", "moment"),
            source=SQL(
                """(SELECT *, days::numeric / NULLIF(rhythm, 0) AS lateness,
                          days AS days_since_last_order
                     FROM (SELECT %s, moment - last_order_date AS days
                             FROM (%s) spells OFFSET 0) shown OFFSET 0)""",
                SQL(", ").join(columns),
                source,
            ),
        )
