"""Pass 1: a submitted notebook becomes one whose marks and graded cells are those of the gradebook."""

import copy
import logging
import os

import nbformat
from nbconvert.exporters import NotebookExporter
from nbgrader.converters import Autograde

from . import normal
from .markup import in_words
from .normal import Unreadable


class Notes(logging.Logger):
    """nbgrader's log, kept as a list of sentences: what it had to put right."""

    def __init__(self, level=logging.WARNING):
        super().__init__("nbgrader", level)
        self.taken = []

    def handle(self, record):
        self.taken.append(record.getMessage())

    def take(self):
        """What was said since the last time."""
        taken, self.taken = self.taken, []
        return taken


class Sanitiser:
    """The course's own `Autograde.sanitize_preprocessors`, made once and used for every notebook."""

    def __init__(self, config, db_url, unit):
        self.db_url, self.unit, self.notes, self.placeholders = db_url, unit, Notes(), {}
        own = copy.deepcopy(config)
        own.Exporter.default_preprocessors = []
        own.Exporter.optimistic_validation = True  # once, after all steps
        chain = Autograde(config=config).sanitize_preprocessors
        self.exporter = NotebookExporter(config=own, log=self.notes)
        for step in chain:
            self.exporter.register_preprocessor(step)

    def clean(self, student, lesson, data):
        """(the sanitised notebook, sentences on what was put right). Raises Unreadable with a reason in words."""
        try:
            notebook, notes = normal.read(data)
            known = {cell.id for cell in notebook.cells}
            text, _ = self.exporter.from_notebook_node(notebook, self._resources(student, lesson))
            notebook = nbformat.reads(text, as_version=4)
        except Unreadable:
            raise
        except MemoryError:
            self.notes.take()
            raise Unreadable("takes more memory to read than a notebook may") from None
        except Exception as error:  # whatever a file that somebody else wrote can do to nbformat and nbgrader
            self.notes.take()
            raise Unreadable(f"cannot be read as a notebook: {type(error).__name__}: {str(error)[:200]}") from None
        finally:
            os.environ.pop("HIDDEN_STATE_STUDENT", None)  # TidySubmission sets it for a kernel, and here is none
        _name_restored(notebook, known)
        return notebook, notes + self.notes.take()

    def placeholder(self, student, lesson, reason):
        """A notebook that stands for one that cannot be graded, or is not there: the reason, and the graded cells, which get no points.

        Formgrader answers with an error where an autograded notebook is missing.
        """
        if (lesson, reason) in self.placeholders:  # the same for everybody
            return self.placeholders[lesson, reason]
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(f"**Not graded.** {in_words(' '.join(reason.split()))}.", id="reason")])
        self.placeholders[lesson, reason], _ = self.clean(student, lesson, nbformat.writes(notebook).encode())
        return self.placeholders[lesson, reason]

    def _resources(self, student, lesson):
        about = {"student": student, "assignment": self.unit, "notebook": lesson, "db_url": self.db_url}
        return {"unique_key": lesson, "output_files_dir": f"{lesson}_files", "nbgrader": about}


def _name_restored(notebook, known):
    """Cells that were put back have random ids, and then nothing would look unchanged: they get names that nobody else has."""
    for number, cell in enumerate(notebook.cells):
        if cell.id not in known:
            cell.id = next(name for name in (f"restored-{number}{'-' * more}" for more in range(len(known) + 1)) if name not in known)
            known.add(cell.id)
