"""Pytest plugin: write how many tests passed, failed and were skipped where setup/test asks."""

from __future__ import annotations

import json
import os

VARIABLE = "LIFECYCLE_TEST_COUNTS"

_interrupted = False


def pytest_keyboard_interrupt():
    """Remember that the user ended the run."""
    global _interrupted
    _interrupted = True


def pytest_terminal_summary(terminalreporter):
    """Write the counts of this run as JSON to the file that the variable names."""
    path = os.environ.get(VARIABLE)
    if not path:
        return
    stats = terminalreporter.stats
    counts = {
        "passed": len(stats.get("passed", ())) + len(stats.get("xfailed", ())),
        "failed": sum(len(stats.get(kind, ())) for kind in ("failed", "error", "xpassed")),
        "skipped": len(stats.get("skipped", ())),
        "interrupted": _interrupted,
    }
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(counts, stream)
