"""`course grade`, killed at many points and run again: the grades of an undisturbed run, every student graded, nothing in pieces."""

import glob
import os
import random
import signal
import subprocess
import sys
import time

import pytest
import sqlalchemy
from nbgrader.api import Gradebook
from small_class import CELL, UNIT, blank, copy_of, partly, perfect, scores
from support import ROOT, read, run
from waiting import LONG, Family

pytestmark = pytest.mark.long
RANDOM = random.Random(20261122)
TRIES = 8


def after(share):
    """A moment: this share of the time that an undisturbed run takes, counted from the start of the command."""
    return lambda root, began, whole: time.time() > began + share * whole


def when(pattern, number):
    """Once so many files of this kind have been written since the start."""
    return lambda root, began, whole: sum(_written(file) >= began for file in glob.glob(str(root / pattern), recursive=True)) >= number


def _written(file):
    try:
        return os.stat(file).st_mtime
    except OSError:  # gone in the meantime
        return 0


POINTS = [
    *(after(RANDOM.uniform(0.02, 0.8)) for _ in range(5)),
    when(f".course_grade/{UNIT}/journal/*.json", 1),
    when("gradebook.db*", 1),  # its journal lies there for a moment only: the file that it leaves changed counts too
    when(f".course_grade/{UNIT}/staged/**/*", 1),
    when(f"autograded/*/{UNIT}/*.ipynb", 1),
    when(f"autograded/*/{UNIT}/*.ipynb", 2),
]
"""Where it is killed, one after the other in the same course: five at random times, five in the middle of something."""


def others(root):
    return partly(root)


def more(root):
    return perfect(root)


def kill_at(root, reached, whole):
    """Run the command, with everything to be done again, and kill it there; again, and sooner, should it end before. Returns whether it was killed."""
    return any(_killed(root, reached, whole / 1.5**i) for i in range(TRIES))


def _killed(root, reached, whole):
    began = time.time()
    process = subprocess.Popen(
        [sys.executable, "-m", "course", "grade", UNIT, "--again"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + LONG
    while process.poll() is None and not reached(root, began, whole) and time.monotonic() < deadline:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


@pytest.fixture(scope="module")
def courses(start, tmp_path_factory):  # noqa: F811
    """(an undisturbed run, the course that was killed again and again and then graded to the end, how often it was killed, all their processes)"""
    family = Family()
    whole, killed = (copy_of(start, tmp_path_factory.mktemp(name), [perfect, blank, partly, others, more]) for name in ("whole", "killed"))
    seconds = _graded(whole)
    kills = sum(kill_at(killed, reached, seconds) for reached in POINTS)
    _graded(killed)
    return whole, killed, kills, family


def _graded(root):
    """Grade to the end. Returns the seconds."""
    began = time.monotonic()
    done = run("course", "grade", UNIT, "--json", "grades.json", cwd=root)
    assert done.returncode == 0, done.stderr
    return time.monotonic() - began


def test_it_was_killed_at_many_points(courses):
    assert courses[2] == len(POINTS) == 10


def test_everybody_has_the_grades_of_an_undisturbed_run(courses):
    whole, killed, *_ = courses
    assert scores(killed) == scores(whole)
    assert sum(score for score, *_ in scores(killed)["perfect", CELL].values()) == 9
    told = [{student: each["lessons"] for student, each in read(root / "grades.json")["students"].items()} for root in (killed, whole)]
    assert told[0] == told[1]


def test_the_gradebook_and_the_files_are_whole(courses):
    whole, killed, *_ = courses
    with Gradebook(f"sqlite:///{killed / 'gradebook.db'}") as gradebook:
        assert gradebook.db.execute(sqlalchemy.text("pragma integrity_check")).scalar() == "ok"
    files = [{file.relative_to(root) for file in root.glob("autograded/**/*") if file.is_file()} for root in (killed, whole)]
    assert files[0] == files[1]
    for file in killed.glob("autograded/**/*.ipynb"):
        assert read(file)["cells"]


def test_no_process_is_left(courses):
    courses[3].ends()
