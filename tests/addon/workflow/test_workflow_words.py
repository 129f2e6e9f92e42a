"""What workflows say of themselves: steps, numbers, messages not sent, changes."""

from datetime import date

from odoo import Command
from odoo.exceptions import AccessError, ValidationError

from ..common_workflow import WorkflowCase

SALESMAN = "sales_team.group_sale_salesman"


class TestWords(WorkflowCase):
    def test_when_a_step_comes(self):
        workflow = self.new_workflow(
            self.step(delay=1, sequence=1),
            self.step(delay=10, sequence=2),
            self.step(delay=1, delay_unit="weeks", delay_from="entry", sequence=3),
            self.step(delay=0, sequence=4),
            start=False,
        )
        self.assertEqual(
            workflow.step_ids._in_order().mapped("when_text"),
            ["1 day after entering", "10 days after the former step", "1 week after entering",
             "at once"],
        )

    def test_numbers_open_their_lists(self):
        workflow = self.new_workflow(control_percent=50)
        for number in range(12):
            self.move(self.new_profile(f"C{number:02}"), self.at_risk)
        self.run_workflows()
        control = workflow.enrollment_ids.filtered(lambda one: one.state == "control")
        self.assertEqual((workflow.entered_count, workflow.control_count), (12, len(control)))
        for name, expected in (("entered", workflow.enrollment_ids), ("control", control)):
            action = getattr(workflow, f"action_view_{name}")()
            found = self.env[action["res_model"]].search(action["domain"])
            self.assertEqual(found, expected.sorted("id", reverse=True))

    def test_journey_tells_of_failed_messages(self):
        broken = self.new_template(
            "Broken", body_html="<p><t t-out=\"1 / (0 if object.name == 'Ann' else 1)\"/></p>"
        )
        workflow = self.new_workflow(self.step(template_id=broken.id))
        ann = self.new_profile("Ann")
        self.move(ann, self.at_risk)
        self.run_workflows()
        delivery = self.deliveries(workflow, "failed")
        self.assertTrue(delivery.error)
        items = self.env["lifecycle.journey"].get_journey(ann.partner_id.id)["items"]
        titles = [item["title"] for item in items]
        self.assertIn("Not sent: Broken (division by zero)", titles)

    def test_effect_is_not_for_salespeople(self):
        workflow = self.new_workflow()
        self.move(self.new_profile("Ann"), self.at_risk)
        self.run_workflows()
        workflow.action_measure()
        seller = self.new_user("words_seller", SALESMAN, self.home)
        with self.assertRaises(AccessError):
            workflow.with_user(seller).read(["effect"])
        self.assertEqual(workflow.with_user(seller).entered_count, 1)

    def test_changes_of_states_are_logged(self):
        workflow = self.new_workflow().with_context(tracking_disable=False)
        # what happens in the transaction that makes a record is no change of it
        self.env.cr.flush()
        workflow.stage_ids = [Command.link(self.lost.id)]
        workflow.window_monday = False
        self.env.cr.flush()
        fields_logged = workflow.message_ids.tracking_value_ids.field_id.mapped("name")
        self.assertLessEqual({"stage_ids", "window_monday"}, set(fields_logged))

    def test_changes_of_steps_are_logged_with_old_and_new_values(self):
        workflow = self.new_workflow(self.step(delay=2, name="Second try"))
        other = self.new_template("Other words")
        step = workflow.step_ids
        step.write({"delay": 5, "delay_unit": "weeks", "template_id": other.id, "active": True})
        message = workflow.message_ids[0]
        self.assertIn("Second try", message.body)
        changes = {
            one["fieldInfo"]["changedField"]: (one["oldValue"], one["newValue"])
            for one in message.sudo().tracking_value_ids._tracking_value_format()
        }
        self.assertEqual(
            changes,
            {
                "Wait": (2, 5),
                "Unit": ("Days", "Weeks"),
                "E-mail Template": (self.template.name, other.name),
            },
        )
        count = len(workflow.message_ids)
        step.delay = 5
        self.assertEqual(len(workflow.message_ids), count, "nothing has changed")

    def test_birthday_where_a_field_holds_it(self):
        """Any date of the contact, such as one that a company has added for birthdays."""
        self.env["ir.model.fields"].create(
            {
                "name": "x_birthday",
                "field_description": "Birthday",
                "model_id": self.env.ref("base.model_res_partner").id,
                "ttype": "date",
            }
        )
        workflow = self.new_workflow(
            trigger="anniversary", date_field="partner_id.x_birthday", goal="none"
        )
        ann, ben = self.new_profile("Ann"), self.new_profile("Ben")
        ann.partner_id.x_birthday = date(1980, self.now.month, self.now.day)
        ben.partner_id.x_birthday = date(1980, self.now.month, self.now.day + 3)
        self.run_workflows()
        self.assertEqual(self.sent(workflow), ["ann@example.com"])
        self.later(days=3)
        self.assertEqual(self.sent(workflow), ["ann@example.com", "ben@example.com"])

    def test_date_that_the_author_may_not_read(self):
        manager = self.new_user("words_boss", "sales_team.group_sale_manager", self.home)
        field = self.env["lifecycle.profile"]._fields["bad_rating_date"]
        self.patch(field, "groups", "base.group_no_one")
        self.env.registry.clear_cache()
        with self.assertRaises(ValidationError):
            self.env["lifecycle.workflow"].with_user(manager).create(
                {"name": "Secret", "trigger": "date", "date_field": "bad_rating_date"}
            )
