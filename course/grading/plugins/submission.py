"""The first steps of grading: nbgrader's marks and cells in a submission are put back to what was released."""

import os

from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor, OverwriteCells


class TidySubmission(NbGraderPreprocessor):
    """The first step of grading: nbgrader's marks on a submitted notebook are put back to what the gradebook says.

    A copied cell keeps its code but loses its mark; the last copy counts, as in nbgrader's DeduplicateIds, whose
    empty mark stops the whole class (nbgrader#1083). Tags go, because `skip-execution` on a check cell would
    give full marks to a cell that never ran. The kernel is told whose work this is.
    """

    def preprocess(self, nb, resources):
        os.environ["HIDDEN_STATE_STUDENT"] = resources["nbgrader"]["student"]  # the kernel inherits it: some questions differ by student
        marks, seen = _marks_of(resources), set()
        for cell in reversed(nb.cells):
            for key in ("tags", "execution"):
                cell.metadata.pop(key, None)
            if "nbgrader" in cell.metadata:
                self._put_right(cell, marks, seen)
        return nb, resources

    def _put_right(self, cell, marks, seen):
        grade_id = _grade_id(cell)
        if grade_id in marks and grade_id not in seen:
            seen.add(grade_id)
            cell.metadata["nbgrader"] = marks[grade_id]
            cell.pop("attachments", None)
            return
        self.log.warning("%s cell '%s': its mark is taken away, its code stays", "A second" if grade_id in seen else "An unknown", grade_id)
        del cell.metadata["nbgrader"]


class RestoreCells(OverwriteCells):
    """nbgrader's OverwriteCells, whose add_missing_cells also works where the cell before is missing too.

    A missing cell comes back just before the next cell of the lesson that is still there, or at the end: whatever
    the student wrote in between has been run by then, even where it lost its mark.
    """

    def add_missing_grade_cells(self, nb, resources):
        lesson = self.gradebook.find_notebook(self.notebook_id, self.assignment_id)
        marks, order = _marks(lesson), list(lesson.source_cells)
        for number, source in reversed(list(enumerate(order))):
            places = {_grade_id(cell): place for place, cell in enumerate(nb.cells)}
            if source.name in places or not source.locked:
                continue
            self.log.warning("Cell '%s' is missing from the submission: it is added again", source.name)
            later = [places[cell.name] for cell in order[number + 1 :] if cell.name in places]
            nb.cells.insert(min(later, default=len(nb.cells)), self._missing_cell(source, marks[source.name]))
        return nb, resources

    def _missing_cell(self, source, mark):
        note = self.missing_cell_notification.format(cell_id=source.name)
        metadata = {"nbgrader": mark, "deletable": False, "editable": False}
        if source.cell_type == "code":
            return new_code_cell(f"# {note}{source.source}", metadata=metadata)
        return new_markdown_cell(note + source.source, metadata=metadata)


def _marks_of(resources):
    about = resources["nbgrader"]
    with Gradebook(about["db_url"]) as gradebook:
        return _marks(gradebook.find_notebook(about["notebook"], about["assignment"]))


def _marks(lesson):
    """{grade_id: nbgrader's metadata} of a lesson, as the gradebook has it."""
    points = {cell.name: cell.max_score for cell in [*lesson.grade_cells, *lesson.task_cells]}
    graded, solutions, tasks = ({cell.name for cell in cells} for cells in (lesson.grade_cells, lesson.solution_cells, lesson.task_cells))
    return {
        cell.name: {
            "grade": cell.name in graded,
            "solution": cell.name in solutions,
            "task": cell.name in tasks,
            "grade_id": cell.name,
            "locked": cell.locked,
            "cell_type": cell.cell_type,
            "checksum": cell.checksum,
            "schema_version": 3,
            **({"points": points[cell.name]} if cell.name in points else {}),
        }
        for cell in lesson.source_cells
    }


def _grade_id(cell):
    mark = cell.metadata.get("nbgrader")
    return mark.get("grade_id") if isinstance(mark, dict) else None
