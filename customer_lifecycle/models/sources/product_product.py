"""Products that stand for money instead of goods.

Comes in: gift cards and eWallets of loyalty programs, and what tills call tip and down payment.
Goes out: a field of products that filters of revenue sources ask for.
"""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class LifecycleRevenueSource(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.revenue.source"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _money_products_sql(self):
        """SELECT of the products that are no goods, whichever document they are on.

        Gift cards and top-ups, what these pay with, tips, and down payments at the till, which are
        part of the order that they are made for.
        """
        parts = [
            self._filling_products_sql(),
            self._payment_products_sql(),
            SQL(
                """SELECT res_id FROM ir_model_data
                    WHERE model = 'product.product' AND (module, name) IN (
                          ('loyalty', 'gift_card_product_50'), ('loyalty', 'ewallet_product_50'),
                          ('point_of_sale', 'product_product_tip'))"""
            ),
        ]
        for name in ("tip_product_id", "down_payment_product_id"):
            if name in self.env.get("pos.config", self)._fields:
                column = SQL.identifier(name)
                parts.append(SQL("SELECT %s FROM pos_config WHERE %s IS NOT NULL", column, column))
        return SQL(" UNION ").join(parts)


class ProductProduct(models.Model):
    _inherit = "product.product"

    lifecycle_is_money = fields.Boolean(
        string="Money, Not Goods",
        compute="_compute_lifecycle_is_money",
        search="_search_lifecycle_is_money",
        help="Gift cards and top-ups of eWallets, what these pay with, tips, and down payments at "
        "the till: no purchase of goods.",
    )

    def _compute_lifecycle_is_money(self):
        # sudo: which products are money is no secret
        money = self.sudo().search(
            [("id", "in", self.ids), ("lifecycle_is_money", "=", True)]
        )
        for product in self:
            product.lifecycle_is_money = product in money

    def _search_lifecycle_is_money(self, operator, value):
        if operator != "in" or True not in value:
            return NotImplemented
        if False in value:
            return Domain.TRUE
        return Domain(
            "id", "in", SQL("(%s)", self.env["lifecycle.revenue.source"]._money_products_sql())
        )
