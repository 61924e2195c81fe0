"""The command `course feedback UNIT`: the pages for the students, and a zip of them for a learning management system."""

import os
import sys
from pathlib import Path

from course.grading import removal
from course.grading.commands import add_command
from course.grading.intake import names
from course.grading.progress import Progress
from course.grading.seed import marked

HELP = """Write the feedback pages of a unit, and pack them as your learning management system takes them back.

A page is nbgrader's own: the notebook as it ran, the points, the likely cause of each mistake, your comments; hidden
tests are not in it. Pages that show already what is known are left as they are: after you have read texts or changed
points, run it again.
"""
MORE = """examples:
  course feedback pipeline                    feedback/STUDENT/pipeline/, a page for each lesson
  course feedback pipeline --student ada      only this student; may be given more than once
  course feedback pipeline --zip canvas       and then in Canvas: Gradebook, the assignment, Upload Submissions
  course feedback pipeline --zip moodle       and then in Moodle: View all submissions, Upload multiple feedback files in a zip

Pages are for who is in autograded/: grade first. A page that cannot be made stops nobody else's, and is named with its cause.
The zip holds the pages under the names that the system gave to what was handed in, so it is for what `course collect` has
collected from there.

exit status: 0 everybody has their pages, and they are in the zip; 1 somebody has not, or is not in it, as the lines say; 2 nothing
was done, and the message says why.
"""
SHOWN = "fed_back"
"""The folder in which is kept what the pages show."""


def add_to(commands):
    """Add the command to argparse's others."""
    feedback = add_command(commands, "feedback", run, "the pages for the students, also for an LMS", HELP, MORE)
    feedback.add_argument("unit", metavar="UNIT", help="the unit, as pipeline")
    feedback.add_argument("--student", action="append", default=[], metavar="ID", help="only this student; may be given more than once")
    feedback.add_argument("--again", action="store_true", help="write all pages anew, also those that show what is known")
    feedback.add_argument("--zip", choices=["canvas", "moodle"], help="pack the pages too: which system is to take them")
    feedback.add_argument("--to", metavar="FILE", help="the zip to write (default: feedback_UNIT_SYSTEM.zip)")


def run(options):
    """Run the command. Returns the exit code."""
    wrong = next((names.refusal(root, options.unit) for root in marked()), "")
    if wrong or (options.to and not options.zip):
        print(wrong or "--to names the zip: say also for which system it is to be, as --zip canvas", file=sys.stderr)
        return 2
    print("Loading nbgrader ...", file=sys.stderr, flush=True)
    from filelock import FileLock, Timeout  # these and nbgrader take seconds, and --help should not
    from sqlalchemy.exc import SQLAlchemyError

    from course.grading.intake.unit import GradeError
    from course.grading.round import FOLDER, find_root
    from course.grading.trouble import in_words

    from .choice import ExportError

    here = Path.cwd()
    try:
        root = find_root()
        os.chdir(root)
        (root / FOLDER).mkdir(mode=0o700, exist_ok=True)
        with FileLock(root / FOLDER / ".lock", timeout=0):
            lacking = _write(root / FOLDER / options.unit, options)
            lacking += _pack(root, here, options) if options.zip else []
    except Timeout:
        print(f"a `course grade`, `collect` or `feedback` is at work in {root}. Wait until it is done", file=sys.stderr)
    except (GradeError, ExportError) as error:
        print(error, file=sys.stderr)
    except SQLAlchemyError as error:
        print(in_words(error), file=sys.stderr)
    except OSError as error:
        print(f"{error.filename or root} cannot be used: {error.strerror}", file=sys.stderr)
    else:
        return 1 if lacking else 0
    return 2


def _write(folder, options):
    """Write the pages that are not there or show less than is known, and tell of it. Returns the students who have none. Raises GradeError."""
    from course.grading import settings
    from course.grading.intake.submissions import find_students, shown
    from course.grading.report import feedback

    from .command import course_with_gradebook

    course, config = course_with_gradebook(), settings.read()
    if options.zip and not options.student and not find_students(course, options.unit, course.autograded_directory).students:
        return []  # what is packed was graded elsewhere
    if options.again:
        removal.remove(folder / SHOWN)
    with Progress(f"feedback on {options.unit}") as watch:
        found = feedback.write(config, options.unit, options.student, watch, folder / SHOWN)
    failed = {student: why for student, why in found.items() if why}
    for student, why in failed.items():
        print(f"{shown(student)} has no page: {shown(why)[:300]}")
    place = course.format_path(course.feedback_directory, "STUDENT", options.unit)
    if written := len(found) - len(failed):
        print(f"The pages of {written} {'student' if written == 1 else 'students'} are written, in {os.path.relpath(place)}/.")
    elif not failed:
        print("All pages show what is known: none is written anew.")
    return [*failed]


def _pack(root, here, options):
    """Write the zip, and tell of it. Returns sentences on who is not in it. Raises ExportError."""
    from .packing import write

    contents, notes = _contents(root, options)
    target = here / options.to if options.to else root / f"feedback_{options.unit}_{options.zip}.zip"
    write(target, contents)
    os.chmod(target, 0o600)
    for note in notes:
        print(note)
    print(f"{target} is written: {len(contents)} pages.")
    return notes


def _contents(root, options):
    """({name in the zip: file}, sentences). Raises ExportError where there is nothing to pack."""
    from course.grading.collect.place import REGISTER, read_register
    from course.grading.round import FOLDER
    from course.grading.settings import course_directory

    from .choice import ExportError
    from .packing import names_for

    course = course_directory()
    file = root / FOLDER / options.unit / REGISTER
    register = {student: about for student, about in read_register(file).items() if not options.student or student in options.student}
    if not register:
        raise ExportError(f"{file} knows of nothing that was collected. Collect the download first: course collect {options.unit} FILE")
    contents, notes, without, elsewhere = {}, [], [], []
    for student, about in sorted(register.items()):
        folder = Path(course.format_path(course.feedback_directory, student, options.unit))
        pages = sorted(page.name for page in folder.glob("*.html") if page.is_file() and not page.is_symlink()) if folder.is_dir() else []
        names = names_for(options.zip, about["files"], pages)
        if not pages:
            without.append(student)
        elif not names:
            elsewhere.append(student)
        if shared := [name for name in names.values() if name in contents]:
            notes.append(f"{student} handed in together with {contents[shared[0]].parts[-3]}: the pages are in the zip once")
        contents = {**{name: folder / page for page, name in names.items()}, **contents}
    notes += [f"no feedback yet: {', '.join(without)}. Run: course grade {options.unit}"] if without else []
    notes += [f"not in the zip, since it did not come from {options.zip.capitalize()} as a file: {', '.join(elsewhere)}"] if elsewhere else []
    if not contents:
        raise ExportError(f"there is no feedback to pack. {notes[0]}")
    return contents, notes
