from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields

from .test_queue import QueueCase


class TestOwnSource(QueueCase):
    """A source that a user adds on any other model is watched at once, and until it is off."""

    def source(self, **values):
        return self.env["lifecycle.revenue.source"].create(
            {
                "name": "Won opportunities",
                "model": "crm.lead",
                "partner_path": "partner_id",
                "company_path": "company_id",
                "date_path": "date_closed",
                "amount_path": "expected_revenue",
                "domain": "[('won_status', '=', 'won')]",
                **values,
            }
        )

    def setUp(self):
        # after the test's changes have been rolled back, the registry fits them again
        self.addCleanup(self.registry_as_before, self.env.registry.registry_invalidated)
        super().setUp()
        self.lead = self.env["crm.lead"].create(
            {"name": "L", "partner_id": self.anna.id, "company_id": self.home.id}
        )
        self.empty_queue()

    def registry_as_before(self, invalidated):
        self.env.invalidate_all()
        self.env.registry.registry_invalidated = invalidated
        self.env["lifecycle.queue"]._unregister_hook()
        self.env["lifecycle.queue"]._register_hook()

    def revenue_noted(self):
        self.empty_queue()
        self.lead.expected_revenue += 10
        return self.queued() == {(self.anna.id, self.home.id)}

    def test_wakes_the_watch_and_switching_off_stops_it(self):
        self.assertFalse(self.revenue_noted())
        source = self.source()
        self.assertTrue(self.revenue_noted())
        self.assertTrue(
            self.env.registry.registry_invalidated, "the other workers must hear of it"
        )
        source.active = False
        self.assertFalse(self.revenue_noted())
        source.active = True
        self.assertTrue(self.revenue_noted())
        source.unlink()
        self.assertFalse(self.revenue_noted())

    def test_changed_path_is_followed(self):
        source = self.source()
        contact = self.env["res.partner"].create({"name": "Agent"})
        self.lead.user_id = self.new_user("lc_agent", "base.group_user", self.home)
        source.partner_path = "user_id.partner_id"
        self.empty_queue()
        self.lead.expected_revenue += 10
        self.assertEqual(self.queued(), {(self.lead.user_id.partner_id.id, self.home.id)})
        self.assertTrue(contact)

    def test_renaming_a_source_computes_nothing_anew(self):
        source = self.source()
        self.env["lifecycle.run"].search([]).write({"state": "done"})
        source.write({"name": "Deals", "sequence": 99})
        self.assertFalse(self.env["lifecycle.run"].search([("state", "=", "pending")]))
        source.domain = "[]"
        self.assertTrue(self.env["lifecycle.run"].search([("state", "=", "pending")]))

    def test_watch_reaches_documents_behind_lines(self):
        """A source on lines hears of changes on the documents that its paths lead over."""
        source = self.source(
            name="Lines",
            model="sale.order.line",
            partner_path="order_id.partner_id",
            company_path="order_id.company_id",
            date_path="order_id.date_order",
            amount_path="price_subtotal",
            domain="[('order_id.client_order_ref', '!=', False)]",
        )
        self.env["lifecycle.revenue.source"].search([("id", "!=", source.id)]).active = False
        self.empty_queue()
        self.order.client_order_ref = "4711"
        self.assertQueued(self.anna)

    def test_lost_field_does_not_stop_users(self):
        """An app or custom field goes away: the user's save must not fail for our sake."""
        field = self.env["ir.model.fields"].create(
            {
                "name": "x_payer_id",
                "model_id": self.env.ref("crm.model_crm_lead").id,
                "ttype": "many2one",
                "relation": "res.partner",
            }
        )
        self.lead.x_payer_id = self.bert
        source = self.source(partner_path="x_payer_id")
        self.assertFalse(self.revenue_noted())
        self.assertIn((self.bert.id, self.home.id), self.queued())
        self.env["ir.ui.view"].flush_model()
        field.unlink()
        for path in ("x_payer_id", "x_never_was_id"):
            # also where this worker has not heard of the loss yet
            self.env.cr.execute(
                "UPDATE lifecycle_revenue_source SET partner_path = %s WHERE id = %s",
                [path, source.id],
            )
            self.env.invalidate_all()
            with self.subTest(path=path), self.assertLogs("odoo.addons.customer_lifecycle"):
                self.env["lifecycle.queue"]._unregister_hook()
                self.env["lifecycle.queue"]._register_hook()
                self.lead.expected_revenue += 1
                self.env.flush_all()
                self.env.cr.precommit.run()
        state = self.env["lifecycle.revenue.source"].browse(source.id)
        self.assertEqual(state.state, "error")

    def test_automation_rules_and_the_watch_leave_each_other_alone(self):
        """Both patch model classes; each must survive that the other sets its patches anew."""
        tag = self.env["crm.tag"].create({"name": "Touched"})
        self.source()
        lead_model = self.env.ref("crm.model_crm_lead")
        action = self.env["ir.actions.server"].create(
            {
                "name": "Tag",
                "model_id": lead_model.id,
                "state": "code",
                "code": f"records.write({{'tag_ids': [({Command.LINK}, {tag.id}, 0)]}})",
            }
        )
        rule = self.env["base.automation"].create(
            {
                "name": "Tag leads",
                "model_id": lead_model.id,
                "trigger": "on_create_or_write",
                "action_server_ids": [Command.set(action.ids)],
            }
        )

        def rule_works():
            self.lead.tag_ids = False
            self.lead.priority = "1" if self.lead.priority == "0" else "0"
            self.env.flush_all()
            return tag in self.lead.tag_ids

        self.assertTrue(self.revenue_noted(), "a new rule must not take the watch off")
        self.assertTrue(rule_works())
        self.env["lifecycle.queue"]._watch_again()
        self.assertTrue(rule_works(), "a new watch must not take the rule off")
        self.assertTrue(self.revenue_noted())
        rule.active = False
        self.assertFalse(rule_works())
        self.assertTrue(self.revenue_noted(), "a rule that ends must not take the watch along")
        rule.active = True
        self.assertTrue(rule_works())
        self.env["lifecycle.queue"]._unregister_hook()
        self.assertTrue(rule_works(), "a watch that ends must not take the rule along")

    def test_watch_is_set_once(self):
        for _time in range(3):
            self.env["lifecycle.queue"]._watch_again()
        queue = self.env["lifecycle.queue"]
        with patch.object(type(queue), "_note", autospec=True) as note:
            self.order.date_order = fields.Datetime.now() - timedelta(days=5)
            self.env.flush_all()
        self.assertEqual(note.call_count, 1)
        queue._unregister_hook()
        for name in ("sale.order", "account.move", "crm.lead"):
            for method in ("_create", "_write_multi", "_lifecycle_note_unlink"):
                self.assertNotIn(method, self.env.registry[name].__dict__)
