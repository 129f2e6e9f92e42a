"""Points that expire, and the reminder before they do."""

from datetime import datetime

from freezegun import freeze_time

from odoo.exceptions import ValidationError

from ..common_loyalty import LoyaltyCase

START = datetime(2027, 3, 2, 10, 0)


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

    def test_reminder_that_is_no_longer_kept_holds_nothing_up(self):
        """Deliveries go with their workflow, or when they are old: the card has a number only."""
        self.program.write({"lifecycle_reminder": "email", "lifecycle_notice_days": 0})
        self.on(2028, 3, 2)
        self.assertEqual(
            self.card.lifecycle_notice_delivery_id, self.deliveries().id, "the notice waits"
        )
        self.deliveries().sudo().unlink()
        self.on(2028, 3, 4)
        self.assertFalse(self.card.lifecycle_notice_delivery_id)
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
        # every colleague who may open the contact reads it: how many is told on the card
        self.assertNotIn("80", activity.note)
        self.assertIn("loyalty card", activity.note)
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
