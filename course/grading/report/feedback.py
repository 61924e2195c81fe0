"""Pages for the students: nbgrader's own GenerateFeedback, for whatever a student or a folder is called.

nbgrader takes names for patterns: `[`, `]`, `*` and `?` in one of a student, a course or a file match something else, and there is no page.
"""

import hashlib
from pathlib import Path

from nbgrader.api import BaseCell, Comment, Grade, MissingEntry, Notebook, SubmittedAssignment, SubmittedNotebook
from nbgrader.converters import GenerateFeedback, NbGraderException
from nbgrader.coursedir import CourseDirectory
from traitlets import List, Unicode

from course.grading import gradebook
from course.grading.intake.sanitise import Notes
from course.grading.intake.submissions import find_students, shown
from course.grading.intake.unit import GradeError
from course.grading.run.journal import Journal, digest
from course.grading.trouble import in_words

from .totals import of_notebooks


class Feedback(GenerateFeedback):
    """nbgrader's GenerateFeedback for one student at a time. lessons: the notebooks that the gradebook knows; others have no grades, and no page."""

    student, lessons = Unicode(), List()

    def init_notebooks(self):
        folder = self._format_source(self.coursedir.assignment_id, self.student)
        self.assignments = {folder: sorted(str(file) for file in Path(folder).glob("*.ipynb") if file.stem in self.lessons)}


def write(config, unit, students=(), watch=lambda student, done, of: None, known=None):
    """Write feedback/ for one unit, from autograded/ and the gradebook. Returns {student: why there is no page, "" where it is written}.

    students: the only ones, or () for all who are graded; watch(student, done, of) is called after each; known: a folder in which is kept what
    the pages show: who has pages already that show all this is in no dictionary. Without it everything is written anew.
    Raises GradeError where the gradebook knows no such unit, nobody is graded, one of `students` is not, or the gradebook or the disk fails.
    """
    config = config.copy()
    config.CourseDirectory.assignment_id, config.GenerateFeedback.force = unit, True
    log = Notes()
    course = CourseDirectory(config=config, log=log)
    with gradebook.opened(course.db_url, course.course_id) as book:
        try:
            lessons = [notebook.name for notebook in book.find_assignment(unit).notebooks]
        except MissingEntry:
            raise GradeError(f"the gradebook knows no unit {unit!r}") from None
        graded = find_students(course, unit, course.autograded_directory).students
        unknown = [student for student in students if student not in graded]
        if unknown or not graded:
            raise GradeError(_nobody(unknown, unit))
        pages, found = known and Pages(course, unit, lessons, book, known), {}
        for done, student in enumerate(wanted := [*dict.fromkeys(students or graded)], 1):
            if not pages or not pages.show_all(student):
                found[student] = _written(Feedback(coursedir=course, config=config, log=log), student, lessons)
                if pages and not found[student]:
                    pages.note(student)
            watch(student, done, len(wanted))
        return found


def _nobody(unknown, unit):
    who = f"not graded in {unit!r} yet: {', '.join(map(shown, unknown))}" if unknown else f"nobody has been graded in {unit!r} yet"
    return f"{who}. Run first: course grade {unit}"


def _written(feedback, student, lessons):
    """Write one student's pages. Returns why there are none, or "". Raises GradeError for what is nobody's work's fault."""
    feedback.student, feedback.lessons = student, lessons
    feedback.coursedir.student_id = student  # for an instructor's hooks
    try:
        feedback.start()
    except Exception as error:  # over one student's work: all others get their pages
        stacks = [text for text in feedback.log.taken if text.startswith("Traceback")]
        why = stacks[-1].strip().splitlines()[-1] if stacks else f"{error}" if isinstance(error, NbGraderException) else f"{type(error).__name__}: {error}"
        if words := in_words(error) or in_words(OSError(why)):
            raise GradeError(words) from None
        return why
    finally:
        feedback.log.take()
    return ""


class Pages:
    """What the pages of a unit show, kept in a folder: the notebooks in autograded/, the grades, the comments, the penalties for being late."""

    def __init__(self, course, unit, lessons, book, folder):
        self.course, self.unit, self.lessons, self.journal = course, unit, lessons, Journal(folder)
        self.grades = _by_student(book.db, unit, Grade, Grade.auto_score, Grade.manual_score, Grade.extra_credit)
        self.comments = _by_student(book.db, unit, Comment, Comment.auto_comment, Comment.manual_comment)
        late = book.db.query(SubmittedAssignment.student_id, Notebook.name, SubmittedNotebook.late_submission_penalty).select_from(SubmittedNotebook)
        self.late = _grouped(of_notebooks(late, unit))
        book.db.remove()

    def show_all(self, student):
        """Are a student's pages there, and do they show what is known now?"""
        folder = Path(self.course.format_path(self.course.feedback_directory, student, self.unit))
        there = all((folder / f"{notebook.stem}.html").is_file() for notebook in self._notebooks(student))
        return there and self.journal.find(digest(student)) == self._digest(student)

    def note(self, student):
        """They do now."""
        self.journal.keep(digest(student), self._digest(student))

    def _notebooks(self, student):
        folder = Path(self.course.format_path(self.course.autograded_directory, student, self.unit))
        return [folder / f"{lesson}.ipynb" for lesson in self.lessons if (folder / f"{lesson}.ipynb").is_file()]

    def _digest(self, student):
        notebooks = {notebook.stem: hashlib.sha256(notebook.read_bytes()).hexdigest() for notebook in self._notebooks(student)}
        return digest(notebooks, *(each.get(student, []) for each in (self.grades, self.comments, self.late)))


def _by_student(db, unit, kind, *columns):
    """{student: [[lesson, cell, what is in the columns]]} of what there is one of for a cell."""
    rows = db.query(SubmittedAssignment.student_id, Notebook.name, BaseCell.name, *columns).select_from(kind)
    rows = rows.join(BaseCell, BaseCell.id == kind.cell_id).join(SubmittedNotebook, SubmittedNotebook.id == kind.notebook_id)
    return _grouped(of_notebooks(rows, unit))


def _grouped(rows):
    found = {}
    for student, *row in sorted(map(tuple, rows), key=lambda row: row[:3]):
        found.setdefault(student, []).append(row)
    return found
