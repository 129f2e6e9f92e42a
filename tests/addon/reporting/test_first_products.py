"""Which first products make stayers: counted from purchases, told apart where data suffice."""

import random
from datetime import timedelta

from odoo import Command
from odoo.exceptions import AccessError

from ..common import LifecycleCase


class TestFirstProducts(LifecycleCase):
    """Who begins with a machine comes back, who begins with a bargain does not."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("First Ltd", lifecycle_tz="UTC")
        cls.env.user.company_id = cls.company
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": cls.company.ids})
        cls.today = cls.company._lifecycle_today()
        chance = random.Random(5)
        cls.products = {}
        for name in ("Machine", "Bargain", "Beans", "Rare"):
            category = cls.env["product.category"].create({"name": f"{name}s"})
            cls.products[name] = cls.env["product.product"].create(
                {"name": name, "type": "consu", "categ_id": category.id, "taxes_id": False}
            )
        cls.beginners = {"Machine": 120, "Bargain": 120, "Beans": 120, "Rare": 4}
        stays = {"Machine": 0.8, "Bargain": 0.1, "Beans": 0.45, "Rare": 1.0}
        rows = []
        cls.back = dict.fromkeys(stays, 0)
        for name, number in cls.beginners.items():
            customers = cls.env["res.partner"].create(
                [{"name": f"{name} {index}"} for index in range(number)]
            )
            for customer in customers:
                days_ago = chance.randint(380, 500)
                rows.append((customer, name, days_ago, 100))
                # a little thing on the same day decides nothing
                rows.append((customer, "Beans", days_ago, 5))
                if chance.random() < stays[name]:
                    cls.back[name] += 1
                    rows.append((customer, "Beans", days_ago - chance.randint(1, 365), 20))
                # too late to count
                rows.append((customer, "Beans", max(1, days_ago - 370), 999))
        cls.env["lifecycle.external.purchase"].create(
            [
                {
                    "partner_id": customer.id,
                    "product_id": cls.products[name].id,
                    "quantity": 1,
                    "date": cls.today - timedelta(days_ago),
                    "amount": amount,
                    "company_id": cls.company.id,
                }
                for customer, name, days_ago, amount in rows
            ]
        )
        # too new to tell
        late = cls.new_customer("Late")
        cls.new_purchase(late, 50, 100, cls.company, product_id=cls.products["Machine"].id)

    def rows(self, kind="product"):
        return {
            row.display_name: row
            for row in self.env["lifecycle.first.product"].search(
                [("company_id", "=", self.company.id), ("kind", "=", kind)]
            )
        }

    def test_what_became_of_whom(self):
        self.env.flush_all()
        self.run_nightly()
        rows = self.rows()
        # four customers are too few for a row
        self.assertEqual(set(rows), {"Machine", "Bargain", "Beans"})
        for name, row in rows.items():
            self.assertEqual(row.customer_count, self.beginners[name])
            self.assertAlmostEqual(row.repeat_rate, self.back[name] / row.customer_count, 6)
            self.assertAlmostEqual(
                row.value_year, 105 + 20 * self.back[name] / row.customer_count, 2
            )
            self.assertLessEqual(row.repeat_low, row.repeat_equal)
            self.assertLessEqual(row.repeat_equal, row.repeat_high)
        self.assertEqual(
            {name: row.repeat_verdict for name, row in rows.items()},
            {"Machine": "more", "Bargain": "less", "Beans": "same"},
        )
        self.assertEqual(rows["Machine"].value_verdict, "more")
        self.assertIn("%", rows["Machine"].repeat_range)
        for row in (rows["Machine"], self.rows("category")["Machines"]):
            domain = row.action_view_customers()["domain"]
            # with the one who is too new to tell
            self.assertEqual(self.env["lifecycle.profile"].search_count(domain), 121)
        # categories alike
        self.assertEqual(
            {name: row.repeat_verdict for name, row in self.rows("category").items()},
            {"Machines": "more", "Bargains": "less", "Beanss": "same"},
        )

    def test_once_a_week_with_the_same_result(self):
        self.env.flush_all()
        self.run_nightly()
        statistics = self.env["lifecycle.first.product"]
        before = {name: row.repeat_equal for name, row in self.rows().items()}
        self.assertFalse(statistics._is_due(self.company, self.today + timedelta(6)))
        self.assertTrue(statistics._is_due(self.company, self.today + timedelta(7)))
        statistics._update(self.company, self.today)
        self.assertEqual(before, {name: row.repeat_equal for name, row in self.rows().items()})

    def test_few_customers_say_nothing(self):
        small = self.new_company("First and small", lifecycle_tz="UTC")
        customer = self.new_customer("Only one")
        self.new_purchase(customer, 50, 400, small, product_id=self.products["Machine"].id)
        self.env.flush_all()
        self.run_nightly()
        self.assertFalse(
            self.env["lifecycle.first.product"].search([("company_id", "=", small.id)])
        )

    def test_for_who_sees_all_customers(self):
        rows = self.env["lifecycle.first.product"]
        everything = self.new_user(
            "first_all", "sales_team.group_sale_salesman_all_leads", self.company
        )
        own = self.new_user("first_own", "sales_team.group_sale_salesman", self.company)
        rows.with_user(everything).search([])
        with self.assertRaises(AccessError):
            rows.with_user(own).search([])

    def test_an_order_of_the_shop_counts_too(self):
        order = self.env["sale.order"].create(
            {
                "partner_id": self.new_customer("By order").id,
                "order_line": [
                    Command.create(
                        {"product_id": self.products["Machine"].id, "product_uom_qty": 1}
                    )
                ],
            }
        )
        order.order_line.price_unit = 100
        order.action_confirm()
        order.date_order -= timedelta(450)
        self.env.flush_all()
        self.run_nightly()
        self.assertEqual(
            self.rows()["Machine"].customer_count, self.beginners["Machine"] + 1
        )
