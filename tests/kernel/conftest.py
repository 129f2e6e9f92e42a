"""Let the kernel be imported where Odoo is not: its package is registered without being run."""

import os
import sys
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

package = types.ModuleType("customer_lifecycle")
package.__path__ = [str(ROOT / "customer_lifecycle")]
sys.modules.setdefault("customer_lifecycle", package)


@pytest.fixture(scope="session")
def data_path():
    """Return a function that gives the path of a shared data file, or skips the test."""
    folder = Path(os.environ.get("LIFECYCLE_DATA", ROOT.parent / "shared" / "data"))

    def path(name):
        if not (folder / name).is_file():
            pytest.skip(f"{name} is not in {folder}; set LIFECYCLE_DATA to its folder")
        return folder / name

    return path
