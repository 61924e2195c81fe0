"""A class of sixty as it really arrives: three downloads, a folder and some mail; what each handed in, and every point that is expected of it.

    python tests/class_of_sixty.py FOLDER      makes the class in a new folder, for an instructor's look, and says what to type

The unit is three lessons: one without points, one of checks and questions, one with questions that depend on the student and a text that is read by hand.
"""

import base64
import copy
import csv
import io
import json
import shlex
import shutil
import sys
import zipfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from nbgrader.api import Gradebook
from saved_by import TOOLS
from small_class import UNIT, answers, changed, released, right
from support import ROOT, grade_id, nbgrader, read, source

from course.grading.demo.made_up import NO_B_HH, NO_TRANSPOSE, RIGHT_STEP, STATE_FORGOTTEN
from course.grading.roster import sheets
from course.learner import quiz, sealed

START, CELL, QUIZ = LESSONS = "00_start", "03_cell_step", "09_model_quiz"
OF = {START: 0, CELL: 9, QUIZ: 13}
BY_HAND = 3
"""Points for the text, of those of QUIZ."""
CANVAS, MOODLE, BRIGHTSPACE, FOLDER, MAIL, NOTHING = "canvas", "moodle", "brightspace", "folder", "mail", ""
SECTIONS = {CANVAS: "A", MOODLE: "B", BRIGHTSPACE: "C", FOLDER: "D", MAIL: "D", NOTHING: "D"}
COLUMN, ASSIGNMENT = f"{UNIT}=70551", "Unit 1: the cell (70551)"
DUE = "2026-11-20 12:00:00 UTC"
TIMES = {-1: "Nov 19, 2026 1105 AM", 0: "Nov 20, 2026 1145 AM", 1: "Nov 21, 2026 1130 AM", 2: "Nov 22, 2026 1130 AM", 3: "Nov 23, 2026 1130 AM"}
"""{days late, begun ones counted: when, as Brightspace writes it; in UTC}"""
LATE = '''"""One point a day off each lesson, and never more than it has."""

from nbgrader.plugins import BasePlugin


class PointADay(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return min(score, float(-(-total_seconds_late // 86400)))
'''
TEXT = "A state carries what was read from each step to the next. Where it is cut, the last step knows nothing of the first."
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()
RULE = "    return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)"
HELPER = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}
HELPER["cells"] += [{"cell_type": "code", "id": "a", "metadata": {}, "source": f"import torch\n\n{RIGHT_STEP}", "outputs": [], "execution_count": None}]


@dataclass
class Work:
    """What one student hands in: at first all of it is right. files: {name: notebook or bytes}; the lessons under their own names.

    before: files of an earlier hand-in; typed: what stands after `student =`; who: the id for which the answers are.
    """

    root: Path
    files: dict
    before: dict = field(default_factory=dict)
    late: int = 0
    flagged: bool = False

    def lesson(self, name):
        return self.files[f"{name}.ipynb"]


@dataclass(frozen=True)
class Student:
    """One line of the class. cell, quiz: points by machine, of 9 and 10; text: what is given for the text, None where there is nothing to read;
    does: changes of a right Work; said: words of the table; noted: words among the notes of --json; penalty: for being late."""

    id: str
    name: str
    by: str
    cell: float = 9
    quiz: float = 10
    text: float | None = 3
    does: tuple = ()
    said: str = ""
    noted: str = ""
    penalty: float = 0
    extension: int = 0
    called: str = ""
    """The name that the LMS has, where it is another one."""

    @property
    def first(self):
        return self.name.rpartition(" ")[0]

    @property
    def last(self):
        return self.name.rpartition(" ")[2]

    @property
    def email(self):
        plain = self.name.isascii() and [student.name for student in CLASS].count(self.name) == 1
        return f"{self.first}.{self.last}@uni.org".lower() if plain else f"{self.id}@uni.org"

    @property
    def number(self):
        """The number that every LMS has of this student, in different series."""
        return 101 + next(place for place, student in enumerate(CLASS) if student is self)

    def points(self, read=True):
        """What everything comes to, before or after the text is read."""
        return max(0, self.cell + self.quiz + (self.text or 0) * read - self.penalty)


# What students do


def does(change):
    """A change of a Work that is made with arguments, and carried out later."""
    return lambda *arguments, **named: lambda work: change(work, *arguments, **named)


@does
def step(work, text):
    changed(work.lesson(CELL), "rnn_step", text)


@does
def writes(work, lesson, **cells):
    for name, text in cells.items():
        changed(work.lesson(lesson), name, text)


@does
def leaves(work, lesson, *names):
    given = {grade_id(cell): source(cell) for cell in released(work.root, lesson)["cells"]}
    for name in names or [name for name in given if name in answers(lesson)]:
        changed(work.lesson(lesson), name, given[name])


@does
def types(work, text, who=None):
    """The id in the last lesson, and the answers for an id as plain numbers."""
    for cell in work.lesson(QUIZ)["cells"]:
        if source(cell).startswith("student = "):
            cell["source"] = source(cell).replace('student = ""', f"student = {text!r}")
    if who:
        changed(work.lesson(QUIZ), "answers_4_5", answers_for(who))


def answers_for(who):
    """Right answers to questions 4 and 5 for an id."""
    four, five = (quiz._variant(sealed.question(QUIZ, number), QUIZ, number, who)["given"] for number in (4, 5))
    return f"answer_4 = {(2 * four['L'], four['B'], four['H'])}\nanswer_5 = {1 / (1 + 2.718281828459045 ** (five['b'] - five['a'])):.4f}"


@does
def cell_after(work, name, text):
    cells = work.lesson(CELL)["cells"]
    place = next(place for place, cell in enumerate(cells) if grade_id(cell) == name)
    cells.insert(place + 1, {"cell_type": "code", "id": "mine", "metadata": {}, "source": text, "outputs": [], "execution_count": None})


@does
def saved_by(work, tool):
    for lesson in LESSONS:
        work.files[f"{lesson}.ipynb"] = TOOLS[tool](work.lesson(lesson))


@does
def named(work, pattern, *lessons):
    for lesson in lessons or (CELL, QUIZ):
        work.files[pattern.format(lesson)] = work.files.pop(f"{lesson}.ipynb")


@does
def beside(work, name, content):
    work.files[name] = content


@does
def without(work, *lessons):
    for lesson in lessons:
        del work.files[f"{lesson}.ipynb"]


@does
def cut(work, lesson):
    data = as_bytes(work.lesson(lesson))
    work.files[f"{lesson}.ipynb"] = data[: len(data) // 2]


@does
def packed(work, name, folder=""):
    """Everything in a zip, with what a Mac puts into one."""
    files = {f"{folder}{place}": content for place, content in work.files.items()}
    mac = {f"__MACOSX/{folder}._{place}": b"\x00\x05\x16\x07" for place in work.files}
    work.files = {name: zipped({**files, **mac})}


@does
def again_as_given(work, name, lesson):
    """The lesson twice in one hand-in: once more as it was released."""
    work.files[name] = released(work.root, lesson)


@does
def text(work, written, **cell):
    next(each for each in work.lesson(QUIZ)["cells"] if grade_id(each) == "key_insight").update(source=written, **cell)


@does
def text_deleted(work):
    notebook = work.lesson(QUIZ)
    notebook["cells"] = [cell for cell in notebook["cells"] if grade_id(cell) != "key_insight"]


@does
def mark_lost(work):
    next(cell for cell in work.lesson(QUIZ)["cells"] if grade_id(cell) == "key_insight").update(id="other", metadata={})


@does
def late(work, days=0, flagged=False):
    work.late, work.flagged = days, flagged


@does
def first_handed_in(work, lesson, **cells):
    """An earlier hand-in, of which something is worse."""
    work.before = copy.deepcopy(work.files)
    for name, answer in cells.items():
        changed(work.before[f"{lesson}.ipynb"], name, answer)


SCRIPT = f"{TEXT}\n\n<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
NEARLY_NOTHING = leaves(CELL), leaves(QUIZ), writes(CELL, answer_1=answers(CELL)["answer_1"])
CLASS = [
    Student("ada01", "Ada Lovelace", CANVAS, 9, 10, 3, (types("ada.lovelace"),)),
    Student("ben02", "Ben Ode", CANVAS, 9, 10, 3, (types("Ben.Ode@uni.org", "ben.ode@uni.org"),)),
    Student("cem03", "Cem Kaya", CANVAS, 9, 10, 3, (types("4103", "4103"),)),
    Student("dana04", "Dana Meir", CANVAS, 9, 6, 3, (types("ada01", "ada01"),), "the id of another student, Ada Lovelace (ada01)"),
    Student("eli05", "Eli Stone", CANVAS, 9, 6, 3, (types("elijah", "elijah"),), "which the roster does not have for this student"),
    Student("fay06", "Fay Wong", CANVAS, 5, 10, 3, (step(NO_TRANSPOSE),), "rnn_step 0/4"),
    Student("gus07", "Gus Holm", CANVAS, 5, 10, 3, (step(RIGHT_STEP[:-1]),), "SyntaxError: incomplete input in line 2"),
    Student("hal08", "Hal Lund", CANVAS, 9, 10, 2, (step(f"import seaborn as sns\nsns.set_theme()\n\n{RIGHT_STEP}"),), "", "seaborn"),
    Student("ida09", "Ida Berg", CANVAS, 5, 10, 3, (step(RIGHT_STEP.replace("rnn_step", "my_step")),), "it is called my_step"),
    Student("jon10", "Jon Roth", CANVAS, 5, 10, 3, (leaves(CELL, "rnn_step"), cell_after("check_rnn_step", RIGHT_STEP)), "it stands below its check"),
    Student("kim11", "Kim Vance", CANVAS, 9, 10, 3, (step("%run helper.ipynb"), beside("helper.ipynb", HELPER))),
    Student("lea12", "Lea Moss", CANVAS, 9, 10, 3, (step(RIGHT_STEP.replace("    return", "    breakpoint()\n    return")),)),
    Student("max13", "Max Bauer", CANVAS, 9, 10, 3, (saved_by("colab"),)),
    Student("nia14", "Nia Cole", CANVAS, 9, 10, 3, (text(f"{TEXT}\n\n![net](attachment:net.png)", attachments={"net.png": {"image/png": PNG}}),)),
    Student("ole15", "Ole Krog", CANVAS, 9, 10, 3, (named("{} (1).ipynb"),)),
    Student("pia16", "Pia Nord", CANVAS, 9, 10, 3, (named("{}-Copy1.ipynb"),), "", "-Copy1.ipynb was taken for"),
    Student("raj17", "Raj Patel", CANVAS, 9, 10, 3, (named("Copy of {}.ipynb"),), "", "was taken for"),
    Student("sam18", "Sam Hart", CANVAS, 9, 10, 3, (packed("homework.zip", "hw/"),)),
    Student("tom19", "Tom Frey", CANVAS, 5, 9, 1, (leaves(CELL, "layer_step", "answer_2"), writes(QUIZ, answer_1='answer_1 = "A"')), "layer_step 0/3"),
    Student("uma20", "Uma Iyer", CANVAS, 0, 0, None, (leaves(CELL), leaves(QUIZ)), "nothing attempted"),
    Student("vic21", "Vic Dahl", CANVAS, 9, 10, 3, (again_as_given(f"{CELL} (1).ipynb", CELL),), "", "was handed in more than once"),
    Student("wim22", "Wim Vos", CANVAS, 9, 0, None, (cut(QUIZ),), "the file is damaged or cut off"),
    Student("xia23", "Xia Chen", CANVAS, 9, 10, 2, (text(SCRIPT),)),
    Student("yan24", "Yan Petit", CANVAS, 9, 10, 3, (late(flagged=True),)),
    Student("zed25", "Zed Shaw", CANVAS, 9, 0, None, (without(QUIZ),), "not handed in: 09"),
    Student("ana26", "Ana Silva", MOODLE, 9, 10, 3, (saved_by("vs_code"),)),
    Student("bo27", "Bo Aas", MOODLE, 9, 10, 3, (saved_by("kaggle"),)),
    Student("cy28", "Cy Pher", MOODLE, 9, 10, 3, (saved_by("jupyterlab_3"),)),
    Student("dee29", "Dee Lane", MOODLE, 9, 10, 3, (saved_by("nbformat_3"),)),
    Student("eva30", "Eva Marsh", MOODLE, 9, 10, 3, (saved_by("deepnote"),)),
    Student("flo31", "Flo Gray", MOODLE, 9, 10, 3, (saved_by("dataspell"),)),
    Student("gil32", "Gil Ross", MOODLE, 9, 10, 3, (saved_by("cocalc"),)),
    Student("zoe33", "Zoë O'Brien", MOODLE, 9, 10, 3, (saved_by("marimo"),)),
    Student("minjun1", "Min-jun Kim", MOODLE, 9, 10, 3),
    Student("minjun2", "Min-jun Kim", MOODLE, 5, 10, 2, (step(NO_B_HH),), "rnn_step 0/4"),
    Student("hanako", "花子 山田", MOODLE, 9, 10, 3),
    Student("rob37", "Robert Stone", MOODLE, 9, 10, 3, called="Bobby S"),
    Student("jo38", "Jo Finch", MOODLE, 9, 10, 3, (named("week 3/homework/{}.ipynb"),)),
    Student("kai39", "Kai Ito", MOODLE, 9, 10, 3, (packed("my work.zip"),)),
    Student("lin40", "Lin Zhao", MOODLE, 9, 10, None, (text_deleted(),), "", "is added again, empty"),
    Student("mia41", "Mia Falk", MOODLE, 9, 10, 3, (mark_lost(),), "", "had lost its mark"),
    Student("ned42", "Ned Ash", MOODLE, 6, 10, 0, (writes(CELL, layer_step=STATE_FORGOTTEN), text("The network.")), "layer_step 0/3"),
    Student("ola43", "Ola Berg", BRIGHTSPACE, 9, 10, 3),
    Student("pat44", "Pat Reed", BRIGHTSPACE, 9, 10, 3, (late(1),), "23 hours 30 minutes late, 2 points off", penalty=2),
    Student("quo45", "Quo Vadis", BRIGHTSPACE, 9, 10, 3, (late(3),), "2 days 23 hours late, 6 points off", penalty=6),
    Student("rea46", "Rea Silvia", BRIGHTSPACE, 9, 10, 3, (late(1),), "an extension of 2 days", extension=2),
    Student("sol47", "Sol Amir", BRIGHTSPACE, 9, 10, 3, (late(2),), "late, after an extension of 1 day, 2 points off", penalty=2, extension=1),
    Student("tia48", "Tia Lopez", BRIGHTSPACE, 9, 10, 3, (first_handed_in(CELL, rnn_step=NO_TRANSPOSE),)),
    Student("ugo49", "Ugo Conti", BRIGHTSPACE, 9, 10, 3, (first_handed_in(CELL, rnn_step="1 / 0"), late(1)), "2 points off", penalty=2),
    Student("val50", "Val Kerr", BRIGHTSPACE, 1, 0, None, (*NEARLY_NOTHING, late(3)), "1 point off", penalty=1),
    Student("noa [2]", "Noa Levi", FOLDER, 9, 10, 3),
    Student("what?", "Wat Tyler", FOLDER, 9, 10, 3),
    Student("a*b", "Abe Star", FOLDER, 5, 10, 3, (step(f"def rnn_step(x, h, W_ih, W_hh, b_ih, b_hh):\n{RULE[:-2]})"),), "rnn_step 0/4"),
    Student("abe54", "Abe Cole", FOLDER, 9, 10, 3, (saved_by("a_script_without_the_rest"),)),
    Student("fern55", "Fern Hill", FOLDER, 9, 10, 3, (packed("all.zip"), beside("notes.txt", b"See the zip."))),
    Student("gia56", "Gia Rossi", MAIL, 9, 10, 3, (), "", f"holds no folder {UNIT}"),
    Student("hon57", "Hon Solo", MAIL, 9, 10, 3, (named("my homework/third {}.ipynb"),), "", f"holds no folder {UNIT}"),
    Student("ivy58", "Ivy Lane", NOTHING, 0, 0, None),
    Student("jim59", "Jim Dean", NOTHING, 0, 0, None),
    Student("kay60", "Kay Sage", NOTHING, 0, 0, None, extension=7),
]
BY_ID = {student.id: student for student in CLASS}
FEW = "ada01 dana04 gus07 hal08 max13 sam18 vic21 wim22 xia23 zoe33 minjun1 rob37 val50 sol47|noa [2]|gia56|kay60"
FEW = [BY_ID[name] for part in FEW.split("|") for name in ([part] if "[" in part else part.split())]
"""One of each main kind."""


# What arrives


def work_of(root, student):
    """The Work of a student, all of it done."""
    work = Work(root, {f"{START}.ipynb": released(root, START), **{f"{lesson}.ipynb": right(root, lesson) for lesson in (CELL, QUIZ)}})
    changed(work.lesson(QUIZ), "key_insight", TEXT)
    for change in student.does:
        change(work)
    return work


def as_bytes(content):
    return content if isinstance(content, bytes) else json.dumps(content).encode()


def zipped(files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, as_bytes(content))
    return data.getvalue()


def from_canvas(student, work):
    """Flat, and without a time: squashed name, LATE, the student's number, the file's."""
    squashed = "".join(sign for sign in f"{student.last}{student.first}".lower() if sign.isalnum())
    for place, (name, content) in enumerate(work.files.items()):
        yield f"{squashed}{'_LATE' * work.flagged}_{4000 + student.number}_{90000 + 10 * student.number + place}_{name.rpartition('/')[2]}", content


def from_moodle(student, work):
    for name, content in work.files.items():
        yield f"{student.called or student.name}_{7000 + student.number}_assignsubmission_file/{name}", content


def from_brightspace(student, work):
    for files, time in ((work.before, TIMES[-1]), (work.files, TIMES[work.late])):
        for name, content in files.items():
            yield f"{39000 + student.number}-640693 - {student.name} - {time}/{name}", content


FORMS = {CANVAS: from_canvas, MOODLE: from_moodle, BRIGHTSPACE: from_brightspace}


def downloads(root, folder, class_=CLASS):
    """Write what the LMSs give into a folder, and the mail into submitted/. Returns {where from: the file or folder}."""
    found = {system: {} for system in FORMS}
    for student in class_:
        if not student.by:
            continue
        work = work_of(root, student)
        if student.by in FORMS:
            found[student.by].update(FORMS[student.by](student, work))
            continue
        top = folder / "by hand" / student.id if student.by == FOLDER else root / "submitted" / student.id
        for name, content in work.files.items():
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            (top / name).write_bytes(as_bytes(content))
    files = {system: folder / f"{system}.zip" for system in FORMS}
    for system, file in files.items():
        file.write_bytes(zipped(found[system]))
    return {**files, FOLDER: folder / "by hand"}


def rosters(folder, class_=CLASS):
    """Write what the registrar, Canvas and Moodle have of the class. Returns {what: file}."""
    of_canvas = [student for student in class_ if student.by == CANVAS]
    tables = {
        "class.csv": [
            ["id", "first_name", "last_name", "email", "section", "canvas_id"],
            *([each.id, each.first, each.last, each.email, SECTIONS[each.by], 4000 + each.number if each.by == CANVAS else ""] for each in class_),
        ],
        "canvas.csv": [
            ["Student", "ID", "SIS Login ID", "Section", ASSIGNMENT],
            ["    Points Possible", "", "", "", "22.00"],
            *([f"{each.last}, {each.first}", 4000 + each.number, each.id, "A", ""] for each in of_canvas),
            ["Student, Test", 4999, "test", "A", ""],
        ],
        "moodle.csv": [
            ["Identifier", "Full name", "ID number", "Email address", "Status"],
            *([f"Participant {7000 + each.number}", each.name, "", each.email, "Submitted"] for each in class_ if each.by == MOODLE and not each.called),
        ],
    }
    for name, rows in tables.items():
        (folder / name).write_bytes(sheets.written(rows))
    return {name.partition(".")[0]: folder / name for name in tables}


# The course


def make(root, class_=CLASS):
    """Make the course with the unit released, a due date, extensions and late penalties; and what arrives, in downloads/. Returns (rosters, downloads)."""
    lay_out(root)
    nbgrader(root, "generate_assignment", UNIT)
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        gradebook.update_or_create_assignment(UNIT, duedate=DUE)
    (root / "downloads").mkdir()
    return rosters(root / "downloads", class_), downloads(root, root / "downloads", class_)


def lay_out(root):
    """The sources of the unit: without the explorers of the last lesson, which nobody's points depend on and which take a second each time."""
    (root / "solutions" / UNIT).mkdir(parents=True)
    for lesson in LESSONS:
        (twin,) = (ROOT / "solutions").glob(f"{'pipeline' if lesson == START else '*'}/{lesson}.ipynb")
        notebook = read(twin)
        if lesson == QUIZ:
            notebook["cells"] = [cell for cell in notebook["cells"] if not source(cell).startswith("explore.")]
        (root / "solutions" / UNIT / f"{lesson}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    for file in (ROOT / "solutions" / "pipeline").glob("*.png"):
        shutil.copy(file, root / "solutions" / UNIT)
    shutil.copy(ROOT / "nbgrader_config.py", root)
    (root / "late.py").write_text(LATE)
    with open(root / "nbgrader_config.py", "a", encoding="utf-8") as file:
        file.write('\nc.AssignLatePenalties.plugin_class = "late.PointADay"\n')
    (root / ".hidden_seed").write_text("987654321012\n")


def extend(root, class_=CLASS):
    """More time for some, as an instructor gives it: before anything of theirs is graded."""
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        for student in class_:
            if student.extension:
                gradebook.update_or_create_submission(UNIT, student.id, extension=timedelta(days=student.extension))
        gradebook.db.commit()


def mend(file):
    """Fill in unmatched.csv: the student whom Moodle calls otherwise, and nobody else."""
    sheet = sheets.read(file)
    (one,) = (student for student in CLASS if student.called)
    rows = [[one.id if row[1] == one.called else "-", *row[1:]] for row in sheet.rows]
    file.write_bytes(sheets.written([sheet.header, *rows]))


def read_texts(root, class_=CLASS):
    """Give the points for the texts that were written, as Formgrader keeps them."""
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        for student in class_:
            if student.text is not None:
                grade = gradebook.find_grade("key_insight", QUIZ, UNIT, student.id)
                grade.manual_score, grade.needs_manual_grade = student.text, False
        gradebook.db.commit()


def expected(class_=CLASS):
    """The class as a table in CSV: who, from where, and the points that should come out."""
    data = io.StringIO()
    table = csv.writer(data)
    table.writerow(["student", "name", "from", "cell of 9", "quiz of 10", "text of 3", "penalty", "points of 22"])
    for each in class_:
        table.writerow([each.id, each.name, each.by or "nothing", each.cell, each.quiz, "" if each.text is None else each.text, each.penalty, each.points()])
    return data.getvalue()


def main(folder):
    root = Path(folder)
    root.mkdir(parents=True)
    tables, files = make(root.resolve())
    (root / "expected.csv").write_text(expected(), encoding="utf-8")
    tables, files = (" ".join(shlex.quote(f"downloads/{file.name}") for file in each.values()) for each in (tables, files))
    print(
        f"cd {shlex.quote(folder)}",
        f"course roster {tables}",
        f"course collect {UNIT} {files} --timezone UTC --dry-run",
        f"course grade {UNIT}",
        f"course feedback {UNIT}",
        f"course report {UNIT}",
        f'course export --for canvas --gradebook downloads/canvas.csv --column "{COLUMN}"',
        "What should come out is in expected.csv.",
        sep="\n",
    )


if __name__ == "__main__":
    main(sys.argv[1])
