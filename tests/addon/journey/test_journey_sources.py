"""Touchpoint sources: each delivered one finds what it is for, and a broken one hurts nobody."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form
from odoo.tools import SQL, mute_logger

from ..common_money import MoneyCase
from .test_journey import MANAGER, JourneyCase

LAYOUT = "mail.mail_notification_layout_with_responsible_signature"
#: sources whose models come with apps that the addon does not need
ASLEEP = {
    "mailing_sent", "mailing_opened", "mailing_clicked", "mailing_replied", "mailing_bounced",
    "unsubscribed", "website_visit", "event_registration", "event_attended", "cart", "pos_order",
    "pos_refund",
    "delivery", "delivery_dropship", "delivery_late", "delivery_return",
    "rating_good", "rating_fair", "rating_bad", "survey", "task_opened", "task_closed", "repair",
    "live_chat",
}


class DeliveredCase(MoneyCase):
    """Documents of every kind, and what the journey makes of them."""

    def found(self, partner=None):
        """Names of the delivered sources that find something about a customer."""
        self.env.flush_all()
        self.env.invalidate_all()
        partner = partner or self.customer
        journey = self.env["lifecycle.journey"].get_journey(
            partner.id, {"overview": True, "limit": 500}
        )
        self.assertEqual(journey["warnings"], [])
        ids = {item["key"][1] for item in journey["items"]}
        self.assertEqual(ids, {row[0] for row in journey["days"]})
        return {
            name.split("touchpoint_source_")[1]
            for name in self.env["lifecycle.touchpoint.source"]
            .browse(ids)
            .get_external_id()
            .values()
        }

    def message(self, record, body, **values):
        return self.env["mail.message"].create(
            {
                "model": record._name,
                "res_id": record.id,
                "body": body,
                "message_type": "comment",
                "subtype_id": self.env.ref("mail.mt_comment").id,
                "author_id": self.env.user.partner_id.id,
                **values,
            }
        )


class TestDelivered(DeliveredCase):
    def test_sources_sleep_only_where_their_app_is_missing(self):
        sources = self.env["lifecycle.touchpoint.source"].search([])
        names = {
            source.id: xml_id.split("touchpoint_source_")[1]
            for source in sources
            for xml_id in [source.get_external_id()[source.id]]
            if xml_id
        }
        self.assertEqual(len(names), 59)
        for source in sources:
            name = names.get(source.id)
            with self.subTest(source=name):
                self.assertNotEqual(source.state, "error", source.state_message)
                if name and name not in ASLEEP:
                    self.assertEqual(source.state, "ready")

    def test_sales(self):
        won = self.env["crm.stage"].search([("is_won", "=", True)], limit=1)
        values = {"type": "opportunity", "partner_id": self.customer.id,
                  "company_id": self.company.id}
        self.env["crm.lead"].create({**values, "name": "Won", "stage_id": won.id,
                                     "probability": 100})
        lost = self.env["crm.lead"].create({**values, "name": "Lost"})
        lost.action_set_lost()
        lost.activity_schedule("mail.mail_activity_data_call", summary="Ring")
        lost.activity_schedule("mail.mail_activity_data_todo", summary="Think")
        for activity in lost.activity_ids:
            activity.action_feedback("Spoke to the owner")
        order = self.order(100, partner=self.customer)
        self.message(order, "Here it is", email_layout_xmlid=LAYOUT)
        self.message(order, "Any questions?")
        self.message(order, "Nice people", subtype_id=self.env.ref("mail.mt_note").id)
        self.message(order, "Thanks", author_id=self.customer.id)
        self.env["calendar.event"].create(
            {"name": "Tasting", "start": "2026-04-02 09:00:00", "stop": "2026-04-02 10:00:00",
             "partner_ids": [Command.set(self.customer.ids)]}
        )
        self.assertEqual(
            self.found(),
            {"lead_created", "lead_won", "lead_lost", "call", "activity_done", "meeting",
             "message_sent", "message_received", "note", "quotation", "quotation_sent", "order"},
        )

    def test_a_mail_by_template_is_shown_once(self):
        template = self.env["mail.template"].create(
            {
                "name": "Thanks",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "subject": "Thank you",
                "body_html": "<p>Thank you</p>",
                "partner_to": "{{ object.id }}",
                "auto_delete": False,
            }
        )
        template.send_mail(self.customer.id)
        self.assertEqual(self.found(), {"message_sent"})
        items = self.env["lifecycle.journey"].get_journey(self.customer.id)["items"]
        self.assertEqual([item["title"] for item in items], ["Thank you"])

    def test_a_cancelled_order_says_when(self):
        order = self.order(100, partner=self.customer).with_context(tracking_disable=False)
        self.env.flush_all()
        self.env.cr.precommit.run()
        order._action_cancel()
        self.env.flush_all()
        self.env.cr.precommit.run()
        self.assertEqual(self.found(), {"quotation", "order_cancelled"})
        # a confirmed order's messages are about no cancellation
        self.order(50, partner=self.customer)
        found = self.env["lifecycle.journey"].get_journey(self.customer.id)["items"]
        self.assertEqual(sum("Cancelled" in item["title"] for item in found), 1)

    def test_money(self):
        order = self.order(100, 50, partner=self.customer)
        invoice = self.invoice(order, days_ago=20)
        invoice.invoice_date_due = self.day(6)
        self.credit(invoice, days_ago=10, quantities={1: 0})
        paid = self.invoice(self.order(70, partner=self.customer), days_ago=15)
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=paid.ids
        ).create({"payment_date": self.day(3)})._create_payments()
        self.new_purchase(self.customer, 30, days_ago=500)
        found = self.found()
        self.assertEqual(
            found,
            {"quotation", "order", "invoice", "credit_note", "payment", "overdue", "imported"},
        )
        items = self.env["lifecycle.journey"].get_journey(self.customer.id)["items"]
        payment = next(item for item in items if item["title"].startswith("Payment"))
        self.assertEqual((payment["amount"], payment["day"]), (70, str(self.day(3))))

    def test_a_failed_payment(self):
        provider = self.env["payment.provider"].search([], limit=1)
        provider = provider.copy({"company_id": self.company.id})
        method = self.env["payment.method"].with_context(active_test=False).search([], limit=1)
        self.env["payment.transaction"].create(
            {
                "provider_id": provider.id,
                "payment_method_id": method.id,
                "reference": "Lifecycle-1",
                "amount": 12,
                "currency_id": self.company.currency_id.id,
                "partner_id": self.customer.id,
                "state": "error",
                "last_state_change": fields.Datetime.now(),
            }
        )
        self.assertEqual(self.found(), {"payment_failed"})

    def test_loyalty(self):
        loyalty, coupons = self.env["loyalty.program"].create(
            [
                {"name": "Club", "program_type": "loyalty", "trigger": "auto"},
                {"name": "Welcome", "program_type": "coupons", "trigger": "with_code"},
            ]
        )
        card, _coupon = self.env["loyalty.card"].create(
            [
                {"program_id": loyalty.id, "partner_id": self.customer.id, "points": 40,
                 "expiration_date": self.day(5)},
                {"program_id": coupons.id, "partner_id": self.customer.id},
            ]
        )
        self.env["loyalty.history"].create(
            [
                {"card_id": card.id, "description": "Order", "issued": 50},
                {"card_id": card.id, "description": "Reward", "used": 10},
            ]
        )
        self.assertEqual(
            self.found(), {"points_won", "points_spent", "points_expired", "coupon"}
        )

    def test_life_cycle(self):
        self.new_purchase(self.customer, 30, days_ago=2, company=self.company)
        self.run_nightly()
        profile = self.profile(self.customer, self.company)
        self.env["lifecycle.transition"].search([("profile_id", "=", profile.id)])
        stages = self.env["lifecycle.stage"].search([])
        common = {"profile_id": profile.id, "date": self.today, "cause": "rule"}
        for number, tone in enumerate(("success", "danger", "info"), 50):
            self.env["lifecycle.transition"].create(
                {**common, "kind": "stage", "number": number,
                 "to_stage_id": stages.filtered(lambda one: one.tone == tone)[:1].id}  # noqa: B023
            )
        tier = self.env["lifecycle.vip.tier"].search([], limit=1)
        tier = tier or self.env["lifecycle.vip.tier"].create({"name": "Gold", "entry": 1})
        self.env["lifecycle.transition"].create(
            {**common, "kind": "tier", "number": 60, "to_tier_id": tier.id}
        )
        segment = self.env["lifecycle.segment"].create({"name": "Coffee lovers"})
        self.env["lifecycle.transition"].create(
            {**common, "kind": "segment", "number": 70, "segment_id": segment.id, "joined": True}
        )
        self.assertLessEqual(
            {"imported", "stage", "stage_good", "stage_bad", "tier", "segment"}, self.found()
        )
        found = self.env["lifecycle.journey"].get_journey(self.customer.id, {"text": "lovers"})
        self.assertEqual([item["title"] for item in found["items"]], ["Segment: Coffee lovers"])


class TestOwnSources(JourneyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls.new_user("journey_manager", f"{MANAGER},base.group_partner_manager")
        cls.manager.company_ids |= cls.company

    def test_a_manager_adds_a_source_in_the_form(self):
        with Form(self.sources.with_user(self.manager)) as form:
            form.name = "Contact added"
            form.lane = "service"
            form.model = "res.partner"
            form.partner_path = "parent_id"
            form.title = "{name} joined"
        self.assertEqual(form.record.state, "ready")
        self.assertIn("Anna Traveller joined", self.titles(user=self.manager))
        action = form.record.action_view_latest()
        self.assertLessEqual(len(action["params"]["items"]), 10)
        self.assertIn(
            "Anna Traveller joined", [item["title"] for item in action["params"]["items"]]
        )

    def test_a_field_alone_is_a_title(self):
        self.new_source(title="name")
        self.assertIn("Anna Traveller", self.titles())

    def test_mistakes_are_told_when_saving(self):
        for values, word in (
            ({"date_path": "birth_day"}, "birth_day"),
            ({"title": "Hello {nothing}"}, "nothing"),
            ({"domain": "[('nowhere', '=', 1)]"}, "nowhere"),
            ({"partner_path": "name"}, "name"),
            ({"amount_path": "name"}, "name"),
            ({"partner_path": False}, "contact"),
            ({"documents": "sale.order"}, "sale.order"),
        ):
            with self.subTest(values=values), self.assertRaises(ValidationError) as caught:
                self.new_source(**values)
            self.assertIn(word, str(caught.exception))

    def test_nobody_adds_what_he_may_not_read(self):
        for values in (
            {"model": "ir.config_parameter", "partner_path": "create_uid.partner_id",
             "title": "{value}"},
            {"model": "mail.message", "partner_path": False, "documents": "res.partner id",
             "date_path": "date", "title": "{tracking_value_ids}"},
            {"model": "crm.lead", "partner_path": "partner_id", "domain":
             "[('user_id', 'any', [('log_ids', 'any', [('create_date', '!=', False)])])]"},
        ):
            with self.assertRaises(ValidationError) as caught:
                self.sources.with_user(self.manager).create(
                    {"name": "Curious", "lane": "sales", **values}
                )
            self.assertIn("may not read", str(caught.exception))

    def test_a_sleeping_source_wakes_when_its_model_is_there(self):
        source = self.new_source(model="no.such.model")
        self.assertEqual(source.state, "asleep")
        with self.assertRaises(UserError):
            source.action_view_latest()
        self.assertFalse(self.titles())
        # as if an app had brought the model
        self.env.cr.execute(
            "UPDATE lifecycle_touchpoint_source SET model = 'res.partner' WHERE id = %s",
            [source.id],
        )
        source.invalidate_recordset()
        self.assertEqual(source.state, "ready")
        self.assertEqual(self.titles(), ["Contact Anna Traveller"])

    def test_a_broken_source_is_left_out_and_told_to_managers(self):
        self.new_lead("Still there", partner_id=self.customer.id)
        good = self.new_source(name="Good")
        salesman = self.new_user("journey_all", "sales_team.group_sale_salesman_all_leads",
                                 self.company)
        for column, value in (
            ("date_path", "missing"),
            ("domain", "[('nowhere', '=', 1)]"),
            ("domain", "not a domain"),
            ("title", '{"en_US": "{gone}"}'),
            ("documents", "what is this line"),
        ):
            bad = self.new_source(name="Bad")
            self.env.flush_all()
            self.env.cr.execute(
                f"UPDATE lifecycle_touchpoint_source SET {column} = %s WHERE id = %s",
                [value, bad.id],
            )
            bad.invalidate_recordset()
            with self.subTest(column=column, value=value), mute_logger("odoo.sql_db"):
                journey = self.journey(user=self.manager)
                self.assertEqual([one["name"] for one in journey["warnings"]], ["Bad"])
                self.assertTrue(journey["warnings"][0]["message"])
                titles = [item["title"] for item in journey["items"]]
                self.assertEqual(
                    sorted(titles), ["Contact Anna Traveller", "Opportunity: Still there"]
                )
                self.assertNotIn(bad.id, [source["id"] for source in journey["sources"]])
                self.assertNotIn("warnings", self.journey(user=salesman))
            bad.unlink()
        self.assertTrue(good.exists())

    def test_what_the_database_refuses_spoils_nothing_else(self):
        self.new_lead("Still there", partner_id=self.customer.id)
        bad = self.new_source(name="Bad")
        statement = type(bad)._statement

        def broken(source, *args, **kwargs):
            if source == bad:
                return SQL(
                    "(SELECT 1 / 0, NULL, NULL::bigint, 1, NULL::timestamp, 0.0, NULL::integer)"
                )
            return statement(source, *args, **kwargs)

        self.patch(type(bad), "_statement", broken)
        with mute_logger("odoo.sql_db"):
            journey = self.journey(user=self.manager)
        self.assertEqual([item["title"] for item in journey["items"]],
                         ["Opportunity: Still there"])
        self.assertEqual([one["name"] for one in journey["warnings"]], ["Bad"])

    def test_a_day_comes_after_its_hours(self):
        """An invoice, which has no time, follows the order of the same day."""
        today = self.company._lifecycle_today()
        self.new_purchase(self.customer, 10, days_ago=0, reference="Day only")
        self.new_lead("Just now", partner_id=self.customer.id)
        self.assertEqual(self.titles(), ["Purchase Day only", "Opportunity: Just now"])
        yesterday = str(today - timedelta(days=1))
        self.assertEqual(self.titles(end=yesterday), [])
