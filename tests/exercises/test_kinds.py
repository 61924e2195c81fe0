"""Every kind of slip, made in the right answers of every exercise, is told what it is."""

import importlib
import inspect
import linecache

import pytest
import torch
from kinds import KINDS, wrong_ones

from course import exercises
from course.checks import report
from course.checks.examine import PUBLIC_SEED, examine

torch.set_num_threads(1)

pytestmark = pytest.mark.usefixtures("unhurried")


NAMES = exercises.names()
MOST, MOST_OF_SLOW_ONES = 6, 2
AT_LEAST = {
    "written_down_size": 45,
    "captured_global": 75,
    "wrong_operator": 10,
    "wrong_axis": 38,
    "early_return": 18,
    "swapped_arguments": 60,
    "unassigned_method": 30,
    "cut_graph": 40,
}
"""So many answers of a kind are wrong and have its word, all exercises together: where nothing is made, nothing is tested."""
WELL_TOLD = 0.75
"""The share of wrong answers of a kind that get a word of this kind. The others get another cause that is as certain."""


def told(name, kind):
    """[(passed, has the word of its kind, is its cause certain, source and message)]"""
    rows = []
    right = importlib.import_module(f"answers.{name}").RIGHT
    for answer in wrong_ones(name, kind, right, MOST_OF_SLOW_ONES if name == "train_epoch" else MOST):
        verdict = examine(exercises.find(name), answer, PUBLIC_SEED, ask_again=True)
        text = " ".join(report.text(verdict).split())
        functions = [answer] if inspect.isfunction(answer) else [each for each in vars(answer).values() if inspect.isfunction(each)]
        source = "".join(linecache.getlines(functions[0].__code__.co_filename))
        has_word = any(word in text.split("Likely cause")[-1] for word in KINDS[kind])
        rows.append((verdict.passed, has_word, verdict.passed or verdict.finding.certain, f"{name}\n{source}\n{text}"))
    return rows


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_slip_of_this_kind_is_told(kind):
    wrong = [row for name in NAMES for row in told(name, kind) if not row[0]]
    for _, _, certain, text in wrong:
        assert certain, text
    named = [text for _, has_word, _, text in wrong if has_word]
    assert len(named) >= max(AT_LEAST[kind.__name__], WELL_TOLD * len(wrong))
