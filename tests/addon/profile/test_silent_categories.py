"""Categories that customers have stopped buying: who is found, what is told, and when it ends."""

from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError

from ..common import LifecycleCase


class TestSilentCategories(LifecycleCase):
    """Paper every ten days, toner with every second order; one has bought no toner for long."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("Silent Ltd", lifecycle_tz="UTC")
        cls.env.user.company_id = cls.company
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": cls.company.ids})
        cls.today = cls.company._lifecycle_today()
        cls.sales = cls.new_user("silent_sales", "sales_team.group_sale_salesman", cls.company)
        cls.other = cls.new_user("silent_other", "sales_team.group_sale_salesman", cls.company)
        cls.paper, cls.toner = (
            cls.env["product.product"].create(
                {
                    "name": name,
                    "type": "consu",
                    "taxes_id": False,
                    "list_price": 50,
                    "categ_id": cls.env["product.category"].create({"name": name}).id,
                }
            )
            for name in ("Paper", "Toner")
        )
        cls.customers = cls.env["res.partner"].create(
            [
                {"name": f"Silent {number}", "user_id": cls.sales.id, "phone": "+1 555 0100"}
                for number in range(8)
            ]
        )
        cls.gone = cls.customers[0]
        rows = []
        for number, customer in enumerate(cls.customers):
            for days_ago in range(3 + number % 3, 700, 10):
                rows.append((customer, cls.paper, days_ago, 10))
            stopped = 300 if customer == cls.gone else 0
            for days_ago in range(3 + number % 3, 700, 20):
                if days_ago > stopped:
                    rows.append((customer, cls.toner, days_ago, 50))
        cls.env["lifecycle.external.purchase"].create(
            [
                {
                    "partner_id": customer.id,
                    "product_id": product.id,
                    "quantity": 1,
                    "date": cls.today - timedelta(days_ago),
                    "amount": amount,
                    "company_id": cls.company.id,
                }
                for customer, product, days_ago, amount in rows
            ]
        )

    def setUp(self):
        super().setUp()
        self.env.flush_all()
        self.run_nightly()
        self.silent = self.env["lifecycle.silent.category"].search(
            [("company_id", "=", self.company.id)]
        )

    def look(self, days_later=0, seen=None, complete=False):
        """Look as a night does on a later day; return what it has seen."""
        profiles = self.env["lifecycle.profile"]
        (kind,) = (kind for kind in profiles._readers() if kind.SEEN == "silence_seen")
        with kind(self.env, self.company, self.today + timedelta(days_later)) as reader:
            now = reader.find_changes(seen, complete)
            reader.update()
        self.env.invalidate_all()
        return now

    def test_who_stopped_is_found_with_what_it_was_worth(self):
        self.assertEqual(self.silent.partner_id, self.gone)
        silent = self.silent
        self.assertEqual(silent.category_id.name, "Toner")
        self.assertEqual((self.today - silent.last_date).days, 303)
        self.assertEqual((silent.day_count, silent.gap, silent.order_count), (20, 20, 30))
        self.assertAlmostEqual(silent.yearly_amount, 50 * 365.25 / 20, 2)
        self.assertTrue(silent.is_sure)
        # the first look finds history
        self.assertFalse(silent.found_on)

    def test_the_contact_and_the_call_say_so(self):
        profile = self.profile(self.gone)
        chips = {chip["name"]: chip for chip in profile._overview_chips()}
        self.assertEqual(chips["silent"]["value"], "Toner")
        self.assertIn("every 20 days", chips["silent"]["why"][0])
        self.assertIn("30 orders without it", chips["silent"]["why"][0])
        self.assertIn("No longer buys “Toner”", profile.contact_reason)
        self.assertIn("Ask who supplies “Toner” now", profile.contact_advice)
        self.assertLessEqual(profile.money_at_risk, self.silent.yearly_amount)
        listed = self.env["lifecycle.profile"].with_user(self.sales).search(
            [("to_contact", "=", True)]
        )
        self.assertIn(self.gone, listed.partner_id)

    def test_rules_can_ask_for_it(self):
        found = self.env["lifecycle.profile"].search(
            [("silent_category_ids.category_id", "child_of", self.toner.categ_id.id)]
        )
        self.assertEqual(found.partner_id, self.gone)

    def test_it_ends_when_the_category_is_bought_again(self):
        order = self.env["sale.order"].create(
            {
                "partner_id": self.gone.id,
                "order_line": [
                    Command.create({"product_id": self.paper.id, "product_uom_qty": 1})
                ],
            }
        )
        order.action_confirm()
        self.run_refresh()
        self.assertTrue(self.silent.exists())
        again = order.copy()
        again.order_line.product_id = self.toner
        again.action_confirm()
        self.run_refresh()
        self.assertFalse(self.silent.exists())

    def test_once_a_week_and_what_is_noticed_then_is_news(self):
        seen = self.env["lifecycle.run"].search(
            [("company_id", "=", self.company.id), ("silence_seen", "!=", False)], limit=1
        ).silence_seen
        self.assertEqual(seen, {"day": fields.Date.to_string(self.today)})
        another = self.customers[1]
        self.env["lifecycle.external.purchase"].search(
            [
                ("partner_id", "=", another.id),
                ("product_id", "=", self.toner.id),
                ("date", ">", self.today - timedelta(200)),
            ]
        ).unlink()
        self.run_refresh()
        self.look(1, seen)
        self.assertFalse(self.profile(another).silent_category_ids)
        seen = self.look(7, seen)
        self.assertEqual(seen, {"day": fields.Date.to_string(self.today + timedelta(7))})
        found = self.profile(another).silent_category_ids
        self.assertEqual(found.found_on, self.today + timedelta(7))
        # what was known keeps its day
        self.look(14, seen)
        self.assertEqual(found.found_on, self.today + timedelta(7))
        self.assertFalse(self.silent.found_on)

    def test_who_buys_nothing_any_more_is_no_such_case(self):
        self.look(200, complete=True)
        self.assertFalse(self.silent.exists())

    def test_a_deleted_category_takes_its_rows_along(self):
        self.toner.categ_id = self.paper.categ_id
        self.env["product.category"].search([("name", "=", "Toner")]).unlink()
        self.assertFalse(self.silent.exists())
        self.look(complete=True)
        self.assertFalse(
            self.env["lifecycle.silent.category"].search([("company_id", "=", self.company.id)])
        )

    def test_own_customers_only(self):
        self.assertTrue(self.silent.with_user(self.sales).yearly_amount)
        with self.assertRaises(AccessError):
            self.silent.with_user(self.other).mapped("yearly_amount")

    def test_a_failure_stops_nothing_else(self):
        def fails(*_args):
            raise ValueError("no such day")

        module = "odoo.addons.customer_lifecycle.models.profile.silent_category.fell_silent"
        self.new_order(self.gone, 100)
        self.env["lifecycle.run"]._request(self.company)
        with (
            patch(module, fails),
            self.assertLogs("odoo.addons.customer_lifecycle.models.runs.look", "ERROR"),
        ):
            self.run_nightly()
        run = self.env["lifecycle.run"].search([("company_id", "=", self.company.id)], limit=1)
        self.assertEqual(run.state, "done")
        self.assertIn("Categories Gone Silent (no such day)", run.message)
        # what was known stays
        self.assertTrue(self.silent.exists())
        self.assertEqual(self.profile(self.gone).last_order_date, self.today)

    def test_workflow_begins_with_it(self):
        workflow = self.env["lifecycle.workflow"].create(
            {
                "name": "Ask why",
                "trigger": "silent",
                "company_id": self.company.id,
                "step_ids": [
                    Command.create({"kind": "activity", "name": "Ask why", "delay": 0})
                ],
            }
        )
        workflow._start()
        self.run_cron("customer_lifecycle.ir_cron_lifecycle_workflow")
        # known before it was started
        self.assertFalse(workflow.enrollment_ids)
        self.silent.found_on = self.today
        workflow.date_scanned = False
        self.run_cron("customer_lifecycle.ir_cron_lifecycle_workflow")
        self.assertEqual(workflow.enrollment_ids.profile_id.partner_id, self.gone)
        self.assertTrue(workflow.enrollment_ids.episode.startswith("category:"))
