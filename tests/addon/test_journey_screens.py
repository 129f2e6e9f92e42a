"""The journey on screen: tours, and what the forms cost that lead to it."""

from odoo import Command
from odoo.tests import new_test_user

from .common import LifecycleHttpCase
from .common_money import MoneyCase

SALESMAN = "sales_team.group_sale_salesman"


class TestJourneyTours(LifecycleHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        company = cls.env.company
        if not company.chart_template:
            cls.env["account.chart.template"].try_loading("generic_coa", company=company)
        cls.partner = cls.env["res.partner"].create({"name": "Journey Tour", "is_company": True})
        product = cls.env["product.product"].create(
            {"name": "Beans", "type": "service", "invoice_policy": "order", "taxes_id": False}
        )
        cls.order = cls.env["sale.order"].create(
            {
                "partner_id": cls.partner.id,
                "order_line": [
                    Command.create({"product_id": product.id, "price_unit": 120, "tax_ids": False})
                ],
            }
        )
        cls.order.action_confirm()
        cls.order._create_invoices().action_post()
        cls.user = new_test_user(
            cls.env,
            "journey_tour",
            f"{SALESMAN}_all_leads,base.group_partner_manager,account.group_account_invoice",
            lang="en_US",
            tz="Europe/Berlin",
        )

    def test_from_the_contact_to_an_invoice_and_back(self):
        self.start_tour(
            f"/odoo/res.partner/{self.partner.id}",
            "lifecycle_journey",
            login="journey_tour",
            timeout=120,
        )

    def test_from_an_order_to_the_journey(self):
        self.start_tour(
            f"/odoo/sale.order/{self.order.id}",
            "lifecycle_journey_of_order",
            login="journey_tour",
            timeout=120,
        )


class TestFormsStayCheap(MoneyCase):
    def test_no_view_reads_a_journey_before_it_is_asked_for(self):
        """The forms contain a widget and a button, no field that would have to be computed."""
        user = self.new_user("journey_form", SALESMAN, self.company)
        for model, page in (("res.partner", True), ("crm.lead", False), ("sale.order", False)):
            view = self.env[model].with_user(user).get_view(view_type="form")
            self.assertNotIn("journey_ids", view["arch"])
            if page:
                self.assertIn('<widget name="lifecycle_journey"', view["arch"])
            else:
                self.assertIn("lifecycle_partner_id", view["arch"])
