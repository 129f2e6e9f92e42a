"""The addon as it was released before: what an update has to bring along.

The files come out of the repository's own history, so nothing has to be kept twice. A shallow
clone lacks them: they are fetched by the commit's name, else by the release's tag. Where there is
neither history nor network, there is nothing to update from, and the test says so.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

from lifecycle_setup import addon, paths
from lifecycle_setup.python import locked

#: the last commit of the release before this one, and its tag
COMMIT = "7eb238144a0b34e2142a9bf9aa93f712e5986001"
TAG = "19.0.1.0.0"


def _git(*arguments: str) -> bytes | None:
    """What git answers, None where it refuses or is missing."""
    try:
        process = subprocess.run(
            ["git", "-C", str(paths.REPOSITORY), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=120,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return process.stdout if process.returncode == 0 else None


def _revision() -> str | None:
    """Name under which git has the release's files here, fetched if need be."""
    for fetch, name in (
        (None, COMMIT),
        (None, f"refs/tags/{TAG}"),
        (COMMIT, COMMIT),
        (f"refs/tags/{TAG}:refs/tags/{TAG}", f"refs/tags/{TAG}"),
    ):
        if fetch and _git("fetch", "--quiet", "--depth", "1", "origin", fetch) is None:
            continue
        if _git("cat-file", "-e", f"{name}^{{commit}}") is not None:
            return name
    return None


def folder() -> Path | None:
    """Folder with the former release of the addon, to be named in Odoo's ``--addons-path``.

    :return: None where neither the repository's history nor the network has it
    """
    target = paths.state() / f"previous-{COMMIT[:10]}"
    if (target / addon.NAME / "__manifest__.py").exists():
        return target
    with locked(paths.state() / "previous.lock"):
        if (target / addon.NAME / "__manifest__.py").exists():
            return target
        revision = _revision()
        packed = revision and _git("archive", revision, addon.NAME)
        if not packed:
            return None
        partial = target.with_suffix(".new")
        shutil.rmtree(partial, ignore_errors=True)
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(partial)
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)
    return target
