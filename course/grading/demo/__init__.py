"""The command `course demo`: release, hand in, grade and feed back, on a made-up class in a folder of its own."""

import contextlib
import copy
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

from course.grading.commands import add_command
from course.grading.seed import ROOT_MARK

from .made_up import CLASS, LESSONS, SHOWN, SHOWN_LESSON, student_id

ROOT = Path(__file__).parents[3]
UNIT = "pipeline"
GRADE = ("grade", UNIT, "--cell-seconds", "5")
"""Five seconds and not the usual sixty: one of the made-up notebooks has a loop without end."""
WIDEST = 100
"""Columns of the list of who did what."""

HELP = """See the whole round on a made-up class, in about a minute: release, hand in, grade, feed back.

It makes a course of two lessons in a temporary folder and lets thirty invented students hand in their work: right,
half done, with the usual mistakes, under a wrong file name, and hostile. Each phase shows the command that you would
type for your own class, and what comes of it. Your own course, gradebook and seed are not touched.
"""
MORE = """examples:
  course demo                        in a temporary folder, which is deleted at the end
  course demo --keep ~/demo          keep it: read the feedback, open Formgrader on it, grade it again

in the folder:
  solutions/  notebooks/             what you write, and what nbgrader releases of it
  submitted/STUDENT/pipeline/        what came back
  gradebook.db  autograded/          what `course grade pipeline` makes of it
  feedback/STUDENT/pipeline/         what a student gets back
Delete the folder when you have seen enough.

exit status: 0 everything was shown; 1 some submissions got no grade; 2 it could not begin or go on, and the message says why.
"""


class DemoError(Exception):
    """The demo cannot begin or go on. The message says why."""


def add_to(commands):
    """Add the command to argparse's others."""
    demo = add_command(commands, "demo", run, "see the whole round on a made-up class", HELP, MORE)
    demo.add_argument("--keep", metavar="FOLDER", help="make the course in this new or empty folder, and leave it there")
    demo.add_argument(
        "--no-sandbox", action="store_true", help="without any protection, as `course grade --no-sandbox`; the made-up work, the hostile too, does no harm"
    )


def run(options):
    """Run the command. Returns the exit code."""
    try:
        sources, keep = _sources(), _new_folder(options.keep)
    except DemoError as error:
        print(error, file=sys.stderr)
        return 2
    with contextlib.nullcontext(keep) if keep else tempfile.TemporaryDirectory(prefix="course-demo-") as folder:
        try:
            code = _round(Path(folder).resolve(), sources, options)
            if not keep and _somebody_is_there():
                _wait()
        except DemoError as error:
            print(error, file=sys.stderr)
            code = 2
        except KeyboardInterrupt:
            code = 130
    _say(f"\n{keep} stays. Delete it when you have seen enough." if keep else f"\n{folder} is deleted. To keep one: course demo --keep FOLDER")
    return code


def _round(folder, sources, options):
    began = time.monotonic()
    _say(f"A course with an invented class, in {folder}{'' if options.keep else ', which is deleted at the end'}")
    _phase(1, "Release", f"nbgrader generate_assignment {UNIT}")
    api = _made(folder, sources)
    _insist(api.generate_assignment(UNIT))
    _tell(f"{' and '.join(LESSONS)} are in notebooks/{UNIT}, without their solutions.")
    _phase(2, "Hand in")
    _hand_in(folder, api)
    _tell(f"{sum(map(len, CLASS.values()))} students' work is in submitted/. This is what they did:")
    _tell_who_did_what()
    command = [*GRADE, *(["--no-sandbox"] if options.no_sandbox else [])]
    _phase(3, "Grade", " ".join(["course", *command]))
    code = _grade(folder, command)
    _tell("The hostile ones have the points that their answers earned, and no more. The others lost nothing through them.")
    _phase(4, "Feed back", f"course feedback {UNIT} --student {SHOWN}")
    _course(folder, ["feedback", UNIT, "--student", SHOWN], "there is no feedback")
    _show_feedback(folder)
    _say(f"\nThat took {time.monotonic() - began:.0f} seconds. To open Formgrader on this class (menu Nbgrader):")
    _say(f"   cd {shlex.quote(str(folder))} && {shlex.quote(sys.executable)} -m jupyter lab")
    return code


# The folder


def _sources():
    """The files that the folder is made of: the settings and two lessons. Raises DemoError."""
    place = ROOT / "solutions" / UNIT
    needed = [ROOT / ROOT_MARK, *(place / f"{lesson}.ipynb" for lesson in LESSONS)]
    absent = [file for file in needed if not file.is_file()]
    if absent:
        raise DemoError(f"course demo needs the lessons' sources, and there is no {absent[0]}. Run it in a clone of the course, set up there with: make teach")
    return [needed[0], *(file for file in place.iterdir() if file.stem in LESSONS)]


def _new_folder(keep):
    """The empty folder that was asked for, or None. Raises DemoError."""
    if not keep:
        return None
    folder = Path(keep).expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise DemoError(f"{folder} is not empty, and the demo would be mixed with what is in it. Name a new folder")
    except OSError as error:
        raise DemoError(f"{folder} cannot be used: {error.strerror}") from None
    return folder


def _made(folder, sources):
    """Lay out the course. Returns nbgrader's interface to it, the one behind Formgrader's buttons."""
    for file in sources:
        target = folder / file.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)

    from nbgrader.apps import NbGraderAPI  # it takes a second, and --help should not
    from traitlets.config import Config, PyFileConfigLoader

    return NbGraderAPI(config=Config(PyFileConfigLoader(ROOT_MARK, path=str(folder)).load_config()))


def _insist(answer):
    """Nothing, if nbgrader did what it was asked to."""
    if not answer["success"]:
        raise DemoError(f"nbgrader stopped:\n{answer.get('error') or answer.get('log')}")


# Hand in


def _hand_in(folder, api):
    released = {lesson: _read(folder / "notebooks" / UNIT / f"{lesson}.ipynb") for lesson in LESSONS}
    answers = {lesson: _answers(folder / "solutions" / UNIT / f"{lesson}.ipynb") for lesson in LESSONS}
    with api.gradebook as gradebook:
        for name, work in (each for group in CLASS.values() for each in group.items()):
            first, last = name.split()
            gradebook.add_student(student_id(name), first_name=first, last_name=last)
            place = folder / "submitted" / student_id(name) / UNIT
            place.mkdir(parents=True)
            for file, text in _files(work, released, answers).items():
                (place / file).write_text(text, encoding="utf-8")


def _files(work, released, answers):
    """{file name: text} of what somebody hands in."""
    files = {}
    for lesson, changed in zip(LESSONS, (work.zero, work.cell)):
        if lesson in work.missing:
            continue
        notebook = _filled(released[lesson], {**answers[lesson], **changed}, work)
        text = json.dumps(notebook, indent=1)
        files[work.named.get(lesson, f"{lesson}.ipynb")] = text[: len(text) // 2] if lesson in work.cut_off else text
    return files


def _filled(released, answers, work):
    notebook = copy.deepcopy(released)
    for place, cell in reversed(list(enumerate(notebook["cells"]))):
        name = _grade_id(cell)
        if answers.get(name) is not None:
            cell["source"] = answers[name]
        if name in work.skipped:
            cell["metadata"]["tags"] = ["skip-execution"]
        if name in work.copied:
            notebook["cells"].insert(place, copy.deepcopy(cell))
    return notebook


def _answers(solution):
    """{solution cell: its source without nbgrader's marks} of a lesson's source."""
    marks = re.compile(r"^\s*### (BEGIN|END) SOLUTION\n?", flags=re.MULTILINE)
    cells = [cell for cell in _read(solution)["cells"] if cell["metadata"].get("nbgrader", {}).get("solution")]
    return {_grade_id(cell): marks.sub("", "".join(cell["source"])) for cell in cells}


def _grade_id(cell):
    return cell["metadata"].get("nbgrader", {}).get("grade_id")


def _read(notebook):
    return json.loads(notebook.read_text(encoding="utf-8"))


# Grade and feed back


def _grade(folder, command):
    """`course grade`. Returns its exit code."""
    return _course(folder, command, "nothing was graded" + ("" if "--no-sandbox" in command else ". Is it the sandbox? Then: course demo --no-sandbox"))


def _course(folder, command, failed):
    """A `course` command as an instructor runs it, in a process of its own. Returns its exit code. Raises DemoError, saying what failed."""
    environment = {name: value for name, value in os.environ.items() if name != "HIDDEN_STATE_SEED_FILE"}  # that is a real course's
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    code = subprocess.run([sys.executable, "-m", "course", *command], cwd=folder, env=environment).returncode
    if code not in (0, 1):
        raise DemoError(f"The demo ends here: {failed}")
    return code


def _show_feedback(folder):
    """Where the page is, and what it says of an exercise that went wrong."""
    _tell(f"{SHOWN} gets this page:")
    _tell(str(folder / "feedback" / SHOWN / UNIT / f"{SHOWN_LESSON}.html"))
    _tell("It says of rnn_step:")
    cells = _read(folder / "autograded" / SHOWN / UNIT / f"{SHOWN_LESSON}.ipynb")["cells"]
    outputs = next(cell["outputs"] for cell in cells if _grade_id(cell) == "check_rnn_step")
    said = next(output["evalue"] for output in outputs if output["output_type"] == "error")
    _say(f"\n{textwrap.indent(said, '      ')}")


# What is said on the way


def _phase(number, name, command=""):
    """Announce a phase, with what an instructor would type for it."""
    _say(f"\n{number} of 4  {name}{f'      $ {command}' if command else ''}")


def _tell_who_did_what():
    width = min(WIDEST, shutil.get_terminal_size().columns)
    for kind, students in CLASS.items():
        named = ", ".join(student_id(name) + (f" ({work.note})" if work.note else "") for name, work in students.items())
        _say(textwrap.fill(named, width, initial_indent=f"   {kind:16} ", subsequent_indent=" " * 20, break_on_hyphens=False))


def _tell(text):
    _say(f"   {text}")


def _say(text):
    print(text, flush=True)  # the grading in between writes to the same place


def _somebody_is_there():
    return sys.stdin.isatty() and sys.stdout.isatty()


def _wait():
    with contextlib.suppress(EOFError):
        input("\nLook around. Then press Enter, and the folder is deleted. ")
