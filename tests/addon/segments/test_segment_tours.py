"""The first segment of any shop, built on screen in few clicks and plain words."""

from datetime import timedelta

from ..common import LifecycleCase, LifecycleHttpCase

STARTER = "customer_lifecycle.group_workflow_starter"
MANAGER = "sales_team.group_sale_manager"


class TestSegmentTours(LifecycleHttpCase):
    new_user = classmethod(LifecycleCase.new_user.__func__)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company
        cls.new_user("tour_segments", f"{MANAGER},{STARTER}", lang="en_US")
        machine, beans = cls.env["product.product"].create(
            [{"name": f"Tour {name}", "type": "consu"} for name in ("machine", "beans")]
        )
        cls.gone, cls.stays = cls.env["res.partner"].create(
            [{"name": f"Tour {name}", "is_company": True} for name in ("Gone", "Stays")]
        )
        today = cls.company._lifecycle_today()
        cls.env["lifecycle.external.purchase"].create(
            [
                {
                    "partner_id": partner.id,
                    "date": today - timedelta(days),
                    "amount": 10,
                    "quantity": 1,
                    "product_id": product.id,
                    "company_id": cls.company.id,
                }
                for partner, product, days in (
                    (cls.gone, machine, 200),
                    (cls.gone, beans, 61),
                    (cls.stays, machine, 200),
                    (cls.stays, beans, 60),
                )
            ]
        )
        cls.env["lifecycle.pipeline"]._refresh(cls.company, (cls.gone | cls.stays).ids)

    def test_coffee_in_few_clicks_and_on_to_a_workflow(self):
        self.start_tour(
            "/odoo/customer-segments", "lifecycle_coffee_segment", login="tour_segments"
        )
        segment = self.env["lifecycle.segment"].search([("name", "=", "Coffee drinkers gone")])
        self.env["lifecycle.classifier"]._classify_segments(
            self.company, self.company._lifecycle_today()
        )
        self.assertEqual(segment.member_ids.profile_id.partner_id, self.gone)
        workflow = self.env["lifecycle.workflow"].search([("segment_ids", "=", segment.id)])
        self.assertEqual(
            (workflow.name, workflow.trigger, workflow.trigger_kind, workflow.state),
            ("Coffee drinkers gone", "enter", "segment", "draft"),
        )

    def test_fields_are_what_people_ask_for(self):
        self.start_tour(
            "/odoo/customer-segments/new", "lifecycle_bought_fields", login="tour_segments"
        )
