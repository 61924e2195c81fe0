"""`course feedback UNIT`: the pages, only those that show less than is known, and a page that cannot be made stops nobody."""

import shutil
import sys
import zipfile

import pytest
from nbgrader.api import Gradebook
from small_class import CELL, UNIT, ZERO, blank, copy_of, partly, perfect
from support import run

from course.grading import cli
from course.grading.collect.place import REGISTER

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox runs on Linux")


@pytest.fixture(scope="module")
def graded(start, tmp_path_factory):
    root = copy_of(start, tmp_path_factory.mktemp("feedback"), [perfect, blank, partly])
    done = run("course", "grade", UNIT, cwd=root)
    assert done.returncode == 0, done.stderr
    return root


def feedback(*arguments):
    return cli.main(["feedback", *map(str, arguments)])


def pages(root):
    """{(student, lesson): when it was written}"""
    return {(file.parts[-3], file.stem): file.stat().st_mtime_ns for file in (root / "feedback").glob(f"*/{UNIT}/*.html")}


def text(root, student, lesson=CELL):
    return (root / "feedback" / student / UNIT / f"{lesson}.html").read_text(encoding="utf-8")


def written_anew(root, before):
    return {student for (student, lesson), when in pages(root).items() if before.get((student, lesson)) != when}


def test_everybody_has_pages_and_only_what_changed_is_written_anew(root, capsys):
    assert feedback(UNIT) == 0
    assert "The pages of 3 students are written, in feedback/STUDENT/pipeline/." in capsys.readouterr().out
    before = pages(root)
    assert set(before) == {(student, lesson) for student in ("perfect", "blank", "partly") for lesson in (ZERO, CELL)}
    assert feedback(UNIT) == 0 and pages(root) == before
    assert "All pages show what is known" in capsys.readouterr().out
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:  # points and a comment by hand, as Formgrader keeps them
        gradebook.find_grade("check_rnn_step", CELL, UNIT, "partly").manual_score = 3
        gradebook.find_comment("rnn_step", CELL, UNIT, "blank").manual_comment = "Come to my office."
        gradebook.db.commit()
    assert feedback(UNIT) == 0 and written_anew(root, before) == {"partly", "blank"}
    assert "Come to my office." in text(root, "blank") and "(Score: 3.0 / 4.0)" in text(root, "partly")
    (root / "feedback" / "perfect" / UNIT / f"{ZERO}.html").unlink()
    before = pages(root)
    assert feedback(UNIT) == 0 and written_anew(root, before) == {"perfect"}
    before = pages(root)
    assert feedback(UNIT, "--again") == 0 and written_anew(root, before) == {"perfect", "blank", "partly"}


def test_one_student_alone(root, capsys):
    assert feedback(UNIT, "--student", "blank") == 0
    assert {student for student, _ in pages(root)} == {"blank"}
    assert feedback(UNIT, "--student", "nobody") == 2
    assert "not graded in 'pipeline' yet: nobody. Run first: course grade pipeline" in capsys.readouterr().err


def test_a_page_that_cannot_be_made_stops_nobody_and_is_named(root, capsys):
    (root / "autograded" / "blank" / UNIT / f"{CELL}.ipynb").write_text("{damaged")
    assert feedback(UNIT) == 1
    said = capsys.readouterr().out
    assert "blank has no page: " in said and "The pages of 2 students are written" in said
    assert {student for student, _ in pages(root)} >= {"perfect", "partly"}
    assert feedback(UNIT) == 1 and "blank has no page: " in capsys.readouterr().out  # it is tried again, and it alone


def test_a_zip_is_packed_with_pages_that_show_all(root, capsys):
    folder = root / ".course_grade" / UNIT
    files = {
        f"{lesson}.ipynb": f'{{"lms": "canvas", "source": "fectper_41_9{place}_{lesson}.ipynb", "user_id": "41", "attachment_id": "9{place}"}}'
        for place, lesson in enumerate((ZERO, CELL))
    }
    told = ", ".join(f'"{name}": {about}' for name, about in files.items())
    (folder / REGISTER).write_text(f'{{"perfect": {{"time": "", "late": false, "files": {{{told}}}}}}}')
    assert feedback(UNIT, "--zip", "canvas") == 0
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        gradebook.find_comment("rnn_step", CELL, UNIT, "perfect").manual_comment = "Well done."
        gradebook.db.commit()
    assert feedback(UNIT, "--zip", "canvas") == 0
    with zipfile.ZipFile(root / f"feedback_{UNIT}_canvas.zip") as archive:
        assert sorted(archive.namelist()) == [f"fectper_41_90_{ZERO}.html", f"fectper_41_91_{CELL}.html"]
        assert "Well done." in archive.read(f"fectper_41_91_{CELL}.html").decode()


@pytest.mark.parametrize(
    "change, arguments, words",
    [
        (lambda root: None, ("pipline",), "There are: pipeline. Did you mean pipeline?"),
        (lambda root: None, (UNIT, "--to", "x.zip"), "--to names the zip"),
        (lambda root: shutil.rmtree(root / "autograded"), (UNIT,), "nobody has been graded in 'pipeline' yet. Run first: course grade pipeline"),
        (lambda root: (root / "gradebook.db").unlink(), (UNIT,), "there is no gradebook yet"),
        (lambda root: (root / "gradebook.db").write_text("no database"), (UNIT,), "the gradebook is no gradebook"),
    ],
)
def test_what_stops_it_is_said_in_a_sentence(root, capsys, change, arguments, words):
    change(root)
    assert feedback(*arguments) == 2
    assert words in capsys.readouterr().err and not (root / "feedback").exists()
