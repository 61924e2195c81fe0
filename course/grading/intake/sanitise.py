"""Pass 1: a submitted notebook becomes one whose marks and graded cells are those of the gradebook."""

import copy
import json
import logging
import os
import re

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat.v4.convert import upgrade
from nbgrader.converters import Autograde

from .markup import in_words
from .submissions import Unreadable

VALID_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
MOST_CELLS = 1000


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
        self.db_url, self.unit, self.notes = db_url, unit, Notes()
        own = copy.deepcopy(config)
        own.Exporter.default_preprocessors = []
        chain = Autograde(config=config).sanitize_preprocessors
        self.exporter = NotebookExporter(config=own, log=self.notes)
        for step in chain:
            self.exporter.register_preprocessor(step)

    def clean(self, student, lesson, data):
        """(the sanitised notebook, sentences on what was put right). Raises Unreadable with a reason in words."""
        try:
            notebook = _read(data)
            known = {cell.id for cell in notebook.cells}
            text, _ = self.exporter.from_notebook_node(notebook, self._resources(student, lesson))
            notebook = nbformat.reads(text, as_version=4)
        except Unreadable:
            raise
        except Exception as error:  # whatever a file that somebody else wrote can do to nbformat and nbgrader
            self.notes.take()
            raise Unreadable(f"cannot be read as a notebook: {type(error).__name__}: {str(error)[:200]}") from None
        finally:
            os.environ.pop("HIDDEN_STATE_STUDENT", None)  # TidySubmission sets it for a kernel, and here is none
        for number, cell in enumerate(notebook.cells):  # restored cells have random ids, and then nothing would look unchanged
            cell.id = cell.id if cell.id in known else f"restored-{number}"
        return notebook, self.notes.take()

    def placeholder(self, student, lesson, reason):
        """A notebook that stands for one that cannot be graded: the reason, and the graded cells, which get no points."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(f"**Not graded.** {in_words(reason)}.", id="reason")])
        cleaned, _ = self.clean(student, lesson, nbformat.writes(notebook).encode())
        return cleaned

    def _resources(self, student, lesson):
        about = {"student": student, "assignment": self.unit, "notebook": lesson, "db_url": self.db_url}
        return {"unique_key": lesson, "output_files_dir": f"{lesson}_files", "nbgrader": about}


def _read(data):
    """A valid notebook of the newest format. Raises Unreadable, or anything that nbformat raises."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("is not text in UTF-8, as every notebook is") from None
    try:
        notebook = nbformat.reader.reads(_writable(text))
    except (nbformat.reader.NotJSONError, json.JSONDecodeError):
        raise Unreadable("is empty" if not text.strip() else "is not JSON: the file is damaged or cut off") from None
    except nbformat.NBFormatError as error:
        raise Unreadable(f"has another notebook format than those known here ({error}). Save it in format {nbformat.current_nbformat}") from None
    notebook = upgrade(nbformat.convert(notebook, 4))
    if len(notebook.cells) > MOST_CELLS:
        raise Unreadable(f"has more than {MOST_CELLS} cells")
    _number(notebook)
    _drop_odd_marks(notebook)
    nbformat.validate(notebook, relax_add_props=True)
    return notebook


def _writable(text):
    """The same JSON without half characters: "\\ud800" can be read, but nobody can write it down again."""
    return json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8", "replace").decode()


def _number(notebook):
    """Every cell has an id of its own, always the same one."""
    seen = set()
    for number, cell in enumerate(notebook.cells):
        mine = cell.get("id")
        if notebook.metadata.get("orig_nbformat_minor", 5) < 5 or not isinstance(mine, str) or not VALID_ID.fullmatch(mine) or mine in seen:
            mine = cell["id"] = next(name for name in (f"cell-{number}{'-' * more}" for more in range(len(seen) + 1)) if name not in seen)
        seen.add(mine)


def _drop_odd_marks(notebook):
    for cell in notebook.cells:
        mark = cell.metadata.get("nbgrader", {})
        if not isinstance(mark, dict) or not isinstance(mark.get("grade_id", ""), str):
            del cell.metadata["nbgrader"]
