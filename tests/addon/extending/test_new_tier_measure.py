"""A new thing for VIP tiers to count: the orders of one product category, in 365 days."""

from datetime import timedelta
from unittest.mock import patch

from odoo import Command
from odoo.tools import SQL

from odoo.addons.customer_lifecycle.models.vip import measures

from ..common_tiers import START, TierCase


class CategoryOrders(measures.Measure):
    """The orders in which a customer bought something of a category."""

    name, label, counts_orders, in_window = "tea", "Orders of tea", True, True

    def __init__(self, category):
        self.category = category

    def windows(self, tier):
        count = SQL(
            """(SELECT COUNT(DISTINCT line.order_id) FROM sale_order_line line
                  JOIN sale_order ordering ON ordering.id = line.order_id
                  JOIN product_product product ON product.id = line.product_id
                  JOIN product_template template ON template.id = product.product_tmpl_id
                 WHERE line.order_partner_id = profile.partner_id AND line.state = 'sale'
                   AND ordering.date_order > %s AND template.categ_id = %s)""",
            tier.company_id._lifecycle_today() - timedelta(365),
            self.category.id,
        )
        return [measures.SqlWindow(count, count)]


class TestNewTierMeasure(TierCase):
    def test_tier_by_orders_of_a_category(self):
        tea = self.env["product.category"].create({"name": "Tea"})
        product = self.env["product.product"].create({"name": "Darjeeling", "categ_id": tea.id})
        self.startPatcher(patch.dict(measures.MEASURES))
        measures.register(CategoryOrders(tea))
        tier = self.new_tier(measure="tea", entry_orders=3)
        for partner, count in zip(self.crowd[:2], (4, 2), strict=True):
            for number in range(count):
                values = {"product_id": product.id, "price_unit": 5}
                order = self.env["sale.order"].create(
                    {"partner_id": partner.id, "order_line": [Command.create(values)]}
                )
                order.action_confirm()
                order.date_order = START - timedelta(20 * number)
        self.begin()
        self.assertEqual([self.tier(one) for one in self.crowd[:3]], ["Gold", None, None])
        with self.on(START):
            member, other = (self.profile(partner) for partner in self.crowd[:2])
            self.assertIn("4 orders in the last 12 months; Gold from 3 orders", member.vip_why)
            self.assertEqual((other.vip_next_tier_id, other.vip_next_amount), (tier, 1))
            self.assertIn("1 orders more makes them Gold", other._vip_tier_text())
