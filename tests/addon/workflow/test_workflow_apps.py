"""What workflows do with apps that need not be there: mailing lists, web shop, ratings, stock."""

from datetime import timedelta

from odoo import Command
from odoo.exceptions import UserError, ValidationError

from ..common_workflow import START, WorkflowCase


class TestMailingList(WorkflowCase):
    def setUp(self):
        super().setUp()
        self.installed = "mailing.list" in self.env

    def needs_mailing(self):
        if not self.installed:
            self.skipTest("Needs the app Email Marketing (mass_mailing).")
        self.news = self.env["mailing.list"].create({"name": "News"})
        return self.step(kind="mailing_list", mailing_list_id=self.news.id)

    def subscribed(self):
        subscriptions = self.env["mailing.subscription"].search([("list_id", "=", self.news.id)])
        return sorted(
            (one.contact_id.email_normalized, one.opt_out) for one in subscriptions
        )

    def test_asleep_without_the_app(self):
        if self.installed:
            self.skipTest("Email Marketing is installed.")
        workflow = self.new_workflow(
            self.step(kind="mailing_list", sequence=1), self.step(sequence=2)
        )
        self.assertIn("Email Marketing", workflow.step_ids._in_order()[0].asleep_text)
        self.move(self.new_profile("Ann"), self.at_risk)
        self.run_workflows()
        self.assertEqual(self.reasons(workflow), ["asleep"])
        self.assertEqual(self.sent(workflow), ["ann@example.com"])

    def test_subscribes_once(self):
        step = self.needs_mailing()
        old = self.env["mailing.contact"].create({"name": "B", "email": "Ben@Example.com"})
        workflow = self.new_workflow(step)
        ann, ben, cem = (self.new_profile(name) for name in ("Ann", "Ben", "Cem"))
        self.env["mailing.contact"].create(
            {
                "name": "C",
                "email": "cem@example.com",
                "subscription_ids": [Command.create({"list_id": self.news.id})],
            }
        )
        for profile in (ann, ben, cem):
            self.move(profile, self.at_risk)
        self.run_workflows()
        emails = ["ann@example.com", "ben@example.com", "cem@example.com"]
        self.assertEqual(self.subscribed(), [(email, False) for email in emails])
        self.assertIn(self.news, old.list_ids)
        self.assertEqual(self.deliveries(workflow).mapped("state"), ["done"] * 3)

    def test_never_subscribes_again_who_has_left(self):
        step = self.needs_mailing()
        self.env["mailing.contact"].create(
            {
                "name": "A",
                "email": "ann@example.com",
                "subscription_ids": [
                    Command.create({"list_id": self.news.id, "opt_out": True})
                ],
            }
        )
        self.env["mail.blacklist"].create({"email": "ben@example.com"})
        workflow = self.new_workflow(step)
        for name in ("Ann", "Ben"):
            self.move(self.new_profile(name), self.at_risk)
        self.run_workflows()
        self.assertEqual(self.subscribed(), [("ann@example.com", True)])
        self.assertEqual(sorted(self.reasons(workflow)), ["blacklisted", "opted_out"])

    def test_needs_a_list(self):
        step = self.needs_mailing()
        with self.assertRaises(ValidationError):
            self.new_workflow(self.step(kind="mailing_list"), start=False)
        workflow = self.new_workflow(step)
        self.move(self.new_profile("Ann"), self.at_risk)
        self.news.unlink()
        self.run_workflows()
        self.assertIn("choose another", workflow.enrollment_ids.error)


class TestCart(WorkflowCase):
    def needs_shop(self):
        if "website_id" not in self.env["sale.order"]._fields:
            self.skipTest("Needs the app eCommerce (website_sale).")
        self.shop = self.env["website"].create({"name": "Shop", "company_id": self.home.id})
        self.lamp = self.env["product.product"].create({"name": "Lamp", "list_price": 40})

    def cart(self, profile, hours=11, partner=None, quantity=2, **values):
        lines = [Command.create({"product_id": self.lamp.id, "product_uom_qty": quantity})]
        return self.env["sale.order"].create(
            {
                "partner_id": (partner or profile.partner_id).id,
                "company_id": self.home.id,
                "website_id": self.shop.id,
                "date_order": self.now - timedelta(hours=hours),
                "order_line": lines,
                **values,
            }
        )

    def started(self, *steps, template=None):
        template = template or self.env.ref("customer_lifecycle.mail_template_cart")
        workflow = self.new_workflow(
            *(steps or [self.step(template_id=template.id)]),
            trigger="cart",
            name="Cart",
        )
        # it has been running for a day
        workflow.date_since = self.now - timedelta(days=1)
        return workflow

    def bodies(self, workflow):
        return self.env["mail.mail"].search(
            [("mail_message_id", "in", self.deliveries(workflow).mail_message_id.ids)]
        ).mapped("body_html")

    def test_cart_that_would_be_forgotten_before_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "Choose at most 1440 hours"):
            self.new_workflow(trigger="cart", start=False, cart_hours=1441)
        self.new_workflow(trigger="cart", start=False, cart_hours=1440)

    def test_asleep_without_a_shop(self):
        if "website_id" in self.env["sale.order"]._fields:
            self.skipTest("eCommerce is installed.")
        workflow = self.new_workflow(trigger="cart", start=False)
        self.assertIn("eCommerce", workflow.asleep_text)
        with self.assertRaisesRegex(UserError, "eCommerce"):
            workflow._start()
        workflow.sudo().write({"state": "running"})
        self.new_profile("Ann")
        self.run_workflows()
        self.assertFalse(workflow.enrollment_ids)
        self.assertFalse(workflow.error)

    def test_one_reminder_with_what_is_in_the_cart(self):
        self.needs_shop()
        workflow = self.started()
        ann = self.new_profile("Ann")
        cart = self.cart(ann)
        self.run_workflows()
        self.assertEqual(self.sent(workflow), ["ann@example.com"])
        self.assertEqual(workflow.enrollment_ids.episode, f"cart:{cart.id}")
        body = self.bodies(workflow)[0]
        self.assertIn("Lamp", body)
        self.assertIn(f"access_token={cart.access_token}", body)
        self.assertNotIn("access_token", self.deliveries(workflow).mail_message_id.body)
        self.assertTrue(cart.cart_recovery_email_sent, "the shop reminds of it too")
        self.later(days=8)
        self.assertEqual(len(self.deliveries(workflow)), 1)

    def test_who_is_not_reminded(self):
        self.needs_shop()
        workflow = self.started()
        fresh, empty, ordered, quoted, reminded, old, stranger = (
            self.new_profile(name) for name in
            ("Fresh", "Empty", "Ordered", "Quoted", "Reminded", "Old", "Stranger")
        )
        self.cart(fresh, hours=9)
        self.cart(empty, quantity=0)
        self.cart(ordered).action_confirm()
        self.cart(ordered, hours=30)
        self.cart(quoted, website_id=False)
        self.cart(reminded, cart_recovery_email_sent=True)
        self.cart(old, hours=24 * 4)
        self.cart(stranger, partner=self.new_customer("No profile", email="n@example.com"))
        self.run_workflows()
        self.assertFalse(workflow.enrollment_ids)
        self.later(hours=2)
        self.assertEqual(workflow.enrollment_ids.profile_id, fresh)

    def test_ends_when_the_cart_is_ordered_or_emptied(self):
        self.needs_shop()
        workflow = self.started(self.step(delay=1))
        ann, ben, cem = (self.new_profile(name) for name in ("Ann", "Ben", "Cem"))
        carts = [self.cart(profile) for profile in (ann, ben, cem)]
        self.run_workflows()
        self.assertEqual(len(workflow.enrollment_ids), 3)
        carts[0].action_confirm()
        carts[1].order_line.unlink()
        carts[2].cart_recovery_email_sent = True
        self.later(days=1)
        ends = {one.profile_id: one.exit_reason for one in workflow.enrollment_ids}
        self.assertEqual(ends, {ann: "goal", ben: "left", cem: "left"})
        self.assertFalse(self.deliveries(workflow))

    def test_only_who_filled_the_cart_is_written_to(self):
        self.needs_shop()
        workflow = self.started()
        firm = self.new_customer("Firm", is_company=True, email="firm@example.com")
        boss, clerk = (
            self.new_customer(name, parent_id=firm.id, email=f"{name}@example.com")
            for name in ("boss", "clerk")
        )
        profile = self.new_profile(partner=firm)
        self.new_purchase(boss, 10, company=self.home)
        self.cart(profile, partner=clerk)
        self.run_workflows()
        self.assertEqual(self.sent(workflow), ["clerk@example.com"])
        self.env["mail.blacklist"].create({"email": "boss@example.com"})
        self.at(self.now + timedelta(days=10))
        self.cart(profile, partner=boss)
        self.run_workflows()
        self.assertEqual(self.reasons(workflow), ["blacklisted"])
        self.assertEqual(self.sent(workflow), ["clerk@example.com"])

    def test_a_cart_begun_since_waits_for_its_own_reminder(self):
        self.needs_shop()
        workflow = self.started()
        workflow.reentry = "episode"
        ann = self.new_profile("Ann")
        left = self.cart(ann)
        begun = self.cart(ann, hours=1)
        self.run_workflows()
        body = self.bodies(workflow)[0]
        self.assertIn(f"/shop/cart?id={left.id}&", body.replace("&amp;", "&"))
        self.assertFalse(begun.access_token)
        self.assertFalse(begun.cart_recovery_email_sent)

    def test_preview_shows_the_cart_without_its_key(self):
        self.needs_shop()
        workflow = self.started()
        cart = self.cart(self.new_profile("Ann"))
        self.shop.send_abandoned_cart_email = True
        preview = self.env["lifecycle.workflow.preview"]._make(workflow)
        self.assertEqual(preview.now_count, 1)
        self.assertIn("Lamp", preview.sequence_html)
        self.assertNotIn("access_token", preview.sequence_html)
        self.assertIn("reminder of its own", preview.warnings)
        self.assertEqual(cart.state, "draft")


class TestRating(WorkflowCase):
    def render(self, profile, **options):
        return self.env["lifecycle.workflow.mail"]._render(
            self.env.ref("customer_lifecycle.mail_template_rating"),
            [(profile, profile.partner_id)], self.home, self.env.user, **options,
        )[profile.partner_id.id]

    def test_asks_with_links(self):
        if "rating.rating" not in self.env:
            self.skipTest("Needs the app Customer Ratings (rating).")
        ann = self.new_profile("Ann")
        order = self.new_order(ann.partner_id, 100, 20, company=self.home)
        later = self.new_order(ann.partner_id, 100, 1, company=self.home)
        ann.delivery_date = (later.date_order - timedelta(days=5)).date()
        self.assertIn('href="#"', self.render(ann, preview=True)["body_html"])
        self.assertFalse(self.env["rating.rating"].search([("partner_id", "=", ann.partner_id.id)]))
        values = self.render(ann)
        rating = self.env["rating.rating"].search([("partner_id", "=", ann.partner_id.id)])
        self.assertEqual((rating.res_model, rating.res_id), ("sale.order", order.id))
        for value in (1, 3, 5):
            self.assertIn(f"/rate/{rating.access_token}/{value}", values["body_html"])
        self.assertNotIn(rating.access_token, values["body"], "a colleague could rate")
        self.render(ann)
        self.assertEqual(len(self.env["rating.rating"].search([("partner_id", "=",
                                                                ann.partner_id.id)])), 1)

    def test_asks_in_words_without_the_app(self):
        if "rating.rating" in self.env:
            self.skipTest("Customer Ratings is installed.")
        self.assertIn("a number from 1", self.render(self.new_profile("Ann"))["body_html"])

    def test_starts_from_the_delivery(self):
        self.assertEqual(
            self.env.ref("customer_lifecycle.workflow_rating").date_field, "delivery_date"
        )
        workflow = self.new_workflow(
            trigger="date", date_field="delivery_date", offset_days=14, goal="none"
        )
        profile = self.new_profile("Ann", delivery_date=START.date() - timedelta(days=13))
        self.run_workflows()
        self.assertFalse(workflow.enrollment_ids)
        self.later(days=1)
        self.assertEqual(workflow.enrollment_ids.profile_id, profile)
        self.assertEqual(self.sent(workflow), ["ann@example.com"])

    def test_customer_with_a_delivery_every_week_is_asked(self):
        """What counts is how long ago he was asked, not that the next delivery has come."""
        workflow = self.new_workflow(
            trigger="date", date_field="delivery_date", offset_days=14, goal="none",
            reentry="days", reentry_days=180,
        )
        profile = self.new_profile("Ann")
        for days in (13, 6):
            order = self.new_order(profile.partner_id, 100, 1, company=self.home)
            order.date_order = START - timedelta(days=days)
        self.env.flush_all()
        self.env["lifecycle.signal"]._update(self.home)
        profile.invalidate_recordset()
        self.assertEqual(profile.delivery_date, START.date() - timedelta(days=6))
        self.run_workflows()
        self.assertFalse(workflow.enrollment_ids)
        self.later(days=1)
        entered = workflow.enrollment_ids
        self.assertEqual(entered.profile_id, profile)
        self.assertEqual(entered.episode, f"date:{START.date() - timedelta(days=13)}")
        self.assertEqual(self.sent(workflow), ["ann@example.com"])
        self.later(days=7)
        self.assertEqual(workflow.enrollment_ids, entered, "asked last week")

    def signalled(self, profile):
        self.env["lifecycle.signal"]._update(self.home)
        profile.invalidate_recordset()
        return profile.delivery_date

    def test_delivery_is_the_order_where_nothing_is_shipped(self):
        profile = self.new_profile("Ann")
        goods = self.env["product.product"].create({"name": "Box", "type": "consu"})
        order = self.env["sale.order"].create(
            {
                "partner_id": profile.partner_id.id,
                "company_id": self.home.id,
                "order_line": [Command.create({"product_id": goods.id, "tax_ids": False})],
            }
        )
        order.action_confirm()
        shipped = "stock.picking" in self.env
        self.assertEqual(
            self.signalled(profile), False if shipped else order.date_order.date()
        )
        signal = self.env.ref("customer_lifecycle.signal_delivery_order")
        self.assertEqual(signal.state, "asleep" if shipped else "ready")
        service = self.env["product.product"].create({"name": "Advice", "type": "service"})
        other = self.new_profile("Ben", last_order_date=START.date())
        order = self.env["sale.order"].create(
            {
                "partner_id": other.partner_id.id,
                "company_id": self.home.id,
                "order_line": [Command.create({"product_id": service.id, "tax_ids": False})],
            }
        )
        order.action_confirm()
        self.assertEqual(self.signalled(other), START.date())
