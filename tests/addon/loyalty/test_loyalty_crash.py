"""Killed anywhere, with two workers and with users at once: one card, one bonus, one expiry."""

from ..runs.test_crash import ScratchCase

CUSTOMERS = 12


class TestLoyaltyKilled(ScratchCase):
    suffix = "_cards"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.club, cls.former = cls.worker.do("fill_loyalty", customers=CUSTOMERS)

    def reset(self):
        """No card of the club, and old points on each card of the former program."""
        self.wait_until_alone()
        self.query("DELETE FROM sale_order_coupon_points")
        self.query("DELETE FROM loyalty_history")
        self.query("DELETE FROM lifecycle_loyalty_member WHERE program_id = %s", [self.club])
        self.query("DELETE FROM loyalty_card WHERE program_id = %s", [self.club])
        self.query(
            "UPDATE loyalty_card SET points = 40, create_date = NOW() - interval '2 years', "
            "lifecycle_points_base = NULL, lifecycle_points_expiry = NULL, "
            "lifecycle_notice_base = NULL, lifecycle_notice_date = NULL"
        )
        self.query("UPDATE loyalty_program SET lifecycle_expiry_day = NULL")
        self.query("DELETE FROM lifecycle_queue")
        self.query("DELETE FROM ir_cron_trigger")

    def outcome(self):
        """Every card with its points and lines, and every member."""
        return {
            "cards": self.query(
                "SELECT card.program_id, card.partner_id, card.points, "
                "ARRAY_AGG(CONCAT_WS(' ', lifecycle_kind, issued, used)) FROM loyalty_card card "
                "LEFT JOIN loyalty_history history ON history.card_id = card.id "
                "GROUP BY card.id ORDER BY 1, 2"
            ),
            "members": self.query(
                "SELECT program_id, partner_id, card_id IS NOT NULL, welcome_due, problem "
                "FROM lifecycle_loyalty_member ORDER BY 1, 2"
            ),
        }

    def expected(self):
        self.reset()
        counts = self.worker.do("run_loyalty", passes=2)
        expected = self.outcome()
        given = [row[2:] for row in expected["cards"] if row[0] == self.club]
        self.assertEqual(given, [(7.0, ["welcome 7 0"])] * CUSTOMERS)
        emptied = [row[2:] for row in expected["cards"] if row[0] == self.former]
        self.assertEqual(emptied, [(0.0, ["expired 0 40"])] * CUSTOMERS)
        return counts, expected

    def test_killed_at_statements_and_commits(self):
        counts, expected = self.expected()
        for word, tries in (("execute", 10), ("commit", 5)):
            for part in range(tries):
                number = (2 * part + 1) * counts[word] // (4 * tries)
                with self.subTest(before=word, number=number):
                    self.reset()
                    answer = self.worker.together(
                        {"do": "run_loyalty", "passes": 2, "kill_at": number, "kill_word": word}
                    )
                    self.assertEqual(answer[0].get("signal"), 9, "it was not reached")
                    self.wait_until_alone()
                    self.worker.do("run_loyalty", passes=2)
                    self.assertEqual(self.outcome(), expected)

    def test_two_workers(self):
        """Without the scheduler's own lock, both at once, several times."""
        _counts, expected = self.expected()
        for _time in range(4):
            self.reset()
            task = {"do": "run_loyalty", "passes": 2, "unlocked": True}
            answers = self.worker.together(task, task)
            self.assertEqual([answer.get("code") for answer in answers], [0, 0], answers)
            self.worker.do("run_loyalty", passes=2)
            self.assertEqual(self.outcome(), expected)

    def test_users_order_meanwhile(self):
        """Orders make cards, too: there is one for each customer in the end."""
        for _time in range(3):
            self.reset()
            answers = self.worker.together(
                {"do": "buy_with_cards"},
                {"do": "run_loyalty", "passes": 4, "unlocked": True},
                {"do": "buy_with_cards"},
            )
            self.assertEqual([answer.get("code") for answer in answers], [0, 0, 0], answers)
            self.worker.do("run_loyalty", passes=2)
            rows = self.query(
                "SELECT COUNT(*), COUNT(DISTINCT partner_id) FROM loyalty_card "
                "WHERE program_id = %s", [self.club]
            )
            self.assertEqual(rows, [(CUSTOMERS, CUSTOMERS)])
            bonuses = self.query(
                "SELECT COUNT(*) FROM loyalty_history WHERE lifecycle_kind = 'welcome'"
            )
            self.assertEqual(bonuses, [(CUSTOMERS,)])
            unequal = self.query(
                "SELECT card.id, card.points, SUM(issued - used) FROM loyalty_card card "
                "JOIN loyalty_history history ON history.card_id = card.id WHERE program_id = %s "
                "GROUP BY card.id HAVING card.points <> SUM(issued - used)", [self.club]
            )
            self.assertEqual(unequal, [])
