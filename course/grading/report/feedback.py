"""Pages for the students: nbgrader's own GenerateFeedback, for whatever a student or a folder is called.

nbgrader takes names for patterns: `[`, `]`, `*` and `?` in one of a student, a course or a file match something else, and there is no page.
"""

from pathlib import Path

from nbgrader.api import MissingEntry
from nbgrader.converters import GenerateFeedback, NbGraderException
from nbgrader.coursedir import CourseDirectory
from traitlets import List, Unicode

from course.grading import gradebook
from course.grading.intake.sanitise import Notes
from course.grading.intake.submissions import find_students, shown
from course.grading.intake.unit import GradeError


class Feedback(GenerateFeedback):
    """nbgrader's GenerateFeedback for one student at a time. lessons: the notebooks that the gradebook knows; others have no grades, and no page."""

    student, lessons = Unicode(), List()

    def init_notebooks(self):
        folder = self._format_source(self.coursedir.assignment_id, self.student)
        self.assignments = {folder: sorted(str(file) for file in Path(folder).glob("*.ipynb") if file.stem in self.lessons)}


def write(config, unit, students=(), watch=lambda student: None):
    """Write feedback/ for one unit, from autograded/ and the gradebook. Returns {student: why there is no page, or ""}.

    students: the only ones, or () for all who are graded; watch(student) is called before each. What was written before is written anew.
    Raises GradeError where the gradebook knows no such unit, nobody is graded, or one of `students` is not.
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
        return {student: _written(Feedback(coursedir=course, config=config, log=log), student, lessons, watch) for student in students or graded}


def _nobody(unknown, unit):
    who = f"not graded in {unit!r} yet: {', '.join(map(shown, unknown))}" if unknown else f"nobody has been graded in {unit!r} yet"
    return f"{who}. Run first: course grade {unit}"


def _written(feedback, student, lessons, watch):
    watch(student)
    feedback.student, feedback.lessons = student, lessons
    feedback.coursedir.student_id = student  # for an instructor's hooks
    try:
        feedback.start()
    except NbGraderException as error:
        stacks = [text for text in feedback.log.taken if text.startswith("Traceback")]
        return stacks[-1].strip().splitlines()[-1] if stacks else str(error)
    finally:
        feedback.log.take()
    return ""
