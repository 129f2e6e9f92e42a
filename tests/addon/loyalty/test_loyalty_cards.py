"""Cards that are given automatically, and the welcome bonus."""

from odoo import Command, fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form

from ..common_loyalty import LoyaltyCase


class TestAutomaticCards(LoyaltyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ann, cls.ben, cls.cid = (cls.new_customer(name) for name in ("Ann", "Ben", "Cid"))
        cls.ann_profile = cls.new_profile(cls.ann, vip_tier_id=cls.gold.id)
        cls.ben_profile = cls.new_profile(cls.ben, vip_tier_id=cls.gold.id)
        cls.cid_profile = cls.new_profile(cls.cid)

    def automatic(self, **values):
        self.program.write(
            {
                "lifecycle_tier_ids": [Command.set(self.gold.ids)],
                "lifecycle_auto_card": True,
                **values,
            }
        )

    def holders(self):
        return sorted(self.cards().partner_id.mapped("name"))

    def test_members_get_one_card(self):
        self.automatic()
        self.assertEqual(self.program.lifecycle_waiting_count, 2)
        mails = self.env["mail.mail"].search_count([])
        self.run_loyalty()
        self.run_loyalty()
        self.assertEqual(self.holders(), ["Ann", "Ben"])
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)
        self.program.invalidate_recordset()
        self.assertEqual(self.program.lifecycle_waiting_count, 0)
        self.assertEqual(self.program.lifecycle_member_count, 2)

    def test_stage_and_segment(self):
        self.program.write(
            {"lifecycle_stage_ids": [Command.set(self.active_stage.ids)],
             "lifecycle_segment_ids": [Command.set(self.segment.ids)],
             "lifecycle_auto_card": True}
        )
        self.join_segment(self.cid_profile)
        self.run_loyalty()
        self.assertEqual(self.holders(), ["Cid"])
        self.join_segment(self.ann_profile)
        self.run_loyalty()
        self.assertEqual(self.holders(), ["Ann", "Cid"])

    def test_who_leaves_keeps_card_and_points_and_gets_no_second(self):
        self.automatic(lifecycle_welcome_points=20)
        self.run_loyalty()
        self.ann_profile.vip_tier_id = False
        self.run_loyalty()
        self.ann_profile.vip_tier_id = self.gold
        self.run_loyalty()
        self.assertEqual(self.holders(), ["Ann", "Ben"])
        self.assertEqual(self.cards(self.ann).points, 20)

    def test_existing_cards_count_also_archived_and_of_contacts(self):
        firm = self.new_customer("Firm", is_company=True)
        self.new_profile(firm, vip_tier_id=self.gold.id)
        contact = self.new_customer("Buyer", parent_id=firm.id)
        self.new_card(contact)
        self.new_card(self.ann).action_archive()
        self.automatic()
        self.run_loyalty()
        self.assertEqual(self.holders(), ["Ann", "Ben", "Buyer"])

    def test_deleted_card_is_not_given_again(self):
        self.automatic(lifecycle_welcome_points=20)
        self.run_loyalty()
        self.cards(self.ann).unlink()
        self.run_loyalty()
        self.assertEqual(self.holders(), ["Ben"])

    def test_excluded_and_archived_customers_get_none(self):
        self.automatic()
        self.ann.lifecycle_exclude = True
        self.ben.action_archive()
        self.run_loyalty()
        self.assertFalse(self.cards())

    def test_program_outside_its_dates_gives_none(self):
        self.automatic(date_from=fields.Date.add(fields.Date.today(), days=3))
        self.run_loyalty()
        self.assertFalse(self.cards())

    def test_other_company_and_shared_program(self):
        other = self.new_company("Elsewhere", lifecycle_tz="UTC")
        dan = self.new_customer("Dan")
        self.new_profile(dan, company_id=other.id)
        self.new_profile(self.ann, company_id=other.id)
        self.program.write(
            {"lifecycle_stage_ids": [Command.set(self.active_stage.ids)],
             "lifecycle_auto_card": True}
        )
        self.run_loyalty()
        self.assertEqual(self.holders(), ["Ann", "Ben", "Cid"])
        shared = self.new_program(
            "Shared", company_id=False, currency_id=self.home.currency_id.id,
            lifecycle_auto_card=True,
            lifecycle_stage_ids=[Command.set(self.active_stage.ids)],
        )
        self.run_loyalty()
        ours = self.cards(program=shared).filtered(
            lambda card: card.partner_id in (self.ann + self.ben + self.cid + dan)
        )
        self.assertEqual(sorted(ours.mapped("partner_id.name")), ["Ann", "Ben", "Cid", "Dan"])

    def test_one_that_fails_is_listed_and_the_others_get_theirs(self):
        cards = type(self.env["loyalty.card"])
        create, ann = cards.create, self.ann

        def picky(records, vals_list):
            if any(values.get("partner_id") == ann.id for values in vals_list):
                raise ValidationError("No card for Ann")
            return create(records, vals_list)

        self.automatic()
        self.patch(cards, "create", picky)
        with self.assertLogs("odoo.addons.customer_lifecycle", "WARNING"):
            self.run_loyalty()
        self.assertEqual(self.holders(), ["Ben"])
        self.program.invalidate_recordset()
        self.assertEqual(self.program.lifecycle_problem_count, 1)
        problem = self.env["lifecycle.loyalty.member"].search([("problem", "!=", False)])
        self.assertEqual((problem.partner_id, problem.problem), (self.ann, "No card for Ann"))
        self.patch(cards, "create", create)
        self.run_loyalty()
        self.assertEqual(self.holders(), ["Ben"], "not again by itself")
        problem.with_user(
            self.new_user("loyalty_boss", "sales_team.group_sale_manager", self.home)
        ).action_retry()
        self.run_loyalty()
        self.assertEqual(self.holders(), ["Ann", "Ben"])

    def test_needs_a_condition(self):
        with self.assertRaisesRegex(ValidationError, "choose a stage, VIP tier or segment"):
            self.program.lifecycle_auto_card = True

    def test_membership_is_hidden_from_salespeople(self):
        seller = self.new_user("loyalty_seller", "sales_team.group_sale_salesman", self.home)
        with self.assertRaises(AccessError):
            self.env["lifecycle.loyalty.member"].with_user(seller).search([])

    def test_form_of_a_new_program(self):
        with Form(
            self.env["loyalty.program"].with_context(default_program_type="loyalty")
        ) as form:
            form.name = "New"
            form.lifecycle_tier_ids.add(self.gold)
            form.lifecycle_auto_card = True
        self.assertTrue(form.record.lifecycle_auto_card)


class TestWelcome(LoyaltyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program.lifecycle_welcome_points = 25
        cls.ann = cls.new_customer("Ann")

    def test_card_by_hand_is_welcomed_once(self):
        card = self.new_card(self.ann)
        self.assertEqual(self.history(card), [("welcome", "Welcome to Club", 25, 0)])
        self.assertEqual(card.points, 25)
        self.assertEqual(self.new_card(self.ann).points, 0, "a second card is no joining")

    def test_first_order_welcomes_when_it_is_confirmed(self):
        order = self.quote(self.ann)
        order._update_programs_and_rewards()
        card = self.cards(self.ann)
        self.assertEqual(card.points, 0)
        order.action_confirm()
        self.assertEqual(card.points, 125)
        self.sell(self.ann)
        self.assertEqual(card.points, 225)
        self.assertEqual(
            [line[0] for line in self.history(card)].count("welcome"), 1
        )
        # cancelling takes the order's points only
        order._action_cancel()
        self.assertEqual(card.points, 125)

    def test_merged_customer_has_joined_once_and_stays_a_member_elsewhere(self):
        other = self.new_program("Other club", lifecycle_welcome_points=7)
        bea, cid = self.new_customer("Bea"), self.new_customer("Cid")
        cards = self.new_card(bea), self.new_card(cid), self.new_card(bea, program=other)
        self.env["base.partner.merge.automatic.wizard"]._merge((bea | cid).ids, cid)
        members = self.env["lifecycle.loyalty.member"].search([("partner_id", "=", cid.id)])
        self.assertEqual(members.program_id, self.program | other)
        self.assertEqual(len(members), 2)
        self.assertEqual([card.points for card in cards], [0, 50, 7])

    def test_cards_of_before_get_none(self):
        self.program.lifecycle_welcome_points = 0
        card = self.new_card(self.ann)
        self.program.lifecycle_welcome_points = 25
        self.sell(self.ann)
        self.assertEqual(card.points, 100)
        # a colleague's first card is not the customer's
        contact = self.new_customer("Buyer", parent_id=self.ann.id)
        self.env["lifecycle.loyalty.member"].search([("card_id", "=", card.id)]).unlink()
        self.assertEqual(self.new_card(contact).points, 0)

    def test_visitors_card_welcomes_when_he_says_who_he_is(self):
        card = self.new_card(self.env.ref("base.public_partner"))
        self.assertEqual(card.points, 0)
        card.partner_id = self.ann
        self.assertEqual(card.points, 25)
