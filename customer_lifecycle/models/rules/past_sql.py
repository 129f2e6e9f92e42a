"""The past as SQL: profiles as they were on each day, and the rules compiled over them.

In: purchases, the fields whose past is known, and rules. Out: a temporary table of spells between
purchases, a view that stands for the profiles, and SELECTs of what the rules say. Called by the
replay of stages; relative dates in rules are compiled here for today's classification, too.
"""

import re
from collections.abc import Iterable

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools import rights
from ..prediction.rhythm import rhythm_sql

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
#: dates of the last time that something happened: known from that day on
LATEST = (
    "advocacy_date",
    "last_contact_date",
    "bad_rating_date",
    "late_delivery_date",
    "return_date",
    "credit_note_date",
    "overdue_since",
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
PERIODS = {"d": "days", "w": "weeks", "m": "months", "y": "years"}
RELATIVE = re.compile(r"(?:today|now)?((?:\s*[+-]\s*\d+\s*[dwmy])*)")
#: day that days are counted from outside the database
EPOCH = SQL("DATE '1970-01-01'")


class LifecycleClassifier(models.AbstractModel):
    """What was known of customers on each day of the past, and what the rules say of it."""

    # a file for each subject of this large model
    _inherit = "lifecycle.classifier"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _list_spells(self, company, today, partner_ids=None):
        """Temporary table ``lifecycle_spells``: what was known from each purchase to the next.

        :param partner_ids: these commercial partners, and of their purchases what is history
        """
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
                rows=self.env["lifecycle.revenue.source"]._rows_sql(
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

    @api.model
    def _moments_sql(self, rules, ids):
        """Spells with each ``moment`` in them at which a rule may begin or end to hold."""
        spells = SQL("SELECT * FROM lifecycle_spells WHERE id BETWEEN %s AND %s", *ids)
        parts = [SQL("SELECT *, spell_day AS moment FROM (%s) spells", spells)]
        turns = {turn for rule in rules for turn in self._turning_days(rule)}
        for turn in sorted(turns, key=repr):
            parts.append(
                SQL(
                    """SELECT * FROM (SELECT *, %s AS moment FROM (%s) spells) turns
                        WHERE moment > spell_day AND moment <= until""",
                    turn,
                    spells,
                )
            )
        return SQL(" UNION ALL ").join(parts)

    @api.model
    def _turning_days(self, rule):
        """Days on which time alone may change what a rule says, as SQL over a spell."""
        last = SQL.identifier("last_order_date")
        for condition in rule.iter_conditions():
            name, operator, value = (
                condition.field_expr, condition.operator, condition.value
            )
            if name in LATEST:
                yield SQL.identifier(name)
            if name in ("days_since_last_order", "lateness"):
                unit = SQL("1") if name == "days_since_last_order" else SQL.identifier("rhythm")
                values = [value] if isinstance(value, int | float) else value
                for number in values if isinstance(values, Iterable) else ():
                    if isinstance(number, bool) or not isinstance(number, int | float):
                        continue
                    # later than a date can be is never
                    days = SQL("LEAST(%s::numeric * %s, 1000000)", number, unit)
                    if operator not in ("<=", ">"):
                        yield SQL("%s + CEIL(%s)::integer", last, days)
                    if operator not in ("<", ">="):
                        yield SQL("%s + FLOOR(%s)::integer + 1", last, days)
            elif name in (*LATEST, "first_order_date", "last_order_date"):
                interval = self._relative(value)
                if interval is None:
                    continue
                # months differ in length: the day before the same date may be four days earlier
                for days in range(2 if "month" not in interval and "year" not in interval else 5):
                    yield SQL(
                        "(%s - %s::interval)::date + %s", SQL.identifier(name), interval, days
                    )

    @api.model
    def _relative(self, value):
        """A date like "-12m" as an interval from today; None for what is none."""
        found = isinstance(value, str) and value.strip() and RELATIVE.fullmatch(value.strip())
        if not found:
            return None
        steps = re.findall(r"([+-])\s*(\d+)\s*([dwmy])", found[1])
        return " ".join(f"{sign}{number} {PERIODS[unit]}" for sign, number, unit in steps) or "0"

    @api.model
    def _show_past(self, company, source, extra=()):
        """A view of spells that hides the real profiles from this session's SQL.

        What rules often ask for is computed once a row: hence the fences (OFFSET 0).
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
                value = SQL("%s", company.id)
            else:
                value = SQL(STATE.get(name, f"NULL::{field.column_type[0]}"))
            columns.append(SQL("%s AS %s", value, SQL.identifier(name)))
        columns += [SQL.identifier(name) for name in ("moment", "spell_day", *extra)]
        self.env.cr.execute(
            SQL(
                """CREATE TEMPORARY VIEW lifecycle_profile AS
                   SELECT *, days::numeric / NULLIF(rhythm, 0) AS lateness,
                          days AS days_since_last_order
                     FROM (SELECT %s, moment - last_order_date AS days
                             FROM (%s) spells OFFSET 0) shown OFFSET 0""",
                SQL(", ").join(columns),
                source,
            )
        )

    @api.model
    def _past_sql(self, stages):
        """What the rules say of the rows that ``_show_past`` shows, and why.

        :return: (SELECT of profile, day of the spell, day, bits of the stages whose rules let in
            and keep; SELECT of the transitions to record)
        """
        moment = SQL.identifier("lifecycle_profile", "moment")
        profiles = (
            self.env["lifecycle.profile"]
            .sudo()
            .with_context(active_test=False, lifecycle_today=moment)
        )
        query = profiles._search(Domain.TRUE)
        table = query.table

        def bits(chosen, keep=False):
            return SQL(" | ").join(
                [
                    *(
                        SQL(
                            "CASE WHEN %s THEN %s::bigint ELSE 0 END",
                            self._rule_sql(
                                profiles,
                                self._dated(
                                    rights.within_company(
                                        stage._rule(keep), profiles, profiles.env.company
                                    )
                                ),
                                table,
                                query,
                                moment,
                            ),
                            1 << number,
                        )
                        for number, stage in chosen
                    ),
                    SQL("0::bigint"),
                ]
            )

        numbered = list(enumerate(stages))
        own = [(number, stage) for number, stage in numbered if stage.keep_domain]
        shared = sum(1 << number for number, stage in numbered if not stage.keep_domain)
        why = [
            SQL("WHEN %s THEN jsonb_build_object(%s)", stage.id, SQL(", ").join(values))
            for stage in stages
            if (
                values := [
                    SQL("%s::text, %s", name, value)
                    for name in stage._rule_names_used()
                    if (value := self._value_sql(profiles, name, query))
                ]
            )
        ]
        enter, keep = bits(numbered), bits(own, keep=True)
        masks = SQL(
            "SELECT id, spell_day, day, enter, (enter & %s::bigint) | kept AS keep, ordered "
            "FROM (%s) said",
            shared,
            query.select(
                SQL("%s AS id", SQL.identifier(table, "id")),
                SQL("%s - %s AS spell_day", SQL.identifier(table, "spell_day"), EPOCH),
                SQL("%s - %s AS day", moment, EPOCH),
                SQL("%s - %s AS ordered", SQL.identifier(table, "last_order_date"), EPOCH),
                SQL("%s AS enter", enter),
                SQL("%s AS kept", keep),
            ),
        )
        reasons = query.select(
            *(SQL.identifier(table, name) for name in ("id", *PAST)),
            SQL("%s AS date", moment),
            SQL("CASE %s %s END AS why", SQL.identifier(table, "to_id"), SQL(" ").join(why)),
        )
        return masks, reasons

    @api.model
    def _dated(self, rule):
        """The rule with dates like "-12m" counted from the day that is looked at."""
        fields_ = self.env["lifecycle.profile"]._fields

        def dated(condition):
            name, operator = condition.field_expr, condition.operator
            field = fields_.get(name)
            interval = field is not None and field.type == "date" and (
                self._relative(condition.value)
            )
            if not interval or operator not in ("=", "<", "<=", ">", ">="):
                return condition
            return Domain.custom(
                to_sql=lambda model, alias, query: SQL(
                    "COALESCE(%s %s (%s::date + %s::interval)::date, FALSE)",
                    model._field_to_sql(alias, name, query),
                    SQL(operator),
                    model._lifecycle_today(),
                    interval,
                )
            )

        return rule.map_conditions(dated)
