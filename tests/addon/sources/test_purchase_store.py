"""The store of purchases: as the documents say at every moment, whoever changed them."""

from datetime import timedelta

from odoo.tools import SQL

from odoo.addons.customer_lifecycle.models.runs import purchases

from ..common import NIGHTLY
from ..common_money import MoneyCase


class TestPurchaseStore(MoneyCase):
    """What is read from the store equals what is read from the documents."""

    def setUp(self):
        super().setUp()
        self.facts = self.env["lifecycle.purchase.fact"]
        self.documents = self.env["lifecycle.revenue.source"]
        self.store_of = self.env["lifecycle.purchase.store"]
        self.other = self.new_customer("Other Ltd", is_company=True)
        self.first = self.order(150, days_ago=30)
        self.order(70, (2, 15), days_ago=20, partner=self.other)
        # what else is on this company's day is none of these tests' business
        self.env["lifecycle.run"].search([]).unlink()

    def summed(self, rows):
        """Rows by document as the database has them."""
        self.env.flush_all()
        return self.env.execute_query(
            SQL(
                """SELECT partner_id, day, source_id, res_id, SUM(amount), SUM(value), SUM(gross),
                          SUM(exchange_difference), SUM(by_share)
                     FROM (%s) read GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4""",
                rows,
            )
        )

    def assert_same(self, count=None):
        """Store and documents say the same of all, and of one."""
        for partners in (None, self.customer.ids, self.other.ids):
            read = self.summed(self.facts._rows_sql(self.company, partners))
            self.assertEqual(
                read, self.summed(self.documents._rows_sql(self.company, partners))
            )
            self.assertTrue(read)
        if count is not None:
            kept = self.summed(self.facts._kept_sql(self.company))
            self.assertEqual(len(kept), count)

    def kept(self, partner=None):
        """What the store has of a customer, whatever waits."""
        rows = self.facts._kept_sql(self.company, (partner or self.customer).ids)
        return sum(row[4] for row in self.summed(rows))

    def night(self):
        """The company's next night, whatever has run on this day."""
        self.env["lifecycle.run"].create({"company_id": self.company.id, "kind": "nightly"})
        self.run_cron(NIGHTLY)
        last = self.env["lifecycle.run"].search(
            [("company_id", "=", self.company.id), ("kind", "=", "nightly")], limit=1
        )
        self.assertEqual(last.state, "done", last.message)

    def versions(self, partner):
        """Which rows of the table hold a customer's facts."""
        return self.env.execute_query(
            SQL(
                "SELECT ctid::text FROM lifecycle_purchase_fact "
                "WHERE company_id = %s AND partner_id = %s ORDER BY 1",
                self.company.id,
                partner.id,
            )
        )

    # ----- AS FRESH AS THE DOCUMENTS -----

    def test_before_the_first_run_documents_are_read(self):
        self.assertFalse(self.store_of._is_ready(self.company))
        self.assert_same(count=0)

    def test_the_first_run_fills_it(self):
        self.run_nightly()
        self.assertTrue(self.store_of._is_ready(self.company))
        self.assert_same(count=2)

    def test_what_was_changed_and_not_refreshed_is_read_from_its_documents(self):
        self.run_nightly()
        self.credit(self.invoice(self.first), quantities={0: 1})
        # in the same transaction, and after it
        self.assert_same()
        self.env.cr.precommit.run()
        self.assert_same()
        self.assertEqual(self.kept(), 150)
        self.run_refresh()
        self.assertEqual(self.kept(), 0)
        self.assert_same()

    def test_other_settings_make_it_useless_until_all_is_read_anew(self):
        self.run_nightly()
        self.company.write({"lifecycle_value": "margin", "lifecycle_margin_percent": 40})
        self.assertFalse(self.store_of._is_ready(self.company))
        self.assert_same()
        self.run_nightly()
        self.assertTrue(self.store_of._is_ready(self.company))
        self.assert_same(count=2)

    def test_the_next_day_changes_no_settings(self):
        before = self.store_of._settings(self.company)
        today = self.company._lifecycle_today() + timedelta(days=1)
        self.patch(type(self.company), "_lifecycle_today", lambda company: today)
        self.env.registry.clear_cache()
        self.assertEqual(self.store_of._settings(self.company), before)

    def test_merged_contacts(self):
        self.run_nightly()
        self.env["base.partner.merge.automatic.wizard"].create({})._merge(
            (self.customer | self.other).ids, self.other
        )
        self.env.cr.precommit.run()
        self.run_refresh()
        self.assertEqual(self.kept(self.other), 250)
        self.assertFalse(self.facts.search_count([("partner_id", "=", self.customer.id)]))

    # ----- WHO CHANGED THEM -----

    def test_a_night_finds_what_went_past_the_queue(self):
        self.run_nightly()
        self.forget_what_was_written_before()
        self.env.cr.execute(
            "UPDATE sale_order SET amount_untaxed = 40, write_date = NOW() WHERE id = %s",
            [self.first.id],
        )
        self.assertEqual(self.kept(), 150)
        others = self.versions(self.other)
        self.night()
        self.assertEqual(self.kept(), 40)
        # who was not concerned was not written
        self.assertEqual(self.versions(self.other), others)

    def test_a_night_by_hand_finds_what_nothing_tells_of(self):
        self.run_nightly()
        self.forget_what_was_written_before()
        self.env.cr.execute(
            "UPDATE sale_order SET amount_untaxed = 40 WHERE id = %s", [self.first.id]
        )
        self.night()
        self.assertEqual(self.kept(), 150)
        others = self.versions(self.other)
        self.env["lifecycle.run"]._request(self.company)
        self.run_cron(NIGHTLY)
        self.assertEqual(self.kept(), 40)
        self.assertEqual(self.versions(self.other), others)

    def test_once_a_week_all_documents_are_read(self):
        self.run_nightly()
        self.forget_what_was_written_before()
        self.env.cr.execute(
            "UPDATE sale_order SET amount_untaxed = 40 WHERE id = %s", [self.first.id]
        )
        store = self.store_of._of(self.company)
        store.complete_on -= timedelta(days=6)
        self.night()
        self.assertEqual(self.kept(), 150)
        store.complete_on -= timedelta(days=1)
        self.night()
        self.assertEqual(self.kept(), 40)
        self.assertEqual(store.complete_on, self.today)

    def test_many_changes_are_read_in_one_pass(self):
        self.run_nightly()
        self.forget_what_was_written_before()
        self.env.cr.execute(
            "UPDATE sale_order SET amount_untaxed = 40, write_date = NOW() WHERE id = %s",
            [self.first.id],
        )
        self.patch(purchases, "BATCH", 0)
        self.night()
        self.assertEqual(self.kept(), 40)
        self.assert_same(count=2)

    def test_rows_of_companies_that_are_gone_go(self):
        self.run_nightly()
        self.env.cr.execute(
            "UPDATE lifecycle_purchase_fact SET company_id = 0 WHERE company_id = %s",
            [self.company.id],
        )
        self.facts._gc_facts()
        self.assertFalse(self.facts.search_count([("company_id", "=", 0)]))

    def forget_what_was_written_before(self):
        """As if the documents had been there for long when the store looked last."""
        # new contacts wait for every company
        self.run_refresh()
        self.env.flush_all()
        for table in ("sale_order", "sale_order_line", "account_move", "account_move_line"):
            self.env.cr.execute(
                SQL(
                    "UPDATE %s SET write_date = write_date - INTERVAL '3 days'",
                    SQL.identifier(table),
                )
            )
