"""Databases for tests: a copy of its own for every run, made from templates that are kept.

``base`` templates have the addon's dependencies installed, ``addon`` templates the addon too;
both are named by what they were made from, so that they are made anew when that changes.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets

from lifecycle_setup import addon, clock, database, odoo, paths, previous
from lifecycle_setup.console import SetupError, step
from lifecycle_setup.install import run_odoo

PREFIX = f"customer_lifecycle_test_{paths.checkout_key()}"
# Random bytes in the name of a run.
RUN_BYTES = 4
# Templates of former states that are kept, for going back and forth between branches.
KEPT = {
    **{"base": 2, "addon": 3, "demobase": 2, "demoaddon": 2, "appsbase": 2, "appsaddon": 2},
    "previous": 1,
}


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
    """Drop all but the newest templates of a kind, and what is left of unfinished ones."""
    found = [name for name in database.named_like(f"{PREFIX}_{kind}_") if name != current]
    unfinished = [name for name in found if name.endswith("_new")]
    finished = [name for name in found if name not in unfinished]
    for name in unfinished + finished[: max(0, len(finished) - (KEPT[kind] - 1))]:
        with database.claim(name.removesuffix("_new"), wait=False) as free:
            if free:
                database.drop(name)


def _drop_abandoned() -> None:
    """Drop the databases of test runs that were killed."""
    for name in database.named_like(f"{PREFIX}_run_"):
        # a run's tests make databases of their own, named after the run's
        run = name[: len(f"{PREFIX}_run_") + 2 * RUN_BYTES]
        with database.claim(run, wait=False) as free:
            if free:
                database.drop(name)


def _base_name(word: str, source, depends: list) -> str:
    """Name of the template that has the addon's dependencies, but not the addon."""
    return _name(f"{word}base", source.version, clock.chosen_day(), *depends)


def _addon_template(source, keep_alive: dict, demo: bool = False, apps: tuple = ()) -> str:
    """Make the template with the addon installed unless it is there; return its name."""
    depends = [*addon.depends(), *apps]
    word = "demo" if demo else "apps" if apps else ""
    base = _base_name(word, source, depends)
    name = _name(f"{word}addon", base, addon.fingerprint())

    def install(modules, log, failure):
        options = ["-i", modules, *(["--with-demo"] if demo else [])]
        return lambda database_name: run_odoo(
            source,
            keep_alive,
            ["-d", database_name, *options],
            log=log,
            failure=failure,
            on_test_day=True,
        )

    if not database.exists(name):
        text = " and ".join(["the addon's dependencies", *apps, *(["demo data"] if demo else [])])
        _ensure(
            base,
            None,
            f"Making a template database with {text}, about a minute",
            install(
                ",".join(depends),
                f"test-{word}base",
                "the addon's dependencies could not be installed",
            ),
        )
        text = " with its demo data" if demo else ""
        _ensure(
            name,
            base,
            f"Installing {addon.NAME}{text} in a copy of the template",
            install(addon.NAME, f"test-{word}install", f"{addon.NAME} could not be installed"),
        )
    _drop_old(f"{word}base", base)
    _drop_old(f"{word}addon", name)
    return name


def _warnings(template: str) -> list[str]:
    notes = database.notes(template)
    if notes is None:
        raise SetupError("another test run removed an old database meanwhile: try again.")
    return notes["warnings"]


def demo_data_warnings(source, keep_alive: dict) -> list[str]:
    """What installing the addon with its demo data logs at level warning or worse.

    Odoo goes on without demo data that it cannot load, and logs why.
    """
    return _warnings(_addon_template(source, keep_alive, demo=True))


def addon_template(source, keep_alive: dict, apps: tuple = ()) -> str:
    """Name of a database with the addon, and other apps if wanted; not to be changed."""
    return _addon_template(source, keep_alive, apps=apps)


def base_template(source, apps: tuple = ()) -> str:
    """Name of the database that the one with the addon was made from."""
    word = "apps" if apps else ""
    return _base_name(word, source, [*addon.depends(), *apps])


def fresh_template(source, keep_alive: dict) -> str:
    """Name of a database with the addon and its demo data, made anew; not to be changed."""
    return _addon_template(source, keep_alive, demo=True)


def previous_template(source, keep_alive: dict) -> str | None:
    """Name of a database with the former release and its demo data; not to be changed.

    :return: None where the former release cannot be had
    """
    folder = previous.folder()
    if folder is None:
        return None
    depends = addon.depends(folder / addon.NAME)
    base = _base_name("demo", source, depends)
    name = _name("previous", base, previous.COMMIT)

    def install(modules, *options):
        return lambda database_name: run_odoo(
            source,
            keep_alive,
            ["-d", database_name, "-i", modules, "--with-demo", *options],
            log="test-previous",
            failure="the former release could not be installed",
            on_test_day=True,
        )

    if not database.exists(name):
        _ensure(
            base,
            None,
            "Making a template database with the addon's dependencies and demo data",
            install(",".join(depends)),
        )
        _ensure(
            name,
            base,
            f"Installing the former release of {addon.NAME} with its demo data",
            install(addon.NAME, "--addons-path", odoo.addons_path(source, folder)),
        )
    _drop_old("previous", name)
    return name


@contextlib.contextmanager
def own_database(source, keep_alive: dict, apps: tuple = ()):
    """A database with the addon installed, for the time of the enclosed work.

    :param source: the Odoo to use
    :param keep_alive: options of `subprocess` from :func:`lifecycle_setup.postgres.server`
    :param apps: modules to install before the addon, beside what it depends on
    :return: its name, and the warnings that installing the addon logged
    """
    template = _addon_template(source, keep_alive, apps=apps)
    # short: tests make names from it, and PostgreSQL cuts off what exceeds 63 letters
    run = f"{PREFIX}_run_{secrets.token_hex(RUN_BYTES)}"
    with database.claim(run):
        database.create(run, template)
        try:
            _drop_abandoned()
            yield run, _warnings(template)
        finally:
            database.drop(run)
