"""`course export` and `course feedback`: nbgrader's own figures, in the form that Canvas and Moodle take."""

import csv
import io
import json
import zipfile
from datetime import timedelta

import lms_samples as lms
import pytest
from lms_samples import CELL, DATA, UNIT, ZERO
from nbgrader.api import Gradebook
from nbgrader.plugins import CsvExportPlugin

from course.grading import cli
from course.grading.collect import forms
from course.grading.export import canvas, choice, moodle, table
from course.grading.roster import people, sheets
from course.grading.roster.exports import read_export
from course.grading.roster.people import Person

POINTS = {ZERO: {"check_a": 3, "text": 6}, CELL: {"check_b": 20, "check_c": 25}}
SCORES = {
    "marta": {ZERO: {"check_a": 3, "text": 4.5}, CELL: {"check_b": 20, "check_c": 25}},
    "minjun1": {ZERO: {"check_a": 1.005, "text": 0}},
    "zoe": {ZERO: {"check_a": 3, "text": 0}, CELL: {"check_b": 20, "check_c": 0}},
}
PENALTIES = {"zoe": {ZERO: 5.0, CELL: 2.0}}
"""The first is more than the lesson has: points were taken away by hand after nbgrader had set it."""


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A course whose gradebook holds scores that are written beside them above."""
    root = lms.course(tmp_path_factory.mktemp("course"))
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        gradebook.add_assignment(UNIT)
        for lesson, cells in POINTS.items():
            gradebook.add_notebook(lesson, UNIT)
            for cell, points in cells.items():
                gradebook.add_grade_cell(cell, lesson, UNIT, max_score=points, cell_type="code")
        for person in lms.CLASS:
            gradebook.add_student(person.id, first_name=person.first_name, last_name=person.last_name, email=person.email)
        for student, lessons in SCORES.items():
            gradebook.add_submission(UNIT, student)
            for lesson, cells in lessons.items():
                notebook = gradebook.find_submission_notebook(lesson, UNIT, student)
                notebook.late_submission_penalty = PENALTIES.get(student, {}).get(lesson)
                for cell, score in cells.items():
                    grade = gradebook.find_grade(cell, lesson, UNIT, student)
                    grade.manual_score, grade.needs_manual_grade = score, cell == "text" and not score
        gradebook.db.commit()
    return root


def export(*arguments):
    return cli.main(["export", *map(str, arguments)])


def read(file):
    return list(csv.DictReader(io.StringIO(file.read_bytes().decode("utf-8-sig"), newline="")))


# The figures


def test_the_figures_of_units_are_those_of_nbgraders_export(root):
    address = f"sqlite:///{root / 'gradebook.db'}"
    with Gradebook(address) as gradebook:
        CsvExportPlugin(to=str(root / "theirs.csv")).export(gradebook)
    theirs = {row["student_id"]: row for row in read(root / "theirs.csv")}
    ours = {row.student: row for row in table.totals(address, "default_course")}
    assert set(theirs) == set(ours) == {person.id for person in lms.CLASS}
    for student, row in ours.items():
        wanted = [float(theirs[student][name]) for name in ("raw_score", "late_submission_penalty", "score", "max_score")]
        assert [row.raw, row.penalty, row.score, row.of] == wanted
    assert (ours["zoe"].score, ours["marta"].score, ours["idle"].score) == (16, 52.5, 0)
    assert not ours["idle"].graded and ours["zoe"].unread == 1


def test_by_lesson_and_by_exercise(root):
    address = f"sqlite:///{root / 'gradebook.db'}"
    lessons = {(row.student, row.item): row for row in table.totals(address, "default_course", [UNIT], "lesson")}
    assert (lessons["zoe", ZERO].score, lessons["zoe", CELL].score, lessons["idle", CELL].of) == (0, 18, 45)
    exercises = {(row.student, row.item): row for row in table.totals(address, "default_course", [UNIT], "exercise")}
    assert {item for _, item in exercises} == {f"{lesson} {cell}" for lesson, cells in POINTS.items() for cell in cells}
    assert exercises["zoe", f"{CELL} check_b"].score == 20 and exercises["marta", f"{ZERO} text"].score == 4.5


# Canvas


def canvas_rows(file):
    rows = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8"), newline="")))
    return rows, {row[1]: row for row in rows[3:]}


def test_canvas_gets_its_own_file_back_with_the_scores(root, capsys):
    assert export("--for", "canvas", "--gradebook", DATA / "canvas_gradebook.csv", "--column", "pipeline=70551") == 1
    before = sheets.read(DATA / "canvas_gradebook.csv")
    rows, students = canvas_rows(root / "grades_canvas.csv")
    assert rows[0] == before.first and rows[1:3] == before.rows[:2]  # Points Possible too
    assert students["4101"][5] == "52.50" and students["4102"][5] == "1.00" and students["4103"][5] == "0.00"
    assert students["4104"][5] == "N/A" and students["4199"][5] == ""
    assert [row[:5] + row[6:] for row in rows[3:5]] == [row[:5] + row[6:] for row in before.rows[2:4]]
    assert students["4106"][0] == '\'="Nobody, =1+1"' and "'=\"Nobody" not in (DATA / "canvas_gradebook.csv").read_text(encoding="utf-8")
    said = capsys.readouterr().out
    assert "Zoë O'Brien is not assigned it" in said and "Student, Test is in Canvas and not in the roster" in said
    assert "not in Canvas's file: idle" in said and "answers that wait to be read" in said


def test_what_canvas_exports_is_what_is_read_as_a_roster_again(root):
    export("--for", "canvas", "--gradebook", DATA / "canvas_gradebook.csv", "--column", "pipeline=70551")
    again, _ = read_export(root / "grades_canvas.csv")
    assert [each.ids for each in again] == [each.ids for each in read_export(DATA / "canvas_gradebook.csv")[0]]


def test_a_title_that_canvas_does_not_know_needs_new(root, capsys):
    arguments = ("--for", "canvas", "--gradebook", DATA / "canvas_gradebook.csv")
    assert export(*arguments) == 2
    said = capsys.readouterr().err
    assert "would make a new assignment" in said and "Unit 1: pipeline (70551); Essay (70552)" in said and not (root / "grades_canvas.csv").exists()
    assert export(*arguments, "--new") == 1
    rows, students = canvas_rows(root / "grades_canvas.csv")
    assert [row[-1] for row in rows[:3]] == ["pipeline", "", "54.00"] and students["4101"][-1] == "52.50" and students["4101"][5] == ""
    assert "Canvas will make a new assignment of pipeline" in capsys.readouterr().out


def sheet_of(*rows):
    return sheets.parse("\n".join(rows).encode())


ADA = Person("ada", "Ada", "King", ids={"canvas_id": "1"})


def test_a_column_is_found_by_the_name_of_the_lesson_and_its_points_are_compared():
    sheet = sheet_of('"Student";ID;SIS Login ID;Section;"02 Zero Init (7)";03_cell_step (8)', "    Points Possible;;;;10;9", '"King, Ada";1;ada;A;;')
    rows, notes = canvas.fill(sheet, {ZERO: 9.0, CELL: 9.0}, {("ada", ZERO): "7.00", ("ada", CELL): "8.50"}, [ADA], {CELL: "-"})
    assert rows[2][4:] == ["7.00", ""] and sheet.delimiter == ";"
    assert len(notes) == 1 and "is of 10 points in Canvas, and 02_zero_init of 9" in notes[0]


@pytest.mark.parametrize(
    "header, points, choice_, words",
    [
        ("Student,ID,Section,A (1),A (2)", "    Points Possible,,,1,1", {"a": "A"}, "more than one column"),
        ("Student,ID,Section,A (1)", "    Points Possible,,,(read only)", {}, "may only be read"),
        ("Student,ID,Section,B (1)", "    Points Possible,,,1", {"a": "C"}, "has no column 'C'"),
        ("Name,ID,B (1)", "x,y,z", {}, "not the gradebook as Canvas exports it"),
    ],
)
def test_what_canvas_would_misread_is_refused(header, points, choice_, words):
    with pytest.raises(choice.ExportError, match=words):
        canvas.fill(sheet_of(header, points, '"King, Ada",1,A,'), {"a": 1.0}, {}, [ADA], choice_)


def test_an_excused_student_stays_excused():
    sheet = sheet_of("Student,ID,Section,a (1)", "    Points Possible,,,1", '"King, Ada",1,A,EX')
    rows, notes = canvas.fill(sheet, {"a": 1.0}, {("ada", "a"): "1.00"}, [ADA], {})
    assert rows[2][3] == "EX" and "is excused" in notes[0]


def test_the_instructors_own_file_is_never_overwritten(root, capsys):
    (root / "mine.csv").write_bytes((DATA / "canvas_gradebook.csv").read_bytes())
    assert export("--for", "canvas", "--gradebook", "mine.csv", "--to", "mine.csv", "--new") == 2
    assert "would be overwritten" in capsys.readouterr().err and (root / "mine.csv").read_bytes() == (DATA / "canvas_gradebook.csv").read_bytes()


# Moodle


def test_moodle_gets_a_line_for_each_of_the_roster(root, capsys):
    assert export("--for", "moodle", "--by", "lesson") == 1
    rows = {row["Email address"]: row for row in read(root / "grades_moodle.csv")}
    assert list(rows) == [person.email for person in lms.CLASS]  # as it is written, capitals too
    assert rows["Marta.Castano@Example.edu"][ZERO] == "7.50" and rows["zoe@example.edu"][CELL] == "18.00" and rows["idle@example.edu"][CELL] == "0.00"


def test_who_would_stop_moodles_import_is_left_out_and_said():
    people_ = [
        Person("a", "A", "A", "a@x.org"),
        Person("b", "B", "B", ""),
        Person("c", "C", "C", "same@x.org"),
        Person("d", "D", "D", "SAME@x.org"),
        Person("e", "E", "E", "+e@x.org"),
    ]
    rows, notes = moodle.fill({"u": 120.0}, {}, people_)
    assert [row[2] for row in rows[1:]] == ["a@x.org"] and [note[0] for note in notes] == ["B", "C", "D", "E", "u"]
    assert "no more than 100" in notes[-1]
    assert moodle.fill({"u": 1.0}, {}, [Person("a", ids={"number_id": "007"})], "idnumber")[0] == [
        ["First name", "Last name", "ID number", "u"],
        ["", "", "007", ""],
    ]


# CSV, and what stays empty


def test_csv_has_a_line_for_each_figure_and_no_formula(root):
    people.write(root, [*lms.CLASS[:-1], Person("idle", "=HYPERLINK(1)", "@x", "idle@example.edu")])
    assert export(UNIT, "--for", "csv", "--by", "exercise", "--to", "mine.csv") == 1
    rows = read(root / "mine.csv")
    assert len(rows) == 4 * len(lms.CLASS) and (root / "mine.csv").stat().st_mode & 0o077 == 0
    marta = [row for row in rows if row["student_id"] == "marta"]
    assert [float(row["score"]) for row in marta] == [3, 4.5, 20, 25] and marta[0]["section"] == "A"
    idle = [row for row in rows if row["student_id"] == "idle"][0]
    assert (idle["first_name"], idle["last_name"], idle["score"]) == ("'=HYPERLINK(1)", "'@x", "0.0")


def test_what_is_not_graded_yet_is_empty_and_named(root, capsys):
    (root / "submitted" / "idle" / UNIT).mkdir(parents=True)
    assert export("--for", "csv") == 1
    found = {row["student_id"]: row["score"] for row in read(root / "grades.csv")}
    assert found["idle"] == "" and found["minjun2"] == "0.0" and "not graded yet, so left empty: idle" in capsys.readouterr().out
    assert export("--for", "csv", "--missing", "empty") == 1
    assert {row["student_id"]: row["score"] for row in read(root / "grades.csv")}["minjun2"] == ""


def test_more_time_is_no_hand_in(root, capsys):
    """nbgrader keeps it in a submission without anything in it."""
    export("--for", "csv")
    before = [line for line in capsys.readouterr().out.splitlines() if "wait to be read" in line]
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        gradebook.update_or_create_submission(UNIT, "idle", extension=timedelta(days=7))
        gradebook.db.commit()
    assert export("--for", "csv", "--missing", "empty") == 1
    assert {row["student_id"]: row["score"] for row in read(root / "grades.csv")}["idle"] == ""
    assert before and [line for line in capsys.readouterr().out.splitlines() if "wait to be read" in line] == before


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("--for", "canvas"), "needs the gradebook that Canvas exports"),
        (("--for", "csv", "pipline"), "does not know pipline"),
        (("--for", "canvas", "--gradebook", "no.csv"), "no.csv cannot be used"),
        (("--for", "canvas", "--gradebook", "roster.csv"), "not the gradebook as Canvas exports it"),
        (("--for", "canvas", "--gradebook", "roster.csv", "--column", "a=b", "--by", "lesson"), "ITEM one of: 02_zero_init, 03_cell_step"),
    ],
)
def test_what_stops_it_is_said(root, capsys, arguments, words):
    assert export(*arguments) == 2
    assert words in capsys.readouterr().err


def test_without_a_gradebook_it_says_so(root, capsys):
    (root / "gradebook.db").unlink()
    assert export("--for", "csv") == 2
    assert "there is no gradebook yet" in capsys.readouterr().err and not (root / "gradebook.db").exists()


# Feedback


def feedback(root, *students):
    for student in students:
        folder = root / "feedback" / student / UNIT
        folder.mkdir(parents=True)
        for lesson in (ZERO, CELL):
            (folder / f"{lesson}.html").write_text(f"{student} {lesson}")


def test_canvas_takes_feedback_back_under_its_own_names(root, tmp_path, capsys):
    cli.main(["collect", str(lms.download("canvas_download.txt", tmp_path / "d.zip"))])
    feedback(root, "marta", "zoe", "hanako [1]", "minjun1")
    assert cli.main(["feedback", UNIT, "--zip", "canvas"]) == 1
    with zipfile.ZipFile(root / f"feedback_{UNIT}_canvas.zip") as archive:
        found = {name: archive.read(name).decode() for name in archive.namelist()}
    assert found["castañoruizmarta_4101_90011_02_zero_init.html"] == f"marta {ZERO}"
    assert found["castañoruizmarta_4101_90012_03_cell_step.html"] == f"marta {CELL}"
    assert found["obrienzoë_LATE_4104_90041_02_zero_init.html"] == f"zoe {ZERO}"
    for name, text in found.items():  # as Canvas reads it: user and attachment, and an attachment that this user has handed in
        handed = forms.canvas(name)
        assert any(each.startswith(f"{handed.who}_") and f"_{handed.lms_id}_{handed.attachment}_" in each for each in lms.names("canvas_download.txt")), text
    assert "no feedback yet: minjun2. Run: course grade pipeline" in capsys.readouterr().out


@pytest.mark.parametrize("sample", ["moodle_download.txt", "moodle_download_3.0.txt"])
def test_moodle_takes_feedback_back_in_its_own_folders(root, tmp_path, sample):
    cli.main(["collect", str(lms.download(sample, tmp_path / "d.zip"))])
    feedback(root, "marta", "zoe")
    cli.main(["feedback", UNIT, "--zip", "moodle", "--to", str(tmp_path / "back.zip")])
    with zipfile.ZipFile(tmp_path / "back.zip") as archive:
        found = {name: archive.read(name).decode() for name in archive.namelist()}
    assert found[f"Marta Castaño Ruiz_7101_assignsubmission_file/{ZERO}.html"] == f"marta {ZERO}"
    for name in found:  # as importziplib.php reads it: four parts with _ between, the second a number
        assert len(parts := name.split("/")[0].split("_", 4)) == 4 and parts[1].isdigit() and parts[2:] == ["assignsubmission", "file"]


def test_a_pairs_pages_are_packed_once(root, tmp_path, capsys):
    zip_ = lms.download("canvas_download.txt", tmp_path / "d.zip")
    (root / "m.csv").write_bytes(sheets.written([["student", "who", "lms", "number"], ["idle; zoe", "visitorvera", "canvas", "4188"]]))
    cli.main(["collect", str(zip_), "--matches", "m.csv"])
    register = json.loads((root / ".course_grade" / UNIT / "collected.json").read_text())
    assert register["idle"]["files"]["02_zero_init.ipynb"]["user_id"] == "4188"
    feedback(root, "idle", "zoe")
    cli.main(["feedback", UNIT, "--zip", "canvas"])
    assert "handed in together with idle" in capsys.readouterr().out


def test_without_anything_to_pack_it_says_so(root, capsys, tmp_path):
    assert cli.main(["feedback", UNIT, "--zip", "canvas"]) == 2
    assert "Collect the download first" in capsys.readouterr().err
    cli.main(["collect", str(lms.download("moodle_download.txt", tmp_path / "d.zip"))])
    capsys.readouterr()
    assert cli.main(["feedback", UNIT, "--zip", "moodle"]) == 2
    assert "Run: course grade pipeline" in capsys.readouterr().err
    feedback(root, "marta")
    assert cli.main(["feedback", UNIT, "--zip", "canvas"]) == 2 and not (root / f"feedback_{UNIT}_canvas.zip").exists()
