"""What all tests share: an environment that gives the same results everywhere, and copies of the course to work on."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

os.environ.update(
    HIDDEN_STATE_PROGRESS="off",  # never touch the progress of whoever runs the tests
    HIDDEN_STATE_SECONDS="5",  # how long a check waits for an answer: less than in lessons, more than a busy machine needs
    OMP_NUM_THREADS="1",  # the order of a sum changes its last digits
    JUPYTER_PREFER_ENV_PATH="1",  # the kernel of this environment, and not one in the home folder
    PYTHONPATH=str(ROOT),
)


def copy_course(target, twins=True):
    """A copy of the course's sources and package in `target`, with or without the executed notebooks. Returns `target`."""
    left_out = shutil.ignore_patterns("__pycache__", *([] if twins else ["*.ipynb"]))
    for folder in ("course", "solutions"):
        shutil.copytree(ROOT / folder, target / folder, ignore=left_out)
    for file in (
        "README.md",
        "LICENSE",
        "LICENSE-CONTENT.md",
        "docs/AGENTS.student.md",
        "nbgrader_config.py",
        "pyproject.toml",
        "environment.yml",
        "setup.py",
        "CITATION.cff",
        "CHANGELOG.md",
    ):
        (target / file).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / file, target / file)
    return target


def run(*command, cwd, **environment):
    """Run a Python module as a program in a folder, with the course in that folder if there is one. Returns the finished process."""
    path = str(cwd if (Path(cwd) / "course").is_dir() else ROOT)
    return subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path, **environment},
    )


def nbgrader(root, *arguments):
    """Run an nbgrader command in a course folder, which must succeed. Returns its log."""
    done = run("nbgrader", *arguments, cwd=root)
    assert done.returncode == 0, done.stderr
    return done.stderr


def read(notebook):
    """A notebook as plain data."""
    return json.loads(Path(notebook).read_text(encoding="utf-8"))


def source(cell):
    """The text of a cell."""
    return "".join(cell["source"])


def grade_id(cell):
    """nbgrader's name for a cell, or None."""
    return cell["metadata"].get("nbgrader", {}).get("grade_id")


def sanitised(text):
    """Text without what another machine may write differently, as tests/nbval_sanitize.cfg says."""
    rules = (ROOT / "tests" / "nbval_sanitize.cfg").read_text(encoding="utf-8")
    for pattern, replacement in re.findall(r"^regex: (.*)\nreplace: (.*)$", rules, flags=re.MULTILINE):
        text = re.sub(pattern, replacement, text)
    return text
