"""Points belong to what was bought when they were given, and follow what becomes of it."""

import importlib.util
from pathlib import Path
from unittest import SkipTest

from odoo import Command

import odoo.addons.customer_lifecycle

from ..common_loyalty import CreditCase


class TestPointsFollow(CreditCase):
    """Orders that change after they were confirmed."""

    def card(self, partner=None):
        return self.cards(partner or self.ann).filtered("active")

    def quote(self, partner, amount=100, **values):
        # Odoo takes the price from the product again when the quantity changes
        self.item.list_price = amount / 10
        return super().quote(partner, amount, **values)

    def add(self, order, quantity, price):
        """Add another product to an order."""
        self.other.list_price = price
        order.order_line = [
            Command.create({"product_id": self.other.id, "product_uom_qty": quantity,
                            "tax_ids": False})
        ]

    def points(self):
        self.assertBalanced(self.card())
        return self.card().points

    # ----- THE ORDER CHANGES -----

    def test_lowered_after_the_invoice(self):
        order = self.sell(self.ann, 1000)
        self.invoice(order)
        self.assertEqual(self.points(), 1000)
        order.order_line.product_uom_qty = 1
        self.assertEqual(self.points(), 100)
        refund = self.invoice(order)
        self.assertEqual((refund.move_type, refund.amount_total), ("out_refund", 900))
        self.assertEqual(self.points(), 100)
        # the note is put back, and thrown away
        refund.button_draft()
        self.assertEqual(self.points(), 100)
        refund.unlink()
        self.assertEqual(self.points(), 100)

    def test_lowered_before_the_invoice(self):
        order = self.sell(self.ann, 1000)
        order.order_line.product_uom_qty = 4
        self.assertEqual(self.points(), 400)
        self.credit(self.invoice(order), quantity=1)
        self.assertEqual(self.points(), 300)

    def test_raised(self):
        order = self.sell(self.ann)
        order.write({"order_line": [Command.update(order.order_line.id, {"product_uom_qty": 12})]})
        self.assertEqual(self.points(), 120)
        self.assertEqual(
            self.history(self.card())[-1], ("changed", f"Order {order.name} changed", 20, 0)
        )
        self.credit(self.invoice(order), quantity=6)
        self.assertEqual(self.points(), 60)
        order._action_cancel()
        self.assertEqual(self.points(), 0)

    def test_points_shown_on_the_order(self):
        order = self.sell(self.ann)
        order.order_line.product_uom_qty = 4
        order.invalidate_recordset(["loyalty_data"])
        self.assertEqual(order.loyalty_data["issued"], 40)

    def test_price_and_discount(self):
        order = self.sell(self.ann)
        order.order_line.discount = 50
        self.assertEqual(self.points(), 50)
        order.order_line.write({"discount": 0, "price_unit": 8})
        self.assertEqual(self.points(), 80)

    def test_price_lowered_after_the_invoice_and_credited(self):
        order = self.sell(self.ann)
        invoice = self.invoice(order)
        order.order_line.price_unit = 8
        self.assertEqual(self.points(), 80)
        refund = self.reverse(invoice)
        refund.invoice_line_ids.price_unit = 2
        refund.action_post()
        self.assertEqual(self.points(), 80, "the note is what the new price says")

    def test_lines_added_and_emptied(self):
        order = self.sell(self.ann)
        self.add(order, 1, 30)
        self.assertEqual(self.points(), 130)
        order.order_line[0].product_uom_qty = 0
        self.assertEqual(self.points(), 30)
        order.order_line[1].product_uom_qty = 0
        self.assertEqual(self.points(), 0)
        order.order_line[0].product_uom_qty = 10
        self.assertEqual(self.points(), 100)

    def test_one_line_of_the_history_for_one_change(self):
        order = self.sell(self.ann)
        self.other.list_price = 20
        order.write(
            {
                "order_line": [
                    Command.update(order.order_line.id, {"product_uom_qty": 5}),
                    Command.create({"product_id": self.other.id, "product_uom_qty": 1,
                                    "price_unit": 20, "tax_ids": False}),
                ]
            }
        )
        self.assertEqual([line[2:] for line in self.history(self.card())], [(100, 0), (0, 30)])

    def test_spent_points_are_not_taken_below_nought(self):
        order = self.sell(self.ann)
        other = super().quote(self.ann, 10)
        other._update_programs_and_rewards()
        other._apply_program_reward(self.program.reward_ids, self.card())
        other.action_confirm()
        self.assertEqual(self.points(), 60)
        order.order_line.product_uom_qty = 1
        self.assertEqual(self.points(), 0)
        self.assertIn("30 Points had been used before", self.history(self.card())[-1][1])
        order.order_line.product_uom_qty = 10
        self.assertEqual(self.points(), 60, "what was really taken comes back")
        order._action_cancel()
        self.assertEqual(self.points(), 0)

    def test_changed_then_cancelled_and_confirmed_again(self):
        order = self.sell(self.ann)
        order.order_line.product_uom_qty = 4
        order._action_cancel()
        self.assertEqual(self.points(), 0)
        order.action_draft()
        order.action_confirm()
        self.assertEqual(self.points(), 40)
        order.order_line.product_uom_qty = 10
        self.assertEqual(self.points(), 100)

    def test_confirmed_again_after_a_credit_note(self):
        order = self.sell(self.ann)
        self.credit(self.invoice(order))
        self.assertEqual(self.points(), 0)
        order._action_cancel()
        order.action_draft()
        order.action_confirm()
        self.assertEqual(self.points(), 100)
        order.order_line.product_uom_qty = 9
        self.assertEqual(self.points(), 90, "what was credited before does not count")

    def test_reward_button_of_a_confirmed_order(self):
        order = self.sell(self.ann)
        order.order_line.product_uom_qty = 4
        order.action_open_reward_wizard()
        self.assertEqual(self.points(), 40)
        self.program.date_to = "2020-01-01"
        order.action_open_reward_wizard()
        self.assertEqual(self.points(), 40)
        order._action_cancel()
        self.assertEqual(self.points(), 0)

    # ----- TERMS -----

    def test_terms_of_the_day(self):
        """Neither a new rule nor a new tier changes what was given."""
        profile = self.new_profile(self.ann, vip_tier_id=self.gold.id)
        self.program.lifecycle_multiplier_ids = [
            Command.create({"tier_id": self.gold.id, "factor": 2})
        ]
        order = self.sell(self.ann)
        self.assertEqual(self.points(), 200)
        profile.vip_tier_id = False
        self.program.rule_ids.write({"reward_point_amount": 5, "minimum_amount": 90})
        order.order_line.product_uom_qty = 4
        self.assertEqual(self.points(), 80)
        self.program.action_archive()
        self.credit(self.invoice(order), quantity=1)
        self.assertEqual(self.points(), 60)

    def test_orders_of_before(self):
        """Terms that were not kept yet: of the order as it is."""
        order = self.sell(self.ann)
        order.coupon_point_ids.lifecycle_terms = False
        order.order_line.product_uom_qty = 4
        self.assertEqual(self.points(), 40)
        order = self.sell(self.ann)
        order.coupon_point_ids.lifecycle_terms = False
        self.program.rule_ids.minimum_amount = 500
        self.credit(self.invoice(order), quantity=3)
        self.assertEqual(self.points(), 40 + 70)

    def test_points_by_piece(self):
        self.program.rule_ids.write({"reward_point_mode": "unit", "reward_point_amount": 3})
        order = self.sell(self.ann)
        self.assertEqual(self.points(), 30)
        order.order_line.product_uom_qty = 8
        self.assertEqual(self.points(), 24)
        invoice = self.invoice(order)
        self.credit(invoice, quantity=2)
        self.assertEqual(self.points(), 18)
        # a reduction returns nothing
        refund = self.reverse(invoice)
        refund.invoice_line_ids.price_unit = 1
        refund.action_post()
        self.assertEqual(self.points(), 18)

    def test_points_by_order(self):
        self.program.rule_ids.write(
            {"reward_point_mode": "order", "reward_point_amount": 7, "minimum_amount": 50}
        )
        order = self.sell(self.ann)
        invoice = self.invoice(order)
        self.credit(invoice, quantity=5)
        self.assertEqual(self.points(), 7, "50 are left")
        refund = self.credit(invoice, quantity=1)
        self.assertEqual(self.points(), 0)
        refund.button_draft()
        self.assertEqual(self.points(), 7)

    def test_minimum_that_is_not_reached_any_more(self):
        self.program.rule_ids.minimum_amount = 60
        order = self.sell(self.ann)
        order.order_line.product_uom_qty = 5
        self.assertEqual(self.points(), 0)
        order.order_line.product_uom_qty = 6
        self.assertEqual(self.points(), 60)

    def test_minimum_that_is_reached_later(self):
        self.program.rule_ids.minimum_amount = 150
        order = self.sell(self.ann)
        self.assertFalse(self.card())
        order.order_line.product_uom_qty = 20
        self.assertEqual(self.points(), 200)
        self.assertEqual(
            self.history(self.card()), [("changed", f"Order {order.name} changed", 200, 0)]
        )
        self.credit(self.invoice(order), quantity=2)
        self.assertEqual(self.points(), 180)
        order.order_line.product_uom_qty = 10
        self.assertEqual(self.points(), 0)
        order.order_line.product_uom_qty = 20
        order._action_cancel()
        self.assertEqual(self.points(), 0)
        order.action_draft()
        order.action_confirm()
        self.assertEqual(self.points(), 200, "once")

    def test_minimum_that_is_reached_by_another_line(self):
        card = self.new_card(self.ann, 5)
        self.program.rule_ids.minimum_amount = 150
        order = self.sell(self.ann)
        self.add(order, 1, 80)
        self.assertEqual(card.points, 5 + 180)
        order.order_line[1].product_uom_qty = 0
        self.assertEqual(card.points, 5)

    def test_program_that_came_after_the_order(self):
        self.program.action_archive()
        order = self.sell(self.ann)
        order.date_order = "2020-01-01 12:00:00"
        self.program.action_unarchive()
        self.program.rule_ids.minimum_amount = 150
        order.order_line.product_uom_qty = 20
        self.assertFalse(self.card())

    def test_minimum_with_tax(self):
        tax = self.env["account.tax"].create(
            {"name": "20 %", "amount": 20, "company_id": self.home.id}
        )
        self.program.rule_ids.write(
            {"minimum_amount": 60, "minimum_amount_tax_mode": "excl"}
        )
        order = self.quote(self.ann)
        order.order_line.tax_ids = tax
        order.action_confirm()
        self.assertEqual(self.points(), 120, "Odoo counts the tax")
        order.order_line.product_uom_qty = 6
        self.assertEqual(self.points(), 72)
        order.order_line.product_uom_qty = 5
        self.assertEqual(self.points(), 0, "60 with tax, 50 without")

    def test_filter_of_products(self):
        self.program.rule_ids.product_ids = self.item
        order = self.quote(self.ann)
        self.add(order, 1, 300)
        order.action_confirm()
        order.order_line[1].product_uom_qty = 3
        self.assertEqual(self.points(), 100)
        order.order_line[0].product_uom_qty = 3
        self.assertEqual(self.points(), 30)
        # a sum without a line: a share of all that was invoiced
        refund = self.reverse(self.invoice(order))
        refund.invoice_line_ids = [
            Command.clear(),
            Command.create({"name": "Goodwill", "quantity": 1, "price_unit": 93,
                            "tax_ids": False}),
        ]
        refund.action_post()
        self.assertEqual(self.points(), 27)

    def test_two_programs(self):
        second = self.new_program("Second", rule_ids=[
            Command.create({"reward_point_mode": "unit", "reward_point_amount": 1})
        ])
        order = self.sell(self.ann)
        order.order_line.product_uom_qty = 4
        self.assertEqual(self.points(), 40)
        self.assertEqual(self.cards(self.ann, second).points, 4)

    def test_invoice_at_another_price(self):
        order = self.sell(self.ann)
        invoice = self.invoice(order, post=False)
        invoice.invoice_line_ids.price_unit = 9
        invoice.action_post()
        self.credit(invoice, quantity=5)
        self.assertEqual(self.points(), 50)
        self.credit(invoice, quantity=5)
        self.assertEqual(self.points(), 0)

    def test_less_on_one_line_and_more_on_another(self):
        """Odoo bills the difference with one invoice that has a line below nought."""
        order = self.quote(self.ann)
        self.add(order, 1, 100)
        order.action_confirm()
        self.invoice(order)
        order.order_line[0].product_uom_qty = 4
        order.order_line[1].product_uom_qty = 3
        self.assertEqual(self.points(), 340)
        move = self.invoice(order)
        self.assertEqual(move.amount_total, 200 - 60)
        self.assertEqual(self.points(), 340)
        self.credit(move)
        self.assertEqual(self.points(), 140, "the 300 that were invoiced later are back")

    def test_foreign_currency(self):
        currency = self.env.ref("base.CHF")
        currency.active = True
        self.env["res.currency.rate"].create(
            {"currency_id": currency.id, "company_id": self.home.id, "rate": 2.0,
             "name": "2020-01-01"}
        )
        pricelist = self.env["product.pricelist"].create(
            {"name": "Francs", "currency_id": currency.id, "company_id": self.home.id}
        )
        order = self.sell(self.ann, pricelist_id=pricelist.id)
        given = self.points()
        self.item.list_price = 5
        order.order_line.product_uom_qty = 5
        self.assertEqual(self.points(), given / 2)
        self.credit(self.invoice(order), quantity=1)
        self.assertEqual(self.points(), given * 0.4)

    def test_credit_note_in_a_currency_without_rate(self):
        order = self.sell(self.ann, 1000)
        invoice = self.invoice(order)
        order.order_line.product_uom_qty = 6
        self.assertEqual(self.points(), 600)
        francs = self.env["res.currency"].with_context(active_test=False).search(
            [("name", "=", "CHF")]
        )
        francs.active = True
        francs.rate_ids.unlink()
        for rate, expected in ((None, 600), (0.5, 500)):
            if rate:
                self.env["res.currency.rate"].create(
                    {"currency_id": francs.id, "company_id": self.home.id, "name": "2020-01-01",
                     "rate": rate}
                )
            # four of the ten were billed and are ordered no more
            for quantity in (4, 1):
                note = self.env["account.move"].create(
                    {
                        "move_type": "out_refund", "partner_id": self.ann.id,
                        "reversed_entry_id": invoice.id, "currency_id": francs.id,
                        "invoice_date": "2026-11-01",
                        "invoice_line_ids": [
                            Command.create(
                                {"product_id": self.item.id, "quantity": quantity,
                                 "price_unit": 50, "tax_ids": False,
                                 "sale_line_ids": [Command.set(order.order_line.ids)]}
                            )
                        ],
                    }
                )
                note.action_post()
            with self.subTest(rate=rate):
                self.assertEqual(self.points(), expected)
            if not rate:
                documents = order.order_line.invoice_lines.move_id - invoice
                documents.button_draft()
                documents.button_cancel()

    def test_down_payment(self):
        order = self.sell(self.ann)
        wizard = self.env["sale.advance.payment.inv"].with_context(
            active_model="sale.order", active_ids=order.ids
        ).create({"advance_payment_method": "percentage", "amount": 30})
        wizard.create_invoices()
        down = order.invoice_ids
        down.action_post()
        self.assertEqual(self.points(), 100)
        final = self.invoice(order)
        self.assertEqual((final.amount_total, self.points()), (70, 100))
        self.reverse(final).action_post()
        self.assertEqual(self.points(), 0)

    def test_card_of_the_company(self):
        firm = self.new_customer("Firm", is_company=True)
        contact = self.new_customer("Contact", parent_id=firm.id)
        card = self.new_card(firm)
        order = self.sell(contact)
        self.assertEqual(card.points, 100)
        order.order_line.product_uom_qty = 4
        self.assertEqual(card.points, 40)
        order._action_cancel()
        self.assertEqual(card.points, 0)

    def test_salesperson_changes(self):
        seller = self.new_user("points_seller", "sales_team.group_sale_salesman", self.home)
        order = self.sell(self.ann, user_id=seller.id)
        order.with_user(seller).order_line.product_uom_qty = 4
        self.assertEqual(self.points(), 40)

    def test_no_reward_mail_for_points_that_come_back(self):
        template = self.env["mail.template"].create(
            {"name": "Reached", "model_id": self.env["ir.model"]._get_id("loyalty.card"),
             "subject": "Reached 90", "partner_to": "{{ object.partner_id.id }}"}
        )
        self.program.communication_plan_ids = [
            Command.create({"trigger": "points_reach", "points": 90,
                            "mail_template_id": template.id})
        ]
        self.ann.email = "ann@example.com"
        order = self.sell(self.ann)
        mails = self.env["mail.mail"].search_count([("subject", "=", "Reached 90")])
        order.order_line.product_uom_qty = 4
        order.order_line.product_uom_qty = 10
        order._action_cancel()
        self.assertEqual(
            self.env["mail.mail"].search_count([("subject", "=", "Reached 90")]), mails
        )


class TestMergedCards(CreditCase):
    """Cards of contacts that are merged."""

    def merge(self, *partners, into):
        self.env["base.partner.merge.automatic.wizard"]._merge(
            [partner.id for partner in partners], into
        )

    def test_order_of_the_merged_contact_is_credited(self):
        bob = self.new_customer("Bob")
        self.sell(self.ann)
        order = self.sell(bob, 200)
        invoice = self.invoice(order)
        self.merge(self.ann, bob, into=self.ann)
        card = self.cards(self.ann).filtered("active")
        gone = self.cards(self.ann) - card
        self.assertEqual(card.points, 300)
        self.assertBalanced(card)
        self.credit(invoice)
        self.assertEqual(card.points, 100)
        self.assertBalanced(card)
        self.assertFalse(gone.history_ids)
        self.assertEqual(gone.points, 0)

    def test_credited_before_then_merged(self):
        bob = self.new_customer("Bob")
        self.sell(self.ann)
        order = self.sell(bob, 200)
        refund = self.credit(self.invoice(order), quantity=5)
        self.merge(self.ann, bob, into=self.ann)
        card = self.cards(self.ann).filtered("active")
        self.assertEqual(card.points, 200)
        refund.button_draft()
        self.assertEqual(card.points, 300)
        order.order_line.product_uom_qty = 1
        self.assertEqual(card.points, 120)
        order._action_cancel()
        self.assertEqual(card.points, 100)
        self.assertBalanced(card)

    def test_three_and_no_card_of_the_one_that_stays(self):
        bob, carl = self.new_customer("Bob"), self.new_customer("Carl")
        orders = [self.sell(bob), self.sell(carl, 200)]
        self.merge(self.ann, bob, carl, into=self.ann)
        card = self.cards(self.ann).filtered("active")
        self.assertEqual((len(card), card.points), (1, 300))
        for order in orders:
            order._action_cancel()
        self.assertEqual(card.points, 0)
        self.assertBalanced(card)

    def test_order_that_spent_from_the_merged_card(self):
        bob = self.new_customer("Bob")
        self.sell(self.ann, 50)
        self.sell(bob)
        order = self.quote(bob, 20)
        order._update_programs_and_rewards()
        order._apply_program_reward(self.program.reward_ids, self.cards(bob))
        order.action_confirm()
        self.merge(self.ann, bob, into=self.ann)
        card = self.cards(self.ann).filtered("active")
        self.assertEqual(card.points, 50 + 100 + 20 - 50)
        self.assertEqual(order.order_line.coupon_id, card)
        order._action_cancel()
        self.assertEqual(card.points, 150)
        self.assertBalanced(card)

    def test_quotation_of_the_merged_contact(self):
        bob = self.new_customer("Bob")
        self.sell(self.ann)
        self.sell(bob)
        order = self.quote(bob)
        order._update_programs_and_rewards()
        self.merge(self.ann, bob, into=self.ann)
        order.action_confirm()
        card = self.cards(self.ann).filtered("active")
        self.assertEqual(card.points, 300)
        self.assertBalanced(card)

    def test_cards_that_were_merged_before_the_update(self):
        """Odoo's merge alone leaves history and orders on the emptied card."""
        bob = self.new_customer("Bob")
        self.sell(self.ann)
        order = self.sell(bob, 200)
        card, gone = self.cards(self.ann), self.cards(bob)
        gone.write({"partner_id": self.ann.id, "points": 0, "active": False})
        card.points = 300
        # one that somebody has emptied and archived himself is left alone
        carl = self.new_customer("Carl")
        self.sell(carl)
        emptied = self.cards(carl)
        emptied.write({"points": 0, "active": False})
        self.new_card(carl)
        self.env.flush_all()
        path = Path(odoo.addons.customer_lifecycle.__path__[0]) / "migrations" / "19.0.1.1.0"
        spec = importlib.util.spec_from_file_location("merged", path / "post-merged-cards.py")
        script = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(script)
        script.migrate(self.env.cr, "19.0.1.0.0")
        self.env.invalidate_all()
        self.assertEqual(order.coupon_point_ids.coupon_id, card)
        self.assertBalanced(card)
        self.assertTrue(emptied.history_ids)
        order._action_cancel()
        self.assertEqual(card.points, 100)


class TestPointsOfDeliveries(CreditCase):
    """Goods that are billed as they are delivered."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "move_ids" not in cls.env["sale.order.line"]._fields:
            raise SkipTest("Needs the app Inventory (sale_stock).")
        cls.goods = cls.env["product.product"].create(
            {"name": "Crates", "type": "consu", "invoice_policy": "delivery", "list_price": 10,
             "taxes_id": False}
        )

    def deliver(self, order, quantity, rest="cancel"):
        picking = order.picking_ids.filtered(lambda one: one.state not in ("done", "cancel"))
        picking.move_ids.quantity = quantity
        picking.move_ids.picked = True
        picking.with_context(
            skip_backorder=True,
            picking_ids_not_to_backorder=picking.ids if rest == "cancel" else [],
        ).button_validate()

    def test_less_was_delivered_than_ordered(self):
        order = self.sell(self.ann, product=self.goods)
        card = self.cards(self.ann)
        self.assertEqual(card.points, 100)
        self.deliver(order, 6)
        self.credit(self.invoice(order), quantity=1)
        self.assertEqual(card.points, 50)
        self.assertBalanced(card)

    def test_the_rest_is_still_on_its_way(self):
        order = self.sell(self.ann, product=self.goods)
        self.deliver(order, 6, rest="later")
        self.invoice(order)
        card = self.cards(self.ann)
        self.assertEqual(card.points, 100)
        self.deliver(order, 4)
        self.invoice(order)
        self.assertEqual(card.points, 100)

    def test_the_rest_is_cancelled_after_the_invoice(self):
        order = self.sell(self.ann, product=self.goods)
        self.deliver(order, 6, rest="later")
        self.invoice(order)
        card = self.cards(self.ann)
        self.assertEqual(card.points, 100)
        rest = order.picking_ids.filtered(lambda one: one.state not in ("done", "cancel"))
        worker = self.new_user("loyalty_warehouse", "stock.group_stock_user", self.home)
        rest.with_user(worker).action_cancel()
        self.assertEqual(card.points, 60)
        self.assertBalanced(card)
        order._action_cancel()
        self.assertEqual(card.points, 0)

    def test_more_was_delivered_than_ordered(self):
        order = self.sell(self.ann, product=self.goods)
        self.deliver(order, 12)
        self.invoice(order)
        self.assertEqual(self.cards(self.ann).points, 120)
