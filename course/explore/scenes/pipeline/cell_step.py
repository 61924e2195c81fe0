"""Lesson 3: the inside of one step, with a slider on every input and on every unit of the state."""

import torch
from torch.nn import functional as F

from course import pictures
from course.explore import views
from course.explore.explorer import Explorer, Scene, Slider, Table
from course.explore.weights import WEIGHTS, by_weights, cell_weights, try_out
from course.learner.functions import Beside, find
from course.networks import example
from course.networks.trace import Trace

X = [f"x{i}" for i in range(example.NUM_FEATURES)]
H = [f"h{i}" for i in range(example.HIDDEN_SIZE)]
WEIGHT_AXES = {"W_ih": ("unit", "feature"), "W_hh": ("unit", "unit before"), "b_ih": ("unit",), "b_hh": ("unit",)}


def cell_step(rnn_step=None):
    """The cell as a diagram with its sums. Drag x and h; click a term to light up what feeds it.

    rnn_step: your own function; left out, the one in the notebook or the one you kept is used, or PyTorch.
    """
    mine = Beside("rnn_step", find("rnn_step", rnn_step), torch.rnn_tanh_cell)
    weights = cell_weights()
    random = torch.Generator().manual_seed(0)
    try_out(mine, weights, torch.rand(3, len(X), generator=random), torch.rand(3, len(H), generator=random))
    return Explorer(
        Scene(
            title="Explorer: one step of the cell",
            controls=[
                *(Slider(name, f"x[{i}]", -1, 1, 0.05, example.FIRST_ROW[i]) for i, name in enumerate(X)),
                *(Slider(name, f"h[{i}]", -1, 1, 0.05, 0) for i, name in enumerate(H)),
                WEIGHTS,
            ],
            around=lambda points: mine.consistently(lambda: _step(points, mine, weights)),
            views=[views.cell("Click a number to see what feeds it", _parts(mine), "unit", X, H, {name: name for name in weights})],
            words=f"x {_listed(X)} and h {_listed(H)} give the sum {{total}}, and tanh makes it the new state {{new}}.",
            picture=pictures.cell(Trace.of(example.rnn(), example.out(), example.sequence())),
            axes={"unit": ("unit", [str(i) for i in range(example.HIDDEN_SIZE)])},
            note=mine.note,
        )
    )


def _listed(names):
    return "[" + ", ".join(f"{{{name}}}" for name in names) + "]"


def _parts(mine):
    beside = [("PyTorch's", "pytorchs")] if mine.disagrees else []
    return [("W_ih x + b_ih", "input_part"), ("W_hh h + b_hh", "state_part"), ("sum", "total"), ("tanh: new h", "new"), *beside]


def _step(points, mine, weights):
    """What one step makes of N points: the parts by their formula, the new state by the learner's function."""
    x, h = (torch.stack([points[name] for name in names], dim=1) for names in (X, H))
    tables = {name: torch.zeros(len(x), len(H)) for name in ("input_part", "state_part", "total", "new", "pytorchs")}
    for rows, own in by_weights(points["weights"].long(), weights):
        W_ih, W_hh, b_ih, b_hh = own
        parts = F.linear(x[rows], W_ih, b_ih), F.linear(h[rows], W_hh, b_hh)
        results = (*parts, sum(parts), mine(x[rows], h[rows], *own), torch.rnn_tanh_cell(x[rows], h[rows], *own))
        for table, result in zip(tables.values(), results):
            table[rows] = result.detach().to(table.dtype)
    return {
        **{name: Table(("point", "unit"), table, 3) for name, table in tables.items()},
        **{name: Table(("weights", *axes), weights[name], 3) for name, axes in WEIGHT_AXES.items()},
    }
