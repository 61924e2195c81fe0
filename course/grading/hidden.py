"""The hidden half of a graded cell: the same exercise again, with cases that no student has seen."""

from ..checks import engine
from ..quiz import examine
from .seed import hidden_seed

DRAWS = 2


def hidden_check(name, answer):
    """Examine an answer with fresh cases from the hidden seed. Raises CheckFailed with the report of the first that fails."""
    seed, tried = hidden_seed(), 0
    for draw in range(DRAWS):
        verdict = engine.examine(name, answer, seed + draw)
        if not verdict.passed:
            engine.insist(verdict)
        tried += len(verdict.cases)
    print(f"PASSED  {name}: {tried} more cases, not seen before")


def hidden_quiz(lesson, number, answer):
    """Check an answer with the course's own quiz and for the student who is graded, whatever the notebook says. Raises CheckFailed."""
    examine(lesson, number, answer)
