"""Lesson 05, Break. last_valid(outputs, lengths): the output at each sequence's last real step.

outputs (T, B, H), padded at the end; lengths (B,) int64, how many steps are real -> (B, H).
"""

import torch
from torch.nn.utils.rnn import unpad_sequence

from course.checks.case import Case, in_float64
from course.checks.judge import compare
from course.checks.oracles import LONG, normal, rng, size
from course.checks.play import call
from course.exercises.words import explained

GRADS = ("outputs",)
FREE = ("outputs", "lengths", "outputs (requires_grad)", "lengths (requires_grad)")
"""Whether they may be changed, the lesson leaves open."""
HINTS = [
    "A sequence of length 3 has its last real output at index 2. What stands at index -1 in a batch that is padded to 6?",
    "You need another time index for each sequence: lengths - 1 is one index for each row of the batch.",
    "Indexing with two index tensors picks pairs: the first says which step, the second which sequence. The second one counts 0, 1, 2, … B-1.",
]
SHIPPED_BUG = "Your code does what the shipped code does: for short sequences it reads the padding at the end of the batch."


def shipped(outputs, lengths):
    return outputs[-1]


def oracle(outputs, lengths):
    return torch.stack([real[-1] for real in _real(outputs, lengths)])


def _real(outputs, lengths):
    return unpad_sequence(outputs.transpose(0, 1), lengths, batch_first=True)


def _at(outputs, steps):
    return oracle(outputs, steps.clamp(1, len(outputs)))


def _swapped(outputs, lengths):
    if outputs.shape[0] != outputs.shape[1]:
        raise ValueError("this mistake shows only where there are as many steps as sequences")
    return oracle(outputs.transpose(0, 1), lengths)


MISTAKES = {
    "the step is lengths, not lengths - 1: one step too far, into the padding": lambda outputs, lengths: _at(outputs, lengths + 1),
    "the step is one too early": lambda outputs, lengths: _at(outputs, lengths - 1),
    "the first step is taken": lambda outputs, lengths: outputs[0],
    "every sequence is read at the longest length": lambda outputs, lengths: outputs[lengths.max() - 1],
    "every sequence is read at the shortest length": lambda outputs, lengths: outputs[lengths.min() - 1],
    "the outputs are averaged over the real steps": lambda outputs, lengths: torch.stack([r.mean(0) for r in _real(outputs, lengths)]),
    "the outputs are averaged over all steps, padding included": lambda outputs, lengths: outputs.mean(0),
    "the outputs are summed over the real steps": lambda outputs, lengths: torch.stack([r.sum(0) for r in _real(outputs, lengths)]),
    "the largest output over time is taken": lambda outputs, lengths: outputs.amax(0),
    "time and batch are swapped in the index": _swapped,
    "the lengths are sorted first, so that each length meets another sequence": lambda outputs, lengths: oracle(outputs, lengths.sort(descending=True).values),
    "the result is sorted by length, so that the rows have changed places": (
        lambda outputs, lengths: oracle(outputs, lengths)[lengths.argsort(descending=True, stable=True)]
    ),
    "the lengths stand at the batch axis: outputs[:, lengths - 1] picks sequences, at every step. Time is the first axis": (
        lambda outputs, lengths: outputs[:, lengths - 1]
    ),
    "every row is read from sequence 0: each length needs its own sequence, 0, 1, 2, … B-1": lambda outputs, lengths: outputs[lengths - 1, 0],
    "an index of steps alone picks whole batches: (B, B, H)": lambda outputs, lengths: outputs[lengths - 1],
    "the length of the first sequence is used for all": lambda outputs, lengths: outputs[lengths[0] - 1],
    "the graph is cut: detach, .data or torch.tensor(...)": lambda outputs, lengths: oracle(outputs.detach(), lengths),
}


def cases(seed):
    g = rng(seed)
    a, b, c = size(g, 4, 5), size(g, 6, 7), size(g, 2, 3)

    def draw(steps, batch, hidden, lengths=None):
        lengths = torch.randint(1, steps + 1, (batch,), generator=g) if lengths is None else torch.tensor(lengths)
        return {"outputs": normal(g, steps, batch, hidden), "lengths": lengths}

    return [
        Case(f"3 sequences of lengths 2, {b} and 4, padded to {b}", draw(b, 3, c, [2, b, 4])),
        Case(f"as many steps as sequences ({a})", draw(a, a, c, [a, 1, *[2] * (a - 3), 3])),
        Case(f"steps, sequences and hidden all {a}", draw(a, a, a, [2, a, *[3] * (a - 3), 1])),
        Case("one short sequence", draw(b, 1, c, [3])),
        Case("lengths drawn at random", draw(b, a, c)),
        Case("no padding at all", draw(a, c, b, [a] * c)),
        Case(f"{LONG} steps", draw(LONG, 3, a, [LONG, LONG - 9, 1])),
        Case(f"{LONG} sequences", draw(a, LONG, 2)),
        Case("padding at the end of every sequence", draw(b, 2, c, [1, b - 2])),
        in_float64("float64", draw(a, c, b)),
    ]


def play(answer, case):
    return call(answer, case, GRADS, free=FREE)


def judge(case, result):
    return explained(compare(case, result, oracle, GRADS, free=FREE), case, result, oracle)
