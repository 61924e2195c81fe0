"""Lesson 1: the batch axis before and after, and the row that the cell sees now."""

import torch

from course import pictures
from course.explore import views
from course.explore.explorer import Explorer, Scene, Slider, Table
from course.learner.functions import Beside, find
from course.networks import example
from course.pictures.story import feature_names

SEQUENCES = 3


def input_sequence(to_input=None):
    """Three sequences as a list and as the tensor that nn.RNN reads, with sliders for step, sequence and feature.

    to_input: your own function; left out, the one in the notebook is used, or PyTorch.
    """
    seqs = _sequences()
    mine = Beside("to_input", find("to_input", to_input), lambda seqs: torch.tensor(seqs).transpose(0, 1))
    x = mine(seqs)
    return Explorer(
        Scene(
            title="Explorer: the input sequence",
            controls=[
                Slider("step", "step", 1, example.NUM_STEPS, 1, 3),
                Slider("sequence", "sequence", 0, SEQUENCES - 1, 1, 0),
                Slider("feature", "feature", 0, example.NUM_FEATURES - 1, 1, 0, feature_names(example.NUM_FEATURES)),
            ],
            tables={
                "seqs": Table(("sequence", "step", "feature"), torch.tensor(seqs)),
                "x": Table(("step", "sequence", "feature"), x),
            },
            views=[
                views.grid(f"Before: seqs, a list of {SEQUENCES} sequences", ("value", "seqs"), "feature", "step", "input", panels="sequence", width=48),
                views.grid("After: x[{#step}], what one step is handed", ("value", "x"), "sequence", "feature", "input", width=48),
            ],
            words=(
                f"Step {{step}} is x[{{#step}}], shape ({SEQUENCES}, {example.NUM_FEATURES}): one row for each sequence. "
                "Framed, feature {feature}: seqs[{sequence}][{#step}][{#feature}] is {seqs}, and x[{#step}, {sequence}, {#feature}] is {x}."
            ),
            picture=pictures.sequence(torch.tensor(seqs).transpose(0, 1), mark=3),
            axes={},
            note=mine.note,
        )
    )


def _sequences():
    """The worked example, the same from end to start, and its negative."""
    rows = example.rows()
    return [rows, rows[::-1], [[-value for value in row] for row in rows]]
