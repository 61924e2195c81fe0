"""The check that a notebook calls: it looks, says what it found, and notes it in the learner's progress."""

from course import exercises
from course.checks import report
from course.checks.examine import PUBLIC_SEED, examine
from course.checks.verdict import CheckFailed, NotAttempted

from . import progress
from .stale import stale, written_name


def check(name, answer=None):
    """Check a learner's function against the exercise of that name, and say what was found.

    Passed: prints what was tried and notes it in the learner's progress. Otherwise raises NotAttempted or
    CheckFailed, whose message is the whole report. Raises ValueError for an unknown exercise name.
    """
    exercise = exercises.find(name)
    verdict = examine(exercise, answer, PUBLIC_SEED, ask_again=True)
    if verdict.passed:
        progress.note_exercise(name, answer)
    elif verdict.finding.outcome != "not attempted yet":
        progress.note_miss(name)
    insist(verdict, stale(written_name(exercise, name)), f'  discuss("{name}") shows other ways to write it.')


def insist(verdict, note="", after_pass=""):
    """Print the report of a verdict that passed; raise CheckFailed or NotAttempted with the report of one that did not.

    note: stands below either report; after_pass: below that of a pass.
    """
    text = "\n\n".join(filter(None, (report.text(verdict), note)))
    if verdict.passed:
        print("\n".join(filter(None, (text, after_pass))))
        return
    raise (NotAttempted if verdict.finding.outcome == "not attempted yet" else CheckFailed)(text)
