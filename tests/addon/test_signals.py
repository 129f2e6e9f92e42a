from collections import defaultdict
from datetime import datetime, timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError, ValidationError

from .common import LifecycleCase


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
        with self.assertRaisesRegex(ValidationError, "right kind"):
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


class TestPreferences(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("Tastes Ltd")
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": cls.company.ids})
        cls.categories = cls.env["product.category"].create(
            [{"name": "Coffee"}, {"name": "Cups"}, {"name": "Rare"}]
        )
        cls.coffee, cls.cups, cls.rare = cls.env["product.product"].create(
            [
                {"name": category.name, "type": "service", "categ_id": category.id}
                for category in cls.categories
            ]
        )
        cls.today = cls.company._lifecycle_today()

    def order(self, partner, days_ago, *lines):
        order = self.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "company_id": self.company.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "product_uom_qty": 2,
                            "price_unit": price,
                            "tax_ids": False,
                        }
                    )
                    for product, price in lines
                ],
            }
        )
        order.action_confirm()
        order.date_order = datetime.combine(
            self.today - timedelta(days_ago), datetime.min.time()
        ) + timedelta(hours=12)
        return order

    def refresh(self, partner):
        self.env["lifecycle.pipeline"]._refresh(self.company, partner.ids)
        return self.env["lifecycle.profile"].search([("partner_id", "=", partner.id)])

    def test_usual_products_go_missing_at_their_own_rhythm(self):
        partner = self.new_customer("Regular", email="r@example.com")
        for days in (100, 80, 60, 40, 20, 0):
            lines = [(self.coffee, 50)]
            if days >= 60:
                lines.append((self.cups, 10))
            if days == 100:
                lines.append((self.rare, 5))
            self.order(partner, days, *lines)
        profile = self.refresh(partner)
        usual = {item.product_id: item for item in profile.usual_product_ids}
        self.assertEqual(set(usual), {self.coffee, self.cups})
        self.assertEqual(usual[self.cups].day_count, 3)
        self.assertEqual(usual[self.cups].gap, 20)
        self.assertEqual(usual[self.cups].quantity, 2)
        self.assertEqual(usual[self.coffee].amount, 600)
        # last bought 60 days ago every 20 days: missing from day 30 to day 80
        self.assertEqual(profile._missing_products(), usual[self.cups])
        found = self.env["lifecycle.profile"].search(
            [("company_id", "=", self.company.id), ("usual_product_ids.is_missing", "=", True)]
        )
        self.assertEqual(found, profile)
        tired = profile.with_context(lifecycle_today=self.today + timedelta(21))
        self.assertNotIn(self.cups, tired._missing_products().product_id)

    def test_categories_weekday_and_channel(self):
        partner = self.new_customer("Tuesday", email="t@example.com")
        team = self.env["crm.team"].create(
            {"name": "Counter", "company_id": self.company.id}
        )
        offset = (self.today.weekday() - 1) % 7
        for week in range(5):
            order = self.order(
                partner, offset + 7 * week, (self.coffee, 80), (self.cups, 19), (self.rare, 1)
            )
            order.team_id = team
        profile = self.refresh(partner)
        self.assertEqual(profile.favorite_category_ids, self.categories[:2])
        self.assertEqual(profile.usual_weekday, "2")
        self.assertEqual(profile.usual_team_id, team)

    def test_preferences_equal_a_count_by_hand_and_are_written_once(self):
        partners = self.env["res.partner"].create(
            [{"name": f"P{i}", "email": f"p{i}@example.com"} for i in range(8)]
        )
        bought = defaultdict(set)
        for index, partner in enumerate(partners):
            for visit in range(index):
                product = (self.coffee, self.cups, self.rare)[(index + visit) % 3]
                self.order(partner, visit * 11, (product, 10 + index))
                bought[partner, product].add(visit)
        self.env["lifecycle.pipeline"]._refresh(self.company, partners.ids)
        usual = self.env["lifecycle.usual.product"].search(
            [("profile_id.company_id", "=", self.company.id)]
        )
        self.assertEqual(
            {(item.profile_id.partner_id, item.product_id): item.day_count for item in usual},
            {key: len(days) for key, days in bought.items() if len(days) >= 3},
        )
        before = usual.ids
        preference = self.env["lifecycle.preference"]
        self.assertEqual(preference._update(self.company), 0)
        self.order(partners[7], 0, (self.coffee, 1))
        self.env["lifecycle.pipeline"]._refresh(self.company, partners[7].ids)
        after = usual.search([("profile_id.company_id", "=", self.company.id)])
        # what stays usual keeps its row
        self.assertLessEqual(set(before), set(after.ids))
        coffee = after.filtered(
            lambda item: item.product_id == self.coffee
            and item.profile_id.partner_id == partners[7]
        )
        self.assertEqual(coffee.last_date, self.today)

    def test_cancelled_orders_leave_no_taste(self):
        partner = self.new_customer("Gone", email="g@example.com")
        orders = [self.order(partner, days, (self.coffee, 9)) for days in (30, 20, 10, 0)]
        self.assertTrue(self.refresh(partner).usual_product_ids)
        for order in orders[:2]:
            order._action_cancel()
        self.assertFalse(self.refresh(partner).usual_product_ids)

    def test_a_budget_can_be_entered_for_whom_nothing_is_known_of(self):
        salesman = self.new_user(
            "budget_seller", "sales_team.group_sale_salesman_all_leads", self.company
        )
        contact = self.new_customer("Fair", is_company=True)
        person = self.new_customer("Fay", parent_id=contact.id)
        seen = person.with_user(salesman).with_company(self.company)
        self.assertFalse(seen.lifecycle_profile_id)
        seen.lifecycle_potential = 5000
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual((seen.lifecycle_potential, seen.is_vip), (5000, False))
        # neither a refresh nor the night takes it away
        profile = self.refresh(contact)
        self.assertEqual((profile.potential, profile.active), (5000, True))
        # an empty budget makes no profile
        other = self.new_customer("Nobody").with_user(salesman).with_company(self.company)
        other.lifecycle_potential = False
        self.assertFalse(other.lifecycle_profile_id)

    def test_budget_share_and_gap(self):
        partner = self.new_customer("Budget", email="b@example.com")
        self.order(partner, 10, (self.coffee, 125))
        profile = self.refresh(partner)
        self.assertIs(profile.potential_share, False)
        salesman = self.new_user(
            "budget_sales", "sales_team.group_sale_salesman_all_leads", self.company
        )
        partner.with_user(salesman).with_company(self.company).lifecycle_potential = 1000
        self.assertEqual(profile.potential, 1000)
        self.assertEqual(profile.potential_share, 0.25)
        self.assertEqual(profile.potential_gap, 750)
        profiles = self.env["lifecycle.profile"]
        inside = [("company_id", "=", self.company.id)]
        self.assertEqual(profiles.search([*inside, ("potential_share", "<", 0.3)]), profile)
        self.assertEqual(profiles.search([*inside, ("potential_gap", ">=", 750)]), profile)
        self.assertEqual(
            profiles._read_group(inside, aggregates=["potential_gap:sum"]), [(750,)]
        )
        with self.assertRaises(AccessError):
            profile.with_user(salesman).revenue = 1

    def test_a_budget_survives_the_next_computation(self):
        partner = self.new_customer("Kept", email="k@example.com")
        self.order(partner, 10, (self.coffee, 10))
        profile = self.refresh(partner)
        profile.potential = 500
        with patch.object(
            type(self.env["res.company"]),
            "_lifecycle_today",
            lambda company: self.today + timedelta(30),
        ):
            self.refresh(partner)
        self.assertEqual(profile.potential, 500)
