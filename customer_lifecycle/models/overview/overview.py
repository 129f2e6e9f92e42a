"""The overview: how the customers of a company stand, beside the period before and a year ago.

In: a filter on customers and a period. Out: the figures of the page's tiles, stages and lists
that profiles and their history tell, and the customers behind each number. Called by the overview
in the browser; what purchases, moves and people's work tell is in the files beside this one.
"""

import math
from datetime import timedelta
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ...kernel.interval import level_error
from ...tools.planner import plan_for_all

#: periods that are the last so many days, today included
PERIODS = (30, 90, 365)
#: customers listed by name
NAMED = 10
#: parts of the revenue bridge with customers behind them
BRIDGE = ("new", "back", "lost", "frequency", "basket", "price", "returns")
#: standard deviations to either side that 8 of 10 stay within
Z_RANGE = 1.281552


class Span(NamedTuple):
    """From one day to another, both included."""

    start: object
    end: object

    def text(self):
        return [fields.Date.to_string(day) for day in self]


class LifecycleOverview(models.AbstractModel):
    """A manager's questions on Monday on one page.

    Everything is read under the reader's own rights, for the current company.
    """

    _name = "lifecycle.overview"
    _description = "Overview of Customers"

    # ----- PERIODS -----

    @api.model
    def _company(self):
        # sudo: the settings of a company that the reader works in are no secret
        return self.env.company.sudo()

    @api.model
    def _spans(self, period):
        """The period and those that it is compared with.

        :param period: dict ``days``: the last so many days, or ``month``: this month until today
        :return: dict of :class:`Span`: ``now``, ``before`` (as long, right before; of a month the
            same days of the month before) and ``year`` (the same days of the year before)
        :raise UserError: the period is none
        """
        today = self._company()._lifecycle_today()
        if period.get("month"):
            start = today.replace(day=1)
            months = [relativedelta(months=1), relativedelta(years=1)]
            before, year = (Span(start - step, today - step) for step in months)
            return {"now": Span(start, today), "before": before, "year": year}
        days = period.get("days")
        if days not in PERIODS:
            raise UserError(self.env._("Choose one of the periods that the overview offers."))
        now = Span(today - timedelta(days=days - 1), today)
        before = Span(now.start - timedelta(days=days), now.start - timedelta(days=1))
        year = before
        if days < 365:
            last = today - relativedelta(years=1)
            year = Span(last - timedelta(days=days - 1), last)
        return {"now": now, "before": before, "year": year}

    @api.model
    def _domain(self, domain):
        """The filter, for the current company: amounts of others are in other money."""
        return Domain(domain) & Domain("company_id", "=", self.env.company.id)

    # ----- STAGES -----

    @api.model
    def _stages(self):
        """All stages with their kinds: ``risk``, ``lost``, ``good`` or ``prospect``."""
        stages = self.env["lifecycle.stage"].with_context(active_test=False)
        return {
            stage: self._kind_of(stage)
            for stage in stages.search(
                [("proposal_of_id", "=", False)], order="sequence, id"
            )
        }

    @api.model
    def _kind_of(self, stage):
        if stage.is_lost:
            return "lost"
        if not stage.is_customer:
            return "prospect"
        return "risk" if stage.tone == "warning" else "good"

    @api.model
    def _ids_of(self, *kinds):
        """Ids of the stages of some kinds; never empty, as SQL wants it."""
        return [stage.id for stage, kind in self._stages().items() if kind in kinds] or [0]

    @api.model
    def _at_risk_domain(self):
        """Who is at risk, on every screen: buyers in a stage that needs attention."""
        return Domain("stage_id", "in", self._ids_of("risk")) & Domain("order_count", ">", 0)

    # ----- FIGURES -----

    @api.model
    @api.readonly
    def get_overview(self, domain, period):
        """What profiles and their history tell; purchases come with :meth:`get_revenue`.

        Numbers of customers are dicts of ``now``, ``before`` and ``year``.

        :param domain: domain over ``lifecycle.profile``
        :param period: dict ``days``: 30, 90 or 365, or ``month``: this month until today
        :return: dict of ``company``, ``company_id``, ``currency_id``, ``spans`` (dict of pairs of
            days as text), ``total`` (customers and prospects), ``customers`` (who ever ordered),
            ``new``, ``risk`` (dict ``now``, ``money`` and ``slipped``, who came there in the
            period; before see :meth:`get_history`), ``lost``, ``won_back``, ``expected`` (dict
            ``value``, False where unknown, ``low``, ``high``, ``label`` and ``note``),
            ``slipping`` (list of dicts), ``cells`` (keys for the lists of customers by name of a
            number), ``risk_domain`` and ``risk_list`` (id of a view), ``is_manager`` and
            ``as_of`` (when all were computed last, as text)
        :raise UserError: the period is none
        """
        spans = self._spans(period)
        domain = self._domain(domain)
        profiles = self.env["lifecycle.profile"]
        population = profiles._search(domain)
        # whatever this transaction has not written yet
        profiles.flush_model()
        self.env["lifecycle.transition"].flush_model()
        plan_for_all(self.env.cr)
        total, customers, new = self._counts(population, spans)
        moved = self._moved(population, spans)
        company = self._company()
        return {
            "company": company.name,
            "company_id": company.id,
            "currency_id": company.currency_id.id,
            "spans": {name: span.text() for name, span in spans.items()},
            "total": total,
            "customers": customers,
            "new": new,
            "risk": {**self._at_risk(domain), "slipped": moved["risk"]},
            "lost": moved["lost"],
            "won_back": moved["won_back"],
            "expected": self._expected(company, domain),
            "slipping": self._slipping(domain),
            "cells": self._cells(spans),
            "risk_domain": list(self._at_risk_domain()),
            "risk_list": self.env.ref("customer_lifecycle.lifecycle_profile_view_list_at_risk").id,
            "is_manager": self.env.user.has_group("sales_team.group_sale_manager"),
            "as_of": self._as_of(company),
        }

    @api.model
    def _counts(self, population, spans):
        """(customers and prospects, customers who ever ordered, new ones by span)."""
        first = SQL.identifier(population.table, "first_order_date")
        rows = self.env.execute_query(
            population.select(
                SQL("COUNT(*)"),
                SQL("COUNT(*) FILTER (WHERE %s > 0)",
                    SQL.identifier(population.table, "order_count")),
                *(
                    SQL("COUNT(*) FILTER (WHERE %s BETWEEN %s AND %s)", first, *span)
                    for span in spans.values()
                ),
            )
        )
        total, customers, *new = rows[0]
        return total, customers, dict(zip(spans, new, strict=True))

    @api.model
    def _at_risk(self, domain):
        """Who is at risk now, and the money."""
        # asked of those alone: what is at risk of one costs a look at many columns
        [(count, money)] = self.env["lifecycle.profile"]._read_group(
            domain & self._at_risk_domain(), [], ["__count", "money_at_risk:sum"]
        )
        return {"now": count, "money": money or 0}

    @api.model
    def _expected(self, company, domain):
        """What all are expected to bring, with the range that the back-test gives its total."""
        model = self.env["lifecycle.clv.model"]._current(company)
        profiles = self.env["lifecycle.profile"]
        label = profiles._expected_label(company)
        if not model.sufficient:
            return {"value": False, "label": label, "note": model._explain()}
        [(value,)] = profiles._read_group(domain, [], ["clv_predicted:sum"])
        value = value or 0
        error = math.exp(Z_RANGE * level_error(model.backtest))
        return {
            "value": value,
            "low": value / error,
            "high": value * error,
            "label": label,
            "is_margin": company.lifecycle_value == "margin",
            "note": model._explain(),
        }

    @api.model
    def _slipping(self, domain):
        """The customers at risk with most money at risk, of all salespeople."""
        profiles = self.env["lifecycle.profile"].search(
            domain & self._at_risk_domain() & Domain("money_at_risk", ">", 0),
            order="money_at_risk desc, id",
            limit=NAMED,
        )
        return [
            {
                "id": profile.id,
                "partner_id": profile.partner_id.id,
                "name": profile.partner_id.display_name,
                "user_id": profile.user_id.id,
                "user": profile.user_id.name or False,
                "tier": profile.vip_tier_id.name or False,
                "money": profile.money_at_risk or 0,
                "reason": profile.contact_reason or False,
                "last_contact": fields.Date.to_string(profile.last_contact_date) or False,
                "last_order": fields.Date.to_string(profile.last_order_date) or False,
            }
            for profile in profiles
        ]

    @api.model
    def _as_of(self, company):
        """When the figures of all customers were computed last; False before the first time."""
        # sudo: when a run has ended is no secret
        run = self.env["lifecycle.run"].sudo().search(
            [
                ("company_id", "=", company.id),
                ("state", "=", "done"),
                ("kind", "not in", ("refresh", "history", "rules")),
            ],
            order="date_end desc",
            limit=1,
        )
        return fields.Datetime.to_string(run.date_end) or False

    # ----- CUSTOMERS BEHIND A NUMBER -----

    @api.model
    def _cells(self, spans):
        """Keys of the numbers that no plain filter finds: see :meth:`_cell_sql`."""
        now = spans["now"].text()
        cells = {
            name: ":".join([name, *now])
            for name in ("risk", "lost", "won_back", "active", "repeat", "risen", "fallen")
        }
        for against in ("before", "year"):
            ends = [*now, *spans[against].text()]
            for name in BRIDGE:
                cells[f"{against}_{name}"] = ":".join([f"bridge_{name}", *ends])
        return cells

    @api.model
    def _cell_sql(self, key):
        """SELECT profile_id of the customers behind a number of the overview.

        :param key: "KIND:START:END", for parts of the bridge "KIND:START:END:START:END" with the
            former period last
        :raise ValueError: the key names no number
        """
        kind, *days = str(key).split(":")
        spans = [
            Span(*(fields.Date.to_date(day) for day in days[position : position + 2]))
            for position in range(0, len(days), 2)
        ]
        if not spans or not all(span.start and span.end for span in spans):
            raise ValueError(f"“{key}” is no number of the overview.")
        if kind in ("risk", "lost", "won_back") and len(spans) == 1:
            return self._movers_sql(kind, *spans)
        if kind in ("risen", "fallen") and len(spans) == 1:
            return self._tier_movers_sql(kind, *spans)
        if kind in ("active", "repeat") and len(spans) == 1:
            return self._buyers_sql(kind, *spans)
        if kind.startswith("bridge_") and len(spans) == 2:
            return self._bridge_sql(kind.removeprefix("bridge_"), *spans)
        raise ValueError(f"“{key}” is no number of the overview.")
