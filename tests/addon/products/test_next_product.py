"""What customers may buy next: with reason, day and quantity, and never what cannot be sold."""

from datetime import timedelta

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tools import SQL

from odoo.addons.customer_lifecycle.models.products.reader import NextProductReader
from odoo.addons.customer_lifecycle.tools.step import EVERYBODY, Scope

from ..common_money import MoneyCase


class NextProductCase(MoneyCase):
    """Twelve owners of a coffee machine, most of whom buy beans three weeks later; readers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.machine, cls.beans, cls.book, cls.filters = (
            cls.env["product.product"].create(
                {"name": name, "type": "consu", "taxes_id": False, "invoice_policy": "order"}
            )
            for name in ("Duo Machine", "Beans", "Book", "Filters")
        )
        cls.owners = cls.env["res.partner"].create(
            [{"name": f"Owner {number:02}"} for number in range(12)]
        )
        cls.readers = cls.env["res.partner"].create(
            [{"name": f"Reader {number:02}"} for number in range(12)]
        )
        for number, (owner, reader) in enumerate(zip(cls.owners, cls.readers, strict=True)):
            cls.order(
                {"product_id": cls.machine.id, "price_unit": 300},
                partner=owner,
                days_ago=150 - number,
            )
            cls.order(
                {"product_id": cls.book.id, "price_unit": 10},
                partner=reader,
                days_ago=150 - number,
            )
            if number < 9:
                cls.order(
                    {"product_id": cls.beans.id, "product_uom_qty": 2, "price_unit": 20},
                    partner=owner,
                    days_ago=129 - number,
                )
        # the buyer has just got one
        cls.order({"product_id": cls.machine.id, "price_unit": 300}, days_ago=5)

    def look(self, partners=None, seen=None, complete=False, day=None, company=None):
        """Keep purchases and look as a refresh does at some, or as a night does at all."""
        company = company or self.company
        day = day or self.today
        self.env.flush_all()
        self.keep_purchases(company, day, partners)
        scope = Scope(partners.ids) if partners else EVERYBODY
        with NextProductReader(self.env, company, day, scope) as reader:
            now = None if partners else reader.find_changes(seen, complete)
            reader.update()
        self.env.invalidate_all()
        return now

    def told(self, partner=None, company=None, limit=5):
        return self.env["lifecycle.next.product"]._of(
            partner or self.customer, company or self.company, limit
        )

    def rows(self):
        """What is stored, without ids."""
        names = (
            "partner_id",
            "product_id",
            "rank",
            "kind",
            "due_on",
            "quantity",
            "chance",
            "because_product_id",
            "share",
            "days",
            "support",
        )
        found = self.env["lifecycle.next.product"].search([("company_id", "=", self.company.id)])
        return [tuple(row[name] for name in names) for row in found]


class TestNextProduct(NextProductCase):
    def test_beans_follow_the_machine(self):
        self.look()
        first = self.told()[0]
        self.assertEqual(first.product_id, self.beans)
        self.assertEqual((first.kind, first.rank), ("alike", 1))
        self.assertEqual(first.because_product_id, self.machine)
        self.assertEqual(first.days, 21)
        self.assertEqual(first.due_on, self.day(5) + timedelta(21))
        self.assertEqual(first.quantity, 2)
        self.assertEqual(first.support, 9)
        # 9 of 13, shrunken by 10 towards 9 of the 25 - 9 that had no beans by then
        usual = 9 / (34 - 9)
        self.assertAlmostEqual(first.share, (9 + 10 * usual) / (13 + 10), 5)
        self.assertTrue(0 < first.chance < 1)
        self.assertEqual(
            first.reason,
            f"Bought by {round(100 * first.share)} % of those who have Duo Machine, usually 3 "
            "weeks later",
        )

    def test_who_has_the_beans_is_told_of_them_as_his_own(self):
        for days_ago in (90, 60, 30):
            self.order(
                {"product_id": self.beans.id, "product_uom_qty": 4, "price_unit": 20},
                days_ago=days_ago,
                partner=self.owners[0],
            )
        self.look()
        beans = self.told(self.owners[0]).filtered(lambda row: row.product_id == self.beans)
        self.assertEqual(beans.kind, "again")
        self.assertEqual(beans.quantity, 4)
        self.assertEqual(beans.support, 4)
        self.assertIn("Buys it about every", beans.reason)
        self.assertEqual(beans.because_product_id, self.beans)
        # four days with 33 days between them, and the same for once more
        self.assertAlmostEqual(beans.days, (99 + 33) / 4, 0)
        self.assertGreater(beans.due_on, self.today)

    def test_what_cannot_be_sold_is_not_suggested(self):
        self.look()
        self.assertIn(self.beans, self.told().product_id)
        template = self.beans.product_tmpl_id
        for change, back in (
            ({"sale_ok": False}, {"sale_ok": True}),
            ({"lifecycle_never_suggest": True}, {"lifecycle_never_suggest": False}),
            ({"active": False}, {"active": True}),
        ):
            template.write(change)
            with self.subTest(change=change):
                self.assertNotIn(self.beans, self.told().product_id)
                # nor after the next look
                self.look(self.customer)
                self.assertNotIn(
                    self.beans,
                    self.env["lifecycle.next.product"]
                    .search([])
                    .filtered(lambda row: row.partner_id == self.customer)
                    .product_id,
                )
            template.write(back)
            self.look(self.customer)
        self.assertIn(self.beans, self.told().product_id)
        parent = self.env["product.category"].create({"name": "Coffee"})
        template.categ_id = self.env["product.category"].create(
            {"name": "Roasted", "parent_id": parent.id}
        )
        self.assertIn(self.beans, self.told().product_id)
        parent.lifecycle_never_suggest = True
        self.assertNotIn(self.beans, self.told().product_id)

    def test_an_archived_variant_is_left_out(self):
        attribute = self.env["product.attribute"].create(
            {"name": "Roast", "value_ids": [Command.create({"name": name}) for name in "AB"]}
        )
        template = self.env["product.template"].create(
            {
                "name": "Roast",
                "taxes_id": False,
                "attribute_line_ids": [
                    Command.create(
                        {
                            "attribute_id": attribute.id,
                            "value_ids": [Command.set(attribute.value_ids.ids)],
                        }
                    )
                ],
            }
        )
        dark, light = template.product_variant_ids
        for days_ago in (90, 60, 30):
            self.order(
                *({"product_id": one.id, "price_unit": 5} for one in (dark, light)),
                days_ago=days_ago,
            )
        self.look()
        self.assertLessEqual({dark, light}, set(self.told().product_id))
        dark.active = False
        self.assertNotIn(dark, self.told().product_id)
        self.assertIn(light, self.told().product_id)

    def test_what_came_back_is_not_suggested(self):
        order = self.order({"product_id": self.beans.id, "price_unit": 20}, days_ago=4)
        self.credit(self.invoice(order, days_ago=3), days_ago=2)
        self.look()
        # not bought, as it came back: others buy it next all the same
        stored = self.env["lifecycle.next.product"].search(
            [("partner_id", "=", self.customer.id), ("product_id", "=", self.beans.id)]
        )
        self.assertEqual(stored.kind, "alike")
        self.assertNotIn(self.beans, self.told().product_id)
        self.assertEqual(self.returned(), {(self.customer.id, self.beans.id)})
        # bought again, it is liked after all
        self.order({"product_id": self.beans.id, "price_unit": 20}, days_ago=1)
        self.look(self.customer)
        self.assertEqual(self.returned(), set())

    def returned(self):
        return self.env["lifecycle.next.product"]._just_returned(self.company, self.customer.ids)

    def test_what_came_back_long_ago_is_forgotten(self):
        order = self.order({"product_id": self.beans.id, "price_unit": 20}, days_ago=90)
        self.credit(self.invoice(order, days_ago=89), days_ago=61)
        self.look()
        self.assertIn(self.beans, self.told().product_id)

    def test_a_refresh_tells_what_the_night_tells(self):
        self.look()
        before = self.rows()
        self.look(self.customer)
        self.assertEqual(self.rows(), before)
        self.order({"product_id": self.beans.id, "price_unit": 20}, days_ago=1)
        self.look(self.customer)
        refreshed = self.rows()
        self.assertNotEqual(refreshed, before)
        # he has them now, and nobody has ever bought more
        self.assertNotIn(self.beans, self.told().product_id)
        # a night that learns nothing new looks at who has bought since
        seen = {"item": 0}
        self.look(seen=seen)
        self.assertEqual(self.rows(), refreshed)

    def test_a_night_writes_what_differs_only(self):
        seen = self.look()

        def versions():
            return self.env.execute_query_dict(
                SQL("SELECT id, xmin::text, partner_id FROM lifecycle_next_product ORDER BY id")
            )

        before = versions()
        self.assertTrue(before)
        self.look(seen=seen)
        self.assertEqual(versions(), before)
        self.order({"product_id": self.filters.id, "price_unit": 3}, days_ago=1)
        self.keep_purchases(self.company, self.today, self.customer)
        self.look(seen=seen)
        changed = {row["partner_id"] for row in versions() if row not in before}
        self.assertEqual(changed, {self.customer.id})

    def test_what_is_out_of_stock_is_not_suggested(self):
        if "is_storable" not in self.env["product.product"]._fields:
            self.skipTest("Needs the app Inventory (sale_stock).")
        self.look()
        self.assertIn(self.beans, self.told().product_id)
        self.beans.is_storable = True
        self.assertNotIn(self.beans, self.told().product_id)
        shelf = (
            self.env["stock.warehouse"]
            .search([("company_id", "=", self.company.id)], limit=1)
            .lot_stock_id
        )
        move = self.env["stock.move"].create(
            {
                "product_id": self.beans.id,
                "product_uom_qty": 50,
                "location_id": self.env.ref("stock.stock_location_suppliers").id,
                "location_dest_id": shelf.id,
                "company_id": self.company.id,
            }
        )
        # on its way
        move._action_confirm()
        self.env.invalidate_all()
        self.assertIn(self.beans, self.told().product_id)
        move.quantity = 50
        move.picked = True
        move._action_done()
        self.env.invalidate_all()
        self.assertIn(self.beans, self.told().product_id)

    def test_what_was_sent_back_is_not_suggested(self):
        if "sale_line_id" not in self.env.get("stock.move", self.env["base"])._fields:
            self.skipTest("Needs the app Inventory (sale_stock).")
        order = self.order(
            {"product_id": self.beans.id, "product_uom_qty": 2, "price_unit": 20}, days_ago=4
        )
        picking = order.picking_ids
        picking.move_ids.write({"quantity": 2, "picked": True})
        picking.button_validate()
        wizard = self.env["stock.return.picking"].create({"picking_id": picking.id})
        wizard.product_return_moves.quantity = 2
        back = picking.browse(wizard.action_create_returns()["res_id"])
        back.move_ids.picked = True
        back.button_validate()
        self.look()
        self.assertEqual(self.returned(), {(self.customer.id, self.beans.id)})
        self.assertNotIn(self.beans, self.told().product_id)

    def test_it_is_learnt_anew_once_a_week(self):
        models = self.env["lifecycle.product.model"]
        seen = self.look()
        first = models._current(self.company)
        self.assertEqual((first.customer_count, first.product_count), (25, 3))
        self.look(seen=seen, day=self.today + timedelta(6))
        self.assertEqual(models._current(self.company), first)
        self.look(seen=seen, day=self.today + timedelta(7))
        self.assertNotEqual(models._current(self.company), first)

    def test_a_cancelled_order_takes_its_suggestions_along(self):
        buyer = self.new_customer("Cancels")
        order = self.order({"product_id": self.machine.id, "price_unit": 300}, partner=buyer)
        seen = self.look()
        self.assertTrue(self.told(buyer))
        order._action_cancel()
        self.keep_purchases(self.company, self.today, buyer)
        self.look(seen=seen)
        self.assertFalse(self.env["lifecycle.next.product"].search([("partner_id", "=", buyer.id)]))

    def test_two_companies_know_nothing_of_each_other(self):
        other = self.new_ledger_company("Elsewhere Works", "USD")
        self.order({"product_id": self.book.id, "price_unit": 10}, days_ago=5, company=other)
        self.look()
        self.look(company=other)
        self.assertIn(self.beans, self.told().product_id)
        self.assertNotIn(self.beans, self.told(company=other).product_id)
        self.assertEqual(
            self.env["lifecycle.product.pair"].search([("company_id", "=", other.id)]).product_id,
            self.book,
        )

    def test_contacts_count_with_their_company(self):
        contact = self.new_customer("Their buyer", parent_id=self.customer.id)
        self.look()
        self.assertEqual(self.told(contact), self.told())
        self.assertEqual(self.told(contact).partner_id, self.customer)

    def test_merged_contacts_are_one(self):
        twin = self.new_customer("Buyer Ltd. (2)", is_company=True)
        self.order({"product_id": self.machine.id, "price_unit": 300}, days_ago=3, partner=twin)
        seen = self.look()
        self.assertTrue(self.env["lifecycle.next.product"].search([("partner_id", "=", twin.id)]))
        self.env["base.partner.merge.automatic.wizard"].create(
            {
                "partner_ids": [Command.set((twin + self.customer).ids)],
                "dst_partner_id": self.customer.id,
            }
        ).action_merge()
        self.env.flush_all()
        self.keep_purchases(self.company, self.today)
        self.look(seen=seen)
        self.assertFalse(self.env["lifecycle.next.product"].search([("partner_id", "=", twin.id)]))
        self.assertIn(self.beans, self.told().product_id)
        self.assertEqual(self.told().filtered("because_product_id").partner_id, self.customer)

    def test_limit_and_order(self):
        other = self.new_customer("Another")
        self.order({"product_id": self.machine.id, "price_unit": 300}, partner=other, days_ago=9)
        for days_ago in (90, 60, 30):
            self.order(
                {"product_id": self.filters.id, "price_unit": 3}, partner=other, days_ago=days_ago
            )
        self.look()
        both = self.told(self.customer + other)
        self.assertEqual(both.partner_id, self.customer + other)
        self.assertGreater(len(self.told(other)), 1)
        for rows in both.grouped("partner_id").values():
            self.assertEqual(rows.mapped("rank"), sorted(rows.mapped("rank")))
        self.assertEqual(len(self.told(limit=1)), 1)

    def test_weighed_goods_are_suggested_as_they_were_bought(self):
        kilo = self.env.ref("uom.product_uom_kgm")
        flour = self.env["product.product"].create(
            {"name": "Flour", "uom_id": kilo.id, "taxes_id": False}
        )
        self.beans.uom_id = self.env.ref("uom.product_uom_unit")
        for days_ago in (90, 60, 30):
            self.order(
                {"product_id": flour.id, "product_uom_qty": 2.5, "price_unit": 2},
                {"product_id": self.filters.id, "product_uom_qty": 1.6, "price_unit": 2},
                days_ago=days_ago,
            )
        self.look()
        quantities = {row.product_id: row.quantity for row in self.told()}
        self.assertEqual(quantities[flour], 2.5)
        self.assertEqual(quantities[self.filters], 2)

    def test_the_model_says_what_it_was_tried_on(self):
        self.look()
        model = self.env["lifecycle.product.model"]._current(self.company)
        # 25 customers are too few
        self.assertEqual(model.tried_count, 0)
        self.assertFalse(model._is_due(self.today))
        self.assertEqual(
            self.env["lifecycle.product.pair"]
            .search(model.action_view_pairs()["domain"])
            .filtered(lambda pair: pair.product_id == self.machine)
            .next_product_id,
            self.beans,
        )

    def test_nothing_bought_nothing_told(self):
        empty = self.new_ledger_company("Empty Works", "USD")
        self.look(company=empty)
        self.assertFalse(self.told(company=empty))
        self.assertFalse(self.env["lifecycle.product.model"]._current(empty))

    def test_night_and_refresh_do_it_by_themselves(self):
        self.env.flush_all()
        self.run_nightly()
        self.assertIn(self.beans, self.told().product_id)
        newcomer = self.new_customer("Comes today")
        self.order({"product_id": self.machine.id, "price_unit": 300}, partner=newcomer)
        self.assertFalse(self.told(newcomer))
        self.run_refresh()
        self.assertIn(self.beans, self.told(newcomer).product_id)


class TestNextProductRights(NextProductCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.own, cls.all_leads, cls.manager = (
            cls.new_user(f"next_{name}", f"sales_team.group_sale_{group}", cls.company)
            for name, group in (
                ("own", "salesman"),
                ("all", "salesman_all_leads"),
                ("manager", "manager"),
            )
        )
        cls.internal = cls.new_user("next_internal", "base.group_user", cls.company)
        cls.customer.user_id = cls.manager

    def seen_by(self, user):
        return (
            self.env["lifecycle.next.product"]
            .with_user(user)
            ._of(self.customer.with_user(user), self.company)
        )

    def test_salespeople_see_their_customers(self):
        self.look()
        self.assertFalse(self.seen_by(self.own))
        for user in (self.all_leads, self.manager):
            self.assertIn(self.beans, self.seen_by(user).product_id)
            self.assertIn("Duo Machine", self.seen_by(user)[0].reason)
        self.customer.user_id = self.own
        self.assertIn(self.beans, self.seen_by(self.own).product_id)
        with self.assertRaises(AccessError):
            self.seen_by(self.internal)

    def test_products_that_a_reader_may_not_see_are_left_out(self):
        self.look()
        self.env["ir.rule"].create(
            {
                "name": "No beans",
                "model_id": self.env["ir.model"]._get_id("product.product"),
                "domain_force": f"[('id', '!=', {self.beans.id})]",
                "groups": [Command.link(self.env.ref("sales_team.group_sale_salesman").id)],
            }
        )
        self.assertNotIn(self.beans, self.seen_by(self.manager).product_id)
        self.assertIn(self.beans, self.told().product_id)

    def test_nobody_writes_them_by_hand(self):
        self.look()
        for name in ("lifecycle.next.product", "lifecycle.product.pair", "lifecycle.product.model"):
            records = self.env[name].with_user(self.manager).search([], limit=1)
            self.assertTrue(records)
            with self.assertRaises(AccessError):
                records.unlink()
            with self.assertRaises(AccessError):
                records.write({"company_id": self.company.id})
            with self.assertRaises(AccessError):
                self.env[name].with_user(self.all_leads).create({"company_id": self.company.id})
        with self.assertRaises(AccessError):
            self.env["lifecycle.product.pair"].with_user(self.all_leads).search([])
