"""Lesson 8: when does the network make up its mind, and what changes it?"""

import torch

from course import pictures
from course.explore import views
from course.explore.explorer import Explorer, Scene, Slider, Table
from course.networks import tasks
from course.networks.example import CLASS_NAMES
from course.networks.prediction import record
from course.networks.training import trained

STEPS = tasks.NUM_STEPS
WHICH = 25
"""The test sequence: early on it wavers, and a late flip or more noise changes the answer."""
NOISE = Slider("noise", "noise", 0, 1.5, 0.1, tasks.NOISE)
FLIPPED = Slider("flipped", "flipped step", 0, STEPS - 1, 1, 0)


def decision(model=None):
    """A trained network reads one test sequence: what it would say after each step, with sliders for noise and for a flipped step.

    model: any module that reads (T, B, 5), or (B, T, 5) with batch_first, through one recurrent layer and one nn.Linear;
    left out, the course's own.
    """
    x, y = _variants(tasks.pointing())
    probs, state = _after_each_step(model or trained().model, x)
    leader = probs.argmax(-1)
    since = _since(leader)
    units = state.shape[-1]
    names = ("noise", "flipped", "step")
    start = NOISE.position(tasks.NOISE), 0
    return Explorer(
        Scene(
            title="Explorer: when is the mind made up?",
            controls=[Slider("step", "step", 1, STEPS, 1, STEPS), NOISE, FLIPPED],
            tables={
                "probs": Table((*names, "class"), probs),
                "state": Table((*names, "unit"), state),
                "leader": Table(names, leader, 0, CLASS_NAMES),
                "since": Table(names, since, 0),
                "final": Table(names[:2], leader[..., -1], 0, CLASS_NAMES),
                "mind": Table(names[:2], since[..., -1], 0),
            },
            views=[
                views.lines("The probability of each class, step by step", [("probability", "probs")], "step", "class", limits=(0, 1)),
                views.bars("After step {step}", [("probability", "probs")], "class", limits=(0, 1), palette="probs"),
                views.bars("The state after step {step}", [("state", "state")], "unit"),
            ],
            words=(
                f"She points to {CLASS_NAMES[y]}. After step {{step}} {{leader}} leads, since step {{since}}: the probabilities are {{probs}}. "
                "In the end the network says {final}. It made up its mind at step {mind}."
            ),
            picture=pictures.probabilities_over_time(probs[start]),
            axes={"class": ("class", CLASS_NAMES), "unit": ("unit", [str(i) for i in range(units)])},
            note=lambda: (
                f"Noise {tasks.NOISE:g} is that of the training. The flipped step points the other way; 0 flips none. Step {STEPS} shows no direction: it asks."
            ),
        )
    )


def _variants(task, which=WHICH):
    """One test sequence for each noise and flipped step (T, noises * flips, F), all with the same noise but for its size; its class."""
    x, y = task.x_test[:, which], task.y_test[which]
    signal = x.new_zeros(STEPS, len(NOISE.values), len(FLIPPED.values), tasks.NUM_FEATURES)
    signal[:-1, ..., :2] = tasks.direction(y)
    signal[-1, ..., -1] = 1
    noise = (x - signal[:, 0, 0]) / tasks.NOISE
    for flip in FLIPPED.values[1:]:
        signal[int(flip) - 1, :, int(flip), :2] *= -1
    sizes = torch.tensor(NOISE.values).reshape(-1, 1, 1)
    return (signal + sizes * noise[:, None, None]).flatten(1, 2), int(y)


def _after_each_step(model, x):
    """What the model makes of the first step, of the first two, …: probabilities and states (noises, flips, T, size)."""
    first = next((module.batch_first for module in model.modules() if hasattr(module, "batch_first")), False)
    runs = [record(model, part.transpose(0, 1) if first else part) for part in (x[: step + 1] for step in range(STEPS))]
    grids = (torch.stack(values, dim=1) for values in zip(*((run.logits.softmax(-1), run.carried) for run in runs)))
    return tuple(grid.unflatten(0, (len(NOISE.values), len(FLIPPED.values))) for grid in grids)


def _since(leader):
    """Since which step, counted from 1, the class that leads after each step has been leading without a break."""
    since = torch.ones_like(leader)
    for step in range(1, STEPS):
        since[..., step] = torch.where(leader[..., step] == leader[..., step - 1], since[..., step - 1], step + 1)
    return since
