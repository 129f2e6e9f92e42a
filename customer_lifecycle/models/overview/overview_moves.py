"""Who came, slipped, was lost and won back, and the stock of each stage in the past.

In: the history of stages, a population and periods. Out: numbers of customers by period and by
month, and the customers behind them. Called by the overview; what a first run or a changed rule
moved is no news here, as on the journey map.
"""

from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.planner import plan_for_all
from ..journey.journey_map import NOT_NEWS

#: months that the charts go back
MONTHS = 24


class LifecycleOverview(models.AbstractModel):
    # a file for each subject of this model
    _inherit = "lifecycle.overview"  # pylint: disable=consider-merging-classes-inherited

    # ----- WHAT A MOVE IS -----

    @api.model
    def _kind_sql(self):
        """What a change ``move`` of the stage of ``profile`` is: risk, lost, won_back or NULL.

        Won back is who comes from such a stage to a better one by an order: a rule, not a person,
        has moved him, and he has ordered since he was at risk.
        """
        lost, risk = self._ids_of("lost"), self._ids_of("risk")
        return SQL(
            """CASE WHEN move.to_stage_id = ANY(%(lost)s)
                     AND (move.from_stage_id = ANY(%(lost)s)) IS NOT TRUE THEN 'lost'
                    WHEN move.to_stage_id = ANY(%(risk)s)
                     AND (move.from_stage_id = ANY(%(risk)s)) IS NOT TRUE THEN 'risk'
                    WHEN move.to_stage_id = ANY(%(good)s)
                     AND move.from_stage_id = ANY(%(bad)s)
                     AND move.cause <> 'person'
                     AND profile.last_order_date >= move.date - move.days_before
                    THEN 'won_back' END""",
            lost=lost,
            risk=risk,
            good=self._ids_of("good"),
            bad=[*lost, *risk],
        )

    @api.model
    def _news_sql(self, span):
        return SQL(
            "move.kind = 'stage' AND move.date BETWEEN %s AND %s AND move.cause NOT IN %s",
            *span,
            NOT_NEWS,
        )

    @api.model
    def _movers_sql(self, kind, span):
        """SELECT profile_id of those who moved that way in a period."""
        return SQL(
            """SELECT move.profile_id FROM lifecycle_transition move
                 JOIN lifecycle_profile profile ON profile.id = move.profile_id
                WHERE %s AND (%s) = %s""",
            self._news_sql(span),
            self._kind_sql(),
            kind,
        )

    # ----- NUMBERS -----

    @api.model
    def _moved(self, population, spans):
        """Customers who moved, each once in a period.

        :return: dict by kind of dicts by name of the span
        """
        counts = {kind: dict.fromkeys(spans, 0) for kind in ("risk", "lost", "won_back")}
        bad = self._ids_of("risk", "lost")
        rows = self.env.execute_query(
            SQL(
                """SELECT kind, %(counts)s
                     FROM (SELECT kind, %(marks)s
                             FROM (SELECT move.profile_id, move.date, %(kind)s AS kind
                                     FROM lifecycle_transition move
                                     JOIN (%(population)s) profile
                                       ON profile.id = move.profile_id
                                    WHERE %(news)s) moved
                            WHERE kind IS NOT NULL
                            GROUP BY kind, profile_id) customer
                    GROUP BY kind""",
                counts=SQL(", ").join(
                    SQL("COUNT(*) FILTER (WHERE %s)", SQL.identifier(name)) for name in spans
                ),
                marks=SQL(", ").join(
                    SQL("BOOL_OR(date BETWEEN %s AND %s) AS %s", *span, SQL.identifier(name))
                    for name, span in spans.items()
                ),
                kind=self._kind_sql(),
                # before anything is looked up: rows go by the million
                news=SQL(
                    "move.kind = 'stage' AND (%s) AND move.cause NOT IN %s "
                    "AND (move.to_stage_id = ANY(%s) OR move.from_stage_id = ANY(%s))",
                    SQL(" OR ").join(
                        SQL("move.date BETWEEN %s AND %s", *span)
                        for span in dict.fromkeys(spans.values())
                    ),
                    NOT_NEWS,
                    bad,
                    bad,
                ),
                population=self._whose_sql(population),
            )
        )
        for kind, *numbers in rows:
            counts[kind] = dict(zip(spans, numbers, strict=True))
        return counts

    @api.model
    def _whose_sql(self, population):
        """SELECT of the population with what :meth:`_kind_sql` asks of ``profile``."""
        return population.select(
            *(SQL.identifier(population.table, name) for name in ("id", "last_order_date"))
        )

    @api.model
    def _count_moves(self, span):
        """Numbers of the reader's customers who were new and who moved between two days."""
        population = self.env["lifecycle.profile"]._search(self._domain([]))
        self.env["lifecycle.profile"].flush_model()
        self.env["lifecycle.transition"].flush_model()
        spans = {"now": span}
        moved = self._moved(population, spans)
        _total, _customers, new = self._counts(population, spans)
        return {kind: found["now"] for kind, found in {**moved, "new": new}.items()}

    @api.model
    @api.readonly
    def get_history(self, domain, period):
        """Movements by month and the stock of stages at each month's end.

        The stock of the past is today's, less who has come since and plus who has left: all moves
        count there, also those that are no news.

        :param domain, period: as for ``get_overview``
        :return: dict of ``months`` (first days as text), ``movements`` (dict of lists ``new``,
            ``won_back``, ``risk``, ``lost``), ``stages`` (list of dicts), ``stock`` (dict stage id
            as text → list) and ``risk`` (dict of ``before`` and ``year``: customers at risk on the
            day before the period, and a year ago)
        :raise UserError: the period is none
        """
        spans = self._spans(period)
        domain = self._domain(domain)
        profiles = self.env["lifecycle.profile"]
        population = profiles._search(domain)
        profiles.flush_model()
        self.env["lifecycle.transition"].flush_model()
        plan_for_all(self.env.cr)
        by_stage = {
            stage.id: count
            for stage, count in profiles._read_group(domain, ["stage_id"], ["__count"])
        }
        today = spans["now"].end
        first = today.replace(day=1) - relativedelta(months=MONTHS - 1)
        months = [first + relativedelta(months=number) for number in range(MONTHS)]
        moments = {
            "before": spans["now"].start - timedelta(days=1),
            "year": today - relativedelta(years=1),
        }
        rows = self.env.execute_query(
            SQL(
                """SELECT month, from_id, to_id, CASE WHEN news THEN kind END,
                          COUNT(*), COUNT(*) FILTER (WHERE date > %(before)s),
                          COUNT(*) FILTER (WHERE date > %(year)s)
                     FROM (SELECT date_trunc('month', move.date::timestamp)::date AS month,
                                  move.date, move.from_stage_id AS from_id,
                                  move.to_stage_id AS to_id, %(kind)s AS kind,
                                  move.cause NOT IN %(not_news)s AS news
                             FROM lifecycle_transition move
                             JOIN (%(population)s) profile ON profile.id = move.profile_id
                            WHERE move.kind = 'stage' AND move.date >= %(first)s) moved
                    GROUP BY 1, 2, 3, 4""",
                kind=self._kind_sql(),
                not_news=NOT_NEWS,
                first=min(first, *moments.values()),
                population=self._whose_sql(population),
                **moments,
            )
        )
        movements = {kind: [0] * MONTHS for kind in ("new", "won_back", "risk", "lost")}
        # what each stage has gained since, by month and since the moments
        gained = {}
        since = {name: {} for name in moments}
        for month, from_id, to_id, kind, count, *after in rows:
            if kind and month in months:
                movements[kind][months.index(month)] += count
            for stage_id, sign in ((to_id, 1), (from_id, -1)):
                if not stage_id:
                    continue
                by_month = gained.setdefault(stage_id, {})
                by_month[month] = by_month.get(month, 0) + sign * count
                for name, number in zip(moments, after, strict=True):
                    since[name][stage_id] = since[name].get(stage_id, 0) + sign * number
        for month, count in self._new_by_month(population, first, today):
            movements["new"][months.index(month)] = count
        stages = self._stages()
        now = {stage.id: by_stage.get(stage.id, 0) for stage in stages}
        shown = [
            stage
            for stage, kind in stages.items()
            if kind != "prospect" and (stage.active or now[stage.id] or gained.get(stage.id))
        ]
        return {
            "months": [fields.Date.to_string(month) for month in months],
            "movements": movements,
            "stages": [self._stage_values(stage, stages[stage], now[stage.id]) for stage in shown],
            "stock": {
                str(stage.id): self._stock(months, now[stage.id], gained.get(stage.id, {}))
                for stage in shown
            },
            "risk": {
                name: sum(
                    max(0, now[stage.id] - since[name].get(stage.id, 0))
                    for stage, kind in stages.items()
                    if kind == "risk"
                )
                for name in moments
            },
        }

    @api.model
    def _stage_values(self, stage, kind, count):
        return {
            "id": stage.id,
            "name": stage.name,
            "color": stage.color,
            "tone": stage.tone,
            "kind": kind,
            "after_order": stage.after_order,
            "now": count,
        }

    @api.model
    def _stock(self, months, now, gained):
        """Customers at each month's end; today's number at the end."""
        stock, later = [], 0
        for month in reversed(months):
            stock.append(max(0, now - later))
            later += gained.get(month, 0)
        return stock[::-1]

    @api.model
    def _new_by_month(self, population, first, today):
        """Rows (month, customers who ordered for the first time)."""
        day = SQL.identifier(population.table, "first_order_date")
        return self.env.execute_query(
            SQL(
                """SELECT date_trunc('month', day::timestamp)::date, COUNT(*)
                     FROM (%s) firsts WHERE day BETWEEN %s AND %s GROUP BY 1""",
                population.select(SQL("%s AS day", day)),
                first,
                today,
            )
        )
