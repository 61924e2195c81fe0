"""What the gradebook says of a unit: its lessons, and what each graded cell calls."""

import ast
from dataclasses import asdict, dataclass, field

from nbgrader.api import Gradebook, MissingEntry

from .names import unknown

HIDDEN = {"check": "hidden_check", "quiz": "hidden_quiz"}


class GradeError(Exception):
    """Grading cannot begin, or go on. The message says why, and what to do about it."""


@dataclass(frozen=True)
class Call:
    """What a graded cell does: check("name", variable), or quiz("name", number, variable, who). who: the variable with the student's id, or ""."""

    kind: str
    name: str
    variable: str
    number: int | None = None
    who: str = field(default="", compare=False)
    """A hidden twin has none."""


def read_unit(db_url, unit):
    """{lesson: {grade_id: Call as a dict}} of a released unit, in the order of its lessons.

    Raises GradeError where the unit is not in the gradebook, or a graded cell is none that can be judged from outside.
    """
    with Gradebook(db_url) as gradebook:
        try:
            notebooks = gradebook.find_assignment(unit).notebooks
        except MissingEntry:
            raise GradeError(unknown(unit, [each.name for each in gradebook.assignments])) from None
        found = {notebook.name: _calls(notebook) for notebook in sorted(notebooks, key=lambda each: each.name)}
    if not found:
        raise GradeError(f"the unit {unit!r} has no notebook in the gradebook. Release it again: nbgrader generate_assignment {unit} --force")
    return found


def units(db_url):
    """The names of all units in the gradebook."""
    with Gradebook(db_url) as gradebook:
        return [assignment.name for assignment in gradebook.assignments]


def _calls(notebook):
    """The calls of a notebook's graded code cells, without those that are graded by hand."""
    by_hand = {cell.name for cell in notebook.solution_cells}
    graded = {cell.name for cell in notebook.grade_cells if cell.cell_type == "code"} - by_hand
    return {cell.name: asdict(_call(notebook.name, cell)) for cell in notebook.source_cells if cell.name in graded}


def _call(lesson, cell):
    call = parse(cell.source)
    if call is None:
        raise GradeError(
            f'{lesson}: the graded cell {cell.name} is not check("exercise", answer) or quiz("lesson", 1, answer) with its hidden twin alone, '
            "so it cannot be judged from outside the sandbox. Grade this unit with `nbgrader autograde`"
        )
    return call


def parse(source):
    """The Call of a graded cell's source, or None. Beside its hidden twin nothing may stand in it: that would be left out."""
    try:
        first, *rest = [statement for statement in ast.parse(source).body if not isinstance(statement, ast.ImportFrom)]
        call = _read(first, hidden=False)
        return call if all(_read(other, hidden=True) == call for other in rest) else None
    except (SyntaxError, ValueError, AttributeError, IndexError, KeyError):
        return None


def _read(statement, hidden):
    function, arguments = statement.value.func.id, statement.value.args
    kind = next(kind for kind, twin in HIDDEN.items() if function == (twin if hidden else kind)) if function in {*HIDDEN, *HIDDEN.values()} else None
    if kind == "check":
        return Call(kind, _text(arguments[0]), arguments[1].id)
    if kind == "quiz":
        return Call(kind, _text(arguments[0]), arguments[2].id, arguments[1].value, arguments[3].id if len(arguments) > 3 else "")
    raise ValueError(function)


def _text(node):
    if not isinstance(node.value, str):
        raise ValueError(node.value)
    return node.value
