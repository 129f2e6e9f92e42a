"""Where people meet what a customer may buy next: quotation, contact, call, portal, workflow."""

from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError

from odoo.addons.customer_lifecycle.models.workflow.triggers import trigger_of

from .test_next_product import NextProductCase

SALES = "sales_team.group_sale_salesman"


class TestSuggestions(NextProductCase):
    def setUp(self):
        super().setUp()
        self.known()

    def known(self):
        """Profiles with figures, and what is suggested to everybody."""
        self.env.flush_all()
        self.store_figures(self.company, self.today)
        self.look()

    def quotation(self, **values):
        return self.env["sale.order"].create(
            {"partner_id": self.customer.id, "company_id": self.company.id, **values}
        )

    def test_a_quotation_tells_and_adds(self):
        quotation = self.quotation()
        orders = self.env["sale.order"]
        found = orders.get_lifecycle_suggestions(self.customer.id, self.company.id)
        self.assertEqual(found[0]["product_id"], self.beans.id)
        self.assertEqual(found[0]["quantity"], 2)
        self.assertIn("of those who have Duo Machine", found[0]["reason"])
        self.beans.list_price = 21
        quotation.action_add_lifecycle_suggestion(self.beans.id)
        line = quotation.order_line
        self.assertEqual(
            (line.product_id, line.product_uom_qty, line.price_unit), (self.beans, 2, 21)
        )

    def test_only_what_is_suggested_can_be_added(self):
        quotation = self.quotation()
        with self.assertRaisesRegex(UserError, "no longer suggested"):
            quotation.action_add_lifecycle_suggestion(self.machine.id)
        self.assertFalse(quotation.order_line)
        self.beans.sale_ok = False
        with self.assertRaisesRegex(UserError, "no longer suggested"):
            quotation.action_add_lifecycle_suggestion(self.beans.id)

    def test_with_the_readers_rights(self):
        other = self.new_user("next_other", SALES, self.company)
        self.customer.user_id = self.new_user("next_own", SALES, self.company)
        orders = self.env["sale.order"]
        of_other = orders.with_user(other).get_lifecycle_suggestions(
            self.customer.id, self.company.id
        )
        self.assertEqual(of_other, [])
        own = orders.with_user(self.customer.user_id)
        self.assertTrue(own.get_lifecycle_suggestions(self.customer.id, self.company.id))
        employee = self.new_user("next_employee", "base.group_user", self.company)
        self.assertEqual(
            orders.with_user(employee).get_lifecycle_suggestions(self.customer.id), []
        )
        elsewhere = self.new_company("Not his")
        self.assertEqual(
            own.get_lifecycle_suggestions(self.customer.id, elsewhere.id), []
        )
        quotation = self.quotation(user_id=self.customer.user_id.id)
        with self.assertRaises(AccessError):
            quotation.with_user(other).action_add_lifecycle_suggestion(self.beans.id)
        self.assertFalse(quotation.order_line)

    def test_contact_and_call_say_why(self):
        profile = self.profile(self.customer, self.company)
        chips = {chip["name"]: chip for chip in profile._overview_chips()}
        self.assertTrue(chips["next"]["value"].startswith("Beans"))
        self.assertIn("“Beans”, 2 at a time: Bought by", chips["next"]["why"][0])
        self.assertIn("Beans", profile.next_product_names)
        self.assertEqual(profile.next_product_ids[0], self.beans)
        call = self.env["lifecycle.contact.call"].create({"profile_id": profile.id})
        self.assertIn("“Beans”, 2 at a time", call.next_products)
        nothing = self.new_customer("Nobody")
        self.order({"product_id": self.filters.id, "price_unit": 1}, partner=nothing)
        self.known()
        self.env["lifecycle.next.product"].search([("partner_id", "=", nothing.id)]).unlink()
        self.assertFalse(self.profile(nothing, self.company).next_product_names)

    def test_portal_shows_what_the_company_wants_shown(self):
        user = self.env["res.users"].create(
            {
                "name": "Portal of the buyer",
                "login": "next_portal",
                "partner_id": self.new_customer("At home", parent_id=self.customer.id).id,
                "company_id": self.company.id,
                "company_ids": [Command.set(self.company.ids)],
                "group_ids": [Command.set(self.env.ref("base.group_portal").ids)],
            }
        )
        portal = self.env(user=user, context={"allowed_company_ids": self.company.ids})[
            "res.users"
        ]
        self.assertFalse(portal._lifecycle_portal_next())
        self.company.lifecycle_next_portal = True
        found = portal._lifecycle_portal_next()
        self.assertEqual(found[0]["name"], "Beans")
        self.assertEqual(set(found[0]), {"name", "url"})
        public = self.env.ref("base.public_user")
        public.company_id.lifecycle_next_portal = True
        self.assertFalse(self.env(user=public, context={})["res.users"]._lifecycle_portal_next())

    def test_workflow_begins_days_before_the_next_need(self):
        for days_ago in (90, 60, 30):
            self.order(
                {"product_id": self.beans.id, "product_uom_qty": 4, "price_unit": 20},
                days_ago=days_ago,
                partner=self.owners[0],
            )
        self.known()
        profile = self.profile(self.owners[0], self.company)
        due = self.told(self.owners[0]).filtered(lambda one: one.kind == "again")[:1]
        days = (due.due_on - self.today).days
        self.assertGreater(days, 0)
        workflow = self.env["lifecycle.workflow"].create(
            {
                "name": "Time for more",
                "trigger": "need",
                "company_id": self.company.id,
                "offset_days": -days,
                "step_ids": [Command.create({"kind": "activity", "name": "Ask", "delay": 0})],
            }
        )
        self.assertIn(f"{days} days before", workflow.entry_text)
        workflow._start()
        self.run_cron("customer_lifecycle.ir_cron_lifecycle_workflow")
        entered = workflow.enrollment_ids.filtered(lambda one: one.profile_id == profile)
        self.assertEqual(
            entered.episode,
            f"need:{due.product_id.id}:{fields.Date.to_string(profile.last_order_date)}",
        )
        # another day that is expected is no other need
        self.env.cr.execute(
            "UPDATE lifecycle_next_product SET due_on = due_on - 1 WHERE id = %s", [due.id]
        )
        workflow.date_scanned = False
        self.run_cron("customer_lifecycle.ir_cron_lifecycle_workflow")
        self.assertEqual(
            workflow.enrollment_ids.filtered(lambda one: one.profile_id == profile), entered
        )
        # an order has come: it is met
        self.assertTrue(trigger_of(workflow).holding(entered, self.company))
        profile.sudo().last_order_date = self.today - timedelta(1)
        self.assertFalse(trigger_of(workflow).holding(entered, self.company))

    def test_usual_products_that_are_due_come_first(self):
        for days_ago in (90, 60, 30):
            self.order(
                {"product_id": self.filters.id, "product_uom_qty": 3, "price_unit": 4},
                days_ago=days_ago,
            )
        self.env["lifecycle.pipeline"]._refresh(self.company, self.customer.ids)
        self.env.invalidate_all()
        found = self.env["sale.order"].get_lifecycle_suggestions(
            self.customer.id, self.company.id
        )
        self.assertEqual(found[0]["product_id"], self.filters.id)
        self.assertEqual(found[0]["quantity"], 3)
        self.assertIn("every 30 days, last 30 days ago", found[0]["reason"])
        ids = [each["product_id"] for each in found]
        self.assertIn(self.beans.id, ids)
        self.assertEqual(len(ids), len(set(ids)))
        quotation = self.quotation()
        quotation.action_add_lifecycle_suggestion(self.filters.id)
        self.assertEqual(quotation.order_line.product_uom_qty, 3)
        # what is never to be suggested is not, however usual it is
        self.filters.product_tmpl_id.lifecycle_never_suggest = True
        found = self.env["sale.order"].get_lifecycle_suggestions(
            self.customer.id, self.company.id
        )
        self.assertNotIn(self.filters.id, [each["product_id"] for each in found])
        with self.assertRaisesRegex(UserError, "no longer suggested"):
            quotation.action_add_lifecycle_suggestion(self.filters.id)
