"""Rules decide as superuser: they must not tell their authors what these may not read."""

from unittest.mock import patch

from odoo.exceptions import ValidationError

from ..common import LifecycleCase

#: a stored field that sales managers may not read
SECRET = "[('partner_id.signup_type', '!=', False)]"
ALLOWED = "[('partner_id.country_id', '!=', False), ('order_count', '>', 1)]"
MANAGER = "sales_team.group_sale_manager"


class TestRuleRights(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls.new_user("rule_manager", MANAGER)
        cls.administrator = cls.new_user("rule_admin", f"{MANAGER},base.group_erp_manager")
        cls.segments = cls.env["lifecycle.segment"]
        cls.stage = cls.env.ref("customer_lifecycle.stage_active")
        # without it the tests would prove nothing
        field = cls.env["res.partner"]._fields["signup_type"]
        assert field.store and field.groups == "base.group_erp_manager"

    def assertRefused(self):
        return self.assertRaisesRegex(ValidationError, "you may not read; ask")

    def test_a_segment(self):
        segments = self.segments.with_user(self.manager)
        with self.assertRefused(), self.cr.savepoint():
            segments.create({"name": "Oracle", "domain": SECRET})
        segment = segments.create({"name": "Fine", "domain": ALLOWED})
        with self.assertRefused(), self.cr.savepoint():
            segment.domain = SECRET
        nested = "[('partner_id', 'any', [('signup_type', '!=', False)])]"
        with self.assertRefused(), self.cr.savepoint():
            segment.domain = nested
        segment.action_propose()
        proposal = segments.with_context(active_test=False).search(
            [("proposal_of_id", "=", segment.id)]
        )
        with self.assertRefused(), self.cr.savepoint():
            proposal.domain = SECRET

    def test_a_stage(self):
        stage = self.stage.with_user(self.manager)
        for name in ("domain", "keep_domain"):
            with self.assertRefused(), self.cr.savepoint():
                stage[name] = SECRET
            stage[name] = ALLOWED

    def test_who_may_read_it_may_use_it(self):
        segment = self.segments.with_user(self.administrator).create(
            {"name": "Invited", "domain": SECRET}
        )
        self.stage.with_user(self.administrator).keep_domain = SECRET
        # what does not touch the rule is still the manager's to do
        segment.with_user(self.manager).write({"name": "Asked to join", "active": False})
        self.assertFalse(segment.active)
        self.assertFalse(self.segments._switch_off_broken())

    def test_what_comes_with_the_installation(self):
        self.assertTrue(self.segments.create({"name": "Delivered", "domain": SECRET}))


class TestProbe(LifecycleCase):
    def test_trying_a_rule_reads_nobody(self):
        """A rule that nobody meets would be looked for in every profile, every night."""
        segment = self.env["lifecycle.segment"].create(
            {"name": "Nobody", "domain": "[('order_count', '=', -7)]"}
        )
        nothing = self.env["lifecycle.segment"].create(
            {"name": "Nothing", "domain": "[('id', '=', False)]"}
        )
        execute, seen = type(self.env.cr).execute, []

        def listen(cr, query, *args, **options):
            text = getattr(query, "code", query)
            if 'FROM "lifecycle_profile"' in text:
                seen.append(text)
            return execute(cr, query, *args, **options)

        with patch.object(type(self.env.cr), "execute", listen):
            for rule in (segment, nothing, self.env.ref("customer_lifecycle.stage_active")):
                self.assertIsNone(rule._rule_problem())
        self.assertTrue(seen)
        for text in seen:
            self.assertTrue(text.startswith("EXPLAIN "), text)

    def test_a_column_that_is_gone_is_noticed(self):
        segment = self.env["lifecycle.segment"].create(
            {"name": "Broken", "domain": "[('order_count', '=', 7)]"}
        )
        with self.cr.savepoint() as savepoint:
            self.cr.execute("ALTER TABLE lifecycle_profile RENAME order_count TO gone")
            self.assertIn("order_count", segment._rule_problem())
            savepoint.rollback()
        self.assertIsNone(segment._rule_problem())
