from datetime import timedelta

from odoo import Command, fields

from ..common import LifecycleCase, LifecycleHttpCase

SALESMAN = "sales_team.group_sale_salesman"
MANAGER = "sales_team.group_sale_manager"


class TestStageTours(LifecycleHttpCase):
    new_user = classmethod(LifecycleCase.new_user.__func__)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company
        cls.sales = cls.new_user(
            "tour_sales", f"{SALESMAN},base.group_partner_manager", lang="en_US"
        )
        cls.small, cls.large = cls.env["res.partner"].create(
            [
                {"name": name, "email": f"{name[0]}@example.com", "user_id": cls.sales.id}
                for name in ("Small Tour", "Large Tour")
            ]
        )
        today = cls.company._lifecycle_today()
        cls.env["lifecycle.external.purchase"].create(
            [
                {
                    "partner_id": partner.id,
                    "date": today - timedelta(100 + 20 * number),
                    "amount": amount,
                    "company_id": cls.company.id,
                }
                for partner, amount in ((cls.small, 50), (cls.large, 900))
                for number in range(5)
            ]
        )
        cls.compute(cls.small | cls.large)

    @classmethod
    def compute(cls, partners):
        today = cls.company._lifecycle_today()
        cls.env["lifecycle.pipeline"]._refresh(cls.company, partners.ids)
        cls.env["lifecycle.classifier"]._classify_all(
            cls.company, today, cause="initial", partner_ids=partners.ids
        )
        cls.env.invalidate_all()

    def test_monday(self):
        self.start_tour("/odoo/customers-to-contact", "lifecycle_monday", login="tour_sales")
        outcomes = self.env["lifecycle.contact.outcome"].search(
            [("partner_id", "in", (self.small | self.large).ids)], order="id"
        )
        self.assertEqual(outcomes.mapped("kind"), ["reached", "snooze"])
        self.assertEqual(outcomes[0].note, "Wants a new price list")
        self.assertEqual(outcomes.user_id, self.sales)

    def test_stage_by_hand(self):
        self.start_tour(
            f"/odoo/res.partner/{self.large.id}", "lifecycle_stage_by_hand", login="tour_sales"
        )
        profile = self.env["lifecycle.profile"].search([("partner_id", "=", self.large.id)])
        self.assertEqual(profile.stage_id.name, "Loyal")
        self.assertEqual(profile.transition_ids.filtered("user_id").user_id, self.sales)
        self.assertEqual(profile.stage_reason, "Has a contract")
        self.assertEqual(
            profile.stage_hold_until, self.company._lifecycle_today() + timedelta(365)
        )

    def test_a_column_of_stages_tells_number_and_value(self):
        # nobody but the tour's two
        self.env["lifecycle.profile"].search(
            [("partner_id", "not in", (self.small | self.large).ids)]
        ).active = False
        self.start_tour("/odoo/customers-by-stage", "lifecycle_stage_columns", login="tour_sales")
        profile = self.env["lifecycle.profile"].search([("partner_id", "=", self.large.id)])
        self.assertTrue(profile.stage_manual)
        self.assertEqual(profile.stage_reason, "Gave up the shop")

    def test_rule_is_proposed_previewed_and_applied(self):
        self.new_user("tour_manager", MANAGER, lang="en_US")
        stage = self.env.ref("customer_lifecycle.stage_at_risk")
        self.env["lifecycle.profile"].search([("stage_id", "=", stage.id)]).stage_date = (
            self.company._lifecycle_today() - timedelta(30)
        )
        active = self.env.ref("customer_lifecycle.stage_active")
        # who is at risk for long has to go somewhere
        active.domain = "[('order_count', '>', 0)]"
        # and does not come back at once, which the preview would know
        stage.write(
            {"domain": "[('lateness', '>', 900)]", "keep_domain": "[('order_count', '>', 0)]"}
        )
        self.start_tour(
            f"/odoo/lifecycle-stages/{stage.id}", "lifecycle_rule_preview", login="tour_manager"
        )
        stage.invalidate_recordset()
        self.assertEqual(stage.max_days, 3)
        self.assertFalse(stage.has_proposal)

    def test_quotation_of_a_vip(self):
        self.env["res.config.settings"].create({"group_product_pricelist": True}).execute()
        cups = self.env["product.product"].create(
            {"name": "Tour cups", "type": "service", "list_price": 10, "taxes_id": False}
        )
        tier = self.env["lifecycle.vip.tier"].create(
            {"name": "Gold", "rank": 2, "entry": 1000, "company_id": self.company.id}
        )
        pricelist = self.env["product.pricelist"].create(
            {
                "name": "Gold prices",
                "sequence": 99,
                "item_ids": [
                    Command.create(
                        {
                            "applied_on": "3_global",
                            "compute_price": "percentage",
                            "percent_price": 10,
                        }
                    )
                ],
            }
        )
        self.large.specific_property_product_pricelist = pricelist
        now = fields.Datetime.now()
        for days in (90, 60, 30):
            order = self.env["sale.order"].create(
                {
                    "partner_id": self.large.id,
                    "order_line": [Command.create({"product_id": cups.id})],
                }
            )
            order.action_confirm()
            order.date_order = now - timedelta(days)
        self.compute(self.large)
        profile = self.env["lifecycle.profile"].search([("partner_id", "=", self.large.id)])
        profile.write({"vip_tier_id": tier.id, "vip_since": self.company._lifecycle_today()})
        quotation = self.env["sale.order"].create(
            {"partner_id": self.large.id, "user_id": self.sales.id}
        )
        self.start_tour(
            f"/odoo/sale.order/{quotation.id}", "lifecycle_vip_quotation", login="tour_sales"
        )
        self.assertEqual(quotation.order_line.product_id, cups)
        self.assertEqual(quotation.order_line.price_unit, 9)
