"""Computes a comparison: finds similar customers and measures what changed for members.

In: customers that the reader may see, their event days and their purchases, of very many a
sample's. Out: the figures with their intervals, what they prove, and the customers behind them.
Called by the comparison when it is computed; the statistics are the kernel's.
"""

from datetime import date

import numpy as np

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...kernel import comparison as kernel
from ...kernel.matching import NEVER, UNKNOWN, Purchases, match
from ...kernel.uplift import ENOUGH
from ...tools.copy import copy_out

EPOCH = date(1970, 1, 1)
#: members, and customers to compare with, that are looked at; of more a sample is drawn
MOST_MEMBERS, MOST_POOL = 50_000, 100_000
#: with more customers all purchases are read at once
FEW = 2_000
#: the same weekdays a year earlier
YEAR = 364
#: days of a point of the chart: months, or weeks where the window is short
MONTH, WEEK, LEAST_MONTHS = 30, 7, 2
SEED = 19


class LifecycleComparison(models.Model):
    """From the documents to the figures: one pass over the purchases, then arrays."""

    # a file for each subject of this large model
    _inherit = "lifecycle.comparison"  # pylint: disable=consider-merging-classes-inherited

    def _measure(self, reader):
        """Compute the result without storing anything.

        :param reader: the same record with the rights of whoever asked
        :return: (dict as stored in ``result``, list of arrays of customers, see ``_store``)
        """
        self.ensure_one()
        self.env.flush_all()
        people = self._people(reader)
        if self.event == "date":
            return self._measure_date(people)
        return self._measure_members(people)

    def _people(self, reader):
        """Data frame of all customers asked for: profile, partner, event day.

        The day counts from 1970 on; NEVER for who has not joined, UNKNOWN where it is.
        """
        domain = self._domain() & Domain("company_id", "=", self.company_id.id)
        profiles = reader.env["lifecycle.profile"]._search(domain)
        events = SQL("SELECT 0 AS partner_id, NULL::date AS day WHERE FALSE")
        if self.event != "date":
            events = self._events_sql()
        return copy_out(
            self.env.cr,
            SQL(
                """SELECT profile.id AS profile_id, profile.partner_id,
                          CASE WHEN event.partner_id IS NULL THEN %(never)s
                               ELSE COALESCE(event.day - DATE '1970-01-01', %(unknown)s) END
                              AS day
                     FROM lifecycle_profile profile
                     LEFT JOIN (%(events)s) event ON event.partner_id = profile.partner_id
                    WHERE profile.id IN %(profiles)s
                    ORDER BY profile.partner_id""",
                never=NEVER,
                unknown=UNKNOWN,
                events=events,
                profiles=profiles.subselect(),
            ),
            {"profile_id": "int64", "partner_id": "int64", "day": "int64"},
        )

    def _purchases(self, partner_ids):
        """What some customers have bought, by their places in ``partner_ids``."""
        company = self.company_id.sudo()
        few = len(partner_ids) <= FEW
        # where millions of orders are summed up memory is better than temporary files
        self.env.cr.execute("SET LOCAL jit = off")
        if not few:
            self.env.cr.execute("SET LOCAL work_mem = '256MB'")
        facts = self.env["lifecycle.purchase.fact"].sudo()
        frame = copy_out(
            self.env.cr,
            SQL(
                """SELECT partner_id, day - DATE '1970-01-01' AS day,
                          COALESCE(SUM(amount), 0) AS amount
                     FROM (%(rows)s) purchases
                    WHERE day <= %(today)s AND partner_id = ANY(%(chosen)s)
                    GROUP BY partner_id, day""",
                rows=facts._rows_sql(
                    company, partner_ids.tolist() if few else None, complete=True
                ),
                today=company._lifecycle_today(),
                chosen=partner_ids.tolist(),
            ),
            {"partner_id": "int64", "day": "int64", "amount": "float64"},
        )
        return Purchases(
            np.searchsorted(partner_ids, frame["partner_id"].to_numpy()),
            frame["day"].to_numpy(),
            frame["amount"].to_numpy(),
        )

    @api.model
    def _sample(self, rows, most):
        """Some of the rows, the same ones every time; all where there are not more."""
        if len(rows) <= most:
            return rows
        return np.sort(np.random.default_rng(SEED).choice(rows, most, replace=False))

    def _asked_for(self, day):
        """Which event days are in the period that the manager chose."""
        low = (self.date_from - EPOCH).days if self.date_from else 0
        high = (self.date_to - EPOCH).days if self.date_to else NEVER - 1
        return (day >= low) & (day <= high)

    # ----- MEMBERS AGAINST OTHERS -----

    def _measure_members(self, people):
        window, today = self.window_days, (self.company_id._lifecycle_today() - EPOCH).days
        day = people["day"].to_numpy()
        asked = (day != UNKNOWN) & (day < NEVER) & self._asked_for(day)
        over = asked & (day + window < today)
        members = self._sample(np.flatnonzero(over), MOST_MEMBERS)
        pool = self._sample(np.flatnonzero(day != UNKNOWN), MOST_POOL)
        late = np.flatnonzero(asked & ~over)[:MOST_MEMBERS]
        waiting = {
            "role": "waiting",
            "profile_id": people["profile_id"].to_numpy()[late],
            "day": day[late],
        }
        # the customers looked at are numbered anew
        chosen = np.union1d(members, pool)
        people, event = people.iloc[chosen], day[chosen]
        purchases = self._purchases(people["partner_id"].to_numpy())
        members, pool = np.searchsorted(chosen, members), np.searchsorted(chosen, pool)
        found = match(purchases, event, window, members, pool)
        figures = kernel.effects(purchases, found, window)
        result = {
            **self._head(),
            "joined": int(asked.sum()),
            "waiting": int((asked & ~over).sum()),
            "unknown": int((day == UNKNOWN).sum()),
            "looked_at": len(members),
            "over": int(over.sum()),
            "members": len(found.member),
            "compared": len(np.unique(found.control)),
            "new": len(found.new),
            "alone": len(found.alone),
            "exposure": kernel.exposure(found) if len(found.member) else 0.0,
            "figures": {name: list(figure) for name, figure in figures.items()},
            # what is known where there is nobody to compare with
            "own": kernel.describe(purchases, members, event[members], window),
            "periods": self._periods(
                purchases,
                (found.member, found.member_day, None),
                (found.control, found.control_day, found.weight),
            ),
        }
        left_out = np.r_[found.new, found.alone]
        rows = [
            self._rows("member", people, purchases, found.member, found.member_day),
            self._rows("left_out", people, purchases, left_out, event[left_out]),
            self._rows("compared", people, purchases, found.control, found.control_day),
        ]
        return result, [*rows, waiting]

    def _periods(self, purchases, members, compared):
        """Revenue of a customer by month from the event; groups are (customers, days, weights)."""
        length = MONTH if self.window_days >= LEAST_MONTHS * MONTH else WEEK
        found = {"length": length}
        for name, (who, day, weight) in (("members", members), ("compared", compared)):
            found["numbers"], found[name] = kernel.by_period(
                purchases, who, day, self.window_days, length, weight
            )
        return found

    def _head(self):
        return {
            "asked": self._asked(),
            "days": self.window_days,
            "as_of": str(self.company_id._lifecycle_today()),
        }

    def _rows(self, role, people, purchases, who, day):
        """Columns of the customers to list, each once, with his last day."""
        last = np.r_[who[1:] != who[:-1], True] if len(who) else np.empty(0, bool)
        who, day, window = who[last], day[last], self.window_days
        return {
            "role": role,
            "profile_id": people["profile_id"].to_numpy()[who],
            "day": day,
            "orders_before": purchases.orders(who, day - window, day),
            "orders_after": purchases.orders(who, day, day + window),
            "revenue_before": purchases.revenue(who, day - window, day),
            "revenue_after": purchases.revenue(who, day, day + window),
        }

    # ----- A DATE FOR EVERYBODY -----

    def _measure_date(self, people):
        """Before against after, and the same days of the year before."""
        window = self.window_days
        # the first day belongs to the time after
        day = (self.event_date - EPOCH).days - 1
        over = day + window < (self.company_id._lifecycle_today() - EPOCH).days
        chosen = self._sample(np.arange(len(people)), MOST_POOL)
        total, people = len(people), people.iloc[chosen]
        purchases = self._purchases(people["partner_id"].to_numpy())
        everybody = np.arange(len(people))
        sides = {}
        for name, end in (("now", day), ("earlier", day - YEAR)):
            # new customers of the time before would look like growth
            start = np.full(len(people), end - window)
            known = everybody[purchases.since_first(everybody, start) != NEVER]
            sides[name] = (known, np.full(len(known), end))
        who, when = sides["now"]
        result = {
            **self._head(),
            "joined": len(who),
            "waiting": 0 if over else len(who),
            "looked_at": len(people),
            "over": total,
            "members": len(who) if over else 0,
            "compared": len(sides["earlier"][0]),
            "figures": {
                name: [*pair, *before]
                for (name, pair), before in zip(
                    kernel.describe(purchases, *sides["now"], window).items(),
                    kernel.describe(purchases, *sides["earlier"], window).values(),
                    strict=True,
                )
            } if over else {},
            "periods": self._periods(
                purchases, (*sides["now"], None), (*sides["earlier"], None)
            ) if over else {},
        }
        return result, [self._rows("member", people, purchases, who, when)] if over else []

    # ----- STORING -----

    def _store(self, measured):
        """Replace the result and its customers."""
        result, groups = measured
        self.env["lifecycle.comparison.customer"]._replace(self, groups)
        self.write(
            {
                "result": result,
                "outcome": self._judge(result),
                "member_count": result["members"],
                "date_computed": fields.Datetime.now(),
                "state": "done",
                "error": False,
            }
        )

    @api.model
    def _judge(self, result):
        """The outcome that the figures prove."""
        if self.event == "date":
            return "open" if result["figures"] and result["members"] else "few"
        if min(result["members"], result["compared"]) < ENOUGH or not result["figures"]:
            return "few"
        revenue = kernel.Figure(*result["figures"]["revenue"])
        low, high = revenue.low, revenue.high
        if revenue.percent is not None:
            # what the sentence tells
            low, high = revenue.percent_low, revenue.percent_high
        return "more" if low > 0 else "less" if high < 0 else "none"
