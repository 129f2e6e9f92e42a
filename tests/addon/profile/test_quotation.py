from datetime import datetime, timedelta

from odoo import Command
from odoo.exceptions import UserError

from ..common import LifecycleCase


class TestQuotation(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("Quotes Ltd")
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": cls.company.ids})
        cls.coffee, cls.cups = cls.env["product.product"].create(
            [
                {"name": "Coffee", "type": "service", "list_price": 50},
                {"name": "Cups", "type": "service", "list_price": 10},
            ]
        )
        cls.customer = cls.new_customer("Quoted", email="quoted@example.com")
        today = cls.company._lifecycle_today()
        for days in (90, 60, 30):
            order = cls.order(cls.coffee, cls.cups)
            order.action_confirm()
            order.date_order = datetime.combine(
                today - timedelta(days), datetime.min.time()
            ) + timedelta(hours=12)
        cls.env["lifecycle.pipeline"]._refresh(cls.company, cls.customer.ids)
        cls.env.invalidate_all()

    @classmethod
    def order(cls, *products):
        return cls.env["sale.order"].create(
            {
                "partner_id": cls.customer.id,
                "company_id": cls.company.id,
                "order_line": [
                    Command.create({"product_id": product.id, "product_uom_qty": 4})
                    for product in products
                ],
            }
        )

    def test_what_is_due_and_not_in_the_quotation_is_named_and_can_be_added(self):
        order = self.order(self.coffee)
        self.assertEqual(order.lifecycle_usual_items, "Cups (30 days ago)")
        order.action_add_lifecycle_usual_items()
        added = order.order_line - order.order_line[:1]
        self.assertEqual(added.product_id, self.cups)
        self.assertEqual(added.product_uom_qty, 4)
        self.assertEqual(added.price_unit, 10)
        self.assertFalse(order.lifecycle_usual_items)
        with self.assertRaisesRegex(UserError, "usually buys"):
            order.action_add_lifecycle_usual_items()

    def test_quantities_are_in_the_products_own_unit(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        today = self.company._lifecycle_today()
        tea = self.env["product.product"].create({"name": "Tea", "type": "service"})
        for days in (95, 65, 35):
            order = self.order(tea)
            order.order_line.write({"product_uom_id": dozen.id, "product_uom_qty": 2})
            order.action_confirm()
            order.date_order = datetime.combine(
                today - timedelta(days), datetime.min.time()
            ) + timedelta(hours=12)
        self.env["lifecycle.pipeline"]._refresh(self.company, self.customer.ids)
        self.env.invalidate_all()
        order = self.order(self.coffee, self.cups)
        order.action_add_lifecycle_usual_items()
        added = order.order_line[2:]
        self.assertEqual((added.product_id, added.product_uom_qty), (tea, 24))

    def test_confirmed_orders_and_strangers_have_no_hint(self):
        order = self.order(self.coffee)
        order.action_confirm()
        self.assertFalse(order.lifecycle_usual_items)
        other = self.new_customer("Stranger")
        order = self.env["sale.order"].create({"partner_id": other.id})
        self.assertFalse(order.lifecycle_usual_items)

    def test_products_no_longer_sold_are_not_offered(self):
        order = self.order(self.coffee)
        self.cups.sale_ok = False
        order.invalidate_recordset()
        self.assertFalse(order.lifecycle_usual_items)

    def test_a_colleagues_customer_gives_no_hint_to_who_may_only_see_his_own(self):
        sales = self.new_user("quote_sales", "sales_team.group_sale_salesman", self.company)
        other = self.new_user("quote_other", "sales_team.group_sale_salesman", self.company)
        self.customer.user_id = other
        order = self.order(self.coffee)
        order.user_id = sales
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertFalse(order.with_user(sales).lifecycle_usual_items)
        order.user_id = other
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertTrue(order.with_user(other).lifecycle_usual_items)
