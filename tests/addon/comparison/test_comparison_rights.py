"""Who may see and change a comparison, and what becomes of its figures when it is changed."""

from odoo.exceptions import AccessError
from odoo.tests import Form

from ..common_comparison import MANAGER, ComparisonCase

SALESMAN = "sales_team.group_sale_salesman_all_leads"


class TestRights(ComparisonCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.new_buyers(3)
        cls.refresh()
        cls.comparison = cls.compare()
        cls.away = cls.new_company("Away Ltd")
        cls.manager = cls.new_user("compare_manager", MANAGER, cls.home)
        cls.stranger = cls.new_user("compare_stranger", MANAGER, cls.away)
        cls.salesman = cls.new_user("compare_sales", SALESMAN, cls.home)
        cls.portal = cls.new_user("compare_portal", "base.group_portal", cls.home)

    def test_managers_of_the_company(self):
        comparison = self.comparison.with_user(self.manager).with_company(self.home)
        comparison.action_compute()
        self.assertEqual(comparison.user_id, self.manager)
        self.assertEqual(comparison.state, "done")
        self.assertTrue(comparison.verdict)
        with self.assertRaises(AccessError):
            self.env["lifecycle.comparison.customer"].with_user(self.manager).create({})

    def test_nobody_else(self):
        self.env.invalidate_all()
        for user in (self.stranger, self.salesman, self.portal):
            with self.assertRaises(AccessError):
                self.comparison.with_user(user).read(["verdict"])
            with self.assertRaises(AccessError):
                self.comparison.with_user(user).action_compute()
        lines = self.env["lifecycle.comparison.customer"]
        self.assertFalse(lines.with_user(self.stranger).search([("id", ">", 0)]) & (
            self.comparison.customer_ids
        ))
        with self.assertRaises(AccessError):
            lines.with_user(self.salesman).search([("id", ">", 0)])

    def test_results_are_not_written_by_hand(self):
        comparison = self.comparison.with_user(self.manager).with_company(self.home)
        with Form(comparison) as form:
            form.window_days = 30
            with self.assertRaises(AssertionError):
                form.outcome = "more"
        self.assertTrue(comparison.is_stale)

    def test_shortcut_of_the_program(self):
        action = self.program.with_user(self.manager).action_lifecycle_compare()
        self.assertEqual(action["res_id"], self.comparison.id)
        other = self.new_program("Another Club")
        action = other.with_user(self.manager).action_lifecycle_compare()
        self.assertFalse(action["res_id"])
        self.assertEqual(action["context"]["default_program_id"], other.id)
        self.compare(window_days=30)
        action = self.program.with_user(self.manager).action_lifecycle_compare()
        self.assertEqual(len(self.env["lifecycle.comparison"].search(action["domain"])), 2)
        with self.assertRaises(AccessError):
            self.program.with_user(self.salesman).action_lifecycle_compare()

    def test_nobody_lends_the_rights_of_another(self):
        comparison = self.comparison.with_user(self.manager).with_company(self.home)
        admin = self.env.ref("base.user_admin")
        for values in ({"user_id": admin.id}, {"state": "waiting"}, {"result": {}}):
            with self.assertRaises(AccessError):
                comparison.write(values)
            with self.assertRaises(AccessError):
                comparison.create({"event": "date", "event_date": self.today, **values})
        self.comparison.state = "waiting"
        comparison.action_reset()
        self.assertEqual(comparison.state, "done")
        self.assertTrue(comparison.copy())
        with self.assertRaises(AccessError):
            self.comparison.with_user(self.salesman).action_reset()


class TestOtherQuestion(ComparisonCase):
    """What is computed is shown as what it answers, until the other question is answered."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyers = cls.new_buyers(4)
        cls.refresh()
        cls.join(cls.buyers[0], 200)

    def shown(self, comparison):
        self.env.invalidate_all()
        with Form(comparison) as form:
            return form.verdict, form.result_html, form.chart, form.member_count

    def test_a_date_becomes_a_program(self):
        comparison = self.compare(event="date", event_date=self.day(100))
        before = self.shown(comparison)
        self.assertIn("A year earlier", before[1])
        comparison.event = "loyalty"
        self.assertTrue(comparison.is_stale)
        self.assertEqual(self.shown(comparison), before)
        self.assertEqual(before[2]["day"], self.shown(comparison)[2]["day"])

    def test_a_program_becomes_a_date(self):
        comparison = self.compare()
        before = self.shown(comparison)
        comparison.write({"event": "date", "event_date": self.day(100)})
        self.assertTrue(comparison.is_stale)
        self.assertEqual(self.shown(comparison), before)

    def test_another_company_sees_nothing_of_the_first(self):
        comparison = self.compare(event="date", event_date=self.day(100))
        self.assertTrue(comparison.customer_ids)
        comparison.company_id = self.home
        self.assertTrue(comparison.customer_ids)
        comparison.company_id = self.new_company("Elsewhere Ltd")
        self.assertFalse(comparison.customer_ids)
        self.assertEqual((comparison.state, comparison.member_count), ("draft", 0))
        self.assertFalse(comparison.result)
        self.assertFalse(self.shown(comparison)[0])
