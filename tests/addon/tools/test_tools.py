"""Work in batches: what fails is left alone, what conflicts is put off, everything else is done."""

from psycopg2.errors import SerializationFailure

from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.customer_lifecycle.tools.batches import attempt, in_batches, together
from odoo.addons.customer_lifecycle.tools.domains import read_domain
from odoo.addons.customer_lifecycle.tools.sampling import in_sample, sample_rate


@tagged("standard", "post_install", "-at_install")
class TestTools(TransactionCase):
    def setUp(self):
        super().setUp()
        self.tags = self.env["res.partner.category"]
        self.failed = []

    def make(self, names):
        self.tags.create([{"name": name} for name in names])
        if "bad" in names:
            self.env.cr.execute("SELECT 1 / 0")
        if "conflict" in names:
            raise SerializationFailure

    def made(self, *names):
        return self.tags.search([("name", "in", names)]).mapped("name")

    def note(self, names, error):
        self.failed.append((names, type(error).__name__))

    @mute_logger("odoo.sql_db")
    def test_one_that_fails_costs_the_others_nothing(self):
        together(self.env, ["one", "bad", "two"], self.make, self.note)
        self.assertEqual(sorted(self.made("one", "bad", "two")), ["one", "two"])
        self.assertEqual(self.failed, [(["bad"], "DivisionByZero")])
        together(self.env, [], self.make, self.note)

    @mute_logger("odoo.sql_db")
    def test_conflicts_are_no_failures(self):
        with self.assertRaises(SerializationFailure):
            together(self.env, ["one", "conflict"], self.make, self.note)
        conflicts = []
        together(self.env, ["two", "conflict"], self.make, self.note, conflicts.append)
        self.assertEqual((len(conflicts), self.failed), (1, []))
        self.assertFalse(self.made("one", "two", "conflict"))

    @mute_logger("odoo.sql_db")
    def test_errors_that_are_not_expected_are_raised(self):
        self.assertEqual(type(attempt(self.env, self.make, ["bad"])).__name__, "DivisionByZero")
        with self.assertRaises(ZeroDivisionError):
            attempt(self.env, lambda: 1 / 0, catch=ValueError)
        self.assertIsNone(attempt(self.env, self.make, ["fine"]))

    def test_batches_go_on_where_the_last_ended_until_time_is_up(self):
        found, left = [], iter([10, 0])
        self.patch(
            type(self.env["ir.cron"]), "_commit_progress", lambda *args, **kwargs: next(left)
        )
        self.assertFalse(
            in_batches(self.env, lambda after: [after + 1, after + 2], found.append)
        )
        self.assertEqual(found, [[1, 2], [3, 4]])

    def test_samples_are_the_same_again_and_about_as_large_as_wanted(self):
        self.assertEqual([sample_rate(n, 100) for n in (0, 100, 101, 1000)], [1, 1, 2, 10])
        query = SQL(
            "SELECT id FROM generate_series(1, 10000) id WHERE %s", in_sample(SQL("id"), 10)
        )
        rows = self.env.execute_query(query)
        self.assertTrue(900 < len(rows) < 1100, len(rows))
        self.assertEqual(rows, self.env.execute_query(query))

    def test_filters_that_are_none_are_refused_in_words(self):
        self.assertTrue(read_domain(self.env, " ").is_true())
        for text in ("not a filter", "[('a', '=')]", "{}.get", "[1"):
            with self.assertRaisesRegex(ValueError, "is no filter"):
                read_domain(self.env, text)
