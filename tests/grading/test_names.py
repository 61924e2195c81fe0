"""Right work under whatever name, in whatever folder, in a zip: it is recognised by what is in it, and graded. What is not recognised is named, with the remedy."""

import io
import json
import os
import stat
import sys
import zipfile
from types import SimpleNamespace

import pytest
from browser import running_lab, status
from nbgrader.api import Gradebook
from small_class import CELL, UNIT, ZERO, copy_of, released, right
from support import read, run, source

from course.grading.intake import chosen, names, which
from course.grading.intake.reader import nbgraders_settings
from course.grading.report import feedback

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox runs on Linux")
KINDS = {}
HELPER = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code", "id": "a", "metadata": {}, "source": "from_helper = 5"}]}
for cell in HELPER["cells"]:
    cell |= {"outputs": [], "execution_count": None}


def handed_in(name, note="", reason="", points=9, other="", other_lesson=""):
    """Decorates what puts files into one student's folder: put(folder of the student, the right notebook)."""

    def decorate(put):
        KINDS[name] = SimpleNamespace(put=put, note=note, reason=reason, points=points, other=other, other_lesson=other_lesson)
        return put

    return decorate


def write(file, notebook):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(notebook if isinstance(notebook, str) else json.dumps(notebook), encoding="utf-8")


def named(place):
    return lambda folder, notebook: write(folder / UNIT / place, notebook)


for number, place in enumerate(
    (
        f"{CELL} (1).ipynb",
        f"{CELL}-Copy1.ipynb",
        f"Copy of {CELL}.ipynb",
        f"{CELL}.ipynb.txt",
        "03 cell.ipynb",
        "homework3.ipynb",
        "Homework [final] *?.ipynb",
        "ÄÖ 作业.ipynb",
        f"homework/week 3/{CELL}.ipynb",
        f"{CELL.upper()}.IPYNB",
    )
):
    handed_in(f"name {number}", note="was taken for")(named(place))


@handed_in("m [x]")
@handed_in("a*?")
def only_the_students_name(folder, notebook):
    write(folder / UNIT / f"{CELL}.ipynb", notebook)


@handed_in("no folder", note=f"holds no folder {UNIT}")
def no_folder_of_the_unit(folder, notebook):
    write(folder / f"{CELL}.ipynb", notebook)


@handed_in("other folder", note="was taken for")
def a_folder_of_another_name(folder, notebook):
    write(folder / "my homework" / "third.ipynb", notebook)


def zipped(files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed:
        for place, content in files.items():
            packed.writestr(place, content if isinstance(content, (str, bytes)) else json.dumps(content))
    return data.getvalue()


@handed_in("zip", note="homework.zip/pipeline/homework3.ipynb was taken for")
def a_zip(folder, notebook):
    (folder / UNIT).mkdir(parents=True)
    rest = {
        "__MACOSX/pipeline/._homework3.ipynb": b"\x00\x05\x16\x07",
        "pipeline/numbers.txt": "1 2 3",
        "pipeline/.ipynb_checkpoints/homework3-checkpoint.ipynb": "{}",
    }
    cell = {"cell_type": "code", "id": "mine", "metadata": {}, "source": "assert open('numbers.txt').read() == '1 2 3'\nrnn_step = rnn_step"}
    place = next(place for place, each in enumerate(notebook["cells"]) if "check(" in source(each))
    notebook = {**notebook, "cells": [*notebook["cells"][:place], {**cell, "outputs": [], "execution_count": None}, *notebook["cells"][place:]]}
    (folder / UNIT / "homework.zip").write_bytes(zipped({"pipeline/homework3.ipynb": notebook, **rest}))


@handed_in("zip without a folder", note="was taken for")
def a_zip_alone(folder, notebook):
    folder.mkdir(parents=True)
    (folder / "work.zip").write_bytes(zipped({f"{CELL}.ipynb": notebook}))


@handed_in("zip of data")
def a_zip_that_a_notebook_reads(folder, notebook):
    write(folder / UNIT / f"{CELL}.ipynb", notebook)
    (folder / UNIT / "data.zip").write_bytes(zipped({"data.csv": "1,2"}))


@handed_in("evil zip", reason=f"homework.zip holds '../../{CELL}.ipynb', which leads out of its folder", points=0)
def a_zip_that_leads_out(folder, notebook):
    (folder / UNIT).mkdir(parents=True)
    (folder / UNIT / "homework.zip").write_bytes(zipped({f"../../{CELL}.ipynb": notebook}))


@handed_in("evil zip beside", other_lesson="was not handed in, and more.zip holds '../x', which leads out of its folder")
def a_zip_that_leads_out_beside_a_lesson(folder, notebook):
    write(folder / UNIT / f"{CELL}.ipynb", notebook)
    (folder / UNIT / "more.zip").write_bytes(zipped({"../x": "x"}))


@handed_in("zip with a link", note="homework.zip/venv/python is a link, and links are not followed; it was left out")
def a_zip_with_more_than_it_should(folder, notebook):
    """What can be read counts: somebody packed a whole environment."""
    (folder / UNIT).mkdir(parents=True)
    about = zipfile.ZipInfo("venv/python")
    about.external_attr = (stat.S_IFLNK | 0o777) << 16
    (folder / UNIT / "homework.zip").write_bytes(zipped({about: "/usr/bin/python", f"{CELL}.ipynb": notebook}))


@handed_in("rar", reason="'work.rar', which is not opened here: unpack it, or ask for a zip", points=0)
def another_archive(folder, notebook):
    (folder / UNIT).mkdir(parents=True)
    (folder / UNIT / "work.rar").write_bytes(b"Rar!")


@handed_in("twice", note=f"{CELL}.ipynb was taken (7 answers written), and not {CELL} (1).ipynb (0 answers written)")
def twice_the_same_lesson(folder, notebook):
    write(folder / UNIT / f"{CELL}.ipynb", notebook)
    write(folder / UNIT / f"{CELL} (1).ipynb", released(folder.parents[1], CELL))


@handed_in("twice the other way", note=f"{CELL} (1).ipynb was taken")
def the_copy_has_the_work(folder, notebook):
    write(folder / UNIT / f"{CELL} (1).ipynb", notebook)
    write(folder / UNIT / f"{CELL}.ipynb", released(folder.parents[1], CELL))


@handed_in("one is damaged", note="was taken")
def the_right_name_is_damaged(folder, notebook):
    write(folder / UNIT / f"{CELL}-Copy1.ipynb", notebook)
    write(folder / UNIT / f"{CELL}.ipynb", json.dumps(notebook)[:500])


@handed_in("swapped", note="was taken for")
def the_name_of_another_lesson(folder, notebook):
    write(folder / UNIT / f"{ZERO}.ipynb", notebook)


@handed_in("unknown", reason="There is 'essay.ipynb': if it is a lesson, give it its name", points=0)
def something_else(folder, notebook):
    write(folder / UNIT / "essay.ipynb", HELPER)


@handed_in("elsewhere", other="There is 'essay.ipynb': if it is a lesson")
def something_else_in_no_folder(folder, notebook):
    write(folder / "essay.ipynb", HELPER)


@handed_in("helper")
def a_notebook_beside_the_lessons(folder, notebook):
    write(folder / UNIT / f"{CELL}.ipynb", notebook)
    attack = {"cell_type": "markdown", "id": "b", "metadata": {}, "source": "<script>alert(1)</script>kept"}
    write(folder / UNIT / "helper.ipynb", {**HELPER, "cells": [*HELPER["cells"], attack]})


@pytest.fixture(scope="module")
def graded(start, tmp_path_factory):
    """(the course, what the command printed, its JSON), with feedback. The course's own folder has brackets in its name."""
    root = copy_of(start, tmp_path_factory.mktemp("names") / "course [2026] *", [])
    notebook = right(root, CELL)
    for name, kind in KINDS.items():
        kind.put(root / "submitted" / name, json.loads(json.dumps(notebook)))
    done = run("course", "grade", UNIT, "--json", "grades.json", "--all", cwd=root)
    assert done.returncode == 0, (done.stdout, done.stderr)
    before = os.getcwd()
    os.chdir(root)
    try:
        said = feedback.write(nbgraders_settings(), UNIT)
    finally:
        os.chdir(before)
    assert not any(said.values())
    return root, " ".join(done.stdout.split()), read(root / "grades.json")


GRADED = [name for name, kind in KINDS.items() if not kind.other]


@pytest.mark.parametrize("student", GRADED)
def test_it_is_graded_or_named_with_the_remedy(graded, student):
    _, table, data = graded
    kind, about = KINDS[student], data["students"][student]
    assert about["points"] == kind.points and kind.note in " ".join(about["notes"])
    assert kind.reason in about["lessons"][CELL]["reason"]
    assert bool(kind.reason) == bool(about["lessons"][CELL]["reason"])
    assert kind.other_lesson in about["lessons"][ZERO]["reason"]


def test_what_is_no_submission_is_named_too(graded):
    _, table, data = graded
    assert KINDS["elsewhere"].other in data["not_submissions"]["elsewhere"] and "essay.ipynb" in table


@pytest.mark.parametrize("student", GRADED)
def test_each_has_its_page(graded, student):
    assert (graded[0] / "feedback" / student / UNIT / f"{CELL}.html").exists()


def test_a_zip_may_be_data(graded):
    folder = graded[0] / "autograded"
    assert (folder / "zip of data" / UNIT / "data.zip").exists() and not (folder / "zip" / UNIT / "homework.zip").exists()
    assert (folder / "zip" / UNIT / "numbers.txt").read_text() == "1 2 3"


def test_another_notebook_is_kept_and_clean(graded):
    folder = graded[0] / "autograded" / "helper" / UNIT
    assert not (folder / "helper.ipynb").exists()
    text = (folder / "other notebooks" / "helper.ipynb").read_text()
    assert "from_helper" in text and "kept" in text and "<script" not in text


def test_formgrader_opens_also_what_was_not_handed_in(graded):
    root, _, data = graded
    assert data["students"]["helper"]["lessons"][ZERO]["reason"] == "was not handed in"
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        pages = [notebook.id for submission in gradebook.assignment_submissions(UNIT) for notebook in submission.notebooks]
    plain = root.rename(root.with_name("course"))  # nbgrader's own pages take the name of a course for a pattern
    try:
        with running_lab(plain) as address:
            statuses = {status(f"{address.removesuffix('/lab')}/formgrader/submissions/{number}/") for number in pages}
    finally:
        plain.rename(root)
    assert len(pages) == 2 * len(GRADED) and statuses == {200}
    text = source(read(root / "autograded" / "helper" / UNIT / f"{ZERO}.ipynb")["cells"][0])
    assert "was not handed in" in text


def test_a_second_run_has_nothing_to_do(graded):
    again = run("course", "grade", UNIT, "--json", "-", cwd=graded[0])
    assert "Nothing to do" in again.stderr and json.loads(again.stdout)["notebooks_run"] == 0


def test_feedback_of_whom_nobody_graded_is_refused(graded, monkeypatch):
    monkeypatch.chdir(graded[0])
    with pytest.raises(feedback.GradeError, match="not graded in 'pipeline' yet: nobody. Run first: course grade pipeline"):
        feedback.write(nbgraders_settings(), UNIT, ["nobody"])
    with pytest.raises(feedback.GradeError, match="knows no unit 'piplin'"):
        feedback.write(nbgraders_settings(), "piplin")


# A unit that is not there


def test_a_typing_error_is_answered_before_anything_is_loaded(graded):
    done = run("course", "grade", "pipline", cwd=graded[0])
    assert done.returncode == 2 and "There are: pipeline. Did you mean pipeline?" in done.stderr
    assert "Loading" not in done.stderr and "Traceback" not in done.stderr


def test_what_is_said_of_an_unknown_unit(tmp_path):
    assert names.refusal(tmp_path, UNIT) == ""
    (tmp_path / "gradebook.db").write_text("no database")
    assert names.refusal(tmp_path, UNIT) == ""
    assert "Release it first: nbgrader generate_assignment x" in names.unknown("x", [])
    assert "There are: pipeline, training. To release another one" in names.unknown("zzz", ["training", "pipeline"])


# The parts


FACES = {
    "01_a": which.faces(
        {"01_a": ("A", [("a", True, "x = 0"), ("check_a", False, "check('a', x)")]), "02_b": ("B", [("b", True, "y = 0"), ("check_b", False, "check('b', y)")])}
    )
}["01_a"]


def notebook_of(title="", *cells):
    made = [{"cell_type": "code", "metadata": {"nbgrader": {"grade_id": name}} if name else {}, "source": text} for name, text in cells]
    return {"metadata": {"hidden_state": {"title": title}} if title else {}, "cells": made}


@pytest.mark.parametrize(
    "raw, lesson",
    [
        (notebook_of("A"), "01_a"),
        (notebook_of("", ("a", "x = 1"), ("check_a", "?")), "01_a"),
        (notebook_of("", (None, "check('b', y)")), "02_b"),
        (notebook_of("A", ("b", "y = 1"), ("check_b", "check('b', y)")), "02_b"),
        (notebook_of("", (None, "check('a', x)"), (None, "check('b', y)")), None),
        (notebook_of("C", ("c", "z = 1")), None),
        ({}, None),
        ([1], None),
        ({"metadata": [], "cells": {"a": 1}}, None),
        ({"metadata": {"hidden_state": {"title": ["A"]}}, "cells": [{"metadata": {"nbgrader": {"grade_id": {}}}, "source": 5}, 7]}, None),
    ],
)
def test_a_lesson_is_known_by_what_is_in_it(raw, lesson):
    assert which.lesson_of(raw, FACES) == lesson


def test_the_work_in_a_notebook():
    assert which.work_in(notebook_of("", ("a", "x = 0\n"), ("check_a", "check('a', x)")), FACES["01_a"]) == (0, 0)
    assert which.work_in(notebook_of("", ("a", "x = 1"), (None, "mine = 2")), FACES["01_a"]) == (1, 1)


@pytest.mark.parametrize(
    "place", ["01_a (2).ipynb", "01_a - Copy.ipynb", "01_a - Copy (3).ipynb", "Copy of Copy of 01_a.ipynb", "x/01 a.ipynb", "01-A-Copy12.ipynb"]
)
def test_what_systems_add_to_a_name(place):
    choice = chosen.Choice([*FACES], FACES)
    choice.add(place, lambda: json.dumps(notebook_of()).encode())
    choice.settle()
    assert [*choice.notebooks] == ["01_a"] and choice.missing == {"02_b"}


def test_too_many_notebooks_are_bounded(monkeypatch):
    monkeypatch.setattr(chosen, "MOST_NOTEBOOKS", 3)
    choice = chosen.Choice([*FACES], FACES)
    for number in range(5):
        choice.add(f"{number}.ipynb", lambda: b"{}")
    choice.settle()
    assert [bool(other.trouble) for other in choice.others] == [False, False, False, True, True]
