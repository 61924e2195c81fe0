"""`course collect`: five systems' downloads told apart, matched by what is certain, put in place; and what is hostile left out."""

import io
import json
import os
import zipfile
from datetime import datetime
from pathlib import Path

import lms_samples as lms
import pytest
from lms_samples import CELL, CLASS, UNIT, ZERO

from course.grading import cli
from course.grading.collect import forms, match, place
from course.grading.intake.submissions import find_students
from course.grading.roster import sheets

# What the names say


@pytest.mark.parametrize(
    "sample, system",
    [
        ("canvas_download.txt", "canvas"),
        ("moodle_download.txt", "moodle"),
        ("moodle_download_3.0.txt", "moodle"),
        ("blackboard_download.txt", "blackboard"),
        ("brightspace_download.txt", "brightspace"),
        ("classroom_folder.txt", "folder"),
    ],
)
@pytest.mark.parametrize("around", ["", "Downloads of Unit 1/"])
def test_each_system_is_known_by_its_names(sample, system, around):
    wanted = [around + name for name in lms.names(sample)]
    found, handed, strange = forms.read_names(wanted)
    assert found == (system if not around or system != "folder" else "folder") and not strange
    assert set(handed) <= set(wanted) and all(each.file for each in handed.values())


@pytest.mark.parametrize(
    "name, who, number, late, file, attachment",
    [
        ("rivasmarta_4101_90011_02_zero_init.ipynb", "rivasmarta", "4101", False, "02_zero_init.ipynb", "90011"),
        ("rivasmarta_LATE_4101_90011_a_1_2_b.ipynb", "rivasmarta", "4101", True, "a_1_2_b.ipynb", "90011"),
        ("rivas2_4101_90011_x.txt", "rivas2", "4101", False, "x.txt", "90011"),
        ("van_der_berg_4101_90011_x.txt", "van_der_berg", "4101", False, "x.txt", "90011"),
        ("anon_Ab3xY_90011_x.ipynb", "anon_Ab3xY", "anon_Ab3xY", False, "x.ipynb", "90011"),
        ("LATE_anon_Ab3xY_90011_x.ipynb", "anon_Ab3xY", "anon_Ab3xY", True, "x.ipynb", "90011"),
        ("山田花子_4105_90051_3.ipynb", "山田花子", "4105", False, "3.ipynb", "90051"),
        ("rivasmarta_LATE_4101_text.html", "rivasmarta", "4101", True, "text.html", ""),
    ],
)
def test_names_of_canvas(name, who, number, late, file, attachment):
    assert forms.canvas(name) == forms.Handed("canvas", who, number, None, late, file, name, attachment)


@pytest.mark.parametrize("name", ["02_zero_init.ipynb", "4101_90011_x.ipynb", "a/rivas_4101_90011_x.ipynb", "rivas_4101_x.ipynb"])
def test_what_is_no_name_of_canvas(name):
    assert forms.canvas(name) is None


@pytest.mark.parametrize(
    "text, time",
    [
        ("Oct 10, 2025 1022 AM", datetime(2025, 10, 10, 10, 22)),
        ("Oct 9, 2025 1200 AM", datetime(2025, 10, 9)),
        ("October 9, 2025 1205 PM", datetime(2025, 10, 9, 12, 5)),
        ("Mar 1, 2026 105 PM", datetime(2026, 3, 1, 13, 5)),
        ("Mar 1, 2026 23:05", datetime(2026, 3, 1, 23, 5)),
        ("10 oct. 2025 10 h 22", None),
    ],
)
def test_times_of_brightspace(text, time):
    handed = forms.brightspace(f"39786-640693 - Anna - Lena Graf - {text}/a.ipynb")
    assert handed.time == time and (handed.who == "Anna - Lena Graf" or time is None)


@pytest.mark.parametrize("word", ["attempt", "Versuch", "tentative", "intento", "poging", "尝试"])
def test_blackboard_in_other_languages(word):
    handed = forms.blackboard(f"Unit_1_a_b_{word}_2025-10-10-10-22-13_my_file.ipynb")
    assert (handed.lms_id, handed.time, handed.file) == ("Unit_1_a_b", datetime(2025, 10, 10, 10, 22, 13), "my_file.ipynb")


def test_blackboards_and_brightspaces_own_files_are_nobodys():
    for sample in ("blackboard_download.txt", "brightspace_download.txt"):
        _, handed, strange = forms.read_names(lms.names(sample))
        assert not strange and all(name.endswith(".ipynb") for name in handed)


# Who


def who(sample, mended=None):
    _, handed, _ = forms.read_names(lms.names(sample))
    matched, unmatched = match.match(handed.values(), CLASS, mended or {})
    return {student: len(files) for student, files in matched.items()}, {each.handed[0].who: each for each in unmatched}


def test_canvas_by_number_and_else_by_name():
    matched, unmatched = who("canvas_download.txt")
    assert matched == {"marta": 3, "minjun1": 1, "minjun2": 1, "zoe": 2, "hanako [1]": 1}
    assert set(unmatched) == {"nobody11", "kimminjun", "visitorvera"}
    assert "another number than 4177" in unmatched["kimminjun"].why


def test_moodle_by_number_of_the_worksheet_and_else_by_name():
    matched, unmatched = who("moodle_download.txt")
    assert matched == {"marta": 2, "minjun1": 1, "minjun2": 1, "zoe": 1, "hanako [1]": 1} and set(unmatched) == {"Vera Visitor"}


def test_two_of_one_name_without_a_number_are_nobody():
    people = [person for person in CLASS if "minjun" in person.id]
    people = [type(person)(person.id, person.first_name, person.last_name, person.email) for person in people]
    _, [one, *_] = match.match([forms.moodle("Min-jun Kim_7102_assignsubmission_file/a.ipynb")], people, {})
    assert one.why == "more than one student has this name" and one.perhaps == ["minjun1", "minjun2"]


def test_blackboard_by_login_whatever_has_an_underscore():
    matched, unmatched = who("blackboard_download.txt")
    assert matched == {"marta": 2, "zoe": 1} and set(unmatched) == {"vera"}


def test_brightspace_by_name():
    matched, unmatched = who("brightspace_download.txt")
    assert matched == {"marta": 3, "zoe": 1} and set(unmatched) == {"Vera - Anna Visitor"}


def test_a_folder_of_anything():
    matched, unmatched = who("classroom_folder.txt")
    assert matched == {"marta": 1, "zoe": 1, "minjun1": 1, "hanako [1]": 1} and set(unmatched) == {"Min-jun Kim - 02_zero_init", "Copy of homework"}
    assert unmatched["Min-jun Kim - 02_zero_init"].perhaps == ["minjun1", "minjun2"]


@pytest.mark.parametrize(
    "written, student",
    [("Zoe OBrien", "zoe"), ("O’BRIEN, ZOË", "zoe"), ("Marta Castano Ruiz", "marta"), ("Castaño Ruiz Marta", "marta"), ("山田 花子", "hanako [1]")],
)
def test_names_without_accents_and_the_other_way_round(written, student):
    assert list(match.match([forms.moodle(f"{written}_9_assignsubmission_file/a.ipynb")], CLASS, {})[0]) == [student]


def test_a_name_that_is_alike_is_suggested_and_never_taken():
    matched, [one] = match.match([forms.moodle("Martha Castanho Ruiz_9_assignsubmission_file/a.ipynb")], CLASS, {})
    assert not matched and one.perhaps[0] == "marta"


def test_a_name_that_is_anothers_login_is_not_taken_for_it():
    """A student may call himself as another one logs in."""
    for handed in (forms.moodle("zoe_9_assignsubmission_file/a.ipynb"), forms.canvas("zoe_999_1_a.ipynb")):
        assert not match.match([handed], CLASS, {})[0]


# The command


def zipped(target, *files):
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return target


def packed(*files):
    data = io.BytesIO()
    zipped(data, *files)
    return data.getvalue()


@pytest.fixture
def root(tmp_path, monkeypatch):
    (tmp_path / "course").mkdir()
    monkeypatch.chdir(lms.course(tmp_path / "course"))
    return tmp_path / "course"


def collect(*arguments):
    return cli.main(["collect", *map(str, arguments)])


def tree(root):
    return {file.relative_to(root / "submitted").as_posix(): file.read_text() for file in (root / "submitted").rglob("*") if file.is_file()}


def test_from_canvas_into_place_and_back_with_the_list_mended(root, tmp_path, capsys):
    zip_ = lms.download("canvas_download.txt", tmp_path / "submissions.zip")
    assert collect(zip_, "--dry-run") == 1
    said = capsys.readouterr().out
    assert "marta > submitted/marta/pipeline: 02_zero_init.ipynb, 03_cell_step.ipynb, text.html (new)" in said and "(new, late)" in said
    assert not (root / "submitted").exists() and not (root / "unmatched.csv").exists()
    assert collect(UNIT, zip_) == 1
    said = capsys.readouterr().out
    assert "1 of 6 handed in nothing: idle" in said and "NOT MATCHED: visitorvera" in said and "3 NOT MATCHED" in said
    found = tree(root)
    assert found["marta/pipeline/03_cell_step.ipynb"] == "castañoruizmarta_4101_90012_03_cell_step-1.ipynb"
    assert found["minjun2/pipeline/02_zero_init.ipynb"].startswith("kimminjun_4103_") and not any("timestamp" in name for name in found)
    register = json.loads((root / ".course_grade" / UNIT / "collected.json").read_text())
    assert register["zoe"]["late"] and register["zoe"]["files"]["02_zero_init.ipynb"] == {
        "lms": "canvas",
        "source": "obrienzoë_LATE_4104_90041_02_zero_init-2.ipynb",
        "user_id": "4104",
        "attachment_id": "90041",
    }
    _mend(root / "unmatched.csv", {"visitorvera": "idle", "kimminjun": "-", "nobody11": "marta; zoe"})
    assert collect(UNIT, zip_, "--matches", "unmatched.csv") == 0
    assert tree(root)["idle/pipeline/02_zero_init.ipynb"].startswith("visitorvera")
    said = capsys.readouterr().out
    assert "NOT MATCHED" not in said and "unchanged" in said


def _mend(file, students):
    sheet = sheets.read(file)
    rows = [[students.get(row[1], row[0]), *row[1:]] for row in sheet.rows]
    file.write_bytes(sheets.written([sheet.header, *rows], ";", True))  # as a spreadsheet may save it


def test_collecting_twice_changes_nothing(root, tmp_path):
    zip_ = lms.download("moodle_download.txt", tmp_path / "d.zip")
    collect(zip_)
    before = tree(root)
    collect(zip_)
    assert tree(root) == before and "marta/pipeline/sub/notes.txt" in before


def test_what_is_replaced_is_kept_and_other_files_stay(root, tmp_path, capsys):
    collect(lms.download("moodle_download.txt", tmp_path / "d.zip"))
    (root / "submitted" / "marta" / UNIT / "timestamp.txt").write_text("2025-01-01 00:00:00 UTC")
    first = "Marta Castaño Ruiz_7101_assignsubmission_file/02_zero_init.ipynb"
    capsys.readouterr()
    collect(lms.download("moodle_download.txt", tmp_path / "e.zip", {first: "anew"}))
    said, found = capsys.readouterr().out, tree(root)
    assert "what was there is now in submitted/.before/" in said
    assert found["marta/pipeline/02_zero_init.ipynb"] == "anew" and "marta/pipeline/timestamp.txt" not in found
    [(place_, old)] = [(name, text) for name, text in found.items() if name.startswith(".before/") and name.endswith("marta/pipeline/02_zero_init.ipynb")]
    assert old == first and place_.count("/") == 4
    course = type("Course", (), {"submitted_directory": "submitted", "format_path": lambda *_: os.path.join(root, "submitted", "\0student\0", UNIT)})
    assert ".before" not in find_students(course(), UNIT).others


def test_two_files_of_a_lesson_in_one_hand_in_are_both_kept(root, tmp_path, capsys):
    """One of them has the work, and no name says which: grading looks into them."""
    zipped(
        tmp_path / "d.zip",
        (f"ruiz_4101_11_{CELL}.ipynb", "the work"),
        (f"ruiz_4101_12_{CELL} (1).ipynb", "as released"),
        (f"kim_4102_13_{CELL}-1.ipynb", "kim"),
    )
    assert collect(tmp_path / "d.zip") == 0
    found = f"marta/{UNIT}/{CELL}"
    assert tree(root) == {f"{found}.ipynb": "the work", f"{found} (1).ipynb": "as released", f"minjun1/{UNIT}/{CELL}.ipynb": "kim"}
    assert f"{CELL}.ipynb was handed in as {CELL} (1).ipynb and {CELL}.ipynb: grading takes the one with more work in it" in capsys.readouterr().out


def test_of_two_downloads_the_later_one_counts(root, tmp_path, capsys):
    zipped(tmp_path / "a.zip", (f"ruiz_4101_11_{CELL}.ipynb", "first"))
    zipped(tmp_path / "b.zip", (f"ruiz_4101_19_{CELL}-1.ipynb", "second"))
    assert collect(tmp_path / "a.zip", tmp_path / "b.zip") == 0
    assert tree(root) == {f"marta/{UNIT}/{CELL}.ipynb": "second"} and "handed in more than once: the newest is taken" in capsys.readouterr().out


def test_what_was_put_there_by_hand_was_handed_in(root, tmp_path, capsys):
    """In a student's own folder, without one of the unit; what lies in another unit's folder is something else."""
    (root / "solutions" / "training").mkdir()
    for file in (root / "submitted" / "zoe" / f"{CELL}.ipynb", root / "submitted" / "idle" / "training" / f"{CELL}.ipynb"):
        file.parent.mkdir(parents=True)
        file.write_text("x")
    zipped(tmp_path / "d.zip", (f"ruiz_4101_11_{CELL}.ipynb", "x"))
    assert collect(UNIT, tmp_path / "d.zip") == 0
    assert "4 of 6 handed in nothing: minjun1, minjun2, hanako [1], idle" in capsys.readouterr().out


def test_lessons_that_come_in_two_downloads_are_together(root, tmp_path):
    zipped(tmp_path / "a.zip", (f"marta/{ZERO}.ipynb", "zero"))
    zipped(tmp_path / "b.zip", (f"marta/{CELL} (1).ipynb", "cell"))
    assert collect(tmp_path / "a.zip") == 0 and collect(tmp_path / "b.zip") == 0
    assert {name: text for name, text in tree(root).items() if not name.startswith(".")} == {
        f"marta/{UNIT}/{ZERO}.ipynb": "zero",
        f"marta/{UNIT}/{CELL}.ipynb": "cell",
    }


@pytest.mark.parametrize(
    "sample, hours, text",
    [("brightspace_download.txt", "2025-10-11 11:05:00.000000 UTC", "105 PM/"), ("blackboard_download.txt", "2025-10-11 07:00:00.000000 UTC", "09-00-00_")],
)
def test_the_newest_counts_with_its_time_in_utc(root, tmp_path, capsys, sample, hours, text):
    collect(lms.download(sample, tmp_path / "d.zip"), "--timezone", "Europe/Berlin")
    found = tree(root)
    assert found["marta/pipeline/timestamp.txt"] == hours and text in found["marta/pipeline/02_zero_init.ipynb"]
    assert found["zoe/pipeline/timestamp.txt"].startswith(("2025-07-10 10:12", "2025-07-10 08:24"))  # summer time
    assert "handed in more than once: the newest is taken" in capsys.readouterr().out


def test_a_students_zip_is_unpacked_and_its_hostile_files_are_left_out(root, tmp_path, capsys):
    inner = packed((f"hw/{ZERO}.ipynb", "zero"), ("hw/../../../evil", "x"), ("hw/timestamp.txt", "1999-01-01"), ("hw/in.zip", packed(("a", "b"))))
    zipped(tmp_path / "d.zip", ("rivas_4101_1_work.zip", inner), ("kim_4102_2_work.zip", b"PK\x03\x04 damaged"), ("ob_4104_3_02_zero_init.ipynb", "zoe"))
    assert collect(tmp_path / "d.zip") == 1
    assert tree(root) == {f"marta/{UNIT}/{ZERO}.ipynb": "zero", f"zoe/{UNIT}/{ZERO}.ipynb": "zoe"}
    said = capsys.readouterr().out
    assert "leads out" in said and "a timestamp.txt of the student's own" in said and "zip in a zip" in said and "1 failed" in said


def test_a_folder_from_nbgraders_own_layout(root, tmp_path):
    for place_ in (f"marta/{UNIT}/{ZERO}.ipynb", f"hanako [1]/{UNIT}/{ZERO}.ipynb", f"hanako [1]/{UNIT}/timestamp.txt"):
        file = tmp_path / "from" / place_
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(place_)
    assert collect(tmp_path / "from") == 0
    assert set(tree(root)) == {f"marta/{UNIT}/{ZERO}.ipynb", f"hanako [1]/{UNIT}/{ZERO}.ipynb", f"hanako [1]/{UNIT}/timestamp.txt"}


def test_one_that_cannot_be_written_stops_nobody(root, tmp_path, capsys, monkeypatch):
    real = os.rename

    def rename(old, new):
        if "marta" in str(new):
            raise OSError(28, "No space left on device", str(new))
        real(old, new)

    monkeypatch.setattr(place.os, "rename", rename)
    assert collect(lms.download("moodle_download.txt", tmp_path / "d.zip")) == 1
    assert "No space left" in capsys.readouterr().out
    found = {Path(name).parts[0] for name in tree(root)}
    assert "marta" not in found and {"zoe", "minjun1", "minjun2"} <= found


@pytest.mark.parametrize(
    "change, arguments, words",
    [
        (lambda root: (root / "roster.csv").unlink(), ("d.zip",), "Make it first: course roster"),
        (lambda root: (root / "solutions" / "other").mkdir(), ("d.zip",), "There are: other, pipeline"),
        (lambda root: None, ("pipeline",), "what is to be collected"),
        (lambda root: None, ("d.zip", "--timezone", "Mars/Base"), "time zone 'Mars/Base'"),
        (lambda root: (root / "u.csv").write_text("student,who,lms,number\nnone,a,b,c\n"), ("d.zip", "--matches", "u.csv"), "no student with the id 'none'"),
    ],
)
def test_what_stops_it_is_said(root, capsys, change, arguments, words):
    lms.download("moodle_download.txt", root / "d.zip")
    change(root)
    assert collect(*arguments) == 2
    assert words in capsys.readouterr().err and not (root / "submitted").exists()
