"""What an instructor sees after grading, at every width and for every size of class."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from course.grading import cli
from course.grading.summary import LONGEST, MANY, as_data, show

LESSONS = [f"0{n}_lesson" for n in range(1, 7)]
CALLS = {lesson: {"check_it": {"kind": "check", "name": "rnn_step", "variable": "rnn_step", "number": None}} for lesson in LESSONS}


def student(name, mistake="", reason="", failure=""):
    """(Work, grades) of a student with one mistake in lesson 3, or a lesson 2 that cannot be read, or no grade at all."""
    outcome = "wrong" if mistake else "passed"
    verdict = {**CALLS[LESSONS[2]]["check_it"], "outcome": outcome, "mistake": mistake}
    work = SimpleNamespace(
        student=name, status="failed" if failure else "graded", failure=failure, notes=[reason] if reason else [], missing=set(), cells={},
        reasons={LESSONS[1]: reason} if reason else {}, results={LESSONS[2]: {"verdicts": {"7": verdict}, "stopped": {}}},
    )
    grades = {lesson: {"check_it": (4, 4, 4)} for lesson in LESSONS} | ({LESSONS[2]: {"check_it": (0, 0, 4)}} if mistake else {})
    return work, grades


def data_of(*students):
    return as_data(SimpleNamespace(
        unit="pipeline", lessons=CALLS, ran=3, work={work.student: work for work, _ in students}, grades={work.student: grades for work, grades in students},
    ))


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
    assert "300 more, of whom 200 have every point and 100 lost some" in " ".join(said.split()) and "--all" in said
    assert len(said.splitlines()) < 30
    everybody = printed(data, 160, everybody=True)
    assert all(f"s{n:03d}" in everybody for n in range(300)) and "more, of whom" not in everybody


def test_a_class_of_forty_is_named():
    assert f"s{MANY - 1:03d}" in printed(data_of(*(student(f"s{n:03d}") for n in range(MANY))))
    assert "41 students, of whom 41 have every point" in printed(data_of(*(student(f"s{n:03d}") for n in range(MANY + 1))))


@pytest.mark.parametrize("target", [".", "no/such/folder/grades.json"])
def test_where_no_json_can_be_written_nothing_is_graded(target, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nbgrader_config.py").write_text("")
    assert cli.main(["grade", "pipeline", "--json", target]) == 2
    assert "no file can be written" in capsys.readouterr().err and not (tmp_path / ".course_grade").exists()


def test_a_json_file_is_named_as_seen_from_the_folder_of_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli._writable("x.json") == str(tmp_path / "x.json") and cli._writable("-") == "-" and cli._writable(None) is None
