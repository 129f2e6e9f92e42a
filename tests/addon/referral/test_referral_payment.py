"""Friends who pay with gift cards, and friends who only buy one."""

from ..common_referral import ReferralCase


class TestReferralPayment(ReferralCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cards = cls.payment_program()

    def test_order_paid_wholly_with_a_gift_card_is_rewarded(self):
        friend = self.friend()
        order = self.order(100, partner=friend, pay_with=self.card(self.cards, 100))
        self.assertEqual(order.amount_total, 0)
        self.follow()
        referral = self.referral(friend)
        self.assertEqual((referral.state, referral.order_id), ("waiting", order.id))
        self.wait(referral)
        self.follow()
        self.assertEqual(referral.state, "rewarded")

    def test_order_paid_with_a_gift_card_and_credited_is_not_rewarded(self):
        friend = self.friend()
        order = self.order(100, partner=friend, pay_with=self.card(self.cards, 100))
        invoice = self.invoice(order)
        self.follow()
        self.assertEqual(self.referral(friend).state, "waiting")
        self.credit(invoice)
        self.follow()
        self.assertEqual(self.referral(friend).state, "ordered")

    def test_buying_a_gift_card_is_no_order(self):
        friend = self.friend()
        order = self.order(self.fill(self.cards), partner=friend)
        self.pay(self.invoice(order))
        self.follow()
        self.assertEqual(self.referral(friend).state, "joined")
