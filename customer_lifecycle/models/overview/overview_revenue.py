"""What the customers of the overview bought: revenue, repeat revenue, and the bridge between.

In: a population, a period and those that it is compared with; the store of purchases. Out:
figures of the tiles, the parts of the difference, and the customers behind them. Called by the
overview, after what profiles tell, because passing over purchases takes longer.
"""

from datetime import timedelta

import numpy as np

from odoo import api, models
from odoo.tools import SQL

from ...kernel import bridge as kernel
from ...tools.copy import copy_out
from ...tools.planner import plan_for_all
from ...tools.sampling import in_sample, sample_rate
from ..journey.journey_map import SAMPLE

#: quantities are compared in parts of a unit
QUANTITY_PARTS = 1000
#: what is summed up of each customer and period, see ``_purchases_sql``
SUMS = ("orders", "sales", "returns", "repeat")


class LifecycleOverview(models.AbstractModel):
    # a file for each subject of this model
    _inherit = "lifecycle.overview"  # pylint: disable=consider-merging-classes-inherited

    # ----- PURCHASES BY CUSTOMER AND PERIOD -----

    @api.model
    def _purchases_sql(self, company, spans, population=None):
        """SELECT of what each customer bought in some periods, for whoever asks in this room.

        All sums of purchases of this room are made of it.

        :param company: res.company record
        :param spans: list of pairs of days, both included
        :param population: SQL of a SELECT of ids of profiles, what the reader may see; None for
            everybody
        :return: SQL with the columns ``profile_id``, ``first`` (day of the first order), and for
            each span, by its position: ``orders_0`` (days on which he bought), ``sales_0`` (before
            credit notes), ``returns_0`` (taken off it) and ``repeat_0`` (net, of days after the
            first order). Amounts are whole cents of the company's currency
        """
        # sudo: which records are purchases is no secret; whose are added up says the population
        rows = self.env["lifecycle.purchase.fact"].sudo()._rows_sql(company)
        cents = SQL("%s", 10**company.currency_id.decimal_places)
        columns = []
        for number, (start, end) in enumerate(spans):
            within = SQL("day BETWEEN %s AND %s", start, end)
            net = SQL("ROUND(SUM(amount) FILTER (WHERE %s) * %s)", within, cents)
            sales = SQL("ROUND(SUM(sales) FILTER (WHERE %s) * %s)", within, cents)
            later = SQL("%s AND day > profile.first_order_date", within)
            for name, expression in (
                ("orders", SQL("COUNT(*) FILTER (WHERE %s AND amount > 0)", within)),
                ("sales", SQL("COALESCE(%s, 0)::bigint", sales)),
                ("returns", SQL("COALESCE(%s - %s, 0)::bigint", sales, net)),
                ("repeat", SQL(
                    "COALESCE(ROUND(SUM(amount) FILTER (WHERE %s) * %s), 0)::bigint", later, cents
                )),
            ):
                columns.append(SQL("%s AS %s", expression, SQL.identifier(f"{name}_{number}")))
        return SQL(
            """SELECT profile.id AS profile_id, profile.first_order_date AS first, %(columns)s
                 FROM (SELECT partner_id, day, SUM(amount) AS amount,
                              SUM(GREATEST(gross, 0)) AS sales
                         FROM (%(rows)s) documents
                        WHERE %(days)s
                        GROUP BY partner_id, day) bought
                 JOIN lifecycle_profile profile
                   ON profile.partner_id = bought.partner_id AND profile.company_id = %(company)s
                WHERE %(wanted)s
                GROUP BY profile.id, profile.first_order_date""",
            columns=SQL(", ").join(columns),
            rows=rows,
            days=SQL(" OR ").join(SQL("day BETWEEN %s AND %s", *span) for span in spans),
            company=company.id,
            wanted=SQL("profile.id IN (%s)", population) if population else SQL("TRUE"),
        )

    @api.model
    def _everybody(self, domain):
        """The population of sums of revenue: archived customers have bought, too."""
        return self.env["lifecycle.profile"].with_context(active_test=False)._search(domain)

    # ----- FIGURES -----

    @api.model
    @api.readonly
    def get_revenue(self, domain, period):
        """What the customers bought in the period, and what has changed.

        :param domain, period: as for ``get_overview``
        :return: dict of ``revenue``, ``repeat`` (amounts by name of the period), ``active``
            (customers who ordered), ``lost_revenue`` (what those who were lost in the period
            bought in the 365 days up to their last order) and ``bridge``: dict by what is
            compared with ("before", "year") of dicts ``from``, ``to`` and ``parts``, a list of
            dicts ``name``, ``amount`` and ``count`` (customers)
        :raise UserError: the period is none
        """
        spans = self._spans(period)
        domain = self._domain(domain)
        population = self._everybody(domain)
        self.env["lifecycle.profile"].flush_model()
        company = self._company()
        plan_for_all(self.env.cr)
        whose = population.select(SQL.identifier(population.table, "id"))
        frame = self._ledger(company, list(spans.values()), whose)
        cents = 10**company.currency_id.decimal_places
        positions = {name: number for number, name in enumerate(spans)}
        figures = {
            "revenue": {
                name: int((frame[f"sales_{number}"] - frame[f"returns_{number}"]).sum()) / cents
                for name, number in positions.items()
            },
            "repeat": {
                name: int(frame[f"repeat_{number}"].sum()) / cents
                for name, number in positions.items()
            },
            "active": {
                name: int((frame[f"orders_{number}"] > 0).sum())
                for name, number in positions.items()
            },
        }
        return {
            **figures,
            "lost_revenue": self._lost_revenue(company, domain, spans["now"]),
            "bridge": {
                against: self._bridge(
                    company, frame, spans["now"], spans[against], positions[against], whose
                )
                for against in ("before", "year")
            },
        }

    @api.model
    def _ledger(self, company, spans, whose=None):
        """What each customer bought in some periods, as a data frame by profile."""
        query = self._purchases_sql(company, spans, whose)
        self.env.flush_query(query)
        kinds = {f"{name}_{number}": np.int64 for number in range(len(spans)) for name in SUMS}
        frame = copy_out(self.env.cr, query, {"profile_id": np.int64, "first": str, **kinds})
        return frame.sort_values("profile_id")

    @api.model
    def _bridge(self, company, frame, now, former, number, whose):
        """The parts of the difference between the former period and the present one."""
        found, known = self._effects(company, frame, now, former, number, whose)
        cents = 10**company.currency_id.decimal_places
        return {
            "from": int((frame[f"sales_{number}"] - frame[f"returns_{number}"]).sum()) / cents,
            "to": int((frame["sales_0"] - frame["returns_0"]).sum()) / cents,
            "knows_prices": known,
            "parts": [
                {
                    "name": name,
                    "amount": int(found[name].sum()) / cents,
                    "count": int(np.count_nonzero(self._behind(name, found))),
                }
                for name in kernel.EFFECTS
                # without products nobody knows what was in an order
                if name != "price" or known
            ],
        }

    @api.model
    def _effects(self, company, frame, now, former, number, whose=None):
        """(parts by customer as the kernel splits them, whether prices are known).

        :param frame: see :meth:`_ledger`; the present period is the first, the former one the one
            at position ``number``
        """
        before, after = (
            {name: frame[f"{name}_{position}"].to_numpy() for name in SUMS[:3]}
            for position in (number, 0)
        )
        # days as text are in the order of the days
        known = (frame["first"].fillna("9999") < former.text()[0]).to_numpy()
        prices = self._prices(company, frame, now, former, whose)
        return kernel.bridge(before, after, known, prices), prices is not None

    @api.model
    def _behind(self, name, found):
        """Whom a part of the bridge is about: an array of booleans."""
        kinds = {"new": kernel.NEW, "back": kernel.BACK, "lost": kernel.LOST}
        return found["kind"] == kinds[name] if name in kinds else found[name] != 0

    @api.model
    def _prices(self, company, frame, now, former, whose=None):
        """What dearer and cheaper goods account for; None where no products are kept."""
        if not self.env["lifecycle.purchase.store"]._of(company).has_items:
            return None
        cents = 10**company.currency_id.decimal_places
        columns = []
        for number, span in enumerate((former, now)):
            for name, part in (("quantity", QUANTITY_PARTS), ("amount", cents)):
                columns.append(
                    SQL(
                        "COALESCE(ROUND(SUM(%s) FILTER (WHERE item.day BETWEEN %s AND %s) * %s), "
                        "0)::bigint AS %s",
                        SQL.identifier("item", name),
                        *span,
                        part,
                        SQL.identifier(f"{name}_{number}"),
                    )
                )
        query = SQL(
            """SELECT * FROM (
                   SELECT profile.id AS profile_id, %(columns)s
                     FROM lifecycle_purchase_item item
                     JOIN lifecycle_profile profile
                       ON profile.partner_id = item.partner_id AND profile.company_id = %(company)s
                    WHERE item.company_id = %(company)s AND item.product_id IS NOT NULL
                      AND (item.day BETWEEN %(start)s AND %(end)s
                           OR item.day BETWEEN %(former_start)s AND %(former_end)s)
                      AND %(wanted)s
                    GROUP BY profile.id, item.product_id) goods
                WHERE quantity_0 > 0 AND quantity_1 > 0""",
            columns=SQL(", ").join(columns),
            company=company.id,
            start=now.start,
            end=now.end,
            former_start=former.start,
            former_end=former.end,
            wanted=SQL("profile.id IN (%s)", whose) if whose else SQL("TRUE"),
        )
        names = ("profile_id", "quantity_0", "amount_0", "quantity_1", "amount_1")
        goods = copy_out(self.env.cr, query, dict.fromkeys(names, np.int64))
        profiles = frame["profile_id"].to_numpy()
        place = np.searchsorted(profiles, goods["profile_id"])
        # whose purchases are not kept yet has no goods to compare
        there = np.isin(goods["profile_id"], profiles)
        goods, place = goods[there], place[there]
        former_goods, goods_now = (
            tuple(goods[f"{name}_{number}"].to_numpy() for name in ("quantity", "amount"))
            for number in (0, 1)
        )
        return kernel.prices_of_goods(len(profiles), place, former_goods, goods_now)

    @api.model
    def _lost_revenue(self, company, domain, span):
        """What those who were lost in the period bought in the year up to their last order."""
        query = self._everybody(domain)
        query.add_where(
            SQL("%s IN (%s)", SQL.identifier(query.table, "id"), self._movers_sql("lost", span))
        )
        column = SQL.identifier(query.table, "partner_id")
        partner_ids = [row[0] for row in self.env.execute_query(query.select(column))]
        if not partner_ids:
            return 0
        rate = sample_rate(len(partner_ids), SAMPLE)
        if rate > 1:
            query.add_where(in_sample(column, rate))
            every, partner_ids = len(partner_ids), [
                row[0] for row in self.env.execute_query(query.select(column))
            ]
            rate = every / max(1, len(partner_ids))
        # sudo: purchases of customers whose figures the reader may see, as the profile sums them
        rows = self.env["lifecycle.purchase.fact"].sudo()._rows_sql(company, partner_ids)
        plan_for_all(self.env.cr, few=True)
        [(amount,)] = self.env.execute_query(
            SQL(
                """SELECT SUM(bought.amount) FROM (%s) bought
                     JOIN lifecycle_profile profile
                       ON profile.partner_id = bought.partner_id AND profile.company_id = %s
                    WHERE bought.day > profile.last_order_date - %s
                      AND bought.day <= profile.last_order_date""",
                rows,
                company.id,
                timedelta(days=365).days,
            )
        )
        return float(amount or 0) * rate

    # ----- CUSTOMERS BEHIND A NUMBER -----

    @api.model
    def _buyers_sql(self, kind, span):
        """SELECT profile_id of who ordered in a period, or ordered again."""
        return SQL(
            "SELECT profile_id FROM (%s) bought WHERE %s",
            self._purchases_sql(self._company(), [span]),
            SQL("orders_0 > 0") if kind == "active" else SQL("repeat_0 <> 0"),
        )

    @api.model
    def _bridge_sql(self, name, after, before):
        """SELECT profile_id of the customers behind a part of the bridge.

        :raise ValueError: there is no such part
        """
        if name not in kernel.EFFECTS:
            raise ValueError(f"“{name}” is no part of the bridge.")
        company = self._company()
        frame = self._ledger(company, [after, before])
        found, _known = self._effects(company, frame, after, before, 1)
        ids = frame["profile_id"].to_numpy()[self._behind(name, found)]
        return SQL("SELECT UNNEST(%s::int[])", ids.tolist())
