"""Which products were bought: quantities, net amounts, and what came back."""

from odoo import Command
from odoo.fields import Domain

from ..common_money import MoneyCase


class TestPurchaseItems(MoneyCase):
    """Products on orders and invoices; what they bring adds up to what the document is worth."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.machine, cls.beans, cls.filters = (
            cls.env["product.product"].create(
                {"name": name, "type": "consu", "taxes_id": False, "invoice_policy": "order"}
            )
            for name in ("Machine", "Beans", "Filters")
        )

    def line(self, product, quantity, price, **values):
        return {
            "product_id": product.id,
            "product_uom_qty": quantity,
            "price_unit": price,
            **values,
        }

    def bought(self, partner=None, company=None):
        """Dict product → (quantity, amount) of a customer."""
        company = company or self.company
        self.collected(company)
        rows = self.env["lifecycle.purchase.item"]._read_group(
            [
                ("company_id", "=", company.id),
                ("partner_id", "=", (partner or self.customer).id),
            ],
            ["product_id"],
            ["quantity:sum", "amount:sum"],
        )
        return {
            product.name: (round(quantity, 3), round(amount, 2))
            for product, quantity, amount in rows
        }

    def test_lines_of_an_order(self):
        self.order(self.line(self.machine, 1, 100), self.line(self.beans, 3, 10))
        self.order(self.line(self.beans, 2, 10), days_ago=5)
        self.assertEqual(self.bought(), {"Machine": (1, 100), "Beans": (5, 50)})

    def test_few_and_all_give_the_same(self):
        order = self.order(self.line(self.machine, 1, 100), self.line(self.beans, 3, 9.99))
        self.credit(self.invoice(order), quantities={0: 0, 1: 1})
        self.order(self.line(self.beans, 1, 0.01), self.line(self.filters, 7, 0.03))
        of_all = self.bought()
        self.keep_purchases(self.company, self.today, self.customer)
        rows = self.env["lifecycle.purchase.item"].search(
            [("partner_id", "=", self.customer.id)]
        )
        self.assertAlmostEqual(sum(rows.mapped("amount")), 120.2)
        self.assertEqual(self.bought(), of_all)

    def test_what_came_back_was_not_bought(self):
        order = self.order(self.line(self.machine, 1, 100), self.line(self.beans, 3, 10))
        self.credit(self.invoice(order), quantities={1: 0})
        self.assertEqual(self.bought(), {"Beans": (3, 30)})

    def test_a_part_that_came_back(self):
        order = self.order(self.line(self.machine, 1, 100), self.line(self.beans, 4, 10))
        self.credit(self.invoice(order), quantities={0: 0, 1: 1})
        self.assertEqual(self.bought(), {"Machine": (1, 100), "Beans": (3, 30)})

    def test_a_discount_is_spread_over_the_products(self):
        program = self.env["loyalty.program"].create(
            {
                "name": "Ten percent",
                "program_type": "promotion",
                "trigger": "auto",
                "applies_on": "current",
                "company_id": self.company.id,
                "rule_ids": [Command.create({"minimum_amount": 1})],
                "reward_ids": [
                    Command.create(
                        {
                            "reward_type": "discount",
                            "discount": 10,
                            "discount_mode": "percent",
                            "discount_applicability": "order",
                        }
                    )
                ],
            }
        )
        order = self.env["sale.order"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "order_line": [
                    Command.create(self._line_values(self.line(self.machine, 1, 100))),
                    Command.create(self._line_values(self.line(self.beans, 3, 10))),
                ],
            }
        )
        order._update_programs_and_rewards()
        order._apply_program_reward(
            program.reward_ids, order._get_claimable_rewards().popitem()[0]
        ) if order._get_claimable_rewards() else None
        order.action_confirm()
        self.assertEqual(order.amount_untaxed, 117)
        self.assertEqual(self.bought(), {"Machine": (1, 90), "Beans": (3, 27)})

    def test_dozens_and_pieces_are_one_product(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        self.order(self.line(self.beans, 2, 120, product_uom_id=dozen.id))
        self.order(self.line(self.beans, 3, 10), days_ago=4)
        self.assertEqual(self.bought(), {"Beans": (27, 270)})

    def test_foreign_currency(self):
        self.set_rates("EUR", {400: 0.5})
        self.order(
            self.line(self.machine, 1, 10.01), self.line(self.beans, 3, 3.33), currency="EUR"
        )
        self.assertEqual(self.bought(), {"Machine": (1, 20.02), "Beans": (3, 19.98)})

    def test_cents_that_do_not_divide(self):
        self.set_rates("EUR", {400: 0.77})
        self.order(
            *(self.line(product, 1, 0.05) for product in (self.machine, self.beans)),
            self.line(self.filters, 1, 0.03),
            currency="EUR",
        )
        amounts = [amount for _quantity, amount in self.bought().values()]
        self.assertAlmostEqual(sum(amounts), 0.17)
        for amount, exact in zip(sorted(amounts), (0.039, 0.065, 0.065), strict=True):
            self.assertAlmostEqual(amount, exact, delta=0.01)

    def test_free_samples_were_bought_for_nothing(self):
        self.order(self.line(self.machine, 1, 100), self.line(self.beans, 1, 0))
        self.assertEqual(self.bought(), {"Machine": (1, 100), "Beans": (1, 0)})

    def test_gift_cards_are_no_product(self):
        program = self.payment_program()
        self.order(self.fill(program), self.line(self.beans, 1, 10))
        self.assertEqual(self.bought(), {"Beans": (1, 10)})

    def test_invoices(self):
        self.company.lifecycle_basis = "invoices"
        order = self.order(self.line(self.machine, 1, 100), self.line(self.beans, 4, 10))
        invoice = self.invoice(order)
        self.assertEqual(self.bought(), {"Machine": (1, 100), "Beans": (4, 40)})
        self.credit(invoice, quantities={0: 0, 1: 1})
        self.assertEqual(self.bought(), {"Machine": (1, 100), "Beans": (3, 30)})

    def test_imported_history(self):
        self.env["lifecycle.external.purchase"].create(
            [
                {
                    "partner_id": self.customer.id,
                    "date": self.day(50),
                    "amount": 60,
                    "company_id": self.company.id,
                    "product_id": self.beans.id,
                    "quantity": 6,
                },
                {
                    "partner_id": self.customer.id,
                    "date": self.day(60),
                    "amount": 25,
                    "company_id": self.company.id,
                },
            ]
        )
        found = self.bought()
        self.assertEqual(found.pop("Beans"), (6, 60))
        self.assertEqual(list(found.values()), [(0, 25)])

    # ----- RULES -----

    def find(self, *conditions):
        """Customers among ours whose profiles a rule finds."""
        self.store()
        found = self.env["lifecycle.profile"].search(
            Domain.AND(conditions) & Domain("company_id", "=", self.company.id)
        )
        return found.partner_id & (self.customer | self.other)

    def test_bought_a_machine_and_no_beans_for_60_days(self):
        self.other = self.new_customer("Other Ltd", is_company=True)
        for partner, days_ago in ((self.customer, 90), (self.other, 20)):
            self.order(self.line(self.machine, 1, 100), days_ago=100, partner=partner)
            self.order(self.line(self.beans, 1, 10), days_ago=days_ago, partner=partner)
        machine = Domain("bought_item_ids", "any", [("product_id", "=", self.machine.id)])
        beans = [("product_id", "=", self.beans.id), ("day", ">=", self.day(60))]
        self.assertEqual(self.find(machine), self.customer | self.other)
        self.assertEqual(
            self.find(machine, Domain("bought_item_ids", "not any", beans)), self.customer
        )
        self.assertEqual(
            self.find(Domain("bought_item_ids", "any", beans)), self.other
        )
        category = self.beans.categ_id.create({"name": "Coffee"})
        self.beans.categ_id = category.create({"name": "Whole beans", "parent_id": category.id})
        below = [("product_id.categ_id", "child_of", category.id), ("amount", ">", 5)]
        self.assertEqual(
            self.find(Domain("bought_item_ids", "any", below)), self.customer | self.other
        )
        lately = [("product_id", "=", self.beans.id), ("days_ago", "<=", 60)]
        self.assertEqual(self.find(Domain("bought_item_ids", "any", lately)), self.other)
        self.assertFalse(self.find(Domain("bought_item_ids", "=", False)))
        profile = self.profile(self.customer)
        self.assertEqual(
            profile.filtered_domain(Domain("bought_item_ids", "any", below)), profile
        )
        self.assertEqual(sum(profile.bought_item_ids.mapped("amount")), 110)

    def test_a_segment_of_what_was_bought(self):
        self.other = self.new_customer("Other Ltd", is_company=True)
        self.order(self.line(self.machine, 1, 100))
        self.order(self.line(self.beans, 1, 10), partner=self.other)
        self.store()
        segment = self.env["lifecycle.segment"].create(
            {
                "name": "Has a machine",
                "company_id": self.company.id,
                "domain": repr(
                    [("bought_item_ids", "any", [("product_id", "=", self.machine.id)])]
                ),
            }
        )
        self.env["lifecycle.classifier"]._classify_all(self.company, self.today)
        self.assertEqual(segment.member_ids.profile_id.partner_id, self.customer)
