from datetime import date, timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError, ValidationError

from .common import LifecycleCase

START = date(2024, 1, 10)


class TestSegments(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("Segments Ltd")
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": cls.company.ids}
        )
        # none but this test's own
        cls.env["lifecycle.segment"].search([("id", ">", 0)]).unlink()
        cls.classifier = cls.env["lifecycle.classifier"]
        cls.segments = cls.env["lifecycle.segment"]
        cls.belgium = cls.env.ref("base.be")
        cls.france = cls.env.ref("base.fr")

    def new_segment(self, name, domain, **values):
        return self.segments.create({"name": name, "domain": repr(domain), **values})

    def new_profile(self, name, company=None, partner=None, **values):
        partner = partner or self.new_customer(name)
        company = company or self.company
        return self.env["lifecycle.profile"].sudo().create(
            {
                "partner_id": partner.id,
                "company_id": company.id,
                "currency_id": company.currency_id.id,
                **values,
            }
        )

    def classify(self, today=START, company=None, **options):
        result = self.classifier._classify_segments(company or self.company, today, **options)
        self.env.invalidate_all()
        return result

    def history(self, profile, segment):
        moves = profile.transition_ids.filtered(lambda move: move.segment_id == segment)
        return [
            (move.number, move.joined, move.date, move.cause, move.days_before)
            for move in moves.sorted("number")
        ]

    def members(self, segment):
        return segment.member_ids.profile_id

    # ----- MEMBERS -----

    def test_members_join_leave_and_rejoin_with_a_numbered_history(self):
        segment = self.new_segment("Buyers", [("order_count", ">=", 2)])
        profile = self.new_profile("Ann", order_count=2)
        self.assertEqual(self.classify()[0], 1)
        self.assertEqual(profile.segment_ids, segment)
        self.assertEqual(segment.member_ids.since, START)
        profile.order_count = 1
        self.classify(START + timedelta(7))
        self.assertFalse(profile.segment_ids)
        profile.order_count = 3
        self.classify(START + timedelta(9))
        self.assertEqual(profile.segment_ids, segment)
        self.assertEqual(
            self.history(profile, segment),
            [
                (1, True, START, "rule", 0),
                (2, False, START + timedelta(7), "rule", 7),
                (3, True, START + timedelta(9), "rule", 0),
            ],
        )
        last = profile.transition_ids.sorted("number")[-1]
        self.assertEqual(last.why, {"order_count": 3})

    def test_classifying_twice_changes_nothing(self):
        self.new_segment("Buyers", [("order_count", ">=", 2)])
        self.new_segment("Others", [("order_count", "<", 2)])
        self.new_profile("Ann", order_count=2)
        self.new_profile("Bob", order_count=0)
        self.assertEqual(self.classify()[0], 2)
        for days in (0, 1, 400):
            self.assertEqual(self.classify(START + timedelta(days))[0], 0)
        self.assertEqual(self.env["lifecycle.transition"].search_count(
            [("kind", "=", "segment"), ("company_id", "=", self.company.id)]), 2)

    def test_who_once_met_the_rule_stays_where_members_are_only_added(self):
        segment = self.new_segment("Once big", [("order_count", ">=", 2)], mode="add")
        profile = self.new_profile("Ann", order_count=2)
        self.classify()
        profile.order_count = 0
        self.assertEqual(self.classify(START + timedelta(1))[0], 0)
        self.assertEqual(profile.segment_ids, segment)
        segment.mode = "both"
        self.assertEqual(self.classify(START + timedelta(2))[0], 1)
        self.assertFalse(profile.segment_ids)

    def test_a_customer_is_in_several_segments(self):
        first = self.new_segment("Buyers", [("order_count", ">=", 2)])
        second = self.new_segment("Big", [("revenue", ">=", 100)])
        third = self.new_segment("Everybody", [])
        profile = self.new_profile("Ann", order_count=2, revenue=500)
        self.classify()
        self.assertEqual(profile.segment_ids, first | second | third)
        profile.write({"order_count": 1, "revenue": 50})
        self.assertEqual(self.classify(START + timedelta(1))[0], 2)
        self.assertEqual(profile.segment_ids, third)
        self.assertEqual(
            [move[:2] for move in self.history(profile, second)], [(1, True), (2, False)]
        )

    def test_only_the_named_customers_are_refreshed(self):
        segment = self.new_segment("Buyers", [("order_count", ">=", 2)])
        ann, bob = (self.new_profile(name, order_count=2) for name in ("Ann", "Bob"))
        self.classify(partner_ids=ann.partner_id.ids)
        self.assertEqual(self.members(segment), ann)
        self.classify()
        self.assertEqual(self.members(segment), ann | bob)

    def test_rules_look_at_the_contact_its_tags_and_those_of_its_people(self):
        tag = self.env["res.partner.category"].create({"name": "Roaster"})
        ann = self.new_profile("Ann")
        ann.partner_id.write({"category_id": [(4, tag.id)], "country_id": self.belgium.id})
        bob = self.new_profile("Bob")
        bob.partner_id.country_id = self.france
        self.new_customer("Bob's buyer", parent_id=bob.partner_id.id, category_id=[(4, tag.id)])
        tagged = self.new_segment("Tagged", [("partner_id.category_id", "in", tag.ids)])
        people = self.new_segment(
            "Tagged people", [("partner_id.child_ids.category_id", "in", tag.ids)]
        )
        belgian = self.new_segment("Belgian", [("partner_id.country_id", "=", self.belgium.id)])
        foreign = self.new_segment(
            "Foreign", ["!", ("partner_id.country_id.code", "=", "BE")]
        )
        untagged = self.new_segment("Untagged", [("partner_id.category_id", "=", False)])
        self.classify()
        self.assertEqual(self.members(tagged), ann)
        self.assertEqual(self.members(people), bob)
        self.assertEqual(self.members(belgian), ann)
        self.assertEqual(self.members(foreign), bob)
        self.assertEqual(self.members(untagged), bob)
        # and the same for few customers
        self.env["lifecycle.segment.member"].sudo().search([("id", ">", 0)]).unlink()
        self.classify(partner_ids=(ann | bob).partner_id.ids)
        self.assertEqual(self.members(tagged) | self.members(belgian), ann)
        self.assertEqual(self.members(people) & self.members(foreign), bob)

    def test_rules_may_look_at_stage_and_rfm_of_the_same_run(self):
        # no run of changed rules before the first one
        self.segments = self.segments.with_context(lifecycle_rule_quiet=True)
        self.new_purchase(self.new_customer("Ann"), 100, days_ago=3)
        stage = self.new_segment("New", [("stage_id.name", "=", "New customer")])
        group = self.new_segment("Recent", [("rfm_group_id.name", "=", "One order, recent")])
        self.run_nightly()
        self.assertEqual(self.members(stage).partner_id.name, "Ann")
        self.assertEqual(self.members(group).partner_id.name, "Ann")
        self.assertEqual(set(self.members(stage).transition_ids.mapped("cause")),
                         {"initial", "reconstructed"})

    def test_who_is_no_customer_any_more_leaves(self):
        segment = self.new_segment("Everybody", [])
        profile = self.new_profile("Ann")
        self.classify()
        profile.active = False
        self.classify(START + timedelta(3))
        self.assertFalse(segment.member_ids)
        self.assertEqual([move[1] for move in self.history(profile, segment)], [True, False])

    def test_merged_customers_keep_one_membership_in_each_segment(self):
        buyers = self.new_segment("Buyers", [("order_count", ">=", 1)])
        big = self.new_segment("Big", [("revenue", ">=", 100)])
        small = self.new_segment("Small", [("revenue", "<", 100)])
        ann = self.new_profile("Ann", order_count=1, revenue=500)
        self.classify(START)
        twin = self.new_profile("Ann Twin", order_count=1, revenue=10)
        self.classify(START + timedelta(5))
        partners = ann.partner_id | twin.partner_id
        wizard = self.env["base.partner.merge.automatic.wizard"].create(
            {"partner_ids": partners.ids, "dst_partner_id": twin.partner_id.id}
        )
        wizard.action_merge()
        self.env.invalidate_all()
        self.assertFalse(ann.exists())
        self.assertEqual(twin.segment_ids, buyers | big | small)
        self.assertEqual(
            set(twin.segment_member_ids.mapped("since")), {START, START + timedelta(5)}
        )
        self.assertEqual(self.members(buyers), twin)
        self.assertEqual(buyers.member_ids.since, START)

    # ----- COMPANIES -----

    def test_each_company_has_its_own_members(self):
        other = self.new_company("Other Segments Ltd")
        own = self.new_segment("Own", [("order_count", ">", 0)], company_id=self.company.id)
        shared = self.new_segment("Shared", [("order_count", ">", 0)])
        partner = self.new_customer("Ann")
        here = self.new_profile("Ann", partner=partner, order_count=1)
        there = self.new_profile("Ann", partner=partner, company=other, order_count=1)
        self.classify()
        self.classify(company=other)
        self.assertEqual(self.members(own), here)
        self.assertEqual(self.members(shared), here | there)
        own.company_id = other
        self.classify()
        self.classify(company=other)
        self.assertEqual(self.members(own), there)

    def test_nobody_sees_members_and_segments_of_another_company(self):
        other = self.new_company("Other Segments Ltd")
        hidden = self.new_segment("Hidden", [], company_id=other.id)
        shared = self.new_segment("Shared", [])
        here = self.new_profile("Ann")
        self.new_profile("Bob", company=other)
        self.classify()
        self.classify(company=other)
        user = self.new_user("segm_all", "sales_team.group_sale_salesman_all_leads", self.company)
        seen = self.segments.with_user(user).search([("id", ">", 0)])
        self.assertEqual(seen, shared)
        self.assertEqual(
            self.env["lifecycle.segment.member"].with_user(user).search([]).profile_id, here
        )
        with self.assertRaises(AccessError):
            hidden.with_user(user).read(["name"])
        self.assertEqual(shared.with_user(user).with_company(self.company).member_count, 1)

    def test_a_salesperson_sees_his_own_customers_in_a_segment_and_changes_no_rule(self):
        segment = self.new_segment("Everybody", [])
        user = self.new_user("segm_own", "sales_team.group_sale_salesman", self.company)
        mine, others = self.new_profile("Ann"), self.new_profile("Bob")
        mine.partner_id.user_id = user
        others.partner_id.user_id = self.env.user
        self.classify()
        seen = segment.with_user(user).with_company(self.company)
        self.assertEqual(seen.member_count, 1)
        self.assertEqual(seen.match_count, 1)
        self.assertEqual(
            self.env["lifecycle.segment.member"].with_user(user).search([]).profile_id, mine
        )
        with self.assertRaises(AccessError):
            seen.domain = "[('order_count', '=', 3)]"
        with self.assertRaises(AccessError):
            self.env["lifecycle.segment.member"].with_user(user).search([]).unlink()

    # ----- NEWS AND HISTORY -----

    def test_only_news_is_created_through_the_orm(self):
        self.new_segment("Buyers", [("order_count", ">=", 2)])
        self.new_profile("Ann", order_count=2)
        created = []
        Transition = type(self.env["lifecycle.transition"])
        create = Transition.create

        def listen(model, vals_list):
            created.extend(vals_list)
            return create(model, vals_list)

        with patch.object(Transition, "create", listen):
            self.classify(cause="initial")
            self.assertFalse(created)
            self.new_profile("Bob", order_count=2)
            self.classify(cause="edit")
            self.assertFalse(created)
            self.new_profile("Cid", order_count=2)
            self.classify()
        self.assertEqual(len(created), 1)
        self.assertTrue(created[0]["joined"])

    def test_a_failing_automation_costs_neither_the_membership_nor_the_other_moves(self):
        bad = self.new_segment("Bad", [("order_count", ">=", 2)])
        good = self.new_segment("Good", [("order_count", ">=", 1)])
        profile = self.new_profile("Ann", order_count=2)
        Transition = type(self.env["lifecycle.transition"])
        create = Transition.create
        heard = []

        def fail(model, vals_list):
            if any(vals["segment_id"] == bad.id for vals in vals_list):
                raise ValueError("automation")
            heard.extend(vals["segment_id"] for vals in vals_list)
            return create(model, vals_list)

        with patch.object(Transition, "create", fail), self.assertLogs(level="WARNING"):
            _count, errors = self.classify()
        self.assertEqual(errors, [(profile.id, "automation")])
        self.assertEqual(heard, good.ids)
        self.assertEqual(profile.segment_ids, bad | good)
        self.assertEqual(len(profile.transition_ids), 2)

    def test_a_new_or_changed_rule_is_no_news(self):
        self.new_purchase(self.new_customer("Ann"), 100, days_ago=3)
        self.run_nightly()
        segment = self.new_segment("Buyers", [("order_count", ">=", 1)])
        self.run_nightly()
        self.assertEqual(segment.member_count, 1)
        segment.domain = "[('order_count', '>=', 2)]"
        self.run_nightly()
        self.assertEqual(segment.member_count, 0)
        moves = self.members(segment).transition_ids | self.env["lifecycle.transition"].search(
            [("segment_id", "=", segment.id)]
        )
        self.assertEqual(set(moves.mapped("cause")), {"edit"})
        self.assertEqual(sorted(moves.mapped("joined")), [False, True])

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
