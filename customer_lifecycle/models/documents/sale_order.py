"""On quotations: the customer in one sentence, usual products due, and what the next tier takes.

In: the customer's profile in the quotation's company, and the lines so far. Out: a headline, up
to three products, a button that adds them in their usual quantity, and a hint on what the next
tier takes with this quotation counted in. Called by the forms of quotations.
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

    _name = "sale.order"
    _inherit = ["sale.order", "lifecycle.customer.mixin"]

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
    vip_hint = fields.Char(
        compute="_compute_vip_hint",
        groups=SALES,
        help="The customer's VIP tier, until when, and what the next one takes with this "
        "quotation counted in.",
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

    # ----- THE NEXT TIER -----

    @api.depends_context("lang", "uid")
    @api.depends("partner_id", "company_id", "amount_untaxed", "state")
    def _compute_vip_hint(self):
        for order in self:
            # figures of the order's company, whichever one the reader works in
            company = order.company_id._lifecycle_tier_company()
            if company.id not in self.env.user._get_company_ids():
                # the figures that decide are those of a head office that he may not look into
                company = order.company_id
            profile = order.partner_id.with_company(company).lifecycle_profile_id
            if not profile:
                order.vip_hint = False
                continue
            is_open = order.state in ("draft", "sent") and order.amount_untaxed > 0
            order.vip_hint = profile._vip_tier_text(
                order._lifecycle_value() if is_open else 0, orders=int(is_open)
            )

    def _lifecycle_value(self):
        """What the order is worth to its company, as the settings say what value is."""
        self.ensure_one()
        rate = self.currency_rate
        company = self.company_id.sudo()
        if not rate or not company._lifecycle_knows_rate(self.currency_id):
            return 0  # nobody knows what it is worth
        amount = self.amount_untaxed / rate
        if company.lifecycle_value == "revenue":
            return amount
        if company.lifecycle_value == "margin" and "margin" in self._fields:
            # sudo: the sum only, as the stored margin of confirmed orders counts for everybody
            return self.sudo()["margin"] / rate
        return amount * company.lifecycle_margin_percent / 100
