"""What nobody can believe moves nothing: it is refused at import, or set aside and told."""

from datetime import date, datetime, timedelta

from psycopg2 import IntegrityError

from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common_money import MoneyCase


@tagged("standard", "post_install", "-at_install")
class SetAsideCase(MoneyCase):
    def write_past_odoo(self, record, **values):
        """Values as another program leaves them in the database."""
        self.env.flush_all()
        for name, value in values.items():
            self.env.cr.execute(
                f"UPDATE {record._table} SET {name} = %s WHERE id = ANY(%s)", [value, record.ids]
            )
        self.env.invalidate_all()

    def aside(self):
        self.env.flush_all()
        self.env.invalidate_all()
        return self.env["lifecycle.set.aside"].search([("company_id", "=", self.company.id)])

    def assertAside(self, *expected):
        """The list has these (document, reason), and nothing else."""
        found = self.aside()
        self.assertEqual(
            {(one.res_model, one.res_id, one.reason) for one in found},
            {(document._name, document.id, reason) for document, reason in expected},
        )
        self.assertTrue(all(one.what_to_do and one.document_name for one in found))
        return found


class TestSetAside(SetAsideCase):
    def test_order_without_rate_is_set_aside_and_told(self):
        self.order(70)
        for days_ago, rate in enumerate((None, 0, -2, float("nan")), 40):
            with self.subTest(rate=rate):
                order = self.order(30, days_ago=days_ago)
                self.write_past_odoo(order, currency_rate=rate)
                self.assertFigures(revenue=70, order_count=1)
                # a rate that is no number makes the amount none
                self.assertAside((order, "4" if rate and rate != -2 else "3"))
                order.currency_rate = 1
                self.assertFigures(revenue=100, order_count=2)
                self.assertAside()
                order._action_cancel()

    def test_rate_that_odoo_wrote_for_want_of_one_is_none(self):
        self.order(70)
        order = self.order(30, currency="CHF")
        invoice = self.invoice(order)
        self.assertEqual((order.currency_rate, invoice.invoice_currency_rate), (1, 1))

        def assertBelieved(believed, amount=15):
            for basis, document, other in (
                ("orders", order, 70), ("invoices", invoice, None)
            ):
                self.company.lifecycle_basis = basis
                with self.subTest(basis=basis):
                    revenue = (other or 0) + amount if believed else other
                    self.assertFigures(revenue=revenue)
                    self.assertAside(*[] if believed else [(document, "3")])
            self.company.lifecycle_basis = "orders"

        assertBelieved(False)
        # one that is entered later does not change the documents
        self.set_rates("CHF", {400: 2})
        assertBelieved(False)
        # but they are right again when they are computed anew
        order.date_order = self.env.cr.now()
        self.assertEqual(order.currency_rate, 2)
        self.assertFigures(revenue=85)
        # and a currency may be worth as much as the company's
        self.set_rates("CHF", {400: 1})
        order.date_order -= timedelta(hours=1)
        assertBelieved(True, 30)
        self.set_rates("USD", {400: 1.5})
        assertBelieved(False)
        self.set_rates("CHF", {400: 1.5})
        assertBelieved(True, 30)

    def test_credit_note_in_a_currency_without_rate_takes_nothing_off(self):
        order = self.order((4, 25))
        invoice = self.invoice(order)
        note = self.env["account.move"].create(
            {
                "move_type": "out_refund", "partner_id": self.customer.id,
                "invoice_date": self.day(3), "reversed_entry_id": invoice.id,
                "currency_id": self.currency("CHF").id,
                "invoice_line_ids": [
                    Command.create(
                        {"product_id": self.product.id, "quantity": 1, "price_unit": 25,
                         "tax_ids": False, "sale_line_ids": [Command.set(order.order_line.ids)]}
                    )
                ],
            }
        )
        note.action_post()
        self.assertFigures(revenue=100)
        self.assertAside((note, "3"))

    def test_impossible_days_are_set_aside(self):
        self.order(70)
        for moment, reason in (
            (datetime(1, 1, 1), "1"),
            (datetime(202, 5, 1), "1"),
            (datetime(1899, 12, 30), "1"),
            (datetime(1969, 12, 31, 23), "1"),
            (datetime(1970, 1, 1), "1"),
            (datetime(1980, 1, 1, 12), "1"),
            (datetime(9999, 12, 31, 23, 59), "2"),
            ("infinity", "2"),
            ("-infinity", "1"),
        ):
            with self.subTest(moment=moment):
                order = self.order(30)
                self.write_past_odoo(order, date_order=moment)
                self.assertFigures(
                    revenue=70, order_count=1, first_order_date=self.day(30),
                    last_order_date=self.day(30),
                )
                self.assertAside((order, reason))
                order.date_order = datetime(2020, 1, 1)
                self.assertAside()
                order._action_cancel()

    def test_an_early_day_of_a_company_with_a_long_memory_counts(self):
        self.company.lifecycle_first_day = date(1950, 1, 1)
        order = self.order(30, moment=datetime(1955, 3, 1))
        self.new_purchase(self.customer, 5, company=self.company, date=date(1951, 1, 1))
        self.assertFigures(revenue=35, first_order_date=date(1951, 1, 1))
        self.company.lifecycle_first_day = date(1960, 1, 1)
        found = self.aside()
        self.assertIn(order.id, found.mapped("res_id"))
        self.assertEqual(len(found), 2)
        self.env.registry.clear_cache()

    def test_limits_that_leave_nothing_are_refused(self):
        with self.assertRaisesRegex(ValidationError, "not in the future"):
            self.company.lifecycle_first_day = self.day(-2)
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            self.company.lifecycle_largest_amount = -5
            self.env.flush_all()

    def test_impossible_amounts_are_set_aside(self):
        self.order(70)
        for amount in (1e30, -1e30, 1e12, float("nan"), float("inf"), float("-inf")):
            with self.subTest(amount=amount):
                order = self.order(30)
                self.write_past_odoo(order, amount_untaxed=amount)
                self.assertFigures(revenue=70, order_count=1)
                self.assertAside((order, "4"))
                self.write_past_odoo(order, amount_untaxed=30)
                self.assertFigures(revenue=100)
                order._action_cancel()

    def test_order_made_of_an_absurd_quantity_is_set_aside(self):
        order = self.order((1e15, 1e15))
        self.assertFigures(revenue=None, order_count=None)
        self.assertAside((order, "4"))

    def test_invoices_with_impossible_days_or_amounts_are_set_aside(self):
        self.company.lifecycle_basis = "invoices"
        self.move("out_invoice", 50, days_ago=40)
        late = self.move("out_invoice", 20)
        huge = self.move("out_invoice", 30)
        none = self.move("out_refund", 10)
        self.write_past_odoo(late, invoice_date="0202-01-01")
        self.write_past_odoo(huge, amount_untaxed_signed="Infinity")
        self.write_past_odoo(none, invoice_date=None)
        self.assertFigures(revenue=50, order_count=1, first_order_date=self.day(40))
        self.assertAside((late, "1"), (huge, "4"), (none, "0"))

    def test_free_credit_notes_are_named_by_their_document(self):
        self.order(70)
        note = self.move("out_refund", 5, 6)
        self.write_past_odoo(note, invoice_date="1970-01-01")
        self.assertFigures(revenue=70)
        self.assertAside((note, "1"))

    def test_absurd_credit_note_takes_nothing_off_the_order(self):
        invoice = self.invoice(self.order((4, 50)))
        note = self.credit(invoice, quantities={0: 1})
        self.assertFigures(revenue=150)
        item = note.invoice_line_ids.filtered(lambda line: line.display_type == "product")
        self.write_past_odoo(
            item, balance=1e30, price_subtotal=1e30, amount_currency=1e30, debit=1e30
        )
        self.write_past_odoo(note, amount_untaxed_signed=-1e30)
        self.assertFigures(revenue=200)
        self.assertAside((note, "4"))

    def test_imports_that_are_there_already_are_set_aside(self):
        self.order(70)
        purchases = [
            self.new_purchase(self.customer, amount, company=self.company)
            for amount in (1, 2, 3, 4)
        ]
        self.write_past_odoo(purchases[0], date="0202-01-01")
        self.write_past_odoo(purchases[1], date="1970-01-01")
        self.write_past_odoo(purchases[2], amount_company=1e30)
        self.assertFigures(revenue=74)
        self.assertAside((purchases[0], "1"), (purchases[1], "1"), (purchases[2], "4"))
        purchases[1].date = self.day(100)
        self.assertFigures(revenue=76, first_order_date=self.day(100))

    def test_source_with_a_currency_field_needs_a_rate(self):
        """A source that somebody added: foreign money without a rate is not one to one."""
        source = self.env.ref("customer_lifecycle.revenue_source_external_purchase")
        source.write({"amount_path": "amount", "currency_path": "currency_id"})
        self.set_rates("EUR", {400: 0.5})
        self.new_purchase(
            self.customer, 100, company=self.company, currency_id=self.currency("EUR").id
        )
        self.assertFigures(revenue=200)
        dirham = self.set_rates("AED", {400: 4})
        purchase = self.new_purchase(
            self.customer, 100, company=self.company, currency_id=dirham.id
        )
        self.assertFigures(revenue=225)
        dirham.rate_ids.unlink()
        self.set_rates("USD", {400: 1.5})
        self.assertFigures(revenue=300)
        self.assertAside((purchase, "3"))

    def test_nothing_moves_and_every_screen_opens(self):
        self.order(70, days_ago=3)
        self.env["lifecycle.pipeline"]._refresh(self.company, self.customer.ids)
        self.run_nightly()
        before = self.profile(self.customer, self.company)
        stage, expected = before.stage_id, before.clv_predicted
        for number, moment in enumerate((datetime(1, 1, 1), "infinity", datetime(1970, 1, 1))):
            order = self.order(1e30 if number == 2 else 30)
            self.write_past_odoo(order, date_order=moment)
        self.company.lifecycle_tz = "America/New_York"  # the year 1 begins in the year before
        self.env["lifecycle.pipeline"]._refresh(self.company, self.customer.ids)
        self.run_nightly()
        profile = self.profile(self.customer, self.company)
        self.assertEqual(profile.stage_id, stage)
        self.assertEqual(profile.order_count, 1)
        self.assertEqual(profile.clv_predicted, expected)
        overview = self.env["lifecycle.profile"].get_partner_overview(self.customer.id)
        self.assertEqual(overview["kind"], "figures")
        self.assertEqual(profile.first_touch_date.year, self.today.year)
        run = self.env["lifecycle.run"].search(
            [("company_id", "=", self.company.id), ("kind", "not in", ("refresh", "history"))],
            limit=1,
        )
        self.assertEqual(run.state, "done", run.message)
        self.assertEqual(run.set_aside_count, 3)
        self.assertIn("Documents set aside: 3", run.message)
        self.assertEqual(
            self.env.ref("customer_lifecycle.revenue_source_sale_order").set_aside_count, 3
        )
        self.assertIn("set aside: 3", self.env["lifecycle.first.steps"].get_state()["aside"])
        journey = self.env["lifecycle.journey"].get_journey(self.customer.id)
        self.assertTrue(journey)

    def test_only_managers_see_the_list(self):
        self.write_past_odoo(self.order(30), date_order="1970-01-01")
        seller = self.new_user("aside_seller", "sales_team.group_sale_salesman", self.company)
        manager = self.new_user("aside_manager", "sales_team.group_sale_manager", self.company)
        found = self.env["lifecycle.set.aside"]
        self.assertFalse(found.with_user(seller).has_access("read"))
        line = found.with_user(manager).with_company(self.company).search([])
        self.assertEqual(line.dated, "1970-01-01")
        self.assertEqual(line.action_open_document()["res_model"], "sale.order")


class TestSetAsideAtTheTill(SetAsideCase):
    def test_till_orders_with_impossible_days_or_rates_are_set_aside(self):
        if "pos.order" not in self.env:
            self.skipTest("Needs the app Point of Sale (point_of_sale).")
        shop = self.env["pos.config"].create({"name": "Shop", "company_id": self.company.id})
        session = self.env["pos.session"].create({"config_id": shop.id})
        orders = self.env["pos.order"].create(
            [
                {
                    "name": f"Till {number}",
                    "session_id": session.id,
                    "company_id": self.company.id,
                    "partner_id": self.customer.id,
                    "pricelist_id": False,
                    "state": "paid",
                    "date_order": datetime.combine(self.day(20), datetime.min.time()),
                    "amount_tax": 0, "amount_total": 10, "amount_paid": 10, "amount_return": 0,
                    "lines": [
                        (0, 0, {
                            "product_id": self.product.id, "qty": 1, "price_unit": 10,
                            "price_subtotal": 10, "price_subtotal_incl": 10,
                        })
                    ],
                }
                for number in range(4)
            ]
        )
        self.assertFigures(revenue=40)
        self.write_past_odoo(orders[0], date_order="1970-01-01")
        self.write_past_odoo(orders[1], currency_rate=0)
        self.write_past_odoo(orders[2].lines, price_subtotal=1e30)
        self.assertFigures(revenue=10)
        self.assertAside((orders[0], "1"), (orders[1], "3"), (orders[2], "4"))


class TestRefusedAtImport(SetAsideCase):
    """Odoo's import screen refuses the line, says which and why, and takes the others."""

    def imported(self, content, fields_of=("partner_id/.id", "date", "amount", "reference"),
                 model="lifecycle.external.purchase"):
        screen = self.env["base_import.import"].create(
            {
                "res_model": model,
                "file": content.encode(),
                "file_type": "text/csv",
                "file_name": "history.csv",
            }
        )
        options = {
            "has_headers": True, "quoting": '"', "separator": ",", "date_format": "%Y-%m-%d",
            "float_thousand_separator": "", "float_decimal_separator": ".", "fields": [],
        }
        return screen.execute_import(
            list(fields_of), [str(name) for name in fields_of], options
        )

    def file_of(self, *lines):
        head = "customer,date,amount,reference\n"
        return head + "".join(
            f"{self.customer.id},{day},{amount},R{number}\n"
            for number, (day, amount) in enumerate(lines)
        )

    def test_impossible_days_and_amounts_are_refused_with_row_and_reason(self):
        for day, amount, words in (
            # Odoo itself does not take years of fewer than four digits from a file
            ("0202-03-04", 10, "202-03-04"),
            ("1970-01-01", 10, "1970-01-01 cannot be right"),
            ("1899-12-30", 10, "cannot be right"),
            ("1980-01-01", 10, "cannot be right"),
            ("0001-01-01", 10, "1-01-01"),
            (self.day(-367), 10, "cannot be right"),
            ("9999-12-31", 10, "cannot be right"),
            (self.day(5), 10**30, "must stay below"),
            (self.day(5), -(10**30), "must stay below"),
            (self.day(5), 10**12, "must stay below"),
        ):
            with self.subTest(day=day, amount=amount):
                result = self.imported(
                    self.file_of((self.day(9), 10), (day, amount), (self.day(8), 20))
                )
                self.assertFalse(result["ids"])
                for message in result["messages"]:
                    self.assertEqual(message["rows"], {"from": 1, "to": 1})
                self.assertRegex(result["messages"][0]["message"], words)
        self.assertFalse(
            self.env["lifecycle.external.purchase"].search([("company_id", "=", self.company.id)])
        )
        result = self.imported(self.file_of((self.day(-30), 10), ("1980-01-02", 20)))
        self.assertEqual(len(result["ids"]), 2)

    def test_what_is_no_number_is_refused(self):
        for amount in (float("nan"), float("inf"), float("-inf")):
            with self.subTest(amount=amount):
                # Odoo itself cannot round it
                error = ValueError if amount != amount else OverflowError
                with self.assertRaises(error):
                    self.new_purchase(self.customer, amount, company=self.company)
        for amount in ("nan", "inf", "1e400"):
            with self.subTest(amount=amount):
                result = self.imported(self.file_of((self.day(5), amount)))
                self.assertTrue(result["messages"])
                self.assertFalse(result.get("ids"))

    def test_days_are_refused_however_they_come_in(self):
        fields_of = ["partner_id/.id", "date", "amount"]
        result = self.env["lifecycle.external.purchase"].load(
            fields_of, [[str(self.customer.id), "0202-03-04", "10"]]
        )
        self.assertRegex(result["messages"][0]["message"], "0202-03-04 cannot be right")
        with (
            self.assertRaisesRegex(ValidationError, "0202-03-04 cannot be right"),
            self.env.cr.savepoint(),
        ):
            self.new_purchase(self.customer, 5, company=self.company, date="0202-03-04")
        purchase = self.new_purchase(self.customer, 5, company=self.company)
        with self.assertRaisesRegex(ValidationError, "cannot be right"):
            purchase.date = date(1970, 1, 1)
        with self.assertRaisesRegex(ValidationError, "cannot be right"):
            purchase.amount = 1e13
        self.set_rates("EUR", {400: 1e-9})
        with self.assertRaisesRegex(ValidationError, "cannot be right"):
            purchase.write({"amount": 1e6, "currency_id": self.currency("EUR").id})

    def test_a_currency_needs_a_rate_of_its_own(self):
        """That the company's currency has one does not say what another is worth."""
        self.set_rates("USD", {400: 1.15})
        franc = self.currency("CHF")
        franc.rate_ids.unlink()
        for make in (
            lambda: self.new_purchase(
                self.customer, 80, company=self.company, currency_id=franc.id
            ),
            lambda: self.env["lifecycle.spending"].create(
                {"name": "Fair", "amount": 5, "company_id": self.company.id,
                 "currency_id": franc.id}
            ),
        ):
            with (
                self.assertRaisesRegex(ValidationError, "no exchange rate between CHF and USD"),
                self.env.cr.savepoint(),
            ):
                make()
        self.set_rates("CHF", {400: 1})
        self.new_purchase(self.customer, 80, company=self.company, currency_id=franc.id)
        self.assertFigures(revenue=92)

    def test_rate_of_another_company_is_none(self):
        other = self.new_ledger_company("Elsewhere Works", "USD")
        franc = self.currency("CHF")
        franc.rate_ids.unlink()
        self.set_rates("CHF", {400: 2}, company=other)
        with self.assertRaisesRegex(ValidationError, "no exchange rate"):
            self.new_purchase(self.customer, 80, company=self.company, currency_id=franc.id)

    def test_money_spent_on_impossible_days_is_refused(self):
        for values in (
            {"date_from": date(202, 1, 1)},
            {"date_from": self.today, "date_to": date(9999, 1, 1)},
            {"amount": 1e30},
        ):
            with self.subTest(values), self.assertRaisesRegex(ValidationError, "cannot be right"):
                self.env["lifecycle.spending"].create(
                    {"name": "Fair", "amount": 5, "company_id": self.company.id,
                     "currency_id": self.company.currency_id.id, **values}
                )
