"""The flows of the journey map: who changed stage over a period, and what is at stake.

In: transitions of the period, expected value and purchases of the year before. Out: pairs of
stages with customers and money, the most money first, and the customers behind a flow. Called by
the journey map view.
"""

from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

from ...tools.planner import plan_for_all
from ...tools.sampling import in_sample, sample_rate
from . import journey_map

#: days before the period whose purchases tell what the moved customers were worth
DAYS_BEFORE = 365


class LifecycleJourneyMap(models.AbstractModel):
    """From stage to stage between two days, in money."""

    # a file for each subject of this model
    _inherit = "lifecycle.journey.map"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    @api.readonly
    def get_migration(self, domain, period):
        """Who is in another stage after the period than before it, and what that is about.

        A customer moves from the stage before his first move of the period to the one after his
        last; who came back to where he was has not moved. Moves by the first computation or a
        changed rule do not count.

        :param domain: domain over ``lifecycle.profile``; :param period: as for ``get_map``
        :return: dict of ``moves``, the most money first: dicts ``from_id`` and ``to_id`` (0: in
            no stage), ``count`` (customers), ``before`` (value of their purchases in the 365 days
            before the period; False where none was looked at) and ``expected`` (what they are
            expected to bring; False where nothing is predicted); and ``sampled`` (customers whose
            purchases were looked at, False: all)
        :raise UserError: the period is none
        """
        company, start, end = self._frame(period)
        domain = self._domain(domain)
        population = self.env["lifecycle.profile"]._search(domain)
        movers = self._movers_sql(start, end, population.subselect())
        moves = self.env.execute_query(
            SQL(
                """SELECT mover.from_id, mover.to_id, COUNT(*), SUM(profile.clv_predicted)
                     FROM (%s) mover
                     JOIN lifecycle_profile profile ON profile.id = mover.profile_id
                    GROUP BY mover.from_id, mover.to_id""",
                movers,
            )
        )
        total = sum(count for _from, _to, count, _expected in moves)
        rate = sample_rate(total, journey_map.SAMPLE)
        sums = self._sums_before(company, movers, start, rate) if moves else {}
        found = []
        for from_id, to_id, count, expected in moves:
            looked_at, value = sums.get((from_id, to_id), (0, 0))
            found.append(
                {
                    "from_id": from_id,
                    "to_id": to_id,
                    "count": count,
                    "before": float(value) * count / looked_at if looked_at else False,
                    "expected": False if expected is None else float(expected),
                }
            )
        found.sort(key=lambda move: (-(move["before"] or 0), -move["count"], move["from_id"]))
        return {
            "moves": found,
            "sampled": sum(row[0] for row in sums.values()) if rate > 1 else False,
        }

    @api.model
    def _movers_sql(self, start, end, population):
        """SELECT of (profile_id, from_id, to_id) of those whom the period left elsewhere."""
        return SQL(
            """SELECT profile_id, from_id, to_id
                 FROM (SELECT move.profile_id,
                              COALESCE((ARRAY_AGG(move.from_stage_id ORDER BY move.number))[1], 0)
                                  AS from_id,
                              COALESCE((ARRAY_AGG(move.to_stage_id
                                                  ORDER BY move.number DESC))[1], 0) AS to_id
                         FROM lifecycle_transition move
                        WHERE %s AND move.profile_id IN %s
                        GROUP BY move.profile_id) moved
                WHERE from_id <> to_id""",
            self._news_sql(start, end),
            population,
        )

    @api.model
    def _sums_before(self, company, movers, start, rate):
        """(customers looked at, value in the year before) by the stages they moved between."""
        chosen = self.env.execute_query(
            SQL(
                """SELECT profile.partner_id, mover.from_id, mover.to_id
                     FROM (%s) mover
                     JOIN lifecycle_profile profile ON profile.id = mover.profile_id
                    WHERE %s""",
                movers,
                in_sample(SQL("profile.partner_id"), rate),
            )
        )
        plan_for_all(self.env.cr, few=True)
        # sudo: purchases of customers whose figures the reader may see, as the profile sums them
        rows = self.env["lifecycle.purchase.fact"].sudo()._rows_sql(
            company, [partner_id for partner_id, *_stages in chosen]
        )
        # by customer, and put together here: the planner would join them one by one
        bought = dict(
            self.env.execute_query(
                SQL(
                    """SELECT partner_id, SUM(value) FROM (%s) purchases
                        WHERE day >= %s::date - %s AND day < %s GROUP BY partner_id""",
                    rows,
                    start,
                    DAYS_BEFORE,
                    start,
                )
            )
        )
        sums = defaultdict(lambda: (0, 0))
        for partner_id, *stages in chosen:
            count, value = sums[tuple(stages)]
            sums[tuple(stages)] = (count + 1, value + bought.get(partner_id, 0))
        return sums

    @api.model
    def _cell_sql(self, key):
        """Also "moved:FROM:START:END:TO", with 0 for no stage."""
        kind, *parts = str(key).split(":")
        if kind != "moved" or len(parts) != 4:
            return super()._cell_sql(key)
        from_id, start, end, to_id = parts
        _company, start, end = self._frame({"start": start, "end": end})
        return SQL(
            "SELECT profile_id FROM (%s) mover WHERE from_id = %s AND to_id = %s",
            self._movers_sql(start, end, SQL("(SELECT id FROM lifecycle_profile)")),
            int(from_id),
            int(to_id),
        )
