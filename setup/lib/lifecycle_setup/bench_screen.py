"""How long a journey takes in the browser: from the click on its tab to list and markers."""

from __future__ import annotations

import contextlib
import socket
import statistics
import subprocess

from lifecycle_setup import browser
from lifecycle_setup.console import SetupError, log_file

SECONDS = 1.0
ATTEMPTS = 9
TAB = ".o_notebook .nav-link[name=lifecycle_journey]"
# what people see: the first line of the list, the last marker, and the frame with both painted
OPEN = """
    new Promise((done) => {
        const start = performance.now();
        const look = () =>
            document.querySelector(".o_lifecycle_row") &&
            document.querySelector(".o_lifecycle_marker")
                ? requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)))
                : requestAnimationFrame(look);
        document.querySelector("%s").click();
        look();
    })
"""
# nothing has been read for half a second
QUIET = """
    new Promise((done) => {
        let read = -1;
        const look = () => {
            const now = performance.getEntriesByType("resource").length;
            now === read ? done() : ((read = now), setTimeout(look, 500));
        };
        look();
    })
"""


def measure(source, keep_alive, database: str, login: str, customers: dict[str, int]) -> list[dict]:
    """A row for each customer whose journey is opened.

    :param login: of a salesperson, whose password is the same
    :param customers: name of the row → id of the contact
    """
    with _serving(source, keep_alive, database) as url, browser.page() as page:
        page.call("Page.enable")
        page.open(f"{url}/web/login", "#password")
        page.evaluate(
            f"""(() => {{
                document.querySelector("#login").value = "{login}";
                document.querySelector("#password").value = "{login}";
                document.querySelector(".oe_login_form").submit();
            }})()"""
        )
        page.wait_for('document.querySelector(".o_web_client .o_main_navbar")')
        return [_row(page, url, name, partner) for name, partner in customers.items()]


def _row(page, url: str, name: str, partner: int) -> dict:
    seconds = []
    # the first one compiles templates and fills caches of the server
    for _attempt in range(ATTEMPTS + 1):
        page.open("about:blank", "body")
        page.open(f"{url}/odoo/res.partner/{partner}", TAB)
        # what the form reads after it is there is not the journey's
        page.evaluate(QUIET)
        seconds.append(page.evaluate(OPEN % TAB) / 1000)
    return {
        "name": name,
        "seconds": statistics.median(seconds[1:]),
        "most_seconds": SECONDS,
    }


@contextlib.contextmanager
def _serving(source, keep_alive, database: str):
    """Odoo as a server on a free port; yields its address."""
    from lifecycle_setup import odoo
    from lifecycle_setup.server import wait_until_up

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    path = log_file(f"serve-{database}")
    with open(path, "a", encoding="utf-8") as stream:
        process = subprocess.Popen(
            odoo.command(
                *("-d", database, "--http-port", str(port), "--max-cron-threads=0"),
                *("--db-filter", f"^{database}$", "--log-level=warn", "--logfile="),
            ),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=odoo.environment(source),
            start_new_session=True,
            **keep_alive,
        )
        try:
            if not wait_until_up(process, f"{url}/web/login", 120):
                raise SetupError(f"Odoo did not start: see {path}")
            yield url
        finally:
            odoo.end(process)
