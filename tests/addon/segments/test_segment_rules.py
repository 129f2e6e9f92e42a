"""Rules of segments: which are taken, previewed and counted; segments as filters."""

from datetime import date, timedelta

from odoo.exceptions import ValidationError

from ..common_segments import START, SegmentCase


class TestSegmentRules(SegmentCase):
    # ----- RULES -----

    def test_a_rule_that_cannot_be_evaluated_is_refused(self):
        for domain in ("[('nonsense', '=', 1)]", "order_count > 2", "[('order_count'"):
            with self.assertRaises(ValidationError):
                self.segments.create({"name": "Broken", "domain": domain})

    def test_a_rule_that_looks_at_segments_is_refused(self):
        other = self.new_segment("Other", [])
        for domain in (
            [("segment_ids", "in", other.ids)],
            [("partner_id.lifecycle_segment_ids", "in", other.ids)],
            [("partner_id", "any", [("lifecycle_segment_ids", "in", other.ids)])],
        ):
            with self.assertRaisesRegex(ValidationError, "looks at segments"):
                self.new_segment("Circular", domain)

    def test_a_rule_that_breaks_is_switched_off_and_the_others_go_on(self):
        broken = self.new_segment("Broken", [("order_count", ">=", 1)])
        good = self.new_segment("Good", [("order_count", ">=", 1)])
        profile = self.new_profile("Ann", order_count=1)
        self.classify()
        self.env.cr.execute(
            "UPDATE lifecycle_segment SET domain = %s WHERE id = %s",
            ["[('field_of_a_lost_app', '=', 1)]", broken.id],
        )
        self.env.invalidate_all()
        warnings = self.segments._switch_off_broken()
        self.assertEqual(len(warnings), 1)
        self.assertIn("“Broken” is switched off", warnings[0])
        self.assertTrue(broken.rule_error)
        profile.order_count = 0
        self.classify(START + timedelta(1))
        self.assertEqual(self.members(broken), profile, "members stay as they were")
        self.assertFalse(self.members(good))
        broken.domain = "[('order_count', '>=', 1)]"
        self.assertFalse(broken.rule_error)

    def test_rules_may_look_at_what_is_only_searched(self):
        segment = self.new_segment("Top", [("top_decile", "=", True), ("order_count", ">", 0)])
        best = self.new_profile("Ann", order_count=3, clv_total=9)
        for number in range(5):
            self.new_profile(f"P{number}", order_count=1, clv_total=1)
        self.classify()
        self.assertEqual(self.members(segment), best)
        self.assertEqual(best.transition_ids.why, {"order_count": 3})

    def test_a_proposal_has_no_members(self):
        segment = self.new_segment("Buyers", [("order_count", ">=", 1)])
        proposal = segment.copy({"proposal_of_id": segment.id})
        self.new_profile("Ann", order_count=1)
        self.classify()
        self.assertEqual(segment.member_count, 1)
        self.assertEqual(proposal.member_count, 0)

    def test_the_preview_of_a_changed_rule_is_what_then_happens(self):
        segment = self.new_segment("Buyers", [("order_count", ">=", 1)])
        other = self.new_segment("Others", [("order_count", "=", 0)])
        profiles = [self.new_profile(f"P{n}", order_count=n, clv_total=n) for n in range(5)]
        today = self.company._lifecycle_today()
        self.classify(today)
        proposal = self.segments.browse(segment.action_propose()["res_id"])
        proposal.domain = "['|', ('order_count', '=', 0), ('order_count', '>=', 3)]"
        preview = self.env["lifecycle.rule.preview"].browse(proposal.action_preview()["res_id"])
        self.assertEqual((preview.enter_count, preview.leave_count), (1, 2))
        self.assertEqual(len(segment.member_ids), 4, "a preview changes nothing")
        preview.action_apply()
        self.classify(today, cause="edit")
        self.assertEqual(
            segment.member_ids.profile_id, profiles[0] | profiles[3] | profiles[4]
        )
        self.assertEqual(other.member_ids.profile_id, profiles[0])

    # ----- ON THE SCREEN -----

    def test_the_form_counts_who_meets_the_unsaved_rule(self):
        for number in range(4):
            self.new_profile(f"P{number}", order_count=number, clv_total=10 * number)
        segment = self.segments.new({"name": "New", "domain": "[('order_count', '>=', 2)]"})
        self.assertEqual(
            (segment.match_count, segment.match_share, segment.match_value), (2, 0.5, 50)
        )
        segment.domain = "[('order_count', '>=', 3)]"
        self.assertEqual((segment.match_count, segment.match_value), (1, 30))
        segment.domain = "[('nonsense', '=', 1)]"
        self.assertTrue(segment.match_problem)
        self.assertEqual(segment.match_count, 0)
        self.assertFalse(self.segments.search([]))

    def test_members_by_month_follow_the_history(self):
        segment = self.new_segment("Buyers", [("order_count", ">=", 1)])
        ann = self.new_profile("Ann", order_count=1)
        self.classify(date(2024, 1, 10), cause="initial")
        self.new_profile("Bob", order_count=1)
        self.classify(date(2024, 3, 5))
        ann.order_count = 0
        self.classify(date(2024, 4, 20))
        rows = self.env["lifecycle.segment.month"].search(
            [("segment_id", "=", segment.id), ("month", "<=", "2024-05-01")], order="month"
        )
        self.assertEqual(
            [(row.month.month, row.member_count, row.joined_count, row.left_count) for row in rows],
            [(1, 1, 1, 0), (2, 1, 0, 0), (3, 2, 1, 0), (4, 1, 0, 1), (5, 1, 0, 0)],
        )
        now = self.env["lifecycle.segment.month"].search(
            [("segment_id", "=", segment.id)], order="month desc", limit=1
        )
        self.assertEqual(now.member_count, segment.member_count)

    # ----- AS A FILTER -----

    def test_contacts_orders_and_opportunities_are_found_by_segment(self):
        segment = self.new_segment("Buyers", [("order_count", ">=", 1)])
        ann, bob = self.new_profile("Ann", order_count=1), self.new_profile("Bob")
        person = self.new_customer("Ann's buyer", parent_id=ann.partner_id.id)
        self.classify()
        partners = self.env["res.partner"]
        both = [("id", "in", (ann | bob).partner_id.ids)]
        in_segment = [("lifecycle_segment_ids", "in", segment.ids)]
        self.assertEqual(partners.search(in_segment), ann.partner_id | person)
        self.assertEqual(
            partners.search([*both, ("lifecycle_segment_ids", "not in", segment.ids)]),
            bob.partner_id,
        )
        self.assertEqual(
            partners.search([*both, ("lifecycle_segment_ids", "=", False)]), bob.partner_id
        )
        self.assertEqual(
            partners.search([*both, ("lifecycle_segment_ids", "ilike", "buy")]), ann.partner_id
        )
        self.assertEqual(person.lifecycle_segment_ids, segment)
        order = self.new_order(ann.partner_id, 10, company=self.company, confirm=False)
        lead = self.env["crm.lead"].create(
            {"name": "Deal", "partner_id": ann.partner_id.id, "type": "opportunity"}
        )
        self.assertEqual(self.env["sale.order"].search(in_segment), order)
        self.assertEqual(self.env["crm.lead"].search(in_segment), lead)

    def test_a_segment_is_the_recipients_of_a_mass_message(self):
        segment = self.new_segment("Buyers", [("order_count", ">=", 1)])
        ann = self.new_profile("Ann", order_count=1)
        ann.partner_id.email = "ann@example.com"
        self.new_profile("Bob").partner_id.email = "bob@example.com"
        self.classify()
        composer = self.env["mail.compose.message"].create(
            {
                "composition_mode": "mass_mail",
                "model": "res.partner",
                "res_domain": repr([("lifecycle_segment_ids", "in", segment.ids)]),
                "subject": "News",
                "body": "<p>News</p>",
                "force_send": False,
            }
        )
        mails, _messages = composer._action_send_mail()
        self.assertEqual(mails.recipient_ids | mails.mapped("recipient_ids"), ann.partner_id)

    def test_segments_of_the_present_company_count(self):
        other = self.new_company("Other Segments Ltd")
        segment = self.new_segment("Buyers", [("order_count", ">=", 1)])
        partner = self.new_customer("Ann")
        self.new_profile("Ann", partner=partner, order_count=1)
        self.new_profile("Ann", partner=partner, company=other)
        self.classify()
        self.classify(company=other)
        self.assertEqual(partner.lifecycle_segment_ids, segment)
        there = partner.with_context(allowed_company_ids=other.ids)
        self.assertFalse(there.lifecycle_segment_ids)
        self.assertFalse(
            there.search([("lifecycle_segment_ids", "in", segment.ids)]) & partner
        )
