"""Sales in the shop count once, whatever else Odoo writes about them."""

from unittest import SkipTest
from uuid import uuid4

from odoo import fields
from odoo.fields import Command

from .common_money import MoneyCase


class TestPointOfSale(MoneyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        module = cls.env["ir.module.module"].search([("name", "=", "pos_sale")])
        if module.state != "installed":
            raise SkipTest("Needs the app Point of Sale with its sales link (pos_sale).")
        journal = cls.env["account.journal"].create(
            {"name": "Till", "type": "cash", "code": "TILL", "company_id": cls.company.id}
        )
        cls.method = cls.env["pos.payment.method"].create(
            {"name": "Cash", "journal_id": journal.id, "company_id": cls.company.id}
        )
        cls.shop = cls.env["pos.config"].create(
            {
                "name": "Shop",
                "company_id": cls.company.id,
                "payment_method_ids": [Command.set(cls.method.ids)],
            }
        )
        cls.product.write({"available_in_pos": True})
        cls.shop.open_ui()
        cls.session = cls.shop.current_session_id
        cls.session.set_opening_control(0, None)

    def sell(self, *lines, invoice=False):
        """A paid order as the till sends it; a line is an amount or a dict of line values."""
        values = [line if isinstance(line, dict) else {"price_unit": line} for line in lines]
        for line in values:
            line.setdefault("qty", 1)
            line.setdefault("product_id", self.product.id)
            line.update(
                price_subtotal=line["qty"] * line["price_unit"],
                price_subtotal_incl=line["qty"] * line["price_unit"],
                tax_ids=[],
            )
        total = sum(line["price_subtotal"] for line in values)
        order = {
            "uuid": str(uuid4()),
            "session_id": self.session.id,
            "partner_id": self.customer.id,
            "user_id": self.env.uid,
            "date_order": fields.Datetime.to_string(fields.Datetime.now()),
            "amount_paid": total,
            "amount_total": total,
            "amount_tax": 0,
            "amount_return": 0,
            "fiscal_position_id": False,
            "to_invoice": invoice,
            "is_refund": total < 0,
            "lines": [Command.create(line) for line in values],
            "payment_ids": [
                Command.create(
                    {
                        "amount": total,
                        "name": fields.Datetime.now(),
                        "payment_method_id": self.method.id,
                    }
                )
            ],
        }
        # the till's PDF of the invoice is not our concern here
        orders = self.env["pos.order"].with_context(generate_pdf=False)
        orders.sync_from_ui([order])
        return self.env["pos.order"].search([("uuid", "=", order["uuid"])])

    def settle(self, order, invoice=False):
        """Pay a sale order in the shop."""
        return self.sell(
            *(
                {
                    "price_unit": line.price_unit,
                    "qty": line.product_uom_qty,
                    "product_id": line.product_id.id,
                    "sale_order_origin_id": order.id,
                    "sale_order_line_id": line.id,
                }
                for line in order.order_line
            ),
            invoice=invoice,
        )

    def give_back(self, sold, quantity, invoice=False):
        """A refund as the till sends it."""
        line = sold.lines[0]
        return self.sell(
            {
                "price_unit": line.price_unit,
                "qty": -quantity,
                "product_id": line.product_id.id,
                "refunded_orderline_id": line.id,
            },
            invoice=invoice,
        )

    def assertOnBothBases(self, **expected):
        for basis in ("orders", "invoices"):
            self.company.lifecycle_basis = basis
            with self.subTest(basis=basis):
                self.assertFigures(**expected)

    def test_sale_in_the_shop_counts(self):
        self.sell(30, 12)
        self.assertOnBothBases(revenue=42, order_count=1)

    def test_invoiced_sale_in_the_shop_counts_once(self):
        sold = self.sell(30, 12, invoice=True)
        self.assertEqual(sold.account_move.state, "posted")
        self.assertOnBothBases(revenue=42, order_count=1)

    def test_sale_invoiced_later_counts_once(self):
        sold = self.sell(30, 12)
        sold.with_context(generate_pdf=False).action_pos_order_invoice()
        self.assertEqual(sold.account_move.state, "posted")
        self.assertOnBothBases(revenue=42, order_count=1)

    def test_refund_in_the_shop_lowers_value(self):
        self.give_back(self.sell({"price_unit": 10, "qty": 4}), 1)
        self.assertOnBothBases(revenue=30)

    def test_invoiced_refund_in_the_shop_lowers_value_once(self):
        sold = self.sell({"price_unit": 10, "qty": 4}, invoice=True)
        refund = self.give_back(sold, 1, invoice=True)
        self.assertEqual(refund.account_move.move_type, "out_refund")
        self.assertOnBothBases(revenue=30)

    def test_order_settled_in_the_shop_counts_once(self):
        self.settle(self.order((4, 10), 2, days_ago=0))
        self.assertOnBothBases(revenue=42, order_count=1)

    def test_order_settled_and_invoiced_in_the_shop_counts_once(self):
        sold = self.settle(self.order((4, 10), 2, days_ago=0), invoice=True)
        self.assertEqual(sold.account_move.state, "posted")
        self.assertOnBothBases(revenue=42, order_count=1)

    def test_refund_of_a_settled_order_lowers_value_once(self):
        for invoice in (False, True):
            with self.subTest(invoice=invoice):
                sold = self.settle(self.order((4, 10), days_ago=0), invoice=invoice)
                self.give_back(sold, 1, invoice=invoice)
        self.assertOnBothBases(revenue=60)

    def test_return_made_in_the_back_office_lowers_value_once(self):
        for sold in (
            self.sell({"price_unit": 10, "qty": 4}),
            self.settle(self.order((4, 10), 60, days_ago=0)),
        ):
            refund = sold._refund()
            refund.lines[0].qty = -1
            refund.lines[0]._onchange_amount_line_all()
            refund.lines[1:].unlink()
            refund._compute_prices()
            self.env["pos.make.payment"].with_context(
                active_id=refund.id, active_ids=refund.ids
            ).create({"amount": refund.amount_total, "payment_method_id": self.method.id}).check()
            self.assertEqual(refund.state, "paid")
            self.assertEqual(refund.amount_total, -10)
        self.assertOnBothBases(revenue=120)

    def test_down_payment_in_the_shop_is_part_of_its_order(self):
        order = self.order((4, 10), days_ago=0)
        deposit = self.env["product.product"].create(
            {"name": "Down payment", "type": "service", "taxes_id": False,
             "available_in_pos": True}
        )
        self.shop.down_payment_product_id = deposit
        self.sell({"price_unit": 15, "product_id": deposit.id, "sale_order_origin_id": order.id})
        self.assertFigures(revenue=40, order_count=1)

    def test_walk_in_sale_belongs_to_nobody(self):
        sold = self.sell(30)
        self.env.cr.execute("UPDATE pos_order SET partner_id = NULL WHERE id = %s", [sold.id])
        self.env.invalidate_all()
        self.assertOnBothBases(revenue=None)

    def test_who_bought_last_gets_the_messages(self):
        """At a company whose people buy in the shop, on either basis."""
        firm = self.customer
        firm.is_company = True
        first, second = (
            self.new_customer(name, parent_id=firm.id, email=f"{name}@example.com")
            for name in ("first", "second")
        )
        sold = []
        for buyer, days in ((first, 9), (second, 5), (first, 3)):
            self.customer = buyer
            sold.append(self.sell(30))
            sold[-1].date_order = fields.Datetime.subtract(fields.Datetime.now(), days=days)
        # what is brought back is no purchase
        self.customer = second
        self.give_back(sold[1], 1)
        for basis in ("orders", "invoices"):
            self.company.lifecycle_basis = basis
            last = self.env["lifecycle.consent"]._last_ordering(firm, self.company)
            self.assertEqual(last, {firm.id: [first.id]}, basis)
