"""Lesson 6: from logits to probabilities, hotter, colder and a thousand higher."""

import torch

from course import pictures
from course.explore import views
from course.explore.explorer import Explorer, Scene, Slider, Switch, Table
from course.explore.leading import leading
from course.learner.functions import Beside, find
from course.networks.example import CLASS_NAMES

LOGITS = (1.2, 0.8, 0.5)
Z = [f"z{i}" for i in range(len(LOGITS))]
SHIFT = Switch("shift", "add to all logits", ("+ 0", "+ 1000"))
ADDED = 1000


def softmax(to_probs=None):
    """Drag the logits and the temperature and watch the probabilities; add 1000 to all logits and see what stays.

    to_probs: your own function; left out, the one in the notebook or the one you kept is used, or PyTorch.
    """
    mine = Beside("to_probs", find("to_probs", to_probs), lambda logits: logits.softmax(-1))
    mine(torch.tensor([[1.0, 2, 3], [1001, 1002, 1003]]))  # meet differences that the start would not show
    beside = [("PyTorch's", "pytorchs")] if mine.disagrees else []
    return Explorer(
        Scene(
            title="Explorer: softmax",
            controls=[
                *(Slider(name, CLASS_NAMES[i], -5, 5, 0.1, LOGITS[i]) for i, name in enumerate(Z)),
                Slider("temperature", "temperature", 0.1, 5, 0.1, 1),
                SHIFT,
            ],
            around=lambda points: mine.consistently(lambda: _probabilities(points, mine)),
            views=[
                views.bars(f"logits / temperature, the {ADDED} left out", [("logits", "drawn")], "class", limits=(-5, 5), palette="logits"),
                views.bars("Probabilities", [("yours" if beside else "probability", "probs"), *beside], "class", limits=(0, 1), palette="probs"),
            ],
            words="Softmax of {logits} is {probs}. The sum is {sum}; {winner}.",
            picture=pictures.probabilities(torch.tensor(LOGITS)),
            axes={"class": ("class", CLASS_NAMES)},
            note=mine.note,
        )
    )


def _probabilities(points, mine):
    z, temperature, shift = torch.stack([points[name] for name in Z], dim=1), points["temperature"][:, None], points["shift"]
    logits = (z + ADDED * shift[:, None]) / temperature
    probs = mine(logits).detach().float()
    return {
        "logits": Table(("point", "class"), logits),
        "drawn": Table(("point", "class"), z / temperature),
        "probs": Table(("point", "class"), probs, 3),
        "pytorchs": Table(("point", "class"), logits.softmax(-1), 3),
        "sum": Table(("point",), probs.sum(-1), 3),
        "winner": leading(("point",), probs, CLASS_NAMES, "wins"),
    }
