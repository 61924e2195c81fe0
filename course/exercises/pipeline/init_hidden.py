"""Lesson 02, Build. init_hidden(num_layers, batch, hidden, like): zeros (num_layers, batch, hidden).

dtype and device are those of `like`; a new tensor at each call; no gradient.
"""

from dataclasses import replace

import torch
from torch import nn

from course.checks.case import Case, Finding, on_meta
from course.checks.judge import compare
from course.checks.oracles import normal, rng, size
from course.checks.play import call

HINTS = [
    "nn.RNN wants its state as (num_layers, batch, hidden), also where batch_first=True is set.",
    "The state must fit the input in dtype and device. `like` is a tensor that has both: ask it.",
    "Every tensor has methods that begin with new_ and make a fresh tensor of another shape with its own dtype and device.",
]


def oracle(num_layers, batch, hidden, like):
    layer = nn.RNN(1, hidden, num_layers, device="meta")
    _, h_n = layer(torch.empty(1, batch, 1, device="meta"))
    return torch.zeros_like(h_n, dtype=like.dtype, device=like.device)


def _zeros(like, *shape):
    return torch.zeros(shape, dtype=like.dtype, device=like.device)


MISTAKES = {
    "the batch axis comes first; batch_first moves the batch axis of x, never that of the state": (
        lambda num_layers, batch, hidden, like: _zeros(like, batch, num_layers, hidden)
    ),
    "the layer axis is missing": lambda num_layers, batch, hidden, like: _zeros(like, batch, hidden),
    "the layer axis is always 1": lambda num_layers, batch, hidden, like: _zeros(like, 1, batch, hidden),
    "the batch axis is always 1, and every sequence needs a state of its own": (lambda num_layers, batch, hidden, like: _zeros(like, num_layers, 1, hidden)),
    "batch and hidden are swapped": lambda num_layers, batch, hidden, like: _zeros(like, num_layers, hidden, batch),
    "the axes are turned round": lambda num_layers, batch, hidden, like: _zeros(like, hidden, batch, num_layers),
    "the state is shaped like the input instead of (num_layers, batch, hidden)": (lambda num_layers, batch, hidden, like: torch.zeros_like(like)),
    "the state is filled with ones": lambda **args: oracle(**args) + 1,
    "the memory was never filled: torch.empty, new_empty or empty_like give whatever lay there before": (lambda **args: oracle(**args) + float("nan")),
    "batch is taken from the shape of `like`: the argument `batch` says it, whatever `like` is": (
        lambda num_layers, batch, hidden, like: _zeros(like, num_layers, like.shape[1], hidden)
    ),
    "batch is taken from the input's first axis, and that is time": (lambda num_layers, batch, hidden, like: _zeros(like, num_layers, like.shape[0], hidden)),
}


ALMOST = 1e-3
UNASSIGNED = "h.to(...) leaves h as it is and returns a new tensor, so it wants h = h.to(...)"
DEVICE = f"the device is written down in the code, or left at its default, or was changed and not kept: {UNASSIGNED}"
DTYPE = f"the dtype is written down in the code, is the default of what made the tensor, or was changed and not kept: {UNASSIGNED}"


def cases(seed):
    g = rng(seed)
    a, b, c = size(g, 2, 3), size(g, 4, 5), size(g, 6, 8)

    def args(num_layers, batch, hidden, like):
        return {"num_layers": num_layers, "batch": batch, "hidden": hidden, "like": like}

    def x(batch):
        return normal(g, 10, batch, 5)

    every = [
        Case("the worked example: 1 layer, batch 1, hidden 4", args(1, 1, 4, x(1))),
        Case(f"{a} layers, batch {b}, hidden {c}", args(a, b, c, x(b))),
        Case(f"hidden smaller than batch: {a} layers, batch {c}, hidden {b}", args(a, c, b, x(c))),
        Case(f"layers, batch and hidden all {b}", args(b, b, b, x(b))),
        Case("one layer", args(1, b, c, x(b))),
        Case("`like` is a weight, whose shape says nothing of the batch", args(a, b, c, normal(g, c, a))),
        Case("`like` has three axes, and another batch", args(a, b, c, normal(g, c, a, b))),
        Case("`like` is one number", args(a, b, c, normal(g))),
        Case("float64", args(a, b, c, x(b).double())),
        Case("float16", args(a, b, c, x(b).half())),
        Case("an input with infinities and NaN in it", args(a, b, c, x(b) / 0)),
        on_meta("an input on another device (meta, which holds shapes only)", args(a, b, c, x(b))),
    ]
    return [replace(case, tolerance=0) for case in every]


def play(answer, case):
    def bind(args):
        return [args["num_layers"], args["batch"], args["hidden"], args["like"].requires_grad_()]

    return call(answer, case, bind=bind)


def judge(case, result):
    finding = compare(case, result, oracle)
    if finding and result.value and result.value["kind"] == "tensor" and "should be torch." in finding.what and "float" in result.value["dtype"]:
        finding.cause = DTYPE
    if finding and "wrong numbers" in finding.what and result.value["values"].abs().max() < ALMOST:
        finding.explain("zeros are exactly zero: a small number in their place is a state that somebody has been in")
    if finding and "should live on the device" in finding.what:
        finding.cause = DEVICE
    if finding or result.error:
        return finding
    if result.value["requires_grad"]:
        return Finding(
            "wrong",
            "the state requires a gradient: it should be a constant",
            case.title,
            cause="the zeros are computed from `like`, so that they hang in its graph, or requires_grad=True was asked for",
            certain=True,
        )
    if result.value["overlaps"]:
        return Finding(
            "wrong",
            "the rows of the state share one piece of memory: a change in one sequence's state changes the others",
            case.title,
            cause="expand repeats a tensor without copying it",
            certain=True,
        )
    return None
