"""Lesson 2: which sizes make the block of the initial state."""

from functools import cache
from itertools import product

import torch
from torch import nn

from course import pictures
from course.explore import views
from course.explore.explorer import Explorer, Scene, Slider, Table
from course.learner.functions import Beside, find
from course.networks import example

LAYERS, DIRECTIONS, BATCH, HIDDEN, STEPS = 4, 2, 6, 8, 10


def zero_state(init_hidden=None):
    """The blocks of the input and of the initial state, with a slider for every size.

    init_hidden: your own function; left out, the one in the notebook is used, or PyTorch's layer.
    """
    mine = Beside("init_hidden", find("init_hidden", init_hidden), _layers_own)
    shapes = mine.consistently(lambda: _shapes(mine))
    return Explorer(
        Scene(
            title="Explorer: the zero state",
            controls=[
                Slider("layers", "num_layers", 1, LAYERS, 1, 2),
                Slider("directions", "directions", 1, DIRECTIONS, 1, 1),
                Slider("batch", "batch", 1, BATCH, 1, 3),
                Slider("hidden", "hidden", 1, HIDDEN, 1, 4),
                Slider("steps", "time steps", 1, STEPS, 1, 5),
            ],
            tables={
                "state": Table(("layers", "directions", "batch", "hidden", "size"), shapes, 0),
                "numbers": Table(("layers", "directions", "batch", "hidden"), shapes.prod(-1), 0),
                "input": Table(("steps", "batch", "input_size"), _input_shapes(), 0),
            },
            views=[
                views.block("The state", ("size", "state"), "size", (LAYERS * DIRECTIONS, BATCH, HIDDEN)),
                views.block("The input", ("size", "input"), "input_size", (STEPS, BATCH, example.NUM_FEATURES)),
            ],
            words=(
                "num_layers {layers}, directions {directions}, batch {batch}, hidden {hidden}: "
                "the state has the shape {state:shape}, which is {numbers} zeros. The input has the shape {input:shape}."
            ),
            picture=pictures.tensor_block({"num_layers * directions": 2, "batch": 3, "hidden": 4}),
            axes={
                "size": ("axis", ["num_layers * directions", "batch", "hidden"]),
                "input_size": ("axis", ["time", "batch", "features"]),
            },
            note=mine.note,
        )
    )


def _layers_own(num_layers, batch, hidden, like):
    """The zeros of the shape that an nn.RNN of so many layers gives its own state."""
    return like.new_zeros(_layer(num_layers, hidden)(torch.zeros(1, batch, 1))[1].shape)


@cache
@torch.random.fork_rng(devices=[])  # its first weights are not taken from the learner's random numbers
def _layer(num_layers, hidden):
    return nn.RNN(1, hidden, num_layers).requires_grad_(False)


def _shapes(init_hidden):
    """The sizes of the state (layers, directions, batch, hidden, 3). A second direction doubles the layers of the state."""
    like = torch.zeros(1)
    sizes = product(range(1, LAYERS + 1), range(1, DIRECTIONS + 1), range(1, BATCH + 1), range(1, HIDDEN + 1))
    shapes = [init_hidden(layers * directions, batch, hidden, like).shape for layers, directions, batch, hidden in sizes]
    return torch.tensor(shapes).reshape(LAYERS, DIRECTIONS, BATCH, HIDDEN, 3)


def _input_shapes():
    sizes = product(range(1, STEPS + 1), range(1, BATCH + 1))
    return torch.tensor([(steps, batch, example.NUM_FEATURES) for steps, batch in sizes]).reshape(STEPS, BATCH, 3)
