"""Right work as Colab, VS Code, Kaggle, Deepnote, CoCalc, DataSpell, marimo, JupyterLab 3 and nbformat 3 save it: all points, a feedback page, Formgrader's page.

The lesson of the pipeline has checks and questions; the one of training a text that is read by hand, here in other states too.
"""

import base64
import json
import os
import shutil
import sys

import nbformat
import pytest
from browser import running_lab, status
from nbgrader.api import Gradebook
from saved_by import TOOLS
from small_class import CELL, answers, copy_of
from support import ROOT, grade_id, nbgrader, read, run, source

from course.grading.intake import lost, normal
from course.grading.intake.reader import nbgraders_settings
from course.grading.report import feedback

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox runs on Linux")
PIPELINE, TRAINING, QUIZ, TEXT = "pipeline", "training", "09_model_quiz", "key_insight"
WRITTEN = "A hidden state is all that the network knows of the past."
STATES = {}
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()


def answered(root, unit, lesson):
    """A released notebook with the answers of its twin, and a text where one is asked for."""
    notebook, solved = read(root / "notebooks" / unit / f"{lesson}.ipynb"), answers(lesson)
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            cell["source"] = WRITTEN if grade_id(cell) == TEXT else solved[grade_id(cell)]
    return notebook


def state(text="", words="", note=""):
    """Decorates what is done to the lesson with a text. text: what whoever grades must find in it; words: on the page; note: what is noted."""

    def decorate(change):
        STATES[change.__name__] = change, text, words, note
        return change

    return decorate


def _text_cell(notebook):
    return next(cell for cell in notebook["cells"] if grade_id(cell) == TEXT)


@state(WRITTEN + "\n\n![net](attachment:net.png)", words="data:image/png;base64," + PNG)
def picture(notebook):
    _text_cell(notebook).update(source=WRITTEN + "\n\n![net](attachment:net.png)", attachments={"net.png": {"image/png": PNG}})


@state(WRITTEN + "\n\n![net](attachment:my%20net.png)", words="data:image/png;base64," + PNG)
def picture_with_a_space_in_its_name(notebook):
    _text_cell(notebook).update(source=WRITTEN + "\n\n![net](attachment:my%20net.png)", attachments={"my net.png": {"image/png": PNG}})


@state(WRITTEN, words="The picture net.png was not saved in this notebook.", note="a picture that was not saved in the notebook: net.png")
def picture_that_is_not_there(notebook):
    _text_cell(notebook)["source"] = WRITTEN + '\n\n![net](attachment:net.png)\n\n<img src="attachment:two.png" width="10">'


@state(WRITTEN, note="had lost its mark")
def text_without_its_mark(notebook):
    _text_cell(notebook).update(id="other", metadata={})


@state(WRITTEN, note="had lost its mark")
def text_written_in_a_new_cell(notebook):
    cells = notebook["cells"]
    cells[cells.index(_text_cell(notebook))] = {"cell_type": "markdown", "id": "other", "metadata": {}, "source": WRITTEN}
    cells.insert(2, {"cell_type": "markdown", "id": "longer", "metadata": {}, "source": "A remark on the goal, and a long one at that. " * 5})


@state("YOUR ANSWER HERE", note="it is added again, empty")
def text_deleted(notebook):
    notebook["cells"].remove(_text_cell(notebook))


@state("YOUR ANSWER HERE", note="it is added again, empty")
def text_deleted_with_its_heading(notebook):
    place = notebook["cells"].index(_text_cell(notebook))
    del notebook["cells"][place - 1 : place + 2]


@state("YOUR ANSWER HERE")
def text_not_written_but_spaced(notebook):
    _text_cell(notebook)["source"] = "\nYOUR ANSWER HERE \n"


@state(WRITTEN, note="a cell without metadata")
def keys_missing(notebook):
    for cell in notebook["cells"]:
        for name in ("id", "outputs", "execution_count"):
            cell.pop(name, None)
        if not cell["metadata"].get("nbgrader"):
            del cell["metadata"]


@pytest.fixture(scope="module")
def course(start, tmp_path_factory):
    """(the course, {unit: what `course grade` says as JSON}), graded, with feedback"""
    root = copy_of(start, tmp_path_factory.mktemp("tools") / "course", [])
    shutil.copytree(ROOT / "solutions" / TRAINING, root / "solutions" / TRAINING, ignore=lambda _, names: [name for name in names if not name.startswith(QUIZ)])
    nbgrader(root, "generate_assignment", TRAINING)
    cell, quiz = answered(root, PIPELINE, CELL), answered(root, TRAINING, QUIZ)
    for name, saved in TOOLS.items():
        _hand_in(root, name, PIPELINE, CELL, saved(cell))
        _hand_in(root, name, TRAINING, QUIZ, saved(quiz))
    for name, (change, *_) in STATES.items():
        notebook = json.loads(json.dumps(quiz))
        change(notebook)
        _hand_in(root, name, TRAINING, QUIZ, notebook)
    _hand_in(root, "plain", TRAINING, QUIZ, quiz)
    said = {}
    for unit in (PIPELINE, TRAINING):
        done = run("course", "grade", unit, "--json", f"{unit}.json", cwd=root)
        assert done.returncode == 0, (done.stdout, done.stderr)
        said[unit] = read(root / f"{unit}.json")
    before = os.getcwd()
    os.chdir(root)
    try:
        for unit in said:
            assert not any(feedback.write(nbgraders_settings(), unit).values())
    finally:
        os.chdir(before)
    return root, said


def _hand_in(root, student, unit, lesson, notebook):
    folder = root / "submitted" / student / unit
    folder.mkdir(parents=True)
    (folder / f"{lesson}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")


def _points(said, student, lesson):
    about = said["students"][student]["lessons"][lesson]
    assert not about["reason"]
    return {cell: (each["points"], each["of"]) for cell, each in about["exercises"].items()}


@pytest.mark.parametrize("student", TOOLS)
def test_right_work_has_all_points(course, student):
    root, said = course
    found = _points(said[PIPELINE], student, CELL)
    assert found and all(points == of for points, of in found.values()), found
    found, plain = (_points(said[TRAINING], each, QUIZ) for each in (student, "plain"))
    assert found == plain and sum(points for points, _ in found.values()) == 10


@pytest.mark.parametrize("student", [*TOOLS, *STATES])
def test_the_text_can_be_marked_where_it_was_written(course, student):
    root, _ = course
    notebook = nbformat.read(root / "autograded" / student / TRAINING / f"{QUIZ}.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if grade_id(cell) == TEXT]
    assert len(cells) == 1 and cells[0].cell_type == "markdown"
    assert STATES.get(student, (0, WRITTEN))[1] in cells[0].source
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        grade = gradebook.find_grade(TEXT, QUIZ, TRAINING, student)
        assert grade.needs_manual_grade == (STATES.get(student, (0, WRITTEN))[1] != "YOUR ANSWER HERE")


@pytest.mark.parametrize("student", [*TOOLS, *STATES])
def test_nothing_that_was_written_is_gone(course, student):
    """Each line of the student's own, in whatever cell."""
    root, _ = course
    handed_in = json.dumps(read(root / "submitted" / student / TRAINING / f"{QUIZ}.ipynb"))
    kept = json.dumps([source(cell) for cell in read(root / "autograded" / student / TRAINING / f"{QUIZ}.ipynb")["cells"]])
    assert (WRITTEN in handed_in) == (WRITTEN in kept)


@pytest.mark.parametrize("student", STATES)
def test_what_was_put_right_is_noted(course, student):
    assert STATES[student][3] in " ".join(course[1][TRAINING]["students"][student]["notes"])


@pytest.mark.parametrize("student", [*TOOLS, *STATES])
def test_there_is_a_page_of_feedback(course, student):
    page = (course[0] / "feedback" / student / TRAINING / f"{QUIZ}.html").read_text(encoding="utf-8")
    assert STATES.get(student, (0, 0, ""))[2] in page
    if student in TOOLS:
        assert (course[0] / "feedback" / student / PIPELINE / f"{CELL}.html").exists()


def test_formgrader_opens_each(course):
    root, said = course
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        pages = {
            (unit, notebook.student.id, notebook.name): notebook.id
            for unit in said
            for submission in gradebook.assignment_submissions(unit)
            for notebook in submission.notebooks
        }
    with running_lab(root) as address:
        statuses = {about: status(f"{address.removesuffix('/lab')}/formgrader/submissions/{number}/") for about, number in pages.items()}
    assert len(statuses) >= 2 * len(TOOLS) + len(STATES)
    assert {about: number for about, number in statuses.items() if number != 200} == {}


# The parts


def test_a_valid_notebook_is_not_spoken_of(course):
    data = (course[0] / "submitted" / "plain" / TRAINING / f"{QUIZ}.ipynb").read_bytes()
    notebook, notes = normal.read(data)
    assert notes == [] and [cell.source for cell in notebook.cells] == [source(cell) for cell in json.loads(data)["cells"]]


ODD = [
    {"cell_type": "code"},
    {"cell_type": "code", "source": ["a", 1], "outputs": {}, "execution_count": "*", "metadata": []},
    {"cell_type": "markdown", "source": None, "metadata": {"tags": "x", "name": 5, "collapsed": "no", "scrolled": 1, "jupyter": []}, "attachments": 7},
    {"cell_type": "heading", "source": "A", "level": 2, "metadata": {}},
    {"source": "x = 1", "outputs": []},
    {"cell_type": "raw", "metadata": {"format": 3}, "source": "r", "attachments": {"a": {"image/png": [1]}, "b": {"image/png": "eA=="}}},
    "no cell",
    None,
]


@pytest.mark.parametrize("version", [{}, {"nbformat": 4}, {"nbformat": "4", "nbformat_minor": "5"}, {"nbformat": 4, "nbformat_minor": 99, "metadata": None}])
def test_what_can_be_filled_in_is(version):
    notebook, notes = normal.read(json.dumps({**version, "cells": ODD}).encode())
    nbformat.validate(notebook)
    assert len(notebook.cells) == 6 and len(notes) == 1
    assert [cell.source for cell in notebook.cells] == ["", "a1", "", "A", "x = 1", "r"]
    assert notebook.cells[5].attachments == {"b": {"image/png": "eA=="}}


@pytest.mark.parametrize("raw", [[], {}, {"cells": {}}, {"cells": None, "nbformat": 4}, {"worksheets": [1]}, {"worksheets": 5, "nbformat": 3}])
def test_where_there_is_nothing_to_begin_with(raw):
    with pytest.raises(normal.Unreadable, match="holds no list of cells"):
        normal.read(json.dumps(raw).encode())


@pytest.mark.parametrize(
    "text, names",
    [
        ("def rnn_step(x):\n    y = 1\n    return y", {"rnn_step"}),
        ("answer_1 = None\n# your answer here", {"answer_1"}),
        ("a, (b, *c) = 1, (2, 3)\nd: int = 4", {"a", "b", "c", "d"}),
        ("class Model:\n    def broken(:", {"Model"}),
        ("answer_2 = = 3\nif answer == 4:", {"answer_2"}),
        ("print(1)", set()),
    ],
)
def test_what_a_cell_defines(text, names):
    assert lost.defined(text) == names
