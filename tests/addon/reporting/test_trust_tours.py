"""What managers do for trust, in the browser: comparing, correcting, forgetting, handing over."""

from datetime import date, datetime, timedelta

from odoo.exceptions import AccessError, UserError

from ..common import LifecycleCase, LifecycleHttpCase
from ..common_money import MoneyCase
from ..rules.test_stage_tours import MANAGER, SALESMAN
from ..runs.test_set_aside import SetAsideCase

SETTINGS = "/odoo/action-customer_lifecycle.res_config_settings_action"


class TestTrustTours(LifecycleHttpCase):
    new_user = classmethod(LifecycleCase.new_user.__func__)
    new_customer = classmethod(LifecycleCase.new_customer.__func__)
    new_order = classmethod(LifecycleCase.new_order.__func__)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls.new_user(
            "trust_manager", f"{MANAGER},base.group_partner_manager", lang="en_US"
        )
        cls.large = cls.new_customer("Large Tour", email="l@example.com")

    def form(self, partner):
        return f"/odoo/res.partner/{partner.id}"

    def test_a_difference_is_followed_to_its_document(self):
        nobody = self.new_customer("Not A Customer", lifecycle_exclude=True)
        self.new_order(nobody, 250, days_ago=30)
        self.new_order(self.large, 100, days_ago=31)
        self.start_tour(
            "/odoo/lifecycle-reconciliation", "lifecycle_revenue_compared", login="trust_manager"
        )

    def test_how_long_messages_are_kept(self):
        self.start_tour(SETTINGS, "lifecycle_retention", login="admin")
        company = self.env.ref("base.user_admin").company_id
        self.assertEqual(company.lifecycle_keep_deliveries, 24)
        self.assertEqual(company.lifecycle_keep_audiences, 12)
        self.assertEqual(company.lifecycle_keep_touches, 0)

    def test_a_contact_is_anonymised(self):
        self.start_tour(self.form(self.large), "lifecycle_anonymise", login="trust_manager")
        self.assertEqual(self.large.name, f"Anonymised customer {self.large.id}")
        self.assertFalse(self.large.email)

    def test_a_persons_file_is_handed_over(self):
        self.start_tour(self.form(self.large), "lifecycle_person_file", login="trust_manager")

    def test_a_document_set_aside_is_corrected(self):
        order = self.new_order(self.large, 100)
        order.date_order = datetime(202, 5, 1, 10)
        self.start_tour(
            "/odoo/lifecycle-set-aside", "lifecycle_set_aside", login="trust_manager"
        )
        self.assertEqual(order.date_order.date(), date(2026, 10, 1))

    def test_a_former_company_is_corrected(self):
        mill, works, third = (
            self.new_customer(name, is_company=True)
            for name in ("Tour Mill", "Tour Works", "Tour Yard")
        )
        self.large.parent_id = mill
        order = self.new_order(self.large, 100)
        self.large.parent_id = third
        self.start_tour(self.form(self.large), "lifecycle_former_companies", login="trust_manager")
        row = self.env["lifecycle.former.firm"].search([("partner_id", "=", self.large.id)])
        self.assertEqual((row.firm_id, row.res_id), (works, order.id))

    def test_a_salesperson_is_not_led_where_he_may_not_go(self):
        self.new_user("trust_sales", f"{SALESMAN},base.group_partner_manager", lang="en_US")
        self.start_tour(self.form(self.large), "lifecycle_without_rights", login="trust_sales")


class TestCorrections(SetAsideCase):
    def correct(self, order, day, user=None):
        wizard = self.env["lifecycle.set.aside.correction"].with_user(user or self.env.user)
        action = self.aside().filtered(lambda row: row.res_id == order.id).action_correct()
        return (
            wizard.with_context(action["context"])
            .create({"day": day} if day else {})
            .action_correct()
        )

    def test_the_day_of_a_confirmed_order_is_corrected(self):
        order = self.order(30)
        self.write_past_odoo(order, date_order=datetime(202, 5, 1))
        self.assertTrue(self.assertAside((order, "1")).correctable)
        manager = self.new_user("right_manager", MANAGER, self.company)
        seller = self.new_user("right_seller", SALESMAN, self.company)
        with self.assertRaises(AccessError):
            self.correct(order, self.day(5), seller)
        with self.assertRaisesRegex(UserError, "in the future"):
            self.correct(order, self.day(-5), manager)
        with self.assertRaisesRegex(UserError, "still be set aside"):
            self.correct(order, date(1975, 1, 1), manager)
        self.write_past_odoo(order, date_order=datetime(202, 5, 1))
        self.correct(order, self.day(5), manager)
        self.assertAside()
        self.assertFigures(revenue=30, order_count=1, last_order_date=self.day(5))
        self.assertIn("date was corrected", order.message_ids[0].body)

    def test_only_what_is_set_aside_is_corrected(self):
        order = self.order(30)
        wizard = self.env["lifecycle.set.aside.correction"].create(
            {"res_model": "sale.order", "res_id": order.id, "day": self.day(5)}
        )
        with self.assertRaisesRegex(UserError, "not set aside any more"):
            wizard.action_correct()
        wizard.write({"res_model": "res.partner", "res_id": self.customer.id})
        with self.assertRaisesRegex(UserError, "where it was made"):
            wizard.action_correct()

    def test_the_rate_is_taken_anew(self):
        order = self.order(30, days_ago=8)
        self.write_past_odoo(order, currency_rate=0)
        self.assertAside((order, "3"))
        self.correct(order, None)
        self.assertEqual(order.currency_rate, 1)
        self.assertFigures(revenue=30, last_order_date=self.day(8))

    def test_every_document_says_what_can_be_done(self):
        note = self.move("out_refund", 5, 6)
        self.write_past_odoo(note, invoice_date="1970-01-01")
        row = self.assertAside((note, "1"))
        self.assertFalse(row.correctable)
        self.assertIn("Reset it to draft", row.what_to_do)


class TestFormerCompanies(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("Former Ltd")
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": cls.company.ids})
        cls.old, cls.new, cls.third = (
            cls.new_customer(name, is_company=True) for name in ("old", "new", "third")
        )
        cls.buyer = cls.new_customer("Buyer", parent_id=cls.old.id)
        cls.orders = [
            cls.new_order(cls.buyer, amount, days_ago=9, company=cls.company)
            for amount in (100, 10)
        ]
        cls.buyer.parent_id = cls.new
        cls.rows = cls.env["lifecycle.former.firm"].search([("partner_id", "=", cls.buyer.id)])
        cls.manager = cls.new_user(
            "former_manager", f"{MANAGER},base.group_partner_manager", cls.company
        )

    def revenue(self):
        ids = (self.old | self.new | self.third).ids
        self.env.flush_all()
        self.env["lifecycle.pipeline"]._refresh(self.company, ids)
        self.env.invalidate_all()
        profiles = [
            self.profile(partner, self.company) for partner in (self.old, self.new, self.third)
        ]
        return [profile.revenue if profile.active else 0 for profile in profiles]

    def test_a_manager_gives_a_purchase_to_another_company(self):
        self.assertEqual(self.revenue(), [110, 0, 0])
        rows = self.rows.with_user(self.manager)
        self.assertEqual(
            {row.document_name for row in rows}, {order.name for order in self.orders}
        )
        today = self.company._lifecycle_today()
        self.assertEqual(rows[0].day, today - timedelta(9))
        row = rows.filtered(lambda row: row.res_id == self.orders[0].id)
        self.empty_queue()
        row.firm_id = self.third
        self.assertLessEqual({(self.old.id, 0), (self.third.id, 0)}, self.queued())
        self.assertEqual(self.revenue(), [10, 0, 100])
        # an address of a company is the company
        address = self.new_customer("Depot", parent_id=self.third.id, type="delivery")
        rows.write({"firm_id": address.id})
        self.assertEqual(rows.firm_id, self.third)
        self.assertEqual(self.revenue(), [0, 0, 110])

    def test_a_manager_lets_purchases_go_along(self):
        self.rows.with_user(self.manager).action_with_contact()
        self.assertEqual(self.revenue(), [0, 110, 0])
        self.assertFalse(self.rows.exists())

    def test_contact_and_company_lead_there(self):
        for partner in (self.buyer, self.old):
            partner = partner.with_user(self.manager)
            self.assertEqual(partner.lifecycle_former_firm_count, 2)
            action = partner.action_lifecycle_former_firms()
            rows = self.env[action["res_model"]].with_user(self.manager).search(action["domain"])
            self.assertEqual(rows, self.rows)
        self.assertEqual(self.third.lifecycle_former_firm_count, 0)

    def test_nothing_else_is_changed_and_by_nobody_else(self):
        rows = self.rows.with_user(self.manager)
        with self.assertRaises(AccessError):
            rows.write({"res_id": 1})
        with self.assertRaises(AccessError):
            rows.write({"partner_id": self.third.id, "firm_id": self.third.id})
        with self.assertRaises(AccessError):
            rows.unlink()
        with self.assertRaises(AccessError):
            rows.create({"model": "sale.order", "res_id": 1})
        seller = self.new_user("former_seller", SALESMAN, self.company)
        for call in (
            lambda rows: rows.write({"firm_id": self.third.id}),
            lambda rows: rows.action_with_contact(),
            lambda rows: rows.action_open_document(),
            lambda rows: rows.mapped("document_name"),
        ):
            with self.assertRaises(AccessError):
                call(self.rows[:1].with_user(seller))
        # nor for documents of a company that one does not work in
        other = self.new_company("Former Elsewhere")
        stranger = self.new_user("former_stranger", MANAGER, other)
        foreign = self.rows.with_user(stranger).with_context(allowed_company_ids=other.ids)
        self.assertIn("may not open", foreign[0].document_name)
        with self.assertRaisesRegex(AccessError, "whose documents you may open"):
            foreign.write({"firm_id": self.third.id})
        with self.assertRaisesRegex(AccessError, "whose documents you may open"):
            foreign.action_with_contact()
        self.assertEqual(self.revenue(), [110, 0, 0])


class TestFormerCompanyDocuments(MoneyCase):
    def test_all_lines_of_a_document_go_together(self):
        old, new, third = (
            self.new_customer(name, is_company=True) for name in ("old", "new", "third")
        )
        buyer = self.new_customer("Buyer", parent_id=old.id)
        note = self.move("out_refund", 5, 6, partner=buyer)
        buyer.parent_id = new
        rows = self.env["lifecycle.former.firm"].search(
            [("partner_id", "=", buyer.id), ("model", "=", "account.move.line")]
        )
        self.assertEqual(len(rows), 2)
        self.assertEqual(set(rows.mapped("document_name")), {note.display_name})
        rows[0].firm_id = third
        self.assertEqual(rows[1].firm_id, third)
        rows[1].action_with_contact()
        self.assertFalse(rows.exists())
