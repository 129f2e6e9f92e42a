from datetime import date, timedelta
from unittest.mock import patch

from ..common import LifecycleCase

TODAY = date(2025, 6, 16)


class TestWhy(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("Why Ltd")
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": cls.company.ids})
        cls.at(cls.startClassPatcher, TODAY)

    @classmethod
    def at(cls, start, today):
        start(
            patch.object(
                type(cls.env["res.company"]), "_lifecycle_today", lambda company: today
            )
        )

    def customer(self, *days_ago):
        partner = self.new_customer("Why", email="why@example.com")
        self.env["lifecycle.external.purchase"].create(
            [
                {
                    "partner_id": partner.id,
                    "date": TODAY - timedelta(days),
                    "amount": 100,
                    "company_id": self.company.id,
                }
                for days in days_ago
            ]
        )
        self.env["lifecycle.pipeline"]._refresh(self.company, partner.ids)
        self.env["lifecycle.classifier"]._classify(
            self.company, TODAY, cause="initial", partner_ids=partner.ids
        )
        self.env.invalidate_all()
        return self.env["lifecycle.profile"].search([("partner_id", "=", partner.id)])

    def test_the_foretold_changes_are_those_that_then_happen(self):
        for days_ago in ((5,), (0, 30, 60, 90, 200), (70, 100, 130, 160), (400, 500), (10, 45)):
            profile = self.customer(*days_ago)
            stage = profile.stage_id
            days, next_stage = profile._next_silent_change()
            # the last day before, and some on the way
            quiet = [*range(7, days or 731, 45), (days or 731) - 1]
            for day in quiet:
                self.assertEqual(self.stage_on(profile, day), stage, f"{days_ago} {day}")
            if days:
                self.assertEqual(self.stage_on(profile, days), next_stage, f"{days_ago} {days}")
                self.assertIn(
                    profile._date(TODAY + timedelta(days)), profile._stage_after_silence()
                )
            after_order = profile._stage_after_order()
            self.new_purchase(profile.partner_id, 50, company=self.company)
            self.env["lifecycle.pipeline"]._refresh(self.company, profile.partner_id.ids)
            self.env["lifecycle.classifier"]._classify(
                self.company, TODAY, partner_ids=profile.partner_id.ids
            )
            self.env.invalidate_all()
            self.assertIn(f"“{profile.stage_id.name}”", after_order, str(days_ago))
            profile.partner_id.lifecycle_exclude = True

    def stage_on(self, profile, days):
        """Stage that the real classification in SQL chooses after some days; taken back."""
        self.env.cr.execute("SAVEPOINT probe")
        self.env["lifecycle.classifier"]._classify(
            self.company,
            TODAY + timedelta(days),
            cause="edit",
            partner_ids=profile.partner_id.ids,
        )
        self.env.cr.execute(
            "SELECT stage_id FROM lifecycle_profile WHERE id = %s", [profile.id]
        )
        stage = self.env["lifecycle.stage"].browse(self.env.cr.fetchone()[0])
        self.env.cr.execute("ROLLBACK TO SAVEPOINT probe")
        self.env.invalidate_all()
        return stage

    def test_the_rule_is_told_with_the_customers_own_values(self):
        profile = self.customer(71, 105, 139, 173, 207)
        self.assertEqual(profile.stage_id.name, "At risk")
        why = " ".join(profile._why_stage())
        self.assertIn("by the rule of “At risk”", why)
        self.assertIn("Days Since Last Order: 71", why)
        self.assertIn("rule: > 45", why)

    def test_recorded_values_are_written_as_the_readers_language_does(self):
        self.env["res.lang"]._activate_lang("de_DE")
        change = self.customer(71, 105, 139, 173, 207).transition_ids[:1]
        self.assertRegex(change.with_context(lang="en_US").why_text, r"Lateness: 2\.\d")
        self.assertRegex(change.with_context(lang="de_DE").why_text, r": 2,\d")

    def test_who_set_a_stage_by_hand_is_told_and_until_when(self):
        profile = self.customer(5)
        user = self.new_user(
            "why_sales", "sales_team.group_sale_salesman_all_leads", self.company, name="Ada"
        )
        profile.with_user(user).write(
            {
                "stage_id": self.env.ref("customer_lifecycle.stage_loyal").id,
                "stage_reason": "signed a contract",
            }
        )
        why = " ".join(profile._why_stage())
        self.assertIn("Set by Ada", why)
        self.assertIn("signed a contract", why)
        self.assertIn("Held by hand until", why)
        self.assertNotIn("An order today", why)

    def test_chips_tell_what_is_known_and_leave_out_what_is_not(self):
        profile = self.customer(5)
        overview = self.env["lifecycle.profile"].get_partner_overview(profile.partner_id.id)
        chips = {chip["name"]: chip for chip in overview["chips"]}
        self.assertIn("New customer", chips["stage"]["value"])
        self.assertTrue(chips["stage"]["html"])
        self.assertNotIn("potential", chips)
        self.assertNotIn("complaints", chips)
        profile.write({"potential": 400, "overdue_since": TODAY - timedelta(3)})
        overview = self.env["lifecycle.profile"].get_partner_overview(profile.partner_id.id)
        chips = {chip["name"]: chip for chip in overview["chips"]}
        self.assertEqual(chips["potential"]["value"], "25 %")
        self.assertEqual(chips["complaints"]["tone"], "danger")
        self.assertIn(profile._date(TODAY - timedelta(3)), chips["complaints"]["value"])

    def test_names_with_commas_stay_apart(self):
        profile = self.customer(5)
        self.env["lifecycle.segment"].create(
            [{"name": name} for name in ("Germany, Austria", "Big, or old")]
        )
        self.env["lifecycle.classifier"]._classify_segments(
            self.company, TODAY, cause="initial", partner_ids=profile.partner_id.ids
        )
        self.env.invalidate_all()
        chips = {chip["name"]: chip for chip in profile._overview_chips()}
        self.assertIn("Germany, Austria", chips["segments"]["value"].split(" · "))
        self.assertIn("Big, or old", chips["segments"]["value"].split(" · "))

    def test_the_headline_says_by_when_an_order_is_due(self):
        profile = self.customer(160, 120, 80, 40)
        profile.write(
            {
                "next_order_from": TODAY - timedelta(4),
                "next_order_date": TODAY + timedelta(1),
                "next_order_to": TODAY + timedelta(5),
            }
        )
        self.assertIn("Next order around", profile.headline)
        profile.next_order_date = TODAY - timedelta(1)
        self.assertIn(f"due by {profile._date(TODAY + timedelta(5))}", profile.headline)
        profile.next_order_to = TODAY - timedelta(1)
        self.assertIn("was expected by", profile.headline)

    def test_credit_notes_alone_are_not_called_nothing(self):
        profile = self.customer(5)
        profile.write({"order_count": 0, "clv_historical": -120})
        self.assertIn("credit notes of", profile.headline)
        self.assertIn("120", profile.headline)
