"""Whom a loyalty program is for, whose card it is, and points times a level's factor."""

from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import mute_logger

from ..common_loyalty import LoyaltyCase


class TestConditions(LoyaltyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ann, cls.ben = cls.new_customer("Ann"), cls.new_customer("Ben")
        cls.ann_profile = cls.new_profile(cls.ann, vip_tier_id=cls.gold.id)
        cls.ben_profile = cls.new_profile(cls.ben)

    def points_of(self, partner):
        order = self.quote(partner)
        order._update_programs_and_rewards()
        return sum(order.coupon_point_ids.mapped("points"))

    def test_automatic_program_by_tier(self):
        self.program.lifecycle_tier_ids = self.gold
        self.assertEqual(self.points_of(self.ann), 100)
        self.assertEqual(self.points_of(self.ben), 0)
        self.assertFalse(self.cards(self.ben))

    def test_automatic_program_by_stage(self):
        self.program.lifecycle_stage_ids = self.lost
        self.assertEqual(self.points_of(self.ann), 0)
        self.ann_profile.stage_id = self.lost
        self.assertEqual(self.points_of(self.ann), 100)

    def test_automatic_program_by_segment(self):
        self.program.lifecycle_segment_ids = self.segment
        self.assertEqual(self.points_of(self.ann), 0)
        self.join_segment(self.ann_profile)
        self.assertEqual(self.points_of(self.ann), 100)

    def test_every_line_of_the_conditions_counts(self):
        self.program.lifecycle_tier_ids = self.gold
        self.program.lifecycle_segment_ids = self.segment
        self.assertEqual(self.points_of(self.ann), 0)
        self.join_segment(self.ann_profile)
        self.join_segment(self.ben_profile)
        self.assertEqual(self.points_of(self.ann), 100)
        self.assertEqual(self.points_of(self.ben), 0)

    def test_contacts_have_the_companys_level(self):
        self.program.lifecycle_tier_ids = self.gold
        contact = self.new_customer("Ann's buyer", parent_id=self.ann.id)
        self.assertEqual(self.points_of(contact), 100)

    def test_who_has_no_profile_meets_no_condition(self):
        self.program.lifecycle_stage_ids = self.active_stage
        self.assertEqual(self.points_of(self.new_customer("Nobody")), 0)
        self.assertEqual(self.points_of(self.ann), 100)

    def test_archived_level_opens_the_program_to_nobody_else(self):
        self.program.lifecycle_tier_ids = self.gold
        self.gold.action_archive()
        self.assertEqual(self.points_of(self.ben), 0)

    def test_level_in_use_cannot_be_deleted(self):
        self.program.lifecycle_tier_ids = self.gold
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            self.gold.unlink()

    def test_level_of_another_company_does_not_count(self):
        self.program.lifecycle_tier_ids = self.gold
        self.ann_profile.vip_tier_id = False
        other = self.new_company("Elsewhere")
        self.new_profile(
            self.ann, company_id=other.id, vip_tier_id=self.gold.id
        )
        self.assertEqual(self.points_of(self.ann), 0)

    def test_code_is_refused_with_a_sentence(self):
        self.new_promotion(lifecycle_tier_ids=[Command.set(self.gold.ids)])
        answer = self.quote(self.ben)._try_apply_code("SPRING")
        self.assertEqual(
            answer,
            {"error": "“Spring offer” is not for this customer. It is for customers with VIP "
                      "tier: Gold."},
        )
        order = self.quote(self.ann)
        answer = order._try_apply_code("SPRING")
        self.assertNotIn("error", answer)
        [(card, reward)] = answer.items()
        order._apply_program_reward(reward, card)
        self.assertEqual(order.amount_total, 90)

    def test_wizard_shows_the_sentence_to_a_salesperson(self):
        self.new_promotion(lifecycle_tier_ids=[Command.set(self.gold.ids)])
        seller = self.new_user("loyalty_seller", "sales_team.group_sale_salesman", self.home)
        order = self.quote(self.ben, user_id=seller.id).with_user(seller)
        wizard = self.env["sale.loyalty.coupon.wizard"].with_user(seller).create(
            {"order_id": order.id, "coupon_code": "SPRING"}
        )
        with self.assertRaisesRegex(ValidationError, "VIP tier: Gold"):
            wizard.action_apply()

    def test_customer_is_not_told_whom_it_is_for(self):
        self.new_promotion(lifecycle_stage_ids=[Command.set(self.lost.ids)])
        portal = self.new_user("loyalty_portal", "base.group_portal", self.home)
        order = self.quote(self.ben).with_user(portal).sudo()
        self.assertEqual(
            order._try_apply_code("SPRING"), {"error": "This offer is not for your account."}
        )

    def test_reward_goes_when_the_customer_leaves_the_level_before_confirming(self):
        self.program.lifecycle_tier_ids = self.gold
        card = self.new_card(self.ann, 80)
        order = self.quote(self.ann)
        order._update_programs_and_rewards()
        order._apply_program_reward(self.program.reward_ids, card)
        self.assertEqual(order.amount_total, 95)
        self.ann_profile.vip_tier_id = False
        self.assertIn(
            "not for this customer",
            order._apply_program_reward(self.program.reward_ids, card)["error"],
        )
        order._update_programs_and_rewards()
        self.assertEqual(order.amount_total, 100)
        self.assertEqual(card.points, 80)

    def test_confirmed_order_keeps_what_was_agreed(self):
        self.program.lifecycle_tier_ids = self.gold
        card = self.new_card(self.ann, 80)
        order = self.quote(self.ann)
        order._update_programs_and_rewards()
        order._apply_program_reward(self.program.reward_ids, card)
        order.action_confirm()
        self.ann_profile.vip_tier_id = False
        order._update_programs_and_rewards()
        self.assertEqual(order.amount_total, 95)

    # ----- WHOSE CARD -----

    def test_card_of_somebody_else_is_refused(self):
        program = self.env["loyalty.program"].create(
            {
                "name": "Coupons", "program_type": "coupons", "applies_on": "current",
                "trigger": "with_code", "company_id": self.home.id,
                "rule_ids": [Command.create({})],
                "reward_ids": [Command.create({"discount": 10, "required_points": 1})],
            }
        )
        coupon = self.new_card(self.ann, 1, program)
        answer = self.quote(self.ben)._try_apply_code(coupon.code)
        self.assertEqual(
            answer["error"],
            f"The card {coupon.code} belongs to Ann. It can be used on orders of this customer "
            "only.",
        )
        contact = self.new_customer("Ann's buyer", parent_id=self.ann.id)
        self.assertNotIn("error", self.quote(self.ann)._try_apply_code(coupon.code))
        self.assertNotIn("error", self.quote(contact)._try_apply_code(coupon.code))
        # a gift card is whose hands it is in
        gifts = self.env["loyalty.program"].with_context(
            default_program_type="gift_card"
        ).create({"name": "Gifts", "program_type": "gift_card", "applies_on": "future",
                  "company_id": self.home.id})
        gift = self.new_card(self.ann, 20, gifts)
        self.assertNotIn("belongs to", str(self.quote(self.ben)._try_apply_code(gift.code)))

    def test_owner_is_named_to_those_only_who_may_see_him(self):
        coupons = self.new_promotion(
            program_type="coupons", rule_ids=[Command.create({})], name="Coupons"
        )
        coupon = self.new_card(self.ann, 1, coupons)
        seller = self.new_user("loyalty_seller", "sales_team.group_sale_salesman", self.home)
        order = self.quote(self.ben, user_id=seller.id).with_user(seller)
        self.assertIn("belongs to Ann", order._try_apply_code(coupon.code)["error"])
        self.env["ir.rule"].create(
            {
                "name": "Not Ann",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": f"[('id', '!=', {self.ann.id})]",
            }
        )
        self.assertEqual(
            order._try_apply_code(coupon.code)["error"], "This card belongs to another customer."
        )

    def test_form_tells_of_conditions_of_another_company(self):
        elsewhere = self.new_company("Elsewhere")
        theirs = self.gold.copy({"company_id": elsewhere.id, "name": "Theirs", "rank": 30})
        shared = self.new_program(
            "Shared", company_id=False, currency_id=self.home.currency_id.id
        )
        user = self.new_user("loyalty_boss", "sales_team.group_sale_manager", self.home)
        seen = shared.with_user(user).with_context(allowed_company_ids=self.home.ids)
        self.assertFalse(seen.lifecycle_has_foreign_conditions)
        shared.lifecycle_tier_ids = self.gold | theirs
        shared.invalidate_recordset()
        self.assertTrue(seen.lifecycle_has_foreign_conditions)
        shared.lifecycle_tier_ids = self.gold
        shared.invalidate_recordset()
        self.assertFalse(seen.lifecycle_has_foreign_conditions)

    def test_cards_leave_a_quotation_whose_customer_changes(self):
        card = self.new_card(self.ann, 80)
        order = self.quote(self.ann)
        order._update_programs_and_rewards()
        order._apply_program_reward(self.program.reward_ids, card)
        self.assertEqual(order.amount_total, 95)
        order.partner_id = self.ben
        order._update_programs_and_rewards()
        self.assertEqual(order.amount_total, 100)
        self.assertNotIn(card, order._get_claimable_rewards())
        self.assertEqual(
            order._apply_program_reward(self.program.reward_ids, card).get("error"),
            f"The card {card.code} belongs to Ann. It can be used on orders of this customer "
            "only.",
        )
        order.action_confirm()
        self.assertEqual(card.points, 80)
        self.assertEqual(self.cards(self.ben).points, 100)

    def test_contact_uses_and_fills_the_companys_card(self):
        firm = self.new_customer("Firm", is_company=True)
        contact = self.new_customer("Buyer", parent_id=firm.id)
        card = self.new_card(firm, 30)
        order = self.quote(contact)
        order._update_programs_and_rewards()
        # 30 points of the card and 100 of this very order
        self.assertEqual(order._get_claimable_rewards(), {card: self.program.reward_ids})
        order._apply_program_reward(self.program.reward_ids, card)
        order._update_programs_and_rewards()
        self.assertEqual(order.amount_total, 95)
        self.assertEqual(order.coupon_point_ids.coupon_id, card)
        order.order_line[0].write({"product_uom_qty": 20, "price_unit": 10})
        order._update_programs_and_rewards()
        self.assertEqual(order.coupon_point_ids.points, 200)
        self.assertEqual(order.amount_total, 195)
        order.action_confirm()
        self.assertEqual(card.points, 30 + 200 - 50)
        self.assertEqual(self.cards(), card, "no second card for the contact")
        self.assertEqual(
            self.history(card), [(None, f"Order {order.name}", 200, 50)]
        )

    def test_salesperson_sells_to_a_contact_with_the_companys_card(self):
        firm = self.new_customer("Firm", is_company=True)
        contact = self.new_customer("Buyer", parent_id=firm.id)
        card = self.new_card(firm, 60)
        seller = self.new_user("loyalty_seller", "sales_team.group_sale_salesman", self.home)
        order = self.quote(contact, user_id=seller.id).with_user(seller)
        order._update_programs_and_rewards()
        order._apply_program_reward(self.program.reward_ids.with_user(seller), card)
        order._update_programs_and_rewards()
        order.action_confirm()
        self.assertEqual(card.points, 60 + 100 - 50)

    def test_contacts_own_card_comes_first(self):
        firm = self.new_customer("Firm", is_company=True)
        contact = self.new_customer("Buyer", parent_id=firm.id)
        shared, own = self.new_card(firm, 70), self.new_card(contact, 5)
        order = self.quote(contact)
        order._update_programs_and_rewards()
        self.assertEqual(set(order._get_claimable_rewards()), {shared, own})
        order.action_confirm()
        self.assertEqual((shared.points, own.points), (70, 105))

    def test_company_does_not_use_its_contacts_card(self):
        firm = self.new_customer("Firm", is_company=True)
        contact = self.new_customer("Buyer", parent_id=firm.id)
        card = self.new_card(contact, 70)
        order = self.quote(firm)
        order._update_programs_and_rewards()
        self.assertNotIn(card, order._get_claimable_rewards())

    # ----- MULTIPLIER -----

    def test_level_multiplies_points(self):
        self.program.lifecycle_multiplier_ids = [
            Command.create({"tier_id": self.gold.id, "factor": 1.5})
        ]
        order = self.sell(self.ann, 99.99)
        card = self.cards(self.ann)
        # rounded down as Odoo does
        self.assertEqual(card.points, 149.98)
        self.assertEqual(
            self.history(card),
            [(None, f"Order {order.name}: points × 1.5 for Gold Customer", 149.98, 0)],
        )
        self.sell(self.ben, 99.99)
        self.assertEqual(self.cards(self.ben).points, 99.99)

    def test_points_of_the_tier_whoever_sells(self):
        """A salesperson gives them to a customer whose figures he may not see."""
        self.program.lifecycle_multiplier_ids = [
            Command.create({"tier_id": self.gold.id, "factor": 2})
        ]
        seller = self.new_user("loyalty_seller", "sales_team.group_sale_salesman", self.home)
        self.ann.user_id = self.new_user(
            "loyalty_other", "sales_team.group_sale_salesman", self.home
        )
        self.assertFalse(
            self.env["lifecycle.profile"].with_user(seller).search(
                [("partner_id", "=", self.ann.id)]
            )
        )
        order = self.quote(self.ann, user_id=seller.id).with_user(seller)
        order.action_confirm()
        self.assertEqual(self.cards(self.ann).points, 200)

    def test_multiplier_leaves_other_kinds_of_programs_alone(self):
        promotion = self.new_promotion()
        promotion.lifecycle_multiplier_ids = [
            Command.create({"tier_id": self.gold.id, "factor": 3})
        ]
        order = self.quote(self.ann)
        order._try_apply_code("SPRING")
        entry = order.coupon_point_ids.filtered(
            lambda one: one.coupon_id.program_id == promotion
        )
        self.assertEqual(entry.points, 1)

    def test_one_factor_for_each_level(self):
        self.program.lifecycle_multiplier_ids = [Command.create({"tier_id": self.gold.id})]
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            self.env["lifecycle.loyalty.multiplier"].create(
                {"program_id": self.program.id, "tier_id": self.gold.id}
            )

    # ----- RIGHTS -----

    def test_salespeople_use_and_managers_configure(self):
        seller = self.new_user("loyalty_seller", "sales_team.group_sale_salesman", self.home)
        manager = self.new_user("loyalty_boss", "sales_team.group_sale_manager", self.home)
        program = self.program.with_user(seller)
        views = program.get_views([(False, "form")])["models"]["loyalty.program"]["fields"]
        program.read([name for name in views if name in program._fields])
        with self.assertRaises(AccessError):
            program.lifecycle_tier_ids = self.gold
        with self.assertRaises(AccessError):
            self.env["lifecycle.loyalty.multiplier"].with_user(seller).create(
                {"program_id": program.id, "tier_id": self.gold.id}
            )
        program = self.program.with_user(manager)
        program.write(
            {
                "lifecycle_tier_ids": [Command.set(self.gold.ids)],
                "lifecycle_multiplier_ids": [Command.create({"tier_id": self.gold.id})],
            }
        )
        self.assertEqual(program.lifecycle_multiplier_ids.factor, 1.5)
