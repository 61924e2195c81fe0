"""The figures of an export, by unit, by lesson or by exercise: those of `report.totals`, which are those of `nbgrader export`."""

from dataclasses import dataclass

from nbgrader.api import Gradebook

from course.grading.report.totals import of_unit

BY = ("unit", "lesson", "exercise")


@dataclass(frozen=True)
class Row:
    """One student's figure for one item: a unit, a lesson, or an exercise of one.

    raw: the points before the penalty for being late; score: max(0, raw - penalty); of: the most there is; graded: whether nbgrader has
    something of theirs (else it counts 0); unread: lessons, or by exercise answers, that wait for a person.
    """

    student: str
    unit: str
    item: str
    raw: float
    penalty: float
    score: float
    of: float
    graded: bool
    unread: int = 0


def totals(db_url, course_id, units=(), by="unit"):
    """[Row] of every student in the gradebook, for these units or all of them, the items in their order. Raises MissingEntry for a unit that is not there.

    nbgrader takes a penalty from a lesson. So by exercise there is none, and the exercises of a late lesson come to more than the lesson.
    """
    with Gradebook(db_url, course_id) as gradebook:
        wanted = [gradebook.find_assignment(unit).name for unit in units] or [unit.name for unit in gradebook.assignments]
        return [row for unit in wanted for total in of_unit(gradebook, unit).values() for row in _rows(unit, total, by)]


def _rows(unit, total, by):
    for item, found, unread in _items(unit, total, by):
        yield Row(
            total.student, unit, item, float(found.raw), float(found.penalty), float(found.score), float(found.of), total.handed_in, unread * total.handed_in
        )


def _items(unit, total, by):
    """(name, what has the figures, what waits to be read) of each item of a student; lessons and exercises without points are none."""
    unread = {name: sum(each.needs_reading for each in lesson.exercises.values()) for name, lesson in total.lessons.items()}
    if by == "unit":
        return [(unit, total, sum(map(bool, unread.values())))]
    lessons = {name: lesson for name, lesson in total.lessons.items() if lesson.of}
    if by == "lesson":
        return [(name, lesson, int(bool(unread[name]))) for name, lesson in lessons.items()]
    cells = [(f"{name} {cell}", each) for name, lesson in lessons.items() for cell, each in lesson.exercises.items() if each.of]
    return [(name, each, int(each.needs_reading)) for name, each in cells]
