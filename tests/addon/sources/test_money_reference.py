"""A second way to the same figures: random documents summed up slowly, record by record."""

import random
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

import pytest

from ..common_money import SUMS, MoneyCase

pytestmark = pytest.mark.long

CENT = Decimal("0.01")


def exact(number):
    return Decimal(repr(number))


def to_cents(number):
    return number.quantize(CENT, ROUND_HALF_UP)


class SlowSums:
    """The definition of a customer's figures, in plain Python over browsed records.

    :param company: res.company
    :param share: value per revenue
    """

    def __init__(self, company, share=Decimal(1)):
        self.company = company
        self.env = company.env
        self.share = share

    def figures(self):
        """dict commercial partner id → dict of ``SUMS``"""
        today = self.company._lifecycle_today()
        days = defaultdict(lambda: defaultdict(lambda: [Decimal(0), Decimal(0)]))

        def add(customer, day, amount, value):
            if day <= today and not customer.lifecycle_exclude:
                total = days[customer.id][day]
                total[0] += amount
                total[1] += value

        bought = defaultdict(lambda: defaultdict(Decimal))
        for partner, day, amount in self._documents():
            customer = partner.commercial_partner_id
            bought[customer][day] += amount
            add(customer, day, amount, to_cents(amount * self.share))
        for customer, lines in self._given_back().items():
            counted = Decimal(0)
            for day, _document, back in sorted(lines):
                limit = sum(amount for date, amount in bought[customer].items() if date <= day)
                now = max(min(back, Decimal(0)), min(back, max(limit, Decimal(0)) - counted))
                counted += now
                if now:
                    value = to_cents(-back * self.share)
                    add(customer, day, -now, to_cents(value * now / back))
        return {partner: self._sum_up(rows) for partner, rows in days.items()}

    def _sum_up(self, rows):
        bought = {day: amount for day, (amount, _value) in rows.items() if amount > 0}
        average = to_cents(sum(bought.values()) / len(bought)) if bought else None
        return dict(
            zip(
                SUMS,
                (
                    len(bought),
                    min(bought, default=None),
                    max(bought, default=None),
                    sum(amount for amount, _value in rows.values()),
                    average,
                    sum(value for _amount, value in rows.values()),
                ),
                strict=True,
            )
        )

    def _documents(self):
        """(contact, local day, net amount in company currency) of everything that counts."""
        of_company = [("company_id", "=", self.company.id)]
        for order in self.env["sale.order"].search([*of_company, ("state", "=", "sale")]):
            yield (
                order.partner_id,
                order.date_order.date(),
                to_cents(self._net(order) / exact(order.currency_rate)),
            )
        for purchase in self.env["lifecycle.external.purchase"].search(of_company):
            yield purchase.partner_id, purchase.date, exact(purchase.amount_company)

    def _given_back(self):
        """dict customer → (day, document, amount) of lines of credit notes without an order"""
        given = defaultdict(list)
        credit_notes = [
            ("company_id", "=", self.company.id),
            ("move_type", "=", "out_refund"),
            ("state", "=", "posted"),
        ]
        for credit_note in self.env["account.move"].search(credit_notes):
            reversed_lines = self._product_lines(credit_note.reversed_entry_id)
            if reversed_lines and not all(line.sale_line_ids for line in reversed_lines):
                continue
            for line in self._product_lines(credit_note):
                if not line.sale_line_ids and not line.is_downpayment:
                    for customer, amount in self._shared(credit_note, exact(line.balance)):
                        given[customer].append((credit_note.invoice_date, credit_note.id, amount))
        return given

    def _shared(self, credit_note, amount):
        """(customer, part of an amount) of the customers whose orders a credit note is about."""
        for move in (credit_note, credit_note.reversed_entry_id):
            weights = defaultdict(Decimal)
            for item in self._product_lines(move):
                for customer in item.sale_line_ids.order_id.partner_id.commercial_partner_id:
                    weights[customer] += abs(exact(item.price_subtotal))
            if weights:
                # the random documents bill every customer for himself
                assert len(weights) == 1
                return [(customer, amount) for customer in weights]
        return [(credit_note.partner_id.commercial_partner_id, amount)]

    @staticmethod
    def _product_lines(move):
        return move.invoice_line_ids.filtered(lambda line: line.display_type == "product")

    def _net(self, order):
        """The order less what was taken back; what rounding leaves of whole lines is nothing."""
        lines = order.order_line.filtered(lambda line: not line.display_type)
        worth = {line: self._worth(line) for line in lines}
        said = {line: exact(line.price_subtotal) for line in lines}
        taken = {line: self._taken_back(line, worth[line]) for line in lines}
        corrected = worth != said
        gross = exact(order.amount_untaxed) + sum(worth.values()) - sum(said.values())
        if corrected and not any(worth.values()):
            gross = Decimal(0)
        net = gross - sum(amount * self._said(line) for line, amount in taken.items())
        unit = exact(order.currency_id.rounding)
        pieces = {line: len(self._credits(line)) for line in lines if not line.is_downpayment}
        whole = all(
            abs(worth[line] - taken[line]) <= count * unit
            for line, count in pieces.items()
            if count
        )
        if whole and abs(net) <= sum(pieces.values()) * unit:
            return Decimal(0)
        return max(net, Decimal(0)) if corrected or gross >= 0 else net

    def _pays(self, line):
        kinds = ("gift_card", "ewallet")
        programs = self.env["loyalty.program"].search([("program_type", "in", kinds)])
        return (
            line.is_downpayment
            or line.reward_id.program_id.program_type in kinds
            or line.product_id in programs.trigger_product_ids
        )

    def _worth(self, line):
        """What a line was bought for, before credit notes, in the order's currency."""
        said = exact(line.price_subtotal)
        if self._pays(line):
            return Decimal(0)
        ordered, delivered, billed = (
            exact(number)
            for number in (line.product_uom_qty, line.qty_delivered, line.qty_invoiced)
        )
        if line.product_id.invoice_policy == "delivery":
            touched = billed or line.untaxed_amount_invoiced or self._credits(line)
            quantity = max(delivered, min(billed, ordered) if touched else ordered)
        else:
            quantity = max(ordered, min(billed, delivered))
        if ordered < 0 or quantity == ordered:
            return said
        if not ordered:
            return exact(line.untaxed_amount_invoiced) + exact(line.untaxed_amount_to_invoice)
        return (said / ordered * quantity).quantize(
            Decimal(1).scaleb(-line.currency_id.decimal_places), ROUND_HALF_UP
        )

    @staticmethod
    def _credits(line):
        return line.invoice_lines.filtered(
            lambda item: item.move_id.state == "posted" and item.move_id.move_type == "out_refund"
        )

    def _said(self, line):
        """What credit notes book for each unit that their lines show: totals are rounded once."""
        shown = sum(exact(item.price_subtotal) for item in self._credits(line))
        booked = sum(exact(item.amount_currency) for item in self._credits(line))
        return booked / shown if shown else Decimal(0)

    def _taken_back(self, line, worth):
        """What counts as credited of an order line, in the order's currency."""
        if self._pays(line):
            return Decimal(0)
        invoiced = reissued = credited = Decimal(0)
        for item in line.invoice_lines:
            if item.move_id.state != "posted":
                continue
            if item.move_id.move_type == "out_refund":
                credited += exact(item.price_subtotal)
                continue
            invoiced += exact(item.price_subtotal)
            if item.move_id.lifecycle_reissue:
                reissued += exact(item.price_subtotal)
        sign = -1 if line.price_subtotal < 0 else 1
        above = max(Decimal(0), sign * reissued, sign * (invoiced - worth))
        return sign * max(Decimal(0), sign * credited - above)


class SlowInvoiceSums(SlowSums):
    """The same where purchases are posted invoices."""

    def _documents(self):
        documents = self.env["account.move"].search(
            [
                ("company_id", "=", self.company.id),
                ("state", "=", "posted"),
                ("move_type", "in", ("out_invoice", "out_receipt", "out_refund")),
            ]
        )
        for move in documents:
            if move.move_type != "out_refund":
                yield from self._invoice(move)
            elif not self._takes_all(move.reversed_entry_id):
                yield move.partner_id, move.invoice_date, to_cents(self._goods(move, "balance"))
        for purchase in self.env["lifecycle.external.purchase"].search(
            [("company_id", "=", self.company.id)]
        ):
            yield purchase.partner_id, purchase.date, exact(purchase.amount_company)

    def _invoice(self, move):
        """What an invoice counts, and what its credit notes take off it on the same day."""
        worth = to_cents(self._goods(move, "balance"))
        yield move.partner_id, move.invoice_date, worth
        if not self._takes_all(move):
            return
        notes = self._notes(move)
        given = sum(self._goods(note, "amount_currency") for note in notes)
        so_far, taken = Decimal(0), Decimal(0)
        for note in notes.sorted("id"):
            so_far += self._goods(note, "amount_currency")
            now = to_cents(worth * so_far / given) if given else Decimal(0)
            yield note.partner_id, move.invoice_date, taken - now
            taken = now

    def _given_back(self):
        return {}

    def _notes(self, invoice):
        return self.env["account.move"].search(
            [("reversed_entry_id", "=", invoice.id), ("move_type", "=", "out_refund"),
             ("state", "=", "posted")]
        ) if invoice else self.env["account.move"]

    def _takes_all(self, invoice):
        """Whether credit notes in the invoice's currency leave nothing of its goods."""
        notes = self._notes(invoice)
        if not notes or notes.currency_id != invoice.currency_id:
            return False
        worth = self._goods(invoice, "amount_currency")
        given = sum(self._goods(note, "amount_currency") for note in notes)
        return worth > 0 and worth + given <= exact(invoice.currency_id.rounding) / 2

    def _goods(self, move, name):
        """The lines of an invoice that are goods, below nought on a credit note."""
        goods = (line for line in self._product_lines(move) if not self._is_money(line))
        return -sum((exact(line[name]) for line in goods), Decimal(0))

    def _is_money(self, line):
        kinds = ("gift_card", "ewallet")
        programs = self.env["loyalty.program"].search([("program_type", "in", kinds)])
        return (
            line.is_downpayment
            or line.product_id in programs.trigger_product_ids
            or line.product_id in programs.reward_ids.discount_line_product_id
            or any(self._pays(sold) for sold in line.sale_line_ids)
        )


class TestMoneyReference(MoneyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.set_rates("EUR", {800: 0.61, 300: 0.87, 90: 1.13, 20: 0.93})
        cls.set_rates("JPY", {800: 111.7, 200: 151.3})
        cls.set_rates("CHF", {800: 0.97, 150: 0.88})
        cls.other = cls.new_ledger_company("Zürich Works", "CHF")
        cls.set_rates("EUR", {800: 1.07, 100: 0.91}, company=cls.other)
        cls.set_rates("JPY", {800: 140.0, 50: 171.9}, company=cls.other)
        cls.set_rates("USD", {800: 1.03, 250: 1.14}, company=cls.other)
        cls.delivered = cls.env["product.product"].create(
            {"name": "By delivery", "type": "service", "invoice_policy": "delivery",
             "taxes_id": False}
        )
        cls.cards = cls.payment_program(company_id=False, currency_id=cls.company.currency_id.id)
        cls.contacts = []
        for number in range(12):
            customer = cls.new_customer(f"Customer {number}", is_company=number % 2 == 0)
            cls.contacts.append(customer)
            if number % 4 == 0:
                cls.contacts += [
                    cls.new_customer(f"Contact {number}.{each}", parent_id=customer.id)
                    for each in range(2)
                ]
        cls.contacts[3].lifecycle_exclude = True

    def setUp(self):
        super().setUp()
        # the same documents whichever test comes first
        self.rng = random.Random(7)

    def _random_order(self):
        rng = self.rng
        lines = [
            (rng.randint(0, 5), round(rng.uniform(1, 90), 2)) for _each in range(rng.randint(1, 4))
        ]
        lines = [
            {
                "product_id": rng.choice((self.product, self.delivered)).id,
                "product_uom_qty": quantity,
                "price_unit": price,
                "discount": rng.choice((0, 0, 12.5)),
            }
            for quantity, price in lines
        ]
        if rng.random() < 0.3:
            lines.append(-round(rng.uniform(1, 40), 2))
        if rng.random() < 0.15:
            lines.append(self.fill(self.cards, rng.randint(10, 90)))
        pay_with = None
        if rng.random() < 0.25 and any(
            isinstance(line, dict) and line["product_uom_qty"] for line in lines
        ):
            pay_with = self.card(self.cards, rng.randint(5, 300))
        order = self.order(
            *lines,
            pay_with=pay_with,
            days_ago=rng.choice((rng.randint(-20, 700), 40, 41)),
            partner=rng.choice(self.contacts),
            company=rng.choice((self.company, self.company, self.other)),
            currency=rng.choice((None, "EUR", "JPY")),
        )
        for line in order.order_line:
            if line.product_uom_qty > 0 and rng.random() < 0.4:
                line.qty_delivered = rng.randint(0, 7)
        return order

    def _random_quantities(self, move):
        """Other quantities for some lines, so that the total stays positive."""
        lines = move.invoice_line_ids.filtered(lambda line: line.display_type == "product")
        for line in lines:
            if line.price_unit > 0 and self.rng.random() < 0.6:
                line.quantity = self.rng.randint(1, 6)
        while move.amount_total <= 0:
            lines.filtered(lambda line: line.price_unit > 0).quantity += 3

    def _random_books(self, order):
        """Some of: invoice as ordered or not, credit notes, reissue, cancellation."""
        rng = self.rng
        billable = order.order_line.filtered("qty_to_invoice")
        if order.amount_untaxed <= 0 or not billable or rng.random() < 0.25:
            if rng.random() < 0.3:
                order._action_cancel()
            return
        invoice = self.invoice(order, days_ago=rng.randint(3, 60), post=False)
        if invoice.move_type != "out_invoice" or invoice.amount_total <= 0:
            return
        if rng.random() < 0.3:
            self._random_quantities(invoice)
        if rng.random() < 0.15:
            invoice.invoice_line_ids = [
                (0, 0, {"name": "Fee", "quantity": 1, "price_unit": 9, "tax_ids": False})
            ]
        invoice.action_post()
        if rng.random() < 0.3:
            invoice = self.reissue(invoice, days_ago=rng.randint(0, 3))
        for _each in range(rng.choice((0, 0, 1, 1, 2))):
            credit_note = self.credit(invoice, days_ago=rng.randint(0, 3), post=False)
            if rng.random() < 0.7:
                self._random_quantities(credit_note)
            if rng.random() < 0.85:
                credit_note.action_post()

    def _write_random_documents(self):
        rng = self.rng
        for _each in range(70):
            self._random_books(self._random_order())
        for _each in range(8):
            self.move(
                "out_refund",
                round(rng.uniform(1, 50), 2),
                partner=rng.choice(self.contacts),
                currency=rng.choice((None, "EUR")),
                days_ago=rng.randint(0, 90),
            )
            invoice = self.move("out_invoice", 33.3, partner=rng.choice(self.contacts))
            self.credit(invoice, days_ago=rng.randint(0, 9))
        for _each in range(60):
            self.new_purchase(
                rng.choice(self.contacts),
                round(rng.uniform(-40, 120), 2),
                days_ago=rng.randint(-10, 700),
                company=rng.choice((self.company, self.other)),
                currency_id=self.currency(rng.choice(("EUR", "USD", "CHF", "JPY"))).id,
            )

    def assertSameSums(self, collected, expected):
        names = self.env["res.partner"].browse({*collected, *expected})
        for partner in names:
            found = {
                name: to_cents(exact(value)) if isinstance(value, float) else value
                for name, value in collected.get(partner.id, {}).items()
            }
            self.assertEqual(found, expected.get(partner.id, {}), partner.name)

    def _random_invoices(self):
        """Invoices without an order, down payments, receipts, cash that is rounded."""
        rng = self.rng
        account = self.env["account.account"].search(
            [("company_ids", "in", self.company.ids), ("account_type", "=", "expense")], limit=1
        )
        rounding = self.env["account.cash.rounding"].create(
            {"name": "To 0.05", "rounding": 0.05, "strategy": "add_invoice_line",
             "rounding_method": "HALF-UP", "profit_account_id": account.id,
             "loss_account_id": account.id}
        )
        for _each in range(25):
            invoice = self.move(
                rng.choice(("out_invoice", "out_invoice", "out_receipt")),
                *(round(rng.uniform(5, 90), 2) for _line in range(rng.randint(1, 3))),
                -round(rng.uniform(0.5, 4), 2),
                partner=rng.choice(self.contacts),
                currency=rng.choice((None, "EUR", "JPY")),
                days_ago=rng.randint(20, 300),
                **rng.choice(({}, {"invoice_cash_rounding_id": rounding.id})),
            )
            for _note in range(rng.choice((0, 0, 1, 1, 2))):
                if invoice.move_type != "out_invoice":
                    continue
                note = self.credit(invoice, days_ago=rng.randint(0, 19), post=False)
                if rng.random() < 0.6:
                    self._random_quantities(note)
                note.action_post()
        for _each in range(6):
            order = self.order(
                (3, round(rng.uniform(9, 90), 2)),
                days_ago=200,
                partner=rng.choice(self.contacts),
                currency=rng.choice((None, "EUR")),
            )
            advance = self.down_payment(order, rng.choice((10, 33, 100)), days_ago=150)
            if rng.random() < 0.4:
                self.credit(advance, days_ago=100)
            if rng.random() < 0.8 and order.order_line.filtered("qty_to_invoice"):
                self.invoice(order, days_ago=rng.randint(1, 90))

    def test_random_documents_agree_to_the_cent(self):
        self._write_random_documents()
        self.company.write({"lifecycle_value": "percent", "lifecycle_margin_percent": 37.5})
        self.assertReference(SlowSums)

    def test_random_invoices_agree_to_the_cent(self):
        self._write_random_documents()
        self._random_invoices()
        self.company.write({"lifecycle_value": "percent", "lifecycle_margin_percent": 37.5})
        (self.company | self.other).lifecycle_basis = "invoices"
        self.assertReference(SlowInvoiceSums)

    def assertReference(self, reference):
        for company, share in ((self.company, Decimal("0.375")), (self.other, Decimal(1))):
            expected = reference(company, share).figures()
            self.assertGreater(len(expected), 6)
            partners = self.env["res.partner"].browse(expected)
            self.assertSameSums(self.collected(company), expected)
            self.assertSameSums(self.collected(company, partners), expected)
            for partner in partners:
                self.assertFigures(partner, company, revenue=float(expected[partner.id]["revenue"]))
