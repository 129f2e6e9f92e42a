"""Refunds that come as records of the same model as sales, as lines of a till do.

Comes in: paths of a revenue source that tell a refund from a sale, and the sale from which the
goods were taken back. Goes out: SQL of signed amounts, and of refunds that belong to the customer
and the day of their sale. Called by the compilation of revenue sources.
"""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .money import converter
from .paths import number_sql

#: paths that lead to what is said by the sale where there is one
OF_SALE = ("partner_path", "date_path", "rate_path", "currency_path", "document_path")


class LifecycleRevenueSource(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.revenue.source"  # pylint: disable=consider-merging-classes-inherited

    quantity_path = fields.Char(
        string="Quantity Field",
        help="Says by its sign whether a record sells or takes back, whatever sign the amount has: "
        "a till stores refunds with a negative quantity and a positive amount. Empty: the amount "
        "says it.",
    )
    price_path = fields.Char(
        string="Unit Price Field",
        help="Beside the quantity: a discount that is sold has a negative price.",
    )
    refunded_path = fields.Char(
        string="Refunded Record Field",
        help="Leads from a refund to the record of the same model that it takes back. The refund "
        "is taken off that one: off its customer, on its day, at its rate, whoever the refund "
        "names.",
    )
    waits_for = fields.Char(
        help="Model or field without which the source counts nothing, for example "
        "pos.order.line.sale_order_line_id. The app that brings it may be installed later."
    )

    # ----- STATE -----

    @api.depends("waits_for", "quantity_path", "price_path", "refunded_path")
    def _compute_state(self):
        return super()._compute_state()

    @api.constrains("waits_for")
    def _check_waits_for(self):
        self._check_compiles()

    # ----- SIGN -----

    def _signed_sql(self, model, table, query, amount):
        """SQL of the amount of a record: above nought what is sold, below what is taken back."""
        if self.quantity_path:
            sign = SQL("SIGN(%s)", number_sql(model, query, self.quantity_path))
            if self.price_path:
                price = number_sql(model, query, self.price_path)
                sign = SQL("%s * SIGN(%s)", sign, price)
            # without quantity or price there is nothing to go by
            amount = SQL(
                "(CASE WHEN %s = 0 THEN %s ELSE ABS(%s) * %s END)", sign, amount, amount, sign
            )
        return SQL("-%s", amount) if self.negate else amount

    # ----- REFUNDS OF A SALE -----

    def _own_domain(self):
        """Domain of the records that stand for themselves."""
        return Domain(self.refunded_path, "=", False) if self.refunded_path else Domain.TRUE

    def _compile(self, company, partner_ids=None, among=None, bought=None):
        rows = super()._compile(company, partner_ids, among, bought)
        if not self.refunded_path:
            return rows
        refunds = super(LifecycleRevenueSource, self._refunds())._compile(
            company, partner_ids, among, bought
        )
        return SQL("%s UNION ALL %s", rows, refunds)

    def _refunds(self):
        """This source as it reads refunds of known sales: everything but the amount is the sale's.

        Two queries instead of one that looks at both records of each: the customers of both are
        found by an index.
        """
        self.ensure_one()
        values = {name: f"{self.refunded_path}.{self[name]}" for name in OF_SALE if self[name]}
        values.setdefault("document_path", self.refunded_path)
        domain = Domain(self.refunded_path, "!=", False) & self._domain()
        return self.new(
            {**values, "refunded_path": False, "domain": repr(list(domain))}, origin=self
        )

    def _is_refunds(self):
        return self._origin.id != self.id

    def _refund_worth(self, model, table, query, company, day, net):
        """SQL of (amount before refunds, refunded at the sale's rate, the same at its own rate)."""
        taken = SQL("-%s", net)
        at_own_rate = converter(self._origin, model, query, company, day)
        return SQL("0.0"), taken, at_own_rate(taken)

    def _partner_paths(self):
        """Ways to the customers whom a change of a record concerns."""
        self.ensure_one()
        if not self.refunded_path:
            return [self.partner_path]
        return [self.partner_path, f"{self.refunded_path}.{self.partner_path}"]
