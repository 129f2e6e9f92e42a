"""What the rules will say of one customer, asked of the same SQL that classifies everybody.

Comes in: a profile. Goes out: the stage that an order today would lead to, and the first day on
which the stage changes if nothing happens. Called by the sentences on the contact
(the sentence beside the stage).
"""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from odoo import api, models
from odoo.tools import SQL, Query

from ..prediction.forecast import predict_frame
from ..prediction.prediction_columns import EPOCH, OUTPUTS
from ..prediction.rhythm import rhythm_sql

#: figures that time alone changes, besides those that are computed when they are read
MOVING = {
    "recent_order_count",
    "revenue_year",
    "value_year",
    "orders_year",
    "revenue_this_year",
    "revenue_last_year",
    "value_this_year",
    "value_last_year",
    "orders_this_year",
    "orders_last_year",
}
#: dates among the outputs of a prediction
FORECASTS = tuple(name for name in OUTPUTS if name.startswith("next_order"))


class LifecycleClassifier(models.AbstractModel):
    """What would change a customer's stage."""

    # a file for each subject of this large model
    _inherit = "lifecycle.classifier"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _stage_after_silence(self, profile, today, horizon):
        """The first change of stage if nothing happens but that time passes.

        :param horizon: number of days that are looked at
        :return: (days until then, stage); (None, None) if nothing changes
        """
        used = self._stage_rule_names()
        moments = [today + timedelta(days) for days in range(1, horizon + 1)]
        figures = {"moment": moments}
        if used & (MOVING | {*OUTPUTS, "clv_total"}):
            bought = self._days_bought(profile, today)
            figures.update(self._coming_figures(profile, moments, bought))
        for moment, stage_id in self._coming_stages(profile, figures):
            if stage_id != profile.stage_id.id:
                stage = self.env["lifecycle.stage"].sudo().browse(stage_id)
                return (moment - today).days, stage
        return None, None

    @api.model
    def _stage_after_order(self, profile, today):
        """The stage that an order of the usual size today would lead to."""
        bought = self._days_bought(profile, today)
        usual = float(profile.average_order_value or 0)
        share = float(profile.clv_historical or 0) / float(profile.revenue or 0 or 1)
        bought = [(day, *amounts) for day, *amounts in bought if day != today] + [
            (today, *(sum(pair) for pair in zip((usual, usual * share), amounts, strict=True)))
            for amounts in [next((rest for day, *rest in bought if day == today), (0, 0))]
        ]
        orders = [day for day, amount, _value in bought if amount > 0 or day == today]
        figures = {
            "moment": [today],
            "order_count": [len(orders)],
            "first_order_date": [min(orders)],
            "last_order_date": [today],
        }
        if self._stage_rule_names() & (MOVING | {*OUTPUTS, "clv_total"}):
            figures.update(self._coming_figures(profile, [today], bought))
        rows = self._coming_stages(profile, figures, ordered=True)
        return self.env["lifecycle.stage"].sudo().browse(rows[0][1])

    @api.model
    def _stage_rule_names(self):
        stages = self.env["lifecycle.stage"]._in_priority()
        return {name for stage in stages for name in stage._rule_names_used()}

    @api.model
    def _days_bought(self, profile, today):
        """The customer's days with purchases: (day, amount, value)."""
        company = profile.company_id.sudo()
        value = SQL("amount" if company.lifecycle_value == "revenue" else "value")
        return self.env.execute_query(
            SQL(
                "SELECT day, SUM(amount)::float, SUM(%s)::float FROM (%s) purchases "
                "WHERE day <= %s GROUP BY day ORDER BY day",
                value,
                self.env["lifecycle.revenue.source"]
                .sudo()
                ._rows_sql(company, [profile.partner_id.id]),
                today,
            )
        )

    # ----- FIGURES THAT MOVE -----

    @api.model
    def _coming_figures(self, profile, moments, bought):
        """Figures of each moment, were nothing bought after the given days.

        :param moments: dates in order
        :param bought: list of (day, amount, value)
        :return: dict name → list
        """
        if not bought:
            return {}
        company = profile.company_id.sudo()
        days = np.array([row[0].toordinal() for row in bought])
        amounts, values = (np.array([row[place] for row in bought]) for place in (1, 2))
        counts = (amounts > 0).astype(np.int64)
        ends = np.array([moment.toordinal() for moment in moments])

        def between(numbers, after, until):
            """Sums over the days after one bound and until the other, for each moment."""
            total = np.r_[0, np.cumsum(numbers)]
            low, high = (np.searchsorted(days, bound, "right") for bound in (after, until))
            return total[high] - total[low]

        figures = {
            "recent_order_count": between(counts, ends - company.lifecycle_horizon, ends),
            "revenue_year": between(amounts, ends - 365, ends),
            "value_year": between(values, ends - 365, ends),
            "orders_year": between(counts, ends - 365, ends),
        }
        for name, back in (("this", 0), ("last", 1)):
            if profile[f"orders_{name}_year"] is False:
                continue
            years = [moment.year - back for moment in moments]
            last = np.array([date(year, 12, 31).toordinal() for year in years])
            first = np.array([date(year - 1, 12, 31).toordinal() for year in years])
            for what, numbers in (("revenue", amounts), ("value", values), ("orders", counts)):
                figures[f"{what}_{name}_year"] = between(numbers, first, last)
        figures.update(
            self._coming_predictions(profile, ends, bought, figures["recent_order_count"])
        )
        return {
            name: values.tolist() if isinstance(values, np.ndarray) else values
            for name, values in figures.items()
        }

    @api.model
    def _coming_predictions(self, profile, ends, bought, recent):
        """What the model will say at each moment."""
        stored = self.env["lifecycle.clv.model"].sudo()._current(profile.company_id)
        orders = [(day, amount) for day, amount, _value in bought if amount > 0]
        if not orders or not stored.sufficient or not stored._is_readable():
            return {}
        size = len(ends)
        # days are counted from 1970 there
        first, last = (end[0].toordinal() - EPOCH for end in (orders[0], orders[-1]))
        frame = pd.DataFrame(
            {
                "partner_id": np.full(size, profile.partner_id.id),
                "order_count": np.full(size, len(orders)),
                "first_day": np.full(size, first),
                "last_day": np.full(size, last),
                "average_order_value": np.full(size, np.mean([row[1] for row in orders])),
                "recent_order_count": recent,
                "revenue": np.full(size, sum(row[1] for row in bought)),
                "clv_historical": np.full(size, sum(row[2] for row in bought)),
            }
        )
        outputs = predict_frame(stored, frame, ends - EPOCH)
        known = {
            name: [None if np.isnan(number) else float(number) for number in outputs[name]]
            for name in OUTPUTS
        }
        for name in FORECASTS:
            known[name] = [
                None if number is None else date.fromordinal(int(number) + EPOCH)
                for number in known[name]
            ]
        history = float(profile.clv_historical or 0)
        known["clv_total"] = [history + (number or 0) for number in known["clv_predicted"]]
        known["predicted"] = [number is not None for number in known["p_order"]]
        return known

    # ----- ASKING THE RULES -----

    @api.model
    def _coming_stages(self, profile, figures, ordered=False):
        """The stage that the classification chooses for a profile with other figures.

        :param figures: dict name of a column → list of its values; ``moment`` is the day
        :param ordered: whether the figures are those after another order
        :return: list of (moment, id of the stage)
        """
        profiles = self.env["lifecycle.profile"].sudo()
        columns, types = [], []
        for name, field in profiles._fields.items():
            if not field.store or not field.column_type:
                continue
            if name == "rhythm" and ordered:
                value = rhythm_sql(self.env["lifecycle.clv.model"]._current(profile.company_id))
                columns.append(SQL("%s AS rhythm", value))
            elif name not in figures:
                columns.append(SQL.identifier("known", name))
            elif name != "moment":
                columns.append(SQL.identifier("coming", name))
        for name in figures:
            kind = "date" if name == "moment" else profiles._fields[name].column_type[0]
            types.append(SQL("%s::%s[]", figures[name], SQL(kind)))
        known = [
            SQL.identifier(name)
            for name, field in profiles._fields.items()
            if field.store and field.column_type and name not in figures
        ]
        source = SQL(
            """(SELECT *, days AS days_since_last_order,
                       days::numeric / NULLIF(rhythm, 0) AS lateness
                  FROM (SELECT %(columns)s, coming.moment,
                               coming.moment - %(last)s AS days
                          FROM (SELECT %(known)s FROM lifecycle_profile WHERE id = %(id)s) known
                         CROSS JOIN unnest(%(types)s) coming (%(names)s)) days_ago)""",
            columns=SQL(", ").join(columns),
            last=SQL.identifier(
                "coming" if "last_order_date" in figures else "known", "last_order_date"
            ),
            known=SQL(", ").join(known),
            id=profile.id,
            types=SQL(", ").join(types),
            names=SQL(", ").join(SQL.identifier(name) for name in figures),
        )
        table = profiles._table
        moment = SQL.identifier(table, "moment")
        profiles = profiles.with_company(profile.company_id).with_context(
            active_test=False, lifecycle_today=moment
        )
        query = Query(self.env, table, source)
        target, _names = self._target_sql(profiles, query, moment)
        query.order = SQL("1")
        profile.flush_model()
        return self.env.execute_query(query.select(moment, target))
