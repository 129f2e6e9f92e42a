"""A Chromium without a window, spoken to over its DevTools protocol."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from lifecycle_setup import apt
from lifecycle_setup.console import SetupError

# As Odoo looks for it.
NAMES = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")


def ensure_browser() -> str:
    """Path of the browser, which is installed where there is none."""
    if not any(map(shutil.which, NAMES)):
        apt.install(["chromium"], "Chromium (for what is looked at in a browser)")
    return next(filter(None, map(shutil.which, NAMES)))


class Page:
    """The one page of a browser."""

    def __init__(self, socket):
        self.socket = socket
        self.number = 0

    def call(self, method: str, **params) -> dict:
        """Send a command of the DevTools protocol and return its result.

        :raises SetupError: when the browser refuses it
        """
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while True:
            # events are not waited for, only answers
            answer = json.loads(self.socket.recv())
            if answer.get("id") == self.number:
                break
        if "error" in answer:
            raise SetupError(f"the browser refused {method}: {answer['error']['message']}")
        return answer["result"]

    def evaluate(self, expression: str):
        """Value of a JavaScript expression, awaited where it is a promise.

        :raises SetupError: when it throws
        """
        answer = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            reason = details.get("exception", {}).get("description") or details["text"]
            raise SetupError(f"the page threw: {reason}")
        return answer["result"].get("value")

    def open(self, url: str, until: str, patience: float = 120) -> None:
        """Go to an address and wait until an element is there.

        :param until: CSS selector
        :raises SetupError: when it does not appear within `patience` seconds
        """
        self.call("Page.navigate", url=url)
        self.wait_for(f"document.querySelector({json.dumps(until)})", patience)

    def wait_for(self, condition: str, patience: float = 120) -> None:
        """Wait until a JavaScript expression is true, on whichever page is open by then."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            # a page that is just being left cannot answer
            with contextlib.suppress(SetupError):
                if self.evaluate(f"Boolean({condition})"):
                    return
            time.sleep(0.1)
        raise SetupError(f"the browser waited in vain for {condition}")


@contextlib.contextmanager
def page(width: int = 1400, height: int = 900):
    """An empty page of a new browser, which ends with the block."""
    import websocket

    program = ensure_browser()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [
                program,
                *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"),
                *("--disable-dev-shm-usage", f"--window-size={width},{height}"),
                *("--remote-debugging-port=0", "--remote-allow-origins=*"),
                *(f"--user-data-dir={folder}", "about:blank"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            socket = websocket.create_connection(_address(process, Path(folder)), timeout=180)
            try:
                yield Page(socket)
            finally:
                socket.close()
        finally:
            process.terminate()
            process.wait()


def _address(process, folder: Path, patience: float = 60) -> str:
    """Address of the socket of the browser's page."""
    note = folder / "DevToolsActivePort"
    # A proxy of the environment is not the way to this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + patience
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError, ValueError, IndexError, StopIteration):
            port = int(note.read_text(encoding="utf-8").splitlines()[0])
            with opener.open(f"http://127.0.0.1:{port}/json/list", timeout=10) as answer:
                targets = json.load(answer)
            return next(
                target["webSocketDebuggerUrl"] for target in targets if target["type"] == "page"
            )
        time.sleep(0.1)
    raise SetupError("the browser did not start")
