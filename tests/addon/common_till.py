"""A till, and its documents as the browser writes them."""

from copy import deepcopy
from datetime import timedelta
from unittest import SkipTest
from uuid import uuid4

from odoo import fields
from odoo.fields import Command

from .common_money import MoneyCase


class TillCase(MoneyCase):
    """A shop with an open session, cash and a product."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        modules = ("pos_sale", "pos_loyalty")
        apps = cls.env["ir.module.module"].search([("name", "in", modules)])
        if set(apps.mapped("state")) != {"installed"}:
            raise SkipTest("Needs the app Point of Sale with sales and loyalty (pos_sale_loyalty).")
        journal = cls.env["account.journal"].create(
            {"name": "Till", "type": "cash", "code": "TILL", "company_id": cls.company.id}
        )
        cls.method = cls.env["pos.payment.method"].create(
            {"name": "Cash", "journal_id": journal.id, "company_id": cls.company.id}
        )
        # with one way to pay the till chooses it by itself
        cls.card = cls.env["pos.payment.method"].create(
            {
                "name": "Card",
                "company_id": cls.company.id,
                "journal_id": cls.env["account.journal"]
                .search([("type", "=", "bank"), ("company_id", "=", cls.company.id)], limit=1)
                .id,
            }
        )
        cls.shop = cls.env["pos.config"].create(
            {
                "name": "Shop",
                "company_id": cls.company.id,
                "payment_method_ids": [Command.set((cls.method | cls.card).ids)],
            }
        )
        cls.product.write({"name": "Till item", "available_in_pos": True})
        # companies get an invoice by themselves, persons when they ask
        cls.customer = cls.new_customer("Till Buyer")
        cls.tip = cls.new_item("Tip")
        cls.tax = cls.env["account.tax"].create(
            {"name": "15 %", "amount": 15, "company_id": cls.company.id}
        )
        cls.gift_product, cls.gift_reward = cls.new_payment_program("gift_card", "future")
        cls.wallet_product, cls.wallet_reward = cls.new_payment_program("ewallet", "future")
        cls.deposit = cls.new_item("Down payment")
        cls.shop.down_payment_product_id = cls.deposit
        cls.opened = cls.open_till(cls.shop)

    @classmethod
    def new_item(cls, name):
        return cls.env["product.product"].create(
            {"name": name, "type": "service", "taxes_id": False, "list_price": 100,
             "available_in_pos": True}
        )

    @classmethod
    def new_payment_program(cls, program_type, applies_on):
        """A program whose points are money; the product that is sold, and the reward."""
        product = cls.new_item(f"Money of {program_type}")
        program = cls.env["loyalty.program"].create(
            {
                "name": f"Program {program_type}",
                "program_type": program_type,
                "applies_on": applies_on,
                "trigger": "auto",
                "company_id": cls.company.id,
                # no till opens without
                "mail_template_id": cls.env.ref("loyalty.mail_template_gift_card").id,
                "pos_report_print_id": cls.env.ref("loyalty.report_gift_card").id,
                "rule_ids": [
                    Command.create(
                        {
                            "reward_point_mode": "money",
                            "reward_point_amount": 1,
                            "product_ids": [Command.set(product.ids)],
                        }
                    )
                ],
                "reward_ids": [
                    Command.create(
                        {
                            "reward_type": "discount",
                            "discount_mode": "per_point",
                            "discount": 1,
                            "required_points": 1,
                        }
                    )
                ],
            }
        )
        return product, program.reward_ids

    # ----- SESSIONS -----

    @classmethod
    def open_till(cls, shop):
        """Close a till, where it is open, and open it again; the new session."""
        if shop.current_session_id:
            shop.current_session_id.action_pos_session_closing_control()
        shop.open_ui()
        session = shop.current_session_id
        session.set_opening_control(0, None)
        return session

    def shop_in(self, currency):
        """A till in another currency; what is sold from now on is sold there."""
        journal = self.env["account.journal"].create(
            {
                "name": f"Till {currency.name}",
                "type": "cash",
                "code": f"T{currency.name}",
                "currency_id": currency.id,
                "company_id": self.company.id,
            }
        )
        sales = self.env["account.journal"].create(
            {
                "name": f"Sales {currency.name}",
                "type": "general",
                "code": f"S{currency.name}",
                "currency_id": currency.id,
                "company_id": self.company.id,
            }
        )
        self.method = self.env["pos.payment.method"].create(
            {"name": "Foreign cash", "journal_id": journal.id, "company_id": self.company.id}
        )
        self.shop = self.env["pos.config"].create(
            {
                "name": "Shop abroad",
                "company_id": self.company.id,
                "journal_id": sales.id,
                "use_pricelist": False,
                "payment_method_ids": [Command.set(self.method.ids)],
            }
        )
        self.opened = self.open_till(self.shop)

    # ----- DOCUMENTS -----

    def payload(self, *lines, partner=..., refund=False, days_ago=0, invoice=False):
        """An order as the browser sends it, recorded from one.

        :param lines: amount, (quantity, unit price), or a dict of line values
        :param refund: the till's refund mode, in which every amount changes its sign
        """
        values, total, untaxed = [], 0, 0
        for line in lines:
            if not isinstance(line, dict):
                quantity, price = line if isinstance(line, tuple) else (1, line)
                line = {"qty": quantity, "price_unit": price}
            line = {"qty": 1, **line}
            taxes = self.env["account.tax"].browse(line.pop("tax_ids", []))
            amount = line["qty"] * line["price_unit"]
            with_tax = amount * (1 + sum(taxes.mapped("amount")) / 100)
            sign = -1 if refund else 1
            line.setdefault("product_id", self.product.id)
            line.setdefault("uuid", str(uuid4()))
            line.update(
                price_subtotal=round(sign * amount, 2),
                price_subtotal_incl=round(sign * with_tax, 2),
                tax_ids=[Command.link(tax.id) for tax in taxes],
                price_type="automatic" if refund else "original",
            )
            values.append(line)
            total, untaxed = total + with_tax, untaxed + amount
        moment = fields.Datetime.now() - timedelta(days=days_ago)
        partner = self.customer if partner is ... else partner
        return {
            "uuid": str(uuid4()),
            "name": "/",
            "access_token": str(uuid4()),
            "state": "paid",
            "session_id": self.opened.id,
            "company_id": self.company.id,
            "partner_id": partner.id if partner else False,
            "user_id": self.env.uid,
            "date_order": fields.Datetime.to_string(moment),
            "amount_paid": round(total, 2),
            "amount_total": round(total, 2),
            "amount_tax": round(total - untaxed, 2),
            "amount_return": 0,
            "fiscal_position_id": False,
            "to_invoice": invoice,
            "is_refund": refund,
            "lines": [Command.create(line) for line in values],
            "payment_ids": [
                Command.create(
                    {
                        "amount": round(total, 2),
                        "payment_date": fields.Datetime.to_string(moment),
                        "payment_method_id": self.method.id,
                        "uuid": str(uuid4()),
                    }
                )
            ],
        }

    def sync(self, payload):
        # the till's PDF of the invoice is not our concern here
        orders = self.env["pos.order"].with_context(generate_pdf=False)
        orders.sync_from_ui([deepcopy(payload)])
        return orders.search([("uuid", "=", payload["uuid"])])

    def sell(self, *lines, **values):
        """A paid order of the till; see ``payload``."""
        return self.sync(self.payload(*lines, **values))

    def give_back(self, sold, quantity, line=0, **values):
        """The till's refund of so and so many pieces of a line."""
        line = sold.lines[line]
        values.setdefault("partner", sold.partner_id)
        refunded = {
            "qty": -quantity,
            "price_unit": line.price_unit,
            "product_id": line.product_id.id,
            "refunded_orderline_id": line.id,
            "tax_ids": line.tax_ids.ids,
        }
        return self.sell(refunded, refund=True, **values)

    def pay_out(self, refund):
        """Pay a refund that was made in the back office."""
        self.env["pos.make.payment"].with_context(
            active_id=refund.id, active_ids=refund.ids
        ).create({"amount": refund.amount_total, "payment_method_id": self.method.id}).check()
        self.assertEqual(refund.state, "paid")

    def settle(self, order, *further, quantity=None, **values):
        """Pay a sale order in the shop, or so and so many pieces of it."""
        lines = [
            {
                "price_unit": line.price_unit,
                "qty": quantity or line.product_uom_qty,
                "product_id": line.product_id.id,
                "sale_order_origin_id": order.id,
                "sale_order_line_id": line.id,
            }
            for line in order.order_line
            if not line.display_type and not line.is_downpayment
        ]
        return self.sell(*lines, *further, partner=order.partner_id, **values)

    def pay_down(self, order, amount, **values):
        """A down payment on a sale order, made in the shop."""
        line = {
            "qty": 1,
            "price_unit": amount,
            "product_id": self.deposit.id,
            "sale_order_origin_id": order.id,
        }
        return self.sell(line, partner=order.partner_id, **values)

    def paid_with(self, reward, amount):
        """Values of the line with which a reward lowers what is to be paid."""
        return {
            "qty": 1,
            "price_unit": -amount,
            "product_id": reward.discount_line_product_id.id,
            "is_reward_line": True,
            "reward_id": reward.id,
            "reward_identifier_code": "code",
            "points_cost": amount,
        }

    # ----- FIGURES -----

    def assertOnBothBases(self, partner=None, **expected):
        """Assert a customer's sums, whether orders count or invoices; return his documents."""
        for basis in ("orders", "invoices"):
            self.company.lifecycle_basis = basis
            with self.subTest(basis=basis):
                purchases = self.assertFigures(partner, **expected)
        return purchases
