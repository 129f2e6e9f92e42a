"""Killed anywhere, and with two workers at once, every step is done exactly once."""

import pytest

from odoo.addons.customer_lifecycle.tools.batches import LOCKS

from ..runs.test_crash import ScratchCase, connect

pytestmark = pytest.mark.long

CUSTOMERS = 12
TABLES = (
    "lifecycle_workflow_delivery",
    "lifecycle_workflow_enrollment",
    "lifecycle_queue",
    "ir_cron_trigger",
    "mail_activity",
)


class TestWorkflowKilled(ScratchCase):
    suffix = "_flow"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.worker.do("fill_workflows", customers=CUSTOMERS)
        cls.newest = cls.query("SELECT MAX(id) FROM lifecycle_transition")[0][0]

    def reset(self):
        """Back to the moment before the first customer enters."""
        self.wait_until_alone()
        for table in TABLES:
            self.query(f"DELETE FROM {table}")
        self.query(
            "DELETE FROM mail_message WHERE id IN (SELECT mail_message_id FROM mail_mail)"
        )
        self.query("DELETE FROM loyalty_history")
        self.query("DELETE FROM loyalty_card")
        self.query(
            "UPDATE lifecycle_workflow SET seen_transition = 0, newest_transition = 0, "
            "newest_xid = NULL, error = NULL"
        )

    def outcome(self):
        """Everything that the workflows have left, customer by customer."""
        return {
            "enrollments": self.query(
                "SELECT workflow_id, partner_id, episode, state, exit_reason "
                "FROM lifecycle_workflow_enrollment ORDER BY 1, 2"
            ),
            "deliveries": self.query(
                "SELECT workflow_id, partner_id, step_id, kind, state, reason, email "
                "FROM lifecycle_workflow_delivery ORDER BY 1, 2, 3"
            ),
            "mails": self.query(
                "SELECT message.res_id, message.subject, COUNT(*) FROM mail_mail mail "
                "JOIN mail_message message ON message.id = mail.mail_message_id "
                "WHERE mail.state = 'outgoing' GROUP BY 1, 2 ORDER BY 1, 2"
            ),
            "activities": self.query(
                "SELECT res_id, COUNT(*) FROM mail_activity WHERE res_model = 'res.partner' "
                "GROUP BY 1 ORDER BY 1"
            ),
            "points": self.query(
                "SELECT card.partner_id, card.points, COUNT(history.id) FROM loyalty_card card "
                "LEFT JOIN loyalty_history history ON history.card_id = card.id "
                "GROUP BY card.id ORDER BY 1"
            ),
            "locks": self.query(
                "SELECT classid, objid FROM pg_locks JOIN pg_database base ON base.oid = database "
                "WHERE locktype = 'advisory' AND datname = current_database()"
            ),
        }

    def assertSame(self, outcome, expected):
        for part, rows in expected.items():
            self.assertEqual(outcome[part], rows, part)

    def test_killed_at_statements_and_commits(self):
        self.reset()
        counts = self.worker.do("run_workflows", passes=3)
        expected = self.outcome()
        self.assertEqual(len(expected["mails"]), CUSTOMERS - 1, "one has unsubscribed")
        self.assertEqual({row[2] for row in expected["mails"]}, {1}, "one in seven days")
        self.assertEqual([row[1:] for row in expected["points"]], [(7.0, 1)] * (CUSTOMERS - 1))
        self.assertEqual(len(expected["activities"]), CUSTOMERS - 1)
        self.worker.do("run_workflows", passes=2)
        self.assertSame(self.outcome(), expected)
        for word, tries in (("execute", 12), ("commit", 5)):
            for part in range(tries):
                number = (2 * part + 1) * counts[word] // (2 * tries)
                with self.subTest(before=word, number=number):
                    self.reset()
                    answer = self.worker.together(
                        {"do": "run_workflows", "passes": 3, "kill_at": number, "kill_word": word}
                    )
                    self.assertEqual(answer[0].get("signal"), 9, "it was not reached")
                    self.wait_until_alone()
                    self.worker.do("run_workflows", passes=3)
                    self.assertSame(self.outcome(), expected)

    def test_two_workers(self):
        """Without the scheduler's own lock, both at once, several times."""
        self.reset()
        self.worker.do("run_workflows", passes=3)
        expected = self.outcome()
        for _time in range(4):
            self.reset()
            task = {"do": "run_workflows", "passes": 4, "unlocked": True}
            answers = self.worker.together(task, task)
            self.assertEqual([answer.get("code") for answer in answers], [0, 0], answers)
            self.worker.do("run_workflows", passes=3)
            self.assertSame(self.outcome(), expected)

    def test_nothing_is_done_while_another_worker_enters(self):
        """It may not have come to the most important workflow yet, and one in seven days goes."""
        self.reset()
        with connect(self.database) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, 0)", [LOCKS["workflow"]])
            self.worker.do("run_workflows", passes=1)
            self.assertFalse(self.outcome()["enrollments"])
        self.worker.do("run_workflows", passes=1)
        self.assertTrue(self.outcome()["deliveries"])

    def test_change_that_is_committed_late_is_not_missed(self):
        """Its id is lower than that of one that was committed, and looked at, before."""
        self.reset()
        self.worker.do("run_workflows", passes=1)
        before = len(self.outcome()["enrollments"])
        result = self.worker.do("late_transition")
        self.assertGreater(result["early"], result["late"])
        self.worker.do("run_workflows", passes=2)
        rows = self.outcome()["enrollments"]
        self.assertEqual(len(rows), before + 2 * 2)
        self.query("DELETE FROM lifecycle_transition WHERE id > %s", [self.newest])
