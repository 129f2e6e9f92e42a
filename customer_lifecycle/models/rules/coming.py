"""What the rules will say of one customer, asked of the same rules that classify everybody.

Comes in: a profile and a day. Goes out: the stage that an order on that day would lead to, and
the first later day on which the stage changes if nothing happens. Called by the sentences beside
the stage on the contact.
"""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from odoo.tools import SQL

from ... import kernel
from ..prediction.forecast import predict_frame
from ..prediction.prediction_columns import EPOCH, OUTPUTS
from ..prediction.rhythm import rhythm_sql
from .profiles_as_of import ProfilesAsOf

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
#: names in rules for which the customer's purchases must be looked at
COMPUTED = MOVING | {*OUTPUTS, "clv_total"}


class Coming:
    """What would change a customer's stage.

    :param profile: one profile, as superuser
    :param today: the day that is looked at from
    """

    def __init__(self, profile, today):
        self.env, self.profile, self.today = profile.env, profile, today
        self.company = profile.company_id.sudo()
        self.rules = self.env["lifecycle.stage"]._rules()

    def after_silence(self, horizon):
        """The first change of stage if nothing happens but that time passes.

        :param horizon: number of days that are looked at
        :return: (days until then, stage); (None, None) if nothing changes
        """
        moments = [self.today + timedelta(days) for days in range(1, horizon + 1)]
        figures = {"moment": moments}
        if COMPUTED.intersection(self.rules.names):
            figures.update(self._figures(moments, self._days_bought()))
        for moment, stage in self._stages(figures):
            if stage != self.profile.stage_id:
                return (moment - self.today).days, stage
        return None, None

    def after_order(self):
        """The stage that an order of the usual size today would lead to."""
        profile, today = self.profile, self.today
        bought = self._days_bought()
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
            "pace_date": sorted(orders)[-kernel.PACE :][:1],
        }
        if COMPUTED.intersection(self.rules.names):
            figures.update(self._figures([today], bought))
        ((_moment, stage),) = self._stages(figures, ordered=True)
        return stage

    def _days_bought(self):
        """The customer's days with purchases: (day, amount, value)."""
        company = self.company
        value = SQL("amount" if company.lifecycle_value == "revenue" else "value")
        return self.env.execute_query(
            SQL(
                "SELECT day, SUM(amount)::float, SUM(%s)::float FROM (%s) purchases "
                "WHERE day <= %s GROUP BY day ORDER BY day",
                value,
                self.env["lifecycle.revenue.source"]
                .sudo()
                ._rows_sql(company, [self.profile.partner_id.id]),
                self.today,
            )
        )

    # ----- FIGURES THAT MOVE -----

    def _figures(self, moments, bought):
        """Figures of each moment, were nothing bought after the given days.

        :param moments: dates in order
        :param bought: list of (day, amount, value)
        :return: dict name → list
        """
        if not bought:
            return {}
        days = np.array([row[0].toordinal() for row in bought])
        amounts, values = (np.array([row[index] for row in bought]) for index in (1, 2))
        counts = (amounts > 0).astype(np.int64)
        ends = np.array([moment.toordinal() for moment in moments])

        def between(numbers, after, until):
            """Sums over the days after one bound and until the other, for each moment."""
            total = np.r_[0, np.cumsum(numbers)]
            low, high = (np.searchsorted(days, bound, "right") for bound in (after, until))
            return total[high] - total[low]

        figures = {
            "recent_order_count": between(counts, ends - self.company.lifecycle_horizon, ends),
            "revenue_year": between(amounts, ends - 365, ends),
            "value_year": between(values, ends - 365, ends),
            "orders_year": between(counts, ends - 365, ends),
        }
        for name, back in (("this", 0), ("last", 1)):
            if self.profile[f"orders_{name}_year"] is False:
                continue
            years = [moment.year - back for moment in moments]
            last = np.array([date(year, 12, 31).toordinal() for year in years])
            first = np.array([date(year - 1, 12, 31).toordinal() for year in years])
            for what, numbers in (("revenue", amounts), ("value", values), ("orders", counts)):
                figures[f"{what}_{name}_year"] = between(numbers, first, last)
        figures.update(self._predictions(ends, bought, figures["recent_order_count"]))
        return {
            name: values.tolist() if isinstance(values, np.ndarray) else values
            for name, values in figures.items()
        }

    def _predictions(self, ends, bought, recent):
        """What the model will say at each moment."""
        stored = self.env["lifecycle.clv.model"].sudo()._current(self.company)
        orders = [(day, amount) for day, amount, _value in bought if amount > 0]
        if not orders or not stored.sufficient or not stored._is_readable():
            return {}
        size, pace = len(ends), orders[-kernel.PACE :][0]
        # days are counted from 1970 there
        first, last = (end[0].toordinal() - EPOCH for end in (orders[0], orders[-1]))
        frame = pd.DataFrame(
            {
                "partner_id": np.full(size, self.profile.partner_id.id),
                "order_count": np.full(size, len(orders)),
                "first_day": np.full(size, first),
                "last_day": np.full(size, last),
                "average_order_value": np.full(size, np.mean([row[1] for row in orders])),
                "recent_order_count": recent,
                "pace_day": np.full(size, pace[0].toordinal() - EPOCH),
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
        history = float(self.profile.clv_historical or 0)
        known["clv_total"] = [history + (number or 0) for number in known["clv_predicted"]]
        known["predicted"] = [number is not None for number in known["p_order"]]
        return known

    # ----- ASKING THE RULES -----

    def _stages(self, figures, ordered=False):
        """The stage that the rules choose for the profile with other figures.

        :param figures: dict name of a column → list of its values; ``moment`` is the day
        :param ordered: whether the figures are those after another order
        :return: list of (moment, stage), by moment
        """
        fields_ = self.env["lifecycle.profile"]._fields
        names = [name for name, field in fields_.items() if field.store and field.column_type]
        columns = [SQL.identifier("coming" if name in figures else "known", name) for name in names]
        if ordered:
            rhythm = rhythm_sql(self.env["lifecycle.clv.model"]._current(self.company))
            columns[names.index("rhythm")] = SQL("%s AS rhythm", rhythm)
        source = SQL(
            """(SELECT *, days AS days_since_last_order,
                       days::numeric / NULLIF(rhythm, 0) AS lateness
                  FROM (SELECT %(columns)s, coming.moment,
                               coming.moment - %(last)s AS days
                          FROM (SELECT %(known)s FROM lifecycle_profile WHERE id = %(id)s) known
                         CROSS JOIN unnest(%(values)s) coming (%(names)s)) days_ago)""",
            columns=SQL(", ").join(columns),
            last=columns[names.index("last_order_date")],
            known=SQL(", ").join(SQL.identifier(name) for name in names if name not in figures),
            id=self.profile.id,
            values=SQL(", ").join(
                SQL(
                    "%s::%s[]",
                    values,
                    SQL("date" if name == "moment" else fields_[name].column_type[0]),
                )
                for name, values in figures.items()
            ),
            names=SQL(", ").join(SQL.identifier(name) for name in figures),
        )
        moment = SQL.identifier("lifecycle_profile", "moment")
        profiles = ProfilesAsOf(self.env, self.company, moment, source=source)
        target = self.rules.target_sql(profiles)
        profiles.query.order = SQL("1")
        self.profile.flush_model()
        stages = self.env["lifecycle.stage"].sudo()
        return [
            (day, stages.browse(stage_id))
            for day, stage_id in self.env.execute_query(profiles.query.select(moment, target))
        ]
