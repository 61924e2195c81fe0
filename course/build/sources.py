"""The lessons' Markdown sources, read and checked before anything is made of them."""

import json
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat

from course.grading.plugins.changed import is_untouched

ROOT = Path(__file__).resolve().parents[2]
UNIT_PAGE = "00_start"


class BuildError(Exception):
    """A source that cannot be built. The message names the file, the cell and the remedy."""


@dataclass
class Lesson:
    """One lesson: its source, and what the source holds before any cell has run."""

    source: Path
    notebook: nbformat.NotebookNode

    @property
    def name(self):
        return self.source.stem

    @property
    def unit(self):
        return self.source.parent.name

    @property
    def is_page(self):
        """Is it the page at the start of its unit, and no lesson?"""
        return self.name == UNIT_PAGE

    @property
    def twin(self):
        return self.source.with_suffix(".ipynb")


def read_lessons(root):
    """All lessons under root/solutions, in the order of their numbers, each unit's page before them."""
    sources = sorted(root.glob("solutions/*/*.md"), key=lambda path: (path.name, path))
    if not sources:
        raise BuildError(f"{root / 'solutions'} holds no lesson: sources are solutions/<unit>/<lesson>.md")
    return [Lesson(source, _parsed(source)) for source in sources]


def units(lessons):
    """The units in the order of their first lessons."""
    return list(dict.fromkeys(lesson.unit for lesson in lessons if not lesson.is_page))


def _parsed(source):
    notebook = jupytext.read(source, fmt="md:myst")
    about = notebook.metadata.get("hidden_state", {})
    if not about.get("title") or not isinstance(about.get("minutes"), int):
        raise BuildError(f"{source}: its header needs hidden_state with a title and minutes, a whole number")
    notebook.metadata.pop("jupytext", None)
    for number, cell in enumerate(notebook.cells, 1):
        cell.id = cell.metadata.get("nbgrader", {}).get("grade_id") or f"{source.stem}-{number:02d}"
    repeated = {cell.id for cell in notebook.cells if sum(other.id == cell.id for other in notebook.cells) > 1}
    if repeated:
        raise BuildError(f"{source}: more than one cell has the grade_id {', '.join(sorted(repeated))}")
    return notebook


def refuse_strays(root, lessons):
    """A notebook without a source, or one edited by hand, would be released or overwritten without a word."""
    twins = {lesson.twin for lesson in lessons}
    for notebook in sorted(root.glob("solutions/*/*.ipynb")):
        if notebook not in twins:
            raise BuildError(f"{notebook} has no source {notebook.with_suffix('.md').name} beside it. Delete it, or write its source")
        if not is_untouched(notebook, "built"):
            raise BuildError(f"{notebook} was changed by hand. Move the change into {notebook.with_suffix('.md').name}, delete the notebook, and build again")


def text_of(file):
    """The text of a file."""
    return file.read_text(encoding="utf-8")


def as_json(value):
    """A value as the text of a JSON file that people can read."""
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def write(file, text):
    """Write a file, whole or not at all, but only if its text changes. Returns whether it did."""
    if file.exists() and text_of(file) == text:
        return False
    new = file.with_name(f".{file.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)
    return True
