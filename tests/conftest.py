"""The tests in three folders need different surroundings: setup/test runs each in its own."""

import sys
from pathlib import Path

# What setup/run, setup/test and the others share.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "setup" / "lib"))
