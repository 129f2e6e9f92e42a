"""Revenue sources: what counts as a purchase and what it is worth."""

import psycopg2

from odoo.exceptions import UserError, ValidationError
from odoo.tools import mute_logger

from ..common_money import MoneyCase


class TestValue(MoneyCase):
    """Value by the company's definition; revenue stays what it is."""

    def test_value_is_revenue_unless_told_otherwise(self):
        self.credit(self.invoice(self.order((4, 50))), quantities={0: 1})
        self.assertFigures(revenue=150, clv_historical=150)

    def test_percent_takes_the_share_of_everything(self):
        self.company.write({"lifecycle_value": "percent", "lifecycle_margin_percent": 12.5})
        self.credit(self.invoice(self.order((4, 50))), quantities={0: 1})
        self.move("out_refund", 30)
        self.new_purchase(self.customer, 80, days_ago=300, company=self.company)
        self.assertFigures(revenue=200, clv_historical=25)

    def test_share_is_rounded_document_by_document(self):
        self.company.write({"lifecycle_value": "percent", "lifecycle_margin_percent": 33.3})
        for days_ago in (10, 20, 30):
            self.order(0.05, days_ago=days_ago)
        purchases = self.assertFigures(revenue=0.15, clv_historical=0.06)
        self.assertEqual(purchases.mapped("value"), [0.02, 0.02, 0.02])

    def test_margin_falls_back_to_the_share_where_documents_have_none(self):
        self.company.write({"lifecycle_value": "margin", "lifecycle_margin_percent": 40})
        self.new_purchase(self.customer, 80, days_ago=300, company=self.company)
        self.assertFigures(revenue=80, clv_historical=32)

    def test_margin_without_the_margin_app_is_the_share(self):
        if "margin" in self.env["sale.order"]._fields:
            self.skipTest("The app Margins in Sales Orders is installed here.")
        self.company.write({"lifecycle_value": "margin", "lifecycle_margin_percent": 40})
        self.credit(self.invoice(self.order((4, 50))), quantities={0: 1})
        self.assertFigures(revenue=150, clv_historical=60)

    def _with_margins(self):
        if "margin" not in self.env["sale.order"]._fields:
            self.skipTest("Needs the app Margins in Sales Orders (sale_margin).")
        self.set_rates("EUR", {400: 0.8})
        self.product.with_company(self.company).standard_price = 30
        self.company.write({"lifecycle_value": "margin", "lifecycle_margin_percent": 40})

    def test_margin_comes_from_the_orders_and_shrinks_with_the_credited_part(self):
        self._with_margins()
        order = self.order((4, 50))
        self.assertEqual(order.margin, 80)
        self.credit(self.invoice(order), quantities={0: 1})
        self.order((2, 40), days_ago=60, currency="EUR")  # 100.00, cost 60.00
        self.move("out_refund", 10)
        # 60 of 80, all of 40, and 40 % of a credit note that knows no margin
        self.assertFigures(revenue=240, clv_historical=96)

    def test_margin_of_a_gift_is_its_cost(self):
        self._with_margins()
        self.order((2, 0))
        self.assertFigures(revenue=0, clv_historical=-60, order_count=0)


class TestInvoices(MoneyCase):
    """Posted invoices and credit notes as the alternative basis."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.lifecycle_basis = "invoices"

    def test_orders_do_not_count_and_invoices_do_on_their_day(self):
        order = self.order((4, 50), days_ago=30)
        self.order(70, days_ago=50)
        self.invoice(order, days_ago=20)
        self.assertFigures(
            revenue=200, order_count=1, first_order_date=self.day(20), last_order_date=self.day(20)
        )

    def test_credit_notes_count_on_their_own_day_and_are_no_purchase(self):
        self.credit(self.invoice(self.order((4, 50))), days_ago=10, quantities={0: 1})
        self.assertFigures(
            revenue=150, order_count=1, last_order_date=self.day(20), average_order_value=200
        )

    def test_reversed_and_reissued_invoice_comes_to_the_same_revenue(self):
        self.reissue(self.invoice(self.order((4, 50))), days_ago=10)
        self.assertFigures(revenue=200)

    def test_invoices_without_an_order_count_and_drafts_do_not(self):
        invoice = self.move("out_invoice", 30, 12, days_ago=15)
        self.assertFigures(revenue=42, order_count=1)
        invoice.button_draft()
        self.assertFigures(revenue=None, order_count=None)

    def test_vendor_bills_are_no_purchases_of_a_customer(self):
        self.move("out_invoice", 42)
        self.move("in_invoice", 500)
        self.assertFigures(revenue=42, order_count=1)

    def test_foreign_invoices_count_at_the_rate_they_were_booked_with(self):
        self.set_rates("EUR", {400: 0.5, 15: 1.25})
        self.move("out_invoice", 100, currency="EUR", days_ago=30)
        self.move("out_refund", 25, currency="EUR", days_ago=10)
        self.assertFigures(revenue=180, order_count=1)

    def test_imported_history_counts_in_both(self):
        self.new_purchase(self.customer, 80, days_ago=300, company=self.company)
        self.order(70)
        self.assertFigures(revenue=80, order_count=1)
        self.company.lifecycle_basis = "orders"
        self.assertFigures(revenue=150, order_count=2)


class TestImportedHistory(MoneyCase):
    """Purchases from a former system, written or imported with Odoo's own screen."""

    FIELDS = ("partner_id", "date", "amount", "currency_id", "reference")

    def _import(self, rows, fields=FIELDS):
        return self.env["lifecycle.external.purchase"].load(list(fields), rows)

    def _written(self):
        return self.env["lifecycle.external.purchase"].search_count(
            [("company_id", "=", self.company.id)]
        )

    def test_refund_lowers_value_and_is_no_purchase(self):
        self.new_purchase(self.customer, 80, days_ago=300, company=self.company)
        self.new_purchase(self.customer, -30, days_ago=200, company=self.company)
        self.assertFigures(
            revenue=50, order_count=1, last_order_date=self.day(300), average_order_value=80
        )

    def test_refund_of_the_same_day_makes_the_purchase_smaller(self):
        self.new_purchase(self.customer, 80, days_ago=300, company=self.company)
        self.new_purchase(self.customer, -80, days_ago=300, company=self.company)
        self.new_purchase(self.customer, 50, days_ago=200, company=self.company)
        self.new_purchase(self.customer, -20, days_ago=200, company=self.company)
        self.assertFigures(
            revenue=30, order_count=1, first_order_date=self.day(200), average_order_value=30
        )

    def test_foreign_purchase_counts_at_the_rate_of_its_day(self):
        euro = self.set_rates("EUR", {400: 0.5, 100: 1.25})
        for days_ago in (300, 50):
            self.new_purchase(
                self.customer, 100, days_ago=days_ago, company=self.company, currency_id=euro.id
            )
        self.assertFigures(revenue=280, order_count=2)

    def test_contacts_purchases_count_for_their_company(self):
        contact = self.new_customer("Ann", parent_id=self.customer.id)
        self.new_purchase(contact, 80, days_ago=300, company=self.company)
        self.assertFigures(revenue=80, order_count=1)

    def test_currency_without_rate_is_refused(self):
        dirham = self.currency("AED")
        dirham.rate_ids.unlink()
        self.currency("USD").rate_ids.unlink()
        with self.assertRaisesRegex(ValidationError, "no exchange rate between AED and USD"):
            with self.env.cr.savepoint():
                self.new_purchase(self.customer, 80, company=self.company, currency_id=dirham.id)
        self.set_rates("AED", {400: 4})
        self.new_purchase(self.customer, 80, company=self.company, currency_id=dirham.id)
        self.assertFigures(revenue=20)

    def test_contact_of_another_company_is_refused(self):
        other = self.new_company("Elsewhere")
        stranger = self.new_customer("Stranger", company_id=other.id)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.new_purchase(stranger, 80, company=self.company)
        self.assertEqual(self.new_purchase(stranger, 80, company=other).amount_company, 80)

    def test_reference_is_unique_in_its_company_only(self):
        other = self.new_ledger_company("Other Works", "USD")
        self.new_purchase(self.customer, 1, company=self.company, reference="A-1")
        self.new_purchase(self.customer, 2, company=other, reference="A-1")
        for _each in range(2):
            self.new_purchase(self.customer, 3, company=self.company)
            self.new_purchase(self.customer, 4, company=self.company, reference="")
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.UniqueViolation),
            self.env.cr.savepoint(),
        ):
            self.new_purchase(self.customer, 5, company=self.company, reference="A-1")

    def test_rows_import_by_name_with_currency_and_refunds(self):
        self.set_rates("EUR", {800: 0.5})
        result = self._import(
            [
                ["Buyer Ltd", str(self.day(300)), "80", "USD", "A-1"],
                ["Buyer Ltd", str(self.day(200)), "10.5", "EUR", "A-2"],
                ["Buyer Ltd", str(self.day(190)), "-1", "USD", ""],
            ]
        )
        self.assertFalse(result["messages"])
        self.assertFigures(revenue=100, order_count=2, first_order_date=self.day(300))

    def test_thousands_of_rows_import_at_once(self):
        customers = self.env["res.partner"].create(
            [{"name": f"Imported {number}"} for number in range(100)]
        )
        rows = [
            [str(customers[number % 100].id), str(self.day(number // 100)), "7.25", f"R{number}"]
            for number in range(3000)
        ]
        result = self._import(rows, ("partner_id/.id", "date", "amount", "reference"))
        self.assertFalse(result["messages"])
        self.assertEqual(len(result["ids"]), 3000)
        collected = self.collected()
        for customer in customers:
            self.assertEqual(collected[customer.id]["revenue"], 30 * 7.25)
            self.assertEqual(collected[customer.id]["order_count"], 30)

    def test_bad_row_is_told_and_nothing_is_imported(self):
        good = ["Buyer Ltd", str(self.day(300)), "80", "USD", "A-1"]
        for column, value, told in (
            (0, "Nobody Known", "Nobody Known"),
            (1, "31.12.2024", "31.12.2024"),
            (2, "eighty", "eighty"),
            (3, "XXX", "XXX"),
        ):
            bad = [*good[:4], "A-2"]
            bad[column] = value
            with self.subTest(value=value), mute_logger("odoo.sql_db"):
                result = self._import([good, bad])
                self.assertFalse(result["ids"])
                self.assertIn(told, result["messages"][0]["message"])
                self.assertEqual(result["messages"][0]["rows"]["from"], 1)
                self.assertEqual(self._written(), 0)

    def test_used_reference_is_told_and_nothing_is_imported(self):
        row = ["Buyer Ltd", str(self.day(300)), "80", "USD", "A-1"]
        self.assertTrue(self._import([row])["ids"])
        with mute_logger("odoo.sql_db"):
            result = self._import([[*row[:4], "A-2"], row])
        self.assertFalse(result["ids"])
        self.assertIn("Give every purchase its own reference", result["messages"][0]["message"])
        self.assertEqual(self._written(), 1)


class TestSourceRecords(MoneyCase):
    """Sources are records: they sleep, wake and can be made by users."""

    def _source(self, **values):
        return self.env["lifecycle.revenue.source"].create(
            {
                "name": "Opportunities won",
                "model": "crm.lead",
                "domain": "[('expected_revenue', '>', 0)]",
                "date_path": "date_deadline",
                "amount_path": "expected_revenue",
                **values,
            }
        )

    def test_own_source_counts_like_the_delivered_ones(self):
        self._source()
        self.env["crm.lead"].create(
            {
                "name": "A deal",
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "expected_revenue": 300,
                "date_deadline": self.day(12),
            }
        )
        self.order(50, days_ago=30)
        purchases = self.assertFigures(
            revenue=350, order_count=2, last_order_date=self.day(12)
        )
        self.assertEqual(purchases[:1].document_name, "A deal")

    def test_archived_source_does_not_count(self):
        self.order(50)
        self.new_purchase(self.customer, 80, days_ago=300, company=self.company)
        self.env.ref("customer_lifecycle.revenue_source_sale_order").active = False
        self.assertFigures(revenue=80, order_count=1)

    def test_source_of_an_app_that_is_not_installed_sleeps(self):
        source = self._source(model="shop.that.is.not.there")
        self.assertEqual(source.state, "asleep")
        self.assertIn("shop.that.is.not.there", source.state_message)
        self.order(50)
        self.assertFigures(revenue=50, order_count=1)

    def test_delivered_sources_are_ready_or_asleep(self):
        sources = self.env["lifecycle.revenue.source"].search([])
        self.assertLessEqual({"ready"}, set(sources.mapped("state")))
        self.assertFalse(sources.filtered(lambda source: source.state == "error"))

    def test_wrong_path_is_refused_and_the_source_stays_as_it_was(self):
        source = self._source()
        for values, told in (
            ({"amount_path": "expected_money"}, "expected_money"),
            ({"partner_path": "user_id"}, "user_id"),
            ({"partner_path": "name"}, "name"),
            ({"date_path": "partner_id.birthday"}, "birthday"),
            ({"amount_path": "partner_id.credit"}, "not stored"),
            ({"domain": "[('nothing', '=', 1)]"}, "nothing"),
            ({"domain": "[("}, "is no filter"),
            ({"domain": "[('user_id', '=', uid)]"}, "is no filter"),
            ({"skip_domain": "5"}, "is no filter"),
            ({"domain": "[('expected_revenue', '=', 'a lot')]"}, "a lot"),
            ({"net_of_credit_notes": True}, "sale.order"),
        ):
            with self.subTest(values=values), mute_logger("odoo.sql_db"):
                with self.assertRaisesRegex(ValidationError, told), self.env.cr.savepoint():
                    source.write(values)
                source.invalidate_recordset()
                for name in values:
                    self.assertNotEqual(source[name], values[name])

    def test_field_of_another_kind_is_refused(self):
        # the database would take most of them, and find out in the middle of everybody's run
        source = self._source()
        for values in (
            {"amount_path": "name"},
            {"amount_path": "active"},
            {"rate_path": "name"},
            {"margin_path": "email_from"},
            {"date_path": "name"},
            {"date_path": "expected_revenue"},
            {"company_path": "user_id"},
            {"company_path": "name"},
            {"currency_path": "partner_id"},
            {"document_path": "name"},
            {"document_path": "tag_ids"},
        ):
            with self.subTest(values=values):
                with self.assertRaisesRegex(ValidationError, "does not lead to"):
                    with self.env.cr.savepoint():
                        source.write(values)
        source.write({"currency_path": "company_id.currency_id", "document_path": "partner_id"})
        self.assertEqual(source.state, "ready")

    def test_records_that_rules_hide_from_its_author_are_no_purchases(self):
        manager = self.new_user("source_author", "sales_team.group_sale_manager", self.company)
        self.move("in_invoice", 55)
        self.move("out_invoice", 70)
        values = {
            "name": "Invoices",
            "model": "account.move",
            "date_path": "invoice_date",
            "amount_path": "amount_untaxed_signed",
        }
        sources = self.env["lifecycle.revenue.source"].with_user(manager)
        # sales managers read customers' invoices only
        for domain in ("[]", "[('move_type', '=', 'in_invoice')]"):
            with self.subTest(domain=domain):
                with self.assertRaisesRegex(ValidationError, "may not see"):
                    with self.env.cr.savepoint():
                        sources.create({**values, "domain": domain})
        source = sources.create({**values, "domain": "[('move_type', '=', 'out_invoice')]"})
        self.assertFigures(revenue=70)
        with self.assertRaisesRegex(ValidationError, "may not see"), self.env.cr.savepoint():
            source.domain = "[]"

    def test_purchases_are_no_source_of_themselves(self):
        with self.assertRaisesRegex(ValidationError, "choose the model"):
            self._source(model="lifecycle.purchase", amount_path="amount", date_path="date")

    def test_nobody_asks_deep_in_a_filter_what_he_may_not_read(self):
        manager = self.new_user("deep", "sales_team.group_sale_manager", self.company)
        secret = "[('user_id', 'any', [('log_ids', 'any', [('create_date', '!=', False)])])]"
        allowed = "[('user_id', 'any', [('partner_id', 'any', [('name', '!=', False)])])]"
        signal = self.env["lifecycle.signal"].create(
            {"name": "Own", "target": "last_contact_date", "model": "crm.lead",
             "partner_path": "partner_id", "date_path": "create_date"}
        )
        for record, name in (
            (self._source(), "domain"), (self._source(), "skip_domain"), (signal, "domain")
        ):
            with self.subTest(record=record, name=name):
                record.with_user(manager).write({name: allowed})
                with self.assertRaisesRegex(ValidationError, "may not read"):
                    with self.env.cr.savepoint():
                        record.with_user(manager).write({name: secret})


class TestCompaniesApart(MoneyCase):
    def test_settings_of_one_company_do_not_touch_the_other(self):
        other = self.new_ledger_company("Other Works", "USD")
        other.write({"lifecycle_basis": "invoices", "lifecycle_value": "percent"})
        for company in (self.company, other):
            order = self.order((2, 50), company=company, days_ago=30)
            self.invoice(order, days_ago=20)
            self.order(7, company=company, days_ago=3)
        self.assertFigures(revenue=107, clv_historical=107, last_order_date=self.day(3))
        self.assertFigures(
            company=other, revenue=100, clv_historical=30, last_order_date=self.day(20)
        )
