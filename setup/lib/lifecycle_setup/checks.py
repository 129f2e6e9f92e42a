"""The linters: each is one check that passes or fails."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from lifecycle_setup import apt, pages, paths
from lifecycle_setup.console import SetupError, quietly, say, step
from lifecycle_setup.python import locked

JAVASCRIPT = paths.REPOSITORY / "setup" / "javascript"


def javascript_files(addon: Path = paths.ADDON) -> list[Path]:
    """The addon's own scripts and style sheets; not what it carries in ``static/lib``."""
    return sorted(
        path
        for folder in ("src", "tests")
        for pattern in ("*.js", "*.scss", "*.css")
        for path in (addon / "static" / folder).rglob(pattern)
    )


def ensure_node_tools() -> Path:
    """Install eslint and prettier into the cache as locked in ``setup/javascript``.

    :return: the folder with ``node_modules`` and the configuration
    :raises SetupError: without npm or network
    """
    digest = hashlib.sha256()
    for path in sorted(JAVASCRIPT.iterdir()):
        digest.update(path.read_bytes())
    folder = paths.cache() / f"javascript-{digest.hexdigest()[:10]}"
    if (folder / "complete").exists():
        return folder
    with locked(folder.with_suffix(".lock")):
        if not shutil.which("npm"):
            apt.install(["nodejs", "npm"], "npm (for eslint and prettier)")
        with step("Installing eslint and prettier"):
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(JAVASCRIPT, folder)
            quietly(
                ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
                failure="eslint and prettier could not be installed: check the network "
                "connection to the npm registry and try again",
                log="npm",
                cwd=folder,
            )
            (folder / "complete").touch()
    return folder


def linters() -> dict[str, list[str]]:
    """The commands to run, by name."""
    tools = Path(sys.prefix) / "bin"
    commands = {"ruff": [tools / "ruff", "check", "--quiet", "."]}
    if (paths.ADDON / "__manifest__.py").exists():
        commands["pylint-odoo"] = [tools / "pylint", "--rcfile=.pylintrc", paths.ADDON.name]
        commands["oca-checks"] = [tools / "oca-checks-odoo-module", paths.ADDON.name]
        translations = sorted((paths.ADDON / "i18n").glob("*.po*"))
        if translations:
            commands["oca-checks-po"] = [tools / "oca-checks-po", *translations]
    files = javascript_files()
    if files:
        folder = ensure_node_tools()
        tools = folder / "node_modules" / ".bin"
        scripts = [path for path in files if path.suffix == ".js"]
        if scripts:
            configuration = folder / "eslint.config.js"
            commands["eslint"] = [tools / "eslint", "--config", configuration, *scripts]
        configuration = folder / "prettier.json"
        commands["prettier"] = [tools / "prettier", "--check", "--config", configuration, *files]
    return commands


def fix() -> None:
    """Let the linters that can do so correct the files, and make the add-on's pages anew."""
    pages.write()
    for name, command in linters().items():
        change = {"ruff": ["--fix"], "eslint": ["--fix"], "prettier": ["--write"]}.get(name)
        if change:
            arguments = [str(part) for part in command if part != "--check"]
            subprocess.run([*arguments, *change], cwd=paths.REPOSITORY, check=False)


def run_linters() -> tuple[int, int]:
    """Run all linters, printing what they find.

    :return: how many passed and failed
    """
    failed = []
    commands = linters()
    for name, command in commands.items():
        with step(name):
            try:
                code = subprocess.run(
                    [str(part) for part in command],
                    cwd=paths.REPOSITORY,
                    stdin=subprocess.DEVNULL,
                    env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
                    check=False,
                ).returncode
            except OSError as error:
                raise SetupError(f"{command[0]} cannot be run: {error.strerror}.") from error
        if code:
            failed.append(name)
            say(f"         {name} found something to correct")
    return len(commands) - len(failed), len(failed)
