"""Friends who buy at the till: a reward for goods that were kept."""

from odoo import fields

from ..common_referral import ReferralCase
from ..common_till import TillCase


class TestTillReferral(TillCase, ReferralCase):
    def follow(self, friend):
        self.env["lifecycle.referral"]._follow(self.company)
        return self.referral(friend).state

    def test_refunded_order_gives_no_reward(self):
        for partner in (..., None):
            with self.subTest(partner=partner):
                friend = self.friend(f"Frida {partner}", email=f"frida{partner}@example.org")
                sold = self.sell((3, 100), partner=friend, days_ago=20)
                self.assertEqual(self.follow(friend), "waiting")
                self.give_back(sold, 1, partner=friend if partner is ... else None)
                self.assertEqual(self.follow(friend), "waiting", "two were kept")
                self.give_back(sold, 2, partner=friend if partner is ... else None)
                self.assertEqual(self.follow(friend), "ordered")

    def test_no_reward_leaves_for_a_refunded_order(self):
        friend = self.friend()
        sold = self.sell((3, 100), partner=friend, days_ago=20)
        self.follow(friend)
        referral = self.referral(friend)
        referral.date_paid = fields.Date.subtract(self.today, days=20)
        self.give_back(sold, 3)
        self.env["lifecycle.referral"]._give(self.company, referral.ids)
        self.assertNotEqual(referral.state, "rewarded")
        self.assertFalse(referral.card_id)

    def test_refund_in_the_back_office(self):
        friend = self.friend()
        sold = self.sell((3, 100), partner=friend, days_ago=20)
        refund = sold._refund()
        self.assertEqual(self.follow(friend), "waiting", "a draft takes nothing back")
        self.pay_out(refund)
        self.assertEqual(self.follow(friend), "ordered")

    def test_credit_note_of_the_invoice(self):
        friend = self.friend()
        sold = self.sell((3, 100), partner=friend, days_ago=20, invoice=True)
        self.credit(sold.account_move, quantities={0: 1}, days_ago=0)
        self.assertEqual(self.follow(friend), "waiting")
        self.credit(sold.account_move, quantities={0: 2}, days_ago=0)
        self.assertEqual(self.follow(friend), "ordered")

    def test_goods_count_however_they_are_paid(self):
        self.shop.write({"iface_tipproduct": True, "tip_product_id": self.tip.id})
        friend = self.friend()
        self.sell(
            {"price_unit": 50, "product_id": self.gift_product.id}, partner=friend, days_ago=20
        )
        self.sell({"price_unit": 4, "product_id": self.tip.id}, partner=friend, days_ago=20)
        self.assertEqual(self.follow(friend), "joined", "bought no goods yet")
        self.sell((1, 50), self.paid_with(self.gift_reward, 50), partner=friend, days_ago=19)
        self.assertEqual(self.follow(friend), "waiting")

    def test_refund_is_no_order_of_its_own(self):
        friend = self.friend()
        sold = self.sell((1, 100), partner=None, days_ago=20)
        self.give_back(sold, 1, partner=friend)
        self.assertEqual(self.follow(friend), "joined")
