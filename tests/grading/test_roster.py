"""`course roster`: the usual exports by their columns, merged into roster.csv and nbgrader's gradebook."""

import shutil
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from support import ROOT

from course.grading import cli
from course.grading.roster import people, sheets
from course.grading.roster.columns import fields_of
from course.grading.roster.exports import read_export
from course.grading.roster.people import Person, RosterError

DATA = Path(__file__).parent / "data" / "lms"


def by_mail(name):
    return {person.email or person.ids.get("login_id"): person for person in read_export(DATA / name)[0]}


def test_canvas():
    found, notes = read_export(DATA / "canvas_gradebook.csv")
    marta, kim, other, zoe, hanako, formula = found
    assert (marta.first_name, marta.last_name, marta.section) == ("Marta", "Castaño Ruiz", "Section A")
    assert marta.ids == {"canvas_id": "4101", "sis_id": "s-9001", "login_id": "marta.castano"}
    assert kim.name == other.name == "Min-jun Kim" and kim.ids["canvas_id"] != other.ids["canvas_id"]
    assert (hanako.last_name, hanako.first_name) == ("山田", "花子") and zoe.name == "Zoë O'Brien"
    assert len(notes) == 1 and "test student" in notes[0]


@pytest.mark.parametrize(
    "file, ids",
    [
        ("moodle_participants.csv", {"number_id": "9001"}),
        ("moodle_worksheet.csv", {"number_id": "9001", "participant_id": "7101"}),
        ("brightspace_grades.csv", {"number_id": "9001", "login_id": "mcastano"}),
        ("classroom_grades.csv", {}),
    ],
)
def test_others_by_their_columns(file, ids):
    marta = by_mail(file)["Marta.Castano@Example.edu"]
    assert (marta.name, marta.ids) == ("Marta Castaño Ruiz", ids)


def test_blackboard_in_utf_16_with_tabs():
    assert by_mail("blackboard_gradecenter.xls")["zoe"] == Person("", "Zoë", "O'Brien", ids={"login_id": "zoe", "number_id": "9004"})


def test_a_table_from_windows_in_german():
    assert by_mail("own_german.csv")["joerg@example.edu"] == Person("", "Jörg", "Müßig", "joerg@example.edu", "A", {"number_id": "9001"})


def test_rows_that_are_no_student_are_said(tmp_path):
    assert [note.split(": ", 1)[1].split()[0] for note in read_export(DATA / "classroom_grades.csv")[1]] == ["Date", "Points"]


@pytest.mark.parametrize(
    "data, words",
    [
        (b"", "is empty"),
        (b"PK\x03\x04rest", "Save it as CSV"),
        (b"colour,size\nred,3\n", "no column that says who"),
        (b"email,e-mail\na@b,c@d\n", "two columns for the same"),
        (b"id,name\nada,A\nada,B\n", "more than one student has the id 'ada'"),
        (b"id,name,email\nada,Ada,a@uni.org\nbob,Bob,A@uni.org\n", "Ada and Bob have the same e-mail, A@uni.org"),
        (b"id,name\n../../x,A\n", "may not hold /"),
        (b"id,name\n,A\n", "names no student"),
    ],
)
def test_what_cannot_be_read_is_said_with_the_remedy(tmp_path, data, words):
    (tmp_path / "class.csv").write_bytes(data)
    with pytest.raises(RosterError, match=words):
        read_export(tmp_path / "class.csv")


def test_an_id_of_another_name_is_named(tmp_path):
    (tmp_path / "class.csv").write_text("Kennzahl,email\n77,a@b.org\n")
    assert read_export(tmp_path / "class.csv", "kennzahl")[0][0].id == "77"
    with pytest.raises(RosterError, match="There are: Kennzahl, email"):
        read_export(tmp_path / "class.csv", "number")


def test_merging_joins_by_number_and_mail_and_never_by_name_alone():
    old = [Person("ada", "Ada", "King", "ada@a.org", ids={"canvas_id": "1"}), Person("kim1", "Min-jun", "Kim", "kim1@a.org")]
    new = [
        Person("", "Ada", "Lovelace", "ada@new.org", ids={"canvas_id": "1"}),
        Person("", "Min-jun", "Kim", "kim2@a.org"),
        Person("", "", "", "KIM1@a.org", "B"),
    ]
    everybody, added, changed = people.merged(old, new)
    assert [(each.id, each.last_name, each.section) for each in everybody] == [("ada", "Lovelace", ""), ("kim1", "Kim", "B"), ("kim2", "Kim", "")]
    assert [each.id for each in added] == ["kim2"] and {each.id for each in changed} == {"ada", "kim1"}


def test_two_of_one_login_at_two_places_stay_two():
    everybody, *_ = people.merged([], [Person("", email="ada@a.org"), Person("", email="ada@b.org")])
    assert [each.id for each in everybody] == ["ada", "ada@b.org"]


def test_aliases_are_everything_that_names_a_student():
    assert Person("Ada01", email="Ada.L@x.org", ids={"canvas_id": "41"}).aliases == {"ada01", "ada.l@x.org", "ada.l", "41"}


def test_what_is_written_is_read_again(tmp_path):
    class_ = [Person("a [1]", "=1+1", '@Müller; "x"', "+a@b.org", "-", {"canvas_id": "-7"}), Person("b", "'quoted", "山田")]
    people.write(tmp_path, class_)
    assert people.read(tmp_path) == class_ and (tmp_path / "roster.csv").stat().st_mode & 0o077 == 0
    people.write(tmp_path, class_[:1])
    assert (tmp_path / "roster.csv.before").read_text(encoding="utf-8").count("\n") == 3


def test_a_roster_that_is_broken_by_hand_is_said(tmp_path):
    (tmp_path / "roster.csv").write_text("id,first_name\nada,Ada\nada,Ben\n")
    with pytest.raises(RosterError, match="more than one student has the id 'ada'"):
        people.read(tmp_path)
    (tmp_path / "roster.csv").write_text("name\nada\n")
    with pytest.raises(RosterError, match="has no column id"):
        people.read(tmp_path)


@pytest.mark.parametrize("cell", ["=1+1", "+SUM(A1)", "-2+3", "@x", "\t=1", "＝1"])
def test_formulas_are_defused(cell):
    assert sheets.written([[cell]]).decode().lstrip('"').startswith("'") and sheets.as_meant(sheets.defused(cell)) == cell


@pytest.mark.parametrize("cell", ["-", "-3.5", "+4", "12,5", 7.25, "1e-3", "Ada", "ada@b.org", "'=x"])
def test_numbers_and_names_are_not_changed(cell):
    assert sheets.defused(cell) == str(cell)


def test_columns_of_ones_own():
    assert fields_of(["student_id", "First Name", "canvas_id"]) == {"id": 0, "first_name": 1, "canvas_id": 2}


@pytest.fixture
def course(tmp_path, monkeypatch):
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_fills_roster_and_gradebook(course, capsys):
    assert cli.main(["roster", str(DATA / "canvas_gradebook.csv"), "--dry-run"]) == 0
    assert "dry run" in capsys.readouterr().out and not (course / "roster.csv").exists()
    assert cli.main(["roster", str(DATA / "canvas_gradebook.csv"), str(DATA / "moodle_participants.csv")]) == 0
    said = capsys.readouterr().out
    assert "new: minjun2, Min-jun Kim, minjun2@example.edu" in said and "6 students: 6 new" in said  # one table's login is the other's e-mail
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        found = {student.id: student for student in gradebook.students}
        assert found["hanako"].last_name == "山田" and found["hanako"].lms_user_id == "4105"
    assert cli.main(["roster", str(DATA / "canvas_gradebook.csv"), str(DATA / "moodle_participants.csv")]) == 0
    assert "0 new, 0 changed" in capsys.readouterr().out


def test_the_command_says_why_not(course, capsys):
    assert cli.main(["roster", "no.csv"]) == 2
    assert "no.csv cannot be read: No such file" in capsys.readouterr().err
