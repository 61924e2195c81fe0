"""A lesson as it was released: the gradebook knows the cells with marks, the released notebook the texts between them and the title."""

import functools
import os

import nbformat
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory


def of(db_url, config, unit, lesson):
    """(title, masters) of a lesson; `lost` says what a master is. Without the released notebook: no title, and the cells with marks alone."""
    with Gradebook(db_url) as gradebook:
        cells = gradebook.find_notebook(lesson, unit).source_cells
        known = {cell.name: {"name": cell.name, "type": cell.cell_type, "source": cell.source, "locked": cell.locked} for cell in cells}
    course = CourseDirectory(config=config)
    file = os.path.join(course.format_path(course.release_directory, ".", unit), f"{lesson}.ipynb")
    title, released = _released(file, os.stat(file).st_mtime_ns) if os.path.exists(file) else ("", ())
    order = [known.get(name) or {"name": None, "type": kind, "source": source, "locked": True} for name, kind, source in released]
    return title, order if {master["name"] for master in order} >= set(known) else [*known.values()]


@functools.lru_cache(maxsize=64)
def _released(file, _changed):
    """(title, the (grade id or None, type, source) of each cell) of a released notebook; nothing where it cannot be read: the instructor may be at work on it."""
    try:
        notebook = nbformat.read(file, as_version=4)
        title = notebook.metadata.get("hidden_state", {}).get("title", "")
        return title, tuple((cell.metadata.get("nbgrader", {}).get("grade_id"), cell.cell_type, cell.source) for cell in notebook.cells)
    except Exception:
        return "", ()
