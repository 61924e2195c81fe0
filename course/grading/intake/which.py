"""Which lesson is this notebook? By what is in it: its title, its grade ids, the cells that are the lesson's own. A name says little: people and browsers change it.

Works on the JSON of a file as `normal.load` gives it, valid or not.
"""

from collections import Counter
from dataclasses import dataclass, field

from . import lost, normal

TITLE, IDS, TEXTS = 3.0, 3.0, 4.0
"""What each sign is worth: the title in the metadata, the grade ids that no other lesson has, the sources that no other lesson has."""
ENOUGH = 1.5


@dataclass(frozen=True)
class Face:
    """By what a lesson is known. title: in its metadata; ids: {grade id} and texts: {squeezed source}, those that no other lesson of the unit has;
    stubs: {grade id: squeezed source} of the cells that a student fills; own: {squeezed source} of all cells."""

    title: str = ""
    ids: frozenset = frozenset()
    texts: frozenset = frozenset()
    stubs: dict = field(default_factory=dict)
    own: frozenset = frozenset()


def faces(lessons):
    """{lesson: Face}. lessons: {lesson: (title, [(grade id or None, whether a student fills it, source)])}."""
    texts = {lesson: {lost.squeezed(source) for _, fills, source in cells if not fills} - {""} for lesson, (_, cells) in lessons.items()}
    ids = {lesson: {name for name, *_ in cells if name} for lesson, (_, cells) in lessons.items()}
    titles = Counter(title for title, _ in lessons.values())
    return {
        lesson: Face(
            title if titles[title] == 1 else "",
            _alone(ids, lesson),
            _alone(texts, lesson),
            {name: lost.squeezed(source) for name, fills, source in cells if name and fills},
            frozenset(lost.squeezed(source) for *_, source in cells),
        )
        for lesson, (title, cells) in lessons.items()
    }


def _alone(found, lesson):
    """What this lesson has and no other one."""
    return frozenset(found[lesson].difference(*(each for other, each in found.items() if other != lesson)))


def likeness(raw, face):
    """How much a notebook is like a lesson: 0 for nothing in common, up to TITLE + IDS + TEXTS."""
    about = raw.get("metadata") if isinstance(raw, dict) else None
    about = about.get("hidden_state") if isinstance(about, dict) else None
    title = about.get("title") if isinstance(about, dict) else None
    cells = [*normal.cells_of(raw)]
    ids, texts = {_grade_id(cell) for cell in cells} - {None}, {lost.squeezed(_source(cell)) for cell in cells}
    return (
        TITLE * bool(face.title and title == face.title)
        + IDS * len(face.ids & ids) / max(len(face.ids), 1)
        + TEXTS * len(face.texts & texts) / max(len(face.texts), 1)
    )


def lesson_of(raw, known):
    """The lesson that a notebook is, or None. known: {lesson: Face}."""
    alike = sorted(((likeness(raw, face), lesson) for lesson, face in known.items()), reverse=True)
    if not alike or alike[0][0] < ENOUGH or (len(alike) > 1 and alike[1][0] == alike[0][0]):
        return None
    return alike[0][1]


def work_in(raw, face):
    """(how many of the answers are no longer as they were released, how many other cells are none of the lesson's): the larger, the more work is in it."""
    cells = [*normal.cells_of(raw)]
    answers = {name: lost.squeezed(_source(cell)) for cell in cells if (name := _grade_id(cell)) in face.stubs}
    changed = sum(bool(text) and text != face.stubs[name] for name, text in answers.items())
    return changed, sum(lost.squeezed(_source(cell)) not in face.own and _grade_id(cell) not in face.stubs for cell in cells)


def _grade_id(cell):
    metadata = cell.get("metadata")
    mark = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    name = mark.get("grade_id") if isinstance(mark, dict) else None
    return name if isinstance(name, str) else None


def _source(cell):
    text = cell.get("source", cell.get("input", ""))
    return text if isinstance(text, str) else "".join(map(str, text)) if isinstance(text, list) else ""
