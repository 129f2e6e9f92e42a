from datetime import date, timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form

from ..common import LifecycleCase

TODAY = date(2025, 6, 16)


class TestCustomersToContact(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("Monday Ltd")
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": cls.company.ids})
        cls.startClassPatcher(
            patch.object(
                type(cls.env["res.company"]), "_lifecycle_today", lambda company: TODAY
            )
        )
        cls.sales = cls.new_user("monday_sales", "sales_team.group_sale_salesman", cls.company)
        cls.partners = cls.env["res.partner"].create(
            [
                {"name": f"M{i:02}", "email": f"m{i}@example.com", "user_id": cls.sales.id}
                for i in range(14)
            ]
        )
        # every customer is late: bought every 20 days, last 100 days ago, ever larger amounts
        cls.env["lifecycle.external.purchase"].create(
            [
                {
                    "partner_id": partner.id,
                    "date": TODAY - timedelta(100 + 20 * number),
                    "amount": 100 * (index + 1),
                    "company_id": cls.company.id,
                }
                for index, partner in enumerate(cls.partners)
                for number in range(5)
            ]
        )
        cls.env["lifecycle.pipeline"]._refresh(cls.company, cls.partners.ids)
        cls.env["lifecycle.classifier"]._classify(cls.company, TODAY, cause="initial")
        cls.env.invalidate_all()

    def suggested(self, user=None):
        profiles = self.env["lifecycle.profile"].with_user(user or self.sales)
        return profiles.search(
            [("to_contact", "=", True), ("company_id", "=", self.company.id)],
            order="money_at_risk desc",
        )

    def test_ten_customers_with_most_money_at_risk_come_first(self):
        found = self.suggested()
        self.assertEqual(
            found.mapped("partner_id.name"), [f"M{i:02}" for i in range(13, 3, -1)]
        )
        self.assertEqual(found[0].money_at_risk, 5 * 1400)
        self.assertIn("every 20 days, last order 100 days ago", found[0].contact_reason)
        self.assertTrue(all(found.mapped("to_contact")))

    def test_who_buys_in_rhythm_is_left_alone(self):
        happy = self.new_customer("Happy", email="happy@example.com", user_id=self.sales.id)
        self.env["lifecycle.external.purchase"].create(
            [
                {
                    "partner_id": happy.id,
                    "date": TODAY - timedelta(20 * number),
                    "amount": 99999,
                    "company_id": self.company.id,
                }
                for number in range(5)
            ]
        )
        self.env["lifecycle.pipeline"]._refresh(self.company, happy.ids)
        self.assertNotIn(happy, self.suggested().partner_id)

    def test_a_missing_item_alone_risks_no_more_than_its_own_money(self):
        partner = self.new_customer("Item", email="item@example.com", user_id=self.sales.id)
        coffee, cups = self.env["product.product"].create(
            [{"name": "Coffee", "type": "service"}, {"name": "Cups", "type": "service"}]
        )
        for number in range(10):
            order = self.new_order(partner, 5000, company=self.company, confirm=False)
            order.order_line.product_id = coffee
            order.order_line.price_unit = 5000
            if number >= 4:
                order.order_line.copy(
                    {"order_id": order.id, "product_id": cups.id, "price_unit": 10}
                )
            order.action_confirm()
            order.date_order = fields.Datetime.to_datetime(TODAY) - timedelta(20 * number - 0.5)
        self.env["lifecycle.pipeline"]._refresh(self.company, partner.ids)
        self.env.invalidate_all()
        profile = self.suggested().filtered(lambda found: found.partner_id == partner)
        self.assertFalse(profile, "a year of cups is less than what ten others risk")
        profile = self.env["lifecycle.profile"].search([("partner_id", "=", partner.id)])
        usual = profile.usual_product_ids.filtered("is_missing")
        self.assertEqual(usual.product_id, cups)
        self.assertEqual(profile.money_at_risk, usual.yearly_amount)
        self.assertAlmostEqual(usual.yearly_amount, 10 * 365 / 20)
        found = self.env["lifecycle.profile"].search(
            [("partner_id", "=", partner.id), ("money_at_risk", "=", usual.yearly_amount)]
        )
        self.assertEqual(found, profile)

    def test_each_outcome_makes_room_for_the_next_and_is_kept(self):
        first = self.suggested()[0]
        first.action_contact_snooze()
        after = self.suggested()
        self.assertNotIn(first, after)
        self.assertEqual(len(after), 10)
        outcome = first.sudo().outcome_ids
        self.assertEqual(outcome.kind, "snooze")
        self.assertEqual(outcome.user_id, self.sales)
        self.assertEqual(outcome.money_at_risk, 7000)
        self.assertIn("every 20 days", outcome.reason)
        self.assertEqual(outcome.hide_until, TODAY + timedelta(7))
        with patch.object(
            type(self.env["res.company"]),
            "_lifecycle_today",
            lambda company: TODAY + timedelta(8),
        ):
            self.env.invalidate_all()
            self.assertIn(first, self.suggested())

    def test_a_call_is_logged_where_everybody_looks(self):
        profile = self.suggested()[0]
        action = profile.action_contact_call()
        wizard = self.env["lifecycle.contact.call"].with_user(self.sales)
        with Form(wizard.with_context(**action["context"])) as form:
            self.assertIn("every 20 days", form.contact_reason)
            form.note = "Wants <b>prices</b>"
        form.record.action_reached()
        message = profile.partner_id.sudo().message_ids[:1]
        self.assertIn("Called, reached.", message.body)
        self.assertNotIn("<b>", message.body)
        self.assertEqual(profile.sudo().outcome_ids.note, "Wants <b>prices</b>")
        self.assertNotIn(profile, self.suggested())

    def test_a_quotation_counts_when_it_is_saved(self):
        profile = self.suggested()[0]
        action = profile.action_contact_quote()
        self.assertEqual(action["context"]["default_partner_id"], profile.partner_id.id)
        orders = self.env["sale.order"].with_user(self.sales).with_context(**action["context"])
        form = Form(orders)
        self.assertEqual(form.partner_id, profile.partner_id)
        self.assertFalse(profile.sudo().outcome_ids, "the form may still be discarded")
        form.save()
        self.assertEqual(profile.sudo().outcome_ids.kind, "quote")
        self.assertEqual(profile.sudo().outcome_ids.user_id, self.sales)
        self.assertNotIn(profile, self.suggested())
        Form(orders).save()
        self.assertEqual(len(profile.sudo().outcome_ids), 1, "a second one is no second call")

    def test_a_quotation_for_somebody_else_is_no_outcome(self):
        profile, other = self.suggested()[:2]
        action = profile.action_contact_quote()
        orders = self.env["sale.order"].with_user(self.sales).with_context(**action["context"])
        with Form(orders) as form:
            form.partner_id = other.partner_id
        self.assertFalse((profile | other).sudo().outcome_ids)
        foreign = self.env["lifecycle.profile"].search(
            [("company_id", "!=", self.company.id)], limit=1
        )
        Form(orders.with_context(lifecycle_quoted_profile_id=foreign.id)).save()
        self.assertFalse(foreign.sudo().outcome_ids)

    def test_everything_can_be_taken_back(self):
        profile = self.suggested()[0]
        messages = profile.partner_id.sudo().message_ids
        wizard = self.env["lifecycle.contact.call"].with_user(self.sales)
        wizard = wizard.create(
            {
                "profile_id": profile.id,
                "note": "Wrong customer",
                "call_again": TODAY + timedelta(3),
            }
        )
        for act in (
            wizard.action_missed,
            profile.action_contact_snooze,
            profile.action_contact_not_needed,
        ):
            done = act()["params"]
            self.assertNotIn(profile, self.suggested())
            self.assertIn("M13: ", done["message"])
            outcomes = self.env["lifecycle.contact.outcome"].browse(done["ids"])
            outcomes.with_user(self.sales).action_undo()
            self.assertFalse(outcomes.exists())
            self.assertIn(profile, self.suggested())
            self.assertEqual(profile.partner_id.sudo().message_ids, messages)
            self.assertFalse(profile.partner_id.sudo().activity_ids)
            # pressed twice, or in a second window
            outcomes.with_user(self.sales).action_undo()

    def test_only_ones_own_word_of_today_can_be_taken_back(self):
        done = self.suggested()[0].action_contact_snooze()["params"]
        outcome = self.env["lifecycle.contact.outcome"].browse(done["ids"])
        manager = self.new_user("monday_undo", "sales_team.group_sale_manager", self.company)
        with self.assertRaisesRegex(UserError, "noted yourself"):
            outcome.with_user(manager).action_undo()
        with (
            patch.object(
                type(self.env["res.company"]),
                "_lifecycle_today",
                lambda company: TODAY + timedelta(1),
            ),
            self.assertRaisesRegex(UserError, "today"),
        ):
            outcome.with_user(self.sales).action_undo()
        self.assertTrue(outcome.exists())

    def test_a_day_to_call_again_becomes_an_activity(self):
        profile = self.suggested()[0]
        day = TODAY + timedelta(4)
        wizard = self.env["lifecycle.contact.call"].with_user(self.sales)
        wizard.create({"profile_id": profile.id, "call_again": day}).action_missed()
        activity = profile.partner_id.sudo().activity_ids
        self.assertEqual((activity.date_deadline, activity.user_id), (day, self.sales))
        self.assertEqual(
            activity.activity_type_id, self.env.ref("mail.mail_activity_data_call")
        )
        self.assertEqual(profile.sudo().outcome_ids.hide_until, day)

    def test_the_next_customer_is_the_next_of_the_same_list(self):
        first, second = self.suggested()[:2]
        first.action_contact_snooze()
        action = first.action_contact_next()
        self.assertEqual(action["context"]["default_profile_id"], second.id)
        # a manager who helps with a colleague's list goes on in it
        manager = self.new_user("monday_helper", "sales_team.group_sale_manager", self.company)
        action = first.with_user(manager).action_contact_next()
        self.assertEqual(action["context"]["default_profile_id"], second.id)
        self.suggested().action_contact_not_needed()
        self.suggested().action_contact_not_needed()
        self.assertFalse(first.action_contact_next())

    def test_the_telephone_of_the_customers_people_does_too(self):
        profile = self.suggested()[0]
        self.assertFalse(profile.partner_phone)
        self.env["res.partner"].create(
            {"name": "Ann", "parent_id": profile.partner_id.id, "phone": "+1 503-555-0101"}
        )
        self.assertEqual(profile.partner_phone, "+1 503-555-0101")
        profile.partner_id.sudo().phone = "+1 503-555-0100"
        self.assertEqual(profile.partner_phone, "+1 503-555-0100")

    def test_the_advice_follows_the_reason(self):
        profile = self.suggested()[0]
        self.assertIn("Ask what has changed", profile.contact_advice)
        profile.sudo().return_date = TODAY - timedelta(2)
        profile.invalidate_recordset()
        first, second = str(profile.contact_advice).split("</li>")[:2]
        self.assertIn("what was wrong with the goods", first)
        self.assertIn("Ask what has changed", second)

    def test_an_order_after_the_contact_shows_in_the_report(self):
        profile = self.suggested()[0]
        profile.action_contact_not_needed()
        outcomes = self.env["lifecycle.contact.outcome"]
        domain = [("ordered_since", "=", True), ("profile_id", "=", profile.id)]
        self.assertFalse(outcomes.search(domain))
        self.new_purchase(profile.partner_id, 10, company=self.company)
        self.env["lifecycle.pipeline"]._refresh(self.company, profile.partner_id.ids)
        self.env.invalidate_all()
        self.assertEqual(outcomes.search(domain).profile_id, profile)

    def test_salespeople_see_their_own_and_managers_everybodys_by_salesperson(self):
        other = self.new_user("monday_other", "sales_team.group_sale_salesman", self.company)
        self.partners[:2].user_id = other
        self.env.flush_all()
        self.assertEqual(self.suggested(other).partner_id, self.partners[1] | self.partners[0])
        self.assertEqual(len(self.suggested()), 10)
        manager = self.new_user("monday_boss", "sales_team.group_sale_manager", self.company)
        groups = dict(
            self.env["lifecycle.profile"]
            .with_user(manager)
            ._read_group(
                [("to_contact", "=", True), ("company_id", "=", self.company.id)],
                ["partner_id"],
                ["__count"],
            )
        )
        self.assertEqual(len(groups), 12)
        with self.assertRaises(AccessError):
            self.suggested().with_user(other).action_contact_snooze()

    def test_people_cannot_write_outcomes_past_the_buttons(self):
        with self.assertRaises(AccessError):
            self.env["lifecycle.contact.outcome"].with_user(self.sales).create(
                {
                    "profile_id": self.suggested()[0].id,
                    "user_id": self.sales.id,
                    "date": TODAY,
                    "kind": "reached",
                }
            )
