import re
from ast import literal_eval
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree
from openpyxl import load_workbook

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user
from odoo.tools.misc import file_path

from odoo.addons.web.tests import test_js

from ..common import LifecycleCase, LifecycleHttpCase

pytestmark = pytest.mark.long

SALESMAN = "sales_team.group_sale_salesman"
ALL_LEADS = "sales_team.group_sale_salesman_all_leads"
MANAGER = "sales_team.group_sale_manager"

#: partner fields that the list and the form show
SHOWN = (
    "lifecycle_currency_id",
    "lifecycle_order_count",
    "lifecycle_last_order_date",
    "lifecycle_days_since_last_order",
    "lifecycle_average_order_value",
    "clv_historical",
    "clv_predicted",
    "clv_total",
    "clv_p_order_30",
    "clv_next_order_date",
)


class TestFirstSteps(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("Steps Ltd")
        cls.manager = cls.new_user("lifecycle_manager", MANAGER, cls.company)
        cls.salesman = cls.new_user("lifecycle_salesman", ALL_LEADS, cls.company)

    def test_panel_follows_the_company_and_ends(self):
        steps = self.env["lifecycle.first.steps"].with_user(self.manager)
        steps = steps.with_company(self.company)
        self.assertEqual(steps.get_state()["customers"], 0)
        small, large = self.new_customer("Small"), self.new_customer("Large")
        self.new_purchase(small, 10, 5, self.company)
        self.new_purchase(large, 1000, 5, self.company)
        self.run_nightly()
        state = steps.get_state()
        self.assertEqual(state["customers"], 2)
        names = [profile["partner_id"][1] for profile in state["sample"]]
        self.assertEqual(names, ["Large", "Small"])
        self.assertFalse(state["confirmed"])
        done = {step["id"]: step["done"] for step in state["steps"]}
        self.assertTrue(done.pop("sales"))
        self.assertFalse(done.pop("figures"))
        self.assertEqual(set(done), {"tiers", "segments", "calls", "consent", "workflow"})
        self.assertFalse(done["tiers"])
        steps.finish()
        self.assertTrue(steps.get_state()["confirmed"])
        self.assertFalse(self.env.company.lifecycle_first_steps_done)
        self.env["lifecycle.vip.tier"].create(
            {"name": "Gold", "rank": 1, "entry": 100, "company_id": self.company.id}
        )
        for step in ("segments", "calls", "consent", "workflow"):
            steps.tick(step)
        self.assertFalse(steps.get_state(), "all is done")
        state = steps.get_state(asked=True)
        self.assertTrue(all(step["done"] for step in state["steps"]))
        steps.tick("calls")
        done = {step["id"]: (step["done"], step["by_hand"]) for step in steps.get_state()["steps"]}
        self.assertEqual(done["calls"], (False, False))
        self.assertEqual(done["consent"], (True, True))
        steps.close()
        self.assertFalse(steps.get_state(asked=True))
        self.assertEqual(steps._get_action()["context"]["lifecycle_first_steps"], "all")
        self.assertTrue(steps.get_state())
        with self.assertRaises(UserError):
            steps.tick("lifecycle")

    def test_only_managers_are_led(self):
        steps = self.env["lifecycle.first.steps"].with_user(self.salesman)
        self.assertFalse(steps.get_state())
        for change in (steps.finish, steps.close, steps._get_action, lambda: steps.tick("calls")):
            with self.assertRaises(AccessError):
                change()


class TestViews(LifecycleCase):
    def own_menus(self):
        menus = self.env["ir.ui.menu"].search([]).get_external_id()
        own = [id_ for id_, name in menus.items() if name.startswith("customer_lifecycle.")]
        return self.env["ir.ui.menu"].browse(own)

    def visible_menus(self, user):
        """Those that the web client shows: entries whose headings are seen, too."""
        shown = self.env["ir.ui.menu"].with_user(user).load_menus(False)
        return self.own_menus().filtered(lambda menu: menu.id in shown)

    def test_each_sees_the_menus_that_he_can_open(self):
        seen = {}
        for name, groups in (
            ("clerk", "base.group_user"),
            ("own", SALESMAN),
            ("all", ALL_LEADS),
            ("manager", MANAGER),
            ("admin", f"{MANAGER},base.group_system"),
        ):
            user = new_test_user(self.env, f"lifecycle_menus_{name}", groups)
            seen[name] = set(self.visible_menus(user).mapped("complete_name"))
        self.assertFalse(seen["clerk"])
        self.assertTrue(seen["own"] < seen["all"] < seen["manager"] < seen["admin"])
        self.assertIn("Customers/Customers/To Contact", seen["own"])
        self.assertIn("Customers/Engage/Recommendations", seen["own"])
        self.assertNotIn("Customers/Engage/Workflows", seen["own"])
        self.assertNotIn("Customers/Configuration", seen["all"])
        self.assertIn("Customers/Reporting/Segments by Month", seen["all"])
        self.assertIn("Customers/Configuration/Rules/Stages", seen["manager"])
        self.assertEqual(
            seen["admin"] - seen["manager"], {"Customers/Configuration/Settings"}
        )

    def test_every_screen_has_an_address_that_can_be_read(self):
        actions = self.env["ir.model.data"].search(
            [
                ("module", "=", "customer_lifecycle"),
                ("model", "in", ("ir.actions.act_window", "ir.actions.client")),
                ("name", "!=", "lifecycle_reports_action"),  # leads to another screen
            ]
        )
        self.assertGreaterEqual(len(actions), 40)
        for action in actions:
            with self.subTest(action=action.name):
                self.assertTrue(self.env[action.model].browse(action.res_id).path)

    def test_every_action_opens_for_those_who_have_its_menu(self):
        self.assertGreaterEqual(len(self.own_menus()), 50)
        for groups in (SALESMAN, ALL_LEADS, MANAGER, f"{MANAGER},base.group_system"):
            user = new_test_user(self.env, f"lifecycle_{len(groups)}", groups)
            seen = 0
            for menu in self.visible_menus(user):
                action = menu.action
                if not action or action._name == "ir.actions.client":
                    continue  # a client action is opened by the tour
                if action._name == "ir.actions.server":
                    action = self.env["ir.actions.act_window"].browse(
                        action.with_user(user).run()["id"]
                    )
                seen += 1
                with self.subTest(groups=groups, menu=menu.complete_name):
                    model = self.env[action.res_model].with_user(user)
                    model.get_views(
                        [(view_id, kind) for view_id, kind in action.views]
                        + [(action.search_view_id.id, "search")]
                    )
                    # a screen without its records would be a message about rights
                    model.check_access("create" if model._transient else "read")
                    model.search([], limit=1)
            self.assertGreaterEqual(seen, 2)

    def test_every_menu_that_a_text_names_is_there(self):
        addon = Path(file_path("customer_lifecycle/__manifest__.py")).parent
        files = [
            *(file for kind in ("py", "xml", "js", "rst") for file in addon.rglob(f"*.{kind}")),
            addon.parent / "README.md",
            *(addon.parent / "docs").glob("*.md"),
        ]
        named = set()
        for file in files:
            # sentences are broken into lines, in Python into strings
            text = re.sub(r'[\s"*]+', " ", file.read_text(encoding="utf-8"))
            steps = text.split(" ▸ ")
            named.update((one[-40:], two[:40]) for one, two in pairwise(steps))
        self.assertGreaterEqual(len(named), 10)
        menus = self.env["ir.ui.menu"].search([])
        known = {(menu.parent_id.name, menu.name) for menu in menus}
        # the manual says once that entries of Configuration stand below headings
        known |= {
            (menu.parent_id.parent_id.name, menu.name)
            for menu in self.own_menus()
            if menu.parent_id.parent_id.parent_id
        }
        groups = self.env["res.groups"].search([("privilege_id", "!=", False)])
        known |= {(group.privilege_id.name, group.name) for group in groups}
        settings = self.env["res.config.settings"].get_view(
            self.env.ref("customer_lifecycle.res_config_settings_view_form").id
        )
        known.add(("Settings", "Customer Lifecycle"))
        known.update(
            ("Customer Lifecycle", node.get("string"))
            for node in etree.fromstring(settings["arch"]).iter("setting")
        )
        for before, after in named:
            with self.subTest(before=before, after=after):
                self.assertTrue(
                    any(
                        before.endswith(one) and after.startswith(two)
                        for one, two in known
                        if one and two
                    )
                )

    def test_salesman_finds_filters_and_columns_others_do_not(self):
        salesman = new_test_user(self.env, "lifecycle_salesman", SALESMAN)
        clerk = new_test_user(self.env, "lifecycle_clerk", "base.group_user")
        filters = {
            "lifecycle_repeat",
            "lifecycle_quiet",
            "lifecycle_likely",
            "lifecycle_top",
            "group_lifecycle_last_order",
            "group_lifecycle_order_count",
        }
        for user, expected in ((salesman, filters), (clerk, set())):
            views = (
                self.env["res.partner"]
                .with_user(user)
                .get_views([(False, "form"), (False, "list"), (False, "search")])["views"]
            )
            arch = {kind: etree.fromstring(view["arch"]) for kind, view in views.items()}
            names = {node.get("name") for node in arch["search"].iter("filter")}
            self.assertEqual(names & filters, expected)
            columns = {node.get("name") for node in arch["list"].iter("field")}
            self.assertEqual("clv_historical" in columns, bool(expected))
            pages = {node.get("name") for node in arch["form"].iter("page")}
            self.assertEqual("customer_lifecycle" in pages, bool(expected))

    def test_filters_of_the_contact_list_can_be_used(self):
        view = self.env.ref("customer_lifecycle.view_res_partner_filter")
        tree = etree.fromstring(view.arch)
        partners = self.env["res.partner"]
        domains = [node.get("domain") for node in tree.iter("filter") if node.get("domain")]
        self.assertEqual(len(domains), 4)
        for domain in domains:
            partners.search_count(literal_eval(domain))
        for field in ("lifecycle_last_order_date:month", "lifecycle_order_count"):
            partners.formatted_read_group([], [field], ["__count", "clv_historical:sum"])

    def test_a_salesman_can_edit_a_contact(self):
        salesman = new_test_user(
            self.env, "lifecycle_editor", f"{SALESMAN},base.group_partner_manager"
        )
        with Form(self.env["res.partner"].with_user(salesman)) as form:
            form.name = "Lifecycle form"
        self.assertFalse(form.record.lifecycle_exclude)

    def test_settings_change_the_company(self):
        with Form(self.env["res.config.settings"]) as form:
            form.lifecycle_horizon = 180
        form.record.execute()
        self.assertEqual(self.env.company.lifecycle_horizon, 180)

    def test_a_source_lists_its_latest_purchases(self):
        company = self.new_company("Sources Ltd")
        partner = self.new_customer("Lifecycle fresh")
        for days in range(12):
            self.new_purchase(partner, 10 + days, days, company)
        self.env.flush_all()
        source = self.env.ref("customer_lifecycle.revenue_source_external_purchase")
        action = source.with_company(company).action_view_latest()
        found = (
            self.env["lifecycle.purchase"]
            .with_company(company)
            .with_context(**action["context"])
            .search(action["domain"])
        )
        # the customer has no profile yet and is listed all the same
        self.assertFalse(found.profile_id)
        self.assertEqual(found.partner_id, partner)
        self.assertEqual(sorted(found.mapped("amount")), [10.0 + days for days in range(10)])

    def test_a_sleeping_source_says_why_it_lists_nothing(self):
        source = self.env["lifecycle.revenue.source"].create(
            {"name": "Not there", "model": "not.installed"}
        )
        with self.assertRaisesRegex(UserError, "not.installed"):
            source.action_view_latest()

    def test_import_template_fits_the_model(self):
        [template] = self.env["lifecycle.external.purchase"].get_import_templates()
        path = template["template"].removeprefix("/")
        sheet = load_workbook(file_path(path)).active
        header, first, *_rest = [list(row) for row in sheet.iter_rows(values_only=True)]
        fields = self.env["lifecycle.external.purchase"].fields_get()
        labels = {field["string"] for field in fields.values()}
        self.assertLessEqual(set(header), labels)
        self.assertEqual(len(first), len(header))


class TestQueries(LifecycleCase):
    """The contact's screens must not become slow because of this addon."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partners = cls.env["res.partner"].create(
            [{"name": f"Lifecycle query {number}"} for number in range(40)]
        )
        for partner in cls.partners:
            cls.new_purchase(partner, 10, 5)

    def count(self, partners, names):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        partners.web_read({name: {} for name in names})
        return self.env.cr.sql_log_count - before

    def test_figures_cost_few_queries_however_many_contacts(self):
        self.run_nightly()
        plain = ["name", "email", "phone"]
        for partners in (self.partners[:1], self.partners):
            self.count(partners, plain + list(SHOWN))  # fill the caches of the registry
            extra = self.count(partners, plain + list(SHOWN)) - self.count(partners, plain)
            self.assertLessEqual(extra, 6)


class TestTours(LifecycleHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner = cls.env["res.partner"].create({"name": "Lifecycle Tour"})
        product = cls.env["product.product"].create(
            {"name": "Lifecycle tour item", "type": "service", "taxes_id": False}
        )
        for price in (100, 200):
            order = cls.env["sale.order"].create(
                {
                    "partner_id": cls.partner.id,
                    # nobody's order: salespeople who see only their own may open it
                    "user_id": False,
                    "order_line": [
                        (0, 0, {"product_id": product.id, "price_unit": price, "tax_ids": False})
                    ],
                }
            )
            order.action_confirm()
        cls.env.company.lifecycle_first_steps_done = False

    def setUp(self):
        super().setUp()
        self.env.flush_all()
        self.env.cr.precommit.run()
        with self.enter_registry_test_mode():
            self.env.ref("customer_lifecycle.ir_cron_lifecycle_nightly").method_direct_trigger()

    def test_from_contact_to_document(self):
        new_test_user(
            self.env, "lifecycle_tour", f"{SALESMAN},base.group_partner_manager", lang="en_US"
        )
        self.start_tour(
            f"/odoo/res.partner/{self.partner.id}",
            "lifecycle_contact_to_document",
            login="lifecycle_tour",
            timeout=120,
        )

    def test_customer_values(self):
        new_test_user(self.env, "lifecycle_tour", MANAGER, lang="en_US")
        self.start_tour(
            "/odoo/customer-values",
            "lifecycle_customer_values",
            login="lifecycle_tour",
            timeout=120,
        )
        self.env.company.invalidate_recordset()
        self.assertTrue(self.env.company.lifecycle_first_steps_done)


class TestMenus(LifecycleHttpCase):
    """Odoo's own robot clicks every menu, view and filter of the app, as each role."""

    allow_end_on_form = True

    def click_everywhere(self, groups):
        new_test_user(self.env, "lifecycle_clicks", groups, lang="en_US")
        self.browser_js(
            "/odoo",
            "odoo.loader.modules.get('@web/webclient/clickbot/clickbot_loader')"
            ".startClickEverywhere('customer_lifecycle.lifecycle_menu_root');",
            "odoo.isReady === true",
            login="lifecycle_clicks",
            timeout=900,
            success_signal="clickbot test succeeded",
        )

    def test_salesman_with_own_documents(self):
        self.click_everywhere(SALESMAN)

    def test_manager(self):
        self.click_everywhere(f"{MANAGER},base.group_system")

    def test_reports_lead_from_crm_into_the_app(self):
        new_test_user(self.env, "lifecycle_reports", SALESMAN, lang="en_US")
        self.start_tour(
            "/odoo/crm", "lifecycle_reports_from_crm", login="lifecycle_reports", timeout=120
        )


class TestComponents(LifecycleHttpCase):
    """Runs the unit tests of the screens' components in a browser."""

    def test_components(self):
        suite = test_js.HOOTCommon._generate_hash(self, "@customer_lifecycle")
        self.browser_js(
            f"/web/tests?headless&loglevel=2&preset=desktop&timeout=15000&id={suite}",
            "",
            "",
            login="admin",
            timeout=600,
            success_signal="[HOOT] Test suite succeeded",
            error_checker=test_js.unit_test_error_checker,
        )
