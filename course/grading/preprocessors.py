"""Our own steps in nbgrader's chains. nbgrader_config.py says where each stands."""

import os
import re
from pathlib import Path

from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.preprocessors import ClearHiddenTests, NbGraderPreprocessor, OverwriteCells
from traitlets import List, Unicode

from .keep import digest, keeping

GOES_ON = "raises-exception"
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class FinishRelease(NbGraderPreprocessor):
    """The last step of a release: nothing but text in the notebook, and a stamp to tell later whether it was changed.

    It also sees to it that the release takes nothing from the learner. nbgrader empties the release folder
    before its first hook, but after it has made its preprocessors: so that is when the folder is put under guard.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        converter = getattr(self.parent, "parent", None)
        if converter is not None:
            _guard(converter)

    def preprocess(self, nb, resources):
        nb.metadata.pop("widgets", None)
        for cell in nb.cells:
            self._finish(cell)
        about = nb.metadata.setdefault("hidden_state", {})
        about.pop("built", None)
        about["release"] = digest(nb.cells)
        return nb, resources

    def _finish(self, cell):
        if cell.cell_type != "code":
            return
        cell.outputs, cell.execution_count = [], None
        if utils.is_grade(cell):    # so that Run All goes on past a check that fails
            cell.metadata["tags"] = sorted({*cell.metadata.get("tags", []), GOES_ON})


def _guard(converter):
    convert = type(converter).convert_notebooks

    def convert_and_keep():
        folders = [Path(folder) for folder in converter.assignments]
        _convert_keeping(converter, convert, folders)

    converter.convert_notebooks = convert_and_keep


def _convert_keeping(converter, convert, sources):
    """Convert with the release folders of all these sources under guard."""
    if not sources:
        convert(converter)
        return
    source = sources[0]
    release = Path(converter._format_dest(source.name, ".")).resolve()
    with keeping(release, source, converter.log.warning):
        _convert_keeping(converter, convert, sources[1:])


class TidySubmission(NbGraderPreprocessor):
    """The first step of grading: nbgrader's marks on a submitted notebook are put back to what the gradebook says.

    A copied cell keeps its code but loses its mark; the last copy counts, as in nbgrader's DeduplicateIds, whose
    empty mark stops the whole class (nbgrader#1083). Tags go, because `skip-execution` on a check cell would
    give full marks to a cell that never ran. The kernel is told whose work this is.
    """

    def preprocess(self, nb, resources):
        os.environ["HIDDEN_STATE_STUDENT"] = resources["nbgrader"]["student"]     # the kernel inherits it: some questions differ by student
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
            later = [places[cell.name] for cell in order[number + 1:] if cell.name in places]
            nb.cells.insert(min(later, default=len(nb.cells)), self._missing_cell(source, marks[source.name]))
        return nb, resources

    def _missing_cell(self, source, mark):
        note = self.missing_cell_notification.format(cell_id=source.name)
        metadata = {"nbgrader": mark, "deletable": False, "editable": False}
        if source.cell_type == "code":
            return new_code_cell(f"# {note}{source.source}", metadata=metadata)
        return new_markdown_cell(note + source.source, metadata=metadata)


class HideTests(ClearHiddenTests):
    """For feedback: no hidden test in the cells, and none in the excerpts of code that a traceback shows."""

    # nbgrader's base class hides this from the configuration, and nbconvert then warns that it is unknown.
    display_data_priority = List(Unicode()).tag(config=True)

    def preprocess_cell(self, cell, resources, cell_index):
        hidden = self._hidden_lines(cell.source)
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        for output in cell.get("outputs", []):
            if hidden and output.output_type == "error":
                output.traceback = [_without(hidden, part) for part in output.traceback]
        return cell, resources

    def _hidden_lines(self, source):
        begin, end = re.escape(self.begin_test_delimeter), re.escape(self.end_test_delimeter)
        regions = re.findall(rf"^.*{begin}.*$[\s\S]*?^.*{end}.*$", source, flags=re.MULTILINE)
        return [line.strip() for region in regions for line in region.splitlines() if line.strip()]


def _without(hidden, text):
    lines = text.split("\n")
    return "\n".join(line for line in lines if not any(part in ANSI.sub("", line) for part in hidden))


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
            "grade": cell.name in graded, "solution": cell.name in solutions, "task": cell.name in tasks,
            "grade_id": cell.name, "locked": cell.locked, "cell_type": cell.cell_type,
            "checksum": cell.checksum, "schema_version": 3,
            **({"points": points[cell.name]} if cell.name in points else {}),
        }
        for cell in lesson.source_cells
    }


def _grade_id(cell):
    mark = cell.metadata.get("nbgrader")
    return mark.get("grade_id") if isinstance(mark, dict) else None
