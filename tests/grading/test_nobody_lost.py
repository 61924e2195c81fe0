"""Nobody who has handed something in is silently absent: whatever a folder or a file is called, is, or may not be read, it is graded or its reason is told.

One small class, graded by an ordinary user: root may read everything.
"""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from small_class import CELL, UNIT, copy_of, ordinary, perfect, right, scores
from support import nbgrader, read, source

from course.grading.intake import submissions, timestamp
from course.grading.intake.submissions import find_students, shown

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox runs on Linux")
ODD = {}
LIVE = f"<img src=x onerror=alert(1)>{CELL}.ipynb"
GRADE = [sys.executable, "-m", "course", "grade", UNIT, "--json", "grades.json", "--all"]


def odd(name, lost="", reason="", note="", notebook=True):
    """Decorates what is done to one student's folder. lost: words of why there is no grade; reason: of why there are no points; note: what is noted."""

    def decorate(change):
        ODD[name] = SimpleNamespace(change=change, lost=lost, reason=reason, note=note, notebook=notebook)
        return change

    return decorate


@odd("locked", lost="cannot be read: Permission denied")
def no_entry(folder, notebook):
    folder.parent.chmod(0)


@odd("locked_unit", lost="cannot be read: Permission denied")
def no_entry_to_the_unit(folder, notebook):
    folder.chmod(0)


@odd("locked_inside", note="data cannot be read: Permission denied")
def one_folder_that_may_not_be_read(folder, notebook):
    (folder / "data").mkdir(mode=0)


@odd("locked_file", reason="cannot be read: Permission denied")
def a_notebook_that_may_not_be_read(folder, notebook):
    (folder / f"{CELL}.ipynb").chmod(0)


@odd("two\nlines", lost="more than one line")
@odd(b"b\xe4r", lost="not text in UTF-8")
@odd(".dotted", lost="begins with a dot")
@odd("ada ", note="begins or ends with a space")
@odd("a[1]", note="no feedback page")
@odd("a*", note="no feedback page")
@odd("ünï'cödé & so on")
def only_a_name(folder, notebook):
    pass


@odd("a <b>", lost="may not have < >")
def markup_in_a_name(folder, notebook):
    pass


@odd("timestamp_folder", note="a folder called timestamp.txt")
def a_folder_for_a_timestamp(folder, notebook):
    (folder / "timestamp.txt").mkdir()
    (folder / "timestamp.txt" / "x").write_text("x")


@odd("timestamp_huge", note="no date and time")
def a_timestamp_that_takes_long(folder, notebook):
    (folder / "timestamp.txt").write_text("1" * 2**20)


@odd("timestamp_bytes", note="no date and time")
def a_timestamp_of_bytes(folder, notebook):
    (folder / "timestamp.txt").write_bytes(bytes(range(256)) * 10)


@odd("file_of_bytes", note="not text in UTF-8")
def a_file_with_such_a_name(folder, notebook):
    with open(os.fsencode(folder) + b"/\xff.txt", "w") as file:
        file.write("x")


@odd("deep", note="folders in each other")
def folders_1500_deep(folder, notebook):
    place = os.fspath(folder)
    for _ in range(1500):
        place += "/d"
        os.mkdir(place)


@odd("live_name", reason="give it its name", notebook=False)
def a_name_that_is_html(folder, notebook):
    (folder / LIVE).write_text(json.dumps(notebook)[:1000])


@odd("hidden_tests")
def words_of_nbgraders_in_a_cell(folder, notebook):
    own = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code" and not cell["metadata"].get("nbgrader"))
    own["source"] = [*own["source"], "\n### BEGIN HIDDEN TESTS\n"]
    notebook["cells"].append({"cell_type": "markdown", "id": "words", "metadata": {}, "source": "### BEGIN HIDDEN TESTS\n### BEGIN HIDDEN TESTS"})
    (folder / f"{CELL}.ipynb").write_text(json.dumps(notebook))


@odd("restored")
def ids_as_those_of_restored_cells(folder, notebook):
    for number, cell in enumerate(notebook["cells"]):
        cell["id"] = f"restored-{number}"
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade_id") != "check_layer_step"]
    (folder / f"{CELL}.ipynb").write_text(json.dumps(notebook))


@pytest.fixture(scope="module")
def graded(start, deep_folder):
    """(the course, what the command printed, its JSON)"""
    root = copy_of(start, deep_folder / "course", [])
    notebook = right(root, CELL)
    for name in ("0 honest", "zz honest"):
        put(root, name, notebook)
    (root / "submitted" / "notes.txt").write_text("on everybody")
    (root / "submitted" / "not yet").mkdir()
    for name, each in ODD.items():
        folder = put(root, os.fsdecode(name), notebook if each.notebook else None)
        each.change(folder, json.loads(json.dumps(notebook)))
    done = ordinary(GRADE, root)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    return root, done.stdout, read(root / "grades.json")


def put(root, name, notebook):
    folder = root / "submitted" / name / UNIT
    folder.mkdir(parents=True)
    if notebook:
        (folder / f"{CELL}.ipynb").write_text(json.dumps(notebook))
    return folder


@pytest.fixture(params=ODD, ids=lambda name: shown(os.fsdecode(name)))
def student(request, graded):
    """(what was odd about a student, what the JSON says, how the name is shown)"""
    name = shown(os.fsdecode(request.param))
    return ODD[request.param], graded[2]["students"][name], name


def test_each_is_graded_or_has_a_reason(student, graded):
    about, found, name = student
    if about.lost:
        assert about.lost in found["failure"] and name in graded[2]["without_grade"]
    elif about.reason:
        assert about.reason in found["lessons"][CELL]["reason"] and found["points"] == 0
    else:
        assert (found["status"], found["lessons"][CELL]["points"], found["lessons"][CELL]["reason"]) == ("graded", 9, "")
    assert about.note in " ".join(found["notes"])


def test_each_is_in_the_table(student, graded):
    assert student[2].split()[0] in graded[1]


def test_the_gradebook_has_everybody_who_is_graded(student, graded):
    about, _, name = student
    if not about.lost:
        assert sum(score for score, *_ in scores(graded[0])[name, CELL].values()) == (0 if about.reason else 9)


def test_honest_work_has_its_points(graded):
    for name in ("0 honest", "zz honest"):
        assert graded[2]["students"][name]["lessons"][CELL]["points"] == 9


def test_the_exit_status_and_the_last_line_name_who_has_no_grade(graded):
    lost = sorted(shown(os.fsdecode(name)) for name, each in ODD.items() if each.lost)
    assert sorted(graded[2]["without_grade"]) == lost
    assert f"{len(lost)} WITHOUT A GRADE" in graded[1]


def test_what_else_lies_in_submitted_is_told(graded):
    assert graded[2]["not_submissions"] == {"notes.txt": "is no folder", "not yet": f"holds no folder {UNIT}"}
    assert "notes.txt (is no folder)" in " ".join(graded[1].split())


def test_the_placeholder_shows_a_name_and_does_not_run_it(graded):
    notebook = read(graded[0] / "autograded" / "live_name" / UNIT / f"{CELL}.ipynb")
    assert "<img" not in source(notebook["cells"][0]) and "&lt;img" in source(notebook["cells"][0])


def test_nothing_deep_is_left_and_a_second_run_has_nothing_to_do(graded):
    root = graded[0]
    assert not [*root.glob(f".course_grade/{UNIT}/staged"), *root.glob(f".course_grade/{UNIT}/.aside-*")]
    again = ordinary(GRADE, root)
    data = read(root / "grades.json")
    assert again.returncode == 1 and data["notebooks_run"] == 0
    graded_now = {name for name, each in data["students"].items() if each["status"] == "graded"}
    assert not graded_now, graded_now


def test_everybody_with_a_grade_has_a_feedback_page(graded):
    root = graded[0]
    nbgrader(root, "generate_feedback", UNIT)
    for name, each in ODD.items():
        page = root / "feedback" / os.fsdecode(name) / UNIT / f"{CELL}.html"
        if not each.lost and "feedback" not in each.note:
            assert page.exists(), name
            assert "<img src=x" not in page.read_text(encoding="utf-8")


# What a run before has left


def test_a_deep_folder_of_a_run_before_stops_nobody(start, deep_folder):
    """By an older version, in every place where one may be."""
    root = copy_of(start, deep_folder / "older", [perfect])
    for place in (f".course_grade/{UNIT}/staged/perfect/{UNIT}", f"autograded/perfect/{UNIT}"):
        deep = root / place
        deep.mkdir(parents=True)
        folders_1500_deep(deep, None)
    done = subprocess.run(GRADE, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert read(root / "grades.json")["students"]["perfect"]["points"] == 18
    assert not (root / "autograded" / "perfect" / UNIT / "d").exists()
    assert not (root / ".course_grade" / UNIT / "staged").exists()


# The parts


class Course:
    """As much of nbgrader's as `find_students` asks for."""

    submitted_directory = "submitted"

    def __init__(self, root, structure):
        self.root, self.structure = root, structure

    def format_path(self, step, student, unit):
        return os.path.join(self.root, self.structure.format(nbgrader_step=step, student_id=student, assignment_id=unit))


@pytest.mark.parametrize(
    "structure",
    ["{nbgrader_step}/{student_id}/{assignment_id}", "{nbgrader_step}/{assignment_id}/{student_id}", "{nbgrader_step}/of-{student_id}-x/{assignment_id}"],
)
def test_nbgraders_structure_may_be_another(tmp_path, structure):
    course = Course(tmp_path, structure)
    os.makedirs(course.format_path("submitted", "ada", UNIT))
    found = find_students(course, UNIT)
    assert found.students == {"ada": course.format_path("submitted", "ada", UNIT)} and not found.lost
    read_back = submissions.read_submission("ada", found.students["ada"], [CELL], [], found.levels)
    assert read_back.reasons == {CELL: "no notebook was handed in"}


def test_a_link_at_any_level_is_not_followed(tmp_path):
    secret = tmp_path / "bob" / UNIT
    (secret / "data").mkdir(parents=True)
    (secret / f"{CELL}.ipynb").write_text("bob's")
    (secret / "data" / "x").write_text("bob's")
    submitted = tmp_path / "submitted"
    submitted.mkdir()
    (submitted / "ada").symlink_to(tmp_path / "bob")
    (submitted / "eve").mkdir()
    (submitted / "eve" / UNIT).symlink_to(secret)
    (submitted / "mal" / UNIT).mkdir(parents=True)
    (submitted / "mal" / UNIT / "data").symlink_to(secret / "data")
    for student in ("ada", "eve", "mal"):
        found = submissions.read_submission(student, str(submitted / student / UNIT), [CELL], [])
        assert "bob" not in str(found.notebooks) + str(found.files)
        assert "symbolic link" in found.reasons[CELL] or found.notes == ["data is a symbolic link, and links are not followed; it was left out"]


def test_a_folder_swapped_for_a_link_while_it_is_read_is_not_followed(tmp_path, monkeypatch):
    """The swap comes at the worst moment: after the folder was looked at, before the file in it is opened."""
    (tmp_path / "bob").mkdir()
    (tmp_path / "bob" / "x").write_text("bob's")
    mine = tmp_path / "submitted" / "ada" / UNIT
    (mine / "data").mkdir(parents=True)
    (mine / "data" / "x").write_text("mine")
    read_one = submissions._read

    def swapped(top, place, *more, **how):
        if place == "data/x" and not (mine / "data").is_symlink():
            (mine / "data").rename(mine / "was")
            (mine / "data").symlink_to(tmp_path / "bob")
        return read_one(top, place, *more, **how)

    monkeypatch.setattr(submissions, "_read", swapped)
    found = submissions.read_submission("ada", str(mine), [CELL], [])
    assert b"bob's" not in found.files.values() and "symbolic link" in " ".join(found.notes)


@pytest.mark.parametrize(
    "text, utc",
    [
        ("2026-11-22 10:11:12.123456 UTC\n", "2026-11-22 10:11:12.123456 UTC"),
        ("2026-11-22", "2026-11-22 00:00:00.000000 UTC"),
        ("2026-11-22T10:11:12Z", "2026-11-22 10:11:12.000000 UTC"),
        ("2026-11-22 10:11 +0130", "2026-11-22 08:41:00.000000 UTC"),
        ("2026-11-22 10:11:12 Europe/Berlin", "2026-11-22 09:11:12.000000 UTC"),
        ("2026-11-22 10:11:12 XQT", "2026-11-22 10:11:12.000000 UTC"),
        ("", ""),
        ("the day before yesterday", None),
        ("2026-13-01", None),
        ("0001-01-01", None),
        ("9999-12-31 23:59 -0100", None),
        ("2026-11-22 10:11:12 ../../etc/passwd", None),
        ("２０２６-11-22", None),
        ("1" * 65, None),
    ],
)
def test_a_timestamp_has_one_of_few_forms(text, utc):
    if utc is None:
        with pytest.raises(ValueError):
            timestamp.normal(text.encode())
    else:
        assert timestamp.normal(text.encode()).decode() == utc


def test_nbgrader_reads_what_it_wrote_itself(tmp_path):
    from nbgrader.utils import parse_utc

    for text in ("2026-11-22 10:11:12.123456 UTC", "2026-11-22 10:11:12 Europe/Berlin", "2026-11-22T10:11:12"):
        assert parse_utc(timestamp.normal(text.encode()).decode()) == parse_utc(text)
