"""The private cluster lives as long as anybody uses it."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from lifecycle_setup import paths, postgres


def test_newest_version_is_taken_by_number():
    folders = [Path(f"/usr/lib/postgresql/{version}/bin") for version in ("9.6", "15", "13")]
    assert postgres.newest(folders) == folders[1]
    assert postgres.newest([]) is None


@pytest.mark.parametrize("name", ["PGHOST", "PGPORT", "PGSERVICE"])
def test_variable_that_names_a_server_makes_it_external(monkeypatch, name):
    for each in postgres.EXTERNAL:
        monkeypatch.delenv(each, raising=False)
    assert not postgres.is_external()
    monkeypatch.setenv(name, "somewhere")
    assert postgres.is_external()


@pytest.fixture
def state(monkeypatch):
    """State folder of a checkout of its own, where the server's account may enter."""
    if not postgres._programs():
        pytest.skip("PostgreSQL is not installed; setup/run installs it")
    folder = Path(tempfile.mkdtemp(prefix="lifecycle-test-"))
    folder.chmod(0o755)
    monkeypatch.setattr(paths, "state", lambda: folder)
    monkeypatch.setattr(paths, "checkout_key", lambda: folder.name)
    yield folder
    shutil.rmtree(folder)


def answers(cluster):
    program = postgres._programs() / "pg_isready"
    command = [program, "-q", "-h", cluster.socket]
    return subprocess.run(command, check=False).returncode == 0


def test_cluster_runs_until_its_last_user_lets_go(state):
    first, second = postgres.Cluster(), postgres.Cluster()
    first.acquire()
    second.acquire()
    assert answers(first)
    first.release()
    assert answers(second)
    second.release()
    assert not answers(second)


def test_cluster_outlives_a_program_whose_child_still_works(state):
    cluster = postgres.Cluster()
    descriptor = cluster.acquire()
    child = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[descriptor]
    )
    cluster.release()
    outlived = answers(cluster)
    child.communicate(b"\n")
    assert outlived
    other = postgres.Cluster()
    other.acquire()
    other.release()
    assert not answers(cluster)


def test_cluster_listens_on_its_socket_only(state):
    cluster = postgres.Cluster()
    cluster.acquire()
    try:
        pid = (cluster.data / "postmaster.pid").read_text().split()[0]
        sockets = {
            os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()
        }
        inodes = {name[8:-1] for name in sockets if name.startswith("socket:[")}
        for table in ("tcp", "tcp6"):
            for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
                assert line.split()[9] not in inodes
        assert cluster.socket.stat().st_mode & 0o077 == 0
    finally:
        cluster.release()
