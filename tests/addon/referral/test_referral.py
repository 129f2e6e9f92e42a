from datetime import timedelta

import psycopg2

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import mute_logger

from ..common_referral import ReferralCase


class TestReferralReward(ReferralCase):
    """From the recommendation to the reward: real orders, invoices, payments, credit notes."""

    def test_reward_after_the_first_paid_order(self):
        friend = self.friend()
        referral = self.referral(friend)
        self.assertEqual((referral.state, referral.how), ("joined", "contact"))
        self.follow()
        self.assertEqual(referral.state, "joined")
        order = self.order(100, partner=friend)
        self.follow()
        self.assertEqual((referral.state, referral.order_name), ("ordered", order.name))
        invoice = self.invoice(order)
        self.follow()
        self.assertEqual(referral.state, "ordered", "not paid yet")
        self.pay(invoice)
        self.follow()
        self.assertEqual((referral.state, referral.date_paid), ("waiting", self.today))
        self.assertEqual(referral.date_due, self.today + timedelta(days=14))
        self.wait(referral, 13)
        self.follow()
        self.assertEqual((referral.state, self.rewards()), ("waiting", []))
        self.wait(referral, 1)
        self.follow()
        self.assertEqual((referral.state, self.rewards()), ("rewarded", [(50, 1)]))
        self.assertEqual(referral.card_id.history_ids.issued, 50)
        self.assertEqual(referral.recipient_id, self.ann)

    def test_given_once_whatever_follows(self):
        friend = self.friend()
        self.paid_order(friend)
        self.follow()
        self.wait(self.referral(friend))
        for _time in range(3):
            self.follow()
        self.paid_order(friend, days_ago=5)
        friend.lifecycle_referred_by_id = self.new_customer("Bo", email="bo@example.com")
        friend.lifecycle_referred_by_id = self.ann
        self.follow()
        self.assertEqual(self.rewards(), [(50, 1)])
        self.assertEqual(len(self.env["lifecycle.referral"].search(
            [("friend_id", "=", friend.id)])), 1)

    def test_partly_paid_is_not_paid(self):
        friend = self.friend()
        invoice = self.invoice(self.order(100, partner=friend))
        self.pay(invoice, amount=40)
        self.follow()
        self.assertEqual(self.referral(friend).state, "ordered")
        self.pay(invoice)
        self.follow()
        self.assertEqual(self.referral(friend).state, "waiting")

    def test_a_down_payment_is_not_the_order(self):
        friend = self.friend()
        order = self.order(100, partner=friend)
        self.pay(self.down_payment(order, 30))
        self.follow()
        self.assertEqual(self.referral(friend).state, "ordered")
        self.pay(self.invoice(order))
        self.follow()
        self.assertEqual(self.referral(friend).state, "waiting")

    def test_orders_without_money_earn_nothing(self):
        friend = self.friend()
        self.order(0, partner=friend)
        self.follow()
        self.assertEqual(self.referral(friend).state, "joined")

    def test_paid_online(self):
        friend = self.friend()
        order = self.order(100, partner=friend)
        provider = self.env["payment.provider"].create(
            {"name": "Card", "company_id": self.company.id}
        )
        method = self.env.ref("payment.payment_method_card")
        self.env["payment.transaction"].create(
            {
                "provider_id": provider.id,
                "payment_method_id": method.id,
                "reference": "referral-1",
                "amount": order.amount_total,
                "currency_id": order.currency_id.id,
                "partner_id": friend.id,
                "state": "done",
                "sale_order_ids": order.ids,
            }
        )
        self.follow()
        self.assertEqual(self.referral(friend).state, "waiting")

    # ----- CREDITED -----

    def test_credited_in_full_before_it_matures(self):
        friend = self.friend()
        order = self.paid_order(friend)
        referral = self.referral(friend)
        self.follow()
        self.wait(referral)
        self.credit(order.invoice_ids)
        self.follow()
        self.assertEqual((referral.state, referral.date_paid), ("ordered", False))
        self.assertEqual(self.rewards(), [])
        # a later paid order counts, with waiting days of its own
        later = self.paid_order(friend, days_ago=4)
        self.follow()
        self.assertEqual((referral.state, referral.order_id), ("waiting", later.id))
        self.assertEqual(referral.date_paid, self.today)

    def test_credited_in_part_or_reissued_still_counts(self):
        friend, other = self.friend(), self.friend("Olle Other")
        order = self.order((10, 10), partner=friend)
        invoice = self.invoice(order)
        self.pay(invoice)
        self.credit(invoice, quantities={0: 2})
        again = self.reissue(self.invoice(self.order(100, partner=other)))
        self.pay(again)
        self.follow()
        self.assertEqual(self.referral(friend).state, "waiting")
        self.assertEqual(self.referral(other).state, "waiting")

    def test_cancelled_order(self):
        friend = self.friend()
        order = self.order(100, partner=friend)
        self.follow()
        order._action_cancel()
        self.follow()
        referral = self.referral(friend)
        self.assertEqual((referral.state, referral.order_id), ("joined", 0))

    # ----- WHAT IS GIVEN -----

    def test_points_join_those_that_are_there(self):
        card = self.env["loyalty.card"].create(
            {"program_id": self.points.id, "partner_id": self.ann.id, "points": 7}
        )
        for name in ("One First", "Two Second"):
            friend = self.friend(name)
            self.paid_order(friend)
        self.follow()
        for referral in self.env["lifecycle.referral"].search([("advocate_id", "=", self.ann.id)]):
            self.wait(referral)
        self.follow()
        self.assertEqual((card.points, len(card.history_ids)), (107, 2))

    def test_a_coupon_for_each_friend(self):
        self.program.write({"advocate_program_id": self.coupons.id, "advocate_points": 1})
        for name in ("One First", "Two Second"):
            self.paid_order(self.friend(name))
        self.follow()
        for referral in self.env["lifecycle.referral"].search([("advocate_id", "=", self.ann.id)]):
            self.wait(referral)
        self.follow()
        self.assertEqual(self.rewards(), [(1, 1), (1, 1)])

    def test_the_person_gets_it_not_the_company(self):
        company = self.new_customer("Ann's Firm", is_company=True)
        person = self.new_customer("Ann at work", parent_id=company.id, email="a@firm.example.com")
        friend = self.friend(advocate=person)
        referral = self.referral(friend)
        self.assertEqual((referral.advocate_id, referral.contact_id), (company, person))
        self.paid_order(friend)
        self.follow()
        self.wait(referral)
        self.follow()
        self.assertEqual(self.rewards(person), [(50, 1)])

    def test_archived_programme_is_a_problem_that_is_told_and_tried_again(self):
        other = self.friend("Olle Other")
        friend = self.friend()
        self.paid_order(friend)
        self.follow()
        referral = self.referral(friend)
        self.wait(referral)
        self.points.active = False
        self.follow()
        self.assertEqual(referral.state, "waiting")
        self.assertIn("Points", referral.problem)
        self.assertEqual(self.referral(other).state, "joined")
        self.points.active = True
        self.follow()
        self.assertEqual((referral.state, referral.problem), ("rewarded", False))
        self.assertEqual(self.rewards(), [(50, 1)])

    def test_mail_about_the_reward(self):
        friend = self.friend()
        self.paid_order(friend)
        self.follow()
        self.wait(self.referral(friend))
        self.follow()
        mail = self.env["mail.mail"].search([("model", "=", "lifecycle.referral")])
        self.assertEqual(mail.recipient_ids, self.ann)
        self.assertIn("50", mail.body_html)
        self.assertNotIn("Frida", mail.body_html, "whom he brought is not told")

    def test_mail_is_read_with_the_rights_of_who_has_set_it_up(self):
        manager = self.new_user(
            "ref_manager", "sales_team.group_sale_manager,mail.group_mail_template_editor",
            self.company, email="m@example.com",
        )
        editor = self.new_user(
            "ref_editor", "base.group_user,mail.group_mail_template_editor", self.company
        )
        self.program.with_user(manager).waiting_days = 13
        self.env.flush_all()
        self.env["ir.config_parameter"].set_param("ref.secret", "hidden")
        template = self.program.mail_template_id
        body = (
            "<p><t t-out=\"object.env['ir.config_parameter'].get_param('ref.secret')\"/></p>"
        )
        with self.assertRaises(AccessError):
            template.with_user(editor).body_html = body
        friend = self.friend()
        self.paid_order(friend)
        self.follow()
        self.wait(self.referral(friend))
        self.follow()
        mail = self.env["mail.mail"].search([("model", "=", "lifecycle.referral")])
        self.assertEqual(mail.recipient_ids, self.ann)
        template.body_html = body
        bo = self.friend("Bo Friend")
        self.paid_order(bo)
        self.follow()
        self.wait(self.referral(bo))
        self.follow()
        self.assertEqual(self.referral(bo).state, "waiting")
        self.assertTrue(self.referral(bo).problem)

    def test_no_mail_to_whoever_has_unsubscribed(self):
        self.env["mail.blacklist"]._add(self.ann.email)
        friend = self.friend()
        self.paid_order(friend)
        self.follow()
        self.wait(self.referral(friend))
        self.follow()
        self.assertEqual(self.rewards(), [(50, 1)])
        self.assertFalse(self.env["mail.mail"].search([("model", "=", "lifecycle.referral")]))

    # ----- SETTINGS -----

    def test_without_a_programme_nothing_happens(self):
        self.program.active = False
        friend = self.new_customer("Frida", lifecycle_referred_by_id=self.ann.id)
        self.assertFalse(self.referral(friend))
        self.assertFalse(self.ann.lifecycle_referral_link)
        self.program.active = True
        # what was before is no news
        self.paid_order(friend)
        self.follow()
        self.assertFalse(self.referral(friend))

    def test_archived_programme_finishes_what_is_under_way(self):
        friend = self.friend()
        self.program.active = False
        self.paid_order(friend)
        self.follow()
        self.wait(self.referral(friend))
        self.follow()
        self.assertEqual(self.rewards(), [(50, 1)])

    def test_programmes_that_cannot_work_are_refused(self):
        promotion = self.loyalty("Promo", "promotion", applies_on="current", trigger="auto")
        with self.assertRaises(ValidationError):
            self.program.advocate_program_id = promotion
        with self.assertRaises(ValidationError):
            self.program.friend_program_id = self.points
        other = self.new_ledger_company("Other Ledger", "EUR")
        with self.assertRaises(ValidationError):
            self.program.company_id = other
        for page in ("https://example.com", "//example.com", "/\\example.com"):
            with self.assertRaises(ValidationError):
                self.program.landing_page = page
        with mute_logger("odoo.sql_db"), self.assertRaises(psycopg2.errors.UniqueViolation):
            self.program.copy({"active": True}).flush_recordset()

    def test_only_some_stages_may_recommend(self):
        stage = self.env["lifecycle.stage"].search([], limit=1)
        self.program.stage_ids = stage
        friend = self.new_customer("Frida", lifecycle_referred_by_id=self.ann.id)
        referral = self.referral(friend)
        self.assertEqual((referral.state, referral.reason), ("refused", "not_allowed"))
        self.assertFalse(self.ann.lifecycle_referral_code)
        self.new_order(self.ann, 10, company=self.company)
        self.run_refresh()
        profile = self.profile(self.ann, self.company)
        self.env.cr.execute(
            "UPDATE lifecycle_profile SET stage_id = %s WHERE id = %s", [stage.id, profile.id]
        )
        self.env.invalidate_all()
        other = self.new_customer("Olle", lifecycle_referred_by_id=self.ann.id)
        self.assertEqual(self.referral(other).state, "joined")
        self.assertTrue(self.ann.lifecycle_referral_code)

    # ----- BY HAND -----

    def test_naming_somebody_else_before_the_reward(self):
        friend = self.friend()
        first = self.referral(friend)
        coupon = first.friend_card_id
        bo = self.new_customer("Bo", email="bo@example.com")
        friend.lifecycle_referred_by_id = bo
        self.assertEqual((first.state, first.reason), ("refused", "replaced"))
        second = self.referral(friend)
        self.assertEqual((second.advocate_id, second.state), (bo, "joined"))
        self.assertEqual(second.friend_card_id, coupon, "one welcome for one friend")
        friend.lifecycle_referred_by_id = False
        self.assertEqual((second.state, second.reason), ("refused", "removed"))
        self.assertFalse(coupon.active)
        friend.lifecycle_referred_by_id = self.ann
        self.assertEqual(self.referral(friend).state, "joined")

    def test_managers_refuse_and_accept(self):
        friend = self.friend()
        referral = self.referral(friend)
        referral.action_refuse()
        self.paid_order(friend)
        self.follow()
        self.assertEqual((referral.state, referral.reason), ("refused", "manual"))
        referral.action_accept()
        self.assertEqual(referral.accepted_id, self.env.user)
        self.follow()
        self.wait(referral)
        self.follow()
        self.assertEqual(referral.state, "rewarded")
        with self.assertRaises(UserError):
            referral.action_refuse()

    def test_credit_note_that_does_not_know_the_order(self):
        friend = self.friend()
        invoice = self.invoice(self.order(100, partner=friend))
        refund = self.move("out_refund", 100, partner=friend)
        (invoice | refund).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        ).reconcile()
        self.assertEqual(invoice.payment_state, "reversed")
        self.follow()
        self.assertEqual(self.referral(friend).state, "ordered", "nobody has paid")

    def test_merging_two_friends_rewards_once(self):
        one, two = self.friend("One First"), self.friend("Two Second")
        self.paid_order(one)
        self.follow()
        self.wait(self.referral(one))
        self.follow()
        self.paid_order(two)
        self.env["base.partner.merge.automatic.wizard"]._merge((one | two).ids, two)
        self.follow()
        self.assertEqual(self.rewards(), [(50, 1)])
        referrals = self.env["lifecycle.referral"].search([("friend_id", "=", two.id)])
        self.assertEqual(sorted(referrals.mapped("state")), ["refused", "rewarded"])

    def test_merged_customers_keep_their_codes(self):
        bo = self.new_customer("Bo", email="bo@example.com")
        codes = [self.ann.lifecycle_referral_code, bo.lifecycle_referral_code]
        self.env["base.partner.merge.automatic.wizard"]._merge((self.ann | bo).ids, self.ann)
        self.env.invalidate_all()
        self.assertEqual(self.ann.lifecycle_referral_code, codes[0])
        for code in codes:
            self.assertEqual(self.env["lifecycle.referral.code"]._find(code).partner_id, self.ann)

    # ----- SEEN -----

    def test_on_the_journeys_of_both(self):
        friend = self.friend(days_ago=3)
        self.paid_order(friend, days_ago=2)
        self.follow()
        self.wait(self.referral(friend))
        self.follow()
        self.env.flush_all()
        titles = self.titles(self.ann)
        self.assertIn("Invited: Frida Friend", titles)
        self.assertIn("Reward for a friend: Frida Friend", titles)
        self.assertIn("Recommended by Ann Advocate", self.titles(friend))

    def titles(self, partner):
        journey = self.env["lifecycle.journey"].get_journey(partner.id)
        return [item["title"] for item in journey["items"]]

    def test_buttons_of_the_contact(self):
        friend = self.friend()
        self.assertEqual(self.ann.lifecycle_referral_count, 1)
        domain = self.ann.action_view_lifecycle_referrals()["domain"]
        self.assertEqual(
            self.env["lifecycle.referral"].search(domain), self.referral(friend)
        )
        action = self.ann.action_show_lifecycle_referral_code()
        code = self.env["lifecycle.referral.code"].browse(action["res_id"])
        self.assertEqual(code.name, self.ann.lifecycle_referral_code)
        self.assertTrue(code.link.endswith(f"/invite/{code.name}"))

    def test_link_in_the_delivered_e_mail(self):
        template = self.env.ref("customer_lifecycle.mail_template_advocate")
        body = template._render_field("body_html", self.ann.ids)[self.ann.id]
        self.assertIn(self.ann.lifecycle_referral_link, body)
        self.assertIn(self.ann.lifecycle_referral_code, body)
        self.program.active = False
        self.env.invalidate_all()
        body = template._render_field("body_html", self.ann.ids)[self.ann.id]
        self.assertNotIn("/invite/", body)

    def test_codes_for_many_in_one_statement(self):
        many = self.env["res.partner"].create(
            [{"name": f"Customer {number}"} for number in range(300)]
        )
        self.env.flush_all()
        with self.assertQueryCount(12):
            codes = self.env["lifecycle.referral.code"]._of(many)
        self.assertEqual(len(set(codes.mapped("name"))), 300)
        self.assertEqual(codes.partner_id, many)
        self.assertEqual(self.env["lifecycle.referral.code"]._of(many), codes)
        some = codes[0]
        typed = f" {some.name[:3].lower()}-{some.name[3:]} "
        self.assertEqual(self.env["lifecycle.referral.code"]._find(typed), some)
        self.assertTrue(fields.Datetime.now() >= some.create_date)
