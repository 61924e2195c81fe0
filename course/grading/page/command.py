"""The command `course report UNIT`."""

import os
import sys
import tempfile
from datetime import datetime
from itertools import groupby
from pathlib import Path

from course.grading.commands import add_command

HELP = """Make one page on a class, for whoever teaches: report/UNIT.html, which any browser opens, also without a network.

It shows how the points are distributed; for every question how many got it, and its commonest mistakes with what a
student was told; who is stuck where; what a second hand-in changed; and answers that look like each other or like the
shipped solutions. A similarity is a place to look, and never a verdict.
"""
MORE = """examples:
  course grade pipeline              first: the page shows what was graded, and grades nothing itself
  course report pipeline             writes report/pipeline.html in the course's folder
  course report pipeline --to FILE   writes it elsewhere

The page holds names, grades, students' work and solutions. Only you can read the file; keep it so. It has no program in
it and fetches nothing, and what a student wrote is shown as text. The gradebook is read and not changed.
Hand-ins are counted in .course_grade/UNIT/history.jsonl, a line for each that was graded. Delete it, and the counting
begins again.

exit status: 0 the page is written; 2 it could not be made, and the message says why.
"""
STATES = (
    ("got", "✓", "got all points"),
    ("part", "◐", "got some points"),
    ("wrong", "✗", "tried, no points"),
    ("stopped", "■", "stopped while it ran"),
    ("left", "·", "not attempted"),
    ("read", "?", "to be read"),
    ("none", "–", "not handed in, or not readable"),
)
MOST = {"most_names": 12, "most_mistakes": 10, "most_pairs": 40, "most_stuck": 15}


def add_to(commands):
    """Add the command to argparse's others."""
    report = add_command(commands, "report", run, "a page on a class: points, mistakes, progress", HELP, MORE)
    report.add_argument("unit", metavar="UNIT", help="the unit, as pipeline")
    report.add_argument("--to", metavar="FILE", help="where the page is written (default: report/UNIT.html in the course's folder)")


def run(options):
    """Run the command. Returns the exit code."""
    import sqlite3  # these take seconds, and --help should not

    from sqlalchemy.exc import SQLAlchemyError

    from course.grading.round import FOLDER, GradeError, find_root
    from course.grading.settings import course_directory
    from course.grading.trouble import of_an_error

    from . import numbers

    target = os.path.abspath(options.to) if options.to else None
    try:
        root = find_root()
        os.chdir(root)
        course = course_directory()
        file = Path(target or root / "report" / f"{options.unit}.html")
        _write(html(numbers.of_unit(course, root, options.unit, root / FOLDER / options.unit)), file)
    except GradeError as error:
        print(error, file=sys.stderr)
        return 2
    except (OSError, SQLAlchemyError, sqlite3.Error) as error:
        print(of_an_error(error, course.db_url), file=sys.stderr)
        return 2
    print(f"The page is {file}")
    return 0


def html(found):
    """The page on a numbers.Class, as text."""
    import jinja2

    from . import alike, draw, numbers

    template = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        finalize=lambda value: numbers.clean(value) if type(value) is str else value,  # all but what is a part of the page already
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    ).get_template("page.html.j2")
    states = [dict(zip(("key", "sign", "words"), state)) for state in STATES]
    there, again = found.there, [person for person in found.there if len(person.progress) > 1]
    return template.render(
        **MOST,
        **{"class": found, "there": there, "again": again, "states": states, "by_key": {state["key"]: state for state in states}},
        made=datetime.now().strftime("%d %B %Y, %H:%M"),
        lessons=[(lesson, list(asked)) for lesson, asked in groupby(found.questions, lambda question: question.lesson)],
        to_read=sum(came.state == numbers.READ for person in there for came in person.cells.values()),
        unknown=[person.id for person in there if person.unknown],
        stuck=_stuck(found),
        distribution=_picture(draw.distribution([person.points for person in there], found.of)) if there else None,
        progress=_picture(draw.progress([person.progress for person in again], found.of)) if again else None,
        pairs=alike.in_the_class(found.answers, found.released, found.shipped),
        to_shipped=alike.to_the_shipped(found.answers, found.released, found.shipped),
    )


def _picture(drawn):
    return dict(zip(("svg", "words"), drawn))


def _stuck(found):
    """[(Person, Question, Came)] of what was tried in more than one hand-in, the longest first."""
    tried = [(person, question, person.cells[question.place]) for question in found.questions for person in found.there if question.place in person.cells]
    return sorted((each for each in tried if each[2].tries > 1), key=lambda each: (-each[2].tries, each[0].id))


def _write(text, file):
    """Write the page as a whole or not at all, for its owner alone."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, new = tempfile.mkstemp(dir=file.parent, prefix=".report-")
    try:
        with open(handle, "w", encoding="utf-8") as page:
            page.write(text)
        os.replace(new, file)
    except BaseException:
        os.unlink(new)
        raise
