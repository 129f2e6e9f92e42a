"""Killed anywhere, and with two workers at once, every reward is given exactly once."""

from ..runs.test_crash import ScratchCase

FRIENDS = 13


class TestReferralKilled(ScratchCase):
    suffix = "_refer"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.worker.do("fill_referrals", friends=FRIENDS)

    def reset(self):
        """Back to the moment before the first look at the orders."""
        self.wait_until_alone()
        self.query(
            "UPDATE lifecycle_referral SET state = 'joined', order_model = NULL, order_id = NULL, "
            "date_order = NULL, date_paid = NULL, date_rewarded = NULL, card_id = NULL, "
            "points = NULL, recipient_id = NULL, problem = NULL"
        )
        for table in ("loyalty_history", "loyalty_card", "mail_mail", "ir_cron_trigger"):
            self.query(f"DELETE FROM {table}")

    def run_all(self, passes=3, **options):
        return {"do": "run_referrals", "passes": passes, **options}

    def run_well(self):
        task = self.run_all()
        return self.worker.do(task.pop("do"), **task)

    def outcome(self):
        return {
            "referrals": self.query(
                "SELECT friend_id, state, points, problem FROM lifecycle_referral ORDER BY 1"
            ),
            "points": self.query(
                "SELECT card.partner_id, card.points, COUNT(history.id), SUM(history.issued) "
                "FROM loyalty_card card JOIN loyalty_history history ON history.card_id = card.id "
                "GROUP BY card.id ORDER BY 1"
            ),
            "mails": self.query("SELECT COUNT(*) FROM mail_mail"),
        }

    def assert_all_once(self):
        outcome = self.outcome()
        self.assertEqual(
            [row[1:] for row in outcome["referrals"]], [("rewarded", 7.0, None)] * FRIENDS
        )
        self.assertEqual(
            [row[1:] for row in outcome["points"]], [(49.0, 7, 49.0), (42.0, 6, 42.0)]
        )
        self.assertEqual(outcome["mails"], [(FRIENDS,)])

    def test_killed_at_statements_and_commits(self):
        self.reset()
        counts = self.run_well()
        self.assert_all_once()
        self.run_well()
        self.assert_all_once()
        for word, tries in (("execute", 12), ("commit", 5)):
            for part in range(tries):
                number = (2 * part + 1) * counts[word] // (2 * tries)
                with self.subTest(before=word, number=number):
                    self.reset()
                    answer = self.worker.together(
                        self.run_all(kill_at=number, kill_word=word)
                    )
                    self.assertEqual(answer[0].get("signal"), 9, "it was not reached")
                    self.wait_until_alone()
                    self.run_well()
                    self.assert_all_once()

    def test_two_workers(self):
        """Without the scheduler's own lock, both at once, several times."""
        for _time in range(4):
            self.reset()
            task = self.run_all(passes=4, unlocked=True)
            answers = self.worker.together(task, task)
            self.assertEqual([answer.get("code") for answer in answers], [0, 0], answers)
            self.run_well()
            self.assert_all_once()
