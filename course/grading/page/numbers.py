"""What a class did in one unit, from nbgrader's gradebook, autograded/ and the history of what was recorded. Nothing is changed."""

import json
import re
import statistics
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.api import Gradebook

from course.grading import backups, gradebook
from course.grading.intake.submissions import find_students, shown
from course.grading.intake.unit import GradeError, read_unit
from course.grading.report import totals

from . import history

GOT, PART, WRONG, STOPPED, LEFT, READ, NONE = STATES = ("got", "part", "wrong", "stopped", "left", "read", "none")
"""What came of a question: all points, some, none, its cell had to be stopped, not attempted, to be read, its lesson not handed in or not readable."""
STUCK = (PART, WRONG, STOPPED)
LINES, LINE = 60, 400
"""How much is kept of a message or a cell."""
MARKS = re.compile(r"^\s*### (BEGIN|END) SOLUTION\n?", flags=re.MULTILINE)


@dataclass
class Question:
    """A graded cell of the unit. mistakes: [Mistake], the commonest first."""

    lesson: str
    cell: str
    name: str
    of: float
    mistakes: list = field(default_factory=list)

    @property
    def place(self):
        return self.lesson, self.cell


@dataclass
class Mistake:
    """text: its likely cause, or what was seen; students: who made it; message: what one of them, `whose`, was told."""

    text: str
    students: list
    whose: str = ""
    message: str = ""


@dataclass
class Came:
    """What came of one question for one student. tries: hand-ins in a row, up to the last, in which it was tried and not got."""

    state: str
    points: float = 0
    mistake: str = ""
    tries: int = 0


@dataclass
class Person:
    """A student of the roster. points: all that counts, as in the table; cells: {(lesson, cell): Came}, empty for who handed in nothing;
    progress: points by machine after each hand-in."""

    id: str
    name: str
    points: float = 0
    cells: dict = field(default_factory=dict)
    progress: list = field(default_factory=list)
    unknown: bool = False
    """graded before the history was kept"""

    @property
    def handed_in(self):
        return bool(self.cells)


@dataclass
class Class:
    """A unit and everybody in it. answers, released, shipped: the code of solution cells by (lesson, cell), of each student or of all."""

    unit: str
    of: float
    questions: list
    people: dict
    waiting: list
    answers: dict = field(default_factory=dict)
    released: dict = field(default_factory=dict)
    shipped: dict = field(default_factory=dict)

    @property
    def there(self):
        """Those who handed in, the fewest points first."""
        return sorted((person for person in self.people.values() if person.handed_in), key=lambda person: (person.points, person.id))

    @property
    def absent(self):
        return [person for person in self.people.values() if not person.handed_in]

    def counted(self, question):
        """{state: how many students}."""
        return Counter(person.cells[question.place].state for person in self.there if question.place in person.cells)

    def median(self):
        return statistics.median(person.points for person in self.there) if self.there else 0


def of_unit(course, root, unit, folder):
    """The Class of a unit. course: nbgrader's CourseDirectory; root: the course's folder, the current one; folder: where grading keeps what it knows of the unit.

    Raises GradeError where the unit is not in the gradebook, or there is none.
    """
    database = backups.file_of(course.db_url)
    if database and not database.exists():
        raise GradeError(f"there is no gradebook yet ({database}). Release the unit first: nbgrader generate_assignment {unit}")
    with tempfile.TemporaryDirectory(prefix="course-report-") as aside:  # a copy is read: to open a gradebook may write into it
        db_url = gradebook.copied(course.db_url, Path(aside) / "gradebook.db")
        calls, (people, rows, graded, cells) = read_unit(db_url, unit), _asked(db_url, unit)
    source, release = (_notebooks(course.format_path(place, ".", unit), calls) for place in (course.source_directory, course.release_directory))
    found = Class(unit, sum(most for *_, most in cells), _questions(cells, calls, source), people, _waiting(course, unit, graded))
    found.released, found.shipped = _solutions(release), {place: MARKS.sub("", text) for place, text in _solutions(source).items()}
    known = history.read(folder)
    for row in rows:
        _fill(found.people[row[0]], row, known.get(row[0], []))
    for person in found.people.values():
        person.progress = [_by_machine(line) for line in history.hand_ins(known.get(person.id, []))] if person.handed_in else []
        person.unknown = person.handed_in and person.id not in known
    _read_autograded(found, course, calls)
    return found


# The gradebook


def _asked(db_url, unit):
    """({id: Person}, rows of grades, ids of who is graded, rows of graded cells)."""
    with Gradebook(db_url) as book:
        everybody = totals.of_unit(book, unit)
        cells = [(notebook.name, cell.name, cell.max_score) for notebook in book.find_assignment(unit).notebooks for cell in notebook.grade_cells]
    people = {student: Person(student, _line(f"{total.first_name} {total.last_name}"), total.score) for student, total in everybody.items()}
    graded = {student: total for student, total in everybody.items() if total.handed_in}
    rows = [
        (student, lesson.name, cell.name, cell.score, cell.of, cell.needs_reading)
        for student, total in graded.items()
        for lesson in total.lessons.values()
        for cell in lesson.exercises.values()
    ]
    return people, rows, {*graded}, cells


def _questions(cells, calls, source):
    """The graded cells, in the order of the lessons and of the cells in them."""
    order = {(lesson, _grade_id(cell)): place for lesson, notebook in source.items() for place, cell in enumerate(notebook)}
    ordered = sorted(cells, key=lambda each: (each[0], order.get(each[:2], len(order)), each[1]))
    return [Question(lesson, cell, _name(calls.get(lesson, {}).get(cell), cell), most) for lesson, cell, most in ordered]


def _name(call, cell):
    if not call:
        return cell
    return call["name"] if call["kind"] == "check" else f"question {call['number']}"


def _waiting(course, unit, graded):
    """Who has handed in and is in no gradebook yet."""
    found = find_students(course, unit)
    return [shown(student) for student in (*found.students, *found.lost) if student not in graded]


def _fill(person, row, lines):
    """Add what came of one question."""
    _, lesson, cell, score, most, to_read = row
    outcome, mistake = _verdict(lines[-1], lesson, cell) if lines else ("", "")
    state = _state(score, most, to_read, outcome, bool(lines) and _is_missing(lines[-1], lesson))
    came = Came(state, score, _line(mistake) if state in STUCK else "")
    if state in STUCK:
        came.tries = _tries(history.hand_ins(lines), lesson, cell)
    person.cells[lesson, cell] = came


def _state(score, most, to_read, outcome, missing):
    if missing and not score:
        return NONE
    if score >= most:
        return GOT
    if to_read and not outcome:
        return READ
    if score > 0:
        return PART
    return {"not attempted yet": LEFT, "stopped": STOPPED}.get(outcome, WRONG)


def _is_missing(line, lesson):
    return lesson in line["missing"] or lesson in line["reasons"]


def _verdict(line, lesson, cell):
    """(outcome, mistake), both "" where nothing is known."""
    found = (line["verdicts"].get(lesson) or {}).get(cell)
    return tuple(found) if isinstance(found, list) and len(found) == 2 and all(isinstance(each, str) for each in found) else ("", "")


def _tries(lines, lesson, cell):
    number = 0
    for line in reversed(lines):
        if _verdict(line, lesson, cell)[0] in ("", "passed", "not attempted yet"):
            break
        number += 1
    return number


def _by_machine(line):
    return sum(score for cells in line["scores"].values() for score in cells.values() if isinstance(score, (int, float)))


# Notebooks


def _notebooks(folder, lessons):
    """{lesson: its cells} of those that can be read."""
    found = {}
    for lesson in lessons:
        try:
            cells = json.loads((Path(folder) / f"{lesson}.ipynb").read_text(encoding="utf-8"))["cells"]
            found[lesson] = [cell for cell in cells if isinstance(cell, dict)]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
    return found


def _solutions(notebooks):
    """{(lesson, cell): source} of the code that a student writes."""
    return {
        (lesson, _grade_id(cell)): _source(cell)
        for lesson, cells in notebooks.items()
        for cell in cells
        if cell.get("cell_type") == "code" and _mark(cell).get("solution") and _grade_id(cell)
    }


def _mark(cell):
    return cell.get("metadata", {}).get("nbgrader", {})


def _grade_id(cell):
    return _mark(cell).get("grade_id")


def _source(cell):
    return "".join(cell["source"])


def _read_autograded(found, course, calls):
    """Put in the students' code, and the mistakes with what was said of them."""
    made = {}
    for person in found.people.values():
        if not person.handed_in:
            continue
        notebooks = _notebooks(course.format_path(course.autograded_directory, person.id, found.unit), calls)
        for place, source in _solutions(notebooks).items():
            if source.strip() and source.strip() != found.released.get(place, "").strip():
                found.answers.setdefault(place, {})[person.id] = source
        said = {(lesson, _grade_id(cell)): _said(cell) for lesson, cells in notebooks.items() for cell in cells}
        for place, came in person.cells.items():
            if came.mistake:
                mistake = made.setdefault(place, {}).setdefault(came.mistake, Mistake(came.mistake, []))
                mistake.students.append(person.id)
                if not mistake.message and said.get(place):
                    mistake.whose, mistake.message = person.id, said[place]
    for question in found.questions:
        question.mistakes = sorted(made.get(question.place, {}).values(), key=lambda mistake: (-len(mistake.students), mistake.text))


def _said(cell):
    """What a graded cell told its student, or ""."""
    errors = [output for output in cell.get("outputs", []) if output.get("output_type") == "error"]
    return clean(str(errors[-1].get("evalue", ""))) if errors else ""


def clean(text):
    """A text of a student's on a page: without what could turn the direction of writing or is no sign at all, and not without end."""
    lines = text.expandtabs(4).split("\n")
    kept = ["".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in line[:LINE]) for line in lines[:LINES]]
    return "\n".join(kept) + (f"\n… {len(lines) - LINES} more lines" if len(lines) > LINES else "")


def _line(text):
    return " ".join(clean(text).split())
