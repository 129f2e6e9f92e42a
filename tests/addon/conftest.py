"""A browser test that cannot run has to fail: Odoo and pytest-odoo would skip it silently."""

import pytest

MISSING = ("Chrome executable not found", "websocket-client", "--odoo-http is not set")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2]
        if any(text in reason for text in MISSING):
            report.outcome = "failed"
            report.longrepr = f"{reason}. Run this test with setup/test, which sees to that."
    return report
