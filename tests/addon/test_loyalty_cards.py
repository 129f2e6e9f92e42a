"""Cards that are given automatically, the welcome bonus, and points that expire."""

from datetime import datetime

from freezegun import freeze_time

from odoo import Command, fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form

from .common_loyalty import LoyaltyCase

START = datetime(2027, 3, 2, 10, 0)


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


class TestExpiry(LoyaltyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program.write(
            {
                "lifecycle_expiry_months": 12,
                "lifecycle_notice_days": 30,
                "lifecycle_reminder": "none",
            }
        )
        cls.ann = cls.new_customer("Ann", email="ann@example.com", user_id=cls.env.user.id)
        cls.profile_ann = cls.new_profile(cls.ann, last_order_date="2027-03-02")
        with freeze_time(START):
            cls.card = cls.new_card(cls.ann, 80)
        cls.age(cls.card, START)

    @classmethod
    def age(cls, card, moment):
        """The database's own clock does not stand still: write when a card was made."""
        cls.env.flush_all()
        for table, column in (("loyalty_card", "id"), ("loyalty_history", "card_id")):
            cls.env.cr.execute(
                f"UPDATE {table} SET create_date = %s WHERE {column} = %s", [moment, card.id]
            )
        cls.env.invalidate_all()

    def on(self, *date):
        """Run the scheduled action on a day."""
        with freeze_time(datetime(*date, 3, 0)):
            self.run_loyalty()

    def activities(self):
        return self.env["mail.activity"].search(
            [("res_model", "=", "res.partner"), ("res_id", "=", self.ann.id)]
        )

    def deliveries(self):
        return self.env["lifecycle.workflow.delivery"].search(
            [("loyalty_program_id", "=", self.program.id)]
        )

    def test_points_expire_after_the_last_order(self):
        self.on(2027, 3, 3)
        self.assertEqual(str(self.card.lifecycle_points_expiry), "2028-03-02")
        self.on(2028, 2, 1)
        self.assertEqual(str(self.card.lifecycle_notice_date), "2028-02-01")
        self.on(2028, 3, 1)
        self.assertEqual(self.card.points, 80)
        self.on(2028, 3, 2)
        self.assertEqual(self.card.points, 0)
        self.assertEqual(
            self.history(self.card),
            [("expired", "Expired: 12 months without an order or new points", 0, 80)],
        )
        self.assertFalse(self.card.lifecycle_points_expiry)
        self.on(2028, 3, 3)
        self.assertEqual(len(self.card.history_ids), 1)

    def test_fractions_leave_nothing(self):
        self.card.points = 0.1 + 0.2
        for day in ((2028, 2, 1), (2028, 3, 2), (2028, 3, 3), (2028, 3, 4)):
            self.on(*day)
        self.assertEqual(self.card.points, 0)
        self.assertEqual(len(self.card.history_ids), 1)

    def test_rest_of_a_sum_is_nothing_to_expire(self):
        self.card.points = 0.1 + 0.2 - 0.3
        self.assertGreater(self.card.points, 0)
        self.on(2028, 2, 1)
        self.on(2028, 3, 2)
        self.assertFalse(self.card.lifecycle_notice_date)
        self.assertFalse(self.card.history_ids)

    def test_looking_at_a_program_does_not_change_whose_it_is(self):
        manager = self.new_user("club_manager", "sales_team.group_sale_manager", self.home)
        self.program.with_user(manager).lifecycle_reminder = "email"
        self.on(2028, 2, 1)
        self.program.invalidate_recordset()
        self.assertEqual(str(self.program.lifecycle_expiry_day), "2028-02-01")
        self.assertEqual(self.deliveries()._asked_by(), manager)

    def test_an_order_and_new_points_begin_anew(self):
        self.on(2028, 2, 1)
        self.profile_ann.last_order_date = "2028-02-20"
        self.on(2028, 3, 5)
        self.assertEqual(self.card.points, 80)
        self.assertEqual(str(self.card.lifecycle_points_expiry), "2029-02-20")
        self.card._lifecycle_add_points(5, lambda card: "Thank you")
        self.age(self.card, datetime(2028, 6, 1))
        self.on(2028, 6, 2)
        self.assertEqual(str(self.card.lifecycle_points_expiry), "2029-06-01")

    def test_nothing_expires_unannounced(self):
        """The rule is switched on, or the server is back, years later."""
        self.on(2031, 1, 10)
        self.assertEqual(self.card.points, 80)
        self.assertEqual(str(self.card.lifecycle_points_expiry), "2031-02-09")
        self.on(2031, 2, 8)
        self.assertEqual(self.card.points, 80)
        self.on(2031, 2, 9)
        self.assertEqual(self.card.points, 0)

    def test_customer_whose_order_is_not_counted_yet_is_left_alone(self):
        self.on(2028, 2, 1)
        self.env["lifecycle.queue"].sudo()._append_partners(self.ann.ids)
        self.env.flush_all()
        with freeze_time(datetime(2028, 4, 1)):
            self.run_cron("customer_lifecycle.ir_cron_lifecycle_loyalty")
        self.assertEqual(self.card.points, 80)
        self.program.lifecycle_expiry_day = False
        self.on(2028, 4, 1)
        self.assertEqual(self.card.points, 0)

    def test_switched_off(self):
        self.on(2027, 3, 3)
        self.program.lifecycle_expiry_months = 0
        self.on(2029, 3, 3)
        self.assertFalse(self.card.lifecycle_points_expiry)
        self.assertEqual(self.card.points, 80)

    # ----- REMINDERS -----

    def test_reminder_by_mail_once(self):
        self.program.lifecycle_reminder = "email"
        for day in (1, 2, 3):
            self.on(2028, 2, day)
        self.assertEqual(len(self.deliveries()), 1)
        self.assertEqual(self.deliveries().state, "waiting")
        with freeze_time(datetime(2028, 2, 3, 10)):
            self.empty_queue()
            self.run_cron("customer_lifecycle.ir_cron_lifecycle_workflow")
        delivery = self.deliveries()
        self.assertEqual((delivery.state, delivery.email), ("done", "ann@example.com"))
        body = delivery.mail_message_id.body
        # it waited for two days: the thirty days begin when it is sent
        self.assertIn("80 Points (Club) expire on 03/04/2028.", body)
        self.assertIn("/lifecycle/unsubscribe", self.env["mail.mail"].search(
            [("mail_message_id", "=", delivery.mail_message_id.id)]
        ).body_html)

    def work(self, *date):
        """Run the workflows' scheduled action on a day, at noon."""
        with freeze_time(datetime(*date, 12)):
            self.empty_queue()
            self.run_cron("customer_lifecycle.ir_cron_lifecycle_workflow")

    def test_points_wait_until_the_reminder_is_sent(self):
        """Enough messages lately: it is put off, dropped after a week, and asked for anew."""
        self.program.lifecycle_reminder = "email"
        self.home.write({"lifecycle_cap_month": 1, "lifecycle_wait_days": 7})
        self.env["lifecycle.workflow.delivery"].sudo().create(
            {
                "profile_id": self.ann.lifecycle_profile_id.id,
                "partner_id": self.ann.id,
                "company_id": self.home.id,
                "kind": "email",
                "state": "done",
                "email": "ann@example.com",
                "date": datetime(2028, 1, 31),
            }
        )
        self.on(2028, 2, 1)
        for day in (1, 9):
            self.work(2028, 2, day)
        self.assertEqual((self.deliveries().state, self.deliveries().reason), ("skipped", "cap"))
        self.on(2028, 3, 10)
        self.assertEqual(self.card.points, 80, "the customer knows nothing yet")
        self.assertEqual(len(self.deliveries()), 2, "asked for anew")
        self.work(2028, 3, 10)
        self.assertEqual(self.deliveries().sorted("id")[-1].state, "done")
        self.on(2028, 4, 8)
        self.assertEqual(self.card.points, 80)
        self.on(2028, 4, 9)
        self.assertEqual(self.card.points, 0, "thirty days after the message")

    def test_points_do_not_expire_while_the_reminder_waits(self):
        self.program.write({"lifecycle_reminder": "email", "lifecycle_notice_days": 0})
        for day in (2, 3, 4):
            self.on(2028, 3, day)
        self.assertEqual(self.deliveries().state, "waiting")
        self.assertEqual(self.card.points, 80)
        self.work(2028, 3, 6)
        self.on(2028, 3, 7)
        self.assertEqual(self.card.points, 0)

    def test_failed_reminder_is_given_anew_after_a_week(self):
        self.program.lifecycle_reminder = "email"
        self.on(2028, 2, 1)
        with freeze_time(datetime(2028, 2, 1, 12)):
            self.deliveries().sudo()._stop("A broken template")
        self.on(2028, 2, 8)
        self.assertEqual(len(self.deliveries()), 1)
        self.on(2028, 2, 9)
        self.assertEqual(sorted(self.deliveries().mapped("state")), ["failed", "waiting"])
        self.on(2028, 3, 20)
        self.assertEqual(self.card.points, 80)

    def test_who_unsubscribes_before_the_reminder_loses_the_points(self):
        """A reason that does not pass: nobody could ever be told."""
        self.program.lifecycle_reminder = "email"
        self.on(2028, 2, 1)
        self.env["mail.blacklist"]._add("ann@example.com")
        self.work(2028, 2, 3)
        self.assertEqual(self.deliveries().reason, "blacklisted")
        self.on(2028, 2, 4)
        self.on(2028, 3, 4)
        self.assertEqual(self.card.points, 0)
        self.assertEqual(len(self.deliveries()), 1)

    def test_no_reminder_of_points_that_are_spent_meanwhile(self):
        self.program.lifecycle_reminder = "email"
        self.on(2028, 2, 1)
        self.assertEqual(self.deliveries().state, "waiting")
        self.card.points = 0
        with freeze_time(datetime(2028, 2, 3, 10)):
            self.empty_queue()
            self.run_cron("customer_lifecycle.ir_cron_lifecycle_workflow")
        self.assertEqual((self.deliveries().state, self.deliveries().reason), ("skipped", "moot"))

    def test_who_may_not_be_written_to_becomes_an_activity(self):
        self.program.lifecycle_reminder = "email"
        self.env["mail.blacklist"]._add("ann@example.com")
        self.on(2028, 2, 1)
        self.on(2028, 2, 2)
        self.assertEqual(
            (self.deliveries().state, self.deliveries().reason), ("skipped", "blacklisted")
        )
        self.assertEqual(len(self.activities()), 1)
        self.assertIn("Unsubscribed or blacklisted", self.activities().note)
        self.on(2028, 3, 2)
        self.assertEqual(self.card.points, 0)

    def test_reminder_by_activity(self):
        self.program.lifecycle_reminder = "activity"
        self.on(2028, 2, 1)
        self.on(2028, 2, 2)
        activity = self.activities()
        self.assertEqual(activity.summary, "Points of Club are about to expire")
        self.assertIn("80 Points (Club) expire on 03/02/2028.", activity.note)
        self.assertFalse(self.deliveries())

    def test_customer_without_a_profile(self):
        guest = self.new_customer("Guest")
        card = self.new_card(guest, 10)
        self.age(card, START)
        self.program.lifecycle_reminder = "email"
        self.on(2028, 2, 1)
        self.on(2028, 3, 2)
        self.assertEqual(card.points, 0)

    def test_needs_an_email(self):
        with self.assertRaisesRegex(ValidationError, "choose the e-mail that reminds"):
            self.program.write(
                {"lifecycle_reminder": "email", "lifecycle_reminder_template_id": False}
            )
