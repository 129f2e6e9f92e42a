"""Where Odoo 19 is: the folder named by the user, or Debian's package unpacked in the cache."""

from __future__ import annotations

import ast
import dataclasses
import os
import re
import shutil
from pathlib import Path

from lifecycle_setup import paths
from lifecycle_setup.apt import Archive
from lifecycle_setup.console import SetupError, step
from lifecycle_setup.python import locked

SERIES = 19
# Odoo's Debian package links to files of these instead of shipping them.
LINKED = [
    "fonts-glyphicons-halflings",
    "fonts-inconsolata",
    "fonts-montserrat",
    "fonts-ocr-b",
    "fonts-roboto-unhinted",
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
]
# Removed from Debian's package because it is minified; every page of Odoo asks for it.
REMOVED = "mail/static/lib/selfie_segmentation/selfie_segmentation.js"


@dataclasses.dataclass(frozen=True)
class OdooSource:
    """An Odoo 19.

    :param python_path: folder that holds the ``odoo`` package
    :param addons: folders of addons beside ``odoo/addons``
    :param version: text that changes with the version
    """

    python_path: Path
    addons: tuple[Path, ...]
    version: str


def _release(package: Path) -> str | None:
    """Version named in ``odoo/release.py``, or None where that is no Odoo."""
    try:
        tree = ast.parse((package / "release.py").read_text(encoding="utf-8"))
    except (OSError, SyntaxError):
        return None
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "version_info":
            parts = [item.value for item in node.value.elts if isinstance(item, ast.Constant)]
            return ".".join(str(part) for part in parts if part != "")
    return None


def from_folder(folder: Path) -> OdooSource:
    """The Odoo in `folder`, which holds ``odoo-bin`` or the ``odoo`` package (or is it).

    :raises SetupError: when it holds none, or another series
    """
    root = folder.parent if (folder / "release.py").exists() else folder
    version = _release(root / "odoo")
    if not version:
        raise SetupError(
            f"ODOO_HOME is {folder}, where no Odoo was found: set it to the folder that contains "
            "odoo-bin or the odoo package, or unset it to have Odoo fetched."
        )
    if not re.match(rf"(saas~)?{SERIES}\.0\b", version):
        raise SetupError(
            f"ODOO_HOME is {folder}, which is Odoo {version}: set it to an Odoo {SERIES}.0, or "
            "unset it to have one fetched."
        )
    beside = root / "addons"
    return OdooSource(root, (beside,) if (beside / "sale").is_dir() else (), f"{version}@{root}")


def _fetched() -> Path | None:
    """The newest complete Odoo in the cache."""
    found = [each for each in paths.cache().glob("odoo-*") if (each / "complete").exists()]
    return max(found, key=lambda each: (each / "complete").stat().st_mtime, default=None)


def _fetch() -> Path:
    scratch = paths.cache() / "archive"
    shutil.rmtree(scratch, ignore_errors=True)
    with step(f"Fetching Odoo {SERIES} from Debian (125 MB)"):
        archive = Archive(scratch)
        archive.update()
        package = f"odoo-{SERIES}"
        version = archive.candidate(package)
        if not version:
            raise SetupError(
                f"Debian's archive has no package {package} for this machine, or could not be "
                "reached: check the network connection, or set ODOO_HOME to a folder with an "
                f"Odoo {SERIES}."
            )
        partial = scratch / "root"
        awesome = f"fonts-font-awesome/{archive.font_awesome_suite}"
        archive.unpack([package, *LINKED, awesome], partial)
        stub = _package_folder(partial) / "odoo" / "addons" / REMOVED
        if not stub.exists():
            stub.parent.mkdir(parents=True, exist_ok=True)
            stub.touch()
        (partial / "complete").touch()
        target = paths.cache() / f"odoo-{version}"
        shutil.rmtree(target, ignore_errors=True)
        os.rename(partial, target)
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def _package_folder(root: Path) -> Path:
    return root / "usr" / "lib" / "python3" / "dist-packages"


def ensure_odoo() -> OdooSource:
    """The Odoo to use; fetched first where none is there.

    :raises SetupError: without network, or where ODOO_HOME holds none
    """
    home = os.environ.get("ODOO_HOME")
    if home:
        return from_folder(Path(home).expanduser().resolve())
    root = _fetched()
    if not root:
        with locked(paths.cache() / "odoo.lock"):
            root = _fetched() or _fetch()
    return OdooSource(_package_folder(root), (), root.name)
