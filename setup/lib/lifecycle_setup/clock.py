"""A day of their own for the tests, the same whenever somebody runs them.

In: seconds by which the clock is moved, in the environment, so that all processes of a run agree.
Out: Python's clock, the transaction's time in Odoo and the clock of the browser's pages, moved by
that much; they go on from there. PostgreSQL's own ``now()`` stays: nothing of ours may ask it.
Called by: ``setup/test``; pytest (as a plugin); the processes that tests start; the installation
of template databases (``python -m lifecycle_setup.clock odoo ...``).
"""

from __future__ import annotations

import contextlib
import os
import runpy
import sys
import time
from datetime import date, datetime, timedelta, timezone
from datetime import time as clock_time
from pathlib import Path

#: seconds from the real time to the tests' time
VARIABLE = "LIFECYCLE_TEST_CLOCK"
#: chooses another day (YYYY-MM-DD), or the real one ("today")
CHOICE = "LIFECYCLE_TEST_DAY"
#: a working day in the middle of a month, far from a clock change
USUAL = "2026-11-18"
#: time of the usual day at which a run begins, in UTC
HOUR = 9

BROWSER = """(() => {
    const shift = %d;
    const Real = Date;
    const moved = (...given) => (given.length ? given : [Real.now() + shift]);
    globalThis.Date = new Proxy(Real, {
        construct: (target, given, made) => Reflect.construct(target, moved(...given), made),
        apply: () => new Real(Real.now() + shift).toString(),
        get: (target, name) =>
            name === "now" ? () => Real.now() + shift : Reflect.get(target, name),
    });
})()"""


def chosen_day() -> str:
    """The day that tests run on: YYYY-MM-DD, or "today" for the real one."""
    return os.environ.get(CHOICE) or USUAL


def environment() -> dict[str, str]:
    """Variables that move the clock of a process which calls :func:`start`.

    :raises ValueError: the chosen day is no date
    """
    day = chosen_day()
    if day == "today":
        return {VARIABLE: "0"}
    start_of_run = datetime.fromisoformat(day).replace(hour=HOUR, tzinfo=timezone.utc)
    return {VARIABLE: str(round(start_of_run.timestamp() - time.time()))}


def moved(command: list[str], environment: dict) -> tuple[list[str], dict]:
    """What runs a ``python -m MODULE ...`` on the tests' day: its command and its variables."""
    python, option, *rest = command
    library = str(Path(__file__).resolve().parents[1])
    search = os.pathsep.join(filter(None, [library, environment.get("PYTHONPATH", "")]))
    return [python, option, __spec__.name, *rest], {**environment, "PYTHONPATH": search}


def start() -> None:
    """Move the clock of this process as the environment says."""
    shift = int(os.environ.get(VARIABLE) or 0)
    if shift:
        _move(shift).start()


@contextlib.contextmanager
def on(day: date, cursor):
    """Another day for a part of a test, and for the transaction of `cursor`."""
    moment = datetime.combine(day, clock_time(HOUR), timezone.utc)
    before = _transactions["shift"]
    with _move(moment.timestamp() - _real_time()):
        cursor._now = None
        try:
            yield
        finally:
            _transactions["shift"] = before
            cursor._now = None


#: how much ``cr.now()`` is moved, and whether it can be
_transactions = {"shift": timedelta(0), "patched": False}


def _real_time() -> float:
    return time.time() - _transactions["shift"].total_seconds()


def _move(seconds: float):
    """A traveller to so many seconds from the real time, in Python and in transactions."""
    import time_machine

    traveller = time_machine.travel(_real_time() + seconds, tick=True)
    _transactions["shift"] = timedelta(seconds=seconds)
    _patch_transactions()
    return traveller


def _patch_transactions() -> None:
    """Let Odoo's ``cr.now()``, from which ``create_date`` comes, move along."""
    if _transactions["patched"]:
        return
    import odoo.init  # noqa: F401 the order in which Odoo wants to be imported

    # isort: split
    from odoo.sql_db import BaseCursor

    real = BaseCursor.now

    def now(self):
        known = self._now is not None
        moment = real(self)
        if not known:
            moment = self._now = moment + _transactions["shift"]
        return moment

    BaseCursor.now = now
    _transactions["patched"] = True


def _move_browser() -> None:
    """Let the pages that Odoo's test browser opens move along."""
    from odoo.tests.common import ChromeBrowser

    real = ChromeBrowser.__init__
    script = BROWSER % (1000 * int(os.environ[VARIABLE]))

    def init(self, *args, **kwargs):
        real(self, *args, **kwargs)
        self._websocket_request(
            "Page.addScriptToEvaluateOnNewDocument", params={"source": script}
        )

    ChromeBrowser.__init__ = init


def pytest_configure(config):
    """As a plugin of pytest: move all clocks before a test is collected."""
    start()
    if int(os.environ.get(VARIABLE) or 0):
        _move_browser()


if __name__ == "__main__":
    start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
