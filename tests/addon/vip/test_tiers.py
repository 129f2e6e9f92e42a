"""VIP tiers: who enters, who keeps, who is about to leave and who leaves, and why."""

from datetime import date, timedelta

from odoo.exceptions import AccessError, UserError, ValidationError

from ..common_tiers import START, TierCase


class TestTiers(TierCase):
    def test_evaluating_again_changes_and_records_nothing(self):
        tier = self.new_tier(grace_days=0, drop_to="down")
        self.new_tier("Silver", 10, 500, grace_days=0)
        partner = self.new_customer("Once")
        self.buy(partner, START, amount=1500)
        self.begin()
        self.assertEqual(self.profile(partner).vip_tier_id, tier)
        later = START + timedelta(400)
        self.assertEqual(self.classify(later)[0], 1)
        # one tier down and no further, however often the same day is evaluated
        self.assertEqual(self.classify(later), (0, []))
        self.assertEqual(self.tier(partner), "Silver")
        self.assertEqual(self.classify(later + timedelta(1))[0], 1)
        self.assertIsNone(self.tier(partner))

    def test_a_tier_is_kept_between_the_two_thresholds(self):
        tier = self.new_tier()
        partner = self.new_customer("Keeps")
        self.buy(partner, START - timedelta(300), amount=200)
        self.buy(partner, START, amount=850)
        self.begin()
        self.assertEqual(self.profile(partner).vip_tier_id, tier)
        # 850 is less than what it takes to enter, and more than what it takes to stay
        self.classify(START + timedelta(100))
        profile = self.profile(partner)
        self.assertEqual(profile.vip_tier_id, tier)
        self.assertFalse(profile.vip_review_date)
        newcomer = self.new_customer("Newcomer")
        self.buy(newcomer, START + timedelta(100), amount=850)
        self.classify(START + timedelta(100))
        self.assertIsNone(self.tier(newcomer))

    def test_a_drop_is_announced_and_an_order_in_time_averts_it(self):
        self.new_tier()
        partner = self.new_customer("Slips")
        self.buy(partner, START, amount=1500)
        self.begin()
        gone = START + timedelta(365)
        self.classify(gone)
        profile = self.profile(partner)
        self.assertEqual(profile.vip_review_date, gone + timedelta(60))
        self.assertEqual(self.tier(partner), "Gold")
        self.buy(partner, gone + timedelta(30), amount=900)
        self.classify(gone + timedelta(30))
        self.assertFalse(profile.vip_review_date)
        self.classify(gone + timedelta(61))
        self.assertEqual(self.tier(partner), "Gold")

    def test_a_credit_note_lowers_the_value_and_is_named(self):
        seller = self.new_user("tier_seller", "sales_team.group_sale_salesman", self.company)
        self.new_tier()
        partner = self.new_customer("Returns", user_id=seller.id)
        self.buy(partner, START, amount=1200)
        self.begin()
        returned = self.buy(partner, START + timedelta(20), amount=-600)
        returned.reference = "RINV/12"
        self.classify(START + timedelta(20))
        profile = self.profile(partner)
        self.assertEqual(profile.vip_review_date, START + timedelta(80))
        with self.on(START + timedelta(20)):
            cause = profile._vip_cause()
            self.give()
            self.give()
        self.assertIn("Credit note", cause)
        self.assertIn("600", cause)
        activity = partner.activity_ids
        self.assertEqual((len(activity), activity.user_id), (1, seller))
        # every colleague who may open the contact reads the activity: no figures
        self.assertNotIn("00", activity.note)
        with self.on(START + timedelta(20)):
            why = profile.with_user(seller).vip_why
        self.assertIn("600", why)
        # what keeps the tier: 80 % of 1,000 less the 600 that are left
        self.assertIn("200", why)
        self.assertFalse(self.env["mail.mail"].search([("recipient_ids", "in", partner.ids)]))
        # good again: nobody needs to call
        self.buy(partner, START + timedelta(30), amount=900)
        self.classify(START + timedelta(30))
        self.give()
        self.assertFalse(partner.activity_ids)

    def test_orders_that_left_the_window_are_named(self):
        self.new_tier()
        partner = self.new_customer("Quiet")
        self.buy(partner, START, amount=1200)
        self.begin()
        day = START + timedelta(365)
        self.classify(day)
        with self.on(day):
            self.assertIn("no longer in the last 12 months", self.profile(partner)._vip_cause())

    def test_one_lucky_order_makes_nobody_a_vip(self):
        self.new_tier(min_orders=2)
        partner = self.new_customer("Lucky")
        self.buy(partner, START, amount=5000)
        self.begin()
        self.assertIsNone(self.tier(partner))
        self.buy(partner, START + timedelta(5), amount=1)
        self.classify(START + timedelta(5))
        self.assertEqual(self.tier(partner), "Gold")

    def test_a_calendar_year_counts_to_the_end_of_the_next(self):
        self.new_tier(term="calendar", grace_days=60)
        partner = self.new_customer("By year")
        self.buy(partner, date(2024, 2, 1), amount=1500)
        self.begin()
        self.assertEqual(self.tier(partner), "Gold")
        with self.on(START):
            self.assertEqual(self.profile(partner)._vip_until(), date(2025, 12, 31))
        self.classify(date(2025, 12, 31))
        self.assertFalse(self.profile(partner).vip_review_date)
        self.classify(date(2026, 1, 1))
        self.assertEqual(self.profile(partner).vip_review_date, date(2026, 3, 2))
        self.classify(date(2026, 3, 2))
        self.assertIsNone(self.tier(partner))

    def test_other_measures(self):
        partner = self.new_customer("Measured")
        self.buy(partner, START - timedelta(700), amount=900)
        self.buy(partner, START - timedelta(10), START, amount=50)
        for measure, values, expected in (
            ("orders", {"entry_orders": 2}, "Gold"),
            ("orders", {"entry_orders": 3}, None),
            ("earned", {"entry": 1000}, "Gold"),
            ("total", {"entry": 1001}, None),
            ("margin", {"entry": 100}, "Gold"),
        ):
            with self.subTest(measure=measure), self.cr.savepoint() as savepoint:
                self.new_tier(measure=measure, **values)
                self.begin()
                self.assertEqual(self.tier(partner), expected)
                savepoint.rollback()
                self.env.invalidate_all()

    def test_below_fifty_buyers_or_a_year_nothing_is_active(self):
        small = self.new_company("Small Ltd", lifecycle_tz="UTC")
        tier = self.env["lifecycle.vip.tier"].create(
            {"name": "Gold", "entry": 10, "min_orders": 0, "company_id": small.id}
        )
        self.assertIn("50", tier.inactive_reason)
        self.assertIn("50", self.env["lifecycle.vip.tier"]._why_inactive(small, START))
        self.facts(START)
        self.assertFalse(tier._why_inactive(self.company, START))
        # the same buyers, a year earlier: the history is too short
        self.assertIn("12 months", tier._why_inactive(self.company, START - timedelta(500)))
        self.new_tier(entry=1, min_orders=0)
        self.assertEqual(self.classify(START - timedelta(500)), (0, []))
        self.assertFalse(self.env["lifecycle.profile"].search([("vip_tier_id", "!=", False)]))
        wizard = self.env["lifecycle.vip.tier.suggestion"].create({"company_id": small.id})
        self.assertFalse(wizard.line_ids)
        with self.assertRaises(UserError):
            wizard.action_accept()

    def test_suggested_amounts_are_rounded_shares_of_the_past_year(self):
        partners = self.env["res.partner"].create([{"name": f"R{i}"} for i in range(100)])
        for number, partner in enumerate(partners, 1):
            self.buy(partner, START - timedelta(5), START - timedelta(50), amount=number * 61.7)
        self.facts(START)
        with self.on(START):
            wizard = self.env["lifecycle.vip.tier.suggestion"].create(
                {"company_id": self.company.id}
            )
            # the fifth of a hundred: 2 × 96 × 61.70 = 11,846; the twentieth: 9,995
            self.assertEqual(
                [(line.name, line.entry) for line in wizard.line_ids],
                [("Gold", 12000), ("Silver", 10000)],
            )
            self.assertEqual(wizard.line_ids.mapped("member_count"), [3, 16])
            self.assertFalse(self.env["lifecycle.vip.tier"].search([]))
            wizard.line_ids[1].entry = 9000
            wizard.action_accept()
        tiers = self.env["lifecycle.vip.tier"].search([("company_id", "=", self.company.id)])
        self.assertEqual(tiers.mapped("entry"), [12000, 9000])
        self.assertEqual(tiers.mapped("keep"), [9600, 7200])
        self.assertFalse(tiers.pricelist_ids)
        self.begin()
        self.assertEqual(tiers[0].member_count, 3)

    def test_the_first_evaluation_is_history_and_later_ones_are_news(self):
        self.new_tier()
        partner = self.new_customer("Early")
        self.buy(partner, START, amount=1500)
        self.begin()
        change = self.profile(partner).transition_ids.filtered(lambda one: one.kind == "tier")
        self.assertEqual(change.cause, "initial")
        self.assertEqual(self.profile(partner).vip_applied_tier_id.name, "Gold")
        later = self.new_customer("Later")
        self.buy(later, START + timedelta(1), amount=1500)
        self.classify(START + timedelta(1))
        self.assertEqual(self.profile(later).transition_ids[:1].cause, "rule")
        self.assertFalse(self.profile(later).vip_applied_tier_id)
        why = self.profile(later).transition_ids[:1].why_text
        for part in ("1,500", "in the last 12 months; Gold from", "1,000"):
            self.assertIn(part, why)

    def test_a_tier_set_by_hand_holds_until_its_day(self):
        gold = self.new_tier()
        partner = self.new_customer("Friend")
        self.buy(partner, START, amount=10)
        self.begin()
        profile = self.profile(partner)
        with self.on(START):
            profile._set_tier_by_hand(gold, "Friend of the house", START + timedelta(30))
        self.classify(START + timedelta(30))
        self.assertEqual(self.tier(partner), "Gold")
        self.assertFalse(profile.vip_review_date)
        with self.on(START + timedelta(30)):
            self.assertIn("Friend of the house", profile.vip_why)
        # afterwards the rules speak, and they announce what they do
        self.classify(START + timedelta(31))
        self.assertEqual(profile.vip_review_date, START + timedelta(91))
        self.classify(START + timedelta(91))
        self.assertIsNone(self.tier(partner))

    def test_no_tier_can_be_held_too(self):
        self.new_tier()
        partner = self.new_customer("Unwanted")
        self.buy(partner, START, amount=1500)
        self.begin()
        profile = self.profile(partner)
        with self.on(START):
            profile._set_tier_by_hand(profile.vip_tier_id.browse(), "Does not pay")
        self.classify(START + timedelta(5))
        self.assertIsNone(self.tier(partner))
        with self.on(START + timedelta(5)):
            profile.action_release_tier()
        self.assertEqual(self.tier(partner), "Gold")

    def test_salespeople_set_tiers_of_their_customers_and_edit_none(self):
        gold = self.new_tier()
        seller = self.new_user("vip_seller", "sales_team.group_sale_salesman", self.company)
        mine = self.new_customer("Mine", user_id=seller.id)
        foreign = self.new_customer("Foreign", user_id=self.env.user.id)
        self.buy(mine | foreign, START, amount=10)
        self.begin()
        wizard = (
            self.env["lifecycle.vip.tier.hold"]
            .with_user(seller)
            .with_context(default_profile_ids=self.profile(mine).ids)
            .create({"tier_id": gold.id, "reason": "Promised"})
        )
        wizard.action_apply()
        self.assertEqual(self.tier(mine), "Gold")
        change = self.profile(mine).transition_ids[:1]
        self.assertEqual((change.user_id, change.cause), (seller, "person"))
        with self.assertRaises(AccessError):
            self.profile(foreign).with_user(seller).write({"vip_tier_id": gold.id})
        with self.assertRaises(AccessError):
            self.profile(mine).with_user(seller).write(
                {"vip_tier_id": gold.id, "vip_pricelist_id": 1}
            )
        with self.assertRaises(AccessError):
            gold.with_user(seller).entry = 1

    def test_another_companys_tier_is_refused(self):
        other = self.new_company("Elsewhere")
        foreign = self.new_tier(company_id=other.id)
        partner = self.new_customer("Here")
        self.buy(partner, START, amount=10)
        self.begin()
        with self.assertRaises(UserError):
            self.profile(partner)._set_tier_by_hand(foreign)

    def test_an_archived_tier_lets_its_members_go(self):
        gold, silver = self.new_tier(), self.new_tier("Silver", 10, 500)
        partner = self.new_customer("Member")
        self.buy(partner, START, amount=1500)
        self.begin()
        gold.active = False
        self.classify(START, cause="edit")
        self.assertEqual(self.profile(partner).vip_tier_id, silver)
        silver.active = False
        self.classify(START, cause="edit")
        self.assertIsNone(self.tier(partner))

    def test_an_edit_that_averts_a_drop_closes_its_activity(self):
        gold = self.new_tier(user_id=self.env.user.id)
        partner = self.new_customer("Saved")
        self.buy(partner, START, amount=1200)
        self.begin()
        day = START + timedelta(365)
        self.classify(day)
        self.give()
        self.assertEqual(len(partner.activity_ids), 1)
        gold.active = False
        self.classify(day, cause="edit")
        self.give()
        self.assertFalse(self.profile(partner).vip_review_date)
        self.assertFalse(partner.activity_ids)

    def test_a_contact_that_is_no_customer_is_no_vip(self):
        self.new_tier()
        partner = self.new_customer("Excluded")
        self.buy(partner, START, amount=1500)
        self.begin()
        partner.lifecycle_exclude = True
        self.classify(START)
        profile = self.profile(partner)
        self.assertFalse(profile.vip_tier_id)
        self.assertIn("No longer a customer", profile.transition_ids[:1].why_text)

    def test_senseless_tiers_are_refused(self):
        for values in ({"entry": 0}, {"entry": -5}, {"measure": "orders", "entry_orders": 0}):
            with self.assertRaises(ValidationError), self.cr.savepoint():
                self.new_tier(**values)

    def test_the_contact_knows_its_tier_and_can_be_found_by_it(self):
        gold = self.new_tier()
        partner = self.new_customer("Known", is_company=True)
        child = self.new_customer("Child", parent_id=partner.id)
        self.buy(partner, START, amount=1500)
        self.begin()
        self.env.invalidate_all()
        both = partner | child
        self.assertEqual(both.mapped("vip_tier_id"), gold)
        self.assertEqual(both.mapped("is_vip"), [True, True])
        found = self.env["res.partner"].search([("is_vip", "=", True), ("id", "in", both.ids)])
        self.assertEqual(found, both)
        groups = self.env["sale.order"]._read_group(
            [("partner_id", "in", both.ids)], ["vip_tier_id"], ["__count"]
        )
        self.assertEqual(groups, [])
        self.new_order(child, 5, company=self.company)
        groups = self.env["sale.order"]._read_group(
            [("partner_id", "in", both.ids)], ["vip_tier_id"], ["__count"]
        )
        self.assertEqual(groups, [(gold, 1)])

    def test_a_preview_foresees_what_a_lower_threshold_does(self):
        gold = self.new_tier()
        partner = self.new_customer("Nearly")
        self.buy(partner, START, amount=700)
        self.begin()
        gold.action_propose()
        proposal = self.env["lifecycle.vip.tier"].with_context(active_test=False).search(
            [("proposal_of_id", "=", gold.id)]
        )
        proposal.entry = 600
        with self.on(START):
            preview = self.env["lifecycle.rule.preview"].browse(
                proposal.action_preview()["res_id"]
            )
        self.assertEqual((preview.enter_count, preview.leave_count), (1, 0))
        self.assertIsNone(self.tier(partner))
        proposal._apply_proposal()
        self.classify(START, cause="edit")
        self.assertEqual(self.tier(partner), "Gold")
        self.assertEqual(self.profile(partner).transition_ids[:1].cause, "edit")
