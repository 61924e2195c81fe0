"""A class goes through real nbgrader: release, submit, autograde, feedback, export. Every grade is right.

Each student's notebooks are made from the released ones, the answers from the solution twins. To add a student,
write a function that spoils some notebooks, and say with @student what they lose.
"""

import copy
import csv
import html
import json
import re
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from nbgrader.api import Gradebook
from small_class import answers
from support import ROOT, grade_id, nbgrader, read, source

from course.grading import seed

UNIT = "pipeline"
LESSONS = sorted(path.stem for path in (ROOT / "solutions" / UNIT).glob("0[1-9]*.ipynb"))
INPUT, ZERO, CELL, CARRY, OUTPUT, SOFTMAX = LESSONS or [""] * 6
CLASS = {}


class Student:
    """What a student of the class hands in, and what it is worth: `hands_in` names lessons, `loses` graded cells."""

    def __init__(self, work, hands_in, loses):
        self.work, self.hands_in, self.loses = work, hands_in, loses

    def notebooks(self, released):
        filled = {lesson: with_answers(released / f"{lesson}.ipynb", lesson) for lesson in self.hands_in}
        for lesson, notebook in filled.items():
            self.work(notebook, lesson)
        return filled


def student(*hands_in, loses=()):
    """Put a student into the class, who answers all of these lessons rightly and then spoils them with the function."""

    def join(work):
        CLASS[work.__name__] = Student(work, hands_in, loses)
        return work

    return join


def with_answers(released, lesson):
    """A released notebook with its solution cells filled in from the solution twin."""
    notebook, solved = read(released), answers(lesson)
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            cell["source"] = solved[grade_id(cell)]
    return notebook


def cell_of(notebook, name):
    """The cell with this grade_id."""
    return next(cell for cell in notebook["cells"] if grade_id(cell) == name)


def answer(notebook, name, text):
    """Write another answer into a solution cell."""
    cell_of(notebook, name)["source"] = text


# The class


@student(*LESSONS)
def perfect(notebook, lesson):
    """Everything right."""


@student(CELL, SOFTMAX, loses="everything")
def blank(notebook, lesson):
    """Handed in as released."""
    notebook.update(read(ROOT / "notebooks" / UNIT / f"{lesson}.ipynb"))


@student(INPUT, loses=["check_to_input"])
def forgets_to_transpose(notebook, lesson):
    answer(notebook, "to_input", "def to_input(seqs):\n    return torch.tensor(seqs, dtype=torch.float32)")


@student(ZERO, loses=["quiz_2"])
def ticks_a_wrong_letter(notebook, lesson):
    right = re.search(r'"(\w)"', source(cell_of(notebook, "answer_2"))).group(1)
    answer(notebook, "answer_2", f'answer_2 = "{"A" if right != "A" else "B"}"')


@student(CELL, loses=["check_rnn_step"])
def knows_the_worked_example_only(notebook, lesson):
    """W_hh is diagonal there, so a forgotten transpose passes it."""
    answer(notebook, "rnn_step", "def rnn_step(x, h, W_ih, W_hh, b_ih, b_hh):\n    return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh + b_hh)")


@student(SOFTMAX, loses=["check_to_probs"])
def overflows(notebook, lesson):
    answer(notebook, "to_probs", "def to_probs(logits):\n    return logits.exp() / logits.exp().sum(-1, keepdim=True)")


@student(INPUT, loses=["check_to_input"])
def has_learned_the_public_cases_by_heart(notebook, lesson):
    """Right wherever the student could look, and only there: what the hidden cases are for."""
    answer(
        notebook,
        "to_input",
        """
from course.exercises.pipeline import to_input as exercise

KNOWN = {str(case.args["seqs"]): exercise.oracle(case.args["seqs"]) for case in exercise.cases(0)}

def to_input(seqs):
    return KNOWN.get(str(seqs), torch.zeros(1, 1, 1)).clone()
""",
    )


@student(OUTPUT)
def warns_and_writes_to_stderr(notebook, lesson):
    wrap(notebook, "output_layer", "import os, sys, warnings\nwarnings.warn('old')\nprint('careful', file=sys.stderr)\nos.write(2, b'very careful')")


@student(INPUT)
def deletes_checks_and_marks(notebook, lesson):
    """The cells before the deleted ones have lost their marks too, so that nothing tells where they stood."""
    for name in ("to_input", "to_time_major"):
        del cell_of(notebook, name)["metadata"]["nbgrader"]
    notebook["cells"] = [cell for cell in notebook["cells"] if grade_id(cell) not in ("check_to_input", "check_to_time_major", "quiz_2")]


@student(ZERO, loses=["check_init_hidden", "quiz_1"])
def edits_checks(notebook, lesson):
    answer(notebook, "init_hidden", "def init_hidden(num_layers, batch, hidden, like):\n    return torch.ones(num_layers, batch, hidden)")
    answer(notebook, "answer_1", 'answer_1 = "Z"')
    check, quiz = cell_of(notebook, "check_init_hidden"), cell_of(notebook, "quiz_1")
    check["source"], check["metadata"]["nbgrader"]["points"] = "print('passed')", 100
    quiz["metadata"]["tags"] = ["skip-execution"]
    cell_of(notebook, "quiz_2")["metadata"]["nbgrader"]["grade"] = False
    cell_of(notebook, "check_reset_rows")["metadata"]["nbgrader"]["grade_id"] = "mine"


@student(CELL)
def copies_cells(notebook, lesson):
    for name in ("rnn_step", "check_rnn_step", "check_rnn_step"):
        place = notebook["cells"].index(cell_of(notebook, name))
        notebook["cells"].insert(place, copy.deepcopy(notebook["cells"][place]))


@student(CARRY, loses=["check_run_sequence"])
def raises_at_the_top(notebook, lesson):
    cell = cell_of(notebook, "run_sequence")
    cell["source"] = "raise RuntimeError('not my day')\n" + source(cell)


@student(SOFTMAX, loses=["check_to_probs"])
def never_returns(notebook, lesson):
    wrap(notebook, "to_probs", "while True: pass")


def wrap(notebook, name, lines):
    """Put lines at the beginning of a function's body, after its docstring."""
    cell = cell_of(notebook, name)
    signature = re.search(rf"^def {name}\(.*\):.*\n(    \"\"\"(.|\n)*?\"\"\"\n)?", source(cell), flags=re.MULTILINE)
    indented = "".join(f"    {line}\n" for line in lines.split("\n"))
    cell["source"] = source(cell)[: signature.end()] + indented + source(cell)[signature.end() :]


# The round trip


class Graded:
    """The graded class: scores by student, lesson and cell; feedback; the exported tables."""

    def __init__(self, sections):
        self.roots = {name: root for root, names, _ in sections for name in names}
        self.log = "".join(log for _, _, log in sections)
        self.scores, self.points = {}, {}
        for root, _, _ in sections:
            with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
                for submission in gradebook.assignment_submissions(UNIT):
                    self._note(submission)

    def _note(self, submission):
        for notebook in submission.notebooks:
            grades = {grade.name: grade for grade in notebook.grades}
            self.scores[submission.student_id, notebook.name] = {name: grade.score for name, grade in grades.items()}
            self.points[notebook.name] = {name: grade.max_score for name, grade in grades.items()}

    def feedback(self, name, lesson):
        page = self.roots[name] / "feedback" / name / UNIT / f"{lesson}.html"
        return html.unescape(re.sub(r"<[^>]*>", "", page.read_text(encoding="utf-8")))

    def rows(self):
        """The exported grades, by student."""
        found = {}
        for root in set(self.roots.values()):
            with open(root / "grades.csv", newline="", encoding="utf-8") as file:
                found.update({row["student_id"]: row for row in csv.DictReader(file)})
        return found


@pytest.fixture(scope="session")
def graded(tmp_path_factory):
    """The class, graded once by the nbgrader commands: in two sections at a time, each a course folder of its own."""
    sections = [(tmp_path_factory.mktemp("section"), []) for _ in range(2)]
    for name in sorted(CLASS, key=lambda name: -len(CLASS[name].hands_in)):
        _, names = min(sections, key=lambda section: sum(len(CLASS[name].hands_in) for name in section[1]))
        names.append(name)
    with ThreadPoolExecutor() as pool:
        logs = list(pool.map(lambda section: grade(*section), sections))
    return Graded([(root, names, log) for (root, names), log in zip(sections, logs)])


def grade(root, names):
    """Release, hand in, grade, feed back and export one section. Returns autograde's log."""
    shutil.copytree(ROOT / "solutions", root / "solutions")
    shutil.copy(ROOT / "nbgrader_config.py", root)
    nbgrader(root, "generate_assignment", UNIT)
    for name in names:
        hand_in(root / "submitted" / name / UNIT, CLASS[name].notebooks(root / "notebooks" / UNIT))
    log = nbgrader(root, "autograde", UNIT)
    nbgrader(root, "generate_feedback", UNIT)
    nbgrader(root, "export", "--to", "grades.csv")
    return log


def hand_in(folder, notebooks):
    folder.mkdir(parents=True)
    for lesson, notebook in notebooks.items():
        (folder / f"{lesson}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")


@pytest.mark.parametrize("name", CLASS)
def test_each_mistake_loses_its_own_points_and_no_others(graded, name):
    for lesson in CLASS[name].hands_in:
        points, loses = graded.points[lesson], CLASS[name].loses
        assert set(loses) <= set(points) or loses == "everything"
        expected = {cell: 0 if loses == "everything" or cell in loses else worth for cell, worth in points.items()}
        assert graded.scores[name, lesson] == expected


def test_the_table_of_grades(graded):
    rows = graded.rows()
    assert set(rows) == set(CLASS) and len(rows) >= 8
    registered = json.loads((ROOT / "course" / "learner" / "lessons.json").read_text(encoding="utf-8"))[UNIT]
    total = sum(item["points"] for entry in registered for item in entry["items"])
    assert float(rows["perfect"]["score"]) == float(rows["perfect"]["max_score"]) == total
    assert float(rows["blank"]["score"]) == 0


@pytest.mark.parametrize(
    "name, lesson, sentences",
    [
        ("forgets_to_transpose", INPUT, ["WRONG to_input", "the worked example", "Likely cause: the batch axis comes first", "yours, shape", "target, shape"]),
        ("knows_the_worked_example_only", CELL, ["WRONG rnn_step", "Likely cause: W_hh is not transposed"]),
        ("has_learned_the_public_cases_by_heart", INPUT, ["WRONG to_input", "should have the shape"]),
        ("overflows", SOFTMAX, ["WRONG to_probs", "Likely cause: exp overflows"]),
        ("raises_at_the_top", CARRY, ["not my day", "NameError"]),
        ("never_returns", SOFTMAX, ["RAISED to_probs", "is there a loop that never ends?"]),
        ("ticks_a_wrong_letter", ZERO, ["WRONG question 2"]),
        ("deletes_checks_and_marks", INPUT, ["was missing from the submission", "PASSED to_input"]),
        ("blank", CELL, ["not attempted yet rnn_step"]),
    ],
)
def test_feedback_says_what_was_wrong_and_why(graded, name, lesson, sentences):
    text = " ".join(graded.feedback(name, lesson).split())  # the report is folded into lines
    assert not [sentence for sentence in sentences if sentence not in text]


@pytest.mark.parametrize("name, lesson", [(name, lesson) for name, one in CLASS.items() for lesson in one.hands_in])
def test_feedback_shows_no_hidden_code(graded, name, lesson):
    text = graded.feedback(name, lesson)
    for secret in ("HIDDEN TESTS", "hidden_check", "hidden_quiz", "course.grading", (graded.roots[name] / ".hidden_seed").read_text().strip()):
        assert secret not in text


def test_the_log_tells_the_instructor_what_was_put_right(graded):
    for words in ("'check_to_input' is missing", "'quiz_2' is missing", "A second cell 'check_rnn_step'", "An unknown cell 'mine'"):
        assert words in graded.log


# The seed of the hidden cases


@pytest.fixture
def course_folder(tmp_path, monkeypatch):
    (tmp_path / "nbgrader_config.py").touch()
    (tmp_path / "autograded" / "somebody").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "autograded" / "somebody")
    monkeypatch.delenv("HIDDEN_STATE_SEED_FILE", raising=False)
    return tmp_path


def test_the_seed_is_made_once_and_for_its_owner_alone(course_folder):
    with ThreadPoolExecutor(max_workers=8) as pool:
        seeds = set(pool.map(lambda _: seed.hidden_seed(), range(40)))
    file = course_folder / ".hidden_seed"
    assert seeds == {int(file.read_text())} and stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(path.name for path in course_folder.iterdir()) == [".hidden_seed", "autograded", "nbgrader_config.py"]


@pytest.mark.parametrize("text", ["", "abc", "-5", "1e9", "0", "9" * 30, "\x00"])
def test_a_broken_seed_is_named_and_kept(course_folder, text):
    file = course_folder / ".hidden_seed"
    file.write_text(text)
    with pytest.raises(seed.SeedError, match=re.escape(str(file))) as raised:
        seed.hidden_seed()
    assert "Delete it" in str(raised.value) and file.read_text() == text


def test_the_seed_can_lie_elsewhere(course_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HIDDEN_STATE_SEED_FILE", str(tmp_path / "elsewhere"))
    (tmp_path / "elsewhere").write_text("42\n")
    assert seed.hidden_seed() == 42
    monkeypatch.setenv("HIDDEN_STATE_SEED_FILE", str(tmp_path / "no" / "such" / "folder"))
    with pytest.raises(seed.SeedError, match="cannot be written"):
        seed.hidden_seed()


def test_outside_a_course_there_is_no_seed(tmp_path, monkeypatch):
    monkeypatch.delenv("HIDDEN_STATE_SEED_FILE", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(seed.SeedError, match="is in no course"):
        seed.hidden_seed()
