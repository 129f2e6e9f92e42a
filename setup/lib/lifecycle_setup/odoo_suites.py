"""Odoo's own tests of the apps that the addon depends on, without the addon and with it.

Some of them fail on a machine for reasons of its own (a missing font, another version of a
library): what counts is what fails with the addon only. Takes about ten minutes each time, and is
therefore no part of what a continuous-integration server runs.
"""

from __future__ import annotations

import re
import secrets
import socket
import subprocess
import sys

from lifecycle_setup import addon, browser, database, odoo, odoo_source, postgres, testbed
from lifecycle_setup.console import SetupError, log_file, say, step

#: apps whose tests run where nobody names others
MODULES = ("base_automation", "contacts", "crm", "loyalty", "sale", "sale_crm", "sale_loyalty",
           "sale_management")
#: apps that the addon does not depend on but reads and extends where they are installed
BESIDE = ("pos_loyalty", "point_of_sale")
FAILED = re.compile(
    r"^\S+ \S+ \d+ (?:ERROR|INFO) \S+ (odoo\.addons\.\S+): (?:FAIL|ERROR): (?:Subtest )?([\w.]+)"
)
SUMMARY = re.compile(r"odoo\.tests\.result: (\d+) failed, (\d+) error\(s\) of (\d+) tests")


def read(lines) -> tuple[set[str], int]:
    """What failed according to an Odoo log, and how many tests ran.

    :raises SetupError: when the log has no result, as where Odoo did not start
    """
    failed, count, ended = set(), 0, False
    for line in lines:
        if match := FAILED.match(line):
            failed.add(":".join(match.groups()))
        if match := SUMMARY.search(line):
            count += int(match.group(3))
            ended = True
    if not ended:
        raise SetupError("Odoo's tests did not come to their end")
    return failed, count


def run(modules: list[str]) -> tuple[int, int]:
    """Run the tests of some modules in two databases; say what fails with the addon only.

    :return: (tests that do not fail more than without the addon, tests that do)
    """
    browser.ensure_browser()
    source = odoo_source.ensure_odoo()
    apps = tuple(sorted(set(modules or BESIDE) - set(MODULES) - set(addon.depends())))
    chosen = sorted(set(modules) or {*MODULES, *apps})
    with postgres.server() as keep_alive:
        with_addon = testbed.addon_template(source, keep_alive, apps)
        without = testbed.base_template(source, apps)
        alone, _count = _tested(source, keep_alive, without, chosen, "without")
        beside, count = _tested(source, keep_alive, with_addon, chosen, "with")
    more = sorted(beside - alone)
    if alone:
        say(f"{len(alone)} tests fail here without {addon.NAME} too.")
    if more:
        say("\n".join([f"These fail with {addon.NAME} only:", *more]))
    return count - len(beside), len(more)


def _tested(source, keep_alive, template, modules, how) -> tuple[set[str], int]:
    # by such a name other runs of this checkout see that it is in use
    name = f"{testbed.PREFIX}_run_{secrets.token_hex(testbed.RUN_BYTES)}"
    path = log_file(f"test-suites-{how}")
    with database.claim(name):
        database.create(name, template)
        try:
            with step(f"Tests of {', '.join(modules)} {how} {addon.NAME}"):
                _run_odoo(source, keep_alive, name, modules, path)
        finally:
            database.drop(name)
    with open(path, encoding="utf-8", errors="replace") as stream:
        try:
            return read(stream)
        except SetupError as error:
            raise SetupError(f"{error} (details: {path})") from None


def _run_odoo(source, keep_alive, name, modules, path):
    tags = ",".join(f"/{module}" for module in modules)
    with open(path, "w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "odoo", "-d", name, "-u", ",".join(modules)),
                *("--test-tags", tags, "--stop-after-init", "--max-cron-threads=0"),
                *("--http-port", str(_free_port()), "--logfile="),
            ],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=odoo.environment(source),
            start_new_session=True,
            **keep_alive,
        )
        # what the tests found is in the log; the exit code says only that something failed
        odoo.wait_for(process)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
