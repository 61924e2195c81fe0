"""What an instructor sees after grading, at every width and for every size of class."""

import io
import json
import os
import sys
from types import SimpleNamespace

import pytest
from rich.console import Console

from course.grading import cli, seed
from course.grading.report.summary import LONGEST, MANY, as_data, show

LESSONS = [f"0{n}_lesson" for n in range(1, 7)]
CALLS = {lesson: {"check_it": {"kind": "check", "name": "rnn_step", "variable": "rnn_step", "number": None}} for lesson in LESSONS}


def student(name, mistake="", reason="", failure=""):
    """(Work, grades) of a student with one mistake in lesson 3, or a lesson 2 that cannot be read, or no grade at all."""
    outcome = "wrong" if mistake else "passed"
    verdict = {**CALLS[LESSONS[2]]["check_it"], "outcome": outcome, "mistake": mistake}
    work = SimpleNamespace(
        student=name,
        status="failed" if failure else "graded",
        failure=failure,
        notes=[reason] if reason else [],
        missing=set(),
        cells={},
        reasons={LESSONS[1]: reason} if reason else {},
        results={LESSONS[2]: {"verdicts": {"7": verdict}, "stopped": {}}},
    )
    grades = {lesson: {"check_it": (4, 4, 4)} for lesson in LESSONS} | ({LESSONS[2]: {"check_it": (0, 0, 4)}} if mistake else {})
    return work, grades


def round_of(*students):
    return SimpleNamespace(
        unit="pipeline",
        lessons=CALLS,
        ran=3,
        others={},
        work={work.student: work for work, _ in students},
        grades={work.student: grades for work, grades in students},
    )


def data_of(*students):
    return as_data(round_of(*students))


def printed(data, width=160, **options):
    console = Console(file=io.StringIO(), width=width, highlight=False)
    show(data, console, **options)
    return console.file.getvalue()


def test_nothing_that_a_student_wrote_is_a_command_to_the_terminal():
    escape = "\x1b[2J\x1b]52;c;eA==\x07 half\u202e\nway"
    data = data_of(student("a", mistake=f"raised {escape}"), student("b", reason=escape), student("c", failure=escape), student("d\x1b[2J"))
    said = printed(data)
    assert "half way" in said and not set("\x1b\x07\u202e") & set(said + str(data["mistakes"]) + str([each["notes"] for each in data["students"].values()]))


def test_a_long_mistake_is_cut():
    (found,) = data_of(student("a", mistake="x" * 10_000))["mistakes"]
    assert len(found["mistake"]) <= LONGEST + 4


@pytest.mark.parametrize("width, columns", [(160, True), (110, True), (80, False)])
def test_lessons_have_columns_where_there_is_room(width, columns):
    said = printed(data_of(student("ada"), student("ben", mistake="W_hh is not transposed")), width)
    assert ("06" in said.splitlines()[2]) == columns
    assert "03 rnn_step 0/4" in said and max(map(len, said.splitlines())) <= width


def test_a_large_class_is_told_in_a_few_lines():
    students = [student(f"s{n:03d}", mistake="W_hh is not transposed" if n % 3 == 0 else "") for n in range(300)]
    data = data_of(*students, student("broken", reason="02_lesson.ipynb is empty"), student("lost", failure="killed"))
    said = printed(data, 80)
    assert "is empty" in said and "NO GRADE: killed" in said and "s000" not in said
    assert "300 more, of whom 200 lost no points and 100 lost some. Each by name" in " ".join(said.split()) and "--all" in said
    assert len(said.splitlines()) < 30
    everybody = printed(data, 160, everybody=True)
    assert all(f"s{n:03d}" in everybody for n in range(300)) and "more, of whom" not in everybody


def test_a_class_of_forty_is_named():
    assert f"s{MANY - 1:03d}" in printed(data_of(*(student(f"s{n:03d}") for n in range(MANY))))
    assert "41 students, of whom 41 lost no points" in printed(data_of(*(student(f"s{n:03d}") for n in range(MANY + 1))))


def test_a_lesson_that_many_left_out_makes_no_long_table():
    students = [student(f"s{n:03d}") for n in range(MANY + 1)]
    for work, grades in students:
        work.missing, grades[LESSONS[5]] = {LESSONS[5]}, {"check_it": (0, 0, 4)}
    said = printed(data_of(*students))
    assert "s000" not in said and "41 students, of whom 0 lost no points and 41 lost some" in said


def test_what_nobody_has_read_yet_is_not_lost():
    students = [student(f"s{n:03d}", mistake="" if n else "W_hh is not transposed") for n in range(MANY + 1)]
    for _, grades in students[:30]:
        grades[LESSONS[5]]["key_insight"] = (0, 0, 3)
    said = " ".join(printed(data_of(*students)).split())
    assert "41 students, of whom 40 lost no points and 1 lost some. 30 wrote something that is to be read." in said


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course, with a folder in it as the current one, in which grading takes no time: it notes where the seed is, which is named from the root."""

    class Round:
        def __init__(self, *_):
            students = [student(f"s{n:03d}") for n in range(MANY)] + [student("d\x1b[2J\x9b2J")]
            vars(self).update(vars(round_of(*students)))

        def run(self, watch):
            Round.seed = seed.seed_file()

    instead = SimpleNamespace(GradeError=RuntimeError, Options=lambda *_: None, Round=Round, find_root=lambda: tmp_path)
    monkeypatch.setitem(sys.modules, "course.grading.round", instead)
    monkeypatch.setenv("HIDDEN_STATE_SEED_FILE", os.path.join("kept", "seed"))
    (tmp_path / "nbgrader_config.py").write_text("")
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    assert seed.seed_file() == tmp_path / "kept" / "seed"
    return SimpleNamespace(root=tmp_path, round=Round)


def test_files_are_named_as_seen_from_the_folder_of_the_command(course):
    assert cli.main(["grade", "pipeline", "--json", "x.json"]) == 0
    assert course.round.seed == course.root / "kept" / "seed" and os.getcwd() == str(course.root)
    assert len(json.loads((course.root / "mine" / "x.json").read_text(encoding="utf-8"))["students"]) == MANY + 1


def test_json_on_a_terminal_is_no_command_to_it(course, capsys):
    assert cli.main(["grade", "pipeline", "--json", "-"]) == 0
    written = capsys.readouterr().out
    assert r"d\x1b[2J\x9b2J" in json.loads(written)["students"] and written.isascii() and "\x1b" not in written


@pytest.mark.parametrize("options, named", [([], False), (["--all"], True)])
def test_all_names_everybody(course, capsys, options, named):
    assert cli.main(["grade", "pipeline", *options]) == 0
    assert ("s000" in capsys.readouterr().out) == named


@pytest.mark.parametrize("target", [".", "no/such/folder/grades.json", "file/grades.json", ""])
def test_where_no_json_can_be_written_nothing_is_graded(course, capsys, target):
    (course.root / "mine" / "file").write_text("")
    with pytest.raises(SystemExit) as ended:
        cli.main(["grade", "pipeline", "--json", target])
    assert ended.value.code == 2 and "no file can be written" in capsys.readouterr().err and not hasattr(course.round, "seed")


def test_the_help_tells_every_way_to_end(capsys):
    with pytest.raises(SystemExit):
        cli.main(["grade", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "could not begin or go on" in said and "130 stopped by Ctrl-C" in said and "What was graded by then stays" in said
