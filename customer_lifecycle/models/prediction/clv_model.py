"""The fitted models of customer lifetime value that a company has had, the newest in use.

In: a model that the kernel has fitted, and the purchases it saw. Out: the stored fit, a sentence
on how good it is, and whether a new one is due. Written by the fit; read by the nightly run, the
forecasts, the purchase rhythm and the overview on the contact.
"""

from datetime import date, timedelta

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.misc import format_date

from ... import kernel

EPOCH = date(1970, 1, 1)
#: a fit older than this is renewed by the next nightly run
FIT_DAYS = 7


class LifecycleClvModel(models.Model):
    """One fit of the lifetime value model: its parameters, its data and its known error."""

    _name = "lifecycle.clv.model"
    _description = "Customer Lifetime Value Model"
    _order = "id desc"

    company_id = fields.Many2one(
        "res.company", required=True, ondelete="cascade", index=True, readonly=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    as_of = fields.Date(string="Data Until", required=True, readonly=True)
    horizon = fields.Integer(string="Horizon (days)", readonly=True)
    discount_rate = fields.Float(string="Discount Rate (%)", readonly=True)
    customer_count = fields.Integer(string="Customers", readonly=True)
    repeat_count = fields.Integer(string="Repeat Buyers", readonly=True)
    order_count = fields.Integer(string="Days with Purchases", readonly=True)
    first_date = fields.Date(string="Data From", readonly=True)
    sufficient = fields.Boolean(
        string="Enough Data", readonly=True, help="Without it no prediction is shown."
    )
    missing = fields.Json(readonly=True)
    missing_text = fields.Char(string="What Is Missing", compute="_compute_missing_text")
    k = fields.Integer(
        string="Regularity k",
        readonly=True,
        help="Shape of the time between orders: 1 is at random, more is more regular. Chosen by "
        "the back-test.",
    )
    parameters = fields.Json(readonly=True)
    weights = fields.Json(readonly=True)
    value_model = fields.Json(readonly=True)
    log_likelihood = fields.Float(readonly=True, digits=(16, 3))
    backtest = fields.Json(readonly=True)
    total_error = fields.Float(
        string="Error of the Total (%)",
        readonly=True,
        aggregator="avg",
        help="By how much the back-test's predicted number of orders of all customers was off.",
    )
    mean_interval = fields.Float(
        string="Mean Days Between Orders", readonly=True, digits=(12, 1), aggregator="avg"
    )
    slow_interval = fields.Float(
        string="Days Nine of Ten Stay Below", readonly=True, digits=(12, 1), aggregator="avg",
        help="90th percentile of customers' mean days between orders.",
    )
    value_ratio = fields.Float(string="Value per Revenue", readonly=True, digits=(6, 4))
    data = fields.Json(readonly=True, help="The fitted model as the kernel stores it.")

    @api.depends_context("lang")
    @api.depends("as_of", "company_id")
    def _compute_display_name(self):
        for model in self:
            model.display_name = self.env._(
                "%(company)s, %(date)s",
                company=model.company_id.name,
                date=format_date(self.env, model.as_of, date_format="medium"),
            )

    @api.depends_context("lang")
    @api.depends("missing")
    def _compute_missing_text(self):
        labels = {
            "customers": self.env._("%(have)s of %(need)s customers"),
            "repeat_buyers": self.env._("%(have)s of %(need)s repeat buyers"),
        }
        for model in self:
            parts = [
                labels[name] % {"have": have, "need": need}
                for name, (have, need) in (model.missing or {}).items()
                if name in labels
            ]
            model.missing_text = ", ".join(parts)

    def _explain(self):
        """One sentence for people: what the model can say, or what it lacks."""
        if not self:
            return self.env._("No model has been fitted yet.")
        if not self.sufficient:
            return self.env._("Not enough data for predictions: %s.", self.missing_text)
        if not self.backtest:
            return self.env._(
                "Predictions from %s customers; the history is too short for a back-test.",
                self.customer_count,
            )
        return self.env._(
            "Predictions from %(count)s customers; in the back-test the total was off by "
            "%(error).0f %%.",
            count=self.customer_count,
            error=self.total_error,
        )

    @api.model
    def _store(self, company, today, model, frame, intervals):
        """Keep a fitted kernel model.

        :param model: fitted LifetimeModel
        :param frame: the transactions it saw
        :param intervals: see ``_intervals``
        """
        # a fit that could not say anything is tried again every night: only the last is kept
        self.search([("company_id", "=", company.id), ("sufficient", "=", False)]).unlink()
        limit = model.outliers_.limit
        # an order that stands alone says nothing of what the others are worth
        usual = frame if limit is None else frame[frame["amount"] <= limit]
        revenue, value = float(usual["amount"].sum()), float(usual["value"].sum())
        backtest = model.backtest_
        total_error = (backtest or {}).get("methods", {}).get("product", {}).get("bias_pct") or 0.0
        first = int(frame["day"].min()) if len(frame) else None
        mean_interval, slow_interval = intervals
        return self.create(
            {
                "company_id": company.id,
                "mean_interval": mean_interval,
                "slow_interval": slow_interval,
                "as_of": today,
                "horizon": company.lifecycle_horizon,
                "discount_rate": company.lifecycle_discount_rate,
                "customer_count": model.n_customers_,
                "repeat_count": model.n_repeat_,
                "order_count": int((frame["amount"] > 0).sum()),
                "first_date": first is not None and EPOCH + timedelta(days=first),
                "sufficient": model.sufficient_,
                "missing": {name: list(pair) for name, pair in model.missing_.items()},
                "k": model.k_ or 0,
                "parameters": model.parameters_,
                "weights": model.weights_,
                "value_model": model.value_model_,
                "log_likelihood": model.log_likelihood_ or 0.0,
                "backtest": backtest,
                "total_error": total_error,
                "value_ratio": value / revenue if revenue > 0 else 1.0,
                "data": model.to_dict(),
            }
        )

    @api.model
    def _intervals(self, customers):
        """Mean and 90th percentile of the customers' days between orders, whole days.

        :param customers: SQL of a table with ``order_count`` and ``order_interval``, and its
            WHERE
        """
        self.env.cr.execute(
            SQL(
                """SELECT ROUND(AVG(order_interval)),
                          ROUND(percentile_cont(0.9) WITHIN GROUP (ORDER BY order_interval))
                     FROM %s AND order_count > 1""",
                customers,
            )
        )
        mean, slow = self.env.cr.fetchone()
        return float(mean or 0), float(slow or 0)

    @api.model
    def _current(self, company):
        """Newest model of a company; empty before its first fit."""
        return self.sudo().search([("company_id", "=", company.id)], order="id desc", limit=1)

    @api.model
    def _is_due(self, company, today):
        """Whether the company needs a new fit: none, a week old, or made for other settings."""
        current = self._current(company)
        return (
            not current
            or (today - current.as_of).days >= FIT_DAYS
            or current.horizon != company.lifecycle_horizon
            or current.discount_rate != company.lifecycle_discount_rate
            or not current.sufficient
            or not current._is_readable()
        )

    def _is_readable(self):
        """Whether this version of the kernel can read the stored fit."""
        self.ensure_one()
        return kernel.LifetimeModel.is_readable(self.data or {})
