"""The journey on screen: tours, and what the forms cost that lead to it."""

from datetime import timedelta

from lxml import etree

from odoo import Command
from odoo.tests import new_test_user

from ..common import LifecycleHttpCase
from ..common_money import MoneyCase

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
    """What the addon adds to forms that people open all day."""

    def test_forms_open_with_few_more_queries(self):
        user = self.new_user(
            "journey_form", "sales_team.group_sale_salesman_all_leads", self.company
        )
        partner = self.new_customer("Form", email="form@example.com", is_company=True)
        order = self.new_order(partner, 100, company=self.company)
        quotation = self.new_order(partner, 10, company=self.company, confirm=False)
        lead = self.env["crm.lead"].create(
            {"name": "Form", "partner_id": partner.id, "company_id": self.company.id}
        )
        self.env["lifecycle.pipeline"]._refresh(self.company, partner.ids)
        self.env["lifecycle.classifier"]._classify(
            self.company, self.company._lifecycle_today(), cause="initial"
        )
        tiers = self.env["lifecycle.vip.tier"].create(
            [
                {"name": name, "rank": rank, "entry": entry, "company_id": self.company.id}
                for rank, (name, entry) in enumerate([("Silver", 50), ("Gold", 5000)])
            ]
        )
        # as a company has it that nobody has set up, with what is read for its time zone
        self.company.lifecycle_tz = False
        self.company.lifecycle_tiers_date = self.company._lifecycle_today()
        product = self.env["product.product"].create({"name": "Usual", "sale_ok": True})
        self.env["lifecycle.usual.product"].create(
            {
                "profile_id": self.profile(partner, self.company).id,
                "product_id": product.id,
                "day_count": 4,
                "gap": 10,
                "last_date": self.company._lifecycle_today() - timedelta(20),
                "missing_from": self.company._lifecycle_today() - timedelta(5),
                "missing_until": self.company._lifecycle_today() + timedelta(5),
            }
        )
        self.assertIn("Usual", quotation.lifecycle_usual_items)
        for tier in (self.env["lifecycle.vip.tier"], tiers[0]):
            self.profile(partner, self.company).sudo().write(
                {"vip_tier_id": tier.id, "vip_since": self.company._lifecycle_today()}
            )
            for record in (partner, lead, order, quotation):
                with self.subTest(model=record._name, state=record.id, tier=tier.name):
                    self.assertLessEqual(self.more_queries(record.with_user(user)), 6)

    def more_queries(self, record):
        """Number of queries that the addon's fields add to a form."""
        # as the web client asks
        record = record.with_context(allowed_company_ids=self.company.ids, lang="en_US")
        nodes = etree.fromstring(record.get_view(view_type="form")["arch"]).xpath(
            "//field[not(ancestor::field)]"
        )
        # in the order of the view, each once; the client asks for no name of what it hides
        names = {}
        for node in nodes:
            if node.get("name") in record._fields:
                hidden = node.get("invisible") in ("1", "True") or node.get("column_invisible")
                names[node.get("name")] = names.get(node.get("name"), False) or not hidden
        without = {
            name: shown
            for name, shown in names.items()
            if not name.startswith(("lifecycle_", "clv_", "vip_", "is_vip"))
        }
        self.assertLess(len(without), len(names))
        # once, so that what is cached for good counts for neither
        self.queries(record, names)
        return self.queries(record, names) - self.queries(record, without)

    def queries(self, record, names):
        """Number of queries that reading some fields for a form takes."""
        self.env.flush_all()
        self.env.invalidate_all()
        specification = {
            name: {"fields": {"display_name": {}} if shown else {}}
            if record._fields[name].type == "many2one"
            else {}
            for name, shown in names.items()
        }
        before = self.env.cr.sql_log_count
        record.web_read(specification)
        return self.env.cr.sql_log_count - before

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

    def test_cards_of_opportunities_and_orders_say_who_the_customer_is(self):
        user = self.new_user("card_reader", SALESMAN, self.company)
        for model in ("crm.lead", "sale.order"):
            view = self.env[model].with_user(user).get_view(view_type="kanban")
            card = etree.fromstring(view["arch"]).find(".//t[@t-name='card']")
            for name in ("lifecycle_stage_id", "vip_tier_id"):
                self.assertEqual(len(card.findall(f".//field[@name='{name}']")), 1, name)
