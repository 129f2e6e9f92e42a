"""The addon in this checkout: what it depends on and whether its files changed."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path

from lifecycle_setup import paths
from lifecycle_setup.console import SetupError

NAME = "customer_lifecycle"
# What an installed database does not depend on.
NOT_INSTALLED = {"tests", "__pycache__", "readme", "README.rst", "pyproject.toml"}


def manifest(folder: Path = paths.ADDON) -> dict:
    """The addon's manifest.

    :raises SetupError: when it is missing or no dictionary
    """
    path = folder / "__manifest__.py"
    try:
        found = ast.literal_eval(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SetupError(
            f"{path} is missing: there is no addon to install in this checkout yet."
        ) from None
    except (SyntaxError, ValueError) as error:
        raise SetupError(f"{path} cannot be read ({error}): correct it and try again.") from None
    if not isinstance(found, dict):
        raise SetupError(f"{path} is no dictionary: correct it and try again.")
    return found


def depends(folder: Path = paths.ADDON) -> list[str]:
    """The addons that the manifest depends on, sorted."""
    return sorted(manifest(folder).get("depends", ["base"]))


def fingerprint(folder: Path = paths.ADDON) -> str:
    """Text that changes when a file changes that an installed database depends on."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and not NOT_INSTALLED.intersection(relative.parts):
            content = path.read_bytes()
            digest.update(f"{relative}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()[:12]
