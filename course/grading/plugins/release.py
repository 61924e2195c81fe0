"""The last step of a release, and the guard over what learners have changed."""

import sqlite3
from pathlib import Path

from nbgrader import utils
from nbgrader.converters import NbGraderException
from nbgrader.preprocessors import NbGraderPreprocessor
from sqlalchemy.exc import SQLAlchemyError

from course.grading import backups, gradebook
from course.grading.drift import compare
from course.grading.trouble import of_an_error

from .changed import digest, keeping

GOES_ON = "raises-exception"


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
        if utils.is_grade(cell):  # so that Run All goes on past a check that fails
            cell.metadata["tags"] = sorted({*cell.metadata.get("tags", []), GOES_ON})


def _guard(converter):
    convert = type(converter).convert_notebooks

    def convert_and_keep():
        folders = [Path(folder) for folder in converter.assignments]
        if not converter.no_database:
            _look_first(converter, folders)
        _convert_keeping(converter, convert, folders)

    converter.convert_notebooks = convert_and_keep


def _look_first(converter, sources):
    """Refuse what nbgrader would refuse half-way, and keep a copy of the gradebook before it is written to. Raises NbGraderException."""
    course = converter.coursedir
    file = backups.file_of(course.db_url)
    if file and not file.exists():
        return
    try:
        gradebook.look_at(course.db_url)
        found = [compare(course.db_url, source.name, source) for source in sources]
        backups.keep(course.db_url)
    except (OSError, SQLAlchemyError, sqlite3.Error) as error:
        words = of_an_error(error, course.db_url)
    else:
        words = next((drift.in_words() for drift in found if drift.is_refused), "")
    if words:
        converter.log.error("Nothing was released or changed: %s", words)
        raise NbGraderException(words)


def _convert_keeping(converter, convert, sources):
    """Convert with the release folders of all these sources under guard."""
    if not sources:
        convert(converter)
        return
    source = sources[0]
    release = Path(converter._format_dest(source.name, ".")).resolve()
    with keeping(release, source, converter.log.warning):
        _convert_keeping(converter, convert, sources[1:])
