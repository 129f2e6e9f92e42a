"""Revenue beside Odoo's own reports: every difference has a kind, and nothing is left over."""

import random
from datetime import datetime, time, timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..common import LifecycleCase
from ..common_money import MoneyCase
from ..sources import test_money_reference


@tagged("standard", "post_install", "-at_install")
class ReconciliationMixin(LifecycleCase):
    def compare(self, first, last, company=None, user=None):
        """The lines by (section, kind), after asserting that they add up and explain all."""
        self.env.flush_all()
        # reports are read anew
        self.env.invalidate_all()
        wizards = self.env["lifecycle.reconciliation"].with_company(company or self.company)
        if user:
            wizards = wizards.with_user(user)
        wizard = wizards.create({"date_from": first, "date_to": last})
        wizard.action_compare()
        lines = wizard.line_ids
        sections = {}
        for line in lines:
            key = (line.section, line.kind)
            sections[key] = round(sections.get(key, 0) + line.amount, 2)
            self.assertTrue(line.label)
        for section in {line.section for line in lines} - {"source"}:
            mine = {kind: amount for (name, kind), amount in sections.items() if name == section}
            self.assertAlmostEqual(
                mine["counted"],
                sum(amount for kind, amount in mine.items() if kind != "counted"),
                places=2,
                msg=f"{section}: {mine}",
            )
            self.assertEqual(mine.get("unexplained", 0), 0, f"{section}: {mine}")
            self.assertLess(abs(mine.get("rounding", 0)), 0.5)
        self.assertEqual(wizard.unexplained, 0)
        revenue = self.env["lifecycle.customer.revenue"].with_company(company or self.company)
        ((total,),) = revenue._read_group(
            [("date", ">=", first), ("date", "<=", last)], [], ["amount:sum"]
        )
        self.assertEqual(sections["source", "counted"], round(total or 0, 2))
        return wizard, sections

    def report(self, name, domain, measure):
        """What Odoo's own report says, as its screen sums it up."""
        ((total,),) = (
            self.env[name]
            .with_context(allowed_company_ids=self.company.ids)
            ._read_group([("company_id", "=", self.company.id), *domain], [], [f"{measure}:sum"])
        )
        return round(total or 0, 2)


class TestReconciliation(ReconciliationMixin, MoneyCase):
    def setUp(self):
        super().setUp()
        self.first, self.last = self.day(60), self.day(0)

    def now(self, **kwargs):
        return self.compare(self.first, self.last, **kwargs)

    def test_plain_orders_agree(self):
        self.order(100, 20.5)
        self.order(30, days_ago=100)
        _wizard, sums = self.now()
        self.assertEqual(
            sums["sale", "reported"],
            self.report("sale.report", [("state", "=", "sale")], "price_subtotal") - 30,
        )
        self.assertEqual(sums["sale", "counted"], 120.5)
        self.assertEqual(sums["source", "counted"], 120.5)

    def test_each_kind_of_sales_has_its_amount(self):
        self.order(100)
        outsider = self.new_customer("Our own", lifecycle_exclude=True)
        self.order(11, partner=outsider)
        unrated = self.order(13)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_order SET currency_rate = 0 WHERE id = %s", [unrated.id]
        )
        self.env.invalidate_all()
        credited = self.order((4, 50))
        self.credit(self.invoice(credited), quantities={0: 1})
        by_hand = self.order(40)
        by_hand.write(
            {"order_line": [(0, 0, {"name": "By hand", "product_uom_qty": 1, "price_unit": 7,
                                    "tax_ids": False})]}
        )
        self.order(200)
        wizard, sums = self.now()
        self.assertEqual(sums["sale", "excluded"], -11)
        self.assertEqual(sums["sale", "aside"], -13)
        self.assertEqual(sums["sale", "credit"], -50)
        self.assertEqual(sums["sale", "no_product"], 7)
        self.assertEqual(sums["sale", "counted"], 100 + 150 + 47 + 200)
        line = wizard.line_ids.filtered(lambda one: one.kind == "aside")
        action = line.action_open()
        self.assertEqual(self.env[action["res_model"]].search(action["domain"]), unrated)
        for line in wizard.line_ids.filtered(lambda one: one.document_count):
            if line.kind in ("counted", "source"):
                action = line.action_open()
                listed = self.env[action["res_model"]].search(action["domain"])
                self.assertAlmostEqual(sum(listed.mapped("amount")), line.amount, places=2)
            elif line.kind == "reported" and line.section == "sale":
                action = line.action_open()
                listed = self.env[action["res_model"]].search(action["domain"])
                self.assertAlmostEqual(sum(listed.mapped("price_subtotal")), line.amount, 2)

    def test_days_of_the_reader_and_of_the_company(self):
        self.company.lifecycle_tz = "Asia/Tokyo"
        self.env.user.tz = "America/Los_Angeles"
        midnight = datetime.combine(self.first, time.min)
        self.order(100, moment=midnight + timedelta(days=10))
        # already the first day in Tokyo, still the day before in Los Angeles
        self.order(5, moment=midnight - timedelta(hours=2))
        # still the last day there, the day after here
        end = datetime.combine(self.last, time.min) + timedelta(days=1)
        self.order(3, moment=end - timedelta(hours=2))
        _wizard, sums = self.now()
        self.assertEqual(sums["sale", "reported"], 103)
        self.assertEqual(sums["sale", "zone"], 2)
        self.assertEqual(sums["sale", "counted"], 105)

    def test_foreign_orders_agree_to_the_cent(self):
        self.set_rates("EUR", {400: 0.77, 20: 1.31})
        rng = random.Random(5)
        for number in range(12):
            self.order(
                *((rng.randrange(1, 9), rng.randrange(1, 9999) / 100) for _line in range(4)),
                currency="EUR", days_ago=number * 4,
            )
        order = self.order((3, 33.33), currency="EUR")
        self.credit(self.invoice(order), quantities={0: 1})
        self.now()

    def test_invoices_are_counted_as_their_orders(self):
        self.invoice(self.order(100))
        self.credit(self.invoice(self.order(60)))
        self.move("out_invoice", 500)
        self.credit(self.move("out_invoice", 40))
        self.move("out_refund", 30)
        _wizard, sums = self.now()
        self.assertEqual(sums["invoice", "reported"], 100 + 60 - 60 + 500 + 40 - 40 - 30)
        self.assertEqual(sums["invoice", "by_order"], -100)
        self.assertEqual(sums["invoice", "no_order"], -540)
        self.assertEqual(sums["invoice", "uncounted"], 40)
        self.assertEqual(sums["invoice", "counted"], -30)
        self.assertEqual(sums["source", "counted"], 70)

    def test_on_the_basis_of_invoices(self):
        self.company.lifecycle_basis = "invoices"
        order = self.order(100)
        self.invoice(order)
        self.order(44)
        self.move("out_invoice", 500)
        self.credit(self.move("out_invoice", 40))
        self.move("out_refund", 30, partner=self.new_customer("Out", lifecycle_exclude=True))
        _wizard, sums = self.now()
        self.assertEqual(sums["sale", "basis"], -144)
        self.assertEqual(sums["invoice", "reported"], 100 + 500 + 40 - 40 - 30)
        self.assertEqual(sums["invoice", "excluded"], 30)
        self.assertEqual(sums["invoice", "counted"], 600)

    def test_down_payments_and_imported_history(self):
        order = self.order(200)
        self.down_payment(order, 25)
        self.invoice(order, days_ago=15)
        self.new_purchase(self.customer, 70, days_ago=4, company=self.company)
        _wizard, sums = self.now()
        self.assertEqual(sums["source", "counted"], 270)
        self.assertEqual(sums["sale", "counted"], 200)

    def test_whoever_sees_all_documents_compares_and_opens_them(self):
        self.order(100)
        seller = self.new_user(
            "books_all", "sales_team.group_sale_salesman_all_leads", self.company
        )
        wizard, sums = self.now(user=seller)
        self.assertEqual(sums["sale", "counted"], 100)
        for line in wizard.line_ids.filtered(lambda line: line.res_model or line.kind == "counted"):
            action = line.action_open()
            self.env[action["res_model"]].with_user(seller).search(action["domain"], limit=1)
        # documents of an app that he does not work with: a sentence instead of an error
        line = wizard.line_ids[:1].sudo().copy(
            {"kind": "aside", "section": "sale", "res_model": "ir.cron", "res_ids": [1]}
        )
        with self.assertRaisesRegex(UserError, "ask somebody who may"):
            line.with_user(seller).action_open()

    def test_only_people_of_the_company_who_see_all_may_compare(self):
        self.order(100)
        manager = self.new_user("books_manager", "sales_team.group_sale_manager", self.company)
        seller = self.new_user("books_seller", "sales_team.group_sale_salesman", self.company)
        wizard, sums = self.now(user=manager)
        self.assertEqual(sums["sale", "counted"], 100)
        with self.assertRaises(AccessError):
            self.env["lifecycle.reconciliation"].with_user(seller).create({})
        with self.assertRaises(AccessError):
            wizard.with_user(seller).action_compare()
        other = self.new_company("Books Elsewhere")
        stranger = self.new_user("books_stranger", "sales_team.group_sale_manager", other)
        with self.assertRaises(AccessError):
            wizard.with_user(stranger).line_ids.mapped("amount")
        with self.assertRaises(AccessError):
            self.env["lifecycle.reconciliation"].with_user(stranger).create(
                {"company_id": self.company.id}
            ).action_compare()

    def test_a_period_that_ends_before_it_begins_is_refused(self):
        wizard = self.env["lifecycle.reconciliation"].create(
            {"date_from": self.day(1), "date_to": self.day(3)}
        )
        with self.assertRaisesRegex(UserError, "must not be before"):
            wizard.action_compare()


class TestReconciliationRandom(ReconciliationMixin, test_money_reference.TestMoneyReference):
    """Random orders, invoices, credit notes and currencies, on either basis."""

    def assertReference(self, reference):
        for basis in ("orders", "invoices"):
            for days in (10, 40, 400):
                with self.subTest(basis=basis, days=days):
                    self.company.lifecycle_basis = basis
                    self.compare(self.day(days), self.day(0))


class TestReconciliationDemo(ReconciliationMixin):
    def test_demo_data_agree(self):
        from odoo.addons.customer_lifecycle.demo.loader import load

        company = self.env.ref("base.main_company")
        self.env = self.env(
            context={**self.env.context, "allowed_company_ids": company.ids}
        )
        self.company = company.with_env(self.env)
        if not self.company.chart_template:
            self.env["account.chart.template"].try_loading("generic_coa", company=self.company)
        load(self.env)
        today = self.company._lifecycle_today()
        for days in (31, 365, 1500):
            with self.subTest(days=days):
                _wizard, sums = self.compare(today - timedelta(days=days), today)
                self.assertGreater(sums["source", "counted"], 0)
