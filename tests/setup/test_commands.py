"""Options, ports and logs: what setup/run and setup/test make of them."""

import json
import socket
import subprocess
import sys
import types

import pytest

from lifecycle_setup import database, install, paths, server
from lifecycle_setup.commands import run, test
from lifecycle_setup.console import SetupError

KERNEL = str(paths.REPOSITORY / "tests" / "kernel")
SETUP = str(paths.REPOSITORY / "tests" / "setup")
ADDON = str(paths.REPOSITORY / "tests" / "addon")


def test_without_paths_all_tests_are_chosen():
    plain, in_odoo, options = test.split(["-k", "refund", "-x"])
    assert (plain, in_odoo, options) == ([KERNEL, SETUP], [ADDON], ["-k", "refund", "-x"])


def test_path_decides_where_a_test_runs():
    here = f"{ADDON}/installation/test_installation.py::TestInstallation"
    assert test.split([here]) == ([], [here], [])
    assert test.split(["tests/setup", "-x"]) == ([SETUP], [], ["-x"])


def test_option_value_that_is_a_folder_outside_the_tests_stays_an_option():
    assert test.split(["tests/setup", "-k", "setup"]) == ([SETUP], [], ["-k", "setup"])


def test_count_plugin_tells_all_outcomes(tmp_path):
    (tmp_path / "test_outcomes.py").write_text(
        "import pytest\n"
        "def test_passes(): pass\n"
        "def test_fails(): assert False\n"
        "def test_skips(): pytest.skip('why')\n"
        "def test_waits(): pytest.skip('Needs the app Point of Sale (point_of_sale).')\n"
        "@pytest.fixture\n"
        "def broken(): raise ValueError\n"
        "def test_error(broken): pass\n"
    )
    counts = tmp_path / "counts.json"
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:odoo", "-p", "no:cacheprovider"),
            *("-p", "lifecycle_setup.pytest_count", "--rootdir", tmp_path, tmp_path),
        ],
        env={
            "PYTHONPATH": str(paths.REPOSITORY / "setup" / "lib"),
            "LIFECYCLE_TEST_COUNTS": str(counts),
        },
        stdout=subprocess.DEVNULL,
        check=False,
    )
    assert json.loads(counts.read_text()) == {
        "passed": 1,
        "failed": 2,
        "skipped": 1,
        "waiting": {"test_outcomes.py::test_waits": "point_of_sale"},
        "interrupted": False,
    }


def test_taken_port_is_told_with_the_next_one():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SetupError, match=f"--port {port + 1}"):
            server.check_port(port)
    server.check_port(port)


@pytest.mark.parametrize(
    "arguments", [["--port", "0"], ["--port", "x"], ["--database", "a;b"], ["--nonsense"]]
)
def test_wrong_options_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        run.parse(arguments)
    assert stopped.value.code == 2
    assert "setup/run: error:" in capsys.readouterr().err


@pytest.mark.parametrize("found", [{"customers": 1000, "odoo": "19", "addon": "1"}, None])
def test_databases_of_other_programs_are_refused(monkeypatch, found):
    monkeypatch.setattr(database, "exists", lambda name: True)
    monkeypatch.setattr(database, "notes", lambda name: found)
    source = types.SimpleNamespace(version="19")
    with pytest.raises(SetupError, match="will not .*change"):
        run._prepare(source, {}, run.parse(["--database", "other"]))


LOG = f"""\
2026-01-02 03:04:05,678 99 INFO db odoo.modules.loading: Loading module x
2026-01-02 03:04:05,678 99 WARNING db odoo.models: two fields have the same label
2026-01-02 03:04:05,678 99 WARNING db py.warnings: /lib/werkzeug/urls.py:1: DeprecationWarning
2026-01-02 03:04:05,678 99 WARNING db py.warnings: {paths.ADDON}/models/x.py:1: DeprecationWarning
2026-01-02 03:04:05,678 99 ERROR db odoo.registry: Failed to load registry
Traceback (most recent call last):
  File "x.py", line 1, in <module>
odoo.tools.convert.ParseError: while parsing a view
""".splitlines(keepends=True)


def test_warnings_of_a_log_are_found_but_those_about_other_code():
    found = install.warnings_in(LOG)
    assert [line.split(" ", 3)[3] for line in found] == [
        "WARNING db odoo.models: two fields have the same label",
        f"WARNING db py.warnings: {paths.ADDON}/models/x.py:1: DeprecationWarning",
        "ERROR db odoo.registry: Failed to load registry",
    ]


def test_reason_of_a_failure_is_the_exception():
    assert install.reason(LOG) == "odoo.tools.convert.ParseError: while parsing a view"
    assert install.reason(LOG[:-1]).endswith("Failed to load registry")
    assert install.reason([]) == "it ended with an error"
