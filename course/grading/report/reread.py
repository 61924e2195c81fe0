"""A text that somebody has read, and that is handed in again as it was, has been read: nbgrader asks for it to be read again whenever it grades anew."""

from pathlib import Path

import nbformat
from nbgrader.api import BaseCell, Grade, Notebook, SubmittedAssignment, SubmittedNotebook

from .totals import of_notebooks


def texts(book, unit, student, folder):
    """{(lesson, cell): its text} of a student's texts that were read: given points by hand, and waiting for nobody. folder: the student's in autograded/."""
    rows = book.db.query(Notebook.name, BaseCell.name).select_from(Grade).join(BaseCell, BaseCell.id == Grade.cell_id)
    rows = of_notebooks(rows.join(SubmittedNotebook, SubmittedNotebook.id == Grade.notebook_id), unit).filter(SubmittedAssignment.student_id == student)
    read = [*rows.filter(Grade.manual_score.isnot(None), Grade.needs_manual_grade.is_(False))]
    book.db.remove()
    found = {lesson: _markdown(Path(folder) / f"{lesson}.ipynb") for lesson in {lesson for lesson, _ in read}}
    return {(lesson, cell): found[lesson][cell] for lesson, cell in read if cell in found[lesson]}


def keep(book, unit, student, before, folder):
    """Of these texts, those that are still the same wait for nobody."""
    now = {lesson: _markdown(Path(folder) / f"{lesson}.ipynb") for lesson in {lesson for lesson, _ in before}}
    for (lesson, cell), text in before.items():
        if now[lesson].get(cell) == text:
            book.find_grade(cell, lesson, unit, student).needs_manual_grade = False
    book.db.commit()


def _markdown(file):
    """{grade id: text} of a notebook's Markdown cells; of code, more may have changed than its source."""
    try:
        cells = nbformat.read(file, as_version=4).cells
    except (OSError, ValueError):
        return {}
    return {cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source for cell in cells if cell.cell_type == "markdown"}
