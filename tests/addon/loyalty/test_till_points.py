"""Loyalty points of what is given back at the till: taken once, from the card of the sale."""

from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import HttpCase, tagged

from ..common_loyalty import LOYALTY
from ..common_till import TillCase


class TillPointsCase(TillCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["loyalty.program"].search([("program_type", "=", "loyalty")]).action_archive()
        cls.program = cls.env["loyalty.program"].create(
            {
                "name": "Club",
                "program_type": "loyalty",
                "applies_on": "both",
                "trigger": "auto",
                "company_id": cls.company.id,
                "rule_ids": [
                    Command.create({"reward_point_mode": "money", "reward_point_amount": 1})
                ],
                "reward_ids": [
                    Command.create(
                        {"reward_type": "discount", "discount_mode": "per_point", "discount": 1,
                         "required_points": 1}
                    )
                ],
            }
        )
        cls.points = cls.env["loyalty.card"].create(
            {"program_id": cls.program.id, "partner_id": cls.customer.id, "points": 0}
        )

    def book(self, order, points, card=None, spent=0):
        """What the till asks for after it has sent an order: the points of it."""
        card = card or self.points
        return order.confirm_coupon_programs(
            {
                str(card.id): {
                    "points": points - spent,
                    "program_id": card.program_id.id,
                    "coupon_id": card.id,
                    "barcode": False,
                    "partner_id": order.partner_id.id,
                    "line_codes": ["code"] if spent else [],
                }
            }
        )

    def sell_for_points(self, *lines, points=300, **values):
        sold = self.sell(*lines or [(3, 100)], **values)
        self.book(sold, points)
        self.assertEqual(self.points.points, points)
        return sold

    def told(self):
        return [
            (line.lifecycle_kind, line.issued, line.used)
            for line in self.points.history_ids.sorted("id")
        ]

    def assertBalanced(self, before=0):
        lines = self.points.history_ids
        self.assertAlmostEqual(
            before + sum(lines.mapped("issued")) - sum(lines.mapped("used")), self.points.points, 2
        )


class TestTillPoints(TillPointsCase):
    def test_refund_takes_its_points(self):
        sold = self.sell_for_points()
        refund = self.give_back(sold, 1)
        # the till asks for the points of every order of a customer
        self.book(refund, 0)
        self.assertEqual(self.points.points, 200)
        line = self.points.history_ids.filtered("lifecycle_kind")
        self.assertEqual((line.lifecycle_kind, line.used), ("returned", 100))
        self.assertEqual(line.action_lifecycle_document()["res_id"], refund.id)
        self.assertEqual(line.lifecycle_document, refund.display_name)
        self.give_back(sold, 2)
        self.assertEqual(self.points.points, 0)
        self.assertBalanced()

    def test_till_is_told_what_is_left(self):
        sold = self.sell_for_points()
        answer = self.book(self.give_back(sold, 1), 0)
        self.assertEqual([one["points"] for one in answer["coupon_updates"]], [200])

    def test_refund_sent_twice(self):
        sold = self.sell_for_points()
        payload = self.payload(
            {"qty": -1, "price_unit": 100, "refunded_orderline_id": sold.lines.id}, refund=True
        )
        for _time in range(2):
            self.book(self.sync(payload), 0)
        self.assertEqual(self.points.points, 200)
        self.assertEqual(len(self.points.history_ids), 2)

    def test_refund_without_the_customer_or_to_somebody_else(self):
        sold = self.sell_for_points()
        self.give_back(sold, 1, partner=None)
        self.assertEqual(self.points.points, 200)
        other = self.new_customer("Other")
        self.give_back(sold, 1, partner=other)
        self.assertEqual(self.points.points, 100)
        self.assertFalse(self.env["loyalty.card"].search([("partner_id", "=", other.id)]))

    def test_refund_in_another_session(self):
        sold = self.sell_for_points(days_ago=3)
        self.opened = self.open_till(self.shop)
        self.give_back(sold, 1)
        self.assertEqual(self.points.points, 200)

    def test_refund_before_the_points_of_its_sale(self):
        """Made offline: both are sent, the points of the sale are asked for afterwards."""
        sold = self.sell((3, 100))
        self.give_back(sold, 1)
        self.assertEqual(self.points.points, 0)
        self.book(sold, 300)
        self.assertEqual(self.points.points, 200)
        self.assertBalanced()

    def test_refund_made_in_the_back_office(self):
        sold = self.sell_for_points()
        refund = sold._refund()
        self.assertEqual(self.points.points, 300, "is a draft")
        self.pay_out(refund)
        self.assertEqual(self.points.points, 0)

    def test_odoo_takes_them_itself(self):
        """A rule that asks for no minimum quantity gives negative points to refunds."""
        self.program.rule_ids.minimum_qty = 0
        sold = self.sell_for_points()
        refund = self.give_back(sold, 1)
        self.book(refund, -100)
        self.assertEqual(self.points.points, 200)
        self.assertEqual(self.told(), [(False, 300, 0), (False, 0, 100)])
        # what was bought in the same order is set off
        exchange = self.sell(
            {"qty": -1, "price_unit": 100, "refunded_orderline_id": sold.lines.id}, (1, 130)
        )
        self.book(exchange, 30)
        self.assertEqual(self.points.points, 230)
        # and goes again with what it was given for
        self.give_back(exchange, 1, line=1)
        self.assertEqual(self.points.points, 100)
        self.assertBalanced()

    def test_points_spent_come_back_with_their_reward(self):
        self.points.points = 100
        reward = {
            **self.paid_with(self.program.reward_ids, 100), "coupon_id": self.points.id,
        }
        sold = self.sell((1, 300), reward)
        self.book(sold, 30, spent=100)
        self.assertEqual(self.points.points, 30)
        self.give_back(sold, 1)
        self.assertEqual(self.points.points, 0, "the reward stays his")
        back = self.give_back(sold, 1, line=1)
        self.book(back, 0)
        self.run_cron(LOYALTY)
        self.assertEqual(self.points.points, 100)
        self.assertBalanced(before=100)
        self.run_cron(LOYALTY)
        self.assertEqual(self.points.points, 100, "once")

    def test_goods_and_their_reward_in_one_refund(self):
        """Odoo's own till promises that such a refund leaves the card as it is."""
        self.points.points = 100
        reward = {
            **self.paid_with(self.program.reward_ids, 100), "coupon_id": self.points.id,
        }
        sold = self.sell((1, 300), reward)
        self.book(sold, 30, spent=100)
        back = self.sell(
            *(
                {"qty": -1, "price_unit": line.price_unit, "product_id": line.product_id.id,
                 "refunded_orderline_id": line.id}
                for line in sold.lines
            ),
            refund=True,
        )
        answer = self.book(back, 0)
        self.assertEqual(self.points.points, 30)
        self.assertEqual([one["points"] for one in answer["coupon_updates"]], [30])
        # a moment later the customer has what he had before
        self.run_cron(LOYALTY)
        self.assertEqual(self.points.points, 100)
        self.assertBalanced(before=100)

    def test_card_never_falls_below_nought(self):
        sold = self.sell_for_points()
        self.points.points = 40
        self.give_back(sold, 1)
        self.assertEqual(self.points.points, 0)
        line = self.points.history_ids.filtered("lifecycle_kind")
        self.assertEqual((line.used, line.lifecycle_taken), (40, 100))
        self.assertIn("60", line.description)
        self.points.points = 500
        self.give_back(sold, 1)
        self.assertEqual(self.points.points, 400, "what was forgiven is not asked for again")

    def test_each_rule_in_its_own_measure(self):
        dear, cheap = (1, 90), (1, 10)
        for mode, after in (("money", 10), ("unit", 50), ("order", 10)):
            with self.subTest(mode=mode):
                self.program.rule_ids.reward_point_mode = mode
                self.points.points = 0
                sold = self.sell_for_points(dear, cheap, points=100)
                self.give_back(sold, 1)
                self.assertEqual(self.points.points, after)

    def test_goods_without_points(self):
        other = self.new_item("Without points")
        self.program.rule_ids.product_ids = self.product
        sold = self.sell_for_points(
            (1, 100), {"price_unit": 50, "product_id": other.id}, points=100
        )
        self.give_back(sold, 1, line=1)
        self.assertEqual(self.points.points, 100)
        self.give_back(sold, 1)
        self.assertEqual(self.points.points, 0)

    def test_points_of_a_tier(self):
        sold = self.sell_for_points(points=600)
        self.give_back(sold, 1)
        self.assertEqual(self.points.points, 400)

    def test_merged_customer(self):
        sold = self.sell_for_points()
        other = self.new_customer("Other")
        kept = self.env["loyalty.card"].create(
            {"program_id": self.program.id, "partner_id": other.id, "points": 50}
        )
        self.env["base.partner.merge.automatic.wizard"].create({})._merge(
            (self.customer | other).ids, other
        )
        self.assertEqual(kept.points, 350)
        self.give_back(sold, 1)
        self.assertEqual(kept.points, 250)

    def test_credit_note_of_the_invoice(self):
        sold = self.sell_for_points(invoice=True)
        self.credit(sold.account_move, quantities={0: 1}, days_ago=0)
        self.assertEqual(self.points.points, 200)
        self.give_back(sold, 1, invoice=True)
        self.assertEqual(self.points.points, 100, "the till's own credit note counts once")

    def test_cancelled_refund_takes_nothing(self):
        sold = self.sell_for_points()
        sold._refund().action_pos_order_cancel()
        self.assertEqual(self.points.points, 300)

    def test_broken_program_stops_no_refund(self):
        sold = self.sell_for_points()
        settle = patch.object(
            self.env.registry["lifecycle.till.points"], "_settle_card", side_effect=ValueError
        )
        with settle, self.assertLogs("odoo.addons.customer_lifecycle", "WARNING"):
            refund = self.give_back(sold, 1)
        self.assertEqual(refund.state, "paid")
        self.give_back(sold, 1)
        self.assertEqual(self.points.points, 100, "the next one finds it")


@tagged("standard", "post_install", "-at_install")
class TestTillPointsInTheBrowser(TillPointsCase, HttpCase):
    def test_points_follow_the_clerk(self):
        clerk = self.new_user(
            "till_clerk", "base.group_user,point_of_sale.group_pos_user", self.company,
            password="till_clerk",
        )
        self.opened.action_pos_session_closing_control()
        self.shop.with_user(clerk).open_ui()
        self.start_tour(
            f"/pos/ui/{self.shop.id}", "lifecycle_till_refund", login="till_clerk", timeout=180
        )
        self.env.invalidate_all()
        self.assertEqual(self.points.points, 200)
        self.assertEqual(self.told(), [(False, 300, 0), ("returned", 0, 100)])
