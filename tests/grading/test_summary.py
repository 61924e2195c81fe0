"""What an instructor sees after grading, at every width and for every size of class."""

import io
import json
import os
import sys
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from rich.console import Console

from course.grading import cli, seed
from course.grading.report.summary import LONGEST, MANY, as_data, show
from course.grading.report.totals import Exercise, Lesson, Total
from course.grading.roster.people import Person
from course.grading.run.whose import Class

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
        written={LESSONS[5]: {"key_insight"}},
        results={LESSONS[2]: {"verdicts": {"7": verdict}, "stopped": {}}},
    )
    grades = {lesson: {"check_it": (4, 4, 4)} for lesson in LESSONS} | ({LESSONS[2]: {"check_it": (0, 0, 4)}} if mistake else {})
    return work, grades


def total_of(name, grades, **more):
    """A Total from {lesson: {cell: (by machine, score, points)}}. What nobody has read has no score by machine."""
    lessons = {}
    for lesson, cells in grades.items():
        exercises = {cell: Exercise(cell, score, of, machine, None, machine is None) for cell, (machine, score, of) in cells.items()}
        lessons[lesson] = Lesson(lesson, sum(each.score for each in exercises.values()), 0.0, sum(each.of for each in exercises.values()), exercises)
    return Total(name, lessons=lessons, of=sum(lesson.of for lesson in lessons.values()), handed_in=True, **more)


def round_of(*students, people=(), **more):
    totals = {work.student: total_of(work.student, grades) for work, grades in students}
    everybody = [work.student for work, _ in students]
    about = {"unit": "pipeline", "lessons": CALLS, "ran": 3, "others": {}, "last": {}, "totals": totals, "everybody": everybody, "remarks": []}
    return SimpleNamespace(**{**about, "known": Class(people, everybody), "work": {work.student: work for work, _ in students}, **more})


def data_of(*students, **more):
    return as_data(round_of(*students, **more))


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
    assert "s000  " not in said and "41 students, of whom 0 lost no points and 41 lost some" in said
    assert "06 was not handed in by s000, s001, " in said and "and 31 more" in said and len(said.splitlines()) < 12


def test_a_lesson_without_points_is_never_missing():
    work, grades = student("ada")
    work.missing, grades[LESSONS[0]] = {LESSONS[0], LESSONS[1]}, {}
    data = data_of((work, grades))
    assert [lesson for lesson, found in data["students"]["ada"]["lessons"].items() if found["reason"]] == [LESSONS[1]]
    assert "not handed in: 02" in printed(data)


def test_what_nobody_has_read_yet_is_not_lost():
    students = [student(f"s{n:03d}", mistake="" if n else "W_hh is not transposed") for n in range(MANY + 1)]
    for _, grades in students[:30]:
        grades[LESSONS[5]]["key_insight"] = (None, 0, 3)
    said = " ".join(printed(data_of(*students)).split())
    assert "41 students, of whom 40 lost no points and 1 lost some. 30 wrote something that is to be read." in said


@pytest.mark.parametrize(
    "machine, by_hand, needs, written, read",
    [
        (None, None, True, True, True),
        (None, 0.0, False, True, False),
        (0, None, False, False, False),
        (None, None, True, False, False),
        (0, 2.0, True, True, False),
    ],
)
def test_what_is_to_be_read(machine, by_hand, needs, written, read):
    """Only where something was written, and until it was read: no points are a mark too."""
    work, grades = student("ada")
    work.written = {LESSONS[5]: {"key_insight"} if written else set()}
    total = total_of("ada", grades)
    total.lessons[LESSONS[5]].exercises["key_insight"] = Exercise("key_insight", by_hand or 0.0, 3, machine, by_hand, needs)
    data = data_of((work, grades), totals={"ada": total})
    assert data["students"]["ada"]["lessons"][LESSONS[5]]["exercises"]["key_insight"]["to_be_read"] == read
    assert ("key_insight is to be read" in printed(data)) == read


PEOPLE = [
    Person("ada01", "Ada", "Lovelace", "ada@uni.org", "B", {"canvas_id": "4711"}),
    Person("ben02", "Ben", "Ode", "ben@uni.org", "A"),
    Person("eve03", "Eve", "Alt", "eve@uni.org", "A"),
]


def test_students_have_names_and_sections_and_who_is_absent_is_named():
    data = data_of(student("ada01"), student("ben@uni.org"), student("nobody"), people=PEOPLE)
    assert [data["students"][name]["name"] for name in ("ada01", "ben@uni.org", "nobody")] == ["Ada Lovelace", "Ben Ode", ""]
    said = " ".join(printed(data).split())
    assert "Ada Lovelace (ada01) B" in said and "Ben Ode (ben@uni.org) A" in said and said.index("Ben") < said.index("Ada")
    assert "Handed in nothing (1): Eve Alt (eve03)." in said and data["handed_in_nothing"] == [{"student": "eve03", "name": "Eve Alt", "section": "A"}]


def test_the_gradebooks_name_goes_before_the_rosters():
    students = [student("ada01")]
    totals = {name: Total(name, first, last) for name, first, last in (("ada01", "Augusta", "King"), ("zed", "", ""))}
    data = data_of(*students, people=PEOPLE[:1], totals=totals)
    assert data["students"]["ada01"]["name"] == "Augusta King" and [each["student"] for each in data["handed_in_nothing"]] == ["zed"]


def test_one_student_alone_says_nothing_of_the_absent():
    assert data_of(student("ada01"), people=PEOPLE, everybody=[])["handed_in_nothing"] == []


def test_who_is_late_is_told_what_it_costs():
    work, grades = student("ada")
    due = datetime(2026, 11, 1)
    total = total_of("ada", grades, due=due, timestamp=due + timedelta(days=3, hours=2), extension=timedelta(days=1))
    total.lessons[LESSONS[0]].penalty = 1.5
    data = data_of((work, grades), totals={"ada": total})
    about = data["students"]["ada"]
    assert (about["raw"], about["penalty"], about["points"], about["seconds_late"]) == (24, 1.5, 22.5, 50 * 3600)
    said = " ".join(printed(data).split())
    assert "22.5/24" in said and "2.5/4" in said and "2 days 2 hours late, after an extension of 1 day, 1.5 points off" in said


def test_a_penalty_takes_no_more_than_there_is():
    total = total_of("ada", {LESSONS[0]: {"check_it": (1, 1, 4)}, LESSONS[1]: {"check_it": (4, 4, 4)}})
    total.lessons[LESSONS[0]].penalty = 9
    assert (total.raw, total.penalty, total.score, total.lessons[LESSONS[0]].score) == (5, 9, 0, 0)


def test_what_changed_since_the_last_time_is_told():
    data = data_of(student("ada"), student("ben"), last={"ada": 20.0, "ben": 24.0, "gone": 1.0})
    assert data["changed"] == {"ada": [20.0, 24.0]} and "Other points than the last time (1): ada 20 → 24." in printed(data)


def test_a_note_on_what_changed_nothing_is_none():
    work, grades = student("ada")
    work.notes = [f"03: Attribute 'checksum' for cell x{n} has changed! (should be: a, got: b)" for n in range(24)] + ["03: A second cell 'x'"]
    work.results[LESSONS[2]]["notes"] = ["cell 3: left out"]
    assert data_of((work, grades))["students"]["ada"]["notes"] == ["03: A second cell 'x'", f"{LESSONS[2]}: cell 3: left out"]


@pytest.mark.parametrize("typed, words", [("ben@uni.org", "of another student, Ben Ode (ben02)"), ("stranger", "does not have for this student")])
def test_an_answer_for_somebody_else_is_reported_as_such(typed, words):
    work, grades = student("ada01", mistake="answered for an id that is not their own")
    work.results[LESSONS[2]]["verdicts"]["7"]["typed"] = typed
    data = data_of((work, grades), people=PEOPLE)
    assert words in data["students"]["ada01"]["lessons"][LESSONS[2]]["exercises"]["check_it"]["said"]
    assert words in " ".join(printed(data, 400).split())


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
