"""The gradebook on a PostgreSQL server of this test's own: two graders at once, two units at once, and everything that reads it."""

import contextlib
import csv
import os
import shutil
import subprocess
import sys

import postgres
import pytest
from nbgrader.api import Gradebook
from small_class import CELL, UNIT, blank, copy_of, partly, perfect, scores
from sqlalchemy import create_engine, text
from support import ROOT, nbgrader, run
from waiting import LONG, until

from course.grading import cli
from course.grading import gradebook as gradebooks

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox runs on Linux"),
    pytest.mark.skipif(not postgres.program("initdb"), reason="PostgreSQL's server is not here: python tools/start.py postgres"),
]
SECOND = f"{UNIT}_2"
WAITING = "select pid from pg_locks where locktype = 'advisory' and not granted"


def early(root):
    return perfect(root)


def late(root):
    return partly(root)


ONE, TWO = [perfect, blank, early], [early, late, partly, perfect]


@pytest.fixture(scope="module")
def server():
    """The address of the gradebook, to which the password is in the environment."""
    with postgres.server() as (address, password), pytest.MonkeyPatch.context() as patch:
        for name, value in {**password, "HIDDEN_STATE_GRADEBOOK": address}.items():
            patch.setenv(name, value)
        yield address


@pytest.fixture(scope="module")
def released(start, server, tmp_path_factory):
    """A course whose two units are released into it."""
    root = tmp_path_factory.mktemp("released") / "course"
    shutil.copytree(start, root, ignore=shutil.ignore_patterns("gradebook.db*", "notebooks"))
    shutil.copytree(root / "solutions" / UNIT, root / "solutions" / SECOND)
    for unit in (UNIT, SECOND):
        nbgrader(root, "generate_assignment", unit)
    assert not list(root.glob("gradebook.db*"))
    return root


@pytest.fixture
def connection(server):
    engine = create_engine(server)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def grading(root, *arguments):
    """`course grade`, started."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-m", "course", "grade", *arguments], cwd=root, text=True, stdout=-1, stderr=subprocess.STDOUT, env=environment)


@contextlib.contextmanager
def made_to_wait(connection, root, student):
    """While inside, `course grade` waits for its turn with this student: (its process, the number of its connection)."""
    with connection.begin():
        gradebooks.take_turn(connection, student)
        process = grading(root, UNIT)
        [[pid]] = until(lambda: connection.execute(text(WAITING)).all(), "a grader who waits")
        yield process, pid


def ended(process):
    """(its exit status, what it said)"""
    said, _ = process.communicate(timeout=LONG)
    return process.returncode, said


@pytest.fixture(scope="module")
def of_a_file(start, tmp_path_factory):
    """The same class in a file: (its scores, the root)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("HIDDEN_STATE_GRADEBOOK", raising=False)
        root = copy_of(start, tmp_path_factory.mktemp("of_a_file"), [*ONE, *TWO[1:3]])
        assert run("course", "grade", UNIT, cwd=root).returncode == 0
        return scores(root), root


@pytest.fixture(scope="module")
def graded(released, tmp_path_factory):
    """Two checkouts with a gradebook in common, some students in both, graded at once: [(root, what `course grade` said)]."""
    roots = [copy_of(released, tmp_path_factory.mktemp(name), students) for name, students in (("one", ONE), ("two", TWO))]
    found = [ended(process) for process in [grading(root, UNIT, "--workers", "1") for root in roots]]
    assert [code for code, _ in found] == [0, 0], found
    return roots


# Two at once


def test_two_graders_at_once_give_the_grades_of_one(graded, server, of_a_file):
    assert scores(None, db_url=server) == of_a_file[0]


def test_a_grader_who_comes_back_finds_everything_unchanged(graded):
    done = run("course", "grade", UNIT, cwd=graded[0])
    assert done.returncode == 0 and "Nothing to do: all 3 submissions are unchanged" in done.stdout, done.stderr


def test_two_units_at_once_in_one_course(released, server, tmp_path):
    root = copy_of(released, tmp_path / "course", [perfect])
    shutil.copytree(root / "submitted" / "perfect" / UNIT, root / "submitted" / "perfect" / SECOND)
    found = [ended(process) for process in [grading(root, unit, "--workers", "1") for unit in (UNIT, SECOND)]]
    assert [code for code, _ in found] == [0, 0], found
    for unit in (UNIT, SECOND):
        mine = {cell: grade for (student, _), cells in scores(None, unit, server).items() if student == "perfect" for cell, grade in cells.items()}
        assert mine and all(score == most for score, most, _ in mine.values())


def test_one_unit_has_one_grader_in_a_course(released, connection, tmp_path):
    def both(root):
        return perfect(root)

    root = copy_of(released, tmp_path / "course", [both])
    with made_to_wait(connection, root, "both") as (first, _):
        code, said = ended(grading(root, UNIT))
        assert code == 2 and "another `course grade` is at work" in said
    assert ended(first)[0] == 0


def test_who_grades_a_student_waits_for_who_grades_the_same_one(released, server, connection, tmp_path):
    """Both find that the student is not in the gradebook yet. The one who waits finds, afterwards, what the other has added."""

    def newcomer(root):
        return perfect(root)

    root = copy_of(released, tmp_path / "course", [newcomer])
    with made_to_wait(connection, root, "newcomer") as (process, _):
        connection.execute(text("insert into student (id, first_name) values ('newcomer', 'Nia')"))
    code, said = ended(process)
    assert code == 0 and "1 graded" in said, said
    with Gradebook(server) as gradebook:
        assert gradebook.find_student("newcomer").first_name == "Nia"
        assert gradebook.find_submission(UNIT, "newcomer").score == gradebook.find_assignment(UNIT).max_score


def test_a_connection_that_is_cut_costs_nothing_that_was_run(released, server, connection, tmp_path):
    def unlucky(root):
        return perfect(root)

    root = copy_of(released, tmp_path / "course", [unlucky])
    with made_to_wait(connection, root, "unlucky") as (process, pid):
        connection.execute(text("select pg_terminate_backend(:pid)"), {"pid": pid})
        code, said = ended(process)
    assert code == 2 and "the gradebook's server has ended the connection" in said and "Traceback" not in said
    done = run("course", "grade", UNIT, cwd=root)
    assert done.returncode == 0 and "1 graded. 0 notebooks ran" in done.stdout, done.stdout + done.stderr
    with Gradebook(server) as gradebook:
        assert gradebook.find_submission(UNIT, "unlucky").score == gradebook.find_assignment(UNIT).max_score


def test_a_class_that_began_in_a_file_moves_without_running_again(start, released, server, monkeypatch, tmp_path):
    def mover(root):
        return perfect(root)

    root = copy_of(start, tmp_path / "course", [mover])
    with monkeypatch.context() as patch:
        patch.delenv("HIDDEN_STATE_GRADEBOOK")
        assert run("course", "grade", UNIT, cwd=root).returncode == 0
    done = run("course", "grade", UNIT, cwd=root)
    assert done.returncode == 0 and "1 graded. 0 notebooks ran" in done.stdout, done.stdout + done.stderr
    assert {key: value for key, value in scores(None, db_url=server).items() if key[0] == "mover"} == scores(root)


# All that reads it


def test_roster_export_report_and_feedback(graded, server):
    root = graded[0]
    (root / "class.csv").write_text("id,first_name,last_name,email\nperfect,Pía,Ruiz,pia@example.edu\nblank,Bo,Blank,bo@example.edu\n")
    for command in (["roster", "class.csv"], ["export", UNIT, "--for", "csv"], ["report", UNIT]):
        done = run("course", *command, cwd=root)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    with Gradebook(server) as gradebook:
        assert gradebook.find_student("perfect").email == "pia@example.edu"
        whole = gradebook.find_assignment(UNIT).max_score
    lines = {line["student_id"]: line for line in csv.DictReader((root / "grades.csv").open(encoding="utf-8-sig", newline=""))}
    assert {student: float(lines[student]["score"]) for student in ("perfect", "blank")} == {"perfect": whole, "blank": 0}
    assert "Pía" in (root / "report" / f"{UNIT}.html").read_text()
    nbgrader(root, "generate_feedback", UNIT)
    assert (root / "feedback" / "perfect" / UNIT / f"{CELL}.html").is_file()


# What goes wrong is said in words, and never with the password


@pytest.mark.parametrize(
    "change, words",
    [
        ({"PGPASSWORD": "another"}, "refuses the password"),
        ({"PGPASSWORD": ""}, "asks for a password"),
        ({"HIDDEN_STATE_GRADEBOOK": "postgresql+psycopg://grader:s3cret@/hidden_state?host=/nowhere"}, "does not answer"),
        ({"HIDDEN_STATE_GRADEBOOK": "postgresql+nothing://grader:s3cret@/hidden_state"}, "cannot be read"),
        ({"HIDDEN_STATE_GRADEBOOK": "grader:s3cret@server"}, "cannot be read"),
    ],
)
@pytest.mark.parametrize("command", ["grade", "report", "export", "roster"])
def test_in_words(released, monkeypatch, capsys, command, change, words):
    monkeypatch.chdir(released)
    for name, value in change.items():
        monkeypatch.setenv(name, value)
    arguments = {"roster": ["class.csv"], "export": [UNIT, "--for", "csv"]}.get(command, [UNIT])
    (released / "class.csv").write_text("id,first_name\nperfect,Pía\n")
    assert cli.main([command, *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said and "s3cret" not in said and "Traceback" not in said


def test_what_opens_it_is_not_installed(released, monkeypatch, capsys):
    monkeypatch.chdir(released)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert cli.main(["grade", UNIT]) == 2
    assert "pip install 'psycopg[binary]'" in capsys.readouterr().err


def test_a_release_without_the_server_changes_nothing(released):
    before = sorted((released / "notebooks" / UNIT).iterdir())
    done = run("nbgrader", "generate_assignment", UNIT, "--force", cwd=released, PGPASSWORD="another")
    assert done.returncode != 0 and "refuses the password" in done.stderr
    assert sorted((released / "notebooks" / UNIT).iterdir()) == before
