"""Loyalty at the point of sale: conditions, points by tier, company cards, welcome and cards."""

import json
from unittest import SkipTest

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged

from ..common_loyalty import LoyaltyCase

#: sells for 100 to each of some customers at the till, and says what each order would do
SELL = """(async () => {
    const store = posmodel, product = store.models["product.template"].get(%(product)s);
    const seen = {}, orders = {};
    for (const id of %(customers)s) {
        store.addNewOrder();
        const order = (orders[id] = store.getOrder());
        await store.addLineToCurrentOrder({ product_tmpl_id: product, price_unit: 100 }, {}, false);
        if (id) {
            if (!store.models["res.partner"].get(id)) {
                await store.data.read("res.partner", [id]);
            }
            order.setPartner(store.models["res.partner"].get(id));
        }
        const told = await store.activateCode("SPRING");
        await store.orderUpdateLoyaltyPrograms();
        seen[id] = {
            told: told === true ? "" : told,
            total: order.priceIncl,
            points: Object.fromEntries(Object.values(order.uiState.couponPointChanges)
                .filter((one) => one.program_id === %(program)s)
                .map((one) => [one.coupon_id, one.points])),
        };
    }
    const expected = %(expected)s;
    for (const id in expected) {
        if (JSON.stringify(expected[id]) !== JSON.stringify(seen[id])) {
            throw new Error(id + ": " + JSON.stringify(seen[id]));
        }
    }
    for (const id of %(paying)s) {
        orders[id].addPaymentline(store.models["pos.payment.method"].get(%(method)s));
        orders[id].state = "paid";
        await store.syncAllOrders({ orders: [orders[id]], throw: true });
    }
    console.log("test successful");
})()"""


@tagged("standard", "post_install", "-at_install")
class TestPointOfSale(LoyaltyCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "pos_ok" not in cls.env["loyalty.program"]._fields:
            raise SkipTest("Needs the app Point of Sale with loyalty (pos_loyalty).")
        # a chart of accounts, without which no till opens
        cls.env["account.chart.template"].try_loading(
            "generic_coa", company=cls.home, install_demo=False
        )
        cls.journal = cls.env["account.journal"].create(
            {"name": "Till", "type": "cash", "code": "TILL", "company_id": cls.home.id}
        )
        cls.method = cls.env["pos.payment.method"].create(
            {"name": "Cash", "journal_id": cls.journal.id, "company_id": cls.home.id}
        )
        cls.shop = cls.env["pos.config"].create(
            {"name": "Shop", "company_id": cls.home.id,
             "payment_method_ids": [Command.set(cls.method.ids)]}
        )
        cls.clerk = cls.new_user(
            "loyalty_clerk", "base.group_user,point_of_sale.group_pos_user", cls.home,
            password="loyalty_clerk",
        )
        cls.acme = cls.env["res.partner"].create({"name": "Acme", "is_company": True})
        cls.ann = cls.env["res.partner"].create({"name": "Ann", "parent_id": cls.acme.id})
        cls.ben = cls.new_customer("Ben")
        cls.new_profile(cls.acme, vip_tier_id=cls.gold.id)
        cls.new_profile(cls.ben)

    def ask(self, partner=None, user=None):
        programs = self.env["loyalty.program"].with_user(user or self.clerk)
        return programs.lifecycle_pos_customer(self.shop.id, partner.id if partner else 0)

    def test_till_is_told_whose_programs_they_are(self):
        self.program.lifecycle_tier_ids = self.gold
        for partner, refused in ((self.ann, False), (self.acme, False), (self.ben, True)):
            with self.subTest(partner=partner.name):
                self.assertEqual(self.program.id in self.ask(partner)["refused"], refused)
        self.assertIn(self.program.id, self.ask()["refused"], "nobody meets no condition")
        row, = self.program._load_pos_data_read(self.program, self.shop)
        self.assertTrue(row["_lifecycle_restricted"])
        self.program.lifecycle_tier_ids = False
        self.assertNotIn(self.program.id, self.ask()["refused"])
        row, = self.program._load_pos_data_read(self.program, self.shop)
        self.assertFalse(row["_lifecycle_restricted"])

    def test_till_is_told_the_points_of_the_tier(self):
        self.program.lifecycle_multiplier_ids = [
            Command.create({"tier_id": self.gold.id, "factor": 2})
        ]
        self.assertEqual(self.ask(self.ann)["times"], {self.program.id: 2})
        self.assertEqual(self.ask(self.ben)["times"], {})

    def test_till_is_told_the_card_of_the_company(self):
        self.assertEqual(self.ask(self.ann)["cards"], {}, "there is none")
        card = self.new_card(self.acme, 30)
        self.assertEqual(self.ask(self.ann)["cards"], {self.program.id: card.id})
        self.assertEqual(self.ask(self.acme)["cards"], {}, "it finds its own by itself")
        self.new_card(self.ann)
        self.assertEqual(self.ask(self.ann)["cards"], {}, "her own goes before")

    def test_only_those_who_work_at_the_till_may_ask(self):
        user = self.new_user("no_clerk", "base.group_user", self.home)
        with self.assertRaises(AccessError):
            self.ask(self.ann, user)

    def sell(self, expected, paying=()):
        """Let a clerk sell to some customers in the browser.

        :param expected: by customer's id what the till shows; :param paying: those who pay
        """
        self.item.product_tmpl_id.write(
            {"available_in_pos": True, "list_price": 100, "taxes_id": False}
        )
        self.program.lifecycle_multiplier_ids = [
            Command.create({"tier_id": self.gold.id, "factor": 2})
        ]
        self.new_promotion(lifecycle_tier_ids=[Command.link(self.gold.id)])
        self.shop.open_ui()
        self.shop.current_session_id.set_opening_control(0, None)
        self.browser_js(
            f"/pos/ui/{self.shop.id}?from_backend=1",
            SELL
            % {
                "product": self.item.product_tmpl_id.id,
                "program": self.program.id,
                "customers": json.dumps(list(expected)),
                "expected": json.dumps(expected),
                "paying": json.dumps([partner.id for partner in paying]),
                "method": self.method.id,
            },
            ready="typeof posmodel === 'object'",
            login="loyalty_clerk",
            timeout=120,
        )

    def test_till_keeps_to_conditions_and_multiplies(self):
        self.program.lifecycle_tier_ids = self.gold
        card = self.new_card(self.acme, 30)
        refusal = "“Spring offer” is not for this customer."
        nobody = "“Spring offer” is for certain customers only. Choose the customer first."
        self.sell(
            {
                # 90 after the promotion, twice
                self.ann.id: {"told": "", "total": 90, "points": {card.id: 180}},
                self.ben.id: {"told": refusal, "total": 100, "points": {}},
                0: {"told": nobody, "total": 100, "points": {}},
            }
        )

    def test_history_tells_the_factor_of_the_till(self):
        card, plain = self.new_card(self.acme, 30), self.new_card(self.ben)
        refusal = "“Spring offer” is not for this customer."
        self.sell(
            {
                self.ann.id: {"told": "", "total": 90, "points": {card.id: 180}},
                self.ben.id: {"told": refusal, "total": 100, "points": {plain.id: 100}},
            },
            paying=self.ann | self.ben,
        )
        self.env.invalidate_all()
        self.assertEqual((card.points, plain.points), (210, 100))
        line, other = card.history_ids, plain.history_ids
        order = self.env["pos.order"].browse(line.order_id)
        self.assertEqual(order.partner_id, self.ann)
        self.assertEqual(
            (line.issued, line.description),
            (180, f"Order {order.display_name}: points × 2 for Gold Customer"),
        )
        self.assertNotIn("×", other.description)
        # what a till says is believed only where it is so
        programs = self.env["loyalty.program"].with_user(self.clerk)
        line.description = "As it was"
        programs.lifecycle_pos_explain(order.id, {str(self.program.id): 3})
        self.assertEqual(line.description, "As it was")
        user = self.new_user("no_clerk", "base.group_user", self.home)
        with self.assertRaises(AccessError):
            programs.with_user(user).lifecycle_pos_explain(order.id, {str(self.program.id): 2})

    def test_card_made_at_the_counter(self):
        self.program.lifecycle_welcome_points = 25
        ann = self.new_customer("Ann")
        order = self.env["pos.order"]
        answer = order.confirm_coupon_programs(
            {
                -1: {
                    "coupon_id": -1,
                    "program_id": self.program.id,
                    "partner_id": ann.id,
                    "points": 40,
                    "line_codes": [],
                }
            }
        )
        card = self.cards(ann)
        self.assertEqual(len(card), 1)
        self.assertEqual(card.points, 65)
        self.assertTrue(answer["coupon_updates"])
