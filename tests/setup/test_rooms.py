"""The house: rooms stand on floors, and nothing reaches upwards.

Reads the sources only. A room of ``models/`` may import from the rooms before it in
``models/__init__.py``, from ``tools`` and from ``kernel``; ``tools`` knows no room, and
``kernel`` no Odoo.
"""

import ast
from pathlib import Path

import pytest

ADDON = Path(__file__).resolve().parents[2] / "customer_lifecycle"
#: beside the rooms, and below all of them
GROUND = ("tools", "kernel")
#: what a room may start, but not build upon: demo data are made when somebody asks for them
STARTED = {("web", "demo")}


def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def listed(package):
    """Names that a package's ``__init__`` imports, in its order."""
    return [
        alias.name
        for node in tree_of(package / "__init__.py").body
        if isinstance(node, ast.ImportFrom) and node.level == 1 and not node.module
        for alias in node.names
    ]


ROOMS = listed(ADDON / "models")


def modules(folder):
    return sorted(path for path in folder.rglob("*.py"))


def imported(path):
    """Paths below the addon that a module imports from, as tuples of names."""
    here = path.relative_to(ADDON).parent.parts
    for node in ast.walk(tree_of(path)):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = here[: len(here) - node.level + 1]
        if node.module:
            yield (*base, *node.module.split("."))
        else:
            for alias in node.names:
                yield (*base, alias.name)


def test_all_rooms_are_loaded():
    folders = {path.parent.name for path in (ADDON / "models").glob("*/__init__.py")}
    assert folders == set(ROOMS)
    for room in ROOMS:
        folder = ADDON / "models" / room
        loaded, waiting = set(), set(listed(folder))
        while waiting:
            name = waiting.pop()
            loaded.add(name)
            for target in imported(folder / f"{name}.py"):
                if target[:2] == ("models", room) and target[2] not in loaded:
                    waiting.add(target[2])
        assert loaded == {path.stem for path in folder.glob("*.py")} - {"__init__"}, room


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_reaches_upwards(room):
    allowed = {*ROOMS[: ROOMS.index(room) + 1]}
    for path in modules(ADDON / "models" / room):
        for target in imported(path):
            if target[0] == "models":
                assert target[1] in allowed, f"{path.relative_to(ADDON)} imports {'.'.join(target)}"
            else:
                ok = target[0] in GROUND or (room, target[0]) in STARTED
                assert ok, f"{path.relative_to(ADDON)} imports {'.'.join(target)}"


def test_ground_floor_stands_alone():
    for ground in GROUND:
        for path in modules(ADDON / ground):
            for target in imported(path):
                assert target[0] == ground, f"{path.relative_to(ADDON)} imports {'.'.join(target)}"
    for path in modules(ADDON / "kernel"):
        for node in ast.walk(tree_of(path)):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            assert not any(name.split(".")[0] == "odoo" for name in names), path.name


def test_tools_define_no_models():
    for path in modules(ADDON / "tools"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Assign):
                names = {target.id for target in node.targets if isinstance(target, ast.Name)}
                assert not names & {"_name", "_inherit"}, path.name


@pytest.mark.parametrize("folder", ["models", "tools", "kernel"])
def test_every_module_says_what_it_is(folder):
    silent = [
        str(path.relative_to(ADDON))
        for path in modules(ADDON / folder)
        if path.name != "__init__.py" and not ast.get_docstring(tree_of(path))
    ]
    assert silent == []
