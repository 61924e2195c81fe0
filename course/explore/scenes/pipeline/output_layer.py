"""Lesson 5: which unit of the state pushes which class, and by how much."""

import torch
from torch.nn import functional as F

from course import pictures
from course.explore import views
from course.explore.explorer import Explorer, Scene, Slider, Table
from course.explore.leading import leading
from course.explore.weights import WEIGHTS, by_weights, output_weights, try_out
from course.learner.functions import Beside, find
from course.networks import example
from course.networks.trace import Trace

H = [f"h{i}" for i in range(example.HIDDEN_SIZE)]
LAST_STATE = (0.3, 0.4, 0.5, 0.6)


def output_layer(output_layer=None):
    """Drag the state and watch the logits, with each unit's share in each class.

    output_layer: your own function; left out, the one in the notebook or the one you kept is used, or PyTorch.
    """
    mine = Beside("output_layer", find("output_layer", output_layer), F.linear)
    weights = output_weights()
    try_out(mine, weights, torch.linspace(-1, 1, 2 * len(H)).reshape(2, -1))
    beside = [("PyTorch's", "pytorchs")] if mine.disagrees else []
    return Explorer(
        Scene(
            title="Explorer: the output layer",
            controls=[*(Slider(name, f"h[{i}]", -1, 1, 0.05, LAST_STATE[i]) for i, name in enumerate(H)), WEIGHTS],
            around=lambda points: mine.consistently(lambda: _logits(points, mine, weights)),
            views=[
                views.shares("Each unit's share: W[c, u] × h[u]", [("share", "shares"), ("bias", "bias"), ("logit", "logits"), *beside], "class", "unit"),
                views.bars("The logits", [("logit", "logits")], "class", limits=(-3, 3), palette="logits"),
            ],
            words="The state [{h0}, {h1}, {h2}, {h3}] gives the logits {logits}: {winner}.",
            picture=pictures.output(Trace.of(example.rnn(), example.out(), example.sequence())),
            axes={"class": ("class", example.CLASS_NAMES), "unit": ("unit", [str(i) for i in range(len(H))])},
            note=mine.note,
        )
    )


def _logits(points, mine, weights):
    """Shares, biases and logits of N points: the shares by their formula, the logits by the learner's function."""
    h = torch.stack([points[name] for name in H], dim=1)
    which = points["weights"].long()
    logits, pytorchs = torch.zeros(len(h), example.NUM_CLASSES), torch.zeros(len(h), example.NUM_CLASSES)
    for rows, (W, b) in by_weights(which, weights):
        logits[rows] = mine(h[rows], W, b).detach().to(logits.dtype)
        pytorchs[rows] = F.linear(h[rows], W, b)
    return {
        "shares": Table(("point", "class", "unit"), weights["W"][which] * h[:, None]),
        "bias": Table(("point", "class"), weights["b"][which]),
        "logits": Table(("point", "class"), logits),
        "pytorchs": Table(("point", "class"), pytorchs),
        "winner": leading(("point",), logits, example.CLASS_NAMES),
    }
