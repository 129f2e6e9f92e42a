"""What the set-up reads from the addon's folder."""

import pytest

from lifecycle_setup import addon
from lifecycle_setup.console import SetupError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "thing.py").write_text("a = 1\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "__manifest__.py").write_text('{"name": "X", "depends": ["sale_crm", "contacts"]}')
    return tmp_path


def test_depends_are_read_from_the_manifest(folder):
    assert addon.depends(folder) == ["contacts", "sale_crm"]


def test_missing_manifest_is_told(tmp_path):
    with pytest.raises(SetupError, match="no addon to install"):
        addon.manifest(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", "open('x')"])
def test_unreadable_manifest_is_told(folder, text):
    (folder / "__manifest__.py").write_text(text)
    with pytest.raises(SetupError, match="__manifest__.py"):
        addon.manifest(folder)


def test_fingerprint_changes_with_content_name_and_place_of_a_file(folder):
    seen = {addon.fingerprint(folder)}
    (folder / "models" / "thing.py").write_text("a = 2\n")
    seen.add(addon.fingerprint(folder))
    (folder / "models" / "thing.py").rename(folder / "models" / "other.py")
    seen.add(addon.fingerprint(folder))
    (folder / "models" / "other.py").rename(folder / "other.py")
    seen.add(addon.fingerprint(folder))
    assert len(seen) == 4


def test_fingerprint_ignores_tests_and_compiled_files(folder):
    before = addon.fingerprint(folder)
    (folder / "tests" / "test_thing.py").write_text("assert True\n")
    (folder / "models" / "__pycache__").mkdir()
    (folder / "models" / "__pycache__" / "thing.pyc").write_bytes(b"x")
    assert addon.fingerprint(folder) == before
