"""The rooms of `course/` import each other as docs/architecture.md says, downward only."""

import ast
import re
from graphlib import TopologicalSorter

import pytest
from support import ROOT

COURSE = ROOT / "course"
ROOMS = sorted(folder.name for folder in COURSE.iterdir() if folder.is_dir() and list(folder.rglob("*.py")))


def drawn():
    """{room: the rooms that it imports}, from the table in docs/architecture.md."""
    table = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("<!-- arrows -->")[1].split("<!-- /arrows -->")[0]
    rows = re.findall(r"^\| `(\w+)` \|.*\|([^|]*)\|$", table, flags=re.MULTILINE)
    return {room: set(re.findall(r"\w+", imports)) for room, imports in rows}


def imported(file):
    """The modules that a file imports, as full names: `from a import b` counts as a and as a.b."""
    package = file.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            base = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def built():
    """{room: the rooms that it imports}, from the code."""
    return {room: {part for file in (COURSE / room).rglob("*.py") for part in map(_room, imported(file)) if part and part != room} for room in ROOMS}


def _room(module):
    parts = module.split(".")
    return parts[1] if parts[0] == "course" and len(parts) > 1 and parts[1] in ROOMS else None


def test_every_arrow_is_drawn_and_every_drawn_one_is_there():
    assert built() == drawn()


def test_no_arrow_leads_back():
    order = list(TopologicalSorter(built()).static_order())
    assert set(order) == set(ROOMS)


def test_nothing_below_imports_the_instructors_part():
    assert {room for room, others in built().items() if others & {"grading", "build"}} <= {"build"}


@pytest.mark.parametrize("folder", ["exercises", "explore/scenes"])
def test_a_units_folder_holds_one_kind_of_thing(folder):
    """One file an exercise or explorer, and it has the name of what it makes."""
    units = {path.name for path in (ROOT / "solutions").iterdir() if path.is_dir()}
    inside = [path for path in (COURSE / folder).rglob("*") if path.is_file() and path.suffix != ".pyc" and path.parent != COURSE / folder]
    assert inside and {path.parent.name for path in inside} <= units
    wanted = {"exercises": {"cases", "play", "judge", "HINTS"}}.get(folder)
    for path in inside:
        names = {node.name for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)}
        names |= set(re.findall(r"^([A-Z]+) =", path.read_text(encoding="utf-8"), flags=re.MULTILINE))
        assert (wanted or {path.stem}) <= names, path


@pytest.mark.parametrize("file", sorted((COURSE / "pictures").glob("*.py")), ids=lambda file: file.name)
def test_pictures_stay_small(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 250


def test_every_path_that_the_documents_name_is_there():
    """Of this repository's own folders; a name in brackets stands for any."""
    for document in ("docs/architecture.md", "README.md", "CONTRIBUTING.md", "AGENTS.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        for path in re.findall(r"`((?:course|tests|tools|bench|docs|solutions|notebooks)/[\w./<>-]*)`", text):
            assert list(ROOT.glob(re.sub(r"<[^>]*>", "*", path).rstrip("/"))), f"{document} names {path}"
