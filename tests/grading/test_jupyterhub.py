"""A class on a real JupyterHub: two students and an instructor with accounts of their own, from the release to the feedback.

Everything goes the way of the pages: each signs in, has a server, and asks it what JupyterLab's buttons ask. Only `course grade` is
typed in the instructor's terminal, in the same namespaces. Accounts are system users, so what one may not read the system refuses.
"""

import os
import shutil
import sys
from html import unescape
from urllib.parse import quote

import hub
import pytest
from small_class import CELL, NO_TRANSPOSE, UNIT, ZERO, changed, right, scores
from support import ROOT, read

COURSE, LESSONS = "hidden-state", (ZERO, CELL)


def why_not():
    """What is missing for a Hub with accounts of their own, or ""."""
    if not sys.platform.startswith("linux"):
        return "accounts of their own, and the sandbox, are made on Linux only"
    if os.getuid() != 0:
        return "only root can start servers for other users: sudo make test-long TESTS=tests/grading/test_jupyterhub.py"
    if not hub.proxy():
        return "the proxy of JupyterHub is not here: python tools/start.py proxy"
    return ""


pytestmark = [pytest.mark.long, pytest.mark.skipif(bool(why_not()), reason=why_not() or "all is here")]


class Class:
    """A Hub's machine with a course in the instructor's home, and the three who have signed in."""

    def __init__(self, machine, exchange, sign_in):
        self.machine, self.exchange = machine, exchange
        self.root = machine.home("instructor") / "course"
        self.instructor, self.ada, self.ben = map(sign_in, ("instructor", "ada", "ben"))

    def formgrader(self, step):
        """One of Formgrader's buttons."""
        done = self.instructor.ask(f"~/formgrader/api/assignment/{UNIT}/{step}", {})
        assert done["success"], done
        return done

    def listed(self, student, status):
        """What the student's list of assignments shows."""
        answer = student.ask(f"~/assignments?course_id={COURSE}")
        assert answer["success"], answer
        return [each for each in answer["value"] if each["status"] == status]

    def do(self, student, action):
        """A button in the student's list of assignments."""
        answer = student.ask(f"~/assignments/{action}", {"course_id": COURSE, "assignment_id": UNIT})
        assert answer["success"], answer

    def save(self, student, lesson, notebook):
        """Save a notebook as JupyterLab does."""
        student.ask(f"~/api/contents/{UNIT}/{lesson}.ipynb", {"type": "notebook", "format": "json", "content": notebook}, method="PUT")

    def terminal(self, name, *words):
        """What a program says that somebody starts in a terminal of theirs, and its exit status."""
        done = self.machine.run_as(name, *words, cwd=self.root if name == "instructor" else None, **environment(self.exchange))
        return done.returncode, done.stdout + done.stderr


def environment(exchange):
    """What the image sets for every account."""
    settings = os.pathsep.join(filter(None, [f"{ROOT / 'docker'}", os.environ.get("JUPYTER_CONFIG_PATH")]))
    own = {"HIDDEN_STATE_EXCHANGE": f"{exchange}", "JUPYTER_CONFIG_PATH": settings}
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "JUPYTER_PATH", "OMP_NUM_THREADS", "JUPYTER_PREFER_ENV_PATH") if name in os.environ}
    return {**kept, **own}


@pytest.fixture(scope="module")
def course(start):
    """The Hub, with the unit released from the instructor's Formgrader."""
    with hub.machine("instructor", "ada", "ben") as machine:
        exchange = machine.folder / "exchange"
        exchange.mkdir()
        exchange.chmod(0o777)  # nbgrader asks for it: it makes the course's own folders in it
        home = machine.home("instructor")
        shutil.copytree(start, home / "course", ignore=shutil.ignore_patterns("gradebook.db*", "notebooks"))
        (home / ".jupyter").mkdir()
        (home / ".jupyter" / "nbgrader_config.py").write_text(f'load_subconfig("{home}/course/nbgrader_config.py")\n')
        machine.own(home, "instructor")
        with hub.running(machine, environment(exchange)) as sign_in:
            found = Class(machine, exchange, sign_in)
            found.formgrader("assign")
            found.formgrader("release")
            yield found


@pytest.fixture(scope="module")
def handed_in(course):
    """Both students have fetched, worked and submitted: ada everything right, ben with a known mistake."""
    released = {lesson: read(course.root / "notebooks" / UNIT / f"{lesson}.ipynb") for lesson in LESSONS}
    for student in (course.ada, course.ben):
        assert [each["assignment_id"] for each in course.listed(student, "released")] == [UNIT]
        course.do(student, "fetch")
        there = {entry["name"] for entry in student.ask(f"~/api/contents/{UNIT}")["content"]}
        assert {f"{lesson}.ipynb" for lesson in LESSONS} <= there and not [name for name in there if name.endswith((".md", ".yml"))]
        for lesson in LESSONS:
            assert told_apart(student.ask(f"~/api/contents/{UNIT}/{lesson}.ipynb")["content"]) == told_apart(released[lesson])
    for lesson in LESSONS:
        course.save(course.ada, lesson, right(course.root, lesson))
    course.save(course.ben, CELL, changed(right(course.root, CELL), "rnn_step", NO_TRANSPOSE))
    for student in (course.ada, course.ben):
        course.do(student, "submit")
    return course


@pytest.fixture(scope="module")
def graded(handed_in):
    """Collected in Formgrader, and graded with `course grade`."""
    handed_in.formgrader("collect")
    code, said = handed_in.terminal("instructor", sys.executable, "-m", "course", "grade", UNIT)
    assert code == 0, said
    return handed_in, said


@pytest.fixture(scope="module")
def told(graded):
    """Feedback is made, released, and fetched by each."""
    course, _ = graded
    course.formgrader("generate_feedback")
    course.formgrader("release_feedback")
    for student in (course.ada, course.ben):
        course.do(student, "fetch_feedback")
    return course


def told_apart(notebook):
    """What matters of a notebook: its cells' texts and nbgrader's marks."""
    return [("".join(cell["source"]), cell["metadata"].get("nbgrader")) for cell in notebook["cells"]]


def pages(course, student):
    """{lesson: text} of the feedback in a student's home, as the server gives it."""
    [submission] = course.listed(student, "submitted")[0]["submissions"]
    folder = quote(submission["local_feedback_path"])
    names = [entry["name"] for entry in student.ask(f"~/api/contents/{folder}")["content"]]
    return {name.removesuffix(".html"): unescape(student.ask(f"~/api/contents/{folder}/{name}?type=file&format=text")["content"]) for name in names}


# The way of a term


def test_what_is_collected_is_what_was_submitted(graded):
    course, _ = graded
    assert sorted(folder.name for folder in (course.root / "submitted").iterdir()) == ["ada", "ben"]
    for lesson in LESSONS:
        collected = read(course.root / "submitted" / "ada" / UNIT / f"{lesson}.ipynb")
        assert told_apart(collected) == told_apart(right(course.root, lesson))
    assert (course.root / "submitted" / "ada" / UNIT / "timestamp.txt").is_file()


def test_everybody_has_the_right_grade(graded):
    course, said = graded
    found = scores(course.root)
    assert all(score == most for lesson in LESSONS for score, most, _ in found["ada", lesson].values())
    assert found["ben", CELL]["check_rnn_step"][0] == 0 and "W_hh is not transposed" in said
    assert "no-sandbox" not in said


def test_formgrader_shows_them(graded):
    course, _ = graded
    [ada] = [each for each in course.instructor.ask(f"~/formgrader/api/submissions/{UNIT}") if each["student"] == "ada"]
    assert ada["autograded"] and ada["score"] == ada["max_score"] > 0
    [notebook] = [each for each in course.instructor.ask(f"~/formgrader/api/submitted_notebooks/{UNIT}/{CELL}") if each["student"] == "ben"]
    assert "rnn_step" in course.instructor.ask(f"~/formgrader/submissions/{notebook['id']}/")


def test_feedback_comes_back_to_who_it_is_for(told):
    ada, ben = pages(told, told.ada), pages(told, told.ben)
    assert set(ada) == {*LESSONS} and CELL in ben
    assert "W_hh is not transposed" in ben[CELL] and "W_hh is not transposed" not in ada[CELL]
    assert not [page for page in (*ada.values(), *ben.values()) if "hidden_check" in page or "BEGIN HIDDEN" in page]


def test_a_second_submission_replaces_the_first(told):
    told.save(told.ben, CELL, right(told.root, CELL))
    told.do(told.ben, "submit")
    code, said = told.terminal("instructor", sys.executable, "-m", "nbgrader", "collect", UNIT, "--update")
    assert code == 0, said
    code, said = told.terminal("instructor", sys.executable, "-m", "course", "grade", UNIT)
    assert code == 0 and "1 graded" in said and "1 unchanged" in said, said
    assert scores(told.root)["ben", CELL]["check_rnn_step"][0] > 0


# What an account may not see


def test_a_student_sees_nothing_of_another(handed_in):
    course = handed_in
    inbound = course.exchange / COURSE / "inbound"
    for place in (inbound, course.machine.home("ada"), course.machine.home("ada") / UNIT / f"{CELL}.ipynb"):
        code, said = course.terminal("ben", "ls", f"{place}")
        assert code != 0 and "Permission denied" in said, said
    with pytest.raises(hub.urllib.error.HTTPError) as refused:
        course.ben.ask(f"/user/ada/api/contents/{UNIT}/{CELL}.ipynb")
    assert refused.value.code in (403, 404)


def test_a_submission_is_found_by_its_name_alone_which_nobody_can_guess(handed_in):
    """nbgrader lets everybody enter the folder of a submission, and nobody list those that there are: its name is the key to it."""
    inbound = handed_in.exchange / COURSE / "inbound"
    [work] = inbound.glob("ada+*")
    *_, secret = work.name.split("+")
    assert len(work.name.split("+")) == 4 and len(secret) == 12
    for command in (f"cat {inbound}/ada+*/{CELL}.ipynb", f"ls {inbound}/'{work.name.removesuffix(secret)}'", f"rm -r {inbound}/ada+*"):
        code, said = handed_in.terminal("ben", "sh", "-c", command)
        assert code != 0, said
    assert (work / f"{CELL}.ipynb").is_file()


def test_a_student_sees_nothing_of_the_instructors(told):
    for place in (".", ".hidden_seed", "gradebook.db", f"solutions/{UNIT}", f"feedback/ada/{UNIT}", f"submitted/ada/{UNIT}", f"autograded/ada/{UNIT}"):
        assert (told.root / place).exists()
        code, said = told.terminal("ben", "ls", f"{told.root / place}")
        assert code != 0 and "Permission denied" in said, (place, said)
    code, said = told.terminal("ben", "ls", f"{told.exchange / COURSE / 'feedback'}")
    assert code != 0 and "Permission denied" in said


def test_a_student_changes_nothing_that_was_released(handed_in):
    outbound = handed_in.exchange / COURSE / "outbound" / UNIT
    for command in (["rm", "-rf", f"{outbound}"], ["touch", f"{outbound}/{CELL}.ipynb"], ["touch", f"{outbound}/more.ipynb"]):
        code, said = handed_in.terminal("ben", *command)
        assert code != 0 and "Permission denied" in said, said
    assert (outbound / f"{CELL}.ipynb").is_file()


def test_a_student_of_the_hub_is_no_grader(course):
    for path in (f"/user/instructor/formgrader/api/submissions/{UNIT}", "/user/instructor/api/contents"):
        with pytest.raises(hub.urllib.error.HTTPError) as refused:
            course.ben.ask(path)
        assert refused.value.code in (403, 404)
