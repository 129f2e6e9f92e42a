from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.tests import tagged

from odoo.addons.sale.tests.common import TestSaleCommon

from ..common import QUIET, REFRESH, LifecycleCase


class QueueCase(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = cls.new_company("Home")
        cls.env = cls.env["base"].with_company(cls.home).env
        cls.anna, cls.bert = cls.env["res.partner"].create([{"name": "Anna"}, {"name": "Bert"}])
        cls.order = cls.new_order(cls.anna, 100)

    def setUp(self):
        super().setUp()
        self.empty_queue()

    def wakeups(self):
        cron = self.env.ref(REFRESH)
        return self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)])

    def assertQueued(self, *partners, company=None):
        """Exactly these customers wait, of this company or of every company."""
        expected = {(partner.id, (company or self.home).id) for partner in partners}
        self.assertEqual(self.queued(), expected)


class TestOrders(QueueCase):
    def test_confirmed(self):
        order = self.new_order(self.bert, 10, confirm=False)
        self.empty_queue()
        order.action_confirm()
        self.assertQueued(self.bert)

    def test_cancelled(self):
        self.order._action_cancel()
        self.assertQueued(self.anna)

    def test_amount_of_a_line_changed(self):
        self.order.order_line.price_unit = 70
        self.assertQueued(self.anna)

    def test_line_added_and_removed(self):
        line = self.order.order_line.copy({"order_id": self.order.id})
        self.assertQueued(self.anna)
        self.empty_queue()
        self.order.locked = False
        line.product_uom_qty = 0
        self.assertQueued(self.anna)

    def test_date_changed(self):
        self.order.date_order = fields.Datetime.now() - timedelta(days=400)
        self.assertQueued(self.anna)

    def test_customer_changed_concerns_both(self):
        self.order.partner_id = self.bert
        self.assertQueued(self.anna, self.bert)

    def test_deleted(self):
        self.order._action_cancel()
        self.empty_queue()
        self.order.unlink()
        self.assertQueued(self.anna)

    def test_contact_of_a_company_counts_for_the_company(self):
        contact = self.env["res.partner"].create({"name": "C", "parent_id": self.bert.id})
        self.empty_queue()
        self.new_order(contact, 5)
        self.assertQueued(self.bert)

    def test_what_does_not_matter_is_not_noted(self):
        self.order.note = "Please ring twice"
        self.anna.comment = "Likes tea"
        self.assertFalse(self.queued())

    def test_opportunity(self):
        """Somebody with an opportunity may have become a prospect."""
        lead = self.env["crm.lead"].create({"name": "L", "partner_id": self.bert.id})
        self.assertEqual({partner for partner, _company in self.queued()}, {self.bert.id})
        self.empty_queue()
        lead.partner_id = self.anna
        self.assertEqual(
            {partner for partner, _company in self.queued()}, {self.anna.id, self.bert.id}
        )

    def test_one_statement_of_each_kind_for_many_orders(self):
        """One INSERT into the queue and one wake-up, however many orders a save confirms."""
        orders = self.env["sale.order"]
        for partner in (self.anna, self.bert) * 5:
            orders += self.new_order(partner, 3, confirm=False)
        self.empty_queue()
        before = self.wakeups()
        statements = self.statements(orders.action_confirm)
        self.assertEqual(sum("INTO lifecycle_queue" in text for text in statements), 1)
        self.assertEqual(sum('INTO "ir_cron_trigger"' in text for text in statements), 1)
        self.assertEqual(self.wakeups(), before + 1)
        self.assertQueued(self.anna, self.bert)

    def test_confirming_costs_two_statements(self):
        """Against the same confirmation with the watch taken off."""
        first, *orders = (self.new_order(self.anna, 3, confirm=False) for _number in range(5))
        self.empty_queue()
        self.statements(first.action_confirm)
        watched = [len(self.statements(order.action_confirm)) for order in orders[:2]]
        queue = self.env["lifecycle.queue"]
        queue._unregister_hook()
        self.addCleanup(queue._register_hook)
        bare = [len(self.statements(order.action_confirm)) for order in orders[2:]]
        self.assertEqual(min(bare), max(bare), "the two measurements must be comparable")
        self.assertLessEqual(max(watched) - min(bare), 2)
        self.assertGreater(min(watched), max(bare), "the watch has to have been on")

    def statements(self, action):
        """SQL of what an action and its commit execute, savepoints left out."""
        self.env.flush_all()
        self.env.cr.precommit.run()
        texts = []
        cursor = type(self.env.cr)
        execute = cursor.execute

        def noting(cr, query, *args, **kwargs):
            text = getattr(query, "code", query)
            if "SAVEPOINT" not in text:
                texts.append(text)
            return execute(cr, query, *args, **kwargs)

        with patch.object(cursor, "execute", noting):
            action()
            self.env.flush_all()
            self.env.cr.precommit.run()
            self.env.flush_all()
        return texts


class TestContacts(QueueCase):
    def queued_partners(self):
        rows = self.queued()
        self.assertLessEqual({company for _partner, company in rows}, {0})
        return self.env["res.partner"].browse(sorted(partner for partner, _company in rows))

    def test_created(self):
        partner = self.env["res.partner"].create({"name": "New", "email": "new@example.com"})
        self.assertEqual(self.queued_partners(), partner)

    def test_becoming_part_of_a_company_concerns_both(self):
        before = self.wakeups()
        self.anna.parent_id = self.bert
        self.assertEqual(self.queued_partners(), self.anna + self.bert)
        self.assertEqual(self.wakeups(), before + 1, "one wake-up for both times it is noted")

    def test_leaving_a_company_concerns_both(self):
        self.anna.parent_id = self.bert
        self.empty_queue()
        self.anna.parent_id = False
        self.assertEqual(self.queued_partners(), self.anna + self.bert)

    def test_moved_after_another_change_in_the_same_transaction(self):
        self.anna.email = "anna@example.com"
        self.env.flush_all()
        self.anna.parent_id = self.bert
        self.assertEqual(self.queued_partners(), self.anna + self.bert)

    def test_moved_twice_in_one_transaction(self):
        carl = self.env["res.partner"].create({"name": "Carl"})
        self.empty_queue()
        self.anna.parent_id = self.bert
        self.env.flush_all()
        self.anna.parent_id = carl
        self.assertEqual(self.queued_partners(), self.anna + self.bert + carl)

    def test_company_that_moves_takes_its_contacts_along(self):
        group = self.env["res.partner"].create({"name": "Group"})
        contact = self.env["res.partner"].create({"name": "C", "parent_id": self.bert.id})
        self.empty_queue()
        self.bert.is_company = False
        self.bert.parent_id = group
        self.assertEqual(contact.commercial_partner_id, group)
        self.assertLessEqual(self.bert + group, self.queued_partners())

    def test_changes_of_who_counts(self):
        for values in (
            {"lifecycle_exclude": True},
            {"lifecycle_exclude": False},
            {"email": "anna@example.com"},
            {"phone": "+32 2 290 34 90"},
            {"active": False},
            {"active": True},
        ):
            with self.subTest(values=values):
                self.empty_queue()
                self.anna.write(values)
                self.assertEqual(self.queued_partners(), self.anna)

    def test_many_contacts_in_one_statement(self):
        before = self.env["ir.cron.trigger"].search_count([])
        self.env["res.partner"].create([{"name": f"P{number}"} for number in range(20)])
        self.env["res.partner"].create([{"name": f"Q{number}"} for number in range(20)])
        self.assertEqual(len(self.queued()), 40)
        self.assertEqual(self.env["ir.cron.trigger"].search_count([]), before + 1)

    def test_contact_of_an_order_made_in_the_same_save(self):
        partner = self.env["res.partner"].create({"name": "Shopper"})
        self.new_order(partner, 12)
        self.assertLessEqual({(partner.id, 0), (partner.id, self.home.id)}, self.queued())


class TestImportedHistory(QueueCase):
    def test_created_changed_moved_deleted(self):
        purchase = self.new_purchase(self.anna, 10)
        self.assertQueued(self.anna)
        for values, expected in (
            ({"amount": 11}, self.anna),
            ({"date": fields.Date.today() - timedelta(days=3)}, self.anna),
            ({"partner_id": self.bert.id}, self.anna + self.bert),
        ):
            with self.subTest(values=values):
                self.empty_queue()
                purchase.write(values)
                self.assertQueued(*expected)
        self.empty_queue()
        purchase.unlink()
        self.assertQueued(self.bert)

    def test_import_screen(self):
        result = self.env["lifecycle.external.purchase"].load(
            ["partner_id/.id", "date", "amount", "reference"],
            [
                [str(self.anna.id), "2026-01-02", "10", "A1"],
                [str(self.bert.id), "2026-01-03", "20", "A2"],
            ],
        )
        self.assertFalse([message for message in result["messages"]], result)
        self.assertQueued(self.anna, self.bert)


@tagged("standard", "post_install", "-at_install")
class TestCreditNotes(TestSaleCommon):
    """Credit notes change the order they belong to: each step of their life is noted."""

    queued = LifecycleCase.queued
    empty_queue = LifecycleCase.empty_queue

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, **QUIET})
        cls.order = cls.env["sale.order"].create(
            {
                "partner_id": cls.partner_a.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": cls.company_data["product_order_no"].id,
                            "product_uom_qty": 2,
                            "price_unit": 100,
                            "tax_ids": False,
                        }
                    )
                ],
            }
        )
        cls.order.action_confirm()
        cls.invoice = cls.order._create_invoices()
        cls.invoice.action_post()

    def assertQueuedOnce(self, action):
        self.empty_queue()
        action()
        company = self.company_data["company"]
        self.assertIn((self.partner_a.id, company.id), self.queued())

    def test_posted_reset_and_cancelled(self):
        reversal = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=self.invoice.ids
        ).create({"journal_id": self.invoice.journal_id.id, "reason": "damaged"})
        credit_note = self.env["account.move"].browse(
            reversal.reverse_moves()["res_id"]
        )
        self.assertQueuedOnce(credit_note.action_post)
        self.assertQueuedOnce(credit_note.button_draft)
        self.assertQueuedOnce(credit_note.button_cancel)

    def test_invoice_posted_above_the_order(self):
        self.assertQueuedOnce(self.invoice.button_draft)
        self.invoice.invoice_line_ids.quantity = 3
        self.assertQueuedOnce(self.invoice.action_post)

    def test_credit_note_without_order(self):
        credit_note = self.env["account.move"].create(
            {
                "move_type": "out_refund",
                "partner_id": self.partner_b.id,
                "invoice_line_ids": [
                    Command.create({"name": "Goodwill", "price_unit": 5, "tax_ids": False})
                ],
            }
        )
        self.empty_queue()
        credit_note.action_post()
        self.assertIn((self.partner_b.id, self.company_data["company"].id), self.queued())
