"""The training unit through stock nbgrader: a right and a blank submission get all the points and none."""

import shutil

import pytest
from conftest import ROOT, copy_course, nbgrader
from nbgrader.api import Gradebook

UNIT = "training"


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    """{student: {lesson: score}} after generate, autograde and feedback, and the folder of the course."""
    root = copy_course(tmp_path_factory.mktemp("training"))
    nbgrader(root, "generate_assignment", UNIT, "--force")
    for student, folder in (("right", "solutions"), ("blank", "notebooks")):
        shutil.copytree(root / folder / UNIT, root / "submitted" / student / UNIT, ignore=shutil.ignore_patterns("*.md", "*.yml"))
    nbgrader(root, "autograde", UNIT)
    nbgrader(root, "generate_feedback", UNIT)
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        found = gradebook.assignment_submissions(UNIT)
        return {each.student.id: {n.name: (n.score, n.max_score) for n in each.notebooks} for each in found}, root


def test_right_work_gets_every_point_and_blank_work_none(scores):
    found, _ = scores
    lessons = sorted(path.stem for path in (ROOT / "solutions" / UNIT).glob("*.ipynb"))
    assert sorted(found["right"]) == sorted(found["blank"]) == lessons
    assert all(score == most > 0 for score, most in found["right"].values())
    assert all(score == 0 for score, _ in found["blank"].values())


def test_feedback_says_what_to_do_and_holds_no_hidden_code(scores):
    _, root = scores
    for page in (root / "feedback").glob("*/training/*.html"):
        text = page.read_text(encoding="utf-8")
        assert "hidden_check" not in text
        assert ("not attempted yet" in text) == ("blank" in page.parts)
