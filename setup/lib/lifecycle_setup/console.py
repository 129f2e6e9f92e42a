"""What a program says to the person in front of it: steps, one-sentence errors, a log file."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import time
import traceback

from lifecycle_setup import paths

# Survives the program's starting itself anew in the virtual environment.
STARTED = float(os.environ.pop("LIFECYCLE_SETUP_STARTED", time.monotonic()))


class SetupError(Exception):
    """Something the user can put right; its text is one sentence that says how."""


class Stopped(Exception):
    """The program was asked to end by a signal."""

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.number = number


def say(text: str) -> None:
    """Print one line to standard error, where it does not mix with a program's results."""
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(text: str):
    """Announce `text`, and say how long the enclosed work took."""
    started = time.monotonic()
    say(f"[{started - STARTED:5.0f} s] {text} …")
    yield
    took = time.monotonic() - started
    if took >= 1:
        say(f"[{time.monotonic() - STARTED:5.0f} s]   done in {took:.0f} s")


def log_file(name: str = "setup"):
    """Path of a log file of this checkout; its folder is made."""
    folder = paths.state() / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.log"


def quietly(command, *, failure: str, log: str = "setup", **options) -> None:
    """Run `command` with its output in the log file.

    :param failure: sentence for the user when the command fails
    :raises SetupError: with `failure` and the log file's name
    """
    path = log_file(log)
    with open(path, "a", encoding="utf-8") as stream:
        stream.write(f"\n$ {' '.join(map(str, command))}\n")
        stream.flush()
        start = stream.tell()
        try:
            code = subprocess.run(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                check=False,
                **options,
            ).returncode
        except OSError as error:
            stream.write(f"{error}\n")
            code = -1
    if code:
        with open(path, encoding="utf-8", errors="replace") as stream:
            stream.seek(start)
            if os.strerror(errno.ENOSPC) in stream.read():
                failure = "the disk is full: make room on it and try again"
        raise SetupError(f"{failure} (details: {path})")


def _on_signal(number, _frame):
    # A second signal must not interrupt the cleaning up that the first one started.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise Stopped(number)


def run_program(main) -> None:
    """Call ``main(arguments)`` and end the process with its exit code.

    Errors become one sentence on standard error; the traceback of an unforeseen one goes
    to the log file.
    """
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, _on_signal)
    name = os.path.basename(sys.argv[0])
    try:
        code = main(sys.argv[1:])
    except SetupError as error:
        say(f"setup/{name}: {error}")
        code = 1
    except Stopped as error:
        say(f"setup/{name}: stopped.")
        code = 128 + error.number
    except BrokenPipeError:
        code = 1
    except Exception as error:
        code = 1
        say(f"setup/{name}: {_unforeseen(error)}")
    sys.stdout.flush()
    sys.exit(code or 0)


def _unforeseen(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, OSError) and error.filename:
        return (
            f"{error.filename}: {error.strerror}: see that there is room on the disk and that you "
            "may write there."
        )
    try:
        with open(log_file(), "a", encoding="utf-8") as stream:
            traceback.print_exc(file=stream)
        return f"{text} (details: {log_file()})"
    except OSError:
        return f"{text}; is this checkout writable for you?"
