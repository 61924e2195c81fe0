"""What is said of a student whose work the check cannot ask about, and what a missing package costs: nothing.

A class of two lessons goes through the whole of `course grade`; the words are looked for in the table's data and in the feedback.
"""

import html
import json
import re
import tomllib

import nbformat
import pytest
from small_class import CELL, UNIT, ZERO, changed, copy_of, released, right, scores
from support import ROOT, grade_id, nbgrader, run, source

from course.build.bundle import STUDENT_README
from course.grading.run.called import run_by
from course.grading.sandbox import Sandbox

STUDENTS, SAID = {}, {}
RULE = "x @ W_ih.T + b_ih + h @ W_hh.T + b_hh"
STEP = f"def rnn_step(x, h, W_ih, W_hh, b_ih, b_hh):\n    return torch.tanh({RULE})"
STUB = 'def rnn_step(x, h, W_ih, W_hh, b_ih, b_hh):\n    """x (B, F), h (B, H) -> new state (B, H)."""\n    # your answer here\n'


def told(*words, points=0):
    """A student of whom these words are said, with so many points for rnn_step."""

    def keep(work):
        STUDENTS[work.__name__], SAID[work.__name__] = work, (words, points)
        return work

    return keep


def with_step(root, text):
    return {ZERO: right(root, ZERO), CELL: changed(right(root, CELL), "rnn_step", text)}


def with_cell(root, after, text, step=STUB, name="mine"):
    """rnn_step as it is given, and a cell of the student's own after another one."""
    work = with_step(root, step)
    cells = work[CELL]["cells"]
    place = next(number for number, cell in enumerate(cells) if grade_id(cell) == after)
    cells.insert(place + 1, {"cell_type": "code", "id": name, "metadata": {}, "source": text, "outputs": [], "execution_count": None})
    return work


@told("SyntaxError: incomplete input in line 2. Is a bracket or a quote not closed?")
def unclosed(root):
    return with_step(root, STEP[:-1])


@told("SyntaxError")
def misspelt_def(root):
    """Nobody can tell what this cell was to define; it is the one above the check."""
    return with_step(root, STEP.replace("def ", "dfe "))


@told("IndentationError")
def not_indented(root):
    return with_step(root, STEP.replace("    return", "return"))


@told("NameError: name 'torhc' is not defined")
def raises_above_its_function(root):
    return with_step(root, f"torhc.manual_seed(0)\n{STEP}")


@told("it is called my_rnn_step, in cell 22")
def renamed(root):
    return with_step(root, STEP.replace("rnn_step", "my_rnn_step"))


@told("it is called step, in cell 23")
def another_name_in_a_new_cell(root):
    return with_cell(root, "rnn_step", STEP.replace("rnn_step", "step"))


@told("it stands below its check, in cell 24")
def below(root):
    return with_cell(root, "check_rnn_step", STEP)


@told(points=4)
def in_a_new_cell_above(root):
    return with_cell(root, "rnn_step", STEP)


@told(points=4)
def packages_above(root):
    return with_step(root, f"import seaborn as sns\nfrom tqdm import tqdm\nsns.set_theme()\n{STEP}\nfor _ in tqdm(range(2)):\n    pass")


@told(points=4)
def a_package_in_the_first_cell(root):
    work = with_cell(root, "setup", "import seaborn as sns, math", STEP)
    return with_cell_in(work, "rnn_step", "sns.heatmap([[1.0]])\nassert math.pi > 3")


def with_cell_in(work, name, above):
    cell = next(cell for cell in work[CELL]["cells"] if grade_id(cell) == name)
    cell["source"] = f"{above}\n{source(cell)}"
    return work


@told(points=4)
def debugs(root):
    return with_step(root, STEP.replace("    return", "    breakpoint()\n    import pdb\n    pdb.set_trace()\n    return"))


@told("%run nowhere.ipynb: no such file")
def runs_what_is_not_there(root):
    return with_step(root, "%run nowhere.ipynb")


@told("it is not in helper.py")
def runs_a_file_without_it(root):
    return with_step(root, "%run helper.py")


@told(points=4)
def runs_a_file(root):
    return with_step(root, "%run helper.py")


@told(points=4)
def runs_another_lesson(root):
    work = with_step(root, f"%run {ZERO}.ipynb")
    next(cell for cell in work[ZERO]["cells"] if grade_id(cell) == "init_hidden")["source"] += f"\n{STEP}"
    return work


@told("nothing attempted")
def untouched(root):
    return {lesson: released(root, lesson) for lesson in (ZERO, CELL)}


@told("question 1", points=4)
def a_letter_without_quotes(root):
    return {ZERO: right(root, ZERO), CELL: changed(right(root, CELL), "answer_1", "answer_1 = None\nanswer_1 = B")}


@pytest.fixture(scope="module")
def graded(start, tmp_path_factory):
    """(the course's folder, what --json says, the table)"""
    root = copy_of(start, tmp_path_factory.mktemp("said"), STUDENTS.values())
    for student, text in (("runs_a_file_without_it", "y = 1"), ("runs_a_file", f"import torch\n{STEP}")):
        (root / "submitted" / student / UNIT / "helper.py").write_text(text)
    done = run("course", "grade", UNIT, "--json", "grades.json", "--all", "--cell-seconds", "20", cwd=root)
    assert done.returncode == 0, done.stderr
    nbgrader(root, "generate_feedback", UNIT)
    return root, json.loads((root / "grades.json").read_text(encoding="utf-8")), " ".join(done.stdout.split())


def feedback(root, student):
    page = root / "feedback" / student / UNIT / f"{CELL}.html"
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", page.read_text(encoding="utf-8"))).split())


@pytest.mark.parametrize("student", STUDENTS)
def test_points_are_for_what_the_check_can_ask(graded, student):
    root, _, _ = graded
    assert scores(root)[student, CELL]["check_rnn_step"][0] == SAID[student][1]


@pytest.mark.parametrize("student", [student for student, (words, _) in SAID.items() if words])
def test_the_table_says_what_happened(graded, student):
    _, _, table = graded
    for words in SAID[student][0]:
        assert words in table


@pytest.mark.parametrize("student", [student for student, (words, points) in SAID.items() if not points and student != "untouched"])
def test_feedback_says_it_and_the_class_counts_it(graded, student):
    root, data, _ = graded
    found = data["students"][student]["lessons"][CELL]["exercises"]["check_rnn_step"]
    assert found["outcome"] in ("raised", "not found") and found["mistake"]
    assert any(each["mistake"] == found["mistake"] and each["exercise"] == "rnn_step" for each in data["mistakes"])
    page = feedback(root, student)
    assert "not attempted yet rnn_step" not in page and f"{found['outcome'].upper()} rnn_step" in page


def test_who_did_nothing_is_told_so_and_counted_nowhere(graded):
    root, data, _ = graded
    each = [exercise for lesson in data["students"]["untouched"]["lessons"].values() for exercise in lesson["exercises"].values()]
    assert each and all(exercise["outcome"] == "not attempted yet" and not exercise["mistake"] for exercise in each)
    assert "not attempted yet rnn_step" in feedback(root, "untouched")
    assert data["students"]["untouched"]["notes"] == []


def test_a_name_that_is_not_there_is_told_for_an_answer_too(graded):
    root, data, _ = graded
    found = data["students"]["a_letter_without_quotes"]["lessons"][CELL]["exercises"]["quiz_1"]
    assert (found["points"], found["mistake"]) == (0, "NameError: name 'B' is not defined")
    assert "RAISED question 1" in feedback(root, "a_letter_without_quotes")


def test_a_missing_package_is_a_note(graded):
    root, data, _ = graded
    assert any("seaborn, tqdm" in note for note in data["students"]["packages_above"]["notes"])
    assert "there is no seaborn while a notebook is graded" in feedback(root, "packages_above")
    assert data["students"]["debugs"]["notes"] == []


# Inside the sandbox


@pytest.fixture(scope="module")
def session():
    with Sandbox() as sandbox, sandbox.session({}) as session:
        yield session


def shown(ran):
    return [text for output in ran.outputs for text in [output.get("text") or output.get("data", {}).get("text/plain")] if text]


@pytest.mark.parametrize(
    "source, left_out, value",
    [
        ("import seaborn as sns\nsns.set_theme()\n1", ["seaborn"], "1"),
        ("a = 1; import numpy as np, seaborn, os; b = 2\nfloat(np.ones(1).sum()) + a + b + len(os.sep)", ["seaborn"], "5.0"),
        ("from tqdm.auto import (\n    tqdm,\n    trange,\n)\n\n\n'ä'", ["tqdm"], "'ä'"),
        ("from torch import nonesuch, ones\nones(1).item()", ["nonesuch of torch"], "1.0"),
        ("if True:\n    c = 3\n    import ipdb\n    c += 1\nc", ["ipdb"], "4"),
        ("try:\n    import seaborn\nexcept ImportError:\n    d = 9\nd", [], "9"),
        ("%matplotlib inline\nimport seaborn\n7", ["seaborn"], "7"),
        ("import seaborn; import tqdm; 8", ["seaborn", "tqdm"], "8"),
    ],
)
def test_an_import_fails_where_it_stands(session, source, left_out, value):
    ran = session.run(source)
    assert ran.error is None and ran.left_out == left_out and shown(ran)[-1] == value


def test_what_ran_before_a_failing_import_does_not_run_again(session):
    session.run("count = 0")
    assert shown(session.run("count += 1\nimport seaborn\ncount += 10\ncount"))[-1] == "11"


def test_lines_keep_their_numbers(session):
    ran = session.run("import seaborn as sns\n\nsns.set()\n\n1 / 0")
    assert ran.error["ename"] == "ZeroDivisionError" and any("5 1 / 0" in line for line in ran.error["traceback"])
    assert "line 3, which uses `sns`" in "".join(shown(ran))


@pytest.mark.parametrize("source", ["def f():\n    import seaborn\nf()", "undefined_name\nimport seaborn", "raise ImportError('mine')"])
def test_what_is_no_import_of_the_cell_stays_an_error(session, source):
    ran = session.run(source)
    assert ran.error and ran.left_out == []


@pytest.mark.parametrize("source", ["breakpoint()", "import pdb; pdb.set_trace()", "from IPython.core.debugger import set_trace; set_trace()", "%debug"])
def test_nobody_debugs(session, source):
    ran = session.run(f"{source}\nprint('on')")
    assert ran.error is None and shown(ran)[-1].endswith("on\n")


# What students are told beforehand


def test_the_bundle_says_which_packages_count():
    with open(ROOT / "pyproject.toml", "rb") as file:
        needed = {re.split(r"[>=<]", each)[0] for each in tomllib.load(file)["project"]["dependencies"]}
    (told,) = [line for line in STUDENT_README.splitlines() if line.startswith("Which packages count")]
    names = {"PyTorch": "torch", "NumPy": "numpy", "Matplotlib": "matplotlib", "IPython": "ipython"}
    assert all(name in told and package in needed for name, package in names.items())


# Other lessons that are called with %run


def cell(text, call=None):
    return {"type": "code", "id": "a", "source": text, "call": None} if call is None else {"type": "code", "id": "a", "call": call}


@pytest.mark.parametrize(
    "text, called",
    [
        ("%run 02.ipynb", ["02.ipynb"]),
        ("x = 1\n%run ./02.ipynb\n", ["02.ipynb"]),
        ("%run -i '02.ipynb'", ["02.ipynb"]),
        ("%run 03.ipynb", ["02.ipynb", "03.ipynb"]),
        ("%run 01.ipynb", []),
        ("# %run 02.ipynb", []),
        ("%run helper.ipynb", []),
        ("print('%run 02')", []),
    ],
)
def test_a_called_lesson_lies_beside_without_what_is_graded(text, called):
    notebooks = {"01": [cell(text)], "02": [cell("def f(): pass"), cell("", {"kind": "check"})], "03": [cell("%run 02.ipynb\n%run 01.ipynb")]}
    found = run_by("01", notebooks)
    assert [*found] == called
    assert all(nbformat.reads(data.decode(), as_version=4) and b"check" not in data for data in found.values())
