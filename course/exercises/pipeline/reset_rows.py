"""Lesson 02, Break. reset_rows(h, done): zero the state of the sequences that ended, leave the others alone.

h (B, H); done (B,), 1.0 where a sequence ended and 0.0 elsewhere -> (B, H).
"""

from dataclasses import replace

import torch

from course.checks.case import Case, in_float64
from course.checks.judge import compare
from course.checks.oracles import LONG, normal, rng, size
from course.checks.play import call
from course.exercises.words import explained

FREE = ("h", "done", "h (requires_grad)", "done (requires_grad)")
"""Whether they may be changed, the lesson leaves open."""
HINTS = [
    "Try it with 4 sequences, 4 hidden units and only the first sequence done. Which numbers became zero: a row, or a column?",
    "Broadcasting lines shapes up from the right: (B,) meets the last axis of (B, H), and that one counts hidden units.",
    "done[:, None] has the shape (B, 1). It lines up with the rows.",
]
SHIPPED_BUG = "Your code does what the shipped code does: with as many sequences as hidden units, it zeroes units and not sequences."


def shipped(h, done):
    return h * (1 - done)


def _along_units(h, done):
    if len(done) != h.shape[1]:
        raise ValueError("this mistake raises an error where there are not as many sequences as hidden units")
    return h * (1 - done)


def oracle(h, done):
    return torch.vmap(torch.mul)(h, 1 - done)


MISTAKES = {
    "the mask is the wrong way round: the rows that go on are zeroed, those that ended are kept": lambda h, done: torch.vmap(torch.mul)(h, done),
    "nothing is reset": lambda h, done: h.clone(),
    "everything is reset": lambda h, done: torch.zeros_like(h) * h,
    "every sequence is reset as soon as one of them ends": lambda h, done: h * (1 - done.max()),
    "the mask runs along the hidden units instead of the sequences": lambda h, done: _along_units(h, done),
    "the mask is turned round: the last sequence is taken for the first": lambda h, done: oracle(h, done.flip(0)),
    "the state that ended is set to 1 and not to 0": lambda h, done: oracle(h, done) + done.unsqueeze(1),
    "only the first sequence that ended is reset": lambda h, done: oracle(h, torch.nn.functional.one_hot(done.argmax(), len(done)) * done),
    "only the first hidden unit is reset": lambda h, done: torch.cat([oracle(h, done)[:, :1], h[:, 1:]], 1),
    "the state is halved and not dropped": lambda h, done: oracle(h, done / 2),
}


def cases(seed):
    g = rng(seed)
    a, b = size(g, 3, 5), size(g, 6, 8)
    every = [
        Case(f"{a} sequences, {a} hidden units, the first one done", {"h": normal(g, a, a), "done": _done(a, 0)}),
        Case(f"{a} sequences, {b} hidden units, two done", {"h": normal(g, a, b), "done": _done(a, 1, 2)}),
        Case(f"{b} sequences, {b} hidden units, three done", {"h": normal(g, b, b), "done": _done(b, 0, 2, 3)}),
        Case("one sequence, done", {"h": normal(g, 1, a), "done": _done(1, 0)}),
        Case("one hidden unit", {"h": normal(g, b, 1), "done": _done(b, 2, 4)}),
        Case("no sequence done", {"h": normal(g, a, a), "done": _done(a)}),
        Case("all sequences done", {"h": normal(g, a, b), "done": _done(a, *range(a))}),
        Case(f"{LONG} sequences, every third done", {"h": normal(g, LONG, a), "done": _done(LONG, *range(0, LONG, 3))}),
        in_float64("float64", {"h": normal(g, a, a), "done": _done(a, 1)}),
    ]
    return [replace(case, tolerance=0) for case in every]  # a row is kept as it is, or it is zero


def _done(batch, *rows):
    done = torch.zeros(batch, dtype=torch.float32)
    done[list(rows)] = 1
    return done


def play(answer, case):
    return call(answer, case)


def judge(case, result):
    return explained(compare(case, result, oracle, free=FREE), case, result, oracle)
