"""The cohort table, and the customers behind each of its numbers.

In: a filter on customers and a length of period; purchases and losses are read live,
of very many customers a sample's. Out: sizes, orders, revenue and who stayed, by period.
Called by the cohort view, and by the filter that lists the customers of a cell.
"""

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.misc import format_date

from ...tools.planner import plan_for_all
from ...tools.sampling import in_sample, sample_rate

#: most cohorts, and most periods of each, that are shown
MOST = 36
#: customers whose purchases are looked up by customer; of more, all purchases are read
FEW = 50_000
#: of still more customers only a sample is looked at, about as many as can be looked up
ALL = 100_000
#: for each length of a period: months of it, and how its first day is written
INTERVALS = {"month": (1, "MMM yyyy"), "quarter": (3, "QQQ yyyy"), "year": (12, "yyyy")}


class LifecycleCohort(models.AbstractModel):
    """Customers by the month, quarter or year of their first order, and how they stayed.

    Everything is read live under the reader's own rights, for the current company.
    """

    _name = "lifecycle.cohort"
    _description = "Cohorts"

    @api.model
    @api.readonly
    def get_cohorts(self, domain, interval="month", exact=False):
        """How many of each cohort ordered in each period since, and what they brought.

        Period 0 is the calendar month, quarter or year of the first order. What was credited
        before the first order counts in it.

        :param domain: domain over ``lifecycle.profile``
        :param interval: "month", "quarter" or "year"
        :param exact: look at all customers, however many they are
        :return: dict of ``cohorts``, the oldest first: dicts ``start`` (first day, as text),
            ``label``, ``size`` (customers), ``looked_at`` (of them, for what follows) and
            ``periods``: for each period up to today's dict ``ordered`` (customers who did),
            ``active`` (customers not lost at its end), ``revenue`` and ``value`` (of the period,
            company currency) and ``complete`` (it is over); and ``left_out`` (older cohorts that
            are not shown), ``cut`` (later periods that are not), ``sampled`` (customers looked
            at, False: all), ``company``, ``company_id``, ``currency_id``, ``value_is`` (what
            value is by the company's settings) and ``knows_loss`` (a stage counts as lost)
        :raise UserError: the interval is none
        """
        if interval not in list(INTERVALS):
            raise UserError(self.env._("Choose months, quarters or years."))
        # sudo: the settings of a company that the reader works in are no secret
        company = self.env.company.sudo()
        today = company._lifecycle_today()
        domain = Domain(domain) & Domain("company_id", "=", company.id)
        domain &= Domain("first_order_date", "!=", False)
        domain &= Domain("first_order_date", "<=", today)
        self.env.flush_all()
        plan_for_all(self.env.cr)
        sizes = self._sizes(domain, interval)
        shown = sorted(sizes)[-MOST:]
        figures, active, looked_at, rate = {}, {}, sizes, 1
        if shown:
            domain &= Domain("first_order_date", ">=", self._first_day(shown[0], interval))
            count = sum(sizes[number] for number in shown)
            if count > ALL and not exact:
                rate = sample_rate(count, FEW)
                looked_at = self._sizes(domain, interval, rate)
                count = sum(looked_at.values())
            figures = self._figures(company, domain, interval, rate, count)
            active = self._active(domain, interval, rate)
        now = self._number(today, interval)
        cohorts = []
        for number in shown:
            start = self._first_day(number, interval)
            size, lost = looked_at.get(number, 0), 0
            periods = []
            for period in range(min(now - number + 1, MOST)):
                ordered, revenue, value = figures.get((number, period), (0, 0, 0))
                lost += active.get((number, period), 0)
                periods.append(
                    {
                        "ordered": ordered,
                        # histories of merged customers may tell of one loss twice
                        "active": size - min(max(lost, 0), size),
                        "revenue": float(revenue),
                        "value": float(value),
                        "complete": number + period < now,
                    }
                )
            cohorts.append(
                {
                    "start": fields.Date.to_string(start),
                    "label": format_date(
                        self.env, start, date_format=INTERVALS[interval][1]
                    ),
                    "size": sizes[number],
                    "looked_at": size,
                    "periods": periods,
                }
            )
        return {
            "cohorts": cohorts,
            "left_out": len(sizes) - len(shown),
            "cut": bool(shown) and now - shown[0] + 1 > MOST,
            "company": company.name,
            "company_id": company.id,
            "currency_id": company.currency_id.id,
            "sampled": count if rate > 1 else False,
            "value_is": company.lifecycle_value,
            "knows_loss": bool(self._lost_stages()),
        }

    # ----- PERIODS -----

    @api.model
    def _number(self, day, interval):
        """Number of the period that a day is in, counted from the year 0."""
        return (day.year * 12 + day.month - 1) // INTERVALS[interval][0]

    @api.model
    def _first_day(self, number, interval):
        year, month = divmod(number * INTERVALS[interval][0], 12)
        return fields.Date.to_date(f"{year:04}-{month + 1:02}-01")

    @api.model
    def _number_sql(self, day, interval):
        """SQL of the number of the period that a day is in; see ``_number``."""
        return SQL(
            "((date_part('year', %(day)s)::integer * 12 + date_part('month', %(day)s)::integer "
            "- 1) / %(months)s)",
            day=day,
            months=INTERVALS[interval][0],
        )

    # ----- FIGURES -----

    @api.model
    def _chosen(self, domain, interval, rate=1):
        """SELECT of (id, partner_id, cohort) of the customers.

        :param rate: of so many customers one is looked at, always the same
        """
        query = self.env["lifecycle.profile"]._search(domain)
        query.add_where(in_sample(SQL.identifier(query.table, "partner_id"), rate))
        return query.select(
            SQL.identifier(query.table, "id"),
            SQL.identifier(query.table, "partner_id"),
            SQL(
                "%s AS cohort",
                self._number_sql(SQL.identifier(query.table, "first_order_date"), interval),
            ),
        )

    @api.model
    def _sizes(self, domain, interval, rate=1):
        """Number of customers by cohort."""
        return dict(
            self.env.execute_query(
                SQL(
                    "SELECT cohort, COUNT(*) FROM (%s) chosen GROUP BY cohort",
                    self._chosen(domain, interval, rate),
                )
            )
        )

    @api.model
    def _figures(self, company, domain, interval, rate, count):
        """Customers who ordered, revenue and value, by (cohort, period since).

        Ordering is as for the profile: buying more than giving back on a day.
        """
        found = self.env.execute_query(
            SQL(
                """SELECT cohort, period, COUNT(*) FILTER (WHERE bought), SUM(amount), SUM(value)
                     FROM (SELECT chosen.cohort,
                                  GREATEST(customers.number - chosen.cohort, 0) AS period,
                                  customers.*
                             FROM (SELECT partner_id, %(number)s AS number,
                                          BOOL_OR(amount > 0) AS bought,
                                          SUM(amount) AS amount, SUM(value) AS value
                                     FROM (SELECT partner_id, day, SUM(amount) AS amount,
                                                  SUM(value) AS value
                                             FROM (%(rows)s) purchases WHERE day <= %(today)s
                                            GROUP BY partner_id, day) days
                                    GROUP BY 1, 2) customers
                             JOIN (%(chosen)s) chosen
                               ON chosen.partner_id = customers.partner_id) placed
                    WHERE period < %(most)s
                    GROUP BY cohort, period""",
                chosen=self._chosen(domain, interval, rate),
                number=self._number_sql(SQL("day"), interval),
                rows=self._purchases(company, domain, interval, rate, count),
                today=company._lifecycle_today(),
                most=MOST,
            )
        )
        return {(cohort, period): tuple(rest) for cohort, period, *rest in found}

    @api.model
    def _purchases(self, company, domain, interval, rate, count):
        """Purchases of so many customers, and the planner told about them."""
        partner_ids = None
        if count <= FEW or rate > 1:
            chosen = self.env.execute_query(self._chosen(domain, interval, rate))
            partner_ids = [partner_id for _id, partner_id, _cohort in chosen]
        plan_for_all(self.env.cr, few=partner_ids is not None)
        # sudo: purchases of customers whose figures the reader may see, as the profile sums them
        return self.env["lifecycle.purchase.fact"].sudo()._rows_sql(company, partner_ids)

    @api.model
    def _active(self, domain, interval, rate):
        """Customers lost less those won back, by (cohort, period since)."""
        lost = self._lost_stages()
        if not lost:
            return {}
        found = self.env.execute_query(
            SQL(
                """SELECT chosen.cohort,
                          GREATEST(%(number)s - chosen.cohort, 0) AS period,
                          SUM(COALESCE(move.to_stage_id = ANY(%(lost)s), FALSE)::integer
                              - COALESCE(move.from_stage_id = ANY(%(lost)s), FALSE)::integer)
                     FROM lifecycle_transition move
                     JOIN (%(chosen)s) chosen ON chosen.id = move.profile_id
                    WHERE move.kind = 'stage'
                      AND (move.to_stage_id = ANY(%(lost)s)
                           OR move.from_stage_id = ANY(%(lost)s))
                    GROUP BY 1, 2""",
                number=self._number_sql(SQL("move.date"), interval),
                lost=lost,
                chosen=self._chosen(domain, interval, rate),
            )
        )
        return {(cohort, period): net for cohort, period, net in found}

    @api.model
    def _lost_stages(self):
        # sudo: what stages mean is no secret
        stages = self.env["lifecycle.stage"].sudo().with_context(active_test=False)
        return stages.search([("is_lost", "=", True)]).ids

    # ----- CUSTOMERS BEHIND A NUMBER -----

    @api.model
    def _cell_ids(self, key):
        """Profile ids of the customers behind a number of the table.

        :param key: "ordered:INTERVAL:START:PERIOD", "active:…", or "bought:…" for whoever has
            any purchase or refund in the period
        :raise ValueError: the key names no number
        """
        kind, interval, start, period = str(key).split(":")
        if kind not in ("ordered", "active", "bought") or interval not in INTERVALS:
            raise ValueError(f"“{key}” is no number of the cohorts.")
        company = self.env.company.sudo()
        months = INTERVALS[interval][0]
        cohort = fields.Date.to_date(start)
        begins = cohort + relativedelta(months=months * int(period))
        ends = begins + relativedelta(months=months, days=-1)
        domain = Domain("company_id", "=", company.id)
        domain &= Domain("first_order_date", ">=", cohort)
        domain &= Domain("first_order_date", "<", cohort + relativedelta(months=months))
        self.env.flush_all()
        if kind == "active":
            statement = self._still_active(domain, interval, ends)
        else:
            count = self.env["lifecycle.profile"].search_count(domain)
            statement = SQL(
                """SELECT chosen.id FROM (%(chosen)s) chosen
                    WHERE chosen.partner_id IN (
                          SELECT partner_id FROM (%(rows)s) purchases
                           WHERE day BETWEEN %(begins)s AND %(ends)s
                           GROUP BY partner_id, day HAVING %(having)s)""",
                chosen=self._chosen(domain, interval),
                rows=self._purchases(company, domain, interval, 1, count),
                # what was credited before the first order counts in its period
                begins=begins if int(period) else SQL("'-infinity'::date"),
                ends=min(ends, company._lifecycle_today()),
                having=SQL("SUM(amount) > 0") if kind == "ordered" else SQL("TRUE"),
            )
        ids = [row[0] for row in self.env.execute_query(statement)]
        plan_for_all(self.env.cr, few=True)
        return ids

    @api.model
    def _still_active(self, domain, interval, day):
        """SELECT of the ids of the customers who were not lost at the end of a day."""
        return SQL(
            """SELECT chosen.id FROM (%s) chosen
                WHERE (SELECT move.to_stage_id = ANY(%s) FROM lifecycle_transition move
                        WHERE move.profile_id = chosen.id AND move.kind = 'stage'
                          AND move.date <= %s
                        ORDER BY move.date DESC, move.number DESC LIMIT 1) IS NOT TRUE""",
            self._chosen(domain, interval),
            self._lost_stages(),
            day,
        )
