"""Money spent on customers: what counts, when, for what and only once."""

from datetime import date
from unittest.mock import patch

from odoo.exceptions import AccessError, ValidationError
from odoo.tools import mute_logger

from ..common_economics import SpendingCase

MANAGER = "sales_team.group_sale_manager"
SALESMAN = "sales_team.group_sale_salesman"


class TestSpendingByHand(SpendingCase):
    def test_money_is_spread_by_day_and_months_add_up_to_the_cent(self):
        self.spend(100, date_from=date(2024, 1, 30), date_to=date(2024, 3, 1))
        # 2, 29 and 1 of 32 days: 6.25, 90.625 and 3.125, cut so that nothing is lost
        self.assertEqual(
            self.lines("date:month"),
            {date(2024, 1, 1): (6.25, 0), date(2024, 2, 1): (90.63, 0),
             date(2024, 3, 1): (3.12, 0)},
        )

    def test_days_to_come_do_not_count_yet(self):
        self.spend(100, date_from=self.day(4), date_to=self.day(-5))
        self.assertEqual(self.lines(), (50, 0))
        self.spend(1000, date_from=self.day(-1), date_to=self.day(-5))
        self.assertEqual(self.lines(), (50, 0))

    def test_both_purposes_share_every_cent(self):
        self.spend(0.05, purpose="both", getting_percent=30, date_from=date(2024, 1, 31),
                   date_to=date(2024, 2, 1))
        getting, keeping = self.lines()
        self.assertEqual((getting, keeping), (0.02, 0.03))
        self.spend(200, purpose="both", getting_percent=25)
        self.spend(40, purpose="keeping")
        self.assertEqual(self.lines(), (50.02, 190.03))

    def test_without_a_last_day_it_is_the_first(self):
        spending = self.spend(10, date_from=self.day(3))
        self.assertEqual(spending.date_to, self.day(3))
        spending.date_from = self.day(1)
        self.assertEqual(spending.date_to, self.day(1))

    def test_last_day_before_the_first_is_refused(self):
        spending = self.spend(10)
        with mute_logger("odoo.sql_db"), self.assertRaises(Exception) as caught:
            spending.date_to = self.day(20)
            spending.flush_recordset()
        self.assertIn("dates_in_order", str(caught.exception))

    def test_foreign_money_is_converted_with_the_rate_of_the_first_day(self):
        self.set_rates("EUR", {100: 0.5, 5: 0.8})
        euro = self.currency("EUR")
        self.assertEqual(self.spend(100, currency_id=euro.id).amount_company, 200)
        self.assertEqual(
            self.spend(100, currency_id=euro.id, date_from=self.day(5)).amount_company, 125
        )
        self.assertEqual(self.lines(), (325, 0))

    def test_currency_without_rate_is_refused(self):
        currency = self.env["res.currency"].create({"name": "XQS", "symbol": "q"})
        self.env["res.currency.rate"].search(
            [("currency_id", "=", self.company.currency_id.id)]
        ).unlink()
        with self.assertRaisesRegex(ValidationError, "no exchange rate between XQS"):
            self.spend(10, currency_id=currency.id)

    def test_form_that_was_emptied_does_not_fail(self):
        emptied = {"company_id": False, "currency_id": False, "amount": 3}
        self.assertEqual(self.env["lifecycle.spending"].new(emptied).amount_company, 3)

    def test_import_takes_the_columns_of_the_template(self):
        fields = ["name", "date_from", "date_to", "amount", "purpose", "source_id"]
        result = self.env["lifecycle.spending"].load(
            fields,
            [
                ["Fair", "2025-03-01", "2025-03-03", "300", "Getting customers", ""],
                ["Ads", "2025-03-01", "", "31", "Getting customers", "Spending ads"],
                ["Gifts", "2025-03-01", "", "60", "Keeping customers", ""],
            ],
        )
        self.assertFalse(result["messages"])
        self.assertEqual(self.lines("source_id"), {
            self.env["utm.source"]: (300, 60), self.ads: (31, 0)
        })
        template = self.env["lifecycle.spending"].get_import_templates()[0]["template"]
        self.assertTrue(template.startswith("/customer_lifecycle/static/xls/"))


class TestRewards(SpendingCase):
    def rewarded(self, partner, amount, days_ago, program):
        """A confirmed order with a tenth off by a programme."""
        order = self.order(amount, partner=partner, days_ago=days_ago)
        self.env["sale.order.line"].create(
            {"order_id": order.id, "name": "Reward", "product_id": self.product.id,
             "product_uom_qty": 1, "price_unit": -amount / 10, "tax_ids": False,
             "reward_id": program.reward_ids.id}
        )
        return order

    def test_first_order_gets_later_ones_keep(self):
        plain = self.loyalty("Plain", "promotion", applies_on="current", trigger="auto")
        self.rewarded(self.customer, 100, 30, plain)
        self.rewarded(self.customer, 500, 10, plain)
        # before the first computation the first order is not known: nobody has been kept yet
        self.assertEqual(self.lines(), (60, 0))
        self.store()
        self.assertEqual(self.lines("kind"), {"reward": (10, 50)})

    def test_coupon_for_a_friend_is_for_getting_the_friend(self):
        self.program.advocate_program_id = self.coupons
        friend = self.friend(days_ago=40)
        self.order(100, partner=self.ann, days_ago=90)
        self.paid_order(friend, days_ago=30)
        self.store()
        self.profile(friend, self.company).first_source_id = self.ads
        self.rewarded(self.ann, 300, 5, self.coupons)
        self.assertEqual(self.lines("kind"), {"reward": (0, 30)})
        self.referral(friend).write(
            {"state": "rewarded", "date_rewarded": self.day(12)}
        )
        self.assertEqual(self.lines("kind"), {"referral": (30, 0)})
        self.assertEqual(self.lines("source_id"), {self.ads: (30, 0)})

    def test_money_on_an_ewallet_for_a_friend_counts_when_given(self):
        self.program.advocate_program_id = self.loyalty(
            "Wallet", "ewallet", applies_on="future", trigger="auto"
        )
        friend = self.friend(days_ago=40)
        self.assertEqual(self.lines(), (False, False))
        self.referral(friend).write(
            {"state": "rewarded", "date_rewarded": self.day(12), "points": 50}
        )
        self.assertEqual(self.lines("kind"), {"referral": (50, 0)})

    def test_points_of_the_common_card_stay_what_they_are(self):
        friend = self.friend(days_ago=40)
        self.order(100, partner=self.ann, days_ago=90)
        self.store()
        self.referral(friend).write(
            {"state": "rewarded", "date_rewarded": self.day(12), "points": 50}
        )
        self.rewarded(self.ann, 300, 5, self.points)
        self.assertEqual(self.lines("kind"), {"reward": (0, 30)})


class TestSpendingAccess(SpendingCase):
    def test_managers_only(self):
        self.spend(10)
        for login, group in (("sp_sales", SALESMAN), ("sp_user", "base.group_user"),
                             ("sp_portal", "base.group_portal")):
            user = self.new_user(login, group, self.company)
            for name in ("lifecycle.spending", "lifecycle.spending.source",
                         "lifecycle.spending.line", "lifecycle.economics"):
                with self.subTest(user=login, model=name), self.assertRaises(AccessError):
                    self.env[name].with_user(user).search([])
        manager = self.new_user("sp_manager", MANAGER, self.company)
        self.assertTrue(self.env["lifecycle.spending.line"].with_user(manager).search([]))
        self.assertTrue(self.env["lifecycle.spending"].with_user(manager).search([]))

    def test_other_companies_see_nothing(self):
        self.spend(10)
        other = self.new_company("Elsewhere", lifecycle_tz="UTC")
        manager = self.new_user("sp_elsewhere", MANAGER, other)
        for name in ("lifecycle.spending", "lifecycle.spending.line", "lifecycle.economics"):
            model = self.env[name].with_user(manager).with_context(allowed_company_ids=other.ids)
            self.assertFalse(model.search([]), name)
        self.assertEqual(self.lines(company=other), (False, False))

    def test_manager_without_accounting_may_open_everything(self):
        manager = self.new_user("sp_form", MANAGER, self.company)
        spending = self.spend(10)
        form = self.env["lifecycle.spending"].with_user(manager).get_view(view_type="form")
        self.assertNotIn("bill_id", form["arch"])
        self.assertEqual(spending.with_user(manager).read(["name"])[0]["name"], "Test")
        self.assertEqual(spending.with_user(manager).copy().amount, 10)
        source = self.env.ref("customer_lifecycle.spending_source_bill_getting")
        self.assertTrue(source.with_user(manager).read())

    def test_name_of_a_document_one_may_not_read_is_not_shown(self):
        self.spend(10)
        self.env.flush_all()
        line = self.env["lifecycle.spending.line"].search([], limit=1)
        self.assertEqual(line.document_name, "Test")
        manager = self.new_user("sp_names", MANAGER, self.company)
        line = line.with_user(manager)
        line.invalidate_recordset()
        with patch.object(
            self.env.registry["lifecycle.spending"], "has_access", lambda self, operation: False
        ):
            self.assertEqual(line.document_name, "A document that you may not open")
