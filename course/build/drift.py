"""Which generated files do not fit their sources. Nothing is run: a lesson's outputs are looked at by `make test`."""

import shutil
import tempfile
from pathlib import Path

import nbformat

from course.grading.plugins.changed import is_untouched

from .registers import registers
from .release import make_release
from .sources import read_lessons, text_of, units


def drift(root):
    """The generated files under `root` that do not fit their sources, as relative paths in order. Raises BuildError for a source that cannot be built."""
    lessons = read_lessons(root)
    found = [file for file, text in registers(root, lessons).items() if not file.exists() or text_of(file) != text]
    found += [lesson.twin for lesson in lessons if not _fits(lesson)]
    with tempfile.TemporaryDirectory() as scratch:
        found += [file for unit in units(lessons) for file in _stale_releases(root, unit, Path(scratch))]
    return sorted(file.relative_to(root) for file in set(found))


def _fits(lesson):
    """Is the twin what was built, and are its cells those of the source?"""
    if not is_untouched(lesson.twin, "built"):
        return False
    twin = nbformat.read(lesson.twin, as_version=4)
    return [_written(cell) for cell in twin.cells] == [_written(cell) for cell in lesson.notebook.cells]


def _written(cell):
    """What an author writes of a cell; the rest comes from running it."""
    return cell.id, cell.cell_type, cell.source, cell.metadata.get("nbgrader"), cell.metadata.get("tags")


def _stale_releases(root, unit, scratch):
    """The files of notebooks/<unit> that the twins would be released as otherwise. Those that a learner has changed are the learner's."""
    shutil.copytree(root / "solutions" / unit, scratch / "solutions" / unit)
    make_release(scratch, unit, lambda line: None, settings=root)
    fresh = {file.name: file for file in (scratch / "notebooks" / unit).iterdir()}
    for name, file in fresh.items():
        released = root / "notebooks" / unit / name
        mine = released.exists() and name.endswith(".ipynb") and not is_untouched(released, "release")
        if not mine and not (released.exists() and released.read_bytes() == file.read_bytes()):
            yield released
