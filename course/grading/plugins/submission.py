"""The first steps of grading: nbgrader's marks and cells in a submission are put back to what was released."""

import os

from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor, OverwriteCells

from course.grading.intake import lost, master


class TidySubmission(NbGraderPreprocessor):
    """The first step of grading: nbgrader's marks on a submitted notebook are put back to what the gradebook says.

    A copied cell keeps its code but loses its mark; the last copy counts, as in nbgrader's DeduplicateIds, whose
    empty mark stops the whole class (nbgrader#1083). Tags go, because `skip-execution` on a check cell would
    give full marks to a cell that never ran. The kernel is told whose work this is.
    """

    def preprocess(self, nb, resources):
        os.environ["HIDDEN_STATE_STUDENT"] = resources["nbgrader"]["student"]  # the kernel inherits it: some questions differ by student
        (marks, released), seen = _released_of(resources), set()
        for cell in reversed(nb.cells):
            for key in ("tags", "execution"):
                cell.metadata.pop(key, None)
            if "nbgrader" in cell.metadata:
                self._put_right(cell, marks, seen)
        if set(marks) - seen:
            self._find_again(nb.cells, marks, _masters(self.config, resources))
        for cell in nb.cells:
            text = released.get(_grade_id(cell))
            if text and lost.squeezed(cell.source) == lost.squeezed(text):  # DataSpell puts an empty line above: nothing was written all the same
                cell.source = text
        return nb, resources

    def _find_again(self, cells, marks, masters):
        for grade_id, place in lost.found(cells, masters, _places(cells)).items():
            cell, mark = cells[place], marks[grade_id]
            cell.metadata["nbgrader"] = mark
            if cell.cell_type == "raw" and mark["cell_type"] == "markdown":
                cell.cell_type = "markdown"
            if mark["solution"] and mark["grade"]:
                self.log.warning("Cell '%s' had lost its mark: the text that stands in its place was taken for it", grade_id)

    def _put_right(self, cell, marks, seen):
        grade_id = _grade_id(cell)
        if grade_id in marks and grade_id not in seen:
            seen.add(grade_id)
            cell.metadata["nbgrader"] = marks[grade_id]
            if marks[grade_id]["cell_type"] == "code":  # else nbformat refuses the cell that OverwriteCells makes of it
                cell.pop("attachments", None)
            return
        self.log.warning("%s cell '%s': its mark is taken away, its code stays", "A second" if grade_id in seen else "An unknown", grade_id)
        del cell.metadata["nbgrader"]


class RestoreCells(OverwriteCells):
    """nbgrader's OverwriteCells, whose add_missing_cells also works where the cell before is missing too.

    A missing check comes back just before the next cell of the lesson that is still there, or at the end: whatever
    the student wrote in between has been run by then, even where it lost its mark. A text that is graded by hand comes back empty,
    after the cell that it followed: then whoever grades has a place for points and comments.
    """

    def add_missing_grade_cells(self, nb, resources):
        lesson = self.gradebook.find_notebook(self.notebook_id, self.assignment_id)
        marks, order = _marks(lesson), list(lesson.source_cells)
        for number, source in reversed(list(enumerate(order))):
            places = _places(nb.cells)
            if source.name in places or not (source.locked or marks[source.name]["grade"]):
                continue
            later = min((places[cell.name] for cell in order[number + 1 :] if cell.name in places), default=len(nb.cells))
            if source.locked:
                self.log.warning("Cell '%s' is missing from the submission: it is added again", source.name)
                nb.cells.insert(later, self._missing_cell(source, marks[source.name]))
            else:
                self.log.warning("Cell '%s', which is graded by hand, is missing from the submission: it is added again, empty", source.name)
                before = self._before(source, nb.cells, places, resources)
                nb.cells.insert(later if before < 0 else before + 1, _empty_cell(source, marks[source.name]))
        return nb, resources

    def _before(self, source, cells, places, resources):
        masters = _masters(self.config, resources)
        number = next(number for number, each in enumerate(masters) if each["name"] == source.name)
        return lost.around(cells, masters, number, places)[0]

    def _missing_cell(self, source, mark):
        note = self.missing_cell_notification.format(cell_id=source.name)
        metadata = {"nbgrader": mark, "deletable": False, "editable": False}
        if source.cell_type == "code":
            return new_code_cell(f"# {note}{source.source}", metadata=metadata)
        return new_markdown_cell(note + source.source, metadata=metadata)


def _empty_cell(source, mark):
    """As it was released, letter by letter: so nbgrader sees that nothing was written."""
    make = new_code_cell if source.cell_type == "code" else new_markdown_cell
    return make(source.source, metadata={"nbgrader": mark})


def _masters(config, resources):
    about = resources["nbgrader"]
    return master.of(about["db_url"], config, about["assignment"], about["notebook"])[1]


def _released_of(resources):
    """({grade_id: nbgrader's metadata}, {grade_id: source} of what is graded by hand) of a lesson, as the gradebook has them."""
    about = resources["nbgrader"]
    with Gradebook(about["db_url"]) as gradebook:
        lesson = gradebook.find_notebook(about["notebook"], about["assignment"])
        marks = _marks(lesson)
        return marks, {cell.name: cell.source for cell in lesson.source_cells if marks[cell.name]["grade"] and marks[cell.name]["solution"]}


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


def _places(cells):
    """{grade id: place} of the cells that are marked."""
    return {grade_id: place for place, cell in enumerate(cells) if (grade_id := _grade_id(cell)) is not None}
