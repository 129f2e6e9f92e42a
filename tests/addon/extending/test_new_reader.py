"""Another reader: what else an add-on reads of customers comes into profiles, night and refresh."""

from unittest.mock import patch

from odoo.tools import SQL

from odoo.addons.customer_lifecycle.models.profile.reader import Reader

from ..common_runs import RunCase


class BudgetReader(Reader):
    """The yearly budget of whoever wrote it into his own comment."""

    TABLES = ("example_budget",)

    def update(self):
        self.cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE example_budget AS
                   SELECT id, substring(comment FROM '[0-9]+')::numeric AS budget
                     FROM res_partner WHERE comment IS NOT NULL AND %s""",
                self.scope.where(SQL.identifier("id")),
            )
        )
        self.cr.execute(
            SQL(
                """UPDATE lifecycle_profile profile SET potential = example_budget.budget
                     FROM example_budget
                    WHERE example_budget.id = profile.partner_id AND profile.company_id = %s
                      AND profile.potential IS DISTINCT FROM example_budget.budget""",
                self.company.id,
            )
        )
        return self.cr.rowcount, []


class TestNewReader(RunCase):
    def test_what_it_reads_is_on_the_profile(self):
        profiles = type(self.env["lifecycle.profile"])
        # what an add-on inherits
        readers = self.env["lifecycle.profile"]._readers()
        with patch.object(profiles, "_readers", lambda self: [*readers, BudgetReader]):
            self.run_nightly()
            customer = self.customers[0]
            customer.comment = "Budget: 700"
            self.new_purchase(customer, 10, company=self.home)
            self.run_refresh()
            self.assertEqual(self.profile(customer).potential, 700)
            customer.comment = "Budget: 800"
            self.request(kind="manual")
            self.run_nightly()
            self.assertEqual(self.profile(customer).potential, 800)
        self.assertFalse(
            self.env.execute_query(SQL("SELECT to_regclass('pg_temp.example_budget')"))[0][0]
        )
