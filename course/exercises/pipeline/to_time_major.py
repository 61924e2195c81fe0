"""Lesson 01, Break. to_time_major(batch): (B, T, F) -> (T, B, F), every sequence still itself."""

from torch.nn.utils.rnn import pad_sequence

from course.checks.case import Case, in_float64
from course.checks.judge import compare
from course.checks.oracles import LONG, normal, rng, size
from course.checks.play import call
from course.exercises.words import explained

HINTS = [
    "Take a batch of two sequences, one all 1s and one all 2s. What should out[:, 0] hold, and what does it hold?",
    "view reads the same numbers in the same order and only puts the brackets elsewhere. Here the axes themselves must move.",
    "tensor.transpose(a, b) swaps two axes and keeps each number with its sequence. Which two?",
]
SHIPPED_BUG = "Your code does what the shipped code does: right shape, but the rows of different sequences are mixed."


def shipped(batch):
    B, T, F = batch.shape
    return batch.reshape(T, B, F)


def oracle(batch):
    return pad_sequence(list(batch))


MISTAKES = {
    "nothing was moved: the result is the input": lambda batch: batch,
    "all three axes are turned round, (F, T, B)": lambda batch: batch.permute(2, 1, 0),
    "time and features are swapped, the batch is still first": lambda batch: batch.transpose(1, 2),
    "batch and features are swapped, (F, T, B)": lambda batch: batch.transpose(0, 2),
    "the features end up in the middle, (T, F, B)": lambda batch: batch.permute(1, 2, 0),
    "view and reshape never change the order of the numbers: the axes move with transpose, which gives a new tensor": (
        lambda batch: batch.flatten(1).reshape(batch.shape[1], batch.shape[0], -1)
    ),
    "time runs backwards": lambda batch: oracle(batch).flip(0),
    "the sequences are in the opposite order": lambda batch: oracle(batch).flip(1),
    "the axes were moved and then reshaped back: the rows are mixed again": (lambda batch: oracle(batch).reshape(batch.shape).transpose(0, 1)),
    "every sequence is the first one": lambda batch: oracle(batch)[:, :1].expand(-1, len(batch), -1),
}


def cases(seed):
    g = rng(seed)
    a, b, c = size(g, 4, 6), size(g, 2, 3), size(g, 7, 9)
    return [
        Case(f"{b} sequences, {a} steps, {c} features", {"batch": normal(g, b, a, c)}),
        Case(f"as many steps as sequences ({a})", {"batch": normal(g, a, a, b)}),
        Case(f"sequences, steps and features all {b}", {"batch": normal(g, b, b, b)}),
        Case(f"{b} sequences, {LONG} steps", {"batch": normal(g, b, LONG, a)}),
        Case(f"{LONG} sequences", {"batch": normal(g, LONG, a, b)}),
        Case("a batch of 1", {"batch": normal(g, 1, a, b)}),
        in_float64("float64", {"batch": normal(g, b, c, a)}),
    ]


def play(answer, case):
    return call(answer, case)


def judge(case, result):
    return explained(compare(case, result, oracle), case, result, oracle)
