"""A small class for the tests of grading: two lessons, three students whose work nbgrader itself can grade."""

import json
import os
import re
import shutil
import subprocess

from nbgrader.api import Gradebook
from support import ROOT, grade_id, nbgrader, read, source

UNIT = "pipeline"
ZERO, CELL = "02_zero_init", "03_cell_step"
CLASS = {}


def honest(work):
    CLASS[work.__name__] = work
    return work


def course_of(root, unit, *lessons, seed="987654321012"):
    """A course of these lessons of a unit in `root`, released, with nobody in it. Returns `root`."""
    shutil.copytree(ROOT / "solutions" / unit, root / "solutions" / unit, ignore=lambda _, names: [name for name in names if not name.startswith(lessons)])
    shutil.copy(ROOT / "nbgrader_config.py", root)
    nbgrader(root, "generate_assignment", unit)
    (root / ".hidden_seed").write_text(f"{seed}\n")
    return root


def released(root, lesson):
    return read(root / "notebooks" / UNIT / f"{lesson}.ipynb")


def answers(lesson):
    """{solution cell: its source without nbgrader's marks} of a lesson of the course, of whatever unit."""
    (twin,) = (ROOT / "solutions").glob(f"*/{lesson}.ipynb")
    return {grade_id(cell): re.sub(r"^\s*### (BEGIN|END) SOLUTION\n?", "", source(cell), flags=re.MULTILINE) for cell in read(twin)["cells"]}


def right(root, lesson):
    """A released notebook with the answers of its twin."""
    notebook, solved = released(root, lesson), answers(lesson)
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            cell["source"] = solved[grade_id(cell)]
    return notebook


def changed(notebook, name, text):
    """The notebook with another answer in a solution cell."""
    next(cell for cell in notebook["cells"] if grade_id(cell) == name)["source"] = text
    return notebook


NO_TRANSPOSE = "def rnn_step(x, h, W_ih, W_hh, b_ih, b_hh):\n    return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh + b_hh)"


@honest
def perfect(root):
    return {lesson: right(root, lesson) for lesson in (ZERO, CELL)}


@honest
def blank(root):
    return {lesson: released(root, lesson) for lesson in (ZERO, CELL)}


@honest
def partly(root):
    """A known mistake, a misspelt name, a wrong letter; and a copied cell, a cell that raises, a lost check, a second lesson missing."""
    notebook = changed(right(root, CELL), "rnn_step", NO_TRANSPOSE)
    changed(notebook, "answer_1", 'answer_1 = "A"')
    changed(notebook, "answer_2", "answer_too = 1")
    notebook["cells"] = [cell for cell in notebook["cells"] if grade_id(cell) != "check_layer_step"]
    notebook["cells"].insert(3, {"cell_type": "code", "id": "mine", "metadata": {}, "source": "1 / 0", "outputs": [], "execution_count": None})
    notebook["cells"] += [dict(next(cell for cell in notebook["cells"] if grade_id(cell) == "rnn_step"), id="copy")]
    return {CELL: notebook}


def copy_of(start, target, students):
    """A copy of the course in which these students have handed in their work."""
    root = shutil.copytree(start, target, dirs_exist_ok=True)
    for work in students:
        folder = root / "submitted" / work.__name__ / UNIT
        folder.mkdir(parents=True)
        for lesson, notebook in work(root).items():
            (folder / f"{lesson}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return root


def scores(root, unit=UNIT, db_url=""):
    """{(student, lesson): {cell: (score, at most, needs a look)}} of the gradebook: of a course's own, or of the one with this address."""
    with Gradebook(db_url or f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        return {
            (submission.student_id, notebook.name): {grade.name: (grade.score, grade.max_score, grade.needs_manual_grade) for grade in notebook.grades}
            for submission in gradebook.assignment_submissions(unit)
            for notebook in submission.notebooks
        }


def ordinary(command, root):
    """Run a command in a course with an ordinary user's rights: root gives up its own for it. Returns the finished process."""
    if os.getuid() == 0:
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search", *command]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, errors="replace")
