"""Loyalty at the point of sale: cards are given and welcomed there as well."""

from unittest import SkipTest

from .common_loyalty import LoyaltyCase


class TestPointOfSale(LoyaltyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "pos_ok" not in cls.env["loyalty.program"]._fields:
            raise SkipTest("Needs the app Point of Sale with loyalty (pos_loyalty).")

    def test_page_says_that_conditions_do_not_hold_there(self):
        self.assertFalse(self.program.lifecycle_pos_warning)
        self.program.lifecycle_tier_ids = self.gold
        self.assertTrue(self.program.lifecycle_pos_warning)
        self.program.pos_ok = False
        self.program.invalidate_recordset()
        self.assertFalse(self.program.lifecycle_pos_warning)

    def test_card_made_at_the_counter(self):
        self.program.lifecycle_welcome_points = 25
        ann = self.new_customer("Ann")
        order = self.env["pos.order"]
        answer = order.confirm_coupon_programs(
            {
                -1: {
                    "coupon_id": -1,
                    "program_id": self.program.id,
                    "partner_id": ann.id,
                    "points": 40,
                    "line_codes": [],
                }
            }
        )
        card = self.cards(ann)
        self.assertEqual(len(card), 1)
        self.assertEqual(card.points, 65)
        self.assertTrue(answer["coupon_updates"])
