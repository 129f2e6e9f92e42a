"""What documents other than orders say about a customer."""

from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import ValidationError

from ..common import LifecycleCase
from ..common_money import MoneyCase


class TestSignals(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("Signals Ltd")
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": cls.company.ids})
        cls.customer = cls.new_customer("Signalling", email="signalling@example.com")
        cls.new_purchase(cls.customer, 100, days_ago=40, company=cls.company)
        cls.today = cls.company._lifecycle_today()

    def refresh(self, *partners):
        partners = partners or (self.customer,)
        self.env["lifecycle.pipeline"]._refresh(
            self.company, [partner.id for partner in partners]
        )
        return self.profile(partners[0])

    def profile(self, partner):
        return (
            self.env["lifecycle.profile"]
            .with_context(active_test=False)
            .search([("partner_id", "=", partner.id)])
        )

    def rate(self, value, days_ago):
        if "rating.rating" not in self.env:
            self.skipTest("Needs the app Customer Ratings (rating).")
        rating = self.env["rating.rating"].create(
            {
                "rating": value,
                "consumed": True,
                "partner_id": self.customer.id,
                "res_model_id": self.env["ir.model"]._get_id("res.partner"),
                "res_id": self.customer.id,
            }
        )
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE rating_rating SET rated_on = %s WHERE id = %s",
            [fields.Datetime.now() - timedelta(days_ago), rating.id],
        )

    def test_ratings_tell_satisfaction_praise_and_complaint(self):
        self.rate(5, days_ago=200)
        self.rate(1, days_ago=30)
        self.rate(3, days_ago=10)
        profile = self.refresh()
        self.assertEqual(profile.satisfaction_average, 3)
        self.assertEqual(profile.satisfaction_last, 3)
        self.assertEqual((self.today - profile.advocacy_date).days, 200)
        self.assertEqual((self.today - profile.bad_rating_date).days, 30)
        self.assertIn("Bad Rating", profile.dissatisfaction)

    def test_nobody_rated_is_unknown_and_not_zero(self):
        profile = self.refresh()
        self.assertIs(profile.satisfaction_average, False)
        found = self.env["lifecycle.profile"].search(
            [("company_id", "=", self.company.id), ("satisfaction_average", "<", 3)]
        )
        self.assertFalse(found)

    def test_a_recommendation_counts_once_the_friend_has_bought(self):
        friend = self.new_customer(
            "Friend", email="friend@example.com", lifecycle_referred_by_id=self.customer.id
        )
        self.assertEqual(self.refresh().referral_count, 0)
        self.new_purchase(friend, 10, days_ago=3, company=self.company)
        self.refresh(friend)
        profile = self.refresh()
        self.assertEqual(profile.referral_count, 1)
        self.assertEqual((self.today - profile.advocacy_date).days, 3)

    def test_overdue_invoices_and_credit_notes_are_causes(self):
        journal = self.env["account.journal"].search(
            [("type", "=", "sale"), ("company_id", "=", self.company.id)], limit=1
        )
        if not journal:
            self.env["account.chart.template"].try_loading(
                "generic_coa", company=self.company, install_demo=False
            )
        product = self.env["product.product"].create({"name": "P", "type": "service"})

        def bill(kind, days_ago):
            move = self.env["account.move"].create(
                {
                    "move_type": kind,
                    "partner_id": self.customer.id,
                    "invoice_date": self.today - timedelta(days_ago),
                    "invoice_date_due": self.today - timedelta(days_ago),
                    "invoice_payment_term_id": False,
                    "invoice_line_ids": [
                        Command.create(
                            {"product_id": product.id, "price_unit": 100, "tax_ids": False}
                        )
                    ],
                }
            )
            move.action_post()
            return move

        bill("out_invoice", 20)
        bill("out_refund", 15)
        profile = self.refresh()
        self.assertEqual((self.today - profile.overdue_since).days, 20)
        self.assertEqual((self.today - profile.credit_note_date).days, 15)
        self.assertIn("Unpaid Since", profile.dissatisfaction)

    def test_delivery_by_a_supplier_is_the_customers(self):
        pickings = self.env.get("stock.picking")
        if pickings is None or "is_dropship" not in pickings._fields:
            self.skipTest("Needs the app Drop Shipping (stock_dropshipping).")
        kind = self.env["stock.picking.type"].search(
            [("code", "=", "dropship"), ("company_id", "=", self.company.id)], limit=1
        ) or self.env["stock.picking.type"].create(
            {"name": "Dropship", "code": "dropship", "sequence_code": "DS",
             "company_id": self.company.id}
        )
        supplier = self.env["res.partner"].create({"name": "Supplier"})
        places = {
            "location_id": self.env.ref("stock.stock_location_suppliers").id,
            "location_dest_id": self.env.ref("stock.stock_location_customers").id,
        }
        product = self.env["product.product"].create({"name": "Crate", "type": "consu"})
        order = self.env["sale.order"].create(
            {"partner_id": self.customer.id, "company_id": self.company.id,
             "order_line": [Command.create({"product_id": product.id})]}
        )
        picking = pickings.create(
            {
                **places,
                "partner_id": supplier.id,
                "picking_type_id": kind.id,
                "move_ids": [
                    Command.create({**places, "product_id": product.id, "product_uom_qty": 1})
                ],
            }
        )
        picking.sale_id = order
        self.assertFalse(self.refresh().delivery_date)
        picking.action_confirm()
        picking.move_ids.write({"quantity": 1, "picked": True})
        picking._action_done()
        self.assertEqual(self.refresh().delivery_date, self.today)

    def test_late_deliveries_and_returns_are_causes(self):
        if "stock.picking" not in self.env:
            self.skipTest("Needs the app Inventory (stock).")
        product = self.env["product.product"].create({"name": "Crate", "type": "consu"})
        warehouse = self.env["stock.warehouse"].search(
            [("company_id", "=", self.company.id)], limit=1
        )
        customers = self.env.ref("stock.stock_location_customers")

        def ship(kind, source, target, promised):
            picking = self.env["stock.picking"].create(
                {
                    "partner_id": self.customer.id,
                    "picking_type_id": kind.id,
                    "location_id": source.id,
                    "location_dest_id": target.id,
                    "move_ids": [
                        Command.create(
                            {
                                "product_id": product.id,
                                "product_uom_qty": 1,
                                "location_id": source.id,
                                "location_dest_id": target.id,
                                "date_deadline": promised,
                            }
                        )
                    ],
                }
            )
            picking.action_confirm()
            picking.move_ids.write({"quantity": 1, "picked": True})
            picking._action_done()
            self.assertEqual(picking.state, "done")
            return picking

        now = fields.Datetime.now()
        stock = warehouse.lot_stock_id
        ship(warehouse.out_type_id, stock, customers, now + timedelta(3))
        self.assertFalse(self.refresh().late_delivery_date)
        late = ship(warehouse.out_type_id, stock, customers, now - timedelta(3))
        profile = self.refresh()
        self.assertEqual(profile.late_delivery_date, self.today)
        self.assertFalse(profile.return_date)
        back = ship(warehouse.in_type_id, customers, stock, now)
        back.return_id = late
        self.assertEqual(self.refresh().return_date, self.today)

    def test_an_old_complaint_is_forgiven_after_a_year(self):
        self.rate(1, days_ago=300)
        profile = self.refresh()
        self.assertTrue(profile.dissatisfaction)
        later = profile.with_context(lifecycle_today=self.today + timedelta(100))
        later.invalidate_recordset(["dissatisfaction"])
        self.assertFalse(later.dissatisfaction)

    def test_a_signal_that_cannot_be_read_keeps_what_it_said_and_warns(self):
        self.rate(5, days_ago=10)
        self.refresh()
        signal = self.env.ref("customer_lifecycle.signal_top_rating")
        self.env.cr.execute(
            "UPDATE lifecycle_signal SET domain = %s WHERE id = %s",
            ["[('no_such_field', '=', 1)]", signal.id],
        )
        signal.invalidate_recordset()
        self.rate(1, days_ago=1)
        _count, warnings = self.env["lifecycle.signal"]._update(self.company)
        self.assertIn("Top rating", warnings[0])
        profile = self.profile(self.customer)
        profile.invalidate_recordset()
        self.assertEqual((self.today - profile.advocacy_date).days, 10)
        self.assertEqual((self.today - profile.bad_rating_date).days, 1)

    def test_a_broken_signal_is_refused_when_saved(self):
        with self.assertRaisesRegex(ValidationError, "nonsense"):
            self.env["lifecycle.signal"].create(
                {
                    "name": "Broken",
                    "target": "last_contact_date",
                    "model": "crm.lead",
                    "partner_path": "nonsense.partner_id",
                }
            )
        with self.assertRaisesRegex(ValidationError, "number field"):
            self.env["lifecycle.signal"].create(
                {
                    "name": "No number",
                    "target": "satisfaction_last",
                    "aggregate": "last",
                    "model": "crm.lead",
                }
            )

    def test_fields_of_another_kind_are_refused(self):
        with self.assertRaisesRegex(ValidationError, "does not lead to a number"):
            self.env["lifecycle.signal"].create(
                {
                    "name": "Text",
                    "target": "satisfaction_last",
                    "aggregate": "last",
                    "model": "crm.lead",
                    "value_path": "name",
                }
            )

    def test_what_nobody_reads_any_more_is_not_said_either(self):
        profile = self.refresh()
        profile.write({"overdue_since": self.today, "referral_count": 3})
        signals = self.env["lifecycle.signal"]
        signals.search([("target", "in", ("overdue_since", "referral_count"))]).active = False
        self.env.flush_all()
        self.env["lifecycle.signal"]._update(self.company)
        profile.invalidate_recordset()
        self.assertFalse(profile.overdue_since)
        self.assertEqual(profile.referral_count, 0)

    def test_a_signal_on_a_model_to_come_sleeps(self):
        signal = self.env["lifecycle.signal"].create(
            {"name": "To come", "target": "return_date", "model": "not.there.yet"}
        )
        self.assertEqual(signal.state, "asleep")
        self.refresh()

    def test_an_opportunity_without_contact_belongs_to_whoever_has_its_address(self):
        lead = self.env["crm.lead"].create(
            {
                "name": "Web form",
                "type": "opportunity",
                "email_from": "Signalling <SIGNALLING@example.com>",
                "company_id": self.company.id,
            }
        )
        self.assertFalse(lead.partner_id)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE crm_lead SET create_date = %s WHERE id = %s",
            [fields.Datetime.now() - timedelta(90), lead.id],
        )
        profile = self.refresh()
        self.assertEqual(profile.open_opportunity_count, 1)
        self.assertEqual((self.today - profile.first_touch_date).days, 90)
        lead.partner_id = self.customer
        self.assertEqual(self.refresh().open_opportunity_count, 1)

    def test_first_touch_names_the_campaign_of_the_earliest_document(self):
        source = self.env["utm.source"].create({"name": "Fair"})
        late = self.env["utm.source"].create({"name": "Newsletter"})
        for utm, days in ((late, 5), (source, 60)):
            lead = self.env["crm.lead"].create(
                {
                    "name": "L",
                    "partner_id": self.customer.id,
                    "company_id": self.company.id,
                    "source_id": utm.id,
                }
            )
            self.env.flush_all()
            self.env.cr.execute(
                "UPDATE crm_lead SET create_date = %s WHERE id = %s",
                [fields.Datetime.now() - timedelta(days), lead.id],
            )
        profile = self.refresh()
        self.assertEqual(profile.first_source_id, source)
        self.assertEqual((self.today - profile.first_touch_date).days, 60)


class TestSignalAuthors(MoneyCase):
    """What somebody may not read, he may not turn into a figure."""

    def test_signals_tell_no_amounts_of_hidden_records(self):
        manager = self.new_user("signal_author", "sales_team.group_sale_manager", self.company)
        self.move("in_invoice", 55)
        self.move("out_invoice", 70)
        values = {
            "name": "Average of invoices",
            "target": "satisfaction_average",
            "aggregate": "average",
            "model": "account.move",
            "date_path": "invoice_date",
            "value_path": "amount_untaxed",
        }
        signals = self.env["lifecycle.signal"].with_user(manager)
        for company_path in ("company_id", False):
            with self.assertRaisesRegex(ValidationError, "may not see"):
                with self.env.cr.savepoint():
                    signals.create({**values, "company_path": company_path})
        signal = signals.create({**values, "domain": "[('move_type', '=', 'out_invoice')]"})
        with self.assertRaisesRegex(ValidationError, "may not see"), self.env.cr.savepoint():
            signal.domain = "[('move_type', '=', 'in_invoice')]"
