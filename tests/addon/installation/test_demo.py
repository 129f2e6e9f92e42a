"""The demo data: two believable years that every screen can show."""

from datetime import date, timedelta

from odoo.addons.customer_lifecycle.demo.customers import CUSTOMERS, PROSPECTS
from odoo.addons.customer_lifecycle.demo.loader import DemoLoader, load

from ..common import LifecycleCase


class TestDemo(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        company = cls.env.ref("base.main_company")
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": company.ids})
        cls.company = company.with_env(cls.env)
        if not cls.company.chart_template:
            cls.env["account.chart.template"].try_loading("generic_coa", company=cls.company)
        cls.mails = cls.env["mail.mail"].search_count([])
        cls.told = cls.env["mail.notification"].search_count([])
        load(cls.env)
        cls.partners = {
            customer.key: cls.env.ref(f"customer_lifecycle.partner_{customer.key}_demo")
            for customer in CUSTOMERS
        }

    def test_loading_tells_nobody(self):
        self.assertEqual(self.env["mail.mail"].search_count([]), self.mails)
        self.assertEqual(self.env["mail.notification"].search_count([]), self.told)

    def test_loading_again_adds_nothing(self):
        before = self.env["sale.order"].search_count([])
        load(self.env)
        self.assertEqual(self.env["sale.order"].search_count([]), before)

    def test_every_record_with_an_id_is_marked_as_demo(self):
        names = self.env["ir.model.data"].search(
            [
                ("module", "=", "customer_lifecycle"),
                ("model", "in", ("res.partner", "product.product", "sale.order", "crm.lead")),
            ]
        ).mapped("name")
        self.assertGreater(len(names), len(CUSTOMERS) + len(PROSPECTS))
        self.assertFalse([name for name in names if not name.endswith("_demo")])

    def test_business_lies_in_the_past_two_years(self):
        orders = self.env["sale.order"].search(
            [("partner_id", "child_of", [one.id for one in self.partners.values()])]
        )
        today = self.company._lifecycle_today()
        self.assertGreater(min(orders.mapped("date_order")).date(), today - timedelta(days=440))
        self.assertLess(max(orders.mapped("date_order")).date(), today)
        imported = self.env["lifecycle.external.purchase"].search(
            [("partner_id", "in", [one.id for one in self.partners.values()])]
        )
        self.assertGreater(min(imported.mapped("date")), today - timedelta(days=735))
        self.assertLess(max(imported.mapped("date")), today - timedelta(days=400))

    def test_same_day_gives_the_same_business(self):
        def business():
            loader = DemoLoader(self.env, date(2031, 5, 14))
            partners = {key: [partner] for key, partner in self.partners.items()}
            return loader._draw_business(partners)

        self.assertEqual(business(), business())

    def test_comparisons_are_answered_after_the_first_computation(self):
        asked = self.env.ref("customer_lifecycle.comparison_prices_demo") | self.env.ref(
            "customer_lifecycle.comparison_loyalty_demo"
        )
        self.run_cron("customer_lifecycle.ir_cron_lifecycle_comparison")
        self.assertEqual(set(asked.mapped("state")), {"waiting"})
        self.run_nightly()
        self.run_cron("customer_lifecycle.ir_cron_lifecycle_comparison")
        self.assertEqual(set(asked.mapped("state")), {"done"})
        self.assertEqual(asked[0].outcome, "open")
        self.assertTrue(asked[0].chart)
        self.assertIn("a year earlier", asked[0].verdict)
        self.assertEqual(asked[1].outcome, "few")

    def test_every_kind_of_customer_has_something_to_show(self):
        self.run_nightly()
        self.assertTrue(self.env["lifecycle.clv.model"]._current(self.company).sufficient)
        profiles = {
            key: self.profile(partner, self.company) for key, partner in self.partners.items()
        }
        by_rhythm = {}
        for customer in CUSTOMERS:
            by_rhythm.setdefault(customer.rhythm, []).append(profiles[customer.key])
        for rhythm, ones in by_rhythm.items():
            with self.subTest(rhythm=rhythm):
                self.assertTrue(all(one.order_count and one.predicted for one in ones))
        best = max(profiles.values(), key=lambda one: one.clv_historical)
        self.assertEqual(best.partner_id, self.partners["grand_alpine"])
        for one in by_rhythm["once"] + by_rhythm["new"]:
            self.assertEqual(one.order_count, 1)
        for one in by_rhythm["monthly"]:
            self.assertAlmostEqual(one.order_interval, 30, delta=4)
        lost = max(one.p_alive for one in by_rhythm["lost"])
        regular = min(one.p_alive for one in by_rhythm["monthly"])
        self.assertLess(lost, 0.3)
        self.assertGreater(regular, 0.7)
        for key, *_rest in PROSPECTS:
            prospect = self.env.ref(f"customer_lifecycle.partner_{key}_demo")
            self.assertEqual(self.profile(prospect, self.company).order_count, 0)
            self.assertTrue(self.profile(prospect, self.company).active)

    def test_every_stage_has_members(self):
        self.run_nightly()
        members = dict(
            self.env["lifecycle.profile"]._read_group(
                [("company_id", "=", self.company.id)], ["stage_id"], ["__count"]
            )
        )
        for stage in self.env["lifecycle.stage"].search([("id", ">", 0)]):
            with self.subTest(stage=stage.name):
                self.assertGreater(members.get(stage, 0), 0)

    def test_every_vip_tier_has_members(self):
        self.run_nightly()
        tiers = self.env["lifecycle.vip.tier"].search([("company_id", "=", self.company.id)])
        self.assertEqual(len(tiers), 3)
        for tier in tiers:
            with self.subTest(tier=tier.name):
                self.assertFalse(tier.inactive_reason)
                self.assertGreater(tier.member_count, 0)

    def test_loyalty_has_cost_something(self):
        self.run_nightly()
        program = self.env.ref("customer_lifecycle.loyalty_program_demo")
        costs = self.env["lifecycle.loyalty.cost"].search([("program_id", "=", program.id)])
        self.assertGreaterEqual(len(costs), 4)
        for cost in costs:
            with self.subTest(customer=cost.partner_id.name):
                self.assertGreater(cost.cost, 0)
                profile = self.profile(cost.partner_id, self.company)
                self.assertGreaterEqual(profile.loyalty_cost, cost.cost)
        rewards = self.env["sale.order.line"].search(
            [("reward_id", "in", program.reward_ids.ids), ("order_id.state", "=", "sale")]
        ).reward_id
        self.assertEqual(rewards, program.reward_ids, "a discount and a free product")
        for card in program.coupon_ids:
            lines = card.history_ids
            self.assertAlmostEqual(
                sum(lines.mapped("issued")) - sum(lines.mapped("used")), card.points, 2
            )

    def test_credit_notes_of_every_kind_are_there(self):
        partners = [one.id for one in self.partners.values()]
        moves = self.env["account.move"].search([("partner_id", "child_of", partners)])
        credit_notes = moves.filtered(lambda move: move.move_type == "out_refund")
        self.assertFalse(moves.filtered(lambda move: move.state != "posted"))
        self.assertEqual(len(credit_notes), 4)
        whole = credit_notes.filtered(
            lambda move: move.amount_untaxed == move.reversed_entry_id.amount_untaxed
        )
        self.assertEqual(len(whole), 2)
        self.assertEqual(len(credit_notes.filtered(lambda move: not move.reversed_entry_id)), 1)

    def test_money_spent_lies_in_the_past_and_has_channels(self):
        spendings = self.env["lifecycle.spending"].search([("company_id", "=", self.company.id)])
        self.assertLessEqual(max(spendings.mapped("date_from")), self.company._lifecycle_today())
        self.assertEqual(set(spendings.mapped("purpose")), {"getting", "keeping", "both"})
        orders = self.env["sale.order"].search(
            [("partner_id", "child_of", [one.id for one in self.partners.values()])]
        )
        for source in spendings.source_id:
            self.assertIn(source, orders.source_id)
        self.assertGreater(len(spendings.source_id), 2)
