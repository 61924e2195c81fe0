"""A cause that is not an answer's own is never told."""

import pytest
import torch
from answers.causes import MISLED

from course import exercises
from course.checks import report
from course.checks.examine import PUBLIC_SEED, examine

torch.set_num_threads(1)
pytestmark = pytest.mark.usefixtures("unhurried")


@pytest.mark.parametrize("exercise, answer, words, never", MISLED, ids=[f"{exercise}-{answer.__name__}-{i}" for i, (exercise, answer, *_) in enumerate(MISLED)])
def test_the_cause_is_its_own(exercise, answer, words, never):
    verdict = examine(exercises.find(exercise), answer, PUBLIC_SEED, ask_again=True)
    text = " ".join(report.text(verdict).split())
    assert not verdict.passed
    assert words in text
    assert not never or never not in text
