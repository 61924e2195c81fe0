"""Work that was handed in and graded with version 0.1, before the course was moved into rooms, gets the same grades today.

data/class_of_0.1.zip is that class's submitted/: one right, one blank, two with other right answers of tests/answers, four with wrong
ones. data/class_of_0.1.csv is what `course grade` of version 0.1 gave them, cell by cell.
"""

import csv
import json
import shutil
import zipfile
from pathlib import Path

import pytest
from support import ROOT, nbgrader, run

DATA = Path(__file__).with_name("data")
UNITS = ("pipeline", "training")
GAINED = {
    ("wrong_2", "pipeline", "01_input_sequence", "check_to_time_major"): ((0.0, "wrong"), (3.0, "passed")),
    ("wrong_2", "pipeline", "02_zero_init", "check_reset_rows"): ((0.0, "wrong"), (3.0, "passed")),
    ("wrong_3", "pipeline", "05_output", "check_last_valid"): ((0.0, "wrong"), (3.0, "passed")),
}
"""Who has points today and had none: they cut a gradient, or changed an input, where the lesson asks nothing about it. Nobody has lost any."""


def of_before():
    """{(student, unit, lesson, cell): (points, outcome)}"""
    with open(DATA / "class_of_0.1.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {(row["student"], row["unit"], row["lesson"], row["cell"]): (float(row["points"]), row["outcome"]) for row in rows}


@pytest.fixture(scope="module")
def of_today(tmp_path_factory):
    """The same, from `course grade` as it is now."""
    root, found = tmp_path_factory.mktemp("before"), {}
    shutil.copytree(ROOT / "solutions", root / "solutions")
    shutil.copy(ROOT / "nbgrader_config.py", root)
    with zipfile.ZipFile(DATA / "class_of_0.1.zip") as archive:
        archive.extractall(root)
    (root / ".hidden_seed").write_text("987654321012\n")
    for unit in UNITS:
        nbgrader(root, "generate_assignment", unit)
        done = run("course", "grade", unit, "--json", f"{unit}.json", cwd=root)
        assert done.returncode == 0, done.stderr
        found.update(_graded(root / f"{unit}.json", unit))
    return found


def _graded(file, unit):
    students = json.loads(file.read_text(encoding="utf-8"))["students"]
    return {
        (student, unit, lesson, cell): (each["points"], each["outcome"])
        for student, about in students.items()
        for lesson, found in about["lessons"].items()
        for cell, each in found["exercises"].items()
    }


def test_the_class_is_worth_comparing():
    points = [points for points, _ in of_before().values()]
    assert len(points) > 300 and 100 < sum(value > 0 for value in points) < len(points) - 100


@pytest.mark.long
def test_every_grade_is_the_same(of_today):
    before = of_before()
    assert {key for key in before if key not in of_today} == set(), "a lesson or a graded cell has lost its name"
    assert {key: (before[key], of_today[key]) for key in before if before[key] != of_today[key] and not _told_otherwise(before[key], of_today[key])} == GAINED


def _told_otherwise(before, today):
    """The same points: an answer of one's own with the bug of the shipped code was "not attempted" once."""
    return before == (0.0, "not attempted yet") and today == (0.0, "wrong")
