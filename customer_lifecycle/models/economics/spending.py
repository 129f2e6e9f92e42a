"""Spending that people enter or import, spread over the days it was for.

In: an amount, its days, purpose and channel. Out: a row for each month that has begun, split into
getting and keeping customers to the cent. Read by the spending lines; slips in days, amounts and
currencies are refused.
"""

from odoo import api, fields, models
from odoo.tools import SQL

PURPOSES = [
    ("getting", "Getting customers"),
    ("keeping", "Keeping customers"),
    ("both", "Both"),
]

#: budgets are entered ahead, but not for a lifetime
SPENDING_DAYS_AHEAD = 3660


def monthly_sql(amount, digits, begun, total):
    """What of an amount falls on its first days, to the cent: months then add up to the whole."""
    return SQL("ROUND(%s * %s / %s, %s)", amount, begun, total, digits)


class LifecycleSpending(models.Model):
    """Money spent on getting or keeping customers, as somebody entered it."""

    _name = "lifecycle.spending"
    _inherit = "lifecycle.import.mixin"
    _description = "Money Spent on Customers"
    _order = "date_from desc, id desc"
    _check_company_auto = True

    name = fields.Char(string="What For", required=True)
    date_from = fields.Date(
        string="From", required=True, default=lambda self: self._default_date_from()
    )
    date_to = fields.Date(
        string="Until",
        required=True,
        compute="_compute_date_to",
        store=True,
        readonly=False,
        precompute=True,
        help="The money is spread evenly over the days from the first to the last.",
    )
    amount = fields.Monetary(
        required=True, help="Untaxed. A negative amount is money that came back."
    )
    currency_id = fields.Many2one(
        "res.currency", required=True, default=lambda self: self._default_currency_id()
    )
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )
    amount_company = fields.Monetary(
        string="Amount in Company Currency",
        compute="_compute_amount_company",
        store=True,
        currency_field="company_currency_id",
        help="Converted with the rate of the first day.",
    )
    purpose = fields.Selection(PURPOSES, required=True, default="getting")
    getting_percent = fields.Float(
        string="Share for Getting (%)",
        default=50.0,
        help="How much of it was for getting customers; the rest was for keeping them.",
    )
    source_id = fields.Many2one(
        "utm.source",
        index="btree_not_null",
        help="Where the customers came from whom this money brought, for example a search "
        "engine. Leave source, medium and campaign empty if it was for all of them.",
    )
    medium_id = fields.Many2one(
        "utm.medium",
        index="btree_not_null",
        help="The way on which they came, for example e-mail.",
    )
    campaign_id = fields.Many2one("utm.campaign", index="btree_not_null")
    stage_id = fields.Many2one(
        "lifecycle.stage", string="For Stage", help="Customers in which stage it was for."
    )
    segment_id = fields.Many2one(
        "lifecycle.segment",
        string="For Segment",
        domain="[('proposal_of_id', '=', False)]",
        help="Customers in which segment it was for.",
    )
    bill_id = fields.Many2one(
        "account.move",
        string="Vendor Bill",
        domain="[('move_type', 'in', ['in_invoice', 'in_refund', 'in_receipt'])]",
        check_company=True,
        # a bill is spent once; nor could who may not see it copy the rest
        copy=False,
        index="btree_not_null",
        groups="account.group_account_readonly,account.group_account_invoice",
        help="If the bill for it is in Odoo too, name it here: it then is not counted again by "
        "the spending sources.",
    )
    note = fields.Text()

    _dates_in_order = models.Constraint(
        "CHECK (date_to >= date_from)", "The last day must not be before the first."
    )
    _share_range = models.Constraint(
        "CHECK (getting_percent BETWEEN 0 AND 100)", "Choose a share between 0 and 100 %."
    )

    @api.model
    def _default_date_from(self):
        return fields.Date.context_today(self)

    @api.depends("date_from")
    def _compute_date_to(self):
        for spending in self:
            first, last = spending.date_from, spending.date_to
            if not last or (first and last < first):
                spending.date_to = first

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if not vals.get("date_to"):
                # an empty cell of an import is no day of its own
                vals.pop("date_to", None)
        return super().create(vals_list)

    @api.depends("amount", "currency_id", "company_id", "date_from")
    def _compute_amount_company(self):
        for spending, convert in self._converted("date_from"):
            spending.amount_company = convert(spending.amount)

    @api.constrains("date_from", "date_to", "amount", "currency_id", "company_id")
    def _check_plausible(self):
        """Refuse slips: spread from the year 202 on, money would fall on thousands of months."""
        for spending in self:
            company = spending.company_id.sudo()
            for day in (spending.date_from, spending.date_to):
                company._lifecycle_check_day(day, SPENDING_DAYS_AHEAD)
            company._lifecycle_check_amount(spending.amount_company)

    @api.model
    def get_import_templates(self):
        return [
            {
                "label": self.env._("Import Template for Money Spent"),
                "template": "/customer_lifecycle/static/xls/money_spent.xlsx",
            }
        ]

    @api.model
    def _rows_sql(self, company, today):
        """SELECT of what was entered for a company, a row for each month that has begun.

        Days after today do not count yet; the months of a record add up to its amount to the
        cent, and so do the parts for getting and keeping.
        """
        digits = company.currency_id.decimal_places
        days = SQL("(spending.date_to - spending.date_from + 1)")
        amount = SQL("spending.amount_company")
        return SQL(
            """SELECT 'lifecycle.spending' AS res_model, spending.id AS res_id,
                      NULL::integer AS spending_source_id, 'hand' AS kind,
                      NULL::integer AS partner_id, span.first AS date,
                      split.getting, span.amount - split.getting AS keeping,
                      spending.source_id, spending.medium_id, spending.campaign_id,
                      spending.stage_id, spending.segment_id
                 FROM lifecycle_spending spending
                 CROSS JOIN LATERAL generate_series(
                          date_trunc('month', spending.date_from::timestamp),
                          LEAST(spending.date_to, %(today)s)::timestamp,
                          INTERVAL '1 month') month
                 CROSS JOIN LATERAL (
                     SELECT GREATEST(spending.date_from, month::date) AS first,
                            LEAST(spending.date_to, %(today)s,
                                  (month + INTERVAL '1 month - 1 day')::date) AS last
                 ) days
                 CROSS JOIN LATERAL (
                     SELECT days.first, %(before)s AS before,
                            %(until)s - %(before)s AS amount
                 ) span
                 CROSS JOIN LATERAL (
                     SELECT CASE spending.purpose
                            WHEN 'getting' THEN span.amount
                            WHEN 'keeping' THEN 0
                            ELSE ROUND((span.before + span.amount) * share.of, %(digits)s)
                                 - ROUND(span.before * share.of, %(digits)s)
                            END AS getting
                       FROM (SELECT spending.getting_percent::numeric / 100 AS of) share
                 ) split
                WHERE spending.company_id = ANY(%(companies)s)
                  AND spending.date_from <= %(today)s""",
            today=today,
            before=monthly_sql(amount, digits, SQL("(days.first - spending.date_from)"), days),
            until=monthly_sql(amount, digits, SQL("(days.last - spending.date_from + 1)"), days),
            digits=digits,
            companies=company._lifecycle_family().ids,
        )
