"""The command `course roster FILE.csv`."""

import sys

from course.grading.commands import add_command

HELP = """Tell the course who is in the class: names, e-mails, ids of the LMS, sections.

FILE is what your learning management system exports: the gradebook of Canvas, the participants or the grading worksheet
of Moodle, the grade centre of Blackboard, the grades of Brightspace or Google Classroom, or a table of your own. The
columns are known by their names. What is read is merged into roster.csv in the course's folder, and into nbgrader's
gradebook. Nobody is ever taken out of it.
"""
MORE = """examples:
  course roster 2026-11-25_Grades-RNN.csv            Canvas: Gradebook, Export
  course roster participants.csv worksheet.csv       Moodle: the list, and the worksheet of an assignment for its numbers
  course roster class.csv --id Matrikelnummer        a table of your own; this column names the folders in submitted/

A table of your own needs one line with the names of the columns:
  id,first_name,last_name,email,section,canvas_id
  ada,Ada,Lovelace,ada@example.edu,A,4101
roster.csv looks like this too. You may edit it. Columns whose names end in _id are further numbers of a student.
The id is the name of the student's folder in submitted/. Where the table has none it is what the student logs in with.

exit status: 0 the roster is written; 2 it could not be, and the message says why.
"""


def add_to(commands):
    """Add the command to argparse's others."""
    roster = add_command(commands, "roster", run, "tell the course who is in the class", HELP, MORE)
    roster.add_argument("files", nargs="+", metavar="FILE.csv", help="a table with one line a student")
    roster.add_argument("--id", metavar="COLUMN", help="the column that names the folders in submitted/, where it is not called id")
    roster.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")


def run(options):
    """Run the command. Returns the exit code."""
    from sqlalchemy.exc import SQLAlchemyError  # it and nbgrader take seconds, and --help should not

    from course.grading.intake.unit import GradeError
    from course.grading.round import find_root
    from course.grading.trouble import in_words

    from . import people
    from .exports import read_export

    try:
        root = find_root()
        old = people.read(root)
        new, notes = [], []
        for file in options.files:
            found, more = read_export(file, options.id)
            new, notes = new + found, notes + more
        everybody, added, changed = people.merged(old, new)
        if not options.dry_run:
            people.write(root, everybody)
            into_gradebook(root, everybody)
    except (people.RosterError, GradeError) as error:
        print(error, file=sys.stderr)
        return 2
    except SQLAlchemyError as error:
        print(f"roster.csv is written. nbgrader's gradebook is not: {in_words(error)}", file=sys.stderr)
        return 2
    _tell(everybody, added, changed, notes, options.dry_run)
    return 0


def into_gradebook(root, everybody):
    """Add these Persons to nbgrader's gradebook, or mend what it says of them."""
    import os

    from nbgrader.api import Gradebook

    from course.grading.settings import course_directory

    os.chdir(root)
    course = course_directory()
    with Gradebook(course.db_url, course.course_id) as gradebook:
        for person in everybody:
            about = {"first_name": person.first_name, "last_name": person.last_name, "email": person.email, "lms_user_id": person.ids.get("canvas_id")}
            gradebook.update_or_create_student(person.id, **{name: text for name, text in about.items() if text})


def _tell(everybody, added, changed, notes, dry):
    for note in notes:
        print(note)
    for word, some in (("new", added), ("changed", changed)):
        for person in some:
            print(f"{word}: {person.id}, {person.name}" + (f", {person.email}" if person.email else ""))
    print(
        f"{len(everybody)} students: {len(added)} new, {len(changed)} changed.{' Nothing was written: it was a dry run.' if dry else ' They are in roster.csv.'}"
    )
