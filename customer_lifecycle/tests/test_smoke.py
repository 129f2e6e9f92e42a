"""Whether the add-on works on this server: the tests that Odoo's own runner finds.

``odoo -d DATABASE --test-tags /customer_lifecycle --stop-after-init`` runs them, in a database
that has customers of its own or none, on any day. They need nothing but the add-on; what each
part of it has to do in detail is tested in the project's repository.
"""

from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import TransactionCase, new_test_user, tagged

NIGHTLY = "customer_lifecycle.ir_cron_lifecycle_nightly"
REFRESH = "customer_lifecycle.ir_cron_lifecycle_refresh"
WORKFLOW = "customer_lifecycle.ir_cron_lifecycle_workflow"
SALESPERSON = "sales_team.group_sale_salesman"
MANAGER = "sales_team.group_sale_manager"


@tagged("post_install", "-at_install")
class SmokeCase(TransactionCase):
    """A company of its own, the only one that scheduled actions look at."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(
            context={**cls.env.context, "tracking_disable": True, "no_reset_password": True}
        )
        cls.company = cls.env["res.company"].create(
            {"name": "Smoke", "email": "smoke@example.com", "lifecycle_tz": "UTC"}
        )
        cls.env.user.company_ids |= cls.company
        cls.env = cls.env["base"].with_company(cls.company).env
        cls.company = cls.company.with_env(cls.env)
        only = patch.object(
            cls.env.registry["res.company"],
            "_lifecycle_companies",
            lambda self: self.browse(cls.company.id),
        )
        cls.startClassPatcher(only)
        cls.env["lifecycle.workflow"].search([]).action_archive()
        cls.product = cls.env["product.product"].create(
            {"name": "Smoke item", "type": "service", "taxes_id": False}
        )

    def new_customer(self, name, **values):
        return self.env["res.partner"].create({"name": name, **values})

    def order(self, partner):
        """A confirmed order of one line."""
        line = {"product_id": self.product.id, "price_unit": 100, "tax_ids": False}
        order = self.env["sale.order"].create(
            {"partner_id": partner.id, "order_line": [Command.create(line)]}
        )
        order.action_confirm()
        return order

    def run_action(self, xml_id):
        """Run a scheduled action as the scheduler does, after what was done is committed."""
        self.env.flush_all()
        self.env.cr.precommit.run()
        with self.enter_registry_test_mode():
            self.env.ref(xml_id).method_direct_trigger()
        self.env.invalidate_all()

    def run_first(self):
        """The first run; what it leaves to a second one, the stages, is done too."""
        for _run in range(2):
            self.run_action(NIGHTLY)

    def profile(self, partner):
        return self.env["lifecycle.profile"].search(
            [("partner_id", "=", partner.id), ("company_id", "=", self.company.id)]
        )


class TestInstallation(SmokeCase):
    def test_installed_with_all_that_it_delivers(self):
        self.assertEqual(self.env.ref("base.module_customer_lifecycle").state, "installed")
        for xml_id in (NIGHTLY, REFRESH, WORKFLOW):
            self.assertTrue(self.env.ref(xml_id).active, xml_id)
        self.assertTrue(self.env["lifecycle.revenue.source"].search_count([], limit=1))
        self.assertTrue(self.env["lifecycle.stage"].search_count([], limit=1))

    def test_every_menu_opens(self):
        menus = self.env["ir.ui.menu"].search([]).get_external_id()
        own = [id_ for id_, name in menus.items() if name.startswith("customer_lifecycle.")]
        manager = new_test_user(self.env, "smoke_menus", f"{MANAGER},base.group_system")
        opened = 0
        for menu in self.env["ir.ui.menu"].browse(own):
            action = menu.action
            if not action or action._name != "ir.actions.act_window":
                continue
            with self.subTest(menu=menu.complete_name):
                records = self.env[action.res_model].with_user(manager)
                records.get_views([*action.views, (action.search_view_id.id, "search")])
            opened += 1
        self.assertGreater(opened, 5)


class TestFlow(SmokeCase):
    def test_from_an_order_to_the_stage_and_the_message(self):
        stage = self.env.ref("customer_lifecycle.stage_new")
        workflow = self.env["lifecycle.workflow"].create(
            {
                "name": "Smoke",
                "company_id": self.company.id,
                "stage_ids": [Command.set(stage.ids)],
                "step_ids": [Command.create({"delay": 0, "template_id": self.template().id})],
                "window_from": 0,
                "window_to": 24,
                "window_saturday": True,
                "window_sunday": True,
            }
        )
        early = self.new_customer("Early", email="early@example.com")
        self.order(early)
        self.run_first()
        # what the first run finds is history, and no news
        self.assertEqual(self.profile(early).stage_id, stage)
        workflow._start()
        late = self.new_customer("Late", email="late@example.com")
        self.order(late)
        self.run_action(REFRESH)
        profile = self.profile(late)
        self.assertEqual((profile.order_count, profile.clv_historical), (1, 100))
        self.assertEqual(profile.stage_id, stage)
        self.assertEqual(late.lifecycle_stage_id, stage)
        self.assertEqual(profile.transition_ids.to_stage_id, stage)
        for _time in range(2):
            self.run_action(WORKFLOW)
        self.assertEqual(workflow.enrollment_ids.profile_id, profile)
        delivery = self.env["lifecycle.workflow.delivery"].search(
            [("workflow_id", "=", workflow.id)]
        )
        self.assertEqual((delivery.state, delivery.email), ("done", "late@example.com"))
        mail = self.env["mail.mail"].search([("recipient_ids", "in", late.ids)])
        self.assertEqual(mail.subject, "Welcome, Late")

    def template(self):
        return self.env["mail.template"].create(
            {
                "name": "Smoke",
                "model_id": self.env.ref("base.model_res_partner").id,
                "subject": "Welcome, {{ object.name }}",
                "body_html": "<p>Hello</p>",
            }
        )


class TestAccess(SmokeCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            groups: new_test_user(
                cls.env,
                f"smoke_{number}",
                groups,
                company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            )
            for number, groups in enumerate(
                ("base.group_portal", "base.group_user", SALESPERSON, MANAGER)
            )
        }

    def setUp(self):
        super().setUp()
        self.customer = self.new_customer("Own", user_id=self.users[SALESPERSON].id)
        self.foreign = self.new_customer("Foreign", user_id=self.users[MANAGER].id)
        for partner in (self.customer, self.foreign):
            self.order(partner)
        self.run_first()

    def seen(self, groups):
        profiles = self.env["lifecycle.profile"].with_user(self.users[groups])
        return profiles.search([]).partner_id

    def test_who_does_not_sell_sees_no_figures(self):
        for groups in ("base.group_portal", "base.group_user"):
            with self.subTest(groups=groups):
                with self.assertRaises(AccessError):
                    self.seen(groups)
                user = self.users[groups]
                self.assertFalse(
                    "clv_historical" in self.env["res.partner"].with_user(user).fields_get()
                )

    def test_salespeople_see_their_customers_and_change_no_rules(self):
        self.assertEqual(self.seen(SALESPERSON), self.customer)
        stage = self.env.ref("customer_lifecycle.stage_new").with_user(self.users[SALESPERSON])
        with self.assertRaises(AccessError):
            stage.write({"name": "Mine"})

    def test_managers_see_all_customers(self):
        self.assertLessEqual(self.customer | self.foreign, self.seen(MANAGER))
