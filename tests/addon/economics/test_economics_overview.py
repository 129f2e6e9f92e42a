"""The report in plain words."""

from unittest.mock import patch

from odoo.tests import new_test_user

from ..common import LifecycleHttpCase
from ..common_economics import EconomicsCase
from .test_economics import LARGE


class TestOverview(EconomicsCase):
    def overview(self, domain=(), **context):
        self.env.flush_all()
        return self.env["lifecycle.economics"].with_context(**context).get_overview(list(domain))

    def values(self, side):
        return {figure["name"]: figure["value"] for figure in side["figures"]}

    def test_empty_company_says_what_to_do(self):
        company = self.new_company("Nobody yet", lifecycle_tz="UTC")
        model = self.env["lifecycle.economics"].with_company(company)
        self.assertFalse(model.search([]))
        found = model.get_overview([])
        self.assertIn("not known yet", found["headline"])
        for side in ("getting", "keeping"):
            self.assertFalse(found[side]["known"])
            self.assertIn("Enter what you spent", found[side]["text"])
        values = self.values(found["getting"])
        self.assertEqual(values["new_customers"], "0")
        for name in ("getting", "cost_per_new", "value_per_money", "payback_months"):
            self.assertIsNone(values[name])

    def test_headline_compares_getting_with_keeping(self):
        self.write_down()
        total = self.report()[None]
        months = total["cost_per_new"] / total["cost_per_active"]
        self.assertGreater(months, 10)
        self.assertIn(f"for {months:.0f} months", self.overview()["headline"])
        self.spent = []
        self.env["lifecycle.spending"].search([("purpose", "=", "keeping")]).unlink()
        self.assertIn("What keeping customers costs is not known", self.overview()["headline"])

    def test_figures_are_those_of_the_report(self):
        self.write_down()
        found = self.overview()
        money = self.env["lifecycle.economics"]._money
        getting = self.values(found["getting"])
        self.assertEqual(getting["new_customers"], "4")
        self.assertEqual(getting["getting"], money(1185))
        self.assertEqual(getting["value"], money(1060))
        self.assertEqual(getting["payback_months"], "Not yet")
        self.assertIn(money(85), found["getting"]["text"])
        keeping = self.values(found["keeping"])
        # eight times somebody ordered in one of seven months
        self.assertEqual(keeping["active_customers"], "1")
        self.assertEqual(keeping["keeping"], money(56))
        self.assertEqual(keeping["lost_customers"], "0")
        shared = self.overview(lifecycle_share_out=True)
        self.assertIn(money(25), shared["getting"]["text"])


class TestEconomicsTour(LifecycleHttpCase):
    def setUp(self):
        super().setUp()
        company = self.company = self.env.company
        partner = self.env["res.partner"].create({"name": "Tour customer"})
        self.env["lifecycle.external.purchase"].create(
            {"partner_id": partner.id, "date": company._lifecycle_today(), "amount": 200,
             "company_id": company.id}
        )
        self.env["lifecycle.pipeline"]._refresh(company, partner.ids)
        new_test_user(
            self.env, "economics_tour", "sales_team.group_sale_manager", lang="en_US",
            company_id=company.id, company_ids=company.ids,
        )

    def test_overview_and_pivot_follow_the_filters(self):
        self.start_tour("/odoo/getting-and-keeping", "lifecycle_economics",
                        login="economics_tour")
        spending = self.env["lifecycle.spending"].search([("name", "=", "Tour advert")])
        self.assertEqual((spending.amount, spending.purpose), (50, "getting"))

    def test_table_shows_what_was_counted_again(self):
        self.env["lifecycle.spending"].create({"name": "Much", "amount": 600})
        with patch(LARGE, 0):
            self.start_tour("/odoo/getting-and-keeping", "lifecycle_economics_count_again",
                            login="economics_tour")
