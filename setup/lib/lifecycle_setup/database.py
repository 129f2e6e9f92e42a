"""Databases on the server that :func:`lifecycle_setup.postgres.server` made reachable.

What setup/run and setup/test make carries a comment, by which they know it again: they change
and drop no other database.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import zlib

import psycopg2
from psycopg2 import sql

from lifecycle_setup.console import SetupError
from lifecycle_setup.odoo import data_folder

MARK = "customer_lifecycle"


@contextlib.contextmanager
def _maintenance():
    connection = psycopg2.connect(dbname="postgres")
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def _execute(statement: str, *names: str, values=()) -> list[tuple]:
    with _maintenance() as cursor:
        cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)), values)
        return cursor.fetchall() if cursor.description else []


def exists(name: str) -> bool:
    """Whether there is a database of that name."""
    return bool(_execute("SELECT 1 FROM pg_database WHERE datname = %s", values=[name]))


def notes(name: str) -> dict | None:
    """What we wrote down about a database of ours; None where it is not ours."""
    found = _execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
        values=[name],
    )
    try:
        return json.loads(found[0][0])[MARK]
    except (IndexError, KeyError, TypeError, ValueError):
        return None


def write_notes(name: str, values: dict) -> None:
    """Replace what is written down about a database."""
    _execute("COMMENT ON DATABASE {} IS %s", name, values=[json.dumps({MARK: values})])


def named_like(prefix: str) -> list[str]:
    """Databases whose names start with `prefix`, the oldest first."""
    found = _execute(
        "SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY oid",
        values=[prefix],
    )
    return [name for (name,) in found]


def filestore(name: str):
    """Folder of a database's attachments."""
    return data_folder() / "filestore" / name


def create(name: str, template: str | None = None) -> None:
    """Make a database, empty or as a copy (attachments too) of `template`."""
    shutil.rmtree(filestore(name), ignore_errors=True)
    if template is None:
        _execute("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C'", name)
        return
    _execute("CREATE DATABASE {} TEMPLATE {}", name, template)
    if filestore(template).is_dir():
        # Attachments are named by their content and never changed: a link is as good as a copy.
        shutil.copytree(filestore(template), filestore(name), copy_function=os.link)


def drop(name: str) -> None:
    """Drop a database and its attachments, whoever is connected to it."""
    _execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
        values=[name],
    )
    _execute("DROP DATABASE IF EXISTS {}", name)
    shutil.rmtree(filestore(name), ignore_errors=True)


def rename(name: str, to: str) -> None:
    """Give a database that nobody is connected to another name."""
    shutil.rmtree(filestore(to), ignore_errors=True)
    if filestore(name).is_dir():
        os.rename(filestore(name), filestore(to))
    _execute("ALTER DATABASE {} RENAME TO {}", name, to)


@contextlib.contextmanager
def claim(name: str, wait: bool = True):
    """Hold a server-wide lock on a name, which also tells others that its user lives.

    :return: whether the lock was had; without `wait` it may not be
    """
    key = zlib.crc32(name.encode())
    with _maintenance() as cursor:
        cursor.execute(
            sql.SQL("SELECT {}(%s, %s)").format(
                sql.SQL("pg_advisory_lock" if wait else "pg_try_advisory_lock")
            ),
            [zlib.crc32(MARK.encode()) - 2**31, key - 2**31],
        )
        # The waiting form answers nothing, the other one true or false.
        yield wait or cursor.fetchone()[0]


def check_ours(name: str) -> None:
    """Raise SetupError when a database of that name exists and is not ours."""
    if exists(name) and notes(name) is None:
        raise SetupError(
            f"there is a database {name} that this program did not make and will not change: "
            "choose another name with --database."
        )
