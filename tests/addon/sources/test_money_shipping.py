"""Goods that are shipped and come back, and shipping of nothing."""

from unittest import SkipTest

from ..common_money import MoneyCase


class ShippingCase(MoneyCase):
    """What one app brings to orders; skipped where it is not installed."""

    app, module = "", ""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not cls.module:
            raise SkipTest("The base of the tests of single apps.")
        installed = cls.env["ir.module.module"].search([("name", "=", cls.module)])
        if installed.state != "installed":
            raise SkipTest(f"Needs the app {cls.app} ({cls.module}).")


class TestTransfers(ShippingCase):
    app, module = "Inventory", "sale_stock"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.goods = {
            policy: cls.env["product.product"].create(
                {"name": f"Goods by {policy}", "type": "consu", "invoice_policy": policy,
                 "list_price": 10, "taxes_id": False}
            )
            for policy in ("order", "delivery")
        }

    def goods_order(self, policy="delivery", quantity=10, *more):
        line = {"product_id": self.goods[policy].id, "product_uom_qty": quantity,
                "price_unit": 10}
        return self.order(line, *more)

    def open(self, order):
        return order.picking_ids.filtered(lambda one: one.state not in ("done", "cancel"))

    def ship(self, order, quantity, rest="cancel"):
        """Ship the first line; the rest is cancelled or left for later."""
        picking = self.open(order)
        picking.move_ids[0].quantity = quantity
        picking.move_ids[0].picked = True
        context = {"skip_backorder": True}
        if rest == "cancel":
            context["picking_ids_not_to_backorder"] = picking.ids
        picking.with_context(**context).button_validate()
        self.assertEqual(picking.state, "done")
        return picking

    def bring_back(self, picking, quantity):
        wizard = (
            self.env["stock.return.picking"]
            .with_context(
                active_id=picking.id, active_ids=picking.ids, active_model="stock.picking"
            )
            .create({})
        )
        wizard.product_return_moves.quantity = quantity
        action = wizard.action_create_returns()
        back = self.env["stock.picking"].browse(action["res_id"])
        back.move_ids.picked = True
        back.with_context(skip_backorder=True).button_validate()
        self.assertEqual(back.state, "done")

    def test_rest_that_was_cancelled_does_not_count(self):
        order = self.goods_order()
        self.assertFigures(revenue=100, order_count=1)
        self.ship(order, 6)
        self.assertFigures(revenue=60, order_count=1)
        self.assertEqual(self.invoice(order).amount_untaxed, 60)
        self.assertFigures(revenue=60, order_count=1)

    def test_rest_that_is_still_to_come_counts(self):
        order = self.goods_order()
        self.ship(order, 6, rest="later")
        self.invoice(order)
        self.assertFigures(revenue=100, order_count=1)
        self.empty_queue()
        self.open(order).action_cancel()
        self.assertIn((self.customer.id, self.company.id), self.queued())
        self.assertFigures(revenue=60, order_count=1)

    def test_all_returned_before_the_invoice_is_no_purchase(self):
        for policy in ("delivery", "order"):
            with self.subTest(policy=policy):
                order = self.goods_order(policy)
                self.bring_back(self.ship(order, 10), 10)
                self.assertEqual(order.order_line.qty_delivered, 0)
                self.assertFigures(revenue=0, order_count=0)

    def test_part_returned_before_the_invoice(self):
        order = self.goods_order()
        self.bring_back(self.ship(order, 10), 4)
        self.assertFigures(revenue=60, order_count=1)
        self.assertEqual(self.invoice(order).amount_untaxed, 60)
        self.assertFigures(revenue=60, order_count=1)

    def test_returned_after_the_invoice_counts_until_it_is_credited(self):
        order = self.goods_order()
        picking = self.ship(order, 10)
        self.invoice(order)
        self.bring_back(picking, 10)
        self.assertFigures(revenue=100, order_count=1)
        self.assertEqual(self.invoice(order, days_ago=5).move_type, "out_refund")
        self.assertFigures(revenue=0, order_count=0)

    def test_more_shipped_than_ordered(self):
        order = self.goods_order()
        self.ship(order, 12)
        self.assertEqual(self.invoice(order).amount_untaxed, 120)
        self.assertFigures(revenue=120, order_count=1)

    def test_transfer_that_was_cancelled_whole_is_no_purchase(self):
        order = self.goods_order()
        self.open(order).action_cancel()
        self.assertFigures(revenue=0, order_count=0)
        order = self.goods_order("order")
        self.open(order).action_cancel()
        self.assertFigures(revenue=100, order_count=1)

    def test_discount_of_what_all_came_back_leaves_nobody_below_nought(self):
        order = self.goods_order("delivery", 10, -15)
        self.bring_back(self.ship(order, 10), 10)
        self.assertFigures(revenue=0, order_count=0)

    def test_services_beside_goods_count(self):
        order = self.goods_order("delivery", 10, 30)
        self.bring_back(self.ship(order, 10), 10)
        self.assertFigures(revenue=30, order_count=1)


class TestMilestones(ShippingCase):
    app, module = "Sales in Projects", "sale_project"

    def test_milestones_that_are_still_to_be_reached_count(self):
        project = self.env["product.product"].create(
            {"name": "Building", "type": "service", "invoice_policy": "delivery",
             "service_type": "milestones", "service_tracking": "project_only",
             "list_price": 1000, "taxes_id": False}
        )
        order = self.order({"product_id": project.id, "price_unit": 1000})
        # the one that Odoo makes of the line
        self.env["project.milestone"].search([("sale_line_id", "=", order.order_line.id)]).unlink()
        first, last = self.env["project.milestone"].create(
            [
                {"name": name, "project_id": order.project_ids.id, "quantity_percentage": part,
                 "sale_line_id": order.order_line.id}
                for name, part in (("Foundation", 0.3), ("Roof", 0.5))
            ]
        )
        self.assertFigures(revenue=1000, order_count=1)
        first.is_reached = True
        self.assertEqual(self.invoice(order).amount_untaxed, 300)
        self.assertFigures(revenue=1000, order_count=1)
        # the rest was agreed not to be built
        last.is_reached = True
        self.invoice(order, days_ago=5)
        self.assertFigures(revenue=800, order_count=1)


class TestShipping(ShippingCase):
    app, module = "Delivery Costs", "delivery"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        product = cls.env["product.product"].create(
            {"name": "Parcel", "type": "service", "taxes_id": False, "invoice_policy": "order"}
        )
        cls.carrier = cls.env["delivery.carrier"].create(
            {"name": "Parcel", "product_id": product.id, "fixed_price": 5}
        )

    def shipped(self, *lines, price=5, **values):
        order = self.order(*lines, **values)
        order.set_delivery_line(self.carrier, price)
        self.assertTrue(order.order_line.filtered("is_delivery"))
        return order

    def test_free_sample_with_shipping_is_no_purchase(self):
        order = self.shipped((1, 0))
        self.assertEqual(order.amount_untaxed, 5)
        self.assertFigures(revenue=0, order_count=0, first_order_date=None)

    def test_shipping_of_goods_is_revenue(self):
        self.shipped(4)
        self.assertFigures(revenue=9, order_count=1)

    def test_shipping_that_costs_more_than_the_goods_is_revenue(self):
        self.shipped(4, price=30)
        self.assertFigures(revenue=34, order_count=1)

    def test_goods_for_nothing_by_a_discount(self):
        self.shipped(40, -40)
        self.assertFigures(revenue=0, order_count=0)

    def test_shipping_that_is_kept_when_all_goods_are_credited_is_no_purchase(self):
        invoice = self.invoice(self.shipped(100))
        self.assertEqual(invoice.amount_untaxed, 105)
        self.credit(invoice, quantities={1: 0})
        self.assertFigures(revenue=0, order_count=0)

    def test_shipping_that_is_kept_on_an_invoice_is_no_purchase(self):
        self.company.lifecycle_basis = "invoices"
        invoice = self.invoice(self.shipped((2, 50)))
        self.credit(invoice, quantities={0: 1, 1: 0})
        self.assertFigures(revenue=55, order_count=1)
        self.credit(invoice, quantities={0: 1, 1: 0}, days_ago=5)
        self.assertFigures(revenue=0, order_count=0, first_order_date=None)

    def test_part_of_the_goods_credited_keeps_the_shipping(self):
        invoice = self.invoice(self.shipped((4, 25)))
        self.credit(invoice, quantities={0: 1, 1: 0})
        self.assertFigures(revenue=80, order_count=1)

    def test_gift_card_sent_by_post_is_no_purchase(self):
        self.shipped(self.fill(self.payment_program()))
        self.assertFigures(revenue=0, order_count=0)

    def test_invoice_of_a_free_sample_with_shipping_is_no_purchase(self):
        self.company.lifecycle_basis = "invoices"
        invoice = self.invoice(self.shipped((1, 0)))
        self.assertFigures(revenue=0, order_count=0)
        self.credit(invoice)
        self.assertFigures(revenue=0, order_count=0)
        self.invoice(self.shipped(40))
        self.assertFigures(revenue=45, order_count=1)
