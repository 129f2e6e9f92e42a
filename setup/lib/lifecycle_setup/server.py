"""Odoo as a server: is the port free, is it up, is it there."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
import urllib.error
import urllib.request

from lifecycle_setup.console import SetupError


def check_port(port: int) -> None:
    """Raise SetupError unless this user can listen on `port` of this machine."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        # As Odoo does: a port whose last connection has just closed is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise SetupError(
                f"port {port} is reserved for the administrator: choose one above 1023 with --port."
            ) from None
        except OSError:
            raise SetupError(
                f"port {port} is taken by another program: end it, or choose another port with "
                f"--port {port + 1}."
            ) from None


def wait_until_up(process: subprocess.Popen, url: str, patience: float) -> bool:
    """Wait until `url` answers.

    :return: False when `process` ended or `patience` seconds passed before it did
    """
    # A proxy of the environment is not the way to this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + patience
    while time.monotonic() < end and process.poll() is None:
        try:
            with opener.open(url, timeout=patience):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    return False
