from datetime import timedelta
from unittest.mock import patch

from odoo import fields

from odoo.addons.customer_lifecycle.models.profile.signal import SignalReader

from ..common import LifecycleCase


class TestSignalNews(LifecycleCase):
    """A night reads the signals of those only about whom there is something new."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("News Ltd")
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": cls.company.ids})
        cls.signals = cls.env["lifecycle.signal"]
        cls.today = cls.company._lifecycle_today()
        cls.signals.create(
            {
                "name": "Deadline of an opportunity",
                "target": "return_date",
                "model": "crm.lead",
                "company_path": "company_id",
                "date_path": "date_deadline",
                "domain": "[('priority', '=', '3')]",
            }
        )
        cls.customers = [cls.new_customer(f"Customer {number}") for number in range(20)]
        for number, customer in enumerate(cls.customers):
            cls.new_purchase(customer, 100, days_ago=40 + number, company=cls.company)
        cls.env["lifecycle.pipeline"]._refresh(
            cls.company, [customer.id for customer in cls.customers]
        )

    def setUp(self):
        super().setUp()
        self.seen = None

    def lead(self, customer, days=-10, priority="3"):
        return self.env["crm.lead"].create(
            {
                "name": "Wish",
                "partner_id": customer.id,
                "company_id": self.company.id,
                "date_deadline": self.today + timedelta(days),
                "priority": priority,
            }
        )

    def grow_old(self, days=3):
        """All that was written until now was written some days ago."""
        self.env.flush_all()
        for table in ("crm_lead", "res_partner", "account_move", "mail_message", "sale_order"):
            self.env.cr.execute(
                f"UPDATE {table} SET write_date = write_date - INTERVAL '{days} days', "
                f"create_date = create_date - INTERVAL '{days} days'"
            )
        self.env.cr.execute(
            "UPDATE lifecycle_profile SET preference_order_count = order_count, "
            "preference_order_date = last_order_date"
        )
        self.env.invalidate_all()

    def night(self, complete=False):
        """One night's look; returns whether it was at those with news only."""
        self.env.flush_all()
        scope = self.env, self.company, self.today
        with SignalReader(*scope) as reader:
            self.seen = reader.find_changes(self.seen, complete)
            reader.update()
        self.env["lifecycle.profile"].invalidate_model()
        return reader.only_changed

    def store_facts(self):
        """What a run does with purchases, without the preferences."""
        self.store_figures(self.company, self.today)

    def profile(self, customer):
        return self.env["lifecycle.profile"].search([("partner_id", "=", customer.id)])

    def assert_all_said(self):
        """A pass over all customers finds nothing to change."""
        self.assertEqual(self.signals._update(self.company), (0, []))

    def spoil(self, customer):
        """Write something wrong, which only who looks at this customer mends."""
        self.env.cr.execute(
            "UPDATE lifecycle_profile SET return_date = '2001-01-01' WHERE partner_id = %s",
            [customer.id],
        )

    def spoiled(self, customer):
        profile = self.profile(customer)
        profile.invalidate_recordset()
        return profile.return_date == fields.Date.to_date("2001-01-01")

    def test_only_customers_with_news_are_looked_at(self):
        self.lead(self.customers[0])
        self.assertFalse(self.night())
        self.grow_old()
        self.spoil(self.customers[1])
        self.lead(self.customers[2])
        self.assertTrue(self.night())
        self.assertEqual(
            self.profile(self.customers[2]).return_date, self.today - timedelta(10)
        )
        self.assertTrue(self.spoiled(self.customers[1]))

    def test_a_record_that_no_longer_speaks_is_news_too(self):
        lead = self.lead(self.customers[0])
        self.night()
        self.grow_old()
        lead.priority = "0"
        self.assertTrue(self.night())
        self.assertFalse(self.profile(self.customers[0]).return_date)
        self.assert_all_said()

    def test_a_planned_date_speaks_when_its_day_has_come(self):
        self.lead(self.customers[0], days=2)
        self.night()
        self.grow_old()
        self.assertFalse(self.profile(self.customers[0]).return_date)
        tomorrow = self.today + timedelta(2)
        with patch.object(type(self.company), "_lifecycle_today", lambda company: tomorrow):
            self.assertTrue(self.night())
            self.assertEqual(self.profile(self.customers[0]).return_date, tomorrow)
            self.assert_all_said()

    def test_old_records_of_a_new_customer_are_read(self):
        # what orders say of their customers themselves would hide it
        self.signals.search([("model", "=", "lifecycle.profile")]).active = False
        newcomer = self.new_customer("Newcomer", email=False)
        self.lead(newcomer)
        self.night()
        self.grow_old()
        self.new_purchase(newcomer, 100, days_ago=1, company=self.company)
        self.store_facts()
        self.spoil(self.customers[1])
        self.assertTrue(self.night())
        self.assertEqual(self.profile(newcomer).return_date, self.today - timedelta(10))
        self.assertTrue(self.spoiled(self.customers[1]))

    def test_what_went_to_another_company_is_news_here(self):
        lead = self.lead(self.customers[0])
        self.night()
        self.grow_old()
        other = self.new_company("Other Ltd")
        lead.with_context(allowed_company_ids=[self.company.id, other.id]).write(
            {"company_id": other.id, "team_id": False, "user_id": False}
        )
        self.assertTrue(self.night())
        self.assertFalse(self.profile(self.customers[0]).return_date)
        self.assert_all_said()

    def test_who_is_no_customer_here_does_not_count(self):
        self.night()
        self.grow_old()
        for number in range(5):
            self.lead(self.new_customer(f"Nobody {number}"))
        self.spoil(self.customers[1])
        self.assertTrue(self.night())
        self.assertTrue(self.spoiled(self.customers[1]))

    def test_a_record_speaks_when_it_comes_to_a_limit_of_the_rule(self):
        signal = self.signals.search([("name", "=", "Deadline of an opportunity")])
        for limit, days in (("today", 0), ("-30d", 30), ("today -1m", 30)):
            with self.subTest(limit=limit):
                signal.domain = f"[('date_deadline', '<', {limit!r})]"
                lead = self.lead(self.customers[0], days=3 - days)
                self.night()
                self.assertFalse(self.profile(self.customers[0]).return_date)
                # some days pass
                self.grow_old()
                self.seen["date"] = fields.Datetime.to_string(
                    fields.Datetime.to_datetime(self.seen["date"]) - timedelta(5)
                )
                late = lead.date_deadline - timedelta(5)
                self.env.flush_all()
                self.env.cr.execute(
                    "UPDATE crm_lead SET date_deadline = %s, write_date = '2020-01-01' "
                    "WHERE id = %s",
                    [late, lead.id],
                )
                self.spoil(self.customers[1])
                self.assertTrue(self.night())
                self.assertEqual(self.profile(self.customers[0]).return_date, late)
                self.assertTrue(self.spoiled(self.customers[1]))
                lead.unlink()
                self.night(complete=True)

    def test_who_was_recommended_later_speaks_about_the_recommender(self):
        self.night()
        self.grow_old()
        self.customers[1].lifecycle_referred_by_id = self.customers[0]
        self.assertTrue(self.night())
        self.assertEqual(self.profile(self.customers[0]).referral_count, 1)
        self.assert_all_said()

    def test_the_first_order_of_a_friend_is_news_of_who_recommended_us(self):
        friend = self.new_customer("Friend")
        friend.lifecycle_referred_by_id = self.customers[0]
        self.night()
        self.grow_old()
        self.new_purchase(friend, 100, days_ago=1, company=self.company)
        # the friend's own figures are made fresh at once, and nobody looks at them at night
        self.env["lifecycle.pipeline"]._refresh(self.company, [friend.id])
        self.assertEqual(self.profile(self.customers[0]).referral_count, 1)

    def test_new_orders_are_read_before_they_count_as_known(self):
        self.night()
        self.grow_old()
        self.new_purchase(self.customers[0], 100, days_ago=1, company=self.company)
        self.store_facts()
        self.assertTrue(self.night())
        self.assert_all_said()

    def test_a_changed_signal_and_a_week_that_has_passed_ask_for_all(self):
        self.night()
        self.grow_old()
        self.assertTrue(self.night())
        signal = self.signals.search([("name", "=", "Deadline of an opportunity")])
        signal.domain = "[]"
        self.spoil(self.customers[1])
        self.assertFalse(self.night())
        self.assertFalse(self.spoiled(self.customers[1]))
        self.assertTrue(self.night())
        later = self.today + timedelta(7)
        with patch.object(type(self.company), "_lifecycle_today", lambda company: later):
            self.assertFalse(self.night())
            self.assertTrue(self.night())

    def test_recomputing_by_hand_looks_at_all(self):
        run = self.env["lifecycle.run"].create(
            {"company_id": self.company.id, "kind": "nightly", "state": "running"}
        )
        run._look_at_customers(self.company)
        self.grow_old()
        self.spoil(self.customers[1])
        for kind, mended in (("nightly", False), ("manual", True)):
            run = self.env["lifecycle.run"].create(
                {"company_id": self.company.id, "kind": kind, "state": "running"}
            )
            run._look_at_customers(self.company)
            self.assertEqual(not self.spoiled(self.customers[1]), mended, kind)

    def test_recomputing_by_hand_does_not_wait_behind_a_night_that_reads_news_only(self):
        runs = self.env["lifecycle.run"]
        night = runs.create({"company_id": self.company.id, "kind": "nightly"})
        asked = runs._request(self.company, kind="manual")
        self.assertEqual((asked, night.kind), (night, "manual"))
        # the day's own run is still to come
        night.write({"state": "done", "as_of": self.today})
        self.assertEqual(runs._ensure_nightly(self.company).kind, "nightly")

    def test_many_news_are_read_in_one_pass_over_all(self):
        self.night()
        self.grow_old()
        for customer in self.customers[:5]:
            self.lead(customer)
        self.spoil(self.customers[9])
        self.assertFalse(self.night())
        self.assertFalse(self.spoiled(self.customers[9]))
