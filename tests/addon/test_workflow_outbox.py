"""What is queued but has not left yet: pausing, ending and unsubscribing still count."""

import json

from .common_mail import MailCase


class TestOutbox(MailCase):
    def setUp(self):
        super().setUp()
        self.workflow = self.new_workflow()
        self.ann, self.ben = self.new_profile("Ann"), self.new_profile("Ben")
        for profile in (self.ann, self.ben):
            self.move(profile, self.at_risk)
        self.run_workflows()
        self.assertEqual(len(self.sent(self.workflow)), 2)

    def left(self):
        return sorted(to[0] for to, _message in self.send_all())

    def test_who_unsubscribes_while_it_waits_gets_nothing(self):
        self.env["lifecycle.consent"]._opt_out("ann@example.com")
        self.assertEqual(self.left(), ["ben@example.com"])
        skipped = self.deliveries(self.workflow, "skipped")
        self.assertEqual((skipped.partner_id, skipped.reason),
                         (self.ann.partner_id, "blacklisted"))
        self.assertEqual(self.workflow.skipped_count, 1)
        self.assertEqual(self.left(), ["ben@example.com"])

    def test_pause_holds_what_is_queued_and_resuming_sends_it_once(self):
        self.workflow.action_pause()
        self.assertFalse(self.left())
        self.assertEqual(len(self.deliveries(self.workflow, "waiting")), 2)
        step = self.workflow.step_ids
        step.invalidate_recordset()
        self.assertEqual((step.waiting_count, step.done_count), (2, 0))
        action = step.action_view_waiting()
        domain = json.loads(json.dumps(action["domain"]))
        self.assertEqual(self.env[action["res_model"]].search_count(domain), 2)
        # at night nothing leaves, in the morning it does
        self.at(self.now.replace(hour=22))
        self.workflow.action_resume()
        self.assertFalse(self.left())
        self.at(self.now.replace(day=self.now.day + 1, hour=9, minute=1))
        self.assertEqual(self.left(), ["ann@example.com", "ben@example.com"])
        self.assertEqual(len(self.deliveries(self.workflow, "done")), 2)
        self.workflow.action_pause()
        self.workflow.action_resume()
        self.assertEqual(len(self.left()), 2)

    def test_ending_gives_up_what_is_queued(self):
        self.workflow.action_pause()
        self.left()
        self.workflow.action_end()
        self.assertEqual(self.reasons(self.workflow), ["ended", "ended"])
        self.workflow.action_draft()
        self.assertFalse(self.left())

    def test_ended_without_a_pause(self):
        self.workflow.action_end()
        self.assertFalse(self.left())
        self.assertEqual(self.reasons(self.workflow), ["ended", "ended"])

    def test_what_waited_may_have_been_deleted(self):
        self.workflow.action_pause()
        self.left()
        self.env["mail.mail"].search(
            [("mail_message_id", "in", self.deliveries(self.workflow).mail_message_id.ids)]
        ).unlink()
        self.workflow.action_resume()
        self.assertFalse(self.left())
        self.assertFalse(self.deliveries(self.workflow, "waiting"))

    def test_other_mails_leave(self):
        self.workflow.action_pause()
        self.env["mail.mail"].create(
            {
                "subject": "Invoice",
                "body_html": "<p>Hello</p>",
                "recipient_ids": [(4, self.ann.partner_id.id)],
                "model": "res.partner",
                "res_id": self.ann.partner_id.id,
                "message_type": "email_outgoing",
            }
        )
        self.assertEqual(self.left(), ["ann@example.com"])
        self.assertEqual(self.sink.messages[0][1]["Subject"], "Invoice")
