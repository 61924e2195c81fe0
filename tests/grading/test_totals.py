"""The figure of a student is the same in the table, in --json and in `nbgrader export`: late, with an extension, read by hand, absent."""

import csv
import json
from datetime import timedelta

import pytest
from nbgrader.api import Gradebook
from small_class import CELL, UNIT, ZERO, blank, changed, copy_of, partly, perfect, right
from support import grade_id, nbgrader, run, source

from course.grading.report import totals

PLUGIN = """
from nbgrader.plugins import BasePlugin


class Halved(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return 5.0


c.AssignLatePenalties.plugin_class = Halved
"""
"""Five points off each notebook, also where there are fewer."""
ROSTER = """id,first_name,last_name,email,section,canvas_id
perfect,Per,Fect,per@uni.org,B,1
late,La,Te,late@uni.org,A,2
extended,Ex,Tended,ex@uni.org,A,3
ill,Il,Lness,ill@uni.org,B,4
"""


def late(root):
    return {lesson: right(root, lesson) for lesson in (ZERO, CELL)}


def extended(root):
    return late(root)


def late_with_little(root):
    work = blank(root)
    answer = next(source(cell) for cell in right(root, CELL)["cells"] if grade_id(cell) == "answer_1")
    return {**work, CELL: changed(work[CELL], "answer_1", answer)}


@pytest.fixture(scope="module")
def graded(start, tmp_path_factory):
    """(the course's folder, what the first --json says, its table)"""
    root = copy_of(start, tmp_path_factory.mktemp("totals"), [perfect, blank, partly, late, extended, late_with_little])
    with open(root / "nbgrader_config.py", "a", encoding="utf-8") as file:
        file.write(PLUGIN)
    (root / "roster.csv").write_text(ROSTER)
    for student in ("late", "extended", "late_with_little", "perfect"):
        day = "01" if student == "perfect" else "03"
        (root / "submitted" / student / UNIT / "timestamp.txt").write_text(f"2026-11-{day} 10:00:00 UTC")
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        gradebook.update_or_create_assignment(UNIT, duedate="2026-11-02 09:00:00 UTC")
        gradebook.add_student("zoe", first_name="Zo", last_name="E")
        gradebook.add_student("extended", first_name="From", last_name="Gradebook")
        gradebook.add_submission(UNIT, "extended").extension = timedelta(days=1)
        gradebook.db.commit()
    return root, *grade(root)


def grade(root, *more):
    done = run("course", "grade", UNIT, "--json", "grades.json", "--all", "--cell-seconds", "20", *more, cwd=root, COLUMNS="200")
    assert done.returncode == 0, done.stderr
    return json.loads((root / "grades.json").read_text(encoding="utf-8")), " ".join(done.stdout.split())


def exported(root):
    """{student: row} of `nbgrader export`."""
    nbgrader(root, "export", "--to", "export.csv")
    with open(root / "export.csv", encoding="utf-8", newline="") as file:
        return {row["student_id"]: row for row in csv.DictReader(file)}


def assert_same(root, data):
    rows = exported(root)
    for student, about in data["students"].items():
        row = rows[student]
        mine = [about["raw"], about["penalty"], about["points"], about["of"]]
        assert mine == [float(row[name]) for name in ("raw_score", "late_submission_penalty", "score", "max_score")], student
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        found = totals.of_unit(gradebook, UNIT)
    assert {student: total.score for student, total in found.items()} == {student: float(row["score"]) for student, row in rows.items()}
    assert all(total.of == float(rows[student]["max_score"]) for student, total in found.items())


def test_every_figure_is_the_one_of_nbgraders_export(graded):
    root, data, table = graded
    assert_same(root, data)
    points = {student: (about["raw"], about["penalty"], about["points"]) for student, about in data["students"].items()}
    full = data["students"]["perfect"]["of"]
    assert points["perfect"] == (full, 0, full) and points["late"] == (full, 10, full - 10)
    raw, penalty, score = points["late_with_little"]
    assert 0 < raw <= penalty and score == 0
    assert f"{full - 10:g}/{full:g}" in table and "1 day 1 hour late, 10 points off" in table


def test_the_table_names_people_sections_extensions_and_the_absent(graded):
    _, data, table = graded
    assert "Per Fect (perfect) B" in table and "La Te (late) A" in table and "From Gradebook (extended) A" in table
    assert "1 hour late, after an extension of 1 day, 10 points off" in table
    assert "Handed in nothing (2): Il Lness (ill), Zo E (zoe)." in table
    assert [each["student"] for each in data["handed_in_nothing"]] == ["ill", "zoe"]


def test_points_by_hand_are_the_same_everywhere_and_told_the_next_time(graded):
    root, data, _ = graded
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        gradebook.find_grade("check_rnn_step", CELL, UNIT, "partly").manual_score = 3
        gradebook.find_grade("quiz_1", CELL, UNIT, "perfect").extra_credit = 0.5
        gradebook.db.commit()
    before = {student: about["points"] for student, about in data["students"].items()}
    again, table = grade(root)
    assert_same(root, again)
    assert again["notebooks_run"] == 0
    assert again["changed"] == {student: [before[student], before[student] + more] for student, more in (("partly", 3), ("perfect", 0.5))}
    assert "Other points than the last time (2)" in table
    assert grade(root)[0]["changed"] == {}
    alone, _ = grade(root, "--student", "late")
    assert alone["handed_in_nothing"] == [] and alone["changed"] == {}
