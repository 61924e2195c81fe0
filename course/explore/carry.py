"""Lesson 4: the state over time, carried, reset and detached; and how far one input reaches."""

import torch
from torch import nn

from .. import example, pictures
from ..own import Beside, find
from ..trace import Trace
from . import views
from .explorer import Explorer, Scene, Slider, Switch, Table

STEPS, UNITS = example.NUM_STEPS, example.HIDDEN_SIZE
SCALE = Slider("scale", "scale of W_hh", 0, 2, 0.05, 1)
CUT = Slider("k", "k", 2, STEPS, 1, 5)
WAYS = Switch("way", "beside it, at step k", ("reset", "detached"))
RESET, DETACHED = range(2)
POKE = 0.5
SEEN = 0.01


def carry(run_sequence=None, rnn_step=None):
    """The state over time for every scale of W_hh: carried, and beside it reset or detached at step k.

    run_sequence, rnn_step: your own functions; left out, those in the notebook or those you kept are used, or PyTorch.
    """
    network = Network(run_sequence, rnn_step)
    x = network.repeated(example.sequence())
    carried, cut = network.mine.consistently(lambda: (_by_scale(network.run(x)), _all_cuts(network, x)))
    return Explorer(Scene(
        title="Explorer: carry the state",
        controls=[SCALE, Slider("step", "step", 1, STEPS, 1, STEPS), CUT, WAYS],
        tables={
            "carried": Table(("scale", "step", "unit"), carried[:, :, 0]),
            "cut": Table(("way", "k", "scale", "step", "unit"), cut[..., 0, :]),
        },
        views=[
            views.grid("Carried", ("state", "carried"), "unit", "step"),
            views.grid("Beside it: {way} at step {k}", ("state", "cut"), "unit", "step"),
            views.lines("Carried: a trace for each unit", [("state", "carried")], "step", "unit"),
            views.bars("The state after step {step}", [("carried", "carried"), ("beside", "cut")], "unit"),
        ],
        words="W_hh × {scale}, after step {step}: carried {carried}; {way} at step {k}: {cut}.",
        picture=pictures.states(Trace.of(example.rnn(), example.out(), example.sequence())),
        axes={"unit": ("unit", [str(i) for i in range(UNITS)])},
        note=network.note,
    ))


def memory(run_sequence=None, rnn_step=None):
    """How far one input reaches: change it and follow the difference; ask for the gradient and see where it ends.

    run_sequence, rnn_step: your own functions, as for `carry`.
    """
    network = Network(run_sequence, rnn_step)
    x = example.sequence()
    poked = torch.cat([x, *(_poked(x, step) for step in range(STEPS))], dim=1)
    difference, reach = network.mine.consistently(lambda: [
        {way: measure(network, given, way) for way in (None, RESET, DETACHED)} for measure, given in ((_differences, poked), (_reach, x))
    ])
    survived = (difference[None] > SEEN).sum(-1)
    cut = torch.stack([difference[RESET], difference[DETACHED]])
    gradient = torch.stack([reach[RESET], reach[DETACHED]])
    return Explorer(Scene(
        title="Explorer: how far one input reaches",
        controls=[SCALE, Slider("poked", "changed step", 1, STEPS, 1, 2), CUT, WAYS],
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
                [("carried", "difference"), ("{way}", "difference_cut")], "step", limits=(0, 0.5),
            ),
            views.lines(
                "The gradient: how much each input moves the last state",
                [("carried", "reach"), ("{way}", "reach_cut")], "step", limits=(0, 2.4),
            ),
        ],
        words=(
            f"Every feature of step {{poked}} gets {POKE:g} more. The carried state then differs by more than {SEEN:g} "
            f"in {{survived}} of {STEPS} steps; {{way}} at step {{k}}, in {{survived_cut}}."
        ),
        picture=pictures.reach(difference[None][0, SCALE.position(1), 1], reach[None][0, SCALE.position(1)]),
        axes={"step": ("step", [str(step) for step in range(1, STEPS + 1)])},
        note=network.note,
    ))


class Network:
    """The worked example's network once for each scale of W_hh, side by side in one: all scales run at once.

    The weights are blocks on a diagonal, so the copies do not know of each other.
    """

    def __init__(self, run_sequence=None, rnn_step=None):
        w, copies = example.weights(), len(SCALE.values)
        self.W_ih = torch.block_diag(*[w["W_ih"]] * copies)
        self.W_hh = torch.block_diag(*(scale * w["W_hh"] for scale in SCALE.values))
        self.bias = torch.zeros(copies * UNITS)
        self.layer = self._layer()
        self.mine = Beside("run_sequence", self._own(find("run_sequence", run_sequence), find("rnn_step", rnn_step)), self._pytorchs)
        self.note = self.mine.note

    def run(self, x, k=None, way=RESET, by=None):
        """The states (T, B, copies * H) of a run from zeros: whole, or with the state reset or detached on its way into step k.

        by: what runs it; the learner's function, if left out.
        """
        h0, by = x.new_zeros(x.shape[1], len(self.bias)), by or self.mine
        if k is None:
            return by(x, h0)[0]
        first, h = by(x[:k - 1], h0)
        rest, _ = by(x[k - 1:], h0 if way == RESET else h.detach())
        return torch.cat([first, rest])

    @staticmethod
    def repeated(x):
        """x (T, B, F), once for each copy: (T, B, copies * F)."""
        return x.repeat(1, 1, len(SCALE.values))

    @torch.random.fork_rng(devices=[])  # its first weights are not taken from the learner's random numbers
    def _layer(self):
        layer = nn.RNN(self.W_ih.shape[1], len(self.bias)).requires_grad_(False)
        layer.load_state_dict({"weight_ih_l0": self.W_ih, "weight_hh_l0": self.W_hh, "bias_ih_l0": self.bias, "bias_hh_l0": self.bias})
        return layer

    def _pytorchs(self, x, h0):
        states, h_n = self.layer(x, h0.unsqueeze(0))
        return states, h_n[0]

    def _own(self, run, step):
        """The learner's run with the learner's cell, or with PyTorch's where there is none. None without a run."""
        def own(x, h0):
            weights = [weight.clone() for weight in (self.W_ih, self.W_hh, self.bias, self.bias)]
            return run(x, h0, lambda x_t, h: (step or torch.rnn_tanh_cell)(x_t, h, *weights))

        return run and own


def _by_scale(states):
    """(T, B, copies * H) -> (copies, T, B, H)."""
    return states.detach().unflatten(-1, (len(SCALE.values), UNITS)).permute(2, 0, 1, 3)


def _all_cuts(network, x):
    """The states of every run with a cut (ways, cuts, copies, T, B, H)."""
    return torch.stack([torch.stack([_by_scale(network.run(x, k, way)) for k in CUT.values]) for way in (RESET, DETACHED)])


def _poked(x, step):
    poked = x.clone()
    poked[step] += POKE
    return poked


def _cuts(way):
    return [(None, RESET)] if way is None else [(k, way) for k in CUT.values]


def _differences(network, poked, way):
    """How far the state moves (cuts, copies, changed step, step): the largest difference of a unit from the run without a change."""
    runs = [_by_scale(network.run(network.repeated(poked), *cut)) for cut in _cuts(way)]
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
