"""Where things are: the checkout, its private state, and the cache of fetched software."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
ADDON = REPOSITORY / "customer_lifecycle"
REQUIREMENTS = REPOSITORY / "setup" / "requirements"


def state() -> Path:
    """Folder of this checkout's databases and logs; ignored by git."""
    folder = REPOSITORY / ".odoo"
    folder.mkdir(exist_ok=True)
    return folder


def cache() -> Path:
    """Folder of fetched software, shared by all checkouts of this user.

    :raises SetupError: when it cannot be made
    """
    base = os.environ.get("XDG_CACHE_HOME") or ""
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), ".cache")
    # As Python will call it that runs from there: no links, no detours.
    folder = Path(base).resolve() / "customer_lifecycle"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        # Not above: that module needs this one.
        from lifecycle_setup.console import SetupError

        raise SetupError(
            f"{folder} cannot be made ({error.strerror}): set XDG_CACHE_HOME to a folder where you "
            "may write and which has 3 GB of room."
        ) from None
    return folder.resolve()


def checkout_key() -> str:
    """Short name of this checkout, for what has to lie outside of it."""
    return hashlib.sha256(str(REPOSITORY).encode()).hexdigest()[:10]
