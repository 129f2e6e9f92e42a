"""On quotations: the customer in one sentence, and usual products due that are not in it.

In: the customer's profile in the quotation's company, and the lines so far. Out: a headline, up
to three products, and a button that adds them in their usual quantity. Called by the forms of
quotations; opportunities have the headline only.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain
from odoo.tools import SQL

from .customer_mixin import SALES

#: products named on a quotation
NAMED = 3


class SaleOrder(models.Model):
    """Who the quotation is for, and what he usually buys that is not in it."""

    # stages and tiers of the customer are fields of their own file
    _inherit = "sale.order"  # pylint: disable=consider-merging-classes-inherited

    lifecycle_headline = fields.Char(
        compute="_compute_lifecycle_headline", string="Customer in One Sentence", groups=SALES
    )
    lifecycle_stage_tone = fields.Selection(
        related="partner_id.lifecycle_stage_tone", groups=SALES
    )
    lifecycle_usual_items = fields.Char(
        string="Usually Also Buys",
        compute="_compute_lifecycle_usual_items",
        groups=SALES,
        help="Products that are due at the customer's own rhythm and not in this quotation.",
    )

    @api.depends_context("lang", "uid")
    @api.depends("partner_id", "company_id")
    def _compute_lifecycle_headline(self):
        for order in self:
            # figures of the order's company, whichever one the reader works in
            customer = order.partner_id.with_company(order.company_id)
            order.lifecycle_headline = customer.lifecycle_profile_id.headline

    @api.depends_context("lang", "uid")
    @api.depends("partner_id", "company_id", "state", "order_line.product_id")
    def _compute_lifecycle_usual_items(self):
        for order in self:
            today = order._lifecycle_today()
            order.lifecycle_usual_items = (
                ", ".join(
                    self.env._(
                        "%(product)s (%(days)s days ago)",
                        product=product,
                        days=(today - last_date).days,
                    )
                    for _id, product, last_date in order._lifecycle_due_products()
                )
                or False
            )

    def _lifecycle_today(self):
        return (self.company_id or self.env.company).sudo()._lifecycle_today()

    def _lifecycle_due_products(self):
        """Usual products that are due again and not in this quotation, the most valuable first.

        :return: list of (id of the usual product, the product's name, day it was last bought)
        """
        self.ensure_one()
        if self.state not in ("draft", "sent") or not self.partner_id:
            return []
        customer = self.partner_id.with_company(self.company_id)
        profile = customer.lifecycle_profile_id
        if not profile:
            return []
        usual = self.env["lifecycle.usual.product"]
        today = self._lifecycle_today()

        def is_due(model, alias, query):
            last_date, gap = (
                model._field_to_sql(alias, name, query) for name in ("last_date", "gap")
            )
            return SQL("%s::date - %s >= 0.8 * %s", today, last_date, gap)

        query = usual._search(
            Domain("profile_id", "=", profile.id)
            & Domain("product_id", "not in", self.order_line.product_id._origin.ids)
            & Domain("product_id.active", "=", True)
            & Domain("product_id.sale_ok", "=", True)
            & Domain("missing_until", ">=", today)
            & Domain.custom(to_sql=is_due),
            order=usual._order,
            limit=NAMED,
        )
        # names and all in one query: a quotation is opened all day
        columns = (
            usual._field_to_sql(usual._table, name, query)
            for name in ("id", "product_name", "last_date")
        )
        return self.env.execute_query(query.select(*columns))

    def action_add_lifecycle_usual_items(self):
        """Add the named products, each with its usual quantity at the quotation's prices."""
        self.ensure_one()
        due = self.env["lifecycle.usual.product"].browse(
            usual_id for usual_id, _name, _last_date in self._lifecycle_due_products()
        )
        if not due:
            raise UserError(self.env._("Nothing that this customer usually buys is due."))
        self.order_line = [
            Command.create(
                {
                    "product_id": usual.product_id.id,
                    "product_uom_qty": usual._quantity_to_sell(),
                }
            )
            for usual in due
        ]


class CrmLead(models.Model):
    # stages and tiers of the customer are fields of their own file
    _inherit = "crm.lead"  # pylint: disable=consider-merging-classes-inherited

    lifecycle_headline = fields.Char(
        related="partner_id.lifecycle_headline", string="Customer in One Sentence", groups=SALES
    )
    lifecycle_stage_tone = fields.Selection(
        related="partner_id.lifecycle_stage_tone", groups=SALES
    )
