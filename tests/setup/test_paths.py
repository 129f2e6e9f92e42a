"""The cache is where Python will say that it runs, and its absence is told."""

import pytest

from lifecycle_setup import paths
from lifecycle_setup.console import SetupError


def test_cache_folder_has_the_name_that_python_gives_it(tmp_path, monkeypatch):
    """Otherwise a program that starts itself anew from there would never arrive."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for given in (tmp_path / "link", tmp_path / "real" / ".." / "real"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(given))
        assert paths.cache() == (tmp_path / "real").resolve() / "customer_lifecycle"


def test_relative_cache_folder_is_ignored(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "somewhere")
    assert paths.cache() == tmp_path.resolve() / ".cache" / "customer_lifecycle"


def test_home_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    with pytest.raises(SetupError, match="set XDG_CACHE_HOME"):
        paths.cache()
