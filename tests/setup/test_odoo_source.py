"""An Odoo that is already there is found by ODOO_HOME, and another series is refused."""

import pytest

from lifecycle_setup import odoo_source
from lifecycle_setup.console import SetupError


def make_odoo(root, version="(19, 0, 0, FINAL, 0, '')"):
    package = root / "odoo"
    package.mkdir(parents=True)
    (package / "release.py").write_text(f"FINAL = 'final'\nversion_info = {version}\n")
    return package


def test_checkout_with_addons_beside_the_package(tmp_path):
    make_odoo(tmp_path)
    (tmp_path / "addons" / "sale").mkdir(parents=True)
    source = odoo_source.from_folder(tmp_path)
    assert source.python_path == tmp_path
    assert source.addons == (tmp_path / "addons",)


def test_the_package_itself_may_be_named(tmp_path):
    package = make_odoo(tmp_path)
    source = odoo_source.from_folder(package)
    assert source.python_path == tmp_path
    assert source.addons == ()


def test_folder_without_odoo_is_refused(tmp_path):
    with pytest.raises(SetupError, match="no Odoo was found"):
        odoo_source.from_folder(tmp_path)


def test_other_series_is_refused(tmp_path):
    make_odoo(tmp_path, "(18, 0, 0, FINAL, 0, '')")
    with pytest.raises(SetupError, match=r"Odoo 18\.0"):
        odoo_source.from_folder(tmp_path)


def test_environment_variable_decides(tmp_path, monkeypatch):
    make_odoo(tmp_path)
    monkeypatch.setenv("ODOO_HOME", str(tmp_path))
    assert odoo_source.ensure_odoo().python_path == tmp_path
