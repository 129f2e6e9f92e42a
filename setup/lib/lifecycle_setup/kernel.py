"""The statistical kernel, imported without Odoo."""

from __future__ import annotations

import importlib
import sys
import types

from lifecycle_setup import paths


def load():
    """Return ``customer_lifecycle.kernel``.

    The addon's own package needs Odoo: a bare one is registered in its place, so that its
    ``__init__.py`` is not run.
    """
    package = types.ModuleType("customer_lifecycle")
    package.__path__ = [str(paths.ADDON)]
    sys.modules.setdefault("customer_lifecycle", package)
    return importlib.import_module("customer_lifecycle.kernel")
