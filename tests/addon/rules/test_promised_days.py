"""What is promised for a day is late when the day is over, where the company is."""

from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo import Command, fields

from ..common import LifecycleCase

#: a Wednesday; in Auckland it is 13 hours later
NOON = datetime(2026, 3, 4, 12)


class TestPromisedDays(LifecycleCase):
    def setUp(self):
        super().setUp()
        installed = self.env["ir.module.module"].search([("name", "=", "sale_stock")])
        if installed.state != "installed":
            self.skipTest("Needs the app Inventory (sale_stock).")
        self.company = self.new_company("Promises Ltd")
        self.env.user.company_id = self.company
        self.env = self.env(
            context={**self.env.context, "allowed_company_ids": self.company.ids}
        )
        self.product = self.env["product.product"].create(
            {"name": "Crate", "type": "consu", "taxes_id": False}
        )
        self.customer = self.new_customer("Waits", email="waits@example.com")

    def deliver(self, ordered, shipped, **values):
        """An order as a salesperson makes it, and the delivery that Odoo makes of it."""
        with freeze_time(ordered):
            order = self.env["sale.order"].create(
                {
                    "partner_id": self.customer.id,
                    "company_id": self.company.id,
                    "order_line": [Command.create({"product_id": self.product.id})],
                    **values,
                }
            )
            order.action_confirm()
        with freeze_time(shipped):
            picking = order.picking_ids
            picking.move_ids.write({"quantity": 1, "picked": True})
            picking._action_done()
            self.assertEqual(picking.state, "done")
            self.env.flush_all()
            self.env["lifecycle.pipeline"]._refresh(self.company, self.customer.ids)
            self.env.invalidate_all()
        return self.profile(self.customer, self.company).late_delivery_date

    def test_shipped_at_noon_what_was_ordered_in_the_morning(self):
        self.assertFalse(self.deliver(NOON - timedelta(hours=3), NOON))

    def test_shipped_after_the_promised_day(self):
        late = self.deliver(
            NOON, NOON + timedelta(days=3), commitment_date=NOON + timedelta(days=2)
        )
        self.assertEqual(late, fields.Date.to_date("2026-03-07"))

    def test_shipped_in_the_evening_of_the_promised_day(self):
        promised = datetime(2026, 3, 6, 9)
        self.assertFalse(
            self.deliver(NOON, datetime(2026, 3, 6, 21, 30), commitment_date=promised)
        )

    def test_days_are_the_companys(self):
        self.company.lifecycle_tz = "Pacific/Auckland"
        # the 6th in Auckland, from the 5th at 11 h UTC on
        promised = datetime(2026, 3, 5, 12)
        self.assertFalse(
            self.deliver(NOON, datetime(2026, 3, 6, 9), commitment_date=promised)
        )
        self.assertEqual(
            self.deliver(NOON, datetime(2026, 3, 6, 12), commitment_date=promised),
            fields.Date.to_date("2026-03-07"),
        )

    def test_an_open_delivery_is_late_on_the_day_after(self):
        source = self.env.ref("customer_lifecycle.touchpoint_source_delivery_late")
        with freeze_time(NOON - timedelta(hours=3)):
            order = self.env["sale.order"].create(
                {
                    "partner_id": self.customer.id,
                    "company_id": self.company.id,
                    "order_line": [Command.create({"product_id": self.product.id})],
                }
            )
            order.action_confirm()

        def found(now):
            with freeze_time(now):
                self.env.invalidate_all()
                journey = self.env["lifecycle.journey"].with_context(tz="UTC")
                items = journey.get_journey(self.customer.id, {"sources": source.ids})["items"]
            return len(items)

        self.assertEqual(found(NOON), 0)
        self.assertEqual(found(NOON + timedelta(hours=11, minutes=59)), 0)
        self.assertEqual(found(NOON + timedelta(hours=12, minutes=1)), 1)

    def test_an_invoice_is_overdue_when_its_day_is_over_where_the_company_is(self):
        if not self.company.chart_template:
            self.env["account.chart.template"].try_loading("generic_coa", company=self.company)
        self.company.lifecycle_tz = "Pacific/Auckland"
        self.new_purchase(self.customer, 100, 20, company=self.company)
        move = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "invoice_date": "2026-03-01",
                "invoice_date_due": "2026-03-04",
                "invoice_line_ids": [
                    Command.create({"name": "Crate", "price_unit": 100, "tax_ids": False})
                ],
            }
        )
        move.action_post()

        def overdue(now):
            with freeze_time(now):
                self.env["lifecycle.pipeline"]._refresh(self.company, self.customer.ids)
                self.env.invalidate_all()
            return bool(self.profile(self.customer, self.company).overdue_since)

        # the 4th ends in Auckland at 11 h UTC
        self.assertFalse(overdue(datetime(2026, 3, 4, 10, 30)))
        self.assertTrue(overdue(datetime(2026, 3, 4, 11, 30)))
