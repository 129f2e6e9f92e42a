"""A head office and its branches: what holds in them, and what it knows of them."""

from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import UserError

from ..common_loyalty import LoyaltyCase


class TestBranches(LoyaltyCase):
    """The loyalty home with a branch, a branch of the branch, and a company beside it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        companies = cls.env["res.company"]
        cls.home.lifecycle_value = "revenue"
        cls.branch = companies.create({"name": "Branch", "parent_id": cls.home.id})
        cls.twig = companies.create({"name": "Twig", "parent_id": cls.branch.id})
        cls.env.user.company_ids |= cls.branch | cls.twig
        cls.beside = cls.new_company("Beside")
        cls.ann = cls.new_customer("Ann", email="ann@example.com")
        # tiers need customers and a year of history
        for number in range(60):
            cls.new_purchase(cls.new_customer(f"Buyer {number}"), 10, 400, company=cls.home)
        cls.env["res.config.settings"].create({"group_product_pricelist": True}).execute()
        # the companies of other tests and of the demo take their time
        ours = cls.home | cls.branch | cls.twig | cls.beside
        cls.classPatch(
            type(companies),
            "_lifecycle_companies",
            lambda self: self.browse(ours.ids).sudo().filtered("active"),
        )

    def sell_in(self, company, partner, amount, **values):
        order = self.quote(partner, amount, company_id=company.id, **values)
        order.action_confirm()
        return order

    def make_fresh(self):
        """What the scheduled actions do: the night's run, then the queue."""
        self.run_nightly()
        self.run_refresh()

    # ----- FIGURES -----

    def test_head_office_knows_what_its_branches_sold(self):
        self.sell_in(self.home, self.ann, 100)
        self.sell_in(self.branch, self.ann, 200)
        self.sell_in(self.twig, self.ann, 400)
        self.sell_in(self.beside, self.ann, 800)
        self.make_fresh()
        revenues = {
            company: self.profile(self.ann, company).revenue
            for company in self.home | self.branch | self.twig | self.beside
        }
        self.assertEqual(list(revenues.values()), [700, 600, 400, 800])

    def test_order_in_a_branch_makes_its_head_office_fresh(self):
        self.make_fresh()
        self.empty_queue()
        order = self.sell_in(self.twig, self.ann, 400)
        self.assertEqual(
            self.queued() & {(self.ann.id, one.id) for one in self.home | self.branch | self.twig},
            {(self.ann.id, one.id) for one in self.home | self.branch | self.twig},
        )
        self.assertNotIn((self.ann.id, self.beside.id), self.queued())
        self.run_refresh()
        self.assertEqual(self.profile(self.ann, self.home).revenue, 400)
        order._action_cancel()
        self.run_refresh()
        self.assertFalse(self.profile(self.ann, self.home).revenue)
        self.assertFalse(self.profile(self.ann, self.twig).revenue)

    def test_closed_branch_has_sold_what_it_has_sold(self):
        self.sell_in(self.twig, self.ann, 400)
        self.twig.action_archive()
        self.make_fresh()
        self.assertEqual(self.profile(self.ann, self.home).revenue, 400)

    def test_open_quotations_and_prospects(self):
        self.quote(self.ann, 100, company_id=self.branch.id)
        self.make_fresh()
        for company in self.home | self.branch:
            self.assertEqual(self.profile(self.ann, company).open_quotation_count, 1)
        self.assertFalse(self.profile(self.ann, self.twig))

    def test_nobody_is_counted_twice(self):
        self.sell_in(self.branch, self.ann, 200)
        self.make_fresh()
        companies = self.home | self.branch | self.twig
        manager = self.new_user("branches_manager", "sales_team.group_sale_manager", companies)
        both = self.env["lifecycle.profile"].with_user(manager).with_context(
            allowed_company_ids=companies.ids
        )
        domain = [("partner_id", "=", self.ann.id)]
        [group] = both.formatted_read_group(domain, [], ["revenue:sum", "__count"])
        self.assertEqual((group["revenue:sum"], group["__count"]), (200, 1))
        found = both.web_search_read(domain, {"company_id": {}, "revenue": {}})
        self.assertEqual([row["company_id"] for row in found["records"]], [self.home.id])
        self.assertEqual(
            both.web_read_group(domain, ["partner_id"], ["revenue:sum"])["groups"][0][
                "revenue:sum"
            ],
            200,
        )
        # a branch that is looked at alone, or asked for, shows its own
        alone = both.with_context(allowed_company_ids=self.branch.ids)
        self.assertEqual(len(alone.web_search_read(domain, {})["records"]), 1)
        asked = both.web_search_read([*domain, ("company_id", "=", self.branch.id)], {})
        self.assertEqual(len(asked["records"]), 1)

    def test_contact_in_a_branch_where_he_never_bought(self):
        self.sell_in(self.home, self.ann, 200)
        self.make_fresh()
        head = self.profile(self.ann, self.home)
        contact = self.ann.with_context(
            allowed_company_ids=[self.branch.id, self.home.id]
        )
        self.assertEqual(contact.lifecycle_profile_id, head)
        self.assertEqual(
            contact.search([("lifecycle_profile_id.revenue", "=", 200),
                            ("id", "=", self.ann.id)]),
            self.ann,
        )
        only = self.ann.with_context(allowed_company_ids=self.branch.ids)
        only.invalidate_recordset()
        self.assertFalse(only.lifecycle_profile_id)

    def test_settings_of_a_new_branch(self):
        self.home.write({"lifecycle_basis": "invoices", "lifecycle_tz": "Asia/Tokyo"})
        new = self.env["res.company"].create({"name": "New", "parent_id": self.home.id})
        self.assertEqual((new.lifecycle_basis, new.lifecycle_tz), ("invoices", "Asia/Tokyo"))

    # ----- TIERS -----

    def make_gold(self, amount=1200):
        self.sell_in(self.branch, self.ann, amount / 2)
        order = self.sell_in(self.home, self.ann, amount / 2)
        order.date_order = fields.Datetime.now() - timedelta(days=30)
        self.make_fresh()
        profile = self.profile(self.ann, self.home)
        self.assertEqual(profile.vip_tier_id, self.gold)
        return profile

    def test_gold_holds_in_the_branches(self):
        self.make_gold()
        for company in self.branch | self.twig:
            contact = self.ann.with_company(company)
            self.assertEqual(contact.vip_label_id, self.gold, company.name)
            self.assertEqual(
                contact.search([("vip_label_id", "=", self.gold.id)]), self.ann
            )
        self.assertFalse(self.ann.with_company(self.beside).vip_label_id)
        mine = self.profile(self.ann, self.branch)
        self.assertEqual(mine.vip_tier_id, self.gold)
        # one news, one benefit, one member
        moves = self.env["lifecycle.transition"].search(
            [("profile_id.partner_id", "=", self.ann.id), ("kind", "=", "tier")]
        )
        self.assertEqual(moves.profile_id, self.profile(self.ann, self.home))
        self.assertEqual(self.gold.member_count, 1)
        self.assertIn("Loyalty home", mine.vip_why)

    def test_gold_points_in_a_branch(self):
        self.make_gold()
        self.program.lifecycle_multiplier_ids = [
            Command.create({"tier_id": self.gold.id, "factor": 2})
        ]
        card = self.cards(self.ann)
        before = card.points
        self.sell_in(self.branch, self.ann, 100)
        self.assertEqual(card.points - before, 200)
        self.sell_in(self.twig, self.ann, 100)
        self.assertEqual(card.points - before, 400)

    def test_programme_for_gold_in_a_branch(self):
        program = self.new_promotion(lifecycle_tier_ids=self.gold.ids)
        order = self.quote(self.ann, company_id=self.twig.id)
        self.assertIn("error", order._try_apply_code("SPRING"))
        self.make_gold()
        self.assertNotIn("error", order._try_apply_code("SPRING"))
        other = self.quote(self.new_customer("Bob"), company_id=self.twig.id)
        self.assertIn("error", other._try_apply_code("SPRING"))
        self.assertTrue(program)

    def test_stage_of_a_programme_is_that_of_its_company(self):
        """An offer of the head office for new customers is not for its own, seen in a branch."""
        self.sell_in(self.home, self.ann, 100)
        self.quote(self.ann, company_id=self.branch.id)
        self.make_fresh()
        known = self.profile(self.ann, self.branch).stage_id
        self.assertNotEqual(self.profile(self.ann, self.home).stage_id, known)
        self.new_promotion(lifecycle_stage_ids=known.ids)
        order = self.quote(self.ann, company_id=self.branch.id)
        self.assertIn("error", order._try_apply_code("SPRING"))

    def test_own_tiers_of_a_branch(self):
        silver = self.env["lifecycle.vip.tier"].create(
            {"name": "Silver", "rank": 10, "entry": 500, "min_orders": 1,
             "company_id": self.branch.id}
        )
        for number in range(60):
            self.new_purchase(
                self.new_customer(f"Near {number}"), 10, 400, company=self.branch
            )
        self.make_gold()
        self.assertEqual(self.profile(self.ann, self.branch).vip_tier_id, silver)
        self.assertEqual(self.ann.with_company(self.branch).vip_label_id, silver)
        # the nearest one with tiers of its own
        self.assertEqual(self.ann.with_company(self.twig).vip_label_id, silver)
        self.assertEqual(self.ann.with_company(self.home).vip_label_id, self.gold)

    def test_tier_by_hand(self):
        head = self.make_gold()
        mine = self.profile(self.ann, self.branch)
        with self.assertRaisesRegex(UserError, "Loyalty home"):
            mine._set_tier_by_hand(self.gold)
        head._set_tier_by_hand(self.env["lifecycle.vip.tier"])
        self.assertFalse(mine.vip_tier_id)

    def test_prices_in_a_branch(self):
        pricelist = self.env["product.pricelist"].create(
            {"name": "Gold prices", "company_id": False,
             "currency_id": self.home.currency_id.id, "sequence": 9999}
        )
        self.gold.pricelist_ids = pricelist
        self.make_gold()
        # the first evaluation of all is no news
        self.env["lifecycle.vip.benefit"]._request(self.gold)
        self.run_cron("customer_lifecycle.ir_cron_lifecycle_benefits")
        self.assertEqual(self.ann.with_company(self.home).property_product_pricelist, pricelist)
        for company in self.branch | self.twig:
            order = self.quote(self.ann, company_id=company.id)
            self.assertEqual(order.pricelist_id, pricelist)
        self.assertNotEqual(
            self.ann.with_company(self.beside).property_product_pricelist, pricelist
        )

    def test_people_of_a_branch(self):
        """They see the tier, and none of the head office's figures."""
        self.make_gold()
        seller = self.new_user("branch_seller", "sales_team.group_sale_manager", self.branch)
        contact = self.ann.with_user(seller).with_context(
            allowed_company_ids=self.branch.ids
        )
        self.assertEqual(contact.vip_tier_id.name, "Gold")
        self.assertEqual(contact.vip_label_id.name, "Gold")
        self.assertEqual(contact.lifecycle_profile_id.revenue, 600)
        self.assertFalse(
            contact.env["lifecycle.profile"].search(
                [("company_id", "=", self.home.id)]
            )
        )

    def test_portal(self):
        self.make_gold()
        self.home.lifecycle_tiers_portal = True
        user = self.new_user("branch_portal", "base.group_portal", self.branch,
                             partner_id=self.ann.id)
        shown = self.env["res.users"].with_user(user).with_context(
            allowed_company_ids=self.branch.ids
        )._lifecycle_portal_tier()
        self.assertEqual(shown["name"], "Gold Customer")

    # ----- MESSAGES -----

    def test_workflow_of_every_company_enters_a_customer_once(self):
        workflow = self.env["lifecycle.workflow"].new({"name": "Everywhere"})
        companies = workflow._companies()
        self.assertIn(self.home, companies)
        self.assertIn(self.beside, companies)
        self.assertFalse(companies & (self.branch | self.twig))
