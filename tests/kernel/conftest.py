"""Let the kernel be imported where Odoo is not: its package is registered without being run."""

import os
import sys
import types
from pathlib import Path

# Before numpy is imported: threads of its linear algebra cost more than they give here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import pytest  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]

package = types.ModuleType("customer_lifecycle")
package.__path__ = [str(ROOT / "customer_lifecycle")]
sys.modules.setdefault("customer_lifecycle", package)
# What setup/backtest is made of is tested here too.
sys.path.insert(0, str(ROOT / "setup" / "lib"))


@pytest.fixture(scope="session")
def data_path():
    """Return a function that gives the path of a shared data file, or skips the test."""
    folder = Path(os.environ.get("LIFECYCLE_DATA", ROOT.parent / "shared" / "data"))

    def path(name):
        if not (folder / name).is_file():
            pytest.skip(f"{name} is not in {folder}; set LIFECYCLE_DATA to its folder")
        return folder / name

    return path


@pytest.fixture(scope="session")
def cdnow(data_path):
    """CDNOW sample of Fader & Hardie: (customer, day, amount); days since 1970-01-01."""
    return read_log(data_path("cdnow_sample.csv"))


@pytest.fixture(scope="session")
def online_retail(data_path):
    """UCI Online Retail, a wholesaler, refunds negative: (customer, day, amount)."""
    return read_log(data_path("online_retail_with_refunds.csv"))


def read_log(path):
    log = pd.read_csv(path)
    days = log["date"].to_numpy().astype("datetime64[D]").astype(np.int64)
    return log["customer_id"].to_numpy(), days, log["amount"].to_numpy(float)


@pytest.fixture(scope="session")
def day():
    """Return a function from an ISO date to days since 1970-01-01."""
    return lambda text: int(np.datetime64(text, "D").astype(np.int64))
