"""Apps that the addon does not need wake their touchpoint sources."""

from datetime import timedelta
from unittest import SkipTest

from odoo import fields
from odoo.fields import Command

from .test_journey_sources import DeliveredCase


class AppCase(DeliveredCase):
    """What one app brings to the journey; skipped where it is not installed."""

    app, module = "", ""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not cls.module:
            raise SkipTest("The base of the tests of single apps.")
        installed = cls.env["ir.module.module"].search([("name", "=", cls.module)])
        if installed.state != "installed":
            raise SkipTest(f"Needs the app {cls.app} ({cls.module}).")
        cls.customer.email = "buyer@example.com"
        cls.now = fields.Datetime.now()


class TestStock(AppCase):
    app, module = "Inventory", "sale_stock"

    def picking(self, code, state, **values):
        """A transfer in a state, as the database would have it."""
        warehouse = self.env["stock.warehouse"].search(
            [("company_id", "=", self.company.id)], limit=1
        )
        kind = self.env["stock.picking.type"].search(
            [("code", "=", code), ("company_id", "=", self.company.id)], limit=1
        )
        picking = self.env["stock.picking"].create(
            {
                "picking_type_id": kind.id,
                "partner_id": self.customer.id,
                "location_id": warehouse.lot_stock_id.id,
                "location_dest_id": self.env.ref("stock.stock_location_customers").id,
                "company_id": self.company.id,
            }
        )
        self.env.flush_all()
        for name, value in {"state": state, **values}.items():
            self.env.cr.execute(
                f"UPDATE stock_picking SET {name} = %s WHERE id = %s", [value, picking.id]
            )
        picking.invalidate_recordset()
        return picking

    def test_deliveries(self):
        yesterday = self.now - timedelta(days=1)
        done = self.picking("outgoing", "done", date_done=yesterday)
        self.assertEqual(self.found(), {"delivery"})
        self.picking("outgoing", "assigned", date_deadline=yesterday)
        self.picking("outgoing", "assigned", date_deadline=self.now + timedelta(days=3))
        self.picking("incoming", "done", date_done=yesterday, return_id=done.id)
        self.picking("incoming", "done", date_done=yesterday)
        self.assertEqual(self.found(), {"delivery", "delivery_late", "delivery_return"})


class TestPointOfSale(AppCase):
    app, module = "Point of Sale", "point_of_sale"

    def test_a_purchase_in_the_shop(self):
        journal = self.env["account.journal"].create(
            {"name": "Till", "type": "cash", "code": "TILL", "company_id": self.company.id}
        )
        method = self.env["pos.payment.method"].create(
            {"name": "Cash", "journal_id": journal.id, "company_id": self.company.id}
        )
        shop = self.env["pos.config"].create(
            {
                "name": "Shop",
                "company_id": self.company.id,
                "payment_method_ids": [Command.set(method.ids)],
            }
        )
        shop.open_ui()
        self.env["pos.order"].create(
            {
                "session_id": shop.current_session_id.id,
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "amount_total": 20,
                "amount_tax": 0,
                "amount_paid": 20,
                "amount_return": 0,
                "state": "paid",
            }
        )
        self.assertEqual(self.found(), {"pos_order"})


class TestMailings(AppCase):
    app, module = "Email Marketing", "mass_mailing"

    def test_a_mailing_and_what_came_of_it(self):
        mailing = self.env["mailing.mailing"].create(
            {
                "subject": "New beans",
                "mailing_model_id": self.env["ir.model"]._get_id("res.partner"),
            }
        )
        common = {"mass_mailing_id": mailing.id, "model": "res.partner",
                  "res_id": self.customer.id, "email": "buyer@example.com"}
        self.env["mailing.trace"].create(
            [
                {**common, "trace_status": "reply", "sent_datetime": self.now,
                 "open_datetime": self.now, "links_click_datetime": self.now,
                 "reply_datetime": self.now},
                {**common, "trace_status": "bounce"},
                {**common, "trace_status": "sent", "sent_datetime": self.now,
                 "email": "other@example.com"},
            ]
        )
        contact = self.env["mailing.contact"].create(
            {"name": "Buyer", "email": "Buyer@example.com"}
        )
        letters = self.env["mailing.list"].create({"name": "Letters"})
        subscription = self.env["mailing.subscription"].create(
            {"contact_id": contact.id, "list_id": letters.id}
        )
        subscription.opt_out = True
        self.assertEqual(
            self.found(),
            {"mailing_sent", "mailing_opened", "mailing_clicked", "mailing_replied",
             "mailing_bounced", "unsubscribed"},
        )
        items = self.env["lifecycle.journey"].get_journey(self.customer.id)["items"]
        self.assertEqual(sum(item["title"] == "Mailing: New beans" for item in items), 1)


    def test_a_mailing_to_contacts_is_shown_once(self):
        mailing = self.env["mailing.mailing"].create(
            {
                "subject": "New beans",
                "mailing_model_id": self.env["ir.model"]._get_id("res.partner"),
                "mailing_domain": f"[('id', '=', {self.customer.id})]",
                "body_html": "<p>They are here.</p>",
                # the message stays with the contact, for answers
                "reply_to_mode": "update",
            }
        )
        mailing.action_send_mail()
        trace = mailing.mailing_trace_ids
        trace.set_sent()
        message = self.env["mail.message"].search([("message_id", "=", trace.message_id)])
        self.assertEqual((message.model, message.res_id), ("res.partner", self.customer.id))
        self.assertEqual(self.found(), {"mailing_sent"})
        # who may not read mailings sees the message instead
        seller = self.new_user("no_mailings", "sales_team.group_sale_salesman_all_leads")
        journeys = self.env["lifecycle.journey"].with_user(seller)
        items = journeys.get_journey(self.customer.id)["items"]
        self.assertEqual([item["title"] for item in items], ["New beans"])

    def test_addresses_are_looked_up_by_index(self):
        self.env.cr.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'mailing_trace'")
        names = {row[0] for row in self.env.cr.fetchall()}
        self.assertLessEqual(
            {"mailing_trace_lifecycle_email_idx", "mailing_trace_lifecycle_message_id_idx"}, names
        )


class TestLiveChat(AppCase):
    app, module = "Live Chat", "im_livechat"

    def test_a_chat_names_who_answered(self):
        channel = self.env["discuss.channel"].create(
            {
                "name": "Chat",
                "channel_type": "livechat",
                "livechat_operator_id": self.env.user.partner_id.id,
                "channel_member_ids": [
                    Command.create(
                        {
                            "partner_id": self.env.user.partner_id.id,
                            "livechat_member_type": "agent",
                        }
                    ),
                    Command.create(
                        {"partner_id": self.customer.id, "livechat_member_type": "visitor"}
                    ),
                ],
            }
        )
        self.assertEqual(self.found(), {"live_chat"})
        [item] = self.env["lifecycle.journey"].get_journey(self.customer.id)["items"]
        self.assertIn(self.env.user.name, item["title"])
        self.assertEqual((item["model"], item["res_id"]), ("discuss.channel", channel.id))


class TestEvents(AppCase):
    app, module = "Events", "event"

    def test_registration_and_attendance(self):
        event = self.env["event.event"].create(
            {"name": "Tasting", "date_begin": self.now, "date_end": self.now + timedelta(hours=2)}
        )
        registration = self.env["event.registration"].create(
            {"event_id": event.id, "partner_id": self.customer.id}
        )
        self.assertEqual(self.found(), {"event_registration"})
        registration.action_set_done()
        # an attendee without contact is known by his address
        self.env["event.registration"].create(
            {"event_id": event.id, "name": "Buyer", "email": "buyer@example.com"}
        )
        self.assertEqual(self.found(), {"event_registration", "event_attended"})
        items = self.env["lifecycle.journey"].get_journey(self.customer.id)["items"]
        registered = [item for item in items if item["title"] == "Registered for Tasting"]
        self.assertEqual([item["who"] for item in registered], ["Buyer Ltd", "Buyer Ltd"])


class TestSurveys(AppCase):
    app, module = "Surveys", "survey"

    def test_an_answered_survey(self):
        survey = self.env["survey.survey"].create({"title": "How was it?"})
        answers = self.env["survey.user_input"].create(
            [
                {"survey_id": survey.id, "partner_id": self.customer.id, "state": state,
                 "end_datetime": self.now}
                for state in ("done", "in_progress")
            ]
        )
        self.assertTrue(answers)
        self.assertEqual(self.found(), {"survey"})


class TestProjects(AppCase):
    app, module = "Project", "project"

    def test_tasks(self):
        project = self.env["project.project"].create({"name": "Installation"})
        task = self.env["project.task"].create(
            {"name": "Set up", "project_id": project.id, "partner_id": self.customer.id}
        )
        self.assertEqual(self.found(), {"task_opened"})
        self.message(task, "When will you come?", author_id=self.customer.id,
                     message_type="email")
        task.date_end = self.now
        self.assertEqual(self.found(), {"task_opened", "task_closed", "message_received"})

    def test_ratings(self):
        common = {
            "res_model_id": self.env["ir.model"]._get_id("res.partner"),
            "res_id": self.customer.id,
            "partner_id": self.customer.id,
            "consumed": True,
            "rated_on": self.now,
        }
        self.env["rating.rating"].create([{**common, "rating": stars} for stars in (5, 3, 1)])
        self.env["rating.rating"].create({**common, "rating": 0, "consumed": False})
        self.assertEqual(self.found(), {"rating_good", "rating_fair", "rating_bad"})


class TestRepairs(AppCase):
    app, module = "Repairs", "repair"

    def test_a_repair(self):
        self.env["repair.order"].create(
            {"partner_id": self.customer.id, "company_id": self.company.id}
        )
        self.assertEqual(self.found(), {"repair"})


class TestShop(AppCase):
    app, module = "eCommerce", "website_sale"

    def test_visits_and_carts_left_behind(self):
        website = self.env["website"].search([], limit=1)
        visitor = self.env["website.visitor"].create(
            {"access_token": str(self.customer.id), "website_id": website.id,
             "partner_id": self.customer.id}
        )
        self.env["website.track"].create({"visitor_id": visitor.id, "url": "/shop"})
        self.assertEqual(self.found(), {"website_visit"})
        order = self.order(80, partner=self.customer)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_order SET state = 'draft', website_id = %s, date_order = %s "
            "WHERE id = %s",
            [website.id, self.now - timedelta(days=3), order.id],
        )
        order.invalidate_recordset()
        self.assertEqual(self.found(), {"website_visit", "quotation", "cart"})
