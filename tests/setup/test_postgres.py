"""The private cluster lives as long as anybody uses it."""

import contextlib
import os
import shutil
import socket
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


def test_note_of_a_server_that_died_with_the_machine_harms_no_other_program(state):
    cluster = postgres.Cluster()
    cluster.acquire()
    note = (cluster.data / "postmaster.pid").read_text().splitlines()
    cluster.release()
    # its number is another program's by now, and nobody listens at its socket
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        (cluster.data / "postmaster.pid").write_text("\n".join([str(other.pid), *note[1:6], ""]))
        (cluster.socket / ".s.PGSQL.5432").unlink(missing_ok=True)
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as dead:
            dead.bind(str(cluster.socket / ".s.PGSQL.5432"))
        again = postgres.Cluster()
        again.acquire()
        try:
            assert answers(again)
        finally:
            again.release()
        assert other.poll() is None
        other.communicate(b"\n")


@pytest.mark.parametrize("name", ["it's mine", "a,b"])
def test_cluster_runs_in_a_folder_with_an_odd_name(state, monkeypatch, name):
    odd = state / name
    odd.mkdir(mode=0o755)
    monkeypatch.setattr(paths, "state", lambda: odd)
    cluster = postgres.Cluster()
    cluster.acquire()
    try:
        assert answers(cluster)
    finally:
        cluster.release()
        if cluster.socket != cluster.base:
            shutil.rmtree(cluster.socket)


def test_servers_account_reaches_its_folder_whatever_the_umask(tmp_path):
    cluster = postgres.Cluster.__new__(postgres.Cluster)
    cluster.account = None
    before = os.umask(0o077)
    try:
        cluster._own(tmp_path / "new" / "base")
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "new" / "base").stat().st_mode & 0o777 == 0o700


def test_small_shared_memory_of_a_container_is_not_used(state, monkeypatch):
    monkeypatch.setattr(postgres, "_shared_memory", lambda: 2**26)
    cluster = postgres.Cluster()
    cluster.acquire()
    try:
        query = "SHOW dynamic_shared_memory_type"
        command = ["psql", "-h", cluster.socket, "-U", postgres.ROLE, "-Atc", query, "postgres"]
        shown = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    finally:
        cluster.release()
    assert shown == "mmap\n"
