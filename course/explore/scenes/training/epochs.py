"""Lesson 7: how the states of the three classes come apart, epoch by epoch and step by step."""

import torch

from course import pictures
from course.explore import views
from course.explore.explorer import Explorer, Scene, Slider, Table
from course.networks.example import CLASS_NAMES
from course.networks.training import trained


def epochs(trace=None):
    """The states of test sequences as marks on one map, with sliders for the epoch and for the step within a sequence.

    trace: what `training.fit` has returned; left out, the course's own training.
    """
    trace = trace or trained()
    places, share = _on_one_map(trace.states)
    right = trace.answers.eq(trace.y)
    last, steps, count = len(places) - 1, *places.shape[1:3]
    limit = 1.05 * places.abs().max().item()
    return Explorer(
        Scene(
            title="Explorer: the states come apart",
            controls=[Slider("epoch", "epoch", 0, last, 1, 0), Slider("step", "step", 1, steps, 1, 1)],
            tables={
                "places": Table(("epoch", "step", "sequence", "xy"), places),
                "answers": Table(("epoch", "step", "sequence"), trace.answers, 0),
                "right": Table(("epoch", "step"), right.sum(-1), 0),
                "share": Table(("epoch", "step"), right.double().mean(-1)),
            },
            views=[
                views.points(
                    f"{count} states after epoch {{epoch}}, at step {{step}}",
                    ("place", "places"),
                    ("answered class", "answers"),
                    "sequence",
                    "xy",
                    trace.y.tolist(),
                    (-limit, limit),
                ),
                views.lines("The share that is right, step by step", [("epoch {epoch}", "share")], "step", limits=(0, 1)),
            ],
            words=(
                f"After epoch {{epoch}} of {last}, at step {{step}}, the output layer would answer {{right}} of {count} right: {{share}}. Guessing is 0.33."
            ),
            picture=pictures.points(
                places[0, 0],
                trace.y,
                right[0, 0],
                f"Hollow: answered wrong. Before training, at step 1, {int(right[0, 0].sum())} of {count} are answered right.",
            ),
            axes={
                "sequence": ("sequence", [f"{i}, {CLASS_NAMES[c]}" for i, c in enumerate(trace.y.tolist())]),
                "class": ("class", CLASS_NAMES),
                "xy": ("along the", ["first main axis", "second main axis"]),
            },
            note=lambda: f"Epoch 0 is before training. The map is the same for all epochs: it keeps {share:.0%} of the spread of all these states.",
        )
    )


def _on_one_map(states):
    """States (..., H) along the two main axes of all of them: (..., 2), and the share of their spread that this keeps."""
    centred = (states - states.flatten(0, -2).mean(0)).double()
    if centred.shape[-1] == 1:  # a map has two axes; the second of one unit is empty
        centred = torch.nn.functional.pad(centred, (0, 1))
    rows = centred.flatten(0, -2)
    sizes, axes = torch.linalg.eigh(rows.T @ rows)
    axes = axes[:, [-1, -2]]
    signs = axes.gather(0, axes.abs().argmax(0, keepdim=True)).sign()  # an axis may come out either way round: take one
    return centred @ (axes * signs), (sizes[-2:].sum() / sizes.sum()).item()
