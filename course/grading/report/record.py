"""Pass 4: nbgrader's own Autograde writes the gradebook and autograded/, with recorded outputs in place of a kernel."""

import contextlib
import copy
import os
import shutil
import warnings
from pathlib import Path

import nbformat
from nbgrader.api import Assignment as Unit
from nbgrader.api import BaseCell, Grade, Gradebook, Notebook, SubmittedAssignment, SubmittedNotebook
from nbgrader.converters import Autograde, BaseConverter, NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import Execute, NbGraderPreprocessor
from sqlalchemy.exc import SAWarning
from traitlets import Dict, Unicode

from course.grading import gradebook, removal
from course.grading.intake import clean
from course.grading.intake.sanitise import Notes
from course.grading.plugins.cleaning import CleanNotebook

from . import reread, totals


class Replay(NbGraderPreprocessor):
    """Stands where nbgrader would run the cells: puts into each the outputs that it had in the sandbox."""

    def preprocess(self, nb, resources):
        for cell, outputs in zip(nb.cells, self.parent.parent.outputs[resources["nbgrader"]["notebook"]], strict=True):
            if cell.cell_type == "code":
                cell.outputs = [nbformat.from_dict(output) for output in outputs]
        return nb, resources


class Recorder(Autograde):
    """nbgrader's Autograde over submissions that are sanitised already and have been run elsewhere.

    outputs: {lesson: [outputs of each cell]} and zeros, {lesson: reason}, of the submission at hand.
    """

    outputs, zeros, student = Dict(), Dict(), Unicode()

    def init_notebooks(self):
        """Those of the student at hand, whatever the name: nbgrader takes it for a pattern."""
        folder = self._format_source(self.coursedir.assignment_id, self.student)
        self.assignments = {folder: sorted(str(file) for file in Path(folder).glob("*.ipynb"))}

    def init_destination(self, assignment_id, student_id):
        """What a run before has left in autograded/ is removed, also where it is too deep for nbgrader."""
        try:
            return super().init_destination(assignment_id, student_id)
        except (OSError, RecursionError):
            removal.remove(self._format_dest(assignment_id, student_id))
            return super().init_destination(assignment_id, student_id)

    def init_assignment(self, assignment_id, student_id):
        super().init_assignment(assignment_id, student_id)
        self._copy_other_notebooks(assignment_id, student_id)
        with Gradebook(self.coursedir.db_url) as gradebook:
            for lesson in self.zeros:  # as nbgrader does it for a notebook that is missing; a placeholder has not all of the cells
                for grade in gradebook.find_submission_notebook(lesson, assignment_id, student_id).grades:
                    grade.auto_score, grade.needs_manual_grade = 0, False
            gradebook.db.commit()

    def _copy_other_notebooks(self, assignment_id, student_id):
        """The student's own, which are no lessons: nbgrader copies no notebook."""
        source, target = (Path(folder(assignment_id, student_id)) / clean.NOTEBOOKS for folder in (self._format_source, self._format_dest))
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)

    def convert_single_notebook(self, notebook_filename):
        self.exporter._preprocessors = []
        for step in self.autograde_preprocessors:
            self.exporter.register_preprocessor(Replay if _names(step, Execute) else step)
        self.exporter.register_preprocessor(CleanNotebook, enabled=True)  # whatever nbgrader_config.py says
        BaseConverter.convert_single_notebook(self, notebook_filename)


def _names(step, kind):
    return step is kind or (isinstance(step, str) and step.rsplit(".", 1)[-1] == kind.__name__)


class Book:
    """The gradebook and autograded/ of one unit: what has been recorded, and the single writer of more."""

    def __init__(self, config, unit, folder):
        """folder: where submissions are laid out for nbgrader to read; whatever is in there is put aside."""
        self.unit, self.stage = unit, Path(folder)
        removal.put_aside(self.stage)
        root = Path(config.CourseDirectory.root)
        own = copy.deepcopy(config)
        own.CourseDirectory.submitted_directory, own.CourseDirectory.assignment_id = os.path.relpath(self.stage, root), unit
        own.Autograde.force, own.Exporter.optimistic_validation = True, True  # the notebook is validated once, after all steps
        self.log = Notes()
        self.course = CourseDirectory(config=own, log=self.log)
        self.recorder = Recorder(coursedir=self.course, config=own, log=self.log)

    def record(self, student, notebooks, outputs, zeros, files):
        """Write one student's grades and notebooks, all of them or none. Raises NbGraderException.

        notebooks, outputs, zeros: by lesson: the sanitised notebook, the outputs of its cells, and why it gets no points where it gets none.
        """
        folder = Path(self.course.format_path(self.course.submitted_directory, student, self.unit))
        read = reread.texts(self.gradebook, self.unit, student, self._autograded(student))
        try:
            self._lay_out(folder, notebooks, files)
            self.recorder.outputs, self.recorder.zeros = outputs, zeros
            with self.one_transaction(student), warnings.catch_warnings():
                warnings.simplefilter("ignore", SAWarning)  # on how nbgrader makes a submission
                self._convert(student)
                if read:
                    reread.keep(self.gradebook, self.unit, student, read, self._autograded(student))
        finally:
            removal.put_aside(self.stage)

    def _lay_out(self, folder, notebooks, files):
        for place, data in clean.files(files).items():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / place).write_bytes(data)
        folder.mkdir(parents=True, exist_ok=True)
        for lesson, notebook in notebooks.items():
            (folder / f"{lesson}.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")

    def _convert(self, student):
        self.recorder.student = self.course.student_id = student  # the second for an instructor's hooks; spaces around it are lost there
        try:
            self.recorder.start()
        except NbGraderException as error:
            raise NbGraderException(self._last_line() or str(error)) from None
        finally:
            self.log.take()

    def _last_line(self):
        """What nbgrader's log gives as the cause: the last line of a stack."""
        stacks = [text for text in self.log.taken if text.startswith("Traceback")]
        return stacks[-1].strip().splitlines()[-1] if stacks else ""

    @contextlib.contextmanager
    def opened(self):
        """While inside, all of nbgrader shares one open gradebook."""
        with gradebook.opened(self.course.db_url, self.course.course_id) as self.gradebook:
            yield

    @contextlib.contextmanager
    def one_transaction(self, student):
        """While inside, a commit of nbgrader's is written with all the others at the end, or none of them if an error comes. Nobody else grades this student then."""
        session, engine = self.gradebook.db, self.gradebook.engine
        session.remove()
        with engine.begin() as connection:
            gradebook.take_turn(connection, student)
            session.configure(bind=connection, join_transaction_mode="rollback_only")
            try:
                yield
            finally:
                session.remove()
                session.configure(bind=engine, join_transaction_mode="conditional_savepoint")

    def totals(self):
        """{student: totals.Total} of everybody in the gradebook: what a table, a file or a page says of points comes from here."""
        return totals.of_unit(self.gradebook, self.unit)

    def by_hand(self):
        """{lesson: {grade_id: its text as released}} of the cells that somebody has to read."""
        found = {}
        for notebook in self.gradebook.find_assignment(self.unit).notebooks:
            hand = {cell.name for cell in notebook.solution_cells} & {cell.name for cell in notebook.grade_cells} | {cell.name for cell in notebook.task_cells}
            found[notebook.name] = {cell.name: cell.source for cell in notebook.source_cells if cell.name in hand}
        self.gradebook.db.remove()
        return found

    def grades(self):
        """{student: {lesson: {grade_id: (score by machine, score, points)}}} of everybody who is in the gradebook."""
        found = {}
        for student, lesson, cell, *scores in self._rows():
            found.setdefault(student, {}).setdefault(lesson, {})[cell] = tuple(scores)
        self.gradebook.db.remove()
        return found

    def grades_of(self, student):
        """The same of one student."""
        found = {}
        for _, lesson, cell, *scores in self._rows().filter(SubmittedAssignment.student_id == student):
            found.setdefault(lesson, {})[cell] = tuple(scores)
        self.gradebook.db.remove()
        return found

    def _rows(self):
        return (
            self.gradebook.db.query(SubmittedAssignment.student_id, Notebook.name, BaseCell.name, Grade.auto_score, Grade.score, Grade.max_score)
            .select_from(Grade)
            .join(BaseCell, BaseCell.id == Grade.cell_id)
            .join(SubmittedNotebook, SubmittedNotebook.id == Grade.notebook_id)
            .join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
            .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
            .join(Unit, Unit.id == SubmittedAssignment.assignment_id)
            .filter(Unit.name == self.unit)
        )

    def has_notebooks(self, student, lessons):
        """Are these notebooks of a student in autograded/?"""
        return all(os.path.isfile(os.path.join(self._autograded(student), f"{lesson}.ipynb")) for lesson in lessons)

    def _autograded(self, student):
        return self.course.format_path(self.course.autograded_directory, student, self.unit)

    def extensions(self):
        """{student: more time, as text} of those who have it."""
        rows = self.gradebook.db.query(SubmittedAssignment.student_id, SubmittedAssignment.extension).join(Unit, Unit.id == SubmittedAssignment.assignment_id)
        found = {student: str(more) for student, more in rows.filter(Unit.name == self.unit) if more}
        self.gradebook.db.remove()
        return found

    def due(self):
        """When the unit is due, as text: late penalties depend on it."""
        duedate = str(self.gradebook.find_assignment(self.unit).duedate)
        self.gradebook.db.remove()
        return duedate
