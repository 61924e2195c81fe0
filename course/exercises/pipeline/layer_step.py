"""Lesson 03, Break. layer_step(rnn, x, h): one step of an `nn.RNN` for a batch.

rnn: nn.RNN(F, H) with one layer; x (B, F), h (B, H) -> the new state (B, H).
"""

from torch import nn

from course.checks.case import Case, in_float64
from course.checks.judge import compare
from course.checks.oracles import LONG, cell_weights, normal, rng, run_layer, size, step
from course.checks.play import call
from course.exercises.words import explained

GRADS = ("x", "h")
HINTS = [
    "Change row 0 of x only. Which rows of the result change?",
    "A 2-D input is read as ONE sequence without a batch: (time, features). Your batch of rows became steps of time.",
    "Give the layer three axes: one step of time, then the batch. The state wants a layer axis in front too. Take both off again at the end.",
]
SHIPPED_BUG = "Your code does what the shipped code does: right shape, but each row starts from the row above it and not from its own state."


def shipped(rnn, x, h):
    out, h_n = rnn(x, h[:1])
    return out


def oracle(rnn, x, h):
    return step(x, h, **rnn)


def _chained(rnn, x, h0):
    return run_layer(x.unsqueeze(1), h0, **rnn)[0].squeeze(1)


MISTAKES = {
    "the rows are still read as steps of time, now from a state of zeros": lambda rnn, x, h: _chained(rnn, x, h[:1] * 0),
    "the rows are still read as steps of time": lambda rnn, x, h: _chained(rnn, x, h[:1]),
    "the state is never handed to the layer: it starts from zeros": lambda rnn, x, h: oracle(rnn, x, h * 0),
    "every row gets the state of row 0": lambda rnn, x, h: oracle(rnn, x, h[:1].expand_as(h)),
    "every row gets the input of row 0": lambda rnn, x, h: oracle(rnn, x[:1].expand_as(x), h),
    "every row gets the last state of a run over the rows": lambda rnn, x, h: _chained(rnn, x, h[:1])[-1:].expand_as(h),
    "the old state is returned, not the new one": lambda rnn, x, h: h.clone(),
    "the state is taken from the row above": lambda rnn, x, h: oracle(rnn, x, h.roll(1, 0)),
    "the rows are in the opposite order": lambda rnn, x, h: oracle(rnn, x, h).flip(0),
    "the axis of size 1 is still there": lambda rnn, x, h: oracle(rnn, x, h).unsqueeze(0),
    "two steps are made instead of one": lambda rnn, x, h: oracle(rnn, x, oracle(rnn, x, h)),
    "the states are averaged over the batch": lambda rnn, x, h: oracle(rnn, x, h.mean(0, keepdim=True).expand_as(h)),
    "the graph is cut at the state: detach or .data": lambda rnn, x, h: oracle(rnn, x, h.detach()),
    "W_hh is not transposed": lambda rnn, x, h: step(x, h, **{**rnn, "W_hh": rnn["W_hh"].T}),
    "b_hh is left out": lambda rnn, x, h: step(x, h, **{**rnn, "b_hh": rnn["b_hh"] * 0}),
}


SIGNS = {"hx should also be": "x has a time axis in front, and the state has no layer axis yet, or the other way round: both want unsqueeze(0)"}


def cases(seed):
    g = rng(seed)
    a, b, c = size(g, 2, 3), size(g, 4, 5), size(g, 6, 7)

    def draw(batch, features, hidden, training=True, **more):
        weights = {**cell_weights(g, features, hidden), "training": training}
        return {"rnn": weights, "x": normal(g, batch, features), "h": normal(g, batch, hidden, scale=0.7), **more}

    return [
        Case(f"batch {a}, features {c}, hidden {b}", draw(a, c, b)),
        Case(f"batch == hidden ({b})", draw(b, c, b)),
        Case(f"batch, features and hidden all {b}", draw(b, b, b)),
        Case("batch 1, in eval mode", draw(1, c, b, training=False)),
        Case(f"batch {b}, in eval mode, and only x may learn", draw(b, a, c, training=False, learns=("x",))),
        Case(f"batch {a}, and only h may learn", draw(a, b, c, learns=("h",))),
        Case(f"batch {LONG}, under torch.no_grad()", draw(LONG, a, b, learns=())),
        Case(f"a larger batch ({c})", draw(c, a, b)),
        in_float64("float64", draw(a, c, b)),
    ]


def play(answer, case):
    def bind(args):
        return [_layer(args["rnn"]), args["x"], args["h"]]

    return call(answer, case, GRADS, bind)


def _layer(weights):
    layer = nn.RNN(weights["W_ih"].shape[1], weights["W_hh"].shape[1], dtype=weights["W_ih"].dtype)
    order = ("W_ih", "W_hh", "b_ih", "b_hh")
    layer.load_state_dict(dict(zip(layer.state_dict(), (weights[name] for name in order))))
    return layer.train(weights["training"])


def judge(case, result):
    return explained(compare(case, result, oracle, GRADS), case, result, oracle, SIGNS)
