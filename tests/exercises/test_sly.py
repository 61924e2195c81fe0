"""Answers that are right wherever it is simple are refused with whatever cases; and what a lesson leaves open passes."""

import pytest
import torch
from answers.sly import SLY

from course import exercises
from course.checks import report
from course.checks.examine import PUBLIC_SEED, examine

torch.set_num_threads(1)
pytestmark = pytest.mark.usefixtures("unhurried")
SEEDS = (1, 20, 303)
WELCOME = ("PASSED", "would never learn")


@pytest.mark.parametrize("exercise, answer, words", SLY, ids=[f"{exercise}-{answer.__name__}-{place}" for place, (exercise, answer, _) in enumerate(SLY)])
def test_each_is_seen_through_and_told(exercise, answer, words):
    module = exercises.find(exercise)
    for seed in SEEDS:
        assert examine(module, answer, seed).passed == (words in WELCOME)
    verdict = examine(module, answer, PUBLIC_SEED, ask_again=True)
    assert verdict.passed == (words in WELCOME)
    assert words in " ".join(report.text(verdict).split())
