"""Lesson 06, Build. to_probs(logits): softmax over the last axis of (C,), (B, C) or (T, B, C), without overflow."""

import math

import torch
from torch import nn

from course.checks.case import LARGE, WORKED, Case, in_float64, on_meta
from course.checks.judge import compare
from course.checks.oracles import LONG, normal, rng, size
from course.checks.play import call
from course.exercises.words import explained

WEIGHTS = ("logits",)
"""A pass says so where no gradient reaches them: the lesson does not ask for any."""
HINTS = [
    "exp makes every logit positive; dividing by their sum makes them sum to 1. Along which axis do the classes lie?",
    "exp(1000) is inf, and inf / inf is NaN. Subtracting one number from all the logits of a row changes nothing in the result. Which number keeps exp small?",
    "The largest logit of each row. keepdim=True keeps its axis, so that it lines up; dim=-1 is the class axis for every rank. PyTorch has all of this in one method, too.",
]


def oracle(logits):
    return nn.Softmax(dim=-1)(logits)


def _overflowing(logits):
    """What exp(l) / exp(l).sum() gives: right while exp fits into the number type, NaN or 0 beyond."""
    grown = torch.exp(logits)
    row_overflows = grown.isinf().any(-1, keepdim=True)
    row_vanishes = (grown == 0).all(-1, keepdim=True)
    probs = torch.where(row_overflows, torch.zeros_like(logits), oracle(logits))
    return torch.where(grown.isinf() | row_vanishes, torch.full_like(logits, math.nan), probs)


def _row_shifted(logits):
    """exp of each logit less the largest of its row: by the probabilities, which are in the same ratio."""
    probs = oracle(logits)
    return probs / probs.amax(-1, keepdim=True)


def _square(logits):
    """A tensor of (…, n, n): elsewhere a maximum or a sum of each row, kept without its axis, does not line up."""
    if logits.dim() > 1 and len(set(logits.shape[-2:])) != 1:
        raise ValueError("this mistake raises an error where the last two axes are not equal")
    return logits


MAX = "max(dim=…) gives two things, the largest values and their places: .values are the ones to subtract, or amax, which gives them alone"
SIGNS = {"torch.return_types.max": MAX, "must be Tensor, not torch.return_types": MAX}

MISTAKES = {
    "no dim is given to softmax: PyTorch then guesses axis 1 for two axes, and axis 0 for one or three": (
        lambda logits: logits.softmax(1 if logits.dim() == 2 else 0)
    ),
    "softmax runs over the first axis and not over the classes": lambda logits: logits.softmax(0),
    "softmax runs over axis 1, and that is the class axis for one rank only": lambda logits: logits.softmax(1),
    "softmax runs over the whole tensor": lambda logits: logits.flatten().softmax(0).reshape(logits.shape),
    "exp overflows: the largest logit is not subtracted first": _overflowing,
    "the largest logit of the whole tensor is subtracted, and not that of each row": lambda logits: _overflowing(logits - logits.max()),
    "the logits are clamped before exp: large ones become equal": lambda logits: oracle(logits.clamp(-80, 80)),
    "every row is divided by the sum of the whole tensor: sum() without dim gives one number for all rows": (
        lambda logits: _row_shifted(logits) / _row_shifted(logits).sum()
    ),
    "every row is divided by the sum of the whole tensor, where dim=-1, keepdim=True gives one sum for each row; and exp overflows": (
        lambda logits: logits.exp() / logits.exp().sum()
    ),
    "the sum runs over the first axis, sum(0), and not over the classes": lambda logits: _row_shifted(logits) / _row_shifted(logits).sum(0),
    "the sum runs over the first axis, sum(0), and not over the classes; and exp overflows": lambda logits: logits.exp() / logits.exp().sum(0),
    "the sum runs over the first axis, sum(0), and the largest logit of the whole tensor is subtracted": (
        lambda logits: (logits - logits.max()).exp() / (logits - logits.max()).exp().sum(0)
    ),
    "the sum of each row has lost its axis and meets the classes: keepdim=True keeps it": (
        lambda logits: _row_shifted(logits) / _row_shifted(_square(logits)).sum(-1)
    ),
    "the sum of each row has lost its axis and meets the classes, where keepdim=True keeps it; and exp overflows": (
        lambda logits: logits.exp() / _square(logits).exp().sum(-1)
    ),
    "the largest logit of each row has lost its axis and meets the classes: keepdim=True keeps it": (
        lambda logits: _overflowing(logits - _square(logits).amax(-1))
    ),
    "the sigmoid was taken: the numbers do not sum to 1": lambda logits: logits.sigmoid(),
    "log_softmax was taken: these are logarithms": lambda logits: logits.log_softmax(-1),
    "exp without the division": lambda logits: logits.exp(),
    "exp after the maximum is subtracted, but without the division": _row_shifted,
    "the logits are divided by their sum, without exp": lambda logits: logits / logits.sum(-1, keepdim=True),
    "the sign is turned: the smallest logit gets the largest probability": lambda logits: oracle(-logits),
    "softmax is applied twice": lambda logits: oracle(oracle(logits)),
    "2 to the power was taken instead of e": lambda logits: oracle(logits * math.log(2)),
    "only the winner is marked, with a 1": lambda logits: nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits),
    "the probabilities are rounded": lambda logits: oracle(logits).round(decimals=3),
    "the result is the logits themselves": lambda logits: logits.clone(),
}


def cases(seed):
    g = rng(seed)
    a, b, c = size(g, 2, 3), size(g, 4, 5), size(g, 6, 7)
    return [
        Case("the worked example, logits [1.2, 0.8, 0.5]", {"logits": torch.tensor([[1.2, 0.8, 0.5]])}, WORKED),
        Case(f"one row of {c} classes, shape ({c},)", {"logits": normal(g, c)}),
        Case(f"batch {a}, {c} classes", {"logits": normal(g, a, c)}),
        Case(f"classes == batch ({b})", {"logits": normal(g, b, b)}),
        Case("time, batch and classes", {"logits": normal(g, b, a, c)}),
        Case(f"time, batch and classes all {b}", {"logits": normal(g, b, b, b)}),
        Case("a batch of 1", {"logits": normal(g, 1, b)}),
        Case("the worked example plus 1000", {"logits": torch.tensor([[1001.2, 1000.8, 1000.5]])}, LARGE),
        Case("the worked example minus 1000", {"logits": torch.tensor([[-998.8, -999.2, -999.5]])}, LARGE),
        Case("rows near 1000 and near -1000 in one batch", {"logits": normal(g, 2, b) + torch.tensor([[1000.0], [-1000.0]])}, LARGE),
        Case("logits far apart", {"logits": normal(g, a, c, scale=300.0)}, LARGE),
        Case(f"{LONG} classes", {"logits": normal(g, a, LONG)}),
        Case(f"{LONG} rows", {"logits": normal(g, LONG, b)}),
        Case("one class", {"logits": normal(g, a, 1)}),
        in_float64("float64", {"logits": normal(g, a, c)}),
        on_meta("logits on another device (meta, which holds shapes only)", {"logits": normal(g, a, c)}),
    ]


def play(answer, case):
    return call(answer, case)


def judge(case, result):
    return explained(compare(case, result, oracle), case, result, oracle, SIGNS)
