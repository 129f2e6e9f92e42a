"""Documents that say what customers cost: each counts once, and every part of it."""

from odoo import Command
from odoo.exceptions import ValidationError

from ..common_economics import SpendingCase

MANAGER = "sales_team.group_sale_manager"
ACCOUNTING = "account.group_account_invoice"


class TestSpendingSources(SpendingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.advertising, cls.print = cls.env["product.category"].create(
            [{"name": "Advertising"}, {"name": "Print"}]
        )
        cls.print.parent_id = cls.advertising
        cls.advert = cls.env["product.product"].create(
            {"name": "Advert", "type": "service", "categ_id": cls.print.id,
             "supplier_taxes_id": False, "property_account_expense_id": cls.expense.id}
        )
        cls.supplier = cls.new_customer("Agency")
        cls.plan = cls.env["account.analytic.plan"].create({"name": "Purposes"})
        cls.marketing, cls.rent = cls.env["account.analytic.account"].create(
            [{"name": name, "plan_id": cls.plan.id, "company_id": cls.company.id}
             for name in ("Marketing", "Rent")]
        )
        cls.getting = cls.env.ref("customer_lifecycle.spending_source_bill_getting")
        cls.keeping = cls.env.ref("customer_lifecycle.spending_source_bill_keeping")
        (cls.getting + cls.keeping).active = True

    @classmethod
    def bill(cls, amount, product=None, move_type="in_invoice", days_ago=10, post=True, line=(),
             **values):
        bill = cls.env["account.move"].with_company(cls.company).create(
            {
                "move_type": move_type,
                "partner_id": cls.supplier.id,
                "invoice_date": cls.day(days_ago),
                "date": cls.day(days_ago),
                "invoice_line_ids": [
                    Command.create(
                        {"name": "Work", "quantity": 1, "price_unit": amount, "tax_ids": False,
                         "account_id": cls.expense.id,
                         **({"product_id": product.id} if product else {}), **dict(line)}
                    )
                ],
                **values,
            }
        )
        if post:
            bill.action_post()
        return bill

    def test_nothing_counts_until_something_is_picked(self):
        self.bill(100, self.advert)
        self.assertEqual(self.getting.state, "unpicked")
        self.assertIn("pick", self.getting.state_message)
        self.assertEqual(self.lines(), (False, False))

    def test_product_category_takes_bills_of_categories_below(self):
        self.getting.category_ids = self.advertising
        self.assertEqual(self.getting.state, "ready")
        self.bill(100, self.advert)
        self.bill(30, self.advert, move_type="in_refund")
        self.bill(500)
        self.bill(900, self.advert, post=False)
        self.assertEqual(self.lines("spending_source_id"), {self.getting: (70, 0)})

    def test_account(self):
        other = self.expense.copy({"name": "Marketing costs", "code": "649999"})
        self.keeping.account_ids = other
        self.bill(100)
        self.bill(40, line={"account_id": other.id}.items())
        self.assertEqual(self.lines(), (0, 40))

    def test_analytic_account_takes_its_part_of_a_line(self):
        self.getting.analytic_account_ids = self.marketing
        both = {str(self.marketing.id): 60, str(self.rent.id): 40}
        self.bill(200, line={"analytic_distribution": both}.items())
        self.bill(10, line={"analytic_distribution": {str(self.rent.id): 100}}.items())
        self.bill(7, line={"analytic_distribution": {str(self.marketing.id): 100}}.items())
        self.assertEqual(self.lines(), (127, 0))

    def test_a_document_counts_once_for_the_first_source(self):
        self.getting.category_ids = self.advertising
        self.keeping.account_ids = self.expense
        self.bill(100, self.advert)
        self.bill(50)
        self.assertEqual(
            self.lines("spending_source_id"), {self.getting: (100, 0), self.keeping: (0, 50)}
        )
        self.keeping.sequence = 1
        self.assertEqual(self.lines("spending_source_id"), {self.keeping: (0, 150)})

    def test_bill_named_by_hand_is_not_counted_again(self):
        self.getting.account_ids = self.expense
        bill = self.bill(100)
        self.bill(5)
        self.spend(100, bill_id=bill.id, date_from=self.day(40))
        self.assertEqual(self.lines("kind"), {"hand": (100, 0), "document": (5, 0)})

    def test_share_for_both_and_channel(self):
        newsletter = self.env["utm.source"].create({"name": "Spending letter"})
        self.getting.write(
            {"account_ids": self.expense.ids, "purpose": "both", "getting_percent": 25,
             "source_id": self.ads.id}
        )
        self.bill(100)
        self.bill(40, source_id=newsletter.id)
        self.assertEqual(
            self.lines("source_id"), {self.ads: (25, 75), newsletter: (10, 30)}
        )

    def test_foreign_bill_counts_in_company_currency(self):
        self.set_rates("EUR", {100: 0.5})
        self.getting.account_ids = self.expense
        self.bill(100, currency_id=self.currency("EUR").id)
        self.assertEqual(self.lines(), (200, 0))

    def test_own_source_over_any_model(self):
        self.set_rates("EUR", {100: 0.5})
        euro = self.currency("EUR")
        source = self.sources.create(
            {"name": "Purchases of gifts", "model": "lifecycle.external.purchase",
             "purpose": "keeping", "date_path": "date", "amount_path": "amount",
             "currency_path": "currency_id", "negate": True,
             "domain": "[('reference', '=', 'gift')]"}
        )
        self.new_purchase(self.customer, -10, 3, self.company, reference="gift",
                          currency_id=euro.id)
        self.new_purchase(self.customer, -99, 3, self.company)
        self.assertEqual(self.lines("spending_source_id"), {source: (0, 20)})

    def test_source_of_an_app_that_is_missing_sleeps(self):
        source = self.sources.create({"name": "Later", "model": "some.later.app"})
        self.assertEqual(source.state, "asleep")
        self.assertIn("some.later.app", source.state_message)
        self.assertEqual(self.lines(), (False, False))

    def test_wrong_path_is_refused(self):
        with self.assertRaises(ValidationError):
            self.sources.create(
                {"name": "Wrong", "model": "lifecycle.external.purchase",
                 "amount_path": "no_such_field"}
            )
        with self.assertRaises(ValidationError):
            self.getting.domain = "[('no_such_field', '=', 1)]"

    def test_who_may_not_see_bills_may_not_have_them_summed_up(self):
        self.getting.account_ids = self.expense
        manager = self.new_user("spend_manager", MANAGER, self.company)
        with self.assertRaisesRegex(ValidationError, "may not see all"):
            self.getting.with_user(manager).category_ids = self.advertising
        both = self.new_user("spend_both", f"{MANAGER},{ACCOUNTING}", self.company)
        self.getting.with_user(both).category_ids = self.advertising
        self.assertEqual(self.getting.category_ids, self.advertising)

    def test_parts_of_a_line_count_for_the_source_that_picked_them(self):
        self.getting.analytic_account_ids = self.marketing
        self.keeping.analytic_account_ids = self.rent
        shares = {str(self.marketing.id): 50, str(self.rent.id): 50}
        self.bill(100.01, line={"analytic_distribution": shares}.items())
        # halves of a cent are not counted twice
        self.assertEqual(
            self.lines("spending_source_id"), {self.getting: (50.01, 0), self.keeping: (0, 50)}
        )
        self.keeping.analytic_account_ids += self.marketing
        self.assertEqual(
            self.lines("spending_source_id"), {self.getting: (50.01, 0), self.keeping: (0, 50)}
        )
        self.keeping.account_ids = self.expense
        self.bill(10, line={"analytic_distribution": {str(self.marketing.id): 30}}.items())
        self.assertEqual(
            self.lines("spending_source_id"), {self.getting: (53.01, 0), self.keeping: (0, 57)}
        )
        lines = self.env["lifecycle.spending.line"].search([("kind", "=", "document")])
        self.assertEqual(len(set(lines.ids)), 4)

    def test_accounts_of_two_plans_make_no_line_larger(self):
        plan = self.env["account.analytic.plan"].create({"name": "Regions"})
        north = self.env["account.analytic.account"].create(
            {"name": "North", "plan_id": plan.id, "company_id": self.company.id}
        )
        self.getting.analytic_account_ids = self.marketing
        self.keeping.analytic_account_ids = north
        both = {str(self.marketing.id): 100, str(north.id): 100}
        self.bill(100, line={"analytic_distribution": both}.items())
        together = {f"{self.marketing.id},{north.id}": 40}
        self.bill(200, line={"analytic_distribution": together}.items())
        self.assertEqual(self.lines("spending_source_id"), {self.getting: (180, 0)})

    def test_bill_named_by_hand_is_not_counted_by_any_source(self):
        bill = self.bill(
            100, line={"analytic_distribution": {str(self.marketing.id): 100}}.items()
        )
        self.sources.create(
            {"name": "Analytic lines", "model": "account.analytic.line", "negate": True,
             "analytic_account_ids": self.marketing.ids}
        )
        self.assertEqual(self.lines("kind"), {"document": (100, 0)})
        spending = self.spend(100, bill_id=bill.id)
        self.assertEqual(self.lines("kind"), {"hand": (100, 0)})
        self.sources.search([("name", "=", "Analytic lines")]).active = False
        self.sources.create(
            {"name": "Whole bills", "model": "account.move", "negate": True,
             "amount_path": "amount_untaxed_signed", "domain": "[('state', '=', 'posted')]"}
        )
        self.assertEqual(self.lines("kind"), {"hand": (100, 0)})
        spending.bill_id = False
        self.assertEqual(self.lines("kind"), {"hand": (100, 0), "document": (100, 0)})

    def test_field_of_another_kind_is_refused(self):
        # the database would find out in the middle of everybody's report
        source = self.sources.create({"name": "Gifts", "model": "lifecycle.external.purchase"})
        for values in (
            {"amount_path": "reference"}, {"rate_path": "reference"}, {"date_path": "amount"},
            {"company_path": "partner_id"}, {"currency_path": "company_id"},
            {"source_path": "partner_id"}, {"medium_path": "amount"},
            {"campaign_path": "company_id"},
        ):  # fmt: skip
            with self.subTest(values=values):
                with self.assertRaisesRegex(ValidationError, "does not lead to"):
                    with self.env.cr.savepoint():
                        source.write(values)
        for domain in ("[('amount', '>', 'many')]", "[('amount'"):
            with self.subTest(domain=domain), self.assertRaises(ValidationError):
                with self.env.cr.savepoint():
                    source.domain = domain

    def test_spending_is_no_source_of_itself(self):
        for name in ("lifecycle.spending", "lifecycle.spending.line", "lifecycle.economics"):
            with self.subTest(model=name):
                with self.assertRaisesRegex(ValidationError, "counts already"):
                    with self.env.cr.savepoint():
                        self.sources.create(
                            {"name": "Loop", "model": name, "date_path": "create_date"}
                        )

    def test_broken_source_is_left_out_marked_and_told(self):
        self.getting.account_ids = self.expense
        self.env.flush_all()
        # an app took the field along
        self.env.cr.execute(
            "UPDATE lifecycle_spending_source SET source_path = 'gone_id' WHERE id = %s",
            (self.getting.id,),
        )
        self.env.invalidate_all()
        self.lines()
        self.assertEqual(self.getting.state, "error")
        told = dict(self.env["lifecycle.health"]._problems())
        self.assertIn(
            "Bills and expenses for getting", told[f"{self.getting._name},{self.getting.id}"]
        )
