"""``setup/test``: linters, tests without Odoo, tests in Odoo, and one line that sums them up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from lifecycle_setup import browser, clock, paths, python
from lifecycle_setup.console import SetupError, Stopped, say, step
from lifecycle_setup.odoo import wait_for

USAGE = """\
usage: setup/test                       everything: linters, tests without Odoo, tests in Odoo
       setup/test --lint                linters only
       setup/test --fix                 let the linters correct what they can, and make the
                                        add-on's README.rst and app page from its readme/
       setup/test --odoo-suites [MODULE ...]
                                        Odoo's own tests of the apps that the addon depends on
                                        (or of these modules), without and with the addon: fails
                                        where more fail with it; about 20 minutes
       setup/test [PYTEST ARGUMENT ...] tests only, e.g.
         setup/test tests/kernel
         setup/test tests/addon/profile -k merge
         setup/test -k refund -x
The tests in Odoo run on a day of their own; LIFECYCLE_TEST_DAY=2028-02-29 chooses another one, and
LIFECYCLE_TEST_DAY=today the real one.
"""
TESTS = paths.REPOSITORY / "tests"
ADDON_TESTS = TESTS / "addon"
# Test runs side by side, each in a database of its own; more would wait for each other's disk.
MOST_WORKERS = 4
# Exit code of pytest.
NO_TESTS_RAN = 5


def split(arguments: list[str]) -> tuple[list[str], list[str], list[str]]:
    """Sort command-line arguments by where they have to run.

    :return: paths of tests without Odoo, paths of tests in Odoo, everything else
    """
    plain, in_odoo, options = [], [], []
    for argument in arguments:
        path, separator, rest = argument.partition("::")
        found = next(
            (each for each in (Path(path), paths.REPOSITORY / path) if each.exists()), None
        )
        where = found and found.resolve()
        if argument.startswith("-") or not where or not where.is_relative_to(TESTS):
            options.append(argument)
            continue
        if where == TESTS:
            plain += _plain_folders()
            in_odoo.append(str(ADDON_TESTS))
        else:
            chosen = in_odoo if where.is_relative_to(ADDON_TESTS) else plain
            chosen.append(f"{where}{separator}{rest}")
    if not plain and not in_odoo:
        plain, in_odoo = _plain_folders(), [str(ADDON_TESTS)]
    return plain, in_odoo, options


def _plain_folders() -> list[str]:
    return [str(TESTS / name) for name in ("kernel", "setup") if (TESTS / name).is_dir()]


class Counts:
    """What passed and failed in all parts together."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.found_tests = False

    def add(self, passed: int, failed: int, skipped: int = 0) -> None:
        """Add one part's numbers."""
        self.passed += passed
        self.failed += failed
        self.skipped += skipped

    def pytest(self, arguments: list[str], environment: dict, **options) -> dict[str, str]:
        """Run pytest and add what it counted; an abnormal end counts as a failure.

        :return: the tests that wait for an app, and its module
        """
        descriptor, path = tempfile.mkstemp(prefix="lifecycle-", suffix=".json")
        os.close(descriptor)
        library = str(Path(__file__).resolve().parents[2])
        search = [library, environment.get("PYTHONPATH", "")]
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "pytest", "-p", "lifecycle_setup.pytest_count", *arguments],
                cwd=paths.REPOSITORY,
                env={
                    **environment,
                    "LIFECYCLE_TEST_COUNTS": path,
                    "PYTHONPATH": os.pathsep.join(filter(None, search)),
                },
                **options,
            )
            code = wait_for(process, has_terminal=True)
            text = Path(path).read_text(encoding="utf-8")
        finally:
            os.unlink(path)
        counted = json.loads(text or '{"passed": 0, "failed": 0}')
        waiting = counted.pop("waiting", {})
        if counted.pop("interrupted", False):
            raise Stopped(signal.SIGINT)
        if code != NO_TESTS_RAN:
            self.found_tests = True
            if code and not counted["failed"]:
                counted["failed"] = 1
        self.add(**counted)
        return waiting

    def warnings(self, how: str, lines: list[str]) -> None:
        """Add the check that installing the addon logs nothing at level warning or worse."""
        if lines:
            say("\n".join([f"Installing the addon {how} logged:".replace("  ", " "), *lines]))
        self.add(0, 1) if lines else self.add(1, 0)

    def print(self) -> int:
        """Print the closing line; return the exit code."""
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        print(f"\n{self.passed} passed, {self.failed} failed{skipped}", flush=True)
        return 1 if self.failed else 0


def main(arguments: list[str]) -> int:
    """Run the program and return its exit code."""
    if arguments in (["--help"], ["-h"]):
        print(USAGE, end="")
        return 0
    if arguments[:1] == ["--odoo-suites"]:
        return _odoo_suites(arguments[1:])
    lint_only = arguments in (["--lint"], ["--fix"])
    plain, in_odoo, options = split([] if lint_only else arguments)
    python.enter("test")
    counts = Counts()
    if lint_only or not arguments:
        from lifecycle_setup import checks

        if arguments == ["--fix"]:
            checks.fix()
        counts.add(*checks.run_linters())
        if lint_only:
            return counts.print()
    if plain:
        with step("Tests without Odoo"):
            environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
            workers = _workers() if not arguments else 1
            counts.pytest(["-p", "no:odoo", *plain, *options, *_side_by_side(workers)], environment)
    if in_odoo and any(ADDON_TESTS.rglob("test_*.py")):
        _test_in_odoo(counts, in_odoo, options, everything=not arguments)
    if not counts.found_tests:
        say("setup/test: no test matches these arguments.")
        counts.failed += 1
    return counts.print()


def _odoo_suites(modules: list[str]) -> int:
    python.enter("test")
    from lifecycle_setup import odoo_suites

    counts = Counts()
    counts.add(*odoo_suites.run(modules))
    return counts.print()


def _workers() -> int:
    return min(os.cpu_count() or 1, MOST_WORKERS)


def _side_by_side(workers: int) -> list[str]:
    """Options of pytest for so many processes; pytest-odoo copies the database for each."""
    if workers == 1:
        return []
    return ["--numprocesses", str(workers), "--dist", "loadfile", "--no-loadscope-reorder"]


def _test_in_odoo(counts: Counts, chosen: list[str], options: list[str], everything: bool) -> None:
    from lifecycle_setup import odoo, odoo_source, postgres

    try:
        os.environ.update(clock.environment())
    except ValueError:
        raise SetupError(
            f"{clock.CHOICE} is “{clock.chosen_day()}”: give a date like {clock.USUAL}, or today."
        ) from None
    browser.ensure_browser()
    source = odoo_source.ensure_odoo()
    with postgres.server() as keep_alive:
        from lifecycle_setup import testbed

        def in_database(tests, apps=(), workers=1):
            with testbed.own_database(source, keep_alive, apps) as (name, warnings):
                how = " ".join(["beside", *apps]) if apps else ""
                counts.warnings(how, warnings)
                with step(" ".join(["Tests in Odoo", *(["with", *apps] if apps else [])])):
                    return counts.pytest(
                        [
                            *("-p", "lifecycle_setup.clock"),
                            *("--odoo-http", f"--odoo-database={name}"),
                            # Odoo's own log handler shows what was logged, once is enough.
                            *("--odoo-log-level=warn", "-p", "no:logging", *tests, *options),
                            *_side_by_side(workers),
                        ],
                        odoo.environment(source),
                        **keep_alive,
                    )

        if everything:
            counts.warnings("with its demo data", testbed.demo_data_warnings(source, keep_alive))
        workers = _workers() if everything else 1
        waiting = in_database(chosen, workers=workers)
        if waiting:
            still = in_database(list(waiting), tuple(sorted(set(waiting.values()))))
            counts.add(0, len(still))
