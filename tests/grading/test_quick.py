"""What makes grading start soon, and what is done once and not for every cell, changes nothing of what comes out."""

import subprocess
import sys

import nbformat
import pytest
from nbgrader.nbgraderformat import ValidationError, common
from nbgrader.nbgraderformat.v3 import MetadataValidatorV3

from course.grading import schema
from course.grading.run import pool

SLOW = ("torch", "matplotlib", "IPython.core.interactiveshell", "lark")
FOUND = f"import sys; print([name for name in {SLOW!r} if name in sys.modules])"


@pytest.mark.parametrize(
    "loads",
    [
        "import course.grading.quick, course.grading.cli, course.grading.round, course.grading.report.summary",  # the process that grades
        "import course.grading.quick, course.grading.intake.reader",  # the one that reads
    ],
)
def test_neither_who_grades_nor_who_reads_loads_pytorch(loads):
    done = subprocess.run([sys.executable, "-c", f"{loads}\n{FOUND}"], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_a_worker_is_forked_with_everything_loaded():
    code = f"import {pool.LOADED}, sys; print([name in sys.modules for name in ('torch', 'torch._dynamo', 'lark')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[True, True, False]\n", done.stderr


MARKS = {"schema_version": 3, "grade": True, "solution": False, "locked": True, "task": False, "grade_id": "a", "points": 1, "cell_type": "code"}
BROKEN = [
    {"points": -1},
    {"points": "many"},
    {"grade": 1},
    {"grade_id": "no spaces"},
    {"grade_id": 5},
    {"cell_type": "song"},
    {"more": True},
    {"points": None, "task": 1},
]


def said_of(marks):
    cell = nbformat.v4.new_code_cell(metadata={"nbgrader": marks})
    try:
        MetadataValidatorV3().validate_cell(cell)
    except ValidationError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("change", [{}, *BROKEN], ids=str)
def test_the_same_marks_are_refused_in_the_same_words(change):
    marks = {**MARKS, **change}
    expected = said_of(marks)
    assert bool(expected) == bool(change)
    for _ in range(2):
        with schema.looked_at_once():
            assert common.jsonschema is not schema.JSONSCHEMA and said_of(marks) == expected
    assert common.jsonschema is schema.JSONSCHEMA


def test_what_is_no_schema_is_refused_each_time():
    for _ in range(2):
        with pytest.raises(schema.JSONSCHEMA.SchemaError):
            schema.validate({}, {"type": 5})


def test_a_worker_is_started_ahead_only_where_nothing_has_been_run(tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr("multiprocessing.forkserver.ensure_running", lambda: started.append(1))
    pool.begin(tmp_path / "none")
    pool.begin(tmp_path)
    (tmp_path / "result.json").write_text("{}")
    pool.begin(tmp_path)
    assert len(started) == 2
