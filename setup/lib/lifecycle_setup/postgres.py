"""The PostgreSQL server: the user's own where PG* variables name one, else a private cluster.

The private cluster belongs to this checkout and listens on a Unix socket only. Every program
that uses it holds a shared lock, as do the processes it starts; the last one to end stops it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import re
import shutil
import socket
import stat
import subprocess
import tempfile
from pathlib import Path

from lifecycle_setup import apt, paths
from lifecycle_setup.console import SetupError, quietly, step
from lifecycle_setup.python import locked

MINIMUM = 13
ROLE = "lifecycle"
# The longest socket address of Linux, less the name PostgreSQL adds.
SOCKET_LIMIT = 107 - len("/.s.PGSQL.5432.lock")
# Containers often have 64 MB, which queries over many customers outgrow.
ENOUGH_SHARED_MEMORY = 2**29
EXTERNAL = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGUSER", "PGPASSWORD", "PGSERVICE")


def is_external() -> bool:
    """Whether the environment names a server to use."""
    return any(os.environ.get(name) for name in EXTERNAL)


def newest(programs: list[Path]) -> Path | None:
    """The folder of server programs with the highest version in its path."""

    def version(folder):
        match = re.search(r"/(\d+)(?:\.\d+)?/bin$", str(folder))
        return int(match.group(1)) if match else 0

    return max(programs, key=version, default=None)


def _programs(major: str | None = None) -> Path | None:
    """Folder with ``initdb``, ``pg_ctl`` and ``postgres`` (of one version if `major`)."""
    candidates = list(Path("/usr/lib/postgresql").glob(f"{major or '*'}/bin"))
    on_path = shutil.which("pg_ctl")
    if on_path:
        candidates.append(Path(on_path).resolve().parent)
    usable = [each for each in candidates if (each / "initdb").exists()]
    if major:
        usable = [each for each in usable if _major(each) == major]
    return newest([each for each in usable if int(_major(each)) >= MINIMUM])


def _major(folder: Path) -> str:
    text = subprocess.run(
        [folder / "pg_ctl", "--version"], stdout=subprocess.PIPE, check=False, text=True
    ).stdout
    match = re.search(r"(\d+)", text)
    return match.group(1) if match else "0"


class Cluster:
    """The private cluster of this checkout."""

    def __init__(self):
        self.state = paths.state()
        self.account = _account(self.state / "postgres" / "data")
        self.base = self._find_base()
        self.data = self.base / "data"
        self.socket = self._find_socket()
        self.users = None

    # -- where it lies ----------------------------------------------------------------

    def _as_account(self) -> dict:
        """Options for `subprocess` that run a program as the cluster's account."""
        # A session of its own: Ctrl-C is for the program, not for its server.
        if self.account is None:
            return {"start_new_session": True}
        return {
            "start_new_session": True,
            "user": self.account.pw_uid,
            "group": self.account.pw_gid,
            "extra_groups": [],
            "env": {**os.environ, "HOME": str(self.base), "LC_ALL": "C.UTF-8"},
            "cwd": "/",
        }

    def _find_base(self) -> Path:
        inside = self.state / "postgres"
        if self.account is None:
            return inside
        # Root's home is closed to the account PostgreSQL runs as; so may a checkout be.
        outside = Path("/var/lib/customer_lifecycle") / paths.checkout_key()
        if (outside / "data").exists():
            return outside
        inside.mkdir(exist_ok=True)
        self.base = inside
        reachable = subprocess.run(
            ["test", "-x", inside], check=False, **self._as_account()
        ).returncode
        return outside if reachable else inside

    def _find_socket(self) -> Path:
        # The server splits a list of folders at commas, and a shell reads its options.
        if len(str(self.base)) <= SOCKET_LIMIT and re.fullmatch(r"[\w/. @+-]+", str(self.base)):
            return self.base
        return Path(tempfile.gettempdir()) / f"lifecycle-{os.geteuid()}-{paths.checkout_key()}"

    def _own(self, folder: Path) -> None:
        if not folder.parent.exists():
            folder.parent.mkdir(parents=True)
            # Whatever the umask: the server's account has to pass.
            folder.parent.chmod(0o755)
        folder.mkdir(exist_ok=True)
        owner = self.account.pw_uid if self.account else os.geteuid()
        found = folder.lstat()
        if found.st_uid not in (owner, os.geteuid()) or not stat.S_ISDIR(found.st_mode):
            raise SetupError(
                f"{folder} belongs to the user {_name(found.st_uid)}: run this as that user, or "
                "remove it to start with a new database."
            )
        if self.account:
            os.chown(folder, self.account.pw_uid, self.account.pw_gid, follow_symlinks=False)
        folder.chmod(0o700)

    # -- its life ---------------------------------------------------------------------

    def acquire(self) -> int:
        """Start the cluster unless it runs.

        :return: a file descriptor; while any process holds it open, nobody stops the cluster
        """
        with locked(self.state / "cluster.lock"):
            self.users = os.open(self.state / "cluster.users", os.O_RDWR | os.O_CREAT, 0o666)
            fcntl.flock(self.users, fcntl.LOCK_SH)
            self._own(self.base)
            self._own(self.socket)
            programs = self._ensure_programs()
            if not (self.data / "PG_VERSION").exists():
                with step("Making a private PostgreSQL cluster"):
                    self._init(programs)
            if not self._runs(programs):
                self._start(programs)
        return self.users

    def release(self) -> None:
        """Let go of the cluster, and stop it if nobody else uses it."""
        if self.users is None:
            return
        with locked(self.state / "cluster.lock"):
            # A child that has inherited the descriptor keeps the lock; a new one tells.
            os.close(self.users)
            self.users = None
            with open(self.state / "cluster.users", encoding="utf-8") as users:
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    return
                # pg_ctl would end whichever program has the number in a file left behind.
                if self._listens():
                    self._pg_ctl(self._ensure_programs(), "stop", "-m", "fast", "-w")

    def _ensure_programs(self) -> Path:
        version_file = self.data / "PG_VERSION"
        if version_file.exists():
            major = version_file.read_text(encoding="ascii").strip()
            programs = _programs(major)
            if not programs:
                raise SetupError(
                    f"the databases in {self.base} need PostgreSQL {major}, which is not "
                    f"installed: install it, or remove that folder to start with new ones."
                )
            return programs
        programs = _programs()
        if not programs:
            apt.install(["postgresql"], "PostgreSQL", ", or set PGHOST to use a server")
            programs = _programs()
        if not programs:
            raise SetupError(
                f"no PostgreSQL {MINIMUM} or newer was found: install one, or set PGHOST to the "
                "host name of a server."
            )
        return programs

    def _init(self, programs: Path) -> None:
        partial = self.base / "partial"
        shutil.rmtree(partial, ignore_errors=True)
        quietly(
            [
                *(programs / "initdb", "--pgdata", partial, "--username", ROLE),
                *("--auth-local=trust", "--auth-host=reject"),
                *("--encoding=UTF8", "--locale=C", "--no-sync"),
            ],
            failure="the private PostgreSQL cluster could not be made",
            **self._as_account(),
        )
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
        with open(partial / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write(
                # Who may connect is settled by the rights of the socket's folder.
                "\nlisten_addresses = ''\n"
                "unix_socket_permissions = 0700\n"
                f"shared_buffers = {max(128, min(1024, memory // 8))}MB\n"
                "maintenance_work_mem = 256MB\nwork_mem = 32MB\nmax_wal_size = 4GB\n"
                "random_page_cost = 1.1\njit = off\n"
                # Loses at most the last second's transactions in a crash, corrupts nothing.
                "synchronous_commit = off\n"
            )
            if _shared_memory() < ENOUGH_SHARED_MEMORY:
                conf.write("dynamic_shared_memory_type = mmap\n")
        os.rename(partial, self.data)

    def _pg_ctl(self, programs: Path, *arguments) -> None:
        quietly(
            [programs / "pg_ctl", "--pgdata", self.data, *arguments],
            failure=f"PostgreSQL did not obey `pg_ctl {arguments[0]}`, see {self._log()}",
            **self._as_account(),
        )

    def _log(self) -> Path:
        return self.base / "postgres.log"

    def _start(self, programs: Path) -> None:
        # Tests compute hundreds of times in one transaction, and every temporary table of a
        # computation stays locked to its end.
        self._forget_former_life()
        options = f"-k '{self.socket}' -c max_locks_per_transaction=512"
        self._pg_ctl(programs, "start", "-w", "-t", "60", "-l", self._log(), "-o", options)

    def _forget_former_life(self) -> None:
        """Remove the note of a server that died when the machine did, if it names another program.

        In a container the numbers of processes begin anew each time.
        """
        note = self.data / "postmaster.pid"
        with contextlib.suppress(OSError, ValueError, IndexError):
            number = int(note.read_text(encoding="ascii").splitlines()[0])
            name = Path(f"/proc/{number}/comm").read_text(encoding="utf-8").strip()
            if name != "postgres":
                note.unlink()

    def _runs(self, programs: Path) -> bool:
        status = subprocess.run(
            [programs / "pg_ctl", "--pgdata", self.data, "status"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            **self._as_account(),
        ).returncode
        # After a power cut the number in its file may be another program's, and its socket dead.
        return status == 0 and self._listens()

    def _listens(self) -> bool:
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as probe:
            return not probe.connect_ex(str(self.socket / ".s.PGSQL.5432"))

    def environment(self) -> dict[str, str]:
        """The PG* variables that lead to the cluster."""
        return {"PGHOST": str(self.socket), "PGPORT": "5432", "PGUSER": ROLE}


def _shared_memory() -> int:
    """Bytes that programs may share by POSIX' means."""
    try:
        room = os.statvfs("/dev/shm")
    except OSError:
        return 0
    return room.f_frsize * room.f_blocks


def _name(user_id: int) -> str:
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return str(user_id)


def _account(data: Path):
    """Unprivileged account for the server when we are root, who may not run it; else None.

    :param data: where the databases may already be, which their owner has to serve
    """
    if os.geteuid():
        return None
    with contextlib.suppress(FileNotFoundError, KeyError):
        owner = data.stat().st_uid
        if owner:
            return pwd.getpwuid(owner)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise SetupError(
        "PostgreSQL refuses to run as root and there is no account postgres or nobody: run this "
        "as an ordinary user, or set PGHOST to use a server."
    )


def check_external() -> None:
    """Connect to the server that the environment names.

    :raises SetupError: when it does not answer, is too old, or the role may not make databases
    """
    import psycopg2

    if os.environ.get("PGUSER") == "postgres":
        raise SetupError(
            "Odoo refuses to work as the database user postgres: make a role with "
            "`createuser --createdb odoo` and set PGUSER=odoo."
        )
    try:
        connection = psycopg2.connect(dbname="postgres", connect_timeout=15)
    except psycopg2.Error as error:
        reason = " ".join(str(error).split())
        raise SetupError(
            f"the PostgreSQL server named by the PG* variables cannot be used ({reason}): correct "
            "them, or unset them to use a private server."
        ) from error
    with contextlib.closing(connection), connection.cursor() as cursor:
        version = connection.server_version // 10000
        if version < MINIMUM:
            raise SetupError(f"PostgreSQL {version} is too old: Odoo 19 needs {MINIMUM} or newer.")
        cursor.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
        if not cursor.fetchone()[0]:
            raise SetupError(
                "the database user may not make databases: run `ALTER ROLE … CREATEDB` for it, or "
                "unset the PG* variables to use a private server."
            )


@contextlib.contextmanager
def server():
    """A running server for the time of the enclosed work.

    Sets the PG* variables of this process, so that libpq, psql and Odoo all reach it.

    :return: options for `subprocess` that keep the server alive as long as the child lives
    """
    # Odoo takes this for the name of the database to work in.
    os.environ.pop("PGDATABASE", None)
    if is_external():
        check_external()
        yield {}
        return
    cluster = Cluster()
    try:
        descriptor = cluster.acquire()
        os.environ.update(cluster.environment())
        yield {"pass_fds": (descriptor,)}
    finally:
        cluster.release()
