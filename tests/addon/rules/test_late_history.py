"""What is new to us but old is history: nobody hears of it. What is really new is news."""

from datetime import datetime, timedelta
from unittest.mock import patch

from odoo import fields

from odoo.addons.customer_lifecycle.models.workflow.triggers import trigger_of

from ..common_stages import START, StagesCase


class TestLateHistory(StagesCase):
    def setUp(self):
        super().setUp()
        self.today = START
        self.startPatcher(
            patch.object(
                type(self.env["res.company"]), "_lifecycle_today", lambda company: self.today
            )
        )
        # the company works already: somebody has a stage
        self.refresh(self.regular("Known"), START)
        self.classify(START, cause="initial")
        self.env["lifecycle.run"].create(
            {"company_id": self.company.id, "kind": "nightly", "state": "done", "as_of": START}
        )
        # a changed rule that waits for its run would keep refreshes from classifying
        quiet = self.env["lifecycle.segment"].with_context(lifecycle_rule_quiet=True)
        self.segment = quiet.create(
            {"name": "Old buyers", "domain": "[('order_count', '>', 1)]"}
        )
        self.classify_rest()

    def classify_rest(self):
        self.env["lifecycle.classifier"]._classify_all(self.company, START, cause="initial")

    def look(self, partner, days=0):
        """The refresh after a change, so many days later."""
        self.today += timedelta(days)
        self.env.flush_all()
        self.refresh(partner, self.today)
        self.env.invalidate_all()
        return self.profile(partner)

    def causes(self, profile):
        return set(profile.transition_ids.mapped("cause"))

    def history(self, profile):
        return [
            (change.date, change.to_stage_id.name, change.cause)
            for change in profile.transition_ids.filtered(
                lambda change: change.kind == "stage"
            ).sorted("number")
        ]

    def is_in_order(self, profile):
        changes = profile.transition_ids.filtered(lambda change: change.kind == "stage")
        ordered = changes.sorted("number")
        self.assertEqual(ordered.mapped("number"), list(range(1, len(ordered) + 1)))
        self.assertEqual(ordered.mapped("date"), sorted(ordered.mapped("date")))
        self.assertEqual(ordered[-1:].to_stage_id, profile.stage_id)
        self.assertGreaterEqual(profile.stage_date, ordered[-1:].date - timedelta(0))

    def old_days(self, count=5, last=600, gap=30):
        return [START - timedelta(last + gap * number) for number in range(count)]

    def assert_silent(self, profile, stage="lost"):
        self.assertEqual(profile.stage_id, self.stages[stage])
        self.assertLess(profile.stage_date, START - timedelta(7))
        self.assertNotIn("rule", self.causes(profile))
        self.assertFalse(profile.history_until)
        self.is_in_order(profile)

    # ----- WAYS IN -----

    def test_purchases_imported_by_the_screen(self):
        partner = self.new_customer("Imported", email="imported@example.com")
        rows = "\n".join(f"{partner.name},{day},100" for day in self.old_days())
        importer = self.env["base_import.import"].create(
            {
                "res_model": "lifecycle.external.purchase",
                "file": f"partner_id,date,amount\n{rows}".encode(),
                "file_type": "text/csv",
                "file_name": "history.csv",
            }
        )
        result = importer.execute_import(
            ["partner_id", "date", "amount"],
            ["partner_id", "date", "amount"],
            {"quoting": '"', "separator": ",", "has_headers": True, "date_format": "%Y-%m-%d"},
        )
        self.assertFalse(result["messages"])
        profile = self.look(partner)
        self.assert_silent(profile)
        self.assertEqual(self.history(profile)[0][1:], ("New customer", "reconstructed"))
        self.assertIn(self.segment, profile.segment_ids)

    def test_orders_entered_with_their_old_date(self):
        partner = self.new_customer("Entered", email="entered@example.com")
        for day in self.old_days():
            order = self.new_order(partner, 100, company=self.company)
            order.date_order = datetime.combine(day, datetime.min.time()) + timedelta(hours=12)
        self.assert_silent(self.look(partner))

    def test_a_prospect_whose_old_purchases_are_imported(self):
        partner = self.new_customer("Prospect", email="prospect@example.com")
        self.env["sale.order"].create(
            {"partner_id": partner.id, "company_id": self.company.id, "state": "cancel"}
        )
        self.env.flush_all()
        self.refresh(partner, START)
        profile = self.profile(partner)
        if profile:
            self.env["lifecycle.transition"].flush_model()
            self.env.cr.execute(
                "UPDATE lifecycle_transition SET cause = 'initial' WHERE profile_id = %s",
                [profile.id],
            )
        self.buy(partner, *self.old_days())
        self.assert_silent(self.look(partner, 3))

    def test_a_merged_contact_brings_its_past(self):
        partner, other = (
            self.new_customer(name, email=f"{name}@example.com") for name in ("stays", "goes")
        )
        self.buy(other, *self.old_days())
        self.assert_silent(self.look(other))
        self.buy(partner, START - timedelta(900))
        profile = self.look(partner)
        self.env["base.partner.merge.automatic.wizard"]._merge((partner | other).ids, partner)
        profile = self.look(partner)
        self.assertEqual(profile.order_count, 6)
        self.assert_silent(profile)

    def test_a_merge_tells_nobody_twice(self):
        partner, other = (
            self.new_customer(name, email=f"{name}@example.com") for name in ("twice", "again")
        )
        self.buy(other, START)
        self.assertEqual(self.causes(self.look(other)), {"rule"})
        self.env["base.partner.merge.automatic.wizard"]._merge((partner | other).ids, partner)
        profile = self.look(partner)
        self.assertEqual(profile.stage_id, self.stages["new"])
        news = profile.transition_ids.filtered(
            lambda change: change.cause == "rule" and change.kind == "stage"
        )
        self.assertEqual(len(news), 1, "the one that was told already")

    def test_an_order_given_to_another_customer(self):
        partner = self.new_customer("Right one", email="right@example.com")
        for purchase in self.env["lifecycle.external.purchase"].search(
            [("partner_id.name", "=", "Known")]
        ):
            purchase.partner_id = partner
            purchase.date = purchase.date - timedelta(600)
        self.assert_silent(self.look(partner))

    def test_a_contact_that_counts_again(self):
        partner = self.new_customer(
            "Excluded", email="excluded@example.com", lifecycle_exclude=True
        )
        self.buy(partner, *self.old_days())
        self.assertFalse(self.look(partner))
        partner.lifecycle_exclude = False
        self.assert_silent(self.look(partner))

    def test_a_contact_that_is_unarchived(self):
        partner = self.new_customer("Archived", email="archived@example.com", active=False)
        self.buy(partner, *self.old_days())
        self.look(partner)
        partner.active = True
        self.assert_silent(self.look(partner))

    def test_a_company_that_a_contact_is_found_to_belong_to(self):
        person = self.new_customer("Person", email="person@example.com")
        firm = self.new_customer("Firm", email="firm@example.com", is_company=True)
        self.buy(person, *self.old_days())
        self.look(person)
        self.look(firm)
        person.parent_id = firm
        self.assert_silent(self.look(firm))

    def test_the_night_finds_it_too(self):
        partner = self.new_customer("At night", email="night@example.com")
        self.buy(partner, *self.old_days())
        self.env.flush_all()
        self.env.cr.execute("DELETE FROM lifecycle_queue")
        self.env["lifecycle.run"]._request(self.company, kind="nightly")
        self.run_nightly()
        self.env.invalidate_all()
        self.assert_silent(self.profile(partner))

    def test_an_old_opportunity_that_finds_its_customer(self):
        lead = self.env["crm.lead"].create(
            {"name": "Years ago", "type": "opportunity", "company_id": self.company.id}
        )
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE crm_lead SET create_date = %s WHERE id = %s",
            [START - timedelta(300), lead.id],
        )
        self.env.invalidate_all()
        partner = self.new_customer("Found", email="found@example.com")
        lead.partner_id = partner
        profile = self.look(partner)
        self.assertEqual(profile.stage_id.name, "In talks")
        self.assertEqual(self.causes(profile), {"reconstructed"})
        fresh = self.new_customer("Fresh", email="fresh@example.com")
        lead = lead.copy({"partner_id": fresh.id})
        self.env.flush_all()
        self.assertEqual(self.causes(self.look(fresh)), {"rule"})

    def test_a_tier_that_an_import_leads_to_gives_nothing(self):
        tier = (
            self.env["lifecycle.vip.tier"]
            .with_context(lifecycle_rule_quiet=True)
            .create(
                {
                    "name": "Rich",
                    "rank": 1,
                    "entry": 300,
                    "min_orders": 1,
                    "term": "rolling",
                    "measure": "earned",
                    "company_id": self.company.id,
                }
            )
        )
        self.company.lifecycle_tiers_date = START - timedelta(400)
        # thresholds mean something with few customers here
        tiers = "odoo.addons.customer_lifecycle.models.vip.vip_tier"
        self.startPatcher(patch(f"{tiers}.MINIMUM_BUYERS", 1))
        self.startPatcher(patch(f"{tiers}.MINIMUM_DAYS", 0))
        imported, buys = (
            self.new_customer(name, email=f"{name}@example.com") for name in ("imp", "buys")
        )
        self.buy(imported, *self.old_days())
        self.buy(buys, START, START, START, START)
        found = {}
        for partner in (imported, buys):
            profile = self.look(partner)
            self.assertEqual(profile.vip_tier_id, tier)
            change = profile.transition_ids.filtered(lambda one: one.kind == "tier")
            found[partner] = (change.cause, profile.vip_applied_tier_id)
        self.assertEqual(found[imported], ("reconstructed", tier), "counts as dealt with")
        self.assertEqual(found[buys], ("rule", tier.browse()), "benefits are due")

    # ----- WHAT IS NEWS -----

    def test_an_order_of_today_is_news(self):
        partner = self.new_customer("First order", email="first@example.com")
        self.buy(partner, START)
        profile = self.look(partner)
        self.assertEqual(profile.stage_id, self.stages["new"])
        self.assertEqual(self.causes(profile), {"rule"})

    def test_an_order_of_today_beside_an_import_is_news(self):
        partner = self.new_customer("Both", email="both@example.com")
        self.buy(partner, START, *self.old_days())
        profile = self.look(partner)
        self.assertEqual(profile.order_count, 6)
        history = self.history(profile)
        self.assertEqual(history[-1], (START, "Won back", "rule"))
        self.assertEqual(history[-2][1:], ("Lost", "reconstructed"))
        self.is_in_order(profile)
        segments = profile.transition_ids.filtered(lambda change: change.kind == "segment")
        self.assertEqual(segments.mapped("cause"), ["reconstructed"])

    def test_an_order_of_yesterday_that_was_slow_is_news(self):
        partner = self.new_customer("Slow", email="slow@example.com")
        self.buy(partner, START - timedelta(1))
        self.assertEqual(self.causes(self.look(partner)), {"rule"})

    def test_silence_that_is_noticed_late_is_news(self):
        """Time that passes moves people as before."""
        partner = self.regular("Quiet")
        profile = self.look(partner)
        self.assertEqual(profile.stage_id, self.stages["loyal"])
        profile = self.look(partner, 70)
        self.assertEqual(self.history(profile)[-1][1:], ("At risk", "rule"))

    def test_what_was_seen_stays_in_the_history(self):
        partner = self.new_customer("Seen", email="seen@example.com")
        self.buy(partner, START - timedelta(2))
        profile = self.look(partner)
        self.assertEqual(self.history(profile), [(START, "New customer", "rule")])
        self.buy(partner, *self.old_days())
        profile = self.look(partner, 1)
        self.assertIn((START, "New customer", "rule"), self.history(profile))
        self.assertEqual(profile.stage_id, self.stages["won_back"])
        self.is_in_order(profile)
        self.assertEqual(
            len(profile.transition_ids.filtered(
                lambda change: change.kind == "stage" and change.cause == "rule"
            )),
            1,
        )

    def test_a_stage_set_by_hand_stays(self):
        partner = self.new_customer("Held", email="held@example.com")
        self.buy(partner, START)
        profile = self.look(partner)
        profile._set_stage_by_hand(self.stages["loyal"])
        self.buy(partner, *self.old_days())
        profile = self.look(partner)
        self.assertEqual(profile.stage_id, self.stages["loyal"])
        self.assertTrue(profile.stage_manual)

    def test_nobody_is_written_to_about_an_old_purchase(self):
        workflow = self.env["lifecycle.workflow"].create(
            {
                "name": "How was it",
                "trigger": "date",
                "date_field": "last_order_date",
                "offset_days": 14,
                "company_id": self.company.id,
            }
        )
        workflow.date_since = fields.Datetime.now() - timedelta(3650)
        late, known = (
            self.new_customer(name, email=f"{name}@example.com") for name in ("late", "known")
        )
        self.buy(known, START)
        self.look(known)
        self.today += timedelta(14)
        # the runs have looked at that day
        self.env["lifecycle.run"].search([("company_id", "=", self.company.id)]).as_of = self.today
        self.buy(late, START)
        self.look(known)
        self.look(late)

        def found():
            self.env.flush_all()
            rows = self.env.execute_query(trigger_of(workflow).present(self.company))
            return {row[0] for row in rows}

        self.assertIn(self.profile(known).id, found())
        self.assertNotIn(self.profile(late).id, found())
