from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form

from ..common_referral import ReferralCase


class TestReferralGuard(ReferralCase):
    """Nobody is rewarded for himself or for an old customer, and nobody sees what he may not."""

    def assert_refused(self, reason, **values):
        friend = self.new_customer("Frida", lifecycle_referred_by_id=self.ann.id, **values)
        referral = self.referral(friend)
        self.assertEqual((referral.state, referral.reason), ("refused", reason))
        self.assertFalse(referral.friend_card_id, "no welcome coupon either")
        return referral

    # ----- ONESELF -----

    def test_same_customer(self):
        firm = self.new_customer("Firm", is_company=True)
        person = self.new_customer("Person", parent_id=firm.id)
        firm.lifecycle_referred_by_id = person
        self.assertEqual(self.referral(firm).reason, "self")
        with self.assertRaises(UserError):
            self.referral(firm).action_accept()

    def test_same_email(self):
        self.assert_refused("email", email="ANN@Example.com")

    def test_same_email_of_another_contact(self):
        firm = self.new_customer("Firm", is_company=True)
        self.new_customer("Clerk", parent_id=firm.id, email="ann@example.com")
        firm.lifecycle_referred_by_id = self.ann
        self.assertEqual(self.referral(firm).reason, "email")

    def test_mailbox_behind_an_address(self):
        """What follows a plus, capitals, and dots at Google: the same mailbox."""
        cases = [
            ("ann@gmail.com", "ann+friend@gmail.com"),
            ("ann+one@gmail.com", "Ann+Two@GMail.com"),
            ("a.n.n@gmail.com", "ann@googlemail.com"),
            ("ann@example.com", "ann+shop@example.com"),
            ("Ann <ann+a+b@example.com>", "ANN@example.com"),
            ("office@example.com; ann@example.com", "zoe@example.com, ann+2@example.com"),
        ]
        for mine, theirs in cases:
            self.ann.email = mine
            self.assert_refused("email", email=theirs)

    def test_other_mailboxes(self):
        cases = [
            ("ann@gmail.com", "anna@gmail.com"),
            ("a.nn@example.com", "ann@example.com"),
            ("ann@gmail.com", "ann@example.com"),
            ("+ann@example.com", "+zoe@example.com"),
        ]
        for mine, theirs in cases:
            self.ann.email = mine
            friend = self.new_customer(
                "Frida", lifecycle_referred_by_id=self.ann.id, email=theirs
            )
            self.assertEqual(self.referral(friend).state, "joined", theirs)

    def test_code_of_oneself_is_refused_in_words(self):
        self.ann.email = "ann@gmail.com"
        code = self.env["lifecycle.referral.code"]._of(self.ann, create=True)
        friend = self.new_customer("Frida", email="a.n.n+new@gmail.com")
        order = self.env["sale.order"].create(
            {"partner_id": friend.id, "company_id": self.company.id}
        )
        self.assertIn("Same e-mail address", order._try_apply_code(code.name)["error"])

    def test_customer_before_under_another_tag(self):
        before = self.new_customer("Frida", email="frida@gmail.com")
        self.order(50, partner=before, days_ago=9)
        self.assert_refused("bought", email="frida+again@gmail.com")

    def test_same_phone_without_its_country(self):
        self.assert_refused("phone", phone="08-123 456 01")

    def test_same_tax_number_without_its_country(self):
        self.ann.vat = "SE123456789701"
        friend = self.new_customer("Frida", vat="123456789701")
        friend.lifecycle_referred_by_id = self.ann
        self.assertEqual(self.referral(friend).reason, "vat")

    def test_no_tax_number(self):
        self.ann.vat = "/"
        friend = self.new_customer("Frida", vat="/", lifecycle_referred_by_id=self.ann.id)
        self.assertEqual(self.referral(friend).state, "joined")

    def test_same_bank_account(self):
        friend = self.friend()
        self.paid_order(friend)
        self.follow()
        self.wait(self.referral(friend))
        for partner, number in ((self.ann, "SE45 5000 0000"), (friend, "SE4550000000")):
            self.env["res.partner.bank"].create(
                {"partner_id": partner.id, "acc_number": number}
            )
        self.follow()
        self.assertEqual(self.referral(friend).reason, "bank")
        self.assertEqual(self.rewards(), [])

    def test_goods_sent_to_who_recommended(self):
        friend = self.friend()
        order = self.paid_order(friend)
        self.follow()
        self.wait(self.referral(friend))
        order.partner_shipping_id = self.ann
        self.follow()
        self.assertEqual(self.referral(friend).reason, "address")

    # ----- JUDGED AGAIN -----

    def reward_in_a_moment(self):
        friend = self.friend()
        order = self.paid_order(friend)
        self.follow()
        referral = self.referral(friend)
        self.wait(referral)
        return order, referral

    def test_credited_before_the_reward(self):
        order, referral = self.reward_in_a_moment()
        self.credit(order.invoice_ids)
        self.follow()
        self.assertNotEqual(referral.state, "rewarded")
        self.assertEqual(self.rewards(), [])

    def test_archived_before_the_reward(self):
        _order, referral = self.reward_in_a_moment()
        self.ann.action_archive()
        self.follow()
        self.assertEqual(referral.state, "waiting")
        self.assertIn("archived", referral.problem)
        self.ann.action_unarchive()
        self.follow()
        self.assertEqual(referral.state, "rewarded")

    def test_no_said_before_the_mail_leaves(self):
        """The reward is given; the e-mail that waits in the queue is not sent any more."""
        _order, referral = self.reward_in_a_moment()
        self.follow()
        self.assertEqual(referral.state, "rewarded")
        mail = self.env["mail.mail"].search(
            [("model", "=", "lifecycle.referral"), ("res_id", "=", referral.id)]
        )
        self.assertEqual(mail.state, "outgoing")
        self.env["mail.blacklist"]._add(self.ann.email)
        mail.send()
        self.assertEqual(mail.state, "cancel")
        self.assertIn("must not be written", mail.failure_reason)

    def test_reward_mail_to_several_addresses(self):
        """Of two addresses in one field, the one that has said no is left out."""
        self.ann.email = "ann@example.com; anna@example.com"
        _order, referral = self.reward_in_a_moment()
        self.env["mail.blacklist"]._add("anna@example.com")
        self.follow()
        mail = self.env["mail.mail"].search(
            [("model", "=", "lifecycle.referral"), ("res_id", "=", referral.id)]
        )
        [message] = mail._prepare_outgoing_list()
        self.assertEqual(message["email_to_normalized"], ["ann@example.com"])
        self.assertEqual(len(message["email_to"]), 1)

    def test_same_phone(self):
        self.assert_refused("phone", phone="+46812345601")

    def test_same_phone_written_otherwise(self):
        self.assert_refused("phone", phone="46 (8) 123-456 01")

    def test_same_tax_number(self):
        self.ann.write({"vat": "SE123456789701"})
        friend = self.new_customer("Frida", vat="SE 1234 5678 9701")
        friend.lifecycle_referred_by_id = self.ann
        self.assertEqual(self.referral(friend).reason, "vat")

    def test_same_address(self):
        self.assert_refused("address", street="one street  1.", zip="111 11", city="Stockholm")

    def test_same_town_only(self):
        friend = self.new_customer(
            "Frida", lifecycle_referred_by_id=self.ann.id, zip="11111", city="Stockholm"
        )
        self.assertEqual(self.referral(friend).state, "joined")

    def test_found_out_later(self):
        friend = self.friend()
        self.paid_order(friend)
        self.follow()
        referral = self.referral(friend)
        self.wait(referral)
        friend.phone = self.ann.phone
        self.follow()
        self.assertEqual((referral.state, referral.reason), ("refused", "phone"))
        self.assertEqual(self.rewards(), [])
        self.assertFalse(referral.friend_card_id.active)

    def test_colleagues(self):
        self.ann.lifecycle_exclude = True
        self.assert_refused("excluded")

    # ----- OLD CUSTOMERS -----

    def test_bought_before(self):
        friend = self.new_customer("Frida", email="frida@example.com")
        self.order(50, partner=friend, days_ago=1)
        friend.lifecycle_referred_by_id = self.ann
        self.assertEqual(self.referral(friend).reason, "bought")

    def test_bought_before_elsewhere(self):
        friend = self.new_customer("Frida", email="frida@example.com")
        self.new_purchase(friend, 50, days_ago=900, company=self.company)
        friend.lifecycle_referred_by_id = self.ann
        self.assertEqual(self.referral(friend).reason, "bought")

    def test_bought_before_as_a_guest(self):
        guest = self.new_customer("Guest", email="frida@example.com")
        self.order(50, partner=guest, days_ago=100)
        self.assert_refused("bought", email="Frida@example.com")

    def test_asked_before_is_not_bought(self):
        friend = self.new_customer("Frida", email="frida@example.com")
        order = self.new_order(friend, 10, company=self.company, confirm=False)
        friend.lifecycle_referred_by_id = self.ann
        order.action_confirm()
        self.follow()
        self.assertEqual(self.referral(friend).state, "ordered")

    def test_accepted_on_a_managers_responsibility(self):
        referral = self.assert_refused("address", street="One Street 1", zip="11111")
        referral.date = fields.Datetime.now() - timedelta(days=40)
        referral.action_accept()
        self.paid_order(referral.friend_id)
        self.follow()
        self.wait(referral)
        self.follow()
        self.assertEqual((referral.state, self.rewards()), ("rewarded", [(50, 1)]))

    def test_old_customer_who_looks_at_the_cart_again(self):
        friend = self.new_customer("Frida", email="frida@example.com")
        self.order(50, partner=friend, days_ago=1)
        for _look in range(2):
            referral = friend._lifecycle_name_advocate(self.ann, "link")
            self.assertEqual((referral.state, referral.reason), ("refused", "bought"))
            self.assertFalse(friend.lifecycle_referred_by_id)

    # ----- THE FRIEND'S COUPON -----

    def test_welcome_on_the_first_order_only(self):
        friend = self.friend()
        coupon = self.referral(friend).friend_card_id
        self.assertEqual((coupon.partner_id, coupon.points), (friend, 1))
        second = self.new_order(friend, 100, company=self.company, confirm=False)
        first = self.new_order(friend, 100, company=self.company, confirm=False)
        for order in (first, second):
            order._update_programs_and_rewards()
            order._apply_program_reward(self.coupons.reward_ids, coupon)
            self.assertEqual(order.amount_total, 90)
        first.action_confirm()
        self.assertEqual((first.amount_total, coupon.points), (90, 0))
        coupon.points = 1
        second.action_confirm()
        self.assertEqual(second.amount_total, 100, "not on a later order")

    def test_welcome_is_for_the_friend_only(self):
        coupon = self.referral(self.friend()).friend_card_id
        order = self.new_order(self.customer, 100, company=self.company, confirm=False)
        self.assertIn("belongs to Frida Friend", order._try_apply_code(coupon.code)["error"])
        order.applied_coupon_ids = coupon
        order._update_programs_and_rewards()
        self.assertFalse(order.applied_coupon_ids)

    # ----- CODES IN QUOTATIONS -----

    def apply(self, order, code):
        return (
            self.env["sale.loyalty.coupon.wizard"]
            .create({"order_id": order.id, "coupon_code": code})
            .action_apply()
        )

    def test_code_typed_in_a_quotation(self):
        friend = self.new_customer("Frida", email="frida@example.com")
        order = self.new_order(friend, 100, company=self.company, confirm=False)
        code = self.ann.lifecycle_referral_code
        action = self.apply(order, code.lower())
        self.assertEqual(friend.lifecycle_referred_by_id, self.ann)
        referral = self.referral(friend)
        self.assertEqual((referral.state, referral.how), ("joined", "code"))
        self.assertEqual(action["context"]["default_reward_ids"], self.coupons.reward_ids.ids)
        self.assertEqual(order.applied_coupon_ids, referral.friend_card_id)

    def test_code_without_a_welcome(self):
        self.program.friend_program_id = False
        friend = self.new_customer("Frida", email="frida@example.com")
        order = self.new_order(friend, 100, company=self.company, confirm=False)
        action = self.apply(order, self.ann.lifecycle_referral_code)
        self.assertEqual(action["tag"], "display_notification")
        self.assertEqual(self.referral(friend).state, "joined")

    def test_own_code(self):
        order = self.new_order(self.ann, 100, company=self.company, confirm=False)
        with self.assertRaisesRegex(UserError, "The same customer"):
            self.apply(order, self.ann.lifecycle_referral_code)

    def test_second_code(self):
        friend = self.friend()
        bo = self.new_customer("Bo", email="bo@example.com")
        order = self.new_order(friend, 100, company=self.company, confirm=False)
        with self.assertRaisesRegex(UserError, "Somebody else"):
            self.apply(order, bo.lifecycle_referral_code)
        self.assertEqual(friend.lifecycle_referred_by_id, self.ann)

    def test_unknown_codes_are_odoos_business(self):
        order = self.new_order(self.ann, 100, company=self.company, confirm=False)
        with self.assertRaisesRegex(UserError, "invalid"):
            self.apply(order, "BCDFGHJ")

    def test_opportunity_passes_it_on(self):
        lead = self.env["crm.lead"].create(
            {
                "name": "Inquiry",
                "contact_name": "Frida",
                "email_from": "frida@example.com",
                "lifecycle_referred_by_id": self.ann.id,
            }
        )
        lead._handle_partner_assignment(create_missing=True)
        friend = lead.partner_id.commercial_partner_id
        self.assertEqual(friend.lifecycle_referred_by_id, self.ann)
        self.assertEqual((self.referral(friend).state, self.referral(friend).how),
                         ("joined", "lead"))

    # ----- RIGHTS -----

    def test_rights(self):
        seller = self.new_user("referral_seller", "sales_team.group_sale_salesman", self.company)
        manager = self.new_user("referral_manager", "sales_team.group_sale_manager", self.company)
        mine = self.friend(user_id=seller.id)
        other = self.friend("Olle Other", user_id=manager.id)
        (self.referral(mine) | self.referral(other)).advocate_id.user_id = manager
        referrals = self.env["lifecycle.referral"].with_user(seller)
        self.assertEqual(referrals.search([]), self.referral(mine))
        with self.assertRaises(AccessError):
            self.referral(mine).with_user(seller).action_refuse()
        with self.assertRaises(AccessError):
            self.referral(mine).with_user(seller).write({"state": "rewarded"})
        with self.assertRaises(AccessError):
            self.referral(mine).with_user(manager).write({"state": "rewarded"})
        with self.assertRaises(AccessError):
            self.program.with_user(seller).advocate_points = 1000
        self.referral(mine).with_user(manager).action_refuse()
        self.assertEqual(self.referral(mine).state, "refused")
        # salespeople name who recommended, and see the link
        friend = self.env["res.partner"].with_user(seller).create(
            {"name": "New", "lifecycle_referred_by_id": self.ann.id, "email": "n@example.com"}
        )
        self.assertEqual(self.referral(friend).state, "joined")
        self.assertTrue(friend.lifecycle_referral_link)

    def test_quotation_for_a_contact_that_the_seller_may_not_change(self):
        seller = self.new_user("referral_seller", "sales_team.group_sale_salesman", self.company)
        colleague = self.new_user("referral_buyer", "base.group_user", self.company).partner_id
        colleague.lifecycle_referred_by_id = self.ann
        env = self.env(user=seller, context={"allowed_company_ids": self.company.ids})
        with self.assertRaises(AccessError):
            env["res.partner"].browse(colleague.id).lifecycle_referred_by_id = False
        with Form(env["sale.order"]) as form:
            form.partner_id = env["res.partner"].browse(colleague.id)
        self.assertEqual(form.record.partner_id.id, colleague.id)
        self.assertEqual(colleague.lifecycle_referred_by_id, self.ann)

    def test_manager_of_another_company_decides_nothing(self):
        other = self.new_ledger_company("Other Ledger", "EUR")
        clerk = self.new_user("referral_elsewhere", "sales_team.group_sale_manager", other)
        env = self.env(user=clerk, context={"allowed_company_ids": other.ids})
        referral = self.referral(self.friend())
        with self.assertRaises(AccessError):
            env["lifecycle.referral"].browse(referral.id).action_refuse()
        referral.action_refuse()
        with self.assertRaises(AccessError):
            env["lifecycle.referral"].browse(referral.id).action_accept()
        self.assertEqual(referral.state, "refused")

    def test_companies_are_apart(self):
        other = self.new_ledger_company("Other Ledger", "EUR")
        self.assertFalse(self.ann.with_company(other).lifecycle_referral_code)
        friend = self.env["res.partner"].with_company(other).create(
            {"name": "Frida", "lifecycle_referred_by_id": self.ann.id}
        )
        self.assertFalse(self.referral(friend), "no programme in that company")
        friend = self.friend("Olle Other")
        self.order(100, partner=friend, company=other)
        self.follow()
        self.assertEqual(self.referral(friend).state, "joined", "an order elsewhere")
        clerk = self.new_user("referral_elsewhere", "sales_team.group_sale_manager", other)
        env = self.env(user=clerk, context={"allowed_company_ids": other.ids})
        self.assertFalse(env["lifecycle.referral"].search([]))
        self.assertFalse(env["lifecycle.referral.program"].search([]))

    # ----- BRANCHES -----

    def test_programme_of_the_head_office_in_a_branch(self):
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        self.env.user.company_ids |= branch
        friend = self.new_customer("Frida", email="frida@friends.example.com")
        friend.with_company(branch).lifecycle_referred_by_id = self.ann
        referral = self.referral(friend)
        self.assertEqual((referral.company_id, referral.state), (self.company, "joined"))
        referral.date = fields.Datetime.now() - timedelta(days=40)
        order = self.order(100, partner=friend, days_ago=30, company=branch)
        self.follow()
        self.assertEqual((referral.state, referral.order_id), ("ordered", order.id))
        # a customer of a branch is no new one
        old = self.new_customer("Otto", email="otto@friends.example.com")
        self.order(100, partner=old, days_ago=30, company=branch)
        old.lifecycle_referred_by_id = self.ann
        self.assertEqual(self.referral(old).reason, "bought")
