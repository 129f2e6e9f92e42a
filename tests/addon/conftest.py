"""A browser test that cannot run has to fail: Odoo and pytest-odoo would skip it silently.

What takes long is begun first: processes that run side by side then end together.
"""

import os

import pytest

from odoo.tests.common import TransactionCase

MISSING = ("Chrome executable not found", "websocket-client", "--odoo-http is not set")


@pytest.fixture(scope="session", autouse=True)
def shared_filestore():
    """Processes side by side share their attachments: none tidies up what others still use."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        TransactionCase._gc_filestore = classmethod(lambda cls: None)


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2]
        if any(text in reason for text in MISSING):
            report.outcome = "failed"
            report.longrepr = f"{reason}. Run this test with setup/test, which sees to that."
    return report
