"""The command `course grade UNIT`."""

import argparse
import json
import os
import sys
from pathlib import Path

from . import demo
from .collect import command as collect
from .commands import add_command
from .export import command as export
from .export import feedback
from .intake import names
from .page import command as page
from .progress import Progress
from .roster import command as roster
from .seed import FOLDER, marked

HELP = """Grade everything in submitted/ for one unit, in a sandbox, into nbgrader's gradebook.

Each notebook runs in a process of its own that sees no network, no file of yours and no other student's work. What
its functions return is judged outside, with cases that no student has seen. The grades, autograded/ and all that
follows are nbgrader's: Formgrader and `nbgrader export` go on from here, as `course feedback` and `course export` do.
Points and comments that you gave by hand stay; so do extensions and late penalties.
"""
MORE = """examples:
  course grade pipeline                              everybody; who has not changed since the last time is skipped
  course grade pipeline --student ada --again        run one student's work again, whatever is known of it
  course grade pipeline --json grades.json           the table also as JSON; - writes it to the standard output
  course feedback pipeline                           afterwards: the pages for the students

what you get:
  gradebook.db, autograded/STUDENT/UNIT/             written by nbgrader, one student at a time
  .course_grade/                                     what has been run already. Killed in the middle? Run it again and it
                                                     goes on where it was. You may delete it: then everything runs again
Whatever lies in submitted/ is graded, is in the table with its reason, or is named as no submission. A lesson is known by
what is in it, under another name too, in folders or in a zip; of two files of a lesson the one with more work counts.
What cannot be read (damaged, a link, too large, too deep) gets no points, and the reason is in the student's feedback too.
A cell that takes too long, too much memory or ends its process costs its own exercise only; so does an answer that
takes the judge more than a minute. What is kept of a cell: 1,000 outputs, 1 MB; of a notebook 3,000, and 20 MB.
A notebook that is graded starts no programs (!pip install ... prints a note instead). It sees the notebooks and files that
its student has beside the lessons, and of another lesson what it calls with %run. A class of more than forty is told in
a few lines: --all names everybody.

exit status: 0 every submission has a grade or a recorded reason; 1 some have none, named in the last line;
2 grading could not begin or go on, and the message says why; 130 stopped by Ctrl-C. What was graded by then stays.
Linux with bubblewrap is where the sandbox runs.
"""


def main(arguments=None):
    """Run the command line. Returns the exit code."""
    options = _parser().parse_args(arguments)
    return options.run(options)


def _parser():
    parser = argparse.ArgumentParser(prog="course", description="Hidden State: the instructor's commands.")
    commands = parser.add_subparsers(required=True, metavar="roster | collect | grade | report | export | feedback | demo")
    grade = add_command(commands, "grade", _grade, "grade a class", HELP, MORE)
    grade.add_argument("unit", metavar="UNIT", help="the unit to grade, as pipeline")
    grade.add_argument("--student", action="append", default=[], metavar="ID", help="only this student; may be given more than once")
    grade.add_argument(
        "--workers", type=_at_least_one, default=_cores(), metavar="N", help="notebooks at the same time (default: %(default)s, the processor's cores)"
    )
    grade.add_argument(
        "--scheduler",
        default="",
        metavar="ADDRESS",
        help="run the notebooks on the workers of this Dask scheduler, as tls://10.0.0.1:8786 (see docs/cluster.md)",
    )
    for name, what in (("ca", "authority that signed all certificates"), ("cert", "certificate of this machine"), ("key", "key of that certificate")):
        grade.add_argument(f"--tls-{name}", type=_readable, metavar="FILE", help=f"for a scheduler at tls://: the {what}, as PEM")
    grade.add_argument(
        "--insecure-scheduler",
        action="store_true",
        help="let a scheduler on another machine do without TLS: whoever reaches it reads the hidden seed and may change grades",
    )
    grade.add_argument("--again", action="store_true", help="run and record everything again, also what has not changed")
    grade.add_argument("--json", type=_writable, metavar="FILE", help="write the results to a file as JSON; - is the standard output")
    grade.add_argument("--all", action="store_true", help="name every student in the table, also in a large class")
    grade.add_argument("--no-sandbox", action="store_true", help="run the students' code without any protection: it can read and change whatever you can")
    limits = grade.add_argument_group("limits of one notebook")
    limits.add_argument(
        "--cell-seconds", type=_positive, default=60.0, metavar="S", help="for one cell, and for one exercise with all its cases (default: %(default)g)"
    )
    limits.add_argument("--total-seconds", type=_positive, default=300.0, metavar="S", help="for the notebook (default: %(default)g)")
    limits.add_argument("--memory", type=_positive, default=4.0, metavar="GB", help="memory (default: %(default)g)")
    for command in (roster, collect, page, feedback, export, demo):
        command.add_to(commands)
    return parser


def _grade(options):
    wrong = next((names.refusal(root, options.unit) for root in marked()), "")
    if wrong:
        print(wrong, file=sys.stderr)
        return 2
    print("Loading nbgrader ...", file=sys.stderr, flush=True)
    _begin(options)
    from . import quick  # noqa: F401 - first of all
    from .limits import Limits, SandboxMissing
    from .report.summary import as_data, console_for, show
    from .round import GradeError, Options, Round, find_root  # nbgrader takes seconds, and --help should not
    from .seed import SeedError

    limits = Limits(
        cell_seconds=options.cell_seconds, play_seconds=options.cell_seconds, total_seconds=options.total_seconds, memory=int(options.memory * 2**30)
    )
    tls = tuple(filter(None, (options.tls_ca, options.tls_cert, options.tls_key)))
    wanted = Options(tuple(options.student), options.workers, options.again, not options.no_sandbox, limits, options.scheduler, tls, options.insecure_scheduler)
    try:
        root = find_root()
        os.chdir(root)
        round = Round(root, options.unit, wanted)
        with Progress(f"grading {options.unit}") as watch:
            round.run(watch)
    except (GradeError, SandboxMissing, SeedError) as error:
        print(f"{error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped. What was done is kept: run it again to go on.", file=sys.stderr, flush=True)
        os._exit(130)  # the workers end with this process; an orderly end would wait for what they are doing
    data = as_data(round)
    show(data, console_for(sys.stderr if options.json == "-" else sys.stdout), options.all)
    for remark in data["remarks"]:
        print(remark, file=sys.stderr)
    if options.json:
        try:
            _write(json.dumps(data, indent=1) + "\n", options.json)  # in ASCII, since - may be a terminal
        except OSError as error:
            print(f"the results could not be written to {options.json}: {error.strerror}. The grades are in the gradebook", file=sys.stderr)
            return 2
    return 1 if data["without_grade"] else 0


def _begin(options):
    """Let PyTorch be loaded beside nbgrader, where this unit has never been graded here."""
    root = next(iter(marked()), None)
    if root and not options.scheduler:
        from .run import pool

        os.chdir(root)
        pool.begin(os.path.join(FOLDER, options.unit, "journal"))


def _write(text, target):
    if target == "-":
        sys.stdout.write(text)
    else:
        Path(target).write_text(text, encoding="utf-8")


def _cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _writable(target):
    """The file for --json as seen from any folder; what cannot be written is refused now, and not after an hour of grading."""
    if target == "-":
        return target
    file, folder = os.path.abspath(target), os.path.dirname(os.path.abspath(target))
    asked = file if os.path.exists(file) else folder
    if not os.path.isdir(folder) or os.path.isdir(file) or not os.access(asked, os.W_OK):
        raise argparse.ArgumentTypeError(f"no file can be written to {target!r}. Name a file in a folder that exists and is yours")
    return file


def _readable(file):
    """A file as seen from any folder."""
    if not os.path.isfile(file) or not os.access(file, os.R_OK):
        raise argparse.ArgumentTypeError(f"{file!r} is no file that can be read")
    return os.path.abspath(file)


def _at_least_one(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("it takes at least one worker")
    return number


def _positive(text):
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError(f"{text} is no positive number")
    return number
