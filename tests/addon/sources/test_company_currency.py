"""A company's currency changes only while no amount is kept in it: never is one relabelled."""

from odoo.exceptions import UserError

from ..common import LifecycleCase


class TestCompanyCurrency(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        currencies = cls.env["res.currency"].with_context(active_test=False)
        cls.dollar = currencies.search([("name", "=", "USD")])
        cls.euro = currencies.search([("name", "=", "EUR")])
        (cls.dollar | cls.euro).active = True
        (cls.dollar | cls.euro).rate_ids.unlink()
        cls.company = cls.new_company("Moving Works", currency_id=cls.dollar.id)
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": cls.company.ids}
        )
        cls.company = cls.company.with_env(cls.env)
        cls.customer = cls.new_customer("Moving customer")

    def assertRefused(self, words):
        with self.assertRaisesRegex(UserError, words), self.env.cr.savepoint():
            self.company.currency_id = self.euro
        self.company.invalidate_recordset()
        self.assertEqual(self.company.currency_id, self.dollar)

    def test_imported_history_keeps_the_currency(self):
        purchase = self.new_purchase(self.customer, 100, company=self.company)
        self.assertRefused(r"Moving Works has amounts in USD \(imported purchases: 1\)")
        self.assertEqual(purchase.amount_company, 100)
        # what is written anew without being changed is no change
        self.company.write({"currency_id": self.dollar.id, "name": "Moved Works"})
        purchase.unlink()
        self.company.currency_id = self.euro
        self.assertEqual(self.new_purchase(self.customer, 5, company=self.company).currency_id,
                         self.euro)

    def test_money_spent_keeps_the_currency(self):
        self.env["lifecycle.spending"].create(
            {"name": "Fair", "amount": 50, "company_id": self.company.id}
        )
        self.assertRefused("entries of money spent: 1")

    def test_figures_keep_the_currency_until_their_documents_are_gone(self):
        order = self.new_order(self.customer, 100, company=self.company)
        self.env["lifecycle.pipeline"]._refresh(self.company, self.customer.ids)
        self.env.invalidate_all()
        self.assertRefused("customers with figures: 1")
        order._action_cancel()
        self.env["lifecycle.pipeline"]._refresh(self.company, self.customer.ids)
        self.env.invalidate_all()
        self.company.currency_id = self.euro

    def test_budget_entered_by_hand_keeps_the_currency(self):
        order = self.new_order(self.customer, 100, company=self.company)
        self.env["lifecycle.pipeline"]._refresh(self.company, self.customer.ids)
        self.env.invalidate_all()
        self.profile(self.customer, self.company).potential = 2000
        order._action_cancel()
        self.env["lifecycle.pipeline"]._refresh(self.company, self.customer.ids)
        self.env.invalidate_all()
        self.assertRefused("customers with figures: 1")

    def test_order_that_nobody_has_counted_yet_is_converted(self):
        self.env["res.currency.rate"].create(
            {"currency_id": self.dollar.id, "company_id": self.company.id, "rate": 1.25,
             "name": "2020-01-01"}
        )
        self.env["res.currency.rate"].create(
            {"currency_id": self.euro.id, "company_id": self.company.id, "rate": 1,
             "name": "2020-01-01"}
        )
        order = self.new_order(self.customer, 100, company=self.company)
        self.assertEqual(order.currency_id, self.dollar)
        self.company.currency_id = self.euro
        self.env["lifecycle.pipeline"]._refresh(self.company, self.customer.ids)
        self.env.invalidate_all()
        profile = self.profile(self.customer, self.company)
        self.assertEqual((profile.revenue, profile.currency_id), (80, self.euro))

    def test_a_chart_of_accounts_does_not_relabel_either(self):
        self.new_purchase(self.customer, 100, company=self.company)
        with self.assertRaisesRegex(UserError, "imported purchases: 1"):
            self.company.sudo().write({"currency_id": self.euro.id})
