"""The most frequent ways of touchpoints to a first order, or to the loss of a customer.

In: a filter, a period and the touchpoint sources that every salesperson may read. Out: ways with
number, days, value and customers, and what could not be compared. Called by the journey map view.
"""

import psycopg2

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from .journey_map import NOT_NEWS
from .sampled_contacts import SampledContacts

#: customers whose ways are compared; those of more change no order of the most frequent
MOST_EVENTS = 5_000
#: ways shown, and the most steps of one
SHOWN, STEPS = 8, 6
#: on the day of a first order whose hour is not known, only these count as before it
BEFORE_ORDER = ("marketing", "sales", "service")


class LifecycleJourneyMap(models.AbstractModel):
    """Which touchpoints led to first orders, and which came before customers were lost."""

    # a file for each subject of this model
    _inherit = "lifecycle.journey.map"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    @api.readonly
    def get_paths(self, domain, period, kind, options=None):
        """The most frequent ways to a first order, or into a lost stage, in a period.

        A way is the sequence of the last touchpoints before the event; what repeats at once
        counts once. Only sources count that every salesperson may read, and of them what the
        present reader may.

        :param domain: domain over ``lifecycle.profile``; :param period: as for ``get_map``
        :param kind: "order" or "loss"
        :param options: dict with any of ``steps`` (at most so many, by default 6) and ``level``:
            "source" (by default) or "lane"
        :return: dict of ``paths``: dicts ``steps`` (names of lanes or ids of sources), ``cut``
            (there were steps before), ``count``, ``median_days`` from the first step to the
            event, ``value`` (earned so far from them) and ``profile_ids``; ``total`` (events),
            ``looked_at`` (events whose ways were compared), ``unknown`` (those without any
            touchpoint), ``others`` (those with a rarer way), ``sources`` and ``lanes`` (what the
            steps are called) and, for managers, ``warnings``
        :raise UserError: the period is none
        """
        company, start, end = self._frame(period)
        options = options or {}
        steps = max(1, min(int(options.get("steps") or STEPS), STEPS))
        by_lane = options.get("level") == "lane"
        events = self.env.execute_query(
            self._events(kind, self._domain(domain), start, end)
        )
        sources = self._path_sources()
        journey = self.env["lifecycle.journey"]
        scope = SampledContacts(
            self.env,
            company._lifecycle_timezone(),
            company._lifecycle_today(),
            [event[:-1] for event in events],
        )
        # compiling a statement of many small parts takes longer than running it
        self.env.cr.execute("SET LOCAL jit = off")
        statements, warnings = journey._try_each(
            sources, lambda source: self._touches_sql(source, scope)
        )
        rows, refused = self._paths(scope, kind, statements, steps, by_lane)
        known = [row for row in rows if row[0]]
        looked_at = sum(row[2] for row in rows)
        paths = [
            {
                "steps": list(path),
                "cut": cut,
                "count": count,
                "median_days": round(days),
                "value": float(value or 0),
                "profile_ids": profile_ids,
            }
            for path, cut, count, days, value, profile_ids in known[:SHOWN]
        ]
        labels = dict(sources._fields["lane"]._description_selection(self.env))
        result = {
            "paths": paths,
            "total": events[0][-1] if events else 0,
            "looked_at": looked_at,
            "unknown": sum(row[2] for row in rows if not row[0]),
            "others": sum(row[2] for row in known[SHOWN:]),
            "sources": [source._shown_as() for source in sources],
            "lanes": labels,
        }
        if self.env.user.has_group("sales_team.group_sale_manager"):
            result["warnings"] = warnings + refused
        return result

    # ----- EVENTS -----

    @api.model
    def _events(self, kind, domain, start, end):
        """SELECT of (profile_id, customer, day, value, total number) of what ways lead to.

        Of very many, those are looked at that come first by a hash of their customer.
        """
        profiles = self.env["lifecycle.profile"]
        if kind == "order":
            query = profiles._search(
                domain
                & Domain("first_order_date", ">=", start)
                & Domain("first_order_date", "<=", end)
            )
            day = SQL.identifier(query.table, "first_order_date")
        else:
            query = profiles._search(domain)
            lost = self.env["lifecycle.stage"].sudo().with_context(active_test=False)
            query.add_join(
                "JOIN",
                "map_loss",
                SQL(
                    """(SELECT profile_id, MIN(date) AS day FROM lifecycle_transition
                         WHERE kind = 'stage' AND date BETWEEN %s AND %s AND cause NOT IN %s
                           AND to_stage_id IN %s
                         GROUP BY profile_id)""",
                    start,
                    end,
                    NOT_NEWS,
                    lost._search([("is_lost", "=", True)]).subselect(),
                ),
                SQL("map_loss.profile_id = %s", SQL.identifier(query.table, "id")),
            )
            day = SQL("map_loss.day")
        customer = SQL.identifier(query.table, "partner_id")
        query.order = SQL("hashint4(%s), %s", customer, customer)
        query.limit = MOST_EVENTS
        return query.select(
            SQL("%s AS profile_id", SQL.identifier(query.table, "id")),
            SQL("%s AS customer", customer),
            SQL("%s AS day", day),
            SQL("%s AS value", SQL.identifier(query.table, "clv_historical")),
            SQL("COUNT(*) OVER () AS total"),
        )

    # ----- TOUCHPOINTS -----

    @api.model
    def _path_sources(self):
        """Sources that every salesperson may read, but for what we note ourselves."""
        sources = self.env["lifecycle.touchpoint.source"]._available([("lane", "!=", "lifecycle")])
        readable = sources._salesperson_models()
        return sources.filtered(lambda source: source._every_salesperson_may_read(readable))

    @api.model
    def _touches_sql(self, source, scope):
        """SELECT of (customer, moment in UTC, source id) of a source's touchpoints.

        :raise AccessError: the reader may not read the model or a field of the source
        :raise ValueError: a path does not fit the model
        """
        parts = []
        by_email = [False] if source.documents or source.partner_path else []
        if not source.documents and source.email_path:
            by_email.append(True)
        for email in by_email:
            model, query, moment = source._query(scope)
            if source.documents:
                customer = scope.attached_customer_sql(model, query, source._documents())
            else:
                customer = scope.customer_sql(
                    model, query, source.partner_path, email and source.email_path
                )
            parts.append(
                query.select(
                    SQL("%s AS customer", customer),
                    SQL("%s AS moment", moment),
                    SQL("%s AS source_id", source.id),
                )
            )
        return SQL(" UNION ALL ").join(parts)

    # ----- MOST_EVENTS -----

    @api.model
    def _paths(self, scope, kind, statements, steps, by_lane):
        """Rows (path, cut, number, median days, value, profile ids), the most frequent first."""
        sources = self.env["lifecycle.touchpoint.source"].browse(statements)
        try:
            with self.env.cr.savepoint(flush=False):
                return self._count_paths(scope, kind, statements, sources, steps, by_lane), []
        except psycopg2.Error:
            # each by itself, to leave out the one that the database refuses
            counted, warnings = self.env["lifecycle.journey"]._try_each(
                sources,
                lambda source: self._count_paths(scope, kind, statements, source, steps, by_lane),
            )
            sources = sources.browse(counted)
            return self._count_paths(scope, kind, statements, sources, steps, by_lane), warnings

    @api.model
    def _count_paths(self, scope, kind, statements, sources, steps, by_lane):
        touches = SQL(" UNION ALL ").join(statements[source.id] for source in sources)
        if not sources:
            touches = SQL("SELECT 0 AS customer, NULL::timestamp AS moment, 0 AS source_id")
        lanes = [
            SQL("(%s, %s, %s)", source.id, source.lane, source.sentiment) for source in sources
        ] or [SQL("(0, '', '')")]
        statement = SQL(
            """, touch AS (
                   SELECT found.customer, found.moment, found.source_id, source.lane,
                          source.sentiment, event.day,
                          (found.moment AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date
                              AS touch_day
                     FROM (%(touches)s) found
                     JOIN map_chosen event ON event.customer = found.customer
                     JOIN (VALUES %(lanes)s) AS source (id, lane, sentiment)
                       ON source.id = found.source_id),
               step AS (
                   SELECT customer, moment, source_id, %(name)s AS name,
                          LAG(%(name)s) OVER way AS before
                     FROM (%(before)s) earlier
                   WINDOW way AS (PARTITION BY customer ORDER BY moment, source_id)),
               folded AS (
                   SELECT customer, moment, source_id, name,
                          ROW_NUMBER() OVER (PARTITION BY customer
                                             ORDER BY moment DESC, source_id DESC) AS back
                     FROM step WHERE name IS DISTINCT FROM before),
               way AS (
                   SELECT customer,
                          ARRAY_AGG(name ORDER BY back DESC) FILTER (WHERE back <= %(steps)s)
                              AS path,
                          MAX(back) > %(steps)s AS cut,
                          MIN(moment) FILTER (WHERE back <= %(steps)s) AS since
                     FROM folded GROUP BY customer)
               SELECT way.path, COALESCE(way.cut, FALSE), COUNT(*),
                      PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY event.day
                          - (way.since AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date),
                      SUM(event.value), ARRAY_AGG(event.profile_id ORDER BY event.profile_id)
                 FROM map_chosen event
                 LEFT JOIN way ON way.customer = event.customer
                GROUP BY 1, 2 ORDER BY 3 DESC, 5 DESC NULLS LAST, 1""",
            zone=scope.timezone,
            touches=touches,
            lanes=SQL(", ").join(lanes),
            name=SQL.identifier("lane" if by_lane else "source_id"),
            before=self._before_sql(kind),
            steps=steps,
        )
        return self.env.execute_query(scope.with_shared(statement))

    @api.model
    def _before_sql(self, kind):
        """SELECT of the touchpoints before the event, from ``touch``.

        A first order ends the way at its own hour. Where only its day is known, what the order
        itself caused on that day does not count.
        """
        if kind != "order":
            return SQL("SELECT * FROM touch WHERE touch_day <= day")
        return SQL(
            """SELECT touch.* FROM touch
                 LEFT JOIN (SELECT customer, MIN(moment) AS moment FROM touch
                             WHERE lane = 'purchase' AND sentiment != 'bad' AND touch_day = day
                             GROUP BY customer) placed ON placed.customer = touch.customer
                WHERE touch.touch_day < touch.day
                   OR (touch.touch_day = touch.day AND touch.lane IN %s
                       AND (placed.moment IS NULL OR touch.moment < placed.moment))""",
            BEFORE_ORDER,
        )
