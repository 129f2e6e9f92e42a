"""What is queued but has not left yet: pausing, ending and unsubscribing still count."""

import json
from unittest.mock import patch

from ..common_mail import MailCase

OUTBOX = "odoo.addons.customer_lifecycle.models.workflow.mail_mail"


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
        self.env["lifecycle.opt.out"]._unsubscribe("ann@example.com")
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

    def test_archived_while_it_runs(self):
        """Archived is out of sight: nothing more leaves before it is brought back."""
        self.workflow.action_archive()
        self.assertFalse(self.left())
        self.run_workflows()
        self.assertFalse(self.left())
        self.workflow.action_unarchive()
        self.run_workflows()
        self.assertEqual(self.left(), ["ann@example.com", "ben@example.com"])

    def test_bounces_come_back_to_the_company_that_writes(self):
        first, second = (
            self.env["mail.alias.domain"].create(
                {"name": name, "bounce_alias": "bounce", "catchall_alias": "catchall"}
            )
            for name in ("first.example.com", "second.example.com")
        )
        self.env["res.company"].search([]).alias_domain_id = first
        self.home.alias_domain_id = second
        ada = self.new_profile("Ada")
        self.move(ada, self.at_risk)
        self.run_workflows()
        self.send_all()
        paths = {to[0]: message["Return-Path"] for to, message in self.sink.messages}
        self.assertEqual(paths["ada@example.com"], "bounce@second.example.com")

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

    def hold(self):
        self.workflow.action_pause()
        self.assertFalse(self.left())

    def test_who_has_bought_during_the_pause_gets_nothing(self):
        self.hold()
        self.order(self.ann)
        self.workflow.action_resume()
        self.assertEqual(self.left(), ["ben@example.com"])
        self.assertEqual(self.reasons(self.workflow), ["moot"])

    def test_who_was_taken_out_during_the_pause_gets_nothing(self):
        self.hold()
        self.workflow.enrollment_ids.filtered(
            lambda one: one.profile_id == self.ann
        ).write({"state": "exited", "exit_reason": "stopped"})
        self.workflow.action_resume()
        self.assertEqual(self.left(), ["ben@example.com"])

    def test_who_has_left_the_stage_during_the_pause_gets_nothing(self):
        self.hold()
        self.move(self.ann, self.active_stage)
        self.workflow.action_resume()
        self.assertEqual(self.left(), ["ben@example.com"])

    def test_what_was_held_counts_when_it_leaves(self):
        """Not when it was queued: a second message on its heels would be one too many."""
        second = self.new_workflow(name="Second")
        self.hold()
        for profile in (self.ann, self.ben):
            self.move(profile, self.active_stage)
            self.move(profile, self.at_risk)
        self.at(self.now.replace(day=23))
        self.workflow.action_resume()
        self.run_workflows()
        self.assertEqual(self.left(), ["ann@example.com", "ben@example.com"])
        self.assertEqual(
            self.deliveries(self.workflow, "done").mapped("date"), [self.now, self.now]
        )
        self.assertFalse(self.sent(second))

    def test_complaint_during_the_pause_lets_it_wait_on(self):
        self.hold()
        self.ann.bad_rating_date = self.now.date()
        self.workflow.action_resume()
        self.assertEqual(self.left(), ["ben@example.com"])
        waiting = self.deliveries(self.workflow, "waiting")
        self.assertEqual((waiting.profile_id, waiting.reason), (self.ann, "complaint"))
        self.ann.bad_rating_date = False
        self.later(hours=1)
        self.assertEqual(self.left(), ["ann@example.com", "ben@example.com"])

    def test_held_while_somebody_resumes_is_not_lost(self):
        """The queue judges by what it saw before: nothing may stay behind for good."""
        self.hold()
        self.workflow.state = "running"
        self.later(hours=1)
        self.assertEqual(self.left(), ["ann@example.com", "ben@example.com"])
        self.later(hours=1)
        self.assertEqual(len(self.left()), 2)

    def test_held_while_somebody_ends_is_given_up(self):
        self.hold()
        self.workflow.state = "ended"
        self.later(hours=1)
        self.assertFalse(self.left())
        self.assertEqual(self.reasons(self.workflow), ["ended", "ended"])

    def test_sent_by_hand_after_all(self):
        self.env["lifecycle.opt.out"]._unsubscribe("ann@example.com")
        self.left()
        skipped = self.deliveries(self.workflow, "skipped")
        self.env["lifecycle.opt.out"]._subscribe_again("ann@example.com")
        self.env["mail.mail"].search(
            [("mail_message_id", "=", skipped.mail_message_id.id)]
        ).mark_outgoing()
        self.assertEqual(self.left(), ["ann@example.com", "ben@example.com"])
        self.assertEqual((skipped.state, skipped.reason), ("done", False))

    def test_pause_holds_the_rest_of_a_long_queue(self):
        servers = self.env.registry["ir.mail_server"]
        send = servers.send_email

        def send_and_pause(server, *args, **kwargs):
            result = send(server, *args, **kwargs)
            server.env["lifecycle.workflow"].browse(self.workflow.id).sudo().action_pause()
            return result

        with patch(f"{OUTBOX}.LOOK_AGAIN", 1), patch.object(servers, "send_email", send_and_pause):
            self.assertEqual(len(self.left()), 1)
        self.assertEqual(len(self.deliveries(self.workflow, "waiting")), 1)
        self.workflow.action_resume()
        self.assertEqual(self.left(), ["ann@example.com", "ben@example.com"])
