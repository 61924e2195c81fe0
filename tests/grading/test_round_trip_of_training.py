"""The training unit through stock nbgrader: points, numbers that differ by student, and a text that is read by hand."""

import json
import shutil

import pytest
import yaml
from nbgrader.api import Gradebook
from support import ROOT, copy_course, grade_id, nbgrader, read, run

from course.build.questions import expand
from course.learner.quiz import my_numbers

UNIT, QUIZ = "training", "09_model_quiz"
BY_HAND = 3


def with_answers_of(notebook, student):
    """The model quiz with the numbers that this student was asked about, typed as plain values."""
    key = yaml.safe_load((ROOT / "solutions" / UNIT / "quiz.yml").read_text(encoding="utf-8"))[QUIZ]
    right = {n: next(v["answers"][0] for v in expand(key[n])["variants"] if v["given"] == my_numbers(QUIZ, n, student)) for n in (4, 5)}
    (cell,) = (cell for cell in notebook["cells"] if grade_id(cell) == "answers_4_5")
    cell["source"] = f"answer_4 = {right[4]}\nanswer_5 = {right[5]}\n"
    return notebook


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory):
    """The folder of the course after generate, with a class in submitted/."""
    root = copy_course(tmp_path_factory.mktemp("training"))
    nbgrader(root, "generate_assignment", UNIT, "--force")
    for student, folder in (("right", "solutions"), ("blank", "notebooks"), ("ada", "solutions"), ("copies_ada", "solutions")):
        shutil.copytree(root / folder / UNIT, root / "submitted" / student / UNIT, ignore=shutil.ignore_patterns("*.md", "*.yml"))
    for student in ("ada", "copies_ada"):
        file = root / "submitted" / student / UNIT / f"{QUIZ}.ipynb"
        file.write_text(json.dumps(with_answers_of(read(file), "ada")), encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def by_course_grade(handed_in, tmp_path_factory):
    """A copy of that folder, graded by `course grade`, and what it said."""
    root = shutil.copytree(handed_in, tmp_path_factory.mktemp("ours") / "course")
    done = run("course", "grade", UNIT, cwd=root)
    assert done.returncode == 0, done.stderr
    return root, done.stdout


@pytest.fixture(scope="module")
def graded(handed_in, by_course_grade):
    """The same folder after autograde and feedback."""
    root = handed_in
    nbgrader(root, "autograde", UNIT)
    nbgrader(root, "generate_feedback", UNIT)
    return root


@pytest.fixture(scope="module")
def scores(graded):
    """{student: {lesson: (score, most)}}"""
    with Gradebook(f"sqlite:///{graded / 'gradebook.db'}") as gradebook:
        return {each.student.id: {n.name: (n.score, n.max_score) for n in each.notebooks} for each in gradebook.assignment_submissions(UNIT)}


def test_right_work_gets_every_point_and_blank_work_none(scores):
    lessons = sorted(path.stem for path in (ROOT / "solutions" / UNIT).glob("*.ipynb"))
    for student in ("right", "ada"):
        assert sorted(scores[student]) == lessons
        assert {name: most - score for name, (score, most) in scores[student].items()} == {name: BY_HAND if name == QUIZ else 0 for name in lessons}
    assert all(score == 0 for score, _ in scores["blank"].values())


def test_a_neighbours_numbers_are_worth_nothing(scores, graded):
    assert my_numbers(QUIZ, 4, "ada") != my_numbers(QUIZ, 4, "copies_ada") and my_numbers(QUIZ, 5, "ada") != my_numbers(QUIZ, 5, "copies_ada")
    with Gradebook(f"sqlite:///{graded / 'gradebook.db'}") as gradebook:
        grades = gradebook.find_submission_notebook(QUIZ, UNIT, "copies_ada").grades
        assert {grade.name for grade in grades if grade.score < grade.max_score} == {"quiz_4", "quiz_5", "key_insight"}


def test_the_text_waits_for_its_reader_and_holds_nothing_up(graded):
    with Gradebook(f"sqlite:///{graded / 'gradebook.db'}") as gradebook:
        for student in ("right", "copies_ada"):
            notebook = gradebook.find_submission_notebook(QUIZ, UNIT, student)
            assert {grade.name for grade in notebook.grades if grade.needs_manual_grade} == {"key_insight"}
        grade = gradebook.find_grade("key_insight", QUIZ, UNIT, "right")
        grade.manual_score, grade.needs_manual_grade = BY_HAND, False
        gradebook.db.commit()
        notebook = gradebook.find_submission_notebook(QUIZ, UNIT, "right")
        assert notebook.score == notebook.max_score


def test_course_grade_gives_the_same(graded, by_course_grade):
    root, said = by_course_grade
    found = [_grades(folder) for folder in (graded, root)]
    key = ("right", QUIZ, "key_insight")
    found[0][key] = found[1][key]  # read by hand in the test above
    assert found[0] == found[1] and found[1]["copies_ada", QUIZ, "quiz_4"] == (0, False)
    assert "key_insight is to be read" in " ".join(said.split())


def _grades(root):
    """{(student, lesson, cell): (score, whether it waits for a reader)}"""
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        notebooks = [(s.student.id, n) for s in gradebook.assignment_submissions(UNIT) for n in s.notebooks]
        return {(student, n.name, grade.name): (grade.auto_score, grade.needs_manual_grade) for student, n in notebooks for grade in n.grades}


def test_feedback_says_what_to_do_and_holds_no_hidden_code(graded):
    for page in (graded / "feedback").glob("*/training/0[789]*.html"):
        text = page.read_text(encoding="utf-8")
        assert "hidden_check" not in text
        assert ("not attempted yet" in text) == ("blank" in page.parts)
