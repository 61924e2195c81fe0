"""The command `course feedback UNIT --zip canvas|moodle`."""

import os
import sys
from pathlib import Path

from course.grading.commands import add_command

HELP = """Pack the feedback pages of a unit into one zip that your learning management system takes back.

The pages are nbgrader's: make them first. The zip holds them under the names that the system gave to what was handed in, so it
works for what `course collect` has collected from there.
"""
MORE = """examples:
  nbgrader generate_feedback pipeline
  course feedback pipeline --zip canvas       then in Canvas: Gradebook, the assignment, Upload Submissions
  course feedback pipeline --zip moodle       then in Moodle: View all submissions, Upload multiple feedback files in a zip

exit status: 0 the zip is written with everybody's pages; 1 somebody's are not in it, as the lines say; 2 there is no zip, and the
message says why.
"""


def add_to(commands):
    """Add the command to argparse's others."""
    feedback = add_command(commands, "feedback", run, "pack feedback for an LMS", HELP, MORE)
    feedback.add_argument("unit", metavar="UNIT", help="the unit, as pipeline")
    feedback.add_argument("--zip", choices=["canvas", "moodle"], required=True, help="which system is to take it")
    feedback.add_argument("--to", metavar="FILE", help="the zip to write (default: feedback_UNIT_SYSTEM.zip)")


def run(options):
    """Run the command. Returns the exit code."""
    from course.grading.intake.unit import GradeError  # nbgrader takes seconds, and --help should not
    from course.grading.round import find_root

    from .choice import ExportError

    here = Path.cwd()
    try:
        root = find_root()
        os.chdir(root)
        contents, notes = _contents(root, options)
        target = here / options.to if options.to else root / f"feedback_{options.unit}_{options.zip}.zip"
        from .packing import write

        write(target, contents)
        os.chmod(target, 0o600)
    except (GradeError, ExportError) as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{error.filename} cannot be used: {error.strerror}", file=sys.stderr)
        return 2
    for note in notes:
        print(note)
    print(f"{target} is written: {len(contents)} pages.")
    return 1 if notes else 0


def _contents(root, options):
    """({name in the zip: file}, sentences). Raises ExportError where there is nothing to pack."""
    from course.grading.collect.place import REGISTER, read_register
    from course.grading.round import FOLDER
    from course.grading.settings import course_directory

    from .choice import ExportError
    from .packing import names_for

    course = course_directory()
    file = root / FOLDER / options.unit / REGISTER
    register = read_register(file)
    if not register:
        raise ExportError(f"{file} knows of nothing that was collected. Collect the download first: course collect {options.unit} FILE")
    contents, notes = {}, []
    for student, about in sorted(register.items()):
        folder = Path(course.format_path(course.feedback_directory, student, options.unit))
        pages = sorted(page.name for page in folder.glob("*.html") if page.is_file() and not page.is_symlink()) if folder.is_dir() else []
        names = names_for(options.zip, about["files"], pages)
        if not pages:
            notes.append(f"{student} has no feedback yet. Run: nbgrader generate_feedback {options.unit}")
        elif not names:
            notes.append(f"{student}'s work did not come from {options.zip.capitalize()}, or not as a file: not in the zip")
        if shared := [name for name in names.values() if name in contents]:
            notes.append(f"{student} handed in together with {contents[shared[0]].parts[-3]}: the pages are in the zip once")
        contents = {**{name: folder / page for page, name in names.items()}, **contents}
    if not contents:
        raise ExportError(f"there is no feedback to pack. {notes[0] if notes else ''}")
    return contents, notes
