from odoo import Command
from odoo.exceptions import AccessError

from ..common_money import MoneyCase


class TestLoyaltyCost(MoneyCase):
    """What rewards cost: real programmes, orders, invoices and credit notes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # demo programmes that apply by themselves would add rewards of their own
        cls.env["loyalty.program"].search([("company_id", "=", False)]).active = False
        cls.tenth = cls.program(
            "A tenth off", reward_type="discount", discount=10, discount_mode="percent"
        )

    @classmethod
    def program(cls, name, company=None, program_type="promotion", rules=(), **reward):
        """A programme that every order may use."""
        company = company or cls.company
        return cls.env["loyalty.program"].create(
            {
                "name": name,
                "program_type": program_type,
                "applies_on": "current",
                "trigger": "auto",
                "company_id": company.id,
                "currency_id": company.currency_id.id,
                "rule_ids": [Command.create({"reward_point_amount": 1, **dict(rules)})],
                "reward_ids": [Command.create({"required_points": 1, **reward})],
            }
        )

    def rewarded(self, *lines, days_ago=30, **values):
        """A confirmed order whose claimable rewards are claimed by Odoo's own methods."""
        order = self.order(*lines, days_ago=days_ago, **values)
        order.state = "draft"
        order._update_programs_and_rewards()
        for coupon, rewards in order._get_claimable_rewards().items():
            for reward in rewards:
                order._apply_program_reward(reward, coupon)
        self.assertTrue(order.order_line.filtered("is_reward_line"))
        date = order.date_order
        order.action_confirm()
        order.date_order = date
        return order

    def costs(self, company=None, **domain):
        """Costs by programme name."""
        self.env.flush_all()
        rows = self.env["lifecycle.loyalty.cost"].with_company(company or self.company)
        return {
            program.name: cost
            for program, cost in rows._read_group(
                [(name, "=", value) for name, value in domain.items()],
                ["program_id"],
                ["cost:sum"],
            )
        }

    def assert_profile(self, cost, year=None, partner=None):
        self.run_refresh()
        profile = self.profile(partner or self.customer, self.company)
        self.assertEqual(
            (profile.loyalty_cost, profile.loyalty_cost_year),
            (cost, cost if year is None else year),
        )

    # ----- WHAT COUNTS -----

    def test_discount_is_what_it_took_off(self):
        self.rewarded(200, 50)
        self.assertEqual(self.costs(), {"A tenth off": 25})
        self.assert_profile(25)

    def test_who_changes_firm_leaves_the_cost_with_the_firm(self):
        """Where the purchase stays, what was given for it stays as well."""
        old, new = (
            self.new_customer(name, is_company=True) for name in ("Old firm", "New firm")
        )
        buyer = self.new_customer("Buyer", parent_id=old.id)
        self.rewarded(100, partner=buyer)
        before = self.costs(partner_id=old.id)
        self.assertEqual(before, {"A tenth off": 10})
        buyer.parent_id = new
        self.assertEqual(self.costs(partner_id=old.id), before)
        self.assertFalse(self.costs(partner_id=new.id))
        rows = self.env["lifecycle.loyalty.cost"]._rows_sql(self.company, new.ids)
        self.assertFalse(self.env.execute_query(rows))
        rows = self.env["lifecycle.loyalty.cost"]._rows_sql(self.company, old.ids)
        self.assertEqual([row[0] for row in self.env.execute_query(rows)], old.ids)
        self.rewarded(50, partner=buyer)
        self.assertEqual(self.costs(partner_id=new.id), {"A tenth off": 5})

    def test_quotations_and_cancelled_orders_cost_nothing(self):
        order = self.rewarded(200)
        order._action_cancel()
        self.assertEqual(self.costs(), {})
        self.assert_profile(0)

    def test_year_and_ever(self):
        self.rewarded(100, days_ago=400)
        self.rewarded(300, days_ago=5)
        self.assert_profile(40, year=30)
        # what was is forgotten by the night, not by a change
        self.env.cr.execute("UPDATE sale_order SET date_order = date_order - interval '2 years'")
        self.env.invalidate_all()
        self.run_nightly()
        self.assertEqual(self.profile(self.customer, self.company).loyalty_cost_year, 0)
        self.assertEqual(self.profile(self.customer, self.company).loyalty_cost, 40)

    def test_free_product_costs_its_price_without_tax(self):
        tax = self.env["account.tax"].create(
            {
                "name": "Included 25",
                "amount": 25,
                "price_include_override": "tax_included",
                "company_id": self.company.id,
            }
        )
        gift = self.env["product.product"].create(
            {"name": "Mug", "list_price": 125, "taxes_id": tax.ids, "invoice_policy": "order"}
        )
        self.tenth.active = False
        self.program("Free mug", reward_type="product", reward_product_id=gift.id)
        order = self.rewarded(500)
        self.assertEqual(order.amount_untaxed, 500)
        self.assertEqual(self.costs(), {"Free mug": 100})

    def test_discount_is_untaxed(self):
        tax = self.env["account.tax"].create(
            {
                "name": "Included 25",
                "amount": 25,
                "price_include_override": "tax_included",
                "company_id": self.company.id,
            }
        )
        order = self.order(250)
        order.state = "draft"
        order.order_line.tax_ids = tax
        self.assertEqual(order.amount_untaxed, 200)
        order._update_programs_and_rewards()
        ((coupon, rewards),) = order._get_claimable_rewards().items()
        order._apply_program_reward(rewards, coupon)
        order.action_confirm()
        self.assertEqual(self.costs(), {"A tenth off": 20})

    def test_company_currency_at_the_orders_rate(self):
        self.set_rates("EUR", {400: 0.5, 10: 0.8})
        order = self.rewarded(100, currency="EUR", days_ago=30)
        rate = order.currency_rate
        self.assertEqual(order.currency_id.name, "EUR")
        self.assertAlmostEqual(self.costs()["A tenth off"], 10 / rate, places=2)

    def test_gift_cards_and_wallets_are_no_cost(self):
        self.tenth.active = False
        for kind in ("gift_card", "ewallet"):
            program = self.env["loyalty.program"].create(
                {
                    "name": kind,
                    "program_type": kind,
                    "applies_on": "future",
                    "trigger": "auto",
                    "company_id": self.company.id,
                    "currency_id": self.company.currency_id.id,
                    "reward_ids": [
                        Command.create(
                            {
                                "reward_type": "discount",
                                "discount_mode": "per_point",
                                "discount": 1,
                                "required_points": 1,
                            }
                        )
                    ],
                }
            )
            card = self.env["loyalty.card"].with_context(loyalty_no_mail=True).create(
                {"program_id": program.id, "partner_id": self.customer.id, "points": 40}
            )
            order = self.order(100)
            order.state = "draft"
            order.applied_coupon_ids = card
            order._apply_program_reward(program.reward_ids, card)
            self.assertEqual(order.amount_total, 60)
            order.action_confirm()
        self.assertEqual(self.costs(), {})

    def test_prices_of_a_pricelist_are_no_reward(self):
        pricelist = self.env["product.pricelist"].create(
            {
                "name": "VIP",
                "company_id": self.company.id,
                "item_ids": [
                    Command.create(
                        {"applied_on": "3_global", "compute_price": "percentage",
                         "percent_price": 20}
                    )
                ],
            }
        )
        order = self.order(100, pricelist_id=pricelist.id)
        order.order_line.discount = 20
        self.assertEqual(order.amount_untaxed, 80)
        self.assertEqual(self.costs(), {})

    # ----- CREDIT NOTES -----

    def test_full_credit_note_takes_the_cost_back(self):
        invoice = self.invoice(self.rewarded(200))
        self.assertEqual(self.costs(), {"A tenth off": 20})
        self.credit(invoice)
        self.assertEqual(self.costs(), {})
        self.assert_profile(0)

    def test_reissued_invoice_changes_nothing(self):
        self.reissue(self.invoice(self.rewarded(200)))
        self.assertEqual(self.costs(), {"A tenth off": 20})

    def test_credited_free_product_costs_nothing(self):
        gift = self.env["product.product"].create(
            {"name": "Mug", "list_price": 30, "taxes_id": False, "invoice_policy": "order"}
        )
        self.tenth.active = False
        self.program(
            "Free mugs", reward_type="product", reward_product_id=gift.id, reward_product_qty=2
        )
        invoice = self.invoice(self.rewarded(500))
        self.assertEqual(self.costs(), {"Free mugs": 60})
        # one of the two mugs comes back
        place = invoice.invoice_line_ids.filtered(
            lambda line: line.display_type == "product"
        ).mapped("product_id").ids.index(gift.id)
        self.credit(invoice, quantities={place: 1, 1 - place: 0})
        self.assertEqual(self.costs(), {"Free mugs": 30})

    # ----- WHOSE, AND FOR WHOM -----

    def test_contacts_of_a_company_share_its_cost(self):
        person = self.new_customer("Ann", parent_id=self.customer.id)
        self.rewarded(100, partner=person)
        self.rewarded(100)
        self.assertEqual(self.costs(partner_id=self.customer.id), {"A tenth off": 20})
        self.assert_profile(20)
        rows = self.env["lifecycle.loyalty.cost"].search([("program_id", "=", self.tenth.id)])
        self.assertEqual(len(rows), 2)
        self.assertEqual(len(set(rows.ids)), 2)

    def test_companies_are_apart(self):
        other = self.new_ledger_company("Other Ledger", "EUR")
        self.rewarded(100)
        self.assertEqual(self.costs(other), {})
        self.assertEqual(self.tenth.lifecycle_cost, 10)
        self.assertEqual(self.tenth.with_company(other).lifecycle_cost, 0)

    def test_only_managers_see_costs(self):
        self.rewarded(100)
        self.run_refresh()
        seller = self.new_user(
            "cost_seller", "sales_team.group_sale_salesman_all_leads", self.company
        )
        manager = self.new_user("cost_manager", "sales_team.group_sale_manager", self.company)
        profile = self.profile(self.customer, self.company)
        self.assertEqual(profile.with_user(manager).loyalty_cost, 10)
        self.assertEqual(self.customer.with_user(manager).lifecycle_loyalty_cost, 10)
        with self.assertRaises(AccessError):
            profile.with_user(seller).read(["loyalty_cost"])
        with self.assertRaises(AccessError):
            self.customer.with_user(seller).read(["lifecycle_loyalty_cost"])
        with self.assertRaises(AccessError):
            self.env["lifecycle.loyalty.cost"].with_user(seller).search([("cost", ">", 0)])
        names = {chip["name"] for chip in profile.with_user(manager)._overview_chips()}
        self.assertIn("loyalty_cost", names)
        names = {chip["name"] for chip in profile.with_user(seller)._overview_chips()}
        self.assertNotIn("loyalty_cost", names)

    def test_link_from_program_and_profile(self):
        order = self.rewarded(100)
        self.env.flush_all()
        action = self.tenth.action_view_lifecycle_cost()
        row = self.env["lifecycle.loyalty.cost"].search(action["domain"])
        self.assertEqual((row.cost, row.document_name), (10, order.name))
        self.assertEqual(row.action_open_document()["res_id"], order.id)
        self.run_refresh()
        action = self.customer.action_view_lifecycle_loyalty_cost()
        self.assertEqual(self.env["lifecycle.loyalty.cost"].search(action["domain"]), row)

    # ----- SHOPS -----

    def test_rewards_given_in_shops(self):
        if "reward_id" not in self.env.get("pos.order.line", self.env["res.partner"])._fields:
            self.skipTest("Needs the app Point of Sale - Coupons & Loyalty (pos_loyalty).")
        config = self.env["pos.config"].create({"name": "Counter", "company_id": self.company.id})
        session = self.env["pos.session"].create({"config_id": config.id})
        reward = self.tenth.reward_ids
        order = self.env["pos.order"].create(
            {
                "company_id": self.company.id,
                "session_id": session.id,
                "partner_id": self.customer.id,
                "amount_total": 90, "amount_tax": 0, "amount_paid": 90, "amount_return": 0,
                "state": "paid",
                "lines": [
                    Command.create(
                        {"product_id": product.id, "qty": 1, "price_unit": price,
                         "price_subtotal": price, "price_subtotal_incl": price, **more}
                    )
                    for product, price, more in (
                        (self.product, 100, {}),
                        (
                            reward.discount_line_product_id,
                            -10,
                            {"reward_id": reward.id, "is_reward_line": True},
                        ),
                    )
                ],
            }
        )
        self.assertEqual(self.costs(), {"A tenth off": 10})
        given = order.lines.filtered("reward_id")
        order.copy(
            {
                "amount_total": -90, "amount_paid": -90,
                "state": "paid",
                "lines": [
                    Command.create(
                        {"product_id": given.product_id.id, "qty": -1, "price_unit": -10,
                         "price_subtotal": 10, "price_subtotal_incl": 10,
                         "refunded_orderline_id": given.id}
                    )
                ],
            }
        )
        self.assertEqual(self.costs(), {}, "taken off the order that gave it")
