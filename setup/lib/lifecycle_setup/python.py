"""The virtual environment: which Python, and which packages in it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from lifecycle_setup import apt, paths
from lifecycle_setup.console import STARTED, SetupError, quietly, step

SUPPORTED = ((3, 10), (3, 11), (3, 12), (3, 13))
LAYERS = {
    "kernel": "the numerical packages",
    "odoo": "the Python packages of Odoo",
    "test": "the test tools",
}


@contextlib.contextmanager
def locked(path: Path):
    """Hold an exclusive lock on the file `path`, waiting for whoever has it."""
    with open(path, "a", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with step("Waiting for another program of this checkout or user"):
                fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _version_of(program: str):
    """(major, minor) of a Python program, or None where it does not run."""
    code = "import sys; print(*sys.version_info[:2])"
    try:
        answer = subprocess.run(
            [program, "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
            timeout=30,
        )
        return tuple(int(part) for part in answer.stdout.split())
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def find_python() -> tuple[str, tuple[int, int]]:
    """The running Python if Odoo 19 supports it, else the newest supported one on PATH.

    :return: path of the program and its (major, minor) version
    :raises SetupError: when there is none
    """
    running = sys.version_info[:2]
    if running in SUPPORTED:
        return getattr(sys, "_base_executable", None) or sys.executable, running
    for version in reversed(SUPPORTED):
        program = shutil.which("python{}.{}".format(*version))
        # A launcher of that name may exist without the version behind it.
        if program and _version_of(program) == version:
            return program, version
    raise SetupError(
        "Python {}.{} is not supported by Odoo 19: install one of Python 3.10 to 3.13 and put "
        "it on PATH.".format(*running)
    )


def environment_folder(version) -> Path:
    """Folder of the virtual environment for a Python version and the pinned packages."""
    digest = hashlib.sha256()
    for name in ("lock.txt", *(f"{layer}.in" for layer in LAYERS)):
        digest.update((paths.REQUIREMENTS / name).read_bytes())
    return paths.cache() / "python-{}.{}-{}".format(*version, digest.hexdigest()[:10])


def ensure_python(layer: str = "kernel") -> str:
    """Make the virtual environment where it is missing.

    :param layer: ``"kernel"`` (numpy, pandas, scipy), ``"odoo"`` (and what Odoo needs) or
        ``"test"`` (and pytest, linters)
    :return: path of its Python
    :raises SetupError: when a package cannot be installed
    """
    base, version = find_python()
    folder = environment_folder(version)
    interpreter = folder / "bin" / "python"
    if (folder / f"{layer}.done").exists():
        return str(interpreter)
    with locked(folder.with_suffix(".lock")):
        if not interpreter.exists() or not (folder / "venv.done").exists():
            _create(base, version, folder)
        for each, text in LAYERS.items():
            if not (folder / f"{each}.done").exists():
                with step(f"Installing {text} for Python {version[0]}.{version[1]}"):
                    _install(interpreter, each)
                (folder / f"{each}.done").touch()
            if each == layer:
                break
    return str(interpreter)


def _create(base, version, folder) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    command = [base, "-m", "venv", folder]
    log = {"failure": "a virtual environment could not be made: is there room on the disk?"}
    try:
        quietly(command, **log)
    except SetupError:
        if _can_make_environments(base):
            raise
        # Debian ships the module that puts pip into a new environment as a package apart.
        package = "python{}.{}-venv".format(*version)
        apt.install([package], f"Python's venv module ({package})")
        shutil.rmtree(folder, ignore_errors=True)
        quietly(command, **log)
    (folder / "venv.done").touch()


def _can_make_environments(program) -> bool:
    return not subprocess.run(
        [program, "-c", "import venv, ensurepip; ensurepip.version()"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    ).returncode


def _install(interpreter, layer) -> None:
    quietly(
        [
            *(interpreter, "-m", "pip", "install", "--prefer-binary", "--no-input"),
            *("--disable-pip-version-check", "--retries", "2"),
            *("--constraint", paths.REQUIREMENTS / "lock.txt"),
            *("--requirement", paths.REQUIREMENTS / f"{layer}.in"),
        ],
        failure=f"{LAYERS[layer]} could not be installed: check the network connection to the "
        "Python package index and try again",
        log="pip",
        # What a user prefers for himself is not for an environment of our own.
        env={**os.environ, "PIP_USER": "no", "PIP_REQUIRE_HASHES": "no"},
    )


def enter(layer: str) -> None:
    """Go on in the virtual environment: start this program anew in it, unless it runs there."""
    interpreter = ensure_python(layer)
    if Path(sys.prefix) == Path(interpreter).parent.parent:
        return
    sys.stdout.flush()
    environment = {**os.environ, "LIFECYCLE_SETUP_STARTED": str(STARTED)}
    os.execve(interpreter, [interpreter, *sys.argv], environment)
