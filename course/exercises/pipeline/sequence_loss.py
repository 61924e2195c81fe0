"""Lesson 06, Break. sequence_loss(logits, targets): the mean cross entropy over every step of every sequence.

logits (T, B, C), raw; targets (T, B) int64, the right class of each step -> a scalar.
"""

import re

import torch
from torch import nn
from torch.distributions import Categorical
from torch.nn import functional as F

from course.checks.case import Case, in_float64
from course.checks.judge import compare
from course.checks.oracles import LONG, normal, rng, size
from course.checks.play import call

GRADS = ("logits",)
HINTS = [
    "nn.functional.cross_entropy does its own softmax, over axis 1. What does axis 1 count in (T, B, C)?",
    "Axis 1 has to count classes. Either move the class axis there, or lay all T * B rows under each other.",
    "flatten(0, 1) turns (T, B, C) into (T * B, C), and (T, B) into (T * B,) with flatten(). The pairs stay together.",
]
SHIPPED_BUG = "Your code does what the shipped code does: it takes the batch axis for the classes, which nothing notices where B == C."


def shipped(logits, targets):
    return nn.functional.cross_entropy(logits, targets)


def oracle(logits, targets):
    return -Categorical(logits=logits).log_prob(targets).mean()


def _per_step(logits, targets):
    return -Categorical(logits=logits).log_prob(targets)


MISTAKES = {
    "the losses are summed, not averaged": lambda logits, targets: _per_step(logits, targets).sum(),
    "the losses are summed over time": lambda logits, targets: _per_step(logits, targets).sum(0).mean(),
    "the losses are summed over the batch": lambda logits, targets: _per_step(logits, targets).sum(1).mean(),
    "softmax is applied before the cross entropy, which applies it again": lambda logits, targets: oracle(logits.softmax(-1), targets),
    "softmax runs over the batch": lambda logits, targets: -_chosen(logits.log_softmax(1), targets),
    "softmax runs over time": lambda logits, targets: -_chosen(logits.log_softmax(0), targets),
    "nll_loss was given raw logits: it wants log probabilities": lambda logits, targets: -_chosen(logits, targets),
    "nll_loss was given probabilities: it wants their logarithms": lambda logits, targets: -_chosen(logits.softmax(-1), targets),
    "softmax and log are two steps: a probability that is 0 has the logarithm -inf. log_softmax makes one step of them": (
        lambda logits, targets: -_chosen(logits.softmax(-1).log(), targets)
    ),
    "the sign is turned": lambda logits, targets: -oracle(logits, targets),
    "only the last step counts": lambda logits, targets: oracle(logits[-1:], targets[-1:]),
    "only the first step counts": lambda logits, targets: oracle(logits[:1], targets[:1]),
    "only the first sequence counts": lambda logits, targets: oracle(logits[:, :1], targets[:, :1]),
    "the rows were reshaped in one order and the targets in another: the pairs are torn apart": (
        lambda logits, targets: oracle(logits.flatten(0, 1), targets.T.flatten())
    ),
    "the logits were laid out sequence by sequence and the targets step by step: the pairs are torn apart": (
        lambda logits, targets: oracle(logits.transpose(0, 1).flatten(0, 1), targets.flatten())
    ),
    "view was used to move the class axis: it cuts the numbers anew": (
        lambda logits, targets: F.cross_entropy(logits.reshape(logits.shape[0], logits.shape[2], logits.shape[1]), targets)
    ),
    "axis 1 of the logits now counts steps, and cross_entropy looks for the classes there": (
        lambda logits, targets: F.cross_entropy(logits.transpose(0, 1), targets)
    ),
    "axis 1 of the logits counts steps once they are turned, and cross_entropy looks for the classes there": (
        lambda logits, targets: F.cross_entropy(logits.transpose(0, 1), targets.T)
    ),
    "there is one loss for each step, not their mean": _per_step,
    "the graph is cut: detach, .data or torch.tensor(...)": lambda logits, targets: oracle(logits.detach(), targets),
    "the mean is taken over the classes too": lambda logits, targets: oracle(logits, targets) / logits.shape[-1],
}


def _words(case, result):
    """What PyTorch's cross entropy says of shapes, in this exercise's words: the causes are those that the sizes leave no doubt about."""
    said = result.error["message"]
    steps, batch, classes = case.args["logits"].shape
    found = re.search(r"input batch_size \((\d+)\) to match target batch_size \((\d+)\)", said)
    if found and steps > 1 < batch and int(found[1]) == steps * batch and int(found[2]) in (steps, batch):
        return "the logits are laid out in rows, (T * B, C), and the targets still have two axes: flatten() lays them out too, (T * B,)"
    if found and steps > 1 < batch and int(found[2]) == steps * batch and int(found[1]) in (steps, batch):
        return "the targets are laid out in one row, (T * B,), and the logits still have three axes: flatten(0, 1) lays them out too, (T * B, C)"
    wants = re.search(r"Expected target size \[(\d+), (\d+)\]", said)
    if wants and int(wants[2]) == classes and classes not in (steps, batch):
        return "cross_entropy looks for the classes in axis 1, and they still stand in the last axis: move them, or lay all steps out in rows"
    return ""


def _chosen(scores, targets):
    return scores.gather(-1, targets.unsqueeze(-1)).mean()


def cases(seed):
    g = rng(seed)
    a, b, c = size(g, 2, 3), size(g, 4, 5), size(g, 6, 7)

    def draw(steps, batch, classes, scale=2.0, **more):
        targets = torch.randint(classes, (steps, batch), generator=g)
        return {"logits": normal(g, steps, batch, classes, scale=scale), "targets": targets, **more}

    return [
        Case(f"as many sequences as classes ({a})", draw(c, a, a)),
        Case(f"{c} steps, batch {a}, {b} classes", draw(c, a, b)),
        Case(f"as many steps as classes ({b})", draw(b, a, b)),
        Case(f"steps, batch and classes all {b}", draw(b, b, b)),
        Case("batch 1, under torch.no_grad()", draw(b, 1, a, learns=())),
        Case(f"{LONG} steps", draw(LONG, a, b)),
        Case(f"{LONG} sequences", draw(a, LONG, b)),
        Case("one step", draw(1, b, a)),
        Case("logits near 1000", {**(far := draw(a, b, c)), "logits": far["logits"] * 500}),
        in_float64("float64", draw(a, b, c)),
    ]


def play(answer, case):
    return call(answer, case, GRADS)


def judge(case, result):
    finding = compare(case, result, oracle, GRADS)
    if finding and result.error:
        finding.explain(_words(case, result))
    return finding
