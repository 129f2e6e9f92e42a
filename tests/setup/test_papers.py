"""The papers name modules, tests and methods that are there."""

import re

import pytest

from lifecycle_setup import paths

ADDON = paths.ADDON
#: folders that a paper's paths may be read from
FOLDERS = (
    paths.REPOSITORY,
    ADDON,
    ADDON / "kernel",
    ADDON / "models",
    ADDON / "models" / "sources",
    paths.REPOSITORY / "setup" / "lib" / "lifecycle_setup",
    paths.REPOSITORY / "tests" / "addon",
    paths.REPOSITORY / "tests" / "kernel",
)
#: files that are told of without their folder, and what is no file
ENDINGS = (".py", ".xml", ".js", ".md")
CODE = "\n".join(
    path.read_text(encoding="utf-8")
    for folder in (ADDON, paths.REPOSITORY / "setup", paths.REPOSITORY / "tests")
    for path in folder.rglob("*.py")
)
ROOMS = {path.parent.name for path in (ADDON / "models").glob("*/__init__.py")}


def is_there(name):
    if any(any(folder.glob(f"{name}{end}")) for folder in FOLDERS for end in ("", ".py")):
        return True
    return "/" not in name and any(paths.REPOSITORY.glob(f"tests/**/{name}"))


@pytest.mark.parametrize("paper", ["architecture", "extending", "statistics"])
def test_what_is_named_is_there(paper):
    text = (paths.REPOSITORY / "docs" / f"{paper}.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w.*]+(?:/[\w.*]+)*)`", text))
    files = {
        name for name in named if name.endswith(ENDINGS) or name.split("/")[0] in ROOMS
    } - ROOMS
    assert sorted(name for name in files if not is_there(name)) == []
    methods = {name for name in named if re.fullmatch(r"_[a-z]\w+", name)} - {"_inherit"}
    assert sorted(name for name in methods if f"def {name}(" not in CODE) == []
