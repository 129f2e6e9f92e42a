"""Odoo's program in this checkout: its configuration, its environment, running it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from lifecycle_setup import paths
from lifecycle_setup.console import SetupError
from lifecycle_setup.odoo_source import OdooSource


def data_folder() -> Path:
    """Odoo's data folder (attachments, sessions) of this checkout."""
    return paths.state() / "data"


def addons_path(source: OdooSource, ours: Path = paths.REPOSITORY) -> str:
    """Odoo's setting of that name, with the folder that our addon lies in.

    :raises SetupError: where Odoo would misread a folder's name
    """
    addons = [source.python_path / "odoo" / "addons", *source.addons, ours]
    for folder in addons:
        if "," in str(folder):
            raise SetupError(
                f"{folder} has a comma in its name, where Odoo would split it: rename the folder."
            )
    return ",".join(map(str, addons))


def write_configuration(source: OdooSource) -> Path:
    """Write Odoo's configuration file; the database server comes from the PG* variables."""
    values = {
        "addons_path": addons_path(source),
        "data_dir": data_folder(),
        "screenshots": paths.state() / "screenshots",
        "http_interface": "127.0.0.1",
        "admin_passwd": "admin",
        "list_db": False,
        "max_cron_threads": 1,
        # A first computation over many customers is longer than a page load.
        "limit_time_real": 1200,
        "limit_time_cpu": 1200,
    }
    path = paths.state() / "odoo.conf"
    text = "[options]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        # Another program may be reading it.
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    return path


def environment(source: OdooSource) -> dict[str, str]:
    """Variables under which ``python -m odoo``, pytest-odoo and psql work."""
    return {
        **os.environ,
        "ODOO_RC": str(write_configuration(source)),
        "PYTHONPATH": str(source.python_path),
        "PATH": os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ.get("PATH", "")]),
        # The arrays are small: more threads only get into each other's way.
        "OPENBLAS_NUM_THREADS": os.environ.get("OPENBLAS_NUM_THREADS", "1"),
    }


def command(*arguments: str) -> list[str]:
    """Odoo's command line."""
    return [sys.executable, "-m", "odoo", *arguments]


def wait_for(process: subprocess.Popen, has_terminal: bool = False) -> int:
    """Exit code of a child that is ended with us.

    :param has_terminal: Ctrl-C reaches the child too, and what it means is for the child to say
    """
    handler = signal.getsignal(signal.SIGINT)
    if has_terminal:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        code = process.wait()
    except BaseException:
        end(process)
        raise
    signal.signal(signal.SIGINT, handler)
    return code


def end(process: subprocess.Popen, patience: float = 20) -> None:
    """Ask `process` to end; insist after `patience` seconds."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
