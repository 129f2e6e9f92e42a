"""Odoo's own runner finds the add-on's smoke suite, and it passes on the real day."""

import unittest

import pytest

from odoo.tests.common import get_db_name

from lifecycle_setup import addon, console, database, odoo_source, odoo_suites, testbed
from lifecycle_setup.install import run_odoo


@pytest.mark.long
class TestSmokeSuite(unittest.TestCase):
    def test_odoo_s_own_runner_finds_and_passes_it(self):
        source = odoo_source.ensure_odoo()
        name = f"{get_db_name()}_smoke"
        self.addCleanup(database.drop, name)
        database.create(name, testbed.addon_template(source, {}))
        log = "test-smoke"
        warnings = run_odoo(
            source,
            {},
            ["-d", name, "--test-tags", f"/{addon.NAME}"],
            log=log,
            failure="the smoke suite failed",
        )
        self.assertEqual(warnings, [])
        failed, count = odoo_suites.read(
            console.log_file(log).read_text(encoding="utf-8").splitlines()
        )
        self.assertFalse(failed)
        self.assertGreaterEqual(count, 6)
