from datetime import date, timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError

from ..common import LifecycleCase

TODAY = date(2025, 6, 16)


class TestRulePreview(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("Preview Ltd")
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": cls.company.ids})
        cls.startClassPatcher(
            patch.object(
                type(cls.env["res.company"]), "_lifecycle_today", lambda company: TODAY
            )
        )
        cls.partners = cls.env["res.partner"].create(
            [{"name": f"C{i}", "email": f"c{i}@example.com"} for i in range(12)]
        )
        cls.env["lifecycle.external.purchase"].create(
            [
                {
                    "partner_id": partner.id,
                    "date": TODAY - timedelta(10 * index),
                    "amount": 100 + index,
                    "company_id": cls.company.id,
                }
                for index, partner in enumerate(cls.partners)
            ]
        )
        cls.env["lifecycle.pipeline"]._refresh(cls.company, cls.partners.ids)
        cls.env["lifecycle.classifier"]._classify(cls.company, TODAY, cause="initial")
        cls.new_stage = cls.env.ref("customer_lifecycle.stage_new")

    def stages(self):
        self.env.invalidate_all()
        profiles = self.env["lifecycle.profile"].search([("partner_id", "in", self.partners.ids)])
        return {profile.id: profile.stage_id for profile in profiles}

    def propose(self, **values):
        action = self.new_stage.action_propose()
        proposal = self.env["lifecycle.stage"].browse(action["res_id"])
        proposal.write(values)
        return proposal

    def preview(self, proposal):
        return self.env["lifecycle.rule.preview"].browse(proposal.action_preview()["res_id"])

    def test_preview_tells_exactly_what_then_happens_and_changes_nothing(self):
        before = self.stages()
        proposal = self.propose(
            domain="[('order_count', '=', 1), ('days_since_last_order', '<=', 45)]"
        )
        rule = self.new_stage.domain
        transitions = self.env["lifecycle.transition"].search_count([("kind", "=", "stage")])
        preview = self.preview(proposal)
        self.assertEqual(self.stages(), before)
        self.assertEqual(self.new_stage.domain, rule)
        self.assertEqual(
            self.env["lifecycle.transition"].search_count([("kind", "=", "stage")]), transitions
        )
        # first orders 50 to 90 days ago
        self.assertEqual((preview.enter_count, preview.leave_count), (0, 5))
        self.assertEqual(preview.line_ids.from_name, self.new_stage.name)
        self.assertEqual(preview.line_ids.revenue_year, sum(range(105, 110)))
        foreseen = set(preview.line_ids.profile_ids.ids)
        found = self.env["lifecycle.profile"].search(
            preview.action_view_moves()["domain"]
        )
        self.assertEqual(set(found.ids), foreseen)

        done = preview.action_apply()["params"]
        self.assertFalse(proposal.exists())
        self.assertIn("45", self.new_stage.domain)
        # past the preview and the proposal, which are no more, and told who moves
        self.assertEqual((done["left"], done["rule"]["res_id"]), (2, self.new_stage.id))
        self.assertIn("0 customers come in, 5 leave", done["message"])
        # numbers in words do not follow by themselves
        self.assertIn("at most 90 days ago", done["message"])
        run = self.env["lifecycle.run"].search(
            [("company_id", "=", self.company.id), ("kind", "=", "rules")]
        )
        self.assertEqual((run.state, run.announce), ("pending", False))
        self.assertIn(run.id, done["runs"])
        self.env["lifecycle.classifier"]._classify(self.company, TODAY, cause="edit")
        after = self.stages()
        self.assertEqual({key for key in after if after[key] != before[key]}, foreseen)

    def test_proposal_is_seen_by_no_computation_and_no_list(self):
        proposal = self.propose(domain="[('order_count', '>', 0)]", priority=1)
        self.assertNotIn(proposal, self.env["lifecycle.stage"].search([("id", ">", 0)]))
        count, _errors = self.env["lifecycle.classifier"]._classify(self.company, TODAY)
        self.assertEqual(count, 0)
        self.assertTrue(self.new_stage.has_proposal)
        self.assertTrue(self.new_stage.proposal_note)
        # changing it again goes on with the same proposal
        self.assertEqual(self.new_stage.action_propose()["res_id"], proposal.id)

    def test_rule_proposal_and_preview_are_told_apart(self):
        proposal = self.propose(domain="[('order_count', '=', 1)]")
        name = self.new_stage.name
        preview = self.preview(proposal)
        self.assertEqual(
            (self.new_stage.display_name, proposal.display_name, preview.display_name),
            (name, f"{name} (proposal)", f"What Would Change: {name}"),
        )

    def test_discarding_leaves_the_rule(self):
        rule = self.new_stage.domain
        proposal = self.propose(domain="[('order_count', '>', 5)]")
        done = proposal.action_discard()["params"]
        self.assertEqual((done["left"], done["runs"]), (1, []))
        self.assertFalse(proposal.exists())
        self.assertEqual(self.new_stage.domain, rule)
        with self.assertRaisesRegex(UserError, "in force"):
            self.new_stage.action_discard()

    def test_a_proposal_with_an_error_is_refused_and_nothing_changes(self):
        proposal = self.propose()
        with self.assertRaisesRegex(ValidationError, "cannot be evaluated"):
            proposal.domain = "[('no_such_field', '=', 1)]"
        # a second stage without rule shows only when it is tried out
        proposal.domain = "[]"
        with self.assertRaisesRegex(ValidationError, "Exactly one stage"):
            proposal.action_preview()
        self.env.invalidate_all()
        self.assertIn("days_since_last_order", self.new_stage.domain)

    def test_applied_as_news_it_starts_automations(self):
        preview = self.preview(
            self.propose(domain="[('order_count', '=', 1), ('days_since_last_order', '<=', 45)]")
        )
        preview.announce = True
        preview.action_apply()
        run = self.env["lifecycle.run"].search(
            [("company_id", "=", self.company.id), ("kind", "=", "rules")]
        )
        self.assertTrue(run.announce)

    def test_a_preview_of_what_is_gone_says_so(self):
        proposal = self.propose(domain="[('order_count', '=', 1), ('revenue', '>', 5)]")
        preview = self.preview(proposal)
        self.assertEqual(preview.move_count, len(preview.line_ids.profile_ids))
        proposal.action_discard()
        with self.assertRaisesRegex(UserError, "already"):
            preview.action_apply()

    def test_salespeople_can_neither_propose_nor_see_previews(self):
        salesman = self.new_user("preview_sales", "sales_team.group_sale_salesman", self.company)
        with self.assertRaises(AccessError):
            self.new_stage.with_user(salesman).action_propose()
        proposal = self.propose()
        with self.assertRaises(AccessError):
            proposal.with_user(salesman).action_preview()
        with self.assertRaises(AccessError):
            self.env["lifecycle.rule.preview"].with_user(salesman).search([("id", ">", 0)])

    def test_a_manager_without_other_rights_can_do_all_of_it(self):
        manager = self.new_user("preview_manager", "sales_team.group_sale_manager", self.company)
        stage = self.new_stage.with_user(manager)
        proposal = stage.browse(stage.action_propose()["res_id"])
        proposal.domain = "[('order_count', '=', 1), ('days_since_last_order', '<=', 45)]"
        preview = self.env["lifecycle.rule.preview"].with_user(manager)
        preview = preview.browse(proposal.action_preview()["res_id"])
        self.assertEqual(preview.leave_count, 5)
        self.assertEqual(preview.line_ids.to_name, "Active")
        preview.action_apply()
        self.assertIn("45", self.new_stage.domain)
