import ast
from pathlib import Path

from ..common import LifecycleCase, LifecycleHttpCase

ADDON = Path(__file__).resolve().parents[3] / "customer_lifecycle"


class TestInstallation(LifecycleCase):
    def test_installed_version_is_the_manifests(self):
        manifest = ast.literal_eval((ADDON / "__manifest__.py").read_text())
        module = self.env.ref("base.module_customer_lifecycle")
        self.assertEqual(module.state, "installed")
        self.assertEqual(module.installed_version, manifest["version"])


class TestWebClient(LifecycleHttpCase):
    def test_contacts_open_without_a_console_error(self):
        self.browser_js(
            "/odoo/contacts",
            "console.log('test successful')",
            "!!document.querySelector('.o_kanban_view, .o_list_view')",
            login="admin",
        )
