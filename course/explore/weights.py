"""The two sets of weights that the explorers show: the worked example's, and mixed ones, where a forgotten transpose shows."""

import torch

from course.networks import example

from .explorer import Switch

WEIGHTS = Switch("weights", "weights", ("worked example", "mixed"))


def cell_weights():
    """W_ih (2, H, F), W_hh (2, H, H), b_ih (2, H), b_hh (2, H): the worked example's and mixed ones."""
    return {name: torch.stack([value, mixed]) for (name, value), mixed in zip(example.weights().items(), _mixed((4, 5), (4, 4), (4,), (4,)))}


def output_weights():
    """W (2, C, H) and b (2, C): the worked example's and mixed ones."""
    W, b = _mixed((3, 4), (3,))
    return {"W": torch.stack([torch.tensor(example.W_OUT), W]), "b": torch.stack([torch.tensor(example.B_OUT), b])}


def try_out(function, weights, *inputs):
    """Call a learner's function with each set of weights: it meets differences that a start on the worked example would not show."""
    for choice in range(len(WEIGHTS.options)):
        function(*inputs, *(values[choice] for values in weights.values()))


def by_weights(which, weights):
    """For points with the positions `which` (N,) of the switch: the rows (N,) of each set that is used, and its weights."""
    for choice in which.unique().tolist():
        yield which == choice, [values[choice] for values in weights.values()]


def _mixed(*shapes):
    random = torch.Generator().manual_seed(12)
    return [(torch.rand(shape, generator=random) * 2 - 1).mul(10).round() / 10 for shape in shapes]
