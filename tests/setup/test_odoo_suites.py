"""What is read from the log of Odoo's own tests."""

import pytest

from lifecycle_setup import odoo_suites
from lifecycle_setup.console import SetupError

LOG = """\
2026-11-30 20:00:00,000 7 INFO db odoo.addons.crm.tests.test_a: Starting TestA.test_one ...
2026-11-30 20:00:00,000 7 INFO db odoo.addons.crm.tests.test_a: FAIL: TestA.test_one
2026-11-30 20:00:00,000 7 ERROR db odoo.addons.sale.tests.test_b: ERROR: TestB.test_two
2026-11-30 20:00:00,000 7 INFO db odoo.addons.sale.tests.test_b: FAIL: Subtest TestB.test_s (x=1)
2026-11-30 20:00:00,000 7 ERROR db odoo.tests.result: 2 failed, 1 error(s) of 40 tests when
2026-11-30 20:00:00,000 7 INFO db odoo.tests.result: 0 failed, 0 error(s) of 2 tests when loading
"""


def test_failures_and_counts_are_read():
    failed, count = odoo_suites.read(LOG.splitlines())
    assert failed == {
        "odoo.addons.crm.tests.test_a:TestA.test_one",
        "odoo.addons.sale.tests.test_b:TestB.test_two",
        "odoo.addons.sale.tests.test_b:TestB.test_s",
    }
    assert count == 42


def test_log_without_a_result_is_no_success():
    with pytest.raises(SetupError):
        odoo_suites.read(LOG.splitlines()[:2])
