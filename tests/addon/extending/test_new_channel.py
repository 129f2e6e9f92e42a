"""What another add-on writes to let workflows send through a channel of its own: text messages."""

from unittest.mock import patch

from odoo.tools import SQL, html2plaintext

from odoo.addons.customer_lifecycle.models.workflow import actions, channels

from ..common_workflow import WorkflowCase

KINDS = [("email", "E-mail"), ("sms", "Text message")]


class TextChannel(channels.Channel):
    name = "sms"

    def addresses(self, person):
        return [person.phone_sanitized] if person.phone_sanitized else []

    def refused_sql(self, env, address):
        blocked = "EXISTS (SELECT FROM phone_blacklist WHERE active AND number = %s)"
        return {"blacklisted": SQL(blocked, address)}


class TextAction(actions.Action):
    kind = channel = "sms"
    needed = "note"
    outbox = []

    def perform(self, enrollments, decisions=None):
        decided = [decisions[one.profile_id.id] for one in enrollments]
        for one in decided:
            self.outbox.append((one.addresses[0], html2plaintext(self.step.note)))
        return [{"recipient_id": one.person.id, "email": one.addresses[0]} for one in decided]


class TestTextMessages(WorkflowCase):
    def setUp(self):
        super().setUp()
        self.enterContext(patch.dict(channels.CHANNELS, sms=TextChannel()))
        self.enterContext(patch.dict(actions.ACTIONS, sms=TextAction))
        self.enterContext(patch.object(TextAction, "outbox", []))
        # an add-on says selection_add, and shows its fields in the form of steps
        field = self.env["lifecycle.workflow.step"]._fields["kind"]
        self.enterContext(patch.multiple(field, selection=KINDS, _selection=dict(KINDS)))

    def test_a_step_sends_text_messages(self):
        text = {"kind": "sms", "note": "<p>Come back</p>"}
        workflow = self.new_workflow(self.step(**text), self.step(**text, delay=1, sequence=11))
        self.env["phone.blacklist"].create({"number": "+32470000002"})
        for name, phone in (("Ann", "+32470000001"), ("Ben", "+32470000002"), ("Cid", False)):
            self.move(self.new_profile(partner=self.new_customer(name, phone=phone)), self.at_risk)
        self.run_workflows()
        self.assertEqual(TextAction.outbox, [("+32470000001", "Come back")])
        made = {(one.state, one.reason, one.email) for one in self.deliveries(workflow)}
        refused = {("skipped", why, False) for why in ("blacklisted", "no_person")}
        self.assertEqual(made, {("done", False, "+32470000001"), *refused})
        self.later(days=1)
        self.assertIn("cap", workflow.enrollment_ids.mapped("waiting_reason"))
