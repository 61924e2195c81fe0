"""Lesson 01, Build. to_input(seqs): B sequences, each T rows of F numbers -> float32 (T, B, F)."""

import torch
from torch.nn.utils.rnn import pad_sequence

from course.checks.case import WORKED, Case
from course.checks.judge import compare
from course.checks.oracles import LONG, normal, pick, rng, size
from course.checks.play import call
from course.exercises.words import explained
from course.networks import example

HINTS = [
    "torch.tensor(seqs) already makes a tensor. Print its shape: which axis comes first, and which should?",
    "The first axis you get counts sequences (batch), the second counts time. Swap these two and leave the features alone.",
    "torch.tensor takes a dtype. And tensor.transpose(a, b) swaps two axes; reshape would only cut the numbers anew.",
]


def oracle(seqs):
    return pad_sequence([torch.tensor(seq, dtype=torch.float32) for seq in seqs])


MISTAKES = {
    "the batch axis comes first: your tensor is (B, T, F), and nn.RNN wants (T, B, F)": lambda seqs: torch.tensor(seqs).float(),
    "reshape or view was used where transpose was meant: the rows of different sequences are mixed": (
        lambda seqs: torch.tensor(seqs).float().reshape(oracle(seqs).shape)
    ),
    "all three axes are turned round, (F, T, B)": lambda seqs: oracle(seqs).permute(2, 0, 1),
    "time and features are swapped, (F, B, T)": lambda seqs: oracle(seqs).transpose(0, 2),
    "batch and features are swapped, (T, F, B)": lambda seqs: oracle(seqs).transpose(1, 2),
    "time runs backwards": lambda seqs: oracle(seqs).flip(0),
    "the sequences are in the opposite order": lambda seqs: oracle(seqs).flip(1),
    "only the first sequence is used": lambda seqs: oracle(seqs[:1]).expand(-1, len(seqs), -1),
    "the batch axis is missing: squeeze, or a sequence taken alone": lambda seqs: oracle(seqs)[:, 0],
    "the sequences are laid end to end in time instead of side by side": lambda seqs: torch.tensor(seqs).float().flatten(0, 1).unsqueeze(1),
}


def cases(seed):
    g = rng(seed)
    a, b, c = size(g, 4, 6), size(g, 2, 3), size(g, 7, 9)
    return [
        Case("the worked example, a batch of 1", {"seqs": [example.rows()]}, WORKED),
        Case(f"{b} sequences, {a} steps, {c} features", {"seqs": _random(g, b, a, c)}),
        Case(f"as many steps as sequences ({a})", {"seqs": _random(g, a, a, b)}),
        Case(f"steps, sequences and features all {b}", {"seqs": _random(g, b, b, b)}),
        Case("whole numbers", {"seqs": torch.randint(-9, 10, (b, a, c), generator=g).tolist()}),
        Case(f"{LONG} steps", {"seqs": _random(g, b, LONG, 2)}),
        Case(f"{LONG} sequences", {"seqs": _random(g, LONG, b, 2)}),
        Case("one step", {"seqs": _random(g, a, 1, c)}),
        Case("one feature", {"seqs": _random(g, pick(g, 3, 5), a, 1)}),
    ]


def _random(g, *shape):
    return normal(g, *shape).tolist()


def play(answer, case):
    return call(answer, case)


def judge(case, result):
    return explained(compare(case, result, oracle), case, result, oracle)
