"""What fresh readers tried is told its cause, and never one that is not its own."""

import pytest
import torch
from answers import slips
from answers.tried import TRIED

from course import exercises
from course.checks import report
from course.checks.examine import PUBLIC_SEED, examine

torch.set_num_threads(1)

pytestmark = pytest.mark.usefixtures("unhurried")


def said(exercise, answer, seed=PUBLIC_SEED):
    return " ".join(report.text(examine(exercises.find(exercise), answer, seed, ask_again=True)).split())


@pytest.mark.parametrize("exercise, answer, words", TRIED, ids=[f"{exercise}-{answer.__name__}" for exercise, answer, _ in TRIED])
def test_the_cause_is_named(exercise, answer, words):
    before = len(TRIED)
    text = said(exercise, answer)
    assert words in text
    assert words == "PASSED" or not text.startswith("PASSED")
    assert len(TRIED) == before, "a decorator was run again"


@pytest.mark.parametrize("exercise, before, after, words", slips.SLIPS, ids=[f"{exercise}: {after.strip()}" for exercise, _, after, _ in slips.SLIPS])
def test_one_line_changed_is_told(exercise, before, after, words):
    text = said(exercise, slips.written(exercise, before, after))
    assert words in text.split("Likely cause")[-1] or words == "gradients are off" in text
    assert not text.startswith("PASSED")


@pytest.mark.parametrize("exercise", slips.RIGHT)
def test_without_its_slip_each_is_right(exercise):
    name = slips.RIGHT[exercise].strip().partition(":")[0]
    assert said(exercise, slips.written(exercise, name, name)).startswith("PASSED")


def test_a_cause_has_to_explain_every_case():
    def right_in_the_first_case_only(x, h, W_ih, W_hh, b_ih, b_hh):
        state = h @ W_hh if h.shape[0] != 2 else h @ W_hh.T
        return torch.tanh(x @ W_ih.T + b_ih + state + b_hh)

    assert "W_hh is not transposed" not in said("rnn_step", right_in_the_first_case_only)


def test_the_numbers_of_all_cases_come_before_any_gradient():
    def state_ignored_and_detached(x, h, W_ih, W_hh, b_ih, b_hh):
        return torch.tanh(x.detach() @ W_ih.T + b_ih + b_hh)

    assert "the numbers are right" not in said("rnn_step", state_ignored_and_detached)


def test_random_is_told_from_kept():
    kept = []

    def remembering(logits):
        kept.append(1)
        return logits.softmax(-1) + 0.1 * len(kept)

    def drawing(logits):
        return logits.softmax(-1) + 0.1 * torch.rand(())

    assert "something is kept from one call to the next" in said("to_probs", remembering)
    assert "something random is inside" in said("to_probs", drawing)


def test_right_here_and_wrong_where_its_source_does_not_say_is_no_slip():
    """A rebuilt answer that passes says nothing about the source: no small change of it is then named."""

    def counting(logits, calls=[]):
        calls.append(1)
        return logits.softmax(-1) * (1 if len(calls) > 60 else 1.5)

    text = said("to_probs", counting)
    assert "Likely cause" not in text or "kept from one call to the next" in text
