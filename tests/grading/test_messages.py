"""What goes wrong with the machine ends in a message and exit status 2, or is got over: no traceback, and nothing waits for ever."""

import contextlib
import errno
import os
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor

import pytest
from small_class import CELL, UNIT, copy_of, ordinary, perfect, right, scores
from support import run

from course.grading import cli, seed
from course.grading import round as rounds
from course.grading.intake import reader
from course.grading.intake.unit import GradeError
from course.grading.report.record import Book
from course.grading.run import journal, pool
from course.grading.run.journal import Journal
from course.grading.sandbox import Sandbox, SandboxMissing
from course.grading.trouble import in_words

pytestmark = [pytest.mark.long, pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox runs on Linux")]


def one_lesson(root):
    return {CELL: right(root, CELL)}


@pytest.fixture(scope="module")
def course(start, tmp_path_factory):
    """A course with one student, graded once."""
    root = copy_of(start, tmp_path_factory.mktemp("course"), [one_lesson])
    done = run("course", "grade", UNIT, cwd=root)
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture
def broken(course, tmp_path, monkeypatch):
    """A copy of it to break, in which we are."""
    root = copy_of(course, tmp_path / "broken", [])
    monkeypatch.chdir(root)
    monkeypatch.setattr("course.grading.gradebook.WAIT", 0.1)
    return root


def told(capsys, *arguments):
    """What `course grade` says, here in this process, where it cannot go on."""
    assert cli.main(["grade", UNIT, *arguments]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return said


# The gradebook and the disk


def test_a_locked_gradebook(broken, capsys):
    with sqlite3.connect(broken / "gradebook.db", isolation_level=None) as other:
        other.execute("begin exclusive")
        assert "locked: another program" in told(capsys)
        other.execute("rollback")
    other.close()
    assert cli.main(["grade", UNIT]) == 0


@pytest.mark.parametrize(
    "change, words", [(lambda data: b"not a database" * 1000, "is no gradebook"), (lambda data: data[:4096] + b"\xff" * (len(data) - 4096), "damaged")]
)
def test_a_damaged_gradebook(broken, capsys, change, words):
    file = broken / "gradebook.db"
    file.write_bytes(change(file.read_bytes()))
    said = told(capsys)
    assert words in said and "generate_assignment" in said


def full(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/there/file")


@pytest.mark.parametrize("owner, name", [(Journal, "keep"), (Book, "_lay_out"), (rounds.Book, "has_notebooks")])
def test_a_full_disk(broken, capsys, monkeypatch, owner, name):
    monkeypatch.setattr(owner, name, full)
    said = told(capsys, *(("--again",) if name != "has_notebooks" else ()))
    assert "the disk is full: /there/file" in said and "Run this again" in said


def test_a_full_disk_for_the_json(broken, capsys, monkeypatch):
    monkeypatch.setattr(cli, "_write", full)
    assert "grades.json: No space left" in told(capsys, "--json", str(broken / "grades.json"))


def test_what_nbgrader_says_of_the_disk_is_the_disks(broken):
    assert "disk is full" in in_words(ValueError("OperationalError: (sqlite3.OperationalError) database or disk is full"))
    assert "the disk is full" in in_words(RuntimeError("OSError: [Errno 28] No space left on device: 'x'"))
    assert not in_words(ValueError("some cell has no id"))


@pytest.mark.parametrize("make", [lambda place: place.write_text(""), lambda place: place.symlink_to("nowhere")])
def test_a_file_in_the_place_of_the_journal(broken, capsys, make):
    journal.removal.remove(broken / ".course_grade")
    make(broken / ".course_grade")
    assert ".course_grade cannot be used" in told(capsys) or "you may delete it" in capsys.readouterr().err


def test_a_journal_that_may_not_be_read(course, tmp_path):
    root = copy_of(course, tmp_path / "locked", [])
    (root / ".course_grade").chmod(0)
    done = ordinary([sys.executable, "-m", "course", "grade", UNIT], root)
    (root / ".course_grade").chmod(0o700)
    assert done.returncode == 2 and ".course_grade cannot be used: Permission denied" in done.stderr and "Traceback" not in done.stderr


def test_folders_in_the_journal(broken):
    entries = [*(broken / ".course_grade" / UNIT / "journal").glob("*.json")]
    assert entries
    for entry in [*entries, broken / ".course_grade" / UNIT / "journal" / "other"]:
        if entry.exists():
            entry.unlink()
        (entry / "in" / "it").mkdir(parents=True)
    assert cli.main(["grade", UNIT]) == 0
    assert sorted((broken / ".course_grade" / UNIT / "journal").iterdir()) == sorted(entries) and all(entry.is_file() for entry in entries)


# The seed, and whose settings they are


@pytest.mark.parametrize(
    "make, words",
    [
        (os.mkfifo, "is no file"),
        (lambda place: place.symlink_to("nowhere"), "leads to no file"),
        (lambda place: place.mkdir(), "is no file"),
        (lambda place: place.write_text("many"), "should hold one whole number"),
        (lambda place: place.write_bytes(b"\xff" * 2**20), "should hold one whole number"),
    ],
)
def test_a_seed_that_is_none(broken, capsys, make, words):
    seed.seed_file().unlink()
    make(seed.seed_file())
    assert words in told(capsys)


@pytest.mark.parametrize("place", ["submitted", "autograded", "feedback", "downloaded"])
def test_a_students_settings_are_not_run(broken, monkeypatch, place):
    inside = broken / place / "eve" / UNIT
    inside.mkdir(parents=True, exist_ok=True)
    (inside / "nbgrader_config.py").write_text("raise SystemExit('mine were run')")
    monkeypatch.chdir(inside)
    assert rounds.find_root() == broken and seed.seed_file() == broken / ".hidden_seed"
    (broken / "nbgrader_config.py").unlink()
    with pytest.raises(GradeError, match="is in no course"):
        rounds.find_root()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_another_users_settings_are_not_run(broken):
    os.chown(broken / "nbgrader_config.py", 12345, 12345)
    with pytest.raises(GradeError, match="belongs to another user"):
        rounds.find_root()


# Processes that are killed or stopped


def test_a_forkserver_that_is_killed_costs_nobody_anything(start, tmp_path):
    root = copy_of(start, tmp_path / "course", [perfect])
    grading = subprocess.Popen([sys.executable, "-m", "course", "grade", UNIT], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline, killed = time.monotonic() + 120, 0
    while not killed and grading.poll() is None and time.monotonic() < deadline:
        found = subprocess.run(["pgrep", "-P", str(grading.pid), "-f", "forkserver"], capture_output=True, text=True).stdout.split()
        for pid in found:
            os.kill(int(pid), signal.SIGKILL)
            killed += 1
        time.sleep(0.02)
    out, errors = grading.communicate(timeout=240)
    assert killed and grading.returncode == 0 and "Traceback" not in errors, errors
    assert sum(score for score, *_ in scores(root)["perfect", CELL].values()) == 9


def slow(job):
    time.sleep(0.5)
    return {"job": job}


def test_a_worker_that_is_stopped_is_told_to_go_on(monkeypatch):
    monkeypatch.setattr(pool, "run_job", slow)
    monkeypatch.setattr(pool, "LOOK", 0.2)
    with ProcessPoolExecutor(1) as executor:
        executor.submit(slow, 0).result()
        [pid] = executor._processes
        os.kill(pid, signal.SIGSTOP)
        assert dict(pool.run_all([(1, 1), (2, 2)], executor, 2)) == {1: {"job": 1}, 2: {"job": 2}}


def never(job):
    time.sleep(1000)


def test_workers_that_never_answer_are_not_waited_for(monkeypatch):
    monkeypatch.setattr(pool, "run_job", never)
    monkeypatch.setattr(pool, "LOOK", 0.1)
    with ProcessPoolExecutor(1) as executor:
        [(name, result)] = pool.run_all([(1, 1)], executor, 2, patience=0.5)
    assert isinstance(result, BrokenExecutor)


class Elsewhere:
    """An executor whose workers cannot be reached."""

    def submit(self, function, job):
        return Future()


def test_a_cluster_that_never_answers_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(pool, "LOOK", 0.1)
    with pytest.raises(TimeoutError, match="no notebook was finished"):
        list(pool.run_all([(1, 1)], Elsewhere(), 2, patience=0.3))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_bubblewrap_that_is_killed_at_the_start_is_told_so(tmp_path, monkeypatch, number):
    bwrap = tmp_path / "bwrap"
    bwrap.write_text(f"#!/bin/sh\nkill -{int(number)} $$\n")
    bwrap.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(SandboxMissing, match=f"ended bubblewrap: {number.name}"):
        Sandbox().__enter__()


# The reader


@pytest.fixture
def reading(broken):
    """A Reader of the course."""
    with reader.Reader() as one:
        one.order = {
            "root": str(broken),
            "unit": UNIT,
            "db_url": f"sqlite:///{broken / 'gradebook.db'}",
            "lessons": [CELL],
            "ignore": [],
            "levels": 2,
        }
        yield one, str(broken / "submitted" / "one_lesson" / UNIT)


def test_a_reader_that_is_killed_is_replaced(reading):
    one, folder = reading
    assert list(one.read("one_lesson", folder).notebooks) == [CELL]
    one.process.kill()
    notebook, _ = one.clean("one_lesson", folder, CELL)
    assert notebook.cells


def test_a_reader_that_is_stopped_is_not_waited_for(reading, monkeypatch):
    one, folder = reading
    one.read("one_lesson", folder)
    monkeypatch.setattr(reader, "PATIENCE", 1)
    stopped = one.process
    stopped.send_signal(signal.SIGSTOP)
    with contextlib.suppress(reader.Gone):  # the one that stands for it has as little time, which may not be enough
        one.clean("one_lesson", folder, CELL)
    assert stopped.wait(5) == -signal.SIGKILL
