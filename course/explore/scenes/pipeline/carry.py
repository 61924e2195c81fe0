"""Lesson 4: the state over time, carried, reset and detached."""

import torch
from torch import nn

from course import pictures
from course.explore import views
from course.explore.explorer import Explorer, Scene, Slider, Switch, Table
from course.learner.functions import Beside, find
from course.networks import example
from course.networks.trace import Trace

STEPS, UNITS = example.NUM_STEPS, example.HIDDEN_SIZE
SCALE = Slider("scale", "scale of W_hh", 0, 2, 0.05, 1)
CUT = Slider("k", "step k", 2, STEPS, 1, 5)
WAYS = Switch("way", "beside it, at step k", ("reset", "detached"))
RESET, DETACHED = range(2)


def carry(run_sequence=None, rnn_step=None):
    """The state over time for every scale of W_hh: carried, and beside it reset or detached at step k.

    run_sequence, rnn_step: your own functions; left out, those in the notebook or those you kept are used, or PyTorch.
    """
    network = Network(run_sequence, rnn_step)
    x = network.repeated(example.sequence())
    carried, cut = network.mine.consistently(lambda: (by_scale(network.run(x)), _all_cuts(network, x)))
    return Explorer(
        Scene(
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
        )
    )


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
        first, h = by(x[: k - 1], h0)
        rest, _ = by(x[k - 1 :], h0 if way == RESET else h.detach())
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


def by_scale(states):
    """The states of a Network's run by its copies: (T, B, copies * H) -> (copies, T, B, H)."""
    return states.detach().unflatten(-1, (len(SCALE.values), UNITS)).permute(2, 0, 1, 3)


def _all_cuts(network, x):
    """The states of every run with a cut (ways, cuts, copies, T, B, H)."""
    return torch.stack([torch.stack([by_scale(network.run(x, k, way)) for k in CUT.values]) for way in (RESET, DETACHED)])
