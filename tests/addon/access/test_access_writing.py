"""What is computed is written by nobody, and called from outside only where it is meant to be."""

from odoo.exceptions import AccessError, UserError
from odoo.service.model import get_public_method

from ..common_access import MODELS, AccessCase
from ..common_figures import profile_fields


class TestReadOnly(AccessCase):
    def test_results_cannot_be_written_by_hand(self):
        """What is computed is read-only for managers too; what is configured is theirs."""
        for name in ("lifecycle.profile", "lifecycle.purchase", "lifecycle.run",
                     "lifecycle.clv.model", "lifecycle.queue"):
            for operation in ("write", "create", "unlink"):
                if (name, operation) == ("lifecycle.profile", "write"):
                    continue  # for the stage alone: test_stages
                with self.subTest(model=name, operation=operation):
                    self.assertFalse(
                        self.env[name].with_user(self.manager).has_access(operation)
                    )
        for name in ("lifecycle.external.purchase", "lifecycle.revenue.source"):
            for operation in ("write", "create", "unlink"):
                with self.subTest(model=name, operation=operation):
                    self.assertTrue(self.env[name].with_user(self.manager).has_access(operation))
                    self.assertFalse(
                        self.env[name].with_user(self.everything).has_access(operation)
                    )

    def test_figures_cannot_be_written_through_the_contact(self):
        big = self.big.with_user(self.manager)
        before = self.figures(self.home)
        for name in profile_fields(self.env["res.partner"]):
            with self.subTest(field=name):
                by_hand = name in (
                    "lifecycle_stage_id",
                    "lifecycle_stage_reason",
                    "lifecycle_stage_hold_until",
                    "lifecycle_potential",
                )
                self.assertEqual(
                    self.env["res.partner"]._fields[name].readonly, not by_hand
                )
        for values in ({"clv_total": 1}, {"lifecycle_profile_id": False}):
            with self.subTest(values=values), self.env.cr.savepoint():
                try:
                    big.write(values)
                    big.flush_recordset()
                except (AccessError, UserError, ValueError):
                    pass
        self.assertEqual(self.figures(self.home), before)

    def test_a_source_shows_nothing_that_its_author_may_not_read(self):
        """Sources are compiled as superuser; a manager must not get at payslips by one."""
        values = {
            "name": "Others' keys",
            "model": "ir.config_parameter",
            "partner_path": "create_uid.partner_id",
            "company_path": "create_uid.company_id",
            "date_path": "create_date",
            "amount_path": "id",
        }
        self.assertFalse(
            self.env["ir.config_parameter"].with_user(self.manager).has_access("read")
        )
        Source = self.env["lifecycle.revenue.source"].with_user(self.manager)
        with self.assertRaises(UserError):
            Source.create(values)
        # nor by a path that starts at something he may read
        orders = {
            "name": "Orders by somebody's secret",
            "model": "sale.order",
            "partner_path": "partner_id",
            "date_path": "date_order",
            "amount_path": "amount_untaxed",
        }
        with self.assertRaises(UserError):
            Source.create({**orders, "domain": "[('user_id.password', '!=', False)]"})
        self.assertTrue(Source.create(orders))


class TestRpc(AccessCase):
    def test_recompute_is_for_managers(self):
        Run = self.env["lifecycle.run"]
        for user in (self.salesman, self.everything):
            with self.subTest(user=user.login):
                self.assertRefused(Run.with_user(user).action_recompute)
        self.assertFalse(Run.search([("company_id", "=", self.home.id)]))
        action = Run.with_user(self.manager).action_recompute()
        run = Run.browse(action["res_id"])
        self.assertEqual((run.company_id, run.state, run.refit), (self.home, "pending", True))

    def test_only_actions_are_callable_from_outside(self):
        """A new public method of these models is callable by anybody who can log in."""
        # these answer by the caller's own rights, which their own tests show
        known = {"get_partner_overview"}
        base = set(dir(self.env.registry["base"]))
        for name in (*MODELS, "lifecycle.pipeline", "lifecycle.prediction"):
            model = self.env[name]
            for attribute in set(dir(type(model))) - base:
                if attribute.startswith("_") or attribute in model._fields:
                    continue
                if not callable(getattr(type(model), attribute, None)):
                    continue
                with self.subTest(model=name, method=attribute):
                    self.assertTrue(
                        attribute.startswith("action_") or attribute in known,
                        "start private names with _",
                    )
        for name, method in (
            ("lifecycle.run", "_request"),
            ("lifecycle.run", "_cron_nightly"),
            ("lifecycle.pipeline", "_refresh"),
            ("lifecycle.revenue.source", "_rows_sql"),
            ("lifecycle.queue", "_append_partners"),
            ("res.partner", "_lifecycle_preset_exclusion"),
        ):
            with self.subTest(model=name, method=method), self.assertRaises(AccessError):
                get_public_method(self.env[name], method)
