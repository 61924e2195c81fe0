"""The attacks of tests/attacks.py, handed in, graded, and opened in Chromium: in feedback pages and in Formgrader. None of them runs.

First the canary is tried: the same attacks without cleaning are heard.
"""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest
from attacks import ALL, as_run, filled, handed_in
from browser import chromium, running_lab
from canary import Watched, listening
from nbconvert.exporters import HTMLExporter
from nbgrader.api import Gradebook
from nbgrader.converters import GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from small_class import CELL, NO_TRANSPOSE, UNIT, changed, copy_of, perfect, right, scores
from support import nbgrader, run

pytestmark = pytest.mark.long
NAMES = {name for name, _, _ in ALL}
STUDENTS = {f"attacker_{number}": ALL[number::4] for number in range(4)}
IN_A_NAME = "<img src=x: onerror=(self.said=self.said||[]).push(1)>"
# Their markup is put into the page as it is, and only something else than a plain page (MathJax, Formgrader's jQuery) or nothing at all makes it run.
FIRES_AT_LEAST = 65


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def canary():
    with listening() as canary:
        yield canary


@pytest.fixture(autouse=True)
def quiet(canary):
    canary.heard.clear()


@pytest.fixture(scope="module")
def courses(start, tmp_path_factory, canary):
    """{"course grade" or "nbgrader autograde": a course in which the attacks were handed in, graded and answered}"""
    roots = {way: tmp_path_factory.mktemp("way") / "course" for way in ("course grade", "nbgrader autograde")}
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda item: _grade(*item, start, canary.address), roots.items()))
    return roots


def _grade(way, root, start, address):
    copy_of(start, root, [perfect])
    for student, attacks in STUDENTS.items():
        _hand_in(root, student, f"{CELL}.ipynb", handed_in(changed(right(root, CELL), "rnn_step", NO_TRANSPOSE), attacks, address))
    if way == "course grade":
        _hand_in(
            root, "misnamed", f"{CELL} {IN_A_NAME}.ipynb", {**right(root, CELL), "metadata": {}, "cells": []}
        )  # nothing is left to know it by: its name is told
        _hand_in(root, IN_A_NAME, f"{CELL}.ipynb", right(root, CELL))
        (root / "submitted" / "perfect" / UNIT / "more.html").write_text("<script>said = [1]</script>")
        done = run("course", "grade", UNIT, cwd=root)
        assert done.returncode == 1 and "may not have" in " ".join(done.stdout.split()), (done.stdout, done.stderr)
        shutil.rmtree(root / "submitted" / IN_A_NAME)
    else:
        nbgrader(root, "autograde", UNIT)
    nbgrader(root, "generate_feedback", UNIT)


def _hand_in(root, student, name, notebook):
    folder = root / "submitted" / student / UNIT
    folder.mkdir(parents=True)
    (folder / name).write_text(json.dumps(notebook), encoding="utf-8")


def _pages(root):
    """{student: path of the page of its lesson in Formgrader}"""
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        found = [(notebook.student.id, notebook.id) for notebook in gradebook.notebook_submissions(CELL, UNIT)]
    return {student: f"/formgrader/submissions/{number}/" for student, number in found if (root / "autograded" / student / UNIT / f"{CELL}.ipynb").exists()}


def _is_quiet(watched, canary):
    assert (canary.heard & NAMES, watched.elsewhere, watched.boxes, watched.said()) == (set(), [], [], [])


# The canary


def test_without_cleaning_most_attacks_are_heard(browser, canary, tmp_path):
    made = GenerateFeedback(coursedir=CourseDirectory(root=str(tmp_path)))
    page = HTMLExporter(config=made.config)
    about = {"nbgrader": {"notebook": CELL, "score": 0, "max_score": 0, "late_penalty": 0}}
    watched = Watched(browser, [canary.address])
    for attack in ALL:
        canary.pages[f"/page/{attack[0]}"] = page.from_notebook_node(as_run(attack, canary.address), about)[0]
        watched.open(f"{canary.address}/page/{attack[0]}")
    quiet = NAMES - canary.heard - set(watched.boxes)
    assert len(NAMES - quiet) >= FIRES_AT_LEAST, sorted(quiet)


# Feedback


@pytest.mark.parametrize("way", ["course grade", "nbgrader autograde"])
def test_nothing_runs_in_feedback(courses, browser, canary, way):
    root = courses[way]
    pages = sorted((root / "feedback").glob(f"*/{UNIT}/{CELL}.html"))
    assert {page.parts[-3] for page in pages} >= {*STUDENTS, "perfect"}
    for file in pages:
        canary.pages["/feedback"] = file.read_text(encoding="utf-8")
        for address in (f"{canary.address}/feedback", file.as_uri()):
            watched = Watched(browser, [canary.address, "file://"])
            watched.open(address)
            _is_quiet(watched, canary)
            watched.page.close()


def test_every_attack_was_on_a_page(courses):
    """Or nothing would be proved: before each stands a line that says its name."""
    for root in courses.values():
        text = "".join(file.read_text(encoding="utf-8") for file in (root / "feedback").glob(f"attacker_*/{UNIT}/{CELL}.html"))
        assert not [name for name in NAMES if f"This is {name}." not in text]


# Formgrader


@pytest.mark.parametrize("way", ["course grade", "nbgrader autograde"])
def test_nothing_runs_in_formgrader(courses, browser, canary, way):
    root = courses[way]
    before = scores(root)
    with running_lab(root) as address:
        site = address.removesuffix("/lab")
        for page in _pages(root).values():
            _opens_quietly(browser, site, page, canary)
        for page in ("gradebook", f"gradebook/{UNIT}", f"gradebook/{UNIT}/{CELL}", f"manage_submissions/{UNIT}", "manage_students"):
            _opens_quietly(browser, site, f"/formgrader/{page}", canary, graded=False)
        if way == "course grade":  # whatever came into autograded/ by another way
            _write_uncleaned(root, canary)
            for page in _pages(root).values():
                _opens_quietly(browser, site, page, canary)
    assert scores(root) == before


def _opens_quietly(browser, site, page, canary, graded=True):
    watched = Watched(browser, [site])
    assert watched.open(site + page) == 200
    _is_quiet(watched, canary)
    if graded:
        assert watched.page.evaluate(IN_ITS_PLACE) == [True, True]
        assert watched.page.evaluate("[typeof submission_id, formgrader.grades.loaded]") == ["string", True]
    watched.page.close()


# The field for the points of a check, and the button beside it: are they there, and does nothing lie over them?
IN_ITS_PLACE = """['#check_rnn_step', '.nbgrader_cell .full-credit'].map(name => {
    const field = document.querySelector(name);
    field.scrollIntoView({block: 'center'});
    const box = field.getBoundingClientRect();
    return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2) === field;
})"""


def _write_uncleaned(root, canary):
    """Put the attacks into autograded/ as they would be there if nothing had been cleaned."""
    for student, attacks in STUDENTS.items():
        file = root / "autograded" / student / UNIT / f"{CELL}.ipynb"
        notebook = nbformat.read(file, as_version=4)
        for attack in attacks:
            notebook.cells += as_run(attack, canary.address).cells
            if attack[1] == "notebook":
                notebook.metadata.update(filled(attack[2], attack[0], canary.address))
        file.write_text(json.dumps(notebook), encoding="utf-8")


def test_without_our_settings_formgrader_would_run_them(courses, browser, canary, tmp_path):
    """The canary once more: it hears in Formgrader too, also what needs Formgrader's own jQuery."""
    root = shutil.copytree(courses["nbgrader autograde"], tmp_path / "course")
    settings = root / "nbgrader_config.py"
    lines = settings.read_text(encoding="utf-8").splitlines()
    settings.write_text("\n".join(line for line in lines if not line.startswith("c.HTMLExporter")), encoding="utf-8")
    _write_uncleaned(root, canary)
    with running_lab(root) as address:
        site = address.removesuffix("/lab")
        watched = Watched(browser, [site, canary.address])
        watched.open(site + _pages(root)["attacker_0"])
    assert canary.heard & NAMES


def test_files_beside_a_notebook_do_not_run(courses):
    """Formgrader serves them from its own address."""
    folder = courses["course grade"] / "autograded" / "perfect" / UNIT
    assert not (folder / "more.html").exists() and (folder / "more.html.txt").exists()


def test_the_name_of_a_file_is_shown_and_does_nothing(courses):
    page = (courses["course grade"] / "feedback" / "misnamed" / UNIT / f"{CELL}.html").read_text(encoding="utf-8")
    assert "&lt;img src=x: onerror=" in page and "<img src=x" not in page
