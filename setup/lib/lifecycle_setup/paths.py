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
    """Folder of fetched software, shared by all checkouts of this user."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = Path(base) / "customer_lifecycle"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def checkout_key() -> str:
    """Short name of this checkout, for what has to lie outside of it."""
    return hashlib.sha256(str(REPOSITORY).encode()).hexdigest()[:10]
