"""`course grade`: a class with honest, broken and hostile work gets the grades of plain nbgrader, and reasons in words.

Two lessons are enough here. The honest part of the class is graded by `nbgrader autograde` as well, in a folder of its own.
"""

import html
import json
import os
import re
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, ThreadPoolExecutor
from datetime import timedelta

import pytest
from nbgrader.api import Gradebook
from small_class import CELL, CLASS, NO_TRANSPOSE, UNIT, ZERO, changed, copy_of, right, scores
from support import nbgrader, read, run

from course.grading import cli
from course.grading.intake import submissions
from course.grading.intake import unit as graded
from course.grading.round import Options, Round
from course.grading.run import journal, notebooks, pool
from course.grading.sandbox import Lost

LIMITS = ("--cell-seconds", "8")


def endless(root):
    """A cell that never ends costs its own exercise."""
    return {CELL: changed(right(root, CELL), "rnn_step", "while True: pass")}


def also_wrong(root):
    return {CELL: changed(right(root, CELL), "rnn_step", NO_TRANSPOSE)}


def by_hearsay(root):
    """It knows that it is graded, changes what is near, and has the hidden seed nowhere."""
    text = 'import glob, os\nprint(os.environ.get("HIDDEN_STATE_STUDENT"), glob.glob("**/.hidden_seed", recursive=True), glob.glob("../../../*seed*"))'
    return {CELL: changed(right(root, CELL), "my_guess", text)}


def hand_in_broken(root):
    """Work that no nbgrader would get through."""
    perfect_text = json.dumps(right(root, CELL))

    def put(student, name, text):
        file = root / "submitted" / student / UNIT / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    put("damaged", f"{CELL}.ipynb", perfect_text[:2000])
    put("damaged", f"{ZERO}.ipynb", json.dumps(right(root, ZERO)))
    put("misnamed", f"my {CELL}.ipynb", json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}))
    put("notes_only", "notes.txt", "I was ill")
    put(
        "odd",
        f"{CELL}.ipynb",
        json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": {"cell_type": "code", "metadata": {"nbgrader": {"grade_id": []}}}}),
    )
    put("from_the_future", f"{CELL}.ipynb", perfect_text.replace('"nbformat": 4', '"nbformat": 9'))
    put("old", f"{CELL}.ipynb", _in_old_formats(json.loads(perfect_text)))
    put("old", "timestamp.txt", "the day before yesterday")
    secret = put("linked", "secret.txt", "").rename(root / "secret.txt")
    secret.write_text("nobody's business")
    (root / "submitted" / "linked" / UNIT / f"{CELL}.ipynb").symlink_to(root / "submitted" / "perfect" / UNIT / f"{CELL}.ipynb")
    (root / "submitted" / "linked" / UNIT / "data.txt").symlink_to(secret)


def _in_old_formats(notebook):
    """The same in an older minor format, with nbgrader's first schema."""
    notebook["nbformat_minor"] = 2
    for cell in notebook["cells"]:
        del cell["id"]
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"] = {**cell["metadata"]["nbgrader"], "schema_version": 1}
    return json.dumps(notebook)


def grade(root):
    """`course grade` in a course folder: the finished process and what --json says."""
    done = run("course", "grade", UNIT, "--json", "grades.json", *LIMITS, cwd=root)
    assert done.returncode in (0, 1), done.stderr
    return done, json.loads((root / "grades.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def both(start, tmp_path_factory):
    """(scores by nbgrader, the course's folder, the finished `course grade`, what it says as JSON)"""
    stock = copy_of(start, tmp_path_factory.mktemp("stock"), CLASS.values())
    ours = copy_of(start, tmp_path_factory.mktemp("ours"), [*CLASS.values(), endless, also_wrong, by_hearsay])
    hand_in_broken(ours)
    before = _everything(ours / "submitted")
    with ThreadPoolExecutor() as pool:
        autograded = pool.submit(nbgrader, stock, "autograde", UNIT)
        done, data = grade(ours)
        autograded.result()
    assert _everything(ours / "submitted") == before
    nbgrader(ours, "generate_feedback", UNIT)
    return scores(stock), ours, done, data


def _everything(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def feedback(root, student, lesson=CELL):
    page = root / "feedback" / student / UNIT / f"{lesson}.html"
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", page.read_text(encoding="utf-8"))).split())


@pytest.mark.parametrize("student", CLASS)
def test_honest_work_gets_what_nbgrader_gives(both, student):
    stock, ours, _, _ = both
    mine = scores(ours)
    for lesson in (ZERO, CELL):
        assert mine[student, lesson] == stock[student, lesson]
    assert sum(score for score, *_ in mine["perfect", CELL].values()) == 9


def test_an_endless_loop_costs_its_own_exercise(both):
    _, ours, _, data = both
    lost = {cell for cell, (score, most, _) in scores(ours)["endless", CELL].items() if score < most}
    assert lost == {"check_rnn_step"}
    assert "this cell took longer than 8 seconds" in feedback(ours, "endless")


@pytest.mark.parametrize(
    "student, lesson, words",
    [
        ("damaged", CELL, "not JSON"),
        ("misnamed", CELL, "give it its name"),
        ("notes_only", CELL, "no notebook was handed in"),
        ("linked", CELL, "symbolic link"),
        ("odd", CELL, "cannot be read as a notebook"),
        ("from_the_future", CELL, "Save it in format 4"),
    ],
)
def test_what_cannot_be_graded_gets_no_points_and_a_reason(both, student, lesson, words):
    _, ours, done, data = both
    mine = scores(ours)[student, lesson]
    assert mine and all(score == 0 and not look for score, _, look in mine.values())
    assert words in data["students"][student]["lessons"][lesson]["reason"]
    assert words in feedback(ours, student, lesson) and words.split()[0] in done.stdout


def test_the_others_are_graded_all_the_same(both):
    _, ours, done, data = both
    assert done.returncode == 0 and data["without_grade"] == []
    mine = scores(ours)
    for student, lesson in (("damaged", ZERO), ("old", CELL), ("by_hearsay", CELL)):
        assert all(score == most for score, most, _ in mine[student, lesson].values()), student
    assert any("timestamp.txt" in note for note in data["students"]["old"]["notes"])
    assert not (ours / "autograded" / "linked" / UNIT / "data.txt").exists()


def test_the_table_names_the_commonest_mistakes(both):
    _, _, done, data = both
    first = data["mistakes"][0]
    assert (first["exercise"], first["students"]) == ("rnn_step", 2) and "W_hh is not transposed" in first["mistake"]
    assert re.search(r"2\s+03 rnn_step\s+W_hh is not transposed", done.stdout)
    assert "03 rnn_step: time limit" in " ".join(done.stdout.split())


def test_feedback_says_why_and_nothing_hidden(both):
    _, ours, _, _ = both
    assert "Likely cause: W_hh is not transposed" in feedback(ours, "partly")
    assert "not attempted yet rnn_step" in feedback(ours, "blank")
    seed = (ours / ".hidden_seed").read_text().strip()
    for page in (ours / "feedback").rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not [secret for secret in (seed, "hidden_check", "HIDDEN TESTS", "course/grading", "nobody's business") if secret in text], page
    for page in (ours / "autograded").rglob("*.ipynb"):
        outputs = json.dumps([cell.get("outputs") for cell in read(page)["cells"]])
        assert not [secret for secret in (seed, "hidden_check", "HIDDEN TESTS", "course/grading") if secret in outputs], page


def test_an_unchanged_class_is_left_alone_and_points_by_hand_stay(both):
    _, ours, _, first = both
    with Gradebook(f"sqlite:///{ours / 'gradebook.db'}") as gradebook:
        gradebook.find_grade("check_rnn_step", CELL, UNIT, "partly").manual_score = 3
        gradebook.find_grade("check_rnn_step", CELL, UNIT, "also_wrong").extra_credit = 1
        gradebook.find_submission(UNIT, "perfect").extension = timedelta(days=1)
        gradebook.db.commit()
    (ours / "autograded" / "blank" / UNIT / f"{CELL}.ipynb").unlink()
    file = ours / "submitted" / "also_wrong" / UNIT / f"{CELL}.ipynb"
    file.write_text(json.dumps(changed(read(file), "answer_1", 'answer_1 = "Z"')), encoding="utf-8")
    done, data = grade(ours)
    assert {student for student, about in data["students"].items() if about["status"] != "unchanged"} == {"blank", "also_wrong", "perfect"}
    assert data["notebooks_run"] == 1
    assert data["students"]["partly"]["lessons"][CELL]["points"] == first["students"]["partly"]["lessons"][CELL]["points"] + 3
    again = run("course", "grade", UNIT, "--json", "-", *LIMITS, cwd=ours)
    assert json.loads(again.stdout)["notebooks_run"] == 0 and "Nothing to do" in again.stderr
    mine = scores(ours)
    assert mine["also_wrong", CELL]["check_rnn_step"][0] == 1 and mine["also_wrong", CELL]["quiz_1"][0] == 0


# What stops it before it begins


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["nothing"], "nbgrader generate_assignment nothing"),
        (["../pipeline"], "is no name of a unit"),
        ([UNIT], "nobody has handed in"),
    ],
)
def test_a_refusal_says_what_to_do(start, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(start)
    assert cli.main(["grade", *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said and "Traceback" not in said


# The parts


def _ends_its_process(job):
    """Stands for `run_job`: one notebook kills the worker that judges it."""
    if job == "poison":
        os._exit(1)
    return {"job": job}


class Workers(ProcessPoolExecutor):
    def submit(self, function, job):
        return super().submit(_ends_its_process, job)


def test_who_kills_a_worker_is_alone_in_it(monkeypatch):
    monkeypatch.setattr(pool, "processes", Workers)
    work = Round.__new__(Round)
    work.options = Options(workers=2)
    found = dict(work._run((name, "poison" if name == 7 else "honest") for name in range(60)))
    assert len(found) == 60 and isinstance(found.pop(7), BrokenExecutor)
    assert all(result == {"job": "honest"} for result in found.values())


class NoSession:
    def session(self, files):
        raise Lost("crash", "No process could be made for the notebook.")


def test_what_the_machine_could_not_run_is_no_zero():
    job = {"files": {}, "seed": 1, "student": "ada", "cells": [{"type": "code", "id": "a", "source": "1", "call": None}], "limits": {}}
    with pytest.raises(notebooks.NotRun, match="No process"):
        notebooks._Notebook(job, NoSession()).play()


@pytest.mark.parametrize(
    "text, call",
    [
        ('check("rnn_step", rnn_step)', ("check", "rnn_step", "rnn_step", None)),
        ('# a note\ncheck("a", b)\nfrom course.grading import hidden_check\nhidden_check("a", b)', ("check", "a", "b", None)),
        ('quiz("03", 2, answer_2, student)\nhidden_quiz("03", 2, answer_2)', ("quiz", "03", "answer_2", 2)),
        ('check("a", b)\nhidden_check("a", c)', None),
        ('check("a", b)\nassert b', None),
        ("2.0", None),
        ("def", None),
        ("", None),
        ("check(a, b)", None),
    ],
)
def test_a_graded_cell_is_understood_whole_or_not_at_all(text, call):
    assert graded.parse(text) == (call and graded.Call(*call))


def test_a_broken_entry_of_the_journal_does_not_count(tmp_path):
    kept = journal.Journal(tmp_path)
    kept.keep("one", {"outputs": [1]})
    assert kept.find("one") == {"outputs": [1]} and kept.find("two") is None
    file = tmp_path / "one.json"
    for text in ("", file.read_text()[:-5], file.read_text().replace("[1]", "[2]"), "[]", "null"):
        file.write_text(text)
        assert kept.find("one") is None
    kept.keep("one", 1)
    kept.forget_all_but({"one"})
    assert kept.find("one") == 1


def test_a_huge_file_and_a_pipe_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(submissions, "NOTEBOOK", 100)
    (tmp_path / "a.ipynb").write_text("x" * 101)
    os.mkfifo(tmp_path / "b.ipynb")
    (tmp_path / "c.ipynb").mkdir()
    found = submissions.read_submission("ada", str(tmp_path), ["a", "b", "c", "d"], [])
    assert (
        "larger" in found.reasons["a"]
        and "Clear its outputs" in found.reasons["a"]
        and "no file" in found.reasons["b"]
        and found.reasons["c"]
        and found.missing == {"d"}
    )
