"""A second way to the figures of a till: random sales and returns summed up record by record."""

import random
from collections import defaultdict
from decimal import Decimal

import pytest

from ..common_till import TillCase
from .test_money_reference import SlowSums, exact, to_cents

pytestmark = pytest.mark.long


class SlowTillSums(SlowSums):
    """The definition of what customers have bought at a till, over browsed records."""

    def __init__(self, company, no_goods):
        super().__init__(company)
        self.no_goods = no_goods

    def figures(self):
        days = defaultdict(lambda: defaultdict(lambda: [Decimal(0), Decimal(0)]))
        for partner, day, amount in self._documents():
            if partner:
                total = days[partner.commercial_partner_id.id][day]
                total[0] += amount
                total[1] += amount
        return {partner: self._sum_up(rows) for partner, rows in days.items()}

    def _documents(self):
        orders = self.env["pos.order"].search(
            [("company_id", "=", self.company.id), ("state", "in", ("paid", "done", "invoiced"))]
        )
        for line in orders.lines:
            if line.product_id in self.no_goods:
                continue
            sale = (line.refunded_orderline_id or line).order_id
            sign = 1 if line.qty * line.price_unit > 0 else -1
            amount = sign * abs(exact(line.price_subtotal)) / exact(sale.currency_rate)
            yield sale.partner_id, sale.date_order.date(), to_cents(amount)
        notes = self.env["account.move"].search(
            [("company_id", "=", self.company.id), ("move_type", "=", "out_refund"),
             ("state", "=", "posted"), ("reversed_entry_id.pos_order_ids", "!=", False),
             ("pos_order_ids", "=", False)]
        )
        for item in notes.invoice_line_ids:
            invoice = item.move_id.reversed_entry_id
            if item.display_type == "product" and item.product_id not in self.no_goods:
                yield invoice.partner_id, invoice.invoice_date, -to_cents(exact(item.balance))


class TestTillReference(TillCase):
    def test_random_sales_and_returns_agree_to_the_cent(self):
        rng = random.Random(11)
        self.shop.tip_product_id = self.tip
        people = [self.new_customer(f"Walk-in {number}") for number in range(6)]
        firm = self.new_customer("Firm", is_company=True)
        people += [firm, self.new_customer("Clerk", parent_id=firm.id), None]
        # pieces of each line that are still with the customer
        left = {}
        for _each in range(45):
            if left and rng.random() < 0.4:
                line = rng.choice(list(left))
                pieces = rng.randint(1, left[line])
                left[line] -= pieces
                if not left[line]:
                    del left[line]
                sold = line.order_id
                self.give_back(
                    sold, pieces, line=list(sold.lines).index(line),
                    partner=rng.choice((sold.partner_id or None, rng.choice(people), None)),
                    days_ago=rng.randint(0, 3),
                )
                continue
            self._sell_at_random(rng, rng.choice(people), left)
        self.opened = self.open_till(self.shop)
        no_goods = (
            self.tip | self.gift_product | self.wallet_product | self.deposit
            | (self.gift_reward | self.wallet_reward).discount_line_product_id
        )
        expected = SlowTillSums(self.company, no_goods).figures()
        self.assertGreater(len(expected), 5)
        partners = self.env["res.partner"].browse(expected)
        for basis in ("orders", "invoices"):
            self.company.lifecycle_basis = basis
            for collected in (self.collected(), self.collected(partners=partners)):
                with self.subTest(basis=basis):
                    found = {
                        partner: {
                            name: to_cents(exact(value)) if isinstance(value, float) else value
                            for name, value in sums.items()
                        }
                        for partner, sums in collected.items()
                    }
                    self.assertEqual(found, expected)

    def _sell_at_random(self, rng, partner, left):
        lines = [
            {"qty": rng.randint(1, 4), "price_unit": round(rng.uniform(1, 60), 2),
             "tax_ids": rng.choice(([], self.tax.ids))}
            for _line in range(rng.randint(1, 3))
        ]
        goods = len(lines)
        if rng.random() < 0.3:
            lines.append({"qty": 1, "price_unit": -round(rng.uniform(0.1, 0.9), 2)})
        if rng.random() < 0.3:
            lines.append({"product_id": self.gift_product.id, "price_unit": 25})
        if rng.random() < 0.2:
            lines.append({"product_id": self.tip.id, "price_unit": 1.5})
        if rng.random() < 0.3:
            lines.append(self.paid_with(self.gift_reward, 5))
        invoiced = bool(partner) and rng.random() < 0.3
        sold = self.sell(*lines, partner=partner, invoice=invoiced, days_ago=rng.randint(4, 40))
        if invoiced and rng.random() < 0.5:
            # in the back office; what was credited does not come back at the till as well
            self.credit(sold.account_move, days_ago=1, quantities={0: 1})
            return
        left.update({line: int(line.qty) for line in sold.lines[:goods]})
