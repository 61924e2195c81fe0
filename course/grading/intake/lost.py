"""Cells of a lesson that lost their nbgrader mark, or are not there any more: found again by their name, their text, what they define, or their place.

Pure functions over cells. A master is a cell of the lesson as it was released: {"name", "type", "source", "locked"}, where the name is its grade id, or
None for a text of the lesson that nobody marks. All that a student wrote stays where it is.
"""

import ast
import re

HIDDEN = re.compile(r"^[^\n]*BEGIN HIDDEN TESTS[\s\S]*?END HIDDEN TESTS[^\n]*\n?", re.MULTILINE)
OTHER_NAMES = ("id", "cell_id")
"""Where Colab and Deepnote keep the name of a cell."""


def squeezed(source):
    """A source by which it is known again: without its hidden tests, and however its lines end."""
    return "\n".join(line.rstrip() for line in HIDDEN.sub("", source).split("\n")).strip()


def found(cells, masters, marked):
    """{grade id: place of the cell that is it} of the masters that no cell is marked as. marked: {grade id: place} of those that are."""
    places, taken = {}, set(marked.values())
    for number, master in enumerate(masters):
        if not master["name"] or master["name"] in marked:
            continue
        free = [place for place, cell in enumerate(cells) if place not in taken and "nbgrader" not in cell.metadata]
        place = _by_name(cells, free, master) if not master["locked"] else None
        if place is None:
            known = {**marked, **places}
            place = _by_text(cells, free, masters, number, known) if master["locked"] else _by_what_it_is(cells, free, masters, number, known)
        if place is not None:
            places[master["name"]] = place
            taken.add(place)
    return places


def _by_name(cells, free, master):
    alike = [place for place in free if cells[place].cell_type == master["type"] and master["name"] in _names(cells[place])]
    return alike[-1] if alike else None


def _names(cell):
    return {cell.get("id"), *(cell.metadata.get(key) for key in OTHER_NAMES if isinstance(cell.metadata.get(key), str))}


def _by_text(cells, free, masters, number, known):
    """The last cell with the same text: of copies, the last counts. Not one that stands above what it checks: there it would fail."""
    master, text = masters[number], squeezed(masters[number]["source"])
    above = next((known[each["name"]] for each in reversed(masters[:number]) if each["name"] in known), -1)
    alike = [place for place in free if place > above and cells[place].cell_type == master["type"] and text and squeezed(cells[place].source) == text]
    return alike[-1] if alike else None


def _by_what_it_is(cells, free, masters, number, known):
    """The student's own answer: code by the names that it defines, a text by where it stands."""
    master = masters[number]
    if master["type"] == "code":
        names = defined(master["source"])
        alike = [place for place in free if cells[place].cell_type == "code" and names and names <= defined(cells[place].source)]
        return alike[-1] if alike else None
    if master["type"] != "markdown":
        return None
    before, after = around(cells, masters, number, known)
    lessons = {squeezed(each["source"]) for each in masters}
    texts = [place for place in free if before < place < after and cells[place].cell_type in ("markdown", "raw") and cells[place].source.strip()]
    own = [place for place in texts if squeezed(cells[place].source) not in lessons] or [
        place for place in texts if squeezed(cells[place].source) == squeezed(master["source"])
    ]
    return max(own, key=lambda place: len(cells[place].source), default=None) if before >= 0 else None


def around(cells, masters, number, known):
    """(place of the nearest cell before a master that is there, place of the nearest after it); -1 and the number of cells where there is none.

    A text of the lesson that the student has changed is not there.
    """
    texts = {squeezed(cell.source): place for place, cell in enumerate(cells)}

    def place_of(master):
        if master["name"]:
            return known.get(master["name"])
        return texts.get(squeezed(master["source"]))

    before = next((place for master in reversed(masters[:number]) if (place := place_of(master)) is not None), -1)
    after = next((place for master in masters[number + 1 :] if (place := place_of(master)) is not None and place > before), len(cells))
    return before, after


def defined(source):
    """The names that a cell gives a meaning at its top level; of code that is no Python yet, what looks like it."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set(re.findall(r"^(?:def|class)\s+(\w+)", source, re.MULTILINE)) | set(re.findall(r"^(\w+)\s*=(?!=)", source, re.MULTILINE))
    names = set()
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            names.add(statement.name)
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names |= {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}
    return names
