"""A usual product is something that the customer likes, in a quantity that can be sold."""

from datetime import datetime, timedelta

from odoo import Command, fields

from ..common import LifecycleCase
from ..common_till import TillCase


class UsualCase(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("Usual Ltd")
        cls.env.user.company_id = cls.company
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": cls.company.ids})
        cls.today = cls.company._lifecycle_today()
        cls.customer = cls.new_customer("Usual", email="usual@example.com")
        cls.coffee = cls.product("Coffee")

    @classmethod
    def product(cls, name, **values):
        return cls.env["product.product"].create(
            {"name": name, "type": "service", "taxes_id": False, "list_price": 10, **values}
        )

    def sell(self, days_ago, *lines):
        """A confirmed order of (product, quantity, values)."""
        order = self.env["sale.order"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "product_uom_qty": quantity,
                            "price_unit": 10,
                            **(values[0] if values else {}),
                        }
                    )
                    for product, quantity, *values in lines
                ],
            }
        )
        order.action_confirm()
        order.date_order = datetime.combine(
            self.today - timedelta(days_ago), datetime.min.time()
        ) + timedelta(hours=12)
        return order

    def usual(self):
        self.env.flush_all()
        self.env["lifecycle.pipeline"]._refresh(self.company, self.customer.ids)
        self.env.invalidate_all()
        return self.profile(self.customer, self.company).usual_product_ids

    def added(self):
        """What the button writes into a new quotation, by product."""
        quotation = self.env["sale.order"].create(
            {"partner_id": self.customer.id, "company_id": self.company.id}
        )
        quotation.action_add_lifecycle_usual_items()
        return {line.product_id: line.product_uom_qty for line in quotation.order_line}


class TestUsualProducts(UsualCase):
    def test_quantities_can_be_sold(self):
        cups, sugar, tea = self.product("Cups"), self.product("Sugar"), self.product("Tea")
        flour = self.product("Flour", uom_id=self.env.ref("uom.product_uom_kgm").id)
        often = (6, 6, 10, 6, 6, 9, 11)
        other = (5, 8, 10, 7, 9, 6, 11)
        weighed = (2.4, 2.35, 2.5, 2.1, 2.2, 2.3, 2.05)
        for number in range(7):
            self.sell(
                30 * (7 - number),
                (cups, often[number]),
                (sugar, other[number]),
                (flour, weighed[number]),
                (tea, 1 if number % 2 else 0.4),
            )
        added = {product.name: quantity for product, quantity in self.added_all().items()}
        self.assertEqual(added["Cups"], 6, "what was bought most often")
        self.assertEqual(added["Sugar"], 11, "what was bought last")
        self.assertEqual(added["Flour"], 2.05, "flour is weighed")
        self.assertEqual(added["Tea"], 1, "never less than one")

    def added_all(self):
        return {usual.product_id: usual._quantity_to_sell() for usual in self.usual()}

    def test_the_button_writes_whole_units(self):
        for number, quantity in enumerate((5, 8, 10, 7, 9, 7, 8)):
            self.sell(30 * (7 - number), (self.coffee, quantity + (number == 0) * 0.97))
        self.usual()
        self.assertEqual(self.added(), {self.coffee: 8})

    def test_money_on_cards_is_no_usual_product(self):
        card, wallet = self.product("Gift card"), self.product("Top-up")
        for kind, product in (("gift_card", card), ("ewallet", wallet)):
            program = self.env["loyalty.program"].create(
                {"name": kind, "program_type": kind, "company_id": self.company.id}
            )
            # a point for each unit of money, as Odoo presets it
            program.rule_ids = [
                Command.clear(),
                Command.create({"reward_point_mode": "money", "reward_point_amount": 1}),
            ]
            program.rule_ids.product_ids = product
        for number in range(4):
            self.sell(30 * (4 - number), (self.coffee, 1), (card, 1), (wallet, 1))
        self.assertEqual(self.usual().product_id, self.coffee)

    def test_down_payments_are_no_usual_product(self):
        paid = self.product("Down payment")
        for number in range(4):
            self.sell(
                30 * (4 - number), (self.coffee, 1), (paid, 1, {"is_downpayment": True})
            )
        self.assertEqual(self.usual().product_id, self.coffee)

    def test_what_is_always_credited_is_no_usual_product(self):
        if not self.company.chart_template:
            self.env["account.chart.template"].try_loading("generic_coa", company=self.company)
        shoes = self.product("Shoes", invoice_policy="order")
        self.coffee.invoice_policy = "order"
        for number in range(4):
            order = self.sell(30 * (4 - number), (self.coffee, 3), (shoes, 2))
            invoice = order._create_invoices()
            invoice.action_post()
            wizard = (
                self.env["account.move.reversal"]
                .with_context(active_model="account.move", active_ids=invoice.ids)
                .create({"journal_id": invoice.journal_id.id, "date": fields.Date.today()})
            )
            wizard.reverse_moves()
            refund = wizard.new_move_ids
            # the coffee is kept, but for one
            for line in refund.invoice_line_ids:
                if line.product_id == self.coffee:
                    line.quantity = 1
            refund.action_post()
        usual = self.usual()
        self.assertEqual(usual.product_id, self.coffee)
        self.assertNotIn(shoes, usual.product_id)


class TestReturnedGoods(UsualCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        installed = cls.env["ir.module.module"].search([("name", "=", "sale_stock")])
        cls.is_installed = installed.state == "installed"

    def test_what_is_always_sent_back_is_no_usual_product(self):
        if not self.is_installed:
            self.skipTest("Needs the app Inventory (sale_stock).")
        shoes = self.product("Shoes", type="consu")
        for number in range(4):
            order = self.sell(30 * (4 - number), (self.coffee, 1), (shoes, 2))
            picking = order.picking_ids
            picking.move_ids.write({"quantity": 2, "picked": True})
            picking._action_done()
            wizard = self.env["stock.return.picking"].create({"picking_id": picking.id})
            wizard.product_return_moves.quantity = 2
            back = self.env["stock.picking"].browse(wizard.action_create_returns()["res_id"])
            back.move_ids.write({"quantity": 2, "picked": True})
            back._action_done()
            self.assertEqual(back.state, "done")
        self.assertEqual(self.usual().product_id, self.coffee)


class TestTips(TillCase):
    def test_tips_are_no_usual_product(self):
        self.shop.write({"iface_tipproduct": True, "tip_product_id": self.tip.id})
        for days_ago in (120, 90, 60, 30):
            tip = {"qty": 1, "price_unit": 4, "product_id": self.tip.id}
            self.sell((1, 20), tip, days_ago=days_ago)
        self.env["lifecycle.pipeline"]._refresh(self.company, self.customer.ids)
        usual = self.profile(self.customer, self.company).usual_product_ids
        self.assertEqual(usual.product_id, self.product)
