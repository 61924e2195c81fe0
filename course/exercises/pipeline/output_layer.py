"""Lesson 05, Build. output_layer(h, W, b): h (B, H), W (C, H), b (C,) -> raw logits (B, C)."""

import torch
from torch import nn
from torch.func import functional_call

from course.checks.case import FLOAT32_LAYER, LARGE, NO_DATA, WORKED, Case, in_float64, on_meta
from course.checks.judge import compare
from course.checks.oracles import LONG, normal, rng, size
from course.checks.play import call
from course.exercises.words import is_random
from course.networks import example

WEIGHTS = ("h", "W", "b")
"""A pass says so where no gradient reaches them: the lesson does not ask for any."""

HINTS = [
    "One number for each sequence and class: how do (B, H) and (C, H) become (B, C)?",
    "Logit c is the sum over units of h[u] * W[c, u], plus b[c]. As a matrix product, W has to be turned round.",
    "That is all: no tanh, no softmax. The loss will want the raw numbers. PyTorch's own nn.Linear does just this.",
]


def oracle(h, W, b):
    layer = nn.Linear(W.shape[1], W.shape[0], device="meta")
    return functional_call(layer, {"weight": W, "bias": b}, (h,))


def _square(W):
    if W.shape[0] != W.shape[1]:
        raise ValueError("this mistake raises an error where classes != hidden")
    return W.T


MISTAKES = {
    "the bias is left out": lambda h, W, b: oracle(h, W, b * 0),
    "the bias is subtracted": lambda h, W, b: oracle(h, W, -b),
    "the bias is added twice": lambda h, W, b: oracle(h, W, 2 * b),
    "softmax is applied; the exercise asks for raw logits": lambda h, W, b: oracle(h, W, b).softmax(-1),
    "log_softmax is applied; the exercise asks for raw logits": lambda h, W, b: oracle(h, W, b).log_softmax(-1),
    "the sigmoid is applied; the exercise asks for raw logits": lambda h, W, b: oracle(h, W, b).sigmoid(),
    "tanh is applied; the exercise asks for raw logits": lambda h, W, b: oracle(h, W, b).tanh(),
    "ReLU is applied; the exercise asks for raw logits": lambda h, W, b: oracle(h, W, b).relu(),
    "tanh is applied to the state a second time": lambda h, W, b: oracle(h.tanh(), W, b),
    "W is not transposed. Where classes == hidden, nothing complains": lambda h, W, b: oracle(h, _square(W), b),
    "the result is turned round, (C, B)": lambda h, W, b: oracle(h, W, b).T,
    "the bias is added along the batch and not along the classes": (lambda h, W, b: oracle(h, W, b * 0) + b.unsqueeze(1).expand(len(h), len(h))[:, :1]),
    "* multiplies number by number: the matrix product of the rows of h with W is h @ W.T": lambda h, W, b: h * W + b,
    "* multiplies number by number, and so it does with W.T: the matrix product is h @ W.T": lambda h, W, b: h * W.T + b,
    "W @ h.T has the classes first, (C, B), and b then runs along the batch: h @ W.T has the batch first": lambda h, W, b: oracle(h, W, b * 0).T + b,
    "the logits of the first sequence are given to all": lambda h, W, b: oracle(h[:1].expand_as(h), W, b),
    "the states are averaged over the batch": lambda h, W, b: oracle(h.mean(0, keepdim=True).expand_as(h), W, b),
    "the best class is returned instead of the logits": lambda h, W, b: oracle(h, W, b).argmax(-1),
}


FRESH = "a second call gives other numbers: something is random, as the weights of a fresh nn.Linear are. Multiply with the W and b that are handed over"


def cases(seed):
    g = rng(seed)
    a, b, c = size(g, 2, 3), size(g, 4, 5), size(g, 6, 7)

    def draw(batch, hidden, classes, scale=1.0):
        return {"h": normal(g, batch, hidden, scale=0.7), "W": normal(g, classes, hidden, scale=scale), "b": normal(g, classes)}

    h = torch.tensor([[0.3, 0.4, 0.5, 0.6]])
    return [
        Case("the worked example at t=10", {"h": h, "W": torch.tensor(example.W_OUT), "b": torch.tensor(example.B_OUT)}, WORKED),
        Case(f"batch {b}, hidden {c}, {a} classes", draw(b, c, a)),
        Case(f"classes == hidden ({b})", draw(a, b, b)),
        Case(f"classes == batch ({a})", draw(a, b, a)),
        Case(f"batch, hidden and classes all {b}", draw(b, b, b)),
        Case("batch 1", draw(1, c, b)),
        Case(f"batch {LONG}", draw(LONG, b, a)),
        Case("two classes, one hidden unit", draw(b, 1, 2)),
        Case("large weights", draw(a, c, b, scale=100.0), LARGE),
        in_float64("float64", draw(a, c, b), forgive=FLOAT32_LAYER),
        on_meta("inputs on another device (meta, which holds shapes only)", draw(a, c, b), NO_DATA),
    ]


def play(answer, case):
    return call(answer, case)


def judge(case, result):
    finding = compare(case, result, oracle)
    if finding and "wrong numbers" in finding.what and is_random(result):
        finding.cause = FRESH
    return finding
