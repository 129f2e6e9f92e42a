"""Installing and updating the addon in a database, with its log kept and its warnings found."""

from __future__ import annotations

import re
import subprocess

from lifecycle_setup import clock, odoo, paths
from lifecycle_setup.console import SetupError, log_file

WARNING = re.compile(r"^\S+ \S+ \d+ (WARNING|ERROR|CRITICAL) ")


def warnings_in(lines) -> list[str]:
    """The lines of an Odoo log at level warning or worse, less Python's about other code."""
    return [
        line.rstrip()
        for line in lines
        if WARNING.match(line) and (" py.warnings: " not in line or str(paths.ADDON) in line)
    ]


def run_odoo(
    source, options: dict, arguments: list[str], *, log: str, failure: str, on_test_day=False
) -> list[str]:
    """Run Odoo until it is done with `arguments`, its log in a file of its own.

    :param options: of `subprocess`, from :func:`lifecycle_setup.postgres.server`
    :param on_test_day: on the day of the tests instead of the real one
    :return: the lines of its log at level warning or worse
    :raises SetupError: with `failure`, the last error in the log and the log's path
    """
    path = log_file(log)
    command = odoo.command(
        *arguments, "--stop-after-init", "--no-http", "--max-cron-threads=0", "--logfile="
    )
    environment = odoo.environment(source)
    if on_test_day:
        command, environment = clock.moved(command, environment)
    with open(path, "w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
            **options,
        )
        code = odoo.wait_for(process)
    with open(path, encoding="utf-8", errors="replace") as stream:
        lines = stream.readlines()
    if code:
        raise SetupError(f"{failure}: {reason(lines)} (details: {path})")
    return warnings_in(lines)


def reason(lines: list[str]) -> str:
    """The line of a log that most likely says why Odoo failed."""
    errors = [line.strip() for line in lines if re.match(r"^[\w.]*(Error|Exception)\b", line)]
    if errors:
        return errors[-1][:300]
    found = warnings_in(lines)
    return found[-1][:300] if found else "it ended with an error"
