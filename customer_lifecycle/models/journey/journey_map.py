"""The journey map: stages with members, moves, usual stays and earnings of a period.

In: a filter on customers and a period; stays, ways and purchases of very many are read from a
sample. Out: figures by stage, and the customers behind each number. Called by the journey map
view, and by the filter that lists the customers of a number.
"""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, split_every

from ...tools.sampling import in_sample, sample_rate

#: moves that put customers into a stage without anything having happened to them
NOT_NEWS = ("initial", "edit")
#: customers whose ways, stays and purchases are looked at; more change no visible figure
SAMPLE = 20_000
#: stages that fit into the bits of one number
BITS = 60


class LifecycleJourneyMap(models.AbstractModel):
    """Where all customers stand, where they went, and what they brought, for one period.

    Everything is read under the reader's own rights, for the current company.
    """

    _name = "lifecycle.journey.map"
    _description = "Journey Map"

    # ----- STAGES -----

    @api.model
    @api.readonly
    def get_map(self, domain, period):
        """The stages with their members and moves.

        A customer counts once in each stage, with his first entry of the period.

        :param domain: domain over ``lifecycle.profile``
        :param period: dict ``days``: the last so many days, today included; or ``start`` and
            ``end``: first and last day as text
        :return: dict of ``stages``, in their order: dicts ``id`` (False for customers without a
            stage yet), ``name``, ``color``, ``tone``, ``description``, ``is_lost``, ``now``,
            ``entered``, ``left``, ``expected`` (False where nothing is predicted),
            ``median_days`` (False where more than half of all stays still go on) and ``next``
            (list of dicts ``id`` (0: still there, -1: in no stage any more) and ``count`` among
            the customers looked at); and
            ``total``, ``company``, ``company_id``, ``currency_id``, ``start``, ``end``,
            ``not_news`` (moves left out), ``expected_label``, ``value_is`` and ``sampled``
            (how many customers the median and what came next were taken from, False: all)
        :raise UserError: the period is none
        """
        company, start, end = self._frame(period)
        domain = self._domain(domain)
        profiles = self.env["lifecycle.profile"]
        now = {
            stage.id: figures
            for stage, *figures in profiles._read_group(
                domain, ["stage_id"], ["__count", "clv_predicted:sum"]
            )
        }
        total = sum(figures[0] for figures in now.values())
        entered, left, not_news = self._moves(profiles._search(domain), start, end)
        rate = sample_rate(total, SAMPLE)
        went = self._went(domain, start, end, rate)
        medians = self._medians(company, domain, end, rate)
        stages = self.env["lifecycle.stage"]._in_force(order="sequence, id")
        # what was archived still has members or a past
        stages |= stages.browse((now.keys() | entered.keys() | left.keys()) - {False})
        columns = []
        for stage in stages.sorted(lambda stage: (stage.sequence, stage.id)):
            count, expected = now.get(stage.id, (0, None))
            columns.append(
                {
                    "id": stage.id,
                    "name": stage.name,
                    "color": stage.color,
                    "tone": stage.tone,
                    "description": stage.description or False,
                    "is_lost": stage.is_lost,
                    "now": count,
                    "entered": entered.get(stage.id, 0),
                    "left": left.get(stage.id, 0),
                    "expected": expected or False,
                    "median_days": medians.get(stage.id, False),
                    "next": went.get(stage.id, []),
                }
            )
        if now.get(False):
            columns.append(self._no_stage(*now[False]))
        return {
            "stages": columns,
            "total": total,
            "company": company.name,
            "company_id": company.id,
            "currency_id": company.currency_id.id,
            "start": fields.Date.to_string(start),
            "end": fields.Date.to_string(end),
            "not_news": not_news,
            "expected_label": profiles._expected_label(company),
            "value_is": company.lifecycle_value,
            "sampled": total // rate if rate > 1 else False,
        }

    @api.model
    def _no_stage(self, count, expected):
        """The column of those whom the next computation puts into a stage."""
        return {
            "id": False,
            "name": self.env._("No stage yet"),
            "color": 0,
            "tone": "muted",
            "description": False,
            "is_lost": False,
            "now": count,
            "entered": 0,
            "left": 0,
            "expected": expected or False,
            "median_days": False,
            "next": [],
        }

    @api.model
    def _frame(self, period):
        """(company, first day, last day) of the map."""
        # sudo: the settings of a company that the reader works in are no secret
        company = self.env.company.sudo()
        if period.get("days"):
            end = company._lifecycle_today()
            start = end - timedelta(days=int(period["days"]) - 1)
        else:
            start, end = (fields.Date.to_date(period.get(name)) for name in ("start", "end"))
        if not start or not end or start > end:
            raise UserError(
                self.env._("Choose a period whose first day is not after its last day.")
            )
        return company, start, end

    @api.model
    def _domain(self, domain):
        """The filter, for the current company: amounts of others are in other money."""
        return Domain(domain) & Domain("company_id", "=", self.env.company.id)

    @api.model
    def _chosen(self, domain, rate, *names):
        """SELECT of the customers looked at.

        :param rate: of how many customers one is looked at; :param names: columns to select
        """
        query = self.env["lifecycle.profile"]._search(domain)
        query.add_where(in_sample(SQL.identifier(query.table, "partner_id"), rate))
        return query.select(*(SQL.identifier(query.table, name) for name in names))

    # ----- MOVES -----

    @api.model
    def _news_sql(self, start, end):
        """Condition on ``move``: in the period, something happened that changed a stage."""
        return SQL(
            "move.kind = 'stage' AND move.date BETWEEN %s AND %s AND move.cause NOT IN %s",
            start,
            end,
            NOT_NEWS,
        )

    @api.model
    def _moves(self, population, start, end):
        """Number of customers who entered and who left each stage in the period.

        What one customer entered and left is gathered as the bits of two numbers, so that one
        pass does for all stages.

        :return: dict stage id → entered; dict stage id → left; number of moves that do not count
        """
        stages = self.env["lifecycle.stage"].sudo().with_context(active_test=False)
        ids = stages.search([], order="id").ids  # pylint: disable=no-search-all
        entered, left, not_news = {}, {}, 0
        for chunk in split_every(BITS, ids, list):
            rows = self.env.execute_query(
                SQL(
                    """SELECT came, went, COUNT(*), SUM(others) FROM (
                           SELECT BIT_OR(1::bigint << ARRAY_POSITION(%(ids)s, to_stage_id))
                                      FILTER (WHERE %(news)s) AS came,
                                  BIT_OR(1::bigint << ARRAY_POSITION(%(ids)s, from_stage_id))
                                      FILTER (WHERE %(news)s) AS went,
                                  COUNT(*) FILTER (WHERE NOT (%(news)s)) AS others
                             FROM lifecycle_transition move
                            WHERE kind = 'stage' AND date BETWEEN %(start)s AND %(end)s
                              AND profile_id IN %(population)s
                            GROUP BY profile_id) customer
                        GROUP BY came, went""",
                    ids=chunk,
                    # kind and date are decided below, once: rows go by the million
                    news=SQL("cause NOT IN %s", NOT_NEWS),
                    start=start,
                    end=end,
                    population=population.subselect(),
                )
            )
            for bit, stage_id in enumerate(chunk, 1):
                for counts, column in ((entered, 0), (left, 1)):
                    number = sum(row[2] for row in rows if (row[column] or 0) >> bit & 1)
                    if number:
                        counts[stage_id] = number
            not_news = int(sum(row[3] for row in rows))
        return entered, left, not_news

    @api.model
    def _outcomes_sql(self, start, end, wanted):
        """SELECT of (profile_id, stage_id, next_id) of first entries and where they led to.

        ``next_id`` is 0 while they are still there and -1 when they are in no stage any more.

        :param wanted: condition on ``move``
        """
        return SQL(
            """SELECT entry.profile_id, entry.stage_id,
                      CASE WHEN later.id IS NULL THEN 0
                           ELSE COALESCE(later.to_stage_id, -1) END AS next_id
                 FROM (SELECT move.profile_id, move.to_stage_id AS stage_id,
                              MIN(move.number) AS number
                         FROM lifecycle_transition move
                        WHERE %s AND move.to_stage_id IS NOT NULL AND %s
                        GROUP BY move.profile_id, move.to_stage_id) entry
                 LEFT JOIN lifecycle_transition later
                   ON later.profile_id = entry.profile_id AND later.kind = 'stage'
                  AND COALESCE(later.segment_id, 0) = 0 AND later.number = entry.number + 1""",
            self._news_sql(start, end),
            wanted,
        )

    @api.model
    def _went(self, domain, start, end, rate):
        """Where the customers looked at went who entered a stage in the period.

        :return: dict stage id → list of dicts ``id`` and ``count``, the most frequent first
        """
        chosen = SQL("move.profile_id IN (%s)", self._chosen(domain, rate, "id"))
        rows = self.env.execute_query(
            SQL(
                """SELECT stage_id, next_id, COUNT(*) FROM (%s) outcome
                    GROUP BY 1, 2 ORDER BY 3 DESC, 2""",
                self._outcomes_sql(start, end, chosen),
            )
        )
        went = {}
        for stage_id, next_id, count in rows:
            went.setdefault(stage_id, []).append({"id": next_id, "count": count})
        return went

    # ----- STAYS -----

    @api.model
    def _medians(self, company, domain, end, rate):
        """Days after which half have left a stage, by all stays known at the period's end."""
        rows = self.env.execute_query(
            SQL(
                """WITH chosen AS MATERIALIZED (%(chosen)s)
                   SELECT stage_id, days, ended, COUNT(*)
                     FROM (SELECT past.from_stage_id AS stage_id,
                                  LEAST(past.date, %(end)s)
                                      - (past.date - past.days_before) AS days,
                                  past.date <= %(end)s AS ended
                             FROM lifecycle_transition past
                             JOIN chosen ON chosen.id = past.profile_id
                            WHERE past.kind = 'stage' AND past.from_stage_id IS NOT NULL
                              AND past.date - past.days_before <= %(end)s
                            UNION ALL
                           SELECT stage_id, %(until)s - stage_date, FALSE FROM chosen
                            WHERE stage_id IS NOT NULL AND stage_date <= %(end)s) stays
                    WHERE days >= 0
                    GROUP BY stage_id, days, ended""",
                chosen=self._chosen(domain, rate, "id", "stage_id", "stage_date"),
                end=end,
                until=min(end, company._lifecycle_today()),
            )
        )
        statistics = self.env["lifecycle.stage.statistic"]._quantiles(rows)
        return {
            stage_id: round(figures["median_days"])
            for stage_id, figures in statistics.items()
            if figures["median_days"]
        }

    # ----- VALUE -----

    @api.model
    @api.readonly
    def get_earned(self, domain, period):
        """What the customers now in each stage brought in the period.

        The last 365 days are stored. Of other periods it is summed from the documents, for very
        many customers from a sample of them, in proportion to all that they ever brought.

        :param domain: domain over ``lifecycle.profile``; :param period: as for ``get_map``
        :return: dict ``earned``: list of [stage id, amount in company currency]; ``sampled``:
            number of customers looked at, False for all
        :raise UserError: the period is none
        """
        company, start, end = self._frame(period)
        domain = self._domain(domain)
        profiles = self.env["lifecycle.profile"]
        today = company._lifecycle_today()
        if (start, end) == (today - timedelta(days=364), today):
            rows = profiles._read_group(domain, ["stage_id"], ["value_year:sum"])
            earned = [[stage.id, value or 0] for stage, value in rows]
            return {"earned": earned, "sampled": False}
        buyers = domain
        if profiles.search_count(domain, limit=SAMPLE + 1) > SAMPLE:
            buyers &= Domain("first_order_date", "<=", end) & Domain("last_order_date", ">=", start)
        totals = {
            stage.id: (count, value)
            for stage, count, value in profiles._read_group(
                buyers, ["stage_id"], ["__count", "clv_historical:sum"]
            )
        }
        rate = sample_rate(sum(count for count, _value in totals.values()), SAMPLE)
        chosen = self._chosen(buyers, rate, "partner_id", "stage_id", "clv_historical")
        sums = {
            stage_id or False: (count, float(ever or 0), float(earned or 0))
            for stage_id, count, ever, earned in self._sums(company, chosen, start, end)
        }
        earned = [
            [stage_id, self._projected(totals[stage_id], *sums[stage_id], rate)]
            for stage_id, (_count, _ever, brought) in sums.items()
            if stage_id in totals and brought
        ]
        sampled = sum(count for count, _ever, _earned in sums.values())
        return {"earned": earned, "sampled": sampled if rate > 1 else False}

    @api.model
    def _sums(self, company, chosen, start, end):
        """Rows (stage id, customers, value ever, value in the period) of the customers chosen."""
        partner_ids = [row[0] for row in self.env.execute_query(chosen)]
        # sudo: purchases of customers whose figures the reader may see, as the profile sums them
        rows = self.env["lifecycle.purchase.fact"].sudo()._rows_sql(company, partner_ids)
        return self.env.execute_query(
            SQL(
                """SELECT chosen.stage_id, COUNT(*), SUM(chosen.clv_historical),
                          SUM(bought.value)
                     FROM (%(chosen)s) chosen
                     LEFT JOIN (SELECT partner_id, SUM(value) AS value FROM (%(rows)s) purchases
                                 WHERE day BETWEEN %(start)s AND %(end)s
                                 GROUP BY partner_id) bought
                       ON bought.partner_id = chosen.partner_id
                    GROUP BY chosen.stage_id""",
                chosen=chosen,
                rows=rows,
                start=start,
                end=end,
            )
        )

    @api.model
    def _projected(self, total, count, ever, earned, rate):
        """What all customers of a stage brought, from those looked at."""
        if rate == 1:
            return earned
        known, value = total
        if ever > 0:
            return earned * float(value) / ever
        return earned * known / count

    # ----- CUSTOMERS BEHIND A NUMBER -----

    @api.model
    def _cell_sql(self, key):
        """SELECT profile_id of the customers behind a number of the map.

        :param key: "entered:STAGE:START:END", "left:STAGE:START:END" or
            "next:STAGE:START:END:NEXT"
        :raise ValueError: the key names no number
        """
        kind, stage_id, *parts = str(key).split(":")
        _company, start, end = self._frame(dict(zip(("start", "end"), parts, strict=False)))
        stage_id = int(stage_id)
        if kind in ("entered", "left") and len(parts) == 2:
            return SQL(
                "SELECT move.profile_id FROM lifecycle_transition move WHERE %s AND %s = %s",
                self._news_sql(start, end),
                SQL.identifier("move", "to_stage_id" if kind == "entered" else "from_stage_id"),
                stage_id,
            )
        if kind == "next" and len(parts) == 3:
            return SQL(
                "SELECT profile_id FROM (%s) outcome WHERE next_id = %s",
                self._outcomes_sql(start, end, SQL("move.to_stage_id = %s", stage_id)),
                int(parts[2]),
            )
        raise ValueError(f"“{key}” is no number of the journey map.")
