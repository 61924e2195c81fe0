"""The command `course export`."""

import os
import sys
from pathlib import Path

from course.grading.commands import add_command

HELP = """Write the grades as your learning management system takes them back.

The figures are those of `nbgrader export`: points less the penalty for being late, and never below 0. What a spreadsheet
would run as a formula is written so that it does not.
"""
MORE = """examples:
  course export --for canvas --gradebook Grades-RNN.csv --column "pipeline=Unit 1"
  course export --for moodle --by lesson                     a column for each lesson
  course export training --for csv --by exercise --to unit2.csv

canvas   --gradebook is the file that you get in Canvas by Gradebook, Export. It comes back with the scores filled in, and everything
         else as it was. A column is found by its title, where that is the name of the unit or the lesson; otherwise say
         which one with --column. Canvas would make a new assignment of a title that it does not know: only with --new.
         Export from Canvas just before: other columns go back as they were then.
moodle   Grades, Import, CSV file; map "Email address" to the e-mail, and each other column to a grade item. One student whom
         Moodle does not know stops its whole import: so only the roster's are written. --key chooses another column.
csv      a line for each student and item: raw_score, late_submission_penalty, score, max_score.

Who handed in nothing has 0, as in nbgrader's export; --missing empty leaves the cell empty. What was handed in and is not graded
yet stays empty, and is named. A penalty is a lesson's: by exercise it is not taken off.

exit status: 0 the file is written; 1 it is written, and somebody or something is not in it, as the lines say; 2 it is not, and the
message says why.
"""
TARGETS = {"canvas": "grades_canvas.csv", "moodle": "grades_moodle.csv", "csv": "grades.csv"}


def add_to(commands):
    """Add the command to argparse's others."""
    export = add_command(commands, "export", run, "write grades for an LMS", HELP, MORE)
    export.add_argument("units", nargs="*", metavar="UNIT", help="only this unit; may be given more than once")
    export.add_argument("--for", dest="system", choices=[*TARGETS], required=True, help="whose import is to read it")
    export.add_argument("--by", choices=["unit", "lesson", "exercise"], default="unit", help="a figure for each (default: %(default)s)")
    export.add_argument("--to", metavar="FILE", help="the file to write (default: grades_canvas.csv, grades_moodle.csv or grades.csv)")
    export.add_argument("--missing", choices=["zero", "empty"], default="zero", help="what stands for work that was not handed in (default: %(default)s)")
    canvas = export.add_argument_group("for canvas")
    canvas.add_argument("--gradebook", metavar="FILE", help="the gradebook as Canvas exports it")
    canvas.add_argument("--column", action="append", default=[], metavar="ITEM=TITLE", help="the assignment for a unit or lesson, or - for none")
    canvas.add_argument("--new", action="store_true", help="let Canvas make a new assignment where it has none")
    moodle = export.add_argument_group("for moodle")
    moodle.add_argument("--key", choices=["email", "username", "idnumber"], default="email", help="by what Moodle knows a student (default: %(default)s)")


def run(options):
    """Run the command. Returns the exit code."""
    from nbgrader.api import MissingEntry  # it takes seconds, and --help should not
    from sqlalchemy.exc import SQLAlchemyError

    from course.grading.intake.unit import GradeError
    from course.grading.roster.people import RosterError
    from course.grading.round import find_root
    from course.grading.trouble import in_words

    from .choice import ExportError

    here = Path.cwd()
    try:
        root = find_root()
        os.chdir(root)
        notes, target = _export(root, here, options)
    except (GradeError, RosterError, ExportError) as error:
        print(error, file=sys.stderr)
    except MissingEntry:
        print(f"the gradebook does not know {' or '.join(options.units)}. Release and grade it first: course grade UNIT", file=sys.stderr)
    except SQLAlchemyError as error:
        print(in_words(error), file=sys.stderr)
    except OSError as error:
        print(f"{error.filename} cannot be used: {error.strerror}", file=sys.stderr)
    else:
        for note in notes:
            print(note)
        print(f"{target} is written.")
        return 1 if notes else 0
    return 2


def _export(root, here, options):
    """(sentences, the file that was written)."""
    from course.grading.roster import people, sheets

    from .choice import ExportError

    rows, course = read_totals(options.units, options.by)
    if not rows:
        raise ExportError("the gradebook has no student or no unit yet. Make the roster and grade first: course roster --help")
    items = {row.item: row.of for row in rows}
    class_ = people.read(root) or _of_gradebook(course)
    scores, notes = scores_of(rows, course, options.missing)
    target = here / options.to if options.to else root / TARGETS[options.system]
    if options.system == "csv":
        data = sheets.written(_plain(rows, class_, scores), bom=True)  # with its mark a spreadsheet reads accents
    elif options.system == "moodle":
        from . import moodle

        filled, more = moodle.fill(items, scores, class_, options.key)
        data, notes = sheets.written(filled), notes + more
    else:
        data, more = _for_canvas(here, options, items, scores, class_, target)
        notes += more
    target.write_bytes(data)
    os.chmod(target, 0o600)
    return notes, target


def _for_canvas(here, options, items, scores, class_, target):
    from course.grading.roster import sheets

    from . import canvas
    from .choice import ExportError, columns_of

    if not options.gradebook:
        raise ExportError("--for canvas needs the gradebook that Canvas exports, for its columns and numbers: --gradebook FILE.csv")
    file = here / options.gradebook
    if file.exists() and target.exists() and file.samefile(target):
        raise ExportError(f"{file} would be overwritten. Name another file with --to")
    choice = columns_of(options.column, items)
    try:
        sheet = sheets.read(file)
        filled, notes = canvas.fill(sheet, items, scores, class_, choice, options.new)
    except (sheets.SheetError, ExportError) as error:
        raise ExportError(f"{file} {error}") from None
    return sheets.written(filled, sheet.delimiter, sheet.bom), notes


def read_totals(units, by):
    """([Row], nbgrader's CourseDirectory). Raises ExportError where there is no gradebook."""
    from .table import totals

    course = course_with_gradebook()
    return totals(course.db_url, course.course_id, units, by), course


def course_with_gradebook():
    """nbgrader's CourseDirectory. Raises ExportError where there is no gradebook: nbgrader would make one."""
    from course.grading import backups
    from course.grading.settings import course_directory

    from .choice import ExportError

    course = course_directory()
    database = backups.file_of(course.db_url)
    if database and not database.exists():
        raise ExportError(f"there is no gradebook yet ({database}). Release and grade a unit first: course grade UNIT")
    return course


def scores_of(rows, course, missing):
    """({(student, item): text with two digits}, sentences): nothing for what has no grade yet."""
    scores, waiting, unread = {}, {}, {}
    for row in rows:
        handed_in = row.graded or os.path.isdir(course.format_path(course.submitted_directory, row.student, row.unit))
        if row.graded or (not handed_in and missing == "zero"):
            scores[row.student, row.item] = f"{row.score:.2f}"
        if handed_in and not row.graded:
            waiting.setdefault(row.unit, dict())[row.student] = None
        if row.unread:
            unread.setdefault(row.unit, dict())[row.student] = None
    notes = [f"{unit}: handed in and not graded yet, so left empty: {', '.join(students)}. Run: course grade {unit}" for unit, students in waiting.items()]
    notes += [
        f"{unit}: {len(students)} student{'s have' if len(students) > 1 else ' has'} answers that wait to be read, and count as they are now"
        for unit, students in unread.items()
    ]
    return scores, notes


def _of_gradebook(course):
    """The students as nbgrader knows them, where there is no roster."""
    from nbgrader.api import Gradebook

    from course.grading.roster.people import Person

    with Gradebook(course.db_url, course.course_id) as gradebook:
        return [
            Person(each.id, each.first_name or "", each.last_name or "", each.email or "", ids={"canvas_id": each.lms_user_id} if each.lms_user_id else {})
            for each in gradebook.students
        ]


def _plain(rows, class_, scores):
    known = {person.id: person for person in class_}
    yield ["student_id", "last_name", "first_name", "email", "section", "unit", "item", "raw_score", "late_submission_penalty", "score", "max_score"]
    for row in rows:
        person = known.get(row.student)
        about = [getattr(person, name, "") for name in ("last_name", "first_name", "email", "section")]
        figures = [row.raw, row.penalty, row.score] if (row.student, row.item) in scores else ["", "", ""]
        yield [row.student, *about, row.unit, row.item, *figures, row.of]
