"""What docs/extending.md quotes is there: each proof whole, short, and as it is quoted."""

import re

import pytest

from lifecycle_setup import paths

PROOFS = paths.REPOSITORY / "tests" / "addon" / "extending"
TEXT = (paths.REPOSITORY / "docs" / "extending.md").read_text(encoding="utf-8")
#: lines that a proof has at most: an extension must stay small
LINES = 60


def test_every_proof_is_told_and_there():
    quoted = set(re.findall(r"tests/addon/extending/(test_\w+\.py)", TEXT))
    assert quoted == {path.name for path in PROOFS.glob("test_*.py")}


@pytest.mark.parametrize("path", sorted(PROOFS.glob("test_*.py")), ids=lambda path: path.name)
def test_proofs_are_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) < LINES


def test_quoted_code_is_that_of_the_proof():
    """A block that names a file, as in ```python test_….py, is part of it, however indented."""
    blocks = re.findall(r"```\w+ (\w+\.\w+)\n(.*?)```", TEXT, re.DOTALL)
    assert blocks
    for name, block in blocks:
        lines = [line.strip() for line in block.splitlines()]
        proof = [line.strip() for line in (PROOFS / name).read_text("utf-8").splitlines()]
        starts = range(len(proof) - len(lines) + 1)
        assert any(proof[start : start + len(lines)] == lines for start in starts), (name, block)
