"""What tiers give, that it is given once, and that only what is ours is taken back."""

from datetime import timedelta
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import HttpCase, tagged

from ..common_tiers import START, BenefitCase


class TestPricelists(BenefitCase):
    def test_a_quotation_has_the_tiers_price_and_loses_it_with_the_tier(self):
        partner = self.vip_customer(is_company=True)
        contact = self.new_customer("Contact", parent_id=partner.id)
        self.assertEqual(self.quotation(contact).order_line.price_unit, 200)
        self.classify(START)
        self.give()
        self.assertEqual(self.specific(partner), self.vip)
        for one in (partner, contact):
            order = self.quotation(one)
            self.assertEqual(order.pricelist_id, self.vip)
            self.assertEqual(order.order_line.price_unit, 180)
        self.leave()
        self.assertFalse(self.specific(partner))
        self.assertFalse(self.profile(partner).vip_pricelist_id)
        self.assertEqual(self.quotation(contact).order_line.price_unit, 200)

    def test_a_pricelist_chosen_by_hand_is_never_touched(self):
        own = self.new_pricelist("Own", 30)
        partner = self.vip_customer()
        partner.specific_property_product_pricelist = own
        self.classify(START)
        self.give()
        self.assertEqual(self.specific(partner), own)
        self.leave()
        self.assertEqual(self.specific(partner), own)

    def test_a_pricelist_changed_by_hand_later_stays_when_the_tier_ends(self):
        own = self.new_pricelist("Own", 30)
        partner = self.vip_customer()
        self.classify(START)
        self.give()
        partner.specific_property_product_pricelist = own
        self.leave()
        self.assertEqual(self.specific(partner), own)

    def test_the_choice_of_a_contact_is_the_companys_and_stays(self):
        own = self.new_pricelist("Own", 30)
        partner = self.vip_customer(is_company=True)
        contact = self.new_customer("Contact", parent_id=partner.id)
        contact.specific_property_product_pricelist = own
        self.classify(START)
        self.give()
        self.assertEqual((self.specific(partner), self.specific(contact)), (own, own))

    def test_promotion_replaces_our_own_pricelist(self):
        better = self.new_pricelist("Better", 20)
        self.new_tier("Platinum", 30, 5000, pricelist_ids=[Command.link(better.id)])
        partner = self.vip_customer()
        self.classify(START)
        self.give()
        self.assertEqual(self.specific(partner), self.vip)
        self.buy(partner, START + timedelta(1), amount=5000)
        self.classify(START + timedelta(1))
        self.give()
        self.assertEqual(self.specific(partner), better)

    def test_no_pricelist_in_the_customers_currency_is_told(self):
        foreign = self.env["res.currency"].with_context(active_test=False).search(
            [("id", "!=", self.company.currency_id.id)], limit=1
        )
        foreign.active = True
        country = self.env.ref("base.jp")
        group = self.env["res.country.group"].create(
            {"name": "Far", "country_ids": [Command.link(country.id)]}
        )
        abroad = self.new_pricelist(
            "Abroad", 0, foreign, country_group_ids=[Command.link(group.id)]
        )
        partner = self.vip_customer(country_id=country.id)
        self.assertEqual(partner.property_product_pricelist, abroad)
        self.classify(START)
        self.give()
        self.assertFalse(self.specific(partner))
        profile = self.profile(partner)
        self.assertIn(foreign.name, profile.vip_problem)
        self.assertEqual(self.gold.problem_count, 1)
        # with one, it is given on demand
        self.gold.pricelist_ids = [Command.link(self.new_pricelist("Far VIP", 15, foreign).id)]
        self.gold.action_give_benefits()
        self.give()
        self.assertEqual(self.specific(partner).name, "Far VIP")
        self.assertFalse(profile.vip_problem)

    def test_the_first_members_get_nothing_until_somebody_says_so(self):
        self.company.lifecycle_tiers_date = False
        partner = self.vip_customer()
        self.classify(START)
        self.give()
        self.assertEqual(self.tier(partner), "Gold")
        self.assertFalse(self.specific(partner))
        self.gold.action_give_benefits()
        self.give()
        self.assertEqual(self.specific(partner), self.vip)

    def test_what_an_edit_leaves_over_is_taken_back_on_demand(self):
        partner = self.vip_customer()
        self.classify(START)
        self.give()
        (self.gold | self.silver).active = False
        self.classify(START, cause="edit")
        self.give()
        self.assertIsNone(self.tier(partner))
        self.assertEqual(self.specific(partner), self.vip)
        self.gold.action_give_benefits()
        self.give()
        self.assertFalse(self.specific(partner))

    def test_the_other_companys_prices_stay_as_they_are(self):
        other = self.new_company("Second Ltd", lifecycle_tz="UTC")
        partner = self.vip_customer()
        self.classify(START)
        self.give()
        there = partner.with_company(other)
        self.assertFalse(there.specific_property_product_pricelist)
        self.assertEqual(self.specific(partner), self.vip)

    def test_a_tiers_pricelist_does_not_become_everybodys(self):
        company = self.new_company("Third Ltd")
        self.env["product.pricelist"].search(
            [("company_id", "in", [company.id, False])]
        ).active = False
        customer = self.new_customer("Nobody special").with_company(company)
        lone = self.env["product.pricelist"].create(
            {"name": "Lone", "company_id": company.id, "currency_id": company.currency_id.id}
        )
        self.assertEqual(customer.property_product_pricelist, lone)
        self.env["lifecycle.vip.tier"].create(
            {
                "name": "Gold",
                "entry": 1,
                "company_id": company.id,
                "pricelist_ids": [Command.link(lone.id)],
            }
        )
        customer.invalidate_recordset()
        self.assertEqual(customer.property_product_pricelist.name, "Standard Prices")

    def test_pricelists_switched_off_are_told(self):
        self.assertFalse(self.gold.benefit_warning)
        with patch.object(
            type(self.env["res.groups"]), "_is_feature_enabled", lambda groups, name: False
        ):
            self.gold.invalidate_recordset()
            self.assertIn("switched off", self.gold.benefit_warning)

    def test_one_pricelist_for_each_currency(self):
        with self.assertRaises(ValidationError), self.cr.savepoint():
            self.gold.pricelist_ids = [Command.link(self.base.id)]

    def test_the_wizard_keeps_the_minimum_margin(self):
        parent = self.env["product.category"].create({"name": "Goods"})
        category = self.env["product.category"].create(
            {"name": "Fine goods", "parent_id": parent.id}
        )
        rich, poor, dear = self.env["product.product"].create(
            [
                {"name": name, "list_price": 100, "standard_price": cost,
                 "categ_id": category.id, "taxes_id": False}
                for name, cost in (("Rich", 40), ("Poor", 70), ("Dear", 95))
            ]
        )
        wizard = self.env["lifecycle.vip.tier.pricelist"].create(
            {
                "tier_id": self.silver.id,
                "min_margin": 20,
                "discount": 5,
                "line_ids": [Command.create({"categ_id": parent.id, "discount": 25})],
            }
        )
        pricelist = self.env["product.pricelist"].browse(wizard.action_make()["res_id"])
        self.assertEqual(self.silver.pricelist_ids, pricelist)
        prices = pricelist._get_products_price(rich | poor | dear | self.product, 1)
        self.assertAlmostEqual(prices[rich.id], 75)
        # 70 of 87.50 is cost: a fifth of the price is left
        self.assertAlmostEqual(prices[poor.id], 87.5, delta=0.02)
        self.assertGreaterEqual(prices[poor.id], 87.5)
        # no discount where the list price is below the margin already
        self.assertAlmostEqual(prices[dear.id], 100)
        self.assertAlmostEqual(prices[self.product.id], 190)
        with self.assertRaises(UserError):
            wizard.action_make()

    def test_a_preview_tells_what_the_prices_would_have_cost(self):
        partner = self.new_customer("Buyer of items")
        order = self.quotation(partner)
        order.order_line.product_uom_qty = 3
        order.action_confirm()
        self.facts(self.company._lifecycle_today())
        cost = self.gold._benefit_cost(self.company, self.profile(partner).ids)
        self.assertAlmostEqual(cost, 60)


class TestShop(BenefitCase):
    def test_a_cart_has_the_tiers_price(self):
        if "website_id" not in self.env["product.pricelist"]._fields:
            self.skipTest("Needs the app eCommerce (website_sale).")
        from odoo.addons.website_sale.tests.common import MockRequest

        website = self.env["website"].create({"name": "Shop", "company_id": self.company.id})
        self.assertIn("web shop", self.gold.benefit_warning)
        self.vip.website_id = website
        self.gold.invalidate_recordset()
        self.assertFalse(self.gold.benefit_warning)
        self.product.website_published = True
        partner = self.vip_customer()
        user = self.new_user(
            "vip_shopper", "base.group_portal", self.company, partner_id=partner.id
        )
        self.classify(START)
        self.give()
        shop = website.with_user(user)
        with MockRequest(shop.env, website=shop):
            cart = shop._create_cart()
            cart._cart_add(product_id=self.product.id)
        self.assertEqual(cart.pricelist_id, self.vip)
        self.assertEqual(cart.order_line.price_unit, 180)


class TestOtherBenefits(BenefitCase):
    def test_merging_two_customers_keeps_what_is_ours_ours(self):
        stays, goes = self.vip_customer("Stays", amount=10), self.vip_customer("Goes")
        self.classify(START)
        self.give()
        self.assertEqual(self.specific(goes), self.vip)
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((stays | goes).ids, stays)
        self.env.invalidate_all()
        self.classify(START)
        self.give()
        self.assertEqual((self.tier(stays), self.specific(stays)), ("Gold", self.vip))
        self.leave()
        self.assertFalse(self.specific(stays))

    def test_benefits_come_once_although_run_twice(self):
        partner = self.vip_customer()
        self.classify(START)
        self.give()
        with patch.object(
            type(self.env["lifecycle.vip.benefit"]), "_process_profile"
        ) as process:
            self.give()
        process.assert_not_called()
        # a person takes the price away: nothing gives it back as long as the tier stays
        partner.specific_property_product_pricelist = False
        self.classify(START + timedelta(1))
        self.give()
        self.assertFalse(self.specific(partner))

    def test_a_crash_between_tier_and_benefit_loses_nothing(self):
        partner = self.vip_customer()
        self.classify(START)
        # the scheduled action dies before it does anything
        with patch.object(
            type(self.env["lifecycle.vip.benefit"]), "_apply", side_effect=KeyboardInterrupt
        ), self.assertRaises(KeyboardInterrupt):
            self.env["lifecycle.vip.benefit"]._process(self.profile(partner).ids)
        self.assertFalse(self.specific(partner))
        self.give()
        self.assertEqual(self.specific(partner), self.vip)

    def test_one_customers_error_costs_the_others_nothing(self):
        bad, good = self.vip_customer("Bad"), self.vip_customer("Good")
        self.classify(START)
        apply = type(self.env["lifecycle.vip.benefit"])._apply

        def broken(benefit, profile):
            if profile.partner_id == bad:
                raise UserError("No such thing")
            return apply(benefit, profile)

        with patch.object(type(self.env["lifecycle.vip.benefit"]), "_apply", broken):
            self.give()
        self.assertEqual(self.specific(good), self.vip)
        self.assertIn("No such thing", self.profile(bad).vip_problem)

    def test_a_failing_announcement_costs_no_benefit(self):
        self.gold.user_id = self.env.user
        partner = self.vip_customer()
        self.classify(START)
        self.profile(partner).vip_review_date = START + timedelta(60)
        with patch.object(
            type(partner), "activity_schedule", side_effect=UserError("No such activity")
        ):
            self.give()
        profile = self.profile(partner)
        self.assertEqual(self.specific(partner), self.vip)
        self.assertEqual((profile.vip_pricelist_id, partner.user_id), (self.vip, self.env.user))
        self.assertIn("No such activity", profile.vip_problem)
        self.assertFalse(self.env["lifecycle.vip.benefit"]._waiting())

    def test_everything_of_ours_is_taken_back_in_the_end(self):
        seller = self.new_user("vip_end", "sales_team.group_sale_salesman", self.company)
        own = self.new_pricelist("Own", 30)
        self.gold.user_id = seller
        ours, theirs = self.vip_customer("Ours"), self.vip_customer("Theirs")
        self.classify(START)
        self.give()
        theirs.specific_property_product_pricelist = own
        self.env["lifecycle.vip.benefit"]._take_back()
        self.assertFalse(self.specific(ours))
        self.assertFalse(ours.user_id)
        self.assertEqual(self.specific(theirs), own)

    def test_a_quotation_says_what_the_next_tier_takes(self):
        partner = self.vip_customer(amount=600)
        self.classify(START)
        with self.on(START):
            order = self.quotation(partner)
            self.assertIn("Silver until", order.vip_hint)
            # 1,000 less the 600 bought and the 200 of the quotation itself
            self.assertIn("200", order.vip_hint)
            self.assertIn("more makes them Gold", order.vip_hint)
            order.order_line.product_uom_qty = 2
            self.assertIn("this quotation makes them Gold", order.vip_hint)


@tagged("standard", "post_install", "-at_install")
class TestPortal(BenefitCase, HttpCase):
    def test_customers_read_their_own_tier_and_nothing_else(self):
        self.gold.public_name = "Friend of the House"
        partner, other = self.vip_customer("Portal", amount=600), self.vip_customer("Other")
        user = self.new_user(
            "vip_portal", "base.group_portal", self.company, password="vip_portal",
            partner_id=partner.id,
        )
        self.classify(START)
        self.give()
        self.authenticate("vip_portal", "vip_portal")
        self.assertNotIn("o_lifecycle_tier", self.url_open("/my").text)
        self.company.lifecycle_tiers_portal = True
        page = self.url_open("/my").text
        self.assertIn("o_lifecycle_tier", page)
        self.assertIn("Silver", page)
        self.assertIn("more to Friend of the House", page)
        self.assertNotIn("Gold", page)
        for model in ("lifecycle.profile", "lifecycle.vip.tier"):
            self.assertFalse(self.env[model].with_user(user).has_access("read"))
        self.assertTrue(self.profile(other).is_vip)
