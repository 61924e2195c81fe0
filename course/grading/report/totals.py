"""What everybody has, as nbgrader adds it up: the one place for the table, --json and the files for a learning management system.

nbgrader takes a late penalty off each notebook, and `nbgrader export` writes max(0, raw score - all penalties). The same is done here.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from nbgrader.api import Assignment as Unit
from nbgrader.api import BaseCell, Grade, Notebook, Student, SubmittedAssignment, SubmittedNotebook


@dataclass
class Exercise:
    """One graded cell. score: what counts, by hand or by machine, with extra credit; of: at most; by_machine, by_hand: None where there is none;
    needs_reading: nbgrader holds that somebody has to look at it."""

    name: str
    score: float = 0.0
    of: float = 0.0
    by_machine: float | None = None
    by_hand: float | None = None
    needs_reading: bool = False

    @property
    def raw(self):
        return self.score

    penalty = 0.0
    """Is taken off a lesson, and not off one exercise."""


@dataclass
class Lesson:
    """One notebook of a student. raw: before the penalty for being late; score: after it, and not below zero."""

    name: str
    raw: float = 0.0
    penalty: float = 0.0
    of: float = 0.0
    exercises: dict = field(default_factory=dict)
    """{grade_id: Exercise}"""

    @property
    def score(self):
        return max(0.0, self.raw - self.penalty)


@dataclass
class Total:
    """One student's unit, handed in or not. The score is that of `nbgrader export`; those of the lessons add up to it unless a penalty is
    larger than what its lesson has."""

    student: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    of: float = 0.0
    due: datetime | None = None
    """For everybody, without an extension; UTC as in nbgrader."""
    handed_in: bool = False
    timestamp: datetime | None = None
    extension: timedelta | None = None
    lessons: dict = field(default_factory=dict)
    """{lesson: Lesson}, also of those without a submission"""

    @property
    def raw(self):
        return sum(lesson.raw for lesson in self.lessons.values())

    @property
    def penalty(self):
        return sum(lesson.penalty for lesson in self.lessons.values())

    @property
    def score(self):
        return max(0.0, self.raw - self.penalty)

    @property
    def seconds_late(self):
        """As nbgrader counts them: after the due date and the student's extension."""
        if self.timestamp is None or self.due is None:
            return 0.0
        return max(0.0, (self.timestamp - self.due - (self.extension or timedelta())).total_seconds())


def of_unit(gradebook, unit):
    """{student: Total} of everybody in a gradebook, in the order of the ids. Raises MissingEntry for an unknown unit.

    gradebook: nbgrader's, open; its session holds nothing afterwards.
    """
    try:
        due, of = gradebook.find_assignment(unit).duedate, _points(gradebook.db, unit)
        everybody = gradebook.db.query(Student.id, Student.first_name, Student.last_name, Student.email).order_by(Student.id)
        totals = {student: Total(student, *(text or "" for text in about), due=due) for student, *about in everybody}
        for total in totals.values():
            total.lessons = {
                name: Lesson(name, of=sum(cells.values()), exercises={cell: Exercise(cell, of=most) for cell, most in cells.items()})
                for name, cells in of.items()
            }
            total.of = sum(lesson.of for lesson in total.lessons.values())
        _submissions(gradebook.db, unit, totals)
        _penalties(gradebook.db, unit, totals)
        _grades(gradebook.db, unit, totals)
        return totals
    finally:
        gradebook.db.remove()


def _points(db, unit):
    """{lesson: {grade_id: points}} of a unit, its lessons in order, those without points too."""
    lessons = {name: {} for (name,) in db.query(Notebook.name).join(Unit, Unit.id == Notebook.assignment_id).filter(Unit.name == unit).order_by(Notebook.name)}
    for notebook in db.query(Notebook).join(Unit, Unit.id == Notebook.assignment_id).filter(Unit.name == unit):
        lessons[notebook.name] = {cell.name: cell.max_score for cell in [*notebook.grade_cells, *notebook.task_cells]}
    return lessons


def _submissions(db, unit, totals):
    rows = db.query(SubmittedAssignment.student_id, SubmittedAssignment.timestamp, SubmittedAssignment.extension)
    for student, timestamp, extension in rows.join(Unit, Unit.id == SubmittedAssignment.assignment_id).filter(Unit.name == unit):
        total = totals[student]
        total.handed_in = timestamp is not None or not extension  # more time makes a row too, for who may hand in nothing
        total.timestamp, total.extension = timestamp, extension


def _penalties(db, unit, totals):
    rows = of_notebooks(db.query(SubmittedAssignment.student_id, Notebook.name, SubmittedNotebook.late_submission_penalty).select_from(SubmittedNotebook), unit)
    for student, lesson, penalty in rows:
        totals[student].lessons[lesson].penalty = penalty or 0.0


def _grades(db, unit, totals):
    columns = Grade.score, Grade.max_score, Grade.auto_score, Grade.manual_score, Grade.needs_manual_grade
    rows = db.query(SubmittedAssignment.student_id, Notebook.name, BaseCell.name, *columns).select_from(Grade)
    rows = rows.join(BaseCell, BaseCell.id == Grade.cell_id).join(SubmittedNotebook, SubmittedNotebook.id == Grade.notebook_id)
    for student, lesson, cell, *scores in of_notebooks(rows, unit):
        found = totals[student].lessons[lesson]
        exercise = found.exercises[cell] = Exercise(cell, *scores)
        found.raw += exercise.score or 0.0
        totals[student].handed_in |= exercise.by_machine is not None or exercise.by_hand is not None


def of_notebooks(rows, unit):
    """A query that joins SubmittedNotebook, for one unit; it may name students, notebooks and submissions."""
    rows = rows.join(Notebook, Notebook.id == SubmittedNotebook.notebook_id).join(
        SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id
    )
    return rows.join(Unit, Unit.id == SubmittedAssignment.assignment_id).filter(Unit.name == unit)
