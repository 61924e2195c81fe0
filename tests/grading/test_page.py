"""`course report`: what the page is made of. In a browser: test_page_in_browser.py."""

import contextlib
import glob
import hashlib
import inspect
import io
import json
import os
import random
import re
import sys
from types import SimpleNamespace

import nbformat
import pytest
from answers import rnn_step, run_stacked, train_epoch
from made_class import LONG, SHORT, class_of
from nbgrader.api import Gradebook
from small_class import CELL, NO_TRANSPOSE, UNIT, changed, copy_of, partly, perfect, right
from support import run

from course.grading import cli
from course.grading.page import alike, draw, history, numbers
from course.grading.page.command import html

PLACE = (CELL, "rnn_step")


def page_text(root):
    return (root / "report" / f"{UNIT}.html").read_text(encoding="utf-8")


# The history


def line(student="ada", work="1", **more):
    return {"at": "2026-11-25T10:00:00+00:00", "student": student, "work": work, "scores": {}, "verdicts": {}, "reasons": {}, "missing": [], **more}


def test_lines_are_added_and_read_in_their_order(tmp_path):
    for work in "123":
        history.add(tmp_path, line(work=work))
    history.add(tmp_path, line("ben"))
    assert [each["work"] for each in history.read(tmp_path)["ada"]] == ["1", "2", "3"] and len(history.read(tmp_path)["ben"]) == 1


@pytest.mark.parametrize("kept", [0, 1, 30, -2, -1])
def test_a_torn_last_line_costs_only_itself(tmp_path, kept):
    history.add(tmp_path, line(work="1"))
    whole = json.dumps(line(work="torn")).encode() + b"\n"
    with open(tmp_path / history.NAME, "ab") as file:
        file.write(whole[:kept])
    history.add(tmp_path, line(work="2"))
    assert [each["work"] for each in history.read(tmp_path)["ada"]] in (["1", "2"], ["1", "torn", "2"])  # without its newline alone it is whole


@pytest.mark.parametrize("rubbish", [b"\xff\xfe\n", b"[]\n", b"7\n", b'{"student": "ada"}\n', b"[" * 100_000 + b"\n", b"\0\0\n", b'{"student": null}\n'])
def test_what_is_no_line_of_ours_does_not_count(tmp_path, rubbish):
    (tmp_path / history.NAME).write_bytes(rubbish)
    history.add(tmp_path, line())
    assert history.read(tmp_path) == {"ada": [line()]}


def test_without_a_history_nobody_is_in_it(tmp_path):
    assert history.read(tmp_path) == {}


def test_regrading_is_no_hand_in():
    lines = [line(work="1"), line(work="1", at="later"), line(work="2"), line(work="1")]
    assert [(each["work"], each["at"][:5]) for each in history.hand_ins(lines)] == [("1", "later"), ("2", "2026-"), ("1", "2026-")]


def test_only_its_owner_reads_the_history(tmp_path):
    history.add(tmp_path, line())
    assert (tmp_path / history.NAME).stat().st_mode & 0o777 == 0o600


# What came of a question


@pytest.mark.parametrize(
    "row, state",
    [
        ((4, 4, False, "passed", False), "got"),
        ((4, 4, False, "wrong", False), "got"),
        ((2, 4, False, "wrong", False), "part"),
        ((0, 4, False, "wrong", False), "wrong"),
        ((0, 4, False, "raised", False), "wrong"),
        ((0, 4, False, "stopped", False), "stopped"),
        ((0, 4, False, "not attempted yet", False), "left"),
        ((0, 3, True, "", False), "read"),
        ((0, 3, False, "", False), "wrong"),
        ((0, 4, False, "", True), "none"),
        ((3, 3, False, "", True), "got"),
    ],
)
def test_the_state_of_a_question(row, state):
    assert numbers._state(*row) == state


def test_tries_are_the_hand_ins_in_a_row_without_success():
    def told(*outcomes):
        return [line(verdicts={CELL: {"c": [outcome, ""]}}) for outcome in outcomes]

    assert numbers._tries(told("wrong", "raised", "wrong"), CELL, "c") == 3
    assert numbers._tries(told("wrong", "passed", "wrong"), CELL, "c") == 1
    assert numbers._tries(told("wrong", "not attempted yet", "raised", "stopped"), CELL, "c") == 2


# Alike


def renamed(source):
    """The same code, written by somebody who hides where it is from."""
    for name in ("rows", "number", "total", "unit", "below", "before", "weight", "value"):
        source = re.sub(rf"\b{name}\b", f"my_{name[::-1]}", source)
    lines = source.splitlines()
    return "\n\n".join([lines[0], '    """All mine."""', *(f"{each}   # my idea {place}" for place, each in enumerate(lines[1:]))])


def sources(bank):
    return [inspect.getsource(answer) for answer in bank.RIGHT if inspect.isfunction(answer) and answer.__name__ != "<lambda>"]


def alone(cells):
    """{student: source} of answers that are not alike."""
    return {f"s{number:02d}": source for number, source in enumerate(cells)}


@pytest.mark.parametrize("others", [1, 10, 28])
def test_a_copy_under_other_names_is_found_whatever_the_size_of_the_class(others):
    pool = sources(rnn_step)
    wrote = {**alone([pool[number % len(pool)] if number % 2 else SHORT for number in range(others)]), "ada": LONG, "ben": renamed(LONG)}
    first, *_ = alike.in_the_class({PLACE: wrote}, {}, {PLACE: SHORT})
    assert (first.one, first.other) == ("ada", "ben") and first.cells[PLACE] > 0.9


def test_a_cell_that_many_copied_is_found():
    wrote = {**alone(sources(rnn_step)[:20]), **{f"copy{number}": LONG for number in range(5)}}
    assert {(pair.one, pair.other) for pair in alike.in_the_class({PLACE: wrote}, {}, {})} >= {("copy0", "copy4"), ("copy2", "copy3")}


@pytest.mark.parametrize("number", [3, 30, 300])
@pytest.mark.parametrize("answer", ['answer_1 = "C"', SHORT, "my_guess = [0.1, 0.2]"])
def test_a_short_cell_that_everybody_writes_alike_does_not_light_up(number, answer):
    wrote = {PLACE: {f"s{each}": answer for each in range(number)}}
    assert alike.in_the_class(wrote, {}, {}) == [] and alike.to_the_shipped(wrote, {}, {PLACE: answer}) == []


def test_two_who_wrote_a_short_cell_in_the_same_unusual_way_do_not_light_up():
    odd = "def rnn_step(x, h, W_ih, W_hh, b_ih, b_hh):\n    return (x @ W_ih.mT + h @ W_hh.mT + (b_ih + b_hh)).tanh()"
    wrote = {**{f"s{each}": SHORT for each in range(28)}, "ada": odd, "ben": odd}
    assert alike.in_the_class({PLACE: wrote}, {}, {PLACE: SHORT}) == []


@pytest.mark.parametrize("seed", range(5))
def test_right_answers_of_different_hands_do_not_light_up(seed):
    """Thirty who never met: in each of three exercises each has one of the answers of tests/answers that nobody else has, or the usual one."""
    draw_ = random.Random(seed)
    cells = {}
    for bank in (rnn_step, run_stacked, train_epoch):
        pool = sources(bank)
        usual, pool = pool[0], draw_.sample(pool[1:], len(pool) - 1)
        cells[CELL, bank.__name__] = {f"s{number:02d}": pool.pop() if pool and number % 2 else usual for number in range(30)}
    assert alike.in_the_class(cells, {}, {}) == []


def test_what_was_released_to_everybody_is_nobodys():
    frame = LONG.replace("below +", "below -")
    wrote = {**alone(sources(rnn_step)[:8]), "ada": frame.replace("-", "+"), "ben": frame.replace("-", "+")}
    assert alike.in_the_class({PLACE: wrote}, {PLACE: frame}, {}) == []


def test_who_has_the_shipped_solution_alone_is_shown_and_a_class_that_has_it_is_not():
    shipped = {PLACE: LONG}
    few = {**alone(sources(rnn_step)[:20]), "ada": renamed(LONG)}
    (found,) = alike.to_the_shipped({PLACE: few}, {}, shipped)
    assert found.one == "ada" and found.other == "" and found.cells[PLACE] > 0.9
    assert alike.to_the_shipped({PLACE: {f"s{number}": LONG for number in range(20)}}, {}, shipped) == []


@pytest.mark.parametrize(
    "source", ["", "# only a comment", "def (", "%matplotlib inline\nx = [", "(" * 20_000, "-" * 20_000 + "1", "\0", "x = 'é\udc80'", "lambda: " * 2_000 + "1"]
)
def test_whatever_is_in_a_cell_it_is_read(source):
    assert isinstance(alike.pieces(source), set)
    wrote = {"ada": source, "ben": LONG, "carl": LONG}
    assert [(pair.one, pair.other) for pair in alike.in_the_class({PLACE: wrote}, {}, {})] == [("ben", "carl")]


def test_two_copies_that_are_no_python_are_found_too():
    broken = LONG.replace("for number in", "for number on")
    wrote = {**alone(sources(rnn_step)[:15]), "ada": broken, "ben": broken.replace("rows", "found") + "# mine"}
    assert [(pair.one, pair.other) for pair in alike.in_the_class({PLACE: wrote}, {}, {})] == [("ada", "ben")]


def test_without_anybody_nothing_is_alike():
    assert alike.in_the_class({}, {}, {}) == alike.to_the_shipped({}, {}, {}) == []


# Pictures


def test_pictures_take_the_colours_of_the_page_and_say_their_point():
    picture, words = draw.distribution([0, 3, 9, 9], 9)
    assert "0, the most 9; 2 have all, 1 has none" in words and f'aria-label="{words}"' in picture
    assert not re.search(r"#[0-9a-f]{6}|https?://|<style|<script|<\?xml", re.sub(r"xmlns\S*", "", picture).replace('<style type="text/css">*{', ""))


def test_progress_says_who_gained():
    _, words = draw.progress([[1, 5], [4, 4], [6, 2, 3]], 9)
    assert words.startswith("3 handed in more than once: 1 gained points, 1 lost some.") and "4 points the first time and 4 the last time" in words


@pytest.mark.parametrize("points, of", [([0], 0), ([5], 5), ([12.5, 0.5], 10), ([0] * 300, 120)])
def test_any_points_are_drawn(points, of):
    assert draw.distribution(points, of)[0].startswith("<svg viewBox")


# The page


def test_the_commonest_mistakes_come_first_each_with_what_one_was_told():
    found = class_of(30)
    question = next(each for each in found.questions if len(each.mistakes) > 1)
    assert [len(each.students) for each in question.mistakes] == sorted((len(each.students) for each in question.mistakes), reverse=True)
    text = html(found)
    assert all(f'What <span class="who">{each.whose}</span> was told' in text for each in question.mistakes)


def test_the_page_says_that_a_similarity_is_no_verdict_and_shows_both():
    text = html(class_of(12))
    assert "a place to look, and never a verdict" in text
    assert (
        re.search(r'<span class="who">s000</span> and <span class="who">s001</span>', text)
        and text.count("from_below") == 0
        and text.count("below = sum(") == 2
    )


# The command, on a class that was graded


@pytest.fixture(scope="module")
def course(start, tmp_path_factory):
    """A course of three that was graded twice: ada and ben share an answer, and ben's was wrong the first time; and one more in the roster."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the sandbox runs on Linux")
    root = copy_of(start, tmp_path_factory.mktemp("class") / "course", [perfect, partly])
    hand_in(root, "ada", LONG)
    hand_in(root, "ben", NO_TRANSPOSE)
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
        book.add_student("zoe", first_name="<b>Zoe", last_name="Absent")
    grade(root)
    hand_in(root, "ben", renamed(LONG))
    grade(root)
    return root


def hand_in(root, student, answer):
    folder = root / "submitted" / student / UNIT
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{CELL}.ipynb").write_text(json.dumps(changed(right(root, CELL), "rnn_step", answer)), encoding="utf-8")


def grade(root):
    done = run("course", "grade", UNIT, cwd=root)
    assert done.returncode == 0, (done.stdout, done.stderr)


def report(root, *options, unit=UNIT):
    """The command in this process, in a course's folder: its status, and what it said."""
    with contextlib.chdir(root), contextlib.redirect_stdout(io.StringIO()) as said, contextlib.redirect_stderr(io.StringIO()) as complained:
        status = cli.main(["report", unit, *options])
    return SimpleNamespace(returncode=status, stdout=said.getvalue(), stderr=complained.getvalue())


def state(root):
    """{file: digest} of all but the page."""
    files = [file for file in glob.glob(f"{root}/**", recursive=True, include_hidden=True) if os.path.isfile(file) and "/report/" not in file]
    return {file: (hashlib.sha256(open(file, "rb").read()).hexdigest(), os.stat(file).st_mtime_ns) for file in files}


@pytest.fixture(scope="module")
def page(course):
    before = state(course)
    done = report(course)
    assert done.returncode == 0 and state(course) == before, done.stderr
    file = course / "report" / f"{UNIT}.html"
    assert str(file) in done.stdout and file.stat().st_mode & 0o777 == 0o600
    return page_text(course)


def test_questions_mistakes_and_the_absent_are_on_the_page(page):
    assert "W_hh is not transposed" in page and "Likely cause: W_hh is not transposed" in page
    assert re.search(r"1 of the roster handed in nothing.*zoe</span>, &lt;b&gt;Zoe Absent", page, flags=re.DOTALL)
    assert re.search(r"<code>rnn_step</code>.*?3 of 4 got it", page, flags=re.DOTALL)


def test_a_second_hand_in_is_progress_and_a_second_grading_is_none(page):
    assert "1 handed in more than once: 1 gained points, 0 lost some." in page and re.search(r"ben</th><td>5 → 9</td>", page)


def test_the_copy_is_a_place_to_look(page):
    assert re.search(r'<span class="who">ada</span> and <span class="who">ben</span></strong>:\s+03 <code>rnn_step</code> 100 %', page)
    assert "perfect</span> and" not in page


def test_an_unchanged_class_adds_nothing_to_the_history_and_every_verdict_is_in_it(course, page):
    kept = history.read(course / ".course_grade" / UNIT)
    assert {student: len(lines) for student, lines in kept.items()} == {"ada": 1, "ben": 2, "partly": 1, "perfect": 1}
    assert [each["verdicts"][CELL]["check_rnn_step"][0] for each in kept["ben"]] == ["wrong", "passed"]
    grade(course)
    assert history.read(course / ".course_grade" / UNIT) == kept


def test_without_the_history_points_are_shown_and_the_remedy_is_named(course, page, tmp_path):
    file = course / ".course_grade" / UNIT / history.NAME
    aside = file.rename(tmp_path / "aside")
    try:
        done = report(course, "--to", str(tmp_path / "page.html"))
    finally:
        aside.rename(file)
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert done.returncode == 0 and "Of 4 only the points are known" in text and f"course grade {UNIT} --again" in text and "3 of 4 got it" in text


def test_who_handed_in_and_is_not_graded_is_named_and_a_damaged_notebook_stops_nothing(course, page, tmp_path):
    hand_in(course, "late", LONG)
    damaged = course / "autograded" / "partly" / UNIT / f"{CELL}.ipynb"
    kept = damaged.read_bytes()
    damaged.write_bytes(kept[:1000])
    try:
        done = report(course, "--to", str(tmp_path / "page.html"))
    finally:
        damaged.write_bytes(kept)
    assert done.returncode == 0, done.stderr
    assert re.search(r"1 handed in and is not graded yet.*late", (tmp_path / "page.html").read_text(encoding="utf-8"), flags=re.DOTALL)


def test_a_class_where_nobody_handed_in(start, tmp_path):
    done = report(start, "--to", str(tmp_path / "page.html"))
    assert done.returncode == 0 and "Nobody handed in." in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "unit, target, words",
    [("pipline", "page.html", "the gradebook knows no unit 'pipline'"), ("../pipeline", "page.html", "knows no unit"), (UNIT, "a_file/page.html", "a_file")],
)
def test_what_cannot_be_made_is_said_with_status_2(start, tmp_path, unit, target, words):
    (tmp_path / "a_file").write_text("")
    done = report(start, "--to", str(tmp_path / target), unit=unit)
    assert done.returncode == 2 and words in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["a_file"]


def test_a_gradebook_that_is_none_is_said_with_status_2(tmp_path, start):
    (tmp_path / "nbgrader_config.py").write_bytes((start / "nbgrader_config.py").read_bytes())
    done = report(tmp_path)
    assert done.returncode == 2 and "no gradebook yet" in done.stderr
    (tmp_path / "gradebook.db").write_text("no database")
    done = report(tmp_path)
    assert done.returncode == 2 and "is no gradebook" in done.stderr


def test_help_says_what_is_kept_and_for_whom(capsys):
    with pytest.raises(SystemExit):
        cli.main(["report", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "never a verdict" in said and "report/UNIT.html" in said and "not changed" in said


def test_a_line_keeps_the_verdict_of_each_cell_and_no_endless_message():
    call = {"kind": "check", "name": "rnn_step", "variable": "rnn_step", "number": None}
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    result = {"verdicts": {"7": {**call, "outcome": "raised", "mistake": "x" * 10_000}}}
    work = SimpleNamespace(student="ada", notebooks={CELL: notebook}, results={CELL: result}, reasons={}, missing=set())
    made = history.line_of(work, {}, {CELL: {"check_rnn_step": call, "check_other": {**call, "name": "other"}}})
    assert made["verdicts"] == {CELL: {"check_rnn_step": ["raised", "x" * history.LONGEST]}}
    notebook.cells[0].outputs = [nbformat.v4.new_output("stream", text="2")]
    assert history.line_of(work, {}, {CELL: {}})["work"] == made["work"]  # what it printed is not what was handed in
