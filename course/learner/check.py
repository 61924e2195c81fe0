"""The check that a notebook calls: it looks, says what it found, and notes it in the learner's progress."""

from course import exercises
from course.checks import report
from course.checks.examine import PUBLIC_SEED, examine
from course.checks.verdict import CheckFailed, NotAttempted

from . import progress


def check(name, answer=None):
    """Check a learner's function against the exercise of that name, and say what was found.

    Passed: prints what was tried and notes it in the learner's progress. Otherwise raises NotAttempted or
    CheckFailed, whose message is the whole report. Raises ValueError for an unknown exercise name.
    """
    verdict = examine(exercises.find(name), answer, PUBLIC_SEED)
    if verdict.passed:
        progress.note_exercise(name, answer)
    elif verdict.finding.outcome != "not attempted yet":
        progress.note_miss(name)
    insist(verdict)


def insist(verdict):
    """Print the report of a verdict that passed; raise CheckFailed or NotAttempted with the report of one that did not."""
    text = report.text(verdict)
    if verdict.passed:
        print(text)
        return
    raise (NotAttempted if verdict.finding.outcome == "not attempted yet" else CheckFailed)(text)
