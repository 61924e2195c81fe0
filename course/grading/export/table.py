"""The grades as nbgrader's own export gives them, by unit, by lesson or by exercise. `totals` is the one place that reads them for an export."""

from dataclasses import dataclass

from nbgrader.api import Gradebook, MissingEntry

BY = ("unit", "lesson", "exercise")


@dataclass(frozen=True)
class Row:
    """One student's figure for one item: a unit, a lesson, or an exercise of one.

    raw: the points before the penalty for being late; score: max(0, raw - penalty); of: the most there is; graded: whether nbgrader has a
    submission at all (it counts none as 0); unread: answers that wait for a person.
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
        wanted = [gradebook.find_assignment(unit) for unit in units] or gradebook.assignments
        students = [student.id for student in gradebook.students]
        return [row for unit in wanted for student in students for row in _of_student(gradebook, unit, student, by)]


def _of_student(gradebook, unit, student, by):
    try:
        submission = gradebook.find_submission(unit.name, student)
    except MissingEntry:
        return [Row(student, unit.name, item, 0.0, 0.0, 0.0, of, False) for item, of in _items(unit, by)]
    if by == "unit":
        unread = sum(notebook.needs_manual_grade for notebook in submission.notebooks)
        return [_row(student, unit, unit.name, submission.score, submission.late_submission_penalty, submission.max_score, unread)]
    notebooks = {notebook.name: notebook for notebook in submission.notebooks}
    rows = []
    for lesson, of in _items(unit, "lesson"):
        found = notebooks.get(lesson)
        if by == "lesson":
            about = (found.score, found.late_submission_penalty, found.max_score, int(found.needs_manual_grade)) if found else (0.0, 0.0, of, 0)
            rows.append(_row(student, unit, lesson, *about))
        else:
            grades = {f"{lesson} {grade.name}": grade for grade in found.grades} if found else {}
            rows += [_of_exercise(student, unit, item, most, grades.get(item)) for item, most in _exercises(unit, lesson)]
    return rows


def _row(student, unit, item, raw, penalty, of, unread):
    raw, penalty = float(raw or 0), float(penalty or 0)
    return Row(student, unit.name, item, raw, penalty, max(0.0, raw - penalty), float(of or 0), True, unread)


def _of_exercise(student, unit, item, of, grade):
    return _row(student, unit, item, grade.score if grade else 0, 0, of, int(bool(grade and grade.needs_manual_grade)))


def _items(unit, by):
    """[(item, points)] of a unit."""
    if by == "unit":
        return [(unit.name, float(unit.max_score or 0))]
    lessons = sorted((notebook for notebook in unit.notebooks), key=lambda notebook: notebook.name)
    if by == "lesson":
        return [(notebook.name, float(notebook.max_score)) for notebook in lessons if notebook.max_score]
    return [pair for notebook in lessons for pair in _exercises(unit, notebook.name)]


def _exercises(unit, lesson):
    [notebook] = [notebook for notebook in unit.notebooks if notebook.name == lesson]
    return [(f"{lesson} {cell.name}", float(cell.max_score)) for cell in notebook.grade_cells if cell.max_score]
