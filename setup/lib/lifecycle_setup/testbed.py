"""Databases for tests: a copy of its own for every run, made from templates that are kept.

``base`` templates have the addon's dependencies installed, ``addon`` templates the addon too;
both are named by what they were made from, so that they are made anew when that changes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time

from lifecycle_setup import addon, database, paths
from lifecycle_setup.console import step
from lifecycle_setup.install import run_odoo

PREFIX = f"customer_lifecycle_test_{paths.checkout_key()}"
# Templates of former states that are kept, for going back and forth between branches.
KEPT = {"base": 2, "addon": 3}


def _name(kind: str, *made_from: str) -> str:
    digest = hashlib.sha256("\0".join(made_from).encode()).hexdigest()[:10]
    return f"{PREFIX}_{kind}_{digest}"


def _make(name: str, template: str | None, install) -> None:
    """Make the template database `name`; it appears under that name when it is complete."""
    partial = f"{name}_new"
    database.drop(partial)
    database.create(partial, template)
    warnings = install(partial)
    database.write_notes(partial, {"warnings": warnings})
    database.rename(partial, name)


def _ensure(name: str, template: str | None, text: str, install) -> None:
    if database.exists(name):
        return
    with database.claim(name):
        if not database.exists(name):
            with step(text):
                _make(name, template, install)


def _drop_old(kind: str, current: str) -> None:
    """Drop all but the newest templates of a kind."""
    found = [
        name
        for name in database.named_like(f"{PREFIX}_{kind}_")
        if name != current and not name.endswith("_new")
    ]
    for name in found[: -(KEPT[kind] - 1)]:
        with database.claim(name, wait=False) as free:
            if free:
                database.drop(name)


def _drop_abandoned() -> None:
    """Drop the databases of test runs that were killed."""
    for name in database.named_like(f"{PREFIX}_run_"):
        with database.claim(name, wait=False) as free:
            if free:
                database.drop(name)


@contextlib.contextmanager
def own_database(source, keep_alive: dict):
    """A database with the addon installed, for the time of the enclosed work.

    :param source: the Odoo to use
    :param keep_alive: options of `subprocess` from :func:`lifecycle_setup.postgres.server`
    :return: its name, and the warnings that installing the addon logged
    """
    depends = addon.depends()
    fingerprint = addon.fingerprint()
    base = _name("base", source.version, *depends)
    installed = _name("addon", base, fingerprint)
    run = f"{PREFIX}_run_{os.getpid()}_{int(time.time())}"

    def install(modules, log, failure):
        return lambda name: run_odoo(
            source, keep_alive, ["-d", name, "-i", modules], log=log, failure=failure
        )

    if not database.exists(installed):
        _ensure(
            base,
            None,
            "Making a template database with the addon's dependencies, about a minute",
            install(
                ",".join(depends), "test-base", "the addon's dependencies could not be installed"
            ),
        )
        _ensure(
            installed,
            base,
            f"Installing {addon.NAME} in a copy of the template",
            install(addon.NAME, "test-install", f"{addon.NAME} could not be installed"),
        )
    with database.claim(run):
        database.create(run, installed)
        try:
            _drop_abandoned()
            _drop_old("base", base)
            _drop_old("addon", installed)
            yield run, (database.notes(installed) or {}).get("warnings", [])
        finally:
            database.drop(run)
