"""A unit that is released again while work is handed in for it: points may change, cells may not, and nothing is lost either way."""

import copy
import json
import shutil
import sqlite3
import sys

import pytest
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from small_class import CELL, UNIT, ZERO, copy_of, right, scores
from support import grade_id, nbgrader, read, run

from course.build import release
from course.grading import backups, drift
from course.grading.plugins import changed as keep

CHECK = "check_rnn_step"


def one_lesson(root):
    return {CELL: right(root, CELL)}


@pytest.fixture(scope="module")
def handed_in(start, tmp_path_factory):
    """A course in whose gradebook is one student's work, as plain nbgrader has it after collecting."""
    root = copy_of(start, tmp_path_factory.mktemp("handed_in"), [one_lesson])
    database = backups.gradebook.Gradebook(f"sqlite:///{root / 'gradebook.db'}", "hidden-state")
    with database as gradebook:
        gradebook.add_student("one_lesson")
        gradebook.add_submission(UNIT, "one_lesson")
    return root


@pytest.fixture
def course(handed_in, tmp_path):
    return shutil.copytree(handed_in, tmp_path / "course")


def edit(root, change, lesson=CELL):
    """Change the cells of a solution, as an author does it who builds anew."""
    file = root / "solutions" / UNIT / f"{lesson}.ipynb"
    notebook = read(file)
    notebook["cells"] = [*change(notebook["cells"])]
    file.write_text(json.dumps(notebook), encoding="utf-8")


def worth(points, name=CHECK):
    def change(cells):
        for cell in cells:
            if grade_id(cell) == name:
                cell["metadata"]["nbgrader"]["points"] = points
            yield cell

    return change


def with_one_more(cells):
    for cell in cells:
        yield cell
        if grade_id(cell) == CHECK:
            more = copy.deepcopy(cell)
            more["id"] = more["metadata"]["nbgrader"]["grade_id"] = "check_more"
            yield more


def without_one(cells):
    return (cell for cell in cells if grade_id(cell) != CHECK)


def not_graded(cells):
    for cell in cells:
        if grade_id(cell) == CHECK:
            cell["metadata"]["nbgrader"]["grade"] = False
        yield cell


def one_lesson_more(root):
    shutil.copy(root / "solutions" / UNIT / f"{CELL}.ipynb", root / "solutions" / UNIT / "04_more.ipynb")


def one_lesson_less(root):
    (root / "solutions" / UNIT / f"{ZERO}.ipynb").unlink()


def in_nbgrader(root):
    done = run("nbgrader", "generate_assignment", UNIT, "--force", cwd=root)
    return done.returncode == 0, done.stderr


def in_formgrader(root):
    config = release._nbgrader_config(root)
    result = NbGraderAPI(CourseDirectory(config=config), config=config).generate_assignment(UNIT, force=True)
    return result["success"], result["log"]


def content(folder):
    return {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def rows(root):
    """All that the gradebook says."""
    with sqlite3.connect(root / "gradebook.db") as database:
        return [line for line in database.iterdump() if not line.startswith('INSERT INTO "course"')]


def differences(root):
    return drift.compare(f"sqlite:///{root / 'gradebook.db'}", UNIT, root / "solutions" / UNIT)


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda root: edit(root, with_one_more), f"the cell check_more of {CELL} is new"),
        (lambda root: edit(root, without_one), f"the cell {CHECK} of {CELL} is gone"),
        (lambda root: edit(root, not_graded), f"the cell {CHECK} of {CELL} is of another kind"),
        (one_lesson_more, "the lesson 04_more is new"),
        (one_lesson_less, f"the lesson {ZERO} is gone"),
    ],
)
@pytest.mark.parametrize("generate", [in_nbgrader, in_formgrader])
def test_what_cannot_be_changed_is_refused_before_anything_is(course, change, words, generate):
    change(course)
    edit(course, worth(100, "check_init_hidden"), ZERO) if (course / "solutions" / UNIT / f"{ZERO}.ipynb").exists() else None
    before = content(course / "notebooks"), rows(course)
    assert before[0]
    fine, said = generate(course)
    assert not fine and words in said and "Traceback" not in said
    assert f"cp -r solutions/{UNIT} solutions/{UNIT}_2" in said and f"generate_assignment {UNIT}_2" in said
    assert (content(course / "notebooks"), rows(course)) == before


def test_the_new_version_can_be_released_beside(course):
    shutil.copytree(course / "solutions" / UNIT, course / "solutions" / f"{UNIT}_2")
    edit(course, with_one_more)
    (course / "solutions" / UNIT / f"{CELL}.ipynb").rename(course / "solutions" / f"{UNIT}_2" / f"{CELL}.ipynb")
    nbgrader(course, "generate_assignment", f"{UNIT}_2")
    assert "check_more" in (course / "notebooks" / f"{UNIT}_2" / f"{CELL}.ipynb").read_text()
    assert "check_more" not in (course / "notebooks" / UNIT / f"{CELL}.ipynb").read_text()


def test_new_points_are_released(course):
    edit(course, worth(7))
    assert differences(course).points and not differences(course).is_refused
    nbgrader(course, "generate_assignment", UNIT, "--force")
    assert differences(course) == drift.Drift(UNIT, submitted=True)


def test_cells_may_change_while_nobody_has_handed_in(start, tmp_path):
    root = shutil.copytree(start, tmp_path / "course")
    edit(root, with_one_more)
    nbgrader(root, "generate_assignment", UNIT, "--force")
    assert "check_more" in (root / "notebooks" / UNIT / f"{CELL}.ipynb").read_text() and not differences(root).parts


@pytest.mark.parametrize("database", [["--no-db"], []], ids=["without gradebook", "with it"])
def test_a_release_that_fails_leaves_the_one_before(course, database):
    mine = course / "notebooks" / UNIT / f"{ZERO}.ipynb"
    mine.write_text(mine.read_text().replace("0. ", "1. ").replace('"cells": [', '"cells": [ '))
    before = content(course / "notebooks")
    (course / "solutions" / UNIT / "zz.ipynb").write_text("this is no notebook")
    done = run("nbgrader", "generate_assignment", UNIT, "--force", *database, cwd=course)
    assert done.returncode != 0
    assert content(course / "notebooks") == before


def test_a_release_that_is_killed_leaves_the_one_before(course):
    folder = course / "notebooks" / UNIT
    before = content(folder)
    code = (
        "import os, shutil, sys; from course.grading.plugins.changed import keeping\n"
        "with keeping(sys.argv[1], sys.argv[2], print): shutil.rmtree(sys.argv[1]); os._exit(9)"
    )
    killed = run("timeit", "-n1", "-r1", f"import sys; sys.argv[1:] = {[str(folder), str(course / 'solutions' / UNIT)]!r}\n{code}", cwd=course)
    assert killed.returncode == 9 and not folder.exists()
    with keep.keeping(folder, course / "solutions" / UNIT, print):
        assert content(folder) == before
    assert content(course / "notebooks") == {file.relative_to(course / "notebooks"): file.read_bytes() for file in folder.iterdir()}


# What `course grade` says


@pytest.mark.long
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox runs on Linux")
def test_changed_points_are_told_and_then_given(course, tmp_path):
    assert run("course", "grade", UNIT, cwd=course).returncode == 0
    before = scores(course)["one_lesson", CELL][CHECK]
    edit(course, worth(7))
    told = run("course", "grade", UNIT, "--json", str(tmp_path / "grades.json"), cwd=course)
    assert told.returncode == 0 and f"{CHECK} of {CELL} is worth 7, and {before[1]:g} in the gradebook" in told.stderr
    assert f"nbgrader generate_assignment {UNIT} --force" in told.stderr and len(read(tmp_path / "grades.json")["remarks"]) == 1
    nbgrader(course, "generate_assignment", UNIT, "--force")
    again = run("course", "grade", UNIT, "--json", str(tmp_path / "grades.json"), cwd=course)
    assert again.returncode == 0 and read(tmp_path / "grades.json")["remarks"] == [] and read(tmp_path / "grades.json")["notebooks_run"] == 0
    assert scores(course)["one_lesson", CELL][CHECK][:2] == (7, 7)
