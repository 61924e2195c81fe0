"""Lesson 4: how far one input reaches."""

import dataclasses

import torch

from course import pictures
from course.explore import views
from course.explore.explorer import Explorer, Scene, Slider, Table
from course.networks import example

from .carry import CUT, DETACHED, RESET, SCALE, STEPS, WAYS, Network, by_scale

POKE = 0.5
SEEN = 0.01
LATE_CUT = dataclasses.replace(CUT, start=9)
"""Where what a cut takes away is large enough to be seen beside the carried gradient."""


def memory(run_sequence=None, rnn_step=None):
    """How far one input reaches: change it and follow the difference; ask for the gradient and see where it ends.

    run_sequence, rnn_step: your own functions, as for `carry`.
    """
    network = Network(run_sequence, rnn_step)
    x = example.sequence()
    poked = torch.cat([x, *(_poked(x, step) for step in range(STEPS))], dim=1)
    difference, reach = network.mine.consistently(
        lambda: [{way: measure(network, given, way) for way in (None, RESET, DETACHED)} for measure, given in ((_differences, poked), (_reach, x))]
    )
    survived = (difference[None] > SEEN).sum(-1)
    cut = torch.stack([difference[RESET], difference[DETACHED]])
    gradient = torch.stack([reach[RESET], reach[DETACHED]])
    return Explorer(
        Scene(
            title="Explorer: how far one input reaches",
            controls=[SCALE, Slider("poked", "changed step", 1, STEPS, 1, 2), LATE_CUT, WAYS],
            tables={
                "difference": Table(("scale", "poked", "step"), difference[None][0]),
                "difference_cut": Table(("way", "k", "scale", "poked", "step"), cut),
                "reach": Table(("scale", "step"), reach[None][0]),
                "reach_cut": Table(("way", "k", "scale", "step"), gradient),
                "survived": Table(("scale", "poked"), survived[0], 0),
                "survived_cut": Table(("way", "k", "scale", "poked"), (cut > SEEN).sum(-1), 0),
            },
            views=[
                views.lines(
                    f"Step {{poked}} + {POKE:g}: how far the state moves at each step",
                    [("carried", "difference"), ("{way}", "difference_cut")],
                    "step",
                    limits=(0, 0.5),
                    noticed=SEEN,
                ),
                views.lines(
                    "The gradient: how much each input moves the last state",
                    [("carried", "reach"), ("{way}", "reach_cut")],
                    "step",
                    limits=(0, 2.4),
                ),
            ],
            words=(
                f"Every feature of step {{poked}} gets {POKE:g} more. The carried state then differs by more than {SEEN:g} (full dots) "
                f"in {{survived}} of {STEPS} steps; {{way}} at step {{k}}, in {{survived_cut}}."
            ),
            picture=pictures.reach(difference[None][0, SCALE.position(1), 1], reach[None][0, SCALE.position(1)]),
            axes={"step": ("step", [str(step) for step in range(1, STEPS + 1)])},
            note=network.note,
        )
    )


def _poked(x, step):
    poked = x.clone()
    poked[step] += POKE
    return poked


def _cuts(way):
    return [(None, RESET)] if way is None else [(k, way) for k in CUT.values]


def _differences(network, poked, way):
    """How far the state moves (cuts, copies, changed step, step): the largest difference of a unit from the run without a change."""
    runs = [by_scale(network.run(network.repeated(poked), *cut)) for cut in _cuts(way)]
    return torch.stack([(run[:, :, 1:] - run[:, :, :1]).abs().amax(-1).transpose(1, 2) for run in runs])


@torch.enable_grad()
def _reach(network, x, way):
    """How much each input moves the last state (cuts, copies, step): the sum of the gradient's absolute values."""
    x = network.repeated(x).requires_grad_()
    return torch.stack([network.mine.follow(lambda by, cut=cut: _gradient(x, network.run(x, *cut, by))) for cut in _cuts(way)])


def _gradient(x, states):
    last = states[-1].sum()
    gradient = torch.autograd.grad(last, x, allow_unused=True)[0] if last.requires_grad else None
    gradient = torch.zeros_like(x) if gradient is None else gradient
    return gradient[:, 0].unflatten(-1, (len(SCALE.values), example.NUM_FEATURES)).abs().sum(-1).T
