"""Money of real orders, invoices and credit notes: what reaches a customer's figures."""

from datetime import datetime, time, timedelta

from odoo.fields import Command
from odoo.tools import SQL

from ..common_money import MoneyCase


class TestCreditNotes(MoneyCase):
    """Orders count net of what was credited beyond what was invoiced above them."""

    def test_partial_credit_lowers_the_order(self):
        invoice = self.invoice(self.order((4, 50)))
        self.credit(invoice, quantities={0: 1})
        self.assertFigures(
            revenue=150, order_count=1, average_order_value=150, last_order_date=self.day(30)
        )

    def test_credits_of_one_line_add_up(self):
        invoice = self.invoice(self.order((4, 50)))
        self.credit(invoice, quantities={0: 1})
        self.credit(invoice, quantities={0: 2})
        self.assertFigures(revenue=50, order_count=1)

    def test_fully_credited_order_is_no_purchase(self):
        self.credit(self.invoice(self.order(200, 30)))
        self.order(70, days_ago=60)
        self.assertFigures(
            revenue=70, order_count=1, first_order_date=self.day(60), last_order_date=self.day(60)
        )

    def test_fully_credited_first_order_leaves_nobody_with_a_first_order(self):
        self.credit(self.invoice(self.order(200)))
        self.assertFigures(
            revenue=0, order_count=0, first_order_date=None, average_order_value=None
        )

    def test_reversed_and_reissued_order_stays_whole(self):
        self.reissue(self.invoice(self.order(200, 30)))
        self.assertFigures(revenue=230, order_count=1, last_order_date=self.day(30))

    def test_reissued_and_then_credited_order_loses_the_last_credit_only(self):
        invoice = self.reissue(self.invoice(self.order((4, 50))))
        self.credit(invoice, days_ago=5, quantities={0: 1})
        self.assertFigures(revenue=150, order_count=1)

    def test_reissued_twice_order_stays_whole(self):
        self.reissue(self.reissue(self.invoice(self.order(200)), days_ago=9), days_ago=8)
        self.assertFigures(revenue=200, order_count=1)

    def test_credit_of_what_was_invoiced_above_the_order_leaves_it_whole(self):
        invoice = self.invoice(self.order((2, 50)), quantities={0: 3})
        self.credit(invoice, quantities={0: 1})
        self.assertFigures(revenue=100, order_count=1)

    def test_credit_beyond_what_was_invoiced_above_the_order_counts(self):
        invoice = self.invoice(self.order((2, 50)), quantities={0: 3})
        self.credit(invoice, quantities={0: 2})
        self.assertFigures(revenue=50, order_count=1)

    def test_excess_of_one_line_does_not_swallow_the_credit_of_another(self):
        invoice = self.invoice(self.order((2, 50), 80), quantities={0: 3})
        self.credit(invoice, quantities={0: 0})
        self.assertFigures(revenue=100, order_count=1)

    def test_partly_invoiced_and_credited_order_keeps_what_may_still_be_invoiced(self):
        invoice = self.invoice(self.order((4, 50)), quantities={0: 3})
        self.credit(invoice, quantities={0: 1})
        self.assertFigures(revenue=150, order_count=1)

    def test_credited_discount_line_gives_the_discount_back(self):
        invoice = self.invoice(self.order((4, 50), -30))
        self.assertFigures(revenue=170, order_count=1)
        self.credit(invoice, quantities={0: 1})
        self.assertFigures(revenue=150, order_count=1)

    def test_fully_credited_order_with_a_discount_line_is_nothing(self):
        self.credit(self.invoice(self.order(200, -30)))
        self.assertFigures(revenue=0, order_count=0)

    def test_part_that_was_invoiced_and_reissued_leaves_the_order_whole(self):
        order = self.order((4, 50))
        invoice = self.reissue(self.invoice(order, quantities={0: 1}))
        self.assertFigures(revenue=200, order_count=1)
        self.invoice(order, days_ago=9)
        self.assertFigures(revenue=200, order_count=1)
        self.credit(invoice, days_ago=8)
        self.assertFigures(revenue=150, order_count=1)

    def test_order_that_was_invoiced_at_a_lower_price_and_credited_whole(self):
        invoice = self.invoice(self.order((4, 50), 30), post=False)
        invoice.invoice_line_ids[0].price_unit = 40
        invoice.action_post()
        self.assertFigures(revenue=230, order_count=1)
        self.credit(invoice, quantities={0: 1, 1: 0})
        self.assertFigures(revenue=180, order_count=1)
        self.credit(invoice, quantities={0: 3})
        self.assertFigures(revenue=0, order_count=0)

    def test_order_that_is_taken_up_again_after_it_was_credited_and_cancelled(self):
        order = self.order((4, 50))
        self.credit(self.invoice(order))
        self.assertFigures(revenue=0, order_count=0)
        # that was on another day
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE account_move SET create_date = create_date - INTERVAL '1 day' "
                "WHERE id = ANY(%s)",
                order.invoice_ids.ids,
            )
        )
        order._action_cancel()
        order.action_draft()
        order.action_confirm()
        order.date_order = datetime.combine(self.day(5), time(12))
        self.assertFigures(revenue=200, order_count=1, first_order_date=self.day(5))
        invoice = self.invoice(order, days_ago=4)
        self.assertFigures(revenue=200, order_count=1)
        self.credit(invoice, days_ago=3, quantities={0: 1})
        self.assertFigures(revenue=150, order_count=1)

    def test_reissued_order_with_a_discount_line_stays_whole(self):
        self.reissue(self.invoice(self.order(200, -30)))
        self.assertFigures(revenue=170, order_count=1)

    def test_down_payment_and_its_credit_note_do_not_count(self):
        order = self.order(200)
        invoice = self.down_payment(order, 25)
        self.assertFigures(revenue=200, order_count=1)
        self.credit(invoice)
        self.assertFigures(revenue=200, order_count=1)

    def test_final_invoice_after_a_down_payment_does_not_count(self):
        order = self.order((4, 50))
        self.down_payment(order, 25)
        final = self.invoice(order, days_ago=15)
        self.assertFigures(revenue=200, order_count=1)
        place = final.invoice_line_ids.filtered("is_downpayment")
        products = final.invoice_line_ids.filtered(lambda line: line.display_type == "product")
        wanted = {
            index: 0 if line in place else 1 for index, line in enumerate(products)
        }
        self.credit(final, quantities=wanted)
        self.assertFigures(revenue=150, order_count=1)

    def test_down_payment_credited_after_the_final_invoice_does_not_count(self):
        order = self.order((4, 50))
        down_payment = self.down_payment(order, 25)
        self.invoice(order, days_ago=15)
        self.credit(down_payment)
        self.assertFigures(revenue=200, order_count=1)

    def test_quantity_lowered_after_the_invoice_is_credited_once(self):
        order = self.order((10, 10))
        self.invoice(order)
        order.order_line.product_uom_qty = 6
        credit_note = self.invoice(order, days_ago=10)
        self.assertEqual(credit_note.move_type, "out_refund")
        self.assertFigures(revenue=60, order_count=1)

    def test_only_posted_credit_notes_count(self):
        invoice = self.invoice(self.order((4, 50)))
        credit_note = self.credit(invoice, quantities={0: 1}, post=False)
        self.assertFigures(revenue=200)
        credit_note.action_post()
        self.assertFigures(revenue=150)
        credit_note.button_draft()
        self.assertFigures(revenue=200)
        credit_note.button_cancel()
        self.assertFigures(revenue=200)

    def test_credit_note_without_an_order_lowers_value_on_its_own_day(self):
        self.order(200, days_ago=40)
        self.order(100, days_ago=10)
        self.move("out_refund", 30, days_ago=10)
        self.move("out_refund", 20, days_ago=5)
        purchases = self.assertFigures(
            revenue=250, order_count=2, last_order_date=self.day(10), average_order_value=135
        )
        by_day = {
            day: round(sum(each.mapped("amount")), 2)
            for day, each in purchases.grouped("date").items()
        }
        self.assertEqual(by_day, {self.day(40): 200, self.day(10): 70, self.day(5): -20})

    def test_credit_note_of_an_invoice_without_an_order_does_not_count(self):
        self.order(200)
        self.credit(self.move("out_invoice", 500))
        self.assertFigures(revenue=200, order_count=1)

    def test_goodwill_on_the_credit_note_of_an_order_counts(self):
        invoice = self.invoice(self.order((4, 50)))
        credit_note = self.credit(invoice, quantities={0: 1}, post=False)
        credit_note.invoice_line_ids = [
            Command.create({"name": "Goodwill", "quantity": 1, "price_unit": 5, "tax_ids": False})
        ]
        credit_note.action_post()
        self.assertFigures(revenue=145, order_count=1)

    def test_credit_of_a_line_that_only_the_invoice_had_does_not_count(self):
        invoice = self.invoice(self.order((4, 50)), post=False)
        invoice.invoice_line_ids = [
            Command.create({"name": "Express", "quantity": 1, "price_unit": 15, "tax_ids": False})
        ]
        invoice.action_post()
        self.assertFigures(revenue=200)
        self.reissue(invoice)
        self.assertFigures(revenue=200, order_count=1)


class TestOrders(MoneyCase):
    """Which orders count, when and for whom."""

    def test_cancelled_order_does_not_count(self):
        self.order(80, days_ago=50)
        order = self.order(200)
        self.assertFigures(revenue=280, order_count=2)
        order._action_cancel()
        self.assertEqual(order.state, "cancel")
        self.assertFigures(revenue=80, order_count=1, last_order_date=self.day(50))

    def test_quotation_does_not_count(self):
        order = self.order(200)
        order._action_cancel()
        order.action_draft()
        self.assertFigures(order_count=None, revenue=None)

    def test_order_worth_nothing_is_no_purchase(self):
        self.order(0, days_ago=10)
        self.order(90, days_ago=40)
        self.assertFigures(
            revenue=90, order_count=1, last_order_date=self.day(40), average_order_value=90
        )

    def test_negative_order_lowers_value_and_is_no_purchase(self):
        self.order(90, days_ago=40)
        self.order(20, -45, days_ago=10)
        self.assertFigures(
            revenue=65, order_count=1, last_order_date=self.day(40), average_order_value=90
        )

    def test_back_dated_order_counts_on_its_day(self):
        order = self.order(90, days_ago=10)
        order.date_order -= timedelta(days=700)
        self.assertFigures(revenue=90, order_count=1, first_order_date=self.day(710))

    def test_order_dated_in_the_future_is_listed_and_does_not_count_yet(self):
        self.order(90, days_ago=10)
        self.order(40, days_ago=-5)
        purchases = self.assertFigures(
            revenue=90, order_count=1, last_order_date=self.day(10)
        )
        self.assertEqual(
            purchases.mapped(lambda line: (line.amount, line.counted)),
            [(40, False), (90, True)],
        )

    def test_order_dated_today_counts(self):
        self.order(90, moment=datetime.now())
        self.assertFigures(revenue=90, order_count=1, last_order_date=self.today)

    def test_orders_of_one_day_are_one_transaction(self):
        self.order(90, days_ago=10)
        self.order(30, days_ago=10)
        self.order(60, days_ago=40)
        purchases = self.assertFigures(
            revenue=180, order_count=2, average_order_value=90, last_order_date=self.day(10)
        )
        self.assertEqual(len(purchases), 3)

    def test_contacts_orders_count_for_their_company(self):
        contact = self.new_customer("Ann", parent_id=self.customer.id)
        address = self.new_customer("Store", parent_id=contact.id, type="delivery")
        self.order(90, days_ago=10, partner=contact)
        self.order(50, days_ago=20, partner=address)
        self.order(60, days_ago=40)
        self.assertFigures(revenue=200, order_count=3)
        self.assertNotIn(contact.id, self.collected(partners=contact))
        self.assertFalse(self.profile(contact, self.company))

    def test_credit_note_to_another_contact_counts_for_the_orders_customer(self):
        other = self.new_customer("Payer Ltd", is_company=True)
        order = self.order((4, 50), partner_invoice_id=other.id)
        self.credit(self.invoice(order), quantities={0: 1})
        self.assertFigures(revenue=150, order_count=1)
        self.assertNotIn(other.id, {key for key, row in self.collected().items() if row["revenue"]})

    def test_excluded_customer_has_no_figures(self):
        self.order(90)
        self.customer.lifecycle_exclude = True
        self.assertNotIn(self.customer.id, self.collected())
        self.assertNotIn(self.customer.id, self.collected(partners=self.customer))

    def test_day_is_the_companys_day(self):
        tokyo = self.new_ledger_company("Tokyo Works", "JPY", lifecycle_tz="Asia/Tokyo")
        denver = self.new_ledger_company("Denver Works", "USD", lifecycle_tz="America/Denver")
        noon = datetime.combine(self.day(20), datetime.min.time())
        for company, day_of_evening, day_of_morning in (
            (self.company, 20, 20),
            (tokyo, 19, 20),
            (denver, 20, 21),
        ):
            with self.subTest(company=company.name):
                evening = self.order(90, company=company, moment=noon + timedelta(hours=16))
                self.assertFigures(
                    company=company, revenue=90, last_order_date=self.day(day_of_evening)
                )
                evening._action_cancel()
                self.order(70, company=company, moment=noon + timedelta(hours=5))
                self.assertFigures(
                    company=company, revenue=70, last_order_date=self.day(day_of_morning)
                )

    def test_orders_on_both_sides_of_local_midnight_are_two_transactions(self):
        denver = self.new_ledger_company("Denver Works", "USD", lifecycle_tz="America/Denver")
        night = datetime.combine(self.day(20), datetime.min.time())
        for hour in (3, 8):
            self.order(50, company=denver, moment=night + timedelta(hours=hour))
            self.order(50, moment=night + timedelta(hours=hour))
        self.assertFigures(company=denver, revenue=100, order_count=2)
        self.assertFigures(revenue=100, order_count=1)

    def test_time_zone_falls_back_to_contact_then_working_hours_then_utc(self):
        company = self.company
        company.lifecycle_tz = False
        company.partner_id.tz = "Asia/Tokyo"
        company.resource_calendar_id = company.resource_calendar_id or self.env[
            "resource.calendar"
        ].create({"name": "Hours", "company_id": company.id})
        company.resource_calendar_id.tz = "Europe/Paris"
        self.assertEqual(company._lifecycle_timezone(), "Asia/Tokyo")
        company.partner_id.tz = False
        self.assertEqual(company._lifecycle_timezone(), "Europe/Paris")
        company.resource_calendar_id = False
        self.assertEqual(company._lifecycle_timezone(), "UTC")


    def test_a_listed_document_keeps_its_id(self):
        other = self.new_customer("Other Ltd", is_company=True)
        second = self.order(60, days_ago=20)
        self.order(70, days_ago=10, partner=other)
        before = self.purchases()
        self.order(90, days_ago=30)
        after = self.purchases()
        self.assertEqual(len(after), 2)
        self.assertIn(before.id, after.ids)
        self.assertEqual(after.filtered(lambda line: line.id == before.id).res_id, second.id)
        self.assertFalse(set(self.purchases(other).ids) & set(after.ids))


class TestCurrencies(MoneyCase):
    """Amounts in company currency at the order's own rate."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.set_rates("EUR", {400: 0.5, 100: 0.8, 25: 1.25})
        cls.set_rates("GBP", {400: 0.4, 35: 0.3})
        cls.set_rates("JPY", {400: 125.0, 35: 160.0})

    def test_each_order_counts_at_its_own_rate(self):
        self.order(100, days_ago=200, currency="EUR")  # 200.00
        self.order(100, days_ago=60, currency="EUR")  # 125.00
        self.order(100, days_ago=20, currency="EUR")  # 80.00
        self.order(10, days_ago=70, currency="GBP")  # 25.00
        self.order(10, days_ago=10, currency="GBP")  # 33.33
        self.order(1000, days_ago=9, currency="JPY")  # 6.25
        self.order(7.77, days_ago=8)
        self.assertFigures(revenue=477.35, order_count=7)

    def test_rate_that_changes_later_does_not_change_an_order(self):
        self.order(100, days_ago=60, currency="EUR")
        self.set_rates("EUR", {400: 4.0})
        self.assertFigures(revenue=125)

    def test_credit_note_at_another_rate_counts_at_the_orders_rate(self):
        order = self.order((4, 25), days_ago=60, currency="EUR")
        invoice = self.invoice(order, days_ago=50)
        credit_note = self.credit(invoice, days_ago=10, quantities={0: 1})
        # 25 EUR left the books at 1.25 and had come in at 0.8 per dollar
        self.assertEqual(credit_note.amount_untaxed_signed, -20)
        purchases = self.assertFigures(revenue=93.75, order_count=1)
        self.assertEqual(purchases.gross, 125)
        self.assertEqual(purchases.amount, 93.75)
        self.assertEqual(purchases.exchange_difference, 11.25)

    def test_same_rate_lists_no_exchange_difference(self):
        order = self.order((4, 25), days_ago=60, currency="EUR")
        self.credit(self.invoice(order, days_ago=50), days_ago=40, quantities={0: 1})
        self.assertEqual(self.purchases().exchange_difference, 0)

    def test_credit_note_in_another_currency_counts_in_the_orders(self):
        order = self.order((4, 25), days_ago=60, currency="EUR")
        invoice = self.invoice(order, days_ago=50, post=False)
        invoice.currency_id = self.company.currency_id
        line = invoice.invoice_line_ids
        line.price_unit = 31.25
        invoice.action_post()
        self.credit(invoice, days_ago=10, quantities={0: 1})
        purchases = self.assertFigures(revenue=93.75, order_count=1)
        self.assertEqual(purchases.exchange_difference, 0)

    def test_credit_note_without_an_order_counts_at_its_own_rate(self):
        self.order(100, days_ago=60)
        self.move("out_refund", 10, days_ago=20, currency="EUR")
        self.assertFigures(revenue=92, order_count=1)

    def test_reissued_foreign_order_stays_whole(self):
        order = self.order((4, 25), 10, days_ago=60, currency="EUR")
        self.reissue(self.invoice(order, days_ago=50), days_ago=10)
        self.assertFigures(revenue=137.5, order_count=1)

    def test_companies_share_a_customer_and_each_is_exact(self):
        zurich = self.new_ledger_company("Zürich Works", "CHF")
        self.set_rates("EUR", {400: 1.1, 50: 1.0}, company=zurich)
        self.set_rates("USD", {400: 1.2, 50: 1.25}, company=zurich)
        self.order(100, days_ago=60, currency="EUR")  # 125.00 USD
        self.order(40, days_ago=20)
        self.order(110, days_ago=60, currency="EUR", company=zurich)  # 100.00 CHF
        dollars = self.order((4, 25), days_ago=20, currency="USD", company=zurich)  # 80.00 CHF
        self.credit(self.invoice(dollars, days_ago=15), days_ago=5, quantities={0: 1})
        self.assertFigures(revenue=165, order_count=2, average_order_value=82.5)
        self.assertFigures(company=zurich, revenue=160, order_count=2, average_order_value=80)
        self.assertEqual(self.profile(self.customer, zurich).currency_id.name, "CHF")
        self.assertEqual(self.profile(self.customer, self.company).currency_id.name, "USD")
        self.assertEqual(
            self.customer.with_company(zurich).clv_historical, 160
        )
        self.assertEqual(self.customer.with_company(self.company).clv_historical, 165)
