"""`course demo`: one run of the whole round in the real sandbox, by a new instructor who keeps nothing."""

import os
import re
import subprocess
import sys

import pytest
from support import copy_course

from course.grading import cli, demo
from course.grading.demo.made_up import CLASS, student_id

STUDENTS = {student_id(name): work for group in CLASS.values() for name, work in group.items()}
GRADED_ELSEWHERE = "918273645"


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """(what the demo printed, the temporary folder after it, a real course's seed file, the repository before and after)"""
    if not sys.platform.startswith("linux"):
        pytest.skip("the sandbox runs on Linux")
    temporary, seed = tmp_path_factory.mktemp("temporary"), tmp_path_factory.mktemp("real") / "seed"
    seed.write_text(GRADED_ELSEWHERE)
    root = copy_course(tmp_path_factory.mktemp("course"))  # a copy: in the real one somebody may be at work
    before = _repository(root)
    done = subprocess.run(
        [sys.executable, "-m", "course", "demo"],
        cwd=tmp_path_factory.mktemp("here"),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(temporary), "HIDDEN_STATE_SEED_FILE": str(seed), "PYTHONPATH": str(root)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, temporary, seed, (before, _repository(root))


def _repository(root):
    """{file: when it was written} of the sources, releases and grades of the real course."""
    places = [
        root,
        *(
            folder
            for name in ("solutions", "notebooks", "submitted", "autograded", "feedback", ".course_grade")
            for folder in (root / name).rglob("*")
            if folder.is_dir()
        ),
    ]
    return {file: file.stat().st_mtime_ns for place in places for file in place.iterdir() if file.is_file()}


def row(text, student):
    """(points, what went wrong) of a student in the table."""
    found = re.search(rf"^ *[^\n]*\({student}\) +([\d.]+)/18 +[\d.]+/9 +[\d.]+/9(.*)$", text, flags=re.MULTILINE)
    return float(found[1]), found[2].strip()


@pytest.mark.parametrize("student, points", [("amara", 18), ("chiara", 18), ("emil", 18), ("yusuf", 18), ("eve", 18), ("ines", 0), ("jonas", 9), ("greta", 14)])
def test_everybody_has_the_points_of_their_answers(shown, student, points):
    assert row(shown[0], student)[0] == points


@pytest.mark.parametrize(
    "student, points, words",
    [
        ("mallory", 14, "time limit"),
        ("trudy", 15, "crash"),
        ("oscar", 14, ""),
        ("sybil", 14, ""),
        ("viktor", 18, ""),
        ("wanda", 9, "not JSON"),
        ("xenia", 9, "not handed in"),
    ],
)
def test_hostile_work_and_accidents_cost_their_own(shown, student, points, words):
    found = row(shown[0], student)
    assert found[0] == points and words in found[1]


def test_all_thirty_are_in_the_table_and_in_the_list_of_who_did_what(shown):
    assert len(STUDENTS) == 30
    for student, work in STUDENTS.items():
        row(shown[0], student)
        assert re.search(rf"\b{student}\b.*\b{student}\b", shown[0], flags=re.DOTALL)
        assert work.note in " ".join(shown[0].split())


def test_the_commonest_mistake_is_named(shown):
    listed = shown[0].split("The commonest mistakes")[1]
    assert re.search(r"^ +6 +03 rnn_step +W_hh is not transposed", listed, flags=re.MULTILINE)
    assert re.search(r"^ +3 +02 init_hidden +the dtype is written down", listed, flags=re.MULTILINE)


def test_the_feedback_of_one_student_is_shown(shown):
    assert "/feedback/farid/pipeline/03_cell_step.html" in shown[0]
    assert "Likely cause: W_hh is not transposed" in shown[0].split("4 of 4")[1]


def test_nothing_is_left_behind(shown):
    text, temporary, seed, (before, after) = shown
    assert "is deleted" in text.splitlines()[-1]
    assert not [
        file.name for file in temporary.iterdir() if not file.name.startswith("torchinductor_")
    ]  # which is PyTorch's own, wherever it loads its compiler
    assert before == after and seed.read_text() == GRADED_ELSEWHERE and list(seed.parent.iterdir()) == [seed]


def test_a_folder_with_something_in_it_is_left_alone(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    assert cli.main(["demo", "--keep", str(tmp_path)]) == 2
    assert "is not empty" in capsys.readouterr().err and [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_without_the_lessons_sources_it_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo, "ROOT", tmp_path)
    assert cli.main(["demo", "--keep", str(tmp_path / "new")]) == 2
    assert "needs the lessons' sources" in capsys.readouterr().err and not (tmp_path / "new").exists()
