"""Hostile and broken submissions, each between two honest ones: nobody earns what is not theirs, nothing is lost, nothing is left behind."""

import json
import os
import site
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy
from hostile import ALL, LESSON
from nbgrader.api import Gradebook
from small_class import course_of, right
from support import ROOT, read
from waiting import Family

pytestmark = [pytest.mark.long, pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox runs on Linux")]
UNIT = "pipeline"
SEED = "314159265358"
POINTS = {"check_rnn_step": 4, "check_layer_step": 3, "quiz_1": 1, "quiz_2": 1}


def name_of(number, kind):
    """Names in the order of the class: honest work stands before and after each hostile one."""
    return f"{number:03d}_{kind}"


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The course after grading, what the command printed, its JSON, and what lay in the places where a submission could leave something."""
    root = course_of(tmp_path_factory.mktemp("hostile"), UNIT, LESSON, seed=SEED)
    _hand_in(root)
    before, family = _traces(), Family()
    command = [sys.executable, "-m", "course", "grade", UNIT, "--cell-seconds", "12", "--total-seconds", "90", "--json", "grades.json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    family.ends()
    return root, done, read(root / "grades.json"), (before, _traces())


def _hand_in(root):
    for number, (kind, each) in enumerate([("honest", None), *((kind, each) for item in ALL.items() for kind, each in (item, ("honest", None)))]):
        folder = root / "submitted" / name_of(number, kind) / UNIT
        folder.mkdir(parents=True)
        notebook = right(root, LESSON)
        if each:
            notebook = each.change(notebook, folder)
        if notebook is not None:
            (folder / f"{LESSON}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")


LEFT = ("00.py", "sitecustomize.py", "usercustomize.py", "evil.pth", "hidden-state-bomb")
"""What hostile.py writes wherever it can."""


def _traces():
    """The files of hostile work in the folders that it might reach."""
    home = Path.home()
    places = [
        home / ".ipython" / "profile_default" / "startup",
        Path("/tmp"),
        ROOT,
        ROOT / "course",
        home,
        Path(site.getusersitepackages()),
        *map(Path, site.getsitepackages()),
    ]
    return {str(place / name) for place in places for name in LEFT if (place / name).exists()}


@pytest.fixture(scope="module")
def scores(graded):
    """{student: {graded cell: score}} as the gradebook has them."""
    with Gradebook(f"sqlite:///{graded[0] / 'gradebook.db'}") as gradebook:
        return {
            each.student.id: {grade.name: grade.score for notebook in each.notebooks for grade in notebook.grades}
            for each in gradebook.assignment_submissions(UNIT)
        }


HONEST = [name_of(2 * i, "honest") for i in range(len(ALL) + 1)]
HOSTILE = [(name_of(2 * i + 1, kind), each) for i, (kind, each) in enumerate(ALL.items())]


def test_there_are_enough_of_them():
    assert len(ALL) >= 40


@pytest.mark.parametrize("student", HONEST)
def test_honest_work_between_them_has_every_point(scores, student):
    assert scores[student] == POINTS


@pytest.mark.parametrize("student, each", HOSTILE, ids=[student for student, _ in HOSTILE])
def test_hostile_work_has_what_it_earned(scores, student, each):
    assert scores[student] == {name: 0 if name in each.costs else points for name, points in POINTS.items()}


@pytest.mark.parametrize(
    "student, each", [(student, each) for student, each in HOSTILE if each.says], ids=lambda value: value if isinstance(value, str) else ""
)
def test_the_reason_is_said(graded, student, each):
    assert each.says in json.dumps(graded[2]["students"][student])


def test_the_terminal_is_not_repainted(graded):
    assert "\x1b" not in graded[1].stdout + json.dumps(graded[2], ensure_ascii=False)


def test_nothing_is_left_behind(graded):
    """No file, and no process that descends from this test: the fixture has waited for their end."""
    before, after = graded[3]
    assert after == before


def test_nothing_hidden_was_read(graded):
    for file in (graded[0] / "autograded").rglob("*.ipynb"):
        outputs = json.dumps([cell.get("outputs", []) for cell in read(file)["cells"]])
        for secret in ("LOOT", SEED, "HIDDEN TESTS", "hidden_check", "SystemExit('mine"):
            assert secret not in outputs, file


def test_every_submission_is_still_what_was_handed_in(graded):
    files = list((graded[0] / "submitted").rglob("*.ipynb"))
    assert files and not [file for file in files if not file.is_symlink() and file.read_bytes() == b"gone"]


def test_the_gradebook_is_in_order(graded):
    with Gradebook(f"sqlite:///{graded[0] / 'gradebook.db'}") as gradebook:
        assert gradebook.db.execute(sqlalchemy.text("pragma integrity_check")).scalar() == "ok"
        assert not [g for s in gradebook.assignment_submissions(UNIT) for n in s.notebooks for g in n.grades if g.manual_score]
        assert max(grade.max_score for s in gradebook.assignment_submissions(UNIT) for n in s.notebooks for grade in n.grades) == 4
