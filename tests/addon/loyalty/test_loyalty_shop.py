"""Conditions of loyalty programs and the company's card in the cart of a web shop."""

from odoo import Command

from ..common_loyalty import LoyaltyCase


class TestShop(LoyaltyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ann = cls.new_customer("Ann", email="ann@example.com")
        cls.new_profile(cls.ann, vip_tier_id=cls.gold.id)

    def cart(self, partner):
        if "website_id" not in self.env["loyalty.program"]._fields:
            self.skipTest("Needs the app eCommerce (website_sale).")
        website = self.env["website"].search([], limit=1)
        website.company_id = self.home
        user = self.new_user(f"shop_{partner.id}", "base.group_portal", self.home)
        return self.quote(partner, website_id=website.id).with_user(user).sudo()

    def test_conditions_hold_in_the_cart(self):
        ben = self.new_customer("Ben")
        self.new_profile(ben)
        cart, refused = self.cart(self.ann), self.cart(ben)
        self.program.lifecycle_tier_ids = self.gold
        self.new_promotion(lifecycle_tier_ids=[Command.set(self.gold.ids)])
        for order in (cart, refused):
            order._update_programs_and_rewards()
        self.assertEqual(cart.coupon_point_ids.points, 100)
        self.assertFalse(refused.coupon_point_ids)
        self.assertEqual(
            refused._try_apply_code("SPRING"), {"error": "This offer is not for your account."}
        )
        self.assertNotIn("error", cart._try_apply_code("SPRING"))

    def test_contact_uses_the_companys_card_in_the_cart(self):
        firm = self.new_customer("Firm", is_company=True)
        card = self.new_card(firm, 60)
        cart = self.cart(self.new_customer("Buyer", parent_id=firm.id))
        cart._update_programs_and_rewards()
        # each look at the cart is a request of its own, with nothing read before
        self.env.invalidate_all()
        cart._update_programs_and_rewards()
        cart._apply_program_reward(self.program.reward_ids, card)
        self.env.invalidate_all()
        cart._update_programs_and_rewards()
        self.assertEqual(cart.amount_total, 95)
        cart.action_confirm()
        self.assertEqual((card.points, self.cards()), (110, card))

    def test_visitor_is_asked_to_sign_in(self):
        visitor = self.env.ref("base.public_partner")
        cart = self.cart(visitor)
        self.new_promotion(lifecycle_tier_ids=[Command.set(self.gold.ids)])
        self.assertEqual(
            cart._try_apply_code("SPRING"), {"error": "Sign in to use this offer."}
        )
