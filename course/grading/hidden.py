"""The hidden half of a graded cell: the same exercise again, with cases that no student has seen."""

from course import exercises
from course.checks.examine import examine
from course.learner import quiz
from course.learner.check import insist

from .seed import hidden_seed

DRAWS = 2


def hidden_check(name, answer):
    """Examine an answer with fresh cases from the hidden seed. Raises CheckFailed with the report of the first that fails."""
    seed, tried = hidden_seed(), 0
    for draw in range(DRAWS):
        verdict = examine(exercises.find(name), answer, seed + draw)
        if not verdict.passed:
            insist(verdict)
        tried += len(verdict.cases)
    print(f"PASSED  {name}: {tried} more cases, not seen before")


def hidden_quiz(lesson, number, answer):
    """Check an answer with the course's own quiz and for the student who is graded, whatever the notebook says. Raises CheckFailed."""
    quiz.examine(lesson, number, answer)
