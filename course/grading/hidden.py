"""The hidden half of a graded cell: the same exercise again, with cases that no student has seen."""

import contextlib
import io

from ..checks import engine
from ..quiz import quiz
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
    """Check an answer with the course's own `quiz`, whatever the notebook has made of that name. Raises CheckFailed."""
    with contextlib.redirect_stdout(io.StringIO()):
        quiz(lesson, number, answer)
