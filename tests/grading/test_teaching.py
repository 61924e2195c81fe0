"""docs/teaching.md: every command on the page, from top to bottom, in a course with a class of four; with the output that stands there."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from nbgrader.api import Gradebook
from small_class import CELL, NO_TRANSPOSE, UNIT, changed, released, right
from support import ROOT, copy_course

PAGE = ROOT / "docs" / "teaching.md"
BLOCK = re.compile(r"^```(console|python)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
CLASS = [("4101", "Castaño Ruiz, Marta", "marta"), ("4102", "Kim, Min-jun", "minjun"), ("4104", "O'Brien, Zoë", "zoe"), ("4105", "Idle, Ida", "idle")]
SUBMISSIONS = "downloaded/submissions.zip"
MISSPELT = "obriennzoe_4999_90041_03_cell_step.ipynb"
"""Is nobody's in the roster: somebody has to say whose it is."""
ELSEWHERE = {"course demo": Path(__file__).with_name("test_demo.py")}
"""A minute's work, which a test of its own looks at."""
MAKE_HERE = {"START": ":", "RUN": sys.executable, "PYTHON": sys.executable}
"""Nothing is set up: the Python that runs the tests has everything."""


@dataclass
class Step:
    """command: what is typed; shown: the lines that stand below it; status, output: what came of it."""

    command: str
    shown: list
    status: int = -1
    output: str = ""


def steps():
    """The page's (language, text) blocks as Steps, and the two files that it tells you to write, in order."""
    for language, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if language == "python":
            yield text
            continue
        step = None
        for line in text.splitlines():
            if line.startswith("$ "):
                if step:
                    yield step
                step = Step(line[2:], [])
            else:
                step.shown.append(line)
        yield step


def written(root, text):
    """Write a file or a line as the page says."""
    if text.startswith("c."):
        with open(root / "nbgrader_config.py", "a") as file:
            file.write(text)
    else:
        (root / "late.py").write_text(text)


def before(root, command):
    """What a learning management system, or a person, does between two commands."""
    if command.startswith("course collect") and not (root / SUBMISSIONS).exists():
        work = {
            "castañoruizmarta_4101_90011_03_cell_step.ipynb": right(root, CELL),
            "kimminjun_4102_90021_03_cell_step-1.ipynb": changed(right(root, CELL), "rnn_step", NO_TRANSPOSE),
            MISSPELT: right(root, CELL),
            "idleida_4105_90051_03_cell_step.ipynb": released(root, CELL),
        }
        with zipfile.ZipFile(root / SUBMISSIONS, "w") as archive:
            for name, notebook in work.items():
                archive.writestr(name, json.dumps(notebook))
    if "--matches" in command:
        file = root / "unmatched.csv"
        header, *rows = file.read_text(encoding="utf-8-sig").splitlines()
        file.write_text("\n".join([header, *(re.sub(r"^[^,;]*", "zoe", row, count=1) for row in rows)]), encoding="utf-8")


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """(the course afterwards, every Step)"""
    if not sys.platform.startswith("linux"):
        pytest.skip("the sandbox runs on Linux")
    root = copy_course(tmp_path_factory.mktemp("term"))
    shutil.copy(ROOT / "Makefile", root)
    for lesson in (root / "solutions" / UNIT).glob("0*"):  # two pages of one unit are enough to run every command
        if not lesson.name.startswith(("00", CELL)):
            lesson.unlink()
    shutil.rmtree(root / "solutions" / "training")
    _only_what_is_there(root)
    (root / "downloaded").mkdir()
    rows = [",".join([f'"{name}"', number, f"s-{number}", login, "Section A", ""]) for number, name, login in CLASS]
    head = ["Student,ID,SIS User ID,SIS Login ID,Section,Unit 1: pipeline (70551)", "    Points Possible,,,,,9.00"]
    (root / "downloaded" / "Grades-RNN.csv").write_text("\n".join([*head, *rows]) + "\n", encoding="utf-8")
    run = []
    for step in steps():
        if isinstance(step, str):
            written(root, step)
            continue
        if step.command in ELSEWHERE:
            continue
        before(root, step.command)
        _run(root, step)
        run.append(step)
    return root, run


def _only_what_is_there(root):
    """The questions of the lessons that were left out are taken out too."""
    for name, kept in (("quiz.yml", {CELL}), ("discuss.yml", {"open", "rnn_step", "layer_step"})):
        file = root / "solutions" / UNIT / name
        kept = {key: value for key, value in yaml.safe_load(file.read_text(encoding="utf-8")).items() if key in kept}
        file.write_text(yaml.safe_dump(kept, allow_unicode=True), encoding="utf-8")


def _run(root, step):
    """As typed in the course's folder, with its programs on the path."""
    programs = root / ".programs"
    if not programs.exists():
        programs.mkdir()
        (programs / "course").write_text(f'#!/bin/sh\nexec {sys.executable} -m course "$@"\n')
        (programs / "course").chmod(0o755)
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(programs), os.path.dirname(sys.executable), os.environ["PATH"]]),
        "PYTHONPATH": str(root),
        "MAKEFLAGS": " ".join(f"{name}={value}" for name, value in MAKE_HERE.items()),
    }
    ended = subprocess.run(["sh", "-c", step.command], cwd=root, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    step.status, step.output = ended.returncode, ended.stdout + ended.stderr


def test_every_command_ends_as_the_page_lets_you_expect(done):
    """Somebody could not be matched yet, and the unit of one's own has no answers yet: these three tell it. All others end well."""
    _, run = done
    ended = {step.command: (step.status, step.output) for step in run}
    to_be_told = {command for command in ended if command.startswith("course collect") and "--matches" not in command} | {"python -m course.build check"}
    assert {command for command, (status, _) in ended.items() if status == 1} == to_be_told, ended
    assert all(status in (0, 1) for status, _ in ended.values()), ended


def test_what_is_run_elsewhere_is():
    assert all(json.dumps(command.split())[1:-1] in file.read_text() for command, file in ELSEWHERE.items())


def test_what_stands_below_a_command_is_what_it_prints(done):
    _, run = done
    assert any(step.shown for step in run)
    for step in run:
        for line in filter(str.strip, step.shown):
            parts = [part for part in line.split("…") if part.strip()]
            assert all(part in step.output for part in parts), (step.command, line, step.output)


def test_the_term_has_come_to_its_grades(done):
    """Marta is right and in time; Min-jun forgot to transpose; Zoë is a day late after her extension; Ida handed in a blank page."""
    root, run = done
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        found = {each.student_id: each for each in gradebook.assignment_submissions(UNIT)}
        scores = {student: (each.score, sum(one.late_submission_penalty or 0 for one in each.notebooks)) for student, each in found.items()}
    full, late = scores["marta"][0], scores["zoe"]
    assert scores["idle"] == (0, 0) and full == 9 and 0 < scores["minjun"][0] < full
    assert late == (full, pytest.approx(0.1 * full))
    table = next(step.output for step in reversed(run) if step.command.startswith("course grade"))
    assert "late, after an extension of 1 day" in " ".join(table.split()), table


def test_files_of_the_term_are_there_and_git_would_not_take_them(done):
    root, _ = done
    made = ["roster.csv", "grades_canvas.csv", "grades_moodle.csv", "grades_by_exercise.csv", "grades_of_nbgrader.csv", f"report/{UNIT}.html", "unmatched.csv"]
    made += [f"feedback_{UNIT}_canvas.zip", f"feedback/marta/{UNIT}/{CELL}.html", f"submitted/zoe/{UNIT}/{CELL}.ipynb", "gradebook.db", ".hidden_seed"]
    assert [name for name in made if not (root / name).exists()] == []
    shutil.copy(ROOT / ".gitignore", root)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    seen = subprocess.run(["git", "status", "--porcelain", "-uall"], cwd=root, check=True, capture_output=True, text=True).stdout
    assert [name for name in [*made, SUBMISSIONS] if name in seen] == []


def test_what_the_page_links_to_is_there():
    links = re.findall(r"\]\((?!http|#)([^)#]+)\)", PAGE.read_text(encoding="utf-8"))
    assert links and all((PAGE.parent / link).exists() for link in links), links
