"""Spending sources of apps that may be installed."""

from ..common_economics import SpendingCase


class TestTimesheets(SpendingCase):
    def test_hours_of_picked_analytic_accounts_cost_what_they_cost(self):
        lines = self.env["account.analytic.line"]
        if "project_id" not in lines._fields:
            self.skipTest("Needs the app Task Logs (hr_timesheet).")
        source = self.env.ref("customer_lifecycle.spending_source_timesheet")
        source.active = True
        self.assertEqual(source.state, "unpicked")
        project = self.env["project.project"].create(
            {"name": "Winning customers", "allow_timesheets": True, "company_id": self.company.id}
        )
        if not project.account_id:
            project._create_analytic_account()
        source.analytic_account_ids = project.account_id
        self.assertEqual(source.state, "ready")
        employee = self.env["hr.employee"].create(
            {"name": "Timesheet person", "hourly_cost": 50, "company_id": self.company.id}
        )
        lines.create(
            {"name": "Talks", "project_id": project.id, "employee_id": employee.id,
             "unit_amount": 3, "date": self.day(5)}
        )
        # booked on the same account, but nobody's hours
        lines.create(
            {"name": "Bill", "account_id": project.account_id.id, "amount": -999,
             "date": self.day(5), "company_id": self.company.id}
        )
        self.assertEqual(self.lines("spending_source_id"), {source: (150, 0)})
