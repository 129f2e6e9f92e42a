"""Pytest plugin: write what became of the tests where setup/test asks.

A test that is skipped because it ``Needs the app … (module).`` is told apart, so that setup/test
can run it where that app is installed.
"""

from __future__ import annotations

import json
import os
import re

VARIABLE = "LIFECYCLE_TEST_COUNTS"

_interrupted = False


def pytest_keyboard_interrupt():
    """Remember that the user ended the run."""
    global _interrupted
    _interrupted = True


def needed_module(report) -> str | None:
    """The module without which the skipped test of `report` cannot run, if that is why."""
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    match = re.search(r"Needs the app .*\((\w+)\)", reason)
    return match and match.group(1)


def pytest_terminal_summary(terminalreporter):
    """Write the counts of this run as JSON to the file that the variable names."""
    path = os.environ.get(VARIABLE)
    if not path:
        return
    stats = terminalreporter.stats
    skipped = {report.nodeid: needed_module(report) for report in stats.get("skipped", ())}
    waiting = {test: module for test, module in skipped.items() if module}
    counts = {
        "passed": len(stats.get("passed", ())) + len(stats.get("xfailed", ())),
        "failed": sum(len(stats.get(kind, ())) for kind in ("failed", "error", "xpassed")),
        "skipped": len(stats.get("skipped", ())) - len(waiting),
        "waiting": waiting,
        "interrupted": _interrupted,
    }
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(counts, stream)
