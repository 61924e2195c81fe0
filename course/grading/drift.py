"""Where the gradebook and solutions/ differ: points that were changed, and cells or lessons that came or went, since the unit was released."""

from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbgrader import utils
from nbgrader.api import Gradebook, MissingEntry

NAMED = 5
"""Differences that are named one by one."""


@dataclass
class Drift:
    """points, parts: sentences on what differs. Parts cannot be changed any more where submitted is true: nbgrader refuses it, and rightly so."""

    unit: str
    points: list = field(default_factory=list)
    parts: list = field(default_factory=list)
    submitted: bool = False

    @property
    def is_refused(self):
        return bool(self.parts) and self.submitted

    def in_words(self):
        """What differs, and what to run."""
        found = [*self.parts, *self.points]
        more = f"; and {len(found) - NAMED} more" if len(found) > NAMED else ""
        return f"{'; '.join(found[:NAMED])}{more}. {self._remedy()}"

    def _remedy(self):
        if not self.is_refused:
            return f"To grade by solutions/, run: nbgrader generate_assignment {self.unit} --force, and then: course grade {self.unit}"
        return (
            f"Work is handed in for {self.unit}, so its cells stay as they were released. Give the new version a name of its own: "
            f"cp -r solutions/{self.unit} solutions/{self.unit}_2, take the change out of solutions/{self.unit}, run `make notebooks`, "
            f"and release the new one: nbgrader generate_assignment {self.unit}_2"
        )


def remarks(course, unit):
    """[what to tell of the differences of a unit], for `course grade`. course: nbgrader's CourseDirectory."""
    source = Path(course.format_path(course.source_directory, ".", unit))
    try:
        found = compare(course.db_url, unit, source)
    except (OSError, ValueError, KeyError, AttributeError) as error:  # a source that cannot be read stops no grading
        return [f"whether solutions/{unit} is as the gradebook has it cannot be told: {type(error).__name__}: {error}"]
    return [f"Graded as the gradebook has it, and solutions/{unit} differs: {found.in_words()}"] if found.points or found.parts else []


def compare(db_url, unit, source):
    """The Drift between a unit's notebooks in a folder and the gradebook. None at all where the folder or the gradebook does not have the unit."""
    drift, written = Drift(unit), {file.stem: _written(file) for file in sorted(source.glob("*.ipynb"))}
    with Gradebook(db_url) as gradebook:
        try:
            assignment = gradebook.find_assignment(unit)
        except MissingEntry:
            return drift
        known = {notebook.name: _known(notebook) for notebook in assignment.notebooks}
        drift.submitted = bool(assignment.submissions)
    if not written or not known:
        return drift
    drift.parts += [f"the lesson {lesson} is new" for lesson in written if lesson not in known]
    drift.parts += [f"the lesson {lesson} is gone" for lesson in known if lesson not in written]
    for lesson in (lesson for lesson in written if lesson in known):
        _compare_cells(drift, lesson, written[lesson], known[lesson])
    return drift


def _compare_cells(drift, lesson, written, known):
    drift.parts += [f"the cell {cell} of {lesson} is new" for cell in written if cell not in known]
    drift.parts += [f"the cell {cell} of {lesson} is gone" for cell in known if cell not in written]
    for cell in (cell for cell in written if cell in known):
        (kind, now), (was, before) = written[cell], known[cell]
        if kind != was:
            drift.parts.append(f"the cell {cell} of {lesson} is of another kind: {kind or 'not graded'}, and {was or 'not graded'} in the gradebook")
        elif now != before:
            drift.points.append(f"{cell} of {lesson} is worth {now:g}, and {before:g} in the gradebook")


def _written(file):
    """{grade_id: (kind, points)} of the cells of a notebook that nbgrader keeps."""
    found = {}
    for cell in nbformat.read(file, as_version=4).cells:
        kinds = {"graded": utils.is_grade(cell), "solution": utils.is_solution(cell), "task": utils.is_task(cell)}
        if any(kinds.values()) or utils.is_locked(cell):
            mark = cell.metadata.nbgrader
            points = float(mark.get("points", 0)) if kinds["graded"] or kinds["task"] else 0.0
            found[mark.grade_id] = " and ".join(kind for kind, yes in kinds.items() if yes), points
    return found


def _known(notebook):
    """The same of a notebook in the gradebook."""
    points = {cell.name: cell.max_score for cell in [*notebook.grade_cells, *notebook.task_cells]}
    kinds = {"graded": notebook.grade_cells, "solution": notebook.solution_cells, "task": notebook.task_cells}
    names = {kind: {cell.name for cell in cells} for kind, cells in kinds.items()}
    return {cell.name: (" and ".join(kind for kind in kinds if cell.name in names[kind]), points.get(cell.name, 0.0)) for cell in notebook.source_cells}
